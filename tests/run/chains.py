"""Certificates of every kind, good and bad: a maker of X.509 by hand.

What a certificate is to be is said by a Wish, whose issuer is another Wish;
made(wish) is the certificate, once.  A Wish with nothing said is what a good
authority makes for mail.example.org.  As every octet is put together here a
certificate may also be what no tool makes: with NUL in a name, a serial number
below 0, a second subjectAltName, no trusted digest.  Only keys and signatures
are left to python3-cryptography.  RFC 5280 (certificates, CRLs), RFC 6960
(OCSP), RFC 7633 (must-staple).

    ROOT = Wish("Root", ca=True)
    made(Wish(san=["dns:*.example.org"], issuer=ROOT)).pem
    revocations(ROOT, [LEAF])           a CRL, PEM
    staple(LEAF, "revoked")             an OCSP response, DER
    Stapling(chain, key, response)      a context for a Peer that staples it
"""

import base64
import functools
import hashlib
import ipaddress
import itertools
import ssl
import time
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import (dsa, ec, ed448,
                                                       ed25519, padding, rsa)

HOST = "mail.example.org"
DAY = 86400
START = int(time.time())
SERIALS = itertools.count(START << 32)

# ------------------------------------------------------------------- DER


def tlv(tag, *parts):
    body = b"".join(parts)
    if len(body) < 128:
        size = bytes([len(body)])
    else:
        size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
        size = bytes([128 | len(size)]) + size
    return bytes([tag]) + size + body


def sequence(*parts):
    return tlv(0x30, *parts)


def integer(value):
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big",
                                 signed=True))


def boolean(value):
    return tlv(1, b"\xff" if value else b"\0")


def octets(data):
    return tlv(4, data)


def bits(data, unused=0):
    return tlv(3, bytes([unused]), data)


def oid(text):
    first, second, *rest = map(int, text.split("."))
    out = bytes([40 * first + second])
    for arc in rest:
        piece = [arc & 127]
        while arc := arc >> 7:
            piece.insert(0, 128 | arc & 127)
        out += bytes(piece)
    return tlv(6, out)


def date(days, form=None):
    """Days from now; text is taken as it is."""
    if isinstance(days, str):
        return tlv(0x18, days.encode())
    when = time.gmtime(START + days * DAY)
    if form is None and when.tm_year < 2050:    # RFC 5280 4.1.2.5
        return tlv(0x17, time.strftime("%y%m%d%H%M%SZ", when).encode())
    return tlv(0x18, time.strftime("%Y%m%d%H%M%SZ", when).encode())


def day(days):
    """The date as messages have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ",
                         time.gmtime(START + days * DAY))


def named_bits(names, table):
    value = 0
    for name in names:
        value |= 1 << (15 - table.index(name))
    data = value.to_bytes(2, "big").rstrip(b"\0") or b"\0"
    unused = (data[-1] & -data[-1]).bit_length() - 1 if data[-1] else 7
    return bits(data, unused)


def pem(der, label="CERTIFICATE"):
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n"


USAGES = ["digitalSignature", "nonRepudiation", "keyEncipherment",
          "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign"]
PURPOSES = {"any": "2.5.29.37.0", "server": "1.3.6.1.5.5.7.3.1",
            "client": "1.3.6.1.5.5.7.3.2", "code": "1.3.6.1.5.5.7.3.3",
            "email": "1.3.6.1.5.5.7.3.4", "ocsp": "1.3.6.1.5.5.7.3.9"}
ALT_NAMES = {"email": 0x81, "dns": 0x82, "uri": 0x86, "ip": 0x87}

# ------------------------------------------------------------------ keys

CURVES = {"P-192": ec.SECP192R1, "P-224": ec.SECP224R1, "P-256": ec.SECP256R1,
          "P-384": ec.SECP384R1, "P-521": ec.SECP521R1,
          "secp256k1": ec.SECP256K1, "brainpool": ec.BrainpoolP256R1}
DIGESTS = {"md5": hashes.MD5, "sha1": hashes.SHA1, "sha224": hashes.SHA224,
           "sha256": hashes.SHA256, "sha384": hashes.SHA384,
           "sha512": hashes.SHA512}
RSA_SIGNATURES = {"md5": 4, "sha1": 5, "sha256": 11, "sha384": 12,
                  "sha512": 13, "sha224": 14}
EC_SIGNATURES = {"sha1": "1", "sha224": "3.1", "sha256": "3.2",
                 "sha384": "3.3", "sha512": "3.4"}
SHA256 = sequence(oid("2.16.840.1.101.3.4.2.1"), tlv(5))
RSA_KEY, PSS = oid("1.2.840.113549.1.1.1"), oid("1.2.840.113549.1.1.10")
PSS_ALGORITHM = sequence(PSS, sequence(
    tlv(0xa0, SHA256),
    tlv(0xa1, sequence(oid("1.2.840.113549.1.1.8"), SHA256)),
    tlv(0xa2, integer(32))))


def new_key(kind):
    if kind in CURVES:
        return ec.generate_private_key(CURVES[kind]())
    if kind == "Ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind == "Ed448":
        return ed448.Ed448PrivateKey.generate()
    return slow_key(kind)


@functools.lru_cache(None)
def slow_key(kind):
    """RSA and DSA: one of each size is enough."""
    name, size = kind.split("-")
    if name == "DSA":
        return dsa.generate_private_key(int(size))
    exponent = 3 if name == "RSA3" else 65537
    return rsa.generate_private_key(exponent, int(size))


def public_info(key, kind):
    """SubjectPublicKeyInfo; a key RSAPSS-n may sign with PSS alone."""
    der = key.public_key().public_bytes(
        serialization.Encoding.DER,
        serialization.PublicFormat.SubjectPublicKeyInfo)
    if not kind.startswith("RSAPSS"):
        return der
    at = der.index(RSA_KEY + b"\5\0") + len(RSA_KEY) + 2
    return sequence(sequence(PSS), der[at:])


def private_pem(key, kind):
    secret = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption())
    if kind.startswith("RSAPSS"):
        plain = key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption())
        secret = sequence(integer(0), sequence(PSS), octets(plain))
    return pem(secret, "PRIVATE KEY")


def signature_of(key, method):
    """The algorithm's identifier, and what signs."""
    if isinstance(key, (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey)):
        last = "112" if isinstance(key, ed25519.Ed25519PrivateKey) else "113"
        return sequence(oid("1.3.101." + last)), key.sign
    if isinstance(key, rsa.RSAPrivateKey) and method == "pss":
        digest = hashes.SHA256()
        return PSS_ALGORITHM, lambda data: key.sign(
            data, padding.PSS(padding.MGF1(digest), 32), digest)
    digest = DIGESTS[method]()
    if isinstance(key, rsa.RSAPrivateKey):
        name = f"1.2.840.113549.1.1.{RSA_SIGNATURES[method]}"
        return sequence(oid(name), tlv(5)), lambda data: key.sign(
            data, padding.PKCS1v15(), digest)
    if isinstance(key, dsa.DSAPrivateKey):
        return sequence(oid("2.16.840.1.101.3.4.3.2")), lambda data: key.sign(
            data, digest)
    name = "1.2.840.10045.4." + EC_SIGNATURES[method]
    return sequence(oid(name)), lambda data: key.sign(data,
                                                      ec.ECDSA(digest))


def signed(body, key, method, spoilt=False, inner=None):
    """A SIGNED structure: body is a function of the algorithm."""
    algorithm, sign = signature_of(key, method)
    body = body(inner or algorithm)
    signature = bytearray(sign(body))
    if spoilt:
        signature[-1] ^= 1
    return sequence(body, algorithm, bits(bytes(signature)))

# ---------------------------------------------------------- certificates

UNSAID = object()       # what is usual: for a server, or for an authority


@dataclass(eq=False)
class Wish:
    """What a certificate is to be."""

    subject: str = "a server"       # common name; None: an empty subject
    issuer: "Wish" = None           # None: signed by itself
    san: tuple = UNSAID             # "KIND:value"; None: no such extension
    san_critical: bool = False
    key: object = "P-256"           # kind of key; a Wish: its key
    signed: str = "sha256"          # by the issuer; "md5", "sha1", "pss" …
    days: tuple = (-1, 30)          # valid from, to; days from now, or a date
    ca: bool = False
    basic: bool = True              # has basicConstraints
    pathlen: int = None
    usage: tuple = UNSAID           # None: no such extension
    purpose: tuple = UNSAID         # None: no such extension
    permitted: tuple = ()           # name constraints, like san
    excluded: tuple = ()
    more: tuple = ()                # further extensions, DER
    serial: int = None
    version: int = 3
    spoilt: bool = False            # the signature is wrong
    by: "Wish" = None               # signed with this one's key all the same
    inner: bytes = None             # the algorithm within the signed part

    def __post_init__(self):
        usual = {"san": None, "usage": ("keyCertSign", "cRLSign"),
                 "purpose": None} if self.ca else {
                     "san": ("dns:" + HOST,), "usage": ("digitalSignature",),
                     "purpose": ("server",)}
        for name, value in usual.items():
            if getattr(self, name) is UNSAID:
                setattr(self, name, value)
        if self.serial is None:
            self.serial = next(SERIALS)

    @property
    def name(self):
        """Its subject in DER."""
        if self.subject is None:
            return sequence()
        return sequence(tlv(0x31, sequence(
            oid("2.5.4.3"), tlv(0x0c, self.subject.encode()))))


def general_name(text):
    if isinstance(text, bytes):
        return text
    kind, value = text.split(":", 1)
    if kind != "ip":
        return tlv(ALT_NAMES[kind], value.encode())
    if "/" in value:
        net = ipaddress.ip_network(value)
        return tlv(0x87, net.network_address.packed + net.netmask.packed)
    return tlv(0x87, ipaddress.ip_address(value).packed)


def extension(name, value, critical=False):
    return sequence(oid(name), boolean(True) if critical else b"",
                    octets(value))


def san_extension(names, critical=False):
    return extension("2.5.29.17", sequence(*map(general_name, names)),
                     critical)


MUST_STAPLE = extension("1.3.6.1.5.5.7.1.24", sequence(integer(5)))


def subtrees(tag, names):
    if not names:
        return b""
    return tlv(tag, *(sequence(general_name(n)) for n in names))


def extensions(wish, key_id, issuer_id):
    out = []
    if wish.basic:
        value = boolean(True) if wish.ca else b""
        if wish.pathlen is not None:
            value += integer(wish.pathlen)
        out.append(extension("2.5.29.19", sequence(value), True))
    if wish.usage is not None:
        out.append(extension("2.5.29.15", named_bits(wish.usage, USAGES),
                             True))
    if wish.purpose is not None:
        out.append(extension("2.5.29.37", sequence(
            *(oid(PURPOSES[p]) for p in wish.purpose))))
    if wish.san is not None:
        out.append(san_extension(wish.san, wish.san_critical))
    if wish.permitted or wish.excluded:
        out.append(extension("2.5.29.30", sequence(
            subtrees(0xa0, wish.permitted),
            subtrees(0xa1, wish.excluded)), True))
    out.append(extension("2.5.29.14", octets(key_id)))
    out.append(extension("2.5.29.35", sequence(tlv(0x80, issuer_id))))
    return tlv(0xa3, sequence(*out, *wish.more))


class Made:
    def __init__(self, wish):
        self.wish = wish
        self.kind, self.private = key_of(wish)
        self.info = public_info(self.private, self.kind)
        self.key_id = hashlib.sha1(inner_bits(self.info)).digest()
        issuer = wish.issuer or wish
        signer = wish.by or wish.issuer
        self.der = signed(
            lambda algorithm: self._body(algorithm, issuer),
            made(signer).private if signer else self.private, wish.signed,
            wish.spoilt, wish.inner)

    def _body(self, algorithm, issuer):
        wish = self.wish
        above = self if issuer is wish else made(issuer)
        begin, end = wish.days
        return sequence(
            tlv(0xa0, integer(2)) if wish.version == 3 else b"",
            integer(wish.serial), algorithm, issuer.name,
            sequence(date(begin), date(end)), wish.name, self.info,
            extensions(wish, self.key_id, above.key_id)
            if wish.version == 3 else b"")

    @property
    def pem(self):
        return pem(self.der)

    @property
    def private_pem(self):
        return private_pem(self.private, self.kind)


def key_of(wish):
    if isinstance(wish.key, Wish):
        return key_of(wish.key)
    return wish.key, private_key(wish)


@functools.lru_cache(None)
def private_key(wish):
    return new_key(wish.key)


@functools.lru_cache(None)
def made(wish):
    return Made(wish)


def inner_bits(info):
    """The key without its algorithm: RFC 5280 4.2.1.2."""
    def header(data, at):
        size, at = data[at + 1], at + 2
        if size > 127:
            count = size & 127
            size, at = int.from_bytes(data[at:at + count], "big"), at + count
        return size, at
    _, at = header(info, 0)
    size, at = header(info, at)
    size, at = header(info, at + size)
    return info[at + 1:at + size]


def bundle(wishes):
    return "".join(made(w).pem for w in wishes)


def rename(wish, **changes):
    """The same key under another certificate."""
    changes.setdefault("subject", wish.subject)
    changes.setdefault("ca", wish.ca)
    return Wish(key=wish, **changes)

# ------------------------------------------------------------ revocation


def revocations(issuer, revoked, days=(-1, 30), by=None):
    """A CRL of the issuer; by: who signs it in the issuer's name."""
    def body(algorithm):
        entries = [sequence(integer(w.serial), date(-1)) for w in revoked]
        return sequence(
            integer(1), algorithm, issuer.name, date(days[0]), date(days[1]),
            sequence(*entries) if entries else b"",
            tlv(0xa0, sequence(
                extension("2.5.29.35",
                          sequence(tlv(0x80, made(issuer).key_id))),
                extension("2.5.29.20", integer(1)))))
    return pem(signed(body, made(by or issuer).private, "sha256"), "X509 CRL")


def certificate_id(wish):
    """RFC 6960 4.1.1, by SHA-1 as everybody does."""
    issuer = made(wish.issuer)
    return sequence(sequence(oid("1.3.14.3.2.26"), tlv(5)),
                    octets(hashlib.sha1(wish.issuer.name).digest()),
                    octets(issuer.key_id), integer(wish.serial))


def staple(wish, status="good", days=(-1, 2), by=None):
    """An OCSP response about the certificate, by its issuer, or by a
    responder whose certificate comes with it."""
    word = {"good": tlv(0x80), "unknown": tlv(0x82),
            "revoked": tlv(0xa1, date(-1, "long"))}[status]
    responder = by or wish.issuer

    def body(_):
        return sequence(
            tlv(0xa1, responder.name), date(-1, "long"),
            sequence(sequence(certificate_id(wish), word,
                              date(days[0], "long"),
                              tlv(0xa0, date(days[1], "long")))))
    key = made(responder).private
    algorithm, sign = signature_of(key, "sha256")
    data = body(algorithm)
    basic = sequence(data, algorithm, bits(sign(data)),
                     tlv(0xa0, sequence(made(by).der)) if by else b"")
    return sequence(tlv(10, b"\0"), tlv(0xa0, sequence(
        oid("1.3.6.1.5.5.7.48.1.1"), octets(basic))))

# --------------------------------------------------------------- servers


def context(chain, key):
    """For the server; what is weak is for the client to find."""
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    result.set_ciphers("ALL:@SECLEVEL=0")
    result.load_cert_chain(chain, key)
    return result


class Stapling:
    """In place of an ssl.SSLContext, which cannot staple."""

    def __init__(self, chain, key, response):
        from OpenSSL import SSL
        self.context = SSL.Context(SSL.TLS_SERVER_METHOD)
        self.context.use_certificate_chain_file(str(chain))
        self.context.use_privatekey_file(str(key))
        self.context.set_ocsp_server_callback(lambda _c, _d: response)

    def wrap_bio(self, incoming, outgoing, server_side):
        from OpenSSL import SSL
        connection = SSL.Connection(self.context, None)
        connection.set_accept_state()
        return Stapled(connection, incoming, outgoing)


class Stapled:
    """In place of an ssl.SSLObject."""

    session_reused = False

    def __init__(self, connection, incoming, outgoing):
        self.connection = connection
        self.incoming, self.outgoing = incoming, outgoing

    def _do(self, what, *arguments):
        from OpenSSL import SSL
        if self.incoming.pending:
            self.connection.bio_write(self.incoming.read())
        try:
            return what(*arguments)
        except SSL.WantReadError:
            raise ssl.SSLWantReadError from None
        except SSL.ZeroReturnError:
            return b""
        except SSL.Error as error:
            failure = ssl.SSLError(1, str(error))
            failure.reason = str(error)
            raise failure from None
        finally:
            try:
                self.outgoing.write(self.connection.bio_read(1 << 20))
            except SSL.WantReadError:
                pass

    def do_handshake(self):
        return self._do(self.connection.do_handshake)

    def read(self, size):
        return self._do(self.connection.recv, size)

    def write(self, data):
        return self._do(self.connection.send, bytes(data))

    def unwrap(self):
        self._do(self.connection.shutdown)

    def version(self):
        return self.connection.get_protocol_version_name()

    def getpeercert(self):
        return None

    def cipher(self):
        return self.connection.get_cipher_name(), None, None
