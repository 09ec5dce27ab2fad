"""typist.py KEYS WORD [KEYS WORD...] -- COMMAND...: runs COMMAND in a terminal
of 80 columns and 24 rows and, for each pair, types KEYS (`\\x18` is Ctrl-X)
once WORD has appeared on it. Ends when COMMAND does, with its status; says
what was on the terminal if that takes more than 20 seconds."""

import os
import pty
import select
import sys
import time


def main(argv):
    split = argv.index("--")
    steps, command = argv[:split], argv[split + 1:]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    seen, end = b"", time.monotonic() + 20
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                seen += os.read(terminal, 65536).replace(b"\0", b"")
            except OSError:         # the other side was closed
                break
        elif steps and steps[1].encode() in seen:
            keys, _, *steps = steps
            os.write(terminal, keys.encode().decode("unicode_escape").encode())
            seen = b""
    else:
        sys.exit(f"waiting for {steps[1:2]}: {seen.decode(errors='replace')}")
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
