"""Count the skips in pytest logs by reason; an unlisted reason fails.

A skip hides a test. The few reasons that may stand are listed here, each with why.
"""
from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

#: Beginning of a reason, and why it may stand.
ALLOWED = {
    "shared data is absent": "the given data sets and cases lie beside the repository and are not part of it",
    "everything may be read by the superuser": "no file is sealed to root; whoever runs the tests as a user has these",
}
_LINE = re.compile(r"^SKIPPED \[(\d+)\] (\S+?:\d+|\S+): (.*)$")
_CLOSING = re.compile(r"^=+ .*\d+ (?:passed|failed).* in [\d.]+s")


def main(logs: list[str]) -> int:
    failed = False
    for log in logs:
        text = Path(log).read_text(encoding="utf-8", errors="replace")
        name = Path(log).name
        if not any(_CLOSING.match(line) for line in text.splitlines()):
            print(f"{name}: no test ran")
            failed = True
        reasons: Counter[str] = Counter()
        for line in text.splitlines():
            if found := _LINE.match(line):
                reasons[found[3]] += int(found[1])
        print(f"{name}: {sum(reasons.values())} skipped")
        for reason, count in reasons.most_common():
            listed = any(reason.startswith(known) for known in ALLOWED)
            print(f"  {count} x {reason}" + ("" if listed else "  <- not a listed reason"))
            failed |= not listed
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
