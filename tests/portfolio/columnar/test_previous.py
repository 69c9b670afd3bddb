"""The previous decision as columns of a portfolio: never bad data, and not missed where there are none."""
from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from engine.policy import Policy, load_policy
from engine.portfolio.request import Request
from tests.portfolio.columnar.both import DAY, agree

RENEWAL = Path(__file__).resolve().parents[2] / "language" / "renewal.yaml"


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(RENEWAL)


def test_its_columns_are_read_and_refuse_nobody(policy: Policy, tmp_path: Path) -> None:
    data = tmp_path / "customers.csv"
    data.write_text(
        "firm id,score,previous,previous.tier,previous.limit,previous.as of,previous.decision\n"
        "F1,47,true,A,100,2026-01-01,approve\nF2,47,true,Z,much,soon,decline\nF3,47,,,,,\n"
    )
    found = agree(policy, Request(str(data), DAY, ()), tmp_path)
    rows = list(csv.DictReader(io.StringIO(found.out)))
    assert [r["tier"] for r in rows] == ["A", "", "B"]
    assert [r["limit"] for r in rows] == ["120", "1000", "1000"]
    assert found.summary is not None and found.summary.refused == 0


def test_a_portfolio_without_it_is_told_nothing(policy: Policy, tmp_path: Path) -> None:
    data = tmp_path / "customers.csv"
    data.write_text("firm id,score\nF1,47\n")
    assert agree(policy, Request(str(data), DAY, ()), tmp_path).notes == []
