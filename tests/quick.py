"""Runs the binary many times over: as harness.py does, with less around it.

No threads, no temporary files, no looking at the clock while it runs; about as
long as the program takes.  One configuration, one environment.
"""

import os
import select

from harness import PASSED_ON, SANITIZER_WORDS, binary, slowness, wrapper

LIMIT = 60.0        # seconds for one run


class Quick:
    def __init__(self, directory, config=None):
        """config: the text of the configuration; None: there is none."""
        self.command = wrapper() + [binary()]
        self.limit = LIMIT * slowness()
        self.env = {"HOME": str(directory), "PATH": "/usr/bin:/bin",
                    "LC_ALL": "C", "TZ": "UTC"}
        self.env.update({name: os.environ[name] for name in PASSED_ON
                         if name in os.environ})
        self.stdin, self.said = os.memfd_create("in"), os.memfd_create("out")
        if config is not None:
            path = os.path.join(directory, "account")
            with open(path, "w", encoding="utf-8",
                      opener=lambda p, f: os.open(p, f, 0o600)) as file:
                file.write(config)
            self.command += ["-C", path]

    def close(self):
        os.close(self.stdin)
        os.close(self.said)

    def run(self, arguments, stdin):
        """Exit code, what it said, what it used (struct rusage)."""
        for descriptor, data in ((self.stdin, stdin), (self.said, b"")):
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            while data:
                data = data[os.write(descriptor, data):]
        os.lseek(self.stdin, 0, os.SEEK_SET)
        pid = os.posix_spawnp(
            self.command[0], self.command + [os.fsencode(a) for a in arguments],
            self.env, file_actions=[
                (os.POSIX_SPAWN_DUP2, self.stdin, 0),
                (os.POSIX_SPAWN_DUP2, self.said, 1),
                (os.POSIX_SPAWN_DUP2, self.said, 2), *self.actions()])
        self._watch(pid)
        _, status, used = os.wait4(pid, 0)
        said = os.pread(self.said, 1 << 20, 0)
        code = os.waitstatus_to_exitcode(status)
        for word in SANITIZER_WORDS:
            assert word not in said, said.decode("latin-1")
        assert code >= 0, f"ended by signal {-code}: {said!r}"
        return code, said.decode("utf-8", "replace"), used

    def actions(self):
        """More for os.posix_spawn to do in the child."""
        return []

    def _watch(self, pid):
        handle = os.pidfd_open(pid)
        try:
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            if not poll.poll(self.limit * 1000):
                os.kill(pid, 9)
                os.waitpid(pid, 0)
                raise AssertionError("it did not end")
        finally:
            os.close(handle)
