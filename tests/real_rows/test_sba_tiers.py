"""Tiers made from one half of the SBA loans tell the defaults of the other half apart, beside a logistic regression.

The data lie outside the repository; without them these tests skip.
"""
from __future__ import annotations

import csv
import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.policy import load_policy
from engine.report.blocks import plain
from engine.report.making import make
from engine.report.spec import read_spec
from tests.real_rows.test_real_rows import POLICIES, data

ROOT = Path(__file__).resolve().parents[2]
REPORT = """\
report: Loans that no rule was made from
policy: {policy}
results: results.parquet
data: outcomes.csv
key: loan number
by: [tier]
outcome: {{column: Default, bad: ['1'], tier: tier, score: score, beside: [logistic]}}
"""


def design(rows: list[dict[str, str]]) -> np.ndarray:
    """The scorecard's own inputs as a regression takes them."""
    def columns(row: dict[str, str]) -> list[float]:
        kind = row["RevLineCr"]
        return [
            1.0, float(row["RealEstate"]), float(row["Portion"]), np.log1p(float(row["DisbursementGross"])),
            np.log1p(float(row["NoEmp"])), kind == "Y", kind == "N", kind not in ("Y", "N", "0"),
            row["BankState"] == "CA", row["NAICS"][:4] in ("5312", "5313"),
        ]

    return np.array([columns(row) for row in rows], dtype=float)


def logistic(inputs: np.ndarray, outcomes: np.ndarray) -> np.ndarray:
    """Coefficients by Newton's method, with a small ridge."""
    found = np.zeros(inputs.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-inputs @ found))
        weights = inputs * (chance * (1 - chance))[:, None]
        found += np.linalg.solve(inputs.T @ weights + 1e-3 * np.eye(len(found)), inputs.T @ (outcomes - chance))
    return found


@pytest.fixture(scope="module")
def report(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("sba")
    with data(shared, "sba_case/loans.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    train, test = ([r for r in rows if r["Selected"] == half] for half in "10")
    fitted = logistic(design(train), np.array([float(r["Default"]) for r in train]))
    # a higher score is better, so the regression's is the log odds of being paid
    odds = (-design(test) @ fitted).tolist()
    told = [{"loan number": r["LoanNr_ChkDgt"], "Default": r["Default"], "logistic": o}
            for r, o in zip(test, odds, strict=True)]
    for name, written in (("loans", test), ("outcomes", told)):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
            out = csv.DictWriter(stream, list(written[0]))
            out.writeheader()
            out.writerows(written)
    policy = load_policy(POLICIES / "sba-tiers.yaml")
    summary = policy.run(folder / "loans.csv", as_of=datetime.date(2014, 12, 31),
                         out=folder / "results.parquet", engine="duckdb")
    assert summary.rows == len(test) == 1050 and not summary.refused
    (folder / "report.yaml").write_text(REPORT.format(policy=POLICIES / "sba-tiers.yaml"), "utf-8")
    return json.loads(json.dumps(plain(make(read_spec(str(folder / "report.yaml"))))))


def outcome(report: dict[str, Any], title: str) -> list[dict[str, Any]]:
    blocks = next(s["blocks"] for s in report["sections"] if s["id"] == "outcome")
    found: list[dict[str, Any]] = next(b["rows"] for b in blocks if b.get("table") == title)
    return found


def test_default_rates_rise_from_tier_to_tier(report: dict[str, Any]) -> None:
    rates = {r["tier"]: r["default rate"] for r in outcome(report, "Defaults by tier")}
    assert rates["A"] < 0.08 and rates["D"] > 0.55
    assert rates["A"] < rates["B"] < rates["C"] < rates["D"]


def test_the_score_separates_nearly_as_well_as_a_regression_on_the_same_inputs(report: dict[str, Any]) -> None:
    power = {r["score"]: r for r in outcome(report, "Power to separate")}
    assert power["score"]["customers"] == power["logistic"]["customers"] == 1050
    assert power["score"]["Gini"] > power["logistic"]["Gini"] - 0.05
    assert power["score"]["Gini"] > 0.5 and power["score"]["KS"] > 0.4


def test_the_page_says_what_is_measured(report: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "capabilities" / "d04-risk-tiers.md").read_text("utf-8")
    power = {r["score"]: r for r in outcome(report, "Power to separate")}
    for r in outcome(report, "Defaults by tier"):
        row = f"| {r['tier']} | {r['customers']} | {r['defaults']} | {r['default rate']:.1%} |"
        assert row in page
    for title, name in (("the scorecard", "score"), ("a logistic regression", "logistic")):
        assert f"| {title} | {power[name]['KS']:.1%} | {power[name]['Gini']:.1%} |" in page
