"""tls_pin: the key is what is known, and nothing else of the certificate.

Each pin is made by the openssl command line, so it is not our own arithmetic
that is compared with itself.
"""

import base64
import re
import ssl
import subprocess

import pytest

from conftest import MESSAGE
from test_certificates import nothing_was_said, refused

OTHER = base64.b64encode(bytes(32)).decode()


def digest(certs, name):
    """SHA-256 of the certificate's SubjectPublicKeyInfo."""
    key = subprocess.run(["openssl", "x509", "-in", certs.chain(name),
                          "-noout", "-pubkey"], check=True,
                         capture_output=True).stdout
    info = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"],
                          input=key, check=True, capture_output=True).stdout
    return subprocess.run(["openssl", "dgst", "-sha256", "-binary"],
                          input=info, check=True, capture_output=True).stdout


def pin(certs, name):
    return base64.b64encode(digest(certs, name)).decode()


FORMS = {
    "base64": lambda d: base64.b64encode(d).decode(),
    "hex": lambda d: d.hex(),
    "HEX": lambda d: d.hex().upper(),
    "colons": lambda d: d.hex(":").upper(),
    "last of three": lambda d: f"{OTHER} {'11' * 32} {d.hex()}",
    "first of two": lambda d: f"{d.hex(':')}   {OTHER}",
}


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("form", FORMS)
def test_pinned(start, send, certs, rider, form, tls):
    """It stands for the authorities: a self-signed certificate is believed."""
    log = rider.home / "log"
    peer = start(cert="self-signed", tls=tls)
    result = send(peer, "bob@example.net", tls_trust_file=None,
                  tls_pin=FORMS[form](digest(certs, "self-signed")),
                  logfile=log)
    assert result.code == 0, str(result)
    assert re.search(r'tls="[^"]* pin"', log.read_text())


@pytest.mark.parametrize("cert", ["expired", "not-yet-valid", "wrong-name",
                                  "cn-only", "no-intermediate"])
def test_replaces_every_other_check(start, send, certs, cert):
    peer = start(cert=cert)
    result = send(peer, "bob@example.net", tls_trust_file=None,
                  tls_pin=pin(certs, cert), tls_host_override="any.example")
    assert result.code == 0, str(result)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("cert", ["good", "self-signed"])
@pytest.mark.parametrize("certcheck", ["on", "off"])
def test_other_key(start, send, certs, cert, tls, certcheck):
    """Nor does it help that the authorities would have believed it; and the
    line has what would have to be written."""
    peer = start(tls=tls, cert=cert)
    result = send(peer, "bob@example.net", tls_pin=pin(certs, "dns"),
                  tls_certcheck=certcheck)
    refused(peer, result, "does not match tls_pin")
    assert pin(certs, cert) in result.err
    nothing_was_said(peer)


@pytest.mark.parametrize("issuer, leaf", [("middle", "intermediate")])
def test_only_the_servers_own_key_counts(start, send, certs, issuer, leaf):
    peer = start(cert=leaf)
    refused(peer, send(peer, "bob@example.net", tls_pin=pin(certs, issuer)),
            "does not match tls_pin")
    nothing_was_said(peer)


@pytest.mark.parametrize("print_of, pin_of, words", [
    ("good", "good", None),
    ("good", "dns", "does not match tls_pin"),
    ("dns", "good", "does not match tls_fingerprint"),
    ("dns", "dns", "does not match tls_fingerprint"),
])
def test_with_a_fingerprint_both_must_hold(start, send, certs, rider,
                                           print_of, pin_of, words):
    log = rider.home / "log"
    peer = start()
    result = send(peer, "bob@example.net", tls_trust_file=None,
                  tls_fingerprint=certs.fingerprint(print_of, "sha256"),
                  tls_pin=pin(certs, pin_of), logfile=log)
    if words:
        refused(peer, result, words)
        nothing_was_said(peer)
    else:
        assert result.code == 0, str(result)
        assert "fingerprint+pin" in log.read_text()


def test_survives_a_renewal(start, send, certs, tmp_path):
    """Another certificate for the same key."""
    renewed = tmp_path / "renewed.pem"
    subprocess.run(["openssl", "req", "-x509", "-new", "-key",
                    certs.key("good"), "-days", "2", "-subj", "/CN=renewed",
                    "-out", renewed], check=True, capture_output=True)

    def context():
        result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        result.load_cert_chain(renewed, certs.key("good"))
        return result
    peer = start(make_context=context)
    result = send(peer, "bob@example.net", tls_pin=pin(certs, "good"))
    assert result.code == 0, str(result)


@pytest.mark.parametrize("kind", [
    ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"], ["ED25519"],
    ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    ["RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"],
], ids=lambda kind: kind[0])
def test_probe_prints_it(start, rider, account, certs, tmp_path, kind):
    """For every kind of key; and what it prints can be pasted."""
    key, pem = tmp_path / "k.pem", tmp_path / "c.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", *kind, "-out", key],
                   check=True, capture_output=True)
    subprocess.run(["openssl", "req", "-x509", "-new", "-key", key, "-days",
                    "2", "-subj", "/CN=x", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-out", pem], check=True,
                   capture_output=True)
    certs_of = type("Certs", (), {"chain": lambda _, name: pem})()

    def context():
        result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        result.load_cert_chain(pem, key)
        return result
    peer = start(make_context=context)
    rider.config(account(peer))
    shown = rider.run("--probe")
    assert shown.code == 75     # nobody has signed it
    found = re.search(r"^    pin: (\S+)$", shown.out, re.MULTILINE)
    assert found and found.group(1) == pin(certs_of, "x"), shown.out
    rider.config(account(peer, tls_pin=found.group(1)))
    result = rider.run("bob@example.net", stdin=MESSAGE)
    assert result.code == 0, str(result)


@pytest.mark.parametrize("value", [
    "nonsense", OTHER + "=", OTHER[:-1], "11" * 31, "11" * 20,
    f"{OTHER},{OTHER}", "sha256//" + OTHER])
def test_bad_pin(start, send, value):
    peer = start()
    result = send(peer, "bob@example.net", tls_pin=value, settle=None)
    assert result.code == 78, str(result)
    assert "tls_pin" in result.err
    assert not peer.sessions


def test_counts_as_verified(start, send, certs):
    """For requiretls, which wants the server verified."""
    peer = start(capabilities="REQUIRETLS", cert="self-signed")
    result = send(peer, "bob@example.net", tls_trust_file=None,
                  tls_certcheck="off", requiretls="on",
                  tls_pin=pin(certs, "self-signed"))
    assert result.code == 0, str(result)
