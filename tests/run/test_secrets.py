"""Where a password comes from, who may read it there, and where it stays.

The peer knows one password for each test, so what it accepts says which source
was taken.
"""

import base64
import fcntl
import os
import pty
import re
import select
import signal
import stat
import subprocess
import sys
import termios
import time

import pytest

from conftest import MESSAGE, PASSWORD
from faults import Silent
from harness import PASSED_ON, binary, has_sanitizers, slowness, wrapper

BOB = "bob@example.net"
CONFIG, NOPERM, TEMPFAIL = 78, 77, 75
ENTRY = "machine 127.0.0.1 login alice password"


class Sources:
    """Every source but the keyring and the terminal, each with a password of
    its own, in the order in which they are tried."""

    names = ["passwordeval", "password", "password_file",
             "password_credential", "credential", "netrc", "authinfo"]

    def __init__(self, rider, account, start):
        self.rider, self.account, self.start = rider, account, start

    def put(self, names):
        rider = self.rider
        settings = {"password": None}
        if "passwordeval" in names:
            settings["passwordeval"] = "echo pass-passwordeval"
        if "password" in names:
            settings["password"] = "pass-password"
        if "password_file" in names:
            rider.config("pass-password_file\n", "secret")
            settings["password_file"] = "~/secret"
        if "password_credential" in names:
            rider.config("pass-password_credential\n", "given/mine")
            settings["password_credential"] = "mine"
        if "credential" in names:
            rider.config("pass-credential\n", "given/postrider.default")
        if "netrc" in names:
            rider.config(f"{ENTRY} pass-netrc\n", ".netrc")
        if "authinfo" in names:
            rider.config(f"{ENTRY} pass-authinfo\n", ".authinfo")
        return settings

    def taken(self, name, settings):
        """Is it this one's password?"""
        peer = self.start(users={"alice": f"pass-{name}"}, strict=False)
        self.rider.config(self.account(peer, **settings))
        env = {"CREDENTIALS_DIRECTORY": self.rider.home / "given"}
        result = self.rider.run(BOB, stdin=MESSAGE, env=env)
        return result.code == 0 and len(peer.messages) == 1


@pytest.mark.parametrize("first", range(len(Sources.names)))
def test_order(rider, account, start, first):
    """Of those that are there the first is taken."""
    sources = Sources(rider, account, start)
    settings = sources.put(Sources.names[first:])
    assert sources.taken(Sources.names[first], settings)


@pytest.fixture
def peer(start):
    return start(strict=False)


@pytest.fixture
def ask(rider, account, peer):
    """Runs it: ask(password_file="~/x"), with files={name: (mode, text)}."""

    def ask(files=None, env=None, **settings):
        for name, (mode, text) in (files or {}).items():
            rider.config(text, name, mode=mode)
        env = {"CREDENTIALS_DIRECTORY": rider.home / "given", **(env or {})}
        rider.config(account(peer, **{"password": None, **settings}))
        return rider.run(BOB, stdin=MESSAGE, env=env)
    return ask


def check_refused(peer, result, *words, code=CONFIG):
    """Nothing was tried, and one line says why, without the password."""
    assert result.code == code, result
    assert len(result.lines) == 1, result
    for word in words:
        assert word in result.err, result
    assert PASSWORD not in result.err
    assert not any(s.auth_attempts for s in peer.sessions)


TOO_LONG = "p" * 65537
WRONGS = [
    ({"passwordeval": "false"}, {}, "exit status 1"),
    ({"passwordeval": "no-such-command 2>&1"}, {}, "exit status 127"),
    ({"passwordeval": "kill -9 $$"}, {}, "signal 9"),
    ({"passwordeval": "true"}, {}, "the first line is empty"),
    ({"passwordeval": "printf 'a\\0b'"}, {}, "a NUL octet"),
    ({"passwordeval": "head -c 70000 /dev/zero"}, {}, "more than 65536"),
    ({"password": TOO_LONG}, {}, "longer than 65536 octets"),
    ({"password_file": "~/x"}, {}, "cannot read"),
    ({"password_file": "~/x"}, {"x": (0o600, "")}, "is empty"),
    ({"password_file": "~/x"}, {"x": (0o600, "\n" + PASSWORD)}, "is empty"),
    ({"password_file": "~/x"}, {"x": (0o600, b"a\0b\n")}, "a NUL octet"),
    ({"password_file": "~/x"}, {"x": (0o600, TOO_LONG)}, "too large"),
    ({"password_file": "~"}, {}, "Is a directory"),
    ({"password_file": "/dev/null"}, {}, "no regular file"),
    ({"password_credential": "x"}, {}, "LoadCredential=x:/path"),
    ({"password_credential": "x"}, {"given/x": (0o600, "")}, "is empty"),
    ({"password_credential": "x"}, {"given/x": (0o600, b"\0\n")}, "NUL"),
    ({"password_credential": "../x"}, {"x": (0o600, PASSWORD)},
     "a name without slashes"),
    ({"password_credential": ".."}, {}, "a name without slashes"),
    ({}, {".netrc": (0o600, f'{ENTRY} ""')}, "/.netrc: the password is empty"),
    ({}, {".netrc": (0o600, f"{ENTRY} {TOO_LONG}")}, "longer than 65536"),
    ({}, {".authinfo": (0o600, f'{ENTRY} ""')}, "/.authinfo: the password is"),
    # Others can read it, or could.
    ({"password_file": "~/x"}, {"x": (0o640, PASSWORD)}, "chmod 600"),
    ({"password_file": "~/x"}, {"x": (0o604, PASSWORD)}, "chmod 600"),
    ({"password_file": "~/x"}, {"x": (0o620, PASSWORD)}, "chmod 600"),
    ({}, {".netrc": (0o644, f'{ENTRY} "{PASSWORD}"')}, "chmod 600"),
    ({}, {".authinfo": (0o640, f'{ENTRY} "{PASSWORD}"')}, "chmod 600"),
]


@pytest.mark.parametrize("settings, files, words", WRONGS)
def test_what_is_wrong_is_said(ask, peer, settings, files, words):
    """And no other source is taken instead."""
    files = {".authinfo": (0o600, f'{ENTRY} "{PASSWORD}"'), **files}
    check_refused(peer, ask(files, **settings), words)


@pytest.mark.parametrize("name", [".netrc", ".authinfo"])
@pytest.mark.parametrize("make", [os.mkfifo, lambda path, _: path.symlink_to(
    "/dev/null")], ids=["fifo", "/dev/null"])
def test_what_is_no_file_is_no_netrc(rider, ask, peer, name, make):
    make(rider.home / name, 0o600)
    check_refused(peer, ask(), "no password for 'alice'", code=77)


@pytest.mark.parametrize("name, settings", [
    ("x", {"password_file": "~/x"}),
    ("given/x", {"password_credential": "x"}),
    ("given/postrider.default", {})])
def test_a_fifo_is_not_waited_for(rider, ask, peer, name, settings):
    (rider.home / "given").mkdir()
    os.mkfifo(rider.home / name, 0o600)
    check_refused(peer, ask(**settings), "no regular file")


@pytest.mark.parametrize("name, settings", [
    (".netrc", {}), ("x", {"password_file": "~/x"}),
    ("given/x", {"password_credential": "x"})])
@pytest.mark.parametrize("mode, fits", [(0o600, True), (0o644, False)])
def test_a_link_leads_to_the_file(rider, ask, peer, name, settings, mode,
                                  fits):
    """What counts is who can read that."""
    text = f'{ENTRY} "{PASSWORD}"\n' if name == ".netrc" else PASSWORD
    (rider.home / "given").mkdir()
    (rider.home / name).symlink_to(rider.config(text, "elsewhere", mode=mode))
    result = ask(**settings)
    if fits or "password_credential" in settings:   # that is systemd's affair
        assert result.code == 0, result
    else:
        check_refused(peer, result, "chmod 600")


@pytest.mark.parametrize("name, settings, code", [
    ("x", {"password_file": "~/x"}, CONFIG), (".netrc", {}, CONFIG),
    ("given/x", {"password_credential": "x"}, CONFIG)])
def test_files_of_others(rider, ask, peer, name, settings, code):
    """Who owns it can change it.  (Only root can give files away; any other
    user finds that the owner alone can read what is 0600.)"""
    text = f'{ENTRY} "{PASSWORD}"\n' if name == ".netrc" else PASSWORD
    path = rider.config(text, name)
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
    else:
        path.chmod(0o644 if name != "given/x" else 0)
    result = ask(**settings)
    assert result.code == code, result
    assert not any(s.auth_attempts for s in peer.sessions)


@pytest.mark.parametrize("setting", ["password", "proxy_password"])
@pytest.mark.parametrize("mode", [0o640, 0o644, 0o604])
@pytest.mark.parametrize("included", [False, True])
def test_a_configuration_that_others_can_read(rider, account, peer, setting,
                                              mode, included):
    text = account(peer, password=None) + f'{setting} "{PASSWORD}"\n'
    if included:
        rider.config(text, "more", mode=mode)
        text = "include ~/more\n"
    rider.config(text, mode=0o600 if included else mode)
    result = rider.run(BOB, stdin=MESSAGE)
    check_refused(peer, result, "readable by nobody else", "chmod 600",
                  "more:" if included else ".postriderrc:")


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o444, 0o644])
def test_a_credential_of_any_mode(ask, mode):
    files = {"given/x": (mode, PASSWORD + "\n")}
    result = ask(files, password_credential="x")
    assert result.code == 0, result


def test_a_credential_may_be_missing_where_none_is_named(ask):
    files = {".netrc": (0o600, f'{ENTRY} "{PASSWORD}"\n')}
    for env in ({}, {"CREDENTIALS_DIRECTORY": None},
                {"CREDENTIALS_DIRECTORY": "/nonexistent"},
                {"CREDENTIALS_DIRECTORY": ""},
                {"CREDENTIALS_DIRECTORY": "given"}):
        assert ask(files, env=env).code == 0


@pytest.mark.parametrize("said, meant", [
    ("port {port}", True), ("port 1", False), ("port imaps", False),
    ("port submission", False), ("port smtp", False), ("", True)])
@pytest.mark.parametrize("name", [".authinfo", ".netrc"])
def test_ports(ask, peer, name, said, meant):
    said = said.format(port=peer.port)
    result = ask({name: (0o600, f'machine 127.0.0.1 login alice {said} '
                                f'password "{PASSWORD}"\n')})
    if meant:
        assert result.code == 0, result
    else:
        check_refused(peer, result, "no password for 'alice'", code=NOPERM)


def test_an_encrypted_authinfo_is_told_of(ask, peer):
    result = ask({".authinfo.gpg": (0o600, b"\x85\x01")})
    check_refused(peer, result, "passwordeval gpg -q --for-your-eyes-only "
                  "--no-tty -d ~/.authinfo.gpg", code=NOPERM)


@pytest.mark.parametrize("env", [
    {}, {"DBUS_SESSION_BUS_ADDRESS": "autolaunch:"},
    {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"},
    {"XDG_RUNTIME_DIR": "/nonexistent"}])
def test_there_is_no_bus(rider, ask, peer, env):
    """As in cron: neither waited for nor started."""
    rider.config("#!/bin/sh\ntouch ~/launched\n", "bin/dbus-launch", mode=0o755)
    env = {"PATH": f"{rider.home}/bin:/usr/bin:/bin", "DISPLAY": ":99", **env}
    result = ask(env=env)
    check_refused(peer, result, "no password for 'alice'", code=NOPERM)
    assert not (rider.home / "launched").exists()


def test_a_long_token(rider, ask, account, start):
    """As OAuth has them, longer than a command line."""
    token = base64.b64encode(bytes(range(256)) * 16).decode()
    peer = start(users={"alice": token}, line_limit=12288)
    rider.config(token + "\n", "token")
    rider.config(account(peer, password=None, passwordeval="cat ~/token"))
    assert rider.run(BOB, stdin=MESSAGE).code == 0


def test_what_the_command_gets(ask, rider):
    """No descriptor of ours, neither connection nor message, and nothing more
    in its environment than we have."""
    rider.config(PASSWORD + "\n", "pw")
    command = ("ls -l /proc/self/fd >~/fds; env >~/env; cat >~/in;"
               "tr '\\0' '\\n' </proc/$$/cmdline >~/args; echo words >&2;"
               "cat ~/pw")
    result = ask(passwordeval=command)
    assert result.code == 0, result
    fds = re.findall(r" (\d+) -> (.*)", (rider.home / "fds").read_text())
    assert [fd for fd, _ in fds[:3]] == ["0", "1", "2"]
    assert fds[0][1] == "/dev/null"
    assert all(re.fullmatch(r"/proc/\d+/fd", to) for _, to in fds[3:])
    assert (rider.home / "in").read_text() == ""
    environment = (rider.home / "env").read_text()
    assert PASSWORD not in environment
    assert {line.partition("=")[0] for line in environment.splitlines()} <= {
        "HOME", "PATH", "LC_ALL", "TZ", "PWD", "CREDENTIALS_DIRECTORY",
        "OLDPWD", "SHLVL", "_", *PASSED_ON}
    assert result.err == "words\n"


# ---------------------------------------------------------------- a terminal


class Terminal:
    """The binary with a controlling terminal of its own."""

    def __init__(self, rider, *arguments, message=MESSAGE):
        self.ours, theirs = pty.openpty()
        self.theirs = theirs            # keeps the settings alive
        self.shown = b""
        source = rider.home / "message"
        source.write_bytes(message)

        def prepare():
            os.setsid()
            fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
            signal.signal(signal.SIGINT, signal.SIG_DFL)

        with open(source, "rb") as stdin:
            self.child = subprocess.Popen(
                wrapper() + [binary(), *arguments], stdin=stdin,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                env=rider.environment(), cwd=rider.home, preexec_fn=prepare)

    def echoes(self):
        return bool(termios.tcgetattr(self.theirs)[3] & termios.ECHO)

    def wait_for(self, condition):
        end = time.monotonic() + 10 * slowness()
        while not condition():
            assert time.monotonic() < end, self.shown
            time.sleep(0.01)

    def read_until(self, word):
        end = time.monotonic() + 10 * slowness()
        while word not in self.shown:
            ready = select.select([self.ours], [], [],
                                  max(0, end - time.monotonic()))[0]
            assert ready, self.shown
            self.shown += os.read(self.ours, 4096)

    def asked(self):
        """Once more: the prompt, and echo off."""
        self.read_until(b"password for alice at 127.0.0.1: ")
        self.shown = b""
        assert not self.echoes()

    def type(self, text):
        """It has come when this returns: the kernel hands it on by and by, but
        poll() at the other end waits until it has (n_tty)."""
        os.write(self.ours, text)
        select.select([self.theirs], [], [], 0)

    def has_line(self):
        size = fcntl.ioctl(self.theirs, termios.FIONREAD, bytes(4))
        return int.from_bytes(size, sys.byteorder) > 0

    def state(self):
        with open(f"/proc/{self.child.pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0]

    def code(self):
        code = self.child.wait(timeout=20 * slowness())
        while select.select([self.ours], [], [], 0)[0]:
            self.shown += os.read(self.ours, 4096)
        assert PASSWORD.encode() not in self.shown
        return code

    def close(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        self.child.stderr.close()
        os.close(self.ours)
        os.close(self.theirs)


@pytest.fixture
def terminal(rider, account, peer):
    rider.config(account(peer, password=None, timeout=60))
    terminal = Terminal(rider, BOB)
    yield terminal
    terminal.close()


def test_a_password_is_typed(terminal, peer):
    terminal.asked()
    terminal.type(PASSWORD.encode() + b"\n")
    assert terminal.code() == 0
    assert terminal.echoes()
    assert len(peer.messages) == 1


def test_a_password_is_typed_for_a_run_of_several(rider, account, peer):
    """One of them asks; two at one terminal would get half of it each."""
    rider.config(account(peer, password=None, timeout=60, queue="on",
                         queue_connections=4))
    for _ in range(8):
        assert rider.run("-odq", BOB, stdin=MESSAGE).code == 0
    terminal = Terminal(rider, "-q")
    try:
        terminal.asked()
        terminal.type(PASSWORD.encode() + b"\n")
        assert terminal.code() == 0
        assert b"password" not in terminal.shown and terminal.echoes()
    finally:
        terminal.close()
    assert len(peer.messages) == 8


def test_an_empty_line_is_no_password(terminal, peer):
    terminal.asked()
    terminal.type(b"\n")
    assert terminal.code() == NOPERM
    assert terminal.echoes()
    assert not any(s.auth_attempts for s in peer.sessions)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT",
                                  "SIGALRM", "SIGUSR1", "SIGXCPU"])
@pytest.mark.parametrize("typed", [b"", b"half a passw"])
def test_signals_that_end_it(terminal, peer, name, typed):
    """By that signal, with echo on again."""
    number = getattr(signal, name)
    terminal.asked()
    terminal.type(typed)
    terminal.child.send_signal(number)
    assert terminal.code() == -number
    assert terminal.echoes()
    assert not any(s.auth_attempts for s in peer.sessions)


def test_control_c(terminal):
    terminal.asked()
    terminal.type(b"half\x03")
    assert terminal.code() == -signal.SIGINT
    assert terminal.echoes()


@pytest.mark.parametrize("stop", ["SIGTSTP", "SIGTTIN", "SIGSTOP"])
def test_stopped_and_continued(terminal, peer, stop):
    """While it is stopped echo is on, but that none can see SIGSTOP come; then
    it asks again."""
    for _ in range(3):
        terminal.asked()
        terminal.type(b"half")
        # its session has no shell, so that the terminal would not stop it
        terminal.child.send_signal(getattr(signal, stop))
        if stop == "SIGSTOP":
            terminal.wait_for(lambda: terminal.state() == "T")
            shown = termios.tcgetattr(terminal.theirs)
            shown[3] |= termios.ECHO    # as the shell does
            termios.tcsetattr(terminal.theirs, termios.TCSANOW, shown)
            terminal.child.send_signal(signal.SIGCONT)
    terminal.asked()
    terminal.type(PASSWORD.encode() + b"\n")
    assert terminal.code() == 0
    assert terminal.echoes()


def test_a_signal_behind_the_line_is_not_lost(terminal):
    """Both are there when it looks."""
    terminal.asked()
    terminal.child.send_signal(signal.SIGSTOP)
    terminal.wait_for(lambda: terminal.state() == "T")
    terminal.type(PASSWORD.encode() + b"\n")
    terminal.wait_for(terminal.has_line)    # the kernel takes its time
    terminal.child.send_signal(signal.SIGTERM)
    terminal.child.send_signal(signal.SIGCONT)
    assert terminal.code() == -signal.SIGTERM
    assert terminal.echoes()


def test_a_terminal_that_goes_away(rider, account, peer):
    rider.config(account(peer, password=None, timeout=60))
    terminal = Terminal(rider, BOB)
    terminal.asked()
    os.close(terminal.ours)
    os.close(terminal.theirs)
    try:
        code = terminal.child.wait(timeout=20 * slowness())
    finally:
        terminal.child.stderr.close()
    assert code in (-signal.SIGHUP, NOPERM)
    assert not any(s.auth_attempts for s in peer.sessions)


# ------------------------------------------------------------------- memory

CANARY = "ca!nary.Of-MEMORY+96_zyxwv=tsrq~ponm,lkji(hgfe)dcba|0123456789"
WINDOW = 12     # octets of it in a row that would give it away


def forms(text):
    """What would give the text away, as octets to look for."""
    octets = text.encode()
    whole = [(octets, WINDOW), (octets.hex().encode(), 2 * WINDOW),
             (octets.hex().upper().encode(), 2 * WINDOW),
             (text.encode("utf-16-le"), 2 * WINDOW)]
    whole += [(base64.b64encode(bytes(before) + octets)[4:-4], 16)
              for before in range(3)]
    for octets, size in whole:
        # every third: one that is a little longer is found all the same
        for start in range(0, len(octets) - size + 1, 3):
            yield octets[start:start + size]


def memory_of(pid):
    """What the process could have written, as octets."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, \
            open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            first, end, mode, rest = re.match(
                r"(\w+)-(\w+) (....) \S+ \S+ \S+ *(.*)", line).groups()
            if not mode.startswith("rw"):
                continue
            memory.seek(int(first, 16))
            yield rest, memory.read(int(end, 16) - int(first, 16))


def wait_for_mail(peer, child):
    end = time.monotonic() + 20 * slowness()
    while not any("MAIL" in s.verbs for s in peer.sessions):
        assert time.monotonic() < end and child.poll() is None
        time.sleep(0.02)


def canary_settings(rider, source):
    if source == "password":
        return {"password": f'"{CANARY}"'}
    if source == "netrc":
        rider.config(f"{ENTRY} {CANARY}\n", ".netrc")
        return {}
    rider.config(CANARY + "\n", "given/postrider.default"
                 if source == "credential" else "secret")
    return {"passwordeval": {"passwordeval": "cat ~/secret"},
            "password_file": {"password_file": "~/secret"},
            "credential": {}}[source]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5",
                                       "SCRAM-SHA-1", "SCRAM-SHA-256"])
@pytest.mark.parametrize("source", ["password", "passwordeval",
                                    "password_file", "credential", "netrc"])
def test_memory_after_login(start, rider, account, source, mechanism):
    """While MAIL is answered no part of the password is to be found: neither
    ours nor what GNU SASL and GnuTLS have left behind.  A user without rights
    can't even look."""
    peer = start(users={"alice": CANARY}, mechanisms=(mechanism,),
                 faults={"mail": Silent()}, strict=False)
    settings = {"password": None, **canary_settings(rider, source)}
    rider.config(account(peer, timeout=60, **settings))
    env = rider.environment({"CREDENTIALS_DIRECTORY": rider.home / "given"})
    child = subprocess.Popen([binary(), BOB], stdin=subprocess.PIPE, env=env,
                             cwd=rider.home, start_new_session=True)
    try:
        child.stdin.write(MESSAGE)
        child.stdin.close()
        wait_for_mail(peer, child)
        if os.geteuid() != 0 and not has_sanitizers():
            with pytest.raises(PermissionError):
                open(f"/proc/{child.pid}/mem", "rb").close()
            return
        # the sanitizers keep what was freed to watch it
        places = [] if has_sanitizers() else memory_of(child.pid)
        found = [(place, form) for place, octets in places
                 for form in forms(CANARY) if form in octets]
        assert found == []
    finally:
        child.kill()
        child.wait()


def test_no_core_dump(start, rider, account):
    """Where others leave one.  With the sanitizers there is one."""
    import resource
    peer = start(faults={"mail": Silent()}, strict=False)
    rider.config(account(peer, timeout=60))
    where = rider.home.parent / "core"
    where.mkdir()

    def dumped(command, until):
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, env=rider.environment(), cwd=where,
            preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2))
        child.stdin.write(MESSAGE)
        child.stdin.close()
        until(child)
        child.send_signal(signal.SIGSEGV)
        status = os.waitpid(child.pid, 0)[1]
        child.returncode = os.waitstatus_to_exitcode(status)
        assert os.WTERMSIG(status) == signal.SIGSEGV
        return os.WCOREDUMP(status)

    if resource.getrlimit(resource.RLIMIT_CORE)[1] != resource.RLIM_INFINITY:
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        assert hard == 0 or os.geteuid() != 0
        return
    others = dumped(["sleep", "60"], lambda child: time.sleep(0.2))
    if not has_sanitizers():
        assert not dumped([binary(), BOB],
                          lambda child: wait_for_mail(peer, child))
        assert not (others and [p for p in where.iterdir()
                                if b"postrider" in p.read_bytes()[:1 << 20]])


def test_it_belongs_to_root(start, rider, account):
    """What the kernel shows of a process that may not be dumped is root's:
    another process of the user can't read its memory or descriptors."""
    peer = start(faults={"mail": Silent()}, strict=False)
    rider.config(account(peer, timeout=60))
    child = subprocess.Popen([binary(), BOB], stdin=subprocess.PIPE,
                             env=rider.environment(), cwd=rider.home)
    try:
        child.stdin.write(MESSAGE)
        child.stdin.close()
        wait_for_mail(peer, child)
        owner = os.stat(f"/proc/{child.pid}/environ").st_uid
        assert owner == (os.geteuid() if has_sanitizers() else 0)
        assert stat.S_IMODE(os.stat(f"/proc/{child.pid}/mem").st_mode) == 0o600
    finally:
        child.kill()
        child.wait()
