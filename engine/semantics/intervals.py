"""Allen's relations between points and ranges (DMN 1.5, 10.3.4.8).

A point is any value with an order; a range has two ends. What does not compare has no
value. Each function takes what FEEL's function of its name takes.
"""
from __future__ import annotations

from typing import Any

from engine.semantics.equality import ORDERED, equals, kind_of, order
from engine.semantics.values import Range, Undefined


def _is_range(value: Any) -> bool:
    return isinstance(value, Range)


def _span(value: Any) -> Range:
    if not isinstance(value, Range) or value.low is None or value.high is None or value.sign == "!=":
        raise Undefined("the range lacks an end")
    return value


def _point(value: Any) -> Any:
    if kind_of(value) not in ORDERED:
        raise Undefined("a point has an order")
    return value


def _less(a: Any, b: Any) -> bool:
    answer = order("<", a, b)
    if answer is None:
        raise Undefined("the two do not compare")
    return answer


def _same(a: Any, b: Any) -> bool:
    answer = equals(a, b)
    if answer is None:
        raise Undefined("the two do not compare")
    return answer


def before(a: Any, b: Any) -> bool:
    if _is_range(a) and _is_range(b):
        a, b = _span(a), _span(b)
        return _less(a.high, b.low) or _same(a.high, b.low) and not (a.high_closed and b.low_closed)
    if _is_range(b):
        b = _span(b)
        return _less(_point(a), b.low) or _same(a, b.low) and not b.low_closed
    if _is_range(a):
        a = _span(a)
        return _less(a.high, _point(b)) or _same(a.high, b) and not a.high_closed
    return _less(_point(a), _point(b))


def after(a: Any, b: Any) -> bool:
    return before(b, a)


def meets(a: Any, b: Any) -> bool:
    a, b = _span(a), _span(b)
    return a.high_closed and b.low_closed and _same(a.high, b.low)


def met_by(a: Any, b: Any) -> bool:
    return meets(b, a)


def overlaps(a: Any, b: Any) -> bool:
    return not before(a, b) and not before(b, a)


def _starts_before(a: Range, b: Range) -> bool:
    return _less(a.low, b.low) or _same(a.low, b.low) and a.low_closed and not b.low_closed


def _ends_before(a: Range, b: Range) -> bool:
    return _less(a.high, b.high) or _same(a.high, b.high) and b.high_closed and not a.high_closed


def overlaps_before(a: Any, b: Any) -> bool:
    a, b = _span(a), _span(b)
    touches = _less(b.low, a.high) or _same(b.low, a.high) and a.high_closed and b.low_closed
    within = _ends_before(a, b) or _same(a.high, b.high) and (not a.high_closed or b.high_closed)
    return _starts_before(a, b) and touches and within


def overlaps_after(a: Any, b: Any) -> bool:
    a, b = _span(a), _span(b)
    touches = _less(a.low, b.high) or _same(a.low, b.high) and b.high_closed and a.low_closed
    begins = _less(b.low, a.low) or _same(b.low, a.low) and b.low_closed and not a.low_closed
    return begins and touches and (_less(b.high, a.high) or _same(a.high, b.high) and (
        not b.high_closed or a.high_closed))


def finishes(a: Any, b: Any) -> bool:
    b = _span(b)
    if not _is_range(a):
        return b.high_closed and _same(_point(a), b.high)
    a = _span(a)
    return a.high_closed == b.high_closed and _same(a.high, b.high) and (
        _less(b.low, a.low) or _same(a.low, b.low) and (not a.low_closed or b.low_closed))


def finished_by(a: Any, b: Any) -> bool:
    return finishes(b, a)


def includes(a: Any, b: Any) -> bool:
    a = _span(a)
    if not _is_range(b):
        point = _point(b)
        return (_less(a.low, point) or a.low_closed and _same(a.low, point)) and (
            _less(point, a.high) or a.high_closed and _same(a.high, point))
    b = _span(b)
    low = _less(a.low, b.low) or _same(a.low, b.low) and (a.low_closed or not b.low_closed)
    high = _less(b.high, a.high) or _same(a.high, b.high) and (a.high_closed or not b.high_closed)
    return low and high


def during(a: Any, b: Any) -> bool:
    return includes(b, a)


def starts(a: Any, b: Any) -> bool:
    b = _span(b)
    if not _is_range(a):
        return b.low_closed and _same(_point(a), b.low)
    a = _span(a)
    return a.low_closed == b.low_closed and _same(a.low, b.low) and (
        _less(a.high, b.high) or _same(a.high, b.high) and (not a.high_closed or b.high_closed))


def started_by(a: Any, b: Any) -> bool:
    return starts(b, a)


def coincides(a: Any, b: Any) -> bool:
    if _is_range(a) != _is_range(b):
        raise Undefined("a point and a range do not coincide")
    if not _is_range(a):
        return _same(_point(a), _point(b))
    a, b = _span(a), _span(b)
    return (a.low_closed, a.high_closed) == (b.low_closed, b.high_closed) and _same(a.low, b.low) and _same(
        a.high, b.high)
