"""`python -m tests.fuzz [--seconds N] [--seed N] [--only TARGET]`: hostile inputs until the time is up.

Prints how often each target came to which end, and each kind of fault once with its seed; exit 1 where there was one.
"""
from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter

from tests.fuzz.targets import TARGETS, Fault


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0, help="of the first input; the next has the next")
    parser.add_argument("--only", choices=list(TARGETS))
    parser.add_argument("--once", action="store_true", help="the input of the seed alone")
    given = parser.parse_args()
    targets = {given.only: TARGETS[given.only]} if given.only else TARGETS
    ends: Counter[tuple[str, str]] = Counter()
    kinds: dict[tuple[str, str], int] = {}
    slowest: dict[str, tuple[float, int]] = {}
    until = time.monotonic() + given.seconds
    seed = given.seed
    while time.monotonic() < until:
        for name, target in targets.items():
            begun = time.process_time()
            try:
                ends[name, target(random.Random(f"{name} {seed}"))] += 1
            except Fault as fault:
                ends[name, "fault"] += 1
                cause = fault.__cause__
                kind = (name, _place(cause) if cause is not None else str(fault)[:60])
                if kind not in kinds:
                    kinds[kind] = seed
                    print(f"{name} (seed {seed}): {kind[1]}\n    {str(fault)[:2000]}\n", flush=True)
            took = time.process_time() - begun
            slowest[name] = max(slowest.get(name, (0.0, 0)), (took, seed))
        seed += 1
        if given.once:
            break
    for (name, end), times in sorted(ends.items()):
        print(f"{name:12} {end:10} {times:8,}")
    for name, (took, at) in slowest.items():
        print(f"{name:12} slowest    {took:8.2f} s (seed {at})")
    return 1 if kinds else 0


def _place(error: BaseException) -> str:
    """The kind of an exception and the line that raised it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    at = "" if trace is None else f" at {trace.tb_frame.f_code.co_filename.rpartition('engine/')[2]}:{trace.tb_lineno}"
    return type(error).__name__ + at


if __name__ == "__main__":
    sys.exit(main())
