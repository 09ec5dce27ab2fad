"""Other programs that queue mail for a server, side by side with ours.

    jail = Jail(directory)      # root, in a mount namespace of its own
    peer = Nullmailer(jail)
    peer.configure(port)        # of the server, on 127.0.0.1
    peer.enqueue                # the words that queue a message, given on
                                # standard input as peer.form(message) has it
    peer.flush()                # start sending; peer.stop() ends it

They come from the distribution's packages, which are unpacked beside the system
and never installed, in $POSTRIDER_PEERS or postrider-peers in the user's cache.
A jail is a root of its own, with their programs laid over the machine's /usr,
so each finds its files where it was built to; the spools of all are on one file
system, that of the directory.  Nothing of the machine's can be written to in
it.
"""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

# What is fetched for whom, beside what it depends on and is not there.
PACKAGES = {
    "nullmailer": ["nullmailer"],
    "dma": ["dma"],
    "postfix": ["postfix", "liblmdb0", "libsasl2-modules"],
    "msmtp": ["msmtp"],
    "curl": ["curl"],
    "esmtp": ["esmtp"],
    "swaks": ["swaks", "libnet-ssleay-perl"],
}
QUEUERS = ("nullmailer", "dma", "postfix")
SENDER, RECIPIENT = "a@example.org", "b@example.net"


def cache():
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("POSTRIDER_PEERS") or
                Path(base) / "postrider-peers")


def closure(packages):
    """These packages, and those they need that are not there."""
    names = set(packages)
    for package in packages:
        said = subprocess.run(
            ["apt-get", "-s", "install", "--no-install-recommends", package],
            check=True, capture_output=True, text=True).stdout
        names.update(line.split()[1] for line in said.splitlines()
                     if line.startswith("Inst "))
    return sorted(names)


def unpack(name, folder):
    """The packages of one of them, in a folder that is there when all is."""
    fresh = folder.with_name(folder.name + ".new")
    debs = fresh / "debs"
    shutil.rmtree(fresh, ignore_errors=True)
    debs.mkdir(parents=True)
    subprocess.run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root",
                    "download", *closure(PACKAGES[name])], cwd=debs,
                   check=True)
    for deb in debs.glob("*.deb"):
        subprocess.run(["dpkg", "-x", deb, fresh], check=True)
    for path in fresh.rglob("*"):       # so that LD_PRELOAD works
        if path.is_file() and not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o777)
    sendmail = fresh / "usr/sbin/sendmail"
    if name == "postfix":               # nullmailer has one
        sendmail.rename(sendmail.with_name("postfix-sendmail"))
    shutil.rmtree(debs)
    (fresh / "packages").write_text(" ".join(PACKAGES[name]))
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def is_unpacked(name, folder):
    known = folder / "packages"
    return known.exists() and known.read_text() == " ".join(PACKAGES[name])


def fetch(names):
    """Unpack their packages unless they are there; the folder of each."""
    folders = [cache() / name for name in names]
    for name, folder in zip(names, folders):
        if not is_unpacked(name, folder):
            unpack(name, folder)
    return folders


class Jail:
    """The root directory in which all programs run."""

    def __init__(self, directory, programs=None, names=QUEUERS):
        """programs: {name in /opt: path}; names: whose packages are there."""
        self.root = Path(directory) / "root"
        for name in ("usr", "etc", "dev", "proc", "opt", "root", "var/log",
                     "var/spool", "var/lib", "run", "tmp"):
            (self.root / name).mkdir(parents=True)
        for name in ("bin", "sbin", "lib", "lib64"):
            (self.root / name).symlink_to("usr/" + name)
        lower = ":".join([*(str(folder / "usr") for folder in fetch(names)),
                          "/usr"])
        subprocess.run(["mount", "-t", "overlay", "-o", f"ro,lowerdir={lower}",
                        "overlay", self.root / "usr"], check=True)
        subprocess.run(["mount", "-t", "proc", "-o", "ro", "proc",
                        self.root / "proc"], check=True)
        for name in ("null", "urandom"):
            known = os.stat("/dev/" + name)
            os.mknod(self.root / "dev" / name, known.st_mode, known.st_rdev)
            (self.root / "dev" / name).chmod(0o666)
        for name in ("ld.so.cache", "nsswitch.conf", "localtime"):
            if Path("/etc", name).exists():
                shutil.copy(f"/etc/{name}", self.root / "etc" / name)
        self.write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"
                   "mail:x:8:8:mail:/var/mail:/bin/false\n"
                   "postfix:x:9001:9001::/var/spool/postfix:/bin/false\n"
                   "nobody:x:65534:65534:nobody:/:/bin/false\n")
        self.write("etc/group", "root:x:0:\nmail:x:8:\npostfix:x:9001:\n"
                   "postdrop:x:9002:\nnogroup:x:65534:\n")
        self.write("etc/hosts", "127.0.0.1 client.example.org localhost "
                   f"{os.uname().nodename}\n")
        self.write("etc/mailname", "client.example.org\n")
        for name, program in (programs or {}).items():
            shutil.copy(program, self.root / "opt" / name)

    def write(self, name, text, mode=0o644):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def folder(self, name, uid=0, gid=0, mode=0o755):
        path = self.root / name
        path.mkdir(parents=True, exist_ok=True)
        os.chown(path, uid, gid)
        path.chmod(mode)

    def environment(self, preload=None):
        result = {"HOME": "/root", "PATH": "/usr/sbin:/usr/bin",
                  "LC_ALL": "C", "LD_LIBRARY_PATH": "/usr/lib/postfix"}
        if preload:
            result["LD_PRELOAD"] = preload
        return result

    def start(self, words, stdin=subprocess.DEVNULL, before=(), **more):
        """Start a program; `before` goes in front of the chroot."""
        return subprocess.Popen(
            [*before, "chroot", self.root, *words], stdin=stdin,
            env=self.environment(), stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, start_new_session=True, **more)

    def run(self, words, stdin=subprocess.DEVNULL, before=()):
        child = self.start(words, stdin, before)
        _, said = child.communicate()
        if child.returncode:
            raise RuntimeError(f"{words}: {child.returncode}: {said!r}")

    def repeat(self, words, octets, count, preload=None):
        """The seconds that each of so many runs takes, one after the other.
        (In a process of its own, which has gone into the jail.)"""
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            try:
                os.close(reading)
                os.write(writing, self._repeat(words, octets, count, preload))
                os._exit(0)
            finally:
                os._exit(1)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            times = pipe.read().split()
        if os.waitpid(pid, 0)[1] or len(times) != count:
            raise RuntimeError(f"{words} failed in the jail")
        return [float(one) for one in times]

    def _repeat(self, words, octets, count, preload):
        os.chroot(self.root)
        os.chdir("/")
        given = os.memfd_create("message")
        os.write(given, octets)
        nothing = os.open("/dev/null", os.O_WRONLY)
        actions = [(os.POSIX_SPAWN_DUP2, given, 0)] + [
            (os.POSIX_SPAWN_DUP2, nothing, 1),
            (os.POSIX_SPAWN_DUP2, nothing, 2)]
        result = []
        for _ in range(count):
            os.lseek(given, 0, os.SEEK_SET)
            start = time.perf_counter()
            pid = os.posix_spawn(words[0], words, self.environment(preload),
                                 file_actions=actions)
            status = os.waitpid(pid, 0)[1]
            result.append(time.perf_counter() - start)
            if status:
                os._exit(2)
        return " ".join(map(str, result)).encode()


class Queuer:
    """One of them.  queue: the folders in which its queue is."""

    preload = None
    child = None

    def __init__(self, jail):
        self.jail = jail
        self.setup()

    def form(self, message):
        return message

    def stop(self):
        if self.child:
            if self.child.poll() is None:
                os.killpg(self.child.pid, signal.SIGTERM)
            self.child.wait()
            self.child.stderr.close()
            self.child = None

    def waiting(self):
        """How many messages it has queued."""
        return sum(1 for name in self.queue
                   for path in (self.jail.root / name).rglob("*")
                   if path.is_file() and self.is_message(path.name))

    def is_message(self, name):
        return True

    def empty(self):
        for name in self.queue:
            for path in (self.jail.root / name).rglob("*"):
                if path.is_file():
                    path.unlink()


class Nullmailer(Queuer):
    name = "nullmailer"
    enqueue = ["/usr/sbin/nullmailer-queue"]
    listing = ["/usr/bin/mailq"]
    queue = ["var/spool/nullmailer/queue", "var/spool/nullmailer/failed"]

    def setup(self):
        for name in ("queue", "tmp", "failed"):
            self.jail.folder("var/spool/nullmailer/" + name)
        os.mkfifo(self.jail.root / "var/spool/nullmailer/trigger", 0o622)

    def configure(self, port):
        for name, text in (("me", "client.example.org"), ("pausetime", "0"),
                           ("remotes", f"127.0.0.1 smtp port={port}")):
            self.jail.write("etc/nullmailer/" + name, text + "\n")

    def form(self, message):
        return f"{SENDER}\n{RECIPIENT}\n\n".encode() + message

    def flush(self):
        self.child = self.jail.start(["/usr/sbin/nullmailer-send"])


class Dma(Queuer):
    name = "dma"
    enqueue = ["/usr/sbin/dma", "-i", "-bq", "-f", SENDER, RECIPIENT]
    listing = ["/usr/sbin/dma", "-bp"]
    queue = ["var/spool/dma"]

    def setup(self):
        self.jail.folder("var/spool/dma", 8, 8, 0o775)
        self.jail.write("etc/dma/auth.conf", "")

    def configure(self, port):
        self.jail.write("etc/dma/dma.conf", "SMARTHOST 127.0.0.1\n"
                        f"PORT {port}\nMAILNAME client.example.org\n"
                        "NULLCLIENT\n")

    def is_message(self, name):
        return name.startswith("M")

    def flush(self):
        self.jail.run(["/usr/sbin/dma", "-q"])


class Postfix(Queuer):
    name = "Postfix"
    enqueue = ["/usr/sbin/postfix-sendmail", "-i", "-f", SENDER, RECIPIENT]
    listing = ["/usr/sbin/postqueue", "-p"]
    queue = ["var/spool/postfix/" + name for name in
             ("maildrop", "incoming", "active", "deferred")]
    settings = ""

    def setup(self):
        spool = "var/spool/postfix/"
        for name in ("active", "bounce", "corrupt", "defer", "deferred",
                     "flush", "hold", "incoming", "private", "saved", "trace"):
            self.jail.folder(spool + name, 9001, 0, 0o700)
        self.jail.folder(spool + "maildrop", 9001, 9002, 0o730)
        self.jail.folder(spool + "public", 9001, 9002, 0o710)
        self.jail.folder(spool + "pid")
        self.jail.folder("var/lib/postfix", 9001, 9001)
        self.jail.write("etc/postfix/master.cf", "".join(
            f"{name} {kind} {private} - n {wake} {most} {program}\n"
            for name, kind, private, wake, most, program in (
                ("pickup", "unix", "n", 1, 1, "pickup"),
                ("cleanup", "unix", "n", "-", 0, "cleanup"),
                ("qmgr", "unix", "n", 300, 1, "qmgr"),
                ("rewrite", "unix", "-", "-", "-", "trivial-rewrite"),
                ("bounce", "unix", "-", "-", 0, "bounce"),
                ("defer", "unix", "-", "-", 0, "bounce"),
                ("trace", "unix", "-", "-", 0, "bounce"),
                ("flush", "unix", "n", "1000?", 0, "flush"),
                ("smtp", "unix", "-", "-", "-", "smtp"),
                ("relay", "unix", "-", "-", "-", "smtp"),
                ("showq", "unix", "n", "-", "-", "showq"),
                ("error", "unix", "-", "-", "-", "error"),
                ("retry", "unix", "-", "-", "-", "error"),
                ("tlsmgr", "unix", "-", "1000?", 1, "tlsmgr"),
                ("scache", "unix", "-", "-", 1, "scache"))))

    def configure(self, port, deferred=False):
        self.jail.write("etc/postfix/main.cf", f"""\
compatibility_level = 3.6
myhostname = client.example.org
mydestination =
local_transport = error:none
inet_interfaces = loopback-only
inet_protocols = ipv4
relayhost = [127.0.0.1]:{port}
smtp_host_lookup = native
alias_maps =
{'defer_transports = smtp' if deferred else ''}
{self.settings}
""")
        # One that is new might be written just now: it would wait.
        os.utime(self.jail.root / "etc/postfix/main.cf", (10 ** 9, 10 ** 9))

    def begin(self):
        """Start its daemons, and have what was queued taken in."""
        self.child = self.jail.start(["/usr/lib/postfix/sbin/master", "-d"])

    def flush(self):
        self.child.send_signal(signal.SIGHUP)
        self.jail.run(["/usr/sbin/postqueue", "-f"])
