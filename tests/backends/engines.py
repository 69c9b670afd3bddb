"""Policies and customers through an engine of columns, held whole against the reference."""
from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from engine.backends.sql.memory import Customer, source_of
from engine.backends.sql.program import compile_program
from engine.backends.sql.run import Row
from engine.backends.support import Unsupported
from engine.ir import nodes as ir
from engine.policy import Policy, PolicyError
from tests.backends.relation import differences
from tests.differential.customers import CustomerMaker
from tests.differential.harness import load
from tests.differential.policies import generate
from tests.language.runner import cases
from tests.language.runner import load as load_given

#: Decides customers under a program on a date, as far as some outcomes ask for.
Decide = Callable[[ir.Program, Sequence[Customer], datetime.date, Sequence[str] | None], list[Row]]


def shown(program: ir.Program) -> list[str]:
    return [n for n in program.declared if any(d.name == n and not d.internal for d in program.decisions)]


def carried_out(program: ir.Program, dialect: str) -> list[str]:
    """The shown decisions that a dialect can say, in declared order."""
    found = []
    for name in shown(program):
        try:
            compile_program(program, [name], source_of(program), dialect=dialect)
        except Unsupported:
            continue
        found.append(name)
    return found


def unlike(
    policy: Policy, decide: Decide, customers: Sequence[dict[str, Any]], day: datetime.date, only: Sequence[str] | None
) -> Iterator[str]:
    """What the engine says of each customer otherwise than the reference: values, reasons, rules, what is open."""
    given = [Customer(c["inputs"], c["history"] or {}) for c in customers]
    rows = decide(policy.program, given, day, only)
    assert len(rows) == len(customers)
    for customer, row in zip(customers, rows, strict=True):
        single = policy.decide(
            customer["inputs"], as_of=day, history=customer["history"], engine="reference",
            only=None if only is None else list(only),
        )
        for found in differences(row, single):
            yield f"{customer['inputs']!r} {customer['history']!r}: {found}"


def semantics(folder: Path, decide: Decide) -> tuple[int, list[str]]:
    """The number of given cases, and what is unlike: all customers of a policy and date in one query."""
    by_policy: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for _, _, case in cases(folder):
        by_policy.setdefault(case["policy"], {}).setdefault(case["as_of"], []).append(case)
    count, faults = 0, []
    for name, by_day in by_policy.items():
        policy = load_given(folder, name)
        for day, found in by_day.items():
            count += len(found)
            faults += [f"{name}: {f}" for f in unlike(policy, decide, found, datetime.date.fromisoformat(day), None)]
    return count, faults


def random_policies(
    seeds: range, each: int, dialect: str, decide: Decide, wild: bool = True
) -> tuple[int, int, list[str]]:
    """Random policies of which the engine carries something out, their customers, and what is unlike."""
    policies, count, faults = 0, 0, []
    for seed in seeds:
        try:
            policy = load(generate(seed))
        except PolicyError:
            continue                                    # that these are sound is the differential tests' to hold
        only = carried_out(policy.program, dialect)
        if not only:
            continue
        policies += 1
        maker = CustomerMaker(policy, Random(seed), wild=wild)
        customers = [maker.make() for _ in range(each)]
        count += each
        day = datetime.date.fromisoformat(maker.date())
        faults += [f"seed {seed}: {f}" for f in unlike(policy, decide, customers, day, only)]
    return policies, count, faults
