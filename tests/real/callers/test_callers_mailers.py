"""Programs that people write and send mail with."""

from pathlib import Path
from urllib.parse import quote

import pytest

HERE = Path(__file__).parent

SUBJECT = "Grüße aus Köln — 100 €"
BODY = """\
Grüße aus Köln — 100 €
.
.. zwei Punkte
From here on the line begins as in an mbox.

= 20 % =3D\t
Ende
"""

# The command lines; {to}, {cc} and {bcc} are addresses.
MAILERS = {
    "s-nail": ("s-nail", "-s", SUBJECT, "-c", "{cc}", "-b", "{bcc}", "{to}"),
    "bsd-mailx": ("bsd-mailx", "-s", SUBJECT, "-c", "{cc}", "-b", "{bcc}",
                  "{to}"),
    # Of these only mailutils would take a lone dot as the end.
    "mailutils": ("mail.mailutils", "-E", "set nodot", "-r",
                  "lab@example.org", "-s", SUBJECT, "-a", "Cc: {cc}", "-a",
                  "Bcc: {bcc}", "-a", "Content-Type: text/plain; "
                  "charset=utf-8", "{to}"),
    "mutt": ("mutt", "-s", SUBJECT, "-c", "{cc}", "-b", "{bcc}", "--",
             "{to}"),
    "neomutt": ("neomutt", "-s", SUBJECT, "-c", "{cc}", "-b", "{bcc}", "--",
                "{to}"),
    "mblaze": ("sh", "-c", "cat >body; mcom -send {to} -cc {cc} -bcc {bcc} "
               "-from lab@example.org -subject '" + SUBJECT + "' -body body"),
}


def check(mail, to, cc, body=BODY, user="lab"):
    """The message is the one that was meant, and from that user."""
    check_header(mail, to, cc, user)
    assert mail.text == body


def check_header(mail, to, cc, user="lab"):
    assert mail.sender == f"{user}@example.org", mail
    assert mail.user == user, mail
    assert mail["Subject"] == SUBJECT, mail
    assert mail.addresses("To") == [to] and mail.addresses("Cc") == [cc]
    assert f"{user}@example.org" in mail["From"], mail
    assert mail["Date"] and mail["Message-ID"], mail


@pytest.mark.parametrize("name", MAILERS)
def test_from_the_command_line(sent, name):
    to, cc, bcc = (f"{role}-{name}@example.net" for role in
                   ("to", "cc", "bcc"))
    argv = [word.format(to=to, cc=cc, bcc=bcc) for word in MAILERS[name]]
    mail = sent([to, cc, bcc], *argv, user="lab", stdin=BODY.encode())
    # mcom puts an empty line behind what it reads.
    check(mail, to, cc, BODY + "\n" if name == "mblaze" else BODY)
    assert bcc.encode() not in mail.content


@pytest.mark.parametrize("mutt", ("mutt", "neomutt"))
def test_mutt_says_the_envelope(box, sent, mutt):
    """`-f`, `-B8BITMIME`, `-N` and `-R`, and an attachment of all octets."""
    box.put("/home/nina/.muttrc", """\
set from = "Nina <nina@example.org>"
set use_envelope_from = yes
set envelope_from_address = "bounces@example.org"
set use_8bitmime = yes
set dsn_notify = "failure,delay"
set dsn_return = "hdrs"
set copy = no
""", owner="nina")
    octets = bytes(range(256)) * 40
    box.put("/home/nina/octets", octets, owner="nina")
    to = f"dsn-{mutt}@example.net"
    mail = sent([to], mutt, "-s", SUBJECT, "-a", "octets", "--", to,
                user="nina", stdin=BODY.encode())
    assert mail.sender == "bounces@example.org"
    assert mail.user == "nina"
    assert mail.params["RET"].upper() == "HDRS"
    assert mail.params["BODY"] == "8BITMIME"
    assert [r.params for r in mail.recipients] == [
        {"NOTIFY": "FAILURE,DELAY", "ORCPT": f"rfc822;{to}"}]
    assert mail["From"] == "Nina <nina@example.org>"
    assert mail["Subject"] == SUBJECT
    text, attachment = mail.message.iter_parts()
    assert text.get_payload(decode=True).decode() == BODY
    assert attachment.get_filename() == "octets"
    assert attachment.get_payload(decode=True) == octets


def test_mpack(box, sent):
    """A file in the mail, without a header of its own but a few fields."""
    octets = bytes(reversed(range(256))) * 300
    box.put("/home/nina/data.bin", octets, owner="nina")
    mail = sent(["mpack@example.net"], "mpack", "-s", "mpack", "-c",
                "application/octet-stream", "data.bin", "mpack@example.net",
                user="nina")
    assert (mail.sender, mail.user) == ("nina@example.org", "nina")
    assert mail["Subject"] == "mpack"
    assert mail["To"] == "mpack@example.net"
    assert mail["Date"] and mail["Message-ID"]
    assert [part.get_payload(decode=True) for part in mail.message.walk()
            if part.get_filename() == "data.bin"] == [octets]


def test_alpine(box, sent):
    """`-bs -odb -oem`: alpine speaks SMTP with it. It needs a terminal, and
    somebody who types Ctrl-X and `y`. (It takes no Bcc from the address that
    it is given.)"""
    box.put("/home/lab/.pinerc", """\
personal-name=Lab
user-domain=example.org
default-fcc=""
customized-hdrs=Bcc: bcc-alpine@example.net
last-version-used=6.2600
""", owner="lab")
    box.put("/usr/local/bin/typist.py", (HERE / "typist.py").read_bytes())
    body = BODY.replace("\t", "")
    url = (f"mailto:to-alpine@example.net?cc=cc-alpine@example.net"
           f"&subject={quote(SUBJECT)}&body={quote(body)}")
    mail = sent(["to-alpine@example.net", "cc-alpine@example.net",
                 "bcc-alpine@example.net"],
                "python3", "/usr/local/bin/typist.py",
                r"\x18", "Get Help", "y", "Send message?", "--",
                "alpine", "-url", url, user="lab")
    assert mail["From"] == "Lab <lab@example.org>"
    text = next(mail.message.iter_parts())
    check_header(mail, "to-alpine@example.net", "cc-alpine@example.net")
    assert text.get_content() == body
    assert b"bcc-alpine" not in mail.content


@pytest.mark.parametrize("way", ("pipe", "smtp"))
def test_nmh(box, inbox, way):
    """`-t -i` on one way, `-bs -odb -oem -om` on the other. Whom Bcc names gets
    a message of his own with the other one in it."""
    to, cc, bcc = (f"{role}-nmh-{way}@example.net" for role in
                   ("to", "cc", "bcc"))
    box.put("/home/lab/.mh_profile", "Path: Mail\n", owner="lab")
    box.put("/home/lab/Mail/draft", f"""\
From: Lab <lab@example.org>
To: Tobias <{to}>
cc: {cc}
Bcc: {bcc}
Subject: {SUBJECT}
--------
{BODY}""", owner="lab")
    box.run("/usr/bin/mh/mhbuild", "/home/lab/Mail/draft", user="lab")
    box.run("/usr/bin/mh/send", "-mts", f"sendmail/{way}",
            "/home/lab/Mail/draft", user="lab")
    mail = inbox.one(to, cc)
    check(mail, to, cc)
    assert mail["To"] == f"Tobias <{to}>"
    assert b"\ncc: " in mail.content
    blind = inbox.one(bcc)
    assert blind.sender == "lab@example.org"
    assert bcc.encode() not in blind.content
    assert BODY in blind.text


def test_emacs(box, sent):
    """message-mode: `-oi -f A -t`, with the Bcc field in the header."""
    box.put("/home/nina/send.el", f"""\
;; -*- coding: utf-8 -*-
(require 'message)
(setq user-full-name "Nina Ä."
      user-mail-address "nina@example.org"
      message-send-mail-function 'message-send-mail-with-sendmail
      mail-specify-envelope-from t
      mail-envelope-from 'header)
(message-mail "to-emacs@example.net" "{SUBJECT}"
              '((Cc . "cc-emacs@example.net")
                (Bcc . "bcc-emacs@example.net")))
(message-goto-body)
(insert-file-contents "body")
(message-send)
""", owner="nina")
    box.put("/home/nina/body", BODY, owner="nina")
    mail = sent(["to-emacs@example.net", "cc-emacs@example.net",
                 "bcc-emacs@example.net"],
                "emacs", "--batch", "--load", "send.el", user="nina")
    check(mail, "to-emacs@example.net", "cc-emacs@example.net", user="nina")
    assert "Nina Ä." in mail["From"]
    assert b"bcc-emacs" not in mail.content


@pytest.fixture(scope="module")
def series(box):
    """A repository of lab's with three commits above its first one; the last
    has a line that is too long for mail."""
    box.put("/home/lab/.gitconfig", """\
[user]
	name = Lab
	email = lab@example.org
[init]
	defaultBranch = main
[sendemail]
	smtpServer = /usr/sbin/sendmail
	confirm = never
""", owner="lab")
    box.put("/home/lab/body", BODY, owner="lab")
    box.run("sh", "-euc", """
        git init -q repository
        cd repository
        git commit -q --allow-empty -m begin
        cp ../body text
        git add text
        git commit -q -m 'text: Grüße' --author 'Änne <aenne@example.com>'
        printf '.\n' >dot
        git add dot
        git commit -q -m 'dot: a line of one'
        printf '%02000d\n' 7 >long
        git add long
        git commit -q -m 'long: a line of 2000'
    """, user="lab")
    return "/home/lab/repository"


@pytest.mark.parametrize("envelope", (None, "bounces@example.org"))
def test_git_send_email(box, inbox, series, envelope):
    """`-i R...` or `-f A -i R...`, once for each patch, with the address of
    Bcc only there; what arrives is given to `git am`."""
    name = "git-f" if envelope else "git"
    to, cc, bcc = (f"{role}-{name}@example.net" for role in
                   ("to", "cc", "bcc"))
    more = [f"--envelope-sender={envelope}"] if envelope else []
    box.run("git", "send-email", "--suppress-cc=all", f"--to={to}",
            f"--cc={cc}", f"--bcc={bcc}", *more, "-3", user="lab",
            cwd=series)
    mails = sorted(inbox.wait(to, cc, bcc, count=3),
                   key=lambda mail: mail["Subject"])
    assert [mail["Subject"] for mail in mails] == [
        "[PATCH 1/3] text: Grüße", "[PATCH 2/3] dot: a line of one",
        "[PATCH 3/3] long: a line of 2000"]
    for mail in mails:
        assert mail.sender == (envelope or "lab@example.org")
        assert mail.user == "lab"
        assert mail["From"] == "Lab <lab@example.org>"
        assert (mail["To"], mail["Cc"]) == (to, cc)
        assert bcc.encode() not in mail.content
    assert {mail["In-Reply-To"] for mail in mails[1:]} == {
        mails[0]["Message-ID"]}

    box.run("git", "clone", "-q", series, name, user="lab")
    box.run("git", "reset", "-q", "--hard", "HEAD~3", user="lab",
            cwd=f"/home/lab/{name}")
    for mail in mails:
        box.run("git", "am", "-q", user="lab", stdin=mail.content,
                cwd=f"/home/lab/{name}")
    trees = {box.run("git", "log", "--format=%T %an", user="lab",
                     cwd=where).stdout
             for where in (series, f"/home/lab/{name}")}
    assert len(trees) == 1, trees
