"""What is sent now, what is queued, and what is done with it later."""

import resource
import subprocess
import time
from pathlib import Path

import pytest

from conftest import MESSAGE, PASSWORD
from faults import NORMAL, Silent, Until
from harness import binary, limit, slowness
from spooled import Spool, deferred

BOB, CAROL = "bob@example.net", "carol@example.net"
WAITS = ("postrider: 1 message could not be sent now and waits on; "
         "mailq says why\n")
CHUNKING = "PIPELINING,SIZE=10485760,8BITMIME,DSN,CHUNKING"
ENDINGS = {     # one row for each way to fail: how, and does it wait?
    "connection lost": ({"greeting": "421 4.3.2 not now"}, True),
    "login refused": ({"auth": "535 5.7.8 no"}, True),
    "no login now": ({"auth": "454 4.7.0 later"}, True),
    "no STARTTLS": ({"starttls": "454 4.7.0 no"}, True),
    "sender deferred": ({"mail": "450 4.2.0 later"}, True),
    "sender refused": ({"mail": "550 5.1.8 never"}, False),
    "recipient deferred": ({"rcpt": "450 4.2.0 grey"}, True),
    "recipient refused": ({"rcpt": "550 5.1.1 none"}, False),
    "DATA deferred": ({"data": "451 4.3.0 later"}, True),
    "content deferred": ({"body": "452 4.3.1 full"}, True),
    "content refused": ({"body": "554 5.6.0 bad"}, False),
}


@pytest.fixture
def queue(rider):
    """The ids in the usual place of the queue."""
    place = rider.home / ".local/state/postrider/queue"

    def ids():
        if not place.exists():
            return []
        return sorted(p.name for p in place.iterdir() if "." not in p.name)
    ids.place = place
    return ids


def entry(queue):
    ids = queue()
    assert len(ids) == 1
    return (queue.place / ids[0]).read_bytes()


def got(message):
    """Who has it."""
    return [r.address.decode() for r in message.recipients if r.delivered]


def wait_until(question, seconds=10):
    end = time.monotonic() + seconds * slowness()
    while not question():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("setting", ["off", "on"])
def test_what_waits(start, send, rider, queue, ending, setting):
    faults, waits = ENDINGS[ending]
    peer = start(faults=faults, strict=False)
    result = send(peer, "bob@example.net", queue=setting)
    if setting == "off":
        assert result.code != 0 and queue() == []
    elif waits:
        assert result.code == 0 and result.err == ""
        assert b"\nto bob@example.net\n" in entry(queue)
    else:
        assert result.code not in (0, 75) and queue() == []
    assert peer.messages == []


def test_a_server_that_is_away(start, send, queue, rider, account):
    peer = start()
    text = account(peer, queue="on")
    rider.config(text.replace(f"port {peer.port}", "port 1"))
    assert rider.run("bob@example.net", stdin=b"\nhello\n").code == 0
    assert len(queue()) == 1
    rider.config(text)
    assert rider.run("-q").code == 0
    assert queue() == [] and len(peer.messages) == 1
    assert peer.messages[0].content.endswith(b"\r\n\r\nhello\r\n")


@pytest.mark.parametrize("caps", ["", CHUNKING])
@pytest.mark.parametrize("option, setting, now, later", [
    ((), "on", 1, 1), ((), "only", 0, 1), (("-odi",), "only", 1, 1),
    (("-odq",), "on", 0, 1), (("-odd",), "on", 0, 1),
    (("-odq",), "only", 0, 1), (("-odi",), "on", 1, 1),
    (("-odi",), "off", 1, 1), (("-odb",), "off", 1, 1),
])
def test_when(start, send, rider, queue, caps, option, setting, now, later):
    peer = start(**({"capabilities": caps} if caps else {}))
    assert send(peer, *option, "bob@example.net", queue=setting).code == 0
    assert (len(peer.messages), len(queue())) == (now, 1 - now)
    assert rider.run("-q").code == 0
    assert (len(peer.messages), queue()) == (later, [])


@pytest.mark.parametrize("option", [("-odq",), ("-odd",), ("-Q", "why")])
def test_without_a_queue(start, send, queue, option):
    peer = start()
    result = send(peer, *option, "bob@example.net")
    assert result.code == 78 and "set queue on" in result.err
    assert peer.sessions == [] and queue() == []


def test_in_the_background(start, send, queue):
    peer = start()
    assert send(peer, "-odb", "bob@example.net", queue="on",
                settle=None).code == 0
    wait_until(lambda: peer.messages and not queue())


def test_in_the_background_to_nobody(start, send, queue):
    peer = start(faults={"rcpt": "450 4.2.0 grey"})
    assert send(peer, "-odb", "bob@example.net", queue="on",
                settle=None).code == 0
    wait_until(lambda: b"grey" in entry(queue))


def test_held(start, send, rider, queue):
    peer = start()
    assert send(peer, "-Q", "look first", "bob@example.net",
                queue="on").code == 0
    for option in ("-q", "--queue-run", "-qRbob", "-q!Rcarol"):
        rider.run(option)
    assert peer.sessions == [] and len(queue()) == 1
    assert rider.run("-qQ").code == 0
    assert len(peer.messages) == 1 and queue() == []


@pytest.mark.parametrize("partial", ["off", "on"])
def test_each_recipient(start, send, rider, queue, partial):
    """Deferred ones wait, whoever else has it; a refused one stops all, or
    with partial on only itself."""
    grey = {"grey@example.net": "450 4.2.0 grey"}
    both = dict(grey, **{"none@example.net": "550 5.1.1 none"})
    peer = start(refuse=grey)
    result = send(peer, "bob@example.net", "grey@example.net", queue="on",
                  partial=partial)
    assert result.code == 0
    assert got(peer.messages[0]) == ["bob@example.net"]
    assert b"\nto grey@example.net\n" in entry(queue)
    assert b"\nto bob@" not in entry(queue)
    peer.refuse.clear()
    assert rider.run("-q").code == 0
    assert got(peer.messages[1]) == ["grey@example.net"]
    peer.refuse.update(both)
    result = send(peer, "bob@example.net", "grey@example.net",
                  "none@example.net", queue="on", partial=partial)
    assert result.code == 67 and "none@example.net" in result.err
    assert len(peer.messages) == (2 if partial == "off" else 3)
    assert len(queue()) == (0 if partial == "off" else 1)


def test_from_the_queue_each_stands_alone(start, send, rider, queue):
    peer = start(refuse={"grey@example.net": "450 4.2.0 grey"})
    assert send(peer, "-odq", "grey@example.net", "bob@example.net",
                queue="on").code == 0
    result = rider.run("-q")
    assert (result.code, result.err) == (75, WAITS)
    assert got(peer.messages[0]) == ["bob@example.net"]
    rider.run("--queue-run")        # it is not its time yet
    assert len(peer.sessions) == 1
    rider.run("-q")                 # only who still waits is asked
    assert len(peer.messages) == 1
    assert "bob@" not in " ".join(map(str, peer.session.commands))
    peer.refuse.clear()
    assert rider.run("-q").code == 0
    assert got(peer.messages[1]) == ["grey@example.net"]
    assert queue() == []


def test_lmtp_answers_for_each(start, send, rider, queue):
    """Where one has it, all or nobody is past: who may get it later does."""
    dave = "dave@example.net"
    peer = start(tls="none", users={}, lmtp=True,
                 faults={"body:2": "450 4.2.2 full", "body:3": "550 5.2.1 no"})
    result = send(peer, BOB, CAROL, dave, queue="on")
    assert result.code == 67, result
    assert dave in result.err and CAROL not in result.err
    assert len(queue()) == 1
    assert rider.run("-q").code == 0
    assert peer.settle()
    assert [got(m) for m in peer.messages] == [[BOB], [CAROL]]
    assert queue() == []


@pytest.mark.parametrize("to, lines, events", [
    ([BOB, CAROL], [], []),                 # one gets it, and one waits
    ([BOB], ["notify success"], []),        # the sender is to be told
    ([BOB, CAROL], [], [deferred(1, event="refused", status="5.1.1"),
                        f"told 1 {int(time.time())} failed"]),
], ids=["one waits", "success", "one was refused"])
def test_no_file_may_grow(start, rider, queue, account, to, lines, events):
    """Who has it, and could not be noted to have it, would get it again with
    every run: so it is not sent."""
    peer = start(capabilities="PIPELINING",
                 refuse={CAROL: "450 4.2.0 grey"})
    rider.config(account(peer, queue="on"))
    spool = Spool(queue.place)
    spool.add(to, lines=["account default", *lines], events=events)
    size = len(entry(queue))
    for _ in range(2):
        result = rider.run("-q",
                           preexec=limit(resource.RLIMIT_FSIZE, size + 20))
        assert result.code == 71, result
        assert "so it is not sent: File too large" in result.err
    assert peer.messages == []
    rider.run("-q")
    assert peer.settle()
    assert [got(m) for m in peer.messages if m.sender] == [[BOB]]


def test_a_good_connection_empties_the_queue(start, send, rider, queue):
    peer = start(capabilities=CHUNKING)
    for name in ("a", "b", "c"):
        assert send(peer, "-odq", f"{name}@example.net", queue="on").code == 0
    assert len(queue()) == 3
    assert send(peer, "now@example.net", queue="on", settle=None).code == 0
    wait_until(lambda: len(peer.messages) == 4 and not queue())
    assert peer.settle(5)
    assert len(peer.sessions) == 1
    assert got(peer.messages[0]) == ["now@example.net"]


def test_and_leaves_what_waits_its_time(start, send, rider, queue):
    peer = start(refuse={"grey@example.net": "450 4.2.0 grey"})
    assert send(peer, "grey@example.net", queue="on").code == 0
    assert send(peer, "now@example.net", queue="on").code == 0
    assert peer.settle(5)
    time.sleep(0.2)
    assert len(queue()) == 1 and len(peer.sessions) == 2


def test_settings_go_along(start, rider, queue, account):
    """What the command line said of the way holds for the queue run too."""
    peer = start()
    rider.config("account other\nhost 127.0.0.1\nport 1\nqueue on\n")
    path = rider.config(account(peer, name="work", queue="on"), "conf")
    assert rider.run("-C", str(path), "-a", "work", "--chunking=off", "-odq",
                     "bob@example.net", stdin=b"\nhello\n").code == 0
    text = entry(queue)
    assert b"\nset chunking off\n" in text and b"\naccount work\n" in text
    assert PASSWORD.encode() not in text
    assert rider.run("-q").code == 0
    assert len(peer.messages) == 1


def test_a_configuration_by_a_link(start, rider, queue, account):
    """What counts is where it leads when the message is tried."""
    old, new = start(), start()
    first = rider.config(account(old, queue="on"), "first")
    second = rider.config(account(new, queue="on"), "second")
    link = rider.home / "link"
    link.symlink_to(first)
    assert rider.run("-C", "link", "-odq", BOB, stdin=MESSAGE).code == 0
    link.unlink()
    link.symlink_to(second)
    first.unlink()
    result = rider.run("-q", cwd="/")
    assert result.code == 0, result
    assert new.settle()
    assert [got(m) for m in new.messages] == [[BOB]]


def test_files_are_found_from_elsewhere(start, rider, queue, account, certs):
    """A path on the command line begins where the caller is, which is not
    where a timer's run is."""
    peer = start()
    folder = rider.home / "some where"
    folder.mkdir()
    (folder / "authority").write_bytes(Path(certs.ca).read_bytes())
    rider.config(account(peer, queue="on", tls_trust_file=None))
    assert rider.run("--tls-trust-file=authority", "-odq", "bob@example.net",
                     stdin=MESSAGE, cwd=folder).code == 0
    result = rider.run("-q")
    assert result.code == 0, result
    assert peer.settle()
    assert len(peer.messages) == 1


def test_a_queue_that_was_the_usual_one(start, rider, queue, account):
    """What is in it is listed, and goes with the next run: it was the first
    that could be used when the message came."""
    peer = start(tls="none", users={})
    rider.config(account(peer, queue="on"))
    elsewhere = {"XDG_STATE_HOME": str(rider.home / "state")}
    for env in ({}, elsewhere):
        assert rider.run("-odq", "bob@example.net", stdin=MESSAGE,
                         env=env).code == 0
    assert len(queue()) == 1
    assert rider.run("-bP", env=elsewhere).out == "2\n"
    assert rider.run("-q", env=elsewhere).code == 0
    assert peer.settle()
    assert len(peer.messages) == 2 and queue() == []


def test_a_queue_has_two_names(rider, queue):
    """Where /home is a link, say: it is one queue all the same."""
    rider.config("host 127.0.0.1\nport 1\ntls off\nqueue on\n"
                 "from alice@example.org\n")
    assert rider.run("-odq", "bob@example.net", stdin=MESSAGE).code == 0
    link = rider.home / "link"
    link.symlink_to(rider.home / ".local/state")
    listed = rider.run("-bp", env={"XDG_STATE_HOME": str(link)})
    assert listed.code == 0 and listed.out.count(queue()[0]) == 1, listed


def test_a_word_is_no_file_that_is_here(start, rider, queue, account):
    """Who may put files into this directory must not choose whom we trust."""
    peer = start()
    rider.config(account(peer, queue="on"))
    words = ["tls_trust_file system", "aliases Off", "logfile -"]
    folder = rider.home / "folder"
    folder.mkdir()
    for word in words:
        (folder / word.split()[1]).write_text("nobody is called\n")
    options = ["--" + word.replace("_", "-").replace(" ", "=")
               for word in words]
    assert rider.run(*options, "-odq", "bob@example.net", stdin=MESSAGE,
                     cwd=folder).code == 0
    [name] = queue()
    lines = (queue.place / name).read_text("utf-8").split("\n")
    assert [f"set {word}" for word in words] == [
        line for line in lines if line.startswith("set ")]


def test_times_are_those_of_the_run(start, send, rider, queue):
    peer = start(faults={"mail": Silent()})
    assert send(peer, "-odq", "bob@example.net", queue="on", settle=None,
                patience="off").code == 0
    result = rider.run("-O", "Timeout.mail=1s", "-q")
    assert result.code == 75, str(result)
    assert b"MAIL" in entry(queue)


def test_what_waits_after_a_run(start, send, rider, queue):
    """Who asks for it to be sent is told that it was not; a timer has nothing
    to tell."""
    peer = start(refuse={"bob@example.net": "450 4.2.0 grey"})
    assert send(peer, "-odq", "bob@example.net", queue="on",
                settle=None).code == 0
    for option, code, words in (("--queue-run", 0, ""), ("-q", 75, WAITS)):
        result = rider.run(option)
        assert (result.code, result.out, result.err) == (code, "", words)
        assert len(queue()) == 1
    assert len(peer.sessions) == 2


def test_an_account_that_is_gone(start, send, rider, queue, account):
    peer = start()
    assert send(peer, "-odq", "bob@example.net", queue="on").code == 0
    rider.config(account(peer, name="renamed", queue="on"))
    result = rider.run("-q")
    assert result.code == 78 and "default" in result.err
    assert len(queue()) == 1


def test_dsn_wishes_go_along(start, send, rider, queue):
    peer = start()
    assert send(peer, "-odq", "-N", "success,failure", "-R", "hdrs", "-V",
                "a+b", "bob@example.net", queue="on").code == 0
    assert rider.run("-q").code == 0
    words = " ".join(str(c) for c in peer.session.commands)
    assert "RET=HDRS" in words and "ENVID=a+2Bb" in words
    assert "NOTIFY=SUCCESS,FAILURE" in words


def test_by_smtp(start, rider, queue, account):
    """-bs: what may work later is taken, and said to be queued."""
    peer = start(faults={"rcpt": "450 4.2.0 grey"})
    rider.config(account(peer, queue="on"))
    result = rider.run("-bs", stdin=b"EHLO me\r\nMAIL FROM:<a@example.org>\r\n"
                       b"RCPT TO:<bob@example.net>\r\nDATA\r\n"
                       b"Subject: x\r\n\r\nhello\r\n.\r\nQUIT\r\n")
    assert result.code == 0
    assert f"250 2.0.0 queued as {queue()[0]}" in result.out
    peer.faults.clear()
    assert rider.run("-q").code == 0 and len(peer.messages) == 1


LETTER = (b"MAIL FROM:<%s>\r\nRCPT TO:<bob@example.net>\r\n"
          b"RCPT TO:<carol@example.net>\r\nDATA\r\n"
          b"Subject: x\r\n\r\nhello\r\n.\r\n")


def served(rider, letters, *options, senders=(b"alice@example.org",)):
    """The last words of -bs on so many letters."""
    said = [LETTER % senders[n % len(senders)] for n in range(letters)]
    result = rider.run("-bs", *options, stdin=b"EHLO me\r\n" + b"".join(said) +
                       b"QUIT\r\n")
    lines = result.out.split("354 ")[1:]
    assert len(lines) == letters
    return result, [line.splitlines()[1] for line in lines]


@pytest.mark.parametrize("option", [("-odb",), ("-odb", "-a", "other")])
def test_by_smtp_in_the_background(start, rider, queue, account, option):
    """Not only the last one of a session goes."""
    peer, other = start(), start()
    rider.config(account(peer, queue="on", allow_from_override="on") +
                 account(other, name="other", queue="on",
                         queue_dir=rider.home / "another"))
    result, said = served(rider, 3, *option)
    assert result.code == 0
    assert all(line.startswith("250 2.0.0 queued as ") for line in said)
    to = other if "-a" in option else peer
    wait_until(lambda: len(to.messages) == 3 and not queue())
    assert to.settle(5) and len(to.sessions) == 1


def test_by_smtp_in_the_background_by_two(start, rider, queue, account):
    """By accounts whose queues are at two places."""
    peer, other = start(), start()
    text = account(peer, queue="on")
    text += account(other, name="other", queue="on", queue_dir="~/another",
                    **{"from": "dave@example.org"})
    rider.config(text.replace("~", str(rider.home)))
    served(rider, 4, "-odb", senders=(b"alice@example.org",
                                      b"dave@example.org"))
    wait_until(lambda: len(peer.messages) == len(other.messages) == 2)
    wait_until(lambda: not queue() and not list(
        p for p in (rider.home / "another").iterdir() if "." not in p.name))


REFUSALS = {    # partial; whom it refuses; answers; who has it; in the queue
    "nobody has it": ("off", ("550", None), "550", [], 0),
    "all refused": ("on", ("550", "550"), "550", [], 0),
    "one refused": ("on", ("550", None), "250", ["carol@example.net"], 1),
    "the second": ("on", (None, "550"), "250", ["bob@example.net"], 1),
    "one deferred": ("on", ("550", "450"), "250", [], 1),
    "deferred, off": ("off", ("550", "450"), "550", [], 0),
}


@pytest.mark.parametrize("case", REFUSALS)
@pytest.mark.parametrize("sender", [b"alice@example.org", b""])
def test_by_smtp_one_is_refused(start, rider, queue, account, case, sender):
    """One answer is for all: who got it must not get it again, so a report
    says who did not; where there is nobody to tell, the answer does."""
    partial, codes, answer, reached, waiting = REFUSALS[case]
    names = ("bob@example.net", "carol@example.net")
    peer = start(refuse={name: f"{code} {code[0]}.2.1 no"
                         for name, code in zip(names, codes) if code})
    rider.config(account(peer, queue="on", partial=partial, **{"from": None},
                         logfile=rider.home / "log"))
    result, [said] = served(rider, 1, senders=(sender,))
    if not sender:
        assert said.startswith("550")
        return
    assert said.startswith(answer), said
    assert (result.code == 0) == (answer == "250"), result
    line = (rider.home / "log").read_text().splitlines()[0]
    assert f"exitcode={result.code}" in line and "5.2.1" in line
    for _ in range(3):
        rider.run("-q")
    def reports():
        return [m for m in peer.messages if not m.sender]

    # What was refused is dealt with in the background.
    wait_until(lambda: len(queue()) <= ("450" in codes and waiting) and
               len(reports()) >= waiting)
    assert [got(m) for m in peer.messages if m.sender] == [reached] * bool(
        reached)
    assert len(reports()) == waiting
    for report in reports():
        assert got(report) == ["alice@example.org"]
        assert b"Final-Recipient: rfc822; " + names[
            codes.index("550")].encode() in report.content
        assert report.content.count(b"Action: failed") == 1


def test_the_log_knows_it(start, send, rider, queue, tmp_path):
    peer = start(faults={"rcpt": "450 4.2.0 grey"})
    log = tmp_path / "log"
    assert send(peer, "bob@example.net", queue="on", logfile=log).code == 0
    first = log.read_text()
    assert f"queue={queue()[0]} " in first and "exitcode=0" in first
    assert "status=4.2.0" in first and "grey" in first
    peer.faults.clear()
    rider.run("-q")
    second = log.read_text().splitlines()[1]
    assert first.split("queue=")[1].split()[0] in second
    assert "status=2.0.0" in second


def test_json(start, send, queue):
    peer = start(faults={"rcpt": "450 4.2.0 grey"})
    result = send(peer, "--report=json", "bob@example.net", queue="on")
    assert result.code == 0
    assert '"result": "queued"' in result.out and '"status": "4.2.0"' in \
        result.out and '"exit_code": 0' in result.out


@pytest.mark.parametrize("time_left, code", [("100000;R", 1), ("1;R", 0),
                                             ("1;N", 1)])
def test_deliver_by(start, send, rider, queue, time_left, code):
    """The time that a message has spent in the queue counts."""
    peer = start(capabilities="PIPELINING,DELIVERBY,DSN")
    assert send(peer, "-odq", f"--deliverby={time_left}", "bob@example.net",
                queue="on").code == 0
    time.sleep(2)
    rider.run("-q")
    assert len([m for m in peer.messages if m.sender]) == code
    if time_left == "1;N":
        assert "BY=-" in " ".join(str(c) for c in peer.session.commands)


def test_nowhere_to_put_it(start, send, rider):
    """It is not taken: what the server said is the exit code, and why it could
    not be queued is told."""
    peer = start(faults={"rcpt": "450 4.2.0 grey"})
    result = send(peer, "bob@example.net", queue="on",
                  queue_dir="/proc/queue")
    assert result.code == 75
    assert "could not be queued" in result.err and "grey" in result.err
    result = send(peer, "-odq", "bob@example.net", queue="on",
                  queue_dir="/proc/queue")
    assert result.code in (71, 73, 74) and "/proc" in result.err


def test_every_so_often(start, send, rider, queue):
    """-qf2s: until it is ended."""
    import signal

    peer = start()
    assert send(peer, "-odq", "bob@example.net", queue="on").code == 0
    child = subprocess.Popen([binary(), "-qf1s"], env=rider.environment(),
                             stdin=subprocess.DEVNULL)
    try:
        wait_until(lambda: len(peer.messages) == 1)
        assert send(peer, "-odq", "bob@example.net", queue="on",
                    settle=None).code == 0
        wait_until(lambda: len(peer.messages) == 2)
    finally:
        child.send_signal(signal.SIGTERM)
        assert child.wait(10 * slowness()) == -signal.SIGTERM


def nameless(rider, config, is_pipe, *arguments):
    """Run with a configuration that no other process can open by a name."""
    import os
    import tempfile

    if is_pipe:
        file, into = os.pipe()
        os.write(into, config.encode())
        os.close(into)
    else:
        with tempfile.TemporaryFile() as gone:
            file = os.dup(gone.fileno())
        os.pwrite(file, config.encode(), 0)
    os.fchmod(file, 0o600)
    try:
        return subprocess.run(
            [binary(), "-C", f"/dev/fd/{file}", *arguments], input=MESSAGE,
            env=rider.environment(), capture_output=True, pass_fds=(file,))
    finally:
        os.close(file)


@pytest.mark.parametrize("is_pipe", [True, False], ids=["pipe", "file"])
def test_a_configuration_without_a_name(start, rider, queue, account, is_pipe):
    """A queue run could not read it again."""
    peer = start(faults={"rcpt": "450 4.2.0 grey"})
    result = nameless(rider, account(peer, queue="on"), is_pipe, "-odq",
                      "bob@example.net")
    assert result.returncode == 78, result
    assert b"no file that a queue run could read again" in result.stderr
    assert queue() == []


@pytest.mark.parametrize("is_pipe", [True, False], ids=["pipe", "file"])
def test_a_session_of_such_a_configuration(start, rider, queue, account,
                                           is_pipe):
    """What waits for the usual one's account, which has the same name, does
    not go over it."""
    usual, other = start(), start()
    rider.config(account(usual, queue="on"))
    assert rider.run("-odq", "bob@example.net", stdin=MESSAGE).code == 0
    result = nameless(rider, account(other, queue="on"), is_pipe,
                      "carol@example.net")
    assert result.returncode == 0, result
    assert other.settle() and usual.settle()
    assert [got(m) for m in other.messages] == [["carol@example.net"]]
    assert len(queue()) == 1


@pytest.mark.parametrize("option", ["-odb", None])
def test_who_waits_for_the_end(start, rider, queue, account, option):
    """What goes on in the background holds nothing open that came in."""
    import os

    seen = Until()
    peer = start(faults={"rcpt:1" if option else "rcpt:3": [seen, NORMAL]})
    rider.config(account(peer, queue="on", timeout=120))
    for _ in range(2):
        assert rider.run("-odq", "bob@example.net", stdin=MESSAGE).code == 0
    out, into = os.pipe()
    words = [binary(), *([option] if option else []), "carol@example.net"]
    child = subprocess.Popen(words, env=rider.environment(),
                             stdin=subprocess.PIPE, stdout=into, stderr=into,
                             pass_fds=(into,))
    os.close(into)
    child.communicate(MESSAGE)
    assert child.returncode == 0
    assert os.read(out, 1) == b""       # the end, though a run is under way
    assert len(peer.messages) < (1 if option else 3)
    seen.come()
    os.close(out)
    wait_until(lambda: len(peer.messages) == (1 if option else 3))


def test_a_secret_that_was_missing(start, rider, queue, account, tmp_path):
    """That is no refused login: it goes on once the secret is there."""
    peer = start()
    secret = tmp_path / "secret"
    rider.config(account(peer, queue="on", password=None,
                         password_file=secret))
    assert rider.run("bob@example.net", stdin=MESSAGE).code == 0
    secret.write_text(PASSWORD + "\n")
    secret.chmod(0o600)
    for path in queue.place.glob("server.*"):   # its time has come
        path.write_text(path.read_text().replace("next 1", "next 0"))
    assert rider.run("--queue-run").code == 0
    assert len(peer.messages) == 1 and queue() == []


def test_retry_asks_the_server_too(start, rider, queue, account):
    """Which is left alone, as it was away when the message was queued."""
    peer = start()
    text = account(peer, queue="on")
    rider.config(text.replace(f"port {peer.port}", "port 1"))
    assert rider.run("bob@example.net", stdin=MESSAGE).code == 0
    rider.config(text)
    assert rider.run("--queue-run").code == 0 and len(queue()) == 1
    assert rider.run("--queue-retry", queue()[0]).code == 0
    assert rider.run("--queue-run").code == 0
    assert queue() == [] and len(peer.messages) == 1
