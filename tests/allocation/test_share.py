"""Allocations keep to budget and caps, come near the best, and are the same twice."""
from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.allocation.problem import NOBODY, Cap, Problem, left
from engine.allocation.share import allocate


def cap(by: str, codes: list[int], limits: list[int]) -> Cap:
    return Cap(by, np.array(codes, np.int32), np.array(limits, np.int64), tuple(map(str, range(len(limits)))))


def grouped(by: str, codes: np.ndarray, limits: list[int]) -> Cap:
    return Cap(by, codes, np.array(limits, np.int64), tuple(map(str, range(len(limits)))))


def problem(most: list[int], value: list[float], budget: int, caps: list[Cap], whole: bool = False) -> Problem:
    return Problem(np.array(most, np.int64), np.array(value, np.float64), budget, tuple(caps), whole)


def kept(asked: Problem, given: np.ndarray) -> bool:
    budget, rest = left(asked, given)
    return budget >= 0 and all((r >= 0).all() for r in rest) and bool(((given >= 0) & (given <= asked.most)).all())


@st.composite
def problems(draw: st.DrawFn, whole: bool) -> Problem:
    customers = draw(st.integers(1, 7))
    most = draw(st.lists(st.integers(0, 4), min_size=customers, max_size=customers))
    value = draw(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, 3.5]), min_size=customers, max_size=customers))
    caps = []
    for name in "ab"[:draw(st.integers(0, 2))]:
        groups = draw(st.integers(1, 3))
        codes = draw(st.lists(st.integers(NOBODY, groups - 1), min_size=customers, max_size=customers))
        limits = draw(st.lists(st.integers(0, 8), min_size=groups, max_size=groups))
        caps.append(cap(name, codes, limits))
    return problem(most, value, draw(st.integers(0, 12)), caps, whole)


def best(asked: Problem) -> float:
    """By trying everything."""
    ways = [(0, m) if asked.whole else range(m + 1) for m in asked.most.tolist()]
    return max(
        float(asked.value @ np.array(way)) for way in itertools.product(*ways) if kept(asked, np.array(way, np.int64))
    )


@settings(max_examples=60, deadline=None)
@given(problems(whole=False))
def test_parts_are_the_best_there_is(asked: Problem) -> None:
    found = allocate(asked)
    assert kept(asked, found.given)
    top = best(asked)
    assert found.bound >= top - 1e-9 and found.value <= top + 1e-9
    assert found.value >= top * (1 - 1e-3) - 1e-9


@settings(max_examples=60, deadline=None)
@given(problems(whole=True))
def test_all_or_nothing_is_the_best_there_is(asked: Problem) -> None:
    found = allocate(asked)
    assert kept(asked, found.given) and set(np.unique(found.given * (found.given != asked.most))) <= {0}
    top = best(asked)
    assert found.bound >= top - 1e-6 and found.value >= top * (1 - 1e-3) - 1e-9


def portfolio(customers: int, seed: int, whole: bool = False, fine: bool = True) -> Problem:
    chance = np.random.default_rng(seed)
    most = (chance.lognormal(12, 1, customers) * 100).astype(np.int64)       # fen
    value = chance.uniform(-0.01, 0.06, customers)
    budget = int(most.sum() * 0.4)
    caps = [
        grouped("industry", chance.integers(0, 12, customers, np.int32), [int(budget * 0.15)] * 12),
        grouped("region", chance.integers(0, 31, customers, np.int32), [int(budget * 0.05)] * 31),
        grouped("tier", chance.integers(0, 4, customers, np.int32), [budget, budget // 2, budget // 4, budget // 20]),
    ]
    if fine:
        groups = customers // 4
        codes = chance.integers(-1, groups, customers, np.int32)
        caps.append(grouped("group", codes, [int(2e8)] * groups))
    return Problem(most, value, budget, tuple(caps), whole)


@pytest.mark.parametrize("whole", [False, True])
def test_a_portfolio_is_shared_to_the_fen_and_the_same_twice(whole: bool) -> None:
    asked = portfolio(20_000, 11, whole)
    found, again = allocate(asked), allocate(asked)
    assert kept(asked, found.given) and found.gap <= 0.001
    assert (found.given == again.given).all() and found.value == again.value


def test_nothing_to_share() -> None:
    found = allocate(problem([5, 5], [1.0, 2.0], 0, []))
    assert found.given.tolist() == [0, 0] and found.gap == 0
    found = allocate(problem([], [], 10, []))
    assert found.given.tolist() == []


def test_where_the_solver_runs_out_of_time_prices_stand() -> None:
    """With a gap that is told: an answer a little further from the best is worth more than none."""
    asked = portfolio(400, 5, whole=True)
    near = allocate(asked, gap=0.0)
    found = allocate(asked, gap=0.0, seconds=0.0)
    assert found.method == "prices; the solver ran out of time" and kept(asked, found.given)
    assert 0 < found.gap < 0.2 and found.value <= near.bound <= found.bound + 1e-9
