"""SASL against GNU SASL's own server side, over GnuTLS (tests/sasl/peer).

Who logs in and who doesn't, what the server gets to see of it, and that no
weaker way is taken than the account allows.  Whatever happens, a message goes
only to a server that said 235, and no secret is in what is printed.
"""

import base64
import re
import struct
import unicodedata

import pytest

from harness import slowness
from saslpeer import SaslPeer

MESSAGE = (b"From: alice@example.org\nTo: bob@example.net\nSubject: hello\n"
           b"\nFirst line\n")
PASSWORD = "correct horse/battery+staple"
TOKEN = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"
DOMAIN = "CORP"
OK, TEMPFAIL, PROTOCOL, NOPERM = 0, 75, 76, 77
REFUSED = "535 5.7.8 Authentication credentials invalid"

# The strongest first, as `auth on` takes them.
SCRAM_PLUS = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"]
SCRAM = ["SCRAM-SHA-256", "SCRAM-SHA-1"]
DIGESTS = ["DIGEST-MD5", "CRAM-MD5"]
SHOWN = ["PLAIN", "LOGIN", "OAUTHBEARER", "XOAUTH2"]
BEARER = ["OAUTHBEARER", "XOAUTH2"]
BY_PASSWORD = SCRAM_PLUS + SCRAM + DIGESTS + ["NTLM", "PLAIN", "LOGIN"]
SERVER_FIRST = ["LOGIN", "CRAM-MD5", "DIGEST-MD5"]
VERSIONS = ["1.2", "1.3"]
WAYS = ["starttls", "implicit"]


class Login:
    """One run: what it said, and what the server saw."""

    def __init__(self, result, log):
        self.result, self.log = result, log
        self.code, self.err = result.code, result.err

    @property
    def tried(self):
        return [attempt.mechanism for attempt in self.log.auth]

    @property
    def last(self):
        return self.log.auth[-1]

    def __repr__(self):
        return f"{self.result}\nlog: {self.log}"


@pytest.fixture
def login(certs, rider):
    """login("starttls", {options of the peer}, setting=value, ...): logs in
    with the right password unless `secret` is another one.  With times=2 the
    same again, and a list of both."""

    def login(way="starttls", server=None, secret=PASSWORD, strict=True,
              times=1, **settings):
        options = {"user": "alice", "password": PASSWORD, "token": TOKEN,
                   "domain": DOMAIN, "realm": "example.org"}
        options.update(server or {})
        if way != "clear":
            options.update(cert=certs.chain("good"), key=certs.key("good"))
        secret = secret if isinstance(secret, bytes) else secret.encode()
        file = rider.config(secret + b"\n", "secret")
        with SaslPeer("--" + way, **options) as peer:
            rider.config(account(peer, way, {"password_file": file,
                                             **settings}))
            runs = [once(peer) for _ in range(times)]
        for run in runs:
            check(run, secret, strict)
        return runs if times > 1 else runs[0]

    def once(peer):
        run = Login(rider.run("bob@example.net", stdin=MESSAGE), peer.log())
        assert run.code == OK or peer.is_quiet(), f"it came again\n{run}"
        return run

    def account(peer, way, settings):
        values = {"host": "localhost", "prefer_family": "ipv4",
                  "port": peer.port, "timeout": round(5 * slowness()),
                  "user": "alice", "auth": "on", "from": "alice@example.org",
                  "tls": "off" if way == "clear" else "on"}
        if way != "clear":
            values.update(tls_trust_file=certs.ca,
                          tls_starttls="on" if way == "starttls" else "off")
        values.update(settings)
        lines = ["account default"]
        lines += [f"{name} {value}" for name, value in values.items()
                  if value is not None]
        return "\n".join(lines) + "\n"

    return login


def check(run, secret, strict):
    """What is true of every run."""
    if strict:
        assert run.log.violations == [], run
    said = [a.ok for a in run.log.auth]
    if run.code == OK:
        assert said and said[-1] and run.log.message, run
    else:
        assert run.log.message == 0, run
        assert "MAIL" not in run.log.commands, run
        assert len(run.result.lines) == 1, run
        assert run.result.lines[0].isprintable(), run
    for shown in (secret, base64.b64encode(secret), secret.hex().encode()):
        if len(shown) > 3:
            assert shown not in run.result.stderr + run.result.stdout, run


def secret_for(mechanism):
    return TOKEN if mechanism in BEARER else PASSWORD


# ------------------------------------------------------------ right and wrong

@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mechanism", BY_PASSWORD + BEARER)
def test_right(login, mechanism, way, version):
    run = login(way, {"mechanisms": mechanism, "tls": version},
                auth=mechanism.lower(), secret=secret_for(mechanism))
    assert run.code == OK, run
    assert run.result.stderr == run.result.stdout == b""
    assert run.log.tls == f"TLS{version}"
    assert run.tried == [mechanism]
    assert run.last.initial == (mechanism not in SERVER_FIRST), run
    who = run.last.authzid if mechanism == "OAUTHBEARER" else run.last.authcid
    assert who == "alice", run


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("what", ["password", "user"])
@pytest.mark.parametrize("mechanism", BY_PASSWORD + BEARER)
def test_wrong(login, mechanism, what, version):
    settings = {} if what == "password" else {"user": "mallory"}
    secret = secret_for(mechanism) if what == "user" else "wrong"
    run = login("starttls", {"mechanisms": mechanism, "tls": version},
                auth=mechanism.lower(), secret=secret, **settings)
    assert run.code == NOPERM, run
    assert REFUSED in run.err, run
    assert run.tried == [mechanism] and not run.last.ok, run
    assert run.log.commands[-1] == "QUIT", run


@pytest.mark.parametrize("mechanism", SCRAM)
def test_clear_scram(login, mechanism):
    """Without TLS what shows nothing is used, and says that it cannot bind."""
    run = login("clear", {"mechanisms": "LOGIN PLAIN " + mechanism})
    assert run.code == OK and run.tried == [mechanism], run
    assert run.last.gs2 == "n,,", run


@pytest.mark.parametrize("mechanism", DIGESTS + ["NTLM"])
def test_clear_searchable(login, mechanism):
    """... and what can be searched only by its name."""
    run = login("clear", {"mechanisms": mechanism})
    assert run.code == NOPERM and run.tried == [] and "5.7.4" in run.err, run
    assert "TLS" in run.err, run
    assert login("clear", {"mechanisms": mechanism},
                 auth=mechanism).code == OK


@pytest.mark.parametrize("asked", ["on", "named", "list"])
@pytest.mark.parametrize("mechanism", SHOWN)
def test_clear_shown(login, mechanism, asked):
    """... and what shows the password or the token never."""
    auth = {"on": "on", "named": mechanism,
            "list": f"scram-sha-256, {mechanism}"}[asked]
    run = login("clear", {"mechanisms": mechanism}, auth=auth,
                secret=secret_for(mechanism))
    assert run.code == NOPERM and run.tried == [], run
    assert "5.7.4" in run.err and "TLS" in run.err, run


def test_clear_no_bearer_or_external(login):
    run = login("clear", {"mechanisms": "EXTERNAL ANONYMOUS"})
    assert run.code == NOPERM and run.tried == [], run


# ---------------------------------------------------------- channel bindings

BINDINGS = {"1.2": "p=tls-unique,,", "1.3": "p=tls-exporter,,"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("plus", SCRAM_PLUS)
def test_binding(login, plus, version, way):
    """The strongest by itself, bound to what this version has."""
    run = login(way, {"mechanisms": f"{' '.join(SCRAM)} {plus}",
                      "tls": version})
    assert run.code == OK and run.tried == [plus], run
    assert run.last.gs2 == BINDINGS[version], run


@pytest.mark.parametrize("plus", SCRAM_PLUS)
def test_no_binding_in_clear(login, plus):
    """Without TLS there is nothing to bind to, whatever is offered."""
    run = login("clear", {"mechanisms": plus}, auth=plus)
    assert run.code == NOPERM and run.tried == [], run
    assert "5.7.4" in run.err, run
    run = login("clear", {"mechanisms": f"{plus} SCRAM-SHA-1"})
    assert run.code == OK and run.tried == ["SCRAM-SHA-1"], run
    assert run.last.gs2 == "n,,", run


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("plus", SCRAM_PLUS)
def test_binding_twice(login, plus, version):
    """The second time the TLS session may be resumed."""
    runs = login("starttls", {"mechanisms": plus, "tls": version}, times=2)
    for run in runs:
        assert run.code == OK and run.tried == [plus], run
        assert run.last.gs2 == BINDINGS[version], run


@pytest.mark.parametrize("asked", ["on", "plus", "list"])
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("plus", SCRAM_PLUS)
def test_binding_tampered(login, plus, version, asked):
    """Somebody is between: that is no reason to try without the binding."""
    auth = {"on": "on", "plus": plus,
            "list": ", ".join(SCRAM_PLUS)}[asked]
    run = login("starttls", {"mechanisms": "PLAIN LOGIN " + " ".join(
        SCRAM_PLUS[SCRAM_PLUS.index(plus):] + SCRAM), "tls": version,
        "tamper_binding": True}, auth=auth)
    assert run.code == NOPERM, run
    assert set(run.tried) <= set(SCRAM_PLUS), run
    assert all(a.gs2 == BINDINGS[version] for a in run.log.auth), run


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("mechanism", SCRAM)
@pytest.mark.parametrize("auth", ["on", "named"])
def test_gs2_no_plus_offered(login, mechanism, version, auth):
    """`y`: we could, and think that the server cannot (RFC 5802 6); so that a
    server whose offer somebody has cut notices it."""
    run = login("starttls", {"mechanisms": mechanism, "tls": version},
                auth=mechanism if auth == "named" else "on")
    assert run.code == OK and run.last.gs2 == "y,,", run


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("mechanism", SCRAM)
def test_gs2_named_without_plus(login, mechanism, version):
    """`n`, for `y` would be a lie, and the server would take it as an
    attack."""
    run = login("starttls", {"mechanisms": " ".join(SCRAM_PLUS + SCRAM),
                             "tls": version}, auth=mechanism)
    assert run.code == OK and run.tried == [mechanism], run
    assert run.last.gs2 == "n,,", run


def test_gs2_one_plus_only(login):
    """Only SCRAM-SHA-1 is there bound: the server can bind, and `y` would say
    that we think it cannot."""
    run = login("starttls", {"mechanisms": "SCRAM-SHA-1-PLUS SCRAM-SHA-256"},
                auth="scram-sha-256")
    assert run.code == OK and run.last.gs2 == "n,,", run


# ------------------------------------------------------------- the long ones

@pytest.mark.parametrize("mechanism", SCRAM_PLUS + SCRAM + ["PLAIN"])
@pytest.mark.parametrize("n", [64, 400])
def test_long_user(login, mechanism, n):
    """No line of AUTH over 512 octets: the response then follows the 334."""
    user = "u" * n + "@example.org"
    run = login("starttls", {"mechanisms": mechanism, "user": user},
                auth=mechanism, user=user)
    assert run.code == OK and run.last.authcid == user, run
    assert run.last.initial == (n < 100), run


def test_command_line_limit(login):
    """PLAIN with passwords around the limit: never longer, and not later
    than must be."""
    seen = set()
    for n in range(360, 372):
        run = login("starttls", {"mechanisms": "PLAIN", "password": "p" * n},
                    secret="p" * n)
        octets = len(base64.b64encode(b"\0alice\0" + b"p" * n))
        fits = len("AUTH PLAIN ") + octets + len("\r\n") <= 512
        assert run.code == OK and run.last.initial == fits, run
        seen.add(fits)
    assert seen == {True, False}


@pytest.mark.parametrize("n, fits", [(372, True), (373, False)])
def test_command_line_filled(login, certs, n, fits):
    """EXTERNAL has the name with which a line can have just 512 octets."""
    run = login("starttls", {"mechanisms": "EXTERNAL", "ca": certs.ca,
                             "authzid": "z" * n}, auth="external",
                authzid="z" * n, tls_cert_file=certs.chain("client"),
                tls_key_file=certs.key("client"))
    assert run.code == OK and run.last.initial == fits, run
    assert (run.log.longest == 510) == fits, run


@pytest.mark.parametrize("n", [300, 380, 4 << 10, 12 << 10])
@pytest.mark.parametrize("mechanism", BEARER)
def test_long_token(login, mechanism, n):
    token = ("Zm9v.-_~+/" * n)[:n - 2] + "=="
    run = login("starttls", {"mechanisms": mechanism, "token": token},
                auth=mechanism, secret=token)
    assert run.code == OK and run.last.initial == (n < 350), run
    run = login("starttls", {"mechanisms": mechanism, "token": token},
                auth=mechanism, secret=token[:-3] + "A==")
    assert run.code == NOPERM and REFUSED in run.err, run


# ------------------------------------------------------ passwords and names

NFC = unicodedata.normalize("NFC", "pässwörd")
NFD = unicodedata.normalize("NFD", NFC)
PASSWORDS = {
    # as it is typed, and as SASLprep makes it
    "composed": (NFC, NFC),
    "decomposed": (NFD, NFC),
    "compatible": ("ⅸ", "ix"),
    "soft-hyphen": ("I\u00adX", "IX"),
    "no-break": ("a\u00a0b", "a b"),
    "spaces": ("  two  words ", "  two  words "),
    "quotes": ("\"it's\" `so`", "\"it's\" `so`"),
    "backslashes": ("C:\\new\\\\", "C:\\new\\\\"),
    "sharp": ("#no comment", "#no comment"),
    "equals": ("a=b,c=d%25", "a=b,c=d%25"),
    "dollar": ("$HOME $(id) ~", "$HOME $(id) ~"),
    "255": ("p" * 255, "p" * 255),
    "255-octets": ("ä" * 127 + "p", "ä" * 127 + "p"),
    "one": ("x", "x"),
    "snowman": ("☃", "☃"),
}
FOR_ALL = ["decomposed", "spaces", "255-octets"]


@pytest.mark.parametrize("name, mechanism", [
    *((name, mechanism) for name in PASSWORDS
      for mechanism in ("SCRAM-SHA-256", "PLAIN", "LOGIN")),
    *((name, mechanism) for name in FOR_ALL
      for mechanism in (*SCRAM_PLUS, "SCRAM-SHA-1", *DIGESTS))])
def test_passwords(login, name, mechanism):
    typed, stored = PASSWORDS[name]
    run = login("starttls", {"mechanisms": mechanism, "password": stored},
                auth=mechanism, secret=typed)
    assert run.code == OK, run


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_new_characters(login, mechanism):
    """SASLprep knows Unicode 3.2; what is newer is let through."""
    password = "\U0001f40e staple"
    run = login("starttls", {"mechanisms": mechanism, "password": password},
                auth=mechanism, secret=password)
    assert run.code == OK, run


@pytest.mark.parametrize("octets", [b"caf\xe9", b"\xff\xfe\x80 \xc0\xaf",
                                    bytes(range(1, 256)).translate(
                                        None, b"\r\n")],
                         ids=["latin-1", "bad", "all"])
@pytest.mark.parametrize("mechanism", BY_PASSWORD)
def test_binary_password(login, octets, mechanism):
    """What is no UTF-8 has no prepared form; PLAIN and LOGIN carry octets."""
    run = login("starttls", {"mechanisms": mechanism, "password": octets},
                auth=mechanism, secret=octets)
    if mechanism in ("PLAIN", "LOGIN"):
        assert run.code == OK, run
    elif mechanism.startswith("SCRAM"):
        assert run.code == NOPERM and "UTF-8" in run.err, run
        assert not any(a.ok for a in run.log.auth), run
        assert [c for c in run.log.commands if c == "*"] == ["*"] * (
            "AUTH" in run.log.commands), run


@pytest.mark.parametrize("mechanism", [
    "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5",
    "CRAM-MD5", "PLAIN", "LOGIN", "OAUTHBEARER", "XOAUTH2"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_user_not_ascii(login, form, mechanism):
    run = login("starttls", {"mechanisms": mechanism, "user": "jörg"},
                auth=mechanism, user=unicodedata.normalize(form, "jörg"),
                secret=secret_for(mechanism))
    assert run.code == OK, run
    assert run.last.authcid in ("jörg", ""), run


# GNU SASL 2.2.0 puts no backslash before a quote in DIGEST-MD5's username.
@pytest.mark.parametrize("user, mechanism", [
    (user, mechanism) for user in ("a,b=c", "a=2Cb", "=,", 'al"ice',
                                   "al\\ice", "alice doe")
    for mechanism in SCRAM[:1] + DIGESTS + SHOWN
    if (user, mechanism) != ('al"ice', "DIGEST-MD5")])
def test_user_with_specials(login, user, mechanism):
    run = login("starttls", {"mechanisms": mechanism, "user": user},
                auth=mechanism, user=f'"{user}"',
                secret=secret_for(mechanism))
    assert run.code == OK, run


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256",
                                       "SCRAM-SHA-1", "DIGEST-MD5", "PLAIN",
                                       "OAUTHBEARER"])
@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize("authzid", ["boss", "chef-für,alle=s"])
def test_authzid(login, mechanism, allowed, authzid):
    run = login("starttls", {"mechanisms": mechanism,
                             "authzid": authzid if allowed else "other"},
                auth=mechanism, authzid=authzid,
                secret=secret_for(mechanism))
    assert run.code == (OK if allowed else NOPERM), run
    assert run.last.authzid == authzid, run


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "PLAIN",
                                       "DIGEST-MD5"])
def test_no_authzid(login, mechanism):
    """Left out, not said to be the user."""
    run = login("starttls", {"mechanisms": mechanism}, auth=mechanism)
    assert run.code == OK, run
    came = run.last.note if mechanism == "PLAIN" else run.last.authzid
    assert came == "", run


def test_digest_uri(login):
    run = login("starttls", {"mechanisms": "DIGEST-MD5"}, auth="digest-md5")
    assert run.last.note == "smtp/localhost", run


def test_bearer_names_the_server(login):
    run = login("starttls", {"mechanisms": "OAUTHBEARER"}, secret=TOKEN,
                auth="oauthbearer")
    assert re.fullmatch(r"localhost:[0-9]+", run.last.note), run
    assert run.last.gs2 == "n,a=alice,", run


@pytest.mark.parametrize("domain", [None, "SALES"])
def test_ntlm_domain(login, domain):
    """The domain is that of the account; the server's if there is none."""
    run = login("starttls", {"mechanisms": "NTLM"}, auth="ntlm",
                ntlmdomain=domain)
    assert run.code == OK and run.last.authcid == "alice", run
    assert run.last.note.split(" ")[1] == (domain or DOMAIN), run


# -------------------------------------------------- EXTERNAL and ANONYMOUS

@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("auth", ["on", "external"])
def test_external(login, certs, auth, way, version):
    run = login(way, {"mechanisms": "PLAIN EXTERNAL", "ca": certs.ca,
                      "tls": version}, auth=auth,
                tls_cert_file=certs.chain("client"),
                tls_key_file=certs.key("client"))
    assert run.code == OK and run.tried == ["EXTERNAL"], run
    assert run.log.certificate == "alice" and run.last.initial, run
    assert run.last.authzid == "", run


@pytest.mark.parametrize("allowed", ["boss", "other"])
def test_external_authzid(login, certs, allowed):
    run = login("starttls", {"mechanisms": "EXTERNAL", "ca": certs.ca,
                             "authzid": allowed}, auth="external", user=None,
                authzid="boss", tls_cert_file=certs.chain("client"),
                tls_key_file=certs.key("client"))
    assert run.code == (OK if allowed == "boss" else NOPERM), run
    assert run.last.authzid == "boss", run


def test_external_needs_a_certificate(login, certs):
    run = login("starttls", {"mechanisms": "EXTERNAL PLAIN", "ca": certs.ca})
    assert run.code == OK and run.tried == ["PLAIN"], run
    run = login("starttls", {"mechanisms": "EXTERNAL", "ca": certs.ca})
    assert run.code == NOPERM and run.tried == [], run


def test_external_stranger(login, certs):
    """A certificate that the server does not know."""
    run = login("starttls", {"mechanisms": "EXTERNAL", "ca": certs.other_ca},
                auth="external", tls_cert_file=certs.chain("client"),
                tls_key_file=certs.key("client"))
    assert run.code == NOPERM and REFUSED in run.err, run


@pytest.mark.parametrize("user", [None, "alice"])
def test_anonymous(login, user):
    run = login("starttls", {"mechanisms": "ANONYMOUS"}, auth="anonymous",
                user=user, password_file=None)
    assert run.code == OK and run.tried == ["ANONYMOUS"], run
    assert run.last.authcid == (user or ""), run


@pytest.mark.parametrize("mechanism", ["ANONYMOUS", "NTLM"])
def test_only_by_name(login, mechanism):
    run = login("starttls", {"mechanisms": mechanism})
    assert run.code == NOPERM and run.tried == [], run
    assert "5.7.4" in run.err and mechanism in run.err, run
    run = login("starttls", {"mechanisms": f"{mechanism} LOGIN"})
    assert run.code == OK and run.tried == ["LOGIN"], run


# ----------------------------------------------- the order, and what follows

ORDER = SCRAM_PLUS + SCRAM + ["EXTERNAL"] + DIGESTS + SHOWN


@pytest.mark.parametrize("strongest", ORDER)
def test_strongest_first(login, certs, strongest):
    """Whatever order the server has them in."""
    offered = ORDER[ORDER.index(strongest):]
    run = login("starttls", {"mechanisms": " ".join(
        ["ANONYMOUS", "NTLM", *reversed(offered)]), "ca": certs.ca},
        secret=secret_for(strongest), tls_cert_file=certs.chain("client"),
        tls_key_file=certs.key("client"))
    assert run.code == OK and run.tried == [strongest], run


def answers(**replies):
    return [f"{name.replace('_', '-')}={reply}"
            for name, reply in replies.items()]


FAILURES = ["504 5.5.4 Unrecognized authentication type",
            "534 5.7.9 Authentication mechanism is too weak",
            "535 5.7.8 Authentication credentials invalid"]


@pytest.mark.parametrize("reply", FAILURES, ids=[f[:3] for f in FAILURES])
def test_falls_to_as_strong(login, reply):
    run = login("starttls", {"mechanisms": "PLAIN LOGIN CRAM-MD5 "
                             "SCRAM-SHA-1 SCRAM-SHA-256",
                             "answer": answers(SCRAM_SHA_256=reply)})
    assert run.code == OK, run
    assert run.tried == ["SCRAM-SHA-256", "SCRAM-SHA-1"], run


@pytest.mark.parametrize("reply", FAILURES, ids=[f[:3] for f in FAILURES])
def test_never_falls_lower(login, reply):
    """Not to what shows the password, what can be searched, or to nothing."""
    run = login("starttls", {"mechanisms": "PLAIN LOGIN CRAM-MD5 DIGEST-MD5 "
                             "XOAUTH2 ANONYMOUS SCRAM-SHA-1 SCRAM-SHA-256",
                             "answer": answers(SCRAM_SHA_256=reply,
                                               SCRAM_SHA_1=reply)})
    assert run.code == NOPERM or reply[:3] == "504", run
    assert run.code != OK and reply in run.err, run
    assert run.tried == ["SCRAM-SHA-256", "SCRAM-SHA-1"], run


def test_bound_falls_to_bound_only(login):
    run = login("starttls", {"mechanisms": " ".join(SCRAM_PLUS + SCRAM),
                             "answer": answers(SCRAM_SHA_256_PLUS=REFUSED,
                                               SCRAM_SHA_1_PLUS=REFUSED)})
    assert run.code == NOPERM and run.tried == SCRAM_PLUS, run


def test_real_refusals_do_not_open_doors(login):
    """The same, when it is the password that is wrong."""
    run = login("starttls", {"mechanisms": "PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 "
                             "SCRAM-SHA-256"}, secret="wrong")
    assert run.code == NOPERM, run
    assert run.tried == ["SCRAM-SHA-256", "SCRAM-SHA-1"], run


@pytest.mark.parametrize("reply", FAILURES, ids=[f[:3] for f in FAILURES])
def test_list_goes_on_in_its_order(login, reply):
    run = login("starttls", {"mechanisms": "LOGIN CRAM-MD5 SCRAM-SHA-1 PLAIN "
                             "SCRAM-SHA-256",
                             "answer": answers(SCRAM_SHA_256=reply)},
                auth="scram-sha-256, plain")
    assert run.code == OK and run.tried == ["SCRAM-SHA-256", "PLAIN"], run


@pytest.mark.parametrize("auth", ["login, scram-sha-1", "LOGIN SCRAM-SHA-1"])
def test_list_has_its_own_order(login, auth):
    run = login("starttls", {"mechanisms": "PLAIN SCRAM-SHA-1 LOGIN"},
                auth=auth)
    assert run.code == OK and run.tried == ["LOGIN"], run


def test_list_leaves_out_what_is_not_offered(login):
    run = login("starttls", {"mechanisms": "PLAIN LOGIN"},
                auth="scram-sha-256, cram-md5, login, plain")
    assert run.code == OK and run.tried == ["LOGIN"], run
    run = login("starttls", {"mechanisms": "PLAIN LOGIN"},
                auth="scram-sha-256, cram-md5")
    assert run.code == NOPERM and run.tried == [], run
    assert "PLAIN LOGIN" in run.err, run


@pytest.mark.parametrize("auth", ["on", "plain, login"])
def test_shown_once(login, auth):
    """A password that was shown and is wrong is not shown again."""
    run = login("starttls", {"mechanisms": "PLAIN LOGIN"}, secret="wrong",
                auth=auth)
    assert run.code == NOPERM and run.tried == ["PLAIN"], run


@pytest.mark.parametrize("reply", FAILURES[:2], ids=["504", "534"])
def test_plain_not_taken(login, reply):
    run = login("starttls", {"mechanisms": "PLAIN LOGIN",
                             "answer": answers(PLAIN=reply)})
    assert run.code == OK and run.tried == ["PLAIN", "LOGIN"], run


CODES = {
    "432 4.7.12 A password transition is needed": TEMPFAIL,
    "454 4.7.0 Temporary authentication failure": TEMPFAIL,
    "421 4.3.2 Going down": TEMPFAIL,
    "451 4.3.0 Try later": TEMPFAIL,
    "454 no words": TEMPFAIL,
    "535 5.7.8 No": NOPERM,
    "535 no": NOPERM,
    "534 5.7.9 Too weak": NOPERM,
    "534 no": NOPERM,
    "538 5.7.11 Encryption required": NOPERM,
    "530 5.7.0 Authentication required": NOPERM,
}


@pytest.mark.parametrize("mechanism, when", [
    ("SCRAM-SHA-256", "in the end"), ("PLAIN", "at once"),
    ("PLAIN", "in the end")])
@pytest.mark.parametrize("reply", CODES)
def test_codes(login, mechanism, reply, when):
    server = {"mechanisms": mechanism}
    if when == "at once":
        server["answer"] = f"{mechanism}={reply}"
    else:
        server["fail"] = reply
    run = login("starttls", server, secret="wrong")
    assert run.code == CODES[reply] and reply in run.err, run
    assert run.tried == [mechanism], run


@pytest.mark.parametrize("reply", [r for r, c in CODES.items()
                                   if c == TEMPFAIL])
def test_later_is_later(login, reply):
    """A failure that will pass is no reason for another mechanism."""
    run = login("starttls", {"mechanisms": "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN",
                             "answer": answers(SCRAM_SHA_256=reply)},
                auth="scram-sha-256, scram-sha-1, plain")
    assert run.code == TEMPFAIL and run.tried == ["SCRAM-SHA-256"], run


# -------------------------------------------------------------- what is told

HINTS = {
    "534-5.7.9 Application-specific password required. For more information, "
    "go to\n534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor"
    " x-y.10 - gsmtp": "application password",
    "535 5.7.9 Please log in with an app password": "application password",
    "534 5.7.9 Use an application-specific password": "application password",
    "535 5.7.8 see ?p=InvalidSecondFactor": "application password",
    "535 5.7.139 Authentication unsuccessful, basic authentication is "
    "disabled. [AM0PR.eurprd.prod.outlook.com]": "OAuth",
    "535 5.7.139 Authentication unsuccessful": "OAuth",
    "535 5.7.3 Basic Authentication is Disabled": "OAuth",
    "535 5.7.8 Use AUTH XOAUTH2": "OAuth",
}


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
@pytest.mark.parametrize("reply", HINTS)
def test_hints(login, reply, mechanism):
    """The server's words, and behind them what helps."""
    run = login("starttls", {"mechanisms": mechanism, "fail": reply},
                secret="wrong")
    assert run.code == NOPERM, run
    words = " ".join(line[4:].strip() for line in reply.split("\n"))
    said = words.split(" ")[1:6]
    assert " ".join(said) in run.err, run
    behind = run.err[run.err.index(said[-1]) + len(said[-1]):]
    assert HINTS[reply] in behind, run
    others = set(HINTS.values()) - {HINTS[reply]}
    assert not any(other in behind for other in others), run


def test_no_hint_without_reason(login):
    run = login("starttls", {"mechanisms": "PLAIN"}, secret="wrong")
    for hint in HINTS.values():
        assert hint not in run.err, run


JSON = ('{"status":"invalid_token","schemes":"bearer",'
        '"scope":"https://mail.example.org/"}')


@pytest.mark.parametrize("mechanism", BEARER)
def test_token_error(login, mechanism):
    """The reasons are shown, and the server's own reply."""
    run = login("starttls", {"mechanisms": mechanism, "json": JSON},
                auth=mechanism, secret="wrong")
    assert run.code == NOPERM and REFUSED in run.err, run
    assert "invalid_token" in run.err and "mail.example.org" in run.err, run
    assert run.log.commands.count(".") == 1 and "*" not in run.log.commands


HOSTILE = {
    "escape": '{"status":"\x1b[2J\x1b]0;owned\x07"}',
    "lines": '{"status":"400",\r\n"x":"y"}\npostrider: all is well\n',
    "c1": '{"status":"\u009b31m"}',
    "latin-1": b'{"status":"\xff\xfe"}',
    "escaped": '{"status":"\\u001b[2J\\n"}',
    "bidi": '{"status":"\u202egnol\u2028x"}',
    "no json": "<html>no</html>",
    "open": '{"status":"',
    "deep": "[" * 20000,
    "long": '{"status":"' + "x" * 40000 + '"}',
}


@pytest.mark.parametrize("mechanism", BEARER)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_json(login, name, mechanism):
    """check() has seen that it is one printable line.  A reply can also be
    longer than any is taken."""
    run = login("starttls", {"mechanisms": mechanism, "json": HOSTILE[name]},
                auth=mechanism, secret="wrong", strict=len(HOSTILE[name]) < 999)
    assert len(run.err) < 8000, run
    assert run.code == NOPERM or (run.code == PROTOCOL and
                                  len(HOSTILE[name]) > 999), run


@pytest.mark.parametrize("mechanism", BEARER)
@pytest.mark.parametrize("text", ["", "=", "!!!!", "eyJzdGF0dXMiOiI", "e y J",
                                  "{\"status\":\"400\"}", "A" * 9000,
                                  "\x1b[2J"])
def test_hostile_base64(login, text, mechanism):
    """What is no base64 ends in a refusal, one way or another."""
    run = login("starttls", {"mechanisms": mechanism, "json_raw": text},
                auth=mechanism, secret="wrong", strict=False)
    assert run.code in (NOPERM, PROTOCOL) and not run.last.ok, run


@pytest.mark.parametrize("mechanism", BEARER)
@pytest.mark.parametrize("token", ["two words", "tab\there", "ünicode"])
def test_no_token(login, token, mechanism):
    run = login("starttls", {"mechanisms": mechanism, "token": token},
                auth=mechanism, secret=token)
    assert run.code != OK and run.tried == [], run


# ------------------------------------------------------- the server's proof

@pytest.mark.parametrize("mechanism", SCRAM_PLUS + SCRAM)
@pytest.mark.parametrize("version", VERSIONS)
def test_final_in_235(login, mechanism, version):
    run = login("starttls", {"mechanisms": mechanism, "final_in_235": True,
                             "tls": version}, auth=mechanism)
    assert run.code == OK and run.log.commands.count(".") == 1, run


@pytest.mark.parametrize("mechanism", SCRAM_PLUS + SCRAM + ["DIGEST-MD5"])
@pytest.mark.parametrize("signature", ["wrong", "missing"])
@pytest.mark.parametrize("where", ["334", "235"])
def test_false_server(login, mechanism, signature, where):
    """It says 235 and does not know the password: it gets no message, nor is
    anything else tried there."""
    run = login("starttls", {"mechanisms": f"PLAIN LOGIN {mechanism}",
                             "signature": signature,
                             "final_in_235": where == "235"},
                auth=f"{mechanism}, plain")
    assert run.code == NOPERM and run.tried == [mechanism], run
    if (signature, where) == ("wrong", "334"):
        assert run.last.cancelled and "*" in run.log.commands, run
    else:
        assert run.last.ok, run


@pytest.mark.parametrize("mechanism", SCRAM)
def test_iterations(login, mechanism):
    """As many as careful servers have; but a server cannot make the client
    count to a thousand million."""
    run = login("starttls", {"mechanisms": mechanism, "iterations": 100000})
    assert run.code == OK, run
    run = login("starttls", {"mechanisms": mechanism, "iterations": 1 << 30})
    assert run.code != OK and run.last.cancelled, run


def coded(octets):
    return base64.b64encode(octets if isinstance(octets, bytes)
                            else octets.encode()).decode()


def ntlm(target=(0, 0), info=(0, 0), signature=b"NTLMSSP\0", kind=2, rest=b""):
    """A message of type 2, or what looks like one."""
    n, at = target
    return coded(signature + struct.pack(
        "<IHHII8sQHHI", kind, n, n, at, 0x00810205, b"01234567", 0,
        info[0], info[0], info[1]) + rest)


ANY = ["", "=", "====", "!", "A", "AAA", "AA=A", "w6Q", "AAAA", "AAAAAAA=",
       coded(b"\0" * 300), coded(bytes(range(256))), coded("A" * 9000),
       "x" * 40000, "\x1b[2J", coded("\x1b[2J")]
CHALLENGES = {
    "SCRAM-SHA-256": [*ANY, *map(coded, (
        "r=x,s=c2FsdA==,i=4096", "r=,s=,i=", "r=x,s=c2FsdA==,i=0",
        "r=x,s=c2FsdA==,i=-1", "r=x,s=!,i=4096", "r=x,i=4096", "r=x,s=c2FsdA==",
        "m=x,r=x,s=c2FsdA==,i=4096", "e=other-error", "v=AAAA",
        "r=x,s=c2FsdA==,i=99999999999999999999999"))],
    "DIGEST-MD5": [*ANY, *map(coded, (
        'realm="a', 'realm="a"', 'nonce="x",algorithm=md5-sess,qop="auth-conf"',
        'nonce="x",algorithm=rot13', 'nonce="x",nonce="y",algorithm=md5-sess',
        'nonce="' + "x" * 3000 + '",algorithm=md5-sess', ",,,,=,=,",
        'nonce="x",algorithm=md5-sess,maxbuf=-1', "rspauth=0",
        'nonce="x\\",algorithm=md5-sess'))],
    "CRAM-MD5": [*ANY[1:], coded("<" + "x" * 3000 + ">")],
    "NTLM": [*ANY, ntlm(signature=b"NTLMSSQ\0"), ntlm(kind=1), ntlm(kind=3),
             ntlm(target=(65535, 48)), ntlm(target=(65535, 0xffffffff)),
             ntlm(target=(16, 0xfffffff0)), ntlm(info=(65535, 0xfffffff0)),
             ntlm(target=(1023, 48), rest=b"D" * 1023),
             ntlm(target=(1025, 48), rest=b"D" * 1025),
             ntlm(target=(4000, 48), rest=b"D" * 4000),
             ntlm(target=(3, 48), rest=b"\xff\xd8\x00")],
}


@pytest.mark.parametrize("mechanism", CHALLENGES)
def test_hostile_challenges(login, mechanism):
    """It gives up, or says what does not help the server; it does not end by
    a signal, and takes nothing of it to the terminal."""
    for text in CHALLENGES[mechanism]:
        run = login("starttls", {"mechanisms": mechanism, "first_raw": text},
                    auth=mechanism, strict=False)
        right = mechanism == "NTLM" and run.code == OK
        assert right or run.code in (NOPERM, PROTOCOL), (text, run)
        assert run.tried == [mechanism] and len(run.err) < 8000, (text, run)


FIRST_WORDS = {
    "as it should be": ("r=@,s=c2FsdHNhbHQ=,i=4096", True),
    "an extension": ("r=@,s=c2FsdHNhbHQ=,i=4096,x=y", True),
    "another's nonce": ("r=x@,s=c2FsdHNhbHQ=,i=4096", False),
    "an extension that must be known": ("m=x,r=@,s=c2FsdA==,i=4096", False),
    "too few": ("r=@,s=c2FsdHNhbHQ=,i=4095", False),
    "no iterations": ("r=@,s=c2FsdHNhbHQ=,i=0", False),
    "negative": ("r=@,s=c2FsdHNhbHQ=,i=-4096", False),
    "empty": ("r=@,s=c2FsdHNhbHQ=,i=", False),
    "too many": ("r=@,s=c2FsdHNhbHQ=,i=99999999999999999999", False),
    "not a number": ("r=@,s=c2FsdHNhbHQ=,i=4096x", False),
    "no salt": ("r=@,i=4096", False),
    "no base64": ("r=@,s=!!!!,i=4096", False),
    "no count": ("r=@,s=c2FsdHNhbHQ=", False),
    "no order": ("s=c2FsdHNhbHQ=,r=@,i=4096", False),
    "nonce only": ("r=@", False),
    "error": ("e=other-error", False),
    "proof": ("v=c2FsdHNhbHQ=", False),
}


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1"])
@pytest.mark.parametrize("name", FIRST_WORDS)
def test_scram_first_words(login, name, mechanism):
    """With what is wrong in them nothing that has to do with the password is
    said; with what is right, it is said (and is not for this salt)."""
    words, right = FIRST_WORDS[name]
    run = login("starttls", {"mechanisms": mechanism, "first_words": words})
    assert run.code in (NOPERM, PROTOCOL), run
    assert run.log.commands.count(".") == right, run
    assert run.last.cancelled == (not right), run


@pytest.mark.parametrize("where", ["334", "235"])
@pytest.mark.parametrize("words, right", [
    ("v=@", True), ("v=@,x=y", True), ("v=", False), ("v", False),
    ("w=@", False), ("@", False), ("v=@@", False), ("v=@,", None),
    ("v=AAAA", False), ("e=other-error", False), ("x=y,v=@", False)])
def test_scram_last_words(login, words, right, where):
    run = login("starttls", {"mechanisms": "SCRAM-SHA-256",
                             "last_words": words,
                             "final_in_235": where == "235"})
    assert right is None or (run.code == OK) == right, run
    assert run.code in (OK, NOPERM, PROTOCOL), run


@pytest.mark.parametrize("n, given", [(960, 100), (1023, 512), (1000, 960)])
def test_ntlm_gives_no_memory(login, n, given):
    """A server that says its name is longer than it is gets nothing for it
    that it has not sent."""
    text = ntlm(target=(n, 48), rest=b"D\0" * (given // 2))
    run = login("starttls", {"mechanisms": "NTLM", "first_raw": text},
                auth="ntlm", strict=False)
    _, _, rest = run.last.note.partition(" ")
    domain = rest.rpartition(" ")[0]
    assert set(domain) <= {"D"} and len(domain) <= given // 2, run


@pytest.mark.parametrize("n", [3, 100000])
@pytest.mark.parametrize("secret", ["right", "wrong"])
@pytest.mark.parametrize("mechanism", BY_PASSWORD + BEARER)
def test_endless_challenges(login, mechanism, secret, n):
    """Asked when there is nothing more to say, it says nothing that it would
    not say to anybody, and gives up by `*`."""
    run = login("starttls", {"mechanisms": mechanism, "challenges": n},
                auth=mechanism, secret=secret_for(mechanism)
                if secret == "right" else "wrong", strict=False)
    if n > 3:
        assert run.code in (NOPERM, PROTOCOL), run
        assert run.last.cancelled, run
        assert run.log.commands.count(".") <= 20, run
    if secret == "wrong":
        assert run.code != OK, run
    assert run.last.cancelled == ("*" in run.log.commands), run


# --------------------------------------------------------- where it is offered

@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "PLAIN"])
def test_auth_equals(login, mechanism):
    run = login("starttls", {"mechanisms": f"LOGIN {mechanism}",
                             "auth_equals": True})
    assert run.code == OK and run.tried == [mechanism], run


def test_any_case(login):
    run = login("starttls", {"mechanisms": "login Scram-Sha-256"})
    assert run.code == OK, run
    assert [name.upper() for name in run.tried] == ["SCRAM-SHA-256"], run


@pytest.mark.parametrize("auth", ["on", "plain"])
def test_only_before_tls(login, auth):
    """An offer in clear, which is forgotten, and none under TLS."""
    run = login("starttls", {"before_tls": "PLAIN LOGIN SCRAM-SHA-256"},
                auth=auth)
    assert run.code == NOPERM and "5.7.4" in run.err, run
    assert "AUTH" not in run.log.commands and "TLS" in run.err, run


def test_never_offered(login):
    run = login("starttls", {})
    assert run.code == NOPERM and "5.7.4" in run.err, run
    assert "does not offer authentication" in run.err, run


def test_only_after_tls(login):
    run = login("starttls", {"mechanisms": "PLAIN"})
    assert run.code == OK and run.tried == ["PLAIN"], run
    assert run.log.commands.index("STARTTLS") < run.log.commands.index("AUTH")


def test_another_offer_before_tls(login):
    """Only what is offered under TLS counts."""
    run = login("starttls", {"before_tls": "SCRAM-SHA-256 SCRAM-SHA-256-PLUS",
                             "mechanisms": "PLAIN"})
    assert run.code == OK and run.tried == ["PLAIN"], run


def test_unknown_mechanisms(login):
    run = login("starttls", {"mechanisms": "X-SECRET KERBEROS_V4 PLAINER"})
    assert run.code == NOPERM and run.tried == [], run
    assert "X-SECRET KERBEROS_V4 PLAINER" in run.err, run
