"""What is not open stays as it is, whatever the missing data turn out to be; see `promise`."""

from __future__ import annotations

import json
from random import Random

import pytest

from engine.policy import load_policy
from tests.differential.harness import FOUND
from tests.differential.promise import broken, sample


@pytest.mark.parametrize("block", range(3))
def test_settled_outcomes_outlast_every_completion(block: int) -> None:
    assert sample(range(50_000 + 12 * block, 50_000 + 12 * (block + 1)), customers=6) == []


@pytest.mark.parametrize(
    "name",
    [
        "worst-null-result",
        "any-null-result",
        "null-in-a-list",
        "null-searched-for",
        "field-of-the-row-decided-for",
    ],
)
def test_outcomes_once_settled_too_soon_are_open(name: str) -> None:
    policy = load_policy(FOUND / name / "policy.yaml")
    customer = json.loads((FOUND / name / "customer.json").read_text("utf-8"))
    assert broken(policy, customer, Random(1), completions=60) is None
