"""The desktop's keyring: GNOME's, on a bus of its own, without a desktop.

What is stored is stored by secret-tool, with the words of msmtp's manual.
"""

import os
import subprocess
import time

import pytest

from harness import binary, slowness

CONFIG = """<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=%s</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""
NOPERM = 77


class Desktop:
    """A bus that starts nothing by itself, and a keyring if it is wanted."""

    def __init__(self, directory):
        self.home = directory / "desktop"
        self.home.mkdir(mode=0o700)
        self.bus = self.home / "bus"
        self.running = []
        config = self.home / "bus.conf"
        config.write_text(CONFIG % self.bus, encoding="ascii")
        self.env = {
            "PATH": "/usr/bin:/bin", "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.home), "LC_ALL": "C",
            "DBUS_SESSION_BUS_ADDRESS": "unix:path=%s" % self.bus,
        }
        self.start("dbus-daemon", "--nofork", "--nosyslog",
                   "--config-file=%s" % config)
        self.wait_for(self.bus.exists)

    def start(self, *command, said=b""):
        log = open(self.home / "log", "ab")
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log,
                                 stderr=log, env=self.env, cwd=self.home)
        log.close()
        child.stdin.write(said)
        child.stdin.close()
        self.running.append(child)

    def wait_for(self, condition):
        end = time.monotonic() + 10 * slowness()
        while not condition():
            assert time.monotonic() < end, (self.home / "log").read_text()
            time.sleep(0.02)

    def start_keyring(self):
        """Unlocked, as by the login; its socket comes before its name."""
        self.start("gnome-keyring-daemon", "--foreground", "--unlock",
                   "--components=secrets", said=b"login")
        self.wait_for(lambda: self.tool("store", "--label=probe", "a", "b",
                                        said=b"x").returncode == 0)

    def tool(self, *words, said=b""):
        return subprocess.run(["secret-tool", *words], input=said,
                              env=self.env, capture_output=True, timeout=30)

    def store(self, password, **attributes):
        words = [word for pair in attributes.items() for word in pair]
        done = self.tool("store", "--label=msmtp", *words,
                         said=password.encode())
        assert done.returncode == 0, done

    def lock(self):
        subprocess.run(
            ["dbus-send", "--session", "--print-reply",
             "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets",
             "org.freedesktop.Secret.Service.Lock", "array:objpath:"
             "/org/freedesktop/secrets/collection/login"],
            env=self.env, check=True, capture_output=True, timeout=30)

    def stop(self):
        for child in reversed(self.running):
            child.terminate()
            child.wait()


@pytest.fixture
def desktop(tmp_path):
    desktop = Desktop(tmp_path)
    yield desktop
    desktop.stop()


@pytest.fixture
def keyring(desktop):
    desktop.start_keyring()
    return desktop


@pytest.fixture
def submit(client, box, desktop):
    """Sends by an account without a password: submit(keyring="off")."""

    def submit(env=None, **changes):
        path = client.account(password=None, **changes)
        if env is None:
            name = "DBUS_SESSION_BUS_ADDRESS"
            env = {name: desktop.env[name]}
        return client.run("-C", path, "%s@example.org" % box, env=env,
                          timeout=40, stdin=b"Subject: x\n\ntext\n")
    return submit


def entry(client, **changes):
    return {"host": client.settings()["host"], "service": "smtp",
            "user": "alice", **changes}


def test_an_entry_of_msmtp(client, keyring, submit):
    keyring.store("secret", **entry(client))
    done = submit()
    assert (done.code, done.err) == (0, "")


def test_the_bus_of_the_login(client, keyring, submit):
    """$XDG_RUNTIME_DIR/bus, where nothing else says which."""
    keyring.store("secret", **entry(client))
    done = submit(env={"XDG_RUNTIME_DIR": keyring.home})
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize("changes", [
    {"user": "bob"}, {"host": "mail.example.net"}, {"service": "imap"}])
def test_the_entry_of_another(client, keyring, submit, changes):
    keyring.store("secret", **entry(client, **changes))
    done = submit()
    assert done.code == NOPERM, done
    assert "no password for 'alice'" in done.err, done
    assert "or the keyring" in done.err, done


def test_a_wrong_password_is_wrong(client, keyring, submit):
    keyring.store("Secret", **entry(client))
    done = submit()
    assert done.code == NOPERM, done
    assert "535" in done.err and "Secret" not in done.err, done


def test_what_comes_before_it(client, keyring, submit):
    keyring.store("wrong", **entry(client))
    assert submit(passwordeval="echo secret").code == 0


def test_it_can_be_off(client, keyring, submit):
    keyring.store("secret", **entry(client))
    done = submit(keyring="off")
    assert done.code == NOPERM, done
    assert "no password for 'alice'" in done.err, done


def test_it_is_locked_and_nobody_can_be_asked(client, keyring, submit):
    keyring.store("secret", **entry(client))
    keyring.lock()
    done = submit()
    assert done.code == NOPERM, done
    assert done.seconds < 30 * slowness()


def test_a_bus_without_keyring(desktop, submit):
    done = submit()
    assert done.code == NOPERM, done
    assert len(done.lines) == 1, done


def test_it_is_loaded_for_that_alone():
    """Neither libsecret nor GLib is linked."""
    done = subprocess.run(["ldd", binary()], capture_output=True, text=True,
                          check=True, env={**os.environ, "LC_ALL": "C"})
    for name in ("libsecret", "libglib", "libgio", "libdbus"):
        assert name not in done.stdout
