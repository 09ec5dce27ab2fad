"""Messages of every kind, as programs write them to standard input.

CORPUS is a list of Message; the names say `family/what`.  All of them are made
here, the same in every run: examples of the RFCs, what programs of a usual
system write, 8-bit texts in many charsets, raw 8-bit in every kind of field,
long lines, NUL and CR, line ends, odd headers, Bcc, addresses, trees of parts.
What has to become of each is said by arrival.py; a message itself only says
what cannot be read off its octets.
"""

import base64
import random
from dataclasses import dataclass, field

BOB = "bob@example.net"


@dataclass(frozen=True)
class Message:
    name: str
    raw: bytes
    to: tuple = (BOB,)          # recipients on the command line
    args: tuple = ()            # options ahead of them
    reach: tuple = None         # RCPT, in order; None: as `to`
    sender: str = None          # MAIL; None: the account's
    # (status, word that must be said): refused by every server …
    refused: tuple = None
    # … by one that does not take the body as it is
    rigid: tuple = None
    # … by one without SMTPUTF8: the address that needs it
    utf8: str = None
    odd: bool = False           # Python's email reads the body otherwise
    settings: dict = field(default_factory=dict)

    def __repr__(self):
        return self.name


CORPUS = []


def add(name, raw, **more):
    if isinstance(raw, str):
        raw = raw.encode()
    CORPUS.append(Message(name, raw, **more))


def head(*more, mime=True):
    """A header that lacks nothing, with its empty line; `more` are lines."""
    lines = [b"From: Alice <alice@example.org>", b"To: Bob <bob@example.net>",
             b"Subject: of the corpus", b"Date: Sat, 1 Mar 2025 10:20:30 +0100",
             b"Message-ID: <4711.corpus@example.org>"]
    more = [m.encode() if isinstance(m, str) else m for m in more]
    if mime and any(m.lower().startswith(b"content-") for m in more):
        lines.append(b"MIME-Version: 1.0")
    return b"\n".join(lines + more) + b"\n\n"


def crlf(text):
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def octets(n):
    """N octets that look random."""
    return random.Random(n).randbytes(n)


def b64(data):
    return base64.encodebytes(data)


# RFC 5322, appendix A.

HELLO = """Subject: Saying Hello
Date: Fri, 21 Nov 1997 09:55:06 -0600
Message-ID: <1234@local.machine.example>

This is a message just to say hello.
So, "Hello".
"""
JOHN = "From: John Doe <jdoe@machine.example>\n"
MARY = "To: Mary Smith <mary@example.net>\n"
JOE_CC = """To: Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>
Cc: <boss@nil.test>, "Giant; \\"Big\\" Box" <sysservices@example.net>
Date: Tue, 1 Jul 2003 10:52:37 +0200
Message-ID: <5678.21-Nov-1997@example.com>

Hi everyone.
"""
RFC5322 = {
    "A.1.1": (JOHN + MARY + HELLO, ["mary@example.net"]),
    "A.1.1-sender": (JOHN + "Sender: Michael Jones <mjones@machine.example>\n"
                     + MARY + HELLO, ["mary@example.net"]),
    "A.1.2": ('From: "Joe Q. Public" <john.q.public@example.com>\n' + JOE_CC,
              ["mary@x.test", "jdoe@example.org", "one@y.test",
               "boss@nil.test", "sysservices@example.net"]),
    "A.1.3": ("""From: Pete <pete@silly.example>
To: A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;
Cc: Undisclosed recipients:;
Date: Thu, 13 Feb 1969 23:32:54 -0330
Message-ID: <testabcd.1234@silly.example>

Testing.
""", ["c@a.test", "joe@where.test", "jdoe@one.test"]),
    "A.2-reply": ("""From: Mary Smith <mary@example.net>
To: John Doe <jdoe@machine.example>
Reply-To: "Mary Smith: Personal Account" <smith@home.example>
Subject: Re: Saying Hello
Date: Fri, 21 Nov 1997 10:01:10 -0600
Message-ID: <3456@example.net>
In-Reply-To: <1234@local.machine.example>
References: <1234@local.machine.example>

This is a reply to your hello.
""", ["jdoe@machine.example"]),
    "A.2-back": ("""To: "Mary Smith: Personal Account" <smith@home.example>
From: John Doe <jdoe@machine.example>
Subject: Re: Saying Hello
Date: Fri, 21 Nov 1997 11:00:00 -0600
Message-ID: <abcd.1234@local.machine.test>
In-Reply-To: <3456@example.net>
References: <1234@local.machine.example> <3456@example.net>

This is a reply to your reply.
""", ["smith@home.example"]),
    "A.3-resent": ("""Resent-From: Mary Smith <mary@example.net>
Resent-To: Jane Brown <j-brown@other.example>
Resent-Date: Mon, 24 Nov 1997 14:22:01 -0800
Resent-Message-ID: <78910@example.net>
""" + JOHN + MARY + HELLO, ["j-brown@other.example"]),
    "A.4-trace": ("""Received: from x.y.test
   by example.net
   via TCP
   with ESMTP
   id ABC12345
   for <mary@example.net>;  21 Nov 1997 10:05:43 -0600
Received: from node.example by x.y.test; 21 Nov 1997 10:01:22 -0600
""" + JOHN + MARY + HELLO, ["mary@example.net"]),
    "A.5-oddities": ("""\
From: Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>
To:A Group(Some people)
     :Chris Jones <c@(Chris's host.)public.example>,
         joe@example.org,
  John <jdoe@one.test> (my dear friend); (the end of the group)
Cc:(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;
Date: Thu,
      13
        Feb
          1969
      23:32
               -0330 (Newfoundland Time)
Message-ID:              <testabcd.1234@silly.test>

Testing.
""", ["c@public.example", "joe@example.org", "jdoe@one.test"]),
    "A.6.1-addresses": ("""From: Joe Q. Public <john.q.public@example.com>
To: Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example
Date: Tue, 1 Jul 2003 10:52:37 +0200
Message-ID: <5678.21-Nov-1997@example.com>

Hi everyone.
""", ["mary@example.net", "jdoe@test.example"]),
    "A.6.2-dates": (JOHN + MARY + HELLO.replace(
        "Fri, 21 Nov 1997 09:55:06 -0600", "21 Nov 97 09:55:06 GMT"),
        ["mary@example.net"]),
    "A.6.3-blanks": ("""From  : John Doe <jdoe@machine(comment).  example>
To    : Mary Smith
\x20\x20
          <mary@example.net>
Subject     : Saying Hello
Date  : Fri, 21 Nov 1997 09(comment):   55  :  06 -0600
Message-ID  : <1234   @   local(blah)  .machine .example>

This is a message just to say hello.
So, "Hello".
""", ["mary@example.net"]),
}
for _name, (_text, _people) in RFC5322.items():
    add(f"rfc5322/{_name}", _text)
    add(f"rfc5322/{_name}-t", _text, to=(), args=("-t",), reach=_people)


# RFC 2046, 2049, 1847, 6522: kinds of multiparts.

def multipart(subtype, *parts, boundary="=_b", params="", preamble=b"",
              epilogue=b"", close=True, more=()):
    """A whole message; a part is header lines, an empty line, octets."""
    delimiter = b"--" + boundary.encode()
    return head(f'Content-Type: multipart/{subtype}; boundary="{boundary}"'
                + params, *more) + join(delimiter, parts, preamble, epilogue,
                                        close)


def join(delimiter, parts, preamble=b"", epilogue=b"", close=True):
    text = preamble
    for part in parts:
        text += delimiter + b"\n" + part + b"\n"
    return text + (delimiter + b"--\n" + epilogue if close else b"")


def part(content_type, data, *more):
    lines = [f"Content-Type: {content_type}" if content_type else None, *more]
    lines = [m if isinstance(m, bytes) else m.encode() for m in lines if m]
    return b"".join(m + b"\n" for m in lines) + b"\n" + data


PLAIN = part("text/plain", b"plain ascii\n.\n")
BINARY8 = "Content-Transfer-Encoding: 8bit"
LETTER = (b"From: carol@example.com\nSubject: inner\n"
          b"Date: Sat, 1 Mar 2025 00:00:00 +0000\n\ninner text\n")
REPORT = b"""Reporting-MTA: dns; mail.example.net

Final-Recipient: rfc822; nobody@example.net
Action: failed
Status: 5.1.1
"""

RFC2046 = {
    "simple": multipart(
        "mixed", b"\nThis is implicitly typed plain US-ASCII text.\n"
        b"It does NOT end with a linebreak.",
        part("text/plain; charset=us-ascii", b"It DOES end with a linebreak.\n"
             b"\n"), boundary="simple boundary",
        preamble=b"This is the preamble.\n",
        epilogue=b"\nThis is the epilogue.\n"),
    "alternative": multipart(
        "alternative", part("text/plain", b"plain"),
        part("text/html; charset=us-ascii", b"<p>html</p>\n"),
        part("application/x-whatever", b"fancy\n")),
    "parallel": multipart("parallel", part(
        "audio/basic", b64(octets(500)), "Content-Transfer-Encoding: base64"),
        part("image/jpeg", b64(octets(300)),
             "Content-Transfer-Encoding: base64")),
    "related": multipart(
        "related", part("text/html", b"<img src='cid:a@b'>", ),
        part("image/png", b64(octets(90)), "Content-ID: <a@b>",
             "Content-Transfer-Encoding: base64"),
        params='; type="text/html"; start="<s@x>"'),
    "digest": multipart("digest", b"\n" + LETTER, b"\n" + LETTER,
                        part("message/rfc822", LETTER)),
    "form-data": multipart(
        "form-data", part(None, b"a value",
                          'Content-Disposition: form-data; name="f"')),
    "report": multipart(
        "report", part("text/plain", b"It could not be delivered.\n"),
        part("message/delivery-status", REPORT),
        part("message/rfc822", LETTER),
        params="; report-type=delivery-status"),
    "signed": multipart(
        "signed", PLAIN, part("application/pgp-signature",
                              b"-----BEGIN PGP SIGNATURE-----\n"),
        params="; micalg=pgp-sha256; protocol=\"application/pgp-signature\""),
    "encrypted": multipart(
        "encrypted", part("application/pgp-encrypted", b"Version: 1\n"),
        part("application/octet-stream", b"-----BEGIN PGP MESSAGE-----\n"),
        params="; protocol=\"application/pgp-encrypted\""),
    "external-body": head(
        'Content-Type: message/external-body; access-type=local-file;\n'
        '  name="/u/x/photo.jpg"') +
    b"Content-type: image/jpeg\nContent-ID: <id42@example.org>\n"
    b"Content-Transfer-Encoding: binary\n\nTHIS IS NOT REALLY THE BODY!\n",
    "partial": head('Content-Type: message/partial; id="ABC@host.com"; '
                    'number=1; total=2') + LETTER,
    "rfc822": head("Content-Type: message/rfc822") + LETTER,
    "rfc2049-A": multipart(
        "mixed", b"\n... Some text appears here ...\n",
        part("text/plain; charset=US-ASCII", b"This could have been part of "
             b"the previous part."),
        b"Content-Type: multipart/parallel; boundary=unique-boundary-2\n\n" +
        join(b"--unique-boundary-2", [
            part("audio/basic", b64(octets(60)),
                 "Content-Transfer-Encoding: base64"),
            part("image/jpeg", b64(octets(61)),
                 "Content-Transfer-Encoding: base64")]),
        part("text/enriched", b"This is <bold><italic>enriched.</italic>"),
        b"Content-Type: message/rfc822\n\n" + LETTER.replace(
            b"\n\n", b"\nContent-Type: Text/plain; charset=ISO-8859-1\n"
            b"Content-Transfer-Encoding: Quoted-printable\n\n=E9\n"),
        boundary="unique-boundary-1", preamble=b"This is the preamble.\n"),
}
for _name, _raw in RFC2046.items():
    add(f"rfc2046/{_name}", _raw)
    add(f"rfc2046/{_name}-crlf", crlf(_raw))


# What the programs of a usual system write.

CRON = """From: root (Cron Daemon)
To: root
Subject: Cron <root@host> {command}
MIME-Version: 1.0
Content-Type: text/plain; charset={charset}
Content-Transfer-Encoding: 8bit
X-Cron-Env: <SHELL=/bin/sh>
X-Cron-Env: <HOME=/root>
X-Cron-Env: <LOGNAME=root>

{output}"""
GIT = """From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001
From: {name} <author@example.org>
To: list@example.net
Subject: [PATCH 1/2] {subject}
Date: Sat, 1 Mar 2025 10:20:30 +0100
Message-Id: <20250301102030.1-1-author@example.org>
X-Mailer: git-send-email 2.39.5
In-Reply-To: <20250301102030.1-0-author@example.org>
References: <20250301102030.1-0-author@example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit

{body}
Signed-off-by: {name} <author@example.org>
---
 a.c | 2 +-
 1 file changed, 1 insertion(+), 1 deletion(-)

diff --git a/a.c b/a.c
--- a/a.c
+++ b/a.c
@@ -1 +1 @@
-\tprintf("{body}");\f
+\tputs("{body}");
-- \n2.39.5

"""
MUTT = """Date: Sat, 1 Mar 2025 10:20:30 +0100
From: {name} <alice@example.org>
To: bob@example.net
Subject: {subject}
Message-ID: <Z8LPDq1r@host.example.org>
Mail-Followup-To: bob@example.net
MIME-Version: 1.0
Content-Type: text/plain; charset={charset}
Content-Disposition: inline
Content-Transfer-Encoding: 8bit
User-Agent: Mutt/2.2.9 (2022-11-12)

{body}
--\x20
{name}
"""
MAILX = """To: bob@example.net
Subject: {subject}
User-Agent: mail (GNU Mailutils 3.15)
Date: Sat,  1 Mar 2025 10:20:30 +0100
Message-Id: <20250301092030.5F2A1@host.example.org>
From: root <root@host.example.org>

{body}
"""
PHP = """To: {to}\r
Subject: {subject}\r
X-PHP-Originating-Script: 33:mail.php\r
From: {name} <shop@example.org>\r
Content-Type: text/html; charset={charset}

<p>{body}
"""
AT = """Subject: Output from your job {number}
To: alice@example.org

{output}"""
for _name, _more in {
        "ascii": dict(command="run-parts /etc/cron.daily", charset="UTF-8",
                      output="done\n"),
        "8bit": dict(command="/usr/bin/größe -l", charset="UTF-8",
                     output="größe: nicht gefunden\n"),
        "quoted": dict(command='x "ä ö" && test \'ü\' >/dev/null',
                       charset="ANSI_X3.4-1968", output=".\nä\n.\n"),
        "no-newline": dict(command="printf x", charset="US-ASCII", output="x"),
        "long-command": dict(command="sh -c " + "'x y'; " * 200,
                             charset="UTF-8", output="ok\n"),
        "progress": dict(command="wget", charset="UTF-8",
                         output="".join(f"{n}%\r" for n in range(100)) + "\n"),
        "long-output": dict(command="jq -c .", charset="UTF-8",
                            output="{" + '"k":1,' * 5000 + "}\n")}.items():
    add(f"cron/{_name}", CRON.format(**_more), odd=_name == "progress")
    add(f"cron/{_name}-i-f", CRON.format(**_more), odd=_name == "progress",
        args=("-i", "-FCronDaemon", "-B8BITMIME", "-oem"))
_TEXTS = {
    "ascii": dict(name="Alice", subject="hello", body="how are you?",
                  charset="us-ascii", to="bob@example.net"),
    "latin": dict(name="Jörg Müller", subject="Grüße aus Köln",
                  body="Schöne Grüße", charset="utf-8",
                  to="Jörg Müller <bob@example.net>"),
    "greek": dict(name="Γιώργος", subject="Καλημέρα κόσμε, τι κάνεις σήμερα; "
                  "Όλα καλά ελπίζω, και τα λέμε αύριο", body="Καλημέρα κόσμε",
                  charset="utf-8", to="Γιώργος <bob@example.net>"),
    "emoji": dict(name="A. 😀", subject="😀" * 30, body="😀 € ½",
                  charset="utf-8", to='"😀, B." <bob@example.net>'),
}
for _name, _more in _TEXTS.items():
    add(f"git/{_name}", GIT.format(**_more))
    add(f"mutt/{_name}", MUTT.format(**_more))
    add(f"mailx/{_name}", MAILX.format(**_more))
    add(f"php/{_name}", PHP.format(**_more))
    add(f"php/{_name}-t", PHP.format(**_more), to=(), args=("-t", "-i"),
        reach=(BOB,))
    add(f"at/{_name}", AT.format(number=12, output=_more["body"] + "\n"))


# Texts in charsets, labelled and not.

SAMPLES = {
    "utf-8": "Grüße, Ångström, naïve – “quoted” €\n",
    "iso-8859-1": "Grüße aus Köln, à bientôt\n",
    "windows-1252": "“Grüße” – 10 €\n",
    "koi8-r": "Привет, как дела? Всё хорошо.\n",
    "iso-8859-7": "Καλημέρα κόσμε\n",
    "shift_jis": "日本語のテキスト、表示ソ能\n",
    "euc-kr": "안녕하세요\n",
    "gb18030": "你好，世界 \U0001f600\n",
    "big5": "許功蓋\n",
    "iso-2022-jp": "日本語のテキスト\n",
    "utf-16": "Grüße\nĀ਍\r\n",
    "utf-32-be": "x\n",
}
for _charset, _sample in SAMPLES.items():
    _text = (_sample * 7).encode(_charset)
    _odd = b"\r" in _text.replace(b"\r\n", b"")
    _wide = _charset.startswith("utf-16") or _charset.startswith("utf-32")
    for _name, _raw in {
        "8bit": head(f"Content-Type: text/plain; charset={_charset}",
                     BINARY8) + _text,
        "html": head(f"Content-Type: text/html; charset=\"{_charset}\"") +
        b"<pre>" + _text,
        "mislabelled": head("Content-Type: text/plain; charset=us-ascii",
                            "Content-Transfer-Encoding: 7bit") + _text,
        "unlabelled": head() + _text,
        "only-text": b"Subject: x\n\n" + _text,
        "in-parts": multipart("mixed", PLAIN, part(
            f"text/plain; charset={_charset}", _text, BINARY8), PLAIN),
        "attached": multipart("mixed", PLAIN, part(
            "application/octet-stream", _text * 9,
            "Content-Disposition: attachment; filename=a.txt")),
    }.items():
        add(f"charset/{_charset}/{_name}", _raw, odd=_odd)


# Raw 8-bit in the header.

RAW = {
    "utf8": "Grüße Ωmega".encode(),
    "latin1": "Gr\xfc\xdfe".encode("latin-1"),
    "emoji": "ein 😀 und sehr viel Text, ".encode() * 6 + "ö".encode(),
    "word-and-raw": "=?utf-8?q?K=C3=B6ln?= und Düsseldorf".encode(),
    "broken-utf8": b"x\xc3 \xe2\x82 y",
    "folded": "Grüße\n\tund  noch\n mehr Grüße".encode(),
}
PLACES = {
    "Subject": b"Subject: %s", "Comments": b"Comments: (%s) a, b",
    "Keywords": b"Keywords: %s, b", "X-Field": b"X-Field:%s",
    "Thread-Topic": b"THREAD-TOPIC  : ascii %s  ",
    "From": b"From: %s <alice@example.org>",
    "Sender": b"Sender: %s <alice@example.org>",
    "Reply-To": b"Reply-To: \"%s\" <alice@example.org>, b@example.org",
    "To": b"To: Bob %s <bob@example.net>, c@example.net",
    "Cc-quoted": b"Cc: \"Quo\\\"ted, %s\" <cc@example.net>",
    "To-comment": b"To: bob@example.net (Bob (%s) B.)",
    "Cc-group": b"Cc: %s: a@example.net, B <b@example.net>;, c@example.net",
    "Resent-To": b"Resent-From: alice@example.org\n"
                 b"Resent-To: x %s y <x@example.net>",
    "Received": b"Received: from a (%s [192.0.2.1]) by b with SMTP;\n"
                b"\tSat, 1 Mar 2025 10:20:30 +0100",
    "Date": b"Date: Sat, 1 Mar 2025 10:20:30 +0100 (%s)",
    "List-Id": b"List-Id: %s <list.example.org>",
    "In-Reply-To": b"In-Reply-To: message of %s, <a@example.org>",
    "Type-name": b"MIME-Version: 1.0\nContent-Type: text/plain; "
                 b"name=\"%s.txt\"; charset=us-ascii",
    "Disposition": b"MIME-Version: 1.0\nContent-Disposition: attachment;\n"
                   b" filename=\"%s.pdf\"",
    "Description": b"Content-Description: %s",
}


def replaced(line):
    """The usual header with this line for its own of that name."""
    name = line.partition(b":")[0].strip().lower()
    lines = [x for x in head().split(b"\n")[:-2]
             if x.partition(b":")[0].lower() != name]
    return b"\n".join(lines[:2] + [line] + lines[2:]) + b"\n\n"


for _place, _line in PLACES.items():
    for _name, _text in RAW.items():
        if b"\n" in _text and b'"%s' in _line:
            continue        # a fold in a file's name
        add(f"raw/{_place}/{_name}", replaced(_line % _text) + b"body\n")
for _place in ("Subject", "From", "Type-name", "Disposition"):
    for _name, _text in RAW.items():
        if b"\n" not in _text:
            add(f"raw/{_place}/{_name}+8bit-body",
                replaced(PLACES[_place] % _text) + "Körper\n".encode())
for _name, _line in {
        "subject-only-8bit": "Subject: ä",
        "subject-spaces": "Subject:   ä   b  ö \t ü   ",
        "subject-looks-encoded": "Subject: =?utf-8?q?broken ä",
        "subject-equals": "Subject: a=b?c_d ä=?=",
        "subject-long-word": "Subject: " + "ä" * 600,
        "subject-many-words": "Subject: " + "Äpfel " * 300,
        "subject-mixed-scripts": "Subject: abc дом 日本 ab é c",
        "names-many": "Cc: " + ", ".join(
            f"Jörg {n} <j{n}@example.net>" for n in range(100)),
        "name-atoms": "Cc: Jörg von der Müllerstraße <j@example.net>",
        "name-specials": 'Cc: "Jörg (jm), M." <j@example.net>',
        "name-with-at": 'Cc: "jörg@home" <j@example.net>',
        "name-dots": "Cc: J. Ö. Public <j@example.net>",
        "obs-list": "Cc: ,, Jörg <j@example.net>,,",
        "domain": "Cc: bob@bücher.example, <b@köln.example>",
        "domain-and-name": "Cc: Jörg <bob@bücher.example> (ja, ä)",
        "unreadable": "Cc: Jörg <<broken@@ , ä",
        "unclosed-quote": 'Cc: "Jörg <j@example.net>',
        "unclosed-comment": "Cc: j@example.net (Jörg",
        "message-id": "X-Message-ID: <ä@example.org>",
        "url": "List-Unsubscribe: <https://example.org/?x=ä>,\n"
               " <mailto:x@example.org>",
}.items():
    add(f"raw/{_name}", replaced(_line.encode()) + b"body\n")
for _name, _line in {
        "rfc2231-too": "Content-Disposition: attachment; "
                       "filename*=utf-8''gr%C3%BC.txt; x=\"grü.txt\"",
        "token": "Content-Disposition: attachment; filename=grün.txt",
        "long": "Content-Disposition: attachment; filename=\"" + "grün " * 40
                + ".txt\"; size=12",
        "escapes": 'Content-Disposition: attachment; filename="a\\"ü\\\\.txt"',
        "latin1": b"Content-Disposition: attachment; filename=\"gr\xfcn.txt\"",
        "comment": "Content-Type: text/plain; charset=utf-8 (grün)",
        "type-name": 'Content-Type: application/pdf; name="ü.pdf"; x=1',
}.items():
    _line = _line if isinstance(_line, bytes) else _line.encode()
    add(f"parameter/{_name}", head(_line) + b"data\n")
    add(f"parameter/{_name}/part",
        multipart("mixed", PLAIN, part(None, b"data\n", _line)))
    add(f"parameter/{_name}/8bit-part",
        multipart("mixed", PLAIN, part(None, b"d\xc3\xa4ta\n", _line)))


# Addresses.

for _name, _kwargs in {
        "recipient": dict(to=("jörg@example.net",), utf8="jörg@example.net"),
        "recipient-second": dict(to=(BOB, "日本@example.net"),
                                 utf8="日本@example.net"),
        "sender": dict(args=("-f", "jörg@example.org"),
                       sender="jörg@example.org", utf8="jörg@example.org"),
}.items():
    add(f"utf8/{_name}", head() + b"body\n", **_kwargs)
    add(f"utf8/{_name}+8bit", head("X-Raw: Grüße", b"X-Bad: \xfc") +
        "Grüße\n".encode(), **_kwargs)
for _field in ("From", "To", "Cc", "Sender", "Resent-To", "Reply-To"):
    _line = f"{_field}: x@example.net, Jörg <jörg@example.net>"
    add(f"utf8/in-{_field}", replaced(_line.encode()) + b"body\n",
        utf8="jörg@example.net")
add("utf8/bcc-t", replaced("Bcc: jörg@example.net".encode()) + b"x\n",
    to=(), args=("-t",), reach=(BOB, "jörg@example.net"),
    utf8="jörg@example.net")
add("utf8/not-an-address", head("X-To: jörg@example.net") + b"body\n")
add("utf8/quoted-name", replaced('To: "jörg@example.net" <b@c.example>'
                                 .encode()) + b"body\n")
add("utf8/inner-letter", head("Content-Type: message/rfc822") +
    "From: jörg@example.net\nSubject: ä\n\nö\n".encode())

for _name, _given, _wire in (
        ("plus", "bob+tag@example.net", None),
        ("quoted", '"b o b"@example.net', None),
        ("quoted-dots", '"b..b"@example.net', None),
        ("atext", "!#$%&'*+-/=?^_`{|}~@example.net", None),
        ("literal", "bob@[192.0.2.7]", None),
        ("literal6", "bob@[IPv6:2001:db8::1]", None),
        ("angle", "<bob@example.net>", "bob@example.net"),
        ("idn", "bob@bücher.example", "bob@xn--bcher-kva.example"),
        ("a-label", "bob@xn--bcher-kva.example", None),
        ("long", "l" * 64 + "@" + "d" * 60 + ".example", None)):
    add(f"address/{_name}", head() + b"x\n", to=(_given,),
        reach=(_wire or _given,))
    add(f"address/{_name}-t", replaced(f"To: {_given}".encode()) + b"x\n",
        to=(), args=("-t",), reach=(_wire or _given,))
    add(f"address/{_name}-from", head() + b"x\n", args=("-f", _given),
        sender=_wire or _given)
add("address/null-sender", head() + b"x\n", args=("-f", "<>"), sender="")
add("address/many", head() + b"x\n",
    to=tuple(f"user{n}@example.net" for n in range(200)))
add("address/twice", head() + b"x\n", to=(BOB, "c@example.net", BOB),
    reach=(BOB, "c@example.net"))
add("address/comments-t", replaced(b"To: (a) bob (b) @ (c) example.net (d),\n"
                                   b"\t<c@example.net> (e)") + b"x\n",
    to=(), args=("-t",), reach=(BOB, "c@example.net"))


# Bcc.

for _name, _lines in {
        "plain": b"Bcc: eve@example.net", "upper": b"BCC: eve@example.net",
        "lower": b"bcc:eve@example.net", "mixed": b"bCc:\teve@example.net",
        "blank": b"Bcc : eve@example.net", "tab": b"Bcc\t:eve@example.net",
        "folded": b"Bcc:\n eve@example.net", "fold-tab": b"Bcc: \n\teve@"
        b"example.net", "folds": b"Bcc: Eve\n\t<eve@example.net>\n  (e)",
        "name": "Bcc: Évé <eve@example.net>".encode(),
        "latin1": b"Bcc: \"\xc9v\xe9\" <eve@example.net>",
        "group": b"Bcc: all: eve@example.net;",
        "twice": b"Bcc: eve@example.net\nX-Y: z\nBcc: eve@example.net",
}.items():
    add(f"bcc/{_name}", replaced(_lines) + b"text\n")
    add(f"bcc/{_name}-t", replaced(_lines) + b"text\n", to=(), args=("-t",),
        reach=(BOB, "eve@example.net"))
    add(f"bcc/{_name}+8bit", replaced(_lines) + b"Subjekt: \xc3\xa4\n".join(
        (b"text\n", b"")))
add("bcc/empty", replaced(b"Bcc:") + b"text\n")
add("bcc/empty-folded", replaced(b"Bcc: \n \n\t") + b"text\n")
add("bcc/resent", replaced(b"Resent-Bcc: eve@example.net") + b"text\n")
add("bcc/resent-t", replaced(b"Resent-From: a@example.org\nResent-To: r@example"
                             b".net\nResent-Bcc: eve@example.net") + b"x\n",
    to=(), args=("-t",), reach=("r@example.net", "eve@example.net"))
add("bcc/last", head()[:-1] + b"Bcc: eve@example.net\n\ntext\n")
add("bcc/first", b"Bcc: eve@example.net\n" + head() + b"text\n")
add("bcc/only", b"Bcc: eve@example.net\n\ntext\n")
add("bcc/no-body", b"Bcc: eve@example.net")
add("bcc/in-body", head() + b"Bcc: eve@example.net\n")
add("bcc/inner", head("Content-Type: message/rfc822") +
    b"Bcc: eve@example.net\n" + LETTER)
add("bcc/long", replaced(b"Bcc: " + b",\n ".join(
    b"e%d@example.net" % n for n in range(5000))) + b"x\n")
add("bcc/lookalikes", head("X-Bcc: a@example.net", "Bccc: b@example.net",
                           "Bc: c@example.net", "Resent-Bcc-X: d@example.net")
    + b"x\n")


# Long lines.

WORDS = b"words and more of them "
LENGTHS = (997, 998, 999, 1000, 2050, 70000)
for _n in LENGTHS:
    _line = (WORDS * (_n // len(WORDS) + 1))[:_n]
    for _name, _raw in {
        "text": head("Content-Type: text/plain; charset=us-ascii"),
        "html": head("Content-Type: text/html"),
        "none": head(),
        "json": head("Content-Type: application/json"),
        "image": head("Content-Type: image/svg+xml",
                      "Content-Transfer-Encoding: binary"),
        "qp": head("Content-Type: text/plain",
                   "Content-Transfer-Encoding: quoted-printable"),
    }.items():
        add(f"long/{_name}/{_n}", _raw + b"short\n" + _line + b"\n.\n" + _line)
    add(f"long/base64/{_n}", head("Content-Type: application/x",
                                  "Content-Transfer-Encoding: base64") +
        base64.b64encode(octets(_n * 3 // 4)) + b"\n")
    add(f"long/dots/{_n}", head() + b"." * _n + b"\n." + b"x" * (_n - 1))
    add(f"long/8bit/{_n}", head("Content-Type: text/plain; charset=utf-8") +
        "é".encode() * (_n // 2) + b"x" * (_n % 2) + b"\n")
    add(f"long/part/{_n}", multipart(
        "mixed", PLAIN, part("text/html", _line), part(
            "application/x", _line + b"\n" + _line),
        part("text/plain; charset=utf-8", "kurz, ä\n".encode(), BINARY8)))
    add(f"long/around/{_n}", multipart("mixed", PLAIN, preamble=_line + b"\n",
                                       epilogue=_line + b"\n"))
    add(f"long/unbroken/{_n}", head() + b"x" * _n)

for _name, _line, _refused in (
        ("subject", b"Subject: " + b"word " * 300, None),
        ("references", b"References:" + b" <1234567890@mail.example.org>" * 90,
         None),
        ("cc-spaces", b"Cc: " + b", ".join(
            b"u%d@example.net" % n for n in range(300)), None),
        ("cc-commas", b"Cc: " + b",".join(
            b"u%d@example.net" % n for n in range(300)), None),
        ("cc-names", b"Cc: " + b",".join(
            b'"N, %d"<u%d@example.net>' % (n, n) for n in range(200)), None),
        ("tabs", b"X-Tabs:" + b"\tw" * 700, None),
        ("second-line", b"X-Long: a\n\t" + b"word  " * 300, None),
        ("998", b"X: " + b"x" * 995, None),
        ("999-with-blank", b"X: " + b"x" * 900 + b" " + b"y" * 95, None),
        ("run-997", b"X-Run: " + b"x" * 997, None),
        ("run-999", b"X-Run: " + b"x" * 999, ("5.6.0", "X-Run")),
        ("run-5000", b"X-Run: a " + b"x" * 5000 + b" b", ("5.6.0", "X-Run")),
        ("commas-elsewhere", b"X-Commas: " + b",".join([b"word"] * 300),
         ("5.6.0", "X-Commas")),
        ("blanks", b"X-Blanks: a" + b" " * 1500 + b"b",
         ("5.6.0", "X-Blanks")),
        ("blanks-at-end", b"X-Blanks: a" + b" " * 1500,
         ("5.6.0", "X-Blanks")),
        ("8bit-run", "X-Run: ".encode() + "ö".encode() * 700, None),
        ("8bit-and-long", "X-Long: ä ".encode() + b"word " * 300, None)):
    add(f"long-header/{_name}", replaced(_line) + b"x\n", refused=_refused)
    if _name in ("subject", "second-line", "8bit-and-long"):
        add(f"long-header/{_name}/part", multipart(
            "mixed", part(None, b"x\n", _line), PLAIN))


# NUL and CR.

for _name, _bad in {"nul": b"a\0b", "cr": b"a\rb", "cr-cr": b"a\r\r",
                    "both": b"\0\r\0", "nul-8bit": b"\0\xe9\xff",
                    "cr-dot": b"a\r.\rb"}.items():
    for _place, _raw, _more in (
        ("middle", head() + b"x\n" + _bad + b"\nend\n", {}),
        ("first", head() + _bad + b"\n", {}),
        ("last", head() + b"x\n" + _bad, {}),
        ("text", head("Content-Type: text/plain; charset=utf-8", BINARY8) +
         _bad + "ä\n".encode(), {}),
        ("octets", head("Content-Type: application/octet-stream",
                        "Content-Transfer-Encoding: binary") +
         octets(300) + _bad + octets(301), {}),
        ("part", multipart("mixed", PLAIN, part(
            "application/octet-stream", _bad + b"\n" + octets(400),
            "Content-Transfer-Encoding: binary"), PLAIN), {}),
        ("preamble", multipart("mixed", PLAIN, preamble=_bad + b"\n"), {}),
        ("epilogue", multipart("mixed", PLAIN, epilogue=_bad + b"\n"), {}),
        ("inner-letter", head("Content-Type: message/rfc822") + LETTER +
         _bad + b"\n", {}),
        ("base64", head("Content-Type: application/x",
                        "Content-Transfer-Encoding: base64") +
         b64(octets(99)) + _bad[:1] + b"\r\r\n" + b64(octets(90)), {}),
        ("field", head()[:-1] + b"X-Bad: " + _bad + b"c\n\nx\n",
         {"refused": ("5.6.0", "X-Bad")}),
        ("fold", head()[:-1] + b"X-Bad: ok\n " + _bad + b"c\n\nx\n",
         {"refused": ("5.6.0", "X-Bad")}),
    ):
        add(f"octets/{_name}/{_place}", _raw, odd=True, **_more)
add("octets/nul/line-that-is-no-field", b"Subject: x\nno\0field\nTo: y\n\nx\n",
    refused=("5.6.0", ""))
add("octets/nul/field-name", b"Subject: x\nX\0Y: z\nTo: y\n\nx\n",
    refused=("5.6.0", ""))
add("octets/cr/line-that-is-no-field", b"Subject: x\nno\rfield\nTo: y\n\nx\n",
    odd=True)
add("octets/nul/first-line", b"\0\nTo: y\n\nx\n", odd=True)
add("octets/cr/cr-cr-lf", head() + b"a\r\r\nb\r\r\n", odd=True)
add("octets/every", head() + bytes(range(256)) + bytes(range(255, -1, -1)),
    odd=True)
add("octets/every-but", head() + bytes(c for c in range(1, 256)
                                       if c not in (10, 13)) + b"\n")
add("octets/escapes", head() + b"\x0ca\x08\x1b[1mb\x7f\x01\x1a\x04\n")
add("octets/bom", head() + b"\xef\xbb\xbfx\n")


# Dots, line ends, shapes of headers.

for _name, _text in {
        "one": b".\n", "two": b"..\n", "three": b"...\n", "text": b".a\n",
        "no-end": b".", "two-no-end": b"..", "last": b"x\n.", "first":
        b".\nx\n", "many": b".\n" * 9000, "crlf": b"a\r\n.\r\nb\r\n",
        "mixed": b".\r\n.\n\r\n.", "blank": b". \n .\n.\t\n", "smtp":
        b"a\n.\nMAIL FROM:<x@example.org>\nDATA\n.\nQUIT\n",
        "8bit": ".ä\n..ö\n.\n".encode(), "soft": b".=\n=2E\n.\n"}.items():
    add(f"dots/{_name}", head() + _text)

_TREE = multipart("mixed", PLAIN, part("text/plain; charset=utf-8",
                                       "ä\nö".encode(), BINARY8),
                  preamble=b"pre\n", epilogue=b"epi\nlogue\n")
for _name, _raw in {"plain": head() + b"one\ntwo\n",
                    "8bit": head() + "eins, ä\nzwei\n".encode(),
                    "tree": _TREE}.items():
    _lines = _raw.split(b"\n")
    for _ends, _text in {
        "lf": _raw, "crlf": crlf(_raw), "no-end": _raw[:-1],
        "crlf-no-end": crlf(_raw[:-1]),
        "header-crlf": crlf(_raw.partition(b"\n\n")[0]) + b"\r\n\r\n" +
        _raw.partition(b"\n\n")[2],
        "body-crlf": _raw.partition(b"\n\n")[0] + b"\n\n" +
        crlf(_raw.partition(b"\n\n")[2]),
        "alternating": b"".join(x + (b"\n", b"\r\n")[i % 2]
                                for i, x in enumerate(_lines[:-1])),
        "ends-in-cr": _raw[:-1] + b"\r", "empty-lines": _raw + b"\n\n\r\n\n",
    }.items():
        add(f"line-ends/{_name}/{_ends}", _text, odd=_ends == "ends-in-cr")

for _name, _raw in {
        "nothing": b"", "newline": b"\n", "crlf": b"\r\n", "text": b"hello\n",
        "text-only-8bit": "schöne Grüße\n".encode(),
        "empty-line-first": b"\nTo: x\n", "no-empty-line": b"Subject: x\nhi\n",
        "colon-first": b": x\nSubject: y\n\nz\n", "fold-first":
        b" folded\nSubject: x\n\ny\n", "header-only": head()[:-1],
        "header-no-newline": head()[:-2], "one-field": b"Subject: x",
        "mbox": b"From alice Sat Mar  1 10:20:30 2025\n" + head() + b"From x\n",
        "mbox-crlf": crlf(b"From alice Sat Mar  1 10:20:30 2025\n" + head() +
                          b"x\n"),
        "mbox-no-field": b"From alice Sat Mar  1 10:20:30 2025\nhello\n",
        "mbox-empty": b"From alice Sat Mar  1 10:20:30 2025\n\nhello\n",
        "mbox-twice": b"From a Sat Mar  1 10:20:30 2025\nFrom b Sat\n" +
        head() + b"x\n",
        ">From": b">From alice Sat Mar  1 10:20:30 2025\n" + head() + b"x\n",
        "case": b"FROM:alice@example.org\ntO:\tbob@example.net\nsubject:  two"
        b"  \nDATE: Sat, 1 Mar 2025 10:20:30 +0100\nmessage-id: <a@b>\n\nx\n",
        "empty-fields": head("X-Empty:", "X-Blank: ", "X-Fold: \n \n\tx",
                             "Subject:") + b"x\n",
        "folds": head("X-Fold: a\n b\n\tc\n  d\n\t\te \n f") + b"x\n",
        "punctuation-names": head("X!#$%&'*+-.^_`{|}~/\\\"()<>@,;[]?=: y") +
        b"x\n",
        "long-name": head("X-" + "n" * 500 + ": y") + b"x\n",
        "repeated": head("Subject: again", "To: x@example.net",
                         "Received: a", "Received: b") + b"x\n",
        "many-fields": head(*(f"X-{n}: {n}" for n in range(3000))) + b"x\n",
        "bare-tab-line": head("X: y\n\t\n\t") + b"x\n",
        "ctl-in-field": head(b"X-Ctl: \x01\x07\x1b\x7f") + b"x\n",
        "no-from": b"To: bob@example.net\nSubject: x\n\ny\n",
        "no-date": b"From: a@example.org\nMessage-ID: <1@x>\n\ny\n",
        "date-blank": b"Date : x\nMessage-ID : y\nFrom : a@example.org\n\nz\n",
        "return-path": b"Return-Path: <x@example.net>\n" + head() + b"x\n",
}.items():
    add(f"header/{_name}", _raw)


# Trees of parts, with what has to be encoded in each place.

LOADS = {
    "utf8": part("text/plain; charset=utf-8", "Käse\n.\nÄpfel \n".encode(),
                 BINARY8),
    "latin1": part("text/plain; charset=iso-8859-1", b"K\xe4se und \xc4pfel",
                   BINARY8),
    "binary": part("application/octet-stream", b"\0\r" + octets(2000),
                   "Content-Transfer-Encoding: binary"),
    "long": part("text/html", b"<p>" + WORDS * 100,
                 "Content-Transfer-Encoding: 7bit"),
    "long8": part("text/html; charset=utf-8", "<p>Äpfel ".encode() * 200,
                  BINARY8),
    "qp-long": part("text/plain", b"a=3D " * 300 + b"=\n=E4 \n",
                    "Content-Transfer-Encoding: Quoted-Printable"),
    "qp-raw8": part("text/plain; charset=utf-8", "=C3=A4 ä\n".encode() * 3,
                    "Content-Transfer-Encoding: quoted-printable"),
    "base64-long": part("image/png", base64.b64encode(octets(3000)),
                        "Content-Transfer-Encoding: BASE64"),
    "base64-comment": part("image/png", base64.b64encode(octets(2000)),
                           "Content-Transfer-Encoding: (so) base64 (it is)"),
    "untyped": b"\n" + "ohne Köpfe\n".encode(),
    "no-empty-line": "ohne Köpfe, ohne Zeile\n".encode(),
    "header8": part("text/plain", b"ascii\n",
                    'Content-Disposition: attachment; filename="ä.txt"'),
    "empty": b"", "header-only": b"Content-Type: text/plain\n",
    "label-only": part("text/plain", b"ascii\n", BINARY8),
}


def nested(inner, subtype="mixed", boundary="in"):
    return (f"Content-Type: multipart/{subtype}; boundary={boundary}\n"
            "Content-Transfer-Encoding: 8bit\n\n").encode() + join(
                b"--" + boundary.encode(), inner)


def letter(content):
    """A message as a part: `content` is header lines, empty line, octets."""
    return (b"Content-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\n"
            b"From: carol@example.com\nSubject: inner \xc3\xa4\n"
            b"MIME-Version: 1.0\n" + content)


def deep(content, depth):
    for level in range(depth):
        content = nested([PLAIN, content], boundary=f"level{level}")
    return content


SHAPES = {
    "alone": lambda x: multipart("mixed", x),
    "first": lambda x: multipart("mixed", x, PLAIN),
    "between": lambda x: multipart("alternative", PLAIN, x, PLAIN),
    "nested": lambda x: multipart("mixed", PLAIN, nested([PLAIN, x]), PLAIN,
                                  more=(BINARY8,)),
    "deep": lambda x: multipart("mixed", deep(x, 12)),
    "letter": lambda x: multipart("mixed", PLAIN, letter(x)),
    "letters": lambda x: multipart("mixed", letter(letter(nested([x])))),
    "digest": lambda x: multipart("digest", b"\nSubject: 1\n" + x,
                                  b"\nSubject: 2\n\nascii\n"),
    "no-close": lambda x: multipart("mixed", PLAIN, x, close=False),
    "inner-no-close": lambda x: multipart(
        "mixed", nested([PLAIN]).rpartition(b"--in--")[0] + b"--in\n" + x,
        PLAIN),
    "prefix": lambda x: multipart("mixed", nested([x], boundary="b-1"), PLAIN,
                                  boundary="b"),
    "lookalikes": lambda x: multipart(
        "mixed", PLAIN + b"--=_bb\n --=_b\n--=_b-\n-=_b\n--=_b x\n", x,
        part("text/plain", b"--=_b--x\n")),
}
for _shape, _make in SHAPES.items():
    for _name, _load in LOADS.items():
        add(f"tree/{_shape}/{_name}", _make(_load), odd=_name == "binary" or
            _name == "base64-comment" or _shape == "no-close" or
            _shape == "digest" and _name in ("empty", "no-empty-line"))

for _name, _more in {
        "preamble": dict(preamble="Präambel\n".encode()),
        "epilogue": dict(epilogue="Epilog, schön\n".encode()),
        "both": dict(preamble=b"\xff\n", epilogue=b"\xfe\n"),
        "no-end": dict(epilogue="ohne Ende ä".encode()),
        "preamble-empty-lines": dict(preamble=b"\n\n\n"),
        "epilogue-dots": dict(epilogue=b".\n..\n.")}.items():
    for _load in ("utf8", "long", "label-only"):
        add(f"around/{_name}/{_load}", multipart("mixed", LOADS[_load],
                                                 **_more))

for _name, _boundary, _written in (
        ("spaces", "with space", None), ("longest", "b" * 70, None),
        ("too-long", "b" * 100, None), ("specials", "'()+_,-./:=?", None),
        ("rfc2231", None, "boundary*=us-ascii''%3D_b"),
        ("rfc2231-parts", None, "boundary*0=\"=\"; boundary*1=_b"),
        ("comment", None, "(the) boundary (is) = (this) \"=_b\" (here)"),
        ("folded", None, "\n charset=x;\n\tboundary=\n \"=_b\""),
        ("escaped", None, "boundary=\"=\\_b\""),
        ("case", None, "BOUNDARY=\"=_b\""),
        ("token", None, "boundary=xyzzy")):
    _raw = multipart("mixed", PLAIN, LOADS["utf8"], LOADS["long"],
                     boundary=_boundary or
                     ("xyzzy" if _name == "token" else "=_b"))
    if _written:
        _raw = _raw.replace(b'boundary="=_b"', _written.encode())
        _raw = _raw.replace(b'boundary="xyzzy"', _written.encode())
    add(f"boundary/{_name}", _raw, odd=_name in ("comment", "escaped",
                                                 "rfc2231", "rfc2231-parts"))
add("boundary/trailing-blanks", _TREE.replace(b"--=_b\n", b"--=_b \t\n"))
add("boundary/none", head("Content-Type: multipart/mixed") +
    b"--x\n\n\xc3\xa4\n--x--\n", odd=True)
add("boundary/absent", multipart("mixed", boundary="=_b", close=False) +
    "kein Teil, ä\n".encode(), odd=True)
add("boundary/only-close", multipart("mixed") + "ä\n".encode(), odd=True)
add("boundary/after-close", multipart(
    "mixed", PLAIN, epilogue=b"--=_b\n\nno part\n" + "ä\n".encode()))

# What may not be changed.

for _name, _load in LOADS.items():
    if _name in ("empty", "header-only", "no-empty-line"):
        continue
    _raw = multipart("signed", _load, part("application/pgp-signature",
                                           b"-----BEGIN\n"),
                     params="; micalg=pgp-sha512; protocol="
                     "\"application/pgp-signature\"")
    add(f"signed/{_name}", _raw, rigid=("5.6.3", "sign"))
    add(f"signed/{_name}-on", _raw, settings={"reencode": "on"},
        odd=_name in ("binary", "base64-comment"))
add("signed/beside", multipart(
    "mixed", nested([PLAIN, part("application/pgp-signature", b"x\n")],
                    "signed"), LOADS["utf8"]))
add("signed/within-signed", multipart("signed", nested([LOADS["utf8"]]),
                                      part("application/pgp-signature", b"")),
    rigid=("5.6.3", "sign"))
for _type in ("message/partial; id=\"a@b\"; number=1; total=2",
              "message/external-body; access-type=x",
              "message/delivery-status"):
    _kind = _type.partition(";")[0]
    for _name, _text in {"8bit": b"Subject: x\n\n\xc3\xa4\n",
                         "long": b"Subject: x\n\n" + WORDS * 90}.items():
        add(f"fixed/{_kind}/{_name}", head(f"Content-Type: {_type}") + _text,
            rigid=("5.6.3", ""))
        add(f"fixed/{_kind}/{_name}/part",
            multipart("mixed", PLAIN, part(_type, _text)), rigid=("5.6.3", ""))
add("fixed/unknown-encoding", head("Content-Type: text/plain",
                                   "Content-Transfer-Encoding: x-uuencode") +
    b"begin 644 \xe4\n", rigid=("5.6.3", ""))
add("tree/global", multipart("mixed", PLAIN, part(
    "message/global", "From: jörg@example.net\n\nä\n".encode())), odd=True)
add("fixed/x-global", multipart("mixed", PLAIN, part(
    "message/x-global", "From: jörg@example.net\n\nä\n".encode())),
    rigid=("5.6.3", ""))

assert len({m.name for m in CORPUS}) == len(CORPUS) >= 520
