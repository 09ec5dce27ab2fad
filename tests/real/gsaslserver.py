"""A small SMTP server whose SASL is GNU SASL's program, gsasl --server.

One client after the other, without TLS; it takes a message and keeps it.
"""

import re
import socket
import subprocess
import threading

from harness import slowness


MECHANISM = "GS2-KRB5"


class GsaslServer:
    """with GsaslServer(mail, keytab) as server: … server.port …"""

    def __init__(self, mail, keytab):
        self.mail = mail
        self.keytab = keytab
        self.answer = "y"	# may the ticket's owner come in?
        self.who = None		# the name in the ticket
        self.authzid = None
        self.message = None
        self.verbs = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        # Wakes accept(), which close() does not.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10 * slowness())

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.settimeout(10 * slowness())
            with connection, connection.makefile("rwb") as stream:
                self._converse(stream)

    def _say(self, stream, text):
        stream.write(text.encode() + b"\r\n")
        stream.flush()

    def _converse(self, stream):
        self._say(stream, "220 localhost ESMTP")
        for line in stream:
            verb, _, rest = line.decode().strip().partition(" ")
            self.verbs.append(verb)
            if verb == "EHLO":
                self._say(stream, "250-localhost\r\n250 AUTH " + MECHANISM)
            elif verb == "AUTH":
                good = self._authenticate(stream, rest)
                self._say(stream, "235 2.7.0 welcome" if good else
                          "535 5.7.8 not you")
            elif verb == "DATA":
                self._say(stream, "354 go on")
                self.message = b"".join(iter(stream.readline, b".\r\n"))
                self._say(stream, "250 2.0.0 kept")
            elif verb == "QUIT":
                self._say(stream, "221 2.0.0 bye")
                return
            else:
                self._say(stream, "250 2.0.0 yes")

    def _authenticate(self, stream, rest):
        """Between the client and gsasl, which asks as it would a person."""
        mechanism, _, initial = rest.partition(" ")
        assert mechanism == MECHANISM
        given = [initial] if initial else []
        gsasl = subprocess.Popen(
            [self.mail.root + "/usr/bin/gsasl", "--server", "--mechanism",
             mechanism, "--service", "smtp", "--hostname", "localhost"],
            env={**self.mail.unpacked_environment(),
                 "KRB5_KTNAME": self.keytab},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        try:
            return self._relay(stream, gsasl, given)
        finally:
            gsasl.kill()
            gsasl.wait()
            gsasl.stdin.close()
            gsasl.stdout.close()

    def _relay(self, stream, gsasl, given):
        said = b""

        def tell(text):
            nonlocal said
            said = b""
            gsasl.stdin.write(text.encode() + b"\n")
            gsasl.stdin.flush()

        while True:
            octet = gsasl.stdout.read(1)
            said += octet
            if not octet:
                return False
            if said.endswith(b"(y/n) "):
                text = said.decode()
                self.who = re.search("Display Name: (.*)", text)[1]
                self.authzid = re.search("Authzid: (.*)", text)[1]
                tell(self.answer)
            elif said.endswith(b"(press RET if none):\n"):
                if not given:
                    out = re.search(rb"Output from server:\n(.*)\n", said)
                    self._say(stream, "334 " + out[1].decode())
                    given = [stream.readline().decode().strip()]
                tell(given.pop())
            elif b"Server authentication finished" in said:
                return True
