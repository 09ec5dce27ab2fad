"""Our own certificate and key in a token: SoftHSM's, made by its own tools.
The server is the scripted one of tests/run, which wants a certificate."""

import fcntl
import os
import pty
import ssl
import stat
import subprocess
import sys
import termios
import threading

import pytest

RUN = os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "run")
sys.path.append(RUN)

from certs import Certificates			# noqa: E402
from harness import Postrider			# noqa: E402
from peer import Peer				# noqa: E402

PIN = "4711-pin"
SO_PIN = "12345678"
PASSWORD = "key p\u00e4ssword \"'$"
MESSAGE = b"From: alice@example.org\nSubject: hello\n\nhello\n"


def tool(*arguments, env=None):
    return subprocess.run([str(a) for a in arguments], check=True, env=env,
                          capture_output=True, text=True).stdout


class Token:
    def __init__(self, directory, certs):
        self.directory = directory
        config = directory / "softhsm2.conf"
        (directory / "tokens").mkdir()
        config.write_text(f"directories.tokendir = {directory}/tokens\n"
                          "objectstore.backend = file\nlog.level = ERROR\n")
        self.env = {"SOFTHSM2_CONF": str(config)}
        env = dict(os.environ, **self.env)
        tool("softhsm2-util", "--init-token", "--free", "--label", "rider",
             "--pin", PIN, "--so-pin", SO_PIN, env=env)
        tool("softhsm2-util", "--import", certs.key("client"), "--token",
             "rider", "--label", "own", "--id", "01", "--pin", PIN, env=env)
        tool("p11tool", "--batch", "--login", "--set-pin", PIN, "--write",
             "--load-certificate", certs.chain("client"), "--label", "own",
             "--id", "01", "--no-mark-private",
             "pkcs11:token=rider", env=env)

    def uri(self, kind, pin=None, name="own"):
        query = f"?pin-value={pin}" if pin else ""
        return f"pkcs11:token=rider;object={name};type={kind}{query}"


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certs"))


@pytest.fixture(scope="module")
def token(tmp_path_factory, certs):
    return Token(tmp_path_factory.mktemp("token"), certs)


@pytest.fixture
def peer(certs):
    def context():
        result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        result.load_cert_chain(certs.chain("good"), certs.key("good"))
        result.load_verify_locations(certs.ca)
        result.verify_mode = ssl.CERT_REQUIRED
        return result
    with Peer(make_context=context) as peer:
        yield peer


@pytest.fixture
def rider(tmp_path, token):
    rider = Postrider(tmp_path)
    rider.env.update(token.env)
    return rider


@pytest.fixture
def send(rider, peer, certs):
    def send(*arguments, preexec=None, **settings):
        values = {"host": "127.0.0.1", "port": peer.port, "timeout": 10,
                  "tls_trust_file": certs.ca, "from": "alice@example.org",
                  **settings}
        rider.config("account default\n" + "".join(
            f"{name} {value}\n" for name, value in values.items()))
        done = rider.run(*(arguments or ["bob@example.org"]), stdin=MESSAGE,
                         preexec=preexec)
        assert peer.settle(10)
        return done
    return send


def eval_of(tmp_path, secret, code=0):
    """A command that prints it and counts how often it was run."""
    script = tmp_path / "ask"
    (tmp_path / "secret").write_text(secret + "\n")
    script.write_text(f"#!/bin/sh\necho >>{tmp_path}/asked\n"
                      f"cat {tmp_path}/secret\nexit {code}\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


def asked(tmp_path):
    file = tmp_path / "asked"
    return len(file.read_text()) if file.exists() else 0


def was_alice(peer):
    assert len(peer.messages) == 1
    assert (("commonName", "alice"),) in peer.session.client_cert["subject"]


def refused(peer, done, code, *words):
    assert done.code == code, str(done)
    assert len(done.lines) == 1, str(done)
    for word in words:
        assert word in done.err, done.err
    assert PIN not in done.err and PASSWORD not in done.err
    assert not peer.sessions


def test_in_a_token(send, peer, token, tmp_path):
    done = send(tls_cert_file=token.uri("cert"),
                tls_key_file=token.uri("private"),
                tls_key_passwordeval=eval_of(tmp_path, PIN))
    assert done.code == 0 and not done.err, str(done)
    was_alice(peer)
    assert asked(tmp_path) == 1


def test_only_the_key_in_a_token(send, peer, token, certs, tmp_path):
    done = send(tls_cert_file=certs.chain("client"),
                tls_key_file=token.uri("private"),
                tls_key_passwordeval=eval_of(tmp_path, PIN))
    assert done.code == 0 and not done.err, str(done)
    was_alice(peer)


def test_one_uri_for_both(send, peer, tmp_path):
    done = send(tls_cert_file="pkcs11:token=rider;object=own",
                tls_key_passwordeval=eval_of(tmp_path, PIN))
    assert done.code == 0 and not done.err, str(done)
    was_alice(peer)


@pytest.mark.parametrize("pin", [PIN, PIN.replace("-", "%2D")])
def test_pin_in_the_uri(send, peer, token, tmp_path, pin):
    """Then nobody is asked."""
    done = send(tls_cert_file=token.uri("cert"),
                tls_key_file=token.uri("private", pin=pin),
                tls_key_passwordeval=eval_of(tmp_path, "wrong"))
    assert done.code == 0 and not done.err, str(done)
    was_alice(peer)
    assert asked(tmp_path) == 0


@pytest.mark.parametrize("pin", ["wrong", "4711", PIN + "x"])
def test_wrong_pin(send, peer, token, tmp_path, pin):
    done = send(tls_cert_file=token.uri("cert"),
                tls_key_file=token.uri("private"),
                tls_key_passwordeval=eval_of(tmp_path, pin))
    refused(peer, done, 77, "tls_key_file pkcs11:token=rider",
            "the PIN is wrong", "5.7.8")
    assert asked(tmp_path) == 1


def test_wrong_pin_in_the_uri(send, peer, token):
    """GnuTLS alone would say it until the token locks."""
    done = send(tls_cert_file=token.uri("cert"),
                tls_key_file=token.uri("private", pin="geheim"))
    refused(peer, done, 77, "the PIN is wrong")
    assert "geheim" not in done.err and "pin-value" not in done.err


@pytest.mark.parametrize("uri, words", [
    ("pkcs11:token=rider;object=none;type=private", "no token has that"),
    ("pkcs11:token=absent;object=own;type=private", "no token has that"),
    ("pkcs11:token=rider;object=own;type=private?pin-source=file:/x",
     "tls_key_passwordeval"),
    ("pkcs11:token=rider;object=own;type=private?pin-value=%", "pin-value"),
])
def test_key_that_is_not_there(send, peer, token, tmp_path, uri, words):
    done = send(tls_cert_file=token.uri("cert"), tls_key_file=uri,
                tls_key_passwordeval=eval_of(tmp_path, PIN))
    refused(peer, done, 78, words, "5.3.5")


def test_certificate_that_is_not_there(send, peer, token, tmp_path):
    done = send(tls_cert_file=token.uri("cert", name="none"),
                tls_key_file=token.uri("private"),
                tls_key_passwordeval=eval_of(tmp_path, PIN))
    refused(peer, done, 78, "tls_cert_file pkcs11:token=rider;object=none",
            "no token has that")


def test_nobody_to_be_asked(send, peer, token):
    done = send(tls_cert_file=token.uri("cert"),
                tls_key_file=token.uri("private"))
    refused(peer, done, 77, "the PIN of the token rider", "is needed",
            "tls_key_passwordeval")


@pytest.mark.parametrize("secret, code, words", [
    ("", 0, "the first line is empty"), (PIN, 3, "tls_key_passwordeval")])
def test_broken_command(send, peer, token, tmp_path, secret, code, words):
    done = send(tls_cert_file=token.uri("cert"),
                tls_key_file=token.uri("private"),
                tls_key_passwordeval=eval_of(tmp_path, secret, code))
    refused(peer, done, 78, words)


class Person:
    """At a terminal of the program's own; answers once."""

    def __init__(self, answer):
        self.ours, self.its = pty.openpty()
        self.seen = b""
        self.thread = threading.Thread(target=self._type, args=(answer,))
        self.thread.start()

    def sit_down(self):
        """In the child."""
        try:
            os.setsid()
        except PermissionError:
            pass
        fcntl.ioctl(self.its, termios.TIOCSCTTY, 0)

    def _type(self, answer):
        while not self.seen.endswith(b": "):
            self.seen += os.read(self.ours, 1000)
        os.write(self.ours, answer.encode() + b"\n")

    def leave(self):
        self.thread.join()
        os.close(self.ours)
        os.close(self.its)


@pytest.mark.parametrize("answer, code", [(PIN, 0), ("wrong", 77)])
def test_asked_at_the_terminal(send, peer, token, answer, code):
    person = Person(answer)
    done = send(tls_cert_file=token.uri("cert"),
                tls_key_file=token.uri("private"), preexec=person.sit_down)
    person.leave()
    assert person.seen == b"postrider: the PIN of the token rider: "
    assert done.code == code, str(done)
    if code == 0:
        was_alice(peer)
    else:
        refused(peer, done, 77, "the PIN is wrong")


# Keys in files.

FORMS = {
    "PKCS #8": ["pkcs8", "-topk8", "-v2", "aes-256-cbc"],
    "old PEM": ["ec", "-aes256"],
}


@pytest.fixture(params=FORMS)
def locked(certs, tmp_path, request):
    """The client's key, encrypted."""
    path = tmp_path / "locked.key"
    (tmp_path / "with").write_text(PASSWORD + "\n")
    tool("openssl", *FORMS[request.param], "-in", certs.key("client"), "-out",
         path, "-passout", f"file:{tmp_path}/with")
    assert "ENCRYPTED" in path.read_text()
    return path


def test_encrypted_key(send, peer, certs, locked, tmp_path):
    done = send(tls_cert_file=certs.chain("client"), tls_key_file=locked,
                tls_key_passwordeval=eval_of(tmp_path, PASSWORD))
    assert done.code == 0 and not done.err, str(done)
    was_alice(peer)
    assert asked(tmp_path) == 1


def test_wrong_password(send, peer, certs, locked, tmp_path):
    done = send(tls_cert_file=certs.chain("client"), tls_key_file=locked,
                tls_key_passwordeval=eval_of(tmp_path, "wrong"))
    refused(peer, done, 77, f"tls_key_file {locked}", "password is wrong")


def test_no_password(send, peer, certs, locked):
    done = send(tls_cert_file=certs.chain("client"), tls_key_file=locked)
    refused(peer, done, 77, f"the password of {locked}", "is needed")


def test_password_that_is_too_long(send, peer, certs, locked, tmp_path):
    done = send(tls_cert_file=certs.chain("client"), tls_key_file=locked,
                tls_key_passwordeval=eval_of(tmp_path, "x" * 256))
    refused(peer, done, 78, "longer than the 255 octets")


def test_key_without_password_asks_nobody(send, peer, certs, tmp_path):
    done = send(tls_cert_file=certs.chain("client"),
                tls_key_file=certs.key("client"),
                tls_key_passwordeval=eval_of(tmp_path, PASSWORD))
    assert done.code == 0, str(done)
    was_alice(peer)
    assert asked(tmp_path) == 0


def test_check_asks_nobody(send, token, certs, locked, tmp_path):
    """It looks at what is there without a password."""
    ask = eval_of(tmp_path, PASSWORD)
    for certificate, key in ((certs.chain("client"), locked),
                             (token.uri("cert"), token.uri("private"))):
        done = send("--check", tls_cert_file=certificate, tls_key_file=key,
                    tls_key_passwordeval=ask)
        assert done.code == 0, str(done)
    assert asked(tmp_path) == 0


def test_modules_are_only_loaded_for_a_uri(send, rider, token, certs,
                                           tmp_path):
    """Who has no key in a token does not pay for those who do."""
    for key, loads in ((certs.key("client"), False),
                       (token.uri("private", pin=PIN), True)):
        said = tmp_path / "linker" / str(loads)
        said.parent.mkdir(exist_ok=True)
        rider.env.update(LD_DEBUG="files", LD_DEBUG_OUTPUT=str(said))
        done = send(tls_cert_file=certs.chain("client"), tls_key_file=key)
        assert done.code == 0, str(done)
        words = [f.read_text() for f in said.parent.glob(f"{loads}.*")]
        assert any("libgnutls" in word for word in words)
        assert any("softhsm" in word for word in words) == loads
