"""Certificates and chains, what we think of each, and what others think.

Each row is served by a peer. What we refuse has learnt nothing and is told of
in one line; what we believe gets a message. gnutls-cli and `openssl s_client`
are then asked about the same server, and come to the same verdict, or the row
says why they do not; nowhere do we believe what both refuse.  Our own verdict,
and its words, must not depend on how much of the trust file was loaded.
"""

import os
import re
import subprocess

import pytest

import chains
from chain_table import NAME, ROWS
from chains import day, made
from conftest import ODD
from harness import slowness


@pytest.fixture
def serve(start, tmp_path):
    """A peer with the row's chain, and the files for its clients."""
    def serve(row):
        files = {name: tmp_path / f"{name}.pem" for name in
                 ("chain", "key", "trust", "crl", "openssl")}
        files["chain"].write_text(chains.bundle(row.chain))
        files["key"].write_text(made(row.chain[0]).private_pem)
        trust, lists = chains.bundle(row.trust), row.crl() if row.crl else ""
        files["trust"].write_text(trust)
        files["crl"].write_text(lists)
        files["openssl"].write_text(
            trust + lists + (row.beside() if row.beside else ""))
        files["folder"] = tmp_path / "trusted"
        files["folder"].mkdir()
        for number, wish in enumerate(row.trust):
            (files["folder"] / f"{number}.pem").write_text(made(wish).pem)
        response = row.staple and row.staple()

        def context():
            if response:
                return chains.Stapling(files["chain"], files["key"], response)
            return chains.context(files["chain"], files["key"])
        return start(tls="implicit", make_context=context), files
    return serve


@pytest.fixture
def submit(send):
    def submit(row, peer, files):
        return send(peer, "bob@example.net", tls_host_override=row.host,
                    tls_trust_file=files["folder" if row.folder else "trust"],
                    tls_crl_file=files["crl"] if row.crl else None)
    return submit


def run(*command):
    """Whether it came to a good end, and what it said."""
    done = subprocess.run([str(word) for word in command],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60 * slowness(),
                          check=False)
    return done.returncode == 0, done.stdout.decode("utf-8", "replace")


def ask_gnutls(row, peer, files):
    lists = ["--x509crlfile", files["crl"]] if row.crl else []
    return run("gnutls-cli", "--x509cafile", files["trust"],
               "--verify-hostname", ascii_host(row), *lists, "-p", peer.port,
               "127.0.0.1")


def ask_openssl(row, peer, files):
    kind = "-verify_ip" if is_address(row.host) else "-verify_hostname"
    lists = ["-crl_check"] if row.crl else []
    return run("openssl", "s_client", "-connect", f"127.0.0.1:{peer.port}",
               "-CAfile", files["openssl"], "-no-CApath", "-no-CAstore",
               "-verify_return_error", kind, ascii_host(row), *lists,
               *row.flags)


def is_address(host):
    return bool(re.fullmatch(r"[\d.]+|.*:.*", host))


def ascii_host(row):
    return row.host if row.host.isascii() else row.host.encode("idna").decode()


def told(row, result):
    """The refusal is one line, which says what is wrong with what."""
    assert result.code in ((75, 78) if row.crl else (75,)), str(result)
    assert len(result.lines) == 1 and result.err.endswith("\n"), result.err
    line = result.err[:-1]
    assert result.code == 78 or line.endswith(" (4.7.5)"), line
    assert line.startswith("postrider: "), line
    assert line.isprintable(), line
    assert len(line) < 1500, line
    assert "127.0.0.1" in line or row.crl and "tls_crl_file" in line, line
    assert re.search(row.refused, line), line
    if row.refused == NAME:
        assert row.host in line, line
        for name in (row.chain[0].san or ())[:8]:
            kind, _, value = str(name).partition(":")
            if kind in ("dns", "ip") and value.isprintable() and \
                    len(value) < 1000:
                assert value in line, line
    if row.at >= 0 and (subject := row.chain[row.at].subject).isprintable() \
            and len(subject) < 1000:
        assert f"CN={subject}" in line, line


def nothing_was_said(peer):
    for session in peer.sessions:
        assert session.clear == b"" and session.plain == b""
        assert not session.auth_attempts
    assert peer.messages == []


def told_again(row, result, submit, peer, files):
    """With all trusted certificates loaded it is the same; of the rows a third
    is tried, unless all is asked for."""
    if row.folder or row.crl:
        return              # so it was
    if ROWS.index(row) // 3 % 3 and \
            os.environ.get("POSTRIDER_TABLES") != "whole":
        return
    with files["trust"].open("a") as trust:
        trust.write(ODD)
    again = submit(row, peer, files)
    now = re.compile(r"clock says [^ ]+")
    assert again.code == result.code, str(again)
    assert now.sub("now", again.err) == now.sub("now", result.err)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_verdict(serve, submit, row):
    peer, files = serve(row)
    result = submit(row, peer, files)
    if row.refused:
        told(row, result)
        nothing_was_said(peer)
    else:
        assert result.code == 0, str(result)
        assert len(peer.messages) == 1
    told_again(row, result, submit, peer, files)
    if row.refused:
        nothing_was_said(peer)
    for ask, same in ((ask_gnutls, row.gnutls), (ask_openssl, row.openssl)):
        believes, words = ask(row, peer, files)
        assert believes == (same == (not row.refused)), words


# What a refusal says beside the check: dates, names, and what to do.
TO_DO = r"tls_\w+|whoever|must|renew|replace|\bask\b|clock|forged"
WORDS = {
    "expired": ["a server", day(-2)],
    "future": ["a server", day(2), "clock"],
    "intermediate expired": ["Middle", day(-2)],
    "trusted root expired": ["Expired Root", day(-2)],
    "trusted root of the future": ["Future Root", day(2)],
    "self-signed": ["tls_fingerprint|tls_pin"],
    "other root": ["CN=Root", "tls_trust_file"],
    "intermediate missing": ["CN=Middle", "intermediate"],
    "root sent, not trusted": ["CN=Root", "tls_trust_file"],
    "signature spoilt": ["signature"],
    "for clients alone": ["a server"],
    "intermediate for clients alone": ["Middle"],
    "key usage: encipherment alone": ["usage"],
    "RSA 1024": ["RSA", "1024"],
    "trusted root RSA 1024": ["weak"],
    "signed by SHA-1": ["SHA-?1"],
    "intermediate signed by SHA-1": ["Middle", "SHA-?1"],
    "another name": [chains.HOST, "mail.example.net"],
    "common name alone": [chains.HOST, "subjectAltName"],
    "none of a thousand": [chains.HOST, "7.example.net"],
    "subject of 60000 octets": ["the certificate of", "mail.example.net"],
    "name of 2000 octets": [chains.HOST, "the certificate of"],
    "path length violated": ["constraint|path length"],
    "intermediate is no authority": ["CA|authority"],
    "critical extension that nobody knows": ["critical"],
    "names not permitted": ["constraint"],
    "chain of 30": [],
    "CRL with it": ["revoked", "a server", day(-1), "CN=Root"],
    "CRL with the intermediate": ["revoked", "CN=Middle", day(-1), "CN=Root"],
    "CRL expired": ["CN=Root", "until", day(-2), "fetch"],
    "CRL expired, with it": ["revoked", "a server", day(-1)],
    "CRL of the future": ["CN=Root", "future", day(2), "clock"],
    "CRL of another issuer": ["CN=Other", "verified", "fetch"],
    "CRL forged, with it": ["CN=Root", "not signed", "fetch"],
    "CRL forged, without it": ["CN=Root", "not signed", "fetch"],
    "CRL forged and expired, with it": ["CN=Root", "not signed", "fetch"],
    "must staple, does not": ["OCSP|staple"],
    "staple: revoked": ["revoked", "a server"],
    "staple expired": ["OCSP|staple"],
}


@pytest.mark.parametrize("name", WORDS)
def test_words(serve, submit, name):
    row, = (row for row in ROWS if row.name == name)
    result = submit(row, *serve(row))
    line = result.err.removesuffix(" (4.7.5)\n")
    assert line != result.err and "  " not in line, result.err
    for words in WORDS[name] + [TO_DO]:
        assert re.search(words, line), words


def test_the_table():
    assert len({row.name for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert bool(row.why) == (not (row.gnutls and row.openssl)), row.name
        assert row.refused or row.gnutls or row.openssl, row.name
