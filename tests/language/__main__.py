"""`python -m tests.language FOLDER...`: the rate of each evaluator, and every difference."""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from engine.policy import Policy
from tests.language.runner import by_sql, cases, differences, load


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
        failed += duckdb(folder, policies)
    return 1 if failed else 0


def duckdb(folder: Path, policies: dict[str, Policy]) -> int:
    """Cases that do not hold in DuckDB, where all customers of a policy are decided in one query."""
    by_policy: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for file, line, case in cases(folder):
        by_policy.setdefault(case["policy"], []).append((f"{file}:{line}", case))
    failed = total = 0
    for name, given in by_policy.items():
        for (place, _), found in zip(given, by_sql(policies[name], [c for _, c in given]), strict=True):
            total += 1
            failed += bool(found)
            for difference in found:
                print(f"{place} [duckdb] {difference}")
    print(f"duckdb: {total - failed} of {total} cases")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
