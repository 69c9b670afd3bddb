"""The statistics of a portfolio, judged: adverse impact, monotonicity, drift."""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from engine.policytest import impact, stability
from engine.policytest.customers import Customer
from engine.policytest.ground import NULL, Ground, outcome
from engine.policytest.model import Drift, Expectation, FourFifths, Monotone, Stored
from engine.policytest.monotone import Point, breaks
from engine.policytest.running import FLOOR_MONEY, Difference, show
from engine.policytest.verdicts import Verdict, percent, plural, some, too_small
from engine.semantics import dtypes as dt
from engine.semantics.number import FLOOR_NUMBER, compare


def four_fifths(ground: Ground, expectation: Expectation, measure: FourFifths) -> Verdict:
    """Name those of a group with too low a rate who had no favourable outcome."""
    rates: list[impact.Rate] = []
    others: dict[str, list[Customer]] = {}
    notes: list[str] = []
    for label, value, group in ground.groups(measure.by):
        if value is None:
            notes.append(f"{measure.by.text} is missing for {plural(len(group))}, not judged")
            continue
        favourable = ground.asker.each(measure.favourable, group)
        rates.append(impact.Rate(label, len(group), sum(v is True for v in favourable)))
        others[label] = [c for c, v in zip(group, favourable, strict=True) if v is not True]
    found = impact.adverse_impact(rates, measure.ratio, measure.least)
    notes += [too_small(f"{measure.by.text} = {r.group}", r.size, measure.least) for r in found.small]
    if found.best is None:
        difference = Difference("groups to compare", f"two of {plural(measure.least)} each", "fewer")
        return Verdict(expectation, (difference,), notes=tuple(notes))
    best = found.best
    differences = tuple(
        Difference(f"{measure.by.text} = {r.group}", f">= {percent(measure.ratio)} of the rate of {best.group}",
                   percent(ratio))
        for r, ratio in found.adverse
    )
    lines = [
        f"{r.group}: {percent(r.rate)} ({r.favourable:,} of {r.size:,})" for r in (best, *(r for r, _ in found.ratios))
    ]
    named = tuple(c for r, _ in found.adverse for c in others[r.group])
    judged = best.size + sum(r.size for r, _ in found.ratios)
    return Verdict(expectation, differences, named, judged, tuple(lines) if differences else (), tuple(notes),
                   ground.read_by(measure.favourable))


# --- monotonicity ------------------------------------------------------------------------


def monotone(ground: Ground, expectation: Expectation, measure: Monotone) -> Verdict:
    """Name the customers whose outcome goes the wrong way, and show the first at the value where it does."""
    floor = FLOOR_MONEY if measure.type.kind == dt.MONEY else FLOOR_NUMBER
    named: list[Customer] = []
    lines: list[str] = []
    moved: dict[str, Any] | None = None
    unjudged: Counter[str] = Counter()
    for customer, points in _points(ground, measure, unjudged):
        wrong = breaks(points, measure.direction, measure.scale, floor)
        if not wrong:
            continue
        low, high = wrong[0].low, wrong[0].high
        lines.append(f"{customer.key}: {measure.input} {show(low.at)} -> {show(high.at)}, {measure.outcome} "
                     f"{show(low.outcome)} -> {show(high.outcome)}")
        if not named:
            moved = {measure.input: high.at if customer.row[measure.input] == low.at else low.at}
        named.append(customer)
    judged = len(ground.decided.customers) - unjudged.total()
    notes = tuple(f"{plural(count)} not judged: {why}" for why, count in unjudged.items())
    what = f"{measure.outcome} as {measure.input} grows"
    differences: tuple[Difference, ...] = ()
    if named:
        differences = (Difference(what, measure.direction, f"not so for {len(named):,}"),)
    elif not judged:
        differences = (Difference(what, measure.direction, "nobody to judge"),)
    return Verdict(expectation, differences, tuple(named), judged, some(lines), notes, (measure.decision,), moved)


def _points(
    ground: Ground, measure: Monotone, unjudged: Counter[str]
) -> Iterator[tuple[Customer, list[Point]]]:
    """Customers with their outcomes at their own value of the input and at those it is moved to. Whoever has fewer than
    two is counted as not judged, by the reason why."""
    moves: list[tuple[Customer, Any]] = []
    able: list[Customer] = []
    for customer in ground.decided.customers:
        own = customer.row[measure.input]
        if own is None:
            unjudged[f"`{measure.input}` is missing"] += 1
            continue
        able.append(customer)
        for move in measure.moves:
            at = ground.asker.each(move, [customer])[0]
            if at is not None and at != own:
                moves.append((customer, at))
    told = ground.decider.decide([c.given.moved({measure.input: at}) for c, at in moves])
    points = {id(c): [Point(c.row[measure.input], outcome(c.row, measure.decision, measure.member))] for c in able}
    for (customer, at), each in zip(moves, told, strict=True):
        value = None if each.refused else each.values.get(measure.decision)
        points[id(customer)].append(
            Point(at, value if measure.member is None or value is None else value.get(measure.member))
        )
    for customer in able:
        found = points[id(customer)]
        if sum(p.outcome is not None for p in found) < 2:
            unjudged[f"fewer than two values of `{measure.input}` give an outcome to compare"] += 1
        else:
            yield customer, found


# --- drift -------------------------------------------------------------------------------


def drift(ground: Ground, expectation: Expectation, measure: Drift) -> Verdict:
    """Name the customers in the category that has grown most by its part of the index."""
    differences: list[Difference] = []
    lines: list[str] = []
    named: dict[int, Customer] = {}
    decisions: dict[str, None] = {}
    everyone = ground.decided.customers
    for stored in measure.stored:
        category, order = _categories(stored, measure)
        now = [category(outcome(c.row, stored.decision, stored.member)) for c in everyone]
        found = stability.stability(Counter(map(category, stored.values)), Counter(now), order)
        if compare("<=", found.index, measure.most, FLOOR_NUMBER):
            continue
        differences.append(Difference(f"psi of {stored.outcome}", f"<= {measure.most:g}",
                                      f"{found.index:.3f} (chance alone: about {found.chance:.3f})"))
        decisions[stored.decision] = None
        lines += [
            f"{stored.outcome} {s.category}: {percent(s.then)} -> {percent(s.now)}, {s.part:.3f}" for s in found.shifts
        ]
        grown = max((s for s in found.shifts if s.now > s.then), key=lambda s: s.part)  # shares sum to 1: one has grown
        named |= {id(c): c for c, each in zip(everyone, now, strict=True) if each == grown.category}
    return Verdict(expectation, tuple(differences), tuple(named.values()), len(everyone), tuple(lines),
                   decisions=tuple(decisions))


def _categories(stored: Stored, measure: Drift) -> tuple[Callable[[Any], str], list[str]]:
    """The category of an outcome, and all of them in order; no outcome is one of its own."""
    if stored.type.kind not in dt.NUMERIC:
        return lambda value: NULL if value is None else show(value), list(stored.type.values or ())
    ends = measure.ends
    if ends is None:
        ends = stability.deciles(v for v in stored.values if v is not None)
    band, names = stability.banding(ends, show)
    return lambda value: NULL if value is None else band(float(value)), names
