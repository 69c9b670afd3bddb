"""Lists of constants read from a table, in DuckDB: a row's list is one of a few hundred, each of which is made once.

`LIST_FILTER([CASE WHEN a THEN 'x' END, ...])` makes every list anew. Here the conditions become the bits of a number,
and a table that has the list of each number joins the rows.
"""
from __future__ import annotations

from collections.abc import Collection

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.enums import enum
from engine.backends.sql.masks import summed
from engine.backends.sql.simplify import Simplifier
from engine.backends.sql.stages import Sql

#: Items of a list that is looked up, and lists of a query that are: a table has two rows to the power of the items.
MOST_ITEMS = 12
MOST_LISTS = 6


def decoded(query: exp.Select, solid: Collection[str]) -> exp.Select:
    """The query with such lists among its results looked up; it is changed in place. `solid` are columns that are never
    NULL."""
    source = query.args["from_"].this
    simplifier = Simplifier(solid)
    columns: list[exp.Alias] = []
    joins: list[tuple[str, str, exp.Select]] = []
    for each in query.expressions:
        found = _found(each.this) if isinstance(each, exp.Alias) and len(columns) < MOST_LISTS else None
        if found is None:
            continue
        refused, items = found
        number, table = f"m{len(columns) + 1}", f"d{len(columns) + 1}"
        bits: exp.Expr = summed([Sql(test) for test, _ in items])
        whole = bits if refused is None else st.case([(refused, exp.null())], bits)
        columns.append(exp.Alias(this=simplifier.value(whole), alias=exp.to_identifier(number)))
        joins.append((table, number, _table(number, [item for _, item in items])))
        each.set("this", st.column("l", table))
    if not columns:
        return query
    stage = exp.select(exp.Star(), *columns).from_(source.copy())
    query = query.with_("m0", as_=stage, copy=False)
    query.set("from_", exp.From(this=exp.Table(this=exp.to_identifier("m0"))))
    for table, number, rows in joins:
        query = query.with_(table, as_=rows, copy=False)
        on = exp.EQ(this=st.column("n", table), expression=st.column(number, "m0"))
        query = query.join(exp.Table(this=exp.to_identifier(table)), on=on, join_type="LEFT", copy=False)
    return query


def _found(tree: exp.Expr) -> tuple[exp.Expr | None, list[tuple[exp.Expr, exp.Expr]]] | None:
    """What a result that is a list is NULL for, and the condition of each item; None where it is no list of
    constants."""
    refused = None
    if isinstance(tree, exp.Case) and len(tree.args["ifs"]) == 1 and isinstance(
            tree.args["ifs"][0].args["true"], exp.Null) and tree.args.get("default") is not None:
        refused, tree = tree.args["ifs"][0].this, tree.args["default"]
    if not isinstance(tree, exp.ArrayCompact) or not isinstance(tree.this, exp.Array):
        return None
    items = []
    for item in tree.this.expressions:
        if isinstance(item, exp.Null):
            continue
        if not isinstance(item, exp.Case) or len(item.args["ifs"]) != 1 or item.args.get("default") is not None:
            return None
        branch = item.args["ifs"][0]
        if not _is_constant(branch.args["true"]):
            return None
        items.append((branch.this, branch.args["true"]))
    return (refused, items) if 1 < len(items) <= MOST_ITEMS else None


def _as_enums(items: list[exp.Expr]) -> list[exp.Expr]:
    if all(isinstance(item, exp.Struct) for item in items):
        columns = [
            _as_enums([field.expression for field in fields])
            for fields in zip(*(item.expressions for item in items), strict=True)
        ]
        return [
            exp.Struct(expressions=[
                exp.PropertyEQ(this=field.this, expression=value)
                for field, value in zip(item.expressions, values, strict=True)
            ])
            for item, values in zip(items, zip(*columns, strict=True), strict=True)
        ]
    if not all(isinstance(item, exp.Literal) and item.is_string for item in items):
        return items
    kind = enum([item.this for item in items])
    return [exp.Cast(this=item, to=kind.copy()) for item in items]


def _is_constant(tree: exp.Expr) -> bool:
    if isinstance(tree, exp.Struct):
        return all(_is_constant(field.expression) for field in tree.expressions)
    if isinstance(tree, (exp.Cast, exp.Paren, exp.Neg)):
        return _is_constant(tree.this)
    return isinstance(tree, (exp.Literal, exp.Boolean, exp.Null))


def _table(number: str, items: list[exp.Expr]) -> exp.Select:
    """Every number with the items of its bits, texts as values of an ENUM."""
    items = _as_enums(items)
    tests = [
        st.case([(exp.NEQ(
            this=exp.Paren(this=exp.BitwiseAnd(this=st.column("n"), expression=st.whole(1 << bit))),
            expression=st.whole(0),
        ), item.copy())])
        for bit, item in enumerate(items)
    ]
    numbers = exp.Table(
        this=exp.Anonymous(this="RANGE", expressions=[st.whole(1 << len(items))]),
        alias=exp.TableAlias(this=exp.to_identifier("t"), columns=[exp.to_identifier("n")]),
    )
    listed = exp.ArrayCompact(this=exp.Array(expressions=tests))
    return exp.select(st.column("n"), exp.alias_(listed, "l")).from_(numbers)
