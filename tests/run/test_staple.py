"""What a server staples to its handshake about its certificate (OCSP, RFC 6066
8), and certificates that demand it (RFC 7633)."""

import re

import pytest

import staples
from conftest import MESSAGE, ODD
from harness import slowness

MUST_STAPLE = "tlsfeature = status_request"


@pytest.fixture(scope="module")
def made(certs):
    """Two certificates, one of which must be stapled; their OCSP ids."""
    ids = {}
    for name, extra in (("may", ""), ("must", MUST_STAPLE)):
        config = certs.directory / f"{name}.cnf"
        certs._leaf(name, "DNS:mail.example.org", name, "ca", -1, 30,
                    extra=extra)
        ids[name] = staples.certificate_id(
            certs.ca, certs.chain(name), config.with_suffix(".req"))
    return ids


# name: what the response is made of, beside whose it is
STAPLES = {
    "good": {},
    "no end": dict(next_=None),
    "revoked": dict(status="revoked"),
    "unknown": dict(status="unknown"),
    "expired": dict(this=-9, next_=-2),
    "expired revoked": dict(this=-9, next_=-2, status="revoked"),
    "future": dict(this=2, next_=9),
    "bad signature": dict(spoil=True),
    "old, no end": dict(this=-400, next_=None),
}


@pytest.fixture
def stapler(certs, made, tmp_path):
    """stapler("must", "good"): the server, whose staple is made of that row.
    By another key, of another certificate, or other octets: see `make`."""
    running = []
    name = staples.issuer_name(certs.ca)

    def make(kind, cert):
        if kind == "try later":
            return staples.TRY_LATER
        if kind == "other certificate":
            return staples.response(made["may" if cert == "must" else "must"],
                                    name, certs.key("ca"))
        if kind == "other signer":
            return staples.response(made[cert],
                                    staples.issuer_name(certs.other_ca),
                                    certs.key("other-ca"))
        if kind == "wrong key":
            return staples.response(made[cert], name, certs.key("other-ca"))
        return staples.response(made[cert], name, certs.key("ca"),
                                **STAPLES[kind])

    def start(cert, kind, version):
        staple = None
        if kind != "none":
            staple = tmp_path / "staple.der"
            staple.write_bytes(make(kind, cert))
        running.append(staples.Stapler(
            certs.chain(cert), certs.key(cert), staple,
            version))
        return running[-1]

    yield start
    for server in running:
        server.close()


def submit(rider, certs, server, more=""):
    trust = rider.home / "trust.pem"
    trust.write_text(certs.ca.read_text() + more)
    rider.config(f"account default\nsocket {server.path}\n"
                 f"host mail.example.org\ntls on\ntls_starttls off\n"
                 f"tls_trust_file {trust}\nfrom alice@example.org\n"
                 f"timeout {round(5 * slowness())}\n")
    return rider.run("bob@example.net", stdin=MESSAGE)


REVOKED = r"was revoked by its issuer on 20\d\d-[-\dT:]*Z, because its key"
STALE = r"out of date \(it ended on 20\d\d-"
WRONG = "about another certificate, or not signed by the issuer"
# certificate, staple, words of the refusal (None: it is taken)
TABLE = [
    ("may", "none", None), ("may", "good", None), ("may", "no end", None),
    ("may", "try later", None),
    ("may", "revoked", REVOKED), ("may", "expired revoked", REVOKED),
    ("may", "unknown", "not known to its issuer"),
    ("may", "expired", STALE),
    ("may", "old, no end", r"out of date \(it was made on 20\d\d-"),
    ("may", "future", r"made in the future \(20\d\d-"),
    ("may", "bad signature", WRONG), ("may", "other certificate", WRONG),
    ("may", "other signer", WRONG), ("may", "wrong key", WRONG),
    ("must", "none", "must-staple"), ("must", "try later", "must-staple"),
    ("must", "good", None), ("must", "no end", None),
    ("must", "revoked", REVOKED), ("must", "expired revoked", REVOKED),
    ("must", "unknown", "not known to its issuer"),
    ("must", "expired", STALE),
    ("must", "future", r"made in the future \(20\d\d-"),
    ("must", "bad signature", WRONG), ("must", "other certificate", WRONG),
    ("must", "other signer", WRONG), ("must", "wrong key", WRONG),
]


# With one version all that is trusted is loaded, with the other what is needed.
@pytest.mark.parametrize("version, more", [("tls1_2", ODD), ("tls1_3", "")])
@pytest.mark.parametrize("cert, kind, words", TABLE)
def test_staple(stapler, rider, certs, cert, kind, words, version, more):
    server = stapler(cert, kind, version)
    result = submit(rider, certs, server, more)
    if not words:
        assert result.code == 0, str(result)
        assert b".\r\n" in server.said
        return
    assert result.code == 75, str(result)
    assert re.search(words, result.err), result.err
    assert len(result.lines) == 1 and "(4.7.5)" in result.err
    assert f"certificate of mail.example.org (CN={cert})" in result.err
    assert server.said == []
