"""Runs a compiled query in DuckDB and reads what it gives back as the engine's values."""
from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb

from engine.backends.sql.masks import held
from engine.backends.sql.program import SHAPE, VALUE, Output, Query
from engine.backends.sql.reasons import joined, read
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.semantics.values import YearsMonths


class Row(Record):
    """One customer: the columns handed on, whether it was decided, open or refused, the outcomes (empty where the data
    were refused), and the sets that were asked for, by kind and, where they are of one decision, by its name. It reads
    as a `Decision` does; a set that was not asked for is a KeyError."""

    kept: tuple[Any, ...]
    status: str
    values: dict[str, Any]
    sets: Mapping[tuple[str, str], tuple[str, ...]]

    @property
    def refused(self) -> tuple[str, ...]:
        """The bad inputs and histories, or the open decisions that refuse."""
        return self.sets[("refused", "")]

    @property
    def reasons(self) -> tuple[str, ...]:
        return self.sets[("reasons", "")]

    def reasons_of(self, name: str) -> tuple[str, ...]:
        return self.sets[("reasons_of", name)]

    @property
    def fired(self) -> dict[str, tuple[str, ...]]:
        return {name: labels for (kind, name), labels in self.sets.items() if kind == "fired"}

    @property
    def open(self) -> tuple[str, ...]:
        return self.sets[("open", "")]

    @property
    def missing(self) -> tuple[str, ...]:
        return self.sets[("missing", "")]

    @property
    def assumed(self) -> tuple[str, ...]:
        return self.sets[("assumed", "")]


def rows(query: Query, connection: duckdb.DuckDBPyConnection, as_of: datetime.date) -> Iterator[Row]:
    """Decide every row of the query's relation; the order is the database's."""
    cursor = connection.execute(query.sql("duckdb"), {"as_of": as_of})
    while batch := cursor.fetchmany(10_000):
        for found in batch:
            yield decoded(query, found)


def decoded(query: Query, cells: tuple[Any, ...]) -> Row:
    """One row of a result."""
    kept: list[Any] = []
    values: dict[str, Any] = {}
    status = ""
    sets: dict[tuple[str, str], tuple[str, ...]] = {}
    bits: dict[tuple[str, str], list[int]] = {}
    reasons: dict[str, tuple[str, ...]] = defaultdict(tuple)    # a decision that gives none has no column
    for output, cell in zip(query.columns, cells, strict=True):
        if output.kind == "kept":
            kept.append(cell)
        elif output.kind == "status":
            status = cell
        elif output.kind == "items":
            key = (output.kind, output.decision)
            bits.setdefault(key, []).append(cell or 0)
            _put(values, output.decision, "", list(held(output.items, bits[key])))
        elif output.labels is None:
            _put(values, output.decision, output.member, _value(cell, output))
        elif query.lists:
            sets[(output.kind, output.decision)] = tuple(cell or ())
        else:
            key = (output.kind, output.decision)
            bits.setdefault(key, []).append(cell or 0)
            if output.kind == "blocks":
                blocks = held(tuple(zip(output.labels, output.inherited, strict=True)), bits[key])
                reasons[output.decision] = read(blocks, reasons)
            else:
                sets[key] = held(output.labels, bits[key])
    if "reasons" in query.extras and not query.lists:
        sets[("reasons", "")] = joined([reasons[name] for name in query.shown])
    if "reasons_of" in query.extras and not query.lists:
        sets.update((("reasons_of", name), reasons[name]) for name in query.shown)
    return Row(tuple(kept), status, {} if status == "refused" else values, sets)


def _put(values: dict[str, Any], decision: str, member: str, value: Any) -> None:
    if member:
        values.setdefault(decision, {})[member] = value
    else:
        values[decision] = value


def _value(cell: Any, output: Output) -> Any:
    kind = output.type
    assert kind is not None
    if output.kind != "list" or cell is None:
        return scalar(cell, kind)
    item = kind.item or kind
    if not output.shapes:
        return [scalar(c[VALUE], item) for c in cell]
    kinds = dict(item.fields or ())
    return [
        {name: scalar(c[name], kinds[name]) for name in output.shapes[c.get(SHAPE, 0)]} for c in cell
    ]


def scalar(cell: Any, kind: Type) -> Any:
    """A cell as the engine holds it: durations come as counts."""
    if cell is None:
        return None
    if kind.kind == dt.DAYS_DURATION:
        return datetime.timedelta(microseconds=cell)
    return YearsMonths(cell) if kind.kind == dt.MONTHS_DURATION else cell
