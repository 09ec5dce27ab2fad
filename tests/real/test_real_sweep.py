"""Where secrets must not turn up, as far as only root can look: in memory after
the login, in core dumps, in what /proc shows of postrider and its children, in
the files that they have open, in syslog.  The rest is tests/run/test_sweep.py.

The server is the scripted peer of tests/run.  It holds its answer to MAIL, or
to the message, while postrider is looked at from outside.
"""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time

import pytest

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "run"))

import canary					# noqa: E402
import process					# noqa: E402
from certs import Certificates			# noqa: E402
from faults import Silent			# noqa: E402
from harness import (Postrider, binary, has_sanitizers,	# noqa: E402
                     slowness, wrapper)
from peer import Peer				# noqa: E402

BOB = "bob@example.net"
MESSAGE = b"From: alice@example.org\nTo: bob@example.net\n\nThe body\n"
BIG = MESSAGE + (b"y" * 70 + b"\n") * 20000	# needs a temporary file
MECHANISMS = ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"]
SOURCES = ["setting", "eval", "file", "netrc"]
RELAY = """
import select, socket, os, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
while True:
    for one in select.select([0, s], [], [])[0]:
        data = os.read(0, 65536) if one == 0 else s.recv(65536)
        if not data:
            sys.exit()
        os.write(1, data) if one is s else s.sendall(data)
"""


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certs"))


class Held:
    """postrider while a server makes it wait."""

    def __init__(self, directory, certs, mechanism="PLAIN", source="setting",
                 size=40, step="mail", **settings):
        self.rider = Postrider(directory)
        self.secret = canary.make("", size)
        self.proxy = canary.make("")
        self.step = step
        self.peer = Peer(cert=certs.chain("good"), key=certs.key("good"),
                         mechanisms=[mechanism], faults={step: Silent()},
                         users={"alice": self.secret})
        self.settings = {
            "tls_trust_file": certs.ca, "auth": mechanism, "user": "alice",
            "from": "alice@example.org", "timeout": 60, "logfile": "~/log",
            "host": "127.0.0.1", "proxy_password": self.proxy,
            **self._source(source), **settings}
        (self.rider.home / "tmp").mkdir()

    def _source(self, kind):
        self.rider.config(f"{self.secret}\nsecond line\n", "hidden")
        if kind == "netrc":
            self.rider.config("machine 127.0.0.1 login alice password "
                              f"{self.secret}\n", ".netrc")
        return {"setting": {"password": self.secret},
                "eval": {"passwordeval": "cat ~/hidden"},
                "file": {"password_file": "~/hidden"}, "netrc": {}}[kind]

    def __enter__(self):
        self.peer.__enter__()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(AttributeError, ProcessLookupError):
            self.child.kill()
            self.child.wait()
        self.peer.__exit__()

    def start(self, *arguments, stdin=MESSAGE, preexec=None, command=()):
        """Run it up to where it is held."""
        settings = {"port": self.peer.port, "tls": "on", **self.settings}
        self.rider.config("account default\n" + "".join(
            f"{k} {v}\n" for k, v in settings.items()))
        self.rider.config(stdin, "message")
        self.said = open(self.rider.home / "said", "wb")
        self.child = subprocess.Popen(
            [*command, *wrapper(), binary(), *arguments],
            stdin=open(self.rider.home / "message", "rb"), stdout=self.said,
            stderr=self.said, cwd=self.rider.home, preexec_fn=preexec,
            env=self.rider.environment({"TMPDIR": self.rider.home / "tmp"}))
        self.wait()
        return self.child.pid

    def wait(self, times=1):
        """Until it has sent what the peer does not answer."""
        end = time.monotonic() + 20 * slowness()
        while not self._is_held(times):
            assert self.child.poll() is None and time.monotonic() < end, \
                (self.rider.home / "said").read_text()
            time.sleep(0.01)

    def _is_held(self, times):
        sessions = self.peer.sessions[times - 1:]
        if not sessions:
            return False
        if self.step == "body":
            return any(t.ended for t in sessions[-1].transactions) and \
                self._is_asleep()
        return self.step.upper() in sessions[-1].verbs and self._is_asleep()

    def _is_asleep(self):
        """Twice in a row: it has done what it does before it waits."""
        for _ in range(2):
            with open(f"/proc/{self.child.pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] != "S":
                    return False
            time.sleep(0.01)
        return True


def what_is_left(secret, regions):
    """Where pieces of a secret are, and of which form."""
    return sorted({(form, name) for form, parts in
                   canary.pieces(secret).items() for part in parts
                   for name, data in regions if part in data})


# Memory.

@pytest.mark.parametrize("source, size", [
    *((source, 40) for source in SOURCES), ("file", 20), ("file", 24),
    ("file", 90), ("file", 255)])
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_memory(tmp_path, certs, mechanism, source, size):
    """After the login it is nowhere: not in what was freed, nor on the stack;
    neither is what was made of it."""
    with Held(tmp_path, certs, mechanism, source, size) as held:
        pid = held.start(BOB)
        regions = process.memory(pid)
        assert what_is_left(held.secret, regions) == []
        for name, key in keys_of_scram(held.peer.session.mechanism):
            assert what_is_left(key, regions) == [], name


def keys_of_scram(exchange):
    """With these, too, one can log in (RFC 5802 3, 9)."""
    if not hasattr(exchange, "salted"):
        return []
    return [("SaltedPassword", exchange.salted),
            ("ClientKey", exchange._mac(exchange.salted, b"Client Key"))]


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_memory_of_the_loud(tmp_path, certs, mechanism):
    """With all that there is to tell, up to the end of the message."""
    with Held(tmp_path, certs, mechanism, step="body") as held:
        pid = held.start("-v", "-X", "traffic", "--report=json", BOB,
                         stdin=BIG)
        assert what_is_left(held.secret, process.memory(pid)) == []


def test_memory_is_looked_at(tmp_path, certs):
    """The test would see it: a command's own memory has what it was told."""
    with Held(tmp_path, certs) as held:
        pid = held.start(BOB, "carol-" + held.secret + "@example.net")
        found = what_is_left(held.secret, process.memory(pid))
        assert ("itself", "[stack]") in [(form, name.split()[0])
                                         for form, name in found]


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_serve(tmp_path, certs, mechanism):
    """-bs may need it again: then it is asked for again, or it lies where no
    dump shows it."""
    with Held(tmp_path, certs, mechanism, "eval") as held:
        pid = held.start("-bs", stdin=b"EHLO c.example.org\r\nMAIL FROM:"
                         b"<alice@example.org>\r\nRCPT TO:<bob@example.net>"
                         b"\r\nDATA\r\n\r\nx\r\n.\r\nQUIT\r\n")
        assert what_is_left(held.secret, process.memory(pid)) == []


# What others see of the process.

SOURCE_FILES = ("hidden", ".postriderrc", ".netrc")


def seen_of(pid):
    """[(name, octets)]; nothing of one that has just ended."""
    seen = []
    with contextlib.suppress(OSError):
        seen.append(("words", process.words(pid)))
        seen += process.descriptors(pid).values()
        for path in process.mapped(pid):
            with contextlib.suppress(OSError), open(path, "rb") as file:
                seen.append((path, file.read()))
    return seen


def sees_nothing(held, pid):
    """Of it and its children, which are returned as well."""
    every = [pid, *process.children(pid)]
    for one in every:
        for name, data in seen_of(one):
            for secret in (held.secret, held.proxy):
                assert name.endswith(SOURCE_FILES) or \
                    canary.found(secret, data) == [], name
    return every


@pytest.mark.parametrize("source", SOURCES)
def test_proc(tmp_path, certs, source):
    """Arguments, environment, open files (the unlinked one of a large message
    as well), files that are mapped; all of the tunnel's too."""
    with Held(tmp_path, certs, source=source, step="body") as held:
        relay = held.rider.config(RELAY, "relay.py")
        held.settings["tunnel"] = \
            f"exec {sys.executable} {relay} {held.peer.port}"
        pid = held.start("-v", "-X", "traffic", BOB, stdin=BIG)
        names = [name for name, _ in process.descriptors(pid).values()]
        assert any("(deleted)" in name for name in names), names
        assert len(sees_nothing(held, pid)) == 2
        for path in held.rider.home.rglob("*"):
            if path.is_file() and path.name not in SOURCE_FILES:
                data = path.read_bytes()
                assert canary.found(held.secret, data) == [], path


def test_the_command_that_has_it(tmp_path, certs):
    """While passwordeval runs: what it and we are, and that it inherits no
    more than it must."""
    command = "cat ~/hidden; touch ~/here; while [ -e ~/here ]; " \
        "do sleep 0.05; done"
    with Held(tmp_path, certs, source="eval", passwordeval=command) as held:
        held._is_held = lambda times: (held.rider.home / "here").exists()
        pid = held.start("-v", BOB)
        seen = sees_nothing(held, pid)
        assert len(seen) >= 2
        assert set(process.descriptors(seen[1])) == {0, 1, 2}
        (held.rider.home / "here").unlink()
        del held._is_held
        held.wait()


# Core dumps.

def unlimited():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)


def cores(directory):
    return [path for path in directory.iterdir()
            if path.name.startswith("core")]


def names_cores_here():
    with open("/proc/sys/kernel/core_pattern") as file:
        return file.read()[0] not in "|/"


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV,
                                    signal.SIGQUIT])
@pytest.mark.parametrize("step", ["auth", "mail"])
def test_core_dump(tmp_path, certs, step, number):
    """There is none, also while the server has not yet answered the password;
    if there were one, the login over, it would have nothing in it."""
    with Held(tmp_path, certs, source="setting", step=step) as held:
        pid = held.start(BOB, preexec=unlimited)
        if step == "mail":
            assert what_is_left(held.secret, process.dumped(pid)) == []
        os.kill(pid, number)
        held.child.wait()
        assert has_sanitizers() or cores(held.rider.home) == []


def test_core_dumps_are_made(tmp_path):
    """By who does nothing against it, so the test above can fail."""
    if not names_cores_here():
        return
    subprocess.run(["sh", "-c", "kill -ABRT $$"], cwd=tmp_path,
                   preexec_fn=unlimited)
    assert cores(tmp_path)


# Syslog.

@contextlib.contextmanager
def private_syslog(directory):
    """A socket that is /dev/log for who runs below `command`."""
    dev = directory / "dev"
    dev.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(dev / "log"))
        listener.settimeout(0.5 * slowness())
        nodes = ["null", "zero", "urandom", "random", "full", "tty"]
        script = "".join(f"touch '{dev}/{n}'; mount --bind /dev/{n} "
                         f"'{dev}/{n}'; " for n in nodes) + \
            f"mount --rbind '{dev}' /dev; exec \"$@\""
        yield listener, ["unshare", "-m", "--propagation", "private", "sh",
                         "-ec", script, "sh"]


def heard(listener):
    said = []
    try:
        while True:
            said.append(listener.recv(1 << 16))
    except TimeoutError:
        return said


@pytest.mark.parametrize("lines, words, told", [
    ("", [], b"status=2.0.0"),
    ("password other", [], b"5.7.8"),
    ("tls_trust_file /etc/passwd", [], b"exitcode=7"),
    ("pasword {}", [], b"unknown command"),
    ("password={}", [], b"unknown command"),
    ("", ["--password={}"], b"password"), ("", ["-bs"], b"status=2.0.0"),
])
def test_syslog(tmp_path, certs, lines, words, told):
    """A delivery, a refused one, a configuration that is wrong: as sendmail,
    which tells syslog of what happens before there is an account."""
    with Held(tmp_path, certs, step="quit", syslog="on") as held, \
            private_syslog(tmp_path) as (listener, command):
        settings = {"port": held.peer.port, "tls": "on", **held.settings}
        held.rider.config("account default\n" + "".join(
            f"{k} {v}\n" for k, v in settings.items()) +
            lines.replace("{}", held.secret) + "\n")
        held.rider.config(
            MESSAGE if words != ["-bs"] else b"EHLO c.example.org\r\nMAIL "
            b"FROM:<alice@example.org>\r\nRCPT TO:<bob@example.net>\r\nDATA"
            b"\r\n\r\nx\r\n.\r\nQUIT\r\n", "message")
        with open(held.rider.home / "message", "rb") as message:
            subprocess.run(
                [*command, *wrapper(), held.rider.link("sendmail"),
                 *[word.replace("{}", held.secret) for word in words],
                 *([] if words == ["-bs"] else [BOB])],
                stdin=message, cwd=held.rider.home, capture_output=True,
                env=held.rider.environment(), timeout=20 * slowness())
        said = b"\n".join(heard(listener))
        assert told in said, said
        for secret in (held.secret, held.proxy):
            assert canary.found(secret, said) == [], said
