"""Postfix and Dovecot's SASL on loopback, for one test session.

Knows how the two are unpacked, configured, started and stopped; everything of
theirs is below one temporary directory. What is sent to them is no concern of
this file.
"""

import base64
import glob
import grp
import os
import pwd
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

from harness import slowness

HERE = os.path.dirname(os.path.abspath(__file__))

# Users that every Debian has, so that none needs to be made.
POSTFIX_USER = "uucp"
POSTFIX_GROUP = "news"		# must not be POSTFIX_USER's own
DOVECOT_LOGIN = "games"
DOVECOT_USER = "list"
MAILBOX_USER = "mail"

DOMAIN = "example.org"
IDN_DOMAIN = "xn--bcher-kva.example.org"	# bücher.example.org
HOSTNAME = "mail.example.org"

# Login names and passwords. Postfix's log shows who came in and how.
PASSWORDS = {
    "alice": "secret",
    "bob@example.org": "p@ss:word",
    "spaces": " two  words ",
    "quotes": "a\"b'c\\d#e",
    "umlaut": "pässwörd€",
    "long": "x" * 200,
}

MAILBOXES = 800			# box0 … box799, one for each message sent

# Refusals: the address says what becomes of it.
SENDER_ACCESS = {
    "refused": "550 5.1.8 we know no such sender",
    "forbidden": "554 5.7.1 policy does not like you",
    "later": "450 4.1.8 come again",
    "busy": "451 4.3.0 policy service is away",
}
RECIPIENT_ACCESS = {
    "grey": "450 4.2.0 greylisted, come back in five minutes",
    "full": "452 4.2.2 mailbox is full",
    "overfull": "552 5.2.2 mailbox has been full for long",
    "policy": "554 5.7.1 policy forbids it",
    "moved": "551 5.1.6 has moved away",
    "closed": "550 5.2.1 mailbox is closed",
    "plain550": "550 nobody here of that name",
    "plain450": "450 not at the moment",
    "shutdown": "421 4.3.2 we are going down",
}

RSA = ("-newkey", "rsa:2048")
EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")

EXTENSIONS = "pipelining, chunking, dsn, smtputf8, 8bitmime, size"
MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256")

# One smtpd(8) for each: its name and what sets it apart from "submission".
SERVICES = {
    "submission": {},
    "smtps": {"smtpd_tls_wrappermode": "yes"},
    # Says no at MAIL, where "submission" waits for RCPT.
    "eager": {"smtpd_delay_reject": "no"},
    "shut": {"smtpd_delay_reject": "no",
             "smtpd_client_restrictions": "reject"},
    "away": {"smtpd_delay_reject": "no",
             "smtpd_client_restrictions": "defer"},
    "cleartext": {"smtpd_tls_security_level": "none",
                  "smtpd_tls_auth_only": "no"},
    # No AUTH: it lets in who has no name, to its own mailboxes.
    "open": {"smtpd_sasl_auth_enable": "no",
             "smtpd_relay_restrictions": "permit_auth_destination,reject"},
    "bare": {"smtpd_discard_ehlo_keywords": EXTENSIONS},
    "nochunking": {"smtpd_discard_ehlo_keywords": "chunking"},
    "strict": {"smtpd_hard_error_limit": "3"},
    "small": {"message_size_limit": "4000"},
    "smallsecret": {"message_size_limit": "4000",
                    "smtpd_discard_ehlo_keywords": "size"},
    "stranger": {"smtpd_tls_chain_files": "$stranger_pem"},
    "expired": {"smtpd_tls_chain_files": "$expired_pem"},
    "othername": {"smtpd_tls_chain_files": "$othername_pem"},
    "clientcert": {"smtpd_tls_req_ccert": "yes",
                   "smtpd_tls_CAfile": "$ca_crt"},
    "tls12": {"smtpd_tls_mandatory_protocols": "<=TLSv1.2, >=TLSv1.2"},
    "tls11": {"smtpd_tls_mandatory_protocols": "<=TLSv1.1, >=TLSv1.1",
              "smtpd_tls_mandatory_ciphers": "null",
              "tls_null_cipherlist": "ALL:@SECLEVEL=0"},
}
for _name in MECHANISMS:
    SERVICES["only-" + _name.lower()] = {
        "smtpd_sasl_mechanism_filter": _name.lower()}

MAIN_CF = """
compatibility_level = 3.6
config_directory = {etc}
queue_directory = {queue}
data_directory = {data}
daemon_directory = {root}/usr/lib/postfix/sbin
command_directory = {root}/usr/sbin
shlib_directory = {root}/usr/lib/postfix
meta_directory = {etc}
mail_owner = {POSTFIX_USER}
setgid_group = {POSTFIX_GROUP}
import_environment = MAIL_CONFIG MAIL_LOGTAG LANG=C POSTLOG_SERVICE
    POSTLOG_HOSTNAME LD_LIBRARY_PATH={libraries}
maillog_file = {log}
maillog_file_prefixes = {base}
alias_maps =
alias_database =

myhostname = {HOSTNAME}
mydomain = {DOMAIN}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
default_transport = error:5.4.4 no mail leaves this machine
relay_transport = error:5.4.4 no mail leaves this machine
notify_classes =
biff = no
in_flow_delay = 0
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 2000
smtpd_hard_error_limit = 2000
smtpd_peername_lookup = no
recipient_delimiter =
message_size_limit = 50000000
mailbox_size_limit = 0
virtual_mailbox_limit = 0

# A message is kept as it came, so that what arrived is what was sent.
local_header_rewrite_clients =
message_drop_headers =
disable_mime_input_processing = yes

virtual_mailbox_domains = {DOMAIN}, {IDN_DOMAIN}
virtual_mailbox_base = {mail}
virtual_mailbox_maps = texthash:{etc}/listed
delivered_maps = texthash:{etc}/mailboxes
virtual_minimum_uid = 1
virtual_uid_maps = static:{mail_uid}
virtual_gid_maps = static:{mail_gid}

smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_chain_files = {pki}/server.pem
smtpd_tls_loglevel = 1
ca_crt = {pki}/ca.crt
stranger_pem = {pki}/stranger.pem
expired_pem = {pki}/expired.pem
othername_pem = {pki}/othername.pem

smtpd_sender_login_maps = texthash:{etc}/owners
smtpd_sender_restrictions = check_sender_access texthash:{etc}/senders,
    reject_known_sender_login_mismatch
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = check_recipient_access texthash:{etc}/access
"""

MASTER_CF = """
cleanup   unix  n  -  n  -     0  cleanup
qmgr      unix  n  -  n  300   1  qmgr
tlsmgr    unix  -  -  n  1000? 1  tlsmgr
rewrite   unix  -  -  n  -     -  trivial-rewrite
bounce    unix  -  -  n  -     0  bounce
defer     unix  -  -  n  -     0  bounce
trace     unix  -  -  n  -     0  bounce
verify    unix  -  -  n  -     1  verify
flush     unix  n  -  n  1000? 0  flush
proxymap  unix  -  -  n  -     -  proxymap
proxywrite unix -  -  n  -     1  proxymap
showq     unix  n  -  n  -     -  showq
error     unix  -  -  n  -     -  error
retry     unix  -  -  n  -     -  error
discard   unix  -  -  n  -     -  discard
virtual   unix  -  n  n  -     -  virtual
  -o virtual_mailbox_maps=$delivered_maps
anvil     unix  -  -  n  -     1  anvil
scache    unix  -  -  n  -     1  scache
postlog   unix-dgram n - n -   1  postlogd
"""

DOVECOT_CONF = """
base_dir = {dovecot}/run
state_dir = {dovecot}/state
instance_name = {dovecot}
libexec_dir = {root}/usr/lib/dovecot
mail_plugin_dir = {root}/usr/lib/dovecot/modules
default_login_user = {DOVECOT_LOGIN}
default_internal_user = {DOVECOT_USER}
default_internal_group = {dovecot_group}
import_environment = LD_LIBRARY_PATH={libraries}
log_path = {dovecot_log}
auth_verbose = yes
protocols =
ssl = no
auth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256
auth_failure_delay = 0
auth_username_chars =
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {dovecot}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}}
service stats {{
  chroot =
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {queue}/private/auth {{
    mode = 0660
    user = {POSTFIX_USER}
  }}
}}
"""


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
    """Both servers. Use: ms = MailSystem(); ms.start(); …; ms.stop()."""

    def __init__(self):
        self.base = tempfile.mkdtemp(prefix="postrider-real-")
        os.chmod(self.base, 0o755)	# the servers' users walk through it
        self.processes = []
        self.guard = None
        self.servers = {}
        self.boxes_taken = 0
        join = lambda *names: os.path.join(self.base, *names)
        self.root = join("root")
        self.etc = join("etc")
        self.queue = join("queue")
        self.data = join("data")
        self.mail = join("mail")
        self.pki = join("pki")
        self.dovecot = join("dovecot")
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
        if self.boxes_taken > MAILBOXES:
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

    def wait_for(self, name, count=1, timeout=10):
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

    def settle(self, timeout=10):
        """Wait until Postfix has nothing left to deliver."""
        deadline = time.monotonic() + timeout * slowness()
        while any(files for part in ("incoming", "active", "maildrop")
                  for _, _, files in os.walk(os.path.join(self.queue, part))):
            if time.monotonic() > deadline:
                raise AssertionError("the queue does not empty\n" +
                                     self.logs())
            time.sleep(0.01)

    def log_size(self):
        return os.path.getsize(self.log)

    def wait_log(self, pattern, since=0, timeout=5):
        """The first match of PATTERN in Postfix's log behind SINCE."""
        deadline = time.monotonic() + timeout * slowness()
        while True:
            with open(self.log, "rb") as f:
                f.seek(since)
                text = f.read().decode("utf-8", "replace")
            match = re.search(pattern, text)
            if match:
                return match
            if time.monotonic() > deadline:
                raise AssertionError("%r is not in the log:\n%s" %
                                     (pattern, text))
            time.sleep(0.01)

    def logs(self):
        text = ""
        for path in (self.log, self.dovecot_log,
                     os.path.join(self.base, "output")):
            if os.path.exists(path):
                with open(path, errors="replace") as f:
                    lines = f.readlines()[-40:]
                text += "--- %s\n%s" % (path, "".join(lines))
        return text

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
            self._start_guard()
        except BaseException:
            self.stop()
            raise

    def stop(self):
        if self.guard:
            self.guard.communicate(b"all is well\n")
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
        places = (glob.glob(self.root + "/usr/lib/*-linux-gnu*") +
                  glob.glob(self.root + "/lib/*-linux-gnu*") +
                  [self.root + "/usr/lib/postfix",
                   self.root + "/usr/lib/dovecot",
                   self.root + "/usr/lib/dovecot/modules/old-stats"])
        self.libraries = ":".join(places)

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
        ours = "DNS:localhost,DNS:%s,IP:127.0.0.1" % HOSTNAME
        self._certificate("server", "ca", ours, key=RSA)
        self._certificate("client", "ca", "email:alice@" + DOMAIN)
        self._certificate("stranger", "otherca", ours)
        self._certificate("othername", "ca", "DNS:elsewhere.example.net")
        self._certificate("expired", "ca", ours, days="-1")

    def _make_directories(self):
        owner = pwd.getpwnam(POSTFIX_USER)
        mail = pwd.getpwnam(MAILBOX_USER)
        news = grp.getgrnam(POSTFIX_GROUP)

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
        make(os.path.join(self.dovecot, "state"))

    def _write(self, path, text):
        with open(path, "w") as f:
            f.write(text)

    def _table(self, name, rows):
        self._write(os.path.join(self.etc, name),
                    "".join("%s %s\n" % (key if "@" in key else
                                         key + "@" + DOMAIN, value)
                            for key, value in rows.items()))

    def _configure(self):
        mail = pwd.getpwnam(MAILBOX_USER)
        values = dict(globals(), **vars(self))
        values.update(
            mail_uid=mail.pw_uid, mail_gid=mail.pw_gid,
            dovecot_group=grp.getgrgid(
                pwd.getpwnam(DOVECOT_USER).pw_gid).gr_name)

        boxes = {"box%d" % i: "box%d/" % i for i in range(MAILBOXES)}
        boxes.update((name, name + "/") for name in
                     ("alice", "bob", "jürgen", "o'brien", "user+tag", *SENDER_ACCESS, *RECIPIENT_ACCESS))
        boxes["idn@" + IDN_DOMAIN] = "idn/"
        boxes['"with space"@' + DOMAIN] = "space/"
        boxes['"dots..inside"@' + DOMAIN] = "dots/"
        self._table("mailboxes", boxes)
        # Known when it is received, unknown when it is delivered.
        self._table("listed", dict(boxes, bounces="bounces/"))
        self._table("senders", SENDER_ACCESS)
        self._table("access", RECIPIENT_ACCESS)
        self._table("owners", {"alice": "alice", "ceo": "bob@example.org"})

        self._write(os.path.join(self.etc, "main.cf"),
                    MAIN_CF.format(**values))
        self._write(os.path.join(self.etc, "master.cf"),
                    MASTER_CF + self._services())
        self._write(os.path.join(self.etc, "dynamicmaps.cf"), "")
        self._write(os.path.join(self.dovecot, "dovecot.conf"),
                    DOVECOT_CONF.format(**values))
        self._write(os.path.join(self.dovecot, "users"),
                    "".join("%s:{PLAIN.b64}%s\n" % (user, _base64(password))
                            for user, password in PASSWORDS.items()))

    def _services(self):
        """A line of master.cf for each service, on ports free just now."""
        lines = []
        sockets = []
        for name, options in SERVICES.items():
            s = socket.socket()
            s.bind(("127.0.0.1", 0))
            sockets.append(s)
            port = s.getsockname()[1]
            self.servers[name] = Server(name, port)
            lines.append("127.0.0.1:%d inet n - n - - smtpd" % port)
            lines.append("  -o syslog_name=postfix/%s" % name)
            for key, value in options.items():
                lines.append("  -o { %s = %s }" % (key, value))
        for s in sockets:
            s.close()
        return "\n".join(lines) + "\n"

    def _spawn(self, *argv):
        output = open(os.path.join(self.base, "output"), "ab")
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            cwd="/", start_new_session=True,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                 "LD_LIBRARY_PATH": self.libraries})
        output.close()
        self.processes.append(process)
        return process

    def _wait_until(self, name, process, is_up, timeout=15):
        deadline = time.monotonic() + timeout * slowness()
        while not is_up():
            if process.poll() is not None or time.monotonic() > deadline:
                raise StartError("%s did not start:\n%s" %
                                 (name, self.logs()))
            time.sleep(0.02)

    def _start_dovecot(self):
        """Through doveconf, as dovecot would look for it in /usr/bin."""
        conf = os.path.join(self.dovecot, "dovecot.conf")
        process = self._spawn(
            self.root + "/usr/bin/doveconf", "-c", conf, "-m", "master",
            "-e", self.root + "/usr/sbin/dovecot", "-F", "-c", conf)
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

    def _start_guard(self):
        """Somebody who clears up if this process is killed."""
        self.guard = subprocess.Popen(
            ["sh", "-c", 'read line || '
             '{ kill "$@"; sleep 2; rm -rf "$0"; }', self.base] +
            [str(process.pid) for process in self.processes],
            stdin=subprocess.PIPE, start_new_session=True)


def _base64(text):
    return base64.b64encode(text.encode()).decode()
