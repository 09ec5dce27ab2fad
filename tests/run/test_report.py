"""What is said about a submission: JSON, exit codes, the log, the dialogue."""

import base64
import json
import os
import re
import stat
import subprocess

import pytest

from conftest import MESSAGE, PASSWORD
from faults import NORMAL, Delay, Drop, as_list

BOB = "bob@example.net"
KEYS = {"recipient", "result", "status", "reply_code", "host", "text",
        "cause", "uncertain", "exit_code", "stages_ms"}
STAGES = ["resolve", "connect", "greeting", "tls", "auth", "message"]
PAUSE = 0.4             # seconds that a server takes, …
FELT = PAUSE / 4        # … and that we notice at least, however late we look


def report(result):
    lines = [json.loads(line) for line in result.out.splitlines()]
    for line in lines:
        assert set(line) >= KEYS
    return lines


# JSON.

def test_json_of_a_delivery(start, send):
    peer = start(faults={"body": "250 2.6.0 queued as \"42\""})
    result = send(peer, "--report=json", BOB, "carol@example.net")
    assert result.code == 0 and result.stderr == b""
    lines = report(result)
    assert [line["recipient"] for line in lines] == [BOB, "carol@example.net"]
    for line in lines:
        assert line["result"] == "delivered"
        assert line["status"] == "2.6.0"
        assert line["reply_code"] == 250
        assert line["exit_code"] == 0
        assert line["uncertain"] is False
        assert 'queued as "42"' in line["text"]


def test_json_of_refusals(start, send):
    peer = start(refuse={BOB: "550 5.1.1 no bob"})
    result = send(peer, "--report=json", "ann@example.net", BOB, partial="on")
    ann, bob = report(result)
    assert (ann["result"], ann["exit_code"]) == ("delivered", 0)
    assert (bob["result"], bob["exit_code"]) == ("failed", 67)
    assert (bob["status"], bob["reply_code"]) == ("5.1.1", 550)
    assert bob["host"] == "127.0.0.1"
    assert "no bob" in bob["text"]
    assert result.code == 67


@pytest.mark.parametrize("faults, settings, status, code", [
    ({}, {"port": 1}, "4.4.1", 75),
    ({"greeting": Drop()}, {}, "4.4.2", 75),
    ({"auth": "535 5.7.8 no"}, {}, "5.7.8", 77),
    ({"ehlo@clear": "250 no STARTTLS"}, {}, "5.7.4", 77),
    ({}, {"tls_host_override": "other.example"}, "4.7.5", 75),
    ({"mail": "554 what"}, {}, "5.0.0", 69),
    ({"mail": "999 what"}, {}, "5.5.0", 76),
    ({}, {"passwordeval": "false", "password": None}, "5.3.5", 78),
    ({}, {"password": None}, "5.7.8", 77),
])
def test_json_of_failed_sessions(start, send, faults, settings, status, code):
    """Each recipient has its line, whatever went wrong and when."""
    peer = start(faults=faults)
    result = send(peer, "--report=json", BOB, "carol@example.net", **settings)
    assert result.code == code, str(result)
    assert len(result.lines) == 1
    lines = report(result)
    assert [line["recipient"] for line in lines] == [BOB, "carol@example.net"]
    for line in lines:
        assert line["result"] == "failed"
        assert (line["status"], line["exit_code"]) == (status, code)
        assert line["uncertain"] is False


def test_json_of_odd_words(start, send):
    """It stays JSON whatever the server says."""
    peer = start(faults={
        "rcpt": "550 5.1.1 \"quoted\\\" \x01\x1b \u2028 caf\xe9"})
    result = send(peer, "--report=json", BOB)
    [line] = report(result)
    assert '"quoted' in line["text"]
    assert result.out.count("\n") == 1


# Where the time went.

SLOW = {    # the stage that a slow step belongs to
    "greeting": "greeting", "ehlo@tls": "greeting", "starttls": "tls",
    "auth": "auth", "mail": "message", "body": "message",
}


def stages_of(line):
    """The stages of a line of the log: seconds."""
    pairs = [one.split(":") for one in parse(line)["stages"].split(",")]
    return {name: float(seconds) for name, seconds in pairs}


@pytest.mark.parametrize("step", SLOW)
def test_stages(start, send, rider, step):
    """Each has its time, in the report and in the log."""
    peer = start(faults={step: [Delay(PAUSE), NORMAL]})
    result = send(peer, "--report=json", BOB, logfile="~/log")
    assert result.code == 0, str(result)
    stages = report(result)[0]["stages_ms"]
    assert list(stages) == STAGES
    assert all(ms >= 0 for ms in stages.values())
    assert stages[SLOW[step]] >= 1000 * FELT
    [line] = (rider.home / "log").read_text().splitlines()
    logged = stages_of(line)
    assert list(logged) == STAGES
    for name, seconds in logged.items():
        assert seconds == pytest.approx(stages[name] / 1000, abs=0.001)
    assert sum(logged.values()) <= float(parse(line)["elapsed"]) + 0.001


@pytest.mark.parametrize("tls", ["none", "implicit"])
def test_stages_that_are_not_needed(start, send, tls):
    peer = start(tls=tls, users={})
    stages = report(send(peer, "--report=json", BOB))[0]["stages_ms"]
    missing = [name for name in STAGES if stages[name] is None]
    assert missing == (["tls", "auth"] if tls == "none" else ["auth"])


@pytest.mark.parametrize("step, fault, settings, last", [
    (None, None, {"host": "no-such.invalid"}, "resolve"),
    (None, None, {"port": 1}, "connect"),
    ("greeting", Drop(), {}, "greeting"),
    ("ehlo", Drop(), {}, "greeting"),
    ("starttls", "454 4.7.0 no", {}, "tls"),
    (None, None, {"tls_host_override": "other.example"}, "tls"),
    ("auth", "535 5.7.8 no", {}, "auth"),
    ("mail", "550 5.7.1 no", {}, "message"),
])
def test_stages_of_a_failure(start, send, rider, step, fault, settings, last):
    """What failed has its time as well, and nothing that comes behind it."""
    faults = {step: [Delay(PAUSE), *as_list(fault)]} if step else {}
    result = send(start(faults=faults, strict=False), "--report=json", BOB,
                  logfile="~/log", settle=None, **settings)
    assert result.code != 0
    stages = report(result)[0]["stages_ms"]
    assert stages[last] is not None
    if step:
        assert stages[last] >= 1000 * FELT
    reached = [name for name in ("resolve", "connect", "greeting", "auth",
                                 "message") if stages[name] is not None]
    assert reached[-1] == ("greeting" if last == "tls" else last)
    assert list(stages_of((rider.home / "log").read_text().strip())) == \
        [name for name in STAGES if stages[name] is not None]


def test_a_password_that_takes_its_time(start, send):
    result = send(start(), "--report=json", BOB, password=None,
                  passwordeval=f'"sleep {PAUSE}; echo \'{PASSWORD}\'"')
    assert result.code == 0, str(result)
    assert report(result)[0]["stages_ms"]["auth"] >= 1000 * FELT


def test_stages_of_the_queue(start, send, rider, account):
    """The session's time is the first one's, its own each one has."""
    peer = start(faults={"auth": [Delay(PAUSE), NORMAL]})
    for _ in range(2):
        send(peer, BOB, queue="only", queue_dir="~/queue", settle=None)
    rider.config(account(peer, queue="only", queue_dir="~/queue",
                         logfile="~/log"))
    assert rider.run("-q").code == 0
    first, second = map(
        stages_of, (rider.home / "log").read_text().splitlines())
    assert list(first) == STAGES and first["auth"] >= FELT
    assert list(second) == ["message"]


def test_stages_of_a_server_that_the_queue_cannot_reach(send, rider, start,
                                                        account):
    peer = start(faults={"auth": [Delay(PAUSE), "454 4.7.0 later"]})
    send(peer, BOB, queue="only", queue_dir="~/queue", settle=None)
    rider.config(account(peer, queue="only", queue_dir="~/queue",
                         logfile="~/log"))
    rider.run("-q")
    stages = stages_of((rider.home / "log").read_text().strip())
    assert stages["auth"] >= FELT and "message" not in stages


# Exit codes, from the status a server gives.  The table is the design's.
EXIT = {
    "5.1.2": 68, "5.4.4": 68,
    "5.1.0": 67, "5.1.1": 67, "5.1.4": 67, "5.1.6": 67, "5.1.10": 67,
    "5.2.1": 67,
    "5.1.3": 65, "5.1.7": 65, "5.1.8": 65, "5.2.3": 65, "5.3.4": 65,
    "5.6.0": 65, "5.6.1": 65, "5.6.7": 65,
    "5.5.0": 76, "5.5.1": 76, "5.5.4": 76,
    "5.7.0": 77, "5.7.1": 77, "5.7.8": 77, "5.7.25": 77,
    "5.3.5": 78,
    "5.0.0": 69, "5.2.0": 69, "5.2.2": 69, "5.3.0": 69, "5.3.2": 69,
    "5.4.0": 69, "5.4.6": 69, "5.8.9": 69,
    "4.0.0": 75, "4.1.1": 75, "4.2.2": 75, "4.3.5": 75, "4.4.4": 75,
    "4.5.0": 75, "4.6.0": 75, "4.7.1": 75,
}


@pytest.mark.parametrize("status", EXIT)
def test_exit_codes(start, send, status):
    code = 450 if status[0] == "4" else 550
    peer = start(tls="implicit", refuse={BOB: f"{code} {status} so it is"})
    result = send(peer, "--report=json", BOB)
    assert result.code == EXIT[status], str(result)
    [line] = report(result)
    assert (line["status"], line["exit_code"]) == (status, EXIT[status])


@pytest.mark.parametrize("replies, code", [
    (["550 5.1.1 no", "450 4.2.0 later"], 67),
    (["450 4.2.0 later", "550 5.7.1 no"], 77),
    (["450 4.2.0 later", "452 4.2.2 full"], 75),
])
@pytest.mark.parametrize("partial", ["on", "off"])
def test_the_worst_counts(start, send, replies, code, partial):
    refuse = {f"r{i}@example.net": r for i, r in enumerate(replies)}
    peer = start(tls="implicit", refuse=refuse)
    assert send(peer, "ok@example.net", *refuse, partial=partial).code == code


# Nothing on success, whatever the way.

def test_silence(start, send):
    for offer in ("PIPELINING", "PIPELINING,CHUNKING,DSN,SIZE=1000000"):
        result = send(start(capabilities=offer), "-N", "failure", BOB)
        assert (result.code, result.stdout, result.stderr) == (0, b"", b"")


# The log.

def parse(line):
    """key=value, values quoted where need be; the whole line must be that."""
    pair = r'([a-z_]+)=("(?:[^"\\]|\\.)*"|[^" ]*)'
    assert re.fullmatch(f"{pair}( {pair})*", line), line
    return {key: re.sub(r"\\(.)", r"\1", value[1:-1])
            if value.startswith('"') else value
            for key, value in re.findall(pair, line)}


def test_log(start, send, rider):
    log = rider.home / "log"
    peer = start(faults={"body": "250 2.0.0 queued as 42"})
    result = send(peer, "-f", "carol@example.org", BOB, "dave@example.net",
                  logfile="~/log")
    assert result.code == 0, str(result)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    [line] = log.read_text().splitlines()
    entry = parse(line)
    assert entry["host"].startswith("127.0.0.1")
    assert "TLS1.3" in entry["tls"] or "TLSv1.3" in entry["tls"]
    assert entry["auth"] == "PLAIN" and entry["user"] == "alice"
    assert entry["from"] == "carol@example.org"
    assert entry["recipients"] == f"{BOB},dave@example.net"
    assert int(entry["size"]) == len(peer.messages[0].content)
    assert entry["status"] == "2.0.0"
    assert "queued as 42" in line
    assert float(entry["elapsed"]) < 60
    assert entry["exitcode"] == "0"
    assert {"time", "id"} <= set(entry)
    assert PASSWORD not in line
    send(start(), BOB, logfile="~/log")
    assert len(log.read_text().splitlines()) == 2


@pytest.mark.parametrize("faults, settings, exitcode, status", [
    ({"rcpt": "550 5.1.1 nobody"}, {}, "67", "5.1.1"),
    ({"auth": "535 5.7.8 no"}, {}, "77", "5.7.8"),
    ({"greeting": Drop()}, {}, "75", "4.4.2"),
    ({}, {"tls_host_override": "other.example"}, "75", "4.7.5"),
])
def test_log_of_failures(start, send, rider, faults, settings, exitcode,
                         status):
    send(start(faults=faults), BOB, logfile="~/log", **settings)
    [line] = (rider.home / "log").read_text().splitlines()
    entry = parse(line)
    assert (entry["exitcode"], entry["status"]) == (exitcode, status)


def test_log_of_differing_recipients(start, send, rider):
    peer = start(refuse={BOB: "550 5.1.1 no bob"})
    send(peer, "ann@example.net", BOB, logfile="~/log", partial="on")
    [line] = (rider.home / "log").read_text().splitlines()
    entry = parse(line)
    assert "2." in entry["recipients"] and "5.1.1" in entry["recipients"]
    assert entry["exitcode"] == "67"


@pytest.mark.parametrize("words", [
    "550 5.1.1 x\" exitcode=0 y=\"", "550 5.1.1 exitcode=0 status=2.0.0",
    "550-5.1.1 one\n550 5.1.1 exitcode=0", "550 5.1.1 \\\" exitcode=0",
    "550 5.1.1 a\rb\x1bc\td\x00e"])
def test_log_cannot_be_forged(start, send, rider, words):
    peer = start(refuse={'"x exitcode=0"@example.net': words})
    send(peer, '"x exitcode=0"@example.net', logfile="~/log")
    [line] = (rider.home / "log").read_text().splitlines()
    assert line.isprintable()
    entry = parse(line)
    assert entry["exitcode"] == "67" and entry["status"] == "5.1.1"
    assert line.count("exitcode=67") == 1


def test_log_time_format(start, send, rider):
    send(start(), BOB, logfile="~/log", logfile_time_format='"%Y at %H"')
    [line] = (rider.home / "log").read_text().splitlines()
    assert re.fullmatch(r"20\d\d at \d\d", parse(line)["time"])


@pytest.mark.parametrize("path", ["/nonexistent/log", "/", "/dev/full"])
def test_log_that_cannot_be_written(start, send, path):
    """After acceptance it is a warning and changes no exit code."""
    peer = start()
    result = send(peer, BOB, logfile=path)
    assert result.code == 0, str(result)
    assert len(peer.messages) == 1
    assert len(result.lines) == 1 and "log" in result.err


def test_report_that_cannot_be_written(start, rider, account):
    """Neither does a report that nobody can take."""
    peer = start()
    rider.config(account(peer))

    def full():
        os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
    result = rider.run("--report=json", BOB, stdin=MESSAGE, preexec=full)
    assert len(peer.messages) == 1
    assert result.code == 0, str(result)


# The dialogue.

SECRETS = [PASSWORD.encode(), base64.b64encode(PASSWORD.encode()),
           base64.b64encode(b"\0alice\0" + PASSWORD.encode())]


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("mechanism", [
    "PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_dialogue(start, send, mechanism, tls):
    peer = start(tls=tls, mechanisms=[mechanism])
    result = send(peer, "-v", BOB)
    assert result.code == 0, str(result)
    assert result.stdout == b""
    for line in ("<-- 220 ", "--> EHLO ", "<-- 250", f"--> AUTH {mechanism}",
                 "<-- 235 ", "--> MAIL FROM:<alice@example.org>",
                 f"--> RCPT TO:<{BOB}>", "--> DATA", "<-- 354 ", "--> QUIT"):
        assert line in result.err
    assert ("--> STARTTLS" in result.err) == (tls == "starttls")
    assert re.search(r"--> .*\*", result.err)
    for secret in SECRETS:
        assert secret not in result.stderr
    assert PASSWORD not in result.err
    auth = peer.session.plain.split(b"AUTH ")[1].split(b"MAIL")[0].split()
    for word in auth[1:]:
        assert word not in result.stderr, word
    assert result.err.count("--> ") + result.err.count("<-- ") > 10


@pytest.mark.parametrize("faults", [
    {"auth": "535 5.7.8 no"}, {"auth": Drop()},
    {"auth": "334 abcd", "auth-next": "334 abcd"},
    {"auth": "334 not base64!", "auth-next": "501 no"}])
def test_failed_dialogue_hides_as_well(start, send, faults):
    peer = start(tls="implicit", faults=faults, strict=False)
    result = send(peer, "-v", BOB)
    assert result.code != 0
    for secret in SECRETS:
        assert secret not in result.stderr


def test_dialogue_is_made_printable(start, send):
    peer = start(faults={"greeting": "220 \x1b[2J\x07\x9b hi"})
    result = send(peer, "-v", BOB)
    assert "<-- 220 " in result.err
    assert all(line.isprintable() for line in result.err.split("\n"))


def test_withheld_says_nothing_against_a_recipient(start, send):
    peer = start(tls="implicit", faults={"rcpt:2": "550 5.1.1 no such user"})
    result = send(peer, "--report=json", BOB, "nobody@example.net")
    first, second = report(result)
    assert (first["result"], second["result"]) == ("withheld", "failed")
    assert first["status"].startswith("4.") and first["reply_code"] == 0
    assert first["exit_code"] == 75 and "no such user" not in first["text"]
    assert result.code == second["exit_code"] == 67


def test_the_log_tells_of_tls_though_nobody_logged_in(start, send, rider):
    peer = start(tls="starttls", faults={"auth": "535 5.7.8 no"})
    result = send(peer, BOB, logfile="~/log")
    assert result.code == 77
    line = (rider.home / "log").read_text()
    assert 'tls="' in line and "TLS1" in line and "auth=off" in line


def test_silence_on_a_port_of_implicit_tls(start, send):
    peer = start(tls="implicit", strict=False)
    result = send(peer, BOB, patience=1, tls_starttls="on")
    assert result.code == 75
    assert "tls_starttls off" in result.err and "greeting" in result.err


@pytest.mark.parametrize("option", ["--help", "--version", "--dry-run"])
def test_standard_output_that_is_full(start, rider, account, option):
    rider.config(account(start(tls="implicit")))
    with open("/dev/full", "wb") as full:
        result = subprocess.run(
            [os.environ["POSTRIDER"], option, BOB], input=MESSAGE, stdout=full,
            stderr=subprocess.PIPE, env={"HOME": str(rider.home)})
    assert result.returncode == 74, result
    assert b"standard output" in result.stderr
