"""Which rows are decided: those for which `--where` holds, as many as `--limit` allows."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.portfolio.columnar.binding import ORDINAL, Relation
from engine.portfolio.columnar.deciding import source_of, statement
from engine.portfolio.columnar.raw import Unreadable
from engine.portfolio.columnar.session import Session
from engine.portfolio.request import Request
from engine.records import Record


class Selected(Record):
    """The view of the rows taken, how many they are, the rows among them that cannot be read, and how many rows were
    left out since it could not be told whether the condition holds."""

    relation: str
    rows: int
    unreadable: Sequence[Unreadable]
    untold: int


def select(session: Session, customers: Relation, where: Any, request: Request) -> Selected:
    """Select the rows; `where` is an `engine.portfolio.where.Where` or None."""
    relation, rows, unreadable, untold = customers.name, customers.rows, customers.unreadable, 0
    if where is not None:
        made = statement(where.program, [where_name(where)], source_of(relation, customers.columns, {}), [ORDINAL], [])
        taken = session.name("taken")
        listed = ", ".join(f"a{at}" for at in range(len(made.columns)))
        kinds = [column.kind for column in made.columns]
        holds, status = f"a{kinds.index('value')}", f"a{kinds.index('status')}"
        session.run(
            f"CREATE TEMP TABLE {taken} AS SELECT a0 AS {ORDINAL}, {holds} AS holds, {status} AS status "
            f"FROM ({made.sql}) AS q({listed}) WHERE {holds} OR {status} = 'refused'", {"as_of": request.as_of}
        )
        (rows, bad) = session.row(
            f"SELECT count(*) FILTER (status <> 'refused'), count(*) FILTER (status = 'refused') FROM {taken}"
        )
        untold = bad + len(unreadable)
        unreadable = ()
        told = f"SELECT {ORDINAL} FROM {taken} WHERE status <> 'refused'"
        relation = _view(session, f"SELECT * FROM {relation} WHERE {ORDINAL} IN ({told})")
    if request.limit is not None and rows + len(unreadable) > request.limit:
        lines = session.variable([row.line for row in unreadable])
        (last,) = session.row(
            f"SELECT max({ORDINAL}) FROM (SELECT {ORDINAL} FROM (SELECT {ORDINAL} FROM {relation} UNION ALL "
            f"SELECT unnest({lines}::BIGINT[])) ORDER BY {ORDINAL} LIMIT ?)", [request.limit],
        )
        last = -1 if last is None else last
        unreadable = [row for row in unreadable if row.line <= last]
        rows = request.limit - len(unreadable)
        relation = _view(session, f"SELECT * FROM {relation} WHERE {ORDINAL} <= {int(last)}")
    return Selected(relation, rows, unreadable, untold)


def where_name(where: Any) -> str:
    name: str = where.program.declared[0]
    return name


def _view(session: Session, query: str) -> str:
    view = session.name("selected")
    session.run(f"CREATE TEMP VIEW {view} AS {query}")
    return view
