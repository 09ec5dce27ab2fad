"""What arrived at the peer, found by its recipients.

Every test sends to addresses of its own, so that jobs that run beside it
(cron's) do not come between.
"""

import email
import time
from email.headerregistry import HeaderRegistry
from email.policy import EmailPolicy, default

from harness import slowness

# Whom the peer does not take.
REFUSED = "refused@example.net"

# Decodes encoded words and leaves the rest of a field as it is.
TEXT = EmailPolicy(header_factory=HeaderRegistry(use_default_map=False))


class Mail:
    """One message with its envelope."""

    def __init__(self, session, transaction):
        self.sender = transaction.sender.decode()
        self.to = transaction.delivered
        self.params = transaction.params        # of MAIL
        self.recipients = transaction.recipients
        self.user = session.auth["user"] if session.auth else None
        self.secure = session.wire.secure
        self.violations = session.violations
        self.content = transaction.content.replace(b"\r\n", b"\n")
        self.message = email.message_from_bytes(self.content, policy=default)
        self.fields = email.message_from_bytes(self.content, policy=TEXT)

    def __getitem__(self, name):
        """The one field of that name, decoded, or None."""
        found = self.fields.get_all(name, [])
        assert len(found) < 2, f"{len(found)} fields {name}\n{self}"
        return found[0] if found else None

    def addresses(self, name):
        """The addresses in that field."""
        return [address.addr_spec for field in
                self.message.get_all(name, []) for address in field.addresses]

    @property
    def octets(self):
        """The body without its encoding."""
        raw = email.message_from_bytes(self.content)
        return raw.get_payload(decode=True)

    @property
    def text(self):
        return self.octets.decode("utf-8").replace("\r\n", "\n")

    def __repr__(self):
        return (f"from <{self.sender}> to {self.to} as {self.user}\n"
                + self.content.decode("utf-8", "replace"))


class Inbox:
    def __init__(self, peer):
        self.peer = peer

    def find(self, *to, subject=""):
        """All that went to exactly these, in any order, and whose subject
        begins like that."""
        found = [Mail(session, transaction)
                 for session in list(self.peer.sessions)
                 for transaction in list(session.transactions)
                 if transaction.delivered
                 and sorted(transaction.delivered) == sorted(to)]
        return [mail for mail in found
                if (mail["Subject"] or "").startswith(subject)]

    def wait(self, *to, count=1, seconds=20, subject=""):
        """So many messages that went to exactly these, each by the rules of
        the protocol, over TLS, and without a Bcc field."""
        end = time.monotonic() + seconds * slowness()
        while len(found := self.find(*to, subject=subject)) < count:
            assert time.monotonic() < end, (
                f"{len(found)} messages to {to}; others went to "
                f"{[t.delivered for t in self.peer.messages]}")
            time.sleep(0.05)
        for mail in found:
            assert mail.violations == [], f"{mail.violations}\n{mail}"
            assert mail.secure, mail
            names = [name.lower() for name in mail.message.keys()]
            assert "bcc" not in names, mail
        return found

    def one(self, *to, seconds=20):
        """The only message that went to these."""
        found = self.wait(*to, seconds=seconds)
        assert len(found) == 1, "\n\n".join(map(str, found))
        return found[0]

    def none(self, *to):
        """Nobody of these got anything."""
        self.peer.settle()
        got = {a for t in self.peer.messages for a in t.delivered}
        assert not got & set(to), got
