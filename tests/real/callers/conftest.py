"""Fixtures: the peer, and the Debian beside it whose programs send to it."""

import os
import re
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = HERE.parent.parent
sys.path[:0] = [str(HERE), str(TESTS), str(TESTS / "run")]

from certs import Certificates  # noqa: E402
from harness import binary  # noqa: E402
from inbox import REFUSED, Inbox  # noqa: E402
from jobs import start_jobs  # noqa: E402
from machine import POSTRIDER, Machine, StartError  # noqa: E402
from peer import Peer  # noqa: E402

PASSWORD = "correct horse"
CA = "/usr/local/share/ca-certificates/peer.pem"

# For everyone who has no configuration: a relay that asks for no password.
SYSTEM = """\
account default
host localhost
port {port}
tls_trust_file {ca}
maildomain example.org
auto_from on
"""

# A user's own. The system's counts as well, so this hides its account.
OWN = """\
account default
host localhost
port {port}
tls_trust_file {ca}
user {user}
password "{password}"
from {user}@example.org
maildomain example.org
"""

ALIASES = """\
# Where the mail of the machine goes.
root:		admin@example.net
logcheck:	logs@example.net
raid:		raid@example.net
quota:		quota@example.net
upgrades:	upgrades@example.net
wache:		wache@example.net
wachhund:	ban@example.net,
		\\otto
"""

# With a configuration of their own, zoe's for an old server; then those who
# have the system's.
WITH_OWN = ("lab", "nina", "zoe")
WITHOUT = ("ada", "carla", "eva", "otto")


def what_is_missing():
    if os.geteuid() != 0:
        return "namespaces and chroot need root; run this with sudo"
    try:
        binary()
    except RuntimeError as error:
        return str(error)
    return None


@pytest.fixture(scope="session")
def certs(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certs"))


@pytest.fixture(scope="session")
def peer(certs):
    """Offers a login and does not insist on it; refuses one recipient."""
    with Peer(cert=certs.chain("good"), key=certs.key("good"),
              users={name: PASSWORD for name in WITH_OWN},
              refuse={REFUSED: "550 5.1.1 no such user there"},
              require_auth=False) as peer:
        yield peer


@pytest.fixture(scope="session")
def old_peer(certs):
    """Knows nothing but a login: neither 8BITMIME nor SIZE nor DSN."""
    with Peer(cert=certs.chain("good"), key=certs.key("good"),
              users={"zoe": PASSWORD}, capabilities="") as peer:
        yield peer


@pytest.fixture(scope="session")
def inbox(peer):
    return Inbox(peer)


@pytest.fixture(scope="session")
def old_inbox(old_peer):
    return Inbox(old_peer)


@pytest.fixture(scope="session")
def box(peer, old_peer, certs, tmp_path_factory, pytestconfig):
    """The machine, configured, with its users; cron and atd are running."""
    missing = what_is_missing()
    if missing:
        pytest.exit(f"tests/real/callers: {missing}", returncode=1)
    machine = Machine(tmp_path_factory.mktemp("machine"))
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    try:
        with capture.global_and_fixture_disabled():     # it can take a while
            machine.start()
        configure(machine, peer, old_peer, Path(certs.ca).read_bytes())
        start_jobs(machine)
        yield machine
    except StartError as error:
        pytest.exit(f"tests/real/callers: {error}", returncode=1)
    finally:
        machine.stop()


def system_configuration(machine):
    """Its path, as the binary tells it."""
    told = machine.run(POSTRIDER, "--version").stdout.decode()
    return re.search(r"^system configuration: (.*)$", told, re.M).group(1)


def configure(machine, peer, old_peer, ca):
    machine.put(CA, ca)
    machine.put("/etc/aliases", ALIASES)
    machine.put(system_configuration(machine),
                SYSTEM.format(port=peer.port, ca=CA))
    for user in WITH_OWN + WITHOUT:
        machine.add_user(user)
    for user in WITH_OWN:
        port = (old_peer if user == "zoe" else peer).port
        machine.put(f"/home/{user}/.postriderrc",
                    OWN.format(port=port, ca=CA, user=user,
                               password=PASSWORD),
                    owner=user, mode="600")


@pytest.fixture
def sent(box, inbox):
    """Runs a program there and returns the one message that it made:
    sent(["bob@example.net"], "mutt", ..., stdin=b"...")."""

    def sent(to, *argv, **how):
        done = box.run(*argv, **how)
        try:
            return inbox.one(*to)
        except AssertionError as error:
            raise AssertionError(
                f"{error}\nit said: {done.stdout.decode(errors='replace')}"
                f"{done.stderr.decode(errors='replace')}") from None

    return sent
