"""Fixtures: the servers, started once, and a client for each test."""

import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import harness					# noqa: E402
from client import Client			# noqa: E402
from mailsystem import MailSystem, StartError	# noqa: E402


# What is left in memory: a build with sanitizers keeps what is freed, to see who
# uses it, and can be dumped, as LeakSanitizer does.
OF_MEMORY = ("test_memory", "test_memory_of_the_loud", "test_serve",
             "test_memory_is_looked_at", "test_core_dump")


def is_for_this_build(item):
    return item.module.__name__ != "test_real_sweep" or \
        item.originalname not in OF_MEMORY


def pytest_collection_modifyitems(config, items):
    if not harness.has_sanitizers():
        return
    config.hook.pytest_deselected(
        items=[item for item in items if not is_for_this_build(item)])
    items[:] = [item for item in items if is_for_this_build(item)]


def what_is_missing():
    """What these tests can't do without, in one line."""
    if os.geteuid() != 0:
        return "Postfix must be started by root; run this with sudo"
    try:
        harness.binary()
    except RuntimeError as error:
        return str(error)
    return None


@pytest.fixture(scope="session")
def mail():
    missing = what_is_missing()
    if missing:
        pytest.exit("tests/real: " + missing, returncode=1)
    system = MailSystem()
    try:
        system.start()
    except StartError as error:
        pytest.exit("tests/real: %s" % error, returncode=1)
    yield system
    system.stop()


@pytest.fixture
def client(mail, tmp_path):
    return Client(tmp_path, mail)


@pytest.fixture
def box(mail):
    """The name of a mailbox for this test alone."""
    return mail.new_mailbox()
