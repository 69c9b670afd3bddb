"""`tierwise allocate` from rows and a plan to rows, and what it says of plans and rows that will not do."""
from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from engine.allocation.plan import PlanError, read_plan
from engine.allocation.told import NO_VALUE

ROOT = Path(__file__).resolve().parents[2]
PLAN = """\
allocation: third quarter
key: firm id
amount: limit
value: margin
only: {decision: approve}
budget: 300万
step: 1万
caps:
  - by: industry
    share: 40%
  - by: tier
    groups: {C: 10%, D: 0}
"""
ROWS = """\
firm id,decision,limit,margin,industry,tier
F1,approve,600000,0.031,retail,A
F2,approve,900000.009,0.028,retail,B
F3,approve,500000,0.034,,
F4,decline,400000,0.040,catering,C
F5,approve,700000,0.019,mining,C
F6,approve,800000,-0.02,catering,A
F7,approve,,0.02,catering,A
F8,approve,650000,0.025,mining,D
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "plan.yaml").write_text(PLAN, "utf-8")
    (tmp_path / "rows.csv").write_text(ROWS, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(text: str) -> dict[str, dict[str, str]]:
    return {row["firm id"]: row for row in csv.DictReader(io.StringIO(text))}


def test_rows_say_who_got_what_and_what_limited_them(folder: Path, tierwise: Any) -> None:
    found = tierwise("allocate", "rows.csv", "--plan", "plan.yaml")
    assert found.code == 0
    told = rows(found.out)
    assert list(told) == ["F1", "F2", "F3", "F5", "F6", "F8"]
    assert told["F1"]["allocated"] == "600000" and told["F1"]["limited by"] == ""
    assert told["F2"]["allocated"] == "600000" and told["F2"]["short"] == "300000"
    assert told["F2"]["limited by"] == "industry: retail"
    assert told["F5"]["allocated"] == "300000" and told["F5"]["limited by"] == "tier: C"
    assert told["F6"]["limited by"] == NO_VALUE
    assert told["F8"]["allocated"] == "0" and told["F8"]["limited by"] == "tier: D"
    assert "third quarter: 2,000,000.00 of a budget of 3,000,000.00 shared over 6 customers" in found.err
    assert "1 rows without an amount or a value" in found.err


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_results_go_to_a_file_whole(folder: Path, tierwise: Any, form: str) -> None:
    found = tierwise("allocate", "rows.csv", "--plan", "plan.yaml", "-o", f"out.{form}", "--format", "json")
    assert found.code == 0
    summary = json.loads(found.out)
    assert summary["allocated"] == 2_000_000 and summary["gap"] <= 0.001 and summary["caps_used_up"]
    path = folder / f"out.{form}"
    if form == "parquet":
        told = {row["firm id"]: row for row in pq.read_table(path).to_pylist()}
        assert told["F2"]["allocated"] == Decimal(600000) and told["F2"]["limited by"] == ["industry: retail"]
    elif form == "jsonl":
        told = {row["firm id"]: row for row in map(json.loads, path.read_text("utf-8").splitlines())}
        assert told["F2"]["allocated"] == 600000 and told["F2"]["limited by"] == ["industry: retail"]
    else:
        assert rows(path.read_text("utf-8"))["F2"]["allocated"] == "600000"
    assert len(list(folder.iterdir())) == 3


def test_nothing_else_reaches_standard_output(folder: Path) -> None:
    """The solver's library prints its name on the process's own output."""
    found = subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), "allocate", "rows.csv", "--plan", "plan.yaml"],
        capture_output=True, text=True, timeout=60, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert found.stdout.startswith("firm id,") and "HiGHS" not in found.stderr


@pytest.mark.parametrize("old, new, told, help", [
    ("amount: limit", "amount: limt", "there is no column `limt`", "did you mean `limit`?"),
    ("by: tier", "by: branch", "there is no column `branch`", "the columns are"),
])
def test_a_column_that_is_not_there(folder: Path, tierwise: Any, old: str, new: str, told: str, help: str) -> None:
    (folder / "plan.yaml").write_text(PLAN.replace(old, new), "utf-8")
    found = tierwise("allocate", "rows.csv", "--plan", "plan.yaml")
    assert found.code == 3 and told in found.err and help in found.err and not found.out


def test_an_amount_that_cannot_be_read_has_its_line(folder: Path, tierwise: Any) -> None:
    (folder / "rows.csv").write_text(ROWS.replace("650000", "much"), "utf-8")
    found = tierwise("allocate", "rows.csv", "--plan", "plan.yaml", "-o", "out.csv")
    assert found.code == 3 and "rows.csv:9" in found.err and not (folder / "out.csv").exists()


@pytest.mark.parametrize("old, new, code, line", [
    ("budget: 300万", "budget: 300w", "E0971", 6), ("share: 40%", "share: 140%", "E0971", 10),
    ("step: 1万", "step: 0.001", "E0971", 7), ("budget: 300万", "budget: -1", "E0971", 6),
    ("share: 40%", "share: 40%\n    at most: 5万", "E0971", 11), ("by: tier", "buy: tier", "E0030", 11),
    ("key: firm id\n", "", "E0031", 1), ("    share: 40%\n", "", "E0035", 9),
])
def test_a_plan_that_is_wrong_is_told_at_its_place(folder: Path, old: str, new: str, code: str, line: int) -> None:
    path = folder / "plan.yaml"
    path.write_text(PLAN.replace(old, new), "utf-8")
    with pytest.raises(PlanError) as found:
        read_plan(str(path))
    diagnostic = found.value.diagnostics[0]
    assert diagnostic.code == code and diagnostic.span is not None and diagnostic.span.line == line
    assert diagnostic.help


def test_a_plan_that_is_not_there(folder: Path, tierwise: Any) -> None:
    found = tierwise("allocate", "rows.csv", "--plan", "plans.yaml")
    assert found.code == 2 and "plans.yaml" in found.err
