"""OCSP responses (RFC 6960), written octet by octet so that they can be wrong,
and a server that staples them: openssl's s_server, taught SMTP."""

import datetime
import subprocess
import tempfile
import threading
import time
from pathlib import Path

BASIC = bytes.fromhex("06092b0601050507300101")     # id-pkix-ocsp-basic
ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")


def der(tag, *parts):
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(body).to_bytes(size, "big") + body


def sizes(data):
    """Of the first element: octets before its content, and of that."""
    n, at = data[1], 2
    if n & 0x80:
        at += n & 0x7f
        n = int.from_bytes(data[2:at], "big")
    return at, n


def element(data):
    return sum(sizes(data))


def inside(data):
    """The content of the first element."""
    at, n = sizes(data)
    return data[at:at + n]


def when(days):
    now = datetime.datetime.now(datetime.timezone.utc)
    moment = now + datetime.timedelta(days=days)
    return der(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode())


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=data,
                          check=True, capture_output=True).stdout


def certificate_id(issuer, leaf, scratch):
    openssl("ocsp", "-issuer", issuer, "-cert", leaf, "-no_nonce", "-reqout",
            scratch)
    data = scratch.read_bytes()
    for _ in range(4):      # OCSPRequest, tbsRequest, requestList, Request
        data = inside(data)
    return data


STATUS = {
    "good": der(0x80),
    "revoked": der(0xa1, when(-3), der(0xa0, der(0x0a, b"\1"))),
    "unknown": der(0x82),
}


def issuer_name(chain):
    """The Name of who has issued it, as it stands there."""
    data = inside(inside(openssl("x509", "-in", chain, "-outform", "DER")))
    for _ in range(3):      # version, serial number, signature
        data = data[element(data):]
    return data[:element(data)]


def response(about, signer, key, status="good", this=-1, next_=6, spoil=False):
    """about: a certificate_id; signer: an issuer_name, key: its key; this,
    next_: days from now (next_ None: it has no end)."""
    ends = [] if next_ is None else [der(0xa0, when(next_))]
    single = der(0x30, about, STATUS[status], when(this), *ends)
    data = der(0x30, der(0xa1, signer), when(this),
               der(0x30, single))
    signature = openssl("dgst", "-sha256", "-sign", key, data=data)
    if spoil:
        signature = openssl("dgst", "-sha256", "-sign", key, data=b"other")
    basic = der(0x30, data, ECDSA_SHA256, der(0x03, b"\0", signature))
    return der(0x30, der(0x0a, b"\0"), der(0xa0, der(
        0x30, BASIC, der(0x04, basic))))


TRY_LATER = der(0x30, der(0x0a, b"\3"))


def is_listening(path):
    for line in Path("/proc/net/unix").read_text().splitlines():
        words = line.split()
        if words[-1] == str(path) and words[3] == "00010000":
            return True
    return False


class Stapler:
    """s_server at a unix socket, with a certificate and a staple; it takes
    one message.  `said` is what the client said under TLS."""

    def __init__(self, chain, key, staple=None, version="tls1_3"):
        # Its name must be short.
        self.directory = tempfile.TemporaryDirectory()
        path = self.path = f"{self.directory.name}/socket"
        command = ["openssl", "s_server", "-quiet", "-unix", path, "-unlink",
                   "-naccept", "1", "-cert", chain, "-key", key,
                   f"-{version}"]
        if staple:
            command += ["-status_file", staple]
        self.said = []
        self.process = subprocess.Popen(
            [str(c) for c in command], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        while not is_listening(path):
            if self.process.poll() is not None:
                raise RuntimeError(self.process.stdout.read().decode())
            time.sleep(0.01)
        self.thread = threading.Thread(target=self._talk, daemon=True)
        self.thread.start()

    def _say(self, text):
        self.process.stdin.write(text + b"\r\n")
        self.process.stdin.flush()

    def _talk(self):
        in_data = False
        try:
            self._say(b"220 mail.example.org ESMTP")
            for line in self.process.stdout:
                if not line.endswith(b"\r\n"):
                    continue    # its own words
                self.said.append(line)
                in_data = in_data and line != b".\r\n"
                if in_data:
                    continue
                in_data = line == b"DATA\r\n"
                self._say(b"354 go on" if in_data else
                          b"221 bye" if line == b"QUIT\r\n" else b"250 ok")
        except BrokenPipeError:
            pass

    def close(self):
        self.process.kill()
        self.process.wait()
        self.thread.join()
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.stdout.close()
        self.directory.cleanup()
