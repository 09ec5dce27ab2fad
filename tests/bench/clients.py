"""Clients that submit a message, each as a row of the tables.

    client = Msmtp(place)
    words = client.prepare(job)     # writes what it reads, says how it is run
    client.form(message)            # the octets it is given
    client.descriptor               # ... at this descriptor

A place is where programs run: a directory that is their root, and a home in it.
What a client cannot do is said in its class, and is a dash in the table.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import peers

SENDER, RECIPIENT = peers.SENDER, peers.RECIPIENT
USER, PASSWORD = "alice", "secret"
NAME = "client.example.org"
WAYS = ("implicit", "starttls", "none")


@dataclass
class Job:
    """What is to be done."""

    port: int
    tls: str                # one of WAYS
    trust: str = None       # the file of authorities, as the client names it
    login: bool = True
    message: str = None     # the file of the message, as the client names it
    via: str = "BDAT"       # the server offers CHUNKING; or DATA
    mechanism: str = "PLAIN"
    t: bool = False         # the recipients are those of the header
    length: int = 2048      # octets of the message


class Place:
    """The machine itself, with a home in a directory."""

    def __init__(self, directory, programs):
        self.root = Path("/")
        self.home = str(directory / "home")
        self.programs = {name: str(path) for name, path in programs.items()}
        self.outside(self.home).mkdir(parents=True)

    def outside(self, name):
        """The path of what the programs call so."""
        return Path(f"{self.root}/{name}")

    def write(self, name, content, mode=0o644):
        """A file in the home; what the programs call it."""
        name = f"{self.home}/{name}"
        path = self.outside(name)
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        if isinstance(content, str):
            content = content.encode()
        path.write_bytes(content)
        path.chmod(mode)
        return name

    def environment(self):
        return {"HOME": self.home, "PATH": "/usr/sbin:/usr/bin:/bin",
                "LC_ALL": "C", "TMPDIR": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"}


class Cell(Place):
    """A jail, with the packages of the others laid over the machine's."""

    def __init__(self, directory, programs):
        self.jail = peers.Jail(directory, programs, list(peers.PACKAGES))
        self.root = self.jail.root
        self.home = "/root"
        self.programs = {name: f"/opt/{name}" for name in programs}
        self.jail.folder("tmp", mode=0o1777)
        self.jail.write("etc/hosts", "127.0.0.1 localhost mail.example.org "
                        f"{NAME} {os.uname().nodename}\n")
        for name in ("ssl/openssl.cnf", "services", "protocols", "host.conf",
                     "gai.conf"):
            if Path("/etc", name).exists():
                self.jail.write(f"etc/{name}", Path("/etc", name).read_text())


class Client:
    name = None
    verifies = True         # the certificate of the server
    ways = WAYS
    mechanism = "PLAIN"
    descriptor = 0          # at which it reads the message
    slow = False            # gets a tenth of the messages
    part = 1                # of large messages: an eighth, where it is 8
    is_daemon = False
    tickets = True          # it bears a server that gives them
    environment = {}        # more of it

    def __init__(self, place):
        self.place = place

    def form(self, message):
        return message

    def feed(self, path):
        """Of a file of any size: the one that it gets."""
        return path


def lines(**settings):
    return "".join(f"{key} {value}\n" for key, value in settings.items()
                   if value is not None)


class Postrider(Client):
    name = "postrider"
    resume = "off"

    def prepare(self, job):
        text = "account default\n" + lines(
            host="127.0.0.1", port=job.port, domain=NAME, **{"from": SENDER},
            tls="off" if job.tls == "none" else "on",
            tls_starttls="on" if job.tls == "starttls" else "off",
            tls_trust_file=job.trust, tls_resume=self.resume,
            auth=job.mechanism.lower() if job.login else "off",
            user=USER if job.login else None,
            password=PASSWORD if job.login else None)
        if job.tls == "none":
            text = text.replace("tls_starttls off\n", "")
        config = self.place.write("postriderrc", text, 0o600)
        return [self.place.programs["postrider"], "-C", config,
                *(["-t"] if job.t else ["-f", SENDER, RECIPIENT])]


class Resuming(Postrider):
    """Its second message: TLS goes on with the session of the first."""

    name = "postrider, going on with a TLS session"
    ways = ("implicit", "starttls")
    resume = "on"


class Floor(Client):
    name = "floor: bare client"

    def prepare(self, job):
        words = [self.place.programs["floor"], f"port={job.port}",
                 f"tls={job.tls}", f"via={job.via}"]
        if job.trust:
            words.append(f"trust={job.trust}")
        if job.login:
            words += [f"user={USER}", f"password={PASSWORD}"]
        return words

    def form(self, message):
        return message.replace(b"\n", b"\r\n")

    def feed(self, path):
        return path.with_suffix(".crlf")


class FloorTwice(Floor):
    """It reads the message before it connects."""

    name = Floor.name + ", reading twice"

    def prepare(self, job):
        return [*super().prepare(job), "reads=2"]


class Msmtp(Client):
    name = "msmtp"
    part = 8

    def prepare(self, job):
        config = self.place.write("msmtprc", "account default\n" + lines(
            host="127.0.0.1", port=job.port, domain=NAME, **{"from": SENDER},
            tls="off" if job.tls == "none" else "on",
            tls_starttls="on" if job.tls == "starttls" else "off",
            tls_trust_file=job.trust,
            auth=job.mechanism.lower() if job.login else "off",
            user=USER if job.login else None,
            password=PASSWORD if job.login else None), 0o600)
        return ["/usr/bin/msmtp", "-C", config,
                *(["-t"] if job.t else ["-f", SENDER, RECIPIENT])]


class Curl(Client):
    name = "curl"

    def prepare(self, job):
        scheme = "smtps" if job.tls == "implicit" else "smtp"
        words = ["/usr/bin/curl", "-s", "-S", "--url",
                 f"{scheme}://127.0.0.1:{job.port}/{NAME}",
                 "--mail-from", SENDER, "--mail-rcpt", RECIPIENT,
                 "--upload-file", "-"]
        if job.tls != "none":
            words += ["--ssl-reqd", "--cacert", job.trust]
        if job.login:
            words += ["--user", f"{USER}:{PASSWORD}", "--sasl-ir",
                      "--login-options", "AUTH=PLAIN"]
        return words

    form, feed = Floor.form, Floor.feed     # it does not change line ends


class Nullmailer(Client):
    """Its helper for SMTP, which nullmailer-send runs for each message."""

    name = "nullmailer's smtp"
    descriptor = 3
    environment = {"HELOHOST": NAME}

    def prepare(self, job):
        words = ["/usr/lib/nullmailer/smtp", f"--port={job.port}",
                 "--host=127.0.0.1"]
        if job.tls != "none":
            words += ["--tls" if job.tls == "implicit" else "--starttls",
                      f"--x509cafile={job.trust}"]
        if job.login:
            words += [f"--user={USER}", f"--pass={PASSWORD}"]
        return words

    def form(self, message):
        return f"{SENDER}\n{RECIPIENT}\n\n".encode() + message

    def feed(self, path):
        return path.with_suffix(".queued")


class Esmtp(Client):
    """It goes by names, as a certificate's IP addresses are nothing to it, and
    behind the tickets of TLS 1.3 it waits for ever."""

    name = "esmtp"
    tickets = False
    ways = ("starttls", "none")

    def prepare(self, job):
        config = self.place.write("esmtprc", "".join(
            f"{line}\n" for line in (
                f"hostname = mail.example.org:{job.port}", f"helo = {NAME}",
                f"username = {USER}" if job.login else "",
                f"password = {PASSWORD}" if job.login else "",
                "starttls = required" if job.tls == "starttls" else "")
            if line), 0o600)
        if job.trust:
            self.place.write(".config/libesmtp/ca.pem", self.place.outside(
                job.trust).read_bytes(), 0o600)
        return ["/usr/bin/esmtp", "-C", config, "-f", SENDER, RECIPIENT]


class Dma(Client):
    name = "dma"
    verifies = False
    mechanism = "LOGIN"     # it knows no PLAIN
    slow = True
    part = 8

    def __init__(self, place):
        super().__init__(place)
        self.queue = peers.Dma(place.jail)      # makes its folders

    def prepare(self, job):
        jail = self.place.jail
        jail.write("etc/dma/auth.conf",
                   f"{USER}|127.0.0.1:{PASSWORD}\n" if job.login else "")
        jail.write("etc/dma/dma.conf", "SMARTHOST 127.0.0.1\n"
                   f"PORT {job.port}\nMAILNAME {NAME}\nNULLCLIENT\n"
                   "AUTHPATH /etc/dma/auth.conf\n"
                   + "SECURETRANSFER\n" * (job.tls != "none")
                   + "STARTTLS\n" * (job.tls == "starttls"))
        return ["/usr/sbin/dma", "-D", "-i", "-f", SENDER, RECIPIENT]


class Swaks(Client):
    name = "swaks --pipeline"
    slow = True
    part = 8

    def prepare(self, job):
        words = ["/usr/bin/swaks", "--pipeline", "--silent", "3",
                 "--server", "127.0.0.1", "--port", str(job.port),
                 "--helo", NAME, "--from", SENDER, "--to", RECIPIENT,
                 "--data", f"@{job.message}"]
        if job.tls != "none":
            words += ["--tlsc" if job.tls == "implicit" else "--tls",
                      "--tls-verify", "--tls-ca-path", job.trust]
        if job.login:
            words += ["--auth", "PLAIN", "--auth-user", USER,
                      "--auth-password", PASSWORD]
        return words


SMTPLIB = '''\
import smtplib, ssl, sys
port, tls, trust, login, name, sender, recipient, user, password = sys.argv[1:]
more = {}
context = ssl.create_default_context(cafile=trust) if trust else None
kind = smtplib.SMTP
if tls == "implicit":
    kind, more = smtplib.SMTP_SSL, {"context": context}
with kind("127.0.0.1", int(port), name, **more) as server:
    if tls == "starttls":
        server.starttls(context=context)
    if login:
        server.login(user, password)
    server.sendmail(sender, [recipient], sys.stdin.buffer.read())
'''


class Smtplib(Client):
    name = "Python's smtplib"
    slow = True
    part = 8

    def prepare(self, job):
        script = self.place.write("submit.py", SMTPLIB)
        return ["/usr/bin/python3", "-I", script, str(job.port), job.tls,
                job.trust or "", "yes" if job.login else "", NAME, SENDER,
                RECIPIENT, USER, PASSWORD]


class SmtpSource(Client):
    """It makes its message up, has neither TLS nor a login."""

    name = "Postfix's smtp-source"
    ways = ("none",)
    environment = {"LD_LIBRARY_PATH": "/usr/lib/postfix"}

    def prepare(self, job):
        return ["/usr/sbin/smtp-source", "-l", str(job.length), "-f", SENDER,
                "-t", RECIPIENT, "-M", NAME, f"inet:127.0.0.1:{job.port}"]


class PostfixQueue(peers.Postfix):
    tls = ""

    def configure(self, port, deferred=False):
        self.settings = f"""\
smtp_connection_cache_on_demand = no
{self.tls}"""
        super().configure(port, deferred)


class Postfix(Client):
    """As a null client: sendmail queues, its daemons send."""

    name = "Postfix, null client"
    is_daemon = True

    def __init__(self, place):
        super().__init__(place)
        self.queue = PostfixQueue(place.jail)

    def prepare(self, job):
        settings = []
        if job.tls != "none":
            settings += ["smtp_tls_security_level = secure",
                         "smtp_tls_secure_cert_match = nexthop",
                         f"smtp_tls_CAfile = {job.trust}"]
        if job.tls == "implicit":
            settings.append("smtp_tls_wrappermode = yes")
        if job.login:
            settings += [
                "smtp_sasl_auth_enable = yes",
                "smtp_sasl_mechanism_filter = plain",
                "smtp_sasl_security_options =",
                "smtp_sasl_password_maps = inline:"
                f"{{ {{ [127.0.0.1]:{job.port} = {USER}:{PASSWORD} }} }}"]
        self.queue.tls = "\n".join(settings)
        self.queue.configure(job.port)
        return peers.Postfix.enqueue

    def start(self):
        self.queue.begin()

    def stop(self):
        self.queue.stop()


ALONE = (Postrider, Resuming, Floor, FloorTwice, Smtplib)
ALL = (Postrider, Resuming, Msmtp, Curl, Nullmailer, Esmtp, Dma, Swaks,
       Smtplib, SmtpSource, Postfix, Floor, FloorTwice)


def everybody(place):
    """{class: client} of those that are there."""
    kinds = ALL if isinstance(place, Cell) else ALONE
    return {kind: kind(place) for kind in kinds}


@dataclass(frozen=True)
class Row:
    """A client in one of its ways."""

    kind: type
    more: str = ""          # words behind its name
    chunking: bool = True   # offered by the server
    mechanism: str = None   # or the client's own
    t: bool = False
    text: str = None        # the form of large messages, or the client's own
    pipe: bool = False      # the message comes through one

    @property
    def name(self):
        return self.kind.name + (", " + self.more) * bool(self.more)

    @property
    def login(self):
        return self.mechanism or self.kind.mechanism

    def job(self, **more):
        return Job(via="BDAT" if self.chunking else "DATA",
                   mechanism=self.login, t=self.t, **more)


SCRAM = "SCRAM-SHA-256"
TURNS = (
    Row(Postrider), Row(Postrider, "no CHUNKING", chunking=False),
    Row(Postrider, "SCRAM", mechanism=SCRAM),
    Row(Resuming), Row(Msmtp), Row(Msmtp, "SCRAM", mechanism=SCRAM),
    Row(Curl), Row(Nullmailer), Row(Esmtp), Row(Dma), Row(Swaks),
    Row(Smtplib), Row(SmtpSource), Row(Postfix), Row(Floor),
    Row(Floor, "DATA", chunking=False))
COSTS = tuple(map(Row, (Postrider, Resuming, Msmtp, Curl, Nullmailer, Esmtp,
                        Dma, Swaks, Smtplib, Floor)))
BULK = (
    Row(Floor, "BDAT"), Row(Floor, "DATA", chunking=False),
    Row(FloorTwice, "BDAT"), Row(FloorTwice, "DATA", chunking=False),
    Row(Postrider, "BDAT"), Row(Postrider, "DATA", chunking=False),
    Row(Postrider, "BDAT, -t", t=True),
    Row(Postrider, "DATA, -t", chunking=False, t=True),
    Row(Postrider, "BDAT, lines end in CR LF", text="crlf"),
    Row(Postrider, "DATA, lines end in CR LF", chunking=False, text="crlf"),
    Row(Postrider, "BDAT, from a pipe", pipe=True),
    Row(Msmtp), Row(Msmtp, "-t", t=True), Row(Curl), Row(Nullmailer),
    Row(Esmtp), Row(Dma), Row(Swaks), Row(Smtplib), Row(SmtpSource))
MANY = tuple(map(Row, (Msmtp, Postrider, Curl, Nullmailer, Esmtp, Dma, Swaks,
                       Smtplib, Floor)))


def present(rows, clients):
    return [row for row in rows if row.kind in clients]
