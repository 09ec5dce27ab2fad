"""What a system does by itself: jobs, watchers, filters. They send to local
names mostly, which /etc/aliases and maildomain turn into addresses (see
conftest.py), and none but lab and nina have a configuration of their own."""

import pytest

from jobs import COMMAND, OUTPUT as BODY

def test_newaliases(box):
    """What packages run when they have added to /etc/aliases."""
    done = box.run("newaliases")
    assert done.stderr == b""


# -------------------------------------------------------------------- jobs

@pytest.mark.parametrize("user, known_as", (("ada", None), ("lab", "lab")))
def test_at(box, sent, user, known_as):
    """`-i USER`, with atd's HOME, /root, under the user's id: ada has the
    system's configuration, and lab the one in the home that HOME hides."""
    box.put(f"/home/{user}/output", BODY, owner=user)
    mail = sent([f"{user}@example.org"], "at", "now", user=user,
                stdin=b"cat output\n")
    assert mail.sender == f"{user}@example.org"
    assert mail.user == known_as
    assert mail["Subject"].startswith("Output from your job ")
    assert mail["To"] == user
    assert f"{user}@example.org" in mail["From"]
    assert mail["Date"] and mail["Message-ID"]
    assert mail.text == BODY


def test_anacron(box, sent):
    """`-FAnacron -odi R`"""
    box.put("/root/output", BODY)
    to = "anacron@example.net"
    box.put("/root/anacrontab", f"SHELL=/bin/sh\nMAILTO={to}\n"
            "1 0 tägliche-arbeit cat /root/output\n")
    mail = sent([to], "anacron", "-d", "-f", "-n", "-s", "-t",
                "/root/anacrontab", "-S", "/var/spool/anacron")
    assert mail.sender == "root@example.org"
    assert mail["From"] == "Anacron <root>"
    assert mail["To"] == to
    assert mail["Subject"] == ("Anacron job 'tägliche-arbeit' on "
                               "box.example.net")
    assert mail.text == BODY


def test_sudo(box, inbox):
    """`-t`, from /, and it does not wait to see what became of that."""
    box.put("/etc/sudoers.d/otto", "Defaults mail_always\n"
            "Defaults mailto=\"sudo-admin@example.net\"\n"
            "otto ALL = (root) NOPASSWD: /usr/bin/id\n", mode="440")
    box.run("sudo", "-n", "/usr/bin/id", "-u", user="otto")
    # One when the command begins, and one when it has ended.
    for mail in inbox.wait("sudo-admin@example.net", count=2):
        assert mail.sender == "otto@example.org"
        assert mail["From"] == "otto"
        assert mail["Subject"] == ("*** SECURITY information for "
                                   "box.example.net ***")
        assert mail["To"] == "sudo-admin@example.net"
        assert "COMMAND=/usr/bin/id -u" in mail.text


# ---------------------------------------------------------------- watchers

def test_logwatch(box, sent):
    """`-t`, with an address in no field but To."""
    box.put("/var/log/auth.log", "Nov 22 10:00:00 box sudo:     otto : "
            "TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/grüße\n")
    mail = sent(["watch@example.net"], "logwatch", "--output", "mail",
                "--mailto", "watch@example.net", "--service", "sudo",
                "--range", "all", "--detail", "high")
    assert mail.sender == "root@example.org"
    assert mail["To"] == "watch@example.net"
    assert mail["From"] == "root"
    assert mail["Subject"].startswith("Logwatch for box")
    assert "/usr/bin/grüße" in mail.text


def test_logcheck(box, sent):
    """mime-construct calls it, `-oi R`, for a user without a shell."""
    line = "Nov 22 10:00:00 box kernel: Grüße vom Kern\n"
    box.put("/var/lib/logcheck/log", line, owner="logcheck")
    box.put("/etc/logcheck/logcheck.logfiles", "/var/lib/logcheck/log\n")
    box.run("sh", "-euc", """
        rm -f /etc/logcheck/logcheck.logfiles.d/*
        install -d -o logcheck /run/lock/logcheck
    """)
    mail = sent(["logs@example.net"], "/usr/sbin/logcheck", user="logcheck")
    assert mail.sender == "logcheck@example.org"
    assert mail["To"] == "logcheck"
    assert "System Events" in mail["Subject"]
    assert line in mail.text


@pytest.mark.parametrize("mailer", ("", "/usr/share/smartmontools/"
                                    "smartd-runner"), ids=("mail", "runner"))
def test_smartd(sent, mailer):
    """What smartd starts when a disk fails, with the variables that it sets:
    its warning script, which calls `mail`. (There is no disk to fail.)"""
    to = "disk-runner@example.net" if mailer else "disk-mail@example.net"
    mail = sent([to], "/usr/share/smartmontools/smartd_warning.sh", env={
        "SMARTD_MAILER": mailer, "SMARTD_ADDRESS": to,
        "SMARTD_MESSAGE": "Device: /dev/sda [SAT], FAILED SMART self-check. "
        "BACK UP DATA NOW!",
        "SMARTD_FAILTYPE": "Health", "SMARTD_TFIRST": "",
        "SMARTD_PREVCNT": "0", "SMARTD_NEXTDAYS": "1",
        "SMARTD_DEVICEINFO": "Größe [4.00 TB], S/N:1", "LANG": "C"})
    assert mail.sender == "root@example.org"
    assert mail["To"] == to
    assert mail["Subject"] == "SMART error (Health) detected on host: box"
    assert "\nDevice: /dev/sda [SAT], FAILED SMART self-check." in mail.text
    assert "Größe [4.00 TB]" in mail.text
    assert mail.text.endswith("in 24 hours if the problem persists.\n")


JAIL = """\
[DEFAULT]
dbfile = None
[probe]
enabled = true
backend = polling
filter =
failregex = ^refused <HOST>$
logpath = /var/log/probe.log
maxretry = 3
banaction = dummy
action = sendmail[name=Grüße, dest=wachhund, sender=fail2ban]
"""


def test_fail2ban(box, inbox):
    """`-f fail2ban R`, the last line without its end, as the server says it:
    when it starts, bans, and stops."""
    box.put("/etc/fail2ban/jail.local", JAIL)
    box.put("/etc/fail2ban/jail.d/defaults-debian.conf", "")
    box.put("/var/log/probe.log", "")
    to = ["ban@example.net", "otto@example.org"]      # by the aliases
    try:
        box.run("fail2ban-client", "start")
        box.run("fail2ban-client", "set", "probe", "banip", "192.0.2.7")
        inbox.wait(*to, count=2)
    finally:
        box.run("fail2ban-client", "stop", check=False)
    found = {mail["Subject"]: mail for mail in inbox.wait(*to, count=3)}
    start = "[Fail2Ban] Grüße: started on box.example.net"
    banned = "[Fail2Ban] Grüße: banned 192.0.2.7 from box.example.net"
    stopped = "[Fail2Ban] Grüße: stopped on box.example.net"
    assert set(found) == {start, banned, stopped}
    for mail in found.values():
        assert mail.sender == "fail2ban@example.org"
        assert mail["From"] == "Fail2Ban <fail2ban>"
        assert mail["To"] == "wachhund"
        assert mail["Date"] and mail["Message-ID"]
        assert mail.text.startswith("Hi,\n")
        assert mail.text.rstrip("\n").endswith("Regards,\n\nFail2Ban")
    assert "\nThe IP 192.0.2.7 has just been banned" in found[banned].text


# ----------------------------------------------------------------- filters

ARRIVED = f"""\
Return-Path: <writer@example.com>
Received: from a.example.com by b.example.com; Sun, 22 Nov 2026 12:00:00 +0000
From: Writer <writer@example.com>
To: USER@example.org
Subject: Gr=?utf-8?Q?=C3=BC?=sse
Date: Sun, 22 Nov 2026 12:00:00 +0000
Message-ID: <1@example.com>

{BODY}"""


def test_vacation(box, sent):
    """`-f ada -- R`: the sender has no domain, and it does not wait."""
    box.put("/home/ada/.vacation.msg",
            f"Subject: =?utf-8?Q?Bin_weg_=E2=82=AC?=\n\n{BODY}", owner="ada")
    box.run("vacation", "-I", user="ada")
    mail = sent(["writer@example.com"], "vacation", "ada", user="ada",
                stdin=("From writer@example.com Sun Nov 22 12:00:00 2026\n"
                       + ARRIVED.replace("USER", "ada")).encode())
    assert mail.sender == "ada@example.org"
    assert mail["Subject"] == "Bin weg €"
    assert mail["To"] == "writer@example.com"
    assert mail["From"] == "ada@example.org"
    assert mail.text == BODY


def test_procmail(box, inbox):
    """`-oi R` for a message that arrived, which goes on as it is; and `-oi
    -t` for an answer that formail made."""
    box.put("/home/otto/.procmailrc", """\
DEFAULT=/dev/null
:0 c
! forward@example.net

:0 h
| formail -r -A 'X-Loop: otto@example.org' | $SENDMAIL -oi -t
""", owner="otto")
    arrived = ARRIVED.replace("USER", "otto").replace(
        "writer@", "procmail@").encode()
    box.run("procmail", user="otto", stdin=arrived)
    mail = inbox.one("forward@example.net")
    assert mail.sender == "otto@example.org"
    assert mail.message.keys() == [
        "Return-Path", "Received", "From", "To", "Subject", "Date",
        "Message-ID"]
    assert mail["From"] == "Writer <procmail@example.com>"
    assert mail["Message-ID"] == "<1@example.com>"
    assert mail.text == BODY + "\n"     # procmail's, for mboxes
    answer = inbox.one("procmail@example.com")
    assert answer.sender == "otto@example.org"
    assert answer["X-Loop"] == "otto@example.org"
    assert answer["References"] == "<1@example.com>"


# -------------------------------------------------------------------- cron

CRON = (
    # user, whom cron tells, who logged in for that, the field To
    ("root", ["admin@example.net"], None, "root"),
    ("carla", ["carla@example.org"], None, "carla"),
    ("nina", ["remote@example.net"], "nina", "remote@example.net"),
    ("otto", ["cron-a@example.net", "wache@example.net"], None,
     "cron-a@example.net,wache"),
)


@pytest.mark.parametrize("user, to, known_as, field", CRON,
                         ids=[row[0] for row in CRON])
def test_cron(box, inbox, user, to, known_as, field):
    """`-FCronDaemon -i -B8BITMIME -oem R`, with raw UTF-8 in the Subject and
    in the body. (It may tell again in the next minute, and root has mail by
    others.)"""
    mail = inbox.wait(*to, seconds=70, subject="Cron ")[0]
    assert mail.user == known_as
    check_cron(mail, user, field, COMMAND)


def check_cron(mail, user, field, command):
    assert mail.sender == f"{user}@example.org"
    assert mail.params["BODY"] == "8BITMIME"
    assert mail["From"] == "root (Cron Daemon)"
    assert mail["To"] == field
    assert mail["Subject"] == f"Cron <{user}@box> {command}"
    assert mail["Date"] and mail["Message-ID"]
    assert f"<LOGNAME={user}>" in mail.fields.get_all("X-Cron-Env")
    assert mail.text == BODY


def test_system_crontab(box, inbox):
    """One of those in /etc/cron.d, for a user without a home of its own."""
    mail = inbox.wait("wache@example.net", seconds=70)[0]
    check_cron(mail, "daemon", "wache", "cat /srv/output # daemon")


def test_cron_tells_nobody(box, inbox):
    """With MAILTO="" it calls nothing."""
    inbox.wait("carla@example.org", seconds=70)
    assert box.run("ls", "/home/eva/it-ran")
    assert inbox.find("eva@example.org") == []
