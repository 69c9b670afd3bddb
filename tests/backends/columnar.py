"""Expressions over typed rows: as one query in DuckDB, and one by one by the reference evaluator."""
from __future__ import annotations

import datetime
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
from sqlglot import exp

from engine.backends.reference.expressions import Evaluator
from engine.backends.sql.expressions import TYPES
from engine.backends.sql.lowering import lowered
from engine.backends.sql.origins import Labels
from engine.backends.sql.relations import Expressions
from engine.backends.sql.stages import Names, Stages, quoted, with_queries
from engine.ir import nodes as ir
from engine.ir.rewrites import settle
from engine.semantics import dtypes as dt
from engine.semantics.values import YearsMonths

#: The number of a row, by which rows are put in order again.
PLACE = "row number"


class Columns(Expressions):
    """Expressions over the columns of one relation, by the names of the inputs."""

    def __init__(self, program: ir.Program, kinds: Mapping[str, dt.Type], dialect: str = "duckdb") -> None:
        table = exp.Table(this=exp.to_identifier("rows"))
        stages = Stages(Names(), "s", lambda: ([], exp.select().from_(table)))
        super().__init__(stages, program, Labels(()), dialect=dialect)
        self.place = stages.source(quoted(PLACE), False)
        for name, kind in kinds.items():
            self.variables[("Input", name)] = stages.source(quoted(name), kind.nullable)

    def query(self, values: Sequence[ir.Node]) -> exp.Select:
        """The place of a row and the values of nodes."""
        settled = [settle(node) for node in values]         # what is compiled is remembered by its identity
        trees = [self.stages.named(self.compile(node)).tree.copy() for node in settled]
        made = self.stages.queries()
        columns = [exp.alias_(tree, f"v{n}") for n, tree in enumerate([self.place.tree, *trees])]
        final = exp.select(*columns).from_(exp.Table(this=exp.to_identifier(made[-1][0])))
        return lowered(with_queries(final, made), self.dialect)


def cell(value: Any) -> Any:
    """A value as a column holds it."""
    if isinstance(value, datetime.timedelta):
        return value // datetime.timedelta(microseconds=1)
    if isinstance(value, YearsMonths):
        return value.total
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def value_of(cell: Any, kind: str) -> Any:
    """A cell as the engine holds it."""
    if cell is None:
        return None
    if kind == dt.DAYS_DURATION:
        return datetime.timedelta(microseconds=cell)
    return YearsMonths(cell) if kind == dt.MONTHS_DURATION else cell


def in_duckdb(
    program: ir.Program, kinds: Mapping[str, dt.Type], nodes: Sequence[ir.Node], rows: Sequence[Mapping[str, Any]],
    as_of: datetime.date,
) -> list[list[Any]]:
    """The values of nodes for each row."""
    query = Columns(program, kinds).query(nodes)
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        columns = [exp.ColumnDef(this=exp.to_identifier(PLACE, quoted=True), kind=exp.DataType.build("INTEGER"))]
        columns += [
            exp.ColumnDef(this=exp.to_identifier(name, quoted=True), kind=exp.DataType.build(TYPES[kind.kind]))
            for name, kind in kinds.items()
        ]
        table = exp.Schema(this=exp.Table(this=exp.to_identifier("rows")), expressions=columns)
        connection.execute(exp.Create(this=table, kind="TABLE").sql("duckdb"))
        lists = [list(range(len(rows))), *([cell(r[name]) for r in rows] for name in kinds)]
        types = ["INTEGER", *(TYPES[k.kind] for k in kinds.values())]
        connection.execute("INSERT INTO rows SELECT " + ", ".join(f"unnest(?::{k}[])" for k in types), lists)
        text = query.sql("duckdb")
        found = sorted(connection.execute(text, {"as_of": as_of} if "$as_of" in text else None).fetchall())
    return [
        [value_of(c, n.type.kind) for c, n in zip(row[1:], nodes, strict=True)] for row in found
    ]


class Rows(Evaluator):
    """The reference over one row."""

    row: Mapping[str, Any]

    def input(self, name: str) -> Any:
        return self.row[name]


def one_by_one(nodes: Sequence[ir.Node], rows: Sequence[Mapping[str, Any]], as_of: datetime.date) -> list[list[Any]]:
    evaluator = Rows(as_of)
    found = []
    for row in rows:
        evaluator.row = row
        found.append([evaluator.evaluate(node) for node in nodes])
    return found


def agree(a: Any, b: Any) -> bool:
    """Whether two values are the same, numbers by their bits but for the sign of zero."""
    if isinstance(a, (int, float)) and isinstance(b, (int, float)) and not isinstance(a, bool) | isinstance(b, bool):
        return struct.pack("<d", a or 0.0) == struct.pack("<d", b or 0.0) and math.isfinite(a)
    return type(a) is type(b) and bool(a == b)
