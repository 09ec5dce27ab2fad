"""Fixtures: certificates, scripted peers, the binary, a configuration."""

import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from certs import Certificates  # noqa: E402
from harness import (Postrider, has_sanitizers, slowness,  # noqa: E402
                     takes_part)
from peer import Peer  # noqa: E402

PASSWORD = "correct horse/battery+staple"
MESSAGE = b"""From: alice@example.org
To: bob@example.net
Subject: hello
Date: Sun, 22 Nov 2026 12:00:00 +0000
Message-ID: <1@example.org>

First line
.a dot
last line
"""

# Behind the certificates of a trust file it changes nothing, but that all of
# them are loaded: of a plain file it is the one that a chain needs.
ODD = "-----BEGIN ODD-----\n-----END ODD-----\n"


# Of the large tables a part will do where the build is slow, or where it is the
# compiler that is looked at: every so many rows.
PART = {"test_options": 4, "test_serve": 3, "test_bcc": 4, "test_replies": 3,
        "test_wrappers": 3, "test_submit": 2, "test_injection": 2,
        "test_config": 2, "test_certificates": 2, "test_flood": 2,
        "test_staple": 3, "test_pins": 2, "test_resume": 2, "test_chains": 3,
        "test_sasl": 3, "test_crash": 5, "test_power": 2, "test_disk": 4,
        "test_manage": 3, "test_mailq": 3, "test_queue": 2, "test_bounces": 3,
        "test_queue_clock": 3, "test_duplicates": 3, "test_early": 3,
        "test_turns": 3, "test_attacks": 2, "test_hostile": 2,
        "test_environment": 2, "test_socks": 2, "test_tunnel": 2,
        "test_queue_concurrent": 2}


# Of these a part is all that a build with sanitizers gets: each row is hundreds
# of runs, under a tracer.
STRUCK = {"test_crash": 3, "test_power": 2, "test_disk": 4}


def pytest_collection_modifyitems(config, items):
    parts = PART if takes_part() else STRUCK if has_sanitizers() else {}
    kept, left, seen = [], [], Counter()
    for item in items:
        table = item.module.__name__
        chosen = seen[table] % parts.get(table, 1) == 0
        seen[table] += 1
        (kept if chosen else left).append(item)
    config.hook.pytest_deselected(items=left)
    items[:] = kept


@pytest.fixture(scope="session")
def certs(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certs"))


@pytest.fixture
def rider(tmp_path):
    """The binary, with a home of its own."""
    return Postrider(tmp_path)


@pytest.fixture
def start(certs, request):
    """Starts a peer: start(faults={...}, ...).  Its arguments are Peer's; the
    certificate `cert` is a name from certs.py, and there is one user.  After
    the test the peer must have seen no violation, unless `strict=False`."""
    running = []

    def start(strict=True, cert="good", **settings):
        settings.setdefault("users", {"alice": PASSWORD})
        peer = Peer(cert=certs.chain(cert), key=certs.key(cert), **settings)
        peer.__enter__()
        running.append((peer, strict))
        return peer

    yield start
    for peer, strict in running:
        peer.settle(2)
        peer.__exit__()
        if strict:
            assert peer.violations == []


@pytest.fixture
def account(certs):
    """The text of a configuration for a peer: account(peer, partial="on").
    What is None is left out."""

    def account(peer, name="default", **settings):
        values = {
            "host": "127.0.0.1", "port": peer.port,
            "timeout": round(5 * slowness()),
            "tls": "off" if peer.tls == "none" else "on",
            "tls_starttls": "on" if peer.tls == "starttls" else "off",
            "tls_trust_file": certs.ca,
            "auth": "on" if peer.users else "off",
            "user": "alice" if peer.users else None,
            "password": f'"{PASSWORD}"' if peer.users else None,
            "from": "alice@example.org",
        }
        if peer.tls == "none":
            values.update(tls_starttls=None, tls_trust_file=None)
        if peer.unix:
            values.update(host="localhost", port=None, socket=peer.unix)
        if peer.lmtp:
            values.update(protocol="lmtp")
        values.update(settings)
        lines = [f"account {name}"]
        lines += [f"{key} {value}" for key, value in values.items()
                  if value is not None]
        return "\n".join(lines) + "\n"
    return account


@pytest.fixture
def send(rider, account):
    """Writes the configuration for the peer, runs the binary, waits until the
    peer has seen its end: send(peer, "bob@example.net", partial="on")."""

    def send(peer, *arguments, stdin=MESSAGE, settle=10, env=None, timeout=20,
             patience=None, **settings):
        if patience:    # the client's `timeout`; `timeout` here is the test's
            settings["timeout"] = patience
        rider.config(account(peer, **settings))
        result = rider.run(*arguments, stdin=stdin, env=env, timeout=timeout)
        assert settle is None or peer.settle(settle * slowness()), \
            "the peer still waits"
        return result
    return send
