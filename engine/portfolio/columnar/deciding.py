"""Runs the compiled policy over the bound tables, and sets the decided rows aside as Parquet.

The statement is made by the SQL backend once for a policy, its data's columns and what is asked for, and kept
(`engine.cache`), so that a later run imports neither the compiler nor what it builds trees with.
"""
from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from engine.backends.sql.tables import Column, Customers, Events, Source
from engine.cache import recall_text, remember_text
from engine.ir import nodes as ir
from engine.ir.stored import Unstorable, pack
from engine.portfolio.columnar.formats import Shapes, plain_list
from engine.portfolio.columnar.refusals import BETWEEN
from engine.portfolio.columnar.session import Session, identifier
from engine.portfolio.layout import Layout
from engine.portfolio.request import FAILURES
from engine.reads import digest
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type

_KIND = "portfolio statement"


class Found(Record):
    """A column of the statement's result: its `kind` (kept, value, list, status or an extra), whose it is, whether no
    label of a set holds a semicolon, and the shapes of a list's items."""

    kind: str
    decision: str
    member: str
    plain: bool
    shapes: Shapes = ()


class Statement(Record):
    """The SQL, with the parameter `as_of`, and its columns in order."""

    sql: str
    columns: tuple[Found, ...]


#: Statements of this process, and how many are held.
_MADE: dict[str, Statement] = {}
_MOST = 50


def statement(
    program: ir.Program, outcomes: Sequence[str] | None, source: Source, keep: Sequence[str], extras: Sequence[str]
) -> Statement:
    """The compiled statement; raises Unsupported with the places that SQL does not carry out."""
    key = _key(program, outcomes, source, keep, extras)
    known = None if key is None else _MADE.get(key) or _recalled(key)
    if key is not None and known is not None:
        _MADE[key] = known
        return known
    compiler: Any = import_module("engine.backends.sql.program")
    query = compiler.compile_program(program, outcomes, source, keep, extras, lists=True)
    columns = described(query.columns)
    made = Statement(query.sql("duckdb"), columns)
    if key is not None:
        if len(_MADE) >= _MOST:
            _MADE.clear()
        _MADE[key] = made
        listed = [[c.kind, c.decision, c.member, c.plain, c.shapes] for c in columns]
        remember_text(key, json.dumps([made.sql, listed]))
    return made


def described(columns: Sequence[Any]) -> tuple[Found, ...]:
    """The columns of a compiled query's result."""
    return tuple(
        Found(
            c.kind, c.decision, c.member, all(";" not in label for label in c.labels or ()),
            tuple(tuple(shape) for shape in c.shapes),
        )
        for c in columns
    )


def _key(
    program: ir.Program, outcomes: Sequence[str] | None, source: Source, keep: Sequence[str], extras: Sequence[str]
) -> str | None:
    try:
        packed = pack(program)
    except Unstorable:
        return None
    parts = [packed, None if outcomes is None else list(outcomes), _told(source), list(keep), list(extras)]
    return f"{_KIND} {digest(json.dumps(parts, sort_keys=True).encode('utf-8', 'surrogatepass'))}"


def _told(source: Source) -> list[Any]:
    def columns(given: Mapping[str, Column]) -> list[Any]:
        return sorted([name, c.name, c.bad] for name, c in given.items())

    histories = [
        [name, e.relation, e.key, columns(e.columns), e.ordinal, e.supplied]
        for name, e in sorted(source.histories.items())
    ]
    return [source.customers.relation, columns(source.customers.columns), histories]


def _recalled(key: str) -> Statement | None:
    text = recall_text(key)
    if text is None:
        return None
    try:
        sql, columns = json.loads(text)
        return Statement(str(sql), tuple(
            Found(str(k), str(d), str(m), bool(p), tuple(tuple(map(str, shape)) for shape in shapes))
            for k, d, m, p, shapes in columns
        ))
    except (ValueError, TypeError):
        return None


class Staged(Record):
    """Decided rows in a file, whose columns are called as in the results.

    `columns` are these by short names, `names` the short names by what they are: ordinal, key and its number, status,
    outcome (decision, member), extra. `plain` are the extras whose labels hold no semicolon. `native`: lists of
    outcomes are as a Parquet file has them; `final`: so is the whole file.
    """

    path: str
    columns: Mapping[str, str]
    names: Mapping[tuple[str, ...], str]
    plain: frozenset[str]
    rows: int
    shapes: Mapping[str, Shapes]
    native: bool = False
    final: bool = False

    def relation(self, session: Session) -> str:
        """The rows under the short names."""
        listed = ", ".join(f"{identifier(column)} AS {name}" for name, column in self.columns.items())
        return f"(SELECT {listed} FROM read_parquet({session.variable(self.path)}))"


def stage(
    session: Session, made: Statement, layout: Layout, keys: Sequence[str | None], as_of: datetime.date | None,
    path: str, ordered: bool, native: bool, leaves: Sequence[str] = (),
) -> Staged:
    """Decide, and write the rows to `path` as Parquet. `keys` are the statement's columns that hold keys; `native` says
    that the results go to a Parquet file; `leaves` are outcomes that stand beside the results. A statement without a
    date has none as its parameter."""
    taken: dict[tuple[str, ...], str] = {}
    fired: list[tuple[str, str]] = []
    plain: set[str] = set()
    kept = 0
    for at, column in enumerate(made.columns):
        name = f"a{at}"
        if column.kind == "kept":
            taken[("ordinal",) if kept == 0 else ("kept", str(kept))] = name
            kept += 1
        elif column.kind in ("value", "list"):
            taken[("outcome", column.decision, column.member)] = name
        elif column.kind == "fired" and column.decision in leaves:
            continue
        elif column.kind == "fired":
            fired.append((column.decision, name))
            if column.plain and ";" not in column.decision:
                plain.add(column.decision)
        else:
            taken[(column.kind,)] = name
            if column.plain:
                plain.add("missing" if column.kind == "needed" else column.kind)
    put = _Columns()
    own, final = layout.own, native
    shapes = {column.decision: column.shapes for column in made.columns if column.kind == "list"}
    put(("ordinal",), "ordinal", own["line"], taken[("ordinal",)])
    place = 0
    for number, key in enumerate(keys):
        source = "CAST(NULL AS VARCHAR)"
        if key is not None:
            place += 1
            source = taken[("kept", str(place))]
        put(("key", str(number)), f"k{number}", layout.keys[number], source)
        final &= _is_final(layout.inputs[layout.keys[number]].type)
    put(("status",), "status", own["status"], taken[("status",)])
    for number, output in enumerate(layout.outputs):
        what = ("outcome", output.decision, output.member or "")
        sql = taken[what]
        if output.type.whole and output.type.kind in dt.NUMERIC:
            sql = f"TRY_CAST({sql} AS BIGINT)"
        if native and output.type.kind == dt.LIST:
            sql = plain_list(sql, shapes.get(output.decision, ()))
        else:
            final &= _is_final(output.type)
        put(what, f"o{number}", output.column, sql)
    found = {"reasons": taken.get(("reasons",)), "missing": taken.get(("needed",))}
    if ("open",) in taken:
        mine = session.variable([d.name for d in layout.decisions])
        found["open"] = f"list_filter({taken[('open',)]}, lambda x: list_contains({mine}, x))"
    if FAILURES in layout.extras:                       # which stand behind the keys among what is kept
        found[FAILURES] = taken[("kept", str(place + 1))]
    if "fired" in layout.extras:
        begins = [(session.variable(f"{decision}/"), name) for decision, name in fired]
        parts = [f"list_transform({name}, lambda x: {begin} || x)" for begin, name in begins]
        found["fired"] = f"flatten([{', '.join(parts)}])" if parts else "CAST([] AS VARCHAR[])"
        if all(decision in plain for decision, _ in fired):
            plain.add("fired")
    for extra in [*layout.extras, *(name for name in found if name not in layout.extras)]:
        sql = found.get(extra) or ""
        if sql:
            put((extra,), extra, own.get(extra, f"~{extra}"), sql)
        final &= bool(sql) and extra in own
    named = taken.get(("refused",))                     # what it is refused for, until that is put in words
    problem = "NULL" if named is None else f"nullif(array_to_string({named}, chr({ord(BETWEEN)})), '')"
    put(("problem",), "problem", own["problem"], f"CAST({problem} AS VARCHAR)")
    for number, leaf in enumerate(leaves):
        put(("leaf", leaf), f"v{number}", leaf, taken["outcome", leaf, ""])
    final &= not leaves
    order = "" if ordered else f" ORDER BY {taken[('ordinal',)]}"
    listed = ", ".join(f"a{at}" for at in range(len(made.columns)))
    query = f"SELECT {', '.join(put.shown)} FROM ({made.sql}) AS q({listed}){order}"
    given = {"path": path} if as_of is None else {"path": path, "as_of": as_of}
    (rows,) = session.connection.execute(f"COPY ({query}) TO $path (FORMAT parquet)", given).fetchone() or (0,)
    return Staged(path, put.columns, put.names, frozenset(plain), int(rows), shapes, native, final)


class _Columns:
    """Columns of the staged file, as they are put one by one."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.columns: dict[str, str] = {}
        self.names: dict[tuple[str, ...], str] = {}

    def __call__(self, what: tuple[str, ...], name: str, column: str, sql: str) -> None:
        self.shown.append(f"{sql} AS {identifier(column)}")
        self.columns[name] = column
        self.names[what] = name


def _is_final(kind: Type) -> bool:
    """Whether a file keeps values of this type as the statement gives them."""
    return kind.kind not in (dt.DAYS_DURATION, dt.MONTHS_DURATION, dt.LIST)


def source_of(
    customers: str, columns: Mapping[str, Column],
    histories: Mapping[str, tuple[str, str, Mapping[str, Column], str | None]],
) -> Source:
    """What the compiler is told of the tables: histories as (relation, the owner's column, columns, the column of the
    customers that says whether it was supplied, None where it was for all)."""
    return Source(
        Customers(customers, columns),
        {
            name: Events(relation, owner, fields, "ordinal", supplied)
            for name, (relation, owner, fields, supplied) in histories.items()
        },
    )
