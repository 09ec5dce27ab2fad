"""A certification authority and every certificate the tests need.

Made with the `openssl` command line in a directory of the caller's.  Names:

    good            DNS mail.example.org, localhost, one.example.com; the IP
                    addresses 127.0.0.1 and ::1
    ip              the IP address 127.0.0.1 alone
    dns             DNS mail.example.org alone
    wrong-name      DNS other.example.net
    wrong-ip        the IP address 192.0.2.1
    cn-only         no subjectAltName; the common name is mail.example.org
    wildcard        DNS *.example.org
    wildcard-tld    DNS *.org
    idn             DNS xn--mnchen-3ya.example
    expired, not-yet-valid      else like good
    intermediate    like good, signed by an intermediate authority; the chain
                    has it
    no-intermediate the same certificate alone
    self-signed     like good, signed by itself
    client          for the client, by the same authority

The chain of NAME is in NAME.pem, its key in NAME.key, the authority in ca.pem,
an authority that signed nothing in other-ca.pem.
"""

import datetime
import hashlib
import ssl
import subprocess
from pathlib import Path

GOOD = "DNS:mail.example.org,DNS:localhost,DNS:one.example.com," \
       "IP:127.0.0.1,IP:::1"
DAY = datetime.timedelta(days=1)

# name: subjectAltName, common name, first day and last day from now
LEAVES = {
    "good": (GOOD, "good", -1, 30),
    "ip": ("IP:127.0.0.1", "ip", -1, 30),
    "dns": ("DNS:mail.example.org", "dns", -1, 30),
    "wrong-name": ("DNS:other.example.net", "wrong-name", -1, 30),
    "wrong-ip": ("IP:192.0.2.1", "wrong-ip", -1, 30),
    "cn-only": (None, "mail.example.org", -1, 30),
    "wildcard": ("DNS:*.example.org", "wildcard", -1, 30),
    "wildcard-tld": ("DNS:*.org", "wildcard-tld", -1, 30),
    "idn": ("DNS:xn--mnchen-3ya.example", "idn", -1, 30),
    "expired": (GOOD, "expired", -30, -2),
    "not-yet-valid": (GOOD, "not-yet-valid", 2, 30),
}

CONFIG = """
[ca]
default_ca = here
[here]
dir = {dir}
database = {dir}/index.txt
new_certs_dir = {dir}
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = none
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = dn
prompt = no
[dn]
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
"""


class Certificates:
    """Paths by name: certs.chain("good"), certs.key("good"), certs.ca."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.ca = self.directory / "ca.pem"
        self.other_ca = self.directory / "other-ca.pem"
        if not (self.directory / "done").exists():
            self._make()
            (self.directory / "done").touch()

    def chain(self, name):
        return self.directory / f"{name}.pem"

    def key(self, name):
        return self.directory / f"{name}.key"

    def fingerprint(self, name, algorithm):
        """As openssl writes it: AB:CD:..."""
        pem = self.chain(name).read_text().split("-----END")[0]
        der = ssl.PEM_cert_to_DER_cert(pem + "-----END CERTIFICATE-----")
        return hashlib.new(algorithm, der).digest().hex(":").upper()

    def _make(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "index.txt").touch()
        self.config = self.directory / "openssl.cnf"
        self.config.write_text(CONFIG.format(dir=self.directory))
        self._self_signed("ca", "postrider test authority", "authority")
        self._self_signed("other-ca", "postrider other authority", "authority")
        self._self_signed("self-signed", "self-signed", "leaf",
                          self._extensions(GOOD))
        for name, (san, common, first, last) in LEAVES.items():
            self._leaf(name, san, common, "ca", first, last)
        self._leaf("client", None, "alice", "ca", -1, 30)
        self._leaf("middle", None, "postrider test intermediate", "ca", -1, 30,
                   section="authority")
        self._leaf("intermediate", GOOD, "intermediate", "middle", -1, 30)
        alone = self.chain("intermediate").read_text()
        self.chain("no-intermediate").write_text(alone)
        self.key("no-intermediate").write_text(
            self.key("intermediate").read_text())
        self.chain("intermediate").write_text(
            alone + self.chain("middle").read_text())

    def _openssl(self, *arguments):
        subprocess.run(("openssl",) + arguments, cwd=self.directory,
                       check=True, capture_output=True)

    def _extensions(self, san):
        lines = ["[leaf]", "basicConstraints = critical,CA:FALSE",
                 "keyUsage = critical,digitalSignature",
                 "subjectKeyIdentifier = hash"]
        if san:
            lines.append(f"subjectAltName = {san}")
        return "\n".join(lines) + "\n"

    def _key(self, name):
        self._openssl("genpkey", "-algorithm", "EC", "-pkeyopt",
                      "ec_paramgen_curve:P-256", "-out", f"{name}.key")

    def _self_signed(self, name, common, section, extra=""):
        config = self.directory / f"{name}.cnf"
        config.write_text(CONFIG.format(dir=self.directory) + extra)
        self._key(name)
        self._openssl("req", "-new", "-x509", "-key", f"{name}.key", "-days",
                      "30", "-subj", f"/CN={common}", "-config", str(config),
                      "-extensions", section, "-out", f"{name}.pem")

    def _leaf(self, name, san, common, issuer, first, last, section="leaf",
              extra=""):
        config = self.directory / f"{name}.cnf"
        config.write_text(CONFIG.format(dir=self.directory)
                          + self._extensions(san) + extra)
        self._key(name)
        self._openssl("req", "-new", "-key", f"{name}.key", "-subj",
                      f"/CN={common}", "-config", str(config), "-out",
                      f"{name}.csr")
        now = datetime.datetime.now(datetime.timezone.utc)
        dates = [(now + day * DAY).strftime("%Y%m%d%H%M%SZ")
                 for day in (first, last)]
        self._openssl("ca", "-batch", "-notext", "-config", str(config),
                      "-cert", f"{issuer}.pem", "-keyfile", f"{issuer}.key",
                      "-in", f"{name}.csr", "-startdate", dates[0],
                      "-enddate", dates[1], "-extensions", section,
                      "-out", f"{name}.pem")
