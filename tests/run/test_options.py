"""Every option of sendmail(8), in every form, and what it does.

One table: the words, and what is to be seen of them: who gets the message,
with which parameters, what is printed, the exit code.  A row is run under each
of its names, against the server of its stage, in a home of that stage's own;
no row may leave a file there that it does not name.
"""

import contextlib
import os
import re
import shlex
import shutil
import signal
import stat
import string
import subprocess
import time
from dataclasses import dataclass, field

import pytest

from conftest import MESSAGE, PASSWORD
from faults import Silent
from harness import Postrider, slowness, wrapper
from peer import Peer

USAGE, DATAERR, UNAVAILABLE, CANTCREAT = 64, 65, 69, 73
TEMPFAIL, NOPERM, CONFIG = 75, 77, 78
BOB, CAROL = "bob@example.net", "carol@example.net"
ALICE = "alice@example.org"
OURS, SENDMAIL = ("postrider",), ("sendmail",)
BOTH = OURS + SENDMAIL
LIST_NAMES = ("mailq", "newaliases")

ADDRESSED = b"""To: Bob <bob@example.net>
Cc: carol@example.net
Bcc: dave@example.net
Subject: to three

hello
"""
RESENT = b"Resent-To: carol@example.net\n" + MESSAGE
NOBODY = b"From: alice@example.org\nSubject: to nobody\n\nhello\n"
DOTTED = b"Subject: x\n\nabove\n.\nbelow\n"

# What is offered, and what the configuration says more.
OFFERS = "PIPELINING,SIZE,8BITMIME,DSN,SMTPUTF8,DELIVERBY"
STAGES = {
    "usual": {"capabilities": OFFERS},
    "bare": {"capabilities": "", "maildomain": None},
    "secure": {"tls": "implicit", "capabilities": OFFERS},
    "required": {"tls": "implicit", "capabilities": OFFERS + ",REQUIRETLS"},
    **{f"mute {step}": {"capabilities": OFFERS, "faults": {step: Silent()}}
       for step in ("greeting", "mail", "rcpt", "data", "body")},
    "aliases": {"aliases": "good.aliases"},
    "faulty": {"aliases": "bad.aliases"},
    "missing": {"aliases": "no.aliases"},
    "queued": {"capabilities": OFFERS, "queue": "on"},
}
FILES = {
    "good.aliases": "# comment\nfriend: carol@example.net\n"
                    "friends: friend,\n bob@example.net\n",
    "bad.aliases": "friend: carol@example.net\n\nrun: |/bin/true\n"
                   "file: /var/mail/file\n",
}


class Stage:
    """A server, and a home whose configuration names it.  There are a file
    `other` in it, a configuration with another sender, and a symbolic link
    `link` to a file that does not exist."""

    def __init__(self, directory, certs, tls="none", aliases=None,
                 maildomain="example.org", queue=None, **settings):
        self.peer = Peer(tls=tls, cert=certs.chain("good"),
                         key=certs.key("good"), **settings)
        self.peer.__enter__()
        self.rider = Postrider(directory)
        text = (f"account default\nhost 127.0.0.1\nport {self.peer.port}\n"
                f"tls {'off' if tls == 'none' else 'on'}\nauth off\n")
        if maildomain:
            text += f"maildomain {maildomain}\n"
        if tls != "none":
            text += f"tls_starttls off\ntls_trust_file {certs.ca}\n"
        if queue:
            text += f"queue {queue}\n"
        if aliases:
            text += f"aliases ~/{aliases}\n"
        self.rider.config(f"{text}from {ALICE}\n")
        self.rider.config(f"{text}from other@example.org\n", name="other")
        for name, content in FILES.items():
            self.rider.config(content, name=name)
        (self.rider.home / "link").symlink_to("elsewhere")
        self.files = self.listing()

    def listing(self):
        """What is there now, but for the tickets of TLS and the queue."""
        return set(os.listdir(self.rider.home)) - {".cache", ".local"}

    def queued(self):
        """The messages in the queue; it is empty then."""
        folder = self.rider.home / ".local/state/postrider/queue"
        if not folder.exists():
            return []
        found = [path.read_bytes() for path in folder.iterdir()
                 if "." not in path.name]
        shutil.rmtree(folder)
        return found

    def run(self, name, words, stdin):
        """The result, what arrived, the files that are new."""
        self.peer.sessions.clear()
        self.peer.messages.clear()
        result = self.rider.run(*words, stdin=stdin, name=name)
        assert self.peer.settle(10), "the peer still waits"
        new = self.listing() - self.files
        return result, list(self.peer.messages), new


@pytest.fixture(scope="module")
def stages(tmp_path_factory, certs):
    directory = tmp_path_factory.mktemp("options")
    stages = {name: Stage(directory / name, certs, **settings)
              for name, settings in STAGES.items()}
    yield stages
    for stage in stages.values():
        stage.peer.__exit__()


@dataclass
class Row:
    words: list
    names: tuple = BOTH
    stage: str = "usual"
    stdin: bytes = MESSAGE
    code: int = 0
    to: tuple = ()              # who gets it
    sender: str = ALICE
    mail: dict = field(default_factory=dict)    # patterns; SIZE is left out
    rcpt: dict = field(default_factory=dict)    # ORCPT is left out
    header: str = ""            # a pattern, found in what arrived
    ends: bytes = b"\r\n"       # what arrived ends so
    out: str = ""               # pattern of all of standard output
    err: str = ""
    connects: bool = False      # although nothing arrives
    leaves: tuple = ()          # files
    before: str = ""            # what is queued first
    queues: int = 0             # how many messages are queued in the end
    holds: str = ""             # and why they are held


def sends(words, *more, **expected):
    """To Bob, with nothing said."""
    more = more or (BOB,)
    expected.setdefault("to", more)
    return Row(shlex.split(words) + list(more), **expected)


def takes(words, stdin, *to, **expected):
    """To those whom the message names."""
    return Row(shlex.split(words), stdin=stdin, to=to, **expected)


def fails(words, code=USAGE, err=".+", **expected):
    """With one line, and nothing sent."""
    return Row(shlex.split(words), code=code, err=f"postrider: .*{err}.*\n",
               **expected)


def refuses(words, **expected):
    """As sendmail: what it could do is not for its callers."""
    return fails(f"{words} {BOB}", USAGE, "refused.*configur", names=SENDMAIL,
                 **expected)


def says(words, out="", **expected):
    """It is printed; nothing is sent, nobody is connected to."""
    return Row(shlex.split(words), out=out, **expected)


def queueless(words, **expected):
    return fails(words, CONFIG, "set queue on", **expected)


def queues(words, **expected):
    """It is in the queue, and nothing else happens."""
    return Row(shlex.split(words), stage="queued", queues=1, **expected)


def runs(words, **expected):
    """Bob's message is in the queue, and is sent."""
    expected.setdefault("before", "-odq")
    return Row(shlex.split(words), stage="queued", to=(BOB,), **expected)


def leaves(words, **expected):
    """It is not, since something else is meant."""
    expected.setdefault("before", "-odq")
    return Row(shlex.split(words), stage="queued", queues=1, **expected)


def each(function, *forms, **expected):
    return [function(form, **expected) for form in forms]


DIALOGUE = r"(?s).*--> MAIL FROM:<alice@example\.org>.*<-- 354 .*"
EMPTY = "Mail queue is empty\n"
VERSION = r"(?s)postrider \d+\.\d+.*GnuTLS.*"
SYSTEMS_ALIASES = r"(/etc/aliases: .*\n)?"

# What -o takes: each letter that sendmail has, but those of other rows.
PLAIN_LETTERS = "78aBbCcDEFfGghIjKkLlMmNnOopqRrsTtuVvwXxYyZz"
# AliasFile, HelpFile, ForwardPath, QueueDirectory, StatusFile,
# UserDatabaseSpec.
FILE_LETTERS = "AHJQSU"
FILE_OPTIONS = [
    "AliasFile", "CACertFile", "CACertPath", "CRLFile", "CRLPath",
    "ClientCertFile", "ClientKeyFile", "ControlSocketName", "DHParameters",
    "DeadLetterDrop", "DefaultAuthInfo", "ForwardPath", "HelpFile",
    "HostStatusDirectory", "HostsFile", "PidFile", "QueueDirectory",
    "RandFile", "SSLEnginePath", "SafeFileEnvironment", "ServerCertFile",
    "ServerKeyFile", "ServiceSwitchFile", "StatusFile", "UserDatabaseSpec",
]
PLAIN_OPTIONS = [
    "AllowBogusHELO=True", "AliasWait=10", "BlankSub=.", "CheckAliases=False",
    "ClassFactor=1800", "ConnectOnlyTo=127.0.0.1", "DaemonPortOptions=Port=25",
    "DeliveryMode=q", "DontBlameSendmail=Safe", "ErrorMode=mail",
    "HoldExpensive=True", "LogLevel=9", "MaxHopCount=25", "MeToo=True",
    "MinFreeBlocks=100", "PrivacyOptions=goaway", "QueueLA=8",
    "RunAsUser=mail", "SendMimeErrors=True", "SuperSafe=True",
    "TempFileMode=0600", "TrustedUser=smmsp", "Verbose=True",
    "NoSuchOptionAtAll=x", "MaxMessageSize=",
]
TIMEOUTS = [
    "connect", "iconnect", "aconnect", "initial", "helo", "lhlo", "auth",
    "starttls", "mail", "rcpt", "datainit", "datablock", "datafinal", "rset",
    "quit", "misc", "command", "ident", "fileopen", "control", "hoststatus",
    "resolver.retrans", "resolver.retrans.first", "resolver.retrans.normal",
    "resolver.retry", "resolver.retry.first", "resolver.retry.normal",
    "queuereturn", "queuereturn.normal", "queuereturn.urgent",
    "queuereturn.non-urgent", "queuereturn.dsn", "queuewarn",
    "queuewarn.normal", "queuewarn.urgent", "queuewarn.non-urgent",
    "queuewarn.dsn",
]
LETTERS = "ABCDFGILNOQRUVXbcdefhimnopqrtvx" + "aPS"    # the last are ours
UNKNOWN_LETTERS = [letter for letter in string.ascii_letters + string.digits
                   + "!@=.,:_?%^+/~" if letter not in LETTERS]
UNKNOWN_MODES = [letter for letter in string.ascii_letters + string.digits
                 if letter not in "CDHPdhimpstv"]

TABLE = [
    # -A: which of sendmail's two configurations.
    *each(sends, "-Ac", "-Am", "-A c", "-A m", "-iAc"),
    *each(fails, "-Ax", "-A x", "-Acm", "-A ''", "-A"),

    # -a: the account; ours.
    *each(sends, "-a default", "-adefault"),
    *each(fails, f"-a none {BOB}", f"-anone {BOB}", code=CONFIG, err="none"),
    fails("-a"),

    # -B: what the body is.
    *each(sends, "-B7BIT", "-B 7BIT", "-B7bit", "-iB7BIT",
          mail={"BODY": "7BIT"}),
    *each(sends, "-B8BITMIME", "-B 8BITMIME", "-B8bitmime", "-iB8BITMIME",
          mail={"BODY": "8BITMIME"}),
    *each(sends, "-BBINARYMIME", "-B BINARYMIME"),
    *each(sends, "-B8BITMIME", "-B7BIT", stage="bare"),
    *each(fails, "-B9BIT", "-B 8BIT", "-B ''", "-B", "-B8BITMIME,", "-iB"),

    # -b: what to do.
    *each(sends, "-bm", "-b m", "-ibm", "-bm -bm"),
    *each(fails, *(f"-b{letter} {BOB}" for letter in UNKNOWN_MODES),
          names=SENDMAIL),
    *each(fails, "-b", "-ib", "-b ''", "-b-", "-bmm", "-bpx", "-bsx", "-bvx",
          "-bix", "-btx", "-bCx", "-bdx", "-bhx"),
    *each(says, "-bC", "-b C", out=r"(?s).*0 errors.*"),
    *each(says, "-bh", "-b h", "-bH", "-b H", "-bh -v", "-bH -v",
          out="no host status is kept\n"),
    *each(says, "-bp", "-b p", "-bp -v", "-v -bp", "-Ac -bp", "-ibp",
          out=EMPTY),
    says("", EMPTY, names=("mailq",)),
    *each(says, "-v", "-Ac", "-Am", "-bp", out=EMPTY, names=("mailq",)),
    *each(says, "-bP", "-b P", out="0\n", names=BOTH + ("mailq",)),
    *each(fails, "-bd", "-b d", "-bD", "-b D", "-bd -v", "-bD -L x"),
    *each(fails, "-bd -q", "-bD -q", "-qf -bd", "-bd -qRx", f"-bd -q9m {BOB}"),
    *each(takes, "-bs", "-b s", "-bs -odb -oem", "-bs -odb -oem -om",
          "-bs -v", "-ibs", stdin=b"EHLO x\r\nQUIT\r\n",
          out=r"220 [^\r\n]+\r\n(250-[^\r\n]*\r\n)*250 [^\r\n]*\r\n"
              r"221 [^\r\n]+\r\n", err=r"(?s).*", connects=True),
    *each(takes, "-bt", "-b t", stdin=b"Bob <bob@example.net>\n",
          out=r"(?s).*bob@example\.net.*\n"),
    takes("-bt", b"Bob <bob@example.net>, carol@example.net\na b@c\n"
          b"end@x.org\n",
          out=r"(?s).*bob@example\.net.*carol@example\.net.*end@x\.org.*\n",
          err=r"(.*\n)?"),
    takes("-bt", b""),
    *each(says, f"-bv {BOB}", f"-b v {BOB}", f"-bv -- {BOB}", f"-ibv {BOB}",
          out=r"bob@example\.net: .*bob@example\.net.*default.*"
              r"127\.0\.0\.1:\d+.*\n"),
    says(f"-bv {BOB} {CAROL}", r"(?s)bob@example\.net: .*\n"
         r"carol@example\.net: .*\n"),
    says("-bv root", r"root: .*root@example\.org.*\n"),
    says("-bv friend", r"friend: .*carol@example\.net.*\n", stage="aliases"),
    says("-bv friends", r"(?s)friends: .*carol@example\.net.*bob@example\.net"
         r".*\n", stage="aliases"),
    says("-n -bv friend", r"friend: .*friend@example\.org.*\n",
         stage="aliases"),
    says("-bv 'a b@example.net'", "", code=DATAERR, err=r"postrider: .+\n"),
    says(f"-bv 'a b@example.net' {BOB}", r"bob@example\.net: .*\n",
         code=DATAERR, err=r"postrider: .+\n"),
    says("-bv run", "", code=CONFIG, err=r".*bad\.aliases:3: .+\n",
         stage="faulty"),
    fails("-bv"),

    # -bi, -I, newaliases: the alias file is looked through.
    *each(says, "-bi", "-b i", "-I", "-vI", "-I -v", "-bi -v",
          out=r".*good\.aliases: 2 aliases\n", stage="aliases",
          names=BOTH + ("newaliases",)),
    says("", r".*good\.aliases: 2 aliases\n", stage="aliases",
         names=("newaliases",)),
    *[says(words, r".*bad\.aliases: 3 aliases\n", names=names, stage="faulty",
           code=CONFIG, err=r".*bad\.aliases:3: .+\n.*bad\.aliases:4: .+\n")
      for words, names in (("-bi", BOTH), ("-I", BOTH), ("", ("newaliases",)))],
    *each(fails, "-bi", "-I", code=CONFIG, err=r"no\.aliases", stage="missing"),
    fails("", CONFIG, r"no\.aliases", stage="missing", names=("newaliases",)),
    *each(says, "-bi", "-I", out=SYSTEMS_ALIASES),
    says("", SYSTEMS_ALIASES, names=("newaliases",)),
    refuses("-bi -oA/etc/passwd"),
    fails("-oA/etc/passwd", names=("newaliases",), err="refused.*configur"),

    # -C: another configuration, under our own name only.
    *each(sends, "-C other", "-Cother", "-iC other", "-iCother", names=OURS,
          sender="other@example.org"),
    fails(f"-C missing {BOB}", CONFIG, "missing", names=OURS),
    *each(refuses, "-C other", "-Cother", "-iCother", "-C /etc/passwd"),
    fails("-C", names=BOTH),
    *each(fails, "-C other", "-Cother", names=LIST_NAMES, err="refused"),

    # -D: where debugging output goes.
    *each(sends, "-D trace", "-Dtrace", "-iD trace", "-D trace -d8.99",
          names=OURS),
    *each(refuses, "-D trace", "-Dtrace", "-iDtrace"),
    fails("-D"),

    # -d: debugging.
    *each(sends, "-d", "-d0", "-d3", "-d8.99", "-d0-99.1", "-d21.2,22.7",
          "-dANSI", "-id3", "-d0.10"),
    *each(says, "-d0.1", "-id0.1", "-d0.1 -bt", f"-d0.1 -bv {BOB}",
          out=VERSION),

    # -e: where errors go.
    *each(sends, "-em", "-ep", "-eq", "-ew", "-ee", "-e m", "-e p", "-iem"),
    fails("-e"),

    # -F: the full name.
    *each(sends, "-FCron", "-F Cron", "-iFCron", "-iF Cron", stdin=DOTTED,
          header=r'From: "?Cron"? <alice@example\.org>\r\n'),
    sends("-F 'A. Person'", stdin=DOTTED,
          header=r'From: "A\. Person" <alice@example\.org>\r\n'),
    sends("-F 'J\u00f6rg'", stdin=DOTTED,
          header=r"(?i)From: =\?utf-8\?.*\?= <alice@example\.org>\r\n"),
    sends("-F ''", stdin=DOTTED,
          header=r"From: (<alice@example\.org>|alice@example\.org)\r\n"),
    sends("-F Other", header=r"From: alice@example\.org\r\n"),
    fails("-F"),

    # -f and -r: the reverse-path.
    *each(sends, "-f a@b.example", "-fa@b.example", "-r a@b.example",
          "-ra@b.example", "-if a@b.example", "-ifa@b.example",
          "-f '<a@b.example>'", "-f x@y.example -r a@b.example",
          "-imfa@b.example", "-imf a@b.example", sender="a@b.example"),
    *each(sends, "-f ''", "-f '<>'", "-f'<>'", "-r ''", "-r '<>'", "-if ''",
          sender=""),
    *each(sends, "-f root", "-froot", "-r root", sender="root@example.org"),
    *each(fails, f"-f 'a b@c.example' {BOB}", f"-f a@b@c.example {BOB}",
          f"-r 'a@b.example>' {BOB}", f"-fa@ {BOB}", code=DATAERR),
    *each(fails, "-f", "-r", "-if", "-ir"),

    # -h: a hop count.
    *each(sends, "-h3", "-h 3", "-ih3", "-h 0", "-h -1"),
    fails("-h"),

    # -i and -oi: a dot is not the end; from a file it never is.
    *each(sends, "-i", "-oi", "-o i", "-oiTrue", "-ii", "-i -i", "-oi -oi",
          "-n", stdin=DOTTED, ends=b"\r\n\r\nabove\r\n.\r\nbelow\r\n"),

    # -L: the name in the system's log.
    *each(sends, "-Ltag", "-L tag", "-iLtag", "-L ''", "-L 'a%sb%n'"),
    fails("-L"),

    # -N: notifications.
    *each(sends, "-Nnever", "-N never", "-N NEVER", "-iNnever",
          rcpt={"NOTIFY": "NEVER"}),
    *each(sends, "-Nfailure", "-N failure", "-N Failure",
          rcpt={"NOTIFY": "FAILURE"}),
    *each(sends, "-Nsuccess,failure,delay", "-N delay,success,failure",
          rcpt={"NOTIFY": "SUCCESS,FAILURE,DELAY|DELAY,SUCCESS,FAILURE"}),
    sends("-N failure,delay", BOB, CAROL, rcpt={"NOTIFY": "FAILURE,DELAY"}),
    *each(sends, "-N failure", "-N never -R hdrs -V id", stage="bare"),
    *each(fails, "-Nsometimes", "-N never,failure", "-N ''", "-N ,", "-N",
          "-N failure,"),

    # -R and -V: what comes back, and under which name.
    *each(sends, "-Rfull", "-R full", "-iRfull", mail={"RET": "FULL"}),
    *each(sends, "-Rhdrs", "-R hdrs", "-R HDRS", mail={"RET": "HDRS"}),
    *each(fails, "-Rhalf", "-R ''", "-R", "-R full,hdrs"),
    *each(sends, "-Vid", "-V id", "-iVid", mail={"ENVID": "id"}),
    sends("-V 'a b+c=d'", mail={"ENVID": r"a\+20b\+2Bc\+3Dd"}),
    sends("-V " + "x" * 100, mail={"ENVID": "x{100}"}),
    fails(f"-V {'x' * 101} {BOB}"),
    fails("-V"),

    # Without arguments, without effect.
    *each(sends, "-c", "-G", "-m", "-U", "-x", "-cGimUx", "-imn", "-mi",
          "-im -oi"),
    # -n: no aliases.
    *each(sends, "-n", "-in", "-ni"),
    *[Row([*words, "friend"], to=to, stage="aliases")
      for words, to in ([[], (CAROL,)], [["-n"], ("friend@example.org",)],
                        [["-in"], ("friend@example.org",)],
                        [["-n", "-t"], ("friend@example.org", BOB)])],
    Row(["friends"], to=(CAROL, BOB), stage="aliases"),
    Row(["Friend", CAROL], to=(CAROL,), stage="aliases"),

    # -p: the protocol by which it came.
    *each(sends, "-psmtp", "-p smtp", "-p smtp:host", "-ipsmtp:here"),
    fails("-p"),

    # -M, -s, -T are sendmail's, but nobody passes them; all else is nobody's.
    *each(fails, *(f"-{shlex.quote(letter)} x {BOB}"
                   for letter in UNKNOWN_LETTERS), names=SENDMAIL),
    *each(fails, f"-iZ {BOB}", f"-tZ {BOB}", f"-MA=b {BOB}", f"-T3d {BOB}"),
    *each(fails, f"'-\x01' {BOB}", f"'-\u00e9' {BOB}", f"'- ' {BOB}",
          f"'-\n' {BOB}"),

    # -O: sendmail's options by name. Those that mean something here:
    *each(sends, "-O DeliverBy='120;R'", "-ODeliverBy='120;R'",
          "-O deliverby='120;r'", mail={"BY": "(?i)120;R"}),
    sends("-O DeliverBy='120;N'", mail={"BY": "120;N"}),
    sends("-O DeliverBy='120;RT'", mail={"BY": "120;RT"}),
    sends("-O DeliverBy='120;NT'", mail={"BY": "120;NT"}),
    *each(sends, "-O DeliverBy='120;N'", "-O DeliverBy='120;NT'",
          stage="bare"),
    *each(fails, f"-O DeliverBy='120;R' {BOB}", f"-O DeliverBy='9;RT' {BOB}",
          code=UNAVAILABLE, err=r"5\.3\.3", stage="bare", connects=True),
    *each(fails, *(f"-O DeliverBy='{value}' {BOB}" for value in (
        "", "x", ";R", "120", "120;", "120;X", "120;RN", "120;RTT", "120;R;N",
        "120 R", "1h;R", "0;R", "-1;R", "1234567890;N", "120;R SIZE=1"))),
    *each(sends, "-O RequireTLS=true", "-ORequireTLS=True",
          "-O requiretls=true", stage="required", mail={"REQUIRETLS": ""}),
    *each(sends, "-O RequireTLS=false", "-O RequireTLS=False",
          stage="required"),
    sends("-O RequireTLS=false"),
    *each(fails, f"-O RequireTLS=true {BOB}", f"-ORequireTLS=true {BOB}",
          code=NOPERM, err=r"5\.7\.30", stage="secure", connects=True),
    fails(f"-O RequireTLS=true {BOB}", CONFIG, "TLS"),  # it has tls off
    *each(sends, "-O SMTPUTF8=true", "-OSMTPUTF8=True", "-O SMTPUTF8=false"),
    sends("-O SMTPUTF8=true", "j\u00f6rg@example.net", mail={"SMTPUTF8": ""}),
    *each(fails, "-O SMTPUTF8=false j\u00f6rg@example.net",
          "-OSMTPUTF8=False j\u00f6rg@example.net",
          f"-O SMTPUTF8=false -f j\u00f6rg@example.net {BOB}",
          code=DATAERR, err=r"5\.6\.7", connects=True),
    *[sends(f"-O Timeout.{name}=5m", names=SENDMAIL) for name in TIMEOUTS],
    *each(sends, *(f"-O Timeout.mail={value}" for value in (
        "30s", "2h", "1d", "1w", "30", "30S", "1h30m")),
        "-OTimeout.mail=5m", "-O timeout.MAIL=5m",
        "-O Timeout.connect=30s -O Timeout.mail=1m"),
    *(fails(f"-O Timeout.{timeout}=1s {BOB}", TEMPFAIL, words,
            stage=f"mute {step}", connects=True)
      for timeout, step, words in (
          ("initial", "greeting", "greeting"), ("mail", "mail", "MAIL"),
          ("rcpt", "rcpt", "RCPT"), ("datainit", "data", "DATA"),
          ("datafinal", "body", "message"))),
    *each(fails, *(f"-O Timeout.mail={value} {BOB}" for value in (
        "", "x", "m", "1y", "-1", "1.5m", "5mm", "1s1", "m5"))),
    *each(fails, f"-O Timeout.mail {BOB}", f"-O Timeout.xyz=5m {BOB}",
          f"-O Timeout.=5m {BOB}", f"-O Timeout.mail.x=5m {BOB}"),
    # the rest, but not what names files
    *[sends(f"-O {option}", names=SENDMAIL) for option in PLAIN_OPTIONS],
    *[sends(f"-O{option}") for option in PLAIN_OPTIONS[:3]],
    *[sends(f"-O {option}=/x", names=OURS) for option in FILE_OPTIONS[::4]],
    *[refuses(f"-O {option}=/x") for option in FILE_OPTIONS],
    *each(refuses, "-OQueueDirectory=/x", "-iO QueueDirectory=/x",
          "-O queuedirectory=/x", "-O QUEUEDIRECTORY=/x",
          "-O 'QueueDirectory =/x'", "-O ' QueueDirectory=/x'"),
    *each(fails, "-O", f"-O '' {BOB}", f"-O =x {BOB}"),

    # -o: the same by letter.
    *[sends(f"-o{letter}", names=SENDMAIL) for letter in PLAIN_LETTERS],
    *[sends(f"-o{letter}9", names=OURS) for letter in PLAIN_LETTERS],
    *each(sends, "-o L9", "-o o", "-io7", "-oee", "-oem", "-oep", "-oeq",
          "-oew", "-oe", "-o e", "-oo -om -oi", "-oPpostmaster", "-oWx"),
    *[sends(f"-o{letter}/x", names=OURS) for letter in FILE_LETTERS],
    *[refuses(f"-o{letter}/x") for letter in FILE_LETTERS],
    *each(refuses, "-oA", "-o A/x", "-ioQ/x", "-oQ /x"),
    *each(fails, "-o", "-io", f"-o '' {BOB}"),
    *each(sends, "-odi", "-odb", "-o di", "-o db", "-iodi", "-odi -odb",
          "-odq -odi"),
    *each(sends, "-odi", "-odq -odi", stage="queued"),
    *each(queueless, f"-odq {BOB}", f"-odd {BOB}", f"-o dq {BOB}",
          f"-iodq {BOB}", f"-odd -i {BOB}", "-odq -t"),
    *each(fails, f"-od {BOB}", f"-odz {BOB}", f"-odx {BOB}", f"-odib {BOB}"),

    *each(queues, f"-odq {BOB}", f"-odd {BOB}", f"-o dq {BOB}",
          f"-iodq {BOB}", f"-odd -i {BOB}", f"-odi -odq {BOB}"),
    queues("-odq -t", stdin=ADDRESSED),
    *each(fails, "-odq", "-odq -t", stage="queued", stdin=NOBODY),

    # -q: the queue is run, once; every so often is a test of its own.
    *each(says, "-q", "-qf", "-qp", "-q -v", "-qRx", "-qR x"),
    *each(runs, "-q", "-qf", "-qp", "-Ac -q", "-qGdefault", "-qG default",
          "-qRbob", "-qR bob", "-qSalice", "-qS alice", "-q!Ix~", "-q!I x~",
          "-q!Rx~", "-q!R x~", "-q!Sx~", "-q!S x~", "-q!Q", "-q!Qx",
          "-qRbob -qSalice", "-qRbob -q!Sbob", "-qRx~ -qRbob",
          "-qR@example.net", f"-qR {BOB}", f"-qS{ALICE}", "-q!Gname"),
    *each(runs, "-q -v", "-v -q", "-vq", err=DIALOGUE),
    *each(leaves, "-qGname", "-qG name", "-qIx~", "-qI x~", "-qRx~", "-qR x~",
          "-qSx~", "-qS x~", "-qQ", "-qQx", "-q!Rbob", "-q!R bob",
          "-q!Salice", "-q!S alice", "-q!Gdefault", "-qRbob -qSbob",
          "-qRbob -q!Salice"),
    *each(fails, "-qz", "-q!", "-q!z", "-q30x", "-q-1", "-q1.5h", "-q=30m",
          "-q0", "-qf0", "-qfx", "-qR", "-qR ''", "-q!I", f"-q {BOB}",
          f"-qf {BOB}", f"-q15m {BOB}"),

    # -Q: held, so in a queue.
    *each(queueless, f"-Qwhy {BOB}", f"-Q why {BOB}",
          f"-iQwhy {BOB}", f"-Q 'a reason' {BOB}", "-Qwhy -t"),
    *each(queues, f"-Qwhy {BOB}", f"-Q why {BOB}", f"-iQwhy {BOB}",
          f"-odi -Qwhy {BOB}", holds="why"),
    queues(f"-Q 'a reason' {BOB}", holds="a reason"),
    queues("-Qwhy -t", stdin=ADDRESSED, holds="why"),
    *each(fails, f"-Q {BOB}", "-Q"),
    *each(leaves, "-q", "-q!Q", "-qQx~", before="-Qwhy", holds="why"),
    *each(runs, "-qQ", "-qQwhy", "-qQ -q!Rx~", before="-Qwhy"),

    # -t: who gets it is in the message.
    *each(takes, "-t", "-ti", "-it", "-t -oi -oem", "-i -t", "-titi",
          "-t -i", "-oem -t -oi", "-bm -t", "-tbm", "-t --",
          "-t -oi -oem -falice@example.org", stdin=ADDRESSED,
          header=r"(?s)\A(?!.*\n[Bb]cc:).*\nCc: carol"),
    takes("-t erin@example.net", ADDRESSED, "erin@example.net"),
    takes(f"-t {BOB}", ADDRESSED, BOB),
    takes("-t", RESENT, CAROL),
    takes(f"-t {CAROL}", NOBODY, CAROL),
    fails("-t", stdin=NOBODY),
    fails("", err="-t"),
    fails("-i", err="-t"),

    # -v: the dialogue.
    *each(sends, "-v", "-iv", "-vi", "-v -i", "-vv", "-iv -oem",
          err=DIALOGUE),

    # -X: the traffic, under our own name only.
    *each(sends, "-X trace", "-Xtrace", "-iX trace", "-iXtrace", names=OURS,
          leaves=("trace",)),
    *each(sends, "-X trace", "-Xtrace", "-iXtrace", "-X link", "-X /",
          names=SENDMAIL, err=r"postrider: warning: .*-X.*\n"),
    *each(fails, f"-X link {BOB}", f"-Xlink {BOB}", f"-X / {BOB}",
          f"-X /nonexistent/trace {BOB}", f"-X '' {BOB}", names=OURS,
          code=CANTCREAT),
    fails("-X"),

    # --: what follows is no option. And what is none ends them.
    *each(sends, "--", "-i --", "-oem -oi --", "-i -falice@example.org --"),
    sends("--", "-x@example.net"),
    sends("--", BOB, CAROL),
    *each(fails, "-- -t", f"-- -v {BOB}", "-- --", f"- {BOB}", "-",
          code=DATAERR, stage="bare"),
    *each(fails, f"{BOB} -v", f"{BOB} -C/x", f"{BOB} -f x@example.org",
          f"{BOB} --dry-run", f"{BOB} -t", f"{BOB} -- -t", err="recipient"),
    Row(["--", "-t"], to=("-t@example.org",)),
    fails("''"),
    sends("''", BOB),      # an empty member, as in "To: ,bob"

    # Ours stay ours.
    *each(refuses, "-S", "-P"),
    *each(fails, "--check", "--help", "--version", "--probe",
          "--dry-run", "--host=x", "--passwordeval=x", "--no-such-option",
          "--file=other", "--account=default", f"--from={ALICE}",
          names=SENDMAIL + LIST_NAMES, err="refused"),

    # What programs pass.
    *each(sends, "-FCronDaemon -i -B8BITMIME -oem", mail={"BODY": "8BITMIME"}),
    *each(sends, "-FAnacron -odi", "-i -oi -odb -oem", "-i"),
    sends("-oem -oi -f a@example.org -N failure,delay -R hdrs --",
          sender="a@example.org", mail={"RET": "HDRS"},
          rcpt={"NOTIFY": "FAILURE,DELAY"}),
]
# Of -t: the message names three.
THREE = (BOB, CAROL, "dave@example.net")
for row in TABLE:
    if row.stdin is ADDRESSED and not row.queues:
        row.to = THREE if not row.to or row.to == (BOB,) else row.to + THREE


CASES = [(row, name) for row in TABLE for name in row.names]


def title(case):
    row, name = case
    words = " ".join(row.words)[:70].encode("unicode_escape").decode()
    return f"{name} {words} ({row.stage})"


def differs(params, expected):
    """Parameters, but those that are of no matter here; values by pattern."""
    params = {key: value for key, value in params.items()
              if key not in ("SIZE", "ORCPT")}
    return set(params) != set(expected) or \
        not all(re.fullmatch(expected[key], value)
                for key, value in params.items())


@pytest.mark.parametrize("case", CASES, ids=title)
def test_option(stages, case):
    row, name = case
    stage = stages[row.stage]
    if row.before:
        assert stage.rider.run(row.before, BOB, stdin=MESSAGE).code == 0
    result, arrived, new = stage.run(name, row.words, row.stdin)
    for file in new:
        os.remove(stage.rider.home / file)
    queued = stage.queued()
    told = f"{row.words}: {result}"
    assert result.code == row.code, told
    assert re.fullmatch(row.out, result.stdout.decode("latin-1")), told
    assert re.fullmatch(row.err, result.err), told
    assert all(line.isprintable() for line in result.lines), told
    assert new == set(row.leaves), told
    assert stage.peer.violations == [], told
    assert len(queued) == row.queues, told
    for entry in queued:
        held = re.findall(rb"(?m)^held(?: (.*))?$", entry.split(b"\n\n")[0])
        assert held == [row.holds.encode()] * bool(row.holds), entry
    if not row.to:
        assert arrived == [], told
        assert row.connects or stage.peer.sessions == [], told
        return
    [message] = arrived
    assert sorted(message.delivered) == sorted(row.to), told
    assert message.sender.decode() == row.sender, told
    assert not differs(message.params, row.mail), message.params
    for recipient in message.recipients:
        assert not differs(recipient.params, row.rcpt), recipient.params
    assert re.search(row.header, message.content.decode("latin-1")), told
    assert message.content.endswith(row.ends), message.content


def test_rows_are_not_told_twice():
    seen = {(name, *row.words, row.stage, row.stdin, row.before)
            for row, name in CASES}
    assert len(seen) == len(CASES)


def test_every_letter_has_its_rows():
    """Those of sendmail 8.17's own list, and no others but ours."""
    sendmails = set("AbBCcDdeFfGhILimNnOopQqRrtUVvXx")
    assert sendmails | set("aPS") == set(LETTERS)
    used = {word[1] for row in TABLE if row.code == 0 for word in row.words
            if re.match("-[^-]", word)}
    assert used >= set(LETTERS) - set("PS")     # ours


# Every so often: in the background, or in the foreground.

BACKGROUND = ["-q1s", "-q30s", "-q15m", "-q2h", "-q1d", "-q1h30m", "-q30",
              "-qp30m", "-q15m -v", "-bd -q30m", "-q30m -bd", "-b d -q30m",
              "-bd -q15m -L sm", "-q15m -qRbob", "-q1s -q15m"]
FOREGROUND = ["-qf30m", "-qf1s", "-bD -q30m", "-q1h -bD", "-b D -q1h",
              "-bd -qf1h", "-qf15m -qRbob"]


class Processes:
    """Those of a stage's program: they are ended, and gone."""

    def __init__(self, stage):
        self.place = os.fsencode(stage.rider.home.parent / "bin") + b"/"

    def find(self):
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if any(word.startswith(self.place) for word in words[:-1]):
                found.append(int(pid))
        return found

    def __enter__(self):
        assert self.find() == []
        return self

    def end(self):
        found = self.find()
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not found

    def __exit__(self, *_):
        wait_until(self.end, "they do not end")


def wait_until(question, told):
    end = time.monotonic() + 20 * slowness()
    while not question():
        assert time.monotonic() < end, told
        time.sleep(0.02)


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("words", BACKGROUND + FOREGROUND)
def test_every_so_often(stages, words, name):
    """The first run is at once; then it waits for the next."""
    stage = stages["queued"]
    stage.peer.messages.clear()
    assert stage.rider.run("-odq", BOB, stdin=MESSAGE).code == 0
    with Processes(stage) as processes:
        if words in BACKGROUND:
            result = stage.rider.run(*shlex.split(words), name=name)
            assert result.code == 0 and not result.out, str(result)
        else:
            child = subprocess.Popen(
                [*wrapper(), stage.rider.link(name), *shlex.split(words)],
                env=stage.rider.environment(), stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: stage.peer.messages, words)
        assert stage.peer.settle(10), "the peer still waits"
        assert len(processes.find()) >= 1
        if words in FOREGROUND:
            assert child.poll() is None
            child.kill()
            child.wait()
            wait_until(lambda: processes.find() == [], words)
    [message] = stage.peer.messages
    assert message.delivered == [BOB]
    assert stage.queued() == []


def test_traffic_is_appended_and_private(stages):
    """Each submission adds its dialogue; who may read the file stays."""
    stage = stages["usual"]
    path = stage.rider.home / "twice"
    try:
        for times in (1, 2):
            result, [_], _ = stage.run("postrider", ["-X", "twice", BOB],
                                       MESSAGE)
            assert result.code == 0, str(result)
            text = path.read_text()
            assert text.count("MAIL FROM:<alice@example.org>") == times
            assert text.count("RCPT TO:<bob@example.net>") == times
            assert "354" in text and "QUIT" in text
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        path.unlink()


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "SCRAM-SHA-256"])
def test_traffic_hides_credentials(start, send, rider, mechanism):
    peer = start(tls="implicit", mechanisms=[mechanism])
    result = send(peer, "-X", "trace", BOB)
    assert result.code == 0, str(result)
    text = (rider.home / "trace").read_bytes()
    assert f"AUTH {mechanism}".encode() in text and b"MAIL FROM" in text
    assert PASSWORD.encode() not in text
    words = peer.session.plain.split(b"AUTH ")[1].split(b"MAIL")[0].split()
    assert not [word for word in words[1:] if word in text]
