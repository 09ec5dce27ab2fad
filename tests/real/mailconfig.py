"""What Postfix and Dovecot are told: users, mailboxes, refusals, services."""

import itertools

# Users that every Debian has, so that none needs to be made.
POSTFIX_USER = "uucp"
POSTFIX_GROUP = "news"		# must not be POSTFIX_USER's own
DOVECOT_LOGIN = "games"
DOVECOT_USER = "list"
MAILBOX_USER = "mail"

DOMAIN = "example.org"
HIDDEN = "hidden.example.org"	# a name that only the proxies find
IDN_DOMAIN = "xn--bcher-kva.example.org"	# bücher.example.org
HOSTNAME = "mail.example.org"

# Login names and passwords. Postfix's log shows who came in and how.
PASSWORDS = {
    "alice": "secret",
    "bob@example.org": "p@ss:word",
    "spaces": " two  words ",
    "quotes": "a\"b'c\\d#e",
    "umlaut": "pässwörd€",
    "long": "x" * 255,
    "latin": "pässwörd",
    "jürgen": "grüße an alle",
}
# Who may be somebody else: as in RFC 4616, "for alice, says warden".
MASTERS = {"warden": "all the keys"}
# Kept as {SCRAM-SHA-1} only, so that no other mechanism can be answered.
SCRAM_SHA_1_ONLY = {"scramone": "once stored"}

MAILBOXES = 9000		# box0 … box8999, one for each message sent

# Refusals: the address says what becomes of it.
SENDER_ACCESS = {
    "refused": "550 5.1.8 we know no such sender",
    "forbidden": "554 5.7.1 policy does not like you",
    "later": "450 4.1.8 come again",
    "busy": "451 4.3.0 policy service is away",
}
RECIPIENT_ACCESS = {
    "grey": "450 4.2.0 greylisted, come back in five minutes",
    "full": "452 4.2.2 mailbox is full",
    "overfull": "552 5.2.2 mailbox has been full for long",
    "policy": "554 5.7.1 policy forbids it",
    "moved": "551 5.1.6 has moved away",
    "closed": "550 5.2.1 mailbox is closed",
    "plain550": "550 nobody here of that name",
    "plain450": "450 not at the moment",
    "shutdown": "421 4.3.2 we are going down",
}

EXTENSIONS = "pipelining, chunking, dsn, smtputf8, 8bitmime, size"
MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1",
              "SCRAM-SHA-256")
BEARERS = ("OAUTHBEARER", "XOAUTH2")
OPENID = "https://id.example.org/.well-known/openid-configuration"

# One smtpd(8) for each: its name and what sets it apart from "submission".
SERVICES = {
    "submission": {},
    "smtps": {"smtpd_tls_wrappermode": "yes"},
    # Says no at MAIL, where "submission" waits for RCPT.
    "eager": {"smtpd_delay_reject": "no"},
    "shut": {"smtpd_delay_reject": "no",
             "smtpd_client_restrictions": "reject"},
    "away": {"smtpd_delay_reject": "no",
             "smtpd_client_restrictions": "defer"},
    "cleartext": {"smtpd_tls_security_level": "none",
                  "smtpd_tls_auth_only": "no"},
    # No AUTH: it lets in who has no name, to its own mailboxes.
    "open": {"smtpd_sasl_auth_enable": "no",
             "smtpd_relay_restrictions": "permit_auth_destination,reject"},
    # Where Dovecot's own submission service hands on what it took.
    "relay": {"smtpd_sasl_auth_enable": "no",
              "smtpd_tls_security_level": "none",
              "smtpd_relay_restrictions": "permit_auth_destination,reject"},
    "bearer": {"smtpd_sasl_mechanism_filter": "oauthbearer, xoauth2"},
    "bearer-plain": {"smtpd_sasl_mechanism_filter": "oauthbearer, plain"},
    "kerberos": {"smtpd_sasl_mechanism_filter": "gssapi"},
    "kerberos-plain": {"smtpd_sasl_mechanism_filter": "gssapi, plain"},
    "everything": {"smtpd_sasl_mechanism_filter": "static:all"},
    "bare": {"smtpd_discard_ehlo_keywords": EXTENSIONS},
    "nochunking": {"smtpd_discard_ehlo_keywords": "chunking"},
    "strict": {"smtpd_hard_error_limit": "3"},
    "small": {"message_size_limit": "4000"},
    "smallsecret": {"message_size_limit": "4000",
                    "smtpd_discard_ehlo_keywords": "size"},
    "stranger": {"smtpd_tls_chain_files": "$stranger_pem"},
    "expired": {"smtpd_tls_chain_files": "$expired_pem"},
    "othername": {"smtpd_tls_chain_files": "$othername_pem"},
    "clientcert": {"smtpd_tls_req_ccert": "yes",
                   "smtpd_tls_CAfile": "$ca_crt"},
    "tls12": {"smtpd_tls_mandatory_protocols": "<=TLSv1.2, >=TLSv1.2"},
    "tls12-smtps": {"smtpd_tls_mandatory_protocols": "<=TLSv1.2, >=TLSv1.2",
                    "smtpd_tls_wrappermode": "yes"},
    "tls11": {"smtpd_tls_mandatory_protocols": "<=TLSv1.1, >=TLSv1.1",
              "smtpd_tls_mandatory_ciphers": "null",
              "tls_null_cipherlist": "ALL:@SECLEVEL=0"},
}
# Services that speak TLS from the first octet on.
IMPLICIT = ("smtps", "tls12-smtps", "dovecots")
# Dovecot's own submission service, in clear with STARTTLS and with TLS.
DOVECOTS = ("dovecot", "dovecots")
# What the corpus is sent to: like "open", each with some of the extensions
# that decide about the form of a message, in clear text for speed.
CORPUS_EXTENSIONS = ("8bitmime", "smtputf8", "chunking")


def corpus_service(offers):
    return "-".join(["corpus", *sorted(offers)])


for _n in range(len(CORPUS_EXTENSIONS) + 1):
    for _offers in itertools.combinations(CORPUS_EXTENSIONS, _n):
        SERVICES[corpus_service(_offers)] = dict(
            SERVICES["open"], smtpd_tls_security_level="none",
            smtpd_discard_ehlo_keywords=", ".join(
                e for e in CORPUS_EXTENSIONS if e not in _offers))
for _name in MECHANISMS:
    SERVICES["only-" + _name.lower()] = {
        "smtpd_sasl_mechanism_filter": _name.lower()}

MAIN_CF = """
compatibility_level = 3.6
config_directory = {etc}
queue_directory = {queue}
data_directory = {data}
daemon_directory = {root}/usr/lib/postfix/sbin
command_directory = {root}/usr/sbin
shlib_directory = {root}/usr/lib/postfix
meta_directory = {etc}
mail_owner = {POSTFIX_USER}
setgid_group = {POSTFIX_GROUP}
import_environment = MAIL_CONFIG MAIL_LOGTAG LANG=C POSTLOG_SERVICE
    POSTLOG_HOSTNAME LD_LIBRARY_PATH={libraries}
maillog_file = {log}
maillog_file_prefixes = {base}
alias_maps =
alias_database =

myhostname = {HOSTNAME}
mydomain = {DOMAIN}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
default_transport = error:5.4.4 no mail leaves this machine
relay_transport = error:5.4.4 no mail leaves this machine
notify_classes =
biff = no
in_flow_delay = 0
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 2000
smtpd_hard_error_limit = 2000
smtpd_peername_lookup = no
recipient_delimiter =
message_size_limit = 50000000
mailbox_size_limit = 0
virtual_mailbox_limit = 0

# A message is kept as it came, so that what arrived is what was sent.
local_header_rewrite_clients =
message_drop_headers =
disable_mime_input_processing = yes

virtual_mailbox_domains = {DOMAIN}, {IDN_DOMAIN}
virtual_mailbox_base = {mail}
virtual_mailbox_maps = texthash:{etc}/listed
delivered_maps = texthash:{etc}/mailboxes
virtual_minimum_uid = 1
virtual_uid_maps = static:{mail_uid}
virtual_gid_maps = static:{mail_gid}

smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
# What takes a password; a token or a ticket has services of its own.
smtpd_sasl_mechanism_filter = {passwords}
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_chain_files = {pki}/server.pem
smtpd_tls_loglevel = 1
ca_crt = {pki}/ca.crt
stranger_pem = {pki}/stranger.pem
expired_pem = {pki}/expired.pem
othername_pem = {pki}/othername.pem

smtpd_sender_login_maps = texthash:{etc}/owners
smtpd_sender_restrictions = check_sender_access texthash:{etc}/senders,
    reject_known_sender_login_mismatch
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = check_recipient_access texthash:{etc}/access
"""

MASTER_CF = """
cleanup   unix  n  -  n  -     0  cleanup
qmgr      unix  n  -  n  300   1  qmgr
tlsmgr    unix  -  -  n  1000? 1  tlsmgr
rewrite   unix  -  -  n  -     -  trivial-rewrite
bounce    unix  -  -  n  -     0  bounce
defer     unix  -  -  n  -     0  bounce
trace     unix  -  -  n  -     0  bounce
verify    unix  -  -  n  -     1  verify
flush     unix  n  -  n  1000? 0  flush
proxymap  unix  -  -  n  -     -  proxymap
proxywrite unix -  -  n  -     1  proxymap
showq     unix  n  -  n  -     -  showq
error     unix  -  -  n  -     -  error
retry     unix  -  -  n  -     -  error
discard   unix  -  -  n  -     -  discard
virtual   unix  -  n  n  -     -  virtual
  -o virtual_mailbox_maps=$delivered_maps
anvil     unix  -  -  n  -     1  anvil
scache    unix  -  -  n  -     1  scache
postlog   unix-dgram n - n -   1  postlogd
"""

DOVECOT_CONF = """
base_dir = {dovecot}/run
state_dir = {dovecot}/state
instance_name = {dovecot}
libexec_dir = {root}/usr/lib/dovecot
mail_plugin_dir = {root}/usr/lib/dovecot/modules
default_login_user = {DOVECOT_LOGIN}
default_internal_user = {DOVECOT_USER}
default_internal_group = {dovecot_group}
import_environment = LD_LIBRARY_PATH={libraries} KRB5_CONFIG KRB5RCACHENAME
log_path = {dovecot_log}
auth_verbose = yes
protocols = submission
ssl = yes
ssl_cert = <{pki}/server.pem
ssl_key = <{pki}/server.key
auth_mechanisms = {passwords} oauthbearer xoauth2 gssapi
auth_failure_delay = 0
auth_username_chars =
auth_krb5_keytab = {kerberos}/keytab
auth_gssapi_hostname = "$ALL"
passdb {{
  driver = passwd-file
  mechanisms = {passwords}
  args = scheme=PLAIN username_format=%u {dovecot}/masters
  master = yes
}}
passdb {{
  driver = passwd-file
  mechanisms = {passwords}
  args = scheme=PLAIN username_format=%u {dovecot}/users
}}
passdb {{
  driver = oauth2
  mechanisms = oauthbearer xoauth2
  args = {dovecot}/oauth2.conf
}}
# A ticket says enough: no password is looked at.
passdb {{
  driver = static
  mechanisms = gssapi
  args = nopassword
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}}
service stats {{
  chroot =
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {queue}/private/auth {{
    mode = 0660
    user = {POSTFIX_USER}
  }}
}}

# A submission server of its own, which hands on to Postfix.
hostname = {HOSTNAME}
submission_relay_host = 127.0.0.1
submission_relay_port = {relay_port}
submission_client_workarounds =
mail_location = maildir:/nonexistent
service submission-login {{
  chroot =
  service_count = 0
  inet_listener submission {{
    address = 127.0.0.1
    port = {dovecot_port}
  }}
  inet_listener submissions {{
    address = 127.0.0.1
    port = {dovecots_port}
    ssl = yes
  }}
}}
"""

# Tokens are JWT, judged by Dovecot itself with the keys it finds in a folder.
OAUTH2_CONF = """
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={dovecot}/keys/
username_attribute = sub
openid_configuration_url = {OPENID}
"""

# Dante. What it must not reach is a network that nobody has (RFC 5737).
DANTED_CONF = """\
logoutput: {base}/danted.log
internal: 127.0.0.1 port = {danted_port}
external: lo
socksmethod: none
user.privileged: root
user.unprivileged: nobody
client pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 }}
socks block {{ from: 0.0.0.0/0 to: 192.0.2.0/24 }}
socks pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 protocol: tcp }}
"""

PROXY_USER = "alice"
PROXY_PASSWORD = "two words"
