"""`python -m tests.differential [--nightly]`: random policies through every evaluator, with counts.

Exit 1 where two evaluators differ, one raises, or (with `--nightly`) an item stands in the
policies of fewer than 100 pairs, or in fewer than 20 policies, of an engine that carries it out.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed

from engine.backends.python.supported import SUPPORT as GENERATED
from tests.differential import counters
from tests.differential.columnar import Columnar
from tests.differential.harness import DUCKDB, ENGINES, PYTHON, REFERENCE, Report, Setting, run
from tests.differential.promise import sample

#: Pairs, and policies, in which each item is to stand.
ENOUGH = 100
FEWEST = 20
#: Policies, customers of each and their dates, and how seldom a pair is compared in all that is shown.
NIGHTLY = (2_100, Setting(500, 1, 10))
WANTED = {
    REFERENCE: counters.wanted(),
    PYTHON: counters.wanted(GENERATED),
    DUCKDB: counters.wanted(Columnar.support),
}
#: Policies that a process takes at a time.
BLOCK = 10


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.differential", description="Random policies through every evaluator."
    )
    count, setting = NIGHTLY
    nightly = f"{count:,} policies, {setting.customers} customers each, every item {ENOUGH} times on each engine"
    parser.add_argument("--nightly", action="store_true", help=nightly)
    parser.add_argument("--policies", type=int, default=100)
    parser.add_argument("--customers", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the first policy")
    parser.add_argument("--minutes", type=float, help="begin no policy after so long; what is left out is told")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep", type=int, default=0, metavar="N", help="shrink up to N faults and keep them")
    options = parser.parse_args()
    if not options.nightly:
        count, setting = options.policies, Setting(options.customers)
    setting = setting.replace(keep=options.keep)
    start = time.monotonic()
    until = None if options.minutes is None else start + 60 * options.minutes
    report = Report()
    for part in parts(range(options.seed, options.seed + count), setting, until, options.processes):
        for line in (*(f"seed {seed}: {fault.kind}: {fault.detail[:300]}" for seed, fault in part.faults), *part.said):
            print(line, flush=True)
        report.add(part)
        if sys.stderr.isatty():
            print(f"\r{report.outcomes['policies']:,} of {count:,} policies", end="", file=sys.stderr, flush=True)
    missing = show(report, setting, time.monotonic() - start)
    broken = sample(range(count // 3), 15) if options.nightly and options.minutes is None else []
    for fault in broken[:10]:
        print(f"a settled outcome did not last: {fault}"[:400])
    complete = options.nightly and not report.outcomes["policies left out for want of time"]
    return 1 if report.faults or broken or (complete and missing) else 0


def parts(seeds: range, setting: Setting, until: float | None, processes: int) -> Iterator[Report]:
    """The reports of blocks of policies, as they are done."""
    blocks = [seeds[at : at + BLOCK] for at in range(0, len(seeds), BLOCK)]
    if processes <= 1:
        for block in blocks:
            yield run(block, setting, until)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context) as pool:
        for done in as_completed([pool.submit(run, block, setting, until) for block in blocks]):
            yield done.result()


def show(report: Report, setting: Setting, seconds: float) -> list[str]:
    """Print the counts; gives the items that are met too seldom."""
    few = []
    width = max(map(len, WANTED[REFERENCE]))
    print(f"{'pairs (policies) that hold':{width}}" + "".join(f"{engine:>20}" for engine in ENGINES))
    for item in WANTED[REFERENCE]:
        cells = []
        for engine in ENGINES:
            pairs, policies = report.pairs[engine][item], report.policies[engine][item]
            wanted = item in WANTED[engine]
            cells.append(f"{pairs:,} ({policies:,})" if wanted or pairs else "not carried out")
            if wanted and (pairs < ENOUGH or policies < FEWEST):
                few.append(f"{item} ({engine})")
        print(f"{item:{width}}" + "".join(f"{cell:>20}" for cell in cells))
    if report.lacks:
        print("outcomes that columns do not carry out, by what they lack")
        for lacking, times in report.lacks.most_common():
            print(f"{times:8,}  {lacking}")
    told = report.outcomes
    print(
        f"{len(report.distinct):,} distinct policies, {told['pairs']:,} pairs, in {seconds:.0f} s: "
        f"the reference and generated Python over all outcomes"
        + (f" of every {setting.thorough}th pair" if setting.thorough > 1 else "")
        + f"; these and DuckDB over the {told['outcomes in columns']:,} of {told['outcomes']:,} outcomes that columns "
        f"carry out, {told['policies in columns']:,} policies and {told['pairs in columns']:,} pairs"
    )
    if left := told["policies left out for want of time"]:
        print(f"{left:,} policies left out for want of time")
    told_few = ":" if 0 < len(few) < 40 else ""
    print(f"{told['faulty pairs']:,} pairs differ; {len(few)} items met too seldom{told_few}")
    if 0 < len(few) < 40:
        print("  " + ", ".join(few))
    return few


if __name__ == "__main__":
    sys.exit(main())
