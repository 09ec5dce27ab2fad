"""DANE (RFC 6698, RFC 7671): whom signed DNS lets postrider believe.

Each row is a name in a DNS of our own (signedzone.py), with what it says of
the server at one of the ports, and what must come of it.  A server that is
refused has seen no more than a handshake.
"""

import functools
import hashlib
import os
import re
import ssl
import subprocess
import sys
from dataclasses import dataclass

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "run")]

from certs import Certificates			# noqa: E402
from harness import Postrider			# noqa: E402
from signedzone import (ROOT_KEY, SILENT, SOA, SignedNames, Zone,
                        ZoneError)		# noqa: E402
from tlspeers import PASSWORD, Peers		# noqa: E402

MESSAGE = b"""From: alice@example.org
To: bob@example.net
Subject: hello

First line
"""
GOOD, TEMPFAIL, CONFIG = 0, 75, 78

# Every name here is that of the servers, but for those of "wrong".
OURS = ["example.org", "plain.example", "forged.example", "denied.example",
        "dead.example", "optout.example"]

# What is shown at a port: certificates, the first one's key.
SHOWN = {
    "alone": ["wide"],
    "chain": ["wide", "ca"],
    "late": ["late", "ca"],			# has expired
    "wrong": ["wrong-name", "ca"],		# is for somebody else
    "deep": ["deep", "middle"],			# the root is not sent
    "crossed": ["deep", "middle", "cross"],	# a middle with two issuers
    "stray": ["wide", "other-ca"],		# who has signed nothing
    "twice": ["wide", "wide"],
    "target": ["target", "ca"],			# for target.example.org alone
    "self": ["self-signed"],			# for mail.example.org
    "client": ["purpose", "ca"],		# is not for servers
    "address": ["good"],			# is for 127.0.0.1 too
}
PORTS = {name: 2001 + i for i, name in enumerate(SHOWN)}


class Pki(Certificates):
    def _make(self):
        super()._make()
        wide = ",".join("DNS:*." + name for name in OURS)
        self._leaf("wide", wide, "wide", "ca", -1, 30)
        self._leaf("late", wide, "late", "ca", -30, -2)
        self._leaf("deep", wide, "deep", "middle", -1, 30)
        self._leaf("cross", None, "postrider test intermediate", "other-ca",
                   -1, 30, section="authority")
        self._leaf("target", "DNS:target.example.org", "target", "ca", -1, 30)
        self.purpose = "extendedKeyUsage = clientAuth\n"
        self._leaf("purpose", wide, "purpose", "ca", -1, 30)

    def _key(self, name):
        if name == "cross":
            self.key(name).write_bytes(self.key("middle").read_bytes())
        else:
            super()._key(name)

    def _extensions(self, san):
        return super()._extensions(san) + getattr(self, "purpose", "")

    def show(self, name):
        """The file with what is shown at that port."""
        path = self.directory / ("shown-%s.pem" % name)
        path.write_text("".join(self.first(part) for part in SHOWN[name]))
        return str(path)

    def both(self):
        """A file with both authorities."""
        path = self.directory / "both.pem"
        path.write_text(self.ca.read_text() + self.other_ca.read_text())
        return path

    def first(self, name):
        return self.chain(name).read_text().split("-----END")[0] + \
            "-----END CERTIFICATE-----\n"

    @functools.lru_cache(maxsize=None)
    def octets(self, name, selector):
        """What a selector stands for, in a certificate."""
        if selector == 0:
            return ssl.PEM_cert_to_DER_cert(self.first(name))
        pem = subprocess.run(
            ["openssl", "x509", "-noout", "-pubkey", "-in",
             str(self.chain(name))], check=True, capture_output=True).stdout
        return subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"],
                              input=pem, check=True,
                              capture_output=True).stdout

    def record(self, text):
        """'3 1 1 wide' as it stands in a zone: \\# and hex, as nothing else
        writes what is unknown; '3 1 1 =ABCD' for those octets."""
        usage, selector, matching, what = text.split()
        if what[0] == "=":
            data = bytes.fromhex(what[1:])
        else:
            data = self.octets(what, int(selector))
            data = (lambda x: x, lambda x: hashlib.sha256(x).digest(),
                    lambda x: hashlib.sha512(x).digest()
                    )[int(matching)](data)
        data = bytes([int(usage), int(selector), int(matching)]) + data
        return "\\# %d %s" % (len(data), data.hex())


@dataclass
class Row:
    shown: str			# which port
    records: tuple		# of _PORT._tcp.NAME, as Pki.record takes them
    words: str = ""		# of the refusal; "": it is believed
    trust: str = "ca"
    dane: str = "on"
    host: str = "NAME.example.org"
    by: str = "dane"		# what the log says, if it is believed
    code: int = TEMPFAIL
    lines: tuple = ()		# more of the zone example.org, or of another
    settings: tuple = ()


def combinations():
    """Every usage, selector and matching type, right and wrong."""
    right = {0: ("deep", "middle", "ca"), 1: ("chain", "wide", "ca"),
             2: ("deep", "middle", "other-ca"), 3: ("alone", "wide",
                                                    "other-ca")}
    rows = {}
    for usage, (shown, what, trust) in right.items():
        for selector in (0, 1):
            for matching in (0, 1, 2):
                kind = "%d %d %d " % (usage, selector, matching)
                name = kind.replace(" ", "")
                rows["right-" + name] = Row(shown, (kind + what,), trust=trust)
                rows["wrong-" + name] = Row(
                    shown, (kind + ("late" if usage & 1 else "other-ca"),),
                    "is not what signed DNS says.* TLSA %s" % kind.strip())
    return rows


NOT_SAID = "is not what signed DNS says"
BUT = "a TLSA record of .* matches, but .*"
UNUSABLE = {"usage": "4 1 1 wide", "private-usage": "255 0 0 =00",
            "selector": "3 2 1 =" + "ab" * 32, "no-selector": "3 255 1 =00",
            "matching": "3 1 3 =" + "ab" * 32, "short": "3 1 1 =abcd",
            "long": "3 1 1 =" + "ab" * 33, "sha512-as-256": "3 1 2 =" +
            "ab" * 32, "no-certificate": "3 0 0 =3003020100",
            "no-key": "2 1 0 =3003020100"}

ROWS = combinations()
ROWS.update({
    # 0 and 1: the usual check as well
    "0-root-not-sent": Row("deep", ("0 0 1 ca",)),
    "0-root-not-sent-key": Row("deep", ("0 1 2 ca",)),
    "0-untrusted": Row("deep", ("0 0 1 middle",), BUT + "not among the trusted",
                       trust="other-ca"),
    "0-cross": Row("crossed", ("0 0 1 cross",), BUT + "not among the trusted"),
    "0-cross-trusted": Row("crossed", ("0 0 1 cross",), trust="both"),
    "0-cross-other": Row("crossed", ("0 0 1 middle",)),
    "2-cross": Row("crossed", ("2 0 1 cross",), trust="other-ca"),
    "0-stray": Row("stray", ("0 0 1 other-ca",), "no signatures lead"),
    "0-own": Row("chain", ("0 1 1 wide",), NOT_SAID),
    "0-late": Row("late", ("0 0 1 ca",), "expired"),
    "0-wrong-name": Row("wrong", ("0 0 1 ca",), "not for .*example.org"),
    "0-root-twice": Row("chain", ("0 0 1 ca",)),
    "1-untrusted": Row("chain", ("1 1 1 wide",), BUT + "not among the trusted",
                       trust="other-ca"),
    "1-late": Row("late", ("1 1 1 late",), BUT + "expired"),
    "1-wrong-name": Row("wrong", ("1 1 1 wrong-name",), BUT + "not for"),
    # 2: name, dates, and a chain that leads there
    "2-root": Row("chain", ("2 0 1 ca",), trust="other-ca"),
    "2-own": Row("alone", ("2 0 1 wide",), NOT_SAID),
    "2-own-twice": Row("twice", ("2 0 1 wide",), NOT_SAID),
    "2-own-whole": Row("alone", ("2 0 0 wide",), NOT_SAID),
    "2-not-sent": Row("alone", ("2 0 1 ca",), NOT_SAID),
    "2-not-sent-whole": Row("alone", ("2 0 0 ca",), trust="other-ca"),
    "2-not-sent-middle": Row("deep", ("2 0 0 ca",), trust="other-ca"),
    "2-bare-key": Row("alone", ("2 1 0 ca",), trust="other-ca"),
    "2-bare-key-above": Row("deep", ("2 1 0 ca",), trust="other-ca"),
    "2-bare-key-wrong": Row("alone", ("2 1 0 other-ca",), NOT_SAID),
    "2-bare-key-own": Row("alone", ("2 1 0 wide",), NOT_SAID),
    "2-bare-key-late": Row("late", ("2 1 0 ca",), "expired"),
    "2-bare-key-wrong-name": Row("wrong", ("2 1 0 ca",), BUT + "not for"),
    "2-stray": Row("stray", ("2 0 1 other-ca",), "no signatures lead"),
    "2-late": Row("late", ("2 0 1 ca",), "expired"),
    "2-late-whole": Row("late", ("2 0 0 ca",), "expired"),
    "2-wrong-name": Row("wrong", ("2 1 1 ca",), BUT +
                        "not for 2-wrong-name.example.org.*other.example.net"),
    "2-purpose": Row("client", ("2 1 1 ca",), BUT + "not meant for a server"),
    # 3: nothing else matters
    "3-late": Row("late", ("3 1 1 late",), trust="other-ca"),
    "3-late-whole": Row("late", ("3 0 0 late",), trust="other-ca"),
    "3-wrong-name": Row("wrong", ("3 1 1 wrong-name",), trust="other-ca"),
    "3-self-signed": Row("self", ("3 0 2 self-signed",)),
    "3-purpose": Row("client", ("3 1 1 purpose",)),
    "3-issuer": Row("chain", ("3 1 1 ca",), NOT_SAID),
    # several
    "rollover": Row("alone", ("3 1 1 late", "3 1 1 wide"), trust="other-ca"),
    "rollover-ca": Row("chain", ("2 0 1 other-ca", "2 0 1 ca"),
                       trust="other-ca"),
    "mixed": Row("alone", ("2 0 1 other-ca", "3 1 1 wide")),
    "two-wrong": Row("alone", ("3 1 1 late", "2 0 1 other-ca"),
                     "TLSA .*3 1 1 .*, and it would be 3 1 1 [0-9A-F]{64}"),
    "late-or-issuer": Row("late", ("2 0 1 ca", "3 1 1 late")),
    "unusable-and-right": Row("alone", ("4 1 1 late", "3 1 1 wide"),
                              trust="other-ca"),
    "unusable-and-wrong": Row("alone", ("4 1 1 wide", "3 1 1 late"), NOT_SAID),
    # RFC 7671 9: the strongest digest decides
    "agility": Row("alone", ("3 1 1 wide", "3 1 2 late"), NOT_SAID),
    "agility-right": Row("alone", ("3 1 1 late", "3 1 2 wide")),
    "agility-selector": Row("alone", ("3 0 1 wide", "3 1 2 late")),
    "agility-usage": Row("chain", ("2 0 1 ca", "3 0 2 late")),
    "agility-whole": Row("alone", ("3 1 0 wide", "3 1 2 late")),
    # no records
    "none": Row("alone", (), by="ca.pem"),
    "none-untrusted": Row("alone", (), "not among the trusted",
                          trust="other-ca"),
    "none-late": Row("late", (), "expired"),
    "none-only": Row("alone", (), "there is none", dane="only"),
    "no-data": Row("alone", (), by="ca.pem", lines=(
        "_2001._tcp.no-data 60 IN TXT text",)),
    "other-port": Row("alone", (), by="ca.pem", lines=(
        "_2002._tcp.other-port 60 IN TLSA \\# 4 030100ab",)),
    "no-such-host": Row("alone", (), by="ca.pem",
                        host="NAME.missing.example.org", trust="self",
                        settings=("tls_host_override x.example.org",)),
    # not signed, all the same what they say
    "unsigned-right": Row("alone", ("3 1 1 wide",), "not among the trusted",
                          trust="other-ca", host="NAME.plain.example"),
    "unsigned-wrong": Row("alone", ("3 1 1 late",), by="ca.pem",
                          host="NAME.plain.example"),
    "unsigned-late": Row("late", ("3 1 1 late",), "expired",
                         host="NAME.plain.example"),
    "unsigned-only": Row("alone", ("3 1 1 wide",), "is not signed",
                         dane="only", host="NAME.plain.example"),
    "optout-right": Row("alone", ("3 1 1 wide",), trust="other-ca",
                        host="NAME.optout.example"),
    "optout-none": Row("alone", (), by="ca.pem", host="NAME.optout.example"),
    # forged: never a weaker check, nor believed
    "forged-right": Row("alone", ("3 1 1 wide",), "not signed as it must be",
                        host="NAME.forged.example"),
    "forged-wrong": Row("alone", ("3 1 1 late",), "not signed as it must be",
                        host="NAME.forged.example"),
    "forged-only": Row("alone", ("3 1 1 wide",), "not signed as it must be",
                       dane="only", host="NAME.forged.example"),
    "forged-address": Row("alone", (), "not signed as it must be",
                          host="NAME.forged.example"),
    "denied": Row("alone", (), "not signed as it must be",
                  host="NAME.denied.example"),
    "denied-only": Row("alone", (), "not signed as it must be", dane="only",
                       host="NAME.denied.example"),
    "dead": Row("alone", (), "cannot look up .*dead.example now.*fails",
                host="NAME.dead.example"),
    "dead-only": Row("alone", (), "cannot look up .*dead.example now.*fails",
                     dane="only", host="NAME.dead.example"),
    # aliases
    "alias": Row("target", (), trust="other-ca", lines=(
        "alias 60 IN CNAME target", "T target 2 0 1 ca")),
    "alias-own": Row("chain", ("2 1 1 ca",), trust="other-ca", lines=(
        "alias-own 60 IN CNAME none",)),
    "alias-first": Row("late", ("3 1 1 late",), NOT_SAID, lines=(
        "alias-first 60 IN CNAME target", "T target 3 1 1 wide")),
    "alias-twice": Row("wrong", (), lines=(
        "alias-twice 60 IN CNAME alias-again",
        "alias-again 60 IN CNAME target", "T target 3 1 1 wrong-name")),
    "alias-unsigned": Row("alone", (), "not among the trusted",
                          trust="other-ca", lines=(
        "alias-unsigned 60 IN CNAME unsigned-right.plain.example.",)),
    "alias-out": Row("alone", ("3 1 1 wide",), trust="other-ca", lines=(
        "alias-out 60 IN CNAME unsigned-right.plain.example.",)),
    "alias-forged": Row("alone", (), "not signed as it must be", lines=(
        "alias-forged 60 IN CNAME forged-right.forged.example.",)),
    "alias-into": Row("alone", (), "not among the trusted", trust="other-ca",
                      host="NAME.plain.example", lines=(
        "alias-into 60 IN CNAME right-311.example.org.",)),
    "record-alias": Row("alone", (), trust="other-ca", lines=(
        "_2001._tcp.record-alias 60 IN CNAME shared", "S shared 3 1 1 wide")),
    "record-alias-out": Row("alone", (), by="ca.pem", lines=(
        "_2001._tcp.record-alias-out 60 IN CNAME "
        "_2001._tcp.unsigned-wrong.plain.example.",)),
    # names as people write them
    "case": Row("alone", ("3 1 1 wide",), trust="other-ca",
                host="CASE.Example.ORG"),
    "xn--bcher-kva": Row("alone", ("3 1 1 wide",), trust="other-ca",
                         host="b\u00fccher.example.org"),
    # together with the other ways to believe
    "fingerprint": Row("late", ("3 1 1 wide",), by="fingerprint",
                       settings=("tls_fingerprint LATE",)),
    "fingerprint-wrong": Row("alone", ("3 1 1 wide",), "tls_fingerprint",
                             settings=("tls_fingerprint LATE",)),
    "fingerprint-only": Row("alone", ("3 1 1 wide",), "contradict",
                            dane="only", code=CONFIG,
                            settings=("tls_fingerprint LATE",)),
    "pin-only": Row("alone", ("3 1 1 wide",), "tls_pin", dane="only",
                    code=CONFIG, settings=("tls_pin " + "ab" * 32,)),
    "unchecked": Row("alone", ("3 1 1 late",), NOT_SAID,
                     settings=("tls_certcheck off",)),
    "unchecked-right": Row("alone", ("3 1 1 wide",),
                           settings=("tls_certcheck off",)),
    "unchecked-none": Row("late", (), by="unchecked",
                          settings=("tls_certcheck off",)),
    "unchecked-1": Row("late", ("1 1 1 late",), trust="other-ca",
                       settings=("tls_certcheck off",)),
    "unchecked-0": Row("chain", ("0 0 1 ca",), trust="other-ca",
                       settings=("tls_certcheck off",)),
    "override": Row("wrong", ("2 0 1 ca",),
                    settings=("tls_host_override other.example.net",)),
    "override-wrong": Row("chain", ("2 0 1 ca",), "not for other.example.net",
                          settings=("tls_host_override other.example.net",)),
    # where DNS has nothing to say
    "address": Row("address", (), host="127.0.0.1", by="ca.pem"),
    "address-only": Row("address", (), "needs the name of a host", code=CONFIG,
                        host="127.0.0.1", dane="only"),
    "socket-only": Row("alone", ("3 1 1 wide",), "needs the name of a host",
                       code=CONFIG, dane="only",
                       settings=("socket /nowhere/there", "tls on")),
    "tunnel-only": Row("alone", ("3 1 1 wide",), "needs the name of a host",
                       code=CONFIG, dane="only",
                       settings=("tunnel false", "tls on")),
    "clear-only": Row("alone", ("3 1 1 wide",), "tls is off", code=CONFIG,
                      dane="only", settings=("tls off",)),
    "off": Row("alone", ("3 1 1 late",), dane="off", by="ca.pem"),
    "off-forged": Row("alone", ("3 1 1 wide",), dane="off", by="ca.pem",
                      host="NAME.forged.example"),
})
for name, text in UNUSABLE.items():
    ROWS["unusable-" + name] = Row("alone", (text,), by="ca.pem")
    ROWS["unusable-untrusted-" + name] = Row(
        "alone", (text,), "not among the trusted", trust="other-ca")
    ROWS["unusable-only-" + name] = Row(
        "alone", (text,), "none that there is can be understood", dane="only")
for kind in ("right-311", "right-201", "right-001", "right-101", "rollover",
             "3-late", "alias", "optout-right"):
    row = ROWS[kind]
    ROWS["only-" + kind] = Row(row.shown, row.records, trust=row.trust,
                               dane="only", host=row.host.replace(
                                   "NAME", kind))
ROWS["no-such-host"].trust = "ca"


def host_of(name, row):
    return row.host.replace("NAME", name)


def zones_for(pki):
    """The zones, with what the rows want to be in them."""
    lines = {zone: [SOA, "@ 60 IN NS ns.example.org."] for zone in OURS}
    lines["example.org"] += ["ns 60 IN A 127.0.0.1",
                             "target 60 IN A 127.0.0.1"]
    for name, row in ROWS.items():
        zone = row.host.split(".", 1)[1].lower()
        if zone not in OURS or name.startswith("only-"):
            continue
        if not any(line.startswith(name + " 60 IN CNAME")
                   for line in row.lines) and name != "no-such-host":
            lines[zone].append("%s 60 IN A 127.0.0.1" % name)
        port = PORTS[row.shown]
        lines[zone] += ["_%d._tcp.%s 60 IN TLSA %s" %
                        (port, name, pki.record(text))
                        for text in row.records]
        for line in row.lines:
            kind, _, rest = line.partition(" ")
            owner, _, text = rest.partition(" ")
            if kind == "T":
                line = "_%d._tcp.%s 60 IN TLSA %s" % (port, owner,
                                                      pki.record(text))
            elif kind == "S":
                line = "%s 60 IN TLSA %s" % (owner, pki.record(text))
            lines[zone].append(line)
    more = {
        "plain.example": {"signed": False},
        "forged.example": {"forged": (
            r"(?m)(\sTLSA\t3 1 1 )(..)|^(forged-address.*\tA\t127\.0\.0\.)1",
            lambda m: m[1] + "%02x" % (int(m[2], 16) ^ 1) if m[1]
            else m[3] + "5")},
        "denied.example": {"forged": (r"(?m)^_.*\n|^denied.*NSEC.*\n", "")},
        "dead.example": {"served": False},
        "optout.example": {"options": ("-n", "-p")},
    }
    return [Zone(zone + ".", lines[zone], **more.get(zone, {}))
            for zone in OURS]


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("certs"))


@pytest.fixture(scope="module")
def names(pki, tmp_path_factory):
    if os.geteuid() != 0:
        pytest.fail("only root makes namespaces; run this with sudo")
    names = SignedNames(tmp_path_factory.mktemp("dns"), zones_for(pki))
    try:
        names.start()
    except ZoneError as error:
        pytest.fail(str(error))
    hosts = {host_of(name, row): "127.0.0.1" for name, row in ROWS.items()}
    names.hosts({host.encode("idna").decode(): address for host, address
                 in hosts.items() if host != "127.0.0.1"})
    yield names
    names.stop()


@pytest.fixture(scope="module")
def peers(pki, names):
    wanted = {port: {"cert": pki.show(name),
                     "key": str(pki.key(SHOWN[name][0])),
                     "tls": "starttls" if port % 2 else "implicit"}
              for name, port in PORTS.items()}
    peers = Peers(wanted, names.enter)
    yield peers
    peers.stop()


@pytest.fixture
def rider(tmp_path, pki, names):
    return Rider(tmp_path, pki, names)


class Rider(Postrider):
    def __init__(self, directory, pki, names):
        super().__init__(directory)
        self.pki, self.names = pki, names
        self.log = self.home / "log"

    def submit(self, name, row, *more, preexec=None, env=None):
        """Send a message to the host of the row."""
        port = PORTS[row.shown]
        trust = {"ca": self.pki.ca, "other-ca": self.pki.other_ca,
                 "both": self.pki.both()}[row.trust]
        own = [line.replace("LATE", self.pki.fingerprint("late", "sha256"))
               for line in row.settings + more]
        lines = ["account default", "host " + host_of(name, row),
                 "port %d" % port, "dane " + row.dane, "timeout 20",
                 "tls_starttls " + ("on" if port % 2 else "off"),
                 "tls_trust_file %s" % trust, "auth on", "user alice",
                 'password "%s"' % PASSWORD, "from alice@example.org",
                 "logfile %s" % self.log] + own
        config = self.config("\n".join(lines) + "\n")
        return self.run("-C", config, "bob@example.net", stdin=MESSAGE,
                        preexec=preexec or self.names.enter, env=env)


def refused(result, sessions, words, code=TEMPFAIL):
    assert result.code == code, str(result)
    assert len(result.lines) == 1, result.err
    assert re.search(words, result.err), result.err
    for session in sessions:
        assert session["plain"] == "", session
        assert "alice" not in session["clear"], session


@pytest.mark.parametrize("name", ROWS)
def test_row(name, peers, rider):
    row = ROWS[name]
    result = rider.submit(name, row)
    sessions = peers.sessions(PORTS[row.shown])
    if row.words:
        refused(result, sessions, row.words, row.code)
        return
    assert result.code == GOOD, str(result)
    assert result.err == ""
    assert [s["accepted"] for s in sessions] == [1], sessions
    assert sessions[0]["violations"] == []
    assert row.by in rider.log.read_text(), rider.log.read_text()


RIGHT = Row("alone", ("3 1 1 wide",), trust="other-ca")
RIGHT_NAME = "right-311"


@pytest.fixture
def resolver(names):
    """Another name server for one test."""
    yield names.ask
    names.ask()


@pytest.mark.parametrize("dane", ["on", "only"])
def test_silence_is_no_answer(dane, peers, rider, resolver):
    resolver(SILENT)
    row = Row("alone", (), dane=dane)
    result = rider.submit("none", row, "connect_timeout 2")
    refused(result, peers.sessions(PORTS["alone"]),
            "cannot look up .*none.example.org now.*timed out.*4.4.3")


def test_no_name_server_is_asked_for_nothing(peers, rider, resolver):
    resolver(SILENT)
    for name in ("address", "fingerprint", "off"):
        result = rider.submit(name, ROWS[name])
        assert result.code == GOOD, str(result)
        assert len(peers.sessions(PORTS[ROWS[name].shown])) == 1


def test_another_root_is_not_ours(peers, rider, names):
    name = next(f for f in os.listdir(names.dir)
                if f.startswith("Kexample.org") and f.endswith(".key"))
    with open(names.path(name)) as f:
        other = f.read().replace("example.org.", ".", 1)
    kept = names.put("root.key", other)
    try:
        for dane in ("on", "only"):
            row = Row("alone", (), dane=dane)
            result = rider.submit(RIGHT_NAME, row)
            refused(result, peers.sessions(PORTS["alone"]),
                    "not signed as it must be")
    finally:
        names.put("root.key", kept)


def test_without_the_root_key(peers, rider, names):
    def enter():
        names.enter()
        names.hide(os.path.dirname(ROOT_KEY))

    result = rider.submit(RIGHT_NAME, RIGHT, preexec=enter)
    refused(result, peers.sessions(PORTS["alone"]),
            "dane on needs the root key of the DNS.*5.3.5", CONFIG)


@pytest.mark.parametrize("dane", ["on", "only"])
def test_without_the_library(dane, peers, rider, tmp_path):
    (tmp_path / "libunbound.so.8").write_bytes(b"no library")
    row = Row("alone", (), dane=dane)
    result = rider.submit(RIGHT_NAME, row,
                          env={"LD_LIBRARY_PATH": tmp_path})
    refused(result, peers.sessions(PORTS["alone"]),
            "dane %s needs the library libunbound.*5.3.5" % dane, CONFIG)


def test_the_library_is_loaded_for_dane_alone(rider, tmp_path, peers):
    (tmp_path / "libunbound.so.8").write_bytes(b"no library")
    result = rider.submit("off", ROWS["off"],
                          env={"LD_LIBRARY_PATH": tmp_path})
    assert result.code == GOOD, str(result)
    peers.sessions(PORTS["alone"])


@pytest.mark.parametrize("name, asked", [
    (RIGHT_NAME, RIGHT_NAME + ".example.org"),
    ("alias", "target.example.org"),
    ("alias-own", "alias-own.example.org"),
    ("alias-out", "alias-out.example.org"),
    ("record-alias", "record-alias.example.org"),
    ("xn--bcher-kva", "xn--bcher-kva.example.org"),
    ("override", "other.example.net"),
])
def test_the_name_asked_of_the_server(name, asked, peers, rider):
    row = ROWS[name]
    assert rider.submit(name, row).code == GOOD
    told = peers.sessions(PORTS[row.shown])
    assert [s["name"] for s in told] == [asked]


@pytest.mark.parametrize("name", ["socket-only", "address-only", "pin-only",
                                  "clear-only", "fingerprint-only"])
def test_check_finds_contradictions(name, rider):
    row = ROWS[name]
    rider.submit(name, row)     # writes the configuration
    result = rider.run("-C", rider.home / ".postriderrc", "--check",
                       preexec=rider.names.enter)
    assert result.code == CONFIG
    assert re.search(row.words, result.out + result.err), str(result)


def test_probe_says_by_what_it_believes(rider, peers):
    rider.submit(RIGHT_NAME, RIGHT)
    result = rider.run("-C", rider.home / ".postriderrc", "--probe",
                       preexec=rider.names.enter)
    assert "verified: dane" in result.out, str(result)
    peers.sessions(PORTS["alone"])


def test_nothing_is_left_running(rider, names, resolver):
    """A connection that fails at once must not leave the question behind."""
    resolver(SILENT)
    lost = Row("alone", (), settings=("port 9",))
    result = rider.submit("none", lost)
    assert result.code == TEMPFAIL and "cannot connect" in result.err
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                words = f.read().split(b"\0")
        except OSError:
            continue
        assert bytes(rider.home) not in b" ".join(words), words
