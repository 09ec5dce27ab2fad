"""-bs beside Postfix's own `sendmail -bs`, and with clients that speak SMTP."""

import contextlib
import os
import re
import shlex
import shutil
import smtplib
import socket
import subprocess
import sys
import threading
import time

import pytest

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "run"))

from dialogues import (BOB, CAROL, DIALOGUES, HEAD, SENDER,	# noqa: E402
                       Difference, compare, is_as)
from harness import SANITIZER_WORDS, binary, slowness, wrapper	# noqa: E402
from mailconfig import CORPUS_EXTENSIONS, corpus_service	# noqa: E402
from mailsystem import MailSystem			# noqa: E402
from serve import Serve					# noqa: E402

SERVICE = corpus_service(CORPUS_EXTENSIONS)	# all of them, no TLS, no AUTH
COMPARED = [d for d in DIALOGUES if not d.apart]
TEXT = b"\r\nthe body\r\n.\r\n..\r\nits last line\r\n"


class LocalMail(MailSystem):
    """With what Postfix's sendmail needs: somebody who picks up what postdrop
    leaves, and the libraries' place for postdrop."""

    def _configure(self):
        super()._configure()
        for name, text in (
                ("main.cf", "export_environment = TZ MAIL_CONFIG LANG=C "
                 "LD_LIBRARY_PATH=%s\n" % self.libraries),
                ("master.cf", "pickup unix n - n 60 1 pickup\n")):
            with open(os.path.join(self.etc, name), "a") as f:
                f.write(text)

    @property
    def environment(self):
        """For those of its programs that tests call themselves."""
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "LD_LIBRARY_PATH": self.libraries, "MAIL_CONFIG": self.etc}

    def program(self, name):
        return os.path.join(self.root, "usr", name)


@pytest.fixture(scope="module")
def mail():
    """Instead of the one that all other tests share."""
    system = LocalMail()
    system.start()
    yield system
    system.stop()


# The same dialogues with both.

def with_postfix(client):
    mail = client.mail
    return Serve([mail.program("sbin/sendmail"), "-bs"], mail.environment, "/")


def account(client, server=SERVICE, **changes):
    return client.account(server, **{
        "tls": "off", "tls_starttls": None, "tls_trust_file": None,
        "auth": "off", "user": None, "password": None, "from_": SENDER,
        **changes})


def with_postrider(client):
    return Serve.rider(client, "-C", account(client), "-bs")


def is_of_class(reply, code, _):
    """Another server may have another number, of the same class."""
    return str(code)[0] in {one[0] for one in reply.split()[0].split("|")}


# The mailboxes whose names are not their addresses'.
BOXES = {'"with space"@example.org': "space",
         '"dots..inside"@example.org': "dots"}


class Post:
    """The mailboxes of a dialogue: fresh ones for Bob and Carol."""

    def __init__(self, mail, dialogue):
        self.mail, self.dialogue = mail, dialogue
        self.fresh = {who: mail.new_mailbox() for who in (BOB, CAROL)}
        self.before = {box: len(mail.delivered(box))
                       for box in self.expected()}

    def box(self, address):
        return self.fresh.get(address) or BOXES.get(
            address, address.partition("@")[0])

    def addressed(self, sent):
        for who, box in self.fresh.items():
            sent = sent.replace(who.encode(), box.encode() + b"@example.org")
        return sent

    def expected(self):
        """{mailbox: what must arrive there}"""
        found = {box: [] for box in self.fresh.values()}
        for arrival in self.dialogue.arrives:
            for address in arrival.to:
                found.setdefault(self.box(address), []).append(arrival)
        return found

    def check(self):
        for box, arrivals in self.expected().items():
            before = self.before[box]
            stored = self.mail.wait_for(box, before + len(arrivals))[before:]
            is_all(stored, [(one.sender, one.content) for one in arrivals])


    def nothing_more(self):
        """For when Postfix has delivered everything."""
        for who, box in self.fresh.items():
            assert len(self.mail.delivered(box)) == sum(
                who in one.to for one in self.dialogue.arrives), self.dialogue


def is_all(stored, wanted):
    """What a mailbox has, in any order: [(sender, content in CRLF)]."""
    left = list(wanted)
    for text in stored:
        sender = re.match(rb"Return-Path: <(.*)>\n", text)[1].decode()
        found = [one for one in left if one[0] == sender and
                 not difference(text.replace(b"\n", b"\r\n"), one[1])]
        assert found, text.decode("utf-8", "replace")
        left.remove(found[0])
    assert left == []


def difference(content, sent):
    try:
        compare(content, sent)
    except Difference as difference:
        return difference
    return None


@pytest.fixture(scope="module")
def posts(mail):
    """Those of dialogues that went well; at the end nothing more has come."""
    posts = []
    yield posts
    mail.settle()
    for post in posts:
        post.nothing_more()


@pytest.mark.parametrize("talk_to, is_right", [
    (with_postfix, is_of_class), (with_postrider, is_as)],
    ids=["postfix", "postrider"])
@pytest.mark.parametrize("dialogue", COMPARED, ids=repr)
def test_dialogues(client, mail, posts, dialogue, talk_to, is_right):
    """Postfix says what is asked of postrider; then the messages are there."""
    post, replies = Post(mail, dialogue), []
    with talk_to(client) as talk:
        assert talk.reply().code == 220
        for turn in dialogue.turns:
            talk.send(post.addressed(turn.sent))
            for pattern in turn.replies:
                reply = talk.reply()
                replies.append(reply.code)
                assert is_right(pattern, reply.code, reply.status), \
                    f"{pattern} was wanted\n{talk.transcript()}"
        ended = talk.end()
    assert (ended.code, ended.rest, ended.err) == (0, b"", "")
    assert replies[-1] == 221 and any(code < 300 for code in replies)
    post.check()
    posts.append(post)


def test_enough_is_compared():
    """Dialogues that do more than say hello and good-bye."""
    assert sum(bool(d.arrives) for d in COMPARED) >= 60


# Programs that speak SMTP, through a socket that is its input and output.

class Listener:
    """Runs a command for every connection, as inetd does: on a free port, or
    on a unix socket."""

    def __init__(self, command, env, directory, path=None):
        self.command, self.env = command, env
        self.children, self.stopping, self.said = [], False, b""
        self.errors = open(directory / "errors", "w+b")
        if path:
            self.socket = socket.create_server(path, family=socket.AF_UNIX)
        else:
            self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = self.socket.getsockname()
        self.thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def port(self):
        return self.address[1]

    def __enter__(self):
        self.thread.start()
        return self

    def _serve(self):
        while True:
            connection, _ = self.socket.accept()
            if self.stopping:
                return
            self.children.append(subprocess.Popen(
                self.command, stdin=connection, stdout=connection,
                stderr=self.errors, env=self.env, cwd="/"))
            connection.close()

    def __exit__(self, *_):
        self.stopping = True
        with socket.socket(self.socket.family) as last:
            last.connect(self.address)
        self.thread.join()
        self.socket.close()
        for child in self.children:
            try:
                child.wait(20 * slowness())
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self.errors.seek(0)
        self.said = self.errors.read()
        self.errors.close()

    def went_well(self):
        """Every child has ended with 0 and said nothing."""
        return self.said == b"" and {c.returncode for c in self.children} == {0}


def serving(client, **changes):
    return wrapper() + [binary(), "-C", str(account(client, **changes)), "-bs"]


@pytest.fixture
def listener(client, tmp_path):
    with Listener(serving(client), client.environment(),
                  tmp_path) as listener:
        client.log_start = client.mail.log_size()
        yield listener
    assert listener.went_well(), listener.said


def connections(client):
    """How many Postfix has had since the listener began."""
    end = client.mail.log_size()
    with open(client.mail.log, "rb") as f:
        f.seek(client.log_start)
        return f.read(end - client.log_start).count(b" connect from ")


def run(command, env, stdin=b""):
    done = subprocess.run(command, env=env, input=stdin, capture_output=True,
                          timeout=60 * slowness())
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
    return done.stdout


@pytest.mark.parametrize("options", [(), ("-d",)], ids=["each", "kept"])
@pytest.mark.parametrize("sessions, messages, size", [
    (1, 1, 500), (4, 40, 500), (4, 40, 20000)])
def test_smtp_source(client, mail, box, listener, sessions, messages, size,
                     options):
    """With -d each of its sessions sends many messages, and so does ours."""
    run([mail.program("sbin/smtp-source"), "-s", str(sessions), "-m",
         str(messages), "-l", str(size), "-f", SENDER, "-t",
         box + "@example.org", *options, f"127.0.0.1:{listener.port}"],
        mail.environment)
    stored = mail.wait_for(box, messages, timeout=30)
    mail.settle()
    assert len(mail.delivered(box)) == messages
    ids = {re.search(rb"\nMessage-Id: (.*)", text)[1] for text in stored}
    assert len(ids) == messages
    for text in stored:
        body = text.partition(b"\n\n")[2]
        assert abs(len(body) + body.count(b"\n") - size) < 100
    assert connections(client) == (sessions if options else messages)


def swaks(client, box, *arguments, stdin=b""):
    """What it said; it ends with 0 only if each step went well."""
    return run(["perl", client.mail.program("bin/swaks"), "--from", SENDER,
                "--to", box + "@example.org", "--ehlo", "client.example.org",
                *arguments], client.mail.environment, stdin)


def message(number=1):
    return HEAD.replace(b"4711", b"4711.%d" % number) + TEXT


def is_there(mail, box, *messages, sender=SENDER):
    """Those have arrived in the mailbox, and nothing else."""
    is_all(mail.wait_for(box, len(messages)),
           [(sender, text) for text in messages])


@pytest.mark.parametrize("options", [(), ("--pipeline",)], ids=str)
def test_swaks(client, mail, box, listener, tmp_path, options):
    data = tmp_path / "data"
    data.write_bytes(message().replace(b"\r\n", b"\n")[:-1])
    swaks(client, box, "--server", "127.0.0.1", "--port", str(listener.port),
          "--data", f"@{data}", *options)
    is_there(mail, box, message())


def test_swaks_and_a_pipe(client, mail, box):
    said = swaks(client, box, "--body", "through a pipe", "--pipe",
                 "env -i " + shlex.join(
                     [*(f"{k}={v}" for k, v in client.environment().items()),
                      *serving(client)]))
    assert b"ESMTP postrider" in said
    assert b"through a pipe" in mail.wait_for(box)[0]


def test_swaks_is_refused(client, mail, box, listener):
    """It ends with 24 when no recipient was accepted, and says the reply."""
    done = subprocess.run(
        ["perl", mail.program("bin/swaks"), "--server", "127.0.0.1", "--port",
         str(listener.port), "--from", SENDER, "--to", "nobody"],
        env=mail.environment, capture_output=True, timeout=60 * slowness())
    assert done.returncode == 24, done.stdout.decode()
    assert b"5.1.3" in done.stdout
    assert connections(client) == 0


def test_smtplib(client, mail, box, listener):
    other = mail.new_mailbox()
    with smtplib.SMTP("127.0.0.1", listener.port,
                      timeout=60 * slowness()) as smtp:
        for number in range(3):
            assert smtp.sendmail(SENDER, [box + "@example.org"],
                                 message(number)) == {}
        assert {"pipelining", "size", "8bitmime", "binarymime", "chunking",
                "smtputf8", "dsn", "enhancedstatuscodes",
                "help"} == set(smtp.esmtp_features)
        eightbit = message(4) + "grüß\r\n".encode()
        refused = smtp.sendmail(
            SENDER, [box + "@example.org", "bob@", other + "@example.org"],
            eightbit, ["BODY=8BITMIME"], ["NOTIFY=NEVER"])
        assert list(refused) == ["bob@"] and refused["bob@"][0] in (501, 553)
        assert smtp.verify(box + "@example.org")[0] == 252
        assert smtp.noop()[0] == smtp.rset()[0] == 250
        assert smtp.help()
    is_there(mail, box, *map(message, range(3)), eightbit)
    is_there(mail, other, eightbit)
    assert connections(client) == 1


def test_smtplib_and_smtputf8(client, mail, listener):
    before = len(mail.delivered("jürgen"))
    with smtplib.SMTP("127.0.0.1", listener.port,
                      timeout=60 * slowness()) as smtp:
        smtp.ehlo("client.example.org")
        smtp.sendmail(SENDER, ["jürgen@example.org"], message(),
                      ["SMTPUTF8", "BODY=8BITMIME"])
    stored = mail.wait_for("jürgen", before + 1)[-1]
    assert not difference(stored.replace(b"\n", b"\r\n"), message())


def test_smtplib_hears_the_servers_refusal(client, mail, box, tmp_path):
    """Postfix knows no such mailbox; what it says comes through."""
    with Listener(serving(client), client.environment(),
                  tmp_path) as listener:
        with smtplib.SMTP("127.0.0.1", listener.port,
                          timeout=60 * slowness()) as smtp:
            with pytest.raises(smtplib.SMTPDataError) as error:
                smtp.sendmail(SENDER, [box + "@example.org",
                                       "unknown@example.org"], message())
            assert error.value.smtp_code == 550
            assert error.value.smtp_error.startswith(b"5.1.1 ")
            smtp.sendmail(SENDER, [box + "@example.org"], message(2))
    is_there(mail, box, message(2))
    assert all(word not in listener.said for word in SANITIZER_WORDS)


def test_smtplib_by_the_submission_service(client, mail, box, tmp_path):
    """Its client needs no TLS and no password; ours has both."""
    command = wrapper() + [binary(), "-C", str(client.account()), "-bs"]
    with Listener(command, client.environment(), tmp_path) as listener:
        client.log_start = mail.log_size()
        with smtplib.SMTP("127.0.0.1", listener.port,
                          timeout=60 * slowness()) as smtp:
            for number in range(2):
                smtp.sendmail("alice@example.org", [box + "@example.org"],
                              message(number))
    assert listener.went_well(), listener.said
    mail.wait_log(r"sasl_username=alice\b", client.log_start)
    is_there(mail, box, message(0), message(1), sender="alice@example.org")
    assert connections(client) == 1


# On a unix socket, by whom it may be.

@contextlib.contextmanager
def inetd(client, directory, path):
    with Listener(serving(client), client.environment(), directory, path) as it:
        yield
    assert it.went_well(), it.said


@contextlib.contextmanager
def systemd(client, directory, path):
    """As a unit with Accept=yes and StandardInput=socket would run it."""
    env, end = client.environment(), time.monotonic() + 20 * slowness()
    with open(directory / "log", "wb") as log:
        process = subprocess.Popen(
            ["systemd-socket-activate", "--inetd", "-a", "-l", path,
             *(f"-E{name}={value}" for name, value in env.items()),
             *serving(client)], stdout=log, stderr=log, env=env)
    try:
        while not os.path.exists(path):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait()


LISTENERS = [inetd]
if shutil.which("systemd-socket-activate"):
    LISTENERS.append(systemd)


@pytest.mark.parametrize("listen", LISTENERS, ids=lambda f: f.__name__)
def test_a_unix_socket(client, mail, box, tmp_path, listen):
    path = str(tmp_path / "socket")
    with listen(client, tmp_path, path):
        for text in ("one", "two"):
            swaks(client, box, "--socket", path, "--body", text)
    bodies = [text.partition(b"\n\n")[2].split()[0]
              for text in mail.wait_for(box, 2)]
    assert sorted(bodies) == [b"one", b"two"]
