"""The server's side of the SASL mechanisms the scripted peer offers.

A mechanism is an object with one method, step(response), that takes what the
client said (None: no initial response) and returns one of

    More(challenge)     ask on (334)
    Done()              the client is who it says (235)
    Failed(why)         it is not (535)

Passwords are really verified.  SCRAM follows RFC 5802 and RFC 7677, PLAIN
RFC 4616, CRAM-MD5 RFC 2195, OAUTHBEARER RFC 7628 (the password is the token),
LOGIN draft-murchison-sasl-login.
"""

import base64
import hashlib
import hmac
import os
import re
from dataclasses import dataclass


@dataclass
class More:
    challenge: bytes


@dataclass
class Done:
    pass


@dataclass
class Failed:
    why: str


class Mechanism:
    """What all of them share: the accounts, and who the client says it is."""

    def __init__(self, users, bad_signature=False):
        self.users = users
        self.bad_signature = bad_signature
        self.user = None
        self.authzid = None

    def check(self, user, password):
        self.user = user
        expected = self.users.get(user)
        if expected is None or expected.encode() != password:
            return Failed("no such user, or not its password")
        return Done()


class Plain(Mechanism):
    def step(self, response):
        if response is None:
            return More(b"")
        parts = response.split(b"\0")
        if len(parts) != 3:
            return Failed("malformed PLAIN response")
        self.authzid = parts[0].decode()
        return self.check(parts[1].decode(), parts[2])


class Login(Mechanism):
    def step(self, response):
        if response is None:
            return More(b"Username:")
        if self.user is None:
            self.user = response.decode()
            return More(b"Password:")
        return self.check(self.user, response)


class CramMd5(Mechanism):
    challenge = None

    def step(self, response):
        if self.challenge is None:
            if response is not None:
                return Failed("CRAM-MD5 has no initial response")
            nonce = os.urandom(8).hex()
            self.challenge = f"<{nonce}.1@mail.example.org>".encode()
            return More(self.challenge)
        user, _, digest = response.rpartition(b" ")
        self.user = user.decode()
        password = self.users.get(self.user, "\0").encode()
        right = hmac.new(password, self.challenge, "md5").hexdigest()
        if not hmac.compare_digest(right.encode(), digest):
            return Failed("wrong digest")
        return Done()


class Scram(Mechanism):
    """RFC 5802 without channel binding."""

    hash = "sha256"
    iterations = 4096

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.next = self.first

    def step(self, response):
        if response is None:
            return More(b"")
        return self.next(response.decode())

    def first(self, text):
        match = re.fullmatch(r"([ny]|p=[^,]*),(?:a=([^,]*))?,(.*)", text)
        if not match or match[1].startswith("p="):
            return Failed("no channel binding here")
        self.authzid = match[2]
        self.gs2 = text[: len(text) - len(match[3])]
        self.bare = match[3]
        fields = dict(f.split("=", 1) for f in self.bare.split(","))
        if list(fields)[:2] != ["n", "r"]:
            return Failed("malformed client-first-message")
        self.user = fields["n"].replace("=2C", ",").replace("=3D", "=")
        self.nonce = fields["r"] + base64.b64encode(os.urandom(18)).decode()
        salt = os.urandom(16)
        password = self.users.get(self.user, os.urandom(9).hex())
        self.salted = hashlib.pbkdf2_hmac(
            self.hash, password.encode(), salt, self.iterations)
        encoded = base64.b64encode(salt).decode()
        self.server_first = f"r={self.nonce},s={encoded},i={self.iterations}"
        self.next = self.final
        return More(self.server_first.encode())

    def final(self, text):
        without_proof, _, proof = text.rpartition(",p=")
        binding = base64.b64encode(self.gs2.encode()).decode()
        if without_proof != f"c={binding},r={self.nonce}":
            return Failed("malformed client-final-message")
        message = f"{self.bare},{self.server_first},{without_proof}".encode()
        client_key = self._mac(self.salted, b"Client Key")
        stored_key = hashlib.new(self.hash, client_key).digest()
        signature = self._mac(stored_key, message)
        expected = bytes(a ^ b for a, b in zip(client_key, signature))
        if not hmac.compare_digest(base64.b64decode(proof), expected):
            return Failed("wrong proof")
        server_key = self._mac(self.salted, b"Server Key")
        verifier = self._mac(server_key, message)
        if self.bad_signature:
            verifier = bytes(len(verifier))
        self.next = self.acknowledged
        return More(b"v=" + base64.b64encode(verifier))

    def acknowledged(self, text):
        return Failed("junk after the server's signature") if text else Done()

    def _mac(self, key, message):
        return hmac.new(key, message, self.hash).digest()


class ScramSha1(Scram):
    hash = "sha1"


class OAuthBearer(Mechanism):
    def step(self, response):
        if response is None:
            return More(b"")
        match = re.fullmatch(
            rb"n,a=([^,]*),\x01(?:[a-z]+=[^\x01]*\x01)*"
            rb"auth=Bearer ([^\x01]+)\x01\x01", response)
        if not match:
            return Failed("malformed OAUTHBEARER response")
        return self.check(match[1].decode(), match[2])


MECHANISMS = {
    "PLAIN": Plain,
    "LOGIN": Login,
    "CRAM-MD5": CramMd5,
    "SCRAM-SHA-1": ScramSha1,
    "SCRAM-SHA-256": Scram,
    "OAUTHBEARER": OAuthBearer,
}
