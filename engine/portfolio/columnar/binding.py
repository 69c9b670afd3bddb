"""From a source to a relation of typed columns, one for each declared name.

A bound relation has `ordinal` (the row's line, which gives the order), and for each declared name a column
`v`: the value in its declared type. Where a cell could not be read as that type `b` is true and `r` holds the
cell. Odd texts are taken to the one-by-one path, each distinct one once.
"""
from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb

from engine.backends.sql.tables import Column
from engine.ir.door import Refusal, convert
from engine.portfolio.binding import Declared, Reading
from engine.portfolio.columnar.cells import BLANKS, JSON, SQL_TYPES, TEXT, Reader
from engine.portfolio.columnar.raw import Bound, Raw, Unreadable
from engine.portfolio.columnar.session import Session, reading
from engine.portfolio.problems import DataProblem
from engine.portfolio.tables import JsonFault, parse_json
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.values import YearsMonths

ORDINAL = "ordinal"
_CHUNK = 50_000


class Relation(Record):
    """A bound source: the view's name, its columns by declared name, and which of them hold odd cells (with what
    these are)."""

    name: str
    columns: Mapping[str, Column]
    cells: Mapping[str, str]                            # declared name to the column of its odd cells
    contents: Mapping[str, str]
    rows: int
    #: The largest ordinal.
    last: int
    absent: tuple[str, ...]
    unreadable: Sequence[Unreadable]
    shown: str
    path: str
    #: Whether rows come in their order without being sorted.
    ordered: bool
    names: tuple[str, ...]


class Misread(Exception):
    """The database found fault with a text: the one-by-one reader must tell which rows are bad."""


def bind(session: Session, raw: Raw, declared: Sequence[Declared], how: Reading) -> Relation:
    """Bind a source's columns; raises DataProblem, and Misread where a text must be read row by row."""
    kinds = {d.name: d.type for d in declared}
    bound = [b for b in raw.columns if kinds[b.name].kind in SQL_TYPES]
    missing = sorted(how.missing - {""})
    reader = Reader(session.variable(missing) if missing else None, session.variable(BLANKS), how.date_format is None)
    named, first, selected, odd = [], [], [], {}
    for at, column in enumerate(bound):
        named.append(f"{column.raw} AS c{at}")
        cell = reader.cell(f"c{at}", column.content, kinds[column.name], f"n{at}")
        if cell.first is not None:
            first.append(f"{cell.first} AS n{at}")
        selected.append(f"{cell.value} AS v{at}")
        if cell.odd is not None:
            selected.append(f"{cell.odd} AS r{at}")
            odd[at] = cell.asked
    line = "" if raw.line is None else f"{raw.line} AS line, "
    inner = f"SELECT {line}{', '.join(named) or 'NULL AS c'} FROM {raw.relation}"
    middle = f"SELECT {', '.join(['*', *first])} FROM ({inner})"
    outer = f"SELECT {'' if raw.line is None else 'line, '}{', '.join(selected) or 'NULL AS v'} FROM ({middle})"
    source, line, rows = _source(session, raw, outer)
    joins, shown = [], [f"{line} AS {ORDINAL}"]
    columns: dict[str, Column] = {}
    cells: dict[str, str] = {}
    present = _present(session, source, odd, raw)
    for at, column in enumerate(bound):
        bad = None
        if at in present:
            cells[column.name] = f"r{at}"
            shown.append(f"r{at}")
            if odd[at]:
                asked = _ask(session, source, at, column, kinds[column.name], how, raw)
                joins.append(f"LEFT JOIN {asked} ON r{at} = {asked}.cell")
                value = f"CASE WHEN r{at} IS NULL THEN v{at} ELSE {asked}.value END"
                shown += [f"{value} AS v{at}", f"coalesce({asked}.bad, false) AS b{at}"]
            else:
                shown += [f"v{at}", f"r{at} IS NOT NULL AS b{at}"]
            bad = f"b{at}"
        else:
            shown.append(f"v{at}")
        columns[column.name] = Column(f"v{at}", bad)
    for at, decl in enumerate(declared, start=len(bound)):
        if getattr(decl, "key", False) and decl.name not in columns:     # events are joined by it all the same
            shown.append(f"CAST(NULL AS {SQL_TYPES[decl.type.kind]}) AS v{at}")
            columns[decl.name] = Column(f"v{at}")
    view = session.name("bound")
    session.run(f"CREATE TEMP VIEW {view} AS SELECT {', '.join(shown)} FROM {source} {' '.join(joins)}")
    with reading(raw.shown, raw.path):
        (last,) = session.row(f"SELECT max({ORDINAL}) FROM {view}")
    unread = tuple(b.name for b in raw.columns if b not in bound)
    contents = dict.fromkeys(columns, TEXT) | {b.name: b.content for b in bound}
    return Relation(
        view, columns, cells, contents, rows, last or 0, (*raw.absent, *unread), raw.unreadable, raw.shown, raw.shown,
        raw.ordered and not joins, raw.names,
    )


def _source(session: Session, raw: Raw, query: str) -> tuple[str, str, int]:
    """Where the cells stand (what follows FROM), SQL of a row's line, and the number of rows."""
    if not raw.staged:
        assert raw.line is not None and raw.rows is not None
        view = session.name("source")
        session.run(f"CREATE TEMP VIEW {view} AS {query}")
        return view, "line", raw.rows
    copy = session.path(".parquet")
    with reading(raw.shown, raw.path):
        try:
            (rows,) = session.row(f"COPY ({query}) TO ? (FORMAT parquet)", [copy])
        except (duckdb.InvalidInputException, duckdb.ConversionException) as problem:
            raise Misread(str(problem)) from None
    if raw.rows is not None and rows != raw.rows:
        raise Misread(f"{rows} rows on {raw.rows} lines")
    relation = f"read_parquet({session.variable(copy)})"
    return relation, f"file_row_number + {raw.first}" if raw.line is None else "line", rows


def _present(session: Session, source: str, odd: Iterable[int], raw: Raw) -> set[int]:
    """The columns in which a cell is odd."""
    listed = list(odd)
    if not listed:
        return set()
    with reading(raw.shown, raw.path):
        counts = session.row(f"SELECT {', '.join(f'count(r{at})' for at in listed)} FROM {source}")
    return {at for at, count in zip(listed, counts, strict=True) if count}


def _ask(
    session: Session, source: str, at: int, column: Bound, kind: dt.Type, how: Reading, raw: Raw
) -> str:
    """A table of a column's odd cells with what the one-by-one path makes of each."""
    asked = session.name("asked")
    session.run(f"CREATE TEMP TABLE {asked} (cell VARCHAR, value {SQL_TYPES[kind.kind]}, bad BOOLEAN)")
    parse = how.parser(kind)
    with reading(raw.shown, raw.path):
        for batch in session.batches(f"SELECT DISTINCT r{at} FROM {source} WHERE r{at} IS NOT NULL", _CHUNK):
            texts = [text for (text,) in batch]
            values, bad = answers(texts, column.content, kind, how, parse)
            session.run(
                f"INSERT INTO {asked} SELECT unnest(?::VARCHAR[]), unnest(?::{SQL_TYPES[kind.kind]}[]), "
                "unnest(?::BOOLEAN[])", [texts, values, bad],
            )
    return asked


def answers(
    cells: Iterable[Any], content: str, kind: dt.Type, how: Reading, parse: Any
) -> tuple[list[Any], list[bool]]:
    """What the one-by-one path makes of odd cells: the value of each as its column holds it, and whether it is bad."""
    values, bad = [], []
    for cell in cells:
        found, unread = None, False
        try:
            found = convert(given(cell, content, how, parse), kind)
        except Refusal:
            unread = True
        values.append(stored(found))
        bad.append(unread)
    return values, bad


def given(cell: Any, content: str, how: Reading, parse: Any) -> Any:
    """An odd cell as the one-by-one path hands it to the policy: see `engine.portfolio.binding.Columns`."""
    if content == JSON:
        try:
            return parse_json(cell)
        except JsonFault as fault:                      # which makes the whole line bad
            raise Misread(fault.message) from None
    if not isinstance(cell, str):
        return cell
    try:
        return parse(cell)
    except ValueError:
        bare = cell.strip()
        return None if bare in how.missing else bare


def stored(value: Any) -> Any:
    """A value as its column holds it: durations are counts."""
    if isinstance(value, datetime.timedelta):
        return (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds
    return value.total if isinstance(value, YearsMonths) else value


def require_key(relation: Relation, history: str, key: str) -> None:
    """Raise DataProblem where an event table does not say whose its rows are."""
    if key in relation.absent:
        raise DataProblem(
            f"history `{history}` needs a column `{key}` to say whose each row is", relation.path, 1,
            help=f"its columns are {', '.join(f'`{c}`' for c in relation.names[:12])}",
        )
