"""Tables and queries of a real PostgreSQL server, in and out."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from engine.portfolio.problems import DataProblem
from tests.backends.postgres import server
from tests.portfolio.columnar.conftest import Decide
from tests.portfolio.columnar.test_places import DECISIONS, read

pytestmark = pytest.mark.real

TABLES = """
    CREATE SCHEMA bank;
    CREATE TABLE bank.customers (
        "firm id" text, annual_revenue numeric(14, 2), grade text, dscr double precision, "Founded On" timestamp,
        active boolean
    );
    INSERT INTO bank.customers VALUES
        ('F1', 1000, 'A', 1.5, '2020-01-01', true), ('F4', 1000, 'A', 'NaN', '2020-01-01', true),
        ('F5', 1000, 'A', 0.5, '2025-06-01', true), ('F7', 1000, 'B', 1.5, '2020-01-01', false);
    CREATE TABLE events (firm_id text, due date, paid date);
    INSERT INTO events VALUES ('F1', '2026-01-10', '2026-01-09'), ('F7', '2026-01-10', '2026-02-01');
"""


@pytest.fixture(scope="module")
def place() -> Iterator[str]:
    with server() as found:
        with psycopg.connect(found) as connection:
            connection.execute(TABLES)
        yield found


def test_a_table_and_a_query(decide: Decide, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert decide(f"{place}::bank.customers", f"{place}::events").rows == 4
    assert read() == DECISIONS
    assert decide(f"{place}::select * from bank.customers where active", f"{place}::events").rows == 3
    monkeypatch.setenv("RISK_DB", place)
    assert decide("env:RISK_DB::bank.customers", "env:RISK_DB::events").rows == 4
    assert read() == DECISIONS


def test_a_timestamp_that_is_no_day_is_refused_with_its_line(decide: Decide, place: str) -> None:
    columns = '"firm id", annual_revenue, grade, dscr'
    query = f"select {columns}, \"Founded On\" + interval '1 hour' as \"Founded On\" from bank.customers"
    assert decide(f"{place}::{query}", f"{place}::events", rejects="rejects.csv").refused == 4
    with open("rejects.csv", encoding="utf-8", newline="") as stream:
        (first, *_) = csv.DictReader(stream)
    assert first["problem"] == "`founded` `2020-01-01 01:00:00` is a date and time, not a date"


def test_results_into_a_table(decide: Decide, place: str) -> None:
    decide(out=f"{place}::bank.decisions")
    decide(out=f"{place}::bank.decisions")  # the former table gives way
    with psycopg.connect(place) as connection:
        found = connection.execute(
            'SELECT line, "firm id", status, decision, "limit", reasons, open, problem '
            "FROM bank.decisions ORDER BY line"
        ).fetchall()
    assert len(found) == 7
    assert found[0] == (2, "F1", "decided", "approve", 200.0, [], [], None)
    assert found[3][5:7] == (["MISSING"], ["decision"])
    assert found[1][2] == "refused"
    assert "is not a number" in found[1][7]


def test_a_table_that_cannot_be_written_leaves_the_former(decide: Decide, place: str) -> None:
    with psycopg.connect(place) as connection:
        connection.execute("CREATE TABLE former AS SELECT 1 AS kept")
        connection.execute("CREATE VIEW holds AS SELECT * FROM former")
    with pytest.raises(DataProblem, match="::former`: cannot drop table former"):
        decide(out=f"{place}::former")
    with psycopg.connect(place) as connection:
        assert connection.execute("SELECT kept FROM former").fetchone() == (1,)


@pytest.mark.parametrize("table", ['x"; DROP TABLE events; --', "nobody", "bank.nobody"])
def test_a_table_that_is_not_there(decide: Decide, place: str, table: str) -> None:
    with pytest.raises(DataProblem, match="does not exist"):
        decide(f"{place}::{table}")
    with psycopg.connect(place) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (2,)


def test_a_server_that_is_not_there_is_told_without_the_password(decide: Decide, folder: Path) -> None:
    with pytest.raises(DataProblem) as caught:
        decide("postgresql://ann:s3cret@127.0.0.1:1/risk::customers")
    assert "s3cret" not in f"{caught.value.message} {caught.value.help} {caught.value.file}"
    assert "postgresql://ann@127.0.0.1:1/risk::customers" in caught.value.message
