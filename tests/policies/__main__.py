"""Plant faults into the shipped policies and their workbooks, and print what `check --fix` and `table import --fix` do.

`python -m tests.policies [--all] [--show OUTCOME] [--kind KIND]... [POLICY]...`: at two seeded places of each kind and
policy, or with --all at every place. Exit 1 where a fault was not seen, its line or cell not named, or a mend changed
the meaning.
"""
from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

from tests.policies.books import BOOKS, BookTrial, damaged
from tests.policies.faults import KINDS, planted, shipped
from tests.policies.planting import Fault
from tests.policies.trial import DAMAGED, FIXED, GOOD, HARMLESS, NAMED, UNNAMED, UNSEEN, Outcome, Trial

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = (FIXED, NAMED, HARMLESS, DAMAGED, UNNAMED, UNSEEN)
MOST = 2


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.policies", description=__doc__)
    parser.add_argument("--all", action="store_true", help="every place, not two of each kind and policy")
    parser.add_argument("--show", choices=COLUMNS, action="append", default=[], help="list the faults of an outcome")
    parser.add_argument("--kind", action="append", default=[], help="only faults of this kind")
    parser.add_argument("policies", nargs="*", metavar="POLICY", help="only policies of this name")
    asked = parser.parse_args(arguments)
    os.environ["TIERWISE_CACHE"] = "0"
    most = None if asked.all else MOST
    told: list[str] = []
    total: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as work:
        policies = tried(Trial(ROOT, Path(work)), planted(ROOT, most, asked.kind), asked.policies)
        books = imported(BookTrial(ROOT, Path(work)), most, asked.kind, asked.policies)
        for title, outcomes in (("in the policy", policies), ("in its workbook", books)):
            counts: dict[str, Counter[str]] = {}
            for kind, where, outcome in outcomes:
                counts.setdefault(kind, Counter())[outcome.what] += 1
                if not outcome.is_good or outcome.what in asked.show:
                    told += [f"\n{outcome.what}: {kind}, {where}", *(f"  {line}" for line in outcome.found)]
            print(f"{title:36}{'planted':>9}" + "".join(f"{column:>10}" for column in COLUMNS))
            for kind, found in counts.items():
                print(row(kind, found))
            sums = sum(counts.values(), Counter())
            print(row("all", sums), end="\n\n")
            total += sums
    for line in told:
        print(line)
    return int(any(total[what] for what in COLUMNS if what not in GOOD))


def tried(
    trial: Trial, faults: Iterator[tuple[str, Path, Fault]], policies: Collection[str] = ()
) -> Iterator[tuple[str, str, Outcome]]:
    """Faults in policies: kind, where, and what became of each."""
    for kind, path, fault in sorted(faults, key=lambda f: list(KINDS).index(f[0])):
        if not policies or path.stem in policies:
            shown = fault.text.split("\n")[fault.first - 1].strip()
            yield kind, f"{path.name}:{fault.first} {shown}", trial.outcome(path, fault)


def imported(
    trial: BookTrial, most: int | None, kinds: Collection[str] = (), policies: Collection[str] = ()
) -> Iterator[tuple[str, str, Outcome]]:
    """Faults in workbooks: kind, where, and what became of each."""
    for kind in BOOKS:
        for path in shipped(ROOT):
            book = trial.book(path)
            if book is None or kinds and kind not in kinds or policies and path.stem not in policies:
                continue
            for cell in damaged(book, kind, most):
                yield kind, f"{path.stem} {cell.name} {cell.value!r}", trial.outcome(path, cell)


def row(name: str, counts: Counter[str]) -> str:
    return f"{name:36}{counts.total():9}" + "".join(f"{counts[column]:10}" for column in COLUMNS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
