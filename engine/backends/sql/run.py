"""Runs a compiled query in DuckDB and reads the outcomes back as the engine's values."""
from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import duckdb

from engine.backends.sql.program import Query
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.semantics.values import YearsMonths


class Row(Record):
    """One customer: the columns handed on, and the outcomes, None where the data were refused."""

    kept: tuple[Any, ...]
    values: dict[str, Any] | None


def rows(query: Query, connection: duckdb.DuckDBPyConnection, as_of: datetime.date) -> Iterator[Row]:
    """Decide every row of the query's relation; the order is the database's."""
    cursor = connection.execute(query.sql("duckdb"), {"as_of": as_of})
    width = len(query.keep)
    while batch := cursor.fetchmany(10_000):
        for found in batch:
            yield Row(found[:width], None if found[-1] else values(query, found[width:-1]))


def values(query: Query, cells: tuple[Any, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for output, cell in zip(query.outputs, cells, strict=True):
        value = decoded(cell, output.type)
        if output.member:
            found.setdefault(output.decision, {})[output.member] = value
        else:
            found[output.decision] = value
    return found


def decoded(cell: Any, kind: Type) -> Any:
    """A cell as the engine holds it: durations come as counts."""
    if cell is None:
        return None
    if kind.kind == dt.DAYS_DURATION:
        return datetime.timedelta(microseconds=cell)
    return YearsMonths(cell) if kind.kind == dt.MONTHS_DURATION else cell
