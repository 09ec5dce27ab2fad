#!/usr/bin/python3
"""A scripted ESMTP peer: a submission server that does what a test says.

In a test:

    with Peer(cert="chain.pem", key="key.pem", users={"alice": "secret"},
              faults={"rcpt:2": "550 5.1.1 no such user"}) as peer:
        ...                 # run the client against 127.0.0.1:peer.port
        peer.settle()       # wait until every connection is over
        peer.session        # the last one: commands, bytes, turns, violations
        peer.messages       # what was accepted

By hand:

    python3 tests/run/peer.py serve --port 0 --cert CHAIN.pem --key KEY.pem \\
        --user alice --password 'correct horse' --mechanisms SCRAM-SHA-256 \\
        --capabilities 'PIPELINING,SIZE=10485760,8BITMIME' --starttls \\
        --deliver DIR [--refuse-rcpt ADDR]

It prints `listening on 127.0.0.1:PORT` as its first line and runs until
SIGTERM.  Each accepted message becomes DIR/N.eml (the octets as received, dots
unstuffed) and DIR/N.envelope, which is written first:

    from: <alice@example.org> SIZE=321
    to: <bob@example.net>
    auth: SCRAM-SHA-256 alice
    tls: TLSv1.3 TLS_AES_256_GCM_SHA384
    via: BDAT
    turns: 8

`turns` counts up to and with the answer to the message.  What a turn is, is
said at the top of wire.py; what faults there are and at which steps, at the
top of faults.py; what counts as a violation, at the top of dialogue.py.
"""

import argparse
import asyncio
import os
import signal
import socket
import ssl
import sys
import tempfile
import threading
import time

from dialogue import Session
from wire import Wire

USUAL = "PIPELINING,SIZE=10485760,8BITMIME,DSN,ENHANCEDSTATUSCODES"


def as_capabilities(text):
    """'SIZE=10,DSN' or a list of EHLO lines, as a list of EHLO lines."""
    if isinstance(text, str):
        text = [item.strip().replace("=", " ", 1)
                for item in text.split(",") if item.strip()]
    return list(text)


class Peer:
    """One listening socket in a thread of its own.

    tls             "starttls", "implicit" or "none"
    capabilities    EHLO lines, or 'A,B=1' in one string; AUTH and STARTTLS
                    are added; capabilities_clear and capabilities_tls
                    override it on their side of TLS
    mechanisms      offered under TLS, and without it if tls is "none";
                    mechanisms_clear before STARTTLS
    users           {name: password}; none: MAIL needs no AUTH
    refuse          {address: reply to RCPT}
    faults          see faults.py
    quiet, trickle  see wire.py; hold: octets of replies that may be held
    fast_open       how many connections may wait that brought octets with
                    their SYN (RFC 7413); None: none are taken
    sockbuf         size of the socket's buffers in octets
    raw_header      octets over 127 in a header are no violation, with
                    BODY=8BITMIME (for `reencode off`)
    make_context    function giving the ssl.SSLContext of a connection
    """

    def __init__(self, *, name="mail.example.org", tls="starttls", cert=None,
                 key=None, capabilities=USUAL, capabilities_clear=None,
                 capabilities_tls=None, mechanisms=("PLAIN",),
                 mechanisms_clear=(), offer_starttls=True, users=None,
                 require_auth=None, bad_signature=False, lmtp=False,
                 refuse=None, faults=None, data_always=False, quiet=0.0,
                 trickle=False, hold=1 << 18, sockbuf=None, make_context=None,
                 size_slack=0, raw_header=False, line_limit=512,
                 host="127.0.0.1", port=0, unix=None, deliver=None,
                 fast_open=None):
        usual = as_capabilities(capabilities)
        self.name, self.tls, self.cert, self.key = name, tls, cert, key
        self.capabilities_clear = usual if capabilities_clear is None \
            else as_capabilities(capabilities_clear)
        self.capabilities_tls = usual if capabilities_tls is None \
            else as_capabilities(capabilities_tls)
        self.users = users or {}
        self.mechanisms = tuple(mechanisms) if self.users else ()
        self.mechanisms_clear = tuple(mechanisms_clear) if self.users else ()
        self.offer_starttls = offer_starttls
        self.require_auth = bool(users) if require_auth is None \
            else require_auth
        self.bad_signature = bad_signature
        self.lmtp, self.data_always = lmtp, data_always
        self.refuse, self.faults = dict(refuse or {}), dict(faults or {})
        self.quiet, self.trickle, self.hold = quiet, trickle, hold
        self.sockbuf = sockbuf
        self.size_slack, self.line_limit = size_slack, line_limit
        self.raw_header = raw_header
        self.make_context = make_context or self._context
        self.host, self.port, self.unix = host, port, unix
        self.directory, self.fast_open = deliver, fast_open
        self.sessions = []
        self.messages = []          # transactions with a delivered recipient
        self._running = 0           # connections not over yet
        self._idle = threading.Condition()
        self._loop = self._server = self._thread = self._error = None

    def _context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        return context

    # What a test calls.

    def __enter__(self):
        ready = threading.Event()
        self._thread = threading.Thread(target=self._main, args=(ready,),
                                        daemon=True)
        self._thread.start()
        ready.wait()
        if self._error:
            raise self._error
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    @property
    def session(self):
        return self.sessions[-1]

    @property
    def violations(self):
        return [v for s in self.sessions for v in s.violations]

    def settle(self, seconds=5.0):
        """Wait until all connections are over that can see their end; False if
        some are not."""
        end = time.monotonic() + seconds
        # A client that is gone already may still wait to be accepted.
        asyncio.run_coroutine_threadsafe(self._turns(), self._loop).result()
        with self._idle:
            while self._running > sum(s.deaf for s in self.sessions):
                left = end - time.monotonic()
                if left <= 0 or not self._idle.wait(left):
                    return False
        return True

    # The server.

    async def _turns(self):
        """As many looks at the sockets as a connection needs to be begun."""
        for _ in range(8):
            await asyncio.sleep(0)

    def _main(self, ready):
        try:
            asyncio.run(self._serve(ready.set))
        except OSError as error:
            self._error = error
        finally:
            ready.set()

    async def _serve(self, ready):
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        await self.listen()
        ready()
        await self._stopping.wait()
        self._server.close()
        tasks = [t for t in asyncio.all_tasks()
                 if t is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def listen(self):
        loop = asyncio.get_running_loop()
        if self.unix:
            self._server = await loop.create_unix_server(self._wire, self.unix)
            return
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._server = await loop.create_server(
            self._wire, self.host, self.port, family=family)
        listener = self._server.sockets[0]
        self.port = listener.getsockname()[1]
        if self.fast_open:
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN,
                                self.fast_open)

    def _wire(self):
        return Wire(self._connection, self.quiet, self.trickle, self.sockbuf)

    async def _connection(self, wire):
        session = Session(self, wire)
        with self._idle:
            self._running += 1
        self.sessions.append(session)
        try:
            await session.run()
        finally:
            with self._idle:
                self._running -= 1
                self._idle.notify_all()

    def deliver(self, session, transaction, recipients):
        """A message was accepted for these; its reply is not sent yet."""
        if not self.messages or self.messages[-1] is not transaction:
            self.messages.append(transaction)
        if self.directory:
            self._write(session, transaction, recipients)

    def _write(self, session, transaction, recipients):
        number = 1
        while os.path.exists(os.path.join(self.directory, f"{number}.eml")):
            number += 1
        self._file(f"{number}.envelope",
                   self._envelope(session, transaction, recipients))
        self._file(f"{number}.eml", transaction.content)

    def _file(self, name, data):
        handle, path = tempfile.mkstemp(dir=self.directory)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(path, 0o644)
        os.rename(path, os.path.join(self.directory, name))

    def _envelope(self, session, transaction, recipients):
        def path(word, address, params):
            extra = "".join(f" {k}={v}" if v else f" {k}"
                            for k, v in params.items())
            return f"{word}: <{address.decode('utf-8', 'replace')}>{extra}"
        lines = [path("from", transaction.sender, transaction.params)]
        lines += [path("to", r.address, r.params) for r in recipients]
        if session.auth:
            lines.append(f"auth: {session.auth['mechanism']} "
                         f"{session.auth['user']}")
        if session.wire.secure:
            cipher = session.wire.ssl.cipher()[0]
            lines.append(f"tls: {session.tls_version} {cipher}")
        lines.append(f"via: {transaction.via}")
        lines.append(f"turns: {session.turns + 1}")
        return ("\n".join(lines) + "\n").encode()


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    sub = parser.add_subparsers(dest="command", required=True)
    serve = sub.add_parser("serve", help="run until SIGTERM")
    add = serve.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=0, help="0: any free one")
    add("--cert", help="certificate chain, PEM")
    add("--key", help="its key, PEM")
    add("--user")
    add("--password", default="")
    add("--mechanisms", default="PLAIN", help="comma separated")
    add("--capabilities", default=USUAL, help="comma separated, A,B=1")
    mode = serve.add_mutually_exclusive_group()
    mode.add_argument("--starttls", action="store_true", help="offer STARTTLS")
    mode.add_argument("--implicit-tls", action="store_true")
    add("--lmtp", action="store_true")
    add("--deliver", metavar="DIR", help="write accepted messages there")
    add("--refuse-rcpt", metavar="ADDR", action="append", default=[])
    add("--quiet", type=float, default=10, metavar="MS",
        help="end of a flight, in milliseconds of silence")
    options = parser.parse_args(argv)
    if (options.starttls or options.implicit_tls) and \
            not (options.cert and options.key):
        parser.error("TLS needs --cert and --key")
    return options


def make_peer(options):
    tls = "starttls" if options.starttls else \
        "implicit" if options.implicit_tls else "none"
    if options.deliver:
        os.makedirs(options.deliver, exist_ok=True)
    return Peer(
        host=options.host, port=options.port, tls=tls, cert=options.cert,
        key=options.key, lmtp=options.lmtp, deliver=options.deliver,
        capabilities=options.capabilities,
        mechanisms=[m for m in options.mechanisms.split(",") if m],
        users={options.user: options.password} if options.user else None,
        refuse={a: "550 5.1.1 no such user" for a in options.refuse_rcpt},
        quiet=options.quiet / 1000)


def main(argv):
    peer = make_peer(parse(argv))
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    with peer:
        print(f"listening on {peer.host}:{peer.port}", flush=True)
        done.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
