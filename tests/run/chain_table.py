"""Chains of certificates, and what is thought of each: see test_chains.py."""

from dataclasses import dataclass

import chains
from chains import (HOST, MUST_STAPLE, Wish, day, rename, revocations,
                    staple)

PAST, AHEAD = f"expired.*{day(-2)}", f"valid.*{day(2)}"
USAGE, NO_CA, CRL = "[Kk]ey usage", "CA|authority", "CRL|tls_crl_file"
STAPLE = "OCSP|staple"
NAME = "not for"                # and what it is for
PARTIAL = ("-partial_chain",)   # openssl must be told that these are anchors

# Why others see it otherwise.
ANY = "RFC 5280 4.2.1.12: any purpose is any; openssl wants serverAuth"
SIGNS = "in TLS 1.3 the server's key signs, so its usage must allow that"
BITS = "112 bits of strength are asked for, by gnutls-cli's defaults fewer"
COMMON = "RFC 9525 2: names are in subjectAltName, and nowhere else"
PART = "RFC 9525 6.3: a star is a whole label"
STAR = "the name is excluded, though a star stands for it; others compare stars"
NOT_KNOWN = "its issuer does not know it; to GnuTLS only revoked is bad"
UNSEEN = "s_client does not look at what is stapled"

ROOT = Wish("Root", ca=True)
OTHER = Wish("Other", ca=True)
MIDDLE = Wish("Middle", ROOT, ca=True)


def leaf(issuer=ROOT, **wishes):
    return Wish(issuer=issuer, **wishes)


def san(*names, **wishes):
    return [leaf(san=names, **wishes)]


@dataclass
class Row:
    name: str
    chain: list
    refused: str = None         # words of the refusal; None: it is believed
    host: str = HOST
    trust: tuple = (ROOT,)
    gnutls: bool = True         # gnutls-cli comes to the same verdict
    openssl: bool = True        # so does s_client
    why: str = None             # if one of them does not
    flags: tuple = ()           # for s_client
    crl: object = None          # function making a CRL, PEM
    beside: object = None       # another that s_client needs
    at: int = 0                 # the one of the chain that a refusal names;
                                # -1: none of them
    staple: object = None       # function making a staple, DER
    folder: bool = False        # trust is a directory


UMLAUT, PUNY = "m\u00fcnchen.example", "xn--mnchen-3ya.example"
LOOP = "127.0.0.1"

# Authorities with something odd.
EXPIRED_ROOT = Wish("Expired Root", ca=True, days=(-90, -2))
FUTURE_ROOT = Wish("Future Root", ca=True, days=(2, 90))
NAMESAKE = Wish("Root", ca=True)
V1_ROOT = Wish("Version 1 Root", version=1)
CLIENT_ROOT = Wish("Client Root", ca=True, purpose=("client",))
WEAK_ROOT = Wish("Weak Root", ca=True, key="RSA-1024")
SHA1_ROOT = Wish("SHA-1 Root", ca=True, signed="sha1")
MD5_ROOT = Wish("MD5 Root", ca=True, key="RSA-2048", signed="md5")
RSA_ROOT = Wish("RSA Root", ca=True, key="RSA-2048")
NO_USAGE_ROOT = Wish("Root without key usage", ca=True, usage=None)
NARROW_ROOT = Wish("Narrow Root", ca=True, permitted=("dns:example.net",))
MIDDLE2 = Wish("Second", MIDDLE, ca=True)


def middle(**wishes):
    return Wish("Middle", wishes.pop("issuer", ROOT), ca=True, **wishes)


def below(authority, **wishes):
    """A chain of two."""
    return [leaf(authority, **wishes), authority]


def ladder(steps):
    """A chain of so many certificates, without the root."""
    chain = [Wish("Step 1", ROOT, ca=True)]
    for step in range(2, steps):
        chain.insert(0, Wish(f"Step {step}", chain[0], ca=True))
    return [leaf(chain[0])] + chain


# The same authority, vouched for twice: by itself, and by one that is past.
NEW = Wish("New Root", ca=True)
NEW_BY_OLD = rename(NEW, issuer=EXPIRED_ROOT)
NEW_BY_ROOT = rename(NEW, issuer=ROOT)
NEW_EXPIRED = rename(NEW, days=(-90, -2))

# Two that vouch for each other.
EGG = Wish("Egg", ca=True)
HEN = Wish("Hen", EGG, ca=True)
EGG_BY_HEN = rename(EGG, issuer=HEN)

SELF = Wish()
SELF_EXPIRED = Wish(days=(-30, -2))
SELF_ELSEWHERE = Wish(san=("dns:mail.example.net",))
SELF_AUTHORITY = Wish(ca=True, san=("dns:" + HOST,),
                      usage=("digitalSignature", "keyCertSign"))
HOSTLESS_ROOT = Wish("Root", ca=True, excluded=("dns:" + HOST,))
ELSEWHERE = Wish("Elsewhere", ROOT, ca=True, excluded=("dns:" + HOST,))
FALSE_MIDDLE = Wish("Middle", ca=True)
LEAF_ROOT = Wish()
ASIDE = leaf(subject="aside")
GOOD, STAPLED = leaf(), leaf(more=(MUST_STAPLE,))
BELOW_MIDDLE = leaf(MIDDLE)
RESPONDER = Wish("Responder", ROOT, san=None, purpose=("ocsp",))
NO_RESPONDER = Wish("No responder", ROOT, san=None, purpose=("server",))
UNKNOWN = chains.extension("1.3.6.1.4.1.99999.1", b"\5\0", True)
IGNORED = chains.extension("1.3.6.1.4.1.99999.1", b"\5\0")

ROWS = [
    # What a good authority issues.
    Row("good", [GOOD]),
    Row("good, below an intermediate", [BELOW_MIDDLE, MIDDLE]),
    Row("a common name as well", [leaf(subject=HOST)]),
    Row("empty subject, critical names",
        [leaf(subject=None, san_critical=True)]),
    Row("empty subject, names not critical", [leaf(subject=None)]),
    Row("critical names", [leaf(san_critical=True)]),

    # Dates.
    Row("expired", [leaf(days=(-30, -2))], PAST),
    Row("expired this minute", [leaf(days=(-30, -0.001))],
        f"expired.*{day(-0.001)}"),
    Row("future", [leaf(days=(2, 30))], AHEAD),
    Row("from in some hours on", [leaf(days=(0.4, 30))],
        f"valid.*{day(0.4)}"),
    Row("ends before it begins", [leaf(days=(2, -2))], AHEAD),
    Row("until 2099", [leaf(days=(-1, "20991231235959Z"))]),
    Row("until the end of all days", [leaf(days=(-1, "99991231235959Z"))]),
    Row("outlives its issuer", [leaf(days=(-90, 900))]),
    Row("intermediate expired", below(middle(days=(-30, -2))), PAST,
        at=1),
    Row("intermediate of the future", below(middle(days=(2, 30))),
        AHEAD, at=1),
    Row("trusted root expired", [leaf(EXPIRED_ROOT)], "expired", at=-1,
        trust=[EXPIRED_ROOT]),
    Row("trusted root of the future", [leaf(FUTURE_ROOT)], "valid", at=-1,
        trust=[FUTURE_ROOT]),

    # Who vouches for it.
    Row("self-signed", [SELF], "self-signed"),
    Row("self-signed, an authority", [SELF_AUTHORITY], "self-signed"),
    Row("self-signed, trusted", [SELF], trust=[SELF]),
    Row("self-signed, an authority, trusted", [SELF_AUTHORITY],
        trust=[SELF_AUTHORITY]),
    Row("self-signed, trusted, expired", [SELF_EXPIRED], PAST,
        trust=[SELF_EXPIRED]),
    Row("self-signed, trusted, for another", [SELF_ELSEWHERE], NAME,
        trust=[SELF_ELSEWHERE]),
    Row("other root", [GOOD], "issuer", trust=[OTHER]),
    Row("root of the same name, other key", [GOOD], "issuer",
        trust=[NAMESAKE]),
    Row("two roots of one name", [GOOD], trust=[NAMESAKE, ROOT]),
    Row("two roots of one name, the other way", [GOOD],
        trust=[ROOT, NAMESAKE]),
    Row("signed by another in its name", [leaf(by=OTHER)], "signature"),
    Row("signature spoilt", [leaf(spoilt=True)], "signature"),
    Row("intermediate's signature spoilt", below(middle(spoilt=True)),
        "signature"),
    Row("two algorithms", [leaf(inner=chains.PSS_ALGORITHM)],
        "certificate", at=-1),
    Row("trust: the leaf alone", [GOOD], trust=[GOOD],
        flags=PARTIAL),
    Row("trust: the intermediate alone", [BELOW_MIDDLE, MIDDLE],
        trust=[MIDDLE], flags=PARTIAL),
    Row("trust: the intermediate, which is not sent", [BELOW_MIDDLE],
        trust=[MIDDLE], flags=PARTIAL),
    Row("trust: another leaf", [leaf()], "issuer", trust=[GOOD],
        flags=PARTIAL),
    Row("trust: a leaf that signs", below(GOOD), "issuer|authority",
        trust=[GOOD], flags=PARTIAL),
    Row("trust: a directory", [BELOW_MIDDLE, MIDDLE], trust=[OTHER, ROOT],
        folder=True),
    Row("trust: a directory of others", [GOOD], "issuer", trust=[OTHER],
        folder=True),

    # What it may be used for.
    Row("for clients alone", [leaf(purpose=("client",))], "purpose|server"),
    Row("for mail alone", [leaf(purpose=("email",))], "purpose|server"),
    Row("for code and mail", [leaf(purpose=("code", "email"))],
        "purpose|server"),
    Row("for clients and servers", [leaf(purpose=("client", "server"))]),
    Row("no purpose said", [leaf(purpose=None)]),
    Row("any purpose", [leaf(purpose=("any",))], openssl=False,
        why=ANY),
    Row("any purpose, and clients", [leaf(purpose=("client", "any"))],
        openssl=False, why=ANY),
    Row("intermediate for clients alone",
        below(middle(purpose=("client",))), "purpose|server", at=-1),
    Row("intermediate for servers", below(middle(purpose=("server",)))),
    Row("root for clients alone", [leaf(CLIENT_ROOT)],
        trust=[CLIENT_ROOT], openssl=False,
        why="who is trusted is trusted by the user's word, RFC 5280 6.1.1 d;"
            " what it says of itself is no part of the path"),
    Row("no key usage said", [leaf(usage=None)]),
    Row("key usage: encipherment alone",
        [leaf(key="RSA-2048", usage=("keyEncipherment",))], USAGE,
        at=-1, openssl=False, why=SIGNS),
    Row("key usage: agreement alone", [leaf(usage=("keyAgreement",))],
        USAGE, at=-1, openssl=False, why=SIGNS),
    Row("key usage: of an authority", [leaf(usage=("keyCertSign",))],
        USAGE, at=-1),
    Row("an authority as the server",
        [Wish(HOST, ROOT, ca=True, san=("dns:" + HOST,),
              usage=("digitalSignature", "keyCertSign"))]),
    Row("no basicConstraints", [leaf(basic=False)]),

    # Keys.
    Row("RSA 2048", [leaf(key="RSA-2048")]),
    Row("RSA 4096", [leaf(key="RSA-4096")]),
    Row("RSA 2048, exponent 3", [leaf(key="RSA3-2048")]),
    Row("RSA 2048, for PSS alone", [leaf(key="RSAPSS-2048")]),
    Row("RSA 1536", [leaf(key="RSA-1536")], "weak.*RSA.*1536", gnutls=False,
        why=BITS),
    Row("RSA 1024", [leaf(key="RSA-1024")], "weak.*RSA.*1024", gnutls=False,
        why=BITS),
    Row("RSA 512", [leaf(key="RSA-512")], "handshake", at=-1),
    Row("DSA 1024", [leaf(key="DSA-1024")], "handshake", at=-1),
    Row("DSA 2048", [leaf(key="DSA-2048")], "handshake", at=-1),
    Row("P-192", [leaf(key="P-192")], "handshake", at=-1),
    Row("P-224", [leaf(key="P-224")], "handshake", at=-1),
    Row("P-384", [leaf(key="P-384")]),
    Row("P-521", [leaf(key="P-521")]),
    Row("Ed25519", [leaf(key="Ed25519")]),
    Row("Ed448", [leaf(key="Ed448")]),
    Row("secp256k1", [leaf(key="secp256k1")], "handshake", at=-1),
    Row("brainpool", [leaf(key="brainpool")], "handshake", at=-1),
    Row("intermediate RSA 1024", below(middle(key="RSA-1024")),
        "weak.*RSA.*1024", at=1, gnutls=False, why=BITS),
    Row("intermediate Ed25519", below(middle(key="Ed25519"))),
    Row("intermediate RSA 4096", below(middle(key="RSA-4096"))),
    Row("trusted root RSA 1024", [leaf(WEAK_ROOT)], "weak", at=-1,
        trust=[WEAK_ROOT], gnutls=False, why=BITS),

    # Signatures.
    Row("signed by SHA-1", [leaf(signed="sha1")], "weak.*SHA-?1"),
    Row("signed by RSA and SHA-1", [leaf(RSA_ROOT, signed="sha1")],
        "weak.*SHA-?1", trust=[RSA_ROOT]),
    Row("signed by MD5", [leaf(RSA_ROOT, signed="md5")], "weak.*MD5",
        trust=[RSA_ROOT]),
    Row("signed by SHA-224", [leaf(signed="sha224")]),
    Row("signed by SHA-384", [leaf(signed="sha384")]),
    Row("signed by RSA and SHA-512", [leaf(RSA_ROOT, signed="sha512")],
        trust=[RSA_ROOT]),
    Row("signed by RSA-PSS", [leaf(RSA_ROOT, signed="pss")],
        trust=[RSA_ROOT]),
    Row("intermediate signed by SHA-1", below(middle(signed="sha1")),
        "weak.*SHA-?1", at=1),
    Row("intermediate signed by MD5",
        below(middle(issuer=RSA_ROOT, signed="md5")), "weak.*MD5", at=1,
        trust=[RSA_ROOT]),
    Row("trusted root signed by SHA-1", [leaf(SHA1_ROOT)],
        trust=[SHA1_ROOT]),
    Row("trusted root signed by MD5", [leaf(MD5_ROOT)], trust=[MD5_ROOT]),
    Row("trusted root signed by MD5, sent", [leaf(MD5_ROOT), MD5_ROOT],
        trust=[MD5_ROOT]),

    # Names.
    Row("another name", san("dns:mail.example.net"), NAME),
    Row("one of several", san("dns:a.example.net", "dns:" + HOST, "ip:::2")),
    Row("the last of a thousand",
        san(*(f"dns:{n}.example.net" for n in range(1000)), "dns:" + HOST)),
    Row("none of a thousand",
        san(*(f"dns:{n}.example.net" for n in range(1000))), NAME),
    Row("common name alone", [leaf(subject=HOST, san=None)], NAME,
        gnutls=False, openssl=False, why=COMMON),
    Row("common name, other names",
        [leaf(subject=HOST, san=("dns:mail.example.net",))], NAME),
    Row("common name, no names in the list", [leaf(subject=HOST, san=())],
        NAME, gnutls=False, openssl=False, why=COMMON),
    Row("common name, an e-mail address",
        [leaf(subject=HOST, san=("email:postmaster@" + HOST,))], NAME,
        gnutls=False, openssl=False, why=COMMON),
    Row("an e-mail address alone", san("email:postmaster@" + HOST), NAME),
    Row("a URI alone", san(f"uri:smtp://{HOST}/"), NAME),
    Row("the name as a URI", san("uri:" + HOST), NAME),
    Row("no names", [leaf(san=None)], NAME),
    Row("upper case", san("dns:MAIL.Example.ORG")),
    Row("upper case wanted", san("dns:" + HOST), host=HOST.upper()),
    Row("underscore", san("dns:my_mail.example.org"),
        host="my_mail.example.org"),
    Row("dot at its end", san(f"dns:{HOST}."), NAME),
    Row("dot at the end of what is wanted", san("dns:" + HOST),
        host=HOST + ".", openssl=False,
        why="the dot says that the name is whole (RFC 1034 3.1); it is no"
            " part of the name, and certificates never have it"),
    Row("dot in front", san("dns:.example.org"), NAME),
    Row("space in front", san("dns: " + HOST), NAME),
    Row("space at its end", san(f"dns:{HOST} "), NAME),
    Row("NUL in it", san(f"dns:{HOST}\0.example.net"), NAME),
    Row("NUL at its end", san(f"dns:{HOST}\0"), NAME),
    Row("NUL in the common name",
        [leaf(subject=HOST + "\0.example.net", san=None)], NAME),
    Row("newline in the subject",
        [leaf(subject="x\r\npostrider: all is well\x1b[2J",
              san=("dns:a\nb.example.net",))], NAME),
    Row("subject of 60000 octets",
        [leaf(subject="x" * 60000, san=("dns:mail.example.net",))], NAME),
    Row("name of 2000 octets", san("dns:" + "x" * 2000), NAME),
    Row("name of 2000 octets, and ours", san("dns:" + "x" * 2000,
                                             "dns:" + HOST)),
    Row("longer name", san("dns:mail.example.org.example.net"), NAME),
    Row("shorter name", san("dns:example.org"), NAME),

    # Wildcards: RFC 6125 6.4.3, RFC 9525 6.3.
    Row("wildcard", san("dns:*.example.org")),
    Row("wildcard, two labels", san("dns:*.example.org"), NAME,
        host="a.b.example.org"),
    Row("wildcard, no label", san("dns:*.example.org"), NAME,
        host="example.org"),
    Row("wildcard, upper case", san("dns:*.EXAMPLE.org")),
    Row("wildcard of a top level", san("dns:*.org"), NAME,
        host="example.org"),
    Row("wildcard of another top level", san("dns:*.com"), NAME,
        host="example.com"),
    Row("wildcard of a public suffix", san("dns:*.co.uk"),
        host="example.co.uk"),
    Row("wildcard alone", san("dns:*"), NAME),
    Row("wildcard alone, one label", san("dns:*"), NAME, host="localhost"),
    Row("wildcard and a dot", san("dns:*."), NAME, host="localhost"),
    Row("wildcard, partial", san("dns:m*.example.org"), NAME,
        openssl=False, why=PART),
    Row("wildcard, partial, behind", san("dns:*il.example.org"), NAME,
        gnutls=False, openssl=False, why=PART),
    Row("wildcard, partial, within", san("dns:m*l.example.org"), NAME),
    Row("wildcard, whole and more", san("dns:mail*.example.org"), NAME,
        openssl=False, why=PART),
    Row("two wildcards", san("dns:*.*.example.org"), NAME,
        host="a.b.example.org"),
    Row("two stars", san("dns:**.example.org"), NAME),
    Row("wildcard in the middle", san("dns:mail.*.org"), NAME),
    Row("wildcard at the end", san("dns:mail.example.*"), NAME),
    Row("wildcard in front of it", san("dns:*.mail.example.org"), NAME),
    Row("wildcard before a dot", san("dns:*..example.org"), NAME),
    Row("wildcard in the common name",
        [leaf(subject="*.example.org", san=None)], NAME,
        gnutls=False, openssl=False, why=COMMON),
    Row("wildcard, dot at its end", san("dns:*.example.org."), NAME),
    Row("wildcard for an address", san("dns:*.0.0.1"), NAME, host=LOOP),
    Row("wildcard for an IDN label", san("dns:*.b.example"),
        host="m\u00fcnchen.b.example"),
    Row("wildcard in an IDN label", san("dns:xn--*.example"), NAME,
        host=UMLAUT),

    # Addresses.
    Row("address", san("ip:127.0.0.1"), host=LOOP),
    Row("address of IPv6", san("ip:::1"), host="::1"),
    Row("address of IPv6, written otherwise", san("ip:2001:db8::10"),
        host="2001:DB8:0:0::0010"),
    Row("another address", san("ip:192.0.2.1"), NAME, host=LOOP),
    Row("another address of IPv6", san("ip:::2"), NAME, host="::1"),
    Row("address as a name", san("dns:127.0.0.1"), NAME, host=LOOP),
    Row("address of IPv6 as a name", san("dns:::1"), NAME, host="::1"),
    Row("address as a common name", [leaf(subject=LOOP, san=None)], NAME,
        host=LOOP),
    Row("address as one of IPv6", san("ip:::ffff:127.0.0.1"), NAME,
        host=LOOP),
    Row("address of five octets", san(b"\x87\5\x7f\0\0\1\0"), NAME,
        host=LOOP),
    Row("octets of the name as an address", san(b"\x87\4a.bc"), NAME,
        host="a.bc"),
    Row("octets of the address as a name", san(b"\x82\4\x7f\0\0\1"), NAME,
        host=LOOP),
    Row("address, and a name is wanted", san("ip:127.0.0.1"), NAME),
    Row("name, and an address is wanted", san("dns:" + HOST), NAME,
        host=LOOP),

    # Names that are not ASCII.
    Row("IDN", san("dns:" + PUNY), host=UMLAUT),
    Row("IDN, as it is in the DNS", san("dns:" + PUNY), host=PUNY),
    Row("IDN, upper case", san("dns:XN--MNCHEN-3YA.example"), host=UMLAUT),
    Row("IDN in UTF-8", san("dns:" + UMLAUT), NAME, host=UMLAUT),
    Row("IDN in UTF-8, wanted as in the DNS", san("dns:" + UMLAUT), NAME,
        host=PUNY),
    Row("IDN in UTF-8 in the common name",
        [leaf(subject=UMLAUT, san=None)], NAME, host=UMLAUT),
    Row("another IDN", san("dns:xn--mnchn-kva.example"), NAME,
        host=UMLAUT),

    # The way up.
    Row("intermediate missing", [BELOW_MIDDLE], "intermediate"),
    Row("second intermediate missing", [leaf(MIDDLE2), MIDDLE2],
        "intermediate"),
    Row("first intermediate missing", [leaf(MIDDLE2), MIDDLE],
        "intermediate"),
    Row("intermediate twice", [BELOW_MIDDLE, MIDDLE, MIDDLE]),
    Row("leaf twice", [BELOW_MIDDLE, BELOW_MIDDLE, MIDDLE]),
    Row("wrong order", [leaf(MIDDLE2), MIDDLE, MIDDLE2]),
    Row("wrong order, root first", [leaf(MIDDLE2), ROOT, MIDDLE, MIDDLE2]),
    Row("root sent", [BELOW_MIDDLE, MIDDLE, ROOT]),
    Row("root sent, not trusted", [BELOW_MIDDLE, MIDDLE, ROOT], "issuer",
        trust=[OTHER]),
    Row("root alone missing", [BELOW_MIDDLE, MIDDLE], "issuer",
        trust=[OTHER]),
    Row("unrelated ones sent", [GOOD, OTHER, SELF]),
    Row("unrelated ones between", [BELOW_MIDDLE, OTHER, SELF, MIDDLE]),
    Row("unrelated expired one sent", [GOOD, EXPIRED_ROOT]),
    Row("authority in front", [MIDDLE, BELOW_MIDDLE], USAGE,
        at=-1),
    Row("cross-signed by an expired root",
        [leaf(NEW), NEW_BY_OLD, EXPIRED_ROOT], trust=[NEW]),
    Row("cross-signed, both roots trusted, one expired",
        [leaf(NEW), NEW_BY_OLD], trust=[EXPIRED_ROOT, NEW]),
    Row("cross-signed, expired root trusted alone",
        [leaf(NEW), NEW_BY_OLD], "expired", at=-1, trust=[EXPIRED_ROOT]),
    Row("cross-signed, two ways sent",
        [leaf(NEW), NEW_BY_OLD, NEW_BY_ROOT], "issuer"),
    Row("cross-signed, two ways sent, the good one first",
        [leaf(NEW), NEW_BY_ROOT, NEW_BY_OLD]),
    Row("cross-signed, expired self sent", [leaf(NEW), NEW_EXPIRED],
        trust=[NEW]),
    Row("cross-signed, expired self trusted too", [leaf(NEW)],
        trust=[NEW_EXPIRED, NEW]),
    Row("path length kept", below(middle(pathlen=0))),
    Row("path length violated",
        [leaf(m := Wish("Lower", top := middle(pathlen=0), ca=True)), m, top],
        "constraint|path length"),
    Row("path length of the root violated",
        [leaf(m := Wish("Lower", r := Wish("Short Root", ca=True, pathlen=0),
                        ca=True)), m], "constraint|path length",
        trust=[r]),
    Row("intermediate is no authority", below(Wish("Middle", ROOT)), NO_CA),
    Row("intermediate is no authority, may sign",
        below(Wish("Middle", ROOT, usage=("keyCertSign",))), NO_CA),
    Row("intermediate without basicConstraints",
        below(Wish("Middle", ROOT, basic=False, san=None,
                   usage=("keyCertSign",))), NO_CA),
    Row("intermediate of version 1",
        below(Wish("Middle", ROOT, version=1)), NO_CA),
    Row("intermediate may not sign",
        below(middle(usage=("digitalSignature", "cRLSign"))),
        "constraint|may not sign"),
    Row("intermediate without key usage", below(middle(usage=None))),
    Row("trusted root of version 1", [leaf(V1_ROOT)], trust=[V1_ROOT]),
    Row("trusted root without key usage", [leaf(NO_USAGE_ROOT)],
        trust=[NO_USAGE_ROOT]),
    Row("version 1", [leaf(version=1, subject=HOST)], NAME, gnutls=False,
        openssl=False, why=COMMON),
    Row("chain of 10", ladder(10)),
    Row("chain of 30", ladder(30), "limit|long", at=-1, openssl=False,
        why="GnuTLS goes up 16 steps, and nobody needs more"),
    Row("a circle", [leaf(EGG), EGG_BY_HEN, HEN], "issuer"),
    Row("a circle, one of it trusted", [leaf(EGG), EGG_BY_HEN, HEN],
        trust=[HEN], flags=PARTIAL),
    Row("critical extension that nobody knows",
        [leaf(more=(UNKNOWN,))], "critical"),
    Row("extension that nobody knows", [leaf(more=(IGNORED,))]),
    Row("intermediate with an unknown critical extension",
        below(middle(more=(UNKNOWN,))), "critical"),

    # Name constraints: RFC 5280 4.2.1.10.
    Row("names permitted", below(middle(permitted=("dns:example.org",)))),
    Row("names not permitted", below(middle(permitted=("dns:example.net",))),
        "constraint"),
    Row("names excluded", below(middle(excluded=("dns:example.org",))),
        "constraint"),
    Row("other names excluded",
        below(middle(excluded=("dns:example.net",)))),
    Row("one of two names not permitted",
        below(middle(permitted=("dns:example.org",)),
              san=("dns:" + HOST, "dns:mail.example.net")), "constraint"),
    Row("wildcard over an excluded name",
        below(middle(excluded=("dns:" + HOST,)), san=("dns:*.example.org",)),
        "constraint", gnutls=False, openssl=False, why=STAR),
    Row("wildcard over an excluded name, by the root",
        [leaf(HOSTLESS_ROOT, san=("dns:*.example.org",))],
        "constraint", trust=[HOSTLESS_ROOT], gnutls=False, openssl=False,
        why=STAR),
    Row("wildcard over another excluded name",
        below(middle(excluded=("dns:a.example.org",)),
              san=("dns:*.example.org",))),
    Row("names excluded by one that is beside the way",
        [BELOW_MIDDLE, MIDDLE, ELSEWHERE]),
    Row("address permitted", below(middle(permitted=("ip:127.0.0.0/8",)),
                                   san=("ip:127.0.0.1",)), host=LOOP),
    Row("address not permitted", below(middle(permitted=("ip:10.0.0.0/8",)),
                                       san=("ip:127.0.0.1",)),
        "constraint", host=LOOP),
    Row("names permitted, an address too",
        below(middle(permitted=("dns:example.org",)),
              san=("dns:" + HOST, "ip:127.0.0.1")), host=LOOP),
    Row("root's names not permitted", [leaf(NARROW_ROOT)], "constraint",
        trust=[NARROW_ROOT]),

    # Numbers.
    Row("serial number 0", [leaf(serial=0)]),
    Row("serial number below 0", [leaf(serial=-5)]),
    Row("serial number of 20 octets", [leaf(serial=1 << 158)]),
    Row("serial number of 60 octets", [leaf(serial=1 << 470)]),

    # Revoked, by list.
    Row("CRL without it", [GOOD], crl=lambda: revocations(ROOT, [])),
    Row("CRL with it", [GOOD], "revoked",
        crl=lambda: revocations(ROOT, [GOOD])),
    Row("CRL with another", [GOOD],
        crl=lambda: revocations(ROOT, [BELOW_MIDDLE])),
    Row("CRL expired", [GOOD], CRL, at=-1,
        crl=lambda: revocations(ROOT, [], days=(-30, -2))),
    Row("CRL expired, with it", [GOOD], f"revoked|{CRL}", at=-1,
        crl=lambda: revocations(ROOT, [GOOD], days=(-30, -2))),
    Row("CRL of the future", [GOOD], CRL, at=-1,
        crl=lambda: revocations(ROOT, [], days=(2, 30))),
    Row("CRL of another issuer", [GOOD], CRL, at=-1,
        crl=lambda: revocations(OTHER, [])),
    Row("CRL of another issuer who is trusted", [GOOD], trust=[ROOT, OTHER],
        crl=lambda: revocations(OTHER, [GOOD]), openssl=False,
        why="a list says nothing of other issuers' certificates; -crl_check"
            " wants one of each issuer"),
    Row("CRL forged, with it", [GOOD], f"revoked|{CRL}", at=-1,
        crl=lambda: revocations(ROOT, [GOOD], by=OTHER)),
    Row("CRL forged, without it", [GOOD], CRL, at=-1,
        crl=lambda: revocations(ROOT, [], by=OTHER)),
    Row("CRL with the intermediate", [BELOW_MIDDLE, MIDDLE], "revoked",
        at=1, crl=lambda: revocations(ROOT, [MIDDLE]),
        beside=lambda: revocations(MIDDLE, []), flags=("-crl_check_all",)),
    Row("CRL of the intermediate, with it", [BELOW_MIDDLE, MIDDLE],
        "revoked", crl=lambda: revocations(MIDDLE, [BELOW_MIDDLE])),
    Row("CRL of the intermediate, without it", [BELOW_MIDDLE, MIDDLE],
        crl=lambda: revocations(MIDDLE, []), gnutls=False,
        why="gnutls-cli takes only lists that the trusted ones have signed"),
    Row("CRL forged and expired, with it", [GOOD], "not signed",
        crl=lambda: revocations(ROOT, [GOOD], days=(-30, -2), by=OTHER)),
    Row("CRL of a namesake of the intermediate's, sent along",
        [BELOW_MIDDLE, MIDDLE, FALSE_MIDDLE], CRL,
        crl=lambda: revocations(FALSE_MIDDLE, [])),
    Row("CRL of a namesake, who has the intermediate's key identifier",
        [BELOW_MIDDLE, MIDDLE, FALSE_MIDDLE], CRL,
        crl=lambda: revocations(MIDDLE, [], by=FALSE_MIDDLE)),
    Row("CRL by the server itself", [LEAF_ROOT], CRL, trust=[LEAF_ROOT],
        crl=lambda: revocations(LEAF_ROOT, [])),
    Row("two CRLs, one of a stranger", [GOOD], gnutls=False,
        crl=lambda: revocations(ROOT, []) + revocations(OTHER, [GOOD]),
        why="gnutls-cli takes no list of a stranger's beside others"),
    Row("two CRLs, one of a namesake", [GOOD], gnutls=False,
        crl=lambda: revocations(NAMESAKE, []) + revocations(ROOT, []),
        why="gnutls-cli takes no list of a stranger's beside others"),
    Row("two CRLs, it is on the second", [GOOD], "revoked",
        trust=[ROOT, OTHER],
        crl=lambda: revocations(OTHER, []) + revocations(ROOT, [GOOD])),
    Row("two CRLs, one expired, of another issuer", [GOOD], gnutls=False,
        trust=[ROOT, OTHER], crl=lambda: revocations(ROOT, []) + revocations(
            OTHER, [], days=(-30, -2)),
        why="gnutls-cli takes no list that is out of date"),
    Row("CRL with an unrelated one that is sent", [GOOD, ASIDE],
        crl=lambda: revocations(ROOT, [ASIDE])),
    Row("CRL with the other way up", [leaf(NEW), NEW_BY_ROOT], "revoked",
        trust=[NEW, ROOT], at=1,
        crl=lambda: revocations(ROOT, [NEW_BY_ROOT])),

    # Revoked, by staple.
    Row("must staple, does not", [STAPLED], STAPLE, openssl=False,
        why=UNSEEN),
    Row("must staple, good", [STAPLED],
        staple=lambda: staple(STAPLED)),
    Row("staple good", [GOOD], staple=lambda: staple(GOOD)),
    Row("staple: revoked", [GOOD], "revoked", openssl=False,
        why=UNSEEN, staple=lambda: staple(GOOD, "revoked")),
    Row("must staple: revoked", [STAPLED], "revoked", openssl=False,
        why=UNSEEN, staple=lambda: staple(STAPLED, "revoked")),
    Row("staple expired", [GOOD], STAPLE, openssl=False,
        why=UNSEEN, staple=lambda: staple(GOOD, days=(-9, -2))),
    Row("must staple, expired", [STAPLED], STAPLE, openssl=False,
        why=UNSEEN, staple=lambda: staple(STAPLED, days=(-9, -2))),
    Row("staple of the future", [GOOD], STAPLE, gnutls=False, openssl=False,
        why="RFC 6960 4.2.2.1: not to be relied on; GnuTLS does not look",
        staple=lambda: staple(GOOD, days=(2, 9))),
    Row("staple of another", [GOOD], STAPLE, openssl=False,
        why=UNSEEN, staple=lambda: staple(STAPLED)),
    Row("must staple, of another", [STAPLED], STAPLE, openssl=False,
        why=UNSEEN, staple=lambda: staple(GOOD)),
    Row("staple: unknown", [GOOD], STAPLE, gnutls=False, openssl=False,
        why=NOT_KNOWN, staple=lambda: staple(GOOD, "unknown")),
    Row("must staple, unknown", [STAPLED], STAPLE, gnutls=False, openssl=False,
        why=NOT_KNOWN, staple=lambda: staple(STAPLED, "unknown")),
    Row("staple by a stranger", [GOOD], STAPLE, openssl=False,
        why=UNSEEN, staple=lambda: staple(GOOD, by=OTHER)),
    Row("must staple, by a stranger", [STAPLED], STAPLE, openssl=False,
        why=UNSEEN, staple=lambda: staple(STAPLED, by=OTHER)),
    Row("must staple, by a responder", [STAPLED],
        staple=lambda: staple(STAPLED, by=RESPONDER)),
    Row("must staple, by one who is no responder", [STAPLED], STAPLE,
        openssl=False, why=UNSEEN,
        staple=lambda: staple(STAPLED, by=NO_RESPONDER)),
    Row("staple of other octets", [GOOD], STAPLE, openssl=False,
        why=UNSEEN, staple=lambda: b"\x30\3\2\1\0"),
    Row("must staple, other octets", [STAPLED], STAPLE, openssl=False,
        why=UNSEEN, staple=lambda: b"\x30\3\2\1\0"),
]
