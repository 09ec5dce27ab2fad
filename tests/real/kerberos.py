"""A Kerberos realm of our own: MIT's KDC on loopback, users and tickets.

It is started only for the tests that need it; mailsystem.py ends it.
"""

import os
import pwd
import socket
import subprocess
import time

import mailconfig as conf

REALM = "EXAMPLE.ORG"
OTHER_REALM = "EXAMPLE.NET"	# which knows nobody in the first
PASSWORDS = {"alice": "open sesame", "bob": "grüße"}
# As whom Dovecot (and gsasl) can answer. "nokey" is in the realm, but the
# server has not its key; other names are not in the realm.
SERVICES = ("smtp/" + conf.HOSTNAME, "smtp/localhost")
NOKEY = "smtp/nokey.example.org"

KRB5_CONF = """
[libdefaults]
  default_realm = {REALM}
  dns_lookup_realm = false
  dns_lookup_kdc = false
  dns_canonicalize_hostname = false
  rdns = false
  plugin_base_dir = {plugins}
[realms]
  {REALM} = {{
    kdc = 127.0.0.1:{port}
  }}
  {OTHER_REALM} = {{
    kdc = 127.0.0.1:{port}
  }}
[domain_realm]
  .example.org = {REALM}
  localhost = {REALM}
[dbmodules]
  db_module_dir = {plugins}/kdb
"""

KDC_CONF = """
[kdcdefaults]
  kdc_listen = 127.0.0.1:{port}
  kdc_tcp_listen = 127.0.0.1:{port}
[realms]
  {REALM} = {{
    database_name = {folder}/db
    key_stash_file = {folder}/stash
  }}
  {OTHER_REALM} = {{
    database_name = {folder}/otherdb
    key_stash_file = {folder}/otherstash
  }}
[logging]
  kdc = FILE:{folder}/kdc.log
"""


class Realm:
    """Use: realm = Realm(mail); realm.start(); ticket = realm.kinit(…)."""

    def __init__(self, mail):
        self.mail = mail
        self.folder = mail.kerberos
        self.port = None
        self.tickets = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def _tool(self, name, *args, said=""):
        """One of the programs, to its end."""
        done = subprocess.run(
            [self.mail.root + "/usr/" + name, *args], input=said.encode(),
            env=self.mail.unpacked_environment(), capture_output=True)
        if done.returncode:
            raise RuntimeError("%s: %s" % (name, done.stderr.decode()))
        return done.stdout.decode()

    def start(self):
        os.mkdir(self.folder)
        self.mail.take_ports("kdc")
        self.port = self.mail.server("kdc").port
        plugins = (self.mail.root + "/usr/lib/" + os.path.basename(
            os.path.dirname(self._library())) + "/krb5/plugins")
        values = dict(globals(), port=self.port, folder=self.folder,
                      plugins=plugins)
        for name, text in (("krb5.conf", KRB5_CONF), ("kdc.conf", KDC_CONF)):
            with open(self.path(name), "w") as f:
                f.write(text.format(**values))
        self._fill()
        self.mail.start_more(
            "Kerberos's KDC", self._is_up,
            self.mail.root + "/usr/sbin/krb5kdc", "-n",
            "-r", REALM, "-r", OTHER_REALM)

    def _library(self):
        for folder in self.mail.libraries.split(":"):
            path = os.path.join(folder, "libkdb5.so.10")
            if os.path.exists(path):
                return path
        raise RuntimeError("libkdb5.so.10 is missing")

    def _fill(self):
        """Users with passwords and services with keys, in both realms."""
        dovecot = pwd.getpwnam(conf.DOVECOT_USER)
        for realm in (REALM, OTHER_REALM):
            self._tool("sbin/kdb5_util", "-r", realm, "create", "-s",
                       "-P", "not a secret")
        orders = ['addprinc -pw "%s" %s@%s' % (password, user, realm)
                  for user, password in PASSWORDS.items()
                  for realm in (REALM, OTHER_REALM)]
        orders += ["addprinc -randkey " + service
                   for service in (*SERVICES, NOKEY)]
        orders += ["ktadd -k %s %s" % (self.path("keytab"),
                                       " ".join(SERVICES)),
                   "ktadd -norandkey -k %s alice" % self.path("alice.keytab")]
        for realm in (REALM, OTHER_REALM):
            self._tool("sbin/kadmin.local", "-r", realm, said="\n".join(
                o for o in orders if (realm == OTHER_REALM) ==
                o.endswith("@" + OTHER_REALM)) + "\n")
        os.chown(self.path("keytab"), dovecot.pw_uid, dovecot.pw_gid)
        # Where the server keeps what it has seen, against repetition.
        with open(self.path("seen"), "wb"):
            os.chown(self.path("seen"), dovecot.pw_uid, dovecot.pw_gid)

    def _is_up(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
            return True
        except OSError:
            return False

    def kinit(self, user="alice", lasts="1h", realm=REALM):
        """A cache with a ticket got by password: what KRB5CCNAME names."""
        self.tickets += 1
        cache = "FILE:" + self.path("ticket%d" % self.tickets)
        self._tool("bin/kinit", "-c", cache, "-l", lasts,
                   "%s@%s" % (user, realm), said=PASSWORDS[user] + "\n")
        return cache

    def expired(self):
        cache = self.kinit(lasts="1s")
        time.sleep(2)
        return cache

    def variables(self, cache):
        """The environment of who has that cache."""
        return {"KRB5_CONFIG": self.path("krb5.conf"), "KRB5CCNAME": cache}
