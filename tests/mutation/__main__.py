"""Print how many mutants of each shipped standard its test file notices, and those that it does not.

`python -m tests.mutation [POLICY...]`; exit 1 where less than 95% are noticed.
"""
from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.mutation.mutants import Mutant, mutants
from tests.mutation.trial import FAILED, REFUSED, SURVIVED, Bench

LEAST = 0.95
ROOT = Path(__file__).resolve().parents[2]


def main(chosen: list[str]) -> int:
    survivors: list[Mutant] = []
    total: Counter[str] = Counter()
    kinds: Counter[tuple[str, str]] = Counter()
    print(f"{'policy':28}{'mutants':>9}{'failed':>9}{'refused':>9}{'survived':>10}{'noticed':>9}")
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(ROOT / "policies", Path(work))
        for path in bench.paths():
            if chosen and path.stem not in chosen:
                continue
            counts: Counter[str] = Counter()
            for mutant in list(mutants(path)):
                outcome = bench.outcome(mutant)
                counts[outcome] += 1
                kinds[mutant.kind, outcome] += 1
                if outcome == SURVIVED:
                    survivors.append(mutant)
            print(row(path.stem, counts), flush=True)
            total += counts
    print(row("all", total))
    print("\nby kind")
    for kind in sorted({k for k, _ in kinds}):
        print(row(kind, Counter({o: kinds[kind, o] for o in (FAILED, REFUSED, SURVIVED)})))
    print(f"\n{len(survivors)} survived")
    for mutant in survivors:
        print(f"  {mutant}")
    return int(share(total) < LEAST)


def share(counts: Counter[str]) -> float:
    """Noticed of all."""
    return 1 - counts[SURVIVED] / max(1, counts.total())


def row(name: str, counts: Counter[str]) -> str:
    numbers = f"{counts.total():9}{counts[FAILED]:9}{counts[REFUSED]:9}{counts[SURVIVED]:10}"
    return f"{name:28}{numbers}{share(counts):9.1%}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
