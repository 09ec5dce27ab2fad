"""Exim, as Debian builds it, on loopback: the one server that lets EHLO come
before its greeting (PIPECONNECT).  What it takes stays in its queue.

It is started only for the tests that need it; mailsystem.py ends it.
"""

import itertools
import os
import pwd
import re
import shutil
import socket

import mailconfig as conf
from mailsystem import free_ports

USER = "mail"           # as whom it runs; it insists that its own is known too
BUILT_FOR = "Debian-exim"

CONFIGURATION = """
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
exim_user = {user}
exim_group = {user}
primary_hostname = {hostname}
local_interfaces = 127.0.0.1
daemon_smtp_ports = {ports[starttls]} : {ports[implicit]}
tls_on_connect_ports = {ports[implicit]}
tls_certificate = {folder}/server.pem
tls_advertise_hosts = *
pipelining_connect_advertise_hosts = {advertised}
queue_only = true
log_selector = +pipelining
keep_environment =
acl_smtp_connect = {connect}
acl_smtp_mail = accept
acl_smtp_rcpt = accept
acl_smtp_data = accept
begin acl
hesitate:
  accept delay = 1s
begin authenticators
PLAIN:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{alice}}}}\
{{eq{{$auth3}}{{secret}}}}}}}}
  server_set_id = $auth2
  server_advertise_condition = ${{if def:tls_in_cipher}}
"""


class Exim:
    """Use: exim = Exim(mail); exim.start(); exim.ports["implicit"]."""

    numbers = itertools.count()

    def __init__(self, mail):
        self.mail = mail
        self.ports = dict(zip(("implicit", "starttls"), free_ports(2)))

    def start(self, advertises=True, hesitates=True):
        """Anew at the same ports, if it runs; advertises PIPECONNECT?  If it
        hesitates, for a second before it greets, it sees who does not."""
        self.stop()
        self.folder = os.path.join(self.mail.base,
                                   "exim%d" % next(self.numbers))
        self._make_folder(advertised="*" if advertises else ":",
                          connect="hesitate" if hesitates else "accept")
        before = len(self.mail.processes)
        self.mail.start_more(
            "Exim", self._is_up, "unshare", "--mount", "sh", "-ec",
            'for f in passwd group; do mount --bind "$0/$f" /etc/$f; done\n'
            'exec "$@"', self.folder, self.mail.root + "/usr/sbin/exim4",
            "-C", self.path("conf"), "-bdf", "-oP", self.path("pid"))
        self.process = self.mail.processes[before]

    def stop(self):
        process = getattr(self, "process", None)
        if process and process.poll() is None:
            process.terminate()
            process.wait(10)

    def path(self, name):
        return os.path.join(self.folder, name)

    def _write(self, name, text, mode=0o644):
        with open(self.path(name), "w") as f:
            f.write(text)
        os.chmod(self.path(name), mode)

    def _make_folder(self, **told):
        user = pwd.getpwnam(USER)
        os.mkdir(self.folder)
        os.chown(self.folder, user.pw_uid, user.pw_gid)
        self._write("conf", CONFIGURATION.format(
            folder=self.folder, user=USER, hostname=conf.HOSTNAME,
            ports=self.ports, **told))
        ids = "%d:%d" % (user.pw_uid, user.pw_gid)
        for name, row in (("passwd", f"{BUILT_FOR}:x:{ids}::/:/bin/false\n"),
                          ("group", f"{BUILT_FOR}:x:{user.pw_gid}:\n")):
            with open("/etc/" + name) as f:
                self._write(name, f.read() + row)
        shutil.copy(os.path.join(self.mail.pki, "server.pem"),
                    self.path("server.pem"))
        os.chown(self.path("server.pem"), user.pw_uid, user.pw_gid)

    def _is_up(self):
        try:
            with socket.create_connection(
                    ("127.0.0.1", self.ports["starttls"]), 5) as s:
                return s.recv(3) == b"220"
        except OSError:
            return False

    def log(self):
        text = ""
        for name in ("mainlog", "rejectlog"):
            if os.path.exists(self.path(name)):
                with open(self.path(name), errors="replace") as f:
                    text += f.read()
        return text

    def taken(self):
        """The lines of its log about messages that it took."""
        return [line for line in self.log().splitlines()
                if re.search(r" <= alice@example\.org ", line)]

    def queued(self):
        """The bodies of what it has."""
        bodies = []
        for folder, _, names in os.walk(self.path("spool/input")):
            for name in names:
                if name.endswith("-D"):
                    with open(os.path.join(folder, name), "rb") as f:
                        bodies.append(f.read().partition(b"\n")[2])
        return bodies
