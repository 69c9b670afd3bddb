"""The arithmetic of adverse impact, stability and monotonicity."""
from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.policytest.impact import Rate, adverse_impact
from engine.policytest.monotone import Point, breaks
from engine.policytest.stability import banding, deciles, stability


def test_four_fifths_of_the_guidelines() -> None:
    """The example of the Questions and Answers to the guidelines: 48 of 80 men hired, 12 of 40 women."""
    found = adverse_impact([Rate("men", 80, 48), Rate("women", 40, 12)])
    assert found.best is not None and (found.best.group, found.best.rate) == ("men", 0.6)
    assert [(r.group, ratio) for r, ratio in found.adverse] == [("women", 0.5)]


def test_a_ratio_of_four_fifths_is_none() -> None:
    found = adverse_impact([Rate("a", 80, 48), Rate("b", 100, 48)])     # 0.48 / 0.6 falls short of 0.8 in binary64
    assert found.ratios[0][1] != 0.8 or found.adverse == []
    assert found.adverse == []
    assert adverse_impact([Rate("a", 80, 48), Rate("b", 1000, 479)]).adverse != []


def test_small_groups_are_neither_judged_nor_compared_with() -> None:
    found = adverse_impact([Rate("a", 29, 29), Rate("b", 30, 15), Rate("c", 30, 14)])
    assert [r.group for r in found.small] == ["a"]
    assert found.best is not None and found.best.group == "b" and found.adverse == []
    assert adverse_impact([Rate("a", 29, 29), Rate("b", 30, 15)]).best is None
    assert adverse_impact([]).best is None


def test_nobody_favoured_is_alike() -> None:
    assert adverse_impact([Rate("a", 30, 0), Rate("b", 40, 0)]).adverse == []


def test_stability_by_hand() -> None:
    found = stability(Counter(a=50, b=50), Counter(a=60, b=40), ["b", "a"])
    assert [s.category for s in found.shifts] == ["b", "a"]
    assert found.index == pytest.approx(0.1 * math.log(0.6 / 0.5) - 0.1 * math.log(0.4 / 0.5))
    assert found.chance == pytest.approx(1 / 100 + 1 / 100)


def test_an_empty_category_counts_as_half_a_customer() -> None:
    found = stability(Counter(a=100), Counter(a=90, b=10), [])
    part = found.shifts[1]
    assert (part.category, part.then, part.now) == ("b", 0, 0.1)
    assert part.part == pytest.approx((0.1 - 0.005) * math.log(0.1 / 0.005))


counts = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 1000), min_size=1).map(Counter)


@given(counts, counts)
def test_stability_is_a_symmetric_divergence(one: Counter[str], two: Counter[str]) -> None:
    found, back = stability(one, two, []), stability(two, one, [])
    assert found.index >= 0 and found.index == pytest.approx(back.index)
    assert math.fsum(s.now for s in found.shifts) == pytest.approx(1)
    same = stability(one, one, [])
    assert same.index == 0 and all(s.part == 0 for s in same.shifts)


@given(st.lists(st.integers(-50, 50).map(float), max_size=200))
def test_deciles_rise_and_bands_hold_every_number_once(values: list[float]) -> None:
    ends = deciles(values)
    assert list(ends) == sorted(set(ends)) and len(ends) < 10
    band, names = banding(ends, str)
    assert len(names) == len(ends) + 1
    held = [names.index(band(v)) for v in sorted(values)]
    assert held == sorted(held)
    assert all((v >= ends[names.index(band(v)) - 1]) for v in values if ends and names.index(band(v)) > 0)
    if len(set(values)) == len(values) and len(values) >= 10:
        sizes = Counter(map(band, values)).values()
        assert max(sizes) - min(sizes) <= 1


@given(st.lists(st.tuples(st.integers(-20, 20), st.none() | st.integers(-5, 5)), max_size=12))
def test_breaks_are_where_the_order_fails(pairs: list[tuple[int, int | None]]) -> None:
    points = [Point(float(at), None if out is None else float(out)) for at, out in pairs]
    known = {p.at: p.outcome for p in points if p.outcome is not None}
    ordered = [known[at] for at in sorted(known)]
    assert (breaks(points, "non-decreasing", None, 1e-12) == []) == (ordered == sorted(ordered))
    assert (breaks(points, "non-increasing", None, 1e-12) == []) == (ordered == sorted(ordered, reverse=True))


def test_ordered_values_and_tolerance() -> None:
    scale = ("decline", "refer", "approve")
    rising = [Point(1, "decline"), Point(3, "approve"), Point(2, "refer")]
    assert breaks(rising, "never worse", scale, 0) == []
    (one, two) = breaks(rising, "never better", scale, 0)
    assert (one.low.outcome, one.high.outcome, two.high.at) == ("decline", "refer", 3)
    assert breaks([Point(1, 0.3), Point(2, 0.1 + 0.2 - 1e-15)], "non-decreasing", None, 1e-12) == []
    assert breaks([Point(1, 100.0), Point(2, 99.99995)], "non-decreasing", None, 1e-4) == []
