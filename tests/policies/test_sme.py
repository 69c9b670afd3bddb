"""The policies for small firms over their sample portfolio: both engines give the same bytes, in seconds."""
from __future__ import annotations

import csv
import datetime
import subprocess
import sys
from pathlib import Path

import pytest

import engine

FOLDER = Path("policies/sme")
#: Policies by the tables that they read.
TABLES = {
    "behaviour": ("invoices",),
    "repayment": ("repayments",),
    "profile": ("invoices", "repayments"),
    "potential": ("invoices",),
    "value": ("invoices", "repayments"),
    "products": ("invoices",),
    "credit": ("invoices", "repayments"),
    "lending": ("invoices", "repayments"),
    "reserve": ("loans", "repayments"),
    "stages": ("events",),
    "outcome": ("repayments",),
    "stress": ("invoices", "repayments"),
    "care": ("loans", "repayments", "contacts"),
    "reminders": ("loans", "repayments", "instalments", "contacts"),
    "satisfaction": ("surveys", "complaints"),
    "monitoring": ("invoices", "repayments"),
}
FILES = {"instalments": "repayments"}      # the same rows, each of its loan
#: Seconds. A plan of the database once took all the memory there was.
LIMIT = 200


@pytest.mark.parametrize("name", TABLES)
def test_engines_agree(root: Path, tmp_path: Path, name: str) -> None:
    said = {}
    for who in ("python", "duckdb"):
        out = tmp_path / f"{who}.csv"
        command = [sys.executable, "cli.py", "run", f"{FOLDER}/{name}.yaml", f"{FOLDER}/samples/firms.csv"]
        command += ["--as-of", "2026-07-01", "--engine", who, "-o", str(out), "--with", "reasons,fired,open,missing"]
        for table in TABLES[name]:
            command += ["--history", f"{table}={FOLDER}/samples/{FILES.get(table, table)}.csv"]
        done = subprocess.run(
            command, cwd=root, capture_output=True, text=True, encoding="utf-8", check=False, timeout=LIMIT
        )
        assert done.returncode in (0, 1), done.stderr
        said[who] = out.read_bytes()
    assert said["python"].count(b"\n") == 1003
    assert said["python"] == said["duckdb"]


def test_nobody_owes_what_nothing_is_set_aside_for(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "reserve.csv"
    command = [sys.executable, "cli.py", "run", f"{FOLDER}/reserve.yaml", f"{FOLDER}/samples/firms.csv", "-o", str(out)]
    command += ["--as-of", "2026-07-01", "--no-summary"]
    command += [f"--history={table}={FOLDER}/samples/{table}.csv" for table in TABLES["reserve"]]
    subprocess.run(command, cwd=root, capture_output=True, check=False, timeout=LIMIT)
    with out.open(encoding="utf-8", newline="") as stream:
        owing = [row for row in csv.DictReader(stream) if float(row["exposure"] or 0) > 1]  # schedules round to cents
    assert len(owing) > 400
    assert [row["firm id"] for row in owing if not float(row["reserve"] or 0) > 0] == []
    bad = [row for row in owing if row["borrower category"] in ("substandard", "doubtful", "loss")]
    assert bad and all(float(row["reserve"]) >= 0.25 * float(row["exposure"]) for row in bad)


def test_every_policy_has_its_cases(root: Path) -> None:
    apart = ("report.yaml", "allocation.yaml", "deployment.yaml", "bank.yaml")                # no policies
    names = {p.name for p in (root / FOLDER).glob("*.yaml") if p.name not in apart}
    assert [n for n in names if not n.endswith(".test.yaml") and n.replace(".yaml", ".test.yaml") not in names] == []


@pytest.mark.parametrize("notch", range(1, 9))
def test_an_approval_waits_for_the_signatures_of_the_tier(root: Path, notch: int) -> None:
    """Two policies say how many sign for a tier: `tier` by its measures, and `stages` where an application stands."""
    day = datetime.date(2026, 7, 1)
    rated = engine.load_policy(root / FOLDER / "tier.yaml").decide({"notch": notch, "industry": "industry"}, as_of=day)
    asked = engine.load_policy(root / FOLDER / "stages.yaml").decide(
        {"firm id": "F1", "tier": rated.values["tier"], "product": "quick credit", "requested amount": 100_000},
        as_of=day, history={"events": [{"happened": day, "kind": "stage", "what": "approval"}]},
    )
    assert asked.values["signatures required"] == rated.values["measures"]["signatures"]
