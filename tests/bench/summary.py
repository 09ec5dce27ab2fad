"""The figures of submit in one short table, as in the project's README.

    python3 tests/bench/summary.py FILE         # what --json has written
"""

import json
import sys

OURS, MSMTP, FLOOR = "postrider", "msmtp", "floor: bare client"


def of(figures, table, name, *keys):
    """A figure; None where there is none."""
    value = figures.get(table, {}).get(name)
    for key in keys:
        value = (value or {}).get(key)
    return value


def others(figures, table, keys, best):
    """The best of the rest that verify certificates: its figure and name."""
    found = []
    for name in figures.get(table, {}):
        value = of(figures, table, name, *keys)
        if value and not name.startswith((OURS, MSMTP, "floor")) and \
                "dma" not in name:
            found.append((value, name))
    return best(found) if found else (None, None)


def lines(figures):
    """(what, table, its keys, form, scale, the best, who is not as named)."""
    for what, way in (("TLS", "implicit"), ("STARTTLS", "starttls")):
        yield f"round trips, {what}, login", "turns", [way], "{:.0f}", 1, min
    for trust, words in (("system", "all authorities"),
                         ("one", "one authority")):
        yield (f"instructions, TLS, {words}", f"costs_{trust}",
               ["instructions"], "{:.1f} M", 1e6, min)
    yield ("system calls, TLS, all authorities", "costs_system", ["calls"],
           "{:.0f}", 1, min)
    yield "CPU, one process a message", "many", ["cpu"], "{:.1f} ms", 1e-3, min
    for way, words in ("plain", "in clear"), ("tls", "TLS"):
        yield (f"a large message, {words}", "bulk", [way, "speed"],
               "{:.0f} MiB/s", 1, max)


def show(figures):
    print("\n| | postrider | msmtp | best of the others | bare client |\n"
          "|---|---|---|---|---|")
    for what, table, keys, form, scale, best in lines(figures):
        bulk = ", BDAT" if table == "bulk" else ""
        rival, name = others(figures, table, keys, best)
        cells = [of(figures, table, OURS + bulk, *keys),
                 of(figures, table, MSMTP, *keys), rival,
                 of(figures, table, FLOOR + bulk, *keys)]
        texts = ["–" if value is None else form.format(value / scale)
                 for value in cells]
        if name:
            texts[2] += f" ({name})"
        print(f"| {what} | " + " | ".join(texts) + " |", flush=True)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        show(json.load(file))
