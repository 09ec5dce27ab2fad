"""Lengths at which a buffer, a block or a line might end.

Each length with and without a final line end, with a dot just there, by DATA
and by BDAT; as it is, and where the whole has to be encoded.
"""

import pytest

from arrival import Way, Wrong, check, crlf, difference
from corpus import Message, head
from harness import has_sanitizers, takes_part
from post import Post

KIB = 1024
AROUND = (1024, 4096, 64 * KIB, 128 * KIB, 256 * KIB, 512 * KIB)
LENGTHS = [1, *range(72, 79), *range(997, 1002),
           *(n + d for n in AROUND for d in range(-2, 3))]
HEAD = head()
HEAD_SIZE = len(crlf(HEAD))
LINE = 64               # octets of an ordinary line with its CRLF


def lines(n, fill=b"x"):
    """Text that takes N octets on the wire, but for its last line end."""
    text = (fill * (LINE - 2) + b"\n") * (n // LINE)
    rest = n - n // LINE * LINE
    return text + fill * rest


# name: what the body is, of length n
TEXTS = {
    "line": lambda n: b"x" * n,
    "second line": lambda n: b"first\n" + b"x" * n + b"\nlast",
    "line of dots": lambda n: b"." * n,
    "line with a dot behind": lambda n: b"x" * n + b"\n.\n..\n.x",
    "body": lines,
    "body with a dot behind": lambda n: lines(n) + b"\n.\n..\n.",
    "body of dots": lambda n: lines(n, b"."),
    "body of lone dots": lambda n: b".\n" * (n // 3) + b"y" * (n % 3),
    "body of line ends": lambda n: b"\n" * (n // 2) + b"y" * (n % 2),
    "message": lambda n: lines(max(1, n - HEAD_SIZE)),
    "message with a dot behind": lambda n: lines(max(1, n - HEAD_SIZE)) +
    b"\n.\n",
}
# name: what is done to a text, so that a 7-bit server cannot take it
FORCED = {
    "8-bit at the end": lambda t: t + b"\xe9",
    "8-bit in front": lambda t: b"\xe9" + t,
    "8-bit behind a line end": lambda t: t + b"\n\xc3\xa9",
    "all 8-bit": lambda t: t.replace(b"x", b"\xe9"),
    "equals signs": lambda t: t.replace(b"x", b"=") + b"\xe9",
    "blanks": lambda t: t.replace(b"x", b" ") + b"\xe9",
    "blanks at the end": lambda t: b"\xe9" + t.replace(b"\n", b" \n") + b"\t",
    "NUL at the end": lambda t: t + b"\0",
    "CR at the end": lambda t: t + b"\r",
    "CR and CRLF": lambda t: t + b"\r\r\n\r",
}
SHORT = [n for n in LENGTHS if n < 256 * KIB + 8]
WAYS = {"DATA": Way(["8BITMIME"]),
        "BDAT": Way(["8BITMIME", "CHUNKING", "BINARYMIME"])}
NARROW = {"DATA": Way([]), "BDAT": Way(["CHUNKING"])}


def messages(kind, lengths, change=None):
    """Of each length with and without a line end; changed, by turns."""
    for n in lengths:
        text = TEXTS[kind](n)
        ends = (b"\n", b"")
        if change:
            text, ends = change(text), (b"" if n % 2 else b"\n",)
        for end in ends:
            yield Message(f"{n}{'' if end else ' no line end'}",
                          HEAD + text + end)


def step(lengths, every=1, first=0):
    """A build with sanitizers takes much longer."""
    every *= 10 if takes_part() else 6 if has_sanitizers() else 1
    return lengths[first % every::every]


def only_one(post, message):
    code, said, arrived = post.send(message)
    if code or said or len(arrived) != 1 or post.peer.violations:
        raise Wrong(f"exit {code}: {said} {post.peer.violations}")
    return arrived[0]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", TEXTS)
def test_as_it_is(tmp_path, kind, way):
    """Long lines stay: BINARYMIME, or `reencode off`."""
    settings = {"reencode": "off"} if way == "DATA" else {}
    found = []
    with Post(tmp_path, WAYS[way], **settings) as post:
        first = list(TEXTS).index(kind) + list(WAYS).index(way)
        for message in messages(kind, step(LENGTHS, 2, first)):
            try:
                got = only_one(post, message)
                wanted = crlf(message.raw)
                if got.content != wanted:
                    raise Wrong(str(difference(got.content, wanted)))
                if got.via != way or int(got.params["SIZE"]) != len(wanted):
                    raise Wrong(f"{got.via} {got.params}")
            except Wrong as error:
                found.append(f"{message.name}: {error}")
    assert not found, "\n".join(found)


def encoded(tmp_path, way, kind, change, lengths):
    found = []
    with Post(tmp_path, NARROW[way]) as post:
        for message in messages(kind, lengths, change):
            try:
                got = only_one(post, message)
                check(message, post.way, got.content, got.params, got.via)
            except Wrong as error:
                found.append(f"{message.name}: {error}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("way", NARROW)
@pytest.mark.parametrize("kind", TEXTS)
def test_long_lines_only(tmp_path, kind, way):
    first = list(TEXTS).index(kind) + list(NARROW).index(way)
    encoded(tmp_path, way, kind, None, step(LENGTHS, 2, first))


@pytest.mark.parametrize("change", FORCED)
@pytest.mark.parametrize("kind", [
    "line", "line of dots", "line with a dot behind", "body",
    "body with a dot behind", "body of lone dots"])
def test_encoded(tmp_path, kind, change):
    """Every third length; the next kind and the next change take others."""
    first = list(TEXTS).index(kind) + list(FORCED).index(change)
    encoded(tmp_path, "DATA", kind, FORCED[change], step(SHORT, 3, first))


@pytest.mark.parametrize("kind", ["line", "body", "body of dots"])
@pytest.mark.parametrize("change", ["8-bit at the end", "all 8-bit",
                                    "NUL at the end"])
def test_encoded_from_a_file(tmp_path, kind, change):
    """A body over 512 KiB is stored in one; this one goes by BDAT."""
    encoded(tmp_path, "BDAT", kind, FORCED[change],
            step([n for n in LENGTHS if n not in SHORT]))
