"""A policy as one statement for a warehouse, over the user's own tables, with a header that says what it is."""
from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

from sqlglot import exp
from sqlglot.errors import SqlglotError, UnsupportedError

from engine.backends.sql.dialects import DIALECTS
from engine.backends.sql.lowering.clauses import queries
from engine.backends.sql.program import EXTRAS, Output, Query, compile_program
from engine.backends.sql.tables import by_name
from engine.backends.support import HELP, Unsupported
from engine.diagnostics import Diagnostic
from engine.ir import nodes as ir
from engine.ir.stored import digest_of
from engine.records import Record
from engine.semantics import dtypes as dt

#: What a statement needs of its session beside what engines do by default, and what to know of an engine.
NOTES: Mapping[str, Sequence[str]] = {
    "duckdb": (),
    "spark": ("session: spark.sql.ansi.enabled=true, spark.sql.session.timeZone=UTC, spark.sql.caseSensitive=true",),
    "postgres": ("a product or quotient that is too large or too small for double precision ends the statement",),
    "snowflake": ("a product or quotient that is too large for a double ends the statement",),
    "bigquery": ("a product or quotient that is too large for FLOAT64 ends the statement",),
}
#: Bytes of a name in PostgreSQL, which cuts longer ones.
_LONGEST = 63


class TableName(ValueError):
    """A name that no table can have in the dialect, or that a part of the statement has."""


class Asked(Record):
    """What a statement is to give: `outcomes` (None: all that are shown), sets of `EXTRAS` as masks or as lists, over
    which tables, for a date or with a parameter in its place."""

    dialect: str = "duckdb"
    outcomes: Sequence[str] | None = None
    extras: Sequence[str] = ()
    lists: bool = False
    table: str | None = None
    histories: Mapping[str, str] = {}
    as_of: datetime.date | None = None
    pretty: bool = False


def statement(program: ir.Program, asked: Asked) -> str:
    """The text; raises `Unsupported` for what the dialect cannot say, and ValueError for a dialect that there is not
    and a table that cannot be (`TableName`)."""
    if asked.dialect not in DIALECTS:
        raise ValueError(f"no dialect is called {asked.dialect!r}; there are {', '.join(DIALECTS)}")
    source = by_name(program)
    keep = [source.customers.columns[d.name].name for d in program.inputs if d.key]
    query = compile_program(program, asked.outcomes, source, keep, asked.extras, asked.lists, dialect=asked.dialect)
    _fits(program, query)
    given = {source.customers.relation: asked.table}
    given |= {events.relation: asked.histories.get(name) for name, events in source.histories.items()}
    query = reading(query, {name: _table(found, asked.dialect) for name, found in given.items() if found is not None})
    if asked.as_of is not None:
        _dated(query.tree, asked.as_of)
    try:
        text = query.sql(pretty=asked.pretty)
    except UnsupportedError as problem:
        what = f"{DIALECTS[asked.dialect].title} cannot say a part of this policy: {problem}"
        raise Unsupported(Diagnostic("E0801", what.splitlines()[0], None, HELP)) from None
    return "\n".join([*(f"-- {line}" for line in _header(program, query, asked)), text])


def reading(query: Query, tables: Mapping[str, exp.Table]) -> Query:
    """The query over other tables than it was compiled for, by the names of these; raises `TableName`."""
    tree = query.tree.copy()
    made = {name.casefold() for name, _ in queries(tree)}
    for table in tree.find_all(exp.Table):
        if not table.this.args.get("quoted") or table.name not in tables:
            continue
        other = tables[table.name].copy()
        if not other.args.get("db") and other.name.casefold() in made:
            raise TableName(f"`{other.name}` is what a part of the statement is called; name the table with its schema")
        for part in ("this", "db", "catalog"):
            table.set(part, other.args.get(part))
    return query.replace(tree=tree)


def _table(name: str, dialect: str) -> exp.Table:
    try:
        return exp.to_table(name, dialect=dialect)
    except (SqlglotError, ValueError):
        raise TableName(f"`{name}` is not the name of a table in {DIALECTS[dialect].title}") from None


def _dated(tree: exp.Select, as_of: datetime.date) -> None:
    for place in list(tree.find_all(exp.Placeholder, exp.Parameter)):
        place.replace(exp.Literal.string(as_of.isoformat()))


def _fits(program: ir.Program, query: Query) -> None:
    """Raise `Unsupported` for names that PostgreSQL would cut, and then mistake for one another."""
    if query.dialect != "postgres":
        return
    names = [c.name for c in query.columns]
    names += [d.column or d.name for d in program.inputs]
    names += [f.column or f.name for h in program.histories for f in h.fields]
    long = [name for name in dict.fromkeys(names) if len(name.encode()) > _LONGEST]
    if long:
        raise Unsupported(*(
            Diagnostic("E0801", f"PostgreSQL does not carry out names of more than {_LONGEST} bytes, as `{name}`",
                       None, "give the column a shorter name, for an input by `column:`")
            for name in long
        ))


# --- the header ---------------------------------------------------------------------------------


def _header(program: ir.Program, query: Query, asked: Asked) -> list[str]:
    title = DIALECTS[asked.dialect].title
    lines = [f"{_plain(program.name)}, version {_plain(program.version)}, for {title}"]
    mark = digest_of(program)
    if mark is not None:
        lines.append(f"digest: {mark}")
    if asked.as_of is not None:
        lines.append(f"as of {asked.as_of.isoformat()}")
    else:
        place = next(query.tree.find_all(exp.Placeholder, exp.Parameter), None)
        shown = "none is read" if place is None else f"{place.sql(query.dialect)}, the date of the decisions"
        lines.append(f"parameters: {shown}")
    lines += NOTES[asked.dialect]
    lines += _told(query)
    return lines


def _told(query: Query) -> list[str]:
    """What the columns with sets and with counted durations hold."""
    lines = []
    for column in query.columns:
        name = f'"{_plain(column.name)}"'
        if column.labels is not None and not query.lists:
            held = column.labels[60 * column.lane:60 * (column.lane + 1)]
            bits = ", ".join(f"{bit} {_plain(label)}" for bit, label in enumerate(held)) or "none"
            lines.append(f"{name}: a set of bits, from the lowest: {bits}")
        elif column.type is not None and column.type.kind in _COUNTED:
            lines.append(f"{name}: {_COUNTED[column.type.kind]}")
    return lines


_COUNTED = {dt.DAYS_DURATION: "a duration in microseconds", dt.MONTHS_DURATION: "a duration in months"}


def _plain(text: str) -> str:
    """A text that ends no comment."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


__all__ = ["EXTRAS", "Asked", "Output", "TableName", "digest_of", "reading", "statement"]
