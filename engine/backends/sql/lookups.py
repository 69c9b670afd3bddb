"""Lookups in constant tables: a flat CASE for small ones, a join for the others."""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.stages import Cte, Joined, Sql
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
    """The table as a relation: joined by its keys, or by band with the key at which the next row begins."""
    names, width = of.stages.names, len(keys)
    keyed = [
        k if isinstance(k.tree, exp.Column) else of.stages.named(k.replace(tree=exp.Paren(this=k.tree))) for k in keys
    ]
    level = st.deepest(keyed) + 1
    shared = of.joined_tables.get((table.name, level, tuple(k.tree.name for k in keyed)))
    if shared is None:
        alias = names.fresh("l")
        fields = [names.fresh() for _ in table.columns]
        bands = table.mode == "band"
        seen: set[Any] = set()
        rows = []
        for row in table.rows:
            if not bands and row[:width] in seen:
                continue                    # the first row of a key counts
            seen.add(row[:width])
            rows.append(exp.Tuple(expressions=[of.literal(v, node.at) for v in row]))

        def make(_: str) -> list[Cte]:
            values = exp.Values(
                expressions=rows,
                alias=exp.TableAlias(this=exp.to_identifier("v"), columns=[exp.to_identifier(f) for f in fields]),
            )
            return [(alias, exp.select(*(st.column(f) for f in fields)).from_(values))]

        on = [(k.tree.name, f, False) for k, f in zip(keyed, fields, strict=False)]
        joined = Joined(alias, on, make)
        joined.nearest = bands
        shared = of.joined_tables[(table.name, level, tuple(k.tree.name for k in keyed))] = (joined, fields)
        of.stages.join(level, joined)
    joined, fields = shared
    if fields[column] not in joined.columns:
        joined.columns.append(fields[column])
    return Sql(st.column(fields[column]), level, True)
