"""Customers held in memory, decided in DuckDB: for tests of policies and for agreement with the other evaluators."""
from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from engine.backends.sql.planner import restrain
from engine.backends.sql.program import EXTRAS, Query, compile_program
from engine.backends.sql.run import Row, rows
from engine.backends.sql.tables import Column, Customers, Events, Source
from engine.ir import nodes as ir
from engine.ir.door import Refusal, convert, raw_input
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.declarations import FieldDecl, InputDecl
from engine.semantics.values import YearsMonths

COLUMNS = {
    dt.NUMBER: "DOUBLE", dt.MONEY: "DOUBLE", dt.STRING: "TEXT", dt.BOOLEAN: "BOOLEAN", dt.DATE: "DATE",
    dt.DATE_TIME: "TIMESTAMP", dt.TIME: "TIME", dt.DAYS_DURATION: "BIGINT", dt.MONTHS_DURATION: "BIGINT",
}


class Customer(Record):
    """One customer's inputs by name, and rows by history; a history that is left out or None is not supplied."""

    inputs: Mapping[str, Any]
    history: Mapping[str, Sequence[Mapping[str, Any]] | None]


def decide_all(
    program: ir.Program, customers: Sequence[Customer], as_of: datetime.date, outcomes: Sequence[str] | None = None,
    extras: Sequence[str] = EXTRAS, lists: bool = False, query: Query | None = None,
) -> list[Row]:
    """Decide customers in DuckDB, in their order; raises `Unsupported` where the program is not columnar. `query` is
    what `compiled` made of the same program, outcomes and extras."""
    query = query or compiled(program, outcomes, extras, lists)
    with duckdb.connect() as connection:
        restrain(connection)
        connection.execute("SET threads = 1")
        load(connection, program, customers)
        found = {row.kept[0]: row for row in rows(query, connection, as_of)}
    return [found[n] for n in range(len(customers))]


def compiled(
    program: ir.Program, outcomes: Sequence[str] | None = None, extras: Sequence[str] = EXTRAS, lists: bool = False
) -> Query:
    """The query over the tables that `load` makes; the date is its parameter, so that it serves every date."""
    return compile_program(program, outcomes, source_of(program), ["n"], extras, lists)


def source_of(program: ir.Program) -> Source:
    """The tables that `load` makes."""
    columns = {d.name: Column(f"x{i}", f"b{i}") for i, d in enumerate(program.inputs)}
    histories = {
        h.name: Events(
            f"h{k}", "n", {f.name: Column(f"x{i}", f"b{i}") for i, f in enumerate(h.fields)}, "ordinal", f"s{k}"
        )
        for k, h in enumerate(program.histories) if h.each is None
    }
    return Source(Customers("customers", columns, "n"), histories)


def load(connection: duckdb.DuckDBPyConnection, program: ir.Program, customers: Sequence[Customer]) -> None:
    """Make the tables of `source_of` with these customers."""
    for name, columns in tables_of(program, customers).items():
        _make(connection, name, columns)


#: A column's name, its DuckDB type and its cells.
TableColumn = tuple[str, str, list[Any]]


def tables_of(program: ir.Program, customers: Sequence[Customer]) -> dict[str, list[TableColumn]]:
    """The columns of the tables of `source_of` by table."""
    tables = {}
    columns: list[TableColumn] = [("n", "INTEGER", list(range(len(customers))))]
    for i, decl in enumerate(program.inputs):
        columns += _cells(i, decl, [raw_input(decl, c.inputs) for c in customers])
    for k, history in enumerate(program.histories):
        if history.each is not None:
            continue
        supplied = [c.history.get(history.name) for c in customers]
        columns.append((f"s{k}", "BOOLEAN", [rows is not None for rows in supplied]))
        events = [(n, o, row) for n, rows in enumerate(supplied) for o, row in enumerate(rows or ())]
        parts: list[TableColumn] = [
            ("n", "INTEGER", [n for n, _, _ in events]), ("ordinal", "INTEGER", [o for _, o, _ in events])
        ]
        for i, field in enumerate(history.fields):
            parts += _cells(i, field, [_raw(field, row) for _, _, row in events])
        tables[f"h{k}"] = parts
    return tables | {"customers": columns}


def _make(connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[TableColumn]) -> None:
    connection.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind, _ in columns)})")
    if columns[0][2]:
        unnested = ", ".join(f"unnest(?::{kind}[])" for _, kind, _ in columns)
        connection.execute(f"INSERT INTO {table} SELECT {unnested}", [cells for _, _, cells in columns])


def _cells(index: int, decl: InputDecl | FieldDecl, raws: Sequence[Any]) -> list[TableColumn]:
    """A column of values and one that says which cells are no such value."""
    values, bad = [], []
    for raw in raws:
        try:
            value = convert(raw, decl.type)
            # What is not finite is the query's to leave out, as it is where tables hold it.
            values.append(raw if value is None and isinstance(raw, float) else _cell(value))
            bad.append(False)
        except Refusal:
            values.append(None)
            bad.append(True)
    return [(f"x{index}", COLUMNS[decl.type.kind], values), (f"b{index}", "BOOLEAN", bad)]


def _cell(value: Any) -> Any:
    if isinstance(value, datetime.timedelta):
        return value // datetime.timedelta(microseconds=1)
    return value.total if isinstance(value, YearsMonths) else value


def _raw(field: FieldDecl, row: Mapping[str, Any]) -> Any:
    names = (field.name, field.column, field.name.replace(" ", "_"))
    return next((row[name] for name in names if name is not None and row.get(name) is not None), None)


__all__ = ["Customer", "Query", "compiled", "decide_all", "load", "source_of", "tables_of"]
