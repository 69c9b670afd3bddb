"""Imports that read features of their policy, and chains of policies for each row, by both evaluators."""
from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from engine.ir.verify import verify
from engine.policy import load_policy

CHAIN = Path(__file__).parent.parent / "corpus" / "good" / "import-chain" / "main.yaml"


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
