"""Aggregates: no order of items shows, and sums and means divide as engines of columns do."""
from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.semantics.folds import fold

amounts = st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=30)
places = st.integers(0, 6)


@given(amounts, places, st.randoms(use_true_random=False))
def test_no_order_shows(items: list[float], decimals: int, random: Any) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)
    for op in ("sum", "mean", "min", "max", "median"):
        assert fold(op, shuffled, decimals) == fold(op, items, decimals)


@given(amounts, places)
def test_one_division_of_two_floats(items: list[float], decimals: int) -> None:
    added = sum(math.floor(item * 10.0**decimals + 0.5) for item in items)
    assert fold("sum", items, decimals) == float(added) / 10.0**decimals
    assert fold("mean", items, decimals) == float(added) / float(10**decimals * len(items))


def test_large_sums_are_taken_as_floats_before_they_are_divided() -> None:
    # 10**17 + 2 cents round up to a float, the exact quotient of two ints would not show it
    items = [9.0e14, 1.0e14, 0.02]
    assert fold("sum", items, 2) == float(10**17 + 2) / 100.0


@pytest.mark.parametrize("items", [[1e308], [1e302, 1e302, 1e302], [-1e308, 1e308]])
def test_units_beyond_a_float_are_null(items: list[float]) -> None:
    assert fold("sum", items, 6) is None
    assert fold("mean", items, 6) is None


@pytest.mark.parametrize(
    ("op", "none", "with_null"),
    [("sum", 0, None), ("count", 0, 2), ("min", None, None), ("max", None, None), ("mean", None, None),
     ("median", None, None), ("some", False, None), ("every", True, None), ("first", None, None), ("last", None, 1),
     ("longest streak", 0, 1), ("current streak", 0, 1)],
)
def test_no_items_and_null_items(op: str, none: Any, with_null: Any) -> None:
    assert fold(op, [], 2) == none
    items: list[Any] = [None, True] if op in ("every",) else [None, False] if op == "some" else [None, 1]
    assert fold(op, items, 2) == with_null


@pytest.mark.parametrize(
    ("items", "longest", "current"),
    [([False], 0, 0), ([True, True, False], 2, 0), ([True, False, True, True, True], 3, 3),
     ([True, True, None, True], 2, 1), ([True, True, True, False, True], 3, 1)],
)
def test_streaks(items: list[Any], longest: int, current: int) -> None:
    assert (fold("longest streak", items), fold("current streak", items)) == (longest, current)
