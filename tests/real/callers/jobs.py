"""Who runs jobs on the machine: atd, and cron with the crontabs of all tests,
as it looks at the clock once in a minute only."""

COMMAND = "cat output # Grüße — 100 €"
OUTPUT = """\
Grüße aus Köln — 100 €
.
.. zwei Punkte

Ende
"""
CRONTABS = {
    "root": f"* * * * * {COMMAND}\n",
    "carla": f"* * * * * {COMMAND}\n",
    "nina": f"MAILTO=remote@example.net\n* * * * * {COMMAND}\n",
    "otto": f"MAILTO=cron-a@example.net,wache\n* * * * * {COMMAND}\n",
    "eva": "MAILTO=\"\"\n* * * * * echo to nobody; touch it-ran\n",
}
# One of the system's own, which name a user in each line.
SYSTEM_CRONTAB = """\
MAILTO=wache
SHELL=/bin/sh
* * * * * daemon cat /srv/output # daemon
"""


def start_jobs(machine):
    machine.run("sh", "-c", "rm -f /etc/cron.*/* /etc/crontab")
    machine.put("/etc/cron.d/probe", SYSTEM_CRONTAB)
    machine.put("/srv/output", OUTPUT)
    for user, crontab in CRONTABS.items():
        home = "/root" if user == "root" else f"/home/{user}"
        machine.put(f"{home}/output", OUTPUT, owner=user)
        machine.run("crontab", "-", user=user, stdin=crontab.encode())
    machine.daemon("/usr/sbin/cron")
    machine.daemon("/usr/sbin/atd")
