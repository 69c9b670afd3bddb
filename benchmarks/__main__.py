"""`python -m benchmarks`: measure, and show what was reached beside the goals.

Exits with 1 where an engine's outcomes differ from the oracle's, with --strict also where a goal
is missed, and with 2 where the baselines are absent or changed.
"""
from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import allocation, columnar, growth, history, library, one, portfolio, reporting, scorers, start
from benchmarks.given import Absent, Given
from benchmarks.report import Section, as_json, table
from benchmarks.timing import PART

_SECTIONS = (
    "one", "growth", "start", "portfolio", "columns", "history", "large", "memory", "library", "allocation", "report",
    "scorers",
)
#: What takes minutes, or libraries of its own, is measured when it is named.
_USUAL = _SECTIONS[:-6]
#: Invoices for each customer of `--customers`.
_INVOICES = 10
_ROUNDS = 11
_ROWS = 10_000


def main(args: list[str] | None = None) -> int:
    """Measure the sections asked for; the exit code."""
    what = "Measure against hand-written code and peers."
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=what)
    told = f"of {', '.join(_SECTIONS)}; all but the last six unless told"
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=told)
    customers = "of the portfolio, each with ten invoices (default %(default)s)"
    parser.add_argument("--customers", type=int, default=1_000_000, help=customers)
    parser.add_argument("--json", action="store_true", help="figures of every round as JSON")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="interleaved rounds (default %(default)s)")
    parser.add_argument("--rows", type=int, default=_ROWS, help="rows compared with the oracle (default %(default)s)")
    parser.add_argument("--part", type=float, default=PART, help="seconds of each in a round (default %(default)s)")
    parser.add_argument("--no-peers", action="store_true", help="leave the other engines out")
    parser.add_argument("--strict", action="store_true", help="exit with 1 where a goal is missed")
    given_args = parser.parse_args(args)
    chosen = given_args.sections or list(_USUAL)
    if unknown := [s for s in chosen if s not in _SECTIONS]:
        parser.error(f"there is no section `{unknown[0]}`; there are {', '.join(_SECTIONS)}")
    if min(given_args.rounds, given_args.rows, given_args.customers) < 1:
        parser.error("rounds, rows and customers are 1 or more")
    try:
        given = Given()
    except Absent as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2

    facts = machine(given, given_args.rounds)
    if not given_args.json:
        print("; ".join(f"{name}: {value}" for name, value in facts.items()), end="\n\n", flush=True)
    done: list[Section] = []
    for name in chosen:
        section = _measure(name, given, given_args)
        done.append(section)
        if not given_args.json:
            print(table(section), flush=True)
    if given_args.json:
        print(as_json(done, facts), end="")
    missed = [goal for section in done for line in section.lines for goal in line.goals if not goal.met]
    mismatches = sum(section.mismatches for section in done)
    if not given_args.json:
        goals = sum(len(line.goals) for section in done for line in section.lines)
        print(f"goals met: {goals - len(missed)} of {goals}; differences from the oracle: {mismatches}")
    return 1 if mismatches or (given_args.strict and missed) else 0


def _measure(name: str, given: Given, args: argparse.Namespace) -> Section:
    if name == "one":
        return one.measure(given, args.rows, args.rounds, args.part, not args.no_peers)
    if name == "start":
        return start.measure(args.rounds)
    if name == "portfolio":
        return portfolio.measure(given, args.customers, args.rounds, not args.no_peers)
    if name == "columns":
        return columnar.measure(args.customers, args.rounds)
    if name == "history":
        return history.measure(args.customers * _INVOICES, args.rounds)
    if name == "large":
        return columnar.large(given, args.rounds)
    if name == "memory":
        return history.limited()
    if name == "library":
        return library.measure(args.customers)
    if name == "allocation":
        return allocation.measure()
    if name == "report":
        return reporting.measure(args.customers)
    if name == "scorers":
        return scorers.measure(given, max(args.customers // 5, 1), args.rounds, args.part)
    with TemporaryDirectory() as folder:
        env = start.environment(None, Path(folder))
        return growth.measure(given, min(args.rows, 2000), args.rounds, args.part, env)


def machine(given: Given, rounds: int) -> dict[str, object]:
    """What a figure cannot be read without."""
    return {
        "python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(), "rounds": rounds, "baselines": f"{given.files} files, digests verified",
    }


if __name__ == "__main__":
    sys.exit(main())
