"""Each standard against its text as a function: complete data, and data with holes.

An answer given on incomplete data is the one of every completion; where the completions differ it is null. So nothing
missing passes for good data, and nothing is left open that the rest settles.
"""
from __future__ import annotations

import datetime
import itertools
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.policy import Policy, load_policy
from tests.standards.oracles import BOOL, POOLS, Answers, Data, cn_five_category, one_count

DAY = datetime.date(2026, 7, 1)
COMPLETE = 300
HOLES = 200
#: More completions than this are not tried one by one but drawn.
TRIED = 3000


@pytest.fixture(scope="module", params=sorted(POOLS))
def standard(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def policy(root: Path, standard: str) -> Policy:
    return load_policy(root / "policies" / "standards" / f"{standard}.yaml")


def answers(policy: Policy, data: Data) -> Answers:
    decision = policy.decide(dict(data), as_of=DAY)
    assert decision.refused == ()
    return decision.values


def same(one: Any, two: Any) -> bool:
    if isinstance(one, float) or isinstance(two, float):
        return one is not None and two is not None and math.isclose(one, two, rel_tol=1e-9, abs_tol=1e-9)
    return bool(one == two)


def drawn(rng: random.Random, pools: dict[str, list[Any]]) -> dict[str, Any]:
    return {name: rng.choice(pool) for name, pool in pools.items()}


def test_complete_data(policy: Policy, standard: str) -> None:
    oracle, pools = POOLS[standard]
    rng = random.Random(f"complete {standard}")
    for _ in range(COMPLETE):
        data = drawn(rng, pools)
        got, expected = answers(policy, data), oracle(data)
        assert got.keys() == expected.keys()
        assert all(same(got[k], expected[k]) for k in expected), (data, got, expected)


def completions(
    rng: random.Random, known: dict[str, Any], pools: dict[str, list[Any]]
) -> Iterator[dict[str, Any]]:
    """What the data could be: a missing yes or no is no, anything else one of its pool."""
    missing = [n for n in pools if n not in known]
    open_pools = [[False] if pools[n] is BOOL else pools[n] for n in missing]
    if math.prod(map(len, open_pools)) <= TRIED:
        combinations: Iterator[tuple[Any, ...]] = itertools.product(*open_pools)
    else:
        extremes = itertools.product(*([p[0], p[-1]] for p in open_pools))
        combinations = itertools.chain(extremes, (tuple(map(rng.choice, open_pools)) for _ in range(TRIED)))
    for values in combinations:
        yield known | dict(zip(missing, values, strict=True))


def test_data_with_holes(policy: Policy, standard: str) -> None:
    oracle, pools = POOLS[standard]
    rng = random.Random(f"holes {standard}")
    asked = 0
    for _ in range(HOLES):
        known = {n: v for n, v in drawn(rng, pools).items() if rng.random() < 0.75}
        if standard == "cn-five-category":
            check_lower_bound(policy, known, rng.choice(pools["days_overdue"]))
            asked += 1
            continue
        got = answers(policy, known)
        possible = [oracle(c) for c in completions(rng, known, pools) if fits(standard, c, known)]
        if not possible:
            continue
        for name, value in got.items():
            seen = possible[0][name]
            settled = all(same(p[name], seen) for p in possible)
            if value is not None:
                asked += 1
                assert settled and same(value, seen), (known, name, value)
            elif exact(standard, known):
                assert not settled or seen is None, (known, name, seen)
    assert asked >= 20


def check_lower_bound(policy: Policy, known: dict[str, Any], days: float) -> None:
    """What is not known is not held against the asset."""
    pools = POOLS["cn-five-category"][1]
    known = known | {"days_overdue": days}
    blank = {n: False if pool is BOOL else None for n, pool in pools.items()}
    assert answers(policy, known) == cn_five_category(blank | known), known


def fits(standard: str, data: dict[str, Any], known: dict[str, Any]) -> bool:
    """Whether a completion does not contradict itself by what was filled in."""
    return standard != "cn-five-category-upgrade" or len(known) == len(data) or one_count(data)


def exact(standard: str, known: dict[str, Any]) -> bool:
    """Whether null must mean that the completions differ.

    Not for a firm so large, or a customer so long on time, that the missing industry or months could be derived:
    null is then less than could be said, and safe. Nor for a score, a number of more values than a pool holds.
    """
    if standard == "cn-sme-size":
        return "industry" in known
    return standard not in ("cn-five-category-upgrade", "altman-z-prime")
