"""Dialogues with an SMTP server on standard input and output.

DIALOGUES is a list of Dialogue: what a client says, turn by turn, which replies
it must get, and what arrives of it.  tests/run has them with `postrider -bs`
before a scripted peer, tests/real with Postfix's own `sendmail -bs` and with
`postrider -bs` before Postfix.  Where a dialogue says `apart`, the word tells
why Postfix does not serve as the measure for it.

A turn is what is sent at once and the replies to it.  Text is a line; octets
are sent as they are.  A reply is a code, or several with bars between them,
and may go on with an enhanced status code, or the beginning of one: "250",
"501|553 5.1.7", "250 2.".
"""

import re
from dataclasses import dataclass, field

from arrival import cut, fields

SENDER = "sender@example.org"
BOB, CAROL = "bob@example.org", "carol@example.org"
TRACE = (b"received", b"return-path", b"x-original-to", b"delivered-to")
ADDABLE = (b"from", b"date", b"message-id")


@dataclass(frozen=True)
class Turn:
    sent: bytes
    replies: tuple


@dataclass(frozen=True)
class Arrival:
    """A message that must arrive.  `content` is in CRLF, dots unstuffed, with
    nothing of what servers add; `mail` and `rcpt` are the parameters that must
    be passed on (of all recipients alike), but for SIZE and BODY; `body` is
    what BODY must say, None: anything."""

    content: bytes
    to: tuple = (BOB,)
    sender: str = SENDER
    mail: dict = field(default_factory=dict)
    rcpt: dict = field(default_factory=dict)
    body: str = None


@dataclass(frozen=True)
class Dialogue:
    name: str
    turns: tuple
    arrives: tuple = ()
    apart: str = None
    exit: int = 0       # of postrider
    settings: dict = field(default_factory=dict)

    def __repr__(self):
        return self.name

    @property
    def sent(self):
        return b"".join(turn.sent for turn in self.turns)

    @property
    def replies(self):
        return [reply for turn in self.turns for reply in turn.replies]


def is_as(reply, code, status):
    """Does a reply's code and enhanced status (or None) suit the pattern?"""
    codes, _, beginning = reply.partition(" ")
    return str(code) in codes.split("|") and \
        (status or "").startswith(beginning)


class Difference(Exception):
    """What arrived is not what was sent; the text says in what."""


def compare(content, sent):
    """CONTENT, in CRLF, must be SENT with nothing but fields added that servers
    add.  Returns the names of these, in order."""
    header, body = cut(content)
    wanted_header, wanted_body = cut(sent)
    wanted, added = fields(wanted_header), []
    may_be_added = TRACE + tuple(
        name for name in ADDABLE if name not in dict(wanted))
    for name, text in fields(header):
        if wanted and wanted[0] == (name, text):
            del wanted[0]
        elif name in may_be_added:
            added.append(name)
        else:
            raise Difference(f"a field: {text!r}")
    if wanted:
        raise Difference(f"missing: {wanted!r}")
    if body != wanted_body:
        raise Difference(f"the body: {body!r:.500} for {wanted_body!r:.500}")
    return added


DIALOGUES = []


def octets(sent):
    return sent if isinstance(sent, bytes) else sent.encode() + b"\r\n"


def add(name, *turns, arrives=(), **more):
    """A dialogue; it ends with QUIT."""
    turns += (QUIT,)
    DIALOGUES.append(Dialogue(
        name, tuple(Turn(octets(sent), replies) for sent, *replies in turns),
        (arrives,) if isinstance(arrives, Arrival) else tuple(arrives),
        **more))


# What dialogues are made of.

HEAD = b"From: sender@example.org\r\nTo: undisclosed-recipients:;\r\n" \
    b"Subject: of a dialogue\r\nDate: Sat, 1 Mar 2025 10:20:30 +0100\r\n" \
    b"Message-ID: <4711.dialogue@example.org>\r\n"
TEXT = HEAD + b"\r\nFirst line\r\nlast line\r\n"
OTHER = HEAD + b"\r\nanother message\r\n"
HELLO = ("EHLO client.example.org", "250")
MAIL = (f"MAIL FROM:<{SENDER}>", "250 2.")
RCPT = (f"RCPT TO:<{BOB}>", "250 2.")
SECOND = (f"RCPT TO:<{CAROL}>", "250 2.")
DATA = ("DATA", "354")
RSET = ("RSET", "250 2.")
QUIT = ("QUIT", "221 2.")
ENVELOPE = (MAIL, RCPT)
EARLY = "503 5.5.1"     # too early, or too late
MALFORMED = "501 5.5."
ODD_VALUE = "501 5.5.4"
BAD_SENDER, BAD_RECIPIENT = "501|553 5.1.7", "501|553 5.1.3"


def stuffed(content):
    """As it stands behind DATA."""
    return re.sub(rb"(?m)^\.", b"..", content) + b".\r\n"


def by_data(content=TEXT):
    return DATA, (stuffed(content), "250 2.")


def chunk(data, last=False, reply="250 2."):
    return b"BDAT %d%s\r\n" % (len(data), b" LAST" if last else b"") + data, \
        reply


def chunks(*parts):
    """The last of them is the LAST."""
    return tuple(chunk(part, number == len(parts))
                 for number, part in enumerate(parts, 1))


def flight(*turns):
    """All of them at once."""
    return (b"".join(octets(sent) for sent, *_ in turns),
            *(reply for _, *replies in turns for reply in replies))


def lf(*turns):
    """The same by a client whose lines end in a bare LF."""
    return tuple((octets(sent).replace(b"\r\n", b"\n"), *replies)
                 for sent, *replies in turns)


ARRIVES = Arrival(TEXT)
BOTH = (ARRIVES, Arrival(OTHER))
SPEECH = (HELLO, *ENVELOPE, *by_data())


# Ordinary ones.

add("plain/quit")
add("plain/data", *SPEECH, arrives=ARRIVES)
add("plain/helo", ("HELO client.example.org", "250"), *ENVELOPE, *by_data(),
    arrives=ARRIVES)
add("plain/no-hello", *ENVELOPE, *by_data(), arrives=ARRIVES)
add("plain/two-recipients", HELLO, *ENVELOPE, SECOND, *by_data(),
    arrives=Arrival(TEXT, to=(BOB, CAROL)))
add("plain/two-messages", *SPEECH, *ENVELOPE, *by_data(OTHER), arrives=BOTH)
add("plain/three-messages", *SPEECH, *ENVELOPE, *by_data(OTHER), MAIL, SECOND,
    *by_data(), arrives=(*BOTH, Arrival(TEXT, to=(CAROL,))))
add("plain/rset-between", *SPEECH, RSET, *ENVELOPE, *by_data(OTHER),
    arrives=BOTH)
add("plain/null-sender", HELLO, ("MAIL FROM:<>", "250 2."), RCPT, *by_data(),
    arrives=Arrival(TEXT, sender=""))
add("plain/noop-everywhere", ("NOOP", "250 2."), HELLO,
    ("NOOP with words", "250 2."), MAIL, ("NOOP", "250 2."), RCPT,
    ("NOOP", "250 2."), *by_data(), ("NOOP", "250 2."), arrives=ARRIVES)
add("plain/vrfy-everywhere", HELLO, (f"VRFY {BOB}", "252 2.0.0"), MAIL,
    (f"VRFY <{BOB}>", "252 2.0.0"), RCPT, (f"VRFY {CAROL}", "252 2.0.0"),
    *by_data(), arrives=ARRIVES)
add("plain/help", HELLO, ("HELP", "214 2.0.0"), ("HELP MAIL", "214 2."),
    *SPEECH, arrives=ARRIVES, apart="knows no HELP")
add("plain/hello-twice", HELLO, *SPEECH, arrives=ARRIVES)
add("plain/address-literal", ("EHLO [127.0.0.1]", "250"), *ENVELOPE,
    *by_data(), arrives=ARRIVES)
add("plain/ipv6-literal", ("EHLO [IPv6:2001:db8::1]", "250"), *ENVELOPE,
    *by_data(), arrives=ARRIVES)
add("plain/short-name", ("EHLO localhost", "250"), *ENVELOPE, *by_data(),
    arrives=ARRIVES)
add("plain/hello-again-after-a-message", *SPEECH, *SPEECH[:3],
    *by_data(OTHER), arrives=BOTH)

# How commands may be written.

add("form/lower-case", ("ehlo client.example.org", "250"),
    (f"mail from:<{SENDER}>", "250 2."), (f"rcpt to:<{BOB}>", "250 2."),
    ("data", "354"), by_data()[1], ("noop", "250 2."), ("rset", "250 2."),
    ("vrfy " + BOB, "252 2."), arrives=ARRIVES)
add("form/mixed-case", ("eHlO client.example.org", "250"),
    (f"Mail From:<{SENDER}>", "250 2."), (f"rCPT tO:<{BOB}>", "250 2."),
    ("Data", "354"), by_data()[1], arrives=ARRIVES)
add("form/blanks-at-the-end", ("EHLO client.example.org  ", "250"),
    (f"MAIL FROM:<{SENDER}>  ", "250 2."), (f"RCPT TO:<{BOB}> ", "250 2."),
    ("DATA ", "354"), by_data()[1], ("NOOP ", "250 2."), ("RSET  ", "250 2."),
    arrives=ARRIVES)
add("form/blank-behind-the-colon", HELLO,
    (f"MAIL FROM: <{SENDER}>", "250 2."), (f"RCPT TO:  <{BOB}>", "250 2."),
    *by_data(), arrives=ARRIVES)
add("form/no-brackets", HELLO, (f"MAIL FROM:{SENDER}", "250 2."),
    (f"RCPT TO:{BOB}", "250 2."), *by_data(), arrives=ARRIVES)
add("form/no-brackets-but-a-blank", HELLO, (f"MAIL FROM: {SENDER}", "250 2."),
    (f"RCPT TO: {BOB}", "250 2."), *by_data(), arrives=ARRIVES)
add("form/no-brackets-but-parameters", HELLO,
    (f"MAIL FROM:{SENDER} BODY=7BIT", "250 2."),
    (f"RCPT TO:{BOB} NOTIFY=NEVER", "250 2."), *by_data(),
    arrives=Arrival(TEXT, rcpt={"NOTIFY": "NEVER"}))
add("form/line-ends-of-lf", *lf(HELLO, *ENVELOPE), *by_data(), *lf(RSET),
    arrives=ARRIVES)
add("form/empty-lines", ("", "500 5.5.2"), HELLO, ("", "500 5.5.2"),
    ("  ", "500 5.5.2"), *SPEECH, ("", "500 5.5.2"), arrives=ARRIVES)
add("form/dashing-words", HELLO, ("MAIL", MALFORMED), ("RCPT", EARLY), MAIL,
    ("RCPT", MALFORMED), ("RCPT TO", MALFORMED), RCPT, *by_data(),
    arrives=ARRIVES)
add("form/the-other-word", HELLO, (f"MAIL TO:<{SENDER}>", MALFORMED), MAIL,
    (f"RCPT FROM:<{BOB}>", MALFORMED), RCPT, *by_data(), arrives=ARRIVES)
add("form/arguments-too-many", HELLO, ("RSET now", MALFORMED), *ENVELOPE,
    ("DATA here", MALFORMED), *by_data(), arrives=ARRIVES)
add("form/bare-cr-in-a-command", HELLO, MAIL,
    (f"RCPT TO:<{BOB}>\rRSET", "501|555 5."),
    (f"NOOP\rRCPT TO:<{CAROL}>", "250|500|501"), RCPT, *by_data(),
    arrives=ARRIVES)
add("form/control-characters", HELLO, MAIL,
    (b"RCPT TO:<bob\0@example.org>\r\n", "501|553 5."),
    (b"RCPT TO:<bob\x1b@example.org>\r\n", "501|553 5."),
    (b"\x01\x02\x03\r\n", "500 5.5.2"), (b"\0\r\n", "500 5.5.2"), RCPT,
    *by_data(), arrives=ARRIVES, apart="takes some of them")
add("form/8-bit-garbage", HELLO, (b"\xff\xfe\xfd\r\n", "500 5.5.2"), *ENVELOPE,
    (b"\xff NOOP\r\n", "500 5.5.2"), *by_data(), arrives=ARRIVES)
add("form/utf8-garbage", HELLO, ("äö x", "500 5.5.2"), *ENVELOPE, *by_data(),
    arrives=ARRIVES, apart="hangs up on it")

# Long lines.

add("long/noop", ("NOOP " + "x" * 4000, "250 2."), *SPEECH, arrives=ARRIVES)
add("long/command", HELLO, ("NOOP " + "x" * 4200, "500 5.5.2"), MAIL,
    (f"RCPT TO:<{'x' * 5000}@example.org>", "500 5.5.2"), RCPT,
    ("x" * 70000, "500 5.5.2"), *by_data(), arrives=ARRIVES,
    apart="has a limit of its own")
add("long/a-command-behind-4096-octets", HELLO,
    ("x" * 4096 + f"MAIL FROM:<{SENDER}>", "500 5.5.2"), (RCPT[0], EARLY),
    ("x" * 4095 + f"MAIL FROM:<{SENDER}>", "500 5.5.2"), (RCPT[0], EARLY),
    *ENVELOPE, *by_data(), arrives=ARRIVES)
add("long/blanks", HELLO, ("NOOP" + " " * 3000, "250 2."), *ENVELOPE,
    *by_data(), arrives=ARRIVES)
add("long/parameters", HELLO, (f"MAIL FROM:<{SENDER}> ENVID={'e' * 100}",
                               "250 2."),
    (f"RCPT TO:<{BOB}> ORCPT=rfc822;{'o' * 400}@example.org", "250 2."),
    *by_data(), arrives=Arrival(
        TEXT, mail={"ENVID": "e" * 100},
        rcpt={"ORCPT": f"rfc822;{'o' * 400}@example.org"}))

# Out of order.

add("order/rcpt-first", HELLO, (RCPT[0], EARLY), *ENVELOPE, *by_data(),
    arrives=ARRIVES)
add("order/data-first", HELLO, ("DATA", EARLY), *ENVELOPE, *by_data(),
    arrives=ARRIVES)
add("order/data-without-rcpt", HELLO, MAIL, ("DATA", "503|554 5.5.1"), RCPT,
    *by_data(), arrives=ARRIVES)
add("order/mail-in-mail", HELLO, MAIL,
    ("MAIL FROM:<other@example.org>", EARLY), RCPT,
    ("MAIL FROM:<>", EARLY), *by_data(), arrives=ARRIVES)
add("order/rset-forgets", HELLO, *ENVELOPE, RSET, (RCPT[0], EARLY),
    ("DATA", EARLY), MAIL, SECOND, *by_data(),
    arrives=Arrival(TEXT, to=(CAROL,)))
add("order/rset-forgets-recipients", HELLO, *ENVELOPE, RSET, MAIL,
    ("DATA", "503|554 5.5.1"), SECOND, *by_data(),
    arrives=Arrival(TEXT, to=(CAROL,)))
add("order/hello-forgets", HELLO, *ENVELOPE, HELLO, (RCPT[0], EARLY),
    ("DATA", EARLY), MAIL, SECOND, *by_data(),
    arrives=Arrival(TEXT, to=(CAROL,)))
add("order/helo-forgets", HELLO, *ENVELOPE, ("HELO client.example.org", "250"),
    ("DATA", EARLY), MAIL, SECOND, *by_data(),
    arrives=Arrival(TEXT, to=(CAROL,)))
add("order/a-bad-hello-forgets-nothing", HELLO, MAIL, ("EHLO", "501 5.5."),
    RCPT, ("HELO", "501 5.5."), *by_data(), arrives=ARRIVES)
add("order/rset-alone", RSET, HELLO, RSET, RSET, *ENVELOPE, *by_data(), RSET,
    arrives=ARRIVES)
add("order/data-twice", *SPEECH, ("DATA", EARLY), (RCPT[0], EARLY),
    *ENVELOPE, *by_data(OTHER), arrives=BOTH)
add("order/hello-without-a-name", ("EHLO", "501 5.5."), ("HELO", "501 5.5."),
    ("EHLO ", "501 5.5."), *SPEECH, arrives=ARRIVES)
add("order/quit-in-a-transaction", HELLO, *ENVELOPE)

# Verbs.

add("verb/unknown", ("FROB", "500 5.5.2"), HELLO, ("XCLIENT ADDR=1.2.3.4",
                                                   "500|501|503|550 5."),
    ("MAI FROM:<a@example.org>", "500 5.5.2"), *ENVELOPE,
    ("GETS", "500 5.5.2"), *by_data(), arrives=ARRIVES)
add("verb/longer", HELLO, ("NOOPS", "500 5.5.2"),
    (f"MAILX FROM:<{SENDER}>", "500 5.5.2"), ("QUITTER", "500 5.5.2"),
    ("X" * 300, "500 5.5.2"), *ENVELOPE, *by_data(), arrives=ARRIVES)
add("verb/not-offered", HELLO, *(
    (line, "502 5.5.1") for line in (
        "AUTH PLAIN AGEAYg==", "AUTH LOGIN", "STARTTLS", "ETRN example.org",
        "TURN", "SEND FROM:<a@example.org>", "SOML FROM:<a@example.org>",
        "SAML FROM:<a@example.org>", "auth plain", "starttls")),
    *ENVELOPE, ("STARTTLS", "502 5.5.1"), *by_data(), arrives=ARRIVES,
    apart="has ETRN")
add("verb/not-offered-by-both", HELLO, ("AUTH PLAIN AGEAYg==", "502|503 5.5.1"),
    ("STARTTLS", "502 5.5.1"), ("TURN", "500|502 5.5."), *ENVELOPE, *by_data(),
    arrives=ARRIVES)
add("verb/vrfy-of-nothing-sound", HELLO, ("VRFY", "501 5."),
    ("VRFY a@b@c", "501 5."), ("VRFY <bob", "501 5."), *ENVELOPE, *by_data(),
    arrives=ARRIVES, apart="takes much for an address")
add("verb/vrfy-without-address", HELLO, ("VRFY", "501 5."), *ENVELOPE,
    *by_data(), arrives=ARRIVES)
add("verb/vrfy-and-smtputf8", HELLO, (f"VRFY {BOB} SMTPUTF8", "252 2.0.0"),
    *ENVELOPE, *by_data(), arrives=ARRIVES)
add("verb/expn-of-no-alias", HELLO, ("EXPN nobody", "550 5.1.1"),
    *ENVELOPE, *by_data(), arrives=ARRIVES)
add("verb/twenty-wrong-ones", HELLO, *[("FROB", "500 5.5.2")] * 10, MAIL,
    *[("RCPT TO:<bo b@example.org>", BAD_RECIPIENT)] * 10, RCPT, *by_data(),
    arrives=ARRIVES)

# Parameters.

add("parameter/size", HELLO, (f"MAIL FROM:<{SENDER}> SIZE={len(TEXT)}",
                              "250 2."), RCPT, *by_data(), arrives=ARRIVES)
add("parameter/size-0", HELLO, (f"MAIL FROM:<{SENDER}> SIZE=0", "250 2."),
    RCPT, *by_data(), arrives=ARRIVES)
add("parameter/size-not-true", HELLO, (f"MAIL FROM:<{SENDER}> SIZE=7",
                                       "250 2."), RCPT, *by_data(),
    arrives=ARRIVES)
add("parameter/lower-case", HELLO,
    (f"MAIL FROM:<{SENDER}> size=100 body=8bitmime ret=hdrs envid=Qq",
     "250 2."),
    (f"RCPT TO:<{BOB}> notify=failure,delay orcpt=rfc822;x@example.org",
     "250 2."), *by_data(), arrives=Arrival(
         TEXT, mail={"RET": "HDRS", "ENVID": "Qq"},
         rcpt={"NOTIFY": "FAILURE,DELAY", "ORCPT": "rfc822;x@example.org"}))
for _word in ("7BIT", "8BITMIME"):
    add(f"parameter/body-{_word.lower()}", HELLO,
        (f"MAIL FROM:<{SENDER}> BODY={_word}", "250 2."), RCPT, *by_data(),
        arrives=ARRIVES)
add("parameter/8-bit", HELLO, (f"MAIL FROM:<{SENDER}> BODY=8BITMIME",
                               "250 2."), RCPT,
    *by_data(HEAD + "\r\nGrüße\r\n".encode() + b"\xa0\xff\r\n"),
    arrives=Arrival(HEAD + "\r\nGrüße\r\n".encode() + b"\xa0\xff\r\n",
                    body="8BITMIME"))
add("parameter/8-bit-not-declared", HELLO, *ENVELOPE,
    *by_data(HEAD + "\r\nGrüße\r\n".encode()),
    arrives=Arrival(HEAD + "\r\nGrüße\r\n".encode(), body="8BITMIME"))
for _word in ("FULL", "HDRS"):
    add(f"parameter/ret-{_word.lower()}", HELLO,
        (f"MAIL FROM:<{SENDER}> RET={_word}", "250 2."), RCPT, *by_data(),
        arrives=Arrival(TEXT, mail={"RET": _word}))
add("parameter/envid", HELLO, (f"MAIL FROM:<{SENDER}> ENVID=QQ+2B314/15",
                               "250 2."), RCPT, *by_data(),
    arrives=Arrival(TEXT, mail={"ENVID": "QQ+2B314/15"}))
for _word in ("NEVER", "SUCCESS", "FAILURE", "DELAY", "SUCCESS,FAILURE",
              "FAILURE,DELAY", "SUCCESS,FAILURE,DELAY"):
    # A null sender: nobody is told of the delivery to these mailboxes.
    add(f"parameter/notify-{_word.lower()}", HELLO, ("MAIL FROM:<>", "250 2."),
        (f"RCPT TO:<{BOB}> NOTIFY={_word}", "250 2."), *by_data(),
        arrives=Arrival(TEXT, sender="", rcpt={"NOTIFY": _word}))
add("parameter/orcpt", HELLO, MAIL,
    (f"RCPT TO:<{BOB}> ORCPT=rfc822;Bob+2BX@Example.ORG", "250 2."), *by_data(),
    arrives=Arrival(TEXT, rcpt={"ORCPT": "rfc822;Bob+2BX@Example.ORG"}))
add("parameter/orcpt-x400", HELLO, MAIL,
    (f"RCPT TO:<{BOB}> ORCPT=x400;+2FS+3Dbob", "250 2."), *by_data(),
    arrives=Arrival(TEXT, rcpt={"ORCPT": "x400;+2FS+3Dbob"}))
add("parameter/all", HELLO,
    (f"MAIL FROM:<{SENDER}> SIZE=400 BODY=8BITMIME RET=FULL ENVID=id SMTPUTF8",
     "250 2."), (f"RCPT TO:<{BOB}> ORCPT=rfc822;b@example.org NOTIFY=NEVER",
                 "250 2."), *by_data(), arrives=Arrival(
                     TEXT, rcpt={"NOTIFY": "NEVER",
                                 "ORCPT": "rfc822;b@example.org"},
                     mail={"RET": "FULL", "ENVID": "id"}))
add("parameter/blanks-between", HELLO,
    (f"MAIL FROM:<{SENDER}>   BODY=7BIT   SIZE=400 ", "250 2."), RCPT,
    *by_data(), arrives=ARRIVES)
add("parameter/none-of-the-message-before", HELLO,
    (f"MAIL FROM:<{SENDER}> RET=HDRS ENVID=one", "250 2."),
    (f"RCPT TO:<{BOB}> NOTIFY=NEVER", "250 2."), *by_data(), *ENVELOPE,
    *by_data(OTHER), arrives=(
        Arrival(TEXT, mail={"RET": "HDRS", "ENVID": "one"},
                rcpt={"NOTIFY": "NEVER"}), Arrival(OTHER)))
add("parameter/none-of-a-transaction-forgotten", HELLO,
    (f"MAIL FROM:<{SENDER}> RET=HDRS ENVID=one", "250 2."),
    (f"RCPT TO:<{BOB}> NOTIFY=NEVER", "250 2."), RSET, *ENVELOPE, *by_data(),
    arrives=ARRIVES)
add("parameter/unknown", HELLO, (f"MAIL FROM:<{SENDER}> FROB=1", "555 5.5.4"),
    (f"MAIL FROM:<{SENDER}> FROB", "555 5.5.4"), MAIL,
    (f"RCPT TO:<{BOB}> FROB=1", "555 5.5.4"), RCPT, *by_data(),
    arrives=ARRIVES)
add("parameter/of-the-other-command", HELLO,
    (f"MAIL FROM:<{SENDER}> NOTIFY=NEVER", "555 5.5.4"), MAIL,
    (f"RCPT TO:<{BOB}> BODY=7BIT", "555 5.5.4"), RCPT, *by_data(),
    arrives=ARRIVES)
add("parameter/not-offered", HELLO, *(
    (f"MAIL FROM:<{SENDER}> {word}", "555 5.5.4")
    for word in ("AUTH=<>", "REQUIRETLS", "BY=3600;R", "MT-PRIORITY=3",
                 "HOLDFOR=60")), *ENVELOPE, *by_data(), arrives=ARRIVES,
    apart="takes AUTH")
add("parameter/bad-size", HELLO, *(
    (f"MAIL FROM:<{SENDER}> SIZE={value}", ODD_VALUE)
    for value in ("x", "-1", "1x", "")), *ENVELOPE, *by_data(),
    arrives=ARRIVES)
add("parameter/enormous-size", HELLO, *(
    (f"MAIL FROM:<{SENDER}> SIZE={value}", "501|552 5.")
    for value in ("99999999999999999999", "9" * 500)), *ENVELOPE, *by_data(),
    arrives=ARRIVES)
add("parameter/bad-body", HELLO, *(
    (f"MAIL FROM:<{SENDER}> BODY={value}", ODD_VALUE)
    for value in ("9BIT", "8BIT", "")), *ENVELOPE, *by_data(), arrives=ARRIVES)
add("parameter/bad-dsn", HELLO, *(
    (f"MAIL FROM:<{SENDER}> {word}", ODD_VALUE)
    for word in ("RET=SOME", "RET=", "ENVID=", "ENVID=a+zz", "ENVID=a+")), MAIL,
    *((f"RCPT TO:<{BOB}> {word}", ODD_VALUE)
      for word in ("NOTIFY=", "NOTIFY=ALWAYS", "NOTIFY=NEVER,SUCCESS",
                   "ORCPT=bob", "ORCPT=")), RCPT, *by_data(), arrives=ARRIVES)
add("parameter/long-envid", HELLO,
    (f"MAIL FROM:<{SENDER}> ENVID={'e' * 101}", ODD_VALUE), *ENVELOPE,
    *by_data(), arrives=ARRIVES, apart="takes it")
add("parameter/smtputf8-with-a-value", HELLO,
    (f"MAIL FROM:<{SENDER}> SMTPUTF8=yes", "501|555 5.5.4"), *ENVELOPE,
    *by_data(), arrives=ARRIVES)
add("parameter/twice", HELLO, *(
    (f"MAIL FROM:<{SENDER}> {word} {word}", ODD_VALUE)
    for word in ("RET=FULL", "ENVID=x")), MAIL,
    *((f"RCPT TO:<{BOB}> {word} {word}", ODD_VALUE)
      for word in ("NOTIFY=NEVER", "ORCPT=rfc822;x@example.org")), RCPT,
    *by_data(), arrives=ARRIVES, apart="takes the last")
add("parameter/notify-of-each", HELLO, MAIL,
    (f"RCPT TO:<{BOB}> NOTIFY=NEVER", "250 2."),
    (f"RCPT TO:<{CAROL}> NOTIFY=NEVER", "250 2."), *by_data(),
    arrives=Arrival(TEXT, to=(BOB, CAROL), rcpt={"NOTIFY": "NEVER"}))

# Addresses.

for _name, _address in {
        "tag": "user+tag@example.org", "apostrophe": "o'brien@example.org",
        "quoted-blank": '"with space"@example.org',
        "quoted-dots": '"dots..inside"@example.org',
}.items():
    add(f"address/{_name}", HELLO, MAIL, (f"RCPT TO:<{_address}>", "250 2."),
        *by_data(), arrives=Arrival(TEXT, to=(_address,)))
add("address/quoted-bracket", HELLO, MAIL,
    ('RCPT TO:<"b> \\"x\\""@example.org>', "250 2."), *by_data(),
    arrives=Arrival(TEXT, to=('"b> \\"x\\""@example.org',)),
    apart="has no such mailbox")
add("address/literal", HELLO, MAIL, ("RCPT TO:<bob@[192.0.2.1]>", "250 2."),
    ("RCPT TO:<bob@[IPv6:2001:db8::1]>", "250 2."), *by_data(),
    arrives=Arrival(TEXT, to=("bob@[192.0.2.1]", "bob@[IPv6:2001:db8::1]")),
    apart="sends nothing off this machine")
add("address/route", HELLO, (f"MAIL FROM:<@a.example:{SENDER}>", "250 2."),
    (f"RCPT TO:<@a.example,@b.example:{BOB}>", "250 2."), *by_data(),
    arrives=ARRIVES)
add("address/utf8", HELLO, (f"MAIL FROM:<{SENDER}> SMTPUTF8", "250 2."),
    ("RCPT TO:<jürgen@example.org>", "250 2."), *by_data(),
    arrives=Arrival(TEXT, to=("jürgen@example.org",), mail={"SMTPUTF8": ""}))
add("address/utf8-sender", HELLO,
    ("MAIL FROM:<jürgen@example.org> SMTPUTF8 BODY=8BITMIME", "250 2."), RCPT,
    *by_data(), arrives=Arrival(TEXT, sender="jürgen@example.org",
                                mail={"SMTPUTF8": ""}))
add("address/utf8-header", HELLO,
    (f"MAIL FROM:<{SENDER}> SMTPUTF8 BODY=8BITMIME", "250 2."), RCPT,
    *by_data(HEAD + "X-Greeting: grüß\r\n\r\ntext\r\n".encode()),
    # no address needs it, and with it not every server would take the message
    arrives=Arrival(HEAD + b"X-Greeting: =?utf-8?B?Z3LDvMOf?=\r\n\r\ntext\r\n"),
    apart="leaves it to the next server")
# Those that Postfix takes for addresses, too.
LENIENT = ("no-local-part", "no-domain", "two-at", "dots", "leading-dot",
           "other-bracket", "long-local-part", "long-domain", "long-label",
           "open-literal", "tab")
for _name, _bad in {
        "no-local-part": "<@example.org>", "no-domain": "<bob@>",
        "two-at": "<bob@here@example.org>", "blank": "<bo b@example.org>",
        "utf8": "<jür gen@example.org>", "dots": "<bob@example..org>",
        "leading-dot": "<.bob@example.org>",
        "other-bracket": "bob@example.org>",
        "two": "<bob@example.org,carol@example.org>",
        "long-local-part": f"<{'b' * 65}@example.org>",
        "long-domain": f"<bob@{'.'.join(['d' * 60] * 5)}.org>",
        "long-label": f"<bob@{'d' * 64}.org>",
        "open-literal": "<bob@[192.0.2.1>", "tab": "<bob\t@example.org>",
}.items():
    add(f"bad-address/{_name}", HELLO, (f"MAIL FROM:{_bad}", BAD_SENDER), MAIL,
        (f"RCPT TO:{_bad}", BAD_RECIPIENT), RCPT, *by_data(), arrives=ARRIVES,
        apart="is lenient" if _name in LENIENT else None)
for _name, _bad in {"bracket": "<bob@example.org",
                    "open-quote": '<"bob@example.org>',
                    "name": "Bob <bob@example.org>"}.items():
    add(f"bad-address/{_name}", HELLO, (f"MAIL FROM:{_bad}", "501|553|555 5."),
        MAIL, (f"RCPT TO:{_bad}", "501|553|555 5."), RCPT, *by_data(),
        arrives=ARRIVES)
add("bad-address/empty", HELLO, ("MAIL FROM:", "501|553 5."), MAIL,
    ("RCPT TO:", "501|553 5."), ("RCPT TO:<>", BAD_RECIPIENT), RCPT,
    *by_data(), arrives=ARRIVES)
add("bad-address/something-behind", HELLO,
    (f"MAIL FROM:<{SENDER}>x", "501|553|555 5."), MAIL,
    (f"RCPT TO:<{BOB}> <{CAROL}>", "501|553|555 5."),
    (f"RCPT TO:<{BOB}>,<{CAROL}>", "501|553|555 5."), RCPT, *by_data(),
    arrives=ARRIVES)
add("bad-address/all-recipients", HELLO, MAIL, ("RCPT TO:<>", BAD_RECIPIENT),
    ("RCPT TO:<>", BAD_RECIPIENT), ("DATA", "503|554 5.5.1"), RSET, *ENVELOPE,
    *by_data(), arrives=ARRIVES)
add("bad-address/one-of-three", HELLO, *ENVELOPE,
    ("RCPT TO:<>", BAD_RECIPIENT), SECOND, *by_data(),
    arrives=Arrival(TEXT, to=(BOB, CAROL)))

# Names without a domain.

# The sender's home is the account's own address.
add("local/nowhere", HELLO, ("MAIL FROM:<alice>", "250 2."),
    ("RSET", "250 2."), MAIL,
    *((f"RCPT TO:<{name}>", "501|550|553 5.1.3")
      for name in ("root", "postmaster", "Postmaster", "nobody")), RCPT,
    *by_data(), arrives=ARRIVES, apart="has a domain for them")
add("local/maildomain", HELLO, ("MAIL FROM:<alice>", "250 2."),
    ("RCPT TO:<root>", "250 2."), ("RCPT TO:<postmaster>", "250 2."),
    *by_data(), apart="is asked with a domain", arrives=Arrival(
        TEXT, sender="alice@home.example",
        to=("root@home.example", "postmaster@home.example")),
    settings={"maildomain": "home.example"})
add("local/local_to", HELLO, MAIL, ("RCPT TO:<root>", "250 2."), SECOND,
    *by_data(), apart="knows no local_to",
    arrives=Arrival(TEXT, to=("ops@example.org", CAROL)),
    settings={"local_to": "ops@example.org", "maildomain": "home.example"})

# The message by DATA.

for _name, _text in {
        "dots": HEAD + b"\r\n.\r\n..\r\n.x\r\n...\r\n. \r\n",
        "dot-first": HEAD + b"\r\n.\r\nx\r\n", "dot-last": HEAD +
        b"\r\nx\r\n.\r\n",
        "dots-only": HEAD + b"\r\n" + b".\r\n" * 50,
        "header-only": HEAD, "header-and-empty-line": HEAD + b"\r\n",
        "empty-lines": HEAD + b"\r\n" * 20,
        "commands-in-it": HEAD + b"\r\nQUIT\r\nRSET\r\nMAIL FROM:<>\r\n",
        "long-lines": HEAD + b"\r\n" + b"x" * 998 + b"\r\n" + b"." * 998 +
        b"\r\n",
        "blanks-at-line-ends": HEAD + b"\r\nx \r\n\t\r\n \r\n",
        "100-kib": HEAD + b"\r\n" + (b"x" * 62 + b"\r\n") * 1600,
        "many-fields": HEAD + b"".join(b"X-%d: %d\r\n" % (n, n)
                                       for n in range(200)) + b"\r\nx\r\n",
        "few-fields": b"Subject: x\r\nX-Folded: a\r\n b\r\n\r\ntext\r\n",
        "received-fields": b"".join(b"Received: by %d.example; Sat, 1 Mar 2025 "
                                    b"10:20:30 +0100\r\n" % n
                                    for n in range(20)) + TEXT,
}.items():
    add(f"data/{_name}", HELLO, *ENVELOPE, *by_data(_text),
        arrives=Arrival(_text))
add("data/empty", HELLO, *ENVELOPE, *by_data(b""), arrives=Arrival(b""))
add("data/no-header", HELLO, *ENVELOPE, *by_data(b"hello\r\nthere\r\n"),
    arrives=Arrival(b"\r\nhello\r\nthere\r\n"))
add("data/empty-line-first", HELLO, *ENVELOPE, *by_data(b"\r\nhello\r\n"),
    arrives=Arrival(b"\r\nhello\r\n"))
add("data/not-stuffed", HELLO, *ENVELOPE, DATA,
    (HEAD + b"\r\n.x\r\n.. y\r\n.\r\n", "250 2."),
    arrives=Arrival(HEAD + b"\r\nx\r\n. y\r\n"))
add("data/in-two-pieces", HELLO, *ENVELOPE, DATA, (stuffed(TEXT)[:100],),
    (stuffed(TEXT)[100:], "250 2."), arrives=ARRIVES)
for _cut in range(1, 5):
    add(f"data/cut-{_cut}-before-the-end", HELLO, *ENVELOPE, DATA,
        (stuffed(TEXT)[:-_cut],), (stuffed(TEXT)[-_cut:], "250 2."),
        arrives=ARRIVES)
add("data/bcc", HELLO, *ENVELOPE,
    *by_data(HEAD + b"Bcc: dave@example.org\r\n\r\nx\r\n"),
    arrives=Arrival(HEAD + b"\r\nx\r\n"), apart="is told to keep Bcc")
add("data/bare-lf-in-it", HELLO, *ENVELOPE,
    *by_data(HEAD + b"\r\none\ntwo\n\nthree\r\n"),
    arrives=Arrival(HEAD + b"\r\none\r\ntwo\r\n\r\nthree\r\n"))
add("data/99-received", HELLO, *ENVELOPE,
    *by_data(b"Received: by x\r\n" * 99 + TEXT),
    arrives=Arrival(b"Received: by x\r\n" * 99 + TEXT),
    apart="stops at fifty")
add("data/100-received", HELLO, *ENVELOPE, DATA,
    (stuffed(b"Received: by x\r\n" * 100 + TEXT), "554 5.4.6"),
    *ENVELOPE, *by_data(OTHER), arrives=Arrival(OTHER), exit=69,
    apart="notices it later")

# A client whose lines end in a bare LF.

add("lf/all", *lf(*SPEECH, QUIT)[:-1], arrives=ARRIVES)
add("lf/two-messages", *lf(*SPEECH, *ENVELOPE, *by_data(OTHER)), arrives=BOTH)
add("lf/dots", *lf(HELLO, *ENVELOPE, *by_data(
    HEAD + b"\r\n.\r\n..x\r\n")), arrives=Arrival(HEAD + b"\r\n.\r\n..x\r\n"))
add("lf/at-once", *lf(flight(*SPEECH[:3], DATA)), *lf(SPEECH[4]),
    arrives=ARRIVES)
add("lf/bdat", *lf(HELLO, *ENVELOPE), (b"BDAT %d LAST\n" % len(TEXT) + TEXT,
                                       "250 2."), arrives=ARRIVES)
add("lf/chunk-of-lf", *lf(HELLO, *ENVELOPE, chunk(
    TEXT.replace(b"\r\n", b"\n"), last=True)), arrives=ARRIVES)

# The message by BDAT.

add("bdat/one-chunk", HELLO, *ENVELOPE, chunk(TEXT, last=True),
    arrives=ARRIVES)
add("bdat/two-chunks", HELLO, *ENVELOPE, *chunks(TEXT[:100], TEXT[100:]),
    arrives=ARRIVES)
add("bdat/an-empty-last", HELLO, *ENVELOPE, *chunks(TEXT, b""),
    arrives=ARRIVES)
add("bdat/empty-chunks", HELLO, *ENVELOPE,
    *chunks(b"", TEXT[:50], b"", b"", TEXT[50:], b""), arrives=ARRIVES,
    apart="takes no empty chunk but the last")
add("bdat/octet-by-octet", HELLO, *ENVELOPE,
    *chunks(*(TEXT[n:n + 1] for n in range(len(TEXT)))), arrives=ARRIVES)
add("bdat/between-cr-and-lf", HELLO, *ENVELOPE,
    *chunks(*re.split(rb"(?<=\r)(?=\n)", TEXT)), arrives=ARRIVES)
add("bdat/between-the-lines", HELLO, *ENVELOPE,
    *chunks(*TEXT.splitlines(keepends=True)), arrives=ARRIVES)
add("bdat/empty-message", HELLO, *ENVELOPE, chunk(b"", last=True),
    arrives=Arrival(b""))
add("bdat/header-only", HELLO, *ENVELOPE, chunk(HEAD, last=True),
    arrives=Arrival(HEAD))
add("bdat/dots", HELLO, *ENVELOPE,
    *chunks(HEAD + b"\r\n.\r\n", b".", b"\r\n..x\r\n.\r\n"),
    arrives=Arrival(HEAD + b"\r\n.\r\n.\r\n..x\r\n.\r\n"))
add("bdat/commands-in-it", HELLO, *ENVELOPE,
    chunk(HEAD + b"\r\nQUIT\r\nBDAT 5 LAST\r\nRSET\r\n", last=True),
    arrives=Arrival(HEAD + b"\r\nQUIT\r\nBDAT 5 LAST\r\nRSET\r\n"))
add("bdat/no-line-end", HELLO, *ENVELOPE, chunk(TEXT[:-2], last=True),
    arrives=ARRIVES)
add("bdat/lower-case", HELLO, *ENVELOPE,
    (b"bdat %d last\r\n" % len(TEXT) + TEXT, "250 2."), arrives=ARRIVES)
add("bdat/zeros-in-front", HELLO, *ENVELOPE,
    (b"BDAT 000%d LAST\r\n" % len(TEXT) + TEXT, "250 2."), arrives=ARRIVES)
add("bdat/two-messages", HELLO, *ENVELOPE, chunk(TEXT, last=True), *ENVELOPE,
    *chunks(OTHER[:9], OTHER[9:]), arrives=BOTH)
add("bdat/then-data", HELLO, *ENVELOPE, chunk(TEXT, last=True), *ENVELOPE,
    *by_data(OTHER), arrives=BOTH)
add("bdat/after-data", *SPEECH, *ENVELOPE, chunk(OTHER, last=True),
    arrives=BOTH)
add("bdat/data-in-between", HELLO, *ENVELOPE, chunk(TEXT[:100]),
    ("DATA", EARLY), RSET, *ENVELOPE, *by_data(OTHER), arrives=Arrival(OTHER))
add("bdat/commands-in-between", HELLO, *ENVELOPE, chunk(TEXT[:100]),
    (MAIL[0], EARLY), (SECOND[0], EARLY), ("NOOP", "250 2."),
    chunk(TEXT[100:], last=True), arrives=ARRIVES)
add("bdat/mail-in-between", HELLO, *ENVELOPE, chunk(TEXT[:100]),
    (MAIL[0], EARLY), ("NOOP", "250 2."), chunk(TEXT[100:], last=True),
    arrives=ARRIVES)
add("bdat/rset-in-between", HELLO, *ENVELOPE, chunk(OTHER[:100]), RSET,
    *ENVELOPE, *chunks(TEXT[:50], TEXT[50:]), arrives=ARRIVES)
add("bdat/hello-in-between", HELLO, *ENVELOPE, chunk(OTHER[:100]), HELLO,
    *ENVELOPE, chunk(TEXT, last=True), arrives=ARRIVES)
add("bdat/without-mail", HELLO, chunk(TEXT, last=True, reply=EARLY),
    chunk(b"QUIT\r\nQUIT\r\n", reply=EARLY), RSET, *ENVELOPE,
    chunk(OTHER, last=True), arrives=Arrival(OTHER))
add("bdat/without-rcpt", HELLO, MAIL,
    chunk(b"QUIT\r\n", last=True, reply="503|554 5.5.1"),
    RSET, *ENVELOPE, chunk(TEXT, last=True), arrives=ARRIVES)
add("bdat/after-the-last", HELLO, *ENVELOPE, chunk(TEXT, last=True),
    chunk(b"QUIT\r\n", reply=EARLY), chunk(b"QUIT\r\n", last=True, reply=EARLY),
    RSET, *ENVELOPE, chunk(OTHER, last=True), arrives=BOTH)
add("bdat/malformed", HELLO, *ENVELOPE, *(
    (line, MALFORMED) for line in ("BDAT", "BDAT x", "BDAT -1", "BDAT 0x10",
                                   "BDAT LAST", "BDAT 0 LEAST",
                                   "BDAT 0 LAST x", "BDAT 1.5",
                                   b"BDAT 6 LEAST\r\nQUIT\r\n")),
    RSET, *ENVELOPE, chunk(TEXT, last=True), arrives=ARRIVES,
    apart="eats so many octets then")
add("bdat/malformed-first", HELLO, *ENVELOPE,
    (b"BDAT 6 FIRST\r\nQUIT\r\n", MALFORMED),
    chunk(OTHER, last=True, reply=EARLY), *ENVELOPE, chunk(TEXT, last=True),
    arrives=ARRIVES, apart="eats so many octets then")
add("bdat/malformed-in-between", HELLO, *ENVELOPE, chunk(OTHER[:50]),
    (b"BDAT 6 MORE\r\nQUIT\r\n", MALFORMED),
    chunk(OTHER[50:], last=True, reply=EARLY), *ENVELOPE,
    chunk(TEXT, last=True), arrives=ARRIVES, apart="eats so many octets then")
add("bdat/8-bit", HELLO, (f"MAIL FROM:<{SENDER}> BODY=8BITMIME", "250 2."),
    RCPT, chunk(HEAD + "\r\nGrüße\r\n".encode(), last=True),
    arrives=Arrival(HEAD + "\r\nGrüße\r\n".encode(), body="8BITMIME"))
add("bdat/utf8-cut-in-two", HELLO,
    (f"MAIL FROM:<{SENDER}> BODY=8BITMIME", "250 2."), RCPT,
    *chunks(HEAD + b"\r\nGr\xc3", b"\xbc\xc3", b"\x9fe\r\n"),
    arrives=Arrival(HEAD + "\r\nGrüße\r\n".encode(), body="8BITMIME"))
BINARY = HEAD + b"MIME-Version: 1.0\r\nContent-Type: application/octet-stream" \
    b"\r\nContent-Transfer-Encoding: binary\r\n\r\n" + bytes(range(256)) * 3 + \
    b"\r\n.\r\n\n.\n\r\r\n\0"
add("bdat/binary", HELLO, (f"MAIL FROM:<{SENDER}> BODY=BINARYMIME", "250 2."),
    RCPT, *chunks(BINARY[:400], BINARY[400:1000], BINARY[1000:]),
    arrives=Arrival(BINARY, body="BINARYMIME"), apart="has no BINARYMIME")
add("bdat/binary-not-by-data", HELLO,
    (f"MAIL FROM:<{SENDER}> BODY=BINARYMIME", "250 2."), RCPT,
    ("DATA", "501|503 5.5.1"), chunk(TEXT, last=True), arrives=ARRIVES,
    apart="has no BINARYMIME")
add("bdat/100-kib", HELLO, *ENVELOPE,
    *chunks(HEAD + b"\r\n", *[(b"x" * 62 + b"\r\n") * 200] * 8),
    arrives=Arrival(HEAD + b"\r\n" + (b"x" * 62 + b"\r\n") * 1600))

# In flights (RFC 2920).

add("flight/envelope", HELLO, flight(*ENVELOPE, DATA), by_data()[1],
    arrives=ARRIVES)
add("flight/everything-but-the-hello", HELLO, flight(*ENVELOPE, *by_data()),
    arrives=ARRIVES)
add("flight/two-messages", HELLO, flight(*ENVELOPE, DATA),
    flight(by_data()[1], RSET, *ENVELOPE, DATA), by_data(OTHER)[1],
    arrives=BOTH)
add("flight/with-errors", HELLO,
    flight((RCPT[0], EARLY), MAIL, (MAIL[0], EARLY), ("RCPT TO:<>",
                                                      BAD_RECIPIENT),
           RCPT, ("FROB", "500 5.5.2"), DATA), by_data()[1], arrives=ARRIVES)
add("flight/no-recipient-left", HELLO,
    flight(MAIL, ("RCPT TO:<>", BAD_RECIPIENT), ("DATA", "503|554 5.5.1"),
           RSET), *ENVELOPE, *by_data(), arrives=ARRIVES)
add("flight/bdat", HELLO, flight(*ENVELOPE, *chunks(TEXT[:99], TEXT[99:])),
    arrives=ARRIVES)
add("flight/two-by-bdat", HELLO,
    flight(*ENVELOPE, *chunks(TEXT[:99], TEXT[99:]), *ENVELOPE,
           chunk(OTHER, last=True)), arrives=BOTH)
add("flight/hello-in-it", flight(HELLO, *ENVELOPE, DATA), by_data()[1],
    arrives=ARRIVES)
add("flight/fifty-recipients-refused", HELLO,
    flight(MAIL, *[("RCPT TO:<>", BAD_RECIPIENT)] * 50, RCPT, DATA),
    by_data()[1], arrives=ARRIVES)
add("flight/fifty-noops", HELLO, flight(*[("NOOP", "250 2.")] * 50), *ENVELOPE,
    *by_data(), arrives=ARRIVES)
