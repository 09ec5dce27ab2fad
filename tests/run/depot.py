"""A fast server that keeps many messages, of many sessions.

The scripted peer looks at every octet; this one takes ten thousand messages in
a second or two.  No TLS, no login, one thread a session.

    with Depot() as depot:
        ... depot.port ...
    depot.letters       [Letter], in the order in which they were accepted
    depot.sessions      how many connections there were
    depot.unheard       how often a message was accepted, and the connection
                        ended before that was said

What it does wrong is up to `fault`, a function that is called with the session
and an event: "connect", "ehlo", "mail", "rcpt", "data" (the word DATA),
"chunk" (some octets of a BDAT are there), "accept" (the message is there, and
nothing was said).  session.line is the command, session.letter the message so
far.  It returns None (nothing is wrong), a reply, DROP (the connection ends
without a word) or LOSE (with "accept": the message is kept, the connection
ends, so the client never learns).
"""

import re
import socket
import struct
import threading
from collections import Counter
from dataclasses import dataclass, field

BLOCK = 1 << 18
DROP, LOSE = object(), object()


@dataclass
class Letter:
    session: int = 0
    sender: str = ""
    recipients: list = field(default_factory=list)
    content: bytes = b""
    parameters: str = ""        # those of MAIL

    @property
    def mark(self):
        """What Message-ID holds, without its brackets."""
        found = re.search(rb"(?im)^message-id:\s*<([^>]*)>", self.content)
        return found[1].decode() if found else ""


class Session:
    def __init__(self, depot, sock, number):
        self.depot, self.sock, self.number = depot, sock, number
        self.buffer, self.out = b"", []
        self.letter = None
        self.line = ""
        self.taken = 0          # messages that were accepted
        self.untold = []        # their marks, as long as nothing was sent
        self.is_over = False

    def run(self):
        try:
            self._event("connect", "220 depot ESMTP")
            while not self.is_over:
                self._command()
            self.flush()
        except OSError:
            pass
        finally:
            self.sock.close()

    def flush(self):
        if self.out:
            self.sock.sendall("".join(self.out).encode())
            self.out, self.untold = [], []

    def _more(self):
        self.flush()
        data = self.sock.recv(BLOCK)
        if not data:
            raise ConnectionError
        self.buffer += data

    def _say(self, text):
        self.out.append(text + "\r\n")

    def _drop(self):
        """End it now: what was said and not sent is lost as well."""
        with self.depot.lock:
            self.depot.unheard.update(self.untold)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        raise ConnectionError

    def _event(self, event, usual):
        """Say what is usual, or what the fault says.  Was it usual?"""
        answer = self.depot.fault(self, event)
        if answer is DROP:
            self._drop()
        if answer is LOSE:
            self._keep()
            self._drop()
        self._say(answer or usual)
        if answer and answer.startswith("421"):
            self.is_over = True
        return answer is None

    def _command(self):
        while b"\n" not in self.buffer:
            self._more()
        line, _, self.buffer = self.buffer.partition(b"\n")
        self.line = line.decode("latin-1").strip()
        verb = self.line.partition(" ")[0].upper()
        act = getattr(self, "_on_" + verb.lower(), None)
        if act:
            act()
        else:
            self._say("250 ok")

    def _on_ehlo(self):
        extra = "".join(f"250-{word}\r\n" for word in self.depot.offers)
        self.letter = None
        self._event("ehlo", f"250-depot\r\n{extra}250 ENHANCEDSTATUSCODES")

    def _on_mail(self):
        found = re.fullmatch(r"(?i)MAIL FROM:<([^>]*)>(.*)", self.line)
        if not found or self.letter:
            self.depot.violations.append(self.line)
        letter = Letter(self.number, found[1], parameters=found[2].strip())
        self.letter = letter
        if not self._event("mail", "250 2.1.0 ok"):
            self.letter = None

    def _on_rcpt(self):
        found = re.fullmatch(r"(?i)RCPT TO:<([^>]*)>.*", self.line)
        if not self.letter:
            self._say("503 5.5.1 no MAIL")
            return
        self.letter.recipients.append(found[1])
        if not self._event("rcpt", "250 2.1.5 ok"):
            self.letter.recipients.remove(found[1])

    def _on_rset(self):
        self.letter = None
        self._say("250 2.0.0 ok")

    def _on_quit(self):
        self._say("221 2.0.0 bye")
        self.is_over = True

    def _on_data(self):
        if not self.letter or not self.letter.recipients:
            self._say("503 5.5.1 no recipient")
            return
        if not self._event("data", "354 go ahead"):
            self.letter = None
            return
        at = 0
        while not self.buffer.startswith(b".\r\n"):
            at = self.buffer.find(b"\r\n.\r\n", max(0, at - 4))
            if at >= 0:
                break
            at = len(self.buffer)
            self._more()
        end = at + 2 if not self.buffer.startswith(b".\r\n") else 0
        text, self.buffer = self.buffer[:end], self.buffer[end + 3:]
        self.letter.content = re.sub(rb"(?m)^\.", b"", text)
        self._accept()

    def _on_bdat(self):
        found = re.fullmatch(r"(?i)BDAT (\d+)( LAST)?", self.line)
        length = int(found[1])
        while len(self.buffer) < length:
            self._more()
        text, self.buffer = self.buffer[:length], self.buffer[length:]
        if not self.letter or not self.letter.recipients:
            self._say("503 5.5.1 no recipient")
            return
        self.letter.content += text
        if found[2]:
            self._accept()
        else:
            self._event("chunk", "250 2.0.0 ok")

    def _accept(self):
        if self._event("accept", "250 2.6.0 accepted"):
            self._keep()
        self.letter = None

    def _keep(self):
        self.taken += 1
        self.untold.append(self.letter.mark)
        with self.depot.lock:
            self.depot.letters.append(self.letter)


class Depot:
    def __init__(self, chunking=True, pipelining=True, fault=None, unix=None):
        self.offers = ["8BITMIME", "SIZE"]
        self.offers += ["PIPELINING"] * pipelining + ["CHUNKING"] * chunking
        self.fault = fault or (lambda session, event: None)
        self.letters, self.violations = [], []
        self.unheard = Counter()    # marks whose 250 was not sent
        self.sessions = 0
        self.open = self.most_open = 0
        self.lock = threading.Lock()
        self.idle = threading.Condition(self.lock)
        if unix:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(unix))
            self.listener.listen(512)
        else:
            self.listener = socket.create_server(("127.0.0.1", 0),
                                                 backlog=512)
            self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)

    def _listen(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.sessions += 1
                self.open += 1
                self.most_open = max(self.most_open, self.open)
                session = Session(self, sock, self.sessions)
            threading.Thread(target=self._session, args=(session,),
                             daemon=True).start()

    def _session(self, session):
        try:
            session.run()
        finally:
            with self.lock:
                self.open -= 1
                self.idle.notify_all()

    def settle(self, seconds=10):
        """Wait until no session is left.  True if so."""
        with self.lock:
            return self.idle.wait_for(lambda: not self.open, seconds)

    def marks(self):
        """The Message-IDs of what was accepted."""
        with self.lock:
            return [letter.mark for letter in self.letters]
