"""Every message of the corpus to every kind of server.

What must become of each, arrival.py says.  One test is one kind of server and
a slice of the messages; what is wrong with any of them is told together.

    POSTRIDER_CORPUS=tree/deep pytest tests/run/test_corpus.py

runs only messages whose names begin so.  A kind of server that differs from
another only in what a message has no use for gets every fourth of these, and
all of them with POSTRIDER_TABLES=whole (`./bootstrap check --all`).  A build
with sanitizers takes eight times as long to start: it gets every twelfth of
those to which the difference matters, or then every fourth.
"""

import itertools
import os

import pytest

from arrival import OFFERS, Way, Wrong, check, expect, intake
from corpus import CORPUS
from harness import has_sanitizers, takes_part
from post import SENDER, Post

DATAERR = 65
SLICES = 2
WAYS = [Way(offers) for n in range(len(OFFERS) + 1)
        for offers in itertools.combinations(OFFERS, n)]
CHOSEN = [m for m in CORPUS
          if m.name.startswith(os.environ.get("POSTRIDER_CORPUS", ""))]


def title(way):
    return "+".join(name for name in OFFERS if name in way.offers) or "bare"


def is_of_use(message, way):
    """Does each offer matter to the message?  By BDAT without BINARYMIME goes
    what goes by DATA; every fourth of these will do."""
    _, body = intake(message.raw)
    if "SMTPUTF8" in way.offers and not message.utf8:
        return False
    if "8BITMIME" in way.offers and body.isascii():
        return False
    if "BINARYMIME" in way.offers:
        return way.binary and not Way("").fits(body)
    return not way.chunking or CORPUS.index(message) % 4 == 0


def judge(post, message):
    """Raises Wrong unless all is well with it."""
    code, said, arrived = post.send(message)
    if post.peer.violations:
        raise Wrong(f"violations: {post.peer.violations}")
    refusals = expect(message, post.way)
    if refusals:
        if code != DATAERR or arrived:
            raise Wrong(f"exit {code}, not refused: {said}")
        if any("MAIL" in s.verbs for s in post.peer.sessions):
            raise Wrong("MAIL was sent")
        if len(said.splitlines()) != 1:
            raise Wrong(f"not one line: {said}")
        if not any(word in said for word in refusals.values()):
            raise Wrong(f"{said!r} for {refusals}")
        return
    if code != 0 or said:
        raise Wrong(f"exit {code}: {said}")
    if len(arrived) != 1:
        raise Wrong(f"{len(arrived)} arrived")
    [got] = arrived
    reach = message.to if message.reach is None else message.reach
    if got.delivered != list(reach):
        raise Wrong(f"for {got.delivered}, not {list(reach)}")
    sender = SENDER if message.sender is None else message.sender
    if got.sender.decode() != sender:
        raise Wrong(f"from {got.sender!r}")
    check(message, post.way, got.content, got.params, got.via)


def all_wrong(post, messages):
    found = []
    for message in messages:
        try:
            judge(post, message)
        except (Wrong, AssertionError, ValueError) as error:
            found.append(f"{message.name}: {error}")
    return found


@pytest.mark.parametrize("part", range(SLICES))
@pytest.mark.parametrize("way", WAYS, ids=title)
def test_corpus(tmp_path, way, part):
    messages = [m for m in CHOSEN[part::SLICES] if not m.settings]
    turn = WAYS.index(way) % 4
    if takes_part() or has_sanitizers():
        every = 12 if takes_part() else 4
        messages = [m for m in messages if is_of_use(m, way)][turn::every]
    elif os.environ.get("POSTRIDER_TABLES") != "whole":
        messages = [m for n, m in enumerate(messages)
                    if n % 4 == turn or is_of_use(m, way)]
    with Post(tmp_path, way) as post:
        found = all_wrong(post, messages)
    assert not found, f"{len(found)} of {len(messages)}:\n" + "\n".join(found)


@pytest.mark.parametrize("way", WAYS, ids=title)
def test_signed_parts_with_reencode_on(tmp_path, way):
    messages = [m for m in CHOSEN if m.settings == {"reencode": "on"}]
    with Post(tmp_path, way, reencode="on") as post:
        found = all_wrong(post, messages)
    assert not found, f"{len(found)} of {len(messages)}:\n" + "\n".join(found)
