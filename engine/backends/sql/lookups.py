"""Lookups in constant tables: a flat CASE for small ones, a join for the others."""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.directory import directory
from engine.backends.sql.stages import Cte, Joined, JoinedTable, Matches, Sql
from engine.ir import nodes as ir

if TYPE_CHECKING:
    from engine.backends.sql.relations import Expressions

#: Rows up to which a table is a CASE: one of 5,000 arms ran 700 times slower than a join.
MAX_CASE = 50


def looked_up(of: Expressions, table: ir.TableDecl, node: ir.Lookup) -> Sql:
    """A column of the row with the keys, or of the last row at or below the key; NULL where there is none."""
    keys = [of.stages.named(of.compile(k)) for k in node.keys]
    column = [name for name, _ in table.columns].index(node.column)
    if len(table.rows) <= MAX_CASE:
        return _as_case(of, table, keys, column, node)
    return _as_join(of, table, keys, column, node)


def _as_case(of: Expressions, table: ir.TableDecl, keys: Sequence[Sql], column: int, node: ir.Lookup) -> Sql:
    rows = table.rows if table.mode == "key" else tuple(reversed(table.rows))
    kind = exp.EQ if table.mode == "key" else exp.GTE
    whens = []
    for row in rows:
        tests = [
            kind(this=k.tree.copy(), expression=of.literal(v, node.at)) for k, v in zip(keys, row, strict=False)
        ]
        whens.append((st.all_of(tests), of.literal(row[column], node.at)))
    return Sql(st.case(whens), st.deepest(keys), True)


def _as_join(of: Expressions, table: ir.TableDecl, keys: Sequence[Sql], column: int, node: ir.Lookup) -> Sql:
    """The table as a relation that is joined by its keys, or by the band in which the key lies."""
    keyed = [
        k if isinstance(k.tree, exp.Column) else of.stages.named(k.replace(tree=exp.Paren(this=k.tree))) for k in keys
    ]
    place = (table.name, tuple(k.tree.name for k in keyed))
    shared = of.joined_tables.get(place)
    if shared is None:
        make = _by_band if table.mode == "band" else _by_key
        shared = of.joined_tables[place] = make(of, table, keyed, node)
    joined, level, fields = shared
    if fields[column] not in joined.columns:
        joined.columns.append(fields[column])
    return Sql(st.column(fields[column]), level, True)


def _by_key(of: Expressions, table: ir.TableDecl, keyed: Sequence[Sql], node: ir.Lookup) -> JoinedTable:
    fields = [of.stages.names.fresh() for _ in table.columns]
    seen: set[Any] = set()
    rows = []
    for row in table.rows:
        key = row[:len(keyed)]
        if key not in seen:                 # the first row of a key counts
            seen.add(key)
            rows.append([of.literal(v, node.at) for v in row])
    on = [(k.tree.name, f, False) for k, f in zip(keyed, fields, strict=False)]
    return _joined(of, _table(of, fields, rows, on), keyed, fields)


def _by_band(of: Expressions, table: ir.TableDecl, keyed: Sequence[Sql], node: ir.Lookup) -> JoinedTable:
    """By the buckets of a directory, or to the nearest row where bands are too uneven for one."""
    fields = [of.stages.names.fresh() for _ in table.columns]
    (key,) = keyed
    found = directory([float(bound) for bound, *_ in table.rows if isinstance(bound, (int, float))])
    cells = [[of.literal(v, node.at) for v in row] for row in table.rows]
    if found is None:
        joined = _table(of, fields, cells, [(key.tree.name, fields[0], False)])
        joined.nearest = True
        return _joined(of, joined, keyed, fields)
    bucket = of.stages.named(Sql(found.tree(key), key.level, True))
    place, end = of.stages.names.fresh(), of.stages.names.fresh()
    rows = [
        [st.whole(b), exp.null() if after is None else of.literal(after, node.at), *(c.copy() for c in cells[band])]
        for b, band, after in found.rows
    ]
    joined = _table(of, [place, end, *fields], rows, [(bucket.tree.name, place, False)])
    joined.between = (key.tree.name, fields[0], end)
    return _joined(of, joined, [key, bucket], fields)


def _joined(of: Expressions, joined: Joined, by: Sequence[Sql], fields: list[str]) -> JoinedTable:
    level = st.deepest(by) + 1
    of.stages.join(level, joined)
    return joined, level, fields


def _table(of: Expressions, fields: Sequence[str], rows: Sequence[Sequence[exp.Expr]], on: Matches) -> Joined:
    """A constant relation, to be joined."""
    alias = of.stages.names.fresh("l")

    def make(_: str) -> list[Cte]:
        values = exp.Values(
            expressions=[exp.Tuple(expressions=list(row)) for row in rows],
            alias=exp.TableAlias(this=exp.to_identifier("v"), columns=[exp.to_identifier(f) for f in fields]),
        )
        return [(alias, exp.select(*(st.column(f) for f in fields)).from_(values, copy=False))]

    return Joined(alias, on, make)
