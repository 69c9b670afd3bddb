"""Runs a compiled query in Spark: DataFrames in, a DataFrame out.

What a query means hangs on some of a session's settings (`MEANING`). They are set while Spark reads the
statement, which is when it takes them into its plan, and put back behind it, so that a caller's session stays
as it was.
"""
from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T
from sqlglot import exp

from engine.backends.sql.program import Output, Query
from engine.backends.sql.statement import reading
from engine.semantics import dtypes as dt

#: The settings under which a statement of ours means what it says: casts and sums that do not fit raise instead
#: of giving NULL or wrapping, text is no number, moments are UTC, and names keep their case.
MEANING: Mapping[str, str] = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "true",
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.legacy.exponentLiteralAsDecimal.enabled": "false",
    "spark.sql.legacy.setopsPrecedence.enabled": "false",
}

#: What its planner must leave alone: to look for joins worth a Bloom filter, the rule writes each projection into the
#: one that reads it, stage by stage, which outgrew four gigabytes. It has no part in what a query means.
PLANNING: Mapping[str, str] = {"spark.sql.optimizer.runtime.bloomFilter.enabled": "false"}


def local_session(master: str = "local[*]", settings: Mapping[str, str] | None = None) -> SparkSession:
    """The running session, or one on `master` without a web page, under `MEANING`, `PLANNING` and what is given."""
    builder: Any = SparkSession.builder.master(master).appName("tierwise")
    # Beyond 8,000 bytes of code Java interprets a method: Spark then computes in smaller ones.
    usual = {
        "spark.sql.codegen.hugeMethodLimit": "8000",
        "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false",
    }
    if master.startswith("local"):                      # other machines must reach this one by its own name
        usual |= {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
    for key, value in {**usual, **MEANING, **PLANNING, **(settings or {})}.items():
        builder = builder.config(key, value)
    session: SparkSession = builder.getOrCreate()
    return session


@contextmanager
def meant(session: SparkSession, settings: Mapping[str, str] = MEANING) -> Iterator[None]:
    """The session under some settings, and as it was behind."""
    before: dict[str, str | None] = {}
    try:
        for key, value in settings.items():
            old = session.conf.get(key, None)
            if old != value:
                before[key] = old
                session.conf.set(key, value)
        yield
    finally:
        for key, old in before.items():
            if old is None:
                session.conf.unset(key)
            else:
                session.conf.set(key, old)


def run(query: Query, frames: Mapping[str, DataFrame], as_of: datetime.date) -> DataFrame:
    """The rows of a query that was compiled for Spark, lazily; `frames` are its relations by name.

    A column that holds a moment is a TIMESTAMP_NTZ, as a policy's moments have no zone.
    """
    if query.dialect != "spark":
        raise ValueError(f"a query that was compiled for {query.dialect} is none for spark")
    session = next(iter(frames.values())).sparkSession
    views = {relation: f"tierwise_{uuid.uuid4().hex}" for relation in frames}
    text = reading(query, {name: exp.to_table(view) for name, view in views.items()}).sql()
    with meant(session):
        for relation, frame in frames.items():
            local(frame).createTempView(views[relation])
        try:
            return zoneless(session.sql(text, {"as_of": as_of}))
        finally:
            for view in views.values():
                session.catalog.dropTempView(view)


# --- moments ------------------------------------------------------------------------------------


def zoneless(frame: DataFrame) -> DataFrame:
    """Every TIMESTAMP, in lists and structs too, as TIMESTAMP_NTZ."""
    return _converted(frame, T.TimestampType, T.TimestampNTZType())


def local(frame: DataFrame) -> DataFrame:
    """Every TIMESTAMP_NTZ as the TIMESTAMP of the session, whose zone is UTC."""
    return _converted(frame, T.TimestampNTZType, T.TimestampType())


def _converted(frame: DataFrame, old: type[T.DataType], new: T.DataType) -> DataFrame:
    fields = frame.schema.fields
    changed = [_replaced(f.dataType, old, new) for f in fields]
    if all(f.dataType == kind for f, kind in zip(fields, changed, strict=True)):
        return frame
    return frame.select(*(
        column(f.name) if f.dataType == kind else column(f.name).cast(kind).alias(f.name)
        for f, kind in zip(fields, changed, strict=True)
    ))


def _replaced(kind: T.DataType, old: type[T.DataType], new: T.DataType) -> T.DataType:
    if type(kind) is old:
        return new
    if isinstance(kind, T.ArrayType):
        return T.ArrayType(_replaced(kind.elementType, old, new), kind.containsNull)
    if isinstance(kind, T.StructType):
        return T.StructType([T.StructField(f.name, _replaced(f.dataType, old, new), f.nullable) for f in kind.fields])
    return kind


def column(name: str) -> SparkColumn:
    """A column by its whole name, which may hold dots and quotes."""
    return F.col("`" + name.replace("`", "``") + "`")


# --- values ---------------------------------------------------------------------------------------


def cells(query: Query, row: Row) -> tuple[Any, ...]:
    """A collected row with its structs as mappings, as `run.decoded` takes it."""
    return tuple(_cell(cell, output) for cell, output in zip(row, query.columns, strict=True))


def _cell(cell: Any, output: Output) -> Any:
    if output.kind != "list" or cell is None:
        return cell
    return [item.asDict() for item in cell]


#: Columns of a DataFrame that holds what a policy declares.
TYPES: Mapping[str, T.DataType] = {
    dt.NUMBER: T.DoubleType(), dt.MONEY: T.DoubleType(), dt.STRING: T.StringType(), dt.BOOLEAN: T.BooleanType(),
    dt.DATE: T.DateType(), dt.DATE_TIME: T.TimestampNTZType(), dt.DAYS_DURATION: T.LongType(),
    dt.MONTHS_DURATION: T.LongType(),
}


def framed(session: SparkSession, columns: Sequence[tuple[str, T.DataType, Sequence[Any]]]) -> DataFrame:
    """A DataFrame of columns in memory."""
    schema = T.StructType([T.StructField(name, kind, True) for name, kind, _ in columns])
    held = [[float(v) if type(v) is int else v for v in cells] if isinstance(kind, T.DoubleType) else cells
            for _, kind, cells in columns]              # Spark takes a whole number in a DOUBLE column for NULL
    return session.createDataFrame(list(zip(*held, strict=True)), schema, verifySchema=False)
