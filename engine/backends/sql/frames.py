"""DataFrames of Spark as a policy's tables: columns bound by name, and their types read as declared.

As at the door of a single customer, text is no number, and ISO text is a date. What no value of a column's type can
be is refused when the column is bound; a cell that is no exact value of the declared type is bad data of its row.
"""
from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from engine.backends.sql.program import compile_program
from engine.backends.sql.spark import column, run
from engine.backends.sql.tables import Column, Customers, Events, Source
from engine.ir import nodes as ir
from engine.ir.reads import cone
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.declarations import FieldDecl, InputDecl
from engine.semantics.dtypes import Type

_WHOLE = (T.ByteType, T.ShortType, T.IntegerType, T.LongType)
#: Whole numbers up to it are DOUBLEs exactly.
_EXACT = 2**53
_DATE = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\z"
_MOMENT = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?\z"


class Unbindable(ValueError):
    """A column whose type holds no value of the declared kind, or a table without its key."""


class Cell(Record):
    """A bound column: its value and, where some cells may be none, which are bad; `type` and `finite` as in
    `tables.Column`."""

    value: Any
    bad: Any = None
    type: str | None = None
    finite: bool = False


def decide_frame(
    program: ir.Program, frame: DataFrame, as_of: datetime.date, history: Mapping[str, DataFrame] | None = None,
    outcomes: Sequence[str] | None = None, extras: Sequence[str] = (), lists: bool = True,
) -> DataFrame:
    """The decisions of a DataFrame's rows, lazily: the key, the outcomes, the status, and the sets asked for.

    `history` holds the DataFrames of histories; one that is left out is not supplied. Rows that leave a history's
    own order open are in an order of Spark's. Raises `Unsupported` and `Unbindable`.
    """
    reach = cone(program, program.declared if outcomes is None else outcomes)
    found = {d.name: _found(d, frame) for d in program.inputs}
    keep = [name for d in program.inputs if d.key and (name := found[d.name]) is not None]
    needed = [d for d in program.inputs if d.name in reach.inputs or _is_key(program, d, reach.relations)]
    columns, made = _bound([d for d in needed if found[d.name] is not None], frame)
    frames = {"customers": frame.select(*(column(name) for name in keep), *made)}
    events = {}
    for k, decl in enumerate(h for h in program.histories if h.each is None and h.name in reach.relations):
        rows = (history or {}).get(decl.name)
        if rows is None:
            continue
        fields = [f for f in decl.fields if (decl.name, f.name) in reach.fields]
        bound, cells = _bound([f for f in fields if _found(f, rows) is not None], rows)
        frames[f"h{k}"] = rows.select(_key(program, decl, rows).alias("key"), *cells)
        events[decl.name] = Events(f"h{k}", "key", bound)
    query = compile_program(
        program, outcomes, Source(Customers("customers", columns), events), keep, extras, lists, dialect="spark"
    )
    return run(query, frames, as_of)


def _is_key(program: ir.Program, decl: InputDecl, relations: frozenset[str] | set[str]) -> bool:
    return any(h.key == decl.name and h.name in relations for h in program.histories)


def _found(decl: InputDecl | FieldDecl, frame: DataFrame) -> str | None:
    """The column of an input's or field's name, its `column`, or its name with underscores."""
    names = (decl.name, decl.column, decl.name.replace(" ", "_"))
    return next((name for name in names if name is not None and name in frame.columns), None)


def _key(program: ir.Program, decl: ir.HistoryDecl, rows: DataFrame) -> SparkColumn:
    """A history's key, read as the input that it is joined with."""
    owner = next((d for d in program.inputs if d.name == decl.key), None)
    name = _found(owner, rows) if owner is not None else None
    if owner is None or name is None:
        raise Unbindable(f"the history `{decl.name}` has no column for its key `{decl.key}`")
    return cell(column(name), rows.schema[name].dataType, owner.type, name).value


def _bound(
    decls: Sequence[InputDecl | FieldDecl], frame: DataFrame
) -> tuple[dict[str, Column], list[SparkColumn]]:
    """Columns for declarations, and what makes them."""
    columns, made = {}, []
    for i, decl in enumerate(decls):
        name = _found(decl, frame)
        assert name is not None
        found = cell(column(name), frame.schema[name].dataType, decl.type, name)
        made.append(found.value.alias(f"x{i}"))
        if found.bad is not None:
            made.append(F.coalesce(found.bad, F.lit(False)).alias(f"b{i}"))
        columns[decl.name] = Column(f"x{i}", None if found.bad is None else f"b{i}", found.type, found.finite)
    return columns, made


def cell(raw: SparkColumn, held: T.DataType, kind: Type, name: str) -> Cell:
    """A column of a type, read as a declared kind; raises `Unbindable`."""
    found = _READERS[kind.kind](raw, held) if kind.kind in _READERS else None
    if found is None:
        raise Unbindable(f"the column `{name}` of type {held.simpleString().upper()} holds no {_WORDS[kind.kind]}")
    return found


def _number(raw: SparkColumn, held: T.DataType) -> Cell | None:
    double = raw.cast("double")
    if isinstance(held, T.LongType):
        exact = F.coalesce(double.try_cast(held) == raw, F.lit(False))
        return Cell(raw, ~raw.between(-_EXACT, _EXACT) & ~exact, "BIGINT", True)
    if isinstance(held, _WHOLE):
        return Cell(raw, None, "INTEGER", True)
    if isinstance(held, (T.FloatType, T.DoubleType)):
        return Cell(double, None, "DOUBLE")
    if isinstance(held, T.DecimalType):
        kept = F.coalesce(double.try_cast(held) == raw, F.lit(False))
        return Cell(F.when(kept, double), raw.isNotNull() & ~kept, "DOUBLE", True)
    return None


def _text(raw: SparkColumn, held: T.DataType) -> Cell | None:
    if isinstance(held, (T.StringType, T.CharType, T.VarcharType)):
        return Cell(raw)
    return Cell(raw.cast("string")) if isinstance(held, _WHOLE) else None


def _boolean(raw: SparkColumn, held: T.DataType) -> Cell | None:
    return Cell(raw) if isinstance(held, T.BooleanType) else None


def _date(raw: SparkColumn, held: T.DataType) -> Cell | None:
    if isinstance(held, (T.TimestampType, T.TimestampNTZType)):
        moment = raw.cast("timestamp_ntz")
        day = moment.cast("date")
        return _read(raw, F.when(day.cast("timestamp_ntz") == moment, day))
    if isinstance(held, T.StringType):
        return _read(raw, F.when(raw.rlike(_DATE), raw.try_cast("date")))
    return _read(raw, raw) if isinstance(held, T.DateType) else None


def _moment(raw: SparkColumn, held: T.DataType) -> Cell | None:
    if isinstance(held, (T.TimestampType, T.TimestampNTZType)):
        return _read(raw, raw.cast("timestamp_ntz"))
    if isinstance(held, T.StringType):
        return _read(raw, F.when(raw.rlike(_MOMENT), raw.try_cast("timestamp_ntz")))
    return None


def _read(raw: SparkColumn, value: SparkColumn) -> Cell:
    """A day or moment of the years 1 to 9999; whatever else is there is bad."""
    held = F.when(F.year(value).between(1, 9999), value)
    return Cell(held, raw.isNotNull() & held.isNull())


def _days(raw: SparkColumn, held: T.DataType) -> Cell | None:
    if not isinstance(held, T.DayTimeIntervalType):
        return None
    parts = (("DAY", 86_400_000_000), ("HOUR", 3_600_000_000), ("MINUTE", 60_000_000), ("SECOND", 1_000_000))
    counts = [(F.extract(F.lit(unit), raw).cast("decimal(20,6)") * size).cast("bigint") for unit, size in parts]
    return Cell(counts[0] + counts[1] + counts[2] + counts[3])


def _months(raw: SparkColumn, held: T.DataType) -> Cell | None:
    if not isinstance(held, T.YearMonthIntervalType):
        return None
    years, months = (F.extract(F.lit(unit), raw).cast("bigint") for unit in ("YEAR", "MONTH"))
    return Cell(years * 12 + months)


_READERS = {
    dt.NUMBER: _number, dt.MONEY: _number, dt.STRING: _text, dt.BOOLEAN: _boolean, dt.DATE: _date,
    dt.DATE_TIME: _moment, dt.DAYS_DURATION: _days, dt.MONTHS_DURATION: _months,
}
_WORDS = {
    dt.NUMBER: "numbers", dt.MONEY: "money", dt.STRING: "text", dt.BOOLEAN: "truth values", dt.DATE: "dates",
    dt.DATE_TIME: "dates and times", dt.TIME: "times of day", dt.DAYS_DURATION: "durations in days",
    dt.MONTHS_DURATION: "durations in months",
}
