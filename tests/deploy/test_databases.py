"""The source and sink `database` over DuckDB and SQLAlchemy: the same decisions as from files, whole tables or none."""
from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa

from engine.hooks import Plugins
from engine.testing import SourceContract, check
from tests.commands.conftest import Tierwise, tierwise
from tests.deploy.test_files import DAY, FIRMS, REPAYMENTS
from tests.deploy.test_files import DEPLOYMENT as FILES
from tests.deploy.test_files import place as place_of_files
from tests.deploy.test_portfolio import Rows
from tests.deploy.test_postgres import rows

__all__ = ["place_of_files", "tierwise"]

DEPLOYMENT = """\
deployment: testing
sources:
  core:
    kind: database
    url: URL
    tables:
      firms: {key: firm_id, stamp: as_at, table: bank_firms}
      repayments:
        query: select firm_id, due, paid from repayments
        key: firm_id
        events: true
        types: {due: date, paid: date}
customers: core.firms
inputs:
  annual revenue: core.firms.annual_revenue
  grade: core.firms.grade
  dscr: core.firms.score
  founded: core.firms.founded
history:
  repayments: core.repayments
"""


def filled(form: str) -> str:
    """A database with the tables of the files; its url."""
    firms = [row.split(",") for row in FIRMS.replace('"1,000"', "1000").replace("NA", "").splitlines()[1:]]
    events = [row.split(",") for row in REPAYMENTS.splitlines()[1:]]

    def day(text: str) -> datetime.date | None:
        return datetime.date.fromisoformat(text) if text else None

    typed: list[Any] = [
        (k, float(revenue), grade or None, day(founded), float(score) if score else None, day(at))
        for k, revenue, grade, founded, score, at in firms
    ]
    paid: list[Any] = [(k, day(due), day(paid)) for k, due, paid in events]
    if form == "duckdb":
        with duckdb.connect("bank.duckdb") as connection:
            connection.execute(
                "CREATE TABLE bank_firms (firm_id VARCHAR, annual_revenue DECIMAL(14, 2), grade VARCHAR, founded DATE, "
                "score DOUBLE, as_at DATE)"
            )
            connection.execute("CREATE TABLE repayments (firm_id VARCHAR, due DATE, paid DATE)")
            connection.executemany("INSERT INTO bank_firms VALUES (?, ?, ?, ?, ?, ?)", typed)
            connection.executemany("INSERT INTO repayments VALUES (?, ?, ?)", paid)
        return "duckdb:bank.duckdb"
    engine = sa.create_engine("sqlite:///bank.sqlite")
    meta = sa.MetaData()
    firm = sa.Table(
        "bank_firms", meta, sa.Column("firm_id", sa.String), sa.Column("annual_revenue", sa.Numeric(14, 2)),
        sa.Column("grade", sa.String), sa.Column("founded", sa.Date), sa.Column("score", sa.Float),
        sa.Column("as_at", sa.Date),
    )
    event = sa.Table(
        "repayments", meta, sa.Column("firm_id", sa.String), sa.Column("due", sa.Date), sa.Column("paid", sa.Date)
    )
    meta.create_all(engine)
    with engine.begin() as connection:
        for row in typed:
            connection.execute(firm.insert().values(row))
        for row in paid:
            connection.execute(event.insert().values(row))
    engine.dispose()
    return "sqlite:///bank.sqlite"


@pytest.fixture(params=["duckdb", "sqlite"])
def place(request: pytest.FixtureRequest, place_of_files: Path) -> Path:
    text = FIRMS.replace('"1,000"', "1000")
    (place_of_files / "firms.csv").write_text(text, "utf-8")
    (place_of_files / "files.yaml").write_text(FILES, "utf-8")
    (place_of_files / "deployment.yaml").write_text(DEPLOYMENT.replace("URL", filled(request.param)), "utf-8")
    return place_of_files


def by_key(row: dict[str, str]) -> str:
    return row["firm id"]


@pytest.mark.filterwarnings("ignore:Dialect sqlite:sqlalchemy.exc.SAWarning")
def test_the_same_decisions_as_from_files(tierwise: Tierwise, place: Path) -> None:
    for engine in ("duckdb", "python"):
        found = tierwise("run", "policy.yaml", "--deployment", "deployment.yaml", *DAY, "-o", "db.csv", "--engine",
                         engine)
        assert found.code == 0, found.err
        tierwise("run", "policy.yaml", "--deployment", "files.yaml", *DAY, "-o", "files.csv")
        told: Rows = sorted(rows("db.csv"), key=by_key)     # a table of a database has no order
        assert told == sorted(rows("files.csv"), key=by_key)
        assert len(told) == 4


@pytest.mark.filterwarnings("ignore:Dialect sqlite:sqlalchemy.exc.SAWarning")
def test_one_customer(tierwise: Tierwise, place: Path) -> None:
    found = tierwise("decide", "policy.yaml", "--deployment", "deployment.yaml", "--key", "F6", *DAY, "--format",
                     "json")
    assert [o["value"] for o in json.loads(found.out)["outcomes"]] == ["refer", 200]
    found = tierwise("decide", "policy.yaml", "--deployment", "deployment.yaml", "--key", "F1", "--as-of", "2026-02-01",
                     "--format", "json")
    assert [o["value"] for o in json.loads(found.out)["outcomes"]] == ["decline", 180]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("table: bank_firms", "table: bank_firm", "bank_firm"),
        ("key: firm_id, stamp", "key: firmid, stamp", "no column `firmid`, named as its key"),
        ("from repayments", "form repayments", ""),
        ("table: bank_firms", "table: bank_firms, query: select 1", "has both `table` and `query`"),
    ],
)
def test_a_table_that_cannot_be_read(tierwise: Tierwise, place: Path, old: str, new: str, text: str) -> None:
    path = place / "deployment.yaml"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    found = tierwise("run", "policy.yaml", "--deployment", "deployment.yaml", *DAY)
    assert found.code == 3
    assert "deployment.yaml:3: source `core` cannot be opened: " in found.err and text in found.err


@pytest.mark.parametrize("url", ["nodb://x/y", "not a url", "mysql+nodriver://x/y"])
def test_a_url_that_is_none(tierwise: Tierwise, place: Path, url: str) -> None:
    (place / "deployment.yaml").write_text(DEPLOYMENT.replace("URL", url), "utf-8")
    found = tierwise("run", "policy.yaml", "--deployment", "deployment.yaml", *DAY)
    assert found.code == 3
    assert "its `url` is no address of a database" in found.err


@pytest.mark.parametrize("form", ["duckdb", "sqlite"])
def test_results_into_a_table(tierwise: Tierwise, place_of_files: Path, form: str) -> None:
    url = {"duckdb": "duckdb:out.duckdb", "sqlite": "sqlite:///out.sqlite"}[form]
    text = FILES + f"output: {{kind: database, url: '{url}', table: decisions}}\n"
    (place_of_files / "deployment.yaml").write_text(text, "utf-8")
    for _ in range(2):
        found = tierwise("run", "policy.yaml", "--deployment", "deployment.yaml", *DAY)
        assert found.code == 1, found.err
    query = 'SELECT "firm id", decision, "limit" FROM decisions ORDER BY line'
    if form == "duckdb":
        with duckdb.connect("out.duckdb") as connection:
            listed = connection.execute(query).fetchall()
    else:
        engine = sa.create_engine(url)
        with engine.connect() as connection:
            listed = [tuple(row) for row in connection.execute(sa.text(query))]
        engine.dispose()
    assert listed == [
        ("F1", "approve", 200), ("007", "refer", 100.10000000000001), ("F5", None, None), ("F6", "refer", 200)
    ]


@pytest.mark.parametrize("form", ["duckdb", "sqlite"])
@pytest.mark.filterwarnings("ignore:Dialect sqlite:sqlalchemy.exc.SAWarning")
def test_it_holds_to_the_contract_of_sources(place_of_files: Path, form: str) -> None:
    tables = {
        "bank_firms": {"key": "firm_id", "stamp": "as_at"}, "repayments": {"key": "firm_id", "events": True}
    }
    check(SourceContract, kind=Plugins(installed=False).sources()["database"], folder=place_of_files,
          keys=("F1", "F6", "F0"), as_of=datetime.date(2026, 7, 1), settings={"url": filled(form), "tables": tables})
