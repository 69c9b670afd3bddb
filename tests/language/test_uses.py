"""Imports that read features of their policy, and chains of policies for each row, by both evaluators."""
from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from engine.ir.verify import verify
from engine.policy import load_policy

GOOD = Path(__file__).parent.parent / "corpus" / "good"
CHAIN = GOOD / "import-chain" / "main.yaml"
RENAMED = GOOD / "import-renamed" / "main.yaml"


@pytest.mark.parametrize("engine", ["reference", "python"])
def test_an_import_reads_features_and_a_chain_goes_over_what_was_derived(engine: str) -> None:
    policy = load_policy(CHAIN)
    verify(policy.program)
    rows = [{"late": 5, "balance": 100.0}, {"late": 20, "balance": 50.0}, {"late": None, "balance": 7.0}]
    decision = policy.decide(
        {"firm": "f", "weeks": 1}, as_of=datetime.date(2026, 7, 1), history={"loans": rows}, engine=engine
    )
    assert decision.values == {"class": "loss", "provision": 51.07, "loans in loss": 1}
    patient = policy.decide(
        {"firm": "f", "weeks": 3}, as_of=datetime.date(2026, 7, 1), history={"loans": rows}, engine=engine
    )
    assert patient.values["class"] == "normal"


@pytest.mark.parametrize("engine", ["reference", "python"])
def test_an_import_calls_the_history_it_is_given_as_it_likes(engine: str) -> None:
    policy = load_policy(RENAMED)
    verify(policy.program)
    rows = [
        {"signed": "2026-01-01", "balance": 100, "bank": "x", "days late": 12},
        {"signed": "2026-01-01", "balance": 40, "bank": "y", "days late": None},
        {"signed": "2026-01-01", "balance": 90, "bank": "y", "days late": 0},
        {"signed": "2026-07-02", "balance": 900, "bank": "z", "days late": 300},
    ]
    day = datetime.date(2026, 7, 1)
    decision = policy.decide({"id": "f"}, as_of=day, history={"facilities": rows}, engine=engine)
    assert decision.values == {"class": "watch", "banks": 2, "concentrated": 130.0, "at risk": 100.0}
    absent = policy.decide({"id": "f"}, as_of=day, engine=engine)
    assert absent.missing == ("facilities",)
    assert set(absent.values.values()) == {None}
