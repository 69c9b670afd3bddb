"""Allen's relations against a model: ranges of small whole numbers, counted out in halves."""

from __future__ import annotations

import itertools

import pytest

from engine.semantics import intervals as iv
from engine.semantics.values import Range, Undefined

POINTS = range(1, 5)
RANGES = [
    Range(low, high, a, b)
    for low, high in itertools.combinations(POINTS, 2)
    for a, b in itertools.product((True, False), repeat=2)
]


def members(span: Range) -> set[float]:
    """The points of a range on a grid of quarters, fine enough to tell ends apart."""
    grid = [n / 4 for n in range(25)]
    return {
        p
        for p in grid
        if (span.low < p or span.low_closed and span.low == p)
        and (p < span.high or span.high_closed and span.high == p)
    }


@pytest.mark.parametrize("a", RANGES, ids=str)
def test_ranges_relate_as_their_points_do(a: Range) -> None:
    for b in RANGES:
        first, second = members(a), members(b)
        assert iv.before(a, b) is (max(first) < min(second))
        assert iv.after(a, b) is iv.before(b, a)
        assert iv.overlaps(a, b) is bool(first & second)
        assert iv.includes(a, b) is (second <= first)
        assert iv.during(a, b) is (first <= second)
        assert iv.coincides(a, b) is (first == second)
        assert iv.meets(a, b) is (max(first) == min(second))
        assert iv.met_by(a, b) is iv.meets(b, a)
        assert iv.starts(a, b) is (min(first) == min(second) and first <= second)
        assert iv.started_by(a, b) is iv.starts(b, a)
        assert iv.finishes(a, b) is (max(first) == max(second) and first <= second)
        assert iv.finished_by(a, b) is iv.finishes(b, a)
        assert iv.overlaps_before(a, b) is (
            bool(first & second) and min(first) < min(second) and max(first) <= max(second)
        )
        assert iv.overlaps_after(a, b) is (
            bool(first & second) and min(second) < min(first) and max(second) <= max(first)
        )


@pytest.mark.parametrize("a", RANGES, ids=str)
def test_points_and_ranges(a: Range) -> None:
    inside = members(a)
    for point in POINTS:
        assert iv.includes(a, point) is (point in inside)
        assert iv.during(point, a) is (point in inside)
        assert iv.before(point, a) is (point < min(inside))
        assert iv.after(point, a) is (point > max(inside))
        assert iv.starts(point, a) is (point == min(inside))
        assert iv.finishes(point, a) is (point == max(inside))


def test_what_does_not_compare_has_no_value() -> None:
    for pair in [
        (1, "a"),
        (Range(1, 2), Range("a", "b")),
        (Range(None, 2, False, True, "<="), Range(1, 2)),
        (True, False),
    ]:
        with pytest.raises(Undefined):
            iv.before(*pair)
    with pytest.raises(Undefined):
        iv.coincides(1, Range(1, 2))
