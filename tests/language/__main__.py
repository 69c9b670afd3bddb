"""`python -m tests.language FOLDER...`: the rate of each evaluator, and every difference."""
from __future__ import annotations

import sys
from pathlib import Path

from engine.policy import Policy
from tests.language.runner import cases, differences, load


def main(folders: list[str]) -> int:
    failed = 0
    for folder in map(Path, folders):
        policies: dict[str, Policy] = {}
        for engine in ("reference", "python"):
            held = total = 0
            for file, line, case in cases(folder):
                name = case["policy"]
                if name not in policies:
                    policies[name] = load(folder, name)
                found = differences(policies[name], case, engine)
                total += 1
                held += not found
                for difference in found:
                    print(f"{file}:{line} [{engine}] {difference}")
            failed += total - held
            print(f"{engine}: {held} of {total} cases")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
