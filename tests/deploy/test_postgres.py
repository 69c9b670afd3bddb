"""A portfolio out of, and into, a real PostgreSQL server: the same decisions as from files."""
from __future__ import annotations

import csv
import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from engine.deploy.deployment import open_deployment
from engine.hooks import Plugins
from engine.policy import load_policy
from engine.testing import SourceContract, check
from tests.backends.postgres import server
from tests.commands.conftest import Tierwise, tierwise
from tests.deploy.test_corpus import CORPUS

__all__ = ["tierwise"]

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("postgres")]

DAY = ("--as-of", "2026-07-01")
FIRMS = """\
firm id,annual_revenue,grade,dscr,founded
F1,1000,A,1.5,2020-01-01
F2,1000,A,,2020-01-01
F3,1000.5,B,1.5,2020-01-01
F4,,A,1.5,2020-01-01
F5,-1,A,1.5,2020-01-01
F6,1000,A,0.5,2020-01-01
F7,1000,A,1.5,2020-01-01
"""
REPAYMENTS = "firm id,due,paid\nF1,2026-01-10,2026-01-09\nF7,2026-01-10,2026-02-01\nF7,2026-08-10,\nF9,2026-01-10,\n"
TABLES = """
    CREATE SCHEMA bank;
    CREATE TABLE bank.firms (
        firm_id text, annual_revenue numeric(14, 2), grade varchar(1), dscr double precision, founded date,
        as_at timestamp
    );
    INSERT INTO bank.firms VALUES
        ('F1', 1000, 'A', 1.5, '2020-01-01', '2026-06-01'), ('F1', 1, 'B', 0.1, '2020-01-01', '2026-05-01'),
        ('F1', 2, 'B', 0.1, '2020-01-01', '2026-07-02 08:00'),
        ('F2', 1000, 'A', 'NaN', '2020-01-01', '2026-07-01 10:00'),
        ('F3', 1000.5, 'B', 1.5, '2020-01-01', NULL), ('F4', NULL, 'A', 1.5, '2020-01-01', '2026-06-01'),
        ('F5', -1, 'A', 1.5, '2020-01-01', '2026-06-01'), ('F6', 1000, 'A', 0.5, '2020-01-01', '2026-06-01'),
        ('F7', 1000, 'A', 1.5, '2020-01-01', '2026-06-01');
    CREATE TABLE bank.repayments (firm_id text, due date, paid date);
    INSERT INTO bank.repayments VALUES
        ('F1', '2026-01-10', '2026-01-09'), ('F7', '2026-01-10', '2026-02-01'), ('F7', '2026-08-10', NULL),
        ('F9', '2026-01-10', NULL);
"""
DEPLOYMENT = """\
deployment: bank
sources:
  core:
    kind: database
    url: {secret: CORE_URL}
    tables:
      firms: {table: bank.firms, key: firm_id, stamp: as_at}
      repayments: {query: 'select firm_id, due, paid from bank.repayments', key: firm_id, events: true}
customers: core.firms
inputs:
  annual revenue: core.firms.annual_revenue
  grade: core.firms.grade
  dscr: core.firms.dscr
  founded: core.firms.founded
history:
  repayments: core.repayments
output:
  kind: database
  url: {secret: CORE_URL}
  table: bank.decisions
"""


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with server() as found:
        with psycopg.connect(found) as connection:
            connection.execute(TABLES)
        yield found


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: str) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CORE_URL", database)
    for name, text in (
        ("firms.csv", FIRMS), ("repayments.csv", REPAYMENTS), ("deployment.yaml", DEPLOYMENT),
        ("policy.yaml", (CORPUS / "policy.yaml").read_text("utf-8")),
    ):
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def rows(name: str) -> list[dict[str, str]]:
    with open(name, encoding="utf-8", newline="") as stream:
        return [{k: v for k, v in row.items() if k not in ("line", "failures")} for row in csv.DictReader(stream)]


@pytest.mark.parametrize("engine", ["duckdb", "python"])
def test_the_same_decisions_as_from_files(tierwise: Tierwise, place: Path, engine: str) -> None:
    found = tierwise("run", "policy.yaml", "--deployment", "deployment.yaml", *DAY, "-o", "db.csv", "--engine", engine)
    assert found.code == 1, found.err
    tierwise("run", "policy.yaml", "firms.csv", "--history", "repayments=repayments.csv", *DAY, "-o", "files.csv")
    assert rows("db.csv") == rows("files.csv")
    assert len(rows("db.csv")) == 7


def test_each_customer(tierwise: Tierwise, place: Path) -> None:
    tierwise("run", "policy.yaml", "firms.csv", "--history", "repayments=repayments.csv", *DAY, "-o", "files.csv")
    for row in rows("files.csv"):
        found = tierwise("decide", "policy.yaml", "--deployment", "deployment.yaml", "--key", row["firm id"], *DAY,
                         "--format", "json")
        told = json.loads(found.out)
        outcomes = {o["name"]: o["value"] for o in told["outcomes"]}
        assert outcomes.get("decision", "") == row["decision"]
        assert bool(told["refused"]) == (row["status"] == "refused")


def test_results_into_the_database(tierwise: Tierwise, place: Path, database: str) -> None:
    for _ in range(2):                                  # the former table gives way
        found = tierwise("run", "policy.yaml", "--deployment", "deployment.yaml", *DAY)
        assert found.code == 1, found.err
        assert found.out == ""
    with psycopg.connect(database) as connection:
        listed: Any = connection.execute(
            'SELECT line, "firm id", status, decision, "limit", reasons, missing, failures, problem '
            "FROM bank.decisions ORDER BY line"
        ).fetchall()
    assert len(listed) == 7
    assert listed[0] == (1, "F1", "decided", "approve", 200.0, [], [], [], None)
    assert listed[1][2:7] == ("open", "refer", 200.0, ["MISSING"], ["dscr"])
    assert listed[3][2] == "refused" and "`annual revenue` is required" in listed[3][8]


def test_rows_added_to_a_table(tierwise: Tierwise, place: Path, database: str) -> None:
    text = DEPLOYMENT.replace("bank.decisions", "bank.more") + "  mode: append\n"
    (place / "deployment.yaml").write_text(text, "utf-8")
    for _ in range(2):
        tierwise("run", "policy.yaml", "--deployment", "deployment.yaml", *DAY)
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM bank.more").fetchone() == (14,)


def test_results_that_cannot_be_written_leave_the_former(tierwise: Tierwise, place: Path, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE bank.kept AS SELECT 1 AS kept")
        connection.execute("CREATE VIEW bank.holds AS SELECT * FROM bank.kept")
    (place / "deployment.yaml").write_text(DEPLOYMENT.replace("bank.decisions", "bank.kept"), "utf-8")
    found = tierwise("run", "policy.yaml", "--deployment", "deployment.yaml", *DAY)
    assert found.code == 3
    assert "deployment.yaml:17: the results cannot be handed to the output, of kind `database`: " in found.err
    assert "cannot drop table bank.kept" in found.err
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT kept FROM bank.kept").fetchone() == (1,)


def test_a_server_that_is_not_there_is_told_without_the_password(
    tierwise: Tierwise, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORE_URL", "postgresql://ann:s3cret@127.0.0.1:1/risk")
    found = tierwise("run", "policy.yaml", "--deployment", "deployment.yaml", *DAY)
    assert found.code == 3
    assert "deployment.yaml:3: source `core` cannot be opened: " in found.err
    assert "s3cret" not in found.out + found.err


def test_a_connection_that_is_lost_is_made_anew(place: Path, database: str) -> None:
    policy, day = load_policy("policy.yaml"), datetime.date(2026, 7, 1)
    with open_deployment("deployment.yaml") as deployment:
        assert deployment.decide(policy, "F1", as_of=day).values["decision"] == "approve"
        with psycopg.connect(database, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                          "AND backend_type = 'client backend'")
        lost = deployment.decide(policy, "F1", as_of=day)
        assert lost.sources["dscr"].failures
        assert deployment.decide(policy, "F1", as_of=day).values["decision"] == "approve"


def test_a_table_that_is_not_there(tierwise: Tierwise, place: Path) -> None:
    text = DEPLOYMENT.replace("table: bank.firms", "table: 'bank.x\"; DROP TABLE bank; --'")
    (place / "deployment.yaml").write_text(text, "utf-8")
    found = tierwise("run", "policy.yaml", "--deployment", "deployment.yaml", *DAY)
    assert found.code == 3
    assert "does not exist" in found.err


def test_it_holds_to_the_contract_of_sources(place: Path, database: str) -> None:
    tables = {
        "bank.firms": {"key": "firm_id", "stamp": "as_at"}, "bank.repayments": {"key": "firm_id", "events": True}
    }
    check(SourceContract, kind=Plugins(installed=False).sources()["database"], folder=place, keys=("F1", "F7", "F0"),
          as_of=datetime.date(2026, 7, 1), settings={"url": database, "tables": tables})
