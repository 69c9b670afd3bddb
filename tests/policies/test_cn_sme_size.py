"""The national size standard at every threshold, from both sides, and with metrics missing."""
from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.policy import Policy, load_policy

DAY = datetime.date(2026, 7, 1)
METRICS = ("employees", "revenue_wan", "total_assets_wan")
CLASSES = ("large", "medium", "small", "micro")

#: Lower bounds of large, medium and small by industry, in the order of METRICS; None where the standard lists none.
BOUNDS: dict[str, tuple[tuple[int, int, int] | None, ...]] = {
    "agriculture": (None, (20000, 500, 50), None),
    "industry": ((1000, 300, 20), (40000, 2000, 300), None),
    "construction": (None, (80000, 6000, 300), (80000, 5000, 300)),
    "wholesale": ((200, 20, 5), (40000, 5000, 1000), None),
    "retail": ((300, 50, 10), (20000, 500, 100), None),
    "transport": ((1000, 300, 20), (30000, 3000, 200), None),
    "warehousing": ((200, 100, 20), (30000, 1000, 100), None),
    "postal": ((1000, 300, 20), (30000, 2000, 100), None),
    "accommodation": ((300, 100, 10), (10000, 2000, 100), None),
    "catering": ((300, 100, 10), (10000, 2000, 100), None),
    "information_transmission": ((2000, 100, 10), (100000, 1000, 100), None),
    "software_it": ((300, 100, 10), (10000, 1000, 50), None),
    "real_estate_development": (None, (200000, 1000, 100), (10000, 5000, 2000)),
    "property_management": ((1000, 300, 100), (5000, 1000, 500), None),
    "leasing_business_services": ((300, 100, 10), None, (120000, 8000, 100)),
    "other": ((300, 100, 10), None, None),
}


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
