"""postrider as its users run it: an account, arguments, a message."""

import re
import subprocess

from mailconfig import IMPLICIT
from harness import Postrider, binary, slowness, wrapper


class Session:
    """What Postfix says of one connection when it has ended."""

    def __init__(self, line):
        self.line = line
        self.counts = {}
        for name, good in re.findall(r"(\w+)=(\d+)", line):
            self.counts[name] = int(good)

    def __getitem__(self, name):
        """How many such commands it answered with yes."""
        return self.counts.get(name, 0)

    def __contains__(self, name):
        """Was there such a command at all?"""
        return name in self.counts

    def __repr__(self):
        return self.line


class Client(Postrider):
    """The program with a home of its own, against one mail system."""

    def __init__(self, directory, mail):
        super().__init__(directory)
        self.mail = mail
        self.log_start = 0

    def settings(self, server="submission", **changes):
        """Alice's account at one of Postfix's services.

        None takes a setting out; from_ stands for from.
        """
        at = self.mail.server(server)
        wanted = {
            "host": at.host, "port": at.port, "tls": "on",
            "tls_starttls": "off" if server in IMPLICIT else "on",
            "tls_trust_file": self.mail.ca,
            "auth": "on", "user": "alice", "password": "secret",
            "from": "alice@example.org", "domain": "client.example.org",
            "timeout": 30,
        }
        wanted.update((k.rstrip("_"), v) for k, v in changes.items())
        return {k: v for k, v in wanted.items() if v is not None}

    def account(self, server="submission", **changes):
        """The path of a configuration with that account."""
        rows = self.settings(server, **changes).items()
        return self.config(
            "account default\n" + "".join("%s %s\n" % row for row in rows),
            name="account")

    def run(self, *arguments, **more):
        """As in the harness; session() then tells of its connection."""
        self.log_start = self.mail.log_size()
        more.setdefault("timeout", 60)
        return super().run(*arguments, **more)

    def send(self, raw, *recipients, server="submission", args=(),
             **changes):
        """Submit RAW; recipients without @ are of example.org."""
        return self.run("-C", self.account(server, **changes), "-i", *args,
                        "--", *map(full, recipients), stdin=raw)

    def start(self, *arguments, stdin=subprocess.PIPE):
        """Only begin a run, for tests that do two things at once."""
        return subprocess.Popen(
            wrapper() + [binary(), *map(str, arguments)], stdin=stdin,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=self.environment(), cwd="/")

    def session(self):
        """What Postfix says of the connection that run() made."""
        return Session(self.mail.wait_log(
            r"smtpd\[(\d+)\]: connect from (?:.*\n)+?"
            r".*smtpd\[\1\]: (disconnect from .*)",
            self.log_start).group(2))

    def nothing_sent(self):
        """No message was begun in that connection, nor is one queued."""
        session = self.session()
        assert session["data"] == session["bdat"] == 0, session
        with open(self.mail.log) as f:
            f.seek(self.log_start)
            text = f.read()
        # Of an earlier one it may be told only now.
        for name in re.findall(r"smtpd\[\d+\]: (\w+): client=", text):
            assert not re.search(r": %s: .*\(queue active\)" % name, text)


def ended(process):
    """Exit code, standard output and standard error of what start() began."""
    out, err = process.communicate(timeout=60 * slowness())
    return process.returncode, out, err


def full(address):
    return address if "@" in address else address + "@example.org"
