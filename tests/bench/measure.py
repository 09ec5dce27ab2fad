"""Measuring clients: a fast server, one program at a time, what each cost.

    tools = Tools(directory)            # the C programs of this folder
    with Server(tools, certs, tls="implicit") as server:
        runs = run(tools, place, words, given, count=20)
        server.reports(20)
"""

import json
import os
import queue
import re
import shlex
import shutil
import statistics
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
OFFERS = "PIPELINING,SIZE 4000000000,8BITMIME,SMTPUTF8,DSN"
PROGRAMS = {
    "server": (["server.c", "wire.c"], ["-pthread"], ["gnutls", "libgsasl"]),
    "floor": (["floor.c"], [], ["gnutls"]),
    "launch": (["launch.c"], [], []),
}


class Failed(Exception):
    """A client did not do what it was asked."""


class Tools:
    """The programs, compiled in a directory: tools["server"]."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        for name in PROGRAMS:
            self._compile(name, *PROGRAMS[name])

    def _compile(self, name, sources, options, packages):
        flags = []
        if packages:
            said = subprocess.run(["pkg-config", "--cflags", "--libs",
                                   *packages], check=True,
                                  capture_output=True, text=True).stdout
            flags = said.split()
        subprocess.run([*shlex.split(os.environ.get("CC") or "cc"), "-O2",
                        "-D_GNU_SOURCE", *options, "-o", self[name],
                        *(HERE / source for source in sources), *flags],
                       check=True)

    def __getitem__(self, name):
        return self.directory / name


class Server:
    """The fast one, in its own process."""

    def __init__(self, tools, certs, tls="none", chunking=True,
                 mechanism="PLAIN", setup=0, tickets=True):
        offers = OFFERS + ",CHUNKING" * chunking
        self.child = subprocess.Popen(
            [tools["server"], f"cert={certs.chain('good')}",
             f"key={certs.key('good')}", f"tls={tls}", f"offers={offers}",
             f"mechanisms={mechanism}", f"setup={setup}",
             f"tickets={'yes' if tickets else 'no'}"],
            stdout=subprocess.PIPE, text=True)
        self.port = int(self.child.stdout.readline().split()[1])
        self.lines = queue.Queue()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.child.stdout:
            self.lines.put(json.loads(line))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.terminate()
        self.child.wait()
        self.thread.join(5)
        self.child.stdout.close()

    def report(self, seconds=30):
        """Of the next connection that is over, by which all must have come."""
        report = self.lines.get(timeout=seconds)
        if report["messages"] != 1:
            raise Failed(f"a session without its message: {report}")
        return report

    def reports(self, count):
        return [self.report() for _ in range(count)]


@dataclass
class Run:
    """What one run cost; `said`: what the program wrote, of the last."""

    seconds: float
    user: float
    system: float
    peak: int               # KiB
    said: str = ""

    @property
    def cpu(self):
        return self.user + self.system


def run(tools, place, words, given, descriptor=0, count=1, environment=None):
    """Run it so many times; `given`: the path of what it reads."""
    said, results = tools.directory / "said", tools.directory / "results"
    subprocess.run([tools["launch"], place.root, str(count), str(descriptor),
                    given, said, results, *words], check=True,
                   env={**place.environment(), **(environment or {})})
    runs = []
    for line in results.read_text().split("\n")[:-1]:
        seconds, user, system, peak, status = line.split()
        if int(status):
            code = os.waitstatus_to_exitcode(int(status))
            raise Failed(f"{' '.join(words)}: {code}: "
                         + said.read_text(errors="replace")[-1000:])
        runs.append(Run(float(seconds), float(user), float(system),
                        int(peak)))
    runs[-1].said = said.read_text(errors="replace")
    return runs


def instructions(tools, place, words, given, descriptor, environment=None):
    """Of the program and its children; None where there is no valgrind."""
    if not shutil.which("valgrind"):
        return None
    [one] = run(tools, place, [
        "/usr/bin/valgrind", "--tool=callgrind", "--trace-children=yes",
        "--callgrind-out-file=/dev/null", *words], given, descriptor,
        environment=environment)
    found = re.findall(r"Collected : (\d+)", one.said)
    return sum(map(int, found)) or None


def calls(tools, place, words, given, descriptor, environment=None):
    """Of the system, by the program and its children: {name: how many};
    None where there is no strace."""
    if not shutil.which("strace"):
        return None
    trace = place.write("trace", "")
    run(tools, place, ["/usr/bin/strace", "-f", "-c", "-o", trace, *words],
        given, descriptor, environment=environment)
    result = {}
    for line in place.outside(trace).read_text().splitlines():
        found = re.fullmatch(
            r" *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)", line)
        if found and found[2] != "total":
            result[found[2]] = int(found[1])
    return result


def median(values):
    return statistics.median(values)
