"""Every kind of table in and out gives the same rows."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import duckdb
import openpyxl
import pytest

from engine.portfolio.columnar.locations import located, redacted
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import Request
from engine.portfolio.running import usual
from tests.duck import run_sql
from tests.portfolio.columnar.both import DAY
from tests.portfolio.columnar.conftest import Decide

#: The good rows, as the database's own types.
TABLE = """
    SELECT * FROM (VALUES
        ('F1', 1000.00::DECIMAL(12, 2), 'A', 1.5, DATE '2020-01-01'), ('F4', 1000, 'A', NULL, DATE '2020-01-01'),
        ('F5', 1000, 'A', 0.5, DATE '2025-06-01'), ('F7', 1000, 'B', 1.5, DATE '2020-01-01')
    ) AS t("firm id", annual_revenue, grade, dscr, "Founded On")
"""
EVENTS = """
    SELECT 'F1' AS firm_id, DATE '2026-01-10' AS due, DATE '2026-01-09' AS paid
    UNION ALL SELECT 'F7', DATE '2026-01-10', DATE '2026-02-01'
"""
DECISIONS = {"F1": "approve", "F4": "refer", "F5": "decline", "F7": "refer"}


def read(path: str = "out.csv") -> dict[str, str]:
    with open(path, encoding="utf-8", newline="") as stream:
        return {row["firm id"]: row["decision"] for row in csv.DictReader(stream)}


def test_parquet_a_file_a_pattern_and_a_folder_of_partitions(decide: Decide, folder: Path) -> None:
    run_sql(f"COPY ({TABLE}) TO 'customers.parquet'")
    run_sql(f"COPY ({EVENTS}) TO 'events.parquet'")
    assert decide("customers.parquet", "events.parquet").rows == 4
    assert read() == DECISIONS
    for number, part in enumerate(["grade = 'A'", "grade = 'B'"]):
        run_sql(f"COPY (SELECT * FROM ({TABLE}) WHERE {part}) TO 'part-{number}.parquet'")
    assert decide("part-*.parquet", "events.parquet").rows == 4
    assert read() == DECISIONS
    with open("out.csv", encoding="utf-8") as stream:
        assert [line.split(",")[0] for line in stream] == ["line", "1", "2", "3", "4"]
    run_sql(f"COPY ({TABLE}) TO 'hive' (FORMAT parquet, PARTITION_BY (grade))")
    assert decide("hive", "events.parquet").rows == 4
    assert read() == DECISIONS
    assert decide("hive", "events.parquet", where='grade = "B"').rows == 1     # whose files alone are read
    assert read() == {"F7": DECISIONS["F7"]}


def test_a_table_a_view_and_a_query_of_a_duckdb_database(decide: Decide, folder: Path) -> None:
    with duckdb.connect("bank.duckdb") as bank:
        bank.execute(f"CREATE TABLE customers AS {TABLE}")
        bank.execute("CREATE VIEW a_view AS SELECT * FROM customers")
        bank.execute(f"CREATE TABLE events AS {EVENTS}")
    for table in ("customers", "a_view", "main.customers", "select * from customers where grade is not null"):
        assert decide(f"bank.duckdb::{table}", "bank.duckdb::events").rows == 4
        assert read() == DECISIONS
    with pytest.raises(DataProblem, match="there is no such table") as caught:
        decide("bank.duckdb::customer")
    assert "`customers`" in (caught.value.help or "")
    with pytest.raises(DataProblem, match="is a database"):
        decide("bank.duckdb")


def test_results_into_the_database_that_was_read(decide: Decide, folder: Path) -> None:
    with duckdb.connect("bank.duckdb") as bank:
        bank.execute(f"CREATE TABLE customers AS {TABLE}")
        bank.execute(f"CREATE TABLE events AS {EVENTS}")
    for data in ("customers", "select * from customers"):
        assert decide(f"bank.duckdb::{data}", "bank.duckdb::events", out="bank.duckdb::decisions").rows == 4
        with duckdb.connect("bank.duckdb") as bank:
            assert dict(bank.execute('SELECT "firm id", decision FROM decisions').fetchall()) == DECISIONS


def test_a_workbook(decide: Decide, folder: Path) -> None:
    rows = run_sql(TABLE)
    book = openpyxl.Workbook()
    book.active.title = "notes"
    sheet = book.create_sheet("customers")
    sheet.append(["firm id", "annual revenue", "grade", "dscr", "Founded On"])
    for name, revenue, *rest in rows:
        sheet.append([name, float(revenue), *rest])
    book.save("book.xlsx")
    assert decide("book.xlsx::customers").rows == 4
    assert read() == DECISIONS
    with pytest.raises(DataProblem, match="has no sheet `customer`"):
        decide("book.xlsx::customer")


def test_json_lines_and_standard_input(decide: Decide, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (folder / "customers.csv").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text), encoding="utf-8"))
    assert decide("-").rows == 7
    assert read()["F1"] == "approve"


@pytest.mark.parametrize("out", ["out.parquet", "out.jsonl", "out.xlsx", "out.duckdb::decisions"])
def test_what_is_written_reads_back(decide: Decide, folder: Path, out: str) -> None:
    assert decide(out=out).refused == 3
    if out.endswith(".xlsx"):
        header, *rows = openpyxl.load_workbook(out)["decisions"].iter_rows(values_only=True)
        found = {row[header.index("firm id")]: row[header.index("decision")] for row in rows}
    elif out.endswith(".jsonl"):
        lines = [json.loads(line) for line in (folder / out).read_text("utf-8").splitlines()]
        found = {line["firm id"]: line["decision"] for line in lines}
    elif "::" in out:
        with duckdb.connect("out.duckdb") as bank:
            found = dict(bank.execute('SELECT "firm id", decision FROM decisions').fetchall())
    else:
        types = {name: kind for name, kind, *_ in run_sql("DESCRIBE SELECT * FROM 'out.parquet'")}
        assert list(types)[:3] == ["line", "firm id", "status"]
        assert types["limit"] == "DOUBLE"
        assert types["reasons"] == "VARCHAR[]"
        found = dict(run_sql("SELECT \"firm id\", decision FROM 'out.parquet'"))
    assert {name: value for name, value in found.items() if value} == DECISIONS
    assert len(found) == 7


def test_a_table_is_replaced_whole_and_others_stay(decide: Decide, folder: Path) -> None:
    with duckdb.connect("out.duckdb") as bank:
        bank.execute("CREATE TABLE decisions AS SELECT 1 AS former")
        bank.execute("CREATE TABLE other AS SELECT 1 AS kept")
    decide(out="out.duckdb::decisions")
    with duckdb.connect("out.duckdb") as bank:
        assert bank.execute("SELECT count(*) FROM decisions").fetchone() == (7,)
        assert bank.execute("SELECT kept FROM other").fetchone() == (1,)


def test_a_text_is_never_a_formula_of_a_sheet(decide: Decide, folder: Path) -> None:
    (folder / "customers.csv").write_text('firm id,annual_revenue,Founded On\n"=HYPERLINK(""x"")",1,2020-01-01\n')
    decide(out="out.xlsx")
    cell = openpyxl.load_workbook("out.xlsx")["decisions"].cell(2, 2)
    assert (cell.data_type, cell.value) == ("s", '=HYPERLINK("x")')


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("nobody.parquet", "there is no file"),
        ("nobody-*.parquet", "no file matches"),
        ("empty", "no Parquet file"),
        ("text.parquet", "not a Parquet file"),
        ("cut.parquet", "cannot be read"),
        ("env:NOBODY::t", "NOBODY` is not set"),
        ("nobody.duckdb::t", "there is no file"),
        ("text.duckdb::t", "cannot be opened"),
        ("text.xlsx", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_told(decide: Decide, folder: Path, data: str, told: str) -> None:
    (folder / "empty").mkdir()
    for name in ("text.parquet", "text.duckdb", "text.xlsx"):
        (folder / name).write_text("no such thing " * 1000)
    run_sql(f"COPY ({TABLE}) TO 'whole.parquet'")
    (folder / "cut.parquet").write_bytes((folder / "whole.parquet").read_bytes()[:-300])
    with pytest.raises(DataProblem, match=told):
        decide(data)
    assert not (folder / "out.csv").exists()


def test_connection_strings_are_shown_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql://ann:s3cret@bank.example:5432/risk?sslpassword=hush"
    assert redacted(url) == "postgresql://ann@bank.example:5432/risk"
    place = located(f"{url}::customers")
    assert (place.kind, place.table) == ("postgres", "customers")
    assert "s3cret" not in place.shown
    assert "hush" not in place.shown
    monkeypatch.setenv("RISK_DB", url)
    place = located("env:RISK_DB::customers")
    assert (place.path, place.shown) == (url, "env:RISK_DB::customers")


def test_the_other_form_of_connection_strings() -> None:
    place = located("host=bank user=ann password='s3 cret' dbname=risk sslpassword=hush::customers")
    assert (place.kind, place.shown) == ("postgres", "host=bank user=ann dbname=risk::customers")


def test_who_decides_unless_it_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert usual(Request("customers.csv", DAY)) == "python"
    assert usual(Request("-", DAY)) == "python"
    assert usual(Request("nobody.csv", DAY)) == "python"
    assert usual(Request("customers.csv", DAY, out="out.parquet")) == "duckdb"
    assert usual(Request("nobody.parquet", DAY)) == "duckdb"
    assert usual(Request("customers.csv", DAY, memory_limit="1GB")) == "duckdb"
    monkeypatch.setattr("engine.portfolio.running.SMALL", 100)
    assert usual(Request("customers.csv", DAY)) == "duckdb"
    monkeypatch.setattr("engine.portfolio.running.installed", lambda: False)
    assert usual(Request("customers.csv", DAY)) == "python"
