"""Several of tests/run's peers in one process, for namespaces of their own.

As a program it reads a line of JSON, the peers: {port: {"cert": …, "key": …,
"tls": …}}, and says "ready".  Then each line that comes is a port, and the
answer is what has happened there since, a list of sessions.
"""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "run")]

from peer import Peer				# noqa: E402

PASSWORD = "correct horse"


class Peers:
    """The other side: starts the program, asks it.  `enter` as for Popen's
    preexec_fn."""

    def __init__(self, wanted, enter):
        self.process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=enter)
        assert self._ask(wanted) == "ready"

    def _ask(self, question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def sessions(self, port):
        return self._ask(port)

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def start(port, **wanted):
    peer = Peer(port=port, users={"alice": PASSWORD}, **wanted)
    peer.__enter__()
    return peer


def tell(peer):
    """What it has seen, which it forgets then."""
    peer.settle()
    told = [{"clear": s.clear.decode(), "plain": s.plain.decode(),
             "accepted": sum(1 for t in s.transactions if t.content),
             "violations": [str(v) for v in s.violations],
             "name": s.sni} for s in peer.sessions]
    peer.sessions.clear()
    return told


def main():
    peers = {int(port): start(int(port), **wanted) for port, wanted
             in json.loads(sys.stdin.readline()).items()}
    print('"ready"', flush=True)
    for line in sys.stdin:
        print(json.dumps(tell(peers[json.loads(line)])), flush=True)


if __name__ == "__main__":
    main()
