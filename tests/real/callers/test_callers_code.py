"""Programming languages' own ways to send mail."""

import json

import pytest

from jobs import OUTPUT as BODY

SUBJECT = "Grüße — 100 €"


def php(sent, to, *arguments):
    """The message that PHP's mail() made of these, as www-data, who has no
    home and so the configuration of the system."""
    words = ", ".join(json.dumps(word, ensure_ascii=False)
                      for word in arguments)
    return sent(to, "php", "-r",
                f"exit(mail({words}) === true ? 0 : 1);",
                user="www-data", cwd="/")


HEADERS = ("From: Büro <shop@example.org>\r\nCc: cc-{0}@example.net\r\n"
           "Bcc: bcc-{0}@example.net\r\nX-Shop: 7")


@pytest.mark.parametrize("name, fifth, sender", (
    ("php", None, "www-data@example.org"),
    ("php-f", "-fbounces@example.org", "bounces@example.org"),
    ("php-f-apart", "-f bounces@example.org", "bounces@example.org"),
    ("php-more", "-oi -f shop@example.org -N never", "shop@example.org"),
))
def test_php(sent, name, fifth, sender):
    """`-t -i`, and the fifth parameter behind it. Its header lines end in
    CRLF, the body's in LF; here with raw UTF-8 in both and no MIME."""
    to, cc, bcc = (f"{role}-{name}@example.net" for role in
                   ("to", "cc", "bcc"))
    mail = php(sent, [to, cc, bcc], to, SUBJECT, BODY, HEADERS.format(name),
               *([fifth] if fifth else []))
    assert mail.sender == sender
    assert mail.user is None
    assert mail.params["BODY"] == "8BITMIME"
    assert mail["Subject"] == SUBJECT
    assert mail["From"] == "Büro <shop@example.org>"
    assert (mail["To"], mail["Cc"], mail["X-Shop"]) == (to, cc, "7")
    assert mail["Date"] and mail["Message-ID"]
    assert bcc.encode() not in mail.content
    assert mail.text == BODY + "\n"     # PHP's own
    notify = [r.params.get("NOTIFY") for r in mail.recipients]
    assert notify == ["NEVER" if "-N" in (fifth or "") else None] * 3


def test_php_option_for_a_file(box, sent):
    """What a form can put into the fifth parameter: another option, which
    would have sendmail write a file. It is ignored."""
    mail = php(sent, ["php-x@example.net"], "php-x@example.net", SUBJECT,
               BODY, "", "-fa@example.org -X/tmp/php-traffic")
    assert mail.sender == "a@example.org"
    assert mail.text == BODY + "\n"
    assert box.run("ls", "/tmp").stdout.find(b"php-traffic") < 0


def test_php_is_told_of_failure(box):
    """mail() is false: the recipient is no address."""
    done = box.run("php", "-r", 'exit(mail("not an address", "s", "b")'
                   ' === false ? 0 : 1);', user="www-data", cwd="/")
    assert b"not an address" in done.stderr


PERL_SENDER = """\
use utf8;
use Email::Sender::Simple qw(sendmail);
use Email::Sender::Transport::Sendmail;
use Email::Simple;
local $/;
sendmail(
	Email::Simple->new(<STDIN>),
	{ from => 'bounces@example.org',
	  to => ['to-perl@example.net', '-n@perl.example.net'],
	  transport => Email::Sender::Transport::Sendmail->new });
"""

PERL_LITE = """\
use MIME::Lite;
local $/;
my $body = <STDIN>;
my $mail = MIME::Lite->new(
	From => 'Lab <lab@example.org>',
	To => 'to-lite@example.net',
	Cc => 'cc-lite@example.net',
	Bcc => 'bcc-lite@example.net',
	Subject => 'lite',
	Type => 'TEXT',
	Data => $body);
$mail->send('sendmail', FromSender => 'lab@example.org') or die;
"""

PYTHON = """\
import subprocess, sys
from email.message import EmailMessage
message = EmailMessage()
message["From"] = "Lab <lab@example.org>"
message["To"] = "to-python@example.net"
message["Cc"] = "cc-python@example.net"
message["Bcc"] = "bcc-python@example.net"
message["Subject"] = "%s"
message.set_content(sys.stdin.read())
subprocess.run(["/usr/sbin/sendmail", "-t", "-i"], check=True,
               input=message.as_bytes())
""" % SUBJECT

RUBY = """\
require 'mail'
Mail.defaults { delivery_method :sendmail }
Mail.deliver do
  from 'Lab <lab@example.org>'
  to 'to-ruby@example.net'
  cc 'cc-ruby@example.net'
  bcc 'bcc-ruby@example.net'
  subject '%s'
  body STDIN.read
end
""" % SUBJECT

PHPMAILER = """\
require '/usr/share/php/libphp-phpmailer/autoload.php';
$mail = new PHPMailer\\PHPMailer\\PHPMailer(true);
$mail->isSendmail();
$mail->CharSet = 'UTF-8';
$mail->setFrom('lab@example.org', 'Lab');
$mail->addAddress('to-phpmailer@example.net');
$mail->addCC('cc-phpmailer@example.net');
$mail->addBCC('bcc-phpmailer@example.net');
$mail->Subject = '%s';
$mail->Body = stream_get_contents(STDIN);
$mail->send();
""" % SUBJECT

PEAR = """\
require 'Mail.php';
$mail = Mail::factory('sendmail');
$done = $mail->send(
	['to-pear@example.net', 'cc-pear@example.net', 'bcc-pear@example.net'],
	['From' => 'Lab <lab@example.org>', 'To' => 'to-pear@example.net',
	 'Cc' => 'cc-pear@example.net', 'Subject' => '%s'],
	stream_get_contents(STDIN));
exit($done === true ? 0 : 1);
""" % SUBJECT

SYMFONY = """\
require '/usr/share/php/Symfony/Component/Mailer/autoload.php';
$transport = new Symfony\\Component\\Mailer\\Transport\\SendmailTransport(%s);
$transport->send((new Symfony\\Component\\Mime\\Email())
	->from('Lab <lab@example.org>')
	->to('to-%s@example.net')
	->cc('cc-%s@example.net')
	->bcc('bcc-%s@example.net')
	->subject('%s')
	->text(stream_get_contents(STDIN)));
"""
SYMFONY_BS = SYMFONY % (("",) + ("symfony-bs",) * 3 + (SUBJECT,))
SYMFONY_I = SYMFONY % (("'/usr/sbin/sendmail -t -i'",) + ("symfony-i",) * 3
                       + (SUBJECT,))

NODE = """\
require('nodemailer').createTransport({ sendmail: true }).sendMail({
	from: 'Lab <lab@example.org>',
	to: 'to-node@example.net',
	cc: 'cc-node@example.net',
	bcc: 'bcc-node@example.net',
	subject: '%s',
	text: require('fs').readFileSync(0, 'utf-8')
}, function (error) { if (error) throw error; });
""" % SUBJECT


def test_perl_email_sender(sent):
    """`-i -f A -- R...`, also with a recipient that looks like an option."""
    to = ["to-perl@example.net", "-n@perl.example.net"]
    message = (f"From: Lab <lab@example.org>\nTo: {to[0]}\n"
               "Subject: sender\nX-Kept:  as  it is \n\n" + BODY)
    mail = sent(to, "perl", "-e", PERL_SENDER, user="lab",
                stdin=message.encode())
    assert (mail.sender, mail.user) == ("bounces@example.org", "lab")
    assert mail["From"] == "Lab <lab@example.org>"
    assert b"\nX-Kept:  as  it is \n" in mail.content
    assert mail.text == BODY


# Symfony turns the -t it is told into -i; PHPMailer has PHP's own -t -i first.
SCRIPTS = (
    # name, how it calls sendmail, what is run
    ("lite", "-t -oi -oem -fA", ["perl", "-e", PERL_LITE]),
    ("python", "-t -i", ["python3", "-c", PYTHON]),
    ("ruby", "-i -f A -- R", ["ruby", "-e", RUBY]),
    ("phpmailer", "-t -i -oi -fA -t", ["php", "-r", PHPMAILER]),
    ("pear", "-i -f A -- R", ["php", "-r", PEAR]),
    ("symfony-bs", "-bs", ["php", "-r", SYMFONY_BS]),
    ("symfony-i", "-i -fA -- R", ["php", "-r", SYMFONY_I]),
    ("node", "-i -f A R", ["node", "-e", NODE]),
)


@pytest.mark.parametrize("name, call, argv", SCRIPTS,
                         ids=[row[0] for row in SCRIPTS])
def test_script(sent, name, call, argv):
    to, cc, bcc = (f"{role}-{name}@example.net" for role in
                   ("to", "cc", "bcc"))
    mail = sent([to, cc, bcc], *argv, user="lab", stdin=BODY.encode())
    assert (mail.sender, mail.user) == ("lab@example.org", "lab")
    assert mail["Subject"] == ("lite" if name == "lite" else SUBJECT)
    assert mail["From"] == "Lab <lab@example.org>"
    assert (mail["To"], mail["Cc"]) == (to, cc)
    assert mail["Date"] and mail["Message-ID"]
    assert bcc.encode() not in mail.content
    # Symfony ends its text with another line's end when it speaks SMTP.
    assert mail.text == (BODY + "\n" if name == "symfony-bs" else BODY)
