"""The source `files`, through the commands: the same decisions as from the tables themselves."""
from __future__ import annotations

import csv
import datetime
import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from engine.deploy.deployment import open_deployment
from engine.policy import load_policy
from tests.commands.conftest import Tierwise, tierwise
from tests.deploy.test_corpus import CORPUS

__all__ = ["tierwise"]

FIRMS = """\
firm_id,annual_revenue,grade,founded,score,as_at
F1,900,B,2020-01-01,0.2,2026-01-01
F1,1000,A,2020-01-01,1.2,2026-06-01
F1,800,B,2020-01-01,0.1,2026-08-01
007,500.50,A,2020-01-01,,2026-06-01
F5,"1,000",A,2025-06-01,0.5,2026-06-01
F6,1000,NA,2025-06-01,1.5,
"""
REPAYMENTS = "firm_id,due,paid\nF1,2026-01-10,2026-01-09\nF6,2026-01-10,2026-02-01\nF6,2026-02-10,2026-02-01\n"
DEPLOYMENT = """\
deployment: testing
sources:
  core:
    kind: files
    tables:
      firms:
        file: firms.csv
        key: firm_id
        stamp: as_at
        types: {annual_revenue: number}
        missing: [NA]
      repayments: {file: repayments.csv, key: firm_id, events: true}
customers: core.firms
inputs:
  annual revenue: core.firms.annual_revenue
  grade: core.firms.grade
  dscr: core.firms.score
  founded: core.firms.founded
history:
  repayments: core.repayments
"""
DAY = ("--as-of", "2026-07-01")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in (
        ("firms.csv", FIRMS), ("repayments.csv", REPAYMENTS), ("deployment.yaml", DEPLOYMENT),
        ("policy.yaml", (CORPUS / "policy.yaml").read_text("utf-8")),
    ):
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def told(tierwise: Tierwise, key: str, *more: str) -> Any:
    found = tierwise("decide", "policy.yaml", "--deployment", "deployment.yaml", "--key", key, *DAY, "--format", "json",
                     *more)
    assert found.code in (0, 1), found.err
    return json.loads(found.out)


def test_one_customer(tierwise: Tierwise, place: Path) -> None:
    found = told(tierwise, "F1")
    assert [o["value"] for o in found["outcomes"]] == ["approve", 200]
    origin = found["sources"][0]
    assert (origin["source"], origin["stamp"]) == ("core.firms.annual_revenue", "2026-06-01")
    assert told(tierwise, "007")["open"][0]["missing"] == ["dscr"]
    late = told(tierwise, "F6")
    assert [o["value"] for o in late["outcomes"]] == ["refer", 200]


def test_the_state_as_of_a_date(tierwise: Tierwise, place: Path) -> None:
    found = told(tierwise, "F1", "--as-of", "2026-02-01")
    assert [o["value"] for o in found["outcomes"]] == ["decline", 180]
    found = told(tierwise, "F1", "--as-of", "2025-12-31")
    assert [f["name"] for f in found["refused"]] == ["annual revenue", "founded"]


def test_a_cell_that_is_no_value_fails_its_row_alone(tierwise: Tierwise, place: Path) -> None:
    found = told(tierwise, "F5")
    assert found["sources"][0]["passed_over"] == [
        {"source": "core.firms.annual_revenue", "why": "failed", "detail": "`firms.annual_revenue` is not a number"}
    ]
    assert told(tierwise, "F1")["refused"] == []


def test_a_failure_is_told_without_the_explanation_too(tierwise: Tierwise, place: Path) -> None:
    found = tierwise("decide", "policy.yaml", "--deployment", "deployment.yaml", "--key", "F5", *DAY, "--no-explain")
    assert found.out == "refused: `annual revenue`, `founded`\n"
    assert "note: core.firms.annual_revenue failed: `firms.annual_revenue` is not a number\n" in found.err


def test_what_is_given_goes_before(tierwise: Tierwise, place: Path) -> None:
    (place / "customer.json").write_text('{"dscr": 0.5, "history": {"repayments": []}}', "utf-8")
    found = told(tierwise, "F1", "customer.json")
    assert [o["value"] for o in found["outcomes"]] == ["decline", 200]
    assert [o["name"] for o in found["sources"] if o["source"] == "given"] == ["dscr", "repayments"]


def test_the_deployment_of_the_project(tierwise: Tierwise, place: Path) -> None:
    (place / "tierwise.yaml").write_text("deployment: deployment.yaml\n", "utf-8")
    assert tierwise("decide", "policy.yaml", "--key", "F1", *DAY).code == 0
    assert tierwise("decide", "policy.yaml", *DAY, stdin=b'{"firm id": "F1"}').code == 1


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (("--deployment", "deployment.yaml"), "`--deployment` needs `--key`"),
        (("--key", "F1"), "`--key` needs `--deployment`, or `deployment:` in the project file"),
        (("--key", "F1", "--deployment", "other.yaml"), "cannot read `other.yaml`: there is no such file"),
    ],
)
def test_usage(tierwise: Tierwise, place: Path, more: tuple[str, ...], text: str) -> None:
    found = tierwise("decide", "policy.yaml", *more, *DAY)
    assert found.code == 2
    assert text in found.err


def test_a_kept_case_holds_what_was_fetched(tierwise: Tierwise, place: Path) -> None:
    found = tierwise("decide", "policy.yaml", "--deployment", "deployment.yaml", "--key", "F6", *DAY, "--save-test",
                     "policy.test.yaml", "--yes")
    assert found.code == 0, found.err
    assert tierwise("test", "policy.test.yaml").code == 0
    assert "annual revenue: 1000" in (place / "policy.test.yaml").read_text("utf-8")


@pytest.mark.parametrize("form", ["parquet", "jsonl", "xlsx", "folder", "gz"])
def test_other_forms(tierwise: Tierwise, place: Path, form: str) -> None:
    before = {key: told(tierwise, key) for key in ("F1", "007", "F6")}
    text = (place / "deployment.yaml").read_text("utf-8").replace("F5,", "F9,")
    rows = [r for r in csv.DictReader(FIRMS.splitlines()) if r["firm_id"] != "F5"]
    kinds: dict[str, Any] = {"annual_revenue": float, "score": float, "founded": datetime.date.fromisoformat,
                             "as_at": datetime.date.fromisoformat}
    typed = [{n: None if c in ("", "NA") else kinds.get(n, str)(c) for n, c in row.items()} for row in rows]
    name = {"gz": "firms.csv.gz", "folder": "firms"}.get(form, f"firms.{form}")
    if form in ("parquet", "folder"):
        (place / "firms").mkdir()
        pq.write_table(pa.Table.from_pylist(typed), place / ("firms/part.parquet" if form == "folder" else name))
    elif form == "jsonl":
        (place / name).write_text("".join(json.dumps(row, default=str) + "\n" for row in typed), "utf-8")
    elif form == "gz":
        (place / name).write_bytes(gzip.compress(FIRMS.encode()))
    else:
        book = Workbook()
        sheet: Any = book.active
        sheet.append(list(typed[0]))
        for row in typed:
            sheet.append(list(row.values()))
        book.save(place / name)
    (place / "deployment.yaml").write_text(text.replace("firms.csv", name), "utf-8")
    for key, wanted in before.items():
        found = told(tierwise, key)
        assert found["outcomes"] == wanted["outcomes"]
        assert found["missing"] == wanted["missing"]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("file: firms.csv", "file: firm.csv", "there is no file `firm.csv`"),
        ("file: firms.csv", "file: policy.yaml", "`policy.yaml` is no file by its name"),
        ("key: firm_id\n        stamp", "key: firmid\n        stamp", "no column `firmid`, named as its key"),
        ("stamp: as_at", "stamp: grade", "column `grade` of table `firms` is no date"),
        ("annual_revenue: number", "annual_revenue: decimal", "`decimal` of column `annual_revenue`"),
        ("annual_revenue: number", "anual_revenue: number", "no column `anual_revenue`, named as its types"),
    ],
)
def test_a_table_that_cannot_be_opened(tierwise: Tierwise, place: Path, old: str, new: str, text: str) -> None:
    (place / "deployment.yaml").write_text(DEPLOYMENT.replace(old, new), "utf-8")
    found = tierwise("decide", "policy.yaml", "--deployment", "deployment.yaml", "--key", "F1", *DAY)
    assert found.code == 3
    assert "deployment.yaml:3: source `core` cannot be opened: " in found.err
    assert text in found.err


def test_a_file_that_goes_missing_is_a_failure_of_the_customer(place: Path) -> None:
    policy = load_policy("policy.yaml")
    with open_deployment("deployment.yaml") as deployment:
        day = datetime.date(2026, 7, 1)
        assert not deployment.decide(policy, "F1", as_of=day).refused
        (place / "firms.csv").unlink()
        found = deployment.decide(policy, "F1", as_of=day)
        assert found.sources["dscr"].passed[0].detail == "table `firms` cannot be read (IOException)"
        assert str(place) not in found.explain()


def test_a_portfolio_from_python(place: Path) -> None:
    policy, day = load_policy("policy.yaml"), datetime.date(2026, 7, 1)
    found = policy.run(as_of=day, deployment="deployment.yaml", out="out.csv")
    assert (found.rows, found.refused, found.engine) == (4, 1, "duckdb")
    assert found.sources["dscr"] == {"core.firms.score": 2, "": 2}
    Path("firms2.csv").write_text("firm id\nF1\n", "utf-8")
    again = policy.run("firms2.csv", as_of=day, deployment=Path("deployment.yaml"), out="out.csv", engine="python")
    assert (again.rows, again.engine) == (1, "python")
