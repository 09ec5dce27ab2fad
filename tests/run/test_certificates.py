"""Which servers are believed, and that the others learn nothing.

A refused server has seen, at most, the first EHLO and STARTTLS in clear text
and a handshake; not a user's name, not an address, not one octet under TLS.
"""

import re
import ssl

import pytest

from conftest import MESSAGE, PASSWORD
from faults import Delay, Drop, Inject, Raw, Silent
from harness import slowness

TEMPFAIL, NOPERM = 75, 77

# certificate, name the user configured (None: the address), trust, words
REFUSED = [
    ("self-signed", None, "ca", "self-signed|not trusted|unknown|issuer"),
    ("good", None, "other-ca", "not trusted|unknown|issuer"),
    ("no-intermediate", None, "ca", "not trusted|unknown|issuer"),
    ("expired", None, "ca", "expired"),
    ("not-yet-valid", None, "ca", "not yet valid|not valid before|activated"),
    ("wrong-name", "mail.example.org", "ca", "name.*mail.example.org|"
     "mail.example.org.*name|not for mail.example.org"),
    ("wrong-ip", None, "ca", "name|address|not for 127.0.0.1"),
    ("dns", None, "ca", "name|address|not for 127.0.0.1"),
    ("ip", "mail.example.org", "ca", "name|not for"),
    ("cn-only", "mail.example.org", "ca", "name|not for"),
    ("wildcard", "a.b.example.org", "ca", "name|not for"),
    ("wildcard", "example.org", "ca", "name|not for"),
    ("wildcard", "mail.example.net", "ca", "name|not for"),
    ("wildcard-tld", "example.org", "ca", "name|not for"),
    ("idn", "mail.example.org", "ca", "name|not for"),
    ("good", "mail.example.org.evil.net", "ca", "name|not for"),
]

BELIEVED = [
    ("good", None), ("ip", None), ("intermediate", None),
    ("good", "mail.example.org"), ("dns", "MAIL.Example.ORG"),
    ("wildcard", "mail.example.org"), ("good", "localhost"),
    ("idn", "m\u00fcnchen.example"), ("idn", "xn--mnchen-3ya.example"),
]


def nothing_was_said(peer):
    """After the point of refusal nothing of the user's came."""
    for session in peer.sessions:
        assert session.plain == b""
        allowed = rb"EHLO [^ \r\n]+\r\nSTARTTLS\r\n" \
            if peer.tls == "starttls" else b""
        assert re.fullmatch(allowed, session.clear), session.clear
    seen = b"".join(bytes(s.wire.clear + s.wire.plain) for s in peer.sessions)
    for secret in (b"alice", b"bob@", b"example.net", PASSWORD.encode()):
        assert secret not in seen


def refused(peer, result, words, code=TEMPFAIL):
    assert result.code == code, str(result)
    assert len(result.lines) == 1, result.err
    assert result.lines[0].startswith("postrider: ")
    assert re.search(words, result.err, re.IGNORECASE), result.err
    assert peer.messages == []


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("cert, name, trust, words", REFUSED)
def test_refused(start, send, certs, tls, cert, name, trust, words):
    peer = start(tls=tls, cert=cert)
    result = send(peer, "bob@example.net", tls_host_override=name,
                  tls_trust_file=certs.chain(trust))
    refused(peer, result, words)
    nothing_was_said(peer)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("cert, name", BELIEVED)
def test_believed(start, send, tls, cert, name):
    peer = start(tls=tls, cert=cert)
    result = send(peer, "bob@example.net", tls_host_override=name)
    assert result.code == 0, str(result)
    assert len(peer.messages) == 1
    sni = None if name is None else \
        "xn--mnchen-3ya.example" if cert == "idn" else name
    seen = peer.session.sni
    assert (seen and seen.lower()) == (sni and sni.lower())


def test_the_name_checked_is_the_configured_one(start, send):
    """Not what the address resolves to, and not what the server says."""
    peer = start(cert="ip", name="mail.example.org")
    result = send(peer, "bob@example.net", host="localhost")
    refused(peer, result, "localhost")
    nothing_was_said(peer)
    peer = start(cert="good")
    assert send(peer, "bob@example.net", host="localhost").code == 0
    assert peer.session.sni == "localhost"


def test_the_system_does_not_trust_it(start, send):
    """Without tls_trust_file the system's authorities count."""
    for trust in (None, "system"):
        peer = start()
        result = send(peer, "bob@example.net", tls_trust_file=trust)
        refused(peer, result, "trusted|unknown|issuer")
        nothing_was_said(peer)


STUB = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"
UNUSABLE = {
    "missing": (None, "No such file"), "empty": ("", "o certificate"),
    "text": ("nothing\n", "o certificate"),
    "damaged": (STUB, "ASN1|parser"),
    "damaged at its end": ("CA" + STUB, "ASN1|parser"),
    "cut off": ("CA" + STUB[:40], "Base64"),
}


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("kind", UNUSABLE)
def test_unusable_trust(start, send, certs, tmp_path, tls, kind):
    """The same words as --check has, and the server learns nothing."""
    text, words = UNUSABLE[kind]
    trust = tmp_path / "trust.pem"
    if text is not None:
        trust.write_text(text.replace("CA", certs.ca.read_text(), 1)
                         if text.startswith("CA") else text)
    peer = start(tls=tls)
    result = send(peer, "bob@example.net", tls_trust_file=trust, settle=None)
    refused(peer, result, f"tls_trust_file {trust}: .*(?:{words})", 78)
    assert peer.settle(10 * slowness())
    nothing_was_said(peer)
    check = send(peer, "--check", tls_trust_file=trust)
    line, = (line for line in check.lines if "tls_trust_file" in line)
    told = result.lines[0].partition("tls_trust_file")[2]
    assert told.startswith(line.partition("tls_trust_file")[2])


# Chains that GnuTLS finds fault with, each in words of its own: how the issuer
# is made, what else stands in the certificate, and the words.

def spoil_signature(certs, name):
    path = certs.chain(name)
    pem = path.read_text()
    first, rest = pem.split("-----END CERTIFICATE-----\n", 1)
    der = bytearray(ssl.PEM_cert_to_DER_cert(
        first + "-----END CERTIFICATE-----\n"))
    der[-1] ^= 1
    path.write_text(ssl.DER_cert_to_PEM_cert(bytes(der)) + rest)


FAULTS = {
    "no-authority": (
        "basicConstraints = critical,CA:FALSE\nkeyUsage = digitalSignature\n",
        "", "no authority's and may not sign|may not sign cert"),
    "constrained": (
        "basicConstraints = critical,CA:TRUE\nkeyUsage = keyCertSign\n"
        "nameConstraints = critical,permitted;DNS:example.net\n",
        "", "breaks a constraint .* it is for: mail.example.org, localhost"),
    "other-purpose": (
        "basicConstraints = critical,CA:TRUE\nkeyUsage = keyCertSign\n",
        "extendedKeyUsage = clientAuth", "not meant for a server"),
    "critical": (
        "basicConstraints = critical,CA:TRUE\nkeyUsage = keyCertSign\n",
        "1.2.3.4.5 = critical,DER:0500", "extension that is critical"),
    "forged": (
        "basicConstraints = critical,CA:TRUE\nkeyUsage = keyCertSign\n",
        "", "signature, .* is broken; it may be forged"),
}


@pytest.fixture(scope="session")
def faulty(certs):
    from certs import GOOD
    for name, (issuer, extra, _) in FAULTS.items():
        certs._leaf(f"{name}-issuer", None, f"{name}-issuer", "ca", -1, 30,
                    section="issuer", extra="[issuer]\n"
                    "subjectKeyIdentifier = hash\n" + issuer)
        certs._leaf(name, GOOD, name, f"{name}-issuer", -1, 30, extra=extra)
        with open(certs.chain(name), "a") as chain:
            chain.write(certs.chain(f"{name}-issuer").read_text())
    spoil_signature(certs, "forged")


@pytest.mark.parametrize("name", FAULTS)
def test_words_for_a_chain(start, send, faulty, name):
    peer = start(cert=name)
    result = send(peer, "bob@example.net")
    refused(peer, result, FAULTS[name][2])
    assert f"(CN={name})" in result.err
    nothing_was_said(peer)


# Servers that do TLS wrongly, or not.

def test_plaintext_server_on_the_tls_port(start, rider, account):
    peer = start(tls="none", strict=False)
    rider.config(account(peer, tls="on", tls_starttls="off"))
    result = rider.run("bob@example.net", stdin=MESSAGE)
    refused(peer, result, "TLS")
    peer.settle()
    seen = bytes(peer.session.clear)
    assert b"EHLO" not in seen and b"alice" not in seen and b"bob@" not in seen
    assert not peer.session.auth_attempts


def test_tls_server_on_the_plaintext_port(start, rider, account):
    """The server waits for a handshake, the client for a greeting."""
    peer = start(tls="implicit")
    rider.config(account(peer, tls_starttls="on", timeout=1))
    result = rider.run("bob@example.net", stdin=MESSAGE)
    refused(peer, result, "time|second|silent|no answer")
    assert peer.settle()
    assert bytes(peer.session.clear + peer.session.plain) == b""


def test_starttls_withdrawn(start, send):
    peer = start(offer_starttls=False, mechanisms_clear=["PLAIN", "LOGIN"])
    result = send(peer, "bob@example.net")
    refused(peer, result, "STARTTLS", NOPERM)
    assert re.fullmatch(rb"EHLO [^ \r\n]+\r\n(QUIT\r\n)?", peer.session.clear)


@pytest.mark.parametrize("reply", ["502 5.5.1 no", "454 4.7.0 no",
                                   "250 what STARTTLS?"])
def test_starttls_refused(start, send, reply):
    peer = start(faults={"starttls": reply}, mechanisms_clear=["PLAIN"])
    result = send(peer, "bob@example.net")
    assert result.code in (TEMPFAIL, 76)
    assert re.fullmatch(rb"EHLO [^ \r\n]+\r\nSTARTTLS\r\n(QUIT\r\n)?",
                        peer.session.clear)


INJECTED = [b"250 evil\r\n", b"\n", b"250-mail\r\n250 AUTH PLAIN\r\n",
            b"235 ok\r\n250 ok\r\n250 ok\r\n354 ok\r\n250 ok\r\n", b"x"]


@pytest.mark.parametrize("data", INJECTED)
def test_injected_behind_starttls(start, send, data):
    peer = start(faults={"starttls": Inject(data)})
    result = send(peer, "bob@example.net")
    refused(peer, result, "STARTTLS|TLS")
    nothing_was_said(peer)
    assert peer.session.wire.handshake_bytes == 0


@pytest.mark.parametrize("data", [b"220 no TLS after all\r\n", b"\0" * 20,
                                  b"\x15\x03\x01\0\2\2\x28"])
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_no_handshake(start, rider, account, tls, data):
    """Instead of a handshake come other octets, or an alert."""
    faults = {"greeting": [Raw(data), Drop()]} if tls == "implicit" else {
        "starttls": [Raw(b"220 go ahead\r\n"), Delay(0.2), Raw(data), Drop()]}
    peer = start(tls="none", strict=False, capabilities="STARTTLS",
                 faults=faults)
    rider.config(account(peer, tls="on", tls_starttls="on"
                         if tls == "starttls" else "off"))
    result = rider.run("bob@example.net", stdin=MESSAGE)
    refused(peer, result, "TLS")
    seen = peer.session.clear
    assert b"alice" not in seen and b"bob@" not in seen


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_silent_handshake(start, rider, account, tls):
    faults = {"greeting": Silent()} if tls == "implicit" else {
        "starttls": [Raw(b"220 go ahead\r\n"), Silent()]}
    peer = start(tls="none", strict=False, capabilities="STARTTLS",
                 faults=faults)
    rider.config(account(peer, tls="on", timeout=1, tls_starttls="on"
                         if tls == "starttls" else "off"))
    result = rider.run("bob@example.net", stdin=MESSAGE)
    refused(peer, result, "time|second|silent|no answer")
    assert result.seconds < 15 * slowness()
    assert b"alice" not in peer.session.clear


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_old_versions(start, send, certs, version):
    def context():
        result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        result.load_cert_chain(certs.chain("good"), certs.key("good"))
        result.set_ciphers("ALL:@SECLEVEL=0")
        result.minimum_version = ssl.TLSVersion.TLSv1
        result.maximum_version = ssl.TLSVersion[version]
        return result
    peer = start(make_context=context)
    result = send(peer, "bob@example.net")
    refused(peer, result, "TLS")
    nothing_was_said(peer)


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_new_versions(start, send, certs, version):
    def context():
        result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        result.load_cert_chain(certs.chain("good"), certs.key("good"))
        result.minimum_version = ssl.TLSVersion[version]
        result.maximum_version = ssl.TLSVersion[version]
        return result
    peer = start(make_context=context)
    assert send(peer, "bob@example.net").code == 0
    assert peer.session.tls_version == version.replace("_", ".")


@pytest.mark.parametrize("cert, refusing", [
    ("expired", "expired"), ("good", "trusted|unknown|issuer")])
def test_refused_with_tls_1_2(start, send, certs, cert, refusing):
    def context():
        result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        result.load_cert_chain(certs.chain(cert), certs.key(cert))
        result.maximum_version = ssl.TLSVersion.TLSv1_2
        return result
    peer = start(make_context=context)
    trust = certs.ca if cert == "expired" else certs.other_ca
    refused(peer, send(peer, "bob@example.net", tls_trust_file=trust),
            refusing)
    nothing_was_said(peer)


# Settings.

@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
def test_fingerprint(start, send, certs, algorithm):
    """It stands for the authorities: a self-signed certificate is believed."""
    good = certs.fingerprint("self-signed", algorithm)
    for value in (good, good.replace(":", ""), good.lower()):
        peer = start(cert="self-signed")
        result = send(peer, "bob@example.net", tls_fingerprint=value,
                      tls_trust_file=None)
        assert result.code == 0, str(result)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
def test_other_fingerprint(start, send, certs, algorithm, tls):
    peer = start(tls=tls, cert="self-signed")
    result = send(peer, "bob@example.net", tls_trust_file=None,
                  tls_fingerprint=certs.fingerprint("good", algorithm))
    refused(peer, result, "fingerprint")
    nothing_was_said(peer)


def test_certcheck_off(start, send):
    peer = start(cert="self-signed")
    result = send(peer, "bob@example.net", tls_certcheck="off",
                  tls_trust_file=None)
    assert result.code == 0, str(result)


def test_client_certificate(start, send, certs):
    def context():
        result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        result.load_cert_chain(certs.chain("good"), certs.key("good"))
        result.load_verify_locations(certs.ca)
        result.verify_mode = ssl.CERT_REQUIRED
        return result
    peer = start(make_context=context)
    result = send(peer, "bob@example.net", tls_cert_file=certs.chain("client"),
                  tls_key_file=certs.key("client"))
    assert result.code == 0, str(result)
    assert ((("commonName", "alice"),),) == \
        peer.session.client_cert["subject"]


def test_priorities(start, send):
    peer = start()
    result = send(peer, "bob@example.net",
                  tls_priorities="NORMAL:-VERS-ALL:+VERS-TLS1.2")
    assert result.code == 0, str(result)
    assert peer.session.tls_version == "TLSv1.2"


def test_bad_priorities(start, send):
    peer = start()
    result = send(peer, "bob@example.net", tls_priorities="NONSENSE")
    assert result.code == 78, str(result)
    assert not any(s.auth_attempts for s in peer.sessions)


def test_trust_file_that_is_not_there(start, send):
    peer = start()
    result = send(peer, "bob@example.net", tls_trust_file="/nonexistent.pem")
    assert result.code == 78, str(result)
    assert "/nonexistent.pem" in result.err
    assert not any(s.auth_attempts for s in peer.sessions)
