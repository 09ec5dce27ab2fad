"""The corpus through Postfix: what its Maildirs hold is what arrival.py says.

Every message to every kind of service that matters to it: with and without
8BITMIME, SMTPUTF8, CHUNKING (Postfix has no BINARYMIME).  Recipients and
senders are of this mail system, whatever the message would say.
"""

import itertools
import os

import pytest

from arrival import Way, Wrong, check, expect, intake
from corpus import CORPUS
from harness import slowness
from mailconfig import CORPUS_EXTENSIONS, corpus_service
from quick import Quick
from test_real_bytes import without_trace

DATAERR = 65
WANTED = os.environ.get("POSTRIDER_CORPUS", "")     # see test_corpus.py
SENDER = "corpus@example.org"
WAYS = [Way(o.upper() for o in offers)
        for n in range(len(CORPUS_EXTENSIONS) + 1)
        for offers in itertools.combinations(CORPUS_EXTENSIONS, n)]
# It takes the blank out of `Date :`, and `From  :` is a mailbox's line to it.
EXCLUDED = ("rfc5322/A.6.3", "header/date-blank")
# These say in their arguments what matters.
ARGUED = ("utf8/recipient", "utf8/sender", "utf8/bcc-t")


def title(way):
    return "+".join(sorted(way.offers)) or "bare"


def chosen(way):
    """What this way matters to."""
    for message in CORPUS:
        if message.settings or not message.name.startswith(WANTED) or \
                message.name.startswith(ARGUED + EXCLUDED):
            continue
        if way.utf8 and not message.utf8:
            continue
        if way.eightbit and intake(message.raw)[1].isascii():
            continue
        yield message


def account(mail, way):
    at = mail.server(corpus_service(o.lower() for o in way.offers))
    return f"account default\nhost {at.host}\nport {at.port}\ntls off\n" \
        f"auth off\nfrom {SENDER}\ndomain client.example.org\ntimeout 30\n"


@pytest.mark.parametrize("way", WAYS, ids=title)
def test_corpus(mail, tmp_path, way):
    quick, wrong, sent = Quick(tmp_path, account(mail, way)), [], []
    for message in chosen(way):
        box = mail.new_mailbox()
        code, said, _ = quick.run(["-i", "--", box + "@example.org"],
                                  message.raw)
        refused = bool(expect(message, way))
        if (code, said.count("\n")) != ((DATAERR, 1) if refused else (0, 0)):
            wrong.append(f"{message.name}: exit {code}: {said}")
        else:
            sent.append((message, box, refused))
    quick.close()
    for message, box, refused in sent:
        try:
            if not refused:
                [stored] = mail.wait_for(box, timeout=30 * slowness())
                content = without_trace(stored).replace(b"\n", b"\r\n")
                check(message, way, content)
        except (Wrong, AssertionError, ValueError) as error:
            wrong.append(f"{message.name}: {error}")
    mail.settle()
    wrong += [f"{message.name}: was refused, and arrived"
              for message, box, refused in sent
              if refused and mail.delivered(box)]
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong)
