"""A secret that can be found again, and every form in which it may turn up.

    forms(b"...")       {name: octets}: as it is, in base64 at each of the three
                        places it can have in what is encoded (so within the
                        responses of PLAIN, LOGIN and XOAUTH2 as well), in
                        hexadecimal, as UTF-16, as a percent-escape, and as the
                        pads of HMAC (RFC 2104), from which it can be computed
    found(b"...", in)   the names of the forms that are there as a whole
    pieces(b"...")      {name: [octets]}: the same cut into pieces, for memory:
                        what free() leaves lacks its first octets, and a line
                        that was overwritten may still have its end
"""

import base64
import secrets

LETTERS = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
PIECE = 10      # octets of a form that nobody has by accident


def make(word="", size=40):
    """One that a shell and a configuration take as it is, like no other."""
    return word + "".join(secrets.choice(LETTERS) for _ in range(size))


def in_base64(secret):
    """What base64 has of it, whatever is before and behind it."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + secret)
        first = (0, 2, 3)[before]
        last = (before + len(secret)) // 3 * 4
        yield before, text[first:last]


def padded(secret, octet):
    return bytes(one ^ octet for one in secret)


def forms(secret):
    secret = secret.encode() if isinstance(secret, str) else secret
    text = secret.decode("utf-8", "replace")
    result = {"itself": secret, "hex": secret.hex().encode(),
              "HEX": secret.hex().upper().encode(),
              "UTF-16LE": text.encode("utf-16-le"),
              "UTF-16BE": text.encode("utf-16-be"),
              "percent": b"".join(b"%%%02X" % one for one in secret),
              "backwards": secret[::-1],
              "ipad": padded(secret, 0x36), "opad": padded(secret, 0x5c)}
    result.update((f"base64+{n}", text) for n, text in in_base64(secret))
    return result


def found(secret, data):
    return [name for name, form in forms(secret).items() if form in data]


def pieces(secret, size=PIECE):
    """A run of twice that size of a form holds one of its pieces."""
    result = {}
    for name, form in forms(secret).items():
        step = 2 * size if name.startswith("UTF") else size
        result[name] = [form[at:at + step]
                        for at in range(0, len(form) - step + 1, step)]
    return result
