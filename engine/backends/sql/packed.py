"""Constant tables in DuckDB: a column is one text, which is read when the query runs.

To parse and plan thousands of rows takes longer than to join a million customers to them.
"""
from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from engine.backends.sql import stages as st

#: Rows up to which a table stays as it is, readable.
MOST_ROWS = 50


def packed(query: exp.Select) -> exp.Select:
    """The query with its constant tables of numbers and texts packed; it is changed in place."""
    for values in list(query.find_all(exp.Values)):
        select = values.find_ancestor(exp.Select)
        if select is None or len(values.expressions) <= MOST_ROWS or not all(e.name for e in select.expressions):
            continue
        names = [c.name for c in values.args["alias"].columns]
        columns = zip(*(row.expressions for row in values.expressions), strict=True)
        made = {name: tree for name, cells in zip(names, columns, strict=True) if (tree := _column(cells)) is not None}
        if any(e.name not in made for e in select.expressions):
            continue
        select.set("expressions", [exp.alias_(made[e.name], e.name, copy=False) for e in select.expressions])
        select.set("from_", None)
    return query


def _column(cells: Sequence[exp.Expr]) -> exp.Expr | None:
    """The cells one below the other; None where they are neither numbers nor texts."""
    numbers = [_number(c) for c in cells]
    if all(n is not None for n in numbers):
        kind = "BIGINT[]" if all(n == "NULL" or n.lstrip("-").isdigit() for n in numbers if n) else "DOUBLE[]"
        listed: exp.Expr = exp.cast(exp.Literal.string(f"[{', '.join(n for n in numbers if n)}]"), kind)
    elif all(isinstance(c, exp.Literal) and c.is_string and "\n" not in c.this for c in cells):
        line = exp.Chr(expressions=[st.whole(10)])
        listed = exp.Split(this=exp.Literal.string("\n".join(c.this for c in cells)), expression=line)
    else:
        return None
    return exp.Unnest(expressions=[listed])


def _number(cell: exp.Expr) -> str | None:
    """How a number or NULL is written."""
    cell = cell.unnest()
    if isinstance(cell, exp.Null):
        return "NULL"
    if isinstance(cell, exp.Neg):
        inner = _number(cell.this)
        return None if inner is None else f"-{inner}"
    return cell.this if isinstance(cell, exp.Literal) and not cell.is_string else None
