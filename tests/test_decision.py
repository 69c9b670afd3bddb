"""A decision says the same whatever was asked of it before."""
from __future__ import annotations

import datetime
from itertools import permutations
from pathlib import Path

import pytest

from engine.policy import Policy, load_policy

POLICY = """\
policy: order of asking
version: "1"
effective: {from: 2026-01-01}
owner: tests
on missing: refer
inputs:
  a: {type: number}
  b: {type: number, optional: true}
service:
  decision:
    values: [approve, refer]
    rules:
      - rule: D1
        when: a > b
        then: refer
      - otherwise: approve
"""
DAY = datetime.date(2026, 7, 1)
CUSTOMERS = ({"a": 1, "b": 2}, {"a": 1}, {"a": "many"}, {})
ASKED = ("refused", "faults", "fired", "reasons", "open", "missing", "assumed", "ask")


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    path: Path = tmp_path_factory.mktemp("policy") / "policy.yaml"
    path.write_text(POLICY, encoding="utf-8")
    return load_policy(path)


@pytest.mark.parametrize("engine", ["python", "reference"])
@pytest.mark.parametrize("customer", CUSTOMERS, ids=str)
def test_the_order_of_asking_does_not_matter(policy: Policy, customer: dict[str, object], engine: str) -> None:
    def decide() -> object:
        return policy.decide(customer, as_of=DAY, engine=engine)

    alone = {name: getattr(decide(), name) for name in ASKED}
    for first, second in permutations(ASKED, 2):
        decision = decide()
        getattr(decision, first)
        assert getattr(decision, second) == alone[second], f"{second} behind {first}"


def test_a_refused_customer_stays_refused(policy: Policy) -> None:
    decision = policy.decide({"a": "many"}, as_of=DAY)
    assert decision.reasons == ()
    assert decision.refused == ("a",)
    assert [fault.message for fault in decision.faults] == ["`many` is not a number"]
