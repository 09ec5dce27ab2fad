"""Postfix, Dovecot's SASL and two proxies on loopback, for one test session.

Knows how they are unpacked, configured, started and stopped; everything of
theirs is below one temporary directory. What is sent to them is no concern of
this file.
"""

import base64
import glob
import grp
import hashlib
import hmac
import itertools
import os
import pwd
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

import mailconfig as conf
import tokens
from harness import slowness

HERE = os.path.dirname(os.path.abspath(__file__))

RSA = ("-newkey", "rsa:2048")
EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
PATIENCE = 30		# seconds; a disk may stand still for some


class StartError(Exception):
    """A server did not come up; the text says why, with its log."""


class Server:
    """One smtpd(8) service as a client sees it."""

    def __init__(self, name, port):
        self.name = name
        self.port = port
        self.host = "127.0.0.1"

    def __repr__(self):
        return "%s:%d" % (self.name, self.port)


class MailSystem:
    """All servers. Use: ms = MailSystem(); ms.start(); …; ms.stop()."""

    def __init__(self):
        self.base = tempfile.mkdtemp(prefix="postrider-real-")
        os.chmod(self.base, 0o755)	# the servers' users walk through it
        self.processes = []
        self.guard = None
        self.servers = {}
        self.proxies = {}	# ports, by the program's name
        self.boxes_taken = 0
        self.marks = itertools.count()
        join = lambda *names: os.path.join(self.base, *names)
        self.root = join("root")
        self.etc = join("etc")
        self.queue = join("queue")
        self.data = join("data")
        self.mail = join("mail")
        self.pki = join("pki")
        self.dovecot = join("dovecot")
        self.kerberos = join("kerberos")
        self.log = join("postfix.log")
        self.dovecot_log = join("dovecot.log")

    # What tests ask

    @property
    def ca(self):
        return os.path.join(self.pki, "ca.crt")

    def tls_context(self):
        """For Python's own clients."""
        return ssl.create_default_context(cafile=self.ca)

    def server(self, name):
        return self.servers[name]

    def new_mailbox(self):
        """The name of a mailbox that nobody has used."""
        name = "box%d" % self.boxes_taken
        self.boxes_taken += 1
        if self.boxes_taken > conf.MAILBOXES:
            raise RuntimeError("MAILBOXES is too small")
        return name

    def delivered(self, name):
        """The messages in mailbox NAME now, oldest first."""
        paths = glob.glob(os.path.join(self.mail, name, "new", "*"))
        found = []
        for path in sorted(paths, key=lambda p: (os.stat(p).st_mtime_ns, p)):
            with open(path, "rb") as f:
                found.append(f.read())
        return found

    def wait_for(self, name, count=1, timeout=PATIENCE):
        """The first COUNT messages of mailbox NAME, when they are there."""
        deadline = time.monotonic() + timeout * slowness()
        while True:
            found = self.delivered(name)
            if len(found) >= count:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(
                    "%s: %d of %d messages arrived\n%s" %
                    (name, len(found), count, self.logs()))
            time.sleep(0.01)

    def settle(self, timeout=PATIENCE):
        """Wait until Postfix has nothing left to deliver."""
        deadline = time.monotonic() + timeout * slowness()
        while any(files for part in ("incoming", "active", "maildrop")
                  for _, _, files in os.walk(os.path.join(self.queue, part))):
            if time.monotonic() > deadline:
                raise AssertionError("the queue does not empty\n" +
                                     self.logs())
            time.sleep(0.01)

    def log_size(self):
        """Where Postfix's log ends, with all in it that its programs have said
        up to now: another program writes it, when it comes to it."""
        mark = "mark %d of the tests\n" % next(self.marks)
        size = os.path.getsize(self.log)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.connect(os.path.join(self.queue, "public", "postlog"))
            s.send(mark.rstrip().encode())
        self.wait_log(mark, size)
        return os.path.getsize(self.log)

    def wait_log(self, pattern, since=0, timeout=PATIENCE, log=None):
        """The first match of PATTERN in Postfix's log behind SINCE."""
        deadline = time.monotonic() + timeout * slowness()
        while True:
            text = self._read_log(log or self.log, since)
            match = re.search(pattern, text)
            if match:
                return match
            if time.monotonic() > deadline:
                raise AssertionError("%r is not in the log:\n%s" %
                                     (pattern, text))
            time.sleep(0.01)

    @staticmethod
    def _read_log(path, since):
        """What there is of it: who writes it makes it, in its own time."""
        try:
            with open(path, "rb") as f:
                f.seek(since)
                return f.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""

    def wait_dovecot(self, pattern, since=0):
        return self.wait_log(pattern, since, log=self.dovecot_log)

    def logs(self):
        text = ""
        for path in (self.log, self.dovecot_log,
                     os.path.join(self.base, "danted.log"),
                     os.path.join(self.base, "output")):
            if os.path.exists(path):
                with open(path, errors="replace") as f:
                    lines = f.readlines()[-40:]
                text += "--- %s\n%s" % (path, "".join(lines))
        return text

    def unpacked_environment(self):
        """For programs that were unpacked."""
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "LD_LIBRARY_PATH": self.libraries,
                "KRB5_CONFIG": os.path.join(self.kerberos, "krb5.conf"),
                "KRB5_KDC_PROFILE": os.path.join(self.kerberos, "kdc.conf"),
                "KRB5RCACHENAME": "file2:" +
                os.path.join(self.kerberos, "seen")}

    def fingerprint(self, name="server"):
        """What openssl says of a certificate: 'AB:CD:…', by SHA-256."""
        out = subprocess.run(
            ["openssl", "x509", "-noout", "-fingerprint", "-sha256",
             "-in", os.path.join(self.pki, name + ".crt")],
            check=True, capture_output=True, text=True).stdout
        return out.strip().split("=", 1)[1]

    # Starting and stopping

    def start(self):
        if not shutil.which("openssl"):
            raise StartError("the program openssl is needed")
        try:
            self._unpack()
            self._make_pki()
            self._make_directories()
            self._configure()
            self._start_dovecot()
            self._start_postfix()
            self._start_proxies()
            self._start_guard()
        except BaseException:
            self.stop()
            raise

    def stop(self):
        self._end_guard()
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.base, ignore_errors=True)

    def _unpack(self):
        """A copy of the cache, which may lie where only root can look."""
        try:
            done = subprocess.run(
                [os.path.join(HERE, "servers"), "fetch"],
                check=True, stdout=subprocess.PIPE, text=True)
        except subprocess.CalledProcessError:
            raise StartError("Postfix and Dovecot could not be fetched; "
                             "tests/real/servers fetch says why") from None
        shutil.copytree(os.path.join(done.stdout.strip(), "root"),
                        self.root, symlinks=True)
        self._move_modules()
        places = (glob.glob(self.root + "/usr/lib/*-linux-gnu*") +
                  glob.glob(self.root + "/lib/*-linux-gnu*") +
                  [self.root + "/usr/lib/postfix",
                   self.root + "/usr/lib/dovecot",
                   self.root + "/usr/lib/dovecot/modules",
                   self.root + "/usr/lib/dovecot/modules/old-stats"])
        self.libraries = ":".join(places)

    def _move_modules(self):
        """Dovecot's modules lie in one folder, whatever it is told.  In this
        copy that is "lib" below base_dir, where its processes run."""
        fixed = b"/usr/lib/dovecot"
        moved = b"lib".rjust(len(fixed) - 1, b"/").rjust(len(fixed), b".")
        for name in ("auth", "libdovecot.so.0", "libdovecot-login.so.0"):
            path = os.path.realpath(self.root + "/usr/lib/dovecot/" + name)
            with open(path, "rb") as f:
                program = f.read()
            with open(path, "wb") as f:
                f.write(program.replace(fixed, moved))

    def _openssl(self, *args):
        subprocess.run(("openssl",) + args, check=True, cwd=self.pki,
                       stdin=subprocess.DEVNULL, capture_output=True)

    def _certificate(self, name, signer, alt_names, days="30", key=EC):
        """NAME.crt, NAME.key, and NAME.pem, which is both and the signer."""
        self._openssl("req", *key, "-nodes",
                      "-keyout", name + ".key", "-out", name + ".csr",
                      "-subj", "/CN=" + name)
        with open(os.path.join(self.pki, name + ".ext"), "w") as f:
            f.write("subjectAltName=%s\n" % alt_names)
        self._openssl("x509", "-req", "-in", name + ".csr",
                      "-CA", signer + ".crt", "-CAkey", signer + ".key",
                      "-CAcreateserial", "-days", days,
                      "-extfile", name + ".ext", "-out", name + ".crt")
        parts = [name + ".key", name + ".crt", signer + ".crt"]
        with open(os.path.join(self.pki, name + ".pem"), "w") as out:
            for part in parts:
                with open(os.path.join(self.pki, part)) as f:
                    out.write(f.read())

    def _make_pki(self):
        os.mkdir(self.pki)
        for ca in ("ca", "otherca"):
            self._openssl("req", "-x509", *EC, "-nodes",
                          "-days", "30", "-subj", "/CN=Test " + ca,
                          "-keyout", ca + ".key", "-out", ca + ".crt",
                          "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        ours = "DNS:localhost,DNS:%s,DNS:%s,IP:127.0.0.1" % (
            conf.HOSTNAME, conf.HIDDEN)
        self._certificate("server", "ca", ours, key=RSA)
        self._certificate("client", "ca", "email:alice@" + conf.DOMAIN)
        self._certificate("stranger", "otherca", ours)
        self._certificate("othername", "ca", "DNS:elsewhere.example.net")
        self._certificate("expired", "ca", ours, days="-1")

    def _make_directories(self):
        owner = pwd.getpwnam(conf.POSTFIX_USER)
        mail = pwd.getpwnam(conf.MAILBOX_USER)
        news = grp.getgrnam(conf.POSTFIX_GROUP)

        def make(path, uid=0, gid=0, mode=0o755):
            os.mkdir(path)
            os.chown(path, uid, gid)
            os.chmod(path, mode)

        make(self.etc)
        make(self.queue)
        for name in ("active", "bounce", "corrupt", "defer", "deferred",
                     "flush", "hold", "incoming", "private", "saved",
                     "trace"):
            make(os.path.join(self.queue, name), owner.pw_uid, mode=0o700)
        make(os.path.join(self.queue, "maildrop"), owner.pw_uid, news.gr_gid,
             0o730)
        make(os.path.join(self.queue, "public"), owner.pw_uid, news.gr_gid,
             0o710)
        make(os.path.join(self.queue, "pid"))
        make(self.data, owner.pw_uid, mode=0o700)
        make(self.mail, mail.pw_uid, mail.pw_gid, 0o700)
        make(self.dovecot)
        make(os.path.join(self.dovecot, "run"))
        os.symlink(self.root + "/usr/lib/dovecot",
                   os.path.join(self.dovecot, "run", "lib"))
        make(os.path.join(self.dovecot, "state"))

    def _write(self, path, text):
        with open(path, "w") as f:
            f.write(text)

    def _table(self, name, rows):
        self._write(os.path.join(self.etc, name),
                    "".join("%s %s\n" % (key if "@" in key else
                                         key + "@" + conf.DOMAIN, value)
                            for key, value in rows.items()))

    def _configure(self):
        mail = pwd.getpwnam(conf.MAILBOX_USER)
        values = dict(vars(conf), **vars(self))
        values.update(
            mail_uid=mail.pw_uid, mail_gid=mail.pw_gid,
            dovecot_group=grp.getgrgid(
                pwd.getpwnam(conf.DOVECOT_USER).pw_gid).gr_name)

        boxes = {"box%d" % i: "box%d/" % i for i in range(conf.MAILBOXES)}
        boxes.update((name, name + "/") for name in
                     ("alice", "bob", "jürgen", "o'brien", "user+tag",
                      *conf.SENDER_ACCESS, *conf.RECIPIENT_ACCESS))
        boxes["idn@" + conf.IDN_DOMAIN] = "idn/"
        boxes['"with space"@' + conf.DOMAIN] = "space/"
        boxes['"dots..inside"@' + conf.DOMAIN] = "dots/"
        self._table("mailboxes", boxes)
        # Known when it is received, unknown when it is delivered.
        self._table("listed", dict(boxes, bounces="bounces/"))
        self._table("senders", conf.SENDER_ACCESS)
        self._table("access", conf.RECIPIENT_ACCESS)
        # A ticket's owner is known with the realm.
        self._table("owners", {"alice": "alice,alice@example.org",
                               "ceo": "bob@example.org"})

        self._write(os.path.join(self.etc, "master.cf"),
                    conf.MASTER_CF + self._services())
        self.take_ports(*conf.DOVECOTS)
        values.update(("%s_port" % name, self.servers[name].port)
                      for name in ("relay", *conf.DOVECOTS))
        values["passwords"] = " ".join(conf.MECHANISMS).lower()
        self._write(os.path.join(self.etc, "main.cf"),
                    conf.MAIN_CF.format(**values))
        self._write(os.path.join(self.etc, "dynamicmaps.cf"), "")
        self._write(os.path.join(self.dovecot, "dovecot.conf"),
                    conf.DOVECOT_CONF.format(**values))
        self._write(os.path.join(self.dovecot, "oauth2.conf"),
                    conf.OAUTH2_CONF.format(**values))
        self._write_users()
        tokens.write_keys(os.path.join(self.dovecot, "keys"),
                          os.path.join(self.pki, "server.key"))

    def _write_users(self):
        def plain(users):
            return "".join("%s:{PLAIN.b64}%s\n" % (user, _base64(password))
                           for user, password in users.items())

        stored = "".join("%s:{SCRAM-SHA-1}%s\n" % (user, scram_sha_1(word))
                         for user, word in conf.SCRAM_SHA_1_ONLY.items())
        self._write(os.path.join(self.dovecot, "users"),
                    plain(conf.PASSWORDS) + stored)
        self._write(os.path.join(self.dovecot, "masters"),
                    plain(conf.MASTERS))

    def take_ports(self, *names):
        """A server of each name, on a port that is free just now."""
        for name, port in zip(names, free_ports(len(names))):
            self.servers[name] = Server(name, port)

    def _services(self):
        """A line of master.cf for each service."""
        self.take_ports(*conf.SERVICES)
        lines = []
        for name, options in conf.SERVICES.items():
            lines.append("127.0.0.1:%d inet n - n - - smtpd" %
                         self.servers[name].port)
            lines.append("  -o syslog_name=postfix/%s" % name)
            for key, value in options.items():
                lines.append("  -o { %s = %s }" % (key, value))
        return "\n".join(lines) + "\n"

    def _spawn(self, *argv):
        output = open(os.path.join(self.base, "output"), "ab")
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            cwd="/", start_new_session=True, env=self.unpacked_environment())
        output.close()
        self.processes.append(process)
        return process

    def _wait_until(self, name, process, is_up, timeout=PATIENCE):
        deadline = time.monotonic() + timeout * slowness()
        while not is_up():
            if process.poll() is not None or time.monotonic() > deadline:
                raise StartError("%s did not start:\n%s" %
                                 (name, self.logs()))
            time.sleep(0.02)

    def _start_dovecot(self):
        """Through doveconf, as dovecot would look for it in /usr/bin."""
        told = os.path.join(self.dovecot, "dovecot.conf")
        process = self._spawn(
            self.root + "/usr/bin/doveconf", "-c", told, "-m", "master",
            "-e", self.root + "/usr/sbin/dovecot", "-F", "-c", told)
        auth = os.path.join(self.queue, "private", "auth")
        self._wait_until("Dovecot", process, lambda: os.path.exists(auth))

    def _start_postfix(self):
        process = self._spawn(self.root + "/usr/lib/postfix/sbin/master",
                              "-c", self.etc)
        port = self.servers["submission"].port

        def is_up():
            try:
                with socket.create_connection(("127.0.0.1", port), 5) as s:
                    return s.recv(3) == b"220"
            except OSError:
                return False
        self._wait_until("Postfix", process, is_up)
        self.wait_log(r"disconnect from")	# of this very look

    def _start_proxies(self):
        """With a hosts file of their own, so that they know more names."""
        hosts = os.path.join(self.base, "hosts")
        self._write(hosts, "127.0.0.1 localhost %s\n" % conf.HIDDEN)
        own_hosts = ("unshare", "--mount", "sh", "-ec",
                     'mount --bind "$0" /etc/hosts; exec "$@"', hosts)
        danted_port, microsocks_port = free_ports(2)
        told = os.path.join(self.base, "danted.conf")
        self._write(told, conf.DANTED_CONF.format(
            base=self.base, danted_port=danted_port))
        self._start_proxy(
            "danted", danted_port, *own_hosts, self.root + "/usr/sbin/danted",
            "-f", told, "-p", os.path.join(self.base, "danted.pid"))
        self._start_proxy(
            "microsocks", microsocks_port, *own_hosts,
            self.root + "/usr/bin/microsocks", "-i", "127.0.0.1",
            "-p", str(microsocks_port), "-u", conf.PROXY_USER,
            "-P", conf.PROXY_PASSWORD)

    def _start_proxy(self, name, port, *argv):
        process = self._spawn(*argv)

        def is_up():
            try:
                socket.create_connection(("127.0.0.1", port), 5).close()
            except OSError:
                return False
            return True
        self._wait_until(name, process, is_up)
        self.proxies[name] = port

    def start_more(self, name, is_up, *argv):
        """One more server, later: it ends with the others."""
        process = self._spawn(*argv)
        self._wait_until(name, process, is_up)
        self._start_guard()

    def _end_guard(self):
        if self.guard:
            self.guard.communicate(b"all is well\n")

    def _start_guard(self):
        """Somebody who clears up if this process is killed."""
        self._end_guard()
        self.guard = subprocess.Popen(
            ["sh", "-c", 'read line || '
             '{ kill "$@"; sleep 2; rm -rf "$0"; }', self.base] +
            [str(process.pid) for process in self.processes],
            stdin=subprocess.PIPE, start_new_session=True)


def _ports_of_ours():
    """In any order: ports that the kernel gives to nobody who connects, and
    that no other process of this test session draws."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        low = int(file.read().split()[0])
    assert low > 12000, "the kernel leaves too few ports to servers"
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    ports = list(range(10000 + worker, low, workers))
    random.shuffle(ports)
    return iter(ports)


_ports = _ports_of_ours()


def free_ports(count):
    """Ports of 127.0.0.1 that nobody has just now, and that are given away but
    once: a server takes them only a while later."""
    return list(itertools.islice(filter(_is_free, _ports), count))


def _is_free(port):
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _base64(text):
    if isinstance(text, str):
        text = text.encode()
    return base64.b64encode(text).decode()


def scram_sha_1(password, salt=b"only for tests", rounds=4096):
    """What a server keeps of a password (RFC 5802 3), in Dovecot's form."""
    def key(name):
        return hmac.digest(salted, name, "sha1")

    salted = hashlib.pbkdf2_hmac("sha1", password.encode(), salt, rounds)
    stored = hashlib.sha1(key(b"Client Key")).digest()
    return ",".join((str(rounds), _base64(salt), _base64(stored),
                     _base64(key(b"Server Key"))))
