"""The results of an earlier run beside the customers: each decision as the inputs that stand for it."""
from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import Any

from engine.backends.sql.tables import Column
from engine.ir.previous import DATE, PREFIX
from engine.portfolio.columnar.binding import ORDINAL, Relation
from engine.portfolio.columnar.refusals import values_of
from engine.portfolio.columnar.session import Session, reading
from engine.portfolio.columnar.sources import Options, opened
from engine.portfolio.previous import (
    READING,
    REFUSED,
    Earlier,
    absent_notes,
    later_text,
    lost_text,
    misread,
    repeated,
    require_keys,
    undated,
)
from engine.portfolio.problems import DataProblem
from engine.records import Record


class Logged(Record):
    """The earlier decisions: the `view` has those alone that were decided, and `notes` are what to say of them."""

    relation: Relation
    view: str
    notes: tuple[str, ...]


def read(session: Session, earlier: Earlier, as_of: datetime.date) -> Logged:
    """Read and judge them; raises DataProblem where they are none that an earlier run could have written."""
    relation = opened(session, earlier.place, earlier.declared, Options(), READING)
    require_keys(earlier, relation.absent, relation.names, relation.path)
    with reading(relation.shown, relation.path):
        _judge(session, earlier, relation)
    day = _day(earlier, relation, session)
    shown = [f"{ORDINAL}", f"{day} AS day", *(
        f"{relation.columns[decl.name].name} AS {prefix}{at}"
        for prefix, decls in (("k", earlier.keys), ("o", earlier.outcomes))
        for at, decl in enumerate(decls) if decl.name in relation.columns
    )]
    view = session.name("logged")
    query = f"SELECT {', '.join(shown)} FROM {relation.name} WHERE {_live(earlier, relation)}"
    session.run(f"CREATE TEMP VIEW {view} AS {query}")
    notes = absent_notes(earlier, relation.absent, relation.shown)
    given = " AND ".join(f"k{at} IS NOT NULL" for at in range(len(earlier.keys)))
    (later,) = session.row(f"SELECT count(*) FROM {view} WHERE {given} AND day > ?", [as_of])
    if later:
        notes.append(later_text(later, relation.shown, as_of))
    return Logged(relation, view, tuple(notes))


def beside(
    session: Session, customers: Relation, logged: Logged, earlier: Earlier, as_of: datetime.date, names: Sequence[str]
) -> Relation:
    """The customers with the inputs of `names` that stand for their previous decisions."""
    seen = f"p.{ORDINAL} IS NOT NULL AND (p.day IS NULL OR p.day <= {session.variable(as_of)})"
    places = {decl.name: f"o{at}" for at, decl in enumerate(earlier.outcomes) if decl.name in logged.relation.columns}
    columns: dict[str, Column] = {}
    shown = ["c.*"]
    for at, name in enumerate(names):
        member = name.removeprefix(f"{PREFIX}.")
        if name == PREFIX:
            cell = "true"
        elif member == DATE:
            cell = "p.day"
        elif member in places:
            cell = f"p.{places[member]}"
        else:
            continue                                    # the earlier run gave none
        shown.append(f"CASE WHEN {seen} THEN {cell} END AS p{at}")
        columns[name] = Column(f"p{at}")
    view = session.name("beside")
    session.run(
        f"CREATE TEMP VIEW {view} AS SELECT {', '.join(shown)} FROM {customers.name} c "
        f"LEFT JOIN {logged.view} p ON {_same(customers, earlier)}"
    )
    return customers.replace(name=view, columns={**customers.columns, **columns}, ordered=False)


def strangers(session: Session, customers: Relation, logged: Logged, earlier: Earlier) -> str | None:
    """What is said of decisions without a customer."""
    with reading(logged.relation.shown, logged.relation.path):
        (number,) = session.row(
            f"SELECT count(*) FROM {logged.view} p ANTI JOIN {customers.name} c ON {_same(customers, earlier)}"
        )
    return lost_text(number, logged.relation.shown, customers.shown) if number else None


def _same(customers: Relation, earlier: Earlier) -> str:
    """SQL that is true where a customer `c` is the one of the decision `p`."""
    keys = [(customers.columns.get(decl.name), f"p.k{at}") for at, decl in enumerate(earlier.keys)]
    return " AND ".join("false" if column is None else f"c.{column.name} = {key}" for column, key in keys)


def _live(earlier: Earlier, relation: Relation) -> str:
    """SQL that is true of the rows that hold a decision."""
    status = relation.columns.get(earlier.status.name)
    return "true" if status is None else f"{status.name} IS DISTINCT FROM '{REFUSED}'"


def _day(earlier: Earlier, relation: Relation, session: Session) -> str:
    stated = relation.columns.get(DATE)
    usual = session.variable(earlier.decided) if earlier.decided is not None else "CAST(NULL AS DATE)"
    return usual if stated is None else f"coalesce({stated.name}, {usual})"


def _judge(session: Session, earlier: Earlier, relation: Relation) -> None:
    """Raise the problem on the first line that has one."""
    problems = [*_unreadable(relation), *_misread(session, earlier, relation), *_unusable(session, earlier, relation)]
    if problems:
        raise min(problems, key=lambda problem: problem.line or 0)


def _unreadable(relation: Relation) -> Iterator[DataProblem]:
    for row in relation.unreadable[:1]:
        yield DataProblem(row.message, relation.path, row.line, row.help)


def _misread(session: Session, earlier: Earlier, relation: Relation) -> Iterator[DataProblem]:
    """The first cell of each column that is no value of its kind."""
    for decl in earlier.declared:
        column, odd = relation.columns.get(decl.name), relation.cells.get(decl.name)
        if column is None or column.bad is None or odd is None:
            continue
        found = session.rows(
            f"SELECT {ORDINAL}, {column.name}, {odd} FROM {relation.name} "
            f"WHERE {column.bad} AND {_live(earlier, relation)} ORDER BY {ORDINAL} LIMIT 1"
        )
        for line, *cells in found:
            value = values_of(relation, [decl.name], {decl.name: decl.type}, cells, READING)[decl.name]
            if (problem := misread(decl, value, relation.path, line)) is not None:
                yield problem


def _unusable(session: Session, earlier: Earlier, relation: Relation) -> Iterator[DataProblem]:
    """The first decision whose date is not known, and the first of a customer who has one already."""
    keys = [relation.columns[decl.name].name for decl in earlier.keys]
    live = " AND ".join([_live(earlier, relation), *(f"{key} IS NOT NULL" for key in keys)])
    (line,) = session.row(
        f"SELECT min({ORDINAL}) FROM {relation.name} WHERE {live} AND ({_day(earlier, relation, session)}) IS NULL"
    )
    if line is not None:
        yield undated(relation.path, line)
    whose = f"OVER (PARTITION BY {', '.join(keys)}"
    ranked = (
        f"SELECT *, row_number() {whose} ORDER BY {ORDINAL}) AS place, min({ORDINAL}) {whose}) AS first "
        f"FROM {relation.name} WHERE {live}"
    )
    found: list[tuple[Any, ...]] = session.rows(
        f"SELECT {ORDINAL}, first, {', '.join(keys)} FROM ({ranked}) WHERE place = 2 ORDER BY {ORDINAL} LIMIT 1"
    )
    for line, first, *key in found:
        yield repeated(key, relation.path, line, first)
