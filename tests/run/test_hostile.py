"""Messages that are large in an odd way: the time they take grows with their
size and no faster, or they are refused at a limit that the manual names.

The processor time for n and for 4n is compared: four times as much and some
noise is linear, sixteen times as much is not.
"""

import pytest

from arrival import Way, check
from corpus import Message, head
from harness import has_sanitizers
from post import Post
from quick import Quick

DATAERR, UNAVAILABLE = 65, 69
HEAD = head()[:-1]      # more fields may follow
FACTOR = 8
BASE = 0.05             # seconds that anything may take
SCALE = 8 if has_sanitizers() else 1    # sizes are divided by it
CONFIG = "account default\nhost localhost\nfrom alice@example.org\nauth off\n"
MANY = 1000000


def field(text):
    return lambda n: HEAD + text(n) + b"\nX-Behind: y\n\nbody\n"



# name: the message for a size, the largest size, arguments
DRY = {
    "recipients": (lambda n: b"To: " + b",\n ".join(
        b"u%d@example.net" % i for i in range(n)) + b"\n\nx\n", MANY, ["-t"]),
    "recipients in one line": (lambda n: b"To: " + b",".join(
        b"u%d@e.net" % i for i in range(n)) + b"\n\nx\n", MANY, ["-t"]),
    "the same recipient": (lambda n: b"To: " + b"a@example.net,\n " * n +
                           b"b@example.net\n\nx\n", MANY, ["-t"]),
    "To fields": (lambda n: b"".join(
        b"To: u%d@example.net\n" % i for i in range(n)) + b"\nx\n", MANY,
        ["-t"]),
    "groups": (lambda n: b"To: " + b"g:a@example.net;," * n + b"b@example.net"
               b"\n\nx\n", MANY, ["-t"]),
    "commas": (lambda n: b"To: b@example.net" + b"," * n + b"\n\nx\n", MANY,
               ["-t"]),
    "nested comments": (lambda n: b"To: " + b"(" * n + b")" * n +
                        b" b@example.net\n\nx\n", MANY // 10, ["-t"]),
    "comments": (lambda n: b"To: " + b"(a) " * n + b"b@example.net\n\nx\n",
                 MANY, ["-t"]),
    "parentheses unclosed": (lambda n: b"To: b@example.net " + b"(" * n +
                             b"\n\nx\n", MANY, ["-t"]),
    "quotes unclosed": (lambda n: b"To: " + b'"a ' * (n | 1) + b"\n\nx\n",
                        MANY, ["-t"]),
    "angles": (lambda n: b"To: " + b"<" * n + b"\n\nx\n", MANY, ["-t"]),
    "backslashes": (lambda n: b'To: "' + b"\\" * n + b'" <b@example.net>\n\nx\n',
                    MANY, ["-t"]),
    "words": (lambda n: b"To: " + b"a " * n + b"<b@example.net>\n\nx\n", MANY,
              ["-t"]),
    "folds": (lambda n: b"To:" + b"\n " * n + b"\n b@example.net\n\nx\n", MANY,
              ["-t"]),
    "Received": (lambda n: b"Received: by x; now\n" * n + HEAD + b"\nx\n",
                 MANY, []),
    "Bcc fields": (lambda n: b"Bcc: b@example.net\n" * n + HEAD + b"\nx\n",
                   MANY, []),
    "Resent blocks": (lambda n: b"Resent-To: b@example.net\n" * n + HEAD +
                      b"\nx\n", MANY, ["-t"]),
    "empty lines": (lambda n: HEAD + b"\n" + b"\n" * n, 8 * MANY, []),
    "carriage returns": (lambda n: HEAD + b"\n" + b"\r" * n, 8 * MANY, []),
    "NULs": (lambda n: HEAD + b"\n" + b"\0" * n, 8 * MANY, []),
    "no fields": (lambda n: b"no field\n" * n, MANY, []),
    "mbox lines": (lambda n: b"From x\n" * n + HEAD + b"\nx\n", MANY, []),
}


def seconds(used):
    return used.ru_utime + used.ru_stime


def is_linear(measure, size):
    """Once of three times: others are at work as well, and what is measured
    grows when they are."""
    for _ in range(3):
        small, large = measure(size // 4), measure(size)
        if large <= max(small, BASE) * FACTOR:
            return
    pytest.fail(f"{small:.2f} s, and {large:.2f} s for four times as much")


@pytest.mark.parametrize("kind", DRY)
def test_addresses_and_fields(tmp_path, kind):
    make, size, arguments = DRY[kind]
    size //= SCALE
    quick = Quick(tmp_path, CONFIG)

    def measure(n):
        code, said, used = quick.run(
            ["--dry-run", *(arguments or ["bob@example.net"])], make(n))
        assert code in (0, DATAERR), said[-500:]
        if code:
            assert len(said) < 1000 and said.count("\n") == 1, said[:500]
        return seconds(used)

    is_linear(measure, size)
    quick.close()


def test_accounts(tmp_path):
    """Each is looked up when it is defined, and by those that inherit."""
    quick = Quick(tmp_path)

    def measure(n):
        path = tmp_path / "accounts"
        path.write_text(CONFIG + "".join(
            f"account a{i} : default\n" for i in range(n)))
        code, said, used = quick.run(
            ["-C", str(path), "-a", f"a{n - 1}", "--dry-run",
             "bob@example.net"], HEAD + b"\nx\n")
        assert code == 0, said[-500:]
        return seconds(used)

    is_linear(measure, 20000 // SCALE)
    quick.close()


def test_included_files(tmp_path):
    """An alias with many files, each of which is read once."""
    size = 20000 // SCALE
    aliases, files = tmp_path / "aliases", tmp_path / "files"
    files.mkdir()
    for i in range(size):
        (files / str(i)).write_text("bob@example.net\n")
    quick = Quick(tmp_path, CONFIG + f"aliases {aliases}\nmaildomain x.org\n")

    def measure(n):
        aliases.write_text("all: " + ", ".join(
            f":include:{files}/{i}" for i in range(n)) + "\n")
        code, said, used = quick.run(["--dry-run", "all"], HEAD + b"\nx\n")
        assert code == 0, said[-500:]
        return seconds(used)

    is_linear(measure, size)
    quick.close()


def test_ids(tmp_path):
    """As many as a list of the queue may have had, though few are left."""
    quick = Quick(tmp_path, CONFIG + "queue on\n")
    for _ in range(4):
        assert quick.run(["-odq", "bob@example.net"], HEAD + b"\nx\n")[0] == 0
    queue = tmp_path / ".local/state/postrider/queue"
    there = sorted(path.name for path in queue.iterdir())

    def measure(n):
        gone = [f"0{i:015}" for i in range(n - len(there))]
        code, said, used = quick.run(["--queue-hold", *gone, *there], b"")
        assert code == UNAVAILABLE
        assert said.count("no such message") == len(gone)
        assert said.count("held") == len(there)
        return seconds(used)

    is_linear(measure, 8000 // SCALE)
    quick.close()


def test_header_over_the_limit(tmp_path):
    """64 MiB of header are the limit (the manual, LIMITS)."""
    quick = Quick(tmp_path, CONFIG)
    for text in (b"X: " + b"x" * (100 << 20) + b"\n",
                 b"X: " + b"x\n " * (34 << 20) + b"\n"):
        code, said, _ = quick.run(["--dry-run", "bob@example.net"],
                                  text + HEAD + b"\nx\n")
        assert code == DATAERR, said[:500]
        assert said.count("\n") == 1 and len(said) < 500
        assert "64 MiB" in said or "large" in said or "limit" in said, said
    quick.close()


def parts(content=b""):
    return b"--b\n\n" + content + b"\n"


def tree(content, boundary="b"):
    return head(f"Content-Type: multipart/mixed; boundary={boundary}",
                "X-Raw: ä") + content


def deep(n):
    text = b""
    for level in range(n):
        text += b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (
            level, level)
    return tree(b"--b\n" + text + b"\n\xe4\n")


# name: the message for a size, the largest size; goes to a 7-bit server
SENT = {
    "encoded words": (lambda n: HEAD + b"Subject: \xc3\xa4" +
                      b" =?utf-8?q?=C3=A4?=" * n + b"\n\nx\n", MANY // 10),
    "raw words": (lambda n: HEAD + b"Subject:" + b" \xc3\xa4 x" * n +
                  b"\n\nx\n", MANY),
    "one raw word": (lambda n: HEAD + b"Subject: " + b"\xc3\xa4" * n +
                     b"\n\nx\n", MANY),
    "broken UTF-8": (lambda n: HEAD + b"Subject: " + b"\xc3" * n +
                     b"\n\nx\n", MANY),
    "raw addresses": (lambda n: HEAD + b"Cc: " + b",\n ".join(
        b"\xc3\xa4 <u%d@example.net>" % i for i in range(n)) + b"\n\nx\n",
        MANY // 2),
    "raw domains": (lambda n: HEAD + b"Cc: " + b", ".join(
        b"u@\xc3\xa4%d.example" % i for i in range(n)) + b"\n\nx\n",
        MANY // 10),
    "raw comments": (lambda n: HEAD + b"Cc: a@example.net " + b"(\xc3\xa4) " *
                     n + b"\n\nx\n", MANY // 2),
    "raw nested comments": (lambda n: HEAD + b"Cc: a@example.net " + b"(" * n +
                            b"\xc3\xa4" + b")" * n + b"\n\nx\n", MANY // 10),
    "raw unclosed comments": (lambda n: HEAD + b"Cc: a@example.net " +
                              b"(\xc3\xa4 " * n + b"\n\nx\n", MANY // 2),
    "raw fields": (lambda n: HEAD + b"X-Y: \xc3\xa4\n" * n + b"\nx\n",
                   MANY // 2),
    "raw parameters": (lambda n: HEAD + b"Content-Type: text/plain" + b"".join(
        b"; p%d=\"\xc3\xa4\"" % i for i in range(n)) + b"\n\nx\n", MANY // 5),
    "raw parameter": (lambda n: HEAD + b"Content-Disposition: a; filename=\"" +
                      b"\xc3\xa4 " * n + b"\"\n\nx\n", MANY),
    "a long line of words": (lambda n: HEAD + b"X:" + b" word" * n +
                             b"\n\nx\n", MANY),
    "a long line of addresses": (lambda n: HEAD + b"Cc: " + b",".join(
        b"u%d@example.net" % i for i in range(n)) + b"\n\nx\n", MANY // 2),
    "a long line of blanks": (lambda n: HEAD + b"X: a" + b" " * n + b"b\n\n",
                              MANY),
    "boundary-like lines": (lambda n: tree(b"--b\n\n\xe4" + b"--bb\n" * n),
                            MANY),
    "almost boundaries": (lambda n: tree(
        b"--" + b"b" * 69 + b"\n\n\xe4\n" + (b"--" + b"b" * 68 + b"\n") * n,
        "b" * 69), MANY // 4),
    "dashes": (lambda n: tree(b"--b\n\n\xe4" + b"-" * n + b"\n--\n" * n), MANY),
    "epilogue boundaries": (lambda n: tree(b"--b\n\n\xe4\n--b--\n" +
                                           b"--b\n" * n), MANY),
    "7-bit parts": (lambda n: tree(parts() * n + b"--b\n\n\xe4\n"),
                    MANY // 10),
    "8-bit parts": (lambda n: tree(parts(b"\xe4") * n + b"--b--\n"), MANY // 10),
    "empty parts": (lambda n: tree(b"--b\n" * n + b"\n\xe4\n"), MANY),
    "part fields": (lambda n: tree(b"--b\n" + b"X: y\n" * n + b"\n\xe4\n"),
                    MANY),
    "deep": (deep, MANY // 10),
    "letters in letters": (lambda n: tree(
        b"--b\n" + b"Content-Type: message/rfc822\n\n" * n + b"\xe4\n"), MANY),
    "dotted lines": (lambda n: HEAD + b"\n\xe4\n" + b".\n" * n, MANY),
    "equals signs": (lambda n: HEAD + b"Content-Type: text/plain\nContent-"
                     b"Transfer-Encoding: quoted-printable\n\n\xe4" + b"=" * n,
                     MANY),
    "soft line breaks": (lambda n: HEAD + b"Content-Type: text/plain\nContent-"
                         b"Transfer-Encoding: quoted-printable\n\n\xe4" +
                         b"=\n" * n, MANY),
    "blanks at an end": (lambda n: HEAD + b"Content-Type: text/plain\nContent-"
                         b"Transfer-Encoding: quoted-printable\n\n\xe4" +
                         b" \t" * n + b"\n", MANY),
    "blanks": (lambda n: HEAD + b"\n\xe4\n" + b" " * n + b"\n", MANY),
}


@pytest.mark.parametrize("kind", SENT)
def test_what_has_to_be_changed(tmp_path, kind):
    make, size = SENT[kind]
    size //= SCALE
    with Post(tmp_path, Way([])) as post:
        def measure(n):
            post.peer.sessions.clear()
            post.peer.messages.clear()
            code, said, used = post.quick.run(["bob@example.net"], make(n))
            assert post.peer.settle(60)
            assert post.peer.violations == []
            assert code in (0, DATAERR), said[-500:]
            if code:
                assert "5.6." in said or "5.3.4" in said
                assert len(said) < 1000 and said.count("\n") == 1
                assert not post.peer.messages
            return seconds(used)

        is_linear(measure, size)


@pytest.mark.parametrize("kind", [
    "encoded words", "raw words", "one raw word", "raw addresses",
    "raw parameter", "8-bit parts", "dashes", "boundary-like lines",
    "soft line breaks", "deep"])    # not "blanks at an end": readers differ
def test_the_same_is_right(tmp_path, kind):
    """A hundredth of it, compared."""
    make, size = SENT[kind]
    message = Message(kind, make(90 if kind == "deep" else size // 100),
                      odd=kind == "deep")
    with Post(tmp_path, Way([])) as post:
        code, said, arrived = post.send(message)
        assert (code, said) == (0, "")
        assert post.peer.violations == []
        check(message, post.way, arrived[0].content, arrived[0].params,
              arrived[0].via)
