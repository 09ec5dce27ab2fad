"""EHLO before the greeting (PIPECONNECT): only to a server that has proved who
it is, and has said that it takes it; and nothing is lost where it doesn't."""

import os
import stat
import time
from dataclasses import replace

import pytest

from conftest import PASSWORD
from faults import Heed, InTurn
from harness import slowness
from test_turns import OFFERS, QUIET, TURNS, all_turns

BOB = "bob@example.net"
DAY = 86400
OFFER = OFFERS["CHUNKING"] + ",PIPECONNECT"
EARLY = [["GREETING", "EHLO"]]
# To speak before the greeting: where it is to happen it may take its time.
LONG, SHORT = 3 * slowness(), 0.15 * slowness()
USUAL = {"greeting": Heed(SHORT)}


@pytest.fixture
def peer(start):
    """peer(tls, ...): one that takes it."""

    def peer(tls="implicit", **settings):
        settings = {"capabilities": OFFER, "quiet": QUIET * slowness(),
                    "faults": USUAL, **settings}
        return start(tls=tls, **settings)
    return peer


@pytest.fixture
def early(send):
    """Send a message: EHLO is early, or it is not.  early(peer, False,
    sessions=2): it takes so many to deliver it, and the last one is meant."""

    def early(peer, is_early, sessions=1, **settings):
        before = len(peer.sessions), len(peer.messages)
        if isinstance(peer.faults["greeting"], Heed):
            peer.faults["greeting"] = Heed(LONG if is_early else SHORT)
        result = send(peer, BOB, **{"pipe_connect": "on", **settings})
        assert (result.code, result.err) == (0, ""), str(result)
        assert len(peer.sessions) - before[0] == sessions
        assert len(peer.messages) - before[1] == 1
        assert (peer.session.wire.turn_log[:1] == EARLY) == is_early
    return early


def notes(rider):
    folder = rider.home / ".cache" / "postrider"
    return sorted(folder.glob("*-early")) if folder.exists() else []


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
@pytest.mark.parametrize("word", ["PIPECONNECT", "X_PIPE_CONNECT"])
def test_from_the_second_time_on(peer, early, rider, tls, word):
    """It is one turn less; and the login is still one of its own, once it is
    known what the server offers today."""
    server = peer(tls, capabilities=OFFERS["CHUNKING"] + "," + word)
    for is_early in (False, True, True):
        early(server, is_early)
    turns = [all_turns(session) for session in server.sessions]
    least = TURNS[tls, "CHUNKING", "PLAIN", 1]
    assert turns == [least, least - 1, least - 1]
    assert ["AUTH"] in server.session.wire.turn_log
    [note] = notes(rider)
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    assert note.read_bytes() == b""


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_not_unless_it_is_wished_for(peer, early, rider, tls):
    server = peer(tls)
    for _ in range(2):
        early(server, False, pipe_connect="off")
    assert notes(rider) == []
    early(server, False)
    early(server, False, pipe_connect="off")


@pytest.mark.parametrize("tls, settings", [
    ("implicit", {"tls_certcheck": "off", "tls_trust_file": None}),
    ("none", {}),
])
def test_not_where_anybody_may_have_said_so(peer, early, rider, tls, settings):
    server = peer(tls, users={})
    for _ in range(3):
        early(server, False, **settings)
    assert notes(rider) == []


@pytest.mark.parametrize("clear, secured", [(OFFER, OFFERS["CHUNKING"]),
                                            (OFFERS["CHUNKING"], OFFER)])
def test_not_where_one_side_of_tls_has_not(peer, early, clear, secured):
    """What is offered in clear may be anybody's; what is not is not to be
    used there."""
    server = peer("starttls", capabilities_clear=clear,
                  capabilities_tls=secured)
    for _ in range(3):
        early(server, False)


@pytest.mark.parametrize("settings", [
    {"tls_host_override": "mail.example.org"}, {"user": "alicia"},
    {"tls_min_version": "1.3"}])
def test_not_with_other_settings(peer, early, settings):
    """What it was said under is what it is believed for."""
    server = peer(users={"alice": PASSWORD, "alicia": PASSWORD})
    early(server, False)
    early(server, True)
    early(server, False, **settings)
    early(server, True)


def test_not_to_another_server(peer, early):
    first, second = peer(), peer()
    for is_early in (False, True):
        early(first, is_early)
        early(second, is_early)


# What has changed since.

def test_what_it_offers_is_asked_each_time(peer, early):
    server = peer()
    early(server, False)
    server.capabilities_tls = ["PIPELINING", "PIPECONNECT"]
    server.mechanisms = ("SCRAM-SHA-256",)
    early(server, True)
    assert server.messages[-1].via == "DATA"
    assert server.session.auth["mechanism"] == "SCRAM-SHA-256"


def test_it_is_no_longer_offered(peer, early, rider):
    server = peer(strict=False)
    early(server, False)
    server.capabilities_tls = ["PIPELINING"]
    early(server, True)         # and it did no harm
    assert notes(rider) == []
    early(server, False)


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
@pytest.mark.parametrize("manner", [
    InTurn(), InTurn("421 4.5.0 not now"), InTurn(None), InTurn("")],
    ids=lambda manner: f"InTurn({manner.reply!r})")
def test_it_is_not_taken(peer, early, rider, tls, manner):
    """Another session is opened, without; and it is not believed again."""
    server = peer(tls, strict=False)
    early(server, False)
    server.faults["greeting"] = replace(manner, seconds=LONG)
    early(server, False, sessions=2, patience=max(2, round(slowness())))
    failed = server.sessions[1]
    said = failed.plain if tls == "implicit" else failed.clear
    assert said.startswith(b"EHLO ") and b"AUTH" not in said
    assert set(failed.verbs) <= {"EHLO", "QUIT"}
    [note] = notes(rider)
    assert note.read_bytes() != b""
    early(server, False)
    os.utime(note, (time.time() - 8 * DAY,) * 2)
    server.faults.update(USUAL)
    early(server, False)
    early(server, True)


def test_a_server_that_is_down(peer, early, send):
    """Then nothing is learnt, and the words are the usual ones."""
    server = peer(strict=False)
    early(server, False)
    server.faults["greeting"] = "421 4.3.2 come back later"
    result = send(server, BOB, pipe_connect="on")
    assert result.code == 75
    assert "421 4.3.2 come back later" in result.err
    assert len(result.lines) == 1
    server.faults.update(USUAL)
    early(server, True)


# The notes.

@pytest.mark.parametrize("age, believed, renewed", [
    (DAY / 2, True, False), (2 * DAY, True, True), (8 * DAY, False, True),
    (-DAY, False, True)])
def test_notes_age(peer, early, rider, age, believed, renewed):
    server = peer()
    early(server, False)
    [note] = notes(rider)
    then = time.time() - age
    os.utime(note, (then, then))
    early(server, believed)
    [note] = notes(rider)
    assert (abs(note.stat().st_mtime - time.time()) < DAY / 4) == renewed


def spoil(note, way):
    if way == "link":
        target = note.with_name("elsewhere")
        note.rename(target)
        note.symlink_to(target)
    elif way == "others can write":
        note.chmod(0o666)
    elif way == "others can write to the folder":
        note.parent.chmod(0o777)
    elif way == "a folder":
        note.unlink()
        note.mkdir()


@pytest.mark.parametrize("way", [
    "link", "others can write", "others can write to the folder", "a folder"])
def test_notes_of_others(peer, early, rider, way):
    server = peer()
    early(server, False)
    [note] = notes(rider)
    spoil(note, way)
    early(server, False)


def test_nowhere_to_note_it(peer, send, early, rider):
    server = peer()
    (rider.home / ".cache").write_text("no folder")
    for _ in range(2):
        early(server, False)
