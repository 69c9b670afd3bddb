"""The promise of open decisions: what is not open stays as it is, whatever the missing data turn out to be.

Policies here handle no null (no test against `null`, no `null` cell, no `get or else`, nothing skipped), give
no `refer` that a reader could take for settled, and no decision reads a list that is still being collected. For a
customer with gaps and some completions of them it is asked that

- a decision that was not open keeps its outcome (a conflict of `unique` or `any` is a fault of the policy, not of
  the data, and left out);
- filling in only what `missing` does not name changes nothing, so that `missing` is the whole list to ask for;
- an open decision that could be one of a list of outcomes becomes one of these.
"""

from __future__ import annotations

import copy
from random import Random
from typing import Any

from engine.backends.reference.decide import Outcome
from engine.decision import Decision
from engine.ir import nodes as ir
from engine.ir.reads import decision_reads
from engine.policy import Policy
from tests.differential.compare import exact
from tests.differential.customers import Customer, CustomerMaker, decide
from tests.differential.harness import load
from tests.differential.policies import generate


def broken(policy: Policy, customer: Customer, random: Random, completions: int = 6) -> str | None:
    """How the promise is broken for a customer, None where it held in every sampled completion."""
    before = decide(policy, customer)
    if before.refused:
        return None
    maker = CustomerMaker(policy, random, missing=0.0, wild=False)
    named = set(before.missing)
    for turn in range(completions):
        spare = frozenset(named) if turn % 3 == 2 else frozenset()
        completed = complete(policy, customer, maker, spare)
        after = decide(policy, completed)
        if after.refused:
            continue
        found = compare(policy.program, before, after, frozen=bool(spare) or not named)
        if found is not None:
            return f"{found}; completed as {completed!r}"
    return None


def sample(seeds: range, customers: int) -> list[str]:
    """Where the promise is broken for the sound policies of some seeds."""
    found = []
    for seed in seeds:
        policy = load(generate(seed, sound=True))
        maker = CustomerMaker(policy, Random(seed), missing=0.35, wild=False)
        for index in range(customers):
            fault = broken(policy, maker.make(), Random(index))
            if fault is not None:
                found.append(f"seed {seed}, customer {index}: {fault}")
    return found


def compare(program: ir.Program, before: Decision, after: Decision, frozen: bool) -> str | None:
    """`frozen`: nothing that `missing` names was filled in, so that open decisions stay open too."""
    one, other = before.trace.outcomes, after.trace.outcomes
    for name, outcome in one.items():
        now = other[name]
        if outcome.decision.name not in program.declared or now.conflict:
            continue
        if tainted(outcome.decision, other):
            continue
        if isinstance(outcome.value, list) and None in outcome.value:
            continue  # a list is settled with the nulls in it; who reads these is open
        if not outcome.open:
            if now.open:
                return f"`{name}` was settled and is open"
            if exact(outcome.value) != exact(now.value):
                return f"`{name}` was settled as {outcome.value!r} and is {now.value!r}"
        elif frozen and names_all(outcome.decision, one):
            if not now.open:
                return f"`{name}` was open, nothing it names was filled in, and it is settled as {now.value!r}"
        elif not now.open and outcome.could_be is not None and listless(outcome.decision):
            if exact(now.value) not in [exact(v) for v in (*outcome.could_be, *nothing(outcome.decision))]:
                return f"`{name}` could be {outcome.could_be!r} and is {now.value!r}"
    return None


def names_all(decision: ir.Decision, outcomes: dict[str, Outcome]) -> bool:
    """Whether every undetermined arm leaves the decision open, so that `missing` names all there is to ask for.

    Under `first` and the ranked policies an arm of the winner's own outcome leaves nothing open, but may settle it;
    so may it, by way of these, what reads them.
    """
    near = [decision, *read_by(decision, outcomes)]
    return all(isinstance(d, ir.Score) or d.hit not in ("first", "worst", "priority") for d in near)


def listless(decision: ir.Decision) -> bool:
    """Whether a decision gives one of its arms' outcomes, not a list or sum of them."""
    return isinstance(decision, ir.Decide) and decision.hit in ("first", "worst", "unique", "any", "priority")


def nothing(decision: ir.Decision) -> list[Any]:
    """The outcome where no arm matches, if there is none that always does."""
    assert isinstance(decision, ir.Decide)
    return [] if any(a.otherwise for a in decision.arms) else [{n: None for n, _ in decision.members} or None]


def tainted(decision: ir.Decision, outcomes: dict[str, Outcome]) -> bool:
    """Whether what a decision reads, near or far, has a conflict in the completed case."""
    return any(outcomes[d.name].conflict for d in read_by(decision, outcomes))


def read_by(decision: ir.Decision, outcomes: dict[str, Outcome]) -> list[ir.Decision]:
    """The decisions that a decision reads, near or far."""
    found: dict[str, ir.Decision] = {}
    stack = [decision]
    while stack:
        for ref in decision_reads(stack.pop()).refs:
            if ref not in found and ref in outcomes:
                found[ref] = outcomes[ref].decision
                stack.append(outcomes[ref].decision)
    return list(found.values())


def complete(policy: Policy, customer: Customer, maker: CustomerMaker, spare: frozenset[str]) -> Customer:
    """The customer with its gaps filled, those named in `spare` left alone."""
    filled = copy.deepcopy(customer)
    inputs = filled["inputs"]
    for decl in policy.program.inputs:
        names = [decl.name, decl.name.replace(" ", "_"), *([decl.column] if decl.column else [])]
        given = next((n for n in names if n in inputs), decl.name)
        if decl.name not in spare and unknown(inputs.get(given)):
            inputs[given] = maker.value(decl.type, decl.domain is not None)
    for relation in policy.program.histories:
        if relation.each is not None or relation.name in spare:
            continue
        rows = filled["history"].get(relation.name)
        if rows is None:
            filled["history"][relation.name] = maker.rows(relation)
            continue
        for row in rows:
            for field in relation.fields:
                if unknown(row.get(field.name)):
                    row[field.name] = maker.value(field.type, field.domain is not None)
    return filled


def unknown(value: Any) -> bool:
    """Null, or a number that is read as null."""
    return value is None or (isinstance(value, (int, float)) and not abs(value) <= 1.7e308)
