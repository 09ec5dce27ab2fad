"""What we say first goes with TCP's first segment, if that is wished for; and
nothing is lost by it (fastopen.py)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness import slowness
from test_environment import UNSHARE

INSIDE = Path(__file__).parent / "fastopen.py"
TEMPFAIL = 75


@pytest.fixture
def play(certs, tmp_path):
    """play(scenario): what became of each message."""

    def play(scenario):
        done = subprocess.run(
            [*UNSHARE, "--net", sys.executable, INSIDE, scenario, tmp_path,
             certs.chain("good"), certs.key("good"), certs.ca],
            capture_output=True, timeout=60 * slowness(), check=False,
            env={**os.environ, "PYTHONPATH": ":".join(
                map(str, (INSIDE.parent, INSIDE.parent.parent)))})
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)
    return play


def all_went_well(told):
    assert [(one["code"], one["err"], one["messages"]) for one in told] == \
        [(0, "", 1)] * len(told)
    return [one["with_syn"] for one in told]


@pytest.mark.parametrize("scenario, with_syn", [
    # the first time there is no cookie yet
    ("again_and_again", [False, True, True]),
    ("not_asked_for", [False, False]),
    # there is nothing that could go with SYN
    ("where_the_server_speaks_first", [False, False, False]),
    # the data are sent again, behind the handshake; and a new cookie came
    ("a_wrong_cookie", [False, False, True]),
    ("no_longer_taken", [False, False]),
])
def test_fast_open(play, scenario, with_syn):
    assert all_went_well(play(scenario)) == with_syn


def test_nobody_is_there(play):
    """It fails as ever, by the same words, though the kernel has put off
    connecting."""
    first, second = play("nobody_is_there")
    assert first["code"] == 0
    assert second["code"] == TEMPFAIL
    assert second["err"].startswith(
        "postrider: cannot connect to 127.0.0.1:4650: connection refused")


def test_another_address(play):
    """Where the address with the cookie does not answer, the next one does;
    what was said to the first is said again."""
    told = play("another_address")
    assert all_went_well(told) == [False, True, False]
    assert told[-1]["sessions"] == 1
