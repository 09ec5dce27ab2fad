"""The servers by themselves: what every other file here takes for granted."""

import smtplib
import subprocess

from mailconfig import MECHANISMS


def test_a_message_by_pythons_client(mail, box):
    at = mail.server("smtps")
    with smtplib.SMTP_SSL(at.host, at.port,
                          context=mail.tls_context()) as smtp:
        smtp.login("alice", "secret")
        smtp.sendmail("alice@example.org", box + "@example.org",
                      b"Subject: x\r\n\r\n.dot\r\n")
    assert mail.wait_for(box)[0].endswith(b"\nSubject: x\n\n.dot\n")


def test_every_mechanism_is_offered_behind_tls_only(mail):
    at = mail.server("submission")
    with smtplib.SMTP(at.host, at.port) as smtp:
        smtp.ehlo()
        assert not smtp.has_extn("auth")
        smtp.starttls(context=mail.tls_context())
        smtp.ehlo()
        offered = smtp.esmtp_features["auth"].split()
        assert sorted(offered) == sorted(MECHANISMS)
        assert smtp.has_extn("chunking")


def test_tls_1_1_is_spoken_to_those_who_ask(mail):
    at = mail.server("tls11")
    done = subprocess.run(
        ["openssl", "s_client", "-connect", "%s:%d" % (at.host, at.port),
         "-starttls", "smtp", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
        input=b"QUIT\n", capture_output=True)
    assert b"Protocol  : TLSv1.1" in done.stdout, done
