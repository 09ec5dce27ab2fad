# SPDX-License-Identifier: GPL-3.0-or-later
# Completion of postrider for fish.

function __postrider_accounts
	set -l config $HOME/.config
	set -q XDG_CONFIG_HOME; and set config $XDG_CONFIG_HOME
	cat $config/postrider/config ~/.postriderrc /etc/postrider.conf \
		~/.msmtprc $config/msmtp/config /etc/msmtprc 2>/dev/null |
		string match -rg '^\s*account\s+([^\s:]+)'
end

# The ids of what is queued, and what else stands for it.
function __postrider_entries
	printf '%s\n' all held recipient: sender: account: id:
	postrider -bp --report=json 2>/dev/null |
		string match -rg '^{"id": "([0-9a-z]+)"'
end

complete -c postrider -f
complete -c postrider -s t -l read-recipients \
	-d 'take recipients from To, Cc and Bcc as well'
complete -c postrider -s f -l from -x \
	-d 'the sender; \'\' or \'<>\' is nobody'
complete -c postrider -s r -x \
	-d 'the same as -f'
complete -c postrider -l read-envelope-from \
	-d 'take the sender from the message'
complete -c postrider -s F -x \
	-d 'the name for a From that is added'
complete -c postrider -s i \
	-d 'a lone dot does not end a typed message'
complete -c postrider -o oi \
	-d 'the same as -i'
complete -c postrider -s B -x -a '7BIT 8BITMIME BINARYMIME' \
	-d 'the body is 7BIT, 8BITMIME or BINARYMIME'
complete -c postrider -s N -x -a 'never success failure delay' \
	-d 'report: never, or of success,failure,delay'
complete -c postrider -s R -x -a 'full hdrs' \
	-d 'what a report returns'
complete -c postrider -s V -x \
	-d 'the envelope id that a report repeats'
complete -c postrider -s n \
	-d 'no aliases'
complete -c postrider -s L -x \
	-d 'the name for syslog'
complete -c postrider -s v -l verbose \
	-d 'show the dialogue, credentials hidden'
complete -c postrider -l debug \
	-d 'the same as -v'
complete -c postrider -l report -x -a 'json text' \
	-d 'tell the fate of each recipient on standard output'
complete -c postrider -s a -l account -x -a '(__postrider_accounts)' \
	-d 'use this account'
complete -c postrider -s C -l file -rF \
	-d 'the configuration'
complete -c postrider -o bm \
	-d 'send the message on standard input (the default)'
complete -c postrider -s P -l dry-run \
	-d 'print what would be sent, to whom and by what'
complete -c postrider -l pretend \
	-d 'the same as --dry-run'
complete -c postrider -s S -l probe \
	-d 'print what the server offers; send nothing'
complete -c postrider -l serverinfo \
	-d 'the same as --probe'
complete -c postrider -o bC -l check \
	-d 'check the configuration'
complete -c postrider -o bh \
	-d 'host status; none is kept'
complete -c postrider -o bH \
	-d 'the same as -bh'
complete -c postrider -l help \
	-d 'print this'
complete -c postrider -l version \
	-d 'print the version'
complete -c postrider -s d \
	-d '0.1 prints the version; else no effect'
complete -c postrider -l list-options \
	-d 'print every option, one a line'
complete -c postrider -l list-settings \
	-d 'print every setting, one a line'
complete -c postrider -s A -x -a 'c m' \
	-d 'no effect'
complete -c postrider -s c \
	-d 'no effect'
complete -c postrider -s e -x \
	-d 'no effect'
complete -c postrider -s G \
	-d 'no effect'
complete -c postrider -s h -x \
	-d 'no effect'
complete -c postrider -s m \
	-d 'no effect'
complete -c postrider -s O -x -a 'RequireTLS=true SMTPUTF8=false DeliverBy= \
		Timeout.connect= Timeout.initial= Timeout.mail= Timeout.rcpt= \
		Timeout.datainit= Timeout.datablock= Timeout.datafinal=' \
	-d 'an option of sendmail\'s'
complete -c postrider -o oe \
	-d 'no effect'
complete -c postrider -o om \
	-d 'no effect'
complete -c postrider -o odi \
	-d 'send it now, whatever queue says'
complete -c postrider -o odb \
	-d 'queue it, and send it in the background'
complete -c postrider -s p -x \
	-d 'no effect'
complete -c postrider -s U \
	-d 'no effect'
complete -c postrider -s x \
	-d 'no effect'
complete -c postrider -o odq \
	-d 'queue the message; a queue run sends it'
complete -c postrider -o odd \
	-d 'the same as -odq'
complete -c postrider -o bs \
	-d 'SMTP on standard input and output'
complete -c postrider -o bp \
	-d 'list the queue; so does mailq'
complete -c postrider -o bP \
	-d 'count the queue'
complete -c postrider -o bi \
	-d 'check the alias file; so does newaliases'
complete -c postrider -s I \
	-d 'the same as -bi'
complete -c postrider -o bv \
	-d 'tell where mail to the recipients would go'
complete -c postrider -o bt \
	-d 'tell how addresses on standard input read'
complete -c postrider -o bd \
	-d 'with -q INTERVAL: run the queue'
complete -c postrider -o bD \
	-d 'the same in the foreground'
complete -c postrider -s q \
	-d 'send what is queued: once, or every INTERVAL'
complete -c postrider -o qf \
	-d 'the same, in the foreground'
complete -c postrider -o qp \
	-d 'the same as -q'
complete -c postrider -o qI -x \
	-d 'only ids with this in them'
complete -c postrider -o qR -x \
	-d 'only recipients with this in them'
complete -c postrider -o qS -x \
	-d 'only senders with this in them'
complete -c postrider -o qG -x -a '(__postrider_accounts)' \
	-d 'only this account'
complete -c postrider -o qQ \
	-d 'only what is held'
complete -c postrider -l queue-run \
	-d 'send what is due, as a timer wants it'
complete -c postrider -l all-users \
	-d 'with -q, --queue-run: as each user in turn'
complete -c postrider -l queue-show -x -a '(__postrider_entries)' \
	-d 'print messages of the queue'
complete -c postrider -l queue-hold -x -a '(__postrider_entries)' \
	-d 'keep them from being sent'
complete -c postrider -l queue-release -x -a '(__postrider_entries)' \
	-d 'let held ones be sent'
complete -c postrider -l queue-remove -x -a '(__postrider_entries)' \
	-d 'remove them; nobody is told'
complete -c postrider -l queue-retry -x -a '(__postrider_entries)' \
	-d 'have them tried with the next run'
complete -c postrider -s Q -x \
	-d 'queue the message, and hold it there'
complete -c postrider -s X -rF \
	-d 'append the dialogue to this file'
complete -c postrider -s D -rF \
	-d 'no effect'
complete -c postrider -l setup \
	-d 'write a configuration'
complete -c postrider -l configure -x \
	-d 'find the settings for an address'
complete -c postrider -l rmqs -x \
	-d 'ask the server to send what it has for us'
complete -c postrider -l host -x -a '(__fish_print_hostnames)' \
	-d 'the server: a name or an address'
complete -c postrider -l port -x \
	-d 'its port; 587, or 465 with tls_starttls off'
complete -c postrider -l socket -rF \
	-d 'connect to this unix socket instead'
complete -c postrider -l tunnel -x \
	-d 'connect to this command\'s input and output'
complete -c postrider -l source-ip -x \
	-d 'connect from this address'
complete -c postrider -l prefer-family -x -a 'any ipv4 ipv6' \
	-d 'which addresses are tried first'
complete -c postrider -l tcp-fast-open -a 'on off' \
	-d 'the first words go with TCP\'s first segment'
complete -c postrider -l proxy-host -x \
	-d 'connect by this SOCKS5 proxy'
complete -c postrider -l proxy-port -x \
	-d 'its port; 1080'
complete -c postrider -l proxy-user -x \
	-d 'who we are for the proxy'
complete -c postrider -l timeout -x -a 'off' \
	-d 'for every single wait; else RFC 5321\'s times'
complete -c postrider -l protocol -x -a 'smtp lmtp' \
	-d 'what the server speaks'
complete -c postrider -l domain -x \
	-d 'the name for EHLO; else this machine\'s'
complete -c postrider -l pipelining -a 'auto on off' \
	-d 'send commands without waiting for each answer'
complete -c postrider -l pipe-connect -a 'on off' \
	-d 'speak before the greeting where that is known to do'
complete -c postrider -l chunking -a 'on off' \
	-d 'use BDAT where the server offers it'
complete -c postrider -l partial -a 'on off' \
	-d 'send to the others when a recipient is refused'
complete -c postrider -l reencode -a 'auto on off' \
	-d 'encode what the server can\'t take'
complete -c postrider -l requiretls -a 'on off' \
	-d 'only by TLS, all the way (RFC 8689)'
complete -c postrider -l deliverby -x \
	-d 'how soon, else return or notify (RFC 2852)'
complete -c postrider -l smtputf8 -a 'on off' \
	-d 'ask for SMTPUTF8 where an address needs it'
complete -c postrider -l mail-parameter -x \
	-d 'parameters to be added to MAIL FROM'
complete -c postrider -l rcpt-parameter -x \
	-d 'parameters to be added to RCPT TO'
complete -c postrider -l auth -a 'on off auto scram-sha-256-plus scram-sha-1-plus scram-sha-256 scram-sha-1 gssapi gs2-krb5 external digest-md5 cram-md5 ntlm plain login oauthbearer xoauth2 anonymous' \
	-d 'authenticate; on when a user is set'
complete -c postrider -l user -x \
	-d 'who authenticates'
complete -c postrider -l authzid -x \
	-d 'for whom, if for another (SASL)'
complete -c postrider -l passwordeval -x \
	-d 'a command that prints the password'
complete -c postrider -l password-file -rF \
	-d 'a file whose first line is the password'
complete -c postrider -l ntlmdomain -x \
	-d 'the domain, for NTLM'
complete -c postrider -l password-credential -x \
	-d 'the systemd credential that is the password'
complete -c postrider -l keyring -a 'on off' \
	-d 'look for the password in the desktop\'s keyring'
complete -c postrider -l tls -a 'on off' \
	-d 'encrypt'
complete -c postrider -l tls-starttls -a 'on off' \
	-d 'off: TLS from the first octet'
complete -c postrider -l tls-certcheck -a 'on off' \
	-d 'off: anyone may pose as the server'
complete -c postrider -l tls-trust-file -rF \
	-d 'whose certificates are trusted (PEM)'
complete -c postrider -l tls-fingerprint -x \
	-d 'trust the certificate with this fingerprint only'
complete -c postrider -l tls-pin -x \
	-d 'trust certificates with one of these public keys'
complete -c postrider -l dane -a 'off on only' \
	-d 'believe what signed DNS says of the certificate'
complete -c postrider -l tls-resume -a 'on off' \
	-d 'go on with the TLS session of last time'
complete -c postrider -l tls-host-override -x \
	-d 'the name that the certificate must have'
complete -c postrider -l tls-min-version -x -a '1.2 1.3' \
	-d 'the oldest TLS that will do'
complete -c postrider -l tls-priorities -x \
	-d 'GnuTLS priority string'
complete -c postrider -l tls-cert-file -rF \
	-d 'our own certificate (PEM, PKCS #11)'
complete -c postrider -l tls-key-file -rF \
	-d 'its key (PEM, PKCS #11)'
complete -c postrider -l tls-key-passwordeval -x \
	-d 'a command that prints the key\'s password or PIN'
complete -c postrider -l tls-crl-file -rF \
	-d 'certificates that were revoked (PEM)'
complete -c postrider -l tls-min-dh-prime-bits -x \
	-d 'for old key exchanges; see tls_priorities'
complete -c postrider -l from-full-name -x \
	-d 'the name for a From that is added'
complete -c postrider -l allow-from-override -a 'on off' \
	-d 'off: the sender is always from'
complete -c postrider -l auto-from -a 'on off' \
	-d 'the sender is the user\'s name at maildomain'
complete -c postrider -l maildomain -x \
	-d 'for addresses without a domain'
complete -c postrider -l local-to -x \
	-d 'who has the mail to names without a domain'
complete -c postrider -l rewrite-header -a 'on off' \
	-d 'give names without a domain one in the header too'
complete -c postrider -l aliases -r -F \
	-d 'the alias file'
complete -c postrider -l set-from-header -a 'auto on off' \
	-d 'add a missing From, or replace it'
complete -c postrider -l set-date-header -a 'auto off' \
	-d 'add a missing Date'
complete -c postrider -l set-msgid-header -a 'auto off' \
	-d 'add a missing Message-ID'
complete -c postrider -l set-to-header -a 'auto on off' \
	-d 'add "To: undisclosed-recipients:;"'
complete -c postrider -l remove-bcc-headers -a 'on off' \
	-d 'remove Bcc and Resent-Bcc'
complete -c postrider -l undisclosed-recipients -a 'on off' \
	-d 'hide To, Cc and Bcc'
complete -c postrider -l dsn-notify -x -a 'off never success failure delay' \
	-d 'when the server shall report on the delivery'
complete -c postrider -l dsn-return -x -a 'off headers full' \
	-d 'how much of the message a report returns'
complete -c postrider -l queue -a 'off on only' \
	-d 'keep what can\'t be sent now, and try again'
complete -c postrider -l queue-dir -x -a '(__fish_complete_directories)' \
	-d 'where the queue is'
complete -c postrider -l queue-lifetime -x \
	-d 'how long a message is tried'
complete -c postrider -l queue-warn -x -a 'off' \
	-d 'tell the sender when it is this late'
complete -c postrider -l queue-connections -x \
	-d 'sessions side by side in a queue run; 1'
complete -c postrider -l bounce-to -x \
	-d 'who gets reports in place of the sender'
complete -c postrider -l logfile -rF \
	-d 'append a line for each message'
complete -c postrider -l logfile-time-format -x \
	-d 'strftime(3) format of its time'
complete -c postrider -l syslog -a 'on off LOG_USER LOG_MAIL LOG_LOCAL0' \
	-d 'the same line for the system\'s log'
complete -c postrider -l add-missing-from-header -a 'on off' \
	-d 'old name'
complete -c postrider -l add-missing-date-header -a 'on off' \
	-d 'old name'
complete -c postrider -l keepbcc -a 'on off' \
	-d 'old name'
complete -c postrider -l connect-timeout -x \
	-d 'old name'
