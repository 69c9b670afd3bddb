"""Statements for every dialect, parsed back and compared part by part; shapes that a dialect lacks, one by one."""
from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from engine.backends.sql.dialects import DIALECTS
from engine.backends.sql.lowering import lowered
from engine.backends.sql.lowering.clauses import queries
from engine.backends.sql.memory import source_of
from engine.backends.sql.program import EXTRAS, Query, compile_program
from engine.backends.support import Unsupported
from engine.policy import load_policy

OTHERS = tuple(name for name in DIALECTS if name != "duckdb")


@pytest.fixture(autouse=True)
def deep() -> Iterator[None]:
    """The parser of texts goes down a frame for each level of an expression, some twenty for each of ours."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(before)


def policies(shared: Path, root: Path) -> list[Path]:
    found = sorted((shared / "semantics" / "policies").glob("*.yaml"))
    found += sorted(p for p in (root / "policies" / "standards").glob("*.yaml") if not p.name.endswith(".test.yaml"))
    return [*found, root / "policies" / "working-capital.yaml", root / "tests" / "language" / "histories.yaml"]


def shape(tree: exp.Expr) -> list[object]:
    """What a statement is made of: its queries by name, their columns, the tables, parameters and literals."""
    assert isinstance(tree, exp.Select)
    parts: list[object] = []
    for name, select in [*queries(tree), ("", tree)]:
        parts.append((name, [e.alias_or_name for e in select.expressions]))
    parts.append(sorted(t.name for t in tree.find_all(exp.Table)))
    parts.append(len(list(tree.find_all(exp.Placeholder, exp.Parameter))))
    parts.append({c.name for c in tree.find_all(exp.Column)} - {"C"})      # the collation of that name
    return parts


def compiled(path: Path, dialect: str, lists: bool = False) -> Query | None:
    """A policy for a dialect; None where the dialect lacks something, which then has its place or its name."""
    program = load_policy(path).program
    try:
        return compile_program(program, None, source_of(program), ["n"], EXTRAS, lists, dialect=dialect)
    except Unsupported as lacking:
        assert all(d.code == "E0801" and "does not carry out" in d.message for d in lacking.diagnostics)
        return None


@pytest.mark.parametrize("dialect", OTHERS)
def test_a_statement_reads_back_as_it_was(shared: Path, root: Path, dialect: str) -> None:
    whole = 0
    paths = policies(shared, root)
    for path in paths:
        query = compiled(path, dialect)
        if query is None:
            continue
        whole += 1
        text = query.sql()
        back = sqlglot.parse_one(text, read=dialect)
        assert shape(back) == shape(query.tree), path.name
        again = back.sql(dialect=dialect)
        assert sqlglot.parse_one(again, read=dialect).sql(dialect=dialect) == again, path.name
    assert whole >= 0.9 * len(paths)


@pytest.mark.parametrize("dialect", OTHERS)
def test_a_query_is_of_one_dialect(root: Path, dialect: str) -> None:
    query = compiled(root / "policies" / "standards" / "cn-sme-size.yaml", dialect)
    assert query is not None
    with pytest.raises(ValueError, match=f"compiled for {dialect} is none for duckdb"):
        query.sql("duckdb")


# --- shapes -----------------------------------------------------------------------------------------


def said(sql: str, dialect: str) -> str:
    """A query of DuckDB's in another dialect."""
    tree = sqlglot.parse_one(sql, read="duckdb")
    assert isinstance(tree, exp.Select)
    return lowered(tree, DIALECTS[dialect]).sql(dialect=dialect, unsupported_level=sqlglot.ErrorLevel.RAISE)


NEAREST = """WITH s0 AS (SELECT "x" AS c1 FROM "customers"),
l1 AS (SELECT f1, f2 FROM (VALUES (1e0, 'a')) AS v(f1, f2)),
s1 AS (SELECT s0.*, l1.f2 FROM s0 ASOF LEFT JOIN l1 ON c1 >= l1.f1) SELECT c1 AS "x", f2 AS "y" FROM s1"""


@pytest.mark.parametrize("dialect", OTHERS)
def test_the_nearest_row_is_joined_by_a_range(dialect: str) -> None:
    text = said(NEAREST, dialect)
    assert "ASOF" not in text
    assert "LEAD(f1) OVER (ORDER BY f1" in text
    assert "(c1 < l1.f1_next) OR (l1.f1_next IS NULL)" in text or "c1 < l1.f1_next OR l1.f1_next IS NULL" in text


EDGE = """WITH s0 AS (SELECT "k" AS c1, "v" AS c2, "o" AS c3 FROM "h"), a1 AS (SELECT c1,
(ARRAY_AGG(c2 ORDER BY c3 DESC NULLS LAST) FILTER(WHERE c2 > 0))[1] AS c4 FROM s0 GROUP BY c1)
SELECT c4 AS "last" FROM a1"""


@pytest.mark.parametrize("dialect, part", [
    ("spark", "MAX_BY(c2, STRUCT(c3 AS k0)) FILTER(WHERE c2 > 0)"),
    ("postgres", "(ARRAY_AGG(c2 ORDER BY c3 DESC NULLS LAST) FILTER(WHERE c2 > 0))[1]"),
    ("snowflake", "MIN_BY(c2, CASE WHEN c2 > 0 THEN n1 END)"),
    ("bigquery", "ARRAY_AGG(CASE WHEN c2 > 0 THEN STRUCT(c2 AS v) END IGNORE NULLS ORDER BY c3 DESC LIMIT 1)"
                 "[SAFE_OFFSET(0)].v"),
])
def test_the_last_row_in_an_order(dialect: str, part: str) -> None:
    assert part in said(EDGE, dialect)


MEDIAN = """WITH s0 AS (SELECT "k" AS c1, "v" AS c2 FROM "h"), a1 AS (SELECT c1,
PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY c2 DESC NULLS LAST) AS c3 FROM s0 GROUP BY c1) SELECT c3 AS "m" FROM a1"""


@pytest.mark.parametrize("dialect, part", [
    ("spark", "PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY c2 DESC)"),
    ("postgres", "PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY c2 DESC NULLS LAST)"),
    ("snowflake", "(-(PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY -(c2) ASC)))"),
    ("bigquery", "ARRAY_AGG(c2 IGNORE NULLS ORDER BY c2 DESC)[SAFE_OFFSET(DIV(COUNT(c2) - 1, 2))]"),
])
def test_the_upper_median(dialect: str, part: str) -> None:
    assert part in said(MEDIAN, dialect)


LISTED = """SELECT ARRAY_COMPACT([CASE WHEN "a" THEN 'x' END, CASE WHEN "b" THEN 'y' END]) AS "l" FROM "t" """


@pytest.mark.parametrize("dialect, part", [
    ("spark", "ARRAY_COMPACT(ARRAY(CASE WHEN `a` THEN 'x' END"),
    ("postgres", "ARRAY_REMOVE(ARRAY[CASE WHEN \"a\" THEN 'x' END"),
    ("snowflake", "ARRAY_CONSTRUCT_COMPACT(CASE WHEN \"a\" THEN 'x' END"),
    ("bigquery", "WITH OFFSET AS n WHERE NOT x IS NULL ORDER BY n"),
])
def test_a_list_of_what_is_there(dialect: str, part: str) -> None:
    array = exp.Array(expressions=[
        exp.Case(ifs=[exp.If(this=exp.column(exp.to_identifier(c, quoted=True)), true=exp.Literal.string(v))])
        for c, v in (("a", "x"), ("b", "y"))
    ])
    tree = exp.select(exp.alias_(exp.ArrayCompact(this=array), "l", quoted=True)).from_(
        exp.Table(this=exp.to_identifier("t", quoted=True))
    )
    assert part in lowered(tree, DIALECTS[dialect]).sql(dialect=dialect)


@pytest.mark.parametrize("dialect", OTHERS)
def test_no_engine_reads_digits_of_a_double_for_a_decimal(dialect: str) -> None:
    """FLOAT to DECIMAL is exact in none of them: it goes by way of whole numbers."""
    text = said('SELECT CAST(FLOOR("x") AS INT128) AS "u" FROM "t"', dialect)
    tree = sqlglot.parse_one(text, read=dialect)
    decimals = [c for c in tree.find_all(exp.Cast) if c.to.this in (
        exp.DataType.Type.DECIMAL, exp.DataType.Type.BIGDECIMAL, exp.DataType.Type.DECIMAL128
    )]
    assert decimals
    assert not any(isinstance(c.this, (exp.Floor, exp.Column)) for c in decimals)


def test_a_branch_is_not_computed_ahead() -> None:
    text = said('SELECT CASE WHEN "a" THEN CAST(SUBSTRING(\'x\', 1, 1) AS BIGINT) END AS "u" FROM "t"', "postgres")
    assert "CAST((SELECT SUBSTRING('x' FROM 1 FOR 1)) AS BIGINT)" in text
