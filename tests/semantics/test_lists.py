"""Lists and contexts: positions, nulls, and what has no value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.semantics import lists
from engine.semantics.equality import equals
from engine.semantics.values import LimitExceeded, Undefined, YearsMonths

NUMBERS = st.lists(st.integers(-1000, 1000), min_size=1, max_size=8)
ITEMS = st.lists(st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from("abc")), max_size=8)


@given(NUMBERS)
def test_aggregates_of_whole_numbers(items: list[int]) -> None:
    assert lists.total(items) == sum(items)
    assert lists.least(items) == min(items)
    assert lists.greatest(items) == max(items)
    assert equals(lists.mean(items), sum(items) / len(items))
    middle = lists.median(items)
    assert sum(i < middle for i in items) <= len(items) / 2 >= sum(i > middle for i in items)
    assert set(lists.mode(items)) == {i for i in items if items.count(i) == max(map(items.count, items))}
    assert lists.mode(items) == sorted(lists.mode(items))


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20), st.randoms())
def test_a_sum_does_not_depend_on_the_order(items: list[float], random: Any) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)
    assert lists.total(shuffled) == lists.total(items)


@given(ITEMS, st.integers(1, 9))
def test_insert_and_remove_undo_each_other(items: list[Any], place: int) -> None:
    if place > len(items):
        with pytest.raises(Undefined):
            lists.remove(items, place)
        return
    assert lists.remove(lists.insert_before(items, place, "x"), place) == items
    assert lists.insert_before(items, place, "x") == lists.insert_before(items, place - len(items) - 1, "x")
    assert lists.replace(items, place, "x")[place - 1] == "x"
    assert lists.sublist(items, place) == items[place - 1 :]


@given(ITEMS, ITEMS)
def test_distinct_and_union(a: list[Any], b: list[Any]) -> None:
    once = lists.distinct(a)
    assert lists.distinct(once) == once
    assert all(lists.contains(once, item) for item in a)
    assert lists.union(a, b) == lists.distinct(a + b)
    assert all(lists.index_of(once, item) == [place] for place, item in enumerate(once, 1))


@given(
    st.recursive(st.integers(0, 9), lambda inner: st.lists(inner, max_size=3), max_leaves=10).filter(
        lambda v: isinstance(v, list)
    )
)
def test_flatten_keeps_the_order(value: Any) -> None:
    assert "".join(map(str, lists.flatten(value))) == "".join(c for c in str(value) if c.isdigit())


@given(NUMBERS)
def test_sort_by_a_function_is_stable(items: list[int]) -> None:
    pairs = list(enumerate(items))
    assert lists.sort(pairs, lambda a, b: a[1] < b[1]) == sorted(pairs, key=lambda p: p[1])
    assert lists.sort(items) == sorted(items)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (lists.least, ([],)),
        (lists.greatest, ([1, "a"],)),
        (lists.total, ([],)),
        (lists.total, ([1, None],)),
        (lists.mean, ([],)),
        (lists.median, (["a"],)),
        (lists.standard_deviation, ([1],)),
        (lists.mode, ([1, None],)),
        (lists.sublist, ([1], 2)),
        (lists.sublist, ([1, 2], 1, 3)),
        (lists.insert_before, ([1], 3, 1)),
        (lists.remove, ([], 1)),
        (lists.replace, ([1], 0, 1)),
        (lists.sort, ([1, "a"],)),
        (lists.get_value, ({}, "a")),
        (lists.get_value, ({}, 1)),
        (lists.get_value, ({"a": 1}, [])),
        (lists.make_context, ([{"key": "a"}],)),
        (lists.make_context, ([{"key": 1, "value": 1}],)),
        (lists.make_context, ([{"key": "a", "value": 1}] * 2,)),
        (lists.put, ({"a": 1}, ["a", "b"], 1)),
        (lists.put, ({}, [], 1)),
        (lists.merge, ([1],)),
    ],
)
def test_what_has_no_value(function: Any, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(Undefined):
        function(*arguments)


def test_contexts() -> None:
    assert lists.get_value({"a": {"b": 1}}, ["a", "b"]) == 1
    assert lists.get_entries({"a": 1}) == [{"key": "a", "value": 1}]
    assert lists.make_context(lists.get_entries({"a": 1, "b": None})) == {"a": 1, "b": None}
    before = {"a": {"b": 1}}
    assert lists.put(before, ["a", "b"], 2) == {"a": {"b": 2}}
    assert before == {"a": {"b": 1}}
    assert lists.merge([{"a": 1}, {"a": 2, "b": 3}]) == {"a": 2, "b": 3}


def test_durations_add_up() -> None:
    assert lists.total([YearsMonths(3), YearsMonths(-1)]) == YearsMonths(2)
    assert lists.mean([YearsMonths(3), YearsMonths(6)]) == YearsMonths(4)


def test_three_valued_all_and_any() -> None:
    for items in ([], [True], [False], [None], [True, None], [False, None], [True, False, None], [1]):
        known = [i for i in items if isinstance(i, bool)]
        doubtful = len(known) < len(items)
        assert lists.every(items) is (False if False in known else None if doubtful else True)
        assert lists.some(items) is (True if True in known else None if doubtful else False)


def test_sizes_are_bounded() -> None:
    half = [0] * 600_000
    with pytest.raises(LimitExceeded):
        lists.concatenate(half, half)
    with pytest.raises(LimitExceeded):
        lists.append([0] * 1_000_000, 1)
