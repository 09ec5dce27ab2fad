"""A recipient whom the server refuses: the program must be told, by the exit
status or, in SMTP, by the answer; and nobody else gets the message."""

from pathlib import Path

import pytest

from inbox import REFUSED

HERE = Path(__file__).parent

DRAFT = f"""\
From: lab@example.org
To: {REFUSED}
Cc: NAME@example.net
Subject: s
--------
text
"""
MESSAGE = DRAFT.replace("--------", "")

# {other} is the recipient whom the server would take.
CALLS = {
    "s-nail": ("s-nail", "-S", "sendwait", "-s", "s", REFUSED, "{other}"),
    "mailutils": ("mail.mailutils", "-s", "s", REFUSED, "{other}"),
    "mutt": ("mutt", "-s", "s", "--", REFUSED, "{other}"),
    "neomutt": ("neomutt", "-s", "s", "--", REFUSED, "{other}"),
    "mblaze": ("sh", "-c", f"cat >text; mcom -send {REFUSED} {{other}} -from "
               "lab@example.org -subject s -body text"),
    "nmh-pipe": ("/usr/bin/mh/send", "-mts", "sendmail/pipe",
                 "/home/lab/Mail/draft"),
    "nmh-smtp": ("/usr/bin/mh/send", "-mts", "sendmail/smtp",
                 "/home/lab/Mail/draft"),
    "git": ("git", "send-email", "--smtp-server=/usr/sbin/sendmail",
            "--from=lab@example.org", "--confirm=never", "--suppress-cc=all",
            "--quiet", f"--to={REFUSED}", "--cc={other}", "patch"),
    "emacs": ("emacs", "--batch", "--eval", f"""(progn
        (require 'message)
        (setq user-mail-address "lab@example.org"
              message-interactive t
              message-send-mail-function
              'message-send-mail-with-sendmail)
        (message-mail "{REFUSED}, {{other}}" "s")
        (message-send))"""),
    "php": ("php", "-r", f"exit(mail('{REFUSED},{{other}}', 's', 'b')"
            " ? 0 : 1);"),
    "perl": ("perl", "-MEmail::Sender::Simple=sendmail", "-MEmail::Simple",
             "-MEmail::Sender::Transport::Sendmail", "-e",
             "local $/; sendmail(Email::Simple->new(<STDIN>), {{ transport =>"
             " Email::Sender::Transport::Sendmail->new }});"),
    "ruby": ("ruby", "-rmail", "-e",
             "mail = Mail.new(STDIN.read); mail.delivery_method(:sendmail); "
             "mail.deliver!"),
}

# These do not look at the exit status; what it says is all that is left.
DEAF = ("nmh-pipe", "ruby")


@pytest.mark.parametrize("name", CALLS)
def test_is_told(box, inbox, name):
    other = f"other-{name}@example.net"
    box.put("/home/lab/.mh_profile", "Path: Mail\n", owner="lab")
    box.put("/home/lab/Mail/draft", DRAFT.replace("NAME", f"other-{name}"),
            owner="lab")
    box.put("/home/lab/patch", "From 0 Mon Sep 17 00:00:00 2001\n"
            + MESSAGE.replace("Cc: NAME@example.net\n", ""), owner="lab")
    done = box.run(*(word.format(other=other) for word in CALLS[name]),
                   user="lab", check=False, stdin=MESSAGE.replace(
                       "NAME", f"other-{name}").encode())
    said = done.stdout + done.stderr
    if name in DEAF:
        assert b"no such user there" in said
    else:
        assert done.returncode != 0, said
    inbox.none(other)


def test_alpine(box, inbox):
    """It says so, and the message is still there to be changed."""
    box.put("/home/nina/.pinerc", """\
user-domain=example.org
default-fcc=""
last-version-used=6.2600
""", owner="nina")
    box.put("/usr/local/bin/typist.py", (HERE / "typist.py").read_bytes())
    box.run("python3", "/usr/local/bin/typist.py", r"\x18", "Get Help",
            "y", "Send message?", r"\x03", "Mail not sent",
            "c", "onfirm", "--", "alpine", "-url",
            f"mailto:{REFUSED}?cc=other-alpine@example.net&subject=s&body=b",
            user="nina")
    inbox.none("other-alpine@example.net")
