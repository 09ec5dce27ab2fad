"""A line that takes its time: a proxy which lets octets through after a while.

    with Delay(server.port, 0.025) as line:
        ... connect to 127.0.0.1:line.port ...
        line.turns, line.sessions

Every octet arrives so many seconds after it was sent, in each direction, in
order; how many there are at a time does not matter.  The upstream side is a
port of 127.0.0.1 or the path of a Unix socket.

Turns, as wire.py means them, seen from the middle of the line: something comes
to the client when all that the client has sent had reached the server before
the server said it.  So the client was waiting, and nothing was under way.  What
comes while the client still sends is no turn, nor is a second piece of the same
answer, nor what comes after the client has said its last.  The greeting is one.
"""

import collections
import heapq
import itertools
import selectors
import socket
import threading
import time

BLOCK = 1 << 18


class Way:
    """One direction of a connection."""

    def __init__(self, source, target):
        self.source, self.target = source, target
        self.coming = 0         # octets that were taken from the source
        self.gone = 0           # … and that were handed on
        self.waiting = collections.deque()  # pieces that are due, unsent
        self.is_open = True


class Link:
    """One connection through the proxy."""

    def __init__(self, client, server):
        self.up, self.down = Way(client, server), Way(server, client)
        self.seen = -1          # octets from the client at the last turn

    def ways(self):
        return self.up, self.down


class Delay:
    def __init__(self, upstream, seconds, unix=None):
        """seconds: one way.  unix: listen there instead of at a port."""
        self.upstream, self.seconds = upstream, seconds
        self.turns = self.sessions = 0
        self.counted = 0        # octets that reached servers
        self.queue = []         # (when, number, link, way, octets, known)
        self.numbers = itertools.count()
        self.poll = selectors.DefaultSelector()
        self.stopped, self.stop = socket.socketpair()
        if unix:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(unix))
            self.listener.listen(512)
        else:
            self.listener = socket.create_server(("127.0.0.1", 0),
                                                 backlog=512)
            self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.poll.register(self.listener, selectors.EVENT_READ, None)
        self.poll.register(self.stopped, selectors.EVENT_READ, None)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.close()
        self.thread.join(10)
        for key in list(self.poll.get_map().values()):
            key.fileobj.close()
        self.poll.close()

    def _run(self):
        while True:
            wait = None
            if self.queue:
                wait = max(0.0, self.queue[0][0] - time.monotonic())
            for key, events in self.poll.select(wait):
                if key.fileobj is self.stopped:
                    return
                if key.fileobj is self.listener:
                    self._accept()
                else:
                    self._serve(key, events)
            self._release()

    def _accept(self):
        client, _ = self.listener.accept()
        if isinstance(self.upstream, int):
            server = socket.socket()
            address = ("127.0.0.1", self.upstream)
        else:
            server = socket.socket(socket.AF_UNIX)
            address = str(self.upstream)
        try:
            server.connect(address)
        except OSError:
            client.close()
            return
        for one in (client, server):
            one.setblocking(False)
            if one.family != socket.AF_UNIX:
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sessions += 1
        link = Link(client, server)
        for way in link.ways():
            self.poll.register(way.source, selectors.EVENT_READ, (link, way))

    def _serve(self, key, events):
        link, way = key.data
        other = link.down if way is link.up else link.up
        if events & selectors.EVENT_WRITE:
            self._push(link, other)
        if events & selectors.EVENT_READ:
            self._take(link, way)

    def _take(self, link, way):
        """What is there: it is due later."""
        while way.is_open:
            try:
                data = way.source.recv(BLOCK)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            way.coming += len(data)
            way.is_open = bool(data)
            heapq.heappush(self.queue, (
                time.monotonic() + self.seconds, next(self.numbers), link, way,
                data, link.up.gone))
            if not data:
                self._watch(link, way.source)

    def _release(self):
        while self.queue and self.queue[0][0] <= time.monotonic():
            _, _, link, way, data, known = heapq.heappop(self.queue)
            if way is link.down and data:
                self._take(link, link.up)
                self._count(link, known)
            way.waiting.append(data)
            self._push(link, way)

    def _count(self, link, known):
        if link.up.is_open and link.up.coming == known and known > link.seen:
            self.turns += 1
            link.seen = known

    def _push(self, link, way):
        """Hand on what is due, as far as it is taken."""
        while way.waiting:
            data = way.waiting[0]
            try:
                if data:
                    taken = way.target.send(data)
                else:
                    taken = 0
                    way.target.shutdown(socket.SHUT_WR)
            except BlockingIOError:
                break
            except OSError:     # it is gone: nobody wants the rest
                taken = len(data)
            way.gone += taken
            if way is link.up:
                self.counted += taken
            if taken < len(data):
                way.waiting[0] = data[taken:]
            else:
                way.waiting.popleft()
                if not data:
                    way.target = self._ended(link, way)
                    return
        self._watch(link, way.target)

    def _ended(self, link, way):
        """This direction is over; with the other, so is the connection."""
        target, way.target = way.target, None
        if all(one.target is None for one in link.ways()):
            for one in (target, way.source):
                if one.fileno() >= 0:
                    self._forget(one)
                    one.close()
        return None

    def _forget(self, one):
        try:
            self.poll.unregister(one)
        except (KeyError, ValueError):
            pass

    def _watch(self, link, one):
        """What is awaited of a socket: input, room, or nothing."""
        if one is None or one.fileno() < 0:
            return
        reading = link.up if link.up.source is one else link.down
        writing = link.down if reading is link.up else link.up
        events = selectors.EVENT_READ if reading.is_open else 0
        if writing.waiting and writing.target is one:
            events |= selectors.EVENT_WRITE
        self._forget(one)
        if events:
            self.poll.register(one, events, (link, reading))
