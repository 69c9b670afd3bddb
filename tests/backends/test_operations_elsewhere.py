"""The operations in PostgreSQL and Spark, on a server and a session of the tests' own, against the reference."""
from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg
import pytest
from psycopg import sql

from engine.backends.sql.expressions import TYPES
from engine.backends.support import Gap
from engine.ir import nodes as ir
from engine.policy import Policy
from engine.semantics import dtypes as dt
from tests.backends.columnar import PLACE, Columns, agree, cell, one_by_one, value_of
from tests.backends.operands import rows
from tests.backends.postgres import server
from tests.backends.test_sql_operations import AS_OF, expressions, inputs, kinds
from tests.backends.test_sql_operations import policy as policy

pytestmark = pytest.mark.real

ROWS = 300
BATCH = 20
EPOCH = datetime.datetime(1970, 1, 1)

#: Runs the text of a query and gives its rows.
Run = Callable[[str], Sequence[Sequence[Any]]]


def held(policy: Policy, dialect: str) -> list[tuple[str, ir.Node]]:
    """The expressions that an engine carries out."""
    found = []
    for text, node in expressions(policy):
        try:
            Columns(policy.program, kinds(policy), dialect).query([node])
        except Gap:
            continue
        found.append((text, node))
    return found


def faults(policy: Policy, dialect: str, given: list[dict[str, Any]], run: Run) -> Iterator[str]:
    """One line for each expression that an engine and the reference evaluate unlike."""
    carried_out = held(policy, dialect)
    assert len(carried_out) > 300
    for start in range(0, len(carried_out), BATCH):
        part = carried_out[start:start + BATCH]
        nodes = [node for _, node in part]
        text = Columns(policy.program, kinds(policy), dialect).query(nodes).sql(dialect)
        found = sorted(run(text), key=lambda row: row[0])
        for (_, *cells), row, single in zip(found, given, one_by_one(nodes, given, AS_OF), strict=True):
            for (shown, node), one, other in zip(part, cells, single, strict=True):
                value = value_of(one, node.type.kind)
                if not agree(value, other):
                    read = {i.name: row[i.name] for i in inputs(node)}
                    yield f"{shown} over {read}: {dialect} {value!r}, reference {other!r}"


@pytest.mark.xdist_group("postgres")
def test_postgres(policy: Policy) -> None:
    given = rows("elsewhere", ROWS)
    types = {n: {"DOUBLE": "DOUBLE PRECISION"}.get(TYPES[k.kind], TYPES[k.kind]) for n, k in kinds(policy).items()}
    with server() as place, psycopg.connect(place, autocommit=True) as connection:
        columns = [sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(t)) for n, t in {PLACE: "INT", **types}.items()]
        connection.execute(sql.SQL("CREATE TEMPORARY TABLE rows ({})").format(sql.SQL(", ").join(columns)))
        marks = sql.SQL(", ").join([sql.Placeholder()] * len(columns))
        connection.cursor().executemany(
            sql.SQL("INSERT INTO rows VALUES ({})").format(marks),
            [[place, *(cell(row[name]) for name in types)] for place, row in enumerate(given)],
        )

        def run(text: str) -> Sequence[Sequence[Any]]:
            cursor = psycopg.RawCursor(connection)
            return cursor.execute(text, [AS_OF] if "$1" in text else None).fetchall()

        assert list(faults(policy, "postgres", given, run)) == []


@pytest.mark.xdist_group("spark")
def test_spark(policy: Policy) -> None:
    from pyspark.sql import types as spark  # noqa: PLC0415 - half a gigabyte, not in every environment

    from engine.backends.sql.spark import local_session  # noqa: PLC0415

    given = rows("elsewhere", ROWS)
    kept = {n: TYPES[k.kind] for n, k in kinds(policy).items() if k.kind != dt.TIME}
    types = {
        "DOUBLE": spark.DoubleType(), "TEXT": spark.StringType(), "BOOLEAN": spark.BooleanType(),
        "DATE": spark.DateType(), "BIGINT": spark.LongType(), "TIMESTAMP": spark.LongType(),
    }
    session = local_session("local[1]", {"spark.sql.shuffle.partitions": "1"})
    session.sparkContext.setLogLevel("OFF")
    try:
        # Moments go in and out as microseconds: PySpark reads them in the machine's zone, from the year 1 not at all.
        schema = spark.StructType(
            [spark.StructField(PLACE, spark.IntegerType())] + [spark.StructField(n, types[t]) for n, t in kept.items()]
        )
        data = [(place, *(moment(cell(row[name])) for name in kept)) for place, row in enumerate(given)]
        typed = [f"TIMESTAMP_MICROS(`{n}`) AS `{n}`" if t == "TIMESTAMP" else f"`{n}`" for n, t in kept.items()]
        session.createDataFrame(data, schema).selectExpr(f"`{PLACE}`", *typed).createOrReplaceTempView("rows")

        def run(text: str) -> Sequence[Sequence[Any]]:
            found = session.sql(text, args={"as_of": AS_OF} if ":as_of" in text else None)
            moments = {n for n, t in found.dtypes if t == "timestamp"}
            found = found.selectExpr(*(f"UNIX_MICROS({c}) AS {c}" if c in moments else c for c in found.columns))
            return [
                [EPOCH + datetime.timedelta(microseconds=v) if v is not None and n in moments else v
                 for n, v in zip(found.columns, row, strict=True)]
                for row in found.collect()
            ]

        assert list(faults(policy, "spark", given, run)) == []
    finally:
        session.stop()


def moment(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return (value - EPOCH) // datetime.timedelta(microseconds=1)
    return value
