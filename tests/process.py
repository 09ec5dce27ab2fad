"""What the kernel shows of a process: /proc/PID.

    memory(pid)         [(region, octets)]: all of its address space that can
                        have been written to, read past what keeps other users
                        out (as root, or with the same user where allowed)
    dumped(pid)         the same without what a core dump leaves out
    words(pid)          its arguments and its environment, as they are
    descriptors(pid)    {number: (name, octets)} of its open files, unlinked
                        ones as well
    mapped(pid)         the files of which its address space is made
    children(pid)       those it has, and theirs, of which some may have ended
"""

import contextlib
import os
import re
from pathlib import Path

LARGEST = 64 << 20      # octets of one region that are looked at


def regions(pid):
    """(first, last, name, flags) of /proc/PID/smaps."""
    found = []
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if match := re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)",
                             line):
            found.append([int(match[1], 16), int(match[2], 16), match[3],
                          match[4] or "anonymous", ()])
        elif line.startswith("VmFlags:"):
            found[-1][4] = line.split()[1:]
    return found


def memory(pid, is_wanted=lambda flags: True):
    result = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as file:
        for first, last, access, name, flags in regions(pid):
            is_file = name.startswith("/") and "w" not in access
            if "r" not in access or name.startswith("[v") or is_file or \
                    not is_wanted(flags):
                continue
            try:
                data = os.pread(file.fileno(), min(last - first, LARGEST),
                                first)
            except OSError:     # a device, or behind the end of a file
                continue
            result.append((f"{name} {first:x}", data))
    return result


def dumped(pid):
    return memory(pid, lambda flags: "dd" not in flags)


def words(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes() + \
        Path(f"/proc/{pid}/environ").read_bytes()


def descriptors(pid):
    result = {}
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            name = os.readlink(link)
            data = link.read_bytes() if re.match(r"/(?!dev/)|/memfd", name) \
                else b""
        except OSError:
            continue
        result[int(link.name)] = name, data
    return result


def mapped(pid):
    return {region[3].removesuffix(" (deleted)") for region in regions(pid)
            if region[3].startswith("/")}


def children(pid):
    found = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += (task / "children").read_text().split()
    return [one for child in found for one in (int(child), *children(child))]
