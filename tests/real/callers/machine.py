"""The Debian of the script `root`, with postrider as its sendmail, started.

    box = Machine(directory)
    box.start()
    box.put("/etc/aliases", "root: admin@example.org\\n")
    box.run("mutt", "-s", "hello", "bob@example.net", user="lab", stdin=b"...")
    box.stop()

It shares the network with this machine, so that a peer on the loopback can be
reached, and nothing else: what is written there is gone with it.
"""

import shutil
import subprocess
from pathlib import Path

from harness import binary, slowness

HERE = Path(__file__).parent
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
POSTRIDER = "/usr/local/bin/postrider"
LINKS = ("/usr/sbin/sendmail", "/usr/lib/sendmail", "/usr/bin/mailq",
         "/usr/bin/newaliases")
HOSTS = "127.0.0.1 localhost\n127.0.1.1 box.example.net box\n"


class StartError(Exception):
    pass


class Machine:
    def __init__(self, directory):
        self.directory = directory      # where its files are mounted
        self.process = self.pid = None
        self.environments = {}          # of each user

    def start(self):
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork",
             "--kill-child", HERE / "start", self._root(), self.directory],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self.process.stdout.readline().decode().strip()
        if not self.pid:
            raise StartError("its namespaces cannot be made here")
        self.put("/etc/hosts", HOSTS)
        self.put("/etc/nsswitch.conf", "passwd: files\ngroup: files\n"
                 "shadow: files\nhosts: files\nservices: files\n")
        self.put("/etc/mailname", "example.org\n")
        self.put(POSTRIDER, Path(binary()).read_bytes(), mode="755")
        for link in LINKS:
            self.run("ln", "-s", POSTRIDER, link)
        if self.run(POSTRIDER, "--version", check=False).returncode:
            raise StartError(f"{binary()} needs what is not there:\n"
                             + self.run("ldd", POSTRIDER).stdout.decode())

    def _root(self):
        made = subprocess.run([HERE / "root", "make"], stdout=subprocess.PIPE)
        if made.returncode:
            raise StartError("there is no root to run programs in")
        return made.stdout.decode().strip()

    def stop(self):
        """End it, and with its process 1 all others."""
        if self.process:
            self.process.stdin.close()
            self.process.wait()
            self.process.stdout.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def run(self, *argv, user="root", stdin=b"", env=None, cwd=None,
            timeout=60, check=True):
        """Run a program there to its end, in the environment of a log-in of
        that user (env is put above it), in the user's home or in cwd."""
        own = dict(self._environment(user), **(env or {}))
        command = ["nsenter", "--target", self.pid, "--mount", "--pid",
                   "--uts", "--ipc", "--root", "--wd", "--",
                   "setpriv", f"--reuid={user}", f"--regid={user}",
                   "--init-groups", "env", "-i", "-C", cwd or own["HOME"],
                   *(f"{name}={value}" for name, value in own.items()), *argv]
        done = subprocess.run(
            command, input=stdin, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=timeout * slowness(),
            start_new_session=True)
        if check:
            assert done.returncode == 0, (
                f"{argv} ended with {done.returncode}\n"
                f"{done.stdout.decode(errors='replace')}"
                f"{done.stderr.decode(errors='replace')}")
        return done

    def _environment(self, user):
        if user == "root":
            home = "/root"
        elif user not in self.environments:
            entry = self.run("getent", "passwd", user).stdout.decode()
            home = self.environments[user] = entry.split(":")[5]
        else:
            home = self.environments[user]
        return {"HOME": home, "USER": user, "LOGNAME": user, "PATH": PATH,
                "LANG": "C.UTF-8", "TERM": "vt100", "TZ": "UTC",
                "SHELL": "/bin/sh"}

    def put(self, path, content, owner="root", mode="644"):
        """Write a file there, with its folders."""
        if isinstance(content, str):
            content = content.encode()
        self.run("sh", "-euc", """
            install -d -o "$2" -g "$2" "$(dirname "$1")"
            cat >"$1"
            chown "$2:$2" "$1"
            chmod "$3" "$1"
        """, "put", str(path), owner, mode, stdin=content, cwd="/")

    def get(self, path):
        """The octets of a file there; none of one that is not."""
        return self.run("cat", path, check=False).stdout

    def daemon(self, *argv):
        """Run one in the environment of an init, which ends it."""
        self.run("env", "-i", f"PATH={PATH}", "HOME=/root", "LANG=C.UTF-8",
                 *argv)

    def add_user(self, name):
        self.run("useradd", "--create-home", "--user-group", "--shell",
                 "/bin/sh", name)
