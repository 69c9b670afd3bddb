"""The scoring service's model beside the scorecard: asked of a file, one by one and in columns, and failing."""
from __future__ import annotations

import csv
import datetime
import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from engine.deploy.deployment import open_deployment
from engine.policy import load_policy
from tests.commands.conftest import Tierwise, tierwise

__all__ = ["tierwise"]

AS_OF = datetime.date(2026, 7, 1)
SME = Path("policies/sme")


def said(debt_ratio: float, owner_score: float, overdue: float, delay: float, enquiries: float) -> float:
    """What the model's file says, worked out apart from the scorer."""
    odds = -1.1 + debt_ratio - 0.0053 * owner_score
    odds += 1.55 if overdue >= 31 else 0.95 if overdue >= 1 else 0
    odds += 0.9 if delay >= 31 else 0.25 if delay >= 4 else 0
    odds += 0.3 if enquiries >= 4 else 0
    return 1 / (1 + math.exp(-odds))


@pytest.fixture
def customer(root: Path) -> dict[str, Any]:
    """A firm of the sample whose service gave no quote, without debts to be late with."""
    found: dict[str, Any] = json.loads((root / SME / "samples" / "customer.json").read_text("utf-8"))
    given = {"external_pd": None, "owner_score": 600, "total_assets": 1_000_000, "total_liabilities": 400_000,
             "days_overdue_elsewhere": 0, "credit_enquiries": 5}
    return {**found, **given, "history": {"invoices": found["history"]["invoices"], "repayments": []}}


@pytest.mark.parametrize(("changed", "wanted"), [
    ({}, said(0.4, 600, 0, 0, 5)),
    ({"total_liabilities": 900_000, "owner_score": 450}, said(0.9, 450, 0, 0, 5)),
    ({"days_overdue_elsewhere": 31, "credit_enquiries": 3}, said(0.4, 600, 31, 0, 3)),
    ({"days_overdue_elsewhere": 1}, said(0.4, 600, 1, 0, 5)),
    ({"owner_score": None}, None),
])
def test_what_the_model_says(
    root: Path, customer: dict[str, Any], changed: dict[str, Any], wanted: float | None
) -> None:
    inputs = {**customer, **changed}
    policy = load_policy(root / SME / "credit.yaml")
    with open_deployment(root / SME / "deployment.yaml") as deployment:
        deployment.bind(policy)
        decision = policy.decide(inputs, as_of=AS_OF, history=inputs["history"])
    found = decision.values["service pd"]
    assert (found is None) == (wanted is None) and (found is None or found == pytest.approx(wanted, abs=1e-12))
    assert decision.values["opinion"] == ("refer" if found is None else decision.values["opinion"])
    assert decision.missing == (() if wanted is not None else ("owner score",))


def test_the_project_binds_it(root: Path, tierwise: Tierwise, customer: dict[str, Any]) -> None:
    """Who decides by these policies names no deployment, and is told who answered."""
    told = tierwise("decide", root / SME / "credit.yaml", "-", "--as-of", AS_OF, stdin=json.dumps(customer).encode())
    shown = told.out.split("model scoring service (linear, version 2026-06)")[1].split("second pd")[0]
    assert told.code == 0 and "debt ratio = 0.4; owner score = ***;" in shown


@pytest.mark.parametrize("engine", ["python", "duckdb"])
def test_a_model_that_fails(root: Path, tierwise: Tierwise, tmp_path: Path, engine: str) -> None:
    """Ours alone counts where the service quoted nothing, and a person looks; a quote needs no model."""
    shutil.copytree(root / "policies", tmp_path / "policies", ignore=shutil.ignore_patterns("samples"))
    model = tmp_path / SME / "models" / "scoring-service.yaml"
    model.write_text(model.read_text("utf-8").replace("link: logit", "link: identity"), encoding="utf-8")
    out = tmp_path / "out.csv"
    samples = root / SME / "samples"
    told = tierwise("run", tmp_path / SME / "credit.yaml", samples / "firms.csv", "--as-of", AS_OF, "-o", out,
                    "--history", f"invoices={samples / 'invoices.csv'}", "--engine", engine, "--no-summary",
                    "--history", f"repayments={samples / 'repayments.csv'}", "--with", "open,missing")
    assert "model `scoring service` (linear, version 2026-06) asked for 765 rows" in told.err
    with (samples / "firms.csv").open(encoding="utf-8") as stream:
        quoted = {row["firm_id"] for row in csv.DictReader(stream) if row["external_pd"]}
    with out.open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["status"] != "refused"]
    failed = [row for row in rows if row["missing"] == "model.service pd"]
    assert len(failed) > 25
    assert {(r["open"], r["opinion"], r["own notch"] == r["notch"]) for r in failed} == {("opinion", "refer", True)}
    assert not {row["firm id"] for row in failed} & quoted
    assert not [row for row in rows if row["firm id"] in quoted and row["open"]]
