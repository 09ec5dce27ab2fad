"""The same programs and a server that takes 7-bit text alone: what they write
in eight bits is encoded on the way, with MIME fields if they wrote none. (The
peer calls an octet over 127 a violation, which fails the test.)"""

import pytest

from jobs import OUTPUT as BODY

SUBJECT = "Grüße — 100 €"

CALLS = {
    # {to} is the address.
    "mutt": ("mutt", "-s", SUBJECT, "--", "{to}"),
    "bsd-mailx": ("bsd-mailx", "-s", SUBJECT, "{to}"),
    "php": ("php", "-r", "mail('{to}', '" + SUBJECT + "', "
            "stream_get_contents(STDIN), 'X-Probe: 1') || exit(1);"),
    "sendmail": ("sh", "-c", "(printf 'To: {to}\nSubject: " + SUBJECT +
                 "\n\n'; cat) | /usr/sbin/sendmail -t -i"),
}


@pytest.mark.parametrize("name", CALLS)
def test_is_encoded(box, old_inbox, name):
    to = f"old-{name}@example.net"
    box.run(*(word.format(to=to) for word in CALLS[name]), user="zoe",
            stdin=BODY.encode())
    mail = old_inbox.one(to)
    assert (mail.sender, mail.user) == ("zoe@example.org", "zoe")
    assert mail.params == {}
    assert mail.content.isascii()
    assert mail["Subject"] == SUBJECT
    assert mail["MIME-Version"] == "1.0"
    assert mail.message.get_content_charset() == "utf-8"
    assert mail.text == BODY + ("\n" if name == "php" else "")


def test_at(box, old_inbox):
    """Its message has no MIME fields, and it is sent by atd's child."""
    box.put("/home/zoe/output", BODY, owner="zoe")
    box.run("at", "now", user="zoe", stdin=b"cat output\n")
    mail = old_inbox.one("zoe@example.org")
    assert mail.content.isascii()
    assert mail.message.get_content_charset() == "utf-8"
    assert mail["To"] == "zoe"
    assert mail["Subject"].startswith("Output from your job ")
    assert mail.text == BODY
