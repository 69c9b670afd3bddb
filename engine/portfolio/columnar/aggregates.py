"""The values over customers, in the database: the decided rows are the histories of programs whose customers are all of
them, or the groups."""
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from engine.backends.sql.tables import Column, Customers, Events, Source
from engine.ir import nodes as ir
from engine.ir.portfolio import ABOUT, KEY, shared_of
from engine.portfolio.aggregates import Asked, Values, result
from engine.portfolio.columnar.deciding import Statement, statement
from engine.portfolio.columnar.session import Session
from engine.portfolio.columnar.sinks import Results
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.customers import CUSTOMERS, PORTFOLIO, REFUSED
from engine.semantics.dtypes import Type
from engine.semantics.values import YearsMonths

#: The decided rows, the same with the number of their group, the refused ones, and the customers of a program.
_ROWS, _MEMBERS, _LOST, _GROUPS = "value_rows", "value_members", "value_refused", "value_groups"
_KEY = "g"
_KINDS = {
    dt.NUMBER: "DOUBLE", dt.MONEY: "DOUBLE", dt.BOOLEAN: "BOOLEAN", dt.DATE: "DATE", dt.DATE_TIME: "TIMESTAMP",
    dt.TIME: "TIME", dt.DAYS_DURATION: "BIGINT", dt.MONTHS_DURATION: "BIGINT",
}


class Compiled(Record):
    """The statements, made before anyone is decided: what SQL does not carry out is told then."""

    asked: Asked
    totals: Statement
    groups: tuple[Statement, ...]


def compiled(asked: Asked) -> Compiled:
    """The statements of the values; raises Unsupported."""
    made = [_made(program) for program in (asked.totals, *(program for _, program in asked.groups))]
    return Compiled(asked, made[0], tuple(made[1:]))


def _made(program: ir.Program) -> Statement:
    columns = {decl.name: Column(_KEY if decl.name == KEY else f"i{at}") for at, decl in enumerate(program.inputs)}
    fields = {
        field.name: Column("status" if field.name in ABOUT else f"v{at}")
        for at, field in enumerate(program.histories[0].fields)
    }
    rows = Events(_MEMBERS, _KEY, fields, "ordinal")
    histories = {CUSTOMERS: rows, PORTFOLIO: rows, REFUSED: Events(_LOST, _KEY, {}, "ordinal")}
    return statement(program, None, Source(Customers(_GROUPS, columns, _KEY), histories), [_KEY], [])


def values_of(session: Session, found: Compiled, results: Results, refused: int, as_of: datetime.date) -> Values:
    """What the values come to over the results of a run."""
    asked = found.asked
    leaves = [results.staged.names["leaf", name] for name in asked.leaves]
    listed = "".join(f", {name} AS v{at}" for at, name in enumerate(leaves))
    source = f"{results.staged.relation(session)} s"
    if results.refused:
        source += f" ANTI JOIN {results.problems} p ON s.ordinal = p.ordinal"
    session.run(f"CREATE OR REPLACE TEMP TABLE {_ROWS} AS SELECT ordinal, status{listed} FROM {source}")
    session.run(f"CREATE OR REPLACE TEMP VIEW {_MEMBERS} AS SELECT *, 0 AS {_KEY} FROM {_ROWS}")
    session.run(
        f"CREATE OR REPLACE TEMP TABLE {_LOST} AS SELECT range AS ordinal, 0 AS {_KEY} FROM range({int(refused)})"
    )
    session.run(f"CREATE OR REPLACE TEMP TABLE {_GROUPS} AS SELECT 0 AS {_KEY}")
    (totals,) = _decided(session, found.totals, asked.totals, as_of).values() or ({},)
    groups: dict[str, list[Values]] = {}
    for (grouping, program), made in zip(asked.groups, found.groups, strict=True):
        groups[grouping.name] = _grouped(session, asked, grouping, program, made, totals, as_of)
    return result(asked, totals, groups)


def _grouped(
    session: Session, asked: Asked, grouping: ir.Grouping, program: ir.Program, made: Statement,
    totals: Mapping[str, Any], as_of: datetime.date,
) -> list[Values]:
    columns = [_column(asked, leaf) for _, _, leaf in grouping.by]
    shared = [(name, next(i.type for i in program.inputs if i.name == name)) for name in shared_of(grouping)]
    kinds = [_KINDS.get(kind.kind, "VARCHAR") for _, kind in shared]
    given = "".join(f", CAST(? AS {kind}) AS i{at}" for at, kind in enumerate(kinds, 1))
    session.run(
        f"CREATE OR REPLACE TEMP TABLE {_GROUPS} AS SELECT row_number() OVER () AS {_KEY}, *{given} "
        f"FROM (SELECT DISTINCT {', '.join(columns)} FROM {_ROWS})",
        [_cell(totals[name]) for name, _ in shared],
    )
    same = " AND ".join(f"r.{c} IS NOT DISTINCT FROM k.{c}" for c in columns)
    session.run(
        f"CREATE OR REPLACE TEMP VIEW {_MEMBERS} AS SELECT r.*, k.{_KEY} FROM {_ROWS} r JOIN {_GROUPS} k ON {same}"
    )
    decided = _decided(session, made, program, as_of)
    found = []
    for number, *cells in session.rows(f"SELECT {_KEY}, {', '.join(columns)} FROM {_GROUPS}"):
        keys = {name: _value(cell, kind) for (name, kind, _), cell in zip(grouping.by, cells, strict=True)}
        found.append(keys | decided[number])
    return found


def _column(asked: Asked, leaf: str) -> str:
    return "status" if leaf in ABOUT else f"v{asked.leaves.index(leaf)}"


def _decided(session: Session, made: Statement, program: ir.Program, as_of: datetime.date) -> dict[int, Values]:
    """What the customers of a program get, by number."""
    kinds = {d.name: d.type for d in program.decisions}
    found = {}
    for row in session.run(made.sql, {"as_of": as_of} if "$as_of" in made.sql else {}).fetchall():
        number, values = 0, {}
        for column, cell in zip(made.columns, row, strict=True):
            if column.kind == "kept":
                number = cell
            elif column.kind == "value":
                values[column.decision] = _value(cell, kinds[column.decision])
        found[number] = values
    return found


def _value(cell: Any, kind: Type) -> Any:
    """A cell as the engine holds it: durations come as counts."""
    if cell is None:
        return None
    if kind.kind == dt.DAYS_DURATION:
        return datetime.timedelta(microseconds=cell)
    return YearsMonths(cell) if kind.kind == dt.MONTHS_DURATION else cell


def _cell(value: Any) -> Any:
    if isinstance(value, datetime.timedelta):
        return value // datetime.timedelta(microseconds=1)
    return value.total if isinstance(value, YearsMonths) else value

