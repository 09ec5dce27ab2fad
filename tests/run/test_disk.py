"""Disks that are full, can't be written to, or lack something; and what others
have put into the queue.

What a file system lacks (LACKS) is in test_crash.py and test_power.py as well;
real ones that lack it, which take root, are in tests/real/test_real_disk.py.
"""

import os
import shlex
import socket
import stat

import pytest
from harness import binary
from strike import Spool, entries, number
from test_crash import BOB, CASES, MESSAGE, MOST, WIRE, Trial

IS_ROOT = os.geteuid() == 0
UNSHARE = ["unshare", "--mount"] if IS_ROOT else \
    ["unshare", "--user", "--map-root-user", "--mount"]
OTHER = 54321           # another user; only root can give files to one
LONG = MESSAGE + b"".join(b"%060d\n" % i for i in range(400))


# ---------------------------------------- no room, from some point on

CHANGES = "write,writev,pwrite64,pwritev,linkat,renameat,renameat2,mkdirat," \
    "fallocate,fsync,fdatasync"
READ_ONLY = CHANGES + ",ftruncate,unlinkat,fchmod"


@pytest.mark.parametrize("error, calls", [
    ("ENOSPC", CHANGES), ("EDQUOT", CHANGES), ("EIO", READ_ONLY),
    ("EROFS", READ_ONLY)], ids=["full", "quota", "broken", "read-only"])
@pytest.mark.parametrize("name", CASES)
def test_full_from_here_on(tmp_path, name, error, calls):
    """As test_crash's: one call fails, and so do all that follow."""
    with Trial(tmp_path, CASES[name]) as trial:
        for n in range(1, MOST):
            run = trial.attempt(["fail", str(n), number(error)],
                                ["-w", "-c", calls, "-f", "queue"])
            if run.struck is None:
                break
        assert n > 1, "nothing failed"


# ----------------------------------------------------- a disk of its own

@pytest.fixture
def spool(tmp_path):
    with Spool(tmp_path) as spool:
        spool.queue.mkdir(mode=0o700)
        yield spool


def on_disk(spool, options, script, stdin=b""):
    """Mounts the queue with these options of tmpfs, runs the script there:
    `rider` is the program, `mount_again` changes the options.  Its output."""
    rider = " ".join(shlex.quote(w) for w in [binary(), *spool.quick.plain[1:]])
    queue = shlex.quote(str(spool.queue))
    words = [*UNSHARE, "sh", "-c", f"""
        rider() {{ {rider} "$@"; code=$?; }}
        mount_again() {{ mount -o "remount,$1" {queue}; }}
        mount -t tmpfs -o mode=0700,{options} none {queue} || exit 99
        cd {queue} && {script}"""]
    spool.quick.command, plain = words, spool.quick.command
    try:
        run = spool.run([], stdin)
    finally:
        spool.quick.command = plain
    assert run.code == 0, run
    return run.said


SIZES = [f"size={4 * n}k" for n in range(1, 14)] + \
    [f"size=1m,nr_inodes={n}" for n in range(1, 5)]


@pytest.mark.parametrize("options", SIZES)
def test_a_small_disk(spool, options):
    said = on_disk(spool, options, f"""
        rider -odq {BOB}; echo "queued $code"; ls -A; rider -q; ls -A
        echo "sent $code" """, LONG)
    if "queued 0\n" in said:
        assert [m for _, m in spool.got] == [LONG.replace(b"\n", b"\r\n")]
    else:
        assert spool.got == []
        assert "queued 71\n" in said and str(spool.queue) in said, said
        assert said.endswith("queued 71\nsent 0\n"), said


def test_sizes_reach_from_none_to_all(spool):
    """The sizes above are those where something changes."""
    codes = [on_disk(spool, size, f"rider -odq {BOB}; echo $code", LONG)
             .splitlines()[-1] for size in (SIZES[0], SIZES[12])]
    assert codes == ["71", "0"]


class Once:
    """The reply to the first who asks."""

    def __init__(self, text):
        self.text = text

    async def run(self, session, step, normal):
        text, self.text = self.text, None
        await (normal(text) if text else normal())


FILL = "head -c 2000000 /dev/zero >fill 2>/dev/null; rm -f tmp.*; ls -A >&2;"


@pytest.mark.parametrize("to, again", [(BOB, 1), ("carol@example.net", 0)])
def test_a_run_on_a_full_disk(spool, to, again):
    """A message that is there can be sent, but not put off, nor reported."""
    spool.peer.faults = {"rcpt": Once("451 4.7.1 later")} if again else {}
    spool.peer.refuse = {} if again else {to: "550 5.1.1 nobody"}
    said = on_disk(spool, "size=64k", f"""
        rider -odq {to}; {FILL} rider -q; echo "first $code"
        ls -A; rm fill; rider -q; rider -q; ls -A; echo "last $code" """,
                   MESSAGE)
    first, last = said.split("\nfirst ")
    assert not last.startswith("0\n"), said
    assert last.endswith("fill\nlast 0\n"), said
    if again:
        assert [m for _, m in spool.got] == [WIRE], said
    else:
        assert [r for r, _ in spool.got] == [("alice@example.org",)], said


def test_delivery_on_a_full_disk(spool):
    said = on_disk(spool, "size=64k", f"""
        rider -odq {BOB}; {FILL} rider -q; echo "code $code"; ls -A""",
                   MESSAGE)
    assert said.endswith("code 0\nfill\n"), said
    assert [m for _, m in spool.got] == [WIRE]


def test_a_disk_that_cannot_be_written_to(spool):
    """Nothing is queued; what is there is listed, and sent when it can be
    removed and not before: else every run would send it again."""
    said = on_disk(spool, "size=64k", f"""
        rider -odq {BOB}; mount_again ro
        rider -odq {BOB}; echo "queued $code"
        rider -bp; echo "listed $code"; rider -q; echo "sent $code"
        rider -q; echo "sent $code"; rider --queue-remove all
        echo "removed $code"; mount_again rw; rider -q
        echo "then $code"; ls -A""", MESSAGE)
    codes = dict(line.split() for line in said.splitlines()
                 if line.split()[0] in ("queued", "listed", "sent", "removed",
                                        "then") and len(line.split()) == 2)
    assert codes["queued"] != "0" and codes["listed"] == "0", said
    assert codes["removed"] != "0" and codes["then"] == "0", said
    assert said.endswith("then 0\n"), said
    assert [m for _, m in spool.got] == [WIRE], said


# -------------------------------------------------------- what was planted

SECRET = b"From: x@example.org\n\nnobody's business\n"
NAMES = ("0mhzzzzzzabcdefg", "zzzzzzzzzzzzzzzz", "tmp.0mhzzzzzzabcdefg",
         "server.0123456789abcdef", "tmp.x", ".hidden", "notes", "server.")


def link(path, target):
    path.symlink_to(target)


def link_to_nothing(path, target):
    path.symlink_to(target.parent / "made")


def hard_link(path, target):
    os.link(target, path)


def folder(path, target):
    path.mkdir()
    (path / "file").write_bytes(SECRET)


def fifo(path, target):
    os.mkfifo(path, 0o600)


def unix_socket(path, target):
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(path.parent)       # names of sockets are short
        try:
            listener.bind(path.name)
        finally:
            os.chdir(here)


def empty(path, target):
    path.touch(0o600)


def junk(path, target):
    path.write_bytes(os.urandom(5000))


def zeros(path, target):
    path.write_bytes(bytes(20000))


def huge(path, target):
    with open(path, "wb") as file:
        file.truncate(1 << 40)


def unreadable(path, target):
    path.write_bytes(SECRET)
    path.chmod(0)


def another_message(path, target):
    """Ours, octet by octet, but others may write to it."""
    name, = [n for n in os.listdir(path.parent) if n != path.name and
             n not in NAMES]
    path.write_bytes((path.parent / name).read_bytes())
    path.chmod(0o666)


def anothers(path, target):
    """The same, of another user."""
    another_message(path, target)
    path.chmod(0o600)
    os.chown(path, OTHER, OTHER)


def anothers_link(path, target):
    path.symlink_to(target)
    os.lchown(path, OTHER, OTHER)


def anothers_folder(path, target):
    path.mkdir()
    os.chown(path, OTHER, OTHER)


PLANTS = [link, link_to_nothing, hard_link, folder, fifo, unix_socket, empty,
          junk, zeros, huge, unreadable, another_message]
PLANTS += [anothers, anothers_link, anothers_folder] if IS_ROOT else []


@pytest.mark.parametrize("plant", PLANTS)
def test_planted_in_the_queue(spool, tmp_path, plant):
    """Under each name that could mean something: it is neither sent nor
    followed, nobody waits for it, and the message beside it goes its way."""
    target = tmp_path / "target"
    for name in NAMES:
        target.write_bytes(SECRET)
        spool.put({})
        spool.forget()
        assert spool.run(["-odq", BOB], MESSAGE).code == 0
        path = spool.queue / name
        plant(path, target)
        if path.is_file() and not path.is_symlink() and plant != hard_link:
            os.utime(path, (1, 1))
        before = os.lstat(path)
        for words in (["-bp"], ["-bP"], ["--report=json", "-bp"],
                      ["--queue-show", "all"], ["--queue-hold", "all"],
                      ["--queue-release", "all"], ["--queue-retry", "all"],
                      ["-odq", BOB]):
            run = spool.run(words, MESSAGE)
            assert b"business" not in run.said.encode(), run
        assert run.code == 0, run
        last = spool.run(["-q"])
        left = set(os.listdir(spool.queue))
        assert [m for _, m in spool.got] == [WIRE] * 2, (name, last)
        assert left <= {name}, (name, left, last)
        if name in left:
            after = os.lstat(path)
            assert (after.st_ino, stat.S_IFMT(after.st_mode)) == \
                (before.st_ino, stat.S_IFMT(before.st_mode))
        spool.run(["--queue-remove", "all"])
        assert target.read_bytes() == SECRET, name
        assert not (tmp_path / "made").exists(), name


def own(path, target):
    path.mkdir(mode=0o700)


def open_to_all(path, target):
    path.mkdir()
    path.chmod(0o777)


def link_to_own(path, target):
    (target.parent / "mine").mkdir(mode=0o700)
    path.symlink_to(target.parent / "mine")


def plain_file(path, target):
    path.write_bytes(b"")


WAYS = [(own, True), (open_to_all, False), (link_to_own, False),
        (link_to_nothing, False), (plain_file, False), (fifo, False),
        (unix_socket, False)]
WAYS += [(anothers_folder, False), (anothers_link, False)] if IS_ROOT else []


@pytest.mark.parametrize("plant, is_right", WAYS)
def test_planted_in_the_shared_spool(tmp_path, plant, is_right):
    """Where a user's queue is to be: all may write to that directory."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1733)
    queue = shared / str(os.geteuid())
    plant(queue, tmp_path / "target")
    with Spool(tmp_path, queue_dir=queue) as spool:
        for words in (["-odq", BOB], ["-bp"], ["-q"],
                      ["--queue-remove", "all"]):
            run = spool.run(words, MESSAGE)
            if words != ["--queue-remove", "all"]:
                assert (run.code == 0) == is_right, run
            if not is_right:
                assert str(queue) in run.said, run
        assert len(spool.got) == is_right
    assert not (tmp_path / "made").exists()
    mine = tmp_path / "mine"
    assert not mine.exists() or not list(mine.iterdir())


@pytest.mark.parametrize("mode, is_right", [
    (0o1733, True), (0o1777, True), (0o0755, True), (0o0733, False),
    (0o0777, False), (0o0775, False)])
def test_the_shared_spool_itself(tmp_path, mode, is_right):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(mode)
    os.chown(shared, -1, 12345) if IS_ROOT else None
    with Spool(tmp_path, queue_dir=shared / str(os.geteuid())) as spool:
        run = spool.run(["-odq", BOB], MESSAGE)
        if IS_ROOT or mode != 0o0775:
            assert (run.code == 0) == is_right, run


# ---------------------------------------------- what a file system lacks

LACKS = {
    "no unnamed files": "tmpfile=95",
    "nor links": "tmpfile=95,linkat=1,renameat2=22",
    "nor safe renames": "tmpfile=95,renameat2=22",
    "an old kernel": "tmpfile=21,renameat2=38",
    "no links of unnamed files": "linkat=2",
    "no links": "linkat=1",
}


@pytest.mark.parametrize("lacks", LACKS.values(), ids=LACKS)
def test_what_is_lacking(spool, lacks):
    for message in (MESSAGE, LONG):
        spool.forget()
        run = spool.strike(["count"], ["-odq", BOB], message, ["-x", lacks])
        assert run.code == 0, run
        name, = spool.take()
        assert entries([name])
        assert stat.S_IMODE((spool.queue / name).stat().st_mode) == 0o600
        assert spool.strike(["count"], ["-q"], b"", ["-x", lacks]).code == 0
        assert spool.take() == {}
        assert [m for _, m in spool.got] == [message.replace(b"\n", b"\r\n")]
