"""Runs the built postrider in an environment of its own.

The binary is named by the environment variable POSTRIDER.  POSTRIDER_WRAP may
hold a command to put before it (`valgrind -q --error-exitcode=99`), and
POSTRIDER_SLOW a factor for all limits of time when the machine or the build is
slow; a build with sanitizers is noticed without it.

    rider = Postrider(tmp_path)
    rider.config("account default\\nhost ...")      # ~/.postriderrc, 0600
    result = rider.run("-i", "bob@example.org", stdin=b"...")
    result.code, result.out, result.err, result.lines

The child gets HOME, PATH, LC_ALL and TZ, what the caller adds, and the options
of the sanitizers; no terminal, no inherited descriptors.  A child that ends by
a signal, runs out of time or makes a sanitizer speak fails the test at once.
"""

import contextlib
import functools
import os
import resource
import shlex
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

PASSED_ON = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS",
             "LLVM_PROFILE_FILE", "GCOV_PREFIX", "LD_LIBRARY_PATH")
LEAKS = Path(__file__).with_name("leaks")   # of libraries
SANITIZER_WORDS = (b"AddressSanitizer", b"LeakSanitizer", b"runtime error:",
                   b"UndefinedBehaviorSanitizer")


def binary():
    """The path of the binary under test."""
    path = os.environ.get("POSTRIDER")
    if not path:
        raise RuntimeError("set POSTRIDER to the binary that is to be tested")
    path = os.path.abspath(path)
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"POSTRIDER: {path} cannot be run")
    return path


def has_sanitizers():
    return holds_sanitizers(binary())


@functools.cache
def holds_sanitizers(path):
    return b"__asan_init" in Path(path).read_bytes()


def takes_part():
    """Is a part of the large tables enough?  POSTRIDER_TABLES says it: "part"
    or "whole"; else it is for a build with sanitizers."""
    said = os.environ.get("POSTRIDER_TABLES")
    return said == "part" if said else has_sanitizers()


def wrapper():
    return shlex.split(os.environ.get("POSTRIDER_WRAP", ""))


def slowness():
    """What limits of time are multiplied with."""
    if "POSTRIDER_SLOW" in os.environ:
        return float(os.environ["POSTRIDER_SLOW"])
    if wrapper():
        return 20.0
    return 4.0 if has_sanitizers() else 1.0


def high_water(pid):
    """The largest resident size of a running process so far, KiB; 0 when it
    is over.  (What wait4 tells is no use here: it counts what the parent had
    at the fork.)"""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


@dataclass
class Result:
    code: int
    stdout: bytes
    stderr: bytes
    seconds: float
    peak: int           # largest resident size seen, KiB

    @property
    def out(self):
        return self.stdout.decode("utf-8", "replace")

    @property
    def err(self):
        return self.stderr.decode("utf-8", "replace")

    @property
    def lines(self):
        """The lines of standard error."""
        return self.err.splitlines()

    def __str__(self):
        return (f"exit {self.code} after {self.seconds:.2f} s\n"
                f"stdout: {self.out}\nstderr: {self.err}")


class Postrider:
    def __init__(self, directory):
        self.home = Path(directory) / "home"
        self.home.mkdir(parents=True)
        self.env = {}

    def config(self, text, name=".postriderrc", mode=0o600):
        """Write a file in the home, its folders with it; returns its path."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return path

    def link(self, name):
        """The binary under another name."""
        path = self.home.parent / "bin" / name
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            path.symlink_to(binary())
        return str(path)

    def environment(self, env=None):
        result = {"HOME": str(self.home), "PATH": "/usr/bin:/bin",
                  "LC_ALL": "C", "TZ": "UTC"}
        result.update({name: os.environ[name] for name in PASSED_ON
                       if name in os.environ})
        if has_sanitizers():
            result["LSAN_OPTIONS"] = ":".join(
                [result.get("LSAN_OPTIONS", ""), f"suppressions={LEAKS}",
                 "print_suppressions=0"])
        result.update(self.env)
        result.update(env or {})
        return {name: str(value) for name, value in result.items()
                if value is not None}

    def run(self, *arguments, stdin=b"", env=None, timeout=20, name=None,
            cwd=None, argv=None, preexec=None, may_crash=False, piped=False):
        """Run it to its end.  stdin: octets, or an open file.  piped: the
        octets come by a pipe, so they can't be read twice.  env: added; a
        None removes.  name: call it through a link of that name.  argv: the
        whole argument vector, its first word too.  preexec: run in the child
        just before."""
        program = self.link(name) if name else binary()
        command = wrapper() + [program] + [os.fsencode(a) for a in arguments]
        if argv is not None:
            command = argv
        with tempfile.TemporaryFile() as given, \
                tempfile.TemporaryFile() as out, \
                tempfile.TemporaryFile() as err:
            if piped:
                stdin = pipe_of(stdin)
            elif isinstance(stdin, bytes):
                given.write(stdin)
                given.seek(0)
                stdin = given
            start = time.monotonic()
            child = subprocess.Popen(
                command, executable=program if argv is not None else None,
                stdin=stdin, stdout=out, stderr=err, cwd=cwd or self.home,
                env=self.environment(env), preexec_fn=preexec,
                start_new_session=True)
            if piped:
                stdin.close()
            status, peak = self._wait(child, timeout * slowness())
            seconds = time.monotonic() - start
            out.seek(0)
            err.seek(0)
            result = Result(os.waitstatus_to_exitcode(status), out.read(),
                            err.read(), seconds, peak)
        self._inspect(result, status, may_crash)
        return result

    def _wait(self, child, seconds):
        end = time.monotonic() + seconds
        wait, peak = 0.001, 0
        while True:
            peak = max(peak, high_water(child.pid))
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                child.returncode = os.waitstatus_to_exitcode(status)
                return status, peak
            if time.monotonic() > end:
                os.kill(child.pid, signal.SIGKILL)
                os.waitpid(child.pid, 0)
                child.returncode = -signal.SIGKILL
                raise AssertionError(f"still running after {seconds:.0f} s: "
                                     f"{child.args[:8]}")
            time.sleep(wait)
            wait = min(wait * 1.5, 0.02)

    def _inspect(self, result, status, may_crash):
        for word in SANITIZER_WORDS:
            assert word not in result.stderr, result.err
        if os.WIFSIGNALED(status) and not may_crash:
            raise AssertionError(f"ended by signal {os.WTERMSIG(status)}\n"
                                 f"{result}")


def pipe_of(octets):
    """An open pipe into which they are written for as long as somebody reads."""
    reading, writing = os.pipe()

    def feed():
        with contextlib.suppress(BrokenPipeError), \
                os.fdopen(writing, "wb", buffering=0) as file:
            rest = memoryview(octets)
            while rest:
                rest = rest[file.write(rest):]

    threading.Thread(target=feed, daemon=True).start()
    return os.fdopen(reading, "rb")


def limit(kind, value):
    """A preexec function that sets a resource limit."""
    return lambda: resource.setrlimit(kind, (value, value))
