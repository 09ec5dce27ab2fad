"""One server and one configuration for many short runs of the program."""

from peer import Peer
from quick import Quick

SENDER = "alice@example.org"


class Post:
    """A server of one kind, and the program that sends to it."""

    def __init__(self, directory, way, **settings):
        self.way = way
        raw = settings.get("reencode") == "off"
        self.peer = Peer(tls="none", unix=str(directory / "socket"),
                         raw_header=raw, capabilities=[
                             "PIPELINING", "SIZE 50000000", *way.offers])
        self.settings = settings
        self.quick = Quick(directory, "account default\n" + "".join(
            f"{k} {v}\n" for k, v in {
                "host": "localhost", "socket": self.peer.unix, "tls": "off",
                "auth": "off", "timeout": 60, "from": SENDER,
                "domain": "client.example.org", **settings}.items()))

    def __enter__(self):
        self.peer.__enter__()
        return self

    def __exit__(self, *_):
        self.peer.__exit__()
        self.quick.close()

    def send(self, message):
        """Exit code, words, what arrived."""
        self.peer.sessions.clear()
        self.peer.messages.clear()
        code, said, _ = self.quick.run(
            [*message.args, "--", *message.to], message.raw)
        assert self.peer.settle(60), "the peer still waits"
        return code, said, list(self.peer.messages)
