"""A command in place of the server: `tunnel`."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import MESSAGE
from harness import binary, slowness
from test_submit import RELAY

TEMPFAIL = 75
BOB = "bob@example.net"
HOST = "mail.example.org"

# The server may be gone before it has read our QUIT; a relay that complains of
# that would do so in our place.
CALM = "import os, sys\nsys.excepthook = lambda *_: None\n"

# As RELAY, but slow: one octet at a time from the server, in small pieces to
# it.
SLOW = """
import socket, sys, threading, time, os
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
def move(get, put, most):
    try:
        while data := get(most):
            time.sleep(0.001)
            put(data)
    except OSError:
        pass
def up():
    move(lambda n: os.read(0, n), s.sendall, 40)
threading.Thread(target=up, daemon=True).start()
move(s.recv, lambda data: os.write(1, data), 1)
"""

# What a relay does once its input is at an end.
LIVES_ON = """
import atexit, signal, time
open({path!r}, "w").write(str(os.getpid()))
def live_on():
    while True:
        time.sleep(0.05)
atexit.register(live_on)
"""
DEAF = LIVES_ON + "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"


@pytest.fixture
def tunnel(start, send, tmp_path):
    """tunnel(script): sends a message by that relay, in Python."""

    def tunnel(script, **settings):
        peer = start(**settings)
        path = tmp_path / "relay.py"
        path.write_text(script)
        return send(peer, BOB, host=HOST, port=1, patience=60, timeout=60,
                    tunnel=f"{sys.executable} {path} {peer.port}"), peer
    return tunnel


def went_well(result, peer):
    assert (result.code, result.err) == (0, ""), str(result)
    assert len(peer.messages) == 1


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_one_that_is_slow(tunnel, tls):
    went_well(*tunnel(SLOW, tls=tls))


def is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1]
    except FileNotFoundError:
        return False
    return state.split()[0] != "Z"


def wait_for(what):
    end = time.monotonic() + 20 * slowness()
    while not what():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.02)


@pytest.mark.parametrize("habit", [LIVES_ON, DEAF], ids=["stays", "deaf"])
def test_one_that_does_not_end(tunnel, tmp_path, habit):
    """It is ended, before we are; that the message was sent stays true."""
    told = tmp_path / "pid"
    went_well(*tunnel(CALM + habit.format(path=str(told)) + RELAY))
    assert not is_alive(int(told.read_text()))


# In the words of the shell.
QUOTED = [
    "{python} '{dir}/a b/relay.py' {port}",
    "{python} \"{dir}/a b/relay.py\" {port}",
    "{python} {dir}/a\\ b/relay.py {port}",
    "cd '{dir}/a b' && exec {python} relay.py $(echo {port})",
    "x='a b'; {python} \"{dir}/$x/relay.py\" {port} # and a remark",
    "{python} \"{dir}/a b/relay.py\" '{port}' 2>/dev/null | cat",
]


@pytest.mark.parametrize("outer", ["", '"'], ids=["bare", "quoted"])
@pytest.mark.parametrize("command", QUOTED)
def test_quotes(start, send, tmp_path, command, outer):
    """What the shell gets is what stands there, but for double quotes around
    all of it: those are the configuration's."""
    folder = tmp_path / "a b"
    folder.mkdir()
    (folder / "relay.py").write_text(CALM + RELAY)
    peer = start()
    value = outer + command.format(python=sys.executable, dir=tmp_path,
                                   port=peer.port) + outer
    went_well(send(peer, BOB, host=HOST, port=1, tunnel=value), peer)


@pytest.mark.parametrize("tls", ["starttls", "implicit", "none"])
@pytest.mark.parametrize("command, words", [
    ("exit 3", "the tunnel's command failed with exit status 3"),
    ("exit 0", "the tunnel's command ended with exit status 0"),
    ("true", "the tunnel's command ended with exit status 0"),
    ("no-such-command 2>/dev/null",
     "failed with exit status 127 (it was not found)"),
    ("kill -9 $$", "was ended by signal 9 (Killed)"),
    ("exec >&- <&-; sleep 0.2; exit 7", "failed with exit status 7")])
def test_one_that_dies_at_once(start, send, tls, command, words):
    peer = start(tls=tls)
    result = send(peer, BOB, tunnel=command, host=HOST)
    assert result.code == TEMPFAIL, str(result)
    assert len(result.lines) == 1 and words in result.err, result.err
    assert HOST in result.err


def test_its_own_words_are_shown(start, send):
    result = send(start(), BOB, tunnel="echo no route to gate >&2; exit 3")
    assert result.code == TEMPFAIL, str(result)
    assert result.lines[0] == "no route to gate"
    assert len(result.lines) == 2 and "exit status 3" in result.lines[1]


def test_one_that_dies_in_the_middle(start, send):
    """After the greeting; and of a server that just hangs up the command, which
    goes on, is not accused."""
    peer = start()
    greet = "echo 220 mail.example.org ESMTP; read line; "
    result = send(peer, BOB, tunnel=greet + "exit 9")
    assert result.code == TEMPFAIL and "exit status 9" in result.err
    result = send(peer, BOB, tunnel=greet + "exec >&- <&-; exec sleep 60")
    assert result.code == TEMPFAIL, str(result)
    assert "tunnel" not in result.err, result.err


def test_one_that_says_nothing(start, send):
    result = send(start(), BOB, tunnel="exec cat >/dev/null", patience=1)
    assert result.code == TEMPFAIL, str(result)
    assert "timed out" in result.err and len(result.lines) == 1


def test_it_ends_with_us(start, rider, account, tmp_path):
    """We are killed, so its input is at an end."""
    told = tmp_path / "pid"
    rider.config(account(
        start(), host=HOST, timeout=60,
        tunnel=f"echo $PPID $$ >{told}.new; mv {told}.new {told}; exec cat"))
    with subprocess.Popen(
            [binary(), BOB], stdin=subprocess.PIPE, cwd=rider.home,
            env=rider.environment(), stderr=subprocess.DEVNULL) as ours:
        ours.stdin.write(MESSAGE)
        ours.stdin.close()
        wait_for(told.exists)
        parent, pid = map(int, told.read_text().split())
        assert parent == ours.pid and is_alive(pid)
        ours.kill()
    wait_for(lambda: not is_alive(pid))


def test_it_is_not_handed_on(start, send, tmp_path):
    """Its command ends with the process that has started it, so what else is
    due does not go over the same session in the background."""
    peer = start()
    path = tmp_path / "relay.py"
    path.write_text(RELAY)
    way = {"host": HOST, "port": 1, "queue": "on",
           "tunnel": f"{sys.executable} {path} {peer.port}"}
    assert send(peer, "-odq", BOB, settle=None, **way).code == 0
    assert send(peer, "now@example.net", **way).code == 0
    time.sleep(0.2)
    assert len(peer.sessions) == len(peer.messages) == 1
