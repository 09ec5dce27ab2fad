"""Tokens as an identity provider gives them out: JWT (RFC 7519), signed by a
key that Dovecot has in its folder, or by one that it has not."""

import base64
import hmac
import json
import os
import subprocess
import time

SECRET = b"shared by the provider and the server"


def _url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def write_keys(folder, rsa_key):
    """What Dovecot's local_validation_key_dict finds: one file a key."""
    public = subprocess.run(
        ["openssl", "pkey", "-in", rsa_key, "-pubout"], check=True,
        capture_output=True).stdout
    for kind, key in (("HS256", base64.b64encode(SECRET)),
                      ("RS256", public)):
        path = os.path.join(folder, "default", kind)
        os.makedirs(path)
        with open(os.path.join(path, "default"), "wb") as f:
            f.write(key)


def token(user="alice", lasts=3600, rsa_key=None, secret=SECRET, **claims):
    """A token for USER that ends in so many seconds.  By HMAC with SECRET, or
    by RSA with the key in that file."""
    now = int(time.time())
    claims = {"sub": user, "iat": now - 60, "exp": now + lasts, **claims}
    head = {"alg": "RS256" if rsa_key else "HS256", "typ": "JWT"}
    said = ".".join(_url(json.dumps(part).encode())
                    for part in (head, claims))
    if rsa_key:
        seal = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", rsa_key], check=True,
            input=said.encode(), capture_output=True).stdout
    else:
        seal = hmac.digest(secret, said.encode(), "sha256")
    return said + "." + _url(seal)
