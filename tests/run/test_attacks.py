"""What has been done to mail clients by who sits on the wire: all in vain.

Each attack, and what became of it: the exit code, one line that says it,
nothing of the user's in clear text, and nothing delivered.  The rogue servers
here agree to everything (rogue.py: obey), so a client that falls for an attack
gives itself away.

    replies injected behind STARTTLS        test_injected, and
                                            test_certificates.py
    the same in a later segment, and within test_injected_later,
    the handshake, and behind it            test_injected_in_the_handshake,
                                            test_injected_behind_the_handshake
    commands sent ahead of TLS, replayed    test_nothing_follows_starttls
    capabilities forged ahead of TLS        test_capabilities_*,
                                            test_mechanisms_*
    STARTTLS stripped, masked, refused      test_stripped, test_refused
                                            (and test_certificates.py)
    replies ahead of their commands         test_greetings, test_ahead_*,
                                            test_replies.py (unsolicited)
    TLS promised, clear text spoken         test_no_tls_then, and
                                            test_certificates.py (no_handshake)
    older versions of TLS, real servers     test_certificates.py (old_versions)
    older versions, weak ciphers, the       test_server_hello,
    downgrade sentinel                      test_weak_ciphers
    truncation                              test_cut, test_cut_in_a_reply,
                                            test_cut_behind_the_last_reply
    a goodbye of TLS, then clear text       test_clear_text_behind_the_goodbye
    another certificate the second time     test_another_certificate
    who is in the middle with a certificate test_certificates.py (refused)
    of their own
    the same, asking for ours               test_own_certificate_is_not_shown
    AUTH offered only in clear              test_mechanisms_only_in_clear
    no AUTH, or no EHLO, behind TLS         test_no_auth_behind_tls,
                                            test_second_hello_fails
    HELO in place of EHLO                   test_helo_offers_nothing
    renegotiation, floods of TLS            test_renegotiation, test_alerts,
                                            test_key_updates, test_records
    chains without end                      test_long_chain
    other protocols, and echoes             test_other_protocols,
                                            test_other_protocols_behind_tls
    floods of replies                       test_flood.py, test_replies.py
"""

import base64
import re
import ssl

import pytest

import canary
from conftest import MESSAGE, PASSWORD
from faults import NORMAL, Cut, Drop, MidBody, Raw
from harness import slowness
from rogue import GnuTLS, Rogue

OK, TEMPFAIL, PROTOCOL, NOPERM = 0, 75, 76, 77
BOB = "bob@example.net"
TLS_WORDS = "TLS"
PATIENCE = max(1, round(slowness()))    # seconds: the least `timeout`

# What must not be seen by who has no right to it.
WORDS = [b"alice", b"bob@", b"example.net", b"First line", b"Subject:",
         base64.b64encode(b"alice")]
FORMS = [*WORDS, *canary.forms(PASSWORD).values()]


def nothing_of_ours(data):
    for form in FORMS:
        assert form not in data, form


def in_vain(result, code, words):
    assert result.code == code, str(result)
    assert len(result.lines) == 1, result.err
    assert result.lines[0].startswith("postrider: ")
    assert result.err.rstrip("\n").isprintable()
    assert re.search(words, result.err), result.err
    assert PASSWORD not in result.err and result.stdout == b""


@pytest.fixture
def attack(rider, account):
    """Runs a script against the client: the rogue server and the result."""

    def attack(script, tls="starttls", lmtp=False, stdin=MESSAGE, **settings):
        with Rogue(script, tls, lmtp) as rogue:
            rider.config(account(rogue, **{"timeout": 10 * PATIENCE,
                                           **settings}))
            result = rider.run(BOB, stdin=stdin)
        nothing_of_ours(rogue.clear)
        return rogue, result
    return attack


@pytest.fixture
def good(certs):
    """Makes the context of a server that is believed."""

    def good(name="good", version=None, ciphers=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certs.chain(name), certs.key(name))
        if ciphers:
            context.set_ciphers(ciphers)
        if version:
            context.minimum_version = context.maximum_version = version
        return context
    return good


both = pytest.mark.parametrize("lmtp", [False, True], ids=["smtp", "lmtp"])
versions = pytest.mark.parametrize(
    "version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3],
    ids=["1.2", "1.3"])


# Replies that come before TLS and would be read behind it.

FORGED = {
    "hello": b"250-evil\r\n250 AUTH PLAIN LOGIN\r\n",
    "the whole dialogue": b"250 AUTH PLAIN\r\n235 ok\r\n250 ok\r\n250 ok\r\n"
                          b"354 go\r\n250 taken\r\n221 bye\r\n",
    "another 220": b"220 go ahead\r\n",
    "half a line": b"250 AUTH PL",
    "one octet": b"2",
    "a challenge": b"334 UGFzc3dvcmQ6\r\n",
    "a handshake": b"\x16\x03\x03\0\x04\x0e\0\0\0",
}


@both
@pytest.mark.parametrize("data", FORGED.values(), ids=list(FORGED))
def test_injected(attack, good, data, lmtp):
    def script(talk):
        talk.starttls(more=data)
        talk.secure(good())
        talk.obey()
    rogue, result = attack(script, lmtp=lmtp)
    in_vain(result, TEMPFAIL, "behind the reply to STARTTLS")
    assert rogue.plain == b"" and rogue.clear.endswith(b"STARTTLS\r\n")


@both
@pytest.mark.parametrize("data", FORGED.values(), ids=list(FORGED))
def test_injected_later(attack, good, data, lmtp):
    """When the client has begun its handshake; then TLS goes on as ever."""
    def script(talk):
        talk.starttls()
        hello = talk.record()
        talk.buffer[:0] = hello
        talk.raw(data)
        talk.secure(good())
        talk.obey()
    rogue, result = attack(script, lmtp=lmtp)
    in_vain(result, TEMPFAIL, TLS_WORDS)
    assert rogue.plain == b""


def in_a_record(data, kind=23):
    return bytes([kind, 3, 3]) + len(data).to_bytes(2, "big") + data


@versions
@pytest.mark.parametrize("place", ["before", "within", "behind"])
def test_injected_in_the_handshake(attack, good, place, version):
    """As application data, in clear, among the records of the handshake."""
    forged = in_a_record(FORGED["the whole dialogue"])

    def meddle(flight):
        if not flight or place == "before":
            return forged + flight
        if place == "behind":
            return flight + forged
        first = 5 + int.from_bytes(flight[3:5], "big")
        return flight[:first] + forged + flight[first:]

    def script(talk):
        talk.starttls()
        talk.secure(good(version=version), meddle)
        talk.obey()
    rogue, result = attack(script)
    in_vain(result, TEMPFAIL, TLS_WORDS)
    nothing_of_ours(rogue.plain)


@versions
@pytest.mark.parametrize("kind", ["as it is", "in a record"])
def test_injected_behind_the_handshake(attack, good, kind, version):
    """In clear, after TLS has begun: it is not TLS's and so nobody's."""
    forged = FORGED["the whole dialogue"]

    def script(talk):
        talk.starttls()
        talk.secure(good(version=version))
        talk.raw(forged if kind == "as it is" else in_a_record(forged))
        talk.obey()
    rogue, result = attack(script)
    in_vain(result, TEMPFAIL, "lost the connection.*TLS|TLS")
    nothing_of_ours(rogue.plain)


@both
def test_nothing_follows_starttls(attack, good, lmtp):
    """What a server, or somebody in the middle, would keep and obey later: not
    one octet comes ahead of the 220, though PIPELINING is offered."""
    def script(talk):
        talk.say(b"220 mail.example.org ESMTP\r\n")
        talk.hello(b"PIPELINING", b"AUTH PLAIN", b"STARTTLS")
        talk.expect(b"STARTTLS")
        assert talk.is_silent() and not talk.buffer
        talk.say(b"220 2.0.0 go")
        assert talk.is_silent()
        talk.say(b" ahead\r\n")
        assert talk.record()[0] == 22
        talk.cut()
        talk.rest()
    rogue, result = attack(script, lmtp=lmtp)
    in_vain(result, TEMPFAIL, "lost the connection")
    verb = b"LHLO" if lmtp else b"EHLO"
    assert re.match(verb + rb" [!-~]+\r\nSTARTTLS\r\n\x16\x03", rogue.clear)


# What was offered before TLS is forgotten.

@both
@pytest.mark.parametrize("clear, secured", [
    ("CHUNKING,BINARYMIME,8BITMIME,SMTPUTF8,DSN,SIZE=10", []),
    ("", "PIPELINING,8BITMIME,SIZE=1000000,CHUNKING"),
    ("SIZE=1", "SIZE=1000000"), ("PIPELINING,DSN", "8BITMIME")])
def test_capabilities_are_asked_again(start, send, clear, secured, lmtp):
    """The peer knows of what it has offered under TLS, and sees it as a
    violation if anything else is used."""
    peer = start(capabilities_clear=clear, capabilities_tls=secured, lmtp=lmtp,
                 mechanisms_clear=["LOGIN", "CRAM-MD5"])
    result = send(peer, "-N", "failure", BOB,
                  stdin=MESSAGE + "sch\u00f6n\n".encode())
    assert result.code == OK, str(result)
    [message] = peer.messages
    offered = str(secured)
    assert message.via == ("BDAT" if "CHUNKING" in offered else "DATA")
    assert ("SIZE" in message.params) == ("SIZE" in offered)
    assert (message.body == "8BITMIME") == ("8BITMIME" in offered)
    assert peer.session.auth["mechanism"] == "PLAIN"


def test_mechanisms_are_asked_again(start, send):
    """The weaker ones that somebody offers ahead of TLS do not count."""
    peer = start(mechanisms_clear=["PLAIN"],
                 mechanisms=["PLAIN", "SCRAM-SHA-256"])
    assert send(peer, BOB).code == OK
    assert peer.session.auth["mechanism"] == "SCRAM-SHA-256"


@both
def test_mechanisms_only_in_clear(start, send, lmtp):
    peer = start(mechanisms=[], mechanisms_clear=["PLAIN", "SCRAM-SHA-256"],
                 require_auth=False, lmtp=lmtp)
    in_vain(send(peer, BOB), NOPERM, "does not offer authentication")
    assert not {"AUTH", "MAIL"} & set(peer.session.verbs)
    nothing_of_ours(peer.session.clear + peer.session.plain)


@both
@pytest.mark.parametrize("mechanisms", [["PLAIN"], ["LOGIN"], ["CRAM-MD5"],
                                        ["SCRAM-SHA-256"]], ids=str)
def test_mechanisms_in_clear_are_not_used(start, send, mechanisms, lmtp):
    """They are offered in clear, and STARTTLS then fails."""
    peer = start(mechanisms_clear=mechanisms, lmtp=lmtp,
                 faults={"starttls": "454 4.7.0 no TLS now, just log in"})
    in_vain(send(peer, BOB), TEMPFAIL, "454 4.7.0 no TLS now")
    nothing_of_ours(peer.session.clear)


# STARTTLS taken away.

MASKED = [b"XXXXXXXA", b"XXXXXXXX", b"STARTTLSX", b"XSTARTTLS", b"STARTTL",
          b"START TLS", b"STARTTLS\0", b"X-STARTTLS STARTTLS", b"AUTH STARTTLS"]


@both
@pytest.mark.parametrize("offer", MASKED)
def test_stripped(attack, offer, lmtp):
    def script(talk):
        talk.say(b"220 mail.example.org ESMTP\r\n")
        talk.hello(b"PIPELINING", offer, b"AUTH PLAIN LOGIN")
        talk.obey()
    rogue, result = attack(script, lmtp=lmtp)
    in_vain(result, NOPERM, "does not offer STARTTLS")
    assert re.fullmatch(rb"[EL]HLO [!-~]+\r\n(QUIT\r\n)?", rogue.clear)


@both
@pytest.mark.parametrize("reply, code", [
    (b"421 4.7.0 no TLS", TEMPFAIL), (b"454 4.7.0 no TLS", TEMPFAIL),
    (b"500 5.5.1 no TLS", PROTOCOL), (b"502 5.5.1 no TLS", PROTOCOL),
    (b"503 5.5.1 no TLS", PROTOCOL), (b"530 5.7.0 no TLS", NOPERM),
    (b"554 5.7.3 no TLS", NOPERM), (b"250 2.0.0 no TLS", PROTOCOL),
    (b"235 2.7.0 no TLS", PROTOCOL), (b"221 2.0.0 no TLS", PROTOCOL),
    (b"354 no TLS", PROTOCOL), (b"334 no TLS", PROTOCOL),
    (b"22 no TLS", PROTOCOL), (b"220x no TLS", PROTOCOL),
    (b"220-no TLS\r\n250 no TLS", PROTOCOL)])
def test_refused(attack, reply, code, lmtp):
    def script(talk):
        talk.say(b"220 mail.example.org ESMTP\r\n")
        talk.hello(b"STARTTLS", b"AUTH PLAIN")
        talk.expect(b"STARTTLS")
        talk.say(reply + b"\r\n")
        talk.obey()
    rogue, result = attack(script, lmtp=lmtp)
    in_vain(result, code, "no TLS|repl|answer")
    assert re.fullmatch(rb"[EL]HLO [!-~]+\r\nSTARTTLS\r\n(QUIT\r\n)?",
                        rogue.clear)


@both
@pytest.mark.parametrize("end", [b"", b"22", b"220-wait\r\n"])
def test_closed_instead(attack, end, lmtp):
    def script(talk):
        talk.say(b"220 mail.example.org ESMTP\r\n")
        talk.hello(b"STARTTLS", b"AUTH PLAIN")
        talk.expect(b"STARTTLS")
        talk.say(end)
        talk.cut()
        talk.obey()
    rogue, result = attack(script, lmtp=lmtp)
    in_vain(result, TEMPFAIL, "closed the connection|lost")
    assert re.fullmatch(rb"[EL]HLO [!-~]+\r\nSTARTTLS\r\n(QUIT\r\n)?",
                        rogue.clear)


@both
def test_refused_once(attack, good, lmtp):
    """There is no second way with less in it: no other connection."""
    def script(talk):
        talk.say(b"220 mail.example.org ESMTP\r\n")
        talk.hello(b"STARTTLS")
        talk.expect(b"STARTTLS")
        talk.cut()
    rogue, _ = attack(script, lmtp=lmtp)
    assert len(rogue.talks) == 1


# Replies before they are asked for.

GREETINGS = {
    "250 ahead of 220": (b"250 AUTH PLAIN\r\n220 mail ESMTP\r\n", PROTOCOL),
    "235 in its place": (b"235 2.7.0 you are welcome\r\n", PROTOCOL),
    "250 in its place": (b"250-mail\r\n250 AUTH PLAIN\r\n", PROTOCOL),
    "220 of the other kind": (b"334 \r\n", PROTOCOL),
    "PREAUTH": (b"* PREAUTH IMAP4rev1 server logged in as alice\r\n",
                PROTOCOL),
}


@both
@pytest.mark.parametrize("kind", GREETINGS)
def test_greetings(attack, kind, lmtp):
    data, code = GREETINGS[kind]

    def script(talk):
        talk.say(data)
        talk.obey()
    rogue, result = attack(script, lmtp=lmtp)
    in_vain(result, code, "greeting|repl|answer")
    assert rogue.clear in (b"", b"QUIT\r\n")


AHEAD = {
    "220 twice": b"220 one\r\n220 two\r\n",
    "hello without TLS": b"220 one\r\n250-mail\r\n250 AUTH PLAIN LOGIN\r\n",
    "all of it": b"220 one\r\n250 AUTH PLAIN\r\n235 ok\r\n250 ok\r\n250 ok\r\n"
                 b"354 go\r\n250 taken\r\n",
    "STARTTLS granted": b"220 one\r\n250-mail\r\n250 STARTTLS\r\n220 go\r\n"
                        b"250-mail\r\n250 AUTH PLAIN\r\n235 ok\r\n",
}


@both
@pytest.mark.parametrize("data", AHEAD.values(), ids=list(AHEAD))
def test_ahead_of_commands(attack, data, lmtp):
    def script(talk):
        talk.say(data)
        talk.obey()
    rogue, result = attack(script, lmtp=lmtp)
    assert result.code in (TEMPFAIL, PROTOCOL, NOPERM), str(result)
    in_vain(result, result.code, "TLS|repl|answer|said")
    assert not re.search(rb"AUTH|MAIL", rogue.clear)


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-1"])
def test_235_ahead_of_its_time(start, send, mechanism):
    """Who says yes without knowing the password is not believed."""
    for step in ("ehlo@tls", "auth"):
        reply = [NORMAL, Raw(b"235 2.7.0 welcome\r\n")] if step != "auth" \
            else "235 2.7.0 welcome"
        peer = start(mechanisms=[mechanism], strict=False, require_auth=False,
                     faults={step: reply})
        result = send(peer, BOB)
        assert result.code in (NOPERM, PROTOCOL), str(result)
        assert peer.messages == [] and "MAIL" not in peer.session.verbs


def test_nobody_is_let_in_without_a_login(start, send):
    """A refused login is the end, though the server would take the message."""
    for reply, code in (("535 5.7.8 no", NOPERM), ("503 5.5.1 you are logged "
                        "in already", PROTOCOL), ("250 2.0.0 ok", PROTOCOL),
                        ("454 4.7.0 later", TEMPFAIL)):
        peer = start(require_auth=False, faults={"auth": reply})
        in_vain(send(peer, BOB), code, re.escape(reply[:9]))
        assert "MAIL" not in peer.session.verbs and peer.messages == []


# TLS that is none, or too old.

@both
@pytest.mark.parametrize("kind", ["at once", "with words", "silent"])
def test_no_tls_then(attack, kind, lmtp):
    """220, and SMTP goes on in clear."""
    def script(talk):
        talk.starttls()
        if kind == "with words":
            talk.record()
            talk.say(b"500 5.5.1 what?\r\n")
        elif kind == "at once":
            talk.record()
            talk.say(b"250-mail\r\n250 AUTH PLAIN\r\n")
        talk.obey()
    rogue, result = attack(script, lmtp=lmtp)
    in_vain(result, TEMPFAIL, "does not speak TLS|timed out")
    assert not re.search(rb"AUTH|MAIL|QUIT", rogue.clear)


def server_hello(version=0x0303, cipher=0xC02F, random=bytes(range(32)),
                 compression=0, session=b"", extensions=b"\xff\x01\0\x01\0",
                 record=0x0303):
    """A ServerHello (RFC 5246 7.4.1.3); its extension is RFC 5746's."""
    body = version.to_bytes(2, "big") + random + bytes([len(session)]) + \
        session + cipher.to_bytes(2, "big") + bytes([compression])
    if extensions:
        body += len(extensions).to_bytes(2, "big") + extensions
    message = b"\x02" + len(body).to_bytes(3, "big") + body
    return b"\x16" + record.to_bytes(2, "big") + \
        len(message).to_bytes(2, "big") + message


def with_version(version):
    """A ServerHello of TLS 1.3's form that chooses this one."""
    return server_hello(cipher=0x1301, extensions=b"\0\x2b\0\x02" +
                        version.to_bytes(2, "big"))


DOWNGRADED = bytes(24) + b"DOWNGRD"     # RFC 8446 4.1.3
HELLOS = {
    "SSL 3": server_hello(0x0300, record=0x0300),
    "TLS 1.0": server_hello(0x0301, 0xC013, record=0x0301),
    "TLS 1.1": server_hello(0x0302, 0xC013, record=0x0302),
    "TLS 1.1 in a record of 1.2": server_hello(0x0302, 0xC013),
    "TLS 1.1 by extension": with_version(0x0302),
    "TLS 1.2 by extension": with_version(0x0303),
    "a version of the future": with_version(0x0305),
    "TLS 1.2 where both know 1.3": server_hello(random=DOWNGRADED + b"\x01"),
    "TLS 1.1 where both know more":
        server_hello(0x0302, 0xC013, random=DOWNGRADED + b"\0"),
    "no cipher": server_hello(cipher=0x0000),
    "NULL": server_hello(cipher=0x003B),
    "NULL, ECDHE": server_hello(cipher=0xC010),
    "EXPORT": server_hello(cipher=0x0003),
    "EXPORT, DHE": server_hello(cipher=0x0014),
    "RC4": server_hello(cipher=0x0005),
    "RC4, ECDHE": server_hello(cipher=0xC011),
    "DES": server_hello(cipher=0x0009),
    "3DES": server_hello(cipher=0x000A),
    "3DES, ECDHE": server_hello(cipher=0xC012),
    "anonymous": server_hello(cipher=0x0034),
    "anonymous, ECDH": server_hello(cipher=0xC018),
    "integrity alone": server_hello(cipher=0xC0B4, extensions=b"\0\x2b\0\x02"
                                    b"\x03\x04"),
    "a cipher nobody asked for": server_hello(cipher=0xFEFE),
    "compression": server_hello(compression=1),
    "an extension nobody asked for":
        server_hello(extensions=b"\xff\x01\0\x01\0\0\x0f\0\x01\x01"),
}


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("kind", HELLOS)
def test_server_hello(attack, kind, tls):
    """Each is refused as soon as it is there: with an alert, and not because
    nothing else comes."""
    alerts = []

    def script(talk):
        if tls == "starttls":
            talk.starttls()
        assert talk.record()[0] == 22
        talk.raw(HELLOS[kind])
        while True:
            alerts.append(talk.record())
    _, result = attack(script, tls)
    in_vain(result, TEMPFAIL, TLS_WORDS)
    assert "timed out" not in result.err
    fatal = [one for one in alerts if one[0] == 21 and one[5] == 2]
    assert len(fatal) == len(alerts) == 1, alerts


def test_that_server_hello_is_one(attack):
    """Without what is wrong with it, it is taken and more is waited for."""
    for hello in (server_hello(), server_hello(0x0303, 0xC030)):
        def script(talk):
            talk.starttls()
            talk.record()
            talk.raw(hello)
            talk.rest()
        _, result = attack(script, timeout=PATIENCE)
        in_vain(result, TEMPFAIL, "handshake: timed out")


@pytest.mark.parametrize("ciphers", ["aNULL", "eNULL", "aNULL+eNULL",
                                     "AES256-SHA:!aNULL+kRSA", "LOW:EXP:RC4"])
def test_weak_ciphers(start, send, good, ciphers):
    """A server that has nothing better, as far as OpenSSL still knows them.
    RSA's key exchange cannot be had with a key that is for signatures."""
    def context():
        try:
            return good(version=ssl.TLSVersion.TLSv1_2,
                        ciphers=f"{ciphers}:@SECLEVEL=0")
        except ssl.SSLError:        # not even known: offer what is anonymous
            return good(version=ssl.TLSVersion.TLSv1_2,
                        ciphers="aNULL:@SECLEVEL=0")
    peer = start(make_context=context)
    in_vain(send(peer, BOB), TEMPFAIL, TLS_WORDS)
    assert peer.session.plain == b"" and not peer.session.wire.secure
    nothing_of_ours(peer.session.clear)


# Who has a certificate of their own.

def test_another_certificate(start, send, certs, good):
    """Believed the first time, with a ticket or without; then another server
    is there, which knows of no ticket and has no good certificate."""
    names = ["good", "self-signed", "expired", "good"]
    contexts = iter([good(name) for name in names])
    peer = start(make_context=lambda: next(contexts))
    codes = [send(peer, BOB).code for _ in names]
    assert codes == [OK, TEMPFAIL, TEMPFAIL, OK]
    assert [s.plain == b"" for s in peer.sessions] == [False, True, True,
                                                       False]
    assert len(peer.messages) == 2
    for session in peer.sessions:
        nothing_of_ours(session.clear)


def test_a_ticket_is_no_certificate(start, send, certs, good):
    """The same with one server that keeps its keys: what it is believed for
    is asked again when the trust is another."""
    context = good()
    peer = start(make_context=lambda: context)
    assert send(peer, BOB).code == send(peer, BOB).code == OK
    assert [one.wire.ssl.session_reused for one in peer.sessions] == [False,
                                                                     True]
    for settings in ({"tls_trust_file": certs.other_ca},
                     {"tls_host_override": "other.example.org"},
                     {"tls_trust_file": None, "tls_fingerprint":
                      certs.fingerprint("expired", "sha256")}):
        in_vain(send(peer, BOB, **settings), TEMPFAIL, "127.0.0.1|other")
        assert peer.session.plain == b""
        assert not peer.session.wire.ssl.session_reused
    assert send(peer, BOB).code == OK


@versions
def test_own_certificate_is_not_shown(start, send, certs, good, version):
    """To a server that is not believed, though it asks for it."""
    def context():
        result = good("self-signed", version)
        result.load_verify_locations(certs.ca)
        result.verify_mode = ssl.CERT_REQUIRED
        return result
    peer = start(make_context=context)
    result = send(peer, BOB, tls_cert_file=certs.chain("client"),
                  tls_key_file=certs.key("client"))
    in_vain(result, TEMPFAIL, "self-signed|trusted|issuer|unknown")
    wire = peer.session.wire
    assert not wire.secure and "ALERT" in wire.tls_error.upper(), wire.tls_error
    assert peer.session.client_cert is None


def test_long_chain(start, send, certs, tmp_path):
    """A thousand certificates: looked at in no time, or refused."""
    middle = certs.chain("middle").read_text()
    chain = tmp_path / "chain.pem"
    chain.write_text(certs.chain("intermediate").read_text() + middle * 1000)

    def context():
        result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        result.load_cert_chain(chain, certs.key("intermediate"))
        return result
    peer = start(make_context=context)
    in_vain(send(peer, BOB), TEMPFAIL, TLS_WORDS)
    nothing_of_ours(peer.session.clear + peer.session.plain)


# After TLS: no login, no way back.

@both
@pytest.mark.parametrize("reply, code, words", [
    ("500 5.5.1 what?", NOPERM, "authentication"),
    ("502 what?", NOPERM, "authentication"),
    ("550 5.7.1 go away", NOPERM, "authentication|550"),
    ("421 4.3.2 bye", TEMPFAIL, "421"), ("451 4.3.0 later", TEMPFAIL, "451"),
    (Drop(), TEMPFAIL, "closed"), (Cut(), TEMPFAIL, "without TLS's goodbye"),
    (Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"), PROTOCOL, "repl|answer")])
def test_second_hello_fails(start, send, reply, code, words, lmtp):
    """What the first one said is not fallen back to."""
    step = "lhlo@tls" if lmtp else "ehlo@tls"
    peer = start(mechanisms_clear=["PLAIN"], require_auth=False, lmtp=lmtp,
                 faults={step: reply})
    result = send(peer, BOB)
    if lmtp and code == NOPERM:     # no HELO there: its own words
        code, words = result.code, re.escape(reply)
        assert code in (NOPERM, PROTOCOL)
    in_vain(result, code, words)
    assert not {"AUTH", "MAIL"} & set(peer.session.verbs)
    nothing_of_ours(peer.session.clear + peer.session.plain)


@both
@pytest.mark.parametrize("mechanisms", [[], ["FROB"], ["XXXXX", "XXXXX"]],
                         ids=str)
def test_no_auth_behind_tls(start, send, mechanisms, lmtp):
    """The server would take the message from anybody."""
    peer = start(mechanisms=mechanisms, require_auth=False, lmtp=lmtp)
    in_vain(send(peer, BOB), NOPERM, "authentication")
    assert not {"AUTH", "MAIL"} & set(peer.session.verbs)
    nothing_of_ours(peer.session.clear + peer.session.plain)


@both
@pytest.mark.parametrize("reply", ["500 what?", "502 5.5.1 EHLO? no",
                                   "504 no", "550 5.7.1 HELO, please"])
def test_helo_offers_nothing(start, send, reply, lmtp):
    """Where EHLO is refused there is no STARTTLS, and so no mail."""
    step = "lhlo" if lmtp else "ehlo"
    peer = start(mechanisms_clear=["PLAIN"], require_auth=False, lmtp=lmtp,
                 faults={step: reply})
    result = send(peer, BOB)
    if lmtp:
        assert result.code in (PROTOCOL, NOPERM), str(result)
        in_vain(result, result.code, re.escape(reply))
        assert "HELO" not in peer.session.verbs
    else:
        in_vain(result, NOPERM, "does not offer STARTTLS")
    assert set(peer.session.verbs) <= {"EHLO", "HELO", "LHLO", "QUIT"}
    nothing_of_ours(peer.session.clear)


# The end of a connection that nobody signed.

@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("step", ["ehlo@tls", "auth", "mail", "rcpt", "data"])
def test_cut(start, send, step, tls):
    peer = start(tls=tls, faults={step: Cut()})
    in_vain(send(peer, BOB), TEMPFAIL, "closed without TLS's goodbye|"
            "lost the connection|closed the connection")
    assert peer.messages == []
    nothing_of_ours(peer.session.clear)


@pytest.mark.parametrize("offer", ["PIPELINING,CHUNKING", "PIPELINING", ""])
def test_cut_in_the_message(start, send, offer):
    """Not all of it went, so nobody has it."""
    peer = start(capabilities=offer, sockbuf=8192,
                 faults={"midbody": MidBody(1000, Cut())})
    result = send(peer, BOB, stdin=MESSAGE + b"x" * 70 + b"\n" +
                  (b"y" * 70 + b"\n") * 100000)
    in_vain(result, TEMPFAIL, "lost the connection|closed")
    assert "may have been delivered" not in result.err
    assert peer.messages == []


HALVES = [b"2", b"250", b"250 ", b"250 2.0.0 accepted", b"250 2.0.0 ok\r",
          b"250-2.0.0 ok\r\n", b"250-2.0.0 ok\r\n250 2.0.0 so it"]


@pytest.mark.parametrize("step", ["mail", "data", "body"])
@pytest.mark.parametrize("half", HALVES)
def test_cut_in_a_reply(start, send, step, half):
    """Half a yes is none.  The end of the message was sent before, so what
    became of it is not known; otherwise it is."""
    peer = start(faults={step: Cut(half)})
    result = send(peer, BOB)
    in_vain(result, TEMPFAIL, "closed|lost the connection")
    assert ("may have been delivered" in result.err) == (step == "body")


def test_cut_behind_the_last_reply(start, send):
    """The message is theirs: how they go then is nothing to us."""
    for lmtp in (False, True):
        peer = start(lmtp=lmtp, faults={"body": [NORMAL, Cut()]})
        result = send(peer, BOB)
        assert (result.code, result.err) == (OK, "")
        assert len(peer.messages) == 1


def test_cut_between_the_replies_of_lmtp(start, send):
    """The first has it; of the second nothing is known."""
    peer = start(lmtp=True, faults={"body:1": [NORMAL], "body:2": Cut()})
    result = send(peer, BOB, "carol@example.net", partial="on")
    assert result.code == TEMPFAIL, str(result)
    assert "carol@example.net" in result.err and BOB not in result.err
    assert "may have been delivered" in result.err


@versions
@pytest.mark.parametrize("after", ["EHLO", "AUTH", "MAIL", "."])
def test_clear_text_behind_the_goodbye(attack, good, after, version):
    """TLS is over, by its rules; what then comes in clear is nobody's."""
    forged = b"250 2.0.0 ok\r\n" * 3

    def script(talk):
        talk.starttls()
        talk.secure(good(version=version))
        talk.hello(b"AUTH PLAIN")
        said = []
        while (verb := talk.line()[:4].decode().upper()) != after:
            said.append(verb)
            talk.say({"AUTH": b"235 2.7.0 ok\r\n", "DATA": b"354 go\r\n"}.get(
                verb, b"250 2.0.0 ok\r\n") if "DATA" not in said or
                verb == "DATA" else b"")
        talk.bye()
        talk.raw(forged)
        while talk.receive():
            pass

    if after == "EHLO":
        def script(talk):
            talk.starttls()
            talk.secure(good(version=version))
            talk.expect(b"EHLO")
            talk.bye()
            talk.raw(b"250 AUTH PLAIN\r\n")
            while talk.receive():
                pass
    rogue, result = attack(script)
    in_vain(result, TEMPFAIL, "closed|lost the connection")
    assert ("may have been delivered" in result.err) == (after == ".")
    if after == "EHLO":
        nothing_of_ours(rogue.plain)


# TLS that does not stop.

def by_gnutls(certs, priorities, act):
    """A server by GnuTLS on a port of TLS: act(it) when EHLO has come."""
    def script(talk):
        tls = GnuTLS(talk, certs.chain("good"), certs.key("good"), priorities)
        tls.say(b"220 mail.example.org ESMTP\r\n")
        tls.expect(b"EHLO")
        act(tls)
        tls.say(b"250-mail.example.org\r\n250 AUTH PLAIN\r\n")
        tls.obey()
    return script


ONLY_1_2 = "NORMAL:-VERS-ALL:+VERS-TLS1.2"
ONLY_1_3 = "NORMAL:-VERS-ALL:+VERS-TLS1.3"


@pytest.mark.parametrize("times", [1, 200])
def test_renegotiation(attack, certs, times):
    """It is asked for and not done; the session as it is goes on."""
    def act(tls):
        for _ in range(times):
            tls.ask_again()
    rogue, result = attack(by_gnutls(certs, ONLY_1_2, act), "implicit")
    assert (result.code, result.err) == (OK, "")
    assert b"First line" in rogue.plain


@pytest.mark.parametrize("times", [1, 5000])
def test_key_updates(attack, certs, times):
    """Each wants an answer.  A few are obeyed; a flood has an end."""
    def act(tls):
        for _ in range(times):
            tls.update_keys()
    rogue, result = attack(by_gnutls(certs, ONLY_1_3, act), "implicit")
    if times == 1:
        assert (result.code, result.err) == (OK, ""), str(result)
    else:
        in_vain(result, TEMPFAIL, "lost the connection")
        nothing_of_ours(rogue.plain)


@pytest.mark.parametrize("priorities", [ONLY_1_2, ONLY_1_3])
def test_alerts(attack, certs, priorities):
    """Warnings without end; the time to wait for an answer is the limit."""
    def act(tls):
        while True:
            tls.warn(90)        # user_canceled
    rogue, result = attack(by_gnutls(certs, priorities, act), "implicit",
                           timeout=1)
    in_vain(result, TEMPFAIL, "lost the connection|timed out")
    nothing_of_ours(rogue.plain)


RECORDS = {
    "change of cipher": b"\x14\x03\x03\0\x01\x01",
    "warning": b"\x15\x03\x03\0\x02\x01\x5a",
    "empty handshake": b"\x16\x03\x03\0\0",
    "empty data": b"\x17\x03\x03\0\0",
    "a drop at a time": b"\x16\x03\x03\0\x01\x02",
    "hello request": b"\x16\x03\x03\0\x04\0\0\0\0",
}


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("kind", RECORDS)
def test_records(attack, kind, tls):
    """Over and over in place of the server's part of the handshake."""
    def script(talk):
        if tls == "starttls":
            talk.starttls()
        talk.record()
        while True:
            talk.raw(RECORDS[kind] * 1000)
    _, result = attack(script, tls, timeout=PATIENCE)
    in_vain(result, TEMPFAIL, TLS_WORDS)


# Those who speak something else.

OTHERS = {
    "HTTP": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "IMAP": b"* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] ready\r\n",
    "PREAUTH": b"* PREAUTH [CAPABILITY IMAP4rev1] alice\r\n",
    "POP3": b"+OK POP3 ready <1896.697170952@mail.example.org>\r\n",
    "sieve": b'"IMPLEMENTATION" "x"\r\n"STARTTLS"\r\nOK ready.\r\n',
    "TLS alert": b"\x15\x03\x01\0\x02\x02\x0a",
    "MySQL": b"J\0\0\0\n8.0.30\0\x08\0\0\0",
    "nothing printable": bytes(range(256)),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_protocols(attack, kind):
    def script(talk):
        talk.raw(OTHERS[kind])
        talk.obey()
    rogue, result = attack(script, timeout=1)
    assert result.code in (TEMPFAIL, PROTOCOL), str(result)
    in_vain(result, result.code, "repl|answer|TLS|timed out")
    assert rogue.clear in (b"", b"QUIT\r\n")


@pytest.mark.parametrize("kind", OTHERS)
def test_other_protocols_behind_tls(attack, good, kind):
    """Somebody leads us to another service of the same name, whose certificate
    is as good."""
    def script(talk):
        talk.secure(good())
        talk.say(OTHERS[kind])
        talk.obey()
    rogue, result = attack(script, "implicit", timeout=1)
    assert result.code in (TEMPFAIL, PROTOCOL), str(result)
    in_vain(result, result.code, "repl|answer|timed out")
    assert rogue.plain in (b"", b"QUIT\r\n")


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_ftp(attack, good, tls):
    """It greets as SMTP does, and understands neither EHLO nor HELO."""
    def script(talk):
        if tls == "implicit":
            talk.secure(good())
        talk.say(b"220 ftp.example.org FTP ready\r\n")
        while True:
            talk.line()
            talk.say(b"500 Unknown command.\r\n")
    rogue, result = attack(script, tls)
    in_vain(result, PROTOCOL, "500 Unknown command")
    seen = rogue.plain if tls == "implicit" else rogue.clear
    assert re.fullmatch(rb"EHLO [!-~]+\r\nHELO [!-~]+\r\n(QUIT\r\n)?", seen)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_echo(attack, good, tls):
    """Everything comes back: our own commands are no replies."""
    def script(talk):
        if tls == "implicit":
            talk.secure(good())
        talk.say(b"220 mail.example.org ESMTP\r\n")
        while True:
            talk.say(talk.line() + b"\r\n")
    rogue, result = attack(script, tls)
    in_vain(result, PROTOCOL, "repl|answer")
    nothing_of_ours(rogue.plain)
