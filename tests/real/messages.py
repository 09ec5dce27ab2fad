"""The messages whose bytes must arrive as they were written.

Each is what a program writes to standard input. `arrives` is what a Maildir
holds afterwards below the server's trace header: LF line ends, a newline at
the end, and the header fields that postrider had to add left out; those are
named in `adds`.
"""

import base64
import random
import re

ALL = ("Date", "Message-ID", "From")


class Message:
    def __init__(self, name, raw, arrives=None, adds=()):
        self.name = name
        self.raw = raw
        self.adds = adds
        self.arrives = as_stored(raw) if arrives is None else arrives

    def __repr__(self):
        return self.name


def as_stored(raw):
    """CRLF and LF are line ends, and the last line has one."""
    text = raw.replace(b"\r\n", b"\n")
    if not text.endswith(b"\n"):
        text += b"\n"
    return text


def head(subject="test", more=""):
    return ("From: Alice <alice@example.org>\n"
            "To: Bob <bob@example.org>\n"
            "Subject: %s\n"
            "Date: Sat, 01 Mar 2025 10:20:30 +0100\n"
            "Message-ID: <%s.1@example.org>\n"
            "%s\n" % (subject, subject.encode().hex()[:40], more)).encode()


def in_ascii(raw, subject):
    """RAW with another Subject."""
    return re.sub(rb"(?m)^Subject: .*$", b"Subject: " + subject, raw, count=1)


def crlf(raw):
    return raw.replace(b"\n", b"\r\n")


def seeded(n):
    """N octets that look random, the same in every run."""
    return random.Random(n).randbytes(n)


def lines_of(lengths, fill=b"x"):
    return b"".join(fill * n + b"\n" for n in lengths)


def body_of(size, line=b"0123456789abcdefghijklmnopqrstuvwxyz.\n"):
    """A body of exactly SIZE octets; its last line may lack its end."""
    return (line * (size // len(line) + 1))[:size]


def attachment(size):
    """multipart/mixed with SIZE octets of base64 inside."""
    data = base64.encodebytes(seeded(size))
    return (head("attachment",
                 "MIME-Version: 1.0\n"
                 "Content-Type: multipart/mixed;\n boundary=\"=_sep\"\n") +
            b"This is a message in parts.\n"
            b"--=_sep\nContent-Type: text/plain\n\nsee the file\n"
            b"--=_sep\nContent-Type: application/octet-stream\n"
            b"Content-Transfer-Encoding: base64\n"
            b"Content-Disposition: attachment; filename=f.bin\n\n" +
            data + b"--=_sep--\n")


EVERY_OCTET = bytes(c for c in range(1, 256) if c not in (0x0a, 0x0d))

PATCH = b"""\
From: =?UTF-8?q?J=C3=B6rg=20M=C3=BCller?= <joerg@example.org>
To: list@example.org
Subject: [PATCH v2 1/3] parser: keep the tab of a folded line, which used
\tto become a space when the line was long
Date: Sat, 1 Mar 2025 10:20:30 +0100
Message-Id: <20250301102030.1-1-joerg@example.org>
X-Mailer: git-send-email 2.39.5
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit

J\xc3\xb6rg says why.

Signed-off-by: =?UTF-8?q?J=C3=B6rg?= <joerg@example.org>
---
 a/parse.c | 4 ++--
 1 file changed, 2 insertions(+), 2 deletions(-)

diff --git a/parse.c b/parse.c
--- a/parse.c
+++ b/parse.c
@@ -1,4 +1,4 @@
 int parse(void)
 {
-\treturn 0;  \x20
+\treturn 1;\t
 }
.
..
-- \n2.39.5

"""

# The Subject is the command line as it stands; there is no Date.
CRON = """\
From: root (Cron Daemon)
To: root
Subject: Cron <root@host> test -x /usr/bin/größe && echo 'ä "ö"' > /dev/null
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit
X-Cron-Env: <SHELL=/bin/sh>
X-Cron-Env: <HOME=/root>
X-Cron-Env: <PATH=/usr/bin:/bin>
X-Cron-Env: <LOGNAME=root>

größe: not found
.
""".encode()

# CRLF behind the fields that the program wrote, LF behind the others.
PHP = (b"To: bob@example.org\r\n"
       b"Subject: order 4711\r\n"
       b"X-PHP-Originating-Script: 33:mail.php\r\n"
       b"From: shop@example.org\r\n"
       b"Content-Type: text/plain; charset=utf-8\n"
       b"\n"
       b"Thank you.\nYours,\r\nthe shop\n")

ALTERNATIVE = head(
    "alternative", 'MIME-Version: 1.0\n'
    'Content-Type: multipart/alternative;\n\tboundary="b=1_2.3"\n') + """\
preamble
--b=1_2.3
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Gr=C3=BC=C3=9Fe=20
=2E
--b=1_2.3
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: 8bit

<p>Grüße</p>

--b=1_2.3--
epilogue without a newline""".encode()

FORWARDED = head("forwarded", "MIME-Version: 1.0\n"
                 "Content-Type: message/rfc822\n") + \
    b"Bcc: <inside@example.org>\nReturn-Path: <inside@example.org>\n" \
    b"Subject: the inner message\n\n.inner\n"

PROCMAIL = (b"Return-Path: <before@example.net>\n"
            b"Received: from a.example.net (a.example.net [192.0.2.1])\n"
            b"\tby b.example.net (8.17) with ESMTP id 4A;\n"
            b"\tSat, 1 Mar 2025 09:00:00 +0000\n"
            b"Received: by a.example.net (nobody), 1 Mar 2025\n" +
            head("procmail") + b"on it goes\n")

MESSAGES = [
    Message("ascii", head() + b"Hello Bob,\n\nhow are you?\n"),
    Message("two-fields", b"From: alice@example.org\nTo: bob@example.org\n\n"
            b"x\n", adds=("Date", "Message-ID")),
    Message("8bit-latin1", head() + b"Gr\xfc\xdfe aus K\xf6ln\n"),
    Message("8bit-utf8-no-mime", head() + "Grüße 😀 €\n".encode()),
    Message("every-octet", head() + EVERY_OCTET + b"\n"),
    Message("every-octet-first-in-its-line",
            head() + b"".join(b"%c\n" % c for c in EVERY_OCTET)),
    # No server forces it, but none can be relied on to leave it alone.
    Message("utf8-header", head("Grüße – ohne Kodierung 😀") + b"x\n",
            arrives=in_ascii(
                head("Grüße – ohne Kodierung 😀"),
                b"=?utf-8?B?R3LDvMOfZSDigJM=?= ohne Kodierung "
                b"=?utf-8?B?8J+YgA==?=") + b"x\n"),
    Message("latin1-header", head("x", "X-Old: ") .replace(
        b"X-Old: ", b"X-Old: Gr\xfc\xdfe\n") + b"x\n",
            arrives=head("x", "X-Old: =?unknown-8bit?B?R3L832U=?=\n") +
            b"x\n"),
    Message("encoded-words", head("=?UTF-8?B?R3LDvMOfZQ==?=\n "
                                  "=?iso-8859-1?Q?K=F6ln?=") + b"x\n"),
    Message("dots", head() + b".\n..\n...\n.a\n..a\na.\n .\n"),
    Message("only-a-dot", head() + b".\n"),
    Message("only-a-dot-no-newline", head() + b"."),
    Message("two-dots-no-newline", head() + b".."),
    Message("dot-first-and-last", head() + b".first\nmiddle\n.last"),
    Message("dot-crlf", crlf(head() + b"a\n.\nMAIL FROM:<b@example.org>\n")),
    Message("dot-mixed", head() + b"a\r\n.\nb\n.\r\nc\n"),
    Message("many-dots", head() + b".\n" * 40000),
    Message("many-dotted-crlf", crlf(head() + b"..x\n" * 30000)),
    Message("smtp-words", head() + b"QUIT\nRSET\nDATA\n.\nQUIT\nBDAT 0 LAST\n"
            b"\xff\xf4\xff\xfd\x06\n"),
    Message("from-lines", head() + b"From here on\n>From there\n\nFrom x\n"),
    Message("mbox-from-line", b"From alice Sat Mar  1 10:20:30 2025\n" +
            head() + b"From here\n", arrives=head() + b"From here\n"),
    Message("no-final-newline", head() + b"the end"),
    Message("cr-at-the-very-end", head() + b"the end\r\n"),
    Message("empty-body", head()),
    Message("header-only", head()[:-1], arrives=head()),
    Message("header-only-no-newline", head()[:-2], arrives=head()),
    Message("one-empty-line", head() + b"\n"),
    Message("trailing-empty-lines", head() + b"x\n\n\n\n"),
    Message("leading-empty-lines", head() + b"\n\n\nx\n"),
    Message("trailing-spaces", head() + b"a \nb\t\n \n\t\n  c\n"),
    Message("crlf", crlf(head() + b"one\n\ntwo\n")),
    Message("crlf-no-final-newline", crlf(head() + b"one\n\ntwo")),
    Message("mixed-line-ends", b"X-A: 1\r\nX-B: 2\n" + head() +
            b"one\ntwo\r\nthree\n\r\nfour\r\n\nfive"),
    Message("crlf-header-lf-body", crlf(head()) + b"one\ntwo\n"),
    Message("php", PHP, adds=("Date", "Message-ID")),
    Message("git-patch", PATCH),
    Message("cron", CRON, adds=("Date", "Message-ID"), arrives=in_ascii(
        CRON, b"Cron <root@host> test -x "
        b"=?utf-8?Q?/usr/bin/gr=C3=B6=C3=9Fe?= &&\n"
        b" echo =?utf-8?B?J8OkICLDtiIn?= > /dev/null")),
    Message("bare-body", b"no header at all\nand a second line\n",
            arrives=b"\nno header at all\nand a second line\n", adds=ALL),
    Message("body-behind-an-empty-line", b"\nTo: this is body\n", adds=ALL),
    Message("nothing", b"", arrives=b"\n", adds=ALL),
    Message("one-newline", b"\n", adds=ALL),
    Message("mail-from-at", b"Subject: Output from your job       12\n"
            b"To: alice@example.org\n\nGr\xfc\xdfe\n", adds=ALL),
    Message("alternative", ALTERNATIVE),
    Message("forwarded", FORWARDED),
    Message("trace-of-others", PROCMAIL),
    Message("header-case-and-space",
            b"from:alice@example.org\nTO:\tbob@example.org\nsubject:  two  \n"
            b"DATE: Sat, 01 Mar 2025 10:20:30 +0100\nmessage-id: <a@b>\n"
            b"X-Empty:\nX-Empty-Fold: \n \n\tx\n\nx\n"),
    Message("folds", head("x", "X-Fold: a\n b\n\tc\n  d\n\t\te \n f\n") +
            b"x\n"),
    Message("many-recipients-in-to", head("x", "Cc: " + ",\n ".join(
        "user%d@example.org" % i for i in range(500)) + "\n") + b"x\n"),
    Message("line-997", head() + b"x" * 997 + b"\n"),
    Message("line-998", head() + b"x" * 998 + b"\n"),
    Message("line-998-dot", head() + b"." * 998 + b"\nend"),
    Message("line-998-8bit", head() + "ü".encode() * 499 + b"\n"),
    Message("header-line-998", head("x", "X-Long: " + "y" * 990 + "\n") +
            b"x\n"),
    Message("line-lengths", head() + lines_of(range(0, 999, 7))),
    Message("dotted-line-lengths", head() +
            b"".join(b"." + b"z" * n + b"\n" for n in range(0, 997, 7))),
    Message("form-feed-and-escapes", head() + b"\x0ca\x08\x1b[1mb\x7f\x01\n"),
    Message("ctrl-z", head() + b"a\x1ab\n\x1a\n\x04\nc\n"),
    Message("bom", head() + b"\xef\xbb\xbfx\n"),
    Message("body-4095", head() + body_of(4095)),
    Message("body-4096", head() + body_of(4096)),
    Message("body-16384", head() + body_of(16384)),
    Message("body-65535-crlf", crlf(head()) + body_of(65535, b"a\r\n")),
    Message("body-65536-crlf", crlf(head()) + body_of(65536, b"a\r\n")),
    Message("body-512k-less-1", head() + body_of((512 << 10) - 1, b"x" * 63 +
                                                 b"\n")),
    Message("body-512k", head() + body_of(512 << 10, b"." * 63 + b"\n")),
    Message("body-512k-and-1", head() + body_of((512 << 10) + 1)),
    Message("body-1M", head() + body_of(1 << 20)),
    Message("body-1M-of-newlines", head() + b"\n" * (1 << 20)),
    Message("attachment-1M", attachment(1 << 20)),
    Message("attachment-10M", attachment(10 << 20)),
]
