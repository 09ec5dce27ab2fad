"""GnuTLS, GNU SASL and IDN2 are loaded when they are needed, and not before.

In their places are files that are no libraries; LD_LIBRARY_PATH shows them.
"""

import json
import re
import struct
import subprocess

import pytest

from conftest import MESSAGE, PASSWORD
from harness import binary

OSERR = 71
DLOPEN_NOTE = 0x407c0c0a    # https://systemd.io/ELF_DLOPEN_METADATA
USERS = {"alice": PASSWORD}


def notes():
    """What the program says that it loads: sonames, by the feature."""
    listing = subprocess.run(["readelf", "-SW", binary()], check=True,
                             capture_output=True, text=True).stdout
    found = re.search(r"\.note\.dlopen\s+NOTE\s+\S+ (\S+) (\S+)", listing)
    start, size = (int(word, 16) for word in found.groups())
    with open(binary(), "rb") as file:
        octets = file.read()[start:start + size]
    result = {}
    while octets:
        owner, length, kind = struct.unpack("=III", octets[:12])
        assert (owner, kind) == (4, DLOPEN_NOTE) and octets[12:16] == b"FDO\0"
        for one in json.loads(octets[16:16 + length].rstrip(b"\0")):
            result[one["feature"]] = one["soname"], one["priority"]
        octets = octets[16 + (length + 3 & ~3):]
    return result


@pytest.fixture
def without(rider, tmp_path):
    """Takes libraries away, by the note's feature."""
    def take(*features):
        for feature in features:
            [soname] = notes()[feature][0]
            (tmp_path / soname).touch()
            rider.env["LD_LIBRARY_PATH"] = tmp_path
    return take


def test_notes():
    """What packagers' tools look for."""
    said = notes()
    for feature, name in (("tls", "libgnutls"), ("sasl", "libgsasl"),
                          ("idn", "libidn2")):
        [soname], priority = said[feature]
        assert soname.startswith(f"{name}.so.") and priority == "required"
    needed = subprocess.run(["readelf", "-dW", binary()], check=True,
                            capture_output=True, text=True).stdout
    assert "libc" in needed
    for sonames, _ in said.values():
        assert sonames[0] not in needed


def entries(rider):
    place = rider.home / ".local/state/postrider/queue"
    return [path for path in place.iterdir() if "." not in path.name]


def test_what_needs_none(rider, without, start, account):
    """Queueing, looking at the queue, help."""
    peer = start(users=USERS)
    without("tls", "sasl", "idn")
    rider.config(account(peer, queue="only"))
    for words in (["--help"], ["bob@example.net"], ["-bp"]):
        result = rider.run(*words, stdin=MESSAGE)
        assert result.code == 0 and result.err == "", str(result)
    assert len(entries(rider)) == 1 and peer.sessions == []


@pytest.mark.parametrize("feature", ["tls", "sasl"])
@pytest.mark.parametrize("queue", ["off", "on"])
def test_a_library_is_gone(rider, without, start, account, feature, queue):
    """It is a failure of the session: later it may work."""
    peer = start(users=USERS, mechanisms=["LOGIN"])
    without(feature)
    rider.config(account(peer, queue=queue, auth="login"))
    result = rider.run("bob@example.net", stdin=MESSAGE)
    assert peer.messages == []
    if queue == "on":
        assert result.code == 0 and len(entries(rider)) == 1
        del rider.env["LD_LIBRARY_PATH"]
        assert rider.run("-q").code == 0
        assert entries(rider) == [] and len(peer.messages) == 1
    else:
        assert result.code == OSERR
        [line] = result.lines
        assert re.match(r"postrider: .*cannot load a library: .*\blib\w+\.so"
                        r"\.\d+: .*; install it again", line), str(result)


def test_plain_needs_no_sasl(rider, without, start, account):
    peer = start(users=USERS)
    without("sasl")
    rider.config(account(peer, auth="plain"))
    assert rider.run("bob@example.net", stdin=MESSAGE).code == 0
    assert len(peer.messages) == 1


@pytest.mark.parametrize("feature, soname", [
    ("tls", "libgnutls"), ("sasl", "libgsasl"), ("idn", "libidn2")])
def test_where_nothing_is_to_be_lost(rider, without, feature, soname):
    without(feature)
    result = rider.run("--version")
    assert result.code == OSERR
    assert re.match(f"postrider: cannot load a library: .*{soname}.so",
                    result.err)
