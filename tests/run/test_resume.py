"""A second submission goes on with the first one's TLS session, and whatever
has changed in between makes it begin anew.  The peer says which it was."""

import hashlib
import os
import shutil
import socket
import ssl
import stat
import struct
import subprocess
import threading
import time
from types import SimpleNamespace

import pytest

from conftest import MESSAGE
from test_certificates import nothing_was_said, refused
from test_pins import pin

DAY = 86400


def context(certs, cert="good", version=None):
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    result.load_cert_chain(certs.chain(cert), certs.key(cert))
    if version:
        result.minimum_version = result.maximum_version = version
    return result


@pytest.fixture(params=["TLSv1_3", "TLSv1_2"])
def peer(start, certs, request):
    """One that knows its own tickets again."""
    one = context(certs, version=ssl.TLSVersion[request.param])
    return start(make_context=lambda: one)


def files(rider):
    folder = rider.home / ".cache" / "postrider"
    return sorted(folder.iterdir()) if folder.exists() else []


def reused(peer):
    return [s.tls_reused for s in peer.sessions]


def extensions(session):
    """Those of the ClientHello (RFC 8446 4.1.2), {number: octets}."""
    data = bytes(session.wire.hello)
    assert data[0] == 22 and data[5] == 1
    data = data[5 + 4 + 2 + 32:]
    for width in (1, 2, 1):     # session id, cipher suites, compression
        data = data[width + int.from_bytes(data[:width], "big"):]
    end = 2 + int.from_bytes(data[:2], "big")
    result, data = {}, data[2:end]
    while data:
        number, size = struct.unpack(">HH", data[:4])
        result[number], data = data[4:4 + size], data[4 + size:]
    return result


def ticket(session):
    """The one shown (4.2.11), or None."""
    shown = extensions(session).get(41)
    return shown and shown[4:4 + int.from_bytes(shown[2:4], "big")]


def twice(send, peer, first=None, second=None):
    for settings in (first or {}, second or {}):
        result = send(peer, "bob@example.net", **settings)
        assert result.code == 0, str(result)
    assert len(peer.messages) == 2
    return reused(peer)


def test_goes_on(send, peer):
    for _ in range(5):
        assert send(peer, "bob@example.net").code == 0
    assert reused(peer) == [False, True, True, True, True]
    assert len(peer.messages) == 5


@pytest.mark.parametrize("least", ["1.2", "1.3"])
def test_with_new_keys_and_no_early_data(start, send, certs, least):
    """What is said in a session that goes on can't be read by who later gets
    the ticket (psk_dhe_ke alone, RFC 8446 4.2.9), nor be sent twice by who is
    on the way (no early_data)."""
    one = context(certs, version=ssl.TLSVersion.TLSv1_3)
    peer = start(make_context=lambda: one)
    settings = dict(tls_min_version=least)
    assert twice(send, peer, settings, settings) == [False, True]
    for session, shows in zip(peer.sessions, (False, True)):
        sent = extensions(session)
        assert sent[45] == b"\1\1"
        assert 42 not in sent
        assert (41 in sent) == shows


def test_log_says_so(send, peer, rider, certs):
    log = rider.home / "log"
    twice(send, peer, dict(logfile=log), dict(logfile=log))
    first, second = log.read_text().splitlines()
    assert f' {certs.ca}"' in first and "resumed" not in first
    assert f' {certs.ca} resumed"' in second


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_by_starttls_and_from_the_start(start, send, certs, tls):
    one = context(certs)
    peer = start(tls=tls, make_context=lambda: one)
    assert twice(send, peer) == [False, True]


# What a setting says first and then (None: it is not set).
CHANGES = {
    "tls_resume": ("on", "off"),
    "tls_host_override": (None, "mail.example.org"),
    "tls_min_version": (None, "1.2"),       # as by default: the same
    "tls_priorities": (None, "NORMAL"),
    "tls_min_dh_prime_bits": (None, "1024"),
    "tls_certcheck": ("on", "off"),
    "user": ("alice", "bob"),
    "source_ip": (None, "127.0.0.1"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_another_setting(start, send, certs, name):
    one = context(certs)
    peer = start(make_context=lambda: one, users={
        "alice": "correct horse/battery+staple",
        "bob": "correct horse/battery+staple"})
    first, then = CHANGES[name]
    goes_on = name == "tls_min_version"
    assert twice(send, peer, {name: first}, {name: then}) == [False, goes_on]


def test_another_fingerprint_or_pin(start, send, certs):
    one = context(certs)
    peer = start(make_context=lambda: one)
    key = pin(certs, "good")
    rows = [dict(), dict(tls_pin=key), dict(tls_pin=f"{key} {'0' * 64}"),
            dict(tls_fingerprint=certs.fingerprint("good", "sha256")),
            dict(tls_fingerprint=certs.fingerprint("good", "sha256").lower())]
    for row in rows:
        assert send(peer, "bob@example.net", **row).code == 0
    assert reused(peer) == [False] * len(rows)
    for row in rows:
        assert send(peer, "bob@example.net", **row).code == 0
    assert reused(peer)[len(rows):] == [True] * len(rows)


@pytest.mark.parametrize("setting, value", [
    ("tls_pin", "1" * 64), ("tls_fingerprint", "1" * 64),
    ("tls_trust_file", "other-ca"), ("tls_host_override", "x.example"),
    ("tls_trust_file", None)])
def test_what_would_be_refused_is(start, send, certs, setting, value):
    """A ticket of a session that was right under other settings is no way
    around these."""
    one = context(certs)
    peer = start(make_context=lambda: one)
    assert send(peer, "bob@example.net").code == 0
    peer.sessions.clear()
    peer.messages.clear()
    if value == "other-ca":
        value = certs.other_ca
    result = send(peer, "bob@example.net", **{setting: value})
    refused(peer, result, ".")
    assert "(4.7.5)" in result.err
    nothing_was_said(peer)


@pytest.mark.parametrize("how", ["written", "replaced", "touched", "another"])
def test_another_trust_file(send, peer, certs, tmp_path, how):
    trust = tmp_path / "trust.pem"
    shutil.copy(certs.ca, trust)
    setting = dict(tls_trust_file=trust)
    assert send(peer, "bob@example.net", **setting).code == 0
    if how == "written":
        with open(trust, "ab") as file:
            file.write(certs.other_ca.read_bytes())
    elif how == "replaced":
        times = trust.stat()
        new = tmp_path / "new"
        shutil.copy(certs.ca, new)
        os.utime(new, ns=(times.st_atime_ns, times.st_mtime_ns))
        new.rename(trust)
    elif how == "touched":
        os.utime(trust)
    else:
        setting["tls_trust_file"] = shutil.copy(trust, tmp_path / "more.pem")
    assert send(peer, "bob@example.net", **setting).code == 0
    assert reused(peer) == [False, False]
    assert send(peer, "bob@example.net", **setting).code == 0
    assert reused(peer)[-1]


def test_trust_file_in_which_it_no_longer_is(send, peer, certs, tmp_path):
    trust = tmp_path / "trust.pem"
    shutil.copy(certs.ca, trust)
    assert send(peer, "bob@example.net", tls_trust_file=trust).code == 0
    shutil.copy(certs.other_ca, trust)
    result = send(peer, "bob@example.net", tls_trust_file=trust)
    assert result.code == 75 and "issuer" in result.err, str(result)
    trust.unlink()
    result = send(peer, "bob@example.net", tls_trust_file=trust)
    assert result.code == 78 and "trust.pem" in result.err, str(result)


def test_folder_of_trust(send, peer, certs, tmp_path):
    folder = tmp_path / "trust"
    folder.mkdir()
    shutil.copy(certs.ca, folder / "ca.pem")
    setting = dict(tls_trust_file=folder)
    assert twice(send, peer, setting, setting) == [False, True]
    with open(folder / "ca.pem", "ab") as file:     # the folder is the same
        file.write(b"\n")
    assert send(peer, "bob@example.net", **setting).code == 0
    assert not reused(peer)[-1]


def test_revoked_since(send, peer, certs, tmp_path):
    """A list of revoked certificates that has come, or was renewed."""
    crl = tmp_path / "crl.pem"

    def make():
        certs._openssl("ca", "-gencrl", "-config", str(certs.config), "-cert",
                       str(certs.ca), "-keyfile", str(certs.key("ca")),
                       "-crldays", "30", "-out", str(crl))
    make()
    rows = [{}, dict(tls_crl_file=crl), dict(tls_crl_file=crl)]
    for row in rows:
        assert send(peer, "bob@example.net", **row).code == 0
    make()
    assert send(peer, "bob@example.net", **rows[-1]).code == 0
    assert reused(peer) == [False, False, True, False]


def test_never_without_a_check(send, peer, rider):
    settings = dict(tls_certcheck="off")
    assert twice(send, peer, settings, settings) == [False, False]
    assert not files(rider)


def test_never_with_a_certificate_of_ours(send, peer, rider, certs):
    settings = dict(tls_cert_file=certs.chain("client"),
                    tls_key_file=certs.key("client"))
    assert twice(send, peer, settings, settings) == [False, False]
    assert not files(rider)


def test_not_by_the_probe(send, peer, rider):
    assert send(peer, "bob@example.net").code == 0
    before = files(rider)
    result = rider.run("--probe")
    assert result.code == 0 and "certificate 1:" in result.out, str(result)
    assert peer.settle()
    assert reused(peer) == [False, False]
    assert files(rider) == before


# The file.

def parts(path):
    """Its fields, and how to write them again."""
    data = path.read_bytes()
    assert data[:8] == b"PRTICKT1"
    checked, expires, size = struct.unpack(">QQI", data[40:60])
    return data, checked, expires, data[60:60 + size]


def rewrite(path, checked=None, expires=None):
    data, was_checked, was_expires, _ = parts(path)
    rest = struct.pack(">QQ", was_checked if checked is None else checked,
                       was_expires if expires is None else expires) + data[56:]
    digest = hashlib.sha256(bytes.fromhex(path.name) + rest).digest()
    path.write_bytes(data[:8] + digest + rest)


def test_file(send, peer, rider, certs):
    assert send(peer, "bob@example.net").code == 0
    [path] = files(rider)
    assert len(path.name) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    _, checked, expires, verified = parts(path)
    assert abs(checked - time.time()) < 60 and verified == bytes(certs.ca)
    end = subprocess.run(["openssl", "x509", "-in", certs.chain("good"),
                          "-noout", "-enddate"], check=True,
                         capture_output=True, text=True).stdout
    assert expires == ssl.cert_time_to_seconds(end.strip().split("=")[1])


def test_time_of_the_check_stays(send, peer, rider):
    """A day after the certificate was seen it must be seen again, however
    often the session has gone on."""
    assert send(peer, "bob@example.net").code == 0
    now = int(time.time())
    [path] = files(rider)
    rewrite(path, checked=now - 1000)
    assert send(peer, "bob@example.net").code == 0
    assert reused(peer) == [False, True]
    [path] = files(rider)
    assert parts(path)[1] == now - 1000


TIMES = {
    "almost a day": (lambda now: dict(checked=now - DAY + 600), True),
    "a day": (lambda now: dict(checked=now - DAY), False),
    "a year": (lambda now: dict(checked=now - 365 * DAY), False),
    "in the future": (lambda now: dict(checked=now + 600), False),
    "negative": (lambda now: dict(checked=2 ** 64 - 1), False),
    "certificate has ended": (lambda now: dict(expires=now - 1), False),
    "certificate ended at once": (lambda now: dict(expires=0), False),
    "certificate will end": (lambda now: dict(expires=now + 600), True),
}


@pytest.mark.parametrize("name", TIMES)
def test_time(send, peer, rider, name):
    change, goes_on = TIMES[name]
    assert send(peer, "bob@example.net").code == 0
    [path] = files(rider)
    rewrite(path, **change(int(time.time())))
    assert send(peer, "bob@example.net").code == 0
    assert reused(peer) == [False, goes_on]


def no_owner(path, other):
    os.chown(path, 65534, 65534)


def as_link(path, other):
    path.rename(other)
    path.symlink_to(other)


def as_second_name(path, other):
    os.link(path, other)


def as_fifo(path, other):
    path.unlink()
    os.mkfifo(path, 0o600)


def as_folder(path, other):
    path.unlink()
    path.mkdir()


def cut(path, other):
    path.write_bytes(path.read_bytes()[:-1])


def longer(path, other):
    path.write_bytes(path.read_bytes() + b"\0")


def one_bit(path, other):
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)


def huge(path, other):
    with open(path, "r+b") as file:
        file.truncate(1 << 40)


ODD = {
    "another's": no_owner, "a link": as_link, "two names": as_second_name,
    "a fifo": as_fifo, "a folder": as_folder, "cut": cut, "longer": longer,
    "one bit": one_bit, "huge": huge,
    "empty": lambda path, _: path.write_bytes(b""),
    "zeros": lambda path, _: path.write_bytes(bytes(4000)),
    "readable by the group": lambda path, _: path.chmod(0o640),
    "readable by all": lambda path, _: path.chmod(0o604),
    "writable by the group": lambda path, _: path.chmod(0o620),
    "folder is anybody's": lambda path, _: path.parent.chmod(0o777),
    "folder is a file": lambda path, _: (shutil.rmtree(path.parent),
                                         path.parent.write_bytes(b"")),
    "of another account": lambda path, _: path.rename(
        path.with_name("A" * 64)),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_file(send, peer, rider, tmp_path, name):
    """What is not what we wrote is not used, and harms nobody."""
    assert send(peer, "bob@example.net").code == 0
    [path] = files(rider)
    other = tmp_path / "other"
    ODD[name](path, other)
    result = send(peer, "bob@example.net")
    assert result.code == 0 and not result.err, str(result)
    assert reused(peer) == [False, False]


def test_moved_to_the_name_of_another(send, peer, rider):
    """A file counts only under its own name."""
    assert send(peer, "bob@example.net").code == 0
    [first] = files(rider)
    assert send(peer, "bob@example.net", tls_priorities="NORMAL").code == 0
    [second] = [path for path in files(rider) if path != first]
    first.rename(second)
    assert send(peer, "bob@example.net", tls_priorities="NORMAL").code == 0
    assert reused(peer) == [False] * 3


def test_octets_of_gnutls_that_are_nonsense(send, peer, rider):
    """Rightly written, but no session."""
    assert send(peer, "bob@example.net").code == 0
    [path] = files(rider)
    data, _, _, verified = parts(path)
    rest = data[40:60 + len(verified)] + b"nonsense" * 200
    digest = hashlib.sha256(bytes.fromhex(path.name) + rest).digest()
    path.write_bytes(data[:8] + digest + rest)
    result = send(peer, "bob@example.net")
    assert result.code == 0 and not result.err, str(result)
    assert reused(peer) == [False, False]


def test_no_home(send, peer, rider, tmp_path):
    """There is none, or nothing can be written there."""
    rider.env.update(HOME=None)
    config = rider.home / ".postriderrc"
    for home in ("/nonexistent", "/proc", "/dev/null"):
        for name in ("HOME", "XDG_CACHE_HOME"):
            env = {"HOME": home, "XDG_CACHE_HOME": home}
            result = send(peer, "-C", config, "bob@example.net", env=env)
            assert result.code == 0 and not result.err, str(result)


def test_cache_of_its_own(send, peer, rider, tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir()
    env = {"XDG_CACHE_HOME": cache}
    for _ in range(2):
        assert send(peer, "bob@example.net", env=env).code == 0
    assert reused(peer) == [False, True]
    assert not files(rider) and len(list((cache / "postrider").iterdir())) == 1
    os.chown(cache, 65534, 65534)       # as sudo may leave it: not ours
    assert send(peer, "bob@example.net", env=env).code == 0
    assert reused(peer)[-1] is False and len(files(rider)) == 1


def test_old_ones_are_cleared_away(send, peer, rider):
    assert send(peer, "bob@example.net").code == 0
    folder = files(rider)[0].parent
    old, left, mine = folder / ("B" * 64), folder / ("C" * 64 + ".00"), \
        folder / "notes"
    for path in (old, left, mine):
        path.write_bytes(b"x")
        then = time.time() - 2 * DAY
        os.utime(path, (then, then))
    assert send(peer, "bob@example.net", tls_priorities="NORMAL").code == 0
    assert len(files(rider)) == 3 and mine in files(rider)


def test_many_at_once(start, rider, account, certs):
    """Nobody fails, no ticket is used twice, and nothing is left lying."""
    one = context(certs)
    peer = start(make_context=lambda: one)
    rider.config(account(peer))
    assert rider.run("bob@example.net", stdin=MESSAGE).code == 0
    shown = []
    take = threading.Lock()

    def run():
        result = rider.run("bob@example.net", stdin=MESSAGE, timeout=60)
        with take:
            shown.append(result.code)
    threads = [threading.Thread(target=run) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert peer.settle(20)
    assert shown == [0] * 20 and len(peer.messages) == 21
    assert any(reused(peer)[1:])
    tickets = [ticket(s) for s in peer.sessions if ticket(s)]
    assert tickets
    assert len(tickets) == len(set(tickets))
    assert len(files(rider)) == 1


# Servers that do not know it again, or are another.

def test_server_forgot(start, send, certs):
    """It has other keys for its tickets: a whole handshake, and a check."""
    peer = start(make_context=lambda: context(certs))
    assert twice(send, peer) == [False, False]


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("version", ["TLSv1_3", "TLSv1_2"])
@pytest.mark.parametrize("cert, words", [
    ("self-signed", "self-signed"), ("expired", "expired"),
    ("wrong-name", "name")])
def test_certificate_was_swapped(start, send, certs, tls, version, cert,
                                 words):
    """Between the ticket and its use: what is shown instead is checked."""
    shown = ["good"]
    peer = start(tls=tls, make_context=lambda: context(
        certs, shown[0], ssl.TLSVersion[version]))
    assert send(peer, "bob@example.net").code == 0
    peer.sessions.clear()
    peer.messages.clear()
    shown[0] = cert
    result = send(peer, "bob@example.net")
    refused(peer, result, words)
    assert "(4.7.5)" in result.err
    nothing_was_said(peer)


def test_version_was_swapped(start, send, certs):
    """A server that now has an older version than its ticket is of."""
    versions = [ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2,
                ssl.TLSVersion.TLSv1_3]
    peer = start(make_context=lambda: context(
        certs, version=versions[min(len(peer.sessions) - 1, 2)]))
    for _ in versions:
        result = send(peer, "bob@example.net")
        assert result.code == 0, str(result)
    assert reused(peer) == [False] * 3


class Gate:
    """Lets connections through to a port, but for those that show a ticket,
    which get `answer` and their end."""

    def __init__(self, port, answer):
        self.target, self.answer, self.refused = port, answer, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            hello = client.recv(1 << 16)
            hello_only = SimpleNamespace(wire=SimpleNamespace(hello=hello))
            if ticket(hello_only):
                self.refused += 1
                client.sendall(self.answer)
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self.target))
            server.sendall(hello)
            for a, b in ((client, server), (server, client)):
                threading.Thread(target=self._copy, args=(a, b),
                                 daemon=True).start()

    @staticmethod
    def _copy(a, b):
        try:
            while data := a.recv(1 << 16):
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass


@pytest.mark.parametrize("answer", [
    b"", b"\x15\x03\x03\0\2\2\x28", b"\x15\x03\x03\0\2\2\x2f", b"nonsense"])
def test_server_that_chokes_on_tickets(start, send, certs, answer):
    """A ticket never makes a submission fail: once more without it."""
    peer = start(tls="implicit")
    gate = Gate(peer.port, answer)
    assert send(peer, "bob@example.net", port=gate.port).code == 0
    result = send(peer, "bob@example.net", port=gate.port)
    gate.listener.close()
    assert result.code == 0 and not result.err, str(result)
    assert gate.refused == 1 and len(peer.messages) == 2
