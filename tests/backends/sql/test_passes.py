"""The passes over a query: `passes/PASS/NAME.sql` is what goes in and `NAME.out` what comes out, compared whole.

In `simplify` every line is an expression, read as a value and by its truth alone. DuckDB finds both sides of every
case equal over a table with NULL in every column that may hold it. TIERWISE_UPDATE=1 writes what comes out anew, to
be read before it is kept.
"""
from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from engine.backends.sql.decoded import decoded
from engine.backends.sql.enums import enumerated
from engine.backends.sql.simplify import Simplifier
from engine.backends.sql.tidy import tidied

FOLDER = Path(__file__).parent / "passes"
#: Columns of the table that are never NULL.
SOLID = {"s", "y", "z", "m", "k"}
PASSES = {
    "tidy": tidied, "enums": lambda query, solid: enumerated(query), "decoded": decoded,
}


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """`t`: numbers a, b, s, conditions p, q, y, z, bits m, a whole number k, and a text w."""
    numbers, conditions = "(VALUES (NULL), (-1e0), (0e0), (1e0), (2e0))", "(VALUES (NULL), (true), (false))"
    with duckdb.connect() as connection:
        connection.execute(
            f"CREATE TABLE t AS SELECT *, CAST(m % 3 AS INTEGER) AS k, CASE WHEN a > 0 THEN 'w' || a END AS w FROM "
            f"{numbers} AS a(a), {numbers} AS b(b), (VALUES (-1e0), (0e0), (1e0), (2e0)) AS s(s), "
            f"{conditions} AS p(p), {conditions} AS q(q), (VALUES (true), (false)) AS y(y), "
            f"(VALUES (true), (false)) AS z(z), (SELECT CAST(range AS INTEGER) AS m FROM range(16))"
        )
        connection.execute("CREATE TABLE few AS SELECT * FROM t USING SAMPLE 500 ROWS (reservoir, 5)")
        yield connection


def cases(of: str) -> list[Path]:
    return sorted((FOLDER / of).glob("*.sql"))


def kept(place: Path, text: str) -> str:
    """What is expected to come out."""
    if os.environ.get("TIERWISE_UPDATE"):
        place.write_text(text, "utf-8")
    return place.read_text("utf-8")


def parsed(text: str) -> exp.Expr:
    found = sqlglot.parse_one(text, read="duckdb")
    assert isinstance(found, exp.Expr)
    return found


@pytest.mark.parametrize("path", cases("simplify"), ids=lambda p: p.stem)
def test_trees_made_smaller(path: Path, database: duckdb.DuckDBPyConnection) -> None:
    told = []
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("--"):
            told.append(f"{line}\n")
            continue
        tree = parsed(line)
        value = Simplifier(SOLID).value(tree.copy()).sql("duckdb")
        told.append(f"{line}\n    = {value}\n")
        tests = [f"({line}) IS DISTINCT FROM ({value})"]
        (kind,) = database.execute(f"SELECT typeof({line}) FROM t LIMIT 1").fetchall()[0]
        if kind == "BOOLEAN":
            truth = Simplifier(SOLID).truth(tree.copy()).sql("duckdb")
            told.append(f"    ~ {truth}\n")
            tests.append(f"(({line}) IS TRUE) <> (({truth}) IS TRUE)")
        faults = database.execute(f"SELECT * FROM t WHERE {' OR '.join(tests)} LIMIT 1").fetchall()
        assert faults == [], line
    assert "".join(told) == kept(path.with_suffix(".out"), "".join(told))


@pytest.mark.parametrize("path", [p for of in PASSES for p in cases(of)], ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_queries_made_smaller(path: Path, database: duckdb.DuckDBPyConnection) -> None:
    text = path.read_text("utf-8")
    solid = re.search(r"^-- solid: (.*)$", text, re.MULTILINE)
    query = parsed(text)
    assert isinstance(query, exp.Select)
    before = query.sql("duckdb", comments=False)
    made = PASSES[path.parent.name](query, set(solid[1].split(", ")) if solid else set())
    after = made.sql("duckdb", pretty=True, comments=False)
    assert answers(database, after) == answers(database, before)
    assert f"{after}\n" == kept(path.with_suffix(".out"), f"{after}\n")
    # a pass over what it made changes nothing that a row could tell
    again = PASSES[path.parent.name](made, set(solid[1].split(", ")) if solid else set())
    assert answers(database, again.sql("duckdb")) == answers(database, before)


def answers(database: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    tree = parsed(sql)
    for table in tree.find_all(exp.Table):
        if table.name == "t":
            table.set("this", exp.to_identifier("few", quoted=True))
    return sorted(map(repr, database.execute(tree.sql("duckdb")).fetchall()))
