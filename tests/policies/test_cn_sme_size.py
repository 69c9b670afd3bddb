"""The national size standard at every threshold, from both sides, and with metrics missing."""
from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.policy import Policy, load_policy
from tests.standards.sizes import BOUNDS, CLASSES, METRICS

DAY = datetime.date(2026, 7, 1)


@pytest.fixture(scope="module")
def policy(root: Path) -> Policy:
    return load_policy(root / "policies" / "standards" / "cn-sme-size.yaml")


def decide(policy: Policy, **inputs: Any) -> dict[str, Any]:
    decision = policy.decide(inputs, as_of=DAY)
    assert decision.refused == ()
    return decision.values


def expected(size: str) -> dict[str, Any]:
    return {"size": size, "is_sme": size != "large", "is_small_or_micro": size in ("small", "micro")}


def thresholds() -> Iterator[tuple[str, int, str, dict[str, float]]]:
    """Industry, class, metric, and a firm exactly at all bounds of the class."""
    for industry, bounds in BOUNDS.items():
        for rank in range(3):
            at = {name: float(b[rank]) for name, b in zip(METRICS, bounds, strict=True) if b is not None}
            for metric in at:
                yield industry, rank, metric, at


@pytest.mark.parametrize(("industry", "rank", "metric", "at"), list(thresholds()))
def test_a_threshold_from_both_sides(
    policy: Policy, industry: str, rank: int, metric: str, at: dict[str, float]
) -> None:
    assert decide(policy, industry=industry, **at) == expected(CLASSES[rank])
    above = at | {metric: at[metric] + 0.01}
    assert decide(policy, industry=industry, **above) == expected(CLASSES[rank])
    below = at | {metric: at[metric] - 0.01}
    assert decide(policy, industry=industry, **below) == expected(CLASSES[rank + 1])


def test_one_metric_far_below_makes_a_giant_micro(policy: Policy) -> None:
    assert decide(policy, industry="industry", employees=19, revenue_wan=1e6) == expected("micro")


def test_a_metric_not_listed_plays_no_part(policy: Policy) -> None:
    farm = decide(policy, industry="agriculture", employees=0, revenue_wan=20000, total_assets_wan=0)
    theatre = decide(policy, industry="other", employees=300, revenue_wan=0, total_assets_wan=0)
    assert farm == theatre == expected("large")


def test_a_missing_metric_leaves_null_what_the_others_do_not_settle(policy: Policy) -> None:
    firm = {"industry": "retail"}
    assert decide(policy, **firm, employees=9) == expected("micro")
    assert decide(policy, **firm, employees=10) == {"size": None, "is_sme": True, "is_small_or_micro": True}
    assert decide(policy, **firm, employees=50) == {"size": None, "is_sme": True, "is_small_or_micro": None}
    assert decide(policy, **firm, employees=300) == dict.fromkeys(expected("micro"))
    assert decide(policy, **firm, revenue_wan=99.99) == expected("micro")
    assert decide(policy, employees=5) == dict.fromkeys(expected("micro"))


def test_an_industry_not_in_the_standard_is_bad_data(policy: Policy) -> None:
    assert policy.decide({"industry": "fishing"}, as_of=DAY).refused == ("industry",)
