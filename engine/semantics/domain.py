"""Sets of values of one kind as unions of intervals: declared ranges and grid coverage.

An interval's ends are plain values of the kind (numbers, dates, durations, texts)
or None for no bound. Membership of numbers is tolerant, as every comparison is;
set algebra is over exact ends, since adjoining tests such as `< 5` and `>= 5`
partition the line under the one tolerance.
"""
from __future__ import annotations

from typing import Any

from engine.records import Record
from engine.semantics.number import compare


class Interval(Record):
    """`lower`..`upper`, None for unbounded; a closed end belongs to the interval."""

    lower: Any
    upper: Any
    lower_closed: bool
    upper_closed: bool

    def holds(self, value: Any, floor: float) -> bool:
        if self.lower is not None and not _passes(">=" if self.lower_closed else ">", value, self.lower, floor):
            return False
        return self.upper is None or _passes("<=" if self.upper_closed else "<", value, self.upper, floor)

    @property
    def is_empty(self) -> bool:
        if self.lower is None or self.upper is None:
            return False
        return bool(self.lower > self.upper) or (
            bool(self.lower == self.upper) and not (self.lower_closed and self.upper_closed)
        )

    def __str__(self) -> str:
        if self.lower is None and self.upper is None:
            return "any value"
        if self.lower is None:
            return f"{'<=' if self.upper_closed else '<'} {show(self.upper)}"
        if self.upper is None:
            return f"{'>=' if self.lower_closed else '>'} {show(self.lower)}"
        if self.lower == self.upper:
            return show(self.lower)
        left, right = "[" if self.lower_closed else "(", "]" if self.upper_closed else ")"
        return f"{left}{show(self.lower)}..{show(self.upper)}{right}"


EVERYTHING = Interval(None, None, False, False)


class Domain(Record):
    """A union of disjoint intervals in ascending order."""

    intervals: tuple[Interval, ...]

    def holds(self, value: Any, floor: float = 1e-12) -> bool:
        return any(i.holds(value, floor) for i in self.intervals)

    @property
    def is_empty(self) -> bool:
        return not self.intervals

    def __str__(self) -> str:
        return ", ".join(map(str, self.intervals)) or "no value"


ALL = Domain((EVERYTHING,))
NONE = Domain(())


def single(lower: Any, upper: Any, lower_closed: bool, upper_closed: bool) -> Domain:
    interval = Interval(lower, upper, lower_closed, upper_closed)
    return NONE if interval.is_empty else Domain((interval,))


def point(value: Any) -> Domain:
    return single(value, value, True, True)


def intersection(a: Domain, b: Domain) -> Domain:
    found = []
    for x in a.intervals:
        for y in b.intervals:
            lower, lower_closed = _later(x.lower, x.lower_closed, y.lower, y.lower_closed)
            upper, upper_closed = _earlier(x.upper, x.upper_closed, y.upper, y.upper_closed)
            both = Interval(lower, upper, lower_closed, upper_closed)
            if not both.is_empty:
                found.append(both)
    return Domain(tuple(found))


def complement(a: Domain) -> Domain:
    rest = ALL
    for interval in a.intervals:
        sides = []
        if interval.lower is not None:
            sides.append(Interval(None, interval.lower, False, not interval.lower_closed))
        if interval.upper is not None:
            sides.append(Interval(interval.upper, None, not interval.upper_closed, False))
        rest = intersection(rest, Domain(tuple(sides)))
    return rest


def difference(a: Domain, b: Domain) -> Domain:
    return intersection(a, complement(b))


def union(a: Domain, b: Domain) -> Domain:
    return complement(intersection(complement(a), complement(b)))


def show(value: Any) -> str:
    """A bound as a policy would write it."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, str):
        return f'"{value}"'
    return str(value)


def _passes(op: str, a: Any, b: Any, floor: float) -> bool:
    if isinstance(a, (int, float)):
        return compare(op, a, b, floor)
    if op == ">=":
        return bool(a >= b)
    if op == ">":
        return bool(a > b)
    return bool(a <= b) if op == "<=" else bool(a < b)


def _later(a: Any, a_closed: bool, b: Any, b_closed: bool) -> tuple[Any, bool]:
    if a is None:
        return b, b_closed
    if b is None or a > b:
        return a, a_closed
    if b > a:
        return b, b_closed
    return a, a_closed and b_closed


def _earlier(a: Any, a_closed: bool, b: Any, b_closed: bool) -> tuple[Any, bool]:
    if a is None:
        return b, b_closed
    if b is None or a < b:
        return a, a_closed
    if b < a:
        return b, b_closed
    return a, a_closed and b_closed
