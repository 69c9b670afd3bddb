"""What a change of policies does: the portfolios of test files decided as they were and as they are.

Each side is read from its own files, test file and data included, so that a portfolio means before what it meant then.
Customers are matched by key; of several rows with one key the first belongs to the first, and so on.
"""
from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.policy import Policy
from engine.policytest.customers import OneByOne, Told, explained
from engine.policytest.model import Portfolio
from engine.policytest.rows import STATUS
from engine.policytest.running import agree, show
from engine.policytest.samples import Given
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type

#: What a decision gave where it gave no value.
NONE = "none"


class Move(Record):
    """One way in which an outcome changed, and for whom: `approve -> refer`, `higher`, `+ R3`."""

    outcome: str
    what: str
    keys: tuple[str, ...]


class Total(Record):
    """The sum of an outcome over the customers of both sides."""

    outcome: str
    before: float
    after: float


class Changed(Record):
    """A customer decided otherwise; `decisions` are those whose outcome differs."""

    before: Given
    after: Given
    decisions: tuple[str, ...]

    @property
    def key(self) -> str:
        return self.after.key


class Changes(Record):
    """A portfolio before and after. `both` counts the customers of both; `added` and `gone` are keys of one side alone,
    `moved` keys whose data differ, `new` and `lost` outcomes that one side alone has."""

    portfolio: str
    as_of: datetime.date
    both: int
    changed: tuple[Changed, ...]
    moves: tuple[Move, ...]
    totals: tuple[Total, ...]
    added: tuple[str, ...]
    gone: tuple[str, ...]
    moved: tuple[str, ...]
    new: tuple[str, ...]
    lost: tuple[str, ...]


class Side(Record):
    """A portfolio of one side, with the policy that decides it."""

    policy: Policy
    portfolio: Portfolio

    def told(self) -> dict[tuple[str, int], tuple[Given, Told]]:
        """Each customer's row and what is said of it, by key and how many of that key went before."""
        rows = self.portfolio.sample.rows
        seen: Counter[str] = Counter()
        found = {}
        for given, told in zip(rows, OneByOne(self.policy, self.portfolio, "python").decide(rows), strict=True):
            found[given.key, seen[given.key]] = (given, told)
            seen[given.key] += 1
        return found

    def outcomes(self) -> dict[str, tuple[str, str | None, Type]]:
        """Outcomes by the name that tests give them: decision, its one output of several, and type."""
        found: dict[str, tuple[str, str | None, Type]] = {}
        for decision in self.portfolio.program.decisions:
            if decision.internal or decision.name not in self.portfolio.row.outcomes:
                continue
            if decision.type.kind == dt.CONTEXT and decision.type.fields:
                for member, kind in decision.type.fields:
                    found[f"{decision.name}.{member}"] = (decision.name, member, kind)
            else:
                found[decision.name] = (decision.name, None, decision.type)
        return found

    def explanation(self, given: Given, decisions: Sequence[str], language: str) -> str:
        """Why the named decisions came out as they did."""
        one = OneByOne(self.policy, self.portfolio, "python")
        if given.fault is not None:
            return f"refused: {given.fault}"
        known = [name for name in decisions if name in self.portfolio.row.outcomes]
        return explained(one.decision(given), known, language)


def changes(before: Side, after: Side) -> Changes:
    """Decide a portfolio on both sides and compare."""
    then, now = before.told(), after.told()
    known, outcomes = before.outcomes(), after.outcomes()
    shared = {name: found for name, found in outcomes.items() if name in known}
    changed: list[Changed] = []
    moves: dict[tuple[str, str], list[str]] = {}
    sums = {name: [0.0, 0.0] for name, (_, _, kind) in shared.items() if kind.kind == dt.MONEY}
    both = [at for at in now if at in then]
    for at in both:
        (old, was), (new, is_) = then[at], now[at]
        decisions: dict[str, None] = {}
        differs = False
        for name, what in _moves(old, was, new, is_, shared):
            moves.setdefault((name, what), []).append(new.key)
            touched = [shared[name][0]] if name in shared else [*was.open, *is_.open] if name == STATUS else []
            decisions |= dict.fromkeys(touched)
            differs = True
        for name, total in sums.items():
            for place, told in enumerate((was, is_)):
                value = _value(told, *shared[name][:2])
                total[place] += value if isinstance(value, (int, float)) else 0.0
        if differs:
            changed.append(Changed(old, new, tuple(decisions)))
    order = [STATUS, *shared, "reasons"]
    found = sorted(moves.items(), key=lambda m: order.index(m[0][0]))       # stable: in the order of the customers
    return Changes(
        after.portfolio.name, after.portfolio.as_of, len(both), tuple(changed),
        tuple(Move(name, what, tuple(keys)) for (name, what), keys in found),
        tuple(Total(name, *total) for name, total in sums.items() if any(name == moved for moved, _ in moves)),
        tuple(now[at][0].key for at in now if at not in then), tuple(then[at][0].key for at in then if at not in now),
        tuple(now[at][0].key for at in both if not _same_data(before, then[at][0], after, now[at][0])),
        tuple(name for name in outcomes if name not in known), tuple(name for name in known if name not in outcomes),
    )


def _moves(
    old: Given, was: Told, new: Given, is_: Told, shared: Mapping[str, tuple[str, str | None, Type]]
) -> Iterator[tuple[str, str]]:
    """The outcomes of one customer that differ, and how."""
    states = _status(old, was), _status(new, is_)
    if states[0] != states[1]:
        yield STATUS, f"{states[0]} -> {states[1]}"
    if "refused" in states:
        return
    for name, (decision, member, kind) in shared.items():
        one, two = _value(was, decision, member), _value(is_, decision, member)
        if not agree(one, two, kind, None):
            yield name, _told(one, two, kind)
    for sign, left, right in (("-", was.reasons, is_.reasons), ("+", is_.reasons, was.reasons)):
        for code in left:
            if code not in right:
                yield "reasons", f"{sign} {code}"


def _told(one: Any, two: Any, kind: Type) -> str:
    """How an outcome changed, so that customers for whom it did so alike are told together."""
    if one is None or two is None:
        return f"{_some(one, kind)} -> {_some(two, kind)}"
    if kind.kind in dt.NUMERIC and isinstance(one, (int, float)) and isinstance(two, (int, float)):
        return "higher" if two > one else "lower"
    if kind.kind == dt.BOOLEAN or kind.values is not None:
        return f"{show(one)} -> {show(two)}"
    return "changed"


def _some(value: Any, kind: Type) -> str:
    if value is None:
        return NONE
    return show(value) if kind.kind == dt.BOOLEAN or kind.values is not None else "a value"


def _status(given: Given, told: Told) -> str:
    return "refused" if given.fault is not None or told.refused else "open" if told.open else "decided"


def _value(told: Told, decision: str, member: str | None) -> Any:
    value = told.values.get(decision)
    return value if member is None or value is None else value.get(member)


def _same_data(before: Side, old: Given, after: Side, new: Given) -> bool:
    """Whether what both sides know of a customer is the same; inputs and histories of one side alone do not count."""
    inputs = old.values.keys() & new.values.keys()
    if old.fault != new.fault or any(old.values[name] != new.values[name] for name in inputs):
        return False
    one, two = before.portfolio.sample.history(old) or {}, after.portfolio.sample.history(new) or {}
    return all(_rows(one[name]) == _rows(two[name]) for name in one.keys() & two.keys())


def _rows(rows: Any) -> Any:
    return None if rows is None else list(rows)
