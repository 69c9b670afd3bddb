"""`python -m tests.differential [--nightly]`: random policies through every evaluator, with counts.

Exit 1 where two evaluators differ, one raises, or (with `--nightly`) an item stands in the
policies of fewer than 100 pairs, or in fewer than 20 policies.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.differential import counters
from tests.differential.harness import Report, run
from tests.differential.promise import sample

#: Pairs, and policies, in which each item is to stand.
ENOUGH = 100
FEWEST = 20


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.differential", description="Random policies, two evaluators."
    )
    parser.add_argument(
        "--nightly", action="store_true", help="1,200 policies, 100 customers each, every item 100 times"
    )
    parser.add_argument("--policies", type=int, default=100)
    parser.add_argument("--customers", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the first policy")
    parser.add_argument("--keep", type=int, default=0, metavar="N", help="shrink N faults and keep them under found/")
    options = parser.parse_args()
    count, customers = (1200, 100) if options.nightly else (options.policies, options.customers)
    start = time.monotonic()
    report = run(range(options.seed, options.seed + count), customers, options.keep, lambda t: print(t, flush=True))
    missing = show(report, count, time.monotonic() - start)
    broken = sample(range(count // 3), 15) if options.nightly else []
    for fault in broken[:10]:
        print(f"a settled outcome did not last: {fault}"[:400])
    return 1 if report.faults or broken or (options.nightly and missing) else 0


def show(report: Report, count: int, seconds: float) -> list[str]:
    """Print the counts and the faults; gives the items that are met too seldom."""
    width = max(map(len, counters.wanted()))
    print(f"{'item':{width}}  policies     pairs")
    for item in counters.wanted():
        print(f"{item:{width}}  {report.policies[item]:8,}  {report.pairs[item]:8,}")
    few = [i for i in counters.wanted() if report.pairs[i] < ENOUGH or report.policies[i] < FEWEST]
    for seed, fault in report.faults[:30]:
        print(f"seed {seed}: {fault.kind}: {fault.detail[:200]}")
    print(
        f"{count:,} policies, {report.outcomes['pairs']:,} pairs in {seconds:.0f} s; "
        f"{report.outcomes['faulty pairs']:,} pairs differ; {len(few)} items met too seldom"
    )
    if few:
        print("  " + ", ".join(few))
    return few


if __name__ == "__main__":
    sys.exit(main())
