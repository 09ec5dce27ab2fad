"""The scripted peer's side of one connection: ESMTP or LMTP, by the book.

What the client does wrong is not only answered with an error but written to
`violations`, one line each; a test that expects a well-behaved client asserts
that the list is empty.  That includes what a real server would forgive: a bare
LF, a parameter that was not offered, input ahead of an answer without
PIPELINING, a command that has to be the last of its group (RFC 2920 3.1) and
is not, a line of the message with its dot not stuffed, CR, LF or NUL out of
place in the message (anywhere in its header, and in a body that is not
BINARYMIME), octets over 127 in a header without SMTPUTF8 (unless the peer is
told raw_header) or in a body without BODY=8BITMIME or BINARYMIME.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field

import faults
import sasl
from wire import Closed

LAST_OF_GROUP = {"EHLO", "HELO", "LHLO", "STARTTLS", "AUTH", "DATA", "VRFY",
                 "EXPN", "NOOP", "QUIT"}
BODIES = {"7BIT": ("8BITMIME",), "8BITMIME": ("8BITMIME",),
          "BINARYMIME": ("BINARYMIME", "CHUNKING")}    # RFC 6152, 3030
PATH = rb'<((?:"(?:[^"\\]|\\.)*"|[^">])*)>((?: [^ ]+)*)'
AUTH_LIMIT = 12288


@dataclass
class Command:
    verb: str
    line: bytes     # without its line end
    tls: bool


@dataclass
class Recipient:
    address: bytes
    params: dict
    accepted: bool = True       # at RCPT
    delivered: bool = False


@dataclass
class Transaction:
    """What began with MAIL.  `content` is what came, dots unstuffed."""

    sender: bytes
    params: dict
    recipients: list = field(default_factory=list)
    refused: list = field(default_factory=list)
    content: bytes = None
    via: str = None             # "DATA" or "BDAT"
    chunks: list = field(default_factory=list)
    ended: bool = False         # the end of the message was seen

    @property
    def body(self):
        """What MAIL said of it."""
        return self.params.get("BODY", "7BIT").upper()

    @property
    def delivered(self):
        return [r.address.decode() for r in self.recipients if r.delivered]

    @property
    def addresses(self):
        return [r.address.decode() for r in self.recipients + self.refused]


def split_header(content):
    """A message's header and its body, the empty line in neither."""
    if content.startswith(b"\r\n"):
        return b"", content[2:]
    header, end, body = content.partition(b"\r\n\r\n")
    return header + end[:2], body


class Session:
    def __init__(self, peer, wire):
        self.peer = peer
        self.wire = wire
        self.commands = []
        self.transactions = []
        self.violations = []
        self.auth = None            # {"mechanism", "user", "initial", "ok"}
        self.auth_attempts = []     # the same, of each AUTH command
        self.mechanism = None       # the last one's, of sasl.py
        self.helo = []              # names the client gave itself
        self.sni = None
        self.client_cert = None     # as ssl.getpeercert() gives it
        self.tls_reused = None      # did it go on with an earlier session?
        self.address = wire.transport.get_extra_info("peername")
        self.flooded = 0
        self.deaf = False           # reads no more, cannot see the end either
        self.quit = False
        self.greeted = False
        self.hello = False          # EHLO was answered with 250 since TLS
        self.transaction = None
        self._counts = {}
        self._caps = []

    # What a test reads.

    @property
    def turns(self):
        return len(self.wire.turn_log)

    @property
    def verbs(self):
        return [c.verb for c in self.commands]

    @property
    def clear(self):
        """All that came in clear text."""
        return bytes(self.wire.clear)

    @property
    def plain(self):
        """All that came under TLS, decrypted."""
        return bytes(self.wire.plain)

    @property
    def tls_version(self):
        return self.wire.ssl.version() if self.wire.secure else None

    def lines(self, verb):
        return [c.line for c in self.commands if c.verb == verb]

    # The conversation.

    async def run(self):
        try:
            if self.peer.tls == "implicit":
                self.wire.expect_tls(self._context())
                await self._handshake()
            await self.answer("greeting", f"220 {self.peer.name} ESMTP ready",
                              self._greet)
            while True:
                await self._command()
        except Closed:
            pass
        except ConnectionError:
            pass
        finally:
            self.wire.close()

    def _greet(self):
        self.greeted = True

    async def _handshake(self):
        await self.wire.handshake()
        self.client_cert = self.wire.ssl.getpeercert()
        self.tls_reused = self.wire.ssl.session_reused

    def _context(self):
        context = self.peer.make_context()

        def remember(_ssl, name, _context):
            self.sni = name
        context.sni_callback = remember
        return context

    def violation(self, text):
        self.violations.append(text)

    async def answer(self, step, text, effect=None):
        """Say the reply, or what the faults have instead.  The effect (a
        function, maybe a coroutine function) is done if the first digit of
        what is said is that of the text.  Returns what was said."""
        said = None

        async def normal(other=None, inject=b""):
            nonlocal said
            said = text if other is None else other
            self.wire.say(said.replace("\n", "\r\n").encode() + b"\r\n"
                          + inject, self._word(step))
            if effect and said[0] == text[0]:
                result = effect()
                if result is not None:
                    await result

        fault = self._fault(step)
        if fault is None:
            await normal()
        for action in faults.as_list(fault) if fault is not None else []:
            await action.run(self, self._word(step), normal)
        if len(self.wire.out) > self.peer.hold:
            await self.wire.flush()
        return said or ""

    def _word(self, step):
        return {"auth-next": "AUTH"}.get(step, step.upper())

    def _fault(self, step):
        count = self._counts[step] = self._counts.get(step, 0) + 1
        side = "tls" if self.wire.secure else "clear"
        for key in (f"{step}:{count}", f"{step}@{side}", step):
            if key in self.peer.faults:
                return self.peer.faults[key]
        return None

    async def _command(self):
        ahead = self.wire.out and self.wire.flight[-1]
        line = await self.wire.line()
        if ahead and self.wire.out:
            self._early(ahead)
        text = self._chop(line)
        verb = text.split(b" ", 1)[0].split(b":", 1)[0].upper()
        verb = verb.decode("latin-1")
        self.commands.append(Command(verb, text, self.wire.secure))
        limit = self.peer.line_limit
        if verb == "AUTH":
            limit = AUTH_LIMIT
        if len(line) > limit:
            self.violation(f"{verb}: {len(line)} octets in a line")
        if b"\0" in text or b"\r" in text:
            self.violation(f"{verb}: NUL or CR in the line")
        method = getattr(self, "do_" + verb.lower(), None)
        if method is None or not verb.isalpha():
            self.violation(f"unknown command {text[:40]!r}")
            await self.answer("unknown", "500 5.5.2 what?")
        else:
            await method(text)

    def takes_early(self):
        """May EHLO come before the greeting (PIPECONNECT)?"""
        return bool({"PIPECONNECT", "X_PIPE_CONNECT"} & set(self._offer()))

    def _early(self, before):
        if before == "GREETING" and self.takes_early():
            return
        if not self.has("PIPELINING"):
            self.violation(f"input ahead of the reply to {before}, "
                           "and PIPELINING is not offered")
        elif before in LAST_OF_GROUP or before == "GREETING":
            self.violation(f"input ahead of the reply to {before}")

    def _chop(self, line):
        if line.endswith(b"\r\n"):
            return line[:-2]
        self.violation(f"a command ends with a bare LF: {line[:40]!r}")
        return line[:-1]

    # Greeting and capabilities.

    def has(self, name):
        return any(re.split("[ =]", cap)[0].upper() == name
                   for cap in self._caps)

    def _offer(self):
        peer, secure = self.peer, self.wire.secure
        caps = list(peer.capabilities_tls if secure else
                    peer.capabilities_clear)
        if peer.tls == "starttls" and not secure and peer.offer_starttls:
            caps.append("STARTTLS")
        mechanisms = (peer.mechanisms if secure or peer.tls == "none"
                      else peer.mechanisms_clear)
        if mechanisms:
            caps.append("AUTH " + " ".join(mechanisms))
        return caps

    async def _hello(self, step, line, extended):
        name = line.partition(b" ")[2]
        if not name or b" " in name:
            self.violation(f"{step}: bad argument {name!r}")
        self.helo.append(name.decode("latin-1"))
        offered = self._offer() if extended else []
        lines = [f"{self.peer.name} hello"] + offered
        text = "\n".join(f"250-{item}" for item in lines[:-1])
        text += ("\n" if text else "") + "250 " + lines[-1]

        def accept():
            self._caps = offered
            self.transaction = None
            self.hello = True
        await self.answer(step, text, accept)

    async def do_ehlo(self, line):
        if self.peer.lmtp:
            self.violation("EHLO in LMTP")
            await self.answer("ehlo", "500 5.5.1 LHLO, please")
        else:
            await self._hello("ehlo", line, True)

    async def do_helo(self, line):
        await self._hello("helo", line, False)

    async def do_lhlo(self, line):
        if not self.peer.lmtp:
            self.violation("LHLO in SMTP")
            await self.answer("lhlo", "500 5.5.1 EHLO, please")
        else:
            await self._hello("lhlo", line, True)

    async def do_starttls(self, line):
        if not self.has("STARTTLS") or self.wire.secure:
            self.violation("STARTTLS was not offered")
            await self.answer("starttls", "502 5.5.1 not offered")
            return
        if line.upper() != b"STARTTLS":
            self.violation("STARTTLS with an argument")
        await self.answer("starttls", "220 2.0.0 go ahead", self._starttls)

    async def _starttls(self):
        wire = self.wire
        await wire.pause()
        if wire.buffer:
            self.violation("input between STARTTLS and the handshake")
            wire.take(len(wire.buffer))
        wire.expect_tls(self._context())
        await wire.end_flight()
        await self._handshake()
        self._caps = []
        self.hello = False

    # Authentication.

    async def do_auth(self, line):
        words = line.split(b" ")
        name = words[1].decode("latin-1").upper() if len(words) > 1 else ""
        offered = [m.upper() for cap in self._caps if cap.startswith("AUTH")
                   for m in re.split("[ =]", cap)[1:]]
        attempt = {"mechanism": name, "initial": len(words) > 2,
                   "user": None, "authzid": None, "ok": False}
        self.auth_attempts.append(attempt)
        if self.auth and self.auth["ok"]:
            self.violation("AUTH a second time")
        if name not in offered or name not in sasl.MECHANISMS:
            self.violation(f"AUTH {name} was not offered")
            await self.answer("auth", "504 5.5.4 no such mechanism")
            return
        mechanism = sasl.MECHANISMS[name](self.peer.users,
                                          self.peer.bad_signature)
        self.mechanism = mechanism
        response = self._decode(words[2]) if len(words) > 2 else None
        step = "auth"
        while True:
            result = self._ask(mechanism, response)
            if isinstance(result, sasl.More):
                code = base64.b64encode(result.challenge).decode()
                said = await self.answer(step, f"334 {code}")
            elif isinstance(result, sasl.Done):
                said = await self.answer(
                    step, "235 2.7.0 welcome",
                    lambda: self._welcome(attempt, mechanism))
            else:
                attempt["user"] = mechanism.user
                said = await self.answer(step, "535 5.7.8 wrong credentials")
            if not said.startswith("334"):
                return
            ahead = bool(self.wire.out)
            line = self._chop(await self.wire.line())
            if ahead and self.wire.out:
                self.violation("input ahead of a SASL challenge")
            if line == b"*":
                await self.answer("auth-next", "501 5.7.0 cancelled")
                return
            response = self._decode(line)
            step = "auth-next"

    def _decode(self, text):
        if text == b"=":
            return b""
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error:
            self.violation(f"not base64: {text[:40]!r}")
            return b""

    def _ask(self, mechanism, response):
        try:
            return mechanism.step(response)
        except (ValueError, KeyError) as error:
            return sasl.Failed(str(error))

    def _welcome(self, attempt, mechanism):
        attempt["ok"] = True
        attempt["user"] = mechanism.user
        attempt["authzid"] = mechanism.authzid
        self.auth = attempt

    # The transaction.

    def _params(self, text, known, step):
        params = {}
        for word in text.decode("latin-1").split():
            key, _, value = word.partition("=")
            key = key.upper()
            if key in params:
                self.violation(f"{step}: {key} twice")
            needed, said = (known.get(key, key),), key
            if key == "BODY":
                needed, said = BODIES.get(value.upper(), ("BODY",)), word
            if key not in known or not all(map(self.has, needed)):
                self.violation(f"{step}: {said} was not offered")
            params[key] = value
        return params

    async def do_mail(self, line):
        match = re.fullmatch(rb"MAIL FROM:" + PATH, line, re.IGNORECASE)
        if not match:
            self.violation(f"malformed {line[:60]!r}")
            await self.answer("mail", "501 5.5.4 malformed")
            return
        params = self._params(match[2], {
            "SIZE": "SIZE", "BODY": "BODY", "SMTPUTF8": "SMTPUTF8",
            "RET": "DSN", "ENVID": "DSN", "AUTH": "AUTH",
            "BY": "DELIVERBY", "REQUIRETLS": "REQUIRETLS"}, "MAIL")
        self._plain_path(match[1], "SMTPUTF8" in params, "MAIL")
        text, begun = "250 2.1.0 ok", self.transaction is not None
        if not self.hello or begun:
            self.violation("MAIL out of turn")
            text = "503 5.5.1 out of turn"
        elif self.peer.require_auth and not self.auth:
            text = "530 5.7.0 authentication required"
        elif self._too_large(params):
            text = "552 5.3.4 too large"

        def accept():
            self.transaction = Transaction(match[1], params)
            self.transactions.append(self.transaction)
        await self.answer("mail", text, accept)

    def _plain_path(self, path, utf8, step):
        if not utf8 and not path.isascii() and not self.has("UTF8SMTP"):
            self.violation(f"{step}: {path!r} without SMTPUTF8")
        if re.search(rb"[\0-\x1f\x7f]", path):
            self.violation(f"{step}: control character in {path!r}")

    def _too_large(self, params):
        for cap in self._caps:
            match = re.fullmatch(r"SIZE (\d+)", cap)
            if match and params.get("SIZE", "").isdigit():
                return 0 < int(match[1]) < int(params["SIZE"])
        return False

    async def do_rcpt(self, line):
        match = re.fullmatch(rb"RCPT TO:" + PATH, line, re.IGNORECASE)
        if not match:
            self.violation(f"malformed {line[:60]!r}")
            await self.answer("rcpt", "501 5.5.4 malformed")
            return
        params = self._params(match[2], {"NOTIFY": "DSN", "ORCPT": "DSN"},
                              "RCPT")
        if not self.transaction:
            if not self.has("PIPELINING"):
                self.violation("RCPT out of turn")
            await self.answer("rcpt", "503 5.5.1 MAIL first")
            return
        utf8 = "SMTPUTF8" in self.transaction.params
        self._plain_path(match[1], utf8, "RCPT")
        recipient = Recipient(match[1], params)
        text = self.peer.refuse.get(match[1].decode("latin-1"),
                                    "250 2.1.5 ok")
        self.transaction.refused.append(recipient)

        def accept():
            if text.startswith("2"):
                self.transaction.refused.remove(recipient)
                self.transaction.recipients.append(recipient)
        said = await self.answer("rcpt", text, accept)
        recipient.accepted = said.startswith("2")

    async def do_rset(self, line):
        def reset():
            self.transaction = None
        await self.answer("rset", "250 2.0.0 ok", reset)

    async def do_noop(self, line):
        await self.answer("noop", "250 2.0.0 ok")

    async def do_vrfy(self, line):
        await self.answer("noop", "252 2.0.0 try it")

    async def do_quit(self, line):
        self.quit = True
        await self.answer("quit", "221 2.0.0 bye")
        wire = self.wire
        await wire.pause()
        await (wire.flush() if wire.eof else wire.end_flight())
        raise Closed

    # The message.

    async def do_data(self, line):
        now = self.transaction
        if now and now.body == "BINARYMIME":
            self.violation("DATA with BODY=BINARYMIME")
        if not now or (not now.recipients and not self.peer.data_always):
            if not self.has("PIPELINING"):
                self.violation("DATA out of turn")
            text = "503 5.5.1 MAIL first" if not now else \
                "554 5.5.1 no valid recipients"
            await self.answer("data", text)
            return
        said = await self.answer("data", "354 go ahead")
        if not said.startswith("3"):
            return
        if self.wire.buffer:
            self.violation("input ahead of the reply to DATA")
        now.via = "DATA"
        raw = await self._dotted()
        if re.search(rb"(?:^|\r\n)\.(?!\.)", raw):
            self.violation("a dot is not stuffed")
        body = (b"\r\n" + raw).replace(b"\r\n..", b"\r\n.")[2:]
        await self._end(now, body)

    async def _dotted(self):
        """The lines up to the lone dot, as they came."""
        wire, raw = self.wire, bytearray(b"\r\n")
        while True:
            start = max(0, len(raw) - 5)
            raw += wire.take(len(wire.buffer))
            at = raw.find(b"\r\n.\r\n", start)
            if at >= 0:
                wire.buffer[:0] = raw[at + 5:]
                return bytes(raw[2:at + 2])
            await self._midbody(len(raw) - 2)
            if not wire.buffer:
                await wire.more(boundary=True)

    async def _midbody(self, octets):
        fault = self.peer.faults.get("midbody")
        if fault and octets >= fault.octets:
            for action in faults.as_list(fault.fault):
                if isinstance(action, faults.Reply):
                    action = faults.Raw(action.text.encode() + b"\r\n")
                await action.run(self, "MIDBODY", self._nothing)

    async def _nothing(self, *_):
        pass

    async def do_bdat(self, line):
        match = re.fullmatch(rb"BDAT (\d+)( LAST)?", line, re.IGNORECASE)
        if not match:
            self.violation(f"malformed {line[:60]!r}")
            await self.answer("bdat", "501 5.5.4 malformed")
            return
        if not self.has("CHUNKING"):
            self.violation("BDAT was not offered")
        wire, left, parts, got = self.wire, int(match[1]), [], 0
        while left:
            if not wire.buffer:
                await wire.more(boundary=False)
            parts.append(wire.take(min(left, len(wire.buffer))))
            left -= len(parts[-1])
            got += len(parts[-1])
            await self._midbody(got)
        now = self.transaction
        step = "body" if match[2] else "bdat"
        if not now or now.ended or not now.recipients:
            if not self.has("PIPELINING"):
                self.violation("BDAT out of turn")
            text = "503 5.5.1 MAIL first" if not now else \
                "554 5.5.1 no valid recipients"
            await self.answer(step, text)
            return
        now.via = "BDAT"
        now.chunks.append(got)
        now.content = (now.content or b"") + b"".join(parts)
        if match[2]:
            await self._end(now, now.content)
        else:
            await self.answer(step, f"250 2.0.0 {got} octets")

    async def _end(self, now, content):
        now.content = content
        now.ended = True
        self._judge(now)
        targets = [[r] for r in now.recipients] if self.peer.lmtp \
            else [now.recipients]
        for recipients in targets:
            def accept(recipients=recipients):
                for recipient in recipients:
                    recipient.delivered = True
                self.peer.deliver(self, now, recipients)
            await self.answer("body", "250 2.0.0 accepted", accept)
        self.transaction = None

    def _judge(self, now):
        content = now.content
        header, body = split_header(content)
        # A body that is a run of octets (RFC 3030 3) is not looked at.
        lines = header if now.body == "BINARYMIME" else content
        if re.search(rb"\r(?!\n)", lines):
            self.violation("bare CR in the message")
        if re.search(rb"(?<!\r)\n", lines):
            self.violation("bare LF in the message")
        if b"\0" in lines:
            self.violation("NUL in the message")
        if now.body == "7BIT" and not body.isascii():
            self.violation("8-bit message without BODY=8BITMIME")
        if not header.isascii():
            self._judge_header(now)
        limit = self.peer.size_slack
        size = now.params.get("SIZE", "")
        if now.recipients and limit is not None and size.isdigit() and \
                not 0 <= int(size) - len(content) <= limit:
            self.violation(f"SIZE={size}, and {len(content)} octets came")

    def _judge_header(self, now):
        if self.peer.raw_header:
            if now.body == "7BIT":
                self.violation("8-bit header without BODY=8BITMIME")
        elif "SMTPUTF8" not in now.params and not self.has("UTF8SMTP"):
            self.violation("8-bit header without SMTPUTF8")
