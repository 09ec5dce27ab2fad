"""Programs that cannot run here: what they pass, octet by octet, and why they
can't. Read in the sources of Debian 12's packages; the strings between the
format's words are examples."""

import pytest

MDADM = """\
From: mdadm monitoring <root@box.example.net>
To: raid
Subject: DegradedArray event on /dev/md0:box.example.net

This is an automatically generated mail message from mdadm
running on box.example.net

A DegradedArray event had been detected on md device /dev/md0.

It could be related to component device /dev/sda1.

Faithfully yours, etc.

P.S. The /proc/mdstat file currently contains the following:

Personalities : [raid1]
md0 : active raid1 sda1[0](F) sdb1[1]
      1046528 blocks super 1.2 [2/1] [_U]

unused devices: <none>
"""

WARNQUOTA = """\
From: quota-admin@example.org
Reply-To: hilfe@example.org
Subject: Über der Grenze
To: ada
Cc: quota
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Disposition: inline
Content-Transfer-Encoding: 8bit

Grüße. Du überschreitest Deine Grenze auf:

/home (/dev/vda1)

                        Block limits               File limits
Filesystem           used    soft    hard  grace    used  soft  hard  grace
/dev/vda1       +-     40      20      50  6days       5     0     0
"""

UNATTENDED = """\
Subject: [package updates available, reboot required] =?utf-8?b?w5xiZXI=?=
From: root
To: upgrades
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

Unattended upgrade result: All upgrades installed

Packages that were upgraded:
 libc6 gr=C3=BC=C3=9Fe=20

"""

BTS = """\
From: Lab <lab@example.org>
To: control@bugs.example.net
Cc: bts-copy@example.net
X-Debbugs-No-Ack: Yes
Subject: tagging 1000000
Date: Sun, 22 Nov 2026 12:00:00 +0000
User-Agent: devscripts bts/2.23.4+deb12u2
Message-ID: <1795348800-1234-bts-lab@example.org>

# Automatically generated email from bts, devscripts version 2.23.4+deb12u2
tags 1000000 + patch
thanks

"""

# What is called, by whom, with which message, and who gets it.
CALLS = {
    # Needs the kernel's RAID with an array. By popen(), so through a shell.
    "mdadm": (("sh", "-c", "/usr/sbin/sendmail -t"), "root", MDADM,
              ["raid@example.net"]),
    # Needs a file system with quotas on it.
    "warnquota": (("/usr/lib/sendmail", "-t"), "root", WARNQUOTA,
                  ["ada@example.org", "quota@example.net"]),
    # Needs upgrades to install, and a mirror to get them from.
    "unattended-upgrade": (("/usr/sbin/sendmail", "-oi", "-t"), "root",
                           UNATTENDED, ["upgrades@example.net"]),
    # Asks bugs.debian.org about the bug first.
    "bts": (("/usr/sbin/sendmail", "-t"), "lab", BTS,
            ["control@bugs.example.net", "bts-copy@example.net"]),
}


@pytest.mark.parametrize("name", CALLS)
def test_replay(sent, name):
    argv, user, given, to = CALLS[name]
    mail = sent(to, *argv, user=user, stdin=given.encode())
    # By the account, which does not ask whom the message is from.
    assert mail.sender == f"{user}@example.org"
    header, _, body = given.partition("\n\n")
    for line in header.split("\n"):
        field, _, value = line.partition(": ")
        if field == "Subject" and name == "unattended-upgrade":
            value = "[package updates available, reboot required] Über"
        assert mail[field] == value
    assert mail["Date"] and mail["Message-ID"]
    assert mail.content.partition(b"\n\n")[2].decode() == body
