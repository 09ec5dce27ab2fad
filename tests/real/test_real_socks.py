"""By real SOCKS5 proxies: Dante, which wants no login, and microsocks, which
wants one.  Both find a name that nothing else on this machine knows."""

import shlex

import pytest

import mailconfig as conf
from harness import slowness, wrapper
from messages import head

RAW = head() + b"by a proxy\n"
PROXIES = ("danted", "microsocks")
LOGIN = {"proxy_user": conf.PROXY_USER,
         "proxy_password": '"%s"' % conf.PROXY_PASSWORD}


@pytest.fixture
def way(mail):
    """way("danted", ...): the settings for that proxy."""
    def way(proxy, **more):
        login = LOGIN if proxy == "microsocks" else {}
        return {"proxy_host": "127.0.0.1",
                "proxy_port": mail.proxies[proxy], **login, **more}
    return way


def failed(done, code, *words):
    assert done.code == code, done
    assert len(done.lines) == 1, done
    for word in words:
        assert word in done.err, done


@pytest.mark.parametrize("proxy", PROXIES)
@pytest.mark.parametrize("server", ("submission", "smtps"))
@pytest.mark.parametrize("host", ("127.0.0.1", conf.HIDDEN))
def test_it_arrives(client, mail, box, way, proxy, server, host):
    done = client.send(RAW, box, server=server, **way(proxy, host=host))
    assert (done.code, done.out, done.err) == (0, "", "")
    mail.wait_for(box)


def test_the_name_is_hidden(client, box, tmp_path, monkeypatch):
    """What is tested above is no accident.  The DNS is not ours, and may have
    no answer just now."""
    told = tmp_path / "nsswitch.conf"
    told.write_text("hosts: files\n")
    monkeypatch.setenv("POSTRIDER_SLOW", str(slowness()))
    monkeypatch.setenv("POSTRIDER_WRAP", shlex.join([
        "unshare", "--mount", "sh", "-ec",
        'mount --bind "$0" /etc/nsswitch.conf; exec "$@"', str(told),
        *wrapper()]))
    failed(client.send(RAW, box, host=conf.HIDDEN), 68,
           "there is no host " + conf.HIDDEN)


@pytest.mark.parametrize("proxy", PROXIES)
def test_the_certificate_is_for_the_server(client, box, way, proxy):
    done = client.send(RAW, box, server="othername",
                       **way(proxy, host=conf.HIDDEN))
    failed(done, 75, "certificate", conf.HIDDEN)


@pytest.mark.parametrize("proxy", PROXIES)
def test_a_large_message(client, mail, box, way, proxy):
    raw = RAW + b"0123456789" * 7 + b"\n"
    done = client.send(raw + (b"x" * 70 + b"\n") * 14000, box, **way(proxy))
    assert (done.code, done.err) == (0, "")
    mail.wait_for(box)


@pytest.mark.parametrize("proxy", PROXIES)
def test_nobody_listens(client, box, way, proxy):
    failed(client.send(RAW, box, **way(proxy, port=1)), 75,
           "cannot reach 127.0.0.1:1 by the proxy 127.0.0.1:",
           "connection refused")


@pytest.mark.parametrize("proxy", PROXIES)
def test_a_name_that_the_proxy_does_not_find(client, box, way, proxy):
    failed(client.send(RAW, box, **way(proxy, host="no.such.invalid")), 75,
           "cannot reach no.such.invalid:", "by the proxy")


def test_what_its_rules_forbid(client, box, way):
    failed(client.send(RAW, box, **way("danted", host="192.0.2.1")), 77,
           "rules forbid it")


def test_a_wrong_login(client, box, way):
    failed(client.send(RAW, box, **way("microsocks", proxy_password="x")),
           77, "refuses proxy_user")


def test_no_login(client, box, way):
    settings = way("microsocks", proxy_user=None, proxy_password=None)
    failed(client.send(RAW, box, **settings), 77, "wants a login")


def test_a_login_that_is_not_needed(client, mail, box, way):
    done = client.send(RAW, box, **way("danted", **LOGIN))
    assert (done.code, done.err) == (0, "")
    mail.wait_for(box)
