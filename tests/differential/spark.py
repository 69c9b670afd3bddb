"""`python -m tests.differential.spark`: random policies through Spark, each customer held whole against the reference.

Each policy is one query over all its customers, for those outcomes that Spark carries out.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import time
from collections import Counter
from random import Random

from engine.backends.sql.relations import Expressions
from engine.backends.sql.spark import local_session
from engine.backends.sql.spark_memory import SETTINGS, decide_all_in_spark
from engine.ir.reads import cone
from engine.policy import PolicyError
from tests.backends.engines import carried_out, unlike
from tests.differential import counters
from tests.differential.customers import CustomerMaker
from tests.differential.harness import load
from tests.differential.policies import generate

#: Pairs in which each item is to stand.
ENOUGH = 100
#: What columns carry out and Spark refuses by name (`docs/support.md`).
REFUSED = {f"operation {name}" for name in ("**", "exp", "log", "stddev", "time")}
#: Further seeds that are looked through, for each policy asked for, for items met too seldom.
FURTHER = 10
#: Faults shown of one policy.
SHOWN = 3


def main(args: list[str] | None = None) -> int:
    """Decide; 1 where anything is unlike, or an item was met too seldom."""
    what = "Random policies through Spark."
    parser = argparse.ArgumentParser(prog="python -m tests.differential.spark", description=what)
    count = "of which Spark carries out something; more where an item was met too seldom"
    parser.add_argument("--policies", type=int, default=200, help=count)
    parser.add_argument("--customers", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0, help="of the first policy")
    asked = parser.parse_args(args)
    session = local_session("local[2]", SETTINGS)
    session.sparkContext.setLogLevel("OFF")
    held: Counter[str] = Counter()
    within: Counter[str] = Counter()
    policies = pairs = faulty = 0
    seed, start = asked.seed, time.perf_counter()
    wanted = [item for item in counters.wanted(Expressions.support()) if item not in REFUSED]
    rare = list(wanted)
    while policies < asked.policies or (rare and seed < asked.seed + FURTHER * asked.policies):
        seed += 1
        try:
            policy = load(generate(seed - 1))
        except PolicyError:
            continue                                    # the generator's own test holds these
        only = carried_out(policy.program, "spark")
        items = counters.items(policy.program, cone(policy.program, only))
        if not only or (policies >= asked.policies and not any(items[item] for item in rare)):
            continue
        policies += 1
        pairs += asked.customers
        for item, n in items.items():
            held[item] += asked.customers if n else 0
            within[item] += bool(n)
        rare = [item for item in wanted if held[item] < ENOUGH]
        maker = CustomerMaker(policy, Random(seed))
        customers = [maker.make() for _ in range(asked.customers)]
        day = datetime.date.fromisoformat(maker.date())

        def decide(program, given, on, outcomes):  # type: ignore[no-untyped-def]
            return decide_all_in_spark(program, given, on, outcomes, session=session)

        found = list(unlike(policy, decide, customers, day, only))
        faulty += bool(found)
        for fault in found[:SHOWN]:
            print(f"seed {seed - 1}: {fault[:600]}", flush=True)
    session.stop()
    width = max(map(len, wanted))
    print(f"{'pairs (policies) that hold':{width}}")
    for item in wanted:
        print(f"{item:{width}}" + f"{held[item]:,} ({within[item]:,})".rjust(20))
    print(f"spark: {policies} policies, {pairs:,} pairs, {faulty} policies with disagreements, "
          f"{time.perf_counter() - start:.0f} s; {len(rare)} items that Spark carries out met too seldom"
          + (": " + ", ".join(rare) if rare else ""))
    return 1 if faulty or rare else 0


if __name__ == "__main__":
    sys.exit(main())
