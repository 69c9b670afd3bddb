"""Bands and keys in tables of many rows: the same row as one by one, whatever way it is joined."""
from __future__ import annotations

import datetime
import math
from bisect import bisect_right
from pathlib import Path
from random import Random

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from engine.backends.sql.directory import MOST_BOUNDS, PARTS, directory
from engine.backends.sql.packed import packed
from engine.backends.sql.program import compile_program
from engine.policy import load_policy
from tests.backends.relation import disagreements

AS_OF = datetime.date(2026, 7, 1)
POLICY = """\
policy: looked up
version: "1"
effective: {{from: 2026-01-01}}
owner: tests
on missing: skip
inputs:
  id: {{type: string, key: true}}
  x: {{type: {kind}, optional: true}}
  y: {{type: {kind}, optional: true}}
service:
  rate:
    type: {result}
    lookup:
      table: rates.csv
      {mode}:
        k: x
      column: rate
  other:
    type: {result}
    lookup:
      table: rates.csv
      {mode}:
        k: y
      column: rate
"""

EVEN = [n * 2500.0 for n in range(200)]
DECADES = [10 ** (n / 25) for n in range(200)]
OUTLIERS = [-1e90, *(n / 10 for n in range(-300, 300)), 1e6, 1e90]
FAR = [1000.0**n * (1 + k / 1e9) for n in range(20) for k in range(10)]
TINY = [1 + n * 2**-52 for n in range(90)]
SHAPES = {"even": EVEN, "decades": DECADES, "outliers": OUTLIERS, "far": FAR, "tiny steps": TINY}


def near(bounds: list[float], random: Random, count: int) -> list[float | None]:
    """Numbers at and beside the bounds, below the first and above the last, and none."""
    found: list[float | None] = [None, -1e100, 1e100, -0.0, 0.0, bounds[0], bounds[-1]]
    found.append(math.nextafter(bounds[0], -9e99))
    for _ in range(count):
        bound = random.choice(bounds)
        found.append(random.choice((
            bound, math.nextafter(bound, 9e99), math.nextafter(bound, -9e99), bound * random.uniform(0.5, 2),
            random.uniform(bounds[0], bounds[-1]),
        )))
    return found


@pytest.mark.parametrize("shape", SHAPES)
def test_a_directory_has_the_band_of_each_number_once(shape: str) -> None:
    bounds = SHAPES[shape]
    found = directory(bounds)
    if shape == "far":
        assert found is None
        return
    assert found is not None
    assert len(found.rows) <= 3 * len(bounds)
    assert len(found.parts) <= PARTS
    for value in near(bounds, Random(3), 2000):
        if value is not None and value >= bounds[0]:
            here = [(b, end) for at, b, end in found.rows if at == found.bucket(value)]
            assert len(here) <= MOST_BOUNDS + 1
            bands = [b for b, end in here if bounds[b] <= value and (end is None or value < end)]
            assert bands == [bisect_right(bounds, value) - 1]


def test_bounds_that_differ_by_more_than_a_number_holds() -> None:
    assert directory([-1.7e308, *range(100), 1.7e308]) is not None
    assert directory([-1.7e308, 1.7e308]) is None


def test_bands_as_one_by_one(tmp_path: Path) -> None:
    random = Random(11)
    for shape, bounds in SHAPES.items():
        rows = "".join(f"{b!r},{'' if n % 11 == 5 else n}\n" for n, b in enumerate(bounds))
        agree(tmp_path / shape, "band", "number", "number", rows, near(bounds, random, 600), random)


@pytest.mark.parametrize("result", ["number", "string"])
def test_keys_as_one_by_one(tmp_path: Path, result: str) -> None:
    random = Random(12)
    texts = [f"k{n}" for n in range(150)] + ["it's", "天津", "a,b", "[1]", "NULL", "null", "e0", "\u00e9", "%"]
    cells = [f"{random.choice(texts)}-{n}" if result == "string" else f"{random.uniform(-9, 9)!r}"
             for n, _ in enumerate(texts)]
    rows = "".join(f'"{t}","{c}"\n' for t, c in zip(texts, cells, strict=True))
    asked = [None, "", "k", *texts]
    agree(tmp_path, "key", "string", result, rows, asked, random)


def agree(
    folder: Path, mode: str, kind: str, result: str, rows: str, asked: list[float | None] | list[str | None],
    random: Random,
) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "rates.csv").write_text(f"k,rate\n{rows}", "utf-8")
    (folder / "policy.yaml").write_text(POLICY.format(kind=kind, result=result, mode=mode), "utf-8")
    policy = load_policy(folder / "policy.yaml")
    customers = [{"id": str(n), "x": x, "y": random.choice(asked)} for n, x in enumerate(asked)]
    assert "VALUES" not in compile_program(policy.program, keep=["id"]).sql()
    assert disagreements(policy, ["rate", "other"], customers, AS_OF)[:3] == []


@pytest.mark.parametrize("dialect", ["spark", "postgres", "snowflake", "bigquery"])
def test_other_engines_join_by_buckets_too(tmp_path: Path, dialect: str) -> None:
    (tmp_path / "rates.csv").write_text("k,rate\n" + "".join(f"{b!r},{n}\n" for n, b in enumerate(EVEN)), "utf-8")
    (tmp_path / "policy.yaml").write_text(POLICY.format(kind="number", result="number", mode="band"), "utf-8")
    text = compile_program(load_policy(tmp_path / "policy.yaml").program, dialect=dialect).sql()
    tree = sqlglot.parse_one(text, read=dialect)
    joins = list(tree.find_all(exp.Join))
    assert len(joins) == 2
    assert all(join.args["on"].find(exp.EQ) is not None for join in joins)
    assert "LEAD(" not in text


def test_a_packed_table_holds_the_same_cells() -> None:
    random = Random(13)
    numbers: list[float | None] = [random.uniform(-1, 1) * 10 ** random.randint(-300, 300) for _ in range(3000)]
    numbers += [0.1, 5e-324, -1.7976931348623157e308, 2.0**53 + 2, None]
    wholes = [random.randint(-2**31, 2**31) for _ in numbers]
    texts = [random.choice(["", "'", "\t", "天", '"', "\\n", "[x]", " "]) + str(n) for n, _ in enumerate(numbers)]

    def cell(value: float | str | None) -> str:
        if isinstance(value, str):
            return "'" + value.replace("'", "''") + "'"
        if value is None:
            return "NULL"
        return f"{value!r}e0" if isinstance(value, float) and "e" not in repr(value) else repr(value)

    rows = ", ".join(f"({cell(a)}, {cell(b)}, {cell(c)})" for a, b, c in zip(numbers, wholes, texts, strict=True))
    table = f"SELECT a, b, c FROM (VALUES {rows}) AS v(a, b, c)"
    tree = sqlglot.parse_one(f"WITH l AS ({table}) SELECT * FROM l", read="duckdb")
    assert isinstance(tree, exp.Select)
    text = packed(tree).sql(dialect="duckdb")
    assert "VALUES" not in text
    with duckdb.connect() as connection:
        found = connection.execute(text)
        assert [d[1] for d in found.description or ()] == ["DOUBLE", "BIGINT", "VARCHAR"]
        assert found.fetchall() == list(zip(numbers, wholes, texts, strict=True))


@pytest.mark.parametrize("cell", ["TRUE", "'a\nb'", "CAST('2026-01-01' AS DATE)"])
def test_what_no_text_holds_stays_as_it_is(cell: str) -> None:
    rows = ", ".join(f"({n}, {cell})" for n in range(60))
    text = f"SELECT a, b FROM (VALUES {rows}) AS v(a, b)"
    tree = sqlglot.parse_one(text, read="duckdb")
    assert isinstance(tree, exp.Select)
    assert "VALUES" in packed(tree).sql(dialect="duckdb")
