"""The first or last row's value in an order: the first item of an ordered list, where an engine has those."""
from __future__ import annotations

from sqlglot import exp

from engine.backends.sql import stages as st


def edges(query: exp.Select, dialect: str) -> exp.Select:
    """`(ARRAY_AGG(value ORDER BY keys) FILTER (WHERE condition))[1]` in an engine's words."""
    if dialect == "postgres":
        return query
    for found in list(query.find_all(exp.Bracket)):
        listed = found.this.unnest()
        condition = None
        if isinstance(listed, exp.Filter):
            condition = listed.expression.this
            listed = listed.this
        if not isinstance(listed, exp.ArrayAgg) or not isinstance(listed.this, exp.Order):
            continue
        value, keys = listed.this.this, listed.this.expressions
        found.replace(_WAYS[dialect](found, value, keys, condition))
    return query


def _least(found: exp.Expr, value: exp.Expr, keys: list[exp.Ordered], condition: exp.Expr | None) -> exp.Expr:
    """Spark compares structs member by member, NULL before every value: as the keys are ordered."""
    descending = bool(keys[0].args.get("desc"))
    by = exp.Struct(expressions=[
        exp.PropertyEQ(this=exp.to_identifier(f"k{i}"), expression=key.this.copy()) for i, key in enumerate(keys)
    ])
    edge = (exp.ArgMax if descending else exp.ArgMin)(this=value.copy(), expression=by)
    return edge if condition is None else exp.Filter(this=edge, expression=exp.Where(this=condition.copy()))


def _ranked(found: exp.Expr, value: exp.Expr, keys: list[exp.Ordered], condition: exp.Expr | None) -> exp.Expr:
    """Snowflake's lists leave NULL out, and its MIN_BY takes one key: the number of the row in the order."""
    select = found.find_ancestor(exp.Select)
    assert isinstance(select, exp.Select)
    order = exp.Order(expressions=[k.copy() for k in keys])
    group = select.args["group"].expressions
    number = exp.Window(this=exp.RowNumber(), partition_by=[g.copy() for g in group], order=order)
    source = select.args["from_"].this
    inner = source.this if isinstance(source, exp.Subquery) else None
    if inner is None:
        inner = exp.select(exp.Star()).from_(source.copy())
        source.replace(inner.subquery(source.alias_or_name, copy=False))
        inner = select.args["from_"].this.this
    name = next((a.alias for a in inner.expressions if isinstance(a, exp.Alias) and a.this == number), None)
    if name is None:
        name = f"n{len(inner.expressions)}"
        inner.select(exp.alias_(number, name), copy=False)
    place = st.column(name) if condition is None else st.case([(condition.copy(), st.column(name))])
    return exp.ArgMin(this=value.copy(), expression=place)


def _limited(found: exp.Expr, value: exp.Expr, keys: list[exp.Ordered], condition: exp.Expr | None) -> exp.Expr:
    """BigQuery's lists may not hold NULL at the end: the value is wrapped, rows that do not count are left out."""
    wrapped: exp.Expr = exp.Struct(expressions=[
        exp.PropertyEQ(this=exp.to_identifier("v"), expression=value.copy())
    ])
    if condition is not None:
        wrapped = st.case([(condition.copy(), wrapped)])
    ordered = exp.Order(this=exp.IgnoreNulls(this=wrapped), expressions=[k.copy() for k in keys])
    listed = exp.ArrayAgg(this=exp.Limit(this=ordered, expression=st.whole(1)))
    first = exp.Bracket(this=listed, expressions=[st.whole(0)], offset=0, safe=True)
    return exp.Dot(this=first, expression=exp.to_identifier("v"))


_WAYS = {"spark": _least, "snowflake": _ranked, "bigquery": _limited}
