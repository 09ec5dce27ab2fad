"""What surrounds the program: descriptors, signals, home, limits, disks.

Whatever a caller leaves it with, either the message goes as it would have gone
anywhere, or the program fails: by the right code, with one line, not by a
signal, and nothing is half done.
"""

import ctypes
import email
import email.utils
import errno
import itertools
import os
import pty
import re
import resource
import shutil
import signal
import socket
import stat
import struct
import subprocess
import time

import pytest

from conftest import MESSAGE, PASSWORD
from faults import Drop, MidBody
from harness import Result, binary, has_sanitizers, limit, slowness, wrapper

USAGE, DATAERR, NOINPUT, OSERR, IOERR = 64, 65, 66, 71, 74
TEMPFAIL, CONFIG = 75, 78
BOB = "bob@example.net"
CRLF = MESSAGE.replace(b"\n", b"\r\n")
BARE = b"Subject: x\n\nhello\n"
LARGE = MESSAGE + (b"y" * 78 + b"\n") * 40000      # 3 MiB: not in memory
MIB = 1 << 20


@pytest.fixture
def peer(start):
    return start(tls="none", users={})


@pytest.fixture
def ready(peer, rider, account):
    rider.config(account(peer))
    return rider


def works(peer, result, content=CRLF, err=""):
    assert result.code == 0, str(result)
    assert re.fullmatch(err, result.err), str(result)
    assert peer.settle(10)
    [message] = peer.messages
    assert message.delivered == [BOB]
    assert content is None or message.content == content


def fails(peer, result, code, words=""):
    assert result.code == code, str(result)
    [line] = result.lines
    assert line.startswith("postrider: ") and re.search(words, line), line
    assert peer.settle(10) and peer.messages == []


def crlf(message):
    return message.replace(b"\n", b"\r\n")


# The argument vector.

@pytest.mark.parametrize("argv", [[], [""], ["", BOB], ["/"], ["sendmail/"]])
def test_argument_vectors(peer, ready, argv):
    """argc may be 0 (newer kernels make it 1, and the word empty)."""
    result = ready.run(stdin=MESSAGE, argv=argv)
    if argv[1:]:
        works(peer, result)
    else:
        fails(peer, result, USAGE, "no recipients")


# Descriptors.

CLOSED = [list(chosen) for n in range(4)
          for chosen in itertools.combinations(range(3), n)]


def closing(descriptors):
    def close():
        for descriptor in descriptors:
            os.close(descriptor)
    return close


@pytest.mark.parametrize("closed", CLOSED, ids=str)
@pytest.mark.parametrize("words", [[], ["-v"], ["--report=json"]], ids=str)
def test_closed_descriptors(peer, ready, closed, words):
    """Nothing else becomes 0, 1 or 2: not the connection, nor a file.  What is
    not there to be read is no empty message."""
    result = ready.run(*words, f"--logfile={ready.home}/log", BOB,
                       stdin=MESSAGE, preexec=closing(closed))
    assert ready.run("-v", stdin=b"", preexec=closing(closed)).code == USAGE
    if 0 in closed:
        assert result.code == NOINPUT, str(result)
        assert 2 in closed or len(result.lines) == 1
        assert peer.messages == []
        return
    works(peer, result, err="(?s).*")
    assert len((ready.home / "log").read_text().splitlines()) == 1
    for session in peer.sessions:
        assert b"postrider:" not in session.clear
        assert b"--> " not in session.clear


@pytest.mark.parametrize("closed", CLOSED, ids=str)
@pytest.mark.parametrize("words, code", [
    (["-Z", BOB], USAGE), (["a b@c"], DATAERR), (["-C", "/nonexistent", BOB],
                                                 CONFIG)], ids=str)
def test_failures_with_closed_descriptors(peer, ready, closed, words, code):
    result = ready.run(*words, stdin=MESSAGE, preexec=closing(closed))
    if words == ["a b@c"] and 0 in closed:
        code = NOINPUT
    assert result.code == code, str(result)
    assert peer.sessions == []


class Surrounded:
    """The same as rider.run, through another command or with descriptors."""

    def __init__(self, rider):
        self.rider = rider

    def run(self, *words, before=(), stdin=MESSAGE, env=None, program=None,
            **settings):
        start = time.monotonic()
        command = [*before, *wrapper(), program or binary(),
                   *map(str, words)]
        if isinstance(stdin, bytes):
            settings["input"] = stdin
        else:
            settings["stdin"] = stdin
        done = subprocess.run(
            command, env=self.rider.environment(env), cwd=self.rider.home,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            timeout=60 * slowness(), **settings)
        result = Result(done.returncode, done.stdout, done.stderr,
                        time.monotonic() - start, 0)
        assert done.returncode >= 0, str(result)
        assert b"Sanitizer" not in done.stderr, result.err
        return result


@pytest.fixture
def surrounded(ready):
    return Surrounded(ready)


def test_a_thousand_descriptors(start, rider, account):
    """They neither hinder nor reach the command that gives the password."""
    peer = start(tls="implicit")
    secret = rider.config(PASSWORD + "\n", name="secret")
    rider.config(account(peer, password=None, passwordeval=(
        f'"test $(ls /proc/self/fd | wc -l) -lt 9 && cat {secret}"')))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(4096, hard)),
                                                hard))
    many = [os.open("/", os.O_RDONLY) for _ in range(1000)]
    try:
        result = Surrounded(rider).run(BOB, pass_fds=many)
    finally:
        for descriptor in many:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    works(peer, result)


@pytest.mark.parametrize("most", [16, 8, 5, 4])
def test_few_descriptors(peer, ready, most):
    """The message needs none but the connection's; the log one, when the
    connection is over."""
    if has_sanitizers():
        most = max(most, 8)     # they need some of their own
    result = ready.run(f"--logfile={ready.home}/log", BOB, stdin=MESSAGE,
                       preexec=limit(resource.RLIMIT_NOFILE, most))
    works(peer, result)
    assert (ready.home / "log").exists()


def test_few_descriptors_for_a_large_message(peer, ready):
    result = ready.run(BOB, stdin=LARGE, piped=True,
                       preexec=limit(resource.RLIMIT_NOFILE, 8))
    works(peer, result, crlf(LARGE))


# Standard input and output of every kind.

def test_input_is_a_directory(peer, ready):
    descriptor = os.open("/", os.O_RDONLY)
    try:
        fails(peer, ready.run(BOB, stdin=descriptor), NOINPUT, "directory")
    finally:
        os.close(descriptor)


def test_input_is_for_writing_only(peer, ready):
    with open(ready.home / "out", "wb") as file:
        fails(peer, ready.run(BOB, stdin=file), NOINPUT)


def test_input_is_a_socket(peer, ready):
    ours, its = socket.socketpair()
    with ours, its:
        ours.sendall(MESSAGE)
        ours.shutdown(socket.SHUT_WR)
        works(peer, ready.run(BOB, stdin=its))


def test_input_is_a_socket_that_is_reset(peer, ready):
    """The end of such an input is not the end of a message."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        its = socket.create_connection(listening.getsockname())
        ours, _ = listening.accept()
        ours.sendall(MESSAGE)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
        ours.close()
        with its:
            result = ready.run(BOB, stdin=its)
    fails(peer, result, NOINPUT)


@pytest.mark.parametrize("blocking", [True, False])
def test_input_is_a_pipe_that_is_slow(peer, ready, blocking):
    read, write = os.pipe()
    os.set_blocking(read, blocking)
    pid = os.fork()
    if not pid:
        os.close(read)
        for octet in range(0, len(MESSAGE), 20):
            os.write(write, MESSAGE[octet:octet + 20])
            time.sleep(0.01)
        os._exit(0)
    os.close(write)
    try:
        works(peer, ready.run(BOB, stdin=read))
    finally:
        os.close(read)
        os.waitpid(pid, 0)


# What is typed, and what of it is the message: a lone dot ends it on a
# terminal, unless -i says that it does not.
@pytest.mark.parametrize("words, typed, content", [
    ([], b"Subject: x\n\nhello\n.\n", b"hello\r\n"),
    (["-i"], b"Subject: x\n\nhello\n.\nmore\n\x04", b"hello\r\n.\r\nmore\r\n"),
    (["-oi"], b"Subject: x\n\n.\n\x04", b".\r\n"),
    ([], b"Subject: x\n\nhello\n\x04", b"hello\r\n"),
    ([], b"Subject: x\n\n..\n.x\n.\n", b"..\r\n.x\r\n"),
])
def test_input_is_a_terminal(peer, ready, words, typed, content):
    ours, its = pty.openpty()
    try:
        os.write(ours, typed)
        result = ready.run(*words, BOB, stdin=its)
    finally:
        os.close(ours)
        os.close(its)
    works(peer, result, None)
    assert peer.messages[0].content.partition(b"\r\n\r\n")[2] == content


def test_a_terminal_is_not_asked_in_vain(peer, ready):
    """Nobody types a message that could not be sent."""
    ours, its = pty.openpty()
    try:
        fails(peer, ready.run(stdin=its), USAGE)
        fails(peer, ready.run("-Z", BOB, stdin=its), USAGE)
    finally:
        os.close(ours)
        os.close(its)


def test_input_is_empty(peer, ready):
    """Cron's mail and others' may be: it is a message all the same."""
    works(peer, ready.run(BOB, stdin=b""), None)
    assert peer.messages[0].content.endswith(b"\r\n\r\n")


def full():
    os.dup2(os.open("/dev/full", os.O_WRONLY), 1)


def full_for_both():
    full()
    os.dup2(1, 2)


def broken():
    """A pipe that nobody reads."""
    read, write = os.pipe()
    os.close(read)
    os.dup2(write, 1)
    os.dup2(write, 2)


@pytest.mark.parametrize("pipe", [signal.SIG_DFL, signal.SIG_IGN], ids=str)
@pytest.mark.parametrize("output", [full, full_for_both, broken])
@pytest.mark.parametrize("words", [["-v"], ["--report=json"], ["-v", "-Z"],
                                   ["--version"], ["--dry-run"], ["--check"]],
                         ids=str)
def test_output_that_nobody_takes(peer, ready, words, output, pipe):
    """After acceptance it changes nothing; where the output is what was asked
    for it is an error."""
    def prepare():
        output()
        signal.signal(signal.SIGPIPE, pipe)
    arguments = words if words == ["--check"] else [*words, BOB]
    result = ready.run(*arguments, stdin=MESSAGE, preexec=prepare)
    if words == ["-v", "-Z"]:
        assert result.code == USAGE and peer.sessions == []
    elif words in (["-v"], ["--report=json"]):
        works(peer, result, err="(?s).*")
    else:
        assert result.code == IOERR, str(result)
        assert peer.messages == []


# Signals.

def ignoring(*numbers):
    def ignore():
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
    return ignore


def blocking():
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


@pytest.mark.parametrize("pipe", [signal.SIG_DFL, signal.SIG_IGN], ids=str)
def test_a_server_that_goes_away(start, ready, account, pipe):
    peer = start(tls="none", users={}, faults={
        "midbody": MidBody(100000, Drop(reset=True))})
    ready.config(account(peer))
    result = ready.run(BOB, stdin=LARGE, preexec=lambda: signal.signal(
        signal.SIGPIPE, pipe))
    fails(peer, result, TEMPFAIL)


SIGNALS = ["HUP", "INT", "QUIT", "TERM"]


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("ignored", [True, False])
def test_signals(start, rider, account, name, ignored):
    """What comes in ignored stays ignored; else it is the end, and nothing
    has been sent.  The signal comes from the command for the password."""
    peer = start(tls="implicit", strict=False)
    secret = rider.config(PASSWORD + "\n", name="secret")
    rider.config(account(peer, password=None, passwordeval=(
        f'"kill -{name} $PPID; sleep 0.1; cat {secret}"')))
    number = getattr(signal, f"SIG{name}")
    result = rider.run(BOB, stdin=MESSAGE, may_crash=True,
                       preexec=ignoring(number) if ignored else None)
    if ignored:
        works(peer, result)
    else:
        assert result.code == -number, str(result)
        assert peer.settle(10) and peer.messages == []


@pytest.mark.parametrize("prepare", [
    ignoring(*(s for s in signal.valid_signals()
               if s not in (signal.SIGKILL, signal.SIGSTOP))),
    ignoring(signal.SIGCHLD), ignoring(signal.SIGALRM, signal.SIGIO),
    blocking], ids=["all", "CHLD", "ALRM", "blocked"])
def test_signals_ignored_or_blocked(start, rider, account, prepare):
    """Also those by which a program learns of its child's end."""
    peer = start(tls="implicit")
    secret = rider.config(PASSWORD + "\n", name="secret")
    rider.config(account(peer, password=None,
                         passwordeval=f'"cat {secret}"'))
    works(peer, rider.run(BOB, stdin=MESSAGE, preexec=prepare))


# Home, user, environment.

@pytest.mark.parametrize("env", [
    {"USER": None, "LOGNAME": None}, {"USER": "", "LOGNAME": ""},
    {"USER": "a b\n", "LOGNAME": "\x1b["}, {"PATH": None}, {"PATH": ""},
    {"PATH": "/nonexistent"}, {"LC_ALL": None, "TZ": None, "PATH": None},
    {"LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH")},
    {"TERM": "x" * 10000}, {"POSIXLY_CORRECT": "1"}, {"IFS": "x"},
    {"COLUMNS": "0"}, {"XDG_CONFIG_HOME": ""}, {"XDG_CONFIG_HOME": "relative"},
    {"XDG_CONFIG_HOME": "/nonexistent"}, {"HOSTALIASES": "/etc/passwd"},
    {"GNUTLS_SYSTEM_PRIORITY_FILE": "/nonexistent"}], ids=str)
def test_environments(peer, ready, env):
    works(peer, ready.run(BOB, stdin=MESSAGE, env=env))


@pytest.mark.parametrize("home", [None, "", "relative", "/nonexistent", "/proc",
                                  "/etc/passwd", "/" + "x" * 5000, "~"])
def test_homes_that_are_none(peer, ready, home):
    """Then it is the one of the user database; what is named needs none."""
    path = ready.home / ".postriderrc"
    works(peer, ready.run("-C", path, BOB, stdin=MESSAGE, env={"HOME": home}))


UNSHARE = ["unshare", "--mount"] if os.geteuid() == 0 else \
    ["unshare", "--user", "--map-root-user", "--mount"]
NOBODY = ["unshare", "--user", "--map-user=54321", "--map-group=54321"]


def after(script):
    """To be put before the program: a shell, alone with its mounts."""
    return [*UNSHARE, "sh", "-ec", script + '\nexec "$@"', "sh"]


def test_a_user_without_an_entry(peer, surrounded):
    works(peer, surrounded.run(BOB, before=NOBODY))


def test_a_user_without_an_entry_nor_home(peer, surrounded):
    path = surrounded.rider.home / ".postriderrc"
    works(peer, surrounded.run("-C", path, BOB, before=NOBODY,
                               env={"HOME": None}))


def test_a_user_without_an_entry_nor_sender(peer, surrounded, account):
    """No name can be guessed, so one has to be set."""
    surrounded.rider.config(account(peer, **{"from": None}))
    result = surrounded.run(BOB, before=NOBODY, stdin=BARE)
    fails(peer, result, DATAERR, "sender")


def test_a_user_without_an_entry_nor_configuration(peer, surrounded):
    result = surrounded.run(BOB, before=NOBODY, env={"HOME": None})
    fails(peer, result, CONFIG)


def somebody_elses(rider):
    """A home that is not ours, with a configuration, if we may make one."""
    if os.geteuid():
        return "/usr"
    path = rider.config("account default\nhost evil.example\n",
                        name="theirs/.postriderrc").parent
    os.chown(path, 54321, 54321)
    return path


@pytest.mark.parametrize("is_there", [True, False])
def test_a_home_of_somebody_else(peer, surrounded, is_there):
    """As a user's job has it from cron: HOME is the daemon's.  Then it is the
    one of the user database that counts, whatever is in the other."""
    home = surrounded.rider.home
    (home / "empty").mkdir()
    program = shutil.copy(binary(), home / "program")
    theirs = somebody_elses(surrounded.rider)
    place = home if is_there else home / "empty"
    result = surrounded.run(
        BOB, program=program, env={"HOME": theirs},
        before=after(f"mount --bind {place} /root\ncd /"))
    if is_there:
        works(peer, result)
    else:
        fails(peer, result, CONFIG, "configuration")


# Where it is started.

def drop_override():
    """Without the capabilities by which root can read everything."""
    libc = ctypes.CDLL(None)
    for capability in (1, 2):       # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        libc.prctl(24, capability, 0, 0, 0)         # PR_CAPBSET_DROP


def test_a_directory_that_is_gone(peer, ready):
    place = ready.home / "place"
    place.mkdir()
    works(peer, ready.run(BOB, stdin=MESSAGE, cwd=place,
                          preexec=lambda: os.rmdir(place)))


def test_a_directory_that_cannot_be_read(peer, ready):
    place = ready.home / "place"
    place.mkdir()

    def forbid():
        os.chmod(place, 0)
        drop_override()
    works(peer, ready.run(BOB, stdin=MESSAGE, cwd=place, preexec=forbid))
    place.chmod(0o700)


@pytest.mark.parametrize("mask", [0, 0o77, 0o777])
def test_masks(peer, ready, mask):
    """Files that are made are for their owner, and can be used."""
    result = ready.run(f"--logfile={ready.home}/log", "-X", ready.home / "x",
                       BOB, stdin=LARGE, preexec=lambda: os.umask(mask))
    works(peer, result, crlf(LARGE))
    for name in ("log", "x"):
        mode = stat.S_IMODE((ready.home / name).stat().st_mode)
        assert mode == 0o600 & ~mask, name


# Time and language.

@pytest.mark.parametrize("zone", [
    None, "", "UTC", "Europe/Berlin", ":/nonexistent", "../../etc/passwd",
    ":/etc/passwd", "/dev/null", "UTC+25", "UTC+24", "UTC-14", "XXX-5:30",
    "UTC+99999999", "x" * 100000, "\n\n", "A\r\nBcc: evil@example.net 0",
    "<\"x\">-3", "EST5EDT,M3.2.0,M11.1.0"],
    ids=lambda zone: repr(zone)[:20])
def test_time_zones(peer, ready, zone):
    """The date is right, and a date, whatever is said of the zone."""
    works(peer, ready.run(f"--logfile={ready.home}/log", BOB, stdin=BARE,
                          env={"TZ": zone}), None)
    message = email.message_from_bytes(peer.messages[0].content)
    date = message["Date"]
    assert re.fullmatch(r"[A-Z][a-z]{2}, \d\d? [A-Z][a-z]{2} \d{4} "
                        r"\d\d:\d\d:\d\d [+-]\d\d[0-5]\d", date), date
    moment = email.utils.mktime_tz(email.utils.parsedate_tz(date))
    assert abs(moment - time.time()) < 60 * slowness()
    assert set(message.keys()) == {"Subject", "Date", "Message-ID", "From"}
    assert len((ready.home / "log").read_text().splitlines()) == 1


@pytest.mark.parametrize("env", [
    {"LC_ALL": None}, {"LC_ALL": ""}, {"LC_ALL": "C.UTF-8"},
    {"LC_ALL": "tr_TR.UTF-8"}, {"LC_ALL": None, "LANG": "tr_TR.UTF-8"},
    {"LC_ALL": "xx_YY.nonsense"}, {"LC_ALL": "../../etc"},
    {"LC_ALL": "x" * 10000}, {"LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de"},
    {"LC_ALL": "ja_JP.SJIS"}], ids=lambda env: str(env)[:30])
def test_languages(start, ready, account, env):
    """Keywords are compared without a language (an i has a dot in Turkish),
    numbers and dates are written so, and an address is UTF-8 in each."""
    peer = start(tls="none", users={}, capabilities=[
        "pipelining", "size 1000000", "8bitmime", "smtputf8", "dsn"])
    ready.config(account(peer))
    result = ready.run("-B8bitmime", "-Nfailure", "-N", "FAILURE", "-Vid",
                       "j\u00f6rg@TITLE.example", stdin=BARE, env=env)
    assert result.code == 0 and result.err == "", str(result)
    [message] = peer.messages
    assert message.delivered[0].lower() == "j\u00f6rg@title.example"
    assert message.params["BODY"] == "8BITMIME"
    assert message.recipients[0].params["NOTIFY"] == "FAILURE"
    date = email.message_from_bytes(message.content)["Date"]
    assert date[:3] in "Mon Tue Wed Thu Fri Sat Sun".split()


# Limits.

@pytest.mark.parametrize("stdin, code, words", [
    (MESSAGE, 0, ""), (LARGE, IOERR, "temporary file")], ids=["small", "large"])
def test_no_file_may_grow(peer, surrounded, stdin, code, words):
    result = surrounded.run(BOB, stdin=stdin,
                            preexec_fn=limit(resource.RLIMIT_FSIZE, 0))
    if code:
        fails(peer, result, code, words)
    else:
        works(peer, result)


def test_no_file_may_grow_and_there_is_a_log(peer, surrounded):
    """The message is accepted by then, and stays so."""
    result = surrounded.run(f"--logfile={surrounded.rider.home}/log", BOB,
                            preexec_fn=limit(resource.RLIMIT_FSIZE, 0))
    works(peer, result, err="postrider: warning: .*log.*\n")


def little_memory():
    """A build with sanitizers reserves terabytes: it gets no limit."""
    if not has_sanitizers() and not wrapper():
        resource.setrlimit(resource.RLIMIT_AS, (64 * MIB, 64 * MIB))


def test_little_memory(start, rider, account):
    peer = start(tls="implicit", capabilities="SIZE,PIPELINING")
    rider.config(account(peer))
    works(peer, rider.run(BOB, stdin=LARGE, preexec=little_memory),
          crlf(LARGE))


@pytest.mark.parametrize("kind, value", [
    (resource.RLIMIT_CORE, 0), (resource.RLIMIT_STACK, 256 << 10),
    (resource.RLIMIT_MEMLOCK, 0), (resource.RLIMIT_MSGQUEUE, 0)])
def test_other_limits(peer, ready, kind, value):
    if kind == resource.RLIMIT_STACK and (has_sanitizers() or wrapper()):
        value = 8 * MIB
    works(peer, ready.run(BOB, stdin=MESSAGE, preexec=limit(kind, value)))


# Disks.

def test_temporary_directories_that_are_none(peer, ready):
    """There are others."""
    result = ready.run(BOB, stdin=LARGE, env={"TMPDIR": "/nonexistent"},
                       piped=True)
    works(peer, result, crlf(LARGE))


READ_ONLY = "mount --bind {0} {0}\nmount -o remount,ro,bind {0}\n"


@pytest.mark.parametrize("places, code", [
    (["tmp"], 0), (["tmp", "/var/tmp"], 0), (["tmp", "/var/tmp", "/tmp"],
                                             IOERR)], ids=str)
@pytest.mark.parametrize("stdin", [MESSAGE, LARGE], ids=["small", "large"])
def test_read_only(peer, surrounded, tmp_path_factory, places, code, stdin):
    """Only a large message needs a file.  (The program, its home and so on may
    be in /tmp, which is read-only then, and nothing else.)"""
    home = surrounded.rider.home
    (home / "tmp").mkdir()
    script = "".join(READ_ONLY.format(home / p) for p in places)
    result = surrounded.run(BOB, before=after(script), stdin=stdin,
                            env={"TMPDIR": home / "tmp"})
    if code and stdin is LARGE:
        fails(peer, result, code, "temporary file.*[Rr]ead-only")
    else:
        works(peer, result, crlf(stdin))


SMALL = "mount -t tmpfs -o size=64k none {0}\n"


def test_full_disk_for_a_message(peer, surrounded):
    place = surrounded.rider.home / "tmp"
    place.mkdir()
    result = surrounded.run(BOB, before=after(SMALL.format(place)),
                            stdin=LARGE, env={"TMPDIR": place})
    fails(peer, result, OSERR, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("option", ["--logfile=", "-X"])
def test_full_disk_for_what_is_told(peer, surrounded, option):
    """The log is written when nothing can be changed any more; the traffic
    while it happens, and the message is worth more."""
    place = surrounded.rider.home / "log"
    place.mkdir()
    script = SMALL.format(place) + \
        f"cat /dev/zero > {place}/filler 2>/dev/null || true\n"
    result = surrounded.run(f"{option}{place}/log", BOB, before=after(script))
    works(peer, result, err=f"postrider: warning: .*{place}/log.*\n")


@pytest.mark.parametrize("is_there, words", [(True, "write to"),
                                             (False, "make")])
def test_a_check_of_a_read_only_queue(surrounded, peer, account, is_there,
                                      words):
    place = surrounded.rider.home / "kept"
    place.mkdir(mode=0o700)
    path = place if is_there else place / "a/b"
    surrounded.rider.config(account(peer, queue="on", queue_dir=path))
    result = surrounded.run("--check", before=after(READ_ONLY.format(place)))
    fails(peer, result, CONFIG, f"cannot {words} .*[Rr]ead-only")


def test_read_only_for_the_log(peer, surrounded):
    place = surrounded.rider.home / "log"
    place.mkdir()
    result = surrounded.run(f"--logfile={place}/log", BOB,
                            before=after(READ_ONLY.format(place)))
    works(peer, result, err="postrider: warning: .*[Rr]ead-only.*\n")


def test_in_a_cage(peer, surrounded):
    """Without /proc, /sys and /run.  (The sanitizers need /proc.)"""
    places = ["/sys", "/run"] + ["/proc"] * (not has_sanitizers())
    script = "".join(f"mount -t tmpfs none {p}\n" for p in places)
    works(peer, surrounded.run(BOB, before=after(script)))
