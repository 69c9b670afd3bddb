"""Expectations judged: what does not hold, and of whom.

An expectation that cannot be judged, because nobody is there to judge or an answer is null, does not hold.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.policytest import measures
from engine.policytest.asking import Asker, Failing, TooMuch
from engine.policytest.customers import Customer, Decided, Decider
from engine.policytest.ground import Ground
from engine.policytest.model import Drift, Expectation, FewRefused, FourFifths, Monotone, Portfolio, That
from engine.policytest.running import Difference
from engine.policytest.verdicts import Again, Verdict, percent, plural, some, too_small
from engine.semantics.number import FLOOR_NUMBER, compare
from engine.semantics.work import MAX_STEPS


def judges(
    portfolio: Portfolio, decided: Decided, decider: Decider, again: Again
) -> Callable[[Expectation], Verdict]:
    """Judges expectations of a portfolio that `decider` has decided; `again` decides a customer who is explained."""
    ground = Ground(portfolio, decided, Asker(portfolio, decided), decider, again)

    def judge(expectation: Expectation) -> Verdict:
        try:
            found = _judged(ground, expectation)
        except TooMuch:
            found = Verdict(expectation, (Difference("steps", f"at most {MAX_STEPS:,}", "more"),))
        return found.replace(again=again)

    return judge


def _judged(ground: Ground, expectation: Expectation) -> Verdict:
    measure = expectation.measure
    if isinstance(measure, FewRefused):
        return _few_refused(ground, expectation, measure)
    if not ground.decided.customers:
        return Verdict(expectation, (Difference("customers", "one decided", "none"),))
    if isinstance(measure, That):
        return (_that if measure.by is None else _by_group)(ground, expectation, measure)
    if isinstance(measure, Monotone):
        return measures.monotone(ground, expectation, measure)
    if isinstance(measure, FourFifths):
        return measures.four_fifths(ground, expectation, measure)
    assert isinstance(measure, Drift)
    return measures.drift(ground, expectation, measure)


def _that(ground: Ground, expectation: Expectation, measure: That) -> Verdict:
    failing = ground.asker.failing(measure.condition, ground.decided.customers)
    return Verdict(
        expectation, tuple(Difference(f.what, f.expected, f.got) for f in failing), _named(failing),
        len(ground.decided.customers), decisions=ground.read_by(measure.condition),
    )


def _by_group(ground: Ground, expectation: Expectation, measure: That) -> Verdict:
    by = measure.by
    assert by is not None
    differences: list[Difference] = []
    everyone: list[Failing] = []
    notes: list[str] = []
    judged = 0
    for label, value, members in ground.groups(by):
        group = f"{by.text} = {label}"
        if len(members) < measure.least:
            notes.append(too_small(group, len(members), measure.least))
            continue
        judged += len(members)
        failing = ground.asker.failing(measure.condition, members, value)
        differences += [Difference(f"{group}: {f.what}", f.expected, f.got) for f in failing]
        everyone += failing
    if not judged:
        differences.append(Difference("groups", f"one of {plural(measure.least)}", "none"))
    return Verdict(expectation, tuple(differences), _named(everyone), judged, notes=tuple(notes),
                   decisions=ground.read_by(measure.condition))


def _named(failing: Sequence[Failing]) -> tuple[Customer, ...]:
    return tuple({id(c): c for f in failing for c in f.customers}.values())


def _few_refused(ground: Ground, expectation: Expectation, measure: FewRefused) -> Verdict:
    refused, rows = ground.decided.refused, len(ground.portfolio.sample.rows)
    share = len(refused) / rows
    if compare("<=", share, measure.most, FLOOR_NUMBER):
        return Verdict(expectation, (), notes=ground.decided.notes)
    got = f"{percent(share)} ({len(refused):,} of {rows:,})"
    lines = some([f"{c.key} (line {c.given.line:,}): {_fault(ground, c)}" for c in refused])
    difference = Difference("refused", f"<= {percent(measure.most)}", got)
    return Verdict(expectation, (difference,), refused, rows, lines, ground.decided.notes)


def _fault(ground: Ground, customer: Customer) -> str:
    """Why a customer is refused."""
    if customer.given.fault is not None:
        return customer.given.fault
    return "; ".join(f"`{f.name}` {f.message}" for f in ground.again(customer.given).faults)
