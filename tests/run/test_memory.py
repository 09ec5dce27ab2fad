"""Memory does not grow with the message, as it is and encoded on the way."""

import os
import threading
import zlib

import pytest

import process
from harness import has_sanitizers, high_water
from sink import Decoder, Sink

MIB = 1 << 20
HEADER = b"From: a@example.org\nDate: Sun, 22 Nov 2026 12:00:00 +0000\n" \
         b"Message-ID: <1@example.org>\n\n"
BLOCK = (b"0123456789abcdef" * 4)[:63] + b"\n"
BLOCK *= MIB // len(BLOCK)
# KiB; a sanitizer's allocator holds on to some of what is freed
ALLOWED = 8192 if has_sanitizers() else 2048


def on_the_wire(mebibytes):
    """Octets and CRC-32 of what must arrive."""
    crc = zlib.crc32(HEADER.replace(b"\n", b"\r\n"))
    block = BLOCK.replace(b"\n", b"\r\n")
    for _ in range(mebibytes):
        crc = zlib.crc32(block, crc)
    return (len(HEADER) + HEADER.count(b"\n") + mebibytes * len(block)), crc


def feed(descriptor, mebibytes, block=BLOCK):
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as pipe:
            pipe.write(HEADER)
            for _ in range(mebibytes):
                view = memoryview(block)
                while view:
                    view = view[pipe.write(view):]
    except BrokenPipeError:
        pass


class Look(list):
    """The largest resident size of what runs when the message is sent and the
    answer is waited for, KiB."""

    def __call__(self):
        self += map(high_water, process.children(os.getpid()))


def peak(rider, account, certs, mebibytes, chunking):
    """The largest resident size while a message is sent, KiB."""
    seen = Look()
    with Sink(certs.chain("good"), certs.key("good"), chunking,
              seen) as sink:
        rider.config(account(sink, timeout=30))
        reading, writing = os.pipe()
        feeder = threading.Thread(target=feed, args=(writing, mebibytes))
        feeder.start()
        with os.fdopen(reading, "rb") as stdin:
            result = rider.run("bob@example.net", stdin=stdin, timeout=600,
                               env={"TMPDIR": rider.home.parent})
        feeder.join()
        assert result.code == 0, str(result)
        assert sink.accepted
        assert (sink.octets, sink.crc) == on_the_wire(mebibytes)
        return max(result.peak, *seen)


# What the 7-bit server gets of it, and its block, about a mebibyte.
EIGHTBIT = {
    b"quoted-printable": (b"0123456789abcdef" * 4)[:61] + "é".encode() + b"\n",
    b"base64": "Ж".encode() * 31 + b"\n",
}
EIGHTBIT = {encoding: line * (MIB // len(line))
            for encoding, line in EIGHTBIT.items()}


def encoded_peak(rider, account, certs, mebibytes, encoding):
    """The same while it is encoded."""
    block = EIGHTBIT[encoding]
    decoder, seen = Decoder(), Look()
    with Sink(certs.chain("good"), certs.key("good"), True, seen,
              decoder) as sink:
        rider.config(account(sink, timeout=30))
        reading, writing = os.pipe()
        feeder = threading.Thread(target=feed,
                                  args=(writing, mebibytes, block))
        feeder.start()
        with os.fdopen(reading, "rb") as stdin:
            result = rider.run("bob@example.net", stdin=stdin, timeout=600,
                               env={"TMPDIR": rider.home.parent})
        feeder.join()
    assert result.code == 0, str(result)
    assert sink.accepted and decoder.is_ascii and decoder.rest == b""
    assert decoder.encoding == encoding and decoder.longest <= 76
    crc, octets = 0, 0
    wanted = block.replace(b"\n", b"\r\n")
    for _ in range(mebibytes):
        crc = zlib.crc32(wanted, crc)
        octets += len(wanted)
    assert (decoder.octets, decoder.crc) == (octets, crc)
    return max(result.peak, *seen)


@pytest.mark.parametrize("encoding", EIGHTBIT, ids=bytes.decode)
def test_memory_encoded(rider, account, certs, encoding):
    if has_sanitizers():
        rider.env["ASAN_OPTIONS"] = \
            os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
    small = encoded_peak(rider, account, certs, 1, encoding)
    large = encoded_peak(rider, account, certs,
                         64 if has_sanitizers() else 256, encoding)
    assert small > 0
    assert large - small <= ALLOWED, f"{small} KiB, then {large} KiB"


@pytest.mark.parametrize("chunking", [False, True], ids=["DATA", "BDAT"])
def test_memory(rider, account, certs, chunking):
    if has_sanitizers():    # or freed memory is kept to watch over it
        rider.env["ASAN_OPTIONS"] = \
            os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
    small = peak(rider, account, certs, 1, chunking)
    large = peak(rider, account, certs, 1024, chunking)
    assert small > 0
    assert large - small <= ALLOWED, f"{small} KiB, then {large} KiB"
