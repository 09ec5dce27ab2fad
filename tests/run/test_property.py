"""Exit 0 means that everybody has it; else nobody does, or it is said.

Command lines, messages and servers are put together by chance, from parts of
which is known what they mean: who is to get the message, or that it can go to
nobody.  What the server took is compared with that.

    POSTRIDER_CASES=5000 pytest tests/run/test_property.py
    POSTRIDER_CASE=1234 pytest tests/run/test_property.py

A case is its number: the same number makes the same case.  The first line has
more of them, the second only the one that a failure named.
"""

import os
import random
import select
import subprocess
import time

import pytest

from conftest import MESSAGE
from faults import NORMAL, Drop, MidBody, Raw
from harness import SANITIZER_WORDS, binary, has_sanitizers, slowness, wrapper
from peer import Peer
from quick import Quick
from wire import Closed

SENDER = "alice@example.org"
UNCERTAIN = "may have been delivered"
SLICES = 8


def numbers(usual, part):
    """The cases of one of the slices."""
    if "POSTRIDER_CASE" in os.environ:
        return [int(os.environ["POSTRIDER_CASE"])] if part == 0 else []
    count = int(os.environ.get("POSTRIDER_CASES", usual))
    if has_sanitizers():
        count //= 4
    return range(part, count, SLICES)


class Lost:
    """The right thing is done, but nobody hears of it."""

    async def run(self, session, step, normal):
        await normal()
        session.wire.out.clear()
        session.wire.flight.clear()
        raise Closed


# What a word on the command line means: those who are to get the message.
# None: it is refused, and so is the whole.
RECIPIENTS = [
    *[(f"{name}@example.net", [f"{name}@example.net"])
      for name in ("bob", "carol", "dave", "erin", "frank", "user+tag", "o'x",
                   "a.b.c", "x" * 64)],
    ("root", ["root@example.org"]),
    ("bob@EXAMPLE.net", ["bob@EXAMPLE.net"]),
    ("<carol@example.net>", ["carol@example.net"]),
    ("Dave <dave@example.net>", ["dave@example.net"]),
    ('"a b"@example.net', ['"a b"@example.net']),
    ('"Bob, and others" <bob@example.net>', ["bob@example.net"]),
    ("bob@example.net, carol@example.net", ["bob@example.net",
                                            "carol@example.net"]),
    ("frank@[192.0.2.1]", ["frank@[192.0.2.1]"]),
]
BAD_RECIPIENTS = [
    "a b@example.net", "a@b@example.net", "bob@", "@example.net", "<bob",
    "bob@example..net", "x" * 65 + "@example.net", "bob@example.net> SIZE=1",
    "bob@exam\nple.net", "\x01@example.net", "bob,carol@exa mple.net"]
# Behind a comma in a field it would be another word.
BAD_MEMBERS = [word for word in BAD_RECIPIENTS
               if "\n" not in word and "," not in word]

GOOD = [
    "-i", "-oi", "-oem", "-odi", "-odb", "-v", "-B8BITMIME", "-B 7BIT", "-m",
    "-Nfailure", "-N never", "-Rfull", "-R hdrs", "-V id", "-Vid", "-G", "-U",
    "-f x@example.org", "-fx@example.org", "-r y@example.org", "-F Name", "-x",
    "-im", "-imfz@example.org", "-imF Name", "-d3", "-Ac", "-A m", "-n", "-c",
    "-h 3", "-h3", "-p smtp", "-Ltag", "-L tag", "-O Foo=bar", "-oQ/x", "-o7",
    "-O Timeout.mail=5m", "-O RequireTLS=false", "-bm", "-ibm", "-cGimUx",
    "-D /nonexistent/x", "-em", "-e p", "--report=json", "--report text",
    "--pipelining=off", "--chunking=off", "--reencode=auto", "--debug",
    "--set-msgid-header=off", "--dsn-notify=failure", "--syslog=off",
    "--domain me.example", "--from=w@example.org", "--verbose",
]
PARTIAL = ["--partial", "--partial=on"]
FROM_HEADER = ["-t", "-ti", "-it", "-tim", "-tB8BITMIME", "-iodi -t",
               "--read-recipients", "-tfx@example.org", "-t -t"]
BAD = [
    "-Z", "-iZ", "-tZ", "-1", "--frob", "--frob=1", "-B 9BIT", "-B9BIT", "-ba",
    "-N sometimes", "-R half", "-bz", "-odz", "-odq", "-odd", "-q30x",
    "-qR", "-Qwhy", "-bd", "-bD", "-bd -q", "-bD -qRx", "-A x", "-q!",
    "--all-users",
    "-f a@b@c", "-f @", "--tls=perhaps", "--port=x", "--report=xml",
    "--password=x", "-C /nonexistent/file", "-X /nonexistent/file", "-a none",
    "-O Timeout.mail=x", "-O Timeout.none=1s", "-O DeliverBy=x", "-M x",
    "-O RequireTLS=true", "--help=x", "---", "-tim@", "--from=a@b@c",
    "--timeout=-1",
]
# These are no mistakes if another of the kind comes behind them.
OUTDONE = ["-f a@b@c", "-f @", "--from=a@b@c", "-odq", "-odd"]
# The only ways to an exit code of 0 with no message handed over.
SILENT = [
    "--help", "--version", "-d0.1", "--list-options", "--list-settings",
    "--check", "-bC", "--probe", "--serverinfo", "-S", "--dry-run",
    "--pretend", "-P", "-bh", "-bH", "-bp", "-bP", "-bi", "-I", "-bt", "-bv",
    "-bs", "-q", "-qf", "-qp", "-qQ", "--queue-run",
]
# With a word of what to choose.
SELECTING = ["-qI", "-qR", "-qS", "-qG"]
# They do what they do without a word.
WORDLESS = ["-bi", "-I", "-q", "-qf", "-qp", "-qQ", "--queue-run"]

BODIES = [
    b"hello\n", b"", b"no end of line", b"a\n.\nb\n.\n..\n", b".", b"\n\n\n",
    b"x" * 998 + b"\n", b"x" * 3000 + b"\n", b"caf\xc3\xa9\n", b"\x80\xff\n",
    b"a\0b\n", b"a\rb\r\n", b"a\r\nb\r\n", b"y" * 70000, b"a line\n" * 20000,
    b"MAIL FROM:<evil@example.net>\r\n.\r\nQUIT\r\n",
]
REPLIES = {
    "4": ["450 4.2.0 later", "451 4.3.0 later", "421 4.3.2 closing",
          "452 4.5.3 too many", "450-4.2.0 one\n450 4.2.0 two"],
    "5": ["550 5.1.1 no", "554 5.7.1 no", "552 5.3.4 too large", "500 what?",
          "530 5.7.0 who are you?", "550-5.1.1 one\n550 5.1.1 two"],
    "2": ["250 fine", "251 2.1.5 will forward", "250-a\n250 b", "250"],
    "odd": ["354 what?", "220 what?", "199 what?", "999 what?", "600 what?"],
}
CAPABILITIES = ["8BITMIME", "SIZE", "DSN", "SMTPUTF8", "CHUNKING",
                "BINARYMIME", "ENHANCEDSTATUSCODES"]


def make_fault(chance):
    """A step and what is wrong there."""
    step = chance.choice(["greeting", "ehlo", "mail", "rcpt", "rcpt:1",
                          "rcpt:2", "rcpt:3", "data", "body", "body",
                          "midbody", "rset", "quit"])
    kind = chance.choice(["4", "4", "5", "5", "2", "odd", "drop", "drop",
                          "lost", "raw"])
    if kind == "drop":
        fault = Drop(reset=chance.random() < 0.3)
        if chance.random() < 0.3 and step != "midbody":
            fault = [NORMAL, fault]
    elif kind == "lost":
        fault = Lost()
    elif kind == "raw":
        fault = Raw(chance.choice([b"nonsense\r\n", b"\0\xff\r\n", b"25\r\n",
                                   b"250-un\r\n350 equal\r\n"]))
    else:
        fault = chance.choice(REPLIES[kind])
    if step == "midbody":
        # Who refuses it there and then takes it cannot be believed.
        first = [fault] if kind in ("4", "5") else []
        fault = MidBody(chance.choice([1, 100, 60000]), [*first, Drop()])
    return step, fault


class Upstream:
    """The server, and what chance makes of it for the next run."""

    def __init__(self, directory):
        self.peer = Peer(tls="none", unix=str(directory / "socket"))
        self.peer.__enter__()
        self.config = "account default\n" + "".join(
            f"{k} {v}\n" for k, v in {
                "host": "localhost", "socket": self.peer.unix, "tls": "off",
                "auth": "off", "timeout": 20, "from": SENDER,
                "allow_from_override": "on", "domain": "client.example.org",
                "maildomain": "example.org"}.items())

    def prepare(self, chance):
        """Is it a server that takes everything?  Without chance it is."""
        self.clear()
        peer = self.peer
        peer.faults, peer.refuse = {}, {}
        if not chance:
            peer.capabilities_clear = ["PIPELINING"]
            return True
        peer.capabilities_clear = [c for c in CAPABILITIES
                                   if chance.random() < 0.5]
        if chance.random() < 0.8:
            peer.capabilities_clear.append("PIPELINING")
        if chance.random() < 0.5:
            peer.faults = dict(make_fault(chance)
                               for _ in range(chance.choice([1, 1, 1, 2])))
        told = any(step.startswith("rcpt") for step in peer.faults)
        for _ in range(0 if told else chance.choice([0, 0, 0, 1, 2])):
            address = chance.choice(RECIPIENTS)[1][0]
            peer.refuse[address] = chance.choice(REPLIES["4"] + REPLIES["5"])
        return not peer.faults and not peer.refuse

    def clear(self):
        self.peer.sessions.clear()
        self.peer.messages.clear()

    def delivered(self):
        """Everybody who has it, as often as he has it."""
        assert self.peer.settle(60), "the peer still waits"
        return [canonical(address) for message in self.peer.messages
                for address in message.delivered]

    def told(self):
        offers = " ".join(self.peer.capabilities_clear)
        return f"server: {offers}; {self.peer.faults} {self.peer.refuse}"


def canonical(address):
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    upstream = Upstream(tmp_path_factory.mktemp("upstream"))
    yield upstream
    upstream.peer.__exit__()


@pytest.fixture(scope="module")
def quick(tmp_path_factory, upstream):
    quick = Quick(tmp_path_factory.mktemp("quick"), upstream.config)
    yield quick
    quick.close()


class Case:
    """One invocation.  `to`: who is to get the message, None: nobody can.
    `silent`: it is none that hands over a message."""

    def __init__(self, number):
        chance = self.chance = random.Random(number)
        self.number = number
        self.silent = chance.random() < 0.08
        self.partial = chance.random() < 0.3
        self.from_header = chance.random() < 0.5
        self.to, words = [], []
        parts = chance.sample(GOOD, chance.choice([0, 1, 1, 2, 3, 5]))
        if self.partial:
            parts.append(chance.choice(PARTIAL))
        if self.from_header:
            parts.append(chance.choice(FROM_HEADER))
        is_bad = chance.random() < 0.12
        if is_bad:
            parts.append(chance.choice(BAD))
        chance.shuffle(parts)
        parts.sort(key=lambda part: part in OUTDONE)
        if self.silent:
            parts.append(chance.choice(SILENT))
        for part in parts:
            words += part.split(" ")
        if chance.random() < 0.2:
            words.append("--")
        for _ in range(chance.choice([0, 1, 1, 1, 2, 3])):
            words.append(self.add(RECIPIENTS, BAD_RECIPIENTS))
        self.words = words
        self.message = self.make_message()
        if is_bad or (self.to is not None and not self.to):
            self.to = None

    def add(self, good, bad):
        """One more recipient: how it is written."""
        if self.chance.random() < 0.04:
            self.to = None
            return self.chance.choice(bad)
        word, meaning = self.chance.choice(good)
        if self.to is not None:
            self.to += meaning
        return word

    def make_message(self):
        chance, header = self.chance, []
        if chance.random() < 0.7:
            header.append(f"From: {SENDER}\n")
        saved = None if self.to is None else list(self.to)
        for field in chance.sample(["To", "Cc", "Bcc", "to", "CC"],
                                   chance.choice([0, 1, 1, 2, 3])):
            members = [self.add(RECIPIENTS, BAD_MEMBERS)
                       for _ in range(chance.choice([1, 1, 2, 3]))]
            comma = chance.choice([", ", ",\n ", ",", ",\n\t", " ,, "])
            header.append(f"{field}: {comma.join(members)}\n")
        if not self.from_header:
            self.to = saved
        if chance.random() < 0.7:
            header.append("Subject: hello\n")
        chance.shuffle(header)
        return "".join(header).encode() + b"\n" + chance.choice(BODIES)

    def __str__(self):
        return (f"POSTRIDER_CASE={self.number}\n{self.words}\n"
                f"{self.message[:600]!r}\nto: {self.to}, partial: "
                f"{self.partial}")


def judge(case, upstream, code, said, is_kind):
    """Raises AssertionError unless code and deliveries go together."""
    got = upstream.delivered()
    assert upstream.peer.violations == []
    assert len(set(got)) == len(got), f"twice: {got}"
    if case.silent:
        assert got == [] and not any("MAIL" in s.verbs
                                     for s in upstream.peer.sessions)
        return
    if case.to is None:
        assert code != 0, "0, and it cannot be sent"
        assert got == []
        return
    wanted = {canonical(address) for address in case.to}
    assert set(got) <= wanted, f"strangers: {set(got) - wanted}"
    if code == 0:
        assert set(got) == wanted, f"0, but not to {wanted - set(got)}"
        assert len(upstream.peer.messages) == 1
        assert UNCERTAIN not in said
    elif UNCERTAIN not in said:
        assert got == [] or case.partial, f"{code}, but to {got}"
        assert set(got) != wanted, f"{code}, but everybody has it"
    assert code == 0 or not is_kind, "all was well"


@pytest.mark.parametrize("part", range(SLICES))
def test_exit_codes_and_deliveries(quick, upstream, part):
    wrong, count = [], {True: 0, False: 0}
    for number in numbers(320, part):
        case = Case(number)
        is_kind = upstream.prepare(case.chance)
        code, said, _ = quick.run(case.words, case.message)
        count[code == 0] += 1
        try:
            judge(case, upstream, code, said, is_kind)
        except AssertionError as error:
            wrong.append(f"{error}\n{case}\n{upstream.told()}\n"
                         f"exit {code}: {said}")
    assert not wrong, f"{len(wrong)} of them:\n" + "\n\n".join(wrong)
    assert "POSTRIDER_CASE" in os.environ or min(count.values()) > 0, count


@pytest.mark.parametrize("words", [
    [], ["-t"], ["-i"], ["--"], ["-f", SENDER], ["-oem", "-oi"], ["-bm"],
    ["-v"], ["-odb"], ["--report=json"], ["--partial"], ["-d3"], [""], ["", ""],
    ["--", ""], ["-t", ""]], ids=str)
def test_nobody_to_send_to(quick, upstream, words):
    upstream.prepare(None)
    code, said, _ = quick.run(words, b"Subject: to nobody\n\nhello\n")
    assert code == 64 and len(said.splitlines()) == 1, said
    assert upstream.delivered() == []


@pytest.mark.parametrize("words", SILENT)
def test_what_may_exit_0_without_a_message(quick, upstream, words):
    """It does so, without a message or recipients, and sends nothing."""
    upstream.prepare(None)
    words = [words]
    if words[0] in ("-bv", "--dry-run", "--pretend", "-P"):
        words.append("bob@example.net")
    code, said, _ = quick.run(words, b"" if words == ["-bs"] else MESSAGE)
    assert code == 0, said
    assert said or words[0] in WORDLESS
    assert upstream.delivered() == []
    assert not any("MAIL" in s.verbs for s in upstream.peer.sessions)


@pytest.mark.parametrize("more", [[], ["bob@example.net"]], ids=str)
def test_nothing_else_exits_0_without_a_message(quick, upstream, more):
    """Of all the options that there are."""
    upstream.prepare(None)
    _, said, _ = quick.run(["--list-options"], b"")
    options = said.split()
    assert len(options) > 100 and set(SILENT) <= set(options) | {"-d0.1"}
    for option in options:
        upstream.clear()
        code, said, _ = quick.run([option, *more], MESSAGE)
        silent = SILENT + SELECTING if more else SILENT
        assert code or option in silent or upstream.delivered(), option


# The same by SMTP on standard input and output.

class Client:
    """What an MUA does with `-bs`: one command, one reply."""

    def __init__(self, command, env):
        self.child = subprocess.Popen(
            command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        self.end = time.monotonic() + 60 * slowness()
        self.buffer = b""
        self.log = []

    def reply(self):
        """The code of the next one; 0: there is none any more."""
        while True:
            line = self._line()
            if line[3:4] != b"-":
                return int(line[:3] or 0)

    def _line(self):
        out = self.child.stdout
        while b"\n" not in self.buffer:
            left = self.end - time.monotonic()
            assert left > 0 and select.select([out], [], [], left)[0], \
                "no answer"
            more = os.read(out.fileno(), 65536)
            if not more:
                return b""
            self.buffer += more
        line, _, self.buffer = self.buffer.partition(b"\n")
        self.log.append(line)
        return line

    def say(self, data):
        self.log.append(data[-60:])
        try:
            self.child.stdin.write(data)
            self.child.stdin.flush()
        except BrokenPipeError:
            pass

    def ask(self, line):
        self.say(line.encode() + b"\r\n")
        return self.reply()

    def finish(self):
        """Exit code, and what was said on standard error."""
        self.child.stdin.close()
        rest = self.child.stdout.read()
        said = self.child.stderr.read()
        code = self.child.wait(60 * slowness())
        self.child.stdout.close()
        self.child.stderr.close()
        for word in SANITIZER_WORDS:
            assert word not in said, said
        assert code >= 0, f"ended by signal {-code}: {said}"
        return code, rest.decode("latin-1") + said.decode("latin-1")


def converse(chance, client):
    """A conversation.  [(mark, accepted recipients, reply)] of all messages
    that were handed over to their end, and whether one was left half done."""
    handed = []
    if client.reply() != 220:
        return handed, False
    client.ask(chance.choice(["EHLO x", "HELO x", "EHLO [127.0.0.1]"]))
    for turn in range(chance.choice([0, 1, 1, 1, 2, 3])):
        mark = f"message {turn}"
        if client.ask(f"MAIL FROM:<{SENDER}>") != 250:
            continue
        accepted = []
        for _ in range(chance.choice([0, 1, 1, 2, 3])):
            words, [address, *_] = chance.choice(RECIPIENTS[:9])
            if chance.random() < 0.1:
                client.ask("RCPT TO:<a b@example.net>")
            elif client.ask(f"RCPT TO:<{words}>") == 250:
                accepted.append(canonical(address))
        way = chance.random()
        if way < 0.1:
            client.ask("RSET")
            continue
        if way < 0.2:
            return handed, True                 # gone without QUIT
        if client.ask("DATA") != 354:
            client.ask("RSET")
            continue
        body = chance.choice(BODIES[:3]).replace(b"\n", b"\r\n")
        client.say(f"From: {SENDER}\r\nSubject: {mark}\r\n\r\n".encode() + body)
        if way < 0.3:
            return handed, True                 # gone in its middle
        client.say(b"\r\n.\r\n")
        handed.append((mark, accepted, client.reply()))
    if chance.random() < 0.8:
        client.ask("QUIT")
    return handed, False


def judge_conversation(upstream, handed, is_open, code, said, is_kind):
    upstream.delivered()
    assert upstream.peer.violations == []
    got = {}
    for message in upstream.peer.messages:
        [mark] = [m for m, _, _ in handed
                  if f"Subject: {m}\r\n".encode() in message.content]
        assert mark not in got, f"{mark} came twice"
        got[mark] = sorted(map(canonical, message.delivered))
    for mark, accepted, reply in handed:
        if 200 <= reply < 300:
            assert got.get(mark) == sorted(set(accepted)), \
                f"250 for {accepted}, delivered to {got.get(mark)}"
        else:
            assert reply == 0 or 400 <= reply < 600, reply
            lost = any(isinstance(f, Lost)
                       for f in upstream.peer.faults.values())
            assert mark not in got or lost, f"{reply}, but it is delivered"
            assert not is_kind, f"{reply} from a kind server"
    if code == 0:
        assert not is_open, "0, with a transaction left open"
        assert all(200 <= reply < 300 for _, _, reply in handed), \
            "0, with a message refused"
    elif is_kind:
        assert is_open, f"{code}: {said}"


@pytest.mark.parametrize("part", range(SLICES))
def test_conversations(quick, upstream, part):
    wrong = []
    assert wrapper() + [binary()] == quick.command[:len(wrapper()) + 1]
    for number in numbers(80, part):
        chance = random.Random(-1 - number)
        is_kind = upstream.prepare(chance)
        words = chance.choice([["-bs"], ["-bs", "-odb", "-oem"], ["-bs", "-v"],
                               ["-bs", "-odb", "-oem", "-om"]])
        client = Client([*quick.command, *words], quick.env)
        try:
            handed, is_open = converse(chance, client)
        finally:
            code, said = client.finish()
        try:
            judge_conversation(upstream, handed, is_open, code, said, is_kind)
        except (AssertionError, ValueError) as error:
            wrong.append(f"POSTRIDER_CASE={number}: {error}\n{words}\n"
                         f"{client.log}\n{upstream.told()}\n"
                         f"exit {code}: {said}")
    assert not wrong, f"{len(wrong)} of them:\n" + "\n\n".join(wrong)
