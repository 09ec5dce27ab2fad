"""By Exim, which lets EHLO come before its greeting: with pipe_connect that is
done from the second session on, and where it is not taken any more, once."""

import pytest

from eximserver import Exim
from messages import head

TLS = ("implicit", "starttls")
BODY = b"by Exim\n"


@pytest.fixture(scope="module")
def exim(mail):
    server = Exim(mail)
    yield server
    server.stop()


@pytest.fixture
def send(exim, client):
    """send(tls): was EHLO said before the greeting was there?"""

    def send(tls, **settings):
        before = len(exim.queued())
        done = client.send(
            head() + BODY, "bob@example.net", args=("-v",),
            server="smtps" if tls == "implicit" else "submission",
            **{"port": exim.ports[tls], "pipe_connect": "on", **settings})
        assert done.code == 0, done
        bodies = exim.queued()
        assert len(bodies) == before + 1
        assert all(body == BODY for body in bodies), bodies
        return done.err.index("--> EHLO") < done.err.index("<-- 220 ")
    return send


@pytest.mark.parametrize("tls", TLS)
def test_it_takes_ehlo_early(exim, send, tls):
    exim.start(hesitates=tls == "starttls")
    assert [send(tls) for _ in range(3)] == [False, True, True]
    assert "synchronization error" not in exim.log()
    taken = exim.taken()
    assert len(taken) == 3
    if tls == "starttls":   # a star: EHLO was there when it looked
        assert [" L* " in line for line in taken] == [False, True, True]


@pytest.mark.parametrize("tls", TLS)
def test_not_unless_it_is_wished_for(exim, send, tls):
    exim.start(hesitates=False)
    assert not any(send(tls, pipe_connect="off") for _ in range(2))


@pytest.mark.parametrize("tls", TLS)
def test_it_does_not_take_it_any_more(exim, send, tls):
    """It may refuse who speaks too early; the message arrives, once."""
    exim.start(hesitates=False)
    assert [send(tls) for _ in range(2)] == [False, True]
    exim.start(advertises=False)
    send(tls)
    assert len(exim.queued()) == 1
    assert not any(send(tls) for _ in range(2))
    assert ("synchronization error" in exim.log()) == (tls == "starttls")
