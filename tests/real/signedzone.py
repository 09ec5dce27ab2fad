"""A DNS of our own, signed from its root down, and programs that see it alone.

NSD serves the root and the zones below it, each with a key of its own; the
root's is the only one that a resolver is told.  It, and whatever is started
with SignedNames.enter, lives in namespaces where /etc/resolv.conf, /etc/hosts
and the root key are ours, and where nothing but their own loopback is to be
reached.  This file, run as a program, is the process that holds these.
"""

import ctypes
import fcntl
import glob
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT_KEY = "/usr/share/dns/root.key"	# of Debian's dns-root-data
NSD, SILENT = "127.0.0.1", "127.0.0.2"	# port 53

SOA = "@ 60 IN SOA ns.example.org. admin.example.org. 1 3600 600 86400 60"
CLONE = {"net": 0x40000000, "mnt": 0x00020000}


class ZoneError(Exception):
    """The DNS did not come up; the text says why."""


class Zone:
    """A zone: its lines, and what is wrong with it."""

    def __init__(self, origin, lines=(), signed=True, served=True,
                 forged=None, options=()):
        self.origin = origin
        self.lines = list(lines)
        self.signed = signed	# else there is no DS above it, nor a key
        self.served = served	# else NSD knows it and has no data of it
        self.forged = forged	# as for re.sub: changed after the signing
        self.options = options	# for ldns-signzone


class SignedNames:
    """Use: names = SignedNames(directory, zones); names.start(); …;
    names.stop().  The zones come without the root, which delegates them."""

    def __init__(self, directory, zones):
        self.dir = str(directory)
        self.zones = list(zones)
        self.nsd = self.holder = None
        self.spaces = {}

    def path(self, name):
        return os.path.join(self.dir, name)

    def start(self):
        self._unpack()
        root = Zone(".", [SOA, "@ 60 IN NS ns.example.org."])
        for zone in self.zones:
            root.lines.append("%s 60 IN NS ns.example.org." % zone.origin)
            root.lines += self._write(zone)
        root.lines.append("ns.example.org. 60 IN A 127.0.0.1")
        self._write(root)
        self.zones.append(root)
        self.ask()
        self.hosts({})
        try:
            self._hold()
            self._start_nsd()
        except BaseException:
            self.stop()
            raise

    def stop(self):
        for process in (self.nsd, self.holder):
            if process and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait()
        for space in self.spaces.values():
            os.close(space)

    def ask(self, server=NSD):
        """Whom resolv.conf names."""
        self.put("resolv.conf", "nameserver %s\n" % server)

    def hosts(self, more):
        """What /etc/hosts says beside localhost."""
        self.put("hosts", "127.0.0.1 localhost\n" + "".join(
            "%s %s\n" % (address, name) for name, address in more.items()))

    def enter(self):
        """To be called in a child before it runs its program."""
        libc = ctypes.CDLL(None, use_errno=True)
        for name, space in self.spaces.items():
            if libc.setns(space, CLONE[name]):
                raise OSError(ctypes.get_errno(), "setns " + name)

    def hide(self, directory):
        """To be called behind enter: nothing is there, for this child."""
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE["mnt"]) or \
                libc.mount(b"none", directory.encode(), b"tmpfs", 0, None):
            raise OSError(ctypes.get_errno(), directory)

    def put(self, name, text):
        """Write a file, in place, as it is mounted; what was in it."""
        kept = ""
        if os.path.exists(self.path(name)):
            with open(self.path(name)) as f:
                kept = f.read()
        with open(self.path(name), "w") as f:
            f.write(text)
        return kept

    # What it takes

    def _unpack(self):
        done = subprocess.run([os.path.join(HERE, "servers"), "fetch"],
                              stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise ZoneError("NSD could not be fetched; tests/real/servers "
                            "fetch says why")
        self.root = os.path.join(done.stdout.strip(), "root")
        self.env = dict(os.environ, LD_LIBRARY_PATH=":".join(
            glob.glob(self.root + "/usr/lib/*-linux-gnu*") +
            glob.glob(self.root + "/lib/*-linux-gnu*")))

    def _tool(self, name, *arguments):
        return subprocess.run(
            [os.path.join(self.root, "usr/bin", name), *arguments],
            cwd=self.dir, env=self.env, check=True, capture_output=True,
            text=True).stdout

    def _file(self, zone):
        return (zone.origin.strip(".") or "root") + ".zone"

    def _write(self, zone):
        """Write the zone, signed where it is to be; what its parent has to
        say of it."""
        name = self._file(zone)
        with open(self.path(name), "w") as f:
            f.write("$ORIGIN %s\n" % zone.origin + "\n".join(zone.lines) +
                    "\n")
        if not zone.signed:
            return []
        key = self._tool("ldns-keygen", "-k", "-a", "ECDSAP256SHA256",
                         "-r", "/dev/urandom", zone.origin).strip()
        self._tool("ldns-signzone", *zone.options, "-o", zone.origin,
                   "-f", name + ".signed", name, key)
        with open(self.path(name + ".signed")) as f:
            text = f.read()
        if zone.forged:
            text, count = re.subn(*zone.forged, text)
            assert count, zone.forged
        with open(self.path(name), "w") as f:
            f.write(text)
        if zone.origin == ".":
            os.rename(self.path(key + ".key"), self.path("root.key"))
            return []
        with open(self.path(key + ".ds")) as f:
            return [f.read().strip()]

    def _hold(self):
        """Make the namespaces, and a process that keeps them."""
        self.holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "--propagation", "private",
             sys.executable, os.path.abspath(__file__), self.dir],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        if self.holder.stdout.readline() != b"ready\n":
            raise ZoneError(
                "namespaces of our own are needed here, and this system "
                "forbids them (a container may have to be privileged): " +
                self.holder.stderr.read().decode())
        for name in CLONE:
            self.spaces[name] = os.open(
                "/proc/%d/ns/%s" % (self.holder.pid, name), os.O_RDONLY)

    def _enter_for_nsd(self):
        """It is not to outlive the tests, however they end."""
        self.enter()
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)	# PR_SET_PDEATHSIG

    def _start_nsd(self):
        text = ("server:\n ip-address: %s\n username: \"\"\n"
                " zonesdir: \"%s\"\n database: \"\"\n pidfile: \"\"\n"
                " zonelistfile: \"%s\"\n xfrdfile: \"%s\"\n"
                " xfrdir: \"%s\"\n server-count: 1\n"
                "remote-control:\n control-enable: no\n" %
                (NSD, self.dir, self.path("zones"), self.path("xfrd"),
                 self.dir))
        for zone in self.zones:
            text += "zone:\n name: %s\n zonefile: %s\n" % (
                zone.origin, self._file(zone) if zone.served else "none")
        self.put("nsd.conf", text)
        with open(self.path("nsd.log"), "w") as log:
            self.nsd = subprocess.Popen(
                [os.path.join(self.root, "usr/sbin/nsd"), "-d", "-c",
                 self.path("nsd.conf")],
                env=self.env, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, preexec_fn=self._enter_for_nsd)
        for _ in range(1500):		# 30 s
            with open(self.path("nsd.log")) as log:
                said = log.read()
            if "nsd started" in said:
                return
            if self.nsd.poll() is not None:
                break
            time.sleep(0.02)
        raise ZoneError("NSD does not start:\n" + said)


def hold(directory):
    """In the new namespaces: loopback up, our files in their places, a name
    server that takes questions and gives no answers."""
    with socket.socket(type=socket.SOCK_DGRAM) as s:
        up = struct.pack("16sh14x", b"lo", 1)			# IFF_UP
        fcntl.ioctl(s, 0x8914, up)				# SIOCSIFFLAGS
    for ours, theirs in (("resolv.conf", "/etc/resolv.conf"),
                         ("hosts", "/etc/hosts"), ("root.key", ROOT_KEY)):
        subprocess.run(["mount", "--bind", os.path.join(directory, ours),
                        theirs], check=True)
    silent = socket.socket(type=socket.SOCK_DGRAM)
    silent.bind((SILENT, 53))
    print("ready", flush=True)
    sys.stdin.read()		# its end is the tests' end


if __name__ == "__main__":
    hold(sys.argv[1])
