"""What may have become of a message on its way: the judge of tests/corpus.py.

Written from the RFCs, it shares nothing with the program but what both are
told: what the server offers.  It says what must happen to a message (`expect`)
and compares what arrived with what was written (`check`): octet by octet as far
as the server took it as it was, and where something had to be changed, by a
reader of its own (RFC 2045 to 2047, 2231, 5322) and by Python's email package,
which both must find the same in both.
"""

import binascii
import email
import email.header
import email.utils
import re

LINE_MAX = 998
OFFERS = ("8BITMIME", "SMTPUTF8", "CHUNKING", "BINARYMIME")
ADDED = (b"date", b"message-id", b"from")
ADDRESSES = (b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc",
             b"resent-from", b"resent-sender", b"resent-to", b"resent-cc",
             b"resent-bcc", b"resent-reply-to")
PARAMETERS = (b"content-type", b"content-disposition")
COMMENTED = (b"received", b"date", b"resent-date")
BLIND = (b"bcc", b"resent-bcc")
CTE = b"content-transfer-encoding"
IDENTITY = (b"7bit", b"8bit", b"binary")
BLANKS = b" \t"


class Wrong(Exception):
    """What arrived is not what it must be; the text says why."""


def must(condition, text, *values):
    if not condition:
        raise Wrong(text + "".join(f" {v!r:.300}" for v in values))


class Way:
    """What the server takes."""

    def __init__(self, offers):
        self.offers = frozenset(offers)
        self.chunking = "CHUNKING" in self.offers
        self.eightbit = "8BITMIME" in self.offers
        self.binary = self.chunking and "BINARYMIME" in self.offers
        self.utf8 = "SMTPUTF8" in self.offers

    def fits(self, data):
        """Can a body hold these octets?"""
        if self.binary:
            return True
        return not is_binary(data) and (self.eightbit or data.isascii())


def is_binary(data):
    """NUL, a bare CR, a line too long: what only BINARYMIME can carry."""
    return b"\0" in data or has_bare_cr(data) or longest(data) > LINE_MAX


def has_bare_cr(data):
    return b"\r" in data.replace(b"\r\n", b"")


def longest(data):
    return max(map(len, data.split(b"\r\n")))


# Intake: from what was written to what there is.

FIELD = re.compile(rb"[\x21-\x39\x3b-\x7e]+[ \t]*:")


def crlf(data):
    """LF and CRLF are line ends, and the last line has one."""
    data = data.replace(b"\r\n", b"\n")
    if data and not data.endswith(b"\n"):
        data += b"\n"
    return data.replace(b"\n", b"\r\n")


def cut(text):
    """Header and body of what is in CRLF; the empty line is in neither."""
    at = 0
    while at < len(text):
        end = text.find(b"\r\n", at)
        line = text[at:end]
        if not line:
            return text[:at], text[end + 2:]
        if not (at and line[:1] in (b" ", b"\t")) and not FIELD.match(line):
            return text[:at], text[at:]
        at = end + 2
    return text, b""


def intake(raw):
    text = crlf(raw)
    if text.startswith(b"From ") and not FIELD.match(text):
        after = text.partition(b"\r\n")[2]
        if FIELD.match(after):
            text = after
    return cut(text)


def fields(header):
    """[(lower-case name, the field with its line ends)]"""
    found = []
    for line in header.split(b"\r\n")[:-1]:
        if line[:1] in (b" ", b"\t") and found:
            found[-1] += line + b"\r\n"
        else:
            found.append(line + b"\r\n")
    return [(f.partition(b":")[0].rstrip(BLANKS).lower(), f) for f in found]


def without_blind(header):
    return [f for f in fields(header) if f[0] not in BLIND]


# What must happen.

def expect(entry, way):
    """The statuses it may be refused with, as {status: words that must be
    said}; empty: it must arrive."""
    _, body = intake(entry.raw)
    refusals = {}
    if entry.refused:
        refusals.update([entry.refused])
    if entry.utf8 and not way.utf8:
        refusals["5.6.7"] = entry.utf8
    if entry.rigid and not way.fits(body):
        refusals.update([entry.rigid])
    return refusals


# A reader of MIME.

class Part:
    """header, body: octets.  If there are parts in it, `pieces` is what the
    body is made of: alternately text that nobody sees (or b"") and delimiter
    lines, or parts."""

    is_message = False      # its header is a message's

    def __init__(self, header, body, default=b"text/plain"):
        self.header, self.body = header, body
        self.fields = fields(header)
        value, params = parameters(self.get(b"content-type") or default)
        self.type = value.strip(BLANKS).lower()
        self.encoding = comment_free(self.get(CTE) or b"7bit").strip().lower()
        self.pieces = []
        boundary = params.get(b"boundary")
        if self.type.startswith(b"multipart/") and boundary:
            inner = b"message/rfc822" if self.type == b"multipart/digest" \
                else b"text/plain"
            self.pieces = split(body, boundary, inner)
        elif self.type == b"message/rfc822" and self.encoding in IDENTITY:
            self.pieces = [Part(*cut_part(body))]
            self.pieces[0].is_message = True

    def get(self, name):
        """The body of a field, unfolded; None: there is none."""
        for found, field in self.fields:
            if found == name:
                return unfold(field).partition(b":")[2].strip()
        return None

    def decoded(self, body=None):
        body = self.body if body is None else body
        if self.encoding == b"base64":
            return from_base64(body)
        if self.encoding == b"quoted-printable":
            return binascii.a2b_qp(re.sub(rb"[ \t]+(?=\r\n)", b"", body))
        return body


def from_base64(body):
    octets = re.sub(rb"[^A-Za-z0-9+/=]", b"", body)
    octets = octets.partition(b"=")[0]
    if len(octets) % 4 == 1:    # six bits are no octet
        octets = octets[:-1]
    return binascii.a2b_base64(octets + b"=" * (-len(octets) % 4))


def cut_part(text):
    """As `cut`, of a part, whose last line need not have an end."""
    if text.endswith(b"\r\n") or not text:
        return cut(text)
    header, body = cut(text + b"\r\n")
    return (header, body[:-2]) if body else (header[:-2] + b"\r\n", b"")


def split(body, boundary, default):
    """A multipart's body: text, line, Part, line, Part … line, text."""
    line = re.compile(rb"(?:^|(?<=\r\n))--" + re.escape(boundary) +
                      rb"(--)?[ \t]*(?:\r\n|$)")
    pieces, at, part = [], 0, False

    def put(region):
        if part:
            text = region[:-2] if region.endswith(b"\r\n") else region
            pieces.append(Part(*cut_part(text), default))
        else:
            pieces.append(region)
    while True:
        match = line.search(body, at)
        if not match:
            if part:    # it ends where the whole ends
                pieces.append(Part(*cut_part(body[at:]), default))
            else:
                pieces.append(body[at:])
            return pieces
        put(body[at:match.start()])
        pieces.append(match[0])
        at, part = match.end(), True
        if match[1]:
            pieces.append(body[at:])
            return pieces


# Comparing bodies.

def same_part(old, new, way, where="", added=()):
    """`added`: names of fields that may stand at the end of the header."""
    must(old.type == new.type or (b"content-type" not in dict(old.fields) and
                                  new.type == b"text/plain"),
         f"{where}: the type was", old.type, new.type)
    if old.pieces:
        same_header(old, new, way, where, added, False)
        must(len(old.pieces) == len(new.pieces), f"{where}: pieces",
             len(old.pieces), len(new.pieces))
        if new.encoding == b"8bit":
            must(way.eightbit, f"{where}: labelled 8bit")
        for number, (a, b) in enumerate(zip(old.pieces, new.pieces)):
            inside = f"{where}/{number}"
            if isinstance(a, Part):
                must(isinstance(b, Part), f"{inside}: no part")
                same_part(a, b, way, inside)
            elif number % 2 and len(old.pieces) > 1:
                must(a.rstrip(b"\r\n") == b.rstrip(b"\r\n"),
                     f"{inside}: delimiter", a, b)
            elif way.fits(a):
                must(a == b, f"{inside}: text between parts", a, b)
        return
    if way.fits(old.body):
        same_header(old, new, way, where, added, False)
        must(old.body == new.body, f"{where}: it fits, and was changed",
             old.body, new.body)
        return
    same_header(old, new, way, where, added, True)
    is_encoded_rightly(old, new, way, where)


def is_encoded_rightly(old, new, way, where):
    must(new.encoding in (b"base64", b"quoted-printable"),
         f"{where}: encoding", new.encoding)
    must(new.body.isascii() and longest(new.body) <= 76 and
         b"\0" not in new.body and not has_bare_cr(new.body),
         f"{where}: encoded, but", new.body)
    if new.encoding == b"quoted-printable":
        wrong = re.search(rb"[^\t\r\n -~]|=(?!\r\n|[0-9A-F]{2})",
                          new.body)
        if not wrong and old.encoding in IDENTITY:
            wrong = re.search(rb"[ \t](?:\r\n|$)", new.body)
        must(not wrong, f"{where}: no quoted-printable:", wrong)
    else:
        must(re.fullmatch(rb"(?:[A-Za-z0-9+/]{4,76}\r\n)*"
                          rb"[A-Za-z0-9+/=]{0,76}(?:\r\n)?", new.body),
             f"{where}: no base64:", new.body)
    got, wanted = new.decoded(), old.decoded()
    must(got == wanted, f"{where}: decodes to something else:",
         *difference(got, wanted))
    if old.encoding not in IDENTITY:
        must(new.encoding == old.encoding, f"{where}: another encoding")
        return
    if b"\0" in wanted or has_bare_cr(wanted):
        must(new.encoding == b"base64", f"{where}: binary, as", new.encoding)
    elif wanted.isascii():
        text = old.type.startswith(b"text/") or not old.get(b"content-type")
        must(new.encoding == (b"quoted-printable" if text else b"base64"),
             f"{where}: {old.type} with long lines, as", new.encoding)
    elif not way.eightbit:
        base64 = (len(wanted) + 2) // 3 * 4
        base64 += base64 // 76 * 2
        quoted = len(wanted) + 2 * len(re.findall(
            rb"[^\t\r\n -<>-~]|[ \t](?=\r\n)", wanted))
        quoted += quoted // 76
        if quoted < 0.9 * base64 - 8:   # line ends make them differ a little
            must(new.encoding == b"quoted-printable", f"{where}: larger")
        if base64 < 0.9 * quoted - 8:
            must(new.encoding == b"base64", f"{where}: larger")


def difference(got, wanted):
    at = next((i for i, (a, b) in enumerate(zip(got, wanted)) if a != b),
              min(len(got), len(wanted)))
    return (at, len(got), len(wanted), got[at:at + 60], wanted[at:at + 60])


# Comparing headers.

def same_header(old, new, way, where, added, encoded):
    """encoded: the octets of this part were."""
    olds, news = list(old.fields), list(new.fields)
    if encoded or (old.pieces and old.body != new.body):
        olds = [f for f in olds if f[0] != CTE]
        count = len(news)
        news = [f for f in news if f[0] != CTE]
        must(count - len(news) <= 1, f"{where}: two {CTE}")
        if encoded and not old.get(b"content-type"):
            added = (*added, b"content-type")
        if encoded and old.is_message:
            added = (*added, b"mime-version")
    names = [f[0] for f in news[len(olds):]]
    for name in names:
        must(name in added and name not in dict(olds),
             f"{where}: a field was added:", name)
    if encoded and old.is_message and old.encoding in IDENTITY:
        must(b"mime-version" in dict(news), f"{where}: no MIME-Version")
    must(len(olds) <= len(news) and len(set(names)) == len(names),
         f"{where}: fields:", [f[0] for f in olds], [f[0] for f in news])
    for (name, a), (_, b) in zip(olds, news):
        if name == CTE and old.pieces and b.endswith(b" 7bit\r\n"):
            continue    # what is in it may be 7-bit now
        same_field(name, a, b, way, where,
                   new.utf8 if where == "top" else None)


def same_field(name, old, new, way, where, utf8):
    """utf8: of the message's header, may it be UTF-8?  None: of a part."""
    where = f"{where}: {name.decode()}:"
    fits = way.fits(old) if utf8 is None else \
        longest(old) <= LINE_MAX and (old.isascii() or
                                      (utf8 and is_utf8(old)))
    if fits:
        must(old == new, f"{where} it fits, and was changed:", old, new)
        return
    must(longest(new) <= LINE_MAX, f"{where} a line is too long:", new)
    if not new.isascii():
        allowed = way.eightbit if utf8 is None else utf8 and is_utf8(old)
        must(allowed, f"{where} is not ASCII:", new)
    must(all(part.strip(BLANKS) for part in new.split(b"\r\n")[:-1]),
         f"{where} a line of blanks:", new)
    if old.isascii() or not new.isascii():
        a, b = unfold(old), unfold(new)
        if name in ADDRESSES:   # a blank may stand behind a comma
            a, b = (re.sub(rb",[ \t]*", b",", t) for t in (a, b))
        must(a == b, f"{where} folding changed it:", *difference(b, a))
        return
    words_are_sound(new, old, name in ADDRESSES, where)
    if name in ADDRESSES:
        a, b = mailboxes(unfold(old)), mailboxes(unfold(new))
        if a is not None and is_list(a[0]):
            must(a == b, f"{where} other addresses:", b, a)
            return
    if name in PARAMETERS:
        a, b = (parameters(unfold(t).partition(b":")[2]) for t in (old, new))
        must(a == b, f"{where} other parameters:", b, a)
        return
    a, b = (decoded(unfold(t).partition(b":")[2].strip()) for t in (old, new))
    must(a == b, f"{where} reads otherwise:", b, a)
    if name in COMMENTED:
        was, now = (comments_out(unfold(t))[1] for t in (old, new))
        must(was is None or was == now, f"{where} other comments:", now, was)
    text = unfold(new).decode()
    theirs = email.header.decode_header(text)
    joined = b"".join(t if isinstance(t, bytes) else t.encode()
                      for t, _ in theirs).partition(b":")[2].strip()
    if b"=?" not in old:
        must(joined == b, f"{where} Python reads otherwise:", joined, b)


def is_utf8(data):
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def unfold(field):
    return field.replace(b"\r\n", b"")


# Encoded words (RFC 2047).

WORD = re.compile(rb"=\?([^?*\s]+)(?:\*[^?\s]*)?\?([BbQq])\?([^?\s]*)\?=")


def word_text(match):
    """What an encoded word says, in UTF-8 where its charset is known."""
    charset, kind, text = match[1].decode().lower(), match[2], match[3]
    if kind in b"Qq":
        text = re.sub(rb"=([0-9A-Fa-f]{2})",
                      lambda m: bytes([int(m[1], 16)]),
                      text.replace(b"_", b" "))
    else:
        text = binascii.a2b_base64(text + b"==")
    if charset in ("utf-8", "unknown-8bit", "us-ascii"):
        return text
    return text.decode(charset).encode()


def decoded(text):
    """Words decoded; blanks between two of them are not there."""
    text = re.sub(rb"(\?=)[ \t]+(?==\?[^?\s]+\?[BbQq]\?[^?\s]*\?=)", rb"\1",
                  text)
    return WORD.sub(word_text, text)


def words_are_sound(new, old, phrase, where):
    known = {m[0] for m in WORD.finditer(old)}
    for match in WORD.finditer(new):
        if match[0] in known:
            continue
        must(len(match[0]) <= 75, f"{where} an encoded word is long", match[0])
        if match[1].lower() == b"utf-8":
            must(is_utf8(word_text(match)), f"{where} half a character",
                 match[0])
        else:
            must(match[1].lower() == b"unknown-8bit", f"{where} charset",
                 match[0])
        if phrase and match[2] in b"Qq":
            must(re.fullmatch(rb"[A-Za-z0-9!*+/=_-]*", match[3]),
                 f"{where} Q in a phrase:", match[0])
        before, after = new[:match.start()], new[match.end():]
        must(before[-1:] in (b" ", b"\t", b"(", b":") and
             after[:1] in (b" ", b"\t", b"\r", b")") or
             (phrase and re.match(rb"[,;:<>]", after)),
             f"{where} a word runs into another:", new)
    for line in new.split(b"\r\n"):
        fresh = [m for m in WORD.finditer(line) if m[0] not in known]
        must(not fresh or len(line.rstrip()) <= 76 or
             b" " not in line.strip(),
             f"{where} a long line with encoded words:", line)
    if phrase or b'"' not in old:
        for quoted in re.findall(rb'"(?:[^"\\]|\\.)*"', new):
            must(quoted in old or not WORD.search(quoted),
                 f"{where} an encoded word in quotes:", quoted)


# Addresses (RFC 5322 3.4, 4.4).

TOKEN = re.compile(rb"""[ \t]+|"((?:[^"\\]|\\.)*)"|(\[[^]]*\])|([,;:<>@.])|"""
                   rb"""([^\s",;:<>@.()\[\]]+)""", re.S)


def comments_out(text):
    """The text without comments, and what these say; None for both if one
    does not end."""
    out, said, depth, quoted, at = bytearray(), [], 0, False, 0
    while at < len(text):
        char = text[at:at + 1]
        if char == b"\\" and (depth or quoted):
            (said[-1] if depth else out).extend(text[at:at + 2])
            at += 2
            continue
        if char == b'"' and not depth:
            quoted = not quoted
        if char == b"(" and not quoted:
            if not depth:
                said.append(bytearray())
            depth += 1
        if depth:
            said[-1] += char
        else:
            out += char
        if char == b")" and depth:
            depth -= 1
            if not depth:
                out += b" "
        at += 1
    if depth or quoted:
        return None, None
    return bytes(out), [decoded(bytes(s)[1:-1]) for s in said]


def comment_free(text):
    return comments_out(text)[0] or text


def mailboxes(field):
    """[(name, mailbox)] and the comments' texts; None: cannot be read.  A
    group's name counts as a mailbox."""
    text, said = comments_out(field.partition(b":")[2])
    if text is None:
        return None
    found, phrase, address, at = [], [], None, 0
    words = re.sub(rb"(?<=\?=)[ \t]+(?==\?)", b"", text)

    def word(match):
        if match[1] is not None:
            return re.sub(rb"\\(.)", rb"\1", match[1])
        return decoded(match[0])

    def take():
        nonlocal phrase, address
        if address is None and b"@" in b"".join(phrase):
            address, phrase = phrase, []
        if phrase or address is not None:
            name = b"".join(phrase).strip(BLANKS)
            found.append((re.sub(rb"[ \t]+", b" ", name),
                          mailbox(address or [])))
        phrase, address = [], None
    angle = False
    while at < len(words):
        match = TOKEN.match(words, at)
        if not match:
            return None
        at = match.end()
        token = match[3]
        if token == b"<" and not angle:
            angle, address = True, []
        elif token == b">":
            if not angle:
                return None
            angle = False
        elif angle:
            address.append(match[0])
        elif token == b":":
            found.append((b"", re.sub(rb"[ \t]+", b" ",
                                      b"".join(phrase).strip(BLANKS)) + b":"))
            phrase, address = [], None
        elif token in (b",", b";"):
            take()
        elif token:
            phrase.append(token)
        else:
            phrase.append(b" " if match[0].isspace() else word(match)
                          if b"@" not in b"".join(phrase) else match[0])
    if angle:
        return None
    take()
    return found, said


def is_list(found):
    """No names without a mailbox?  (A group's stands as (b"", name).)"""
    return all(address for _, address in found)


def mailbox(tokens):
    """local-part@domain, the domain in A-labels."""
    text = b"".join(tokens).replace(b" ", b"").replace(b"\t", b"")
    text = re.sub(rb"^@[^:]*:", b"", text)
    local, at, domain = text.rpartition(b"@")
    if domain and not domain.isascii():
        domain = domain.decode().encode("idna")
    return local + at + domain


# Parameters (RFC 2045 5.1, 2231).

PARAMETER = re.compile(rb'\s*;\s*([^=;\s]+?)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)',
                       re.S)


def parameters(text):
    """The value, and {name: octets}."""
    text = comment_free(text)
    value = text.partition(b";")[0].strip()
    plain, parts = {}, {}
    for match in PARAMETER.finditer(text, len(text.partition(b";")[0])):
        name, said = match[1].lower(), match[2].strip()
        if said.startswith(b'"'):
            said = re.sub(rb"\\(.)", rb"\1", said[1:-1], flags=re.S)
        extended = re.fullmatch(rb"([^*]+)(?:\*(\d+))?(\*)?", name)
        if not extended or (extended[2] is None and not extended[3]):
            plain[name] = said
            continue
        number = int(extended[2] or 0)
        if extended[3]:
            if number == 0:
                said = said.split(b"'", 2)[-1]
            said = re.sub(rb"%([0-9A-Fa-f]{2})",
                          lambda m: bytes([int(m[1], 16)]), said)
        parts.setdefault(extended[1], {})[number] = said
    for name, pieces in parts.items():
        plain[name] = b"".join(pieces[n] for n in sorted(pieces))
    return value, plain


# The same by Python's email package.

def pythons(part):
    """[(type, charset, octets)] of the leaves as Python reads them."""
    mime = b"".join(f for n, f in part.fields
                    if n == b"mime-version" or n.startswith(b"content-"))
    mime = re.sub(rb"(?m)^([!-9;-~]+)[ \t]+:", rb"\1:", mime)
    message = email.message_from_bytes(mime + b"\r\n" + part.body)
    found = []
    for leaf in message.walk():
        payload = leaf.get_payload(decode=True)
        if payload is None:
            payload = b""
        charset = leaf.get_content_charset() if "Content-Type" in leaf \
            else None
        found.append((leaf.get_content_type(), charset, payload))
    return found


def same_by_python(old, new):
    a, b = pythons(old), pythons(new)
    must(len(a) == len(b), "Python finds other parts", len(a), len(b))
    for number, (x, y) in enumerate(zip(a, b)):
        must(x[0] == y[0] and (x[1] is None or x[1] == y[1]),
             f"Python finds another type at {number}", x[:2], y[:2])
        must(x[2] == y[2], f"Python finds other octets at {number}",
             *difference(y[2], x[2]))


# All of it.

def top(header_fields, body, utf8=False):
    part = Part(b"".join(f for _, f in header_fields), body)
    part.utf8, part.is_message = utf8, True
    return part


def check(entry, way, content, params=None, via=None):
    """Raises Wrong unless CONTENT (CRLF, dots unstuffed) is what ENTRY has to
    become.  params, via: what MAIL said, and how it came; None: not known."""
    header, body = intake(entry.raw)
    must(content.endswith(b"\r\n"), "no line end at the end:", content[-20:])
    if content.startswith(b"\r\n"):
        got_header, got_body = b"", content[2:]
    else:
        got_header, mark, got_body = content.partition(b"\r\n\r\n")
        must(mark, "no empty line behind the header")
        got_header += b"\r\n"
    utf8 = bool(entry.utf8)
    old = top(without_blind(header), body, utf8)
    new = top(fields(got_header), got_body, utf8)
    present = dict(old.fields)
    added = [n for n in ADDED if n not in present]
    for name in added:
        must(name in dict(new.fields), "not added:", name)
    if way.fits(body):
        must(body == got_body, "the body fits, and was changed:",
             *difference(got_body, body))
        same_header(old, new, way, "top", tuple(added), False)
    else:
        same_part(old, new, way, "top", tuple(added))
        must(not is_binary(got_body), "the body is still binary")
        must(way.eightbit or got_body.isascii(), "the body is still 8-bit")
        if not entry.odd:
            same_by_python(old, new)
    if params is not None:
        said_rightly(entry, way, got_header, got_body, params, via)


def said_rightly(entry, way, header, body, params, via):
    """MAIL's parameters: true, and no more than needed."""
    must(via == ("BDAT" if way.chunking else "DATA"), "it came by", via)
    said = params.get("BODY", "7BIT").upper()
    if is_binary(body) or not (body.isascii() or way.eightbit):
        must(said == "BINARYMIME", "BODY is", said)
    elif not body.isascii():
        must(said == "8BITMIME", "BODY is", said)
    elif not header.isascii():
        must(said in ("7BIT", "8BITMIME") or not way.eightbit, "BODY is", said)
    elif "-B8BITMIME" not in entry.args:
        must(said == "7BIT", "BODY is", said)
    must(("SMTPUTF8" in params) == bool(entry.utf8), "SMTPUTF8:", params)
    must(params.get("SIZE") == str(len(header) + 2 + len(body)),
         "SIZE is", params.get("SIZE"))
