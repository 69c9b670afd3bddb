"""The middle items of an aggregate: PERCENTILE_DISC within a group, by which each engine means another thing."""
from __future__ import annotations

from sqlglot import exp

from engine.backends.sql import stages as st


def medians(query: exp.Select, dialect: str) -> exp.Select:
    """`PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY value [DESC])`, over what is not NULL."""
    if dialect == "postgres":
        return query
    for found in list(query.find_all(exp.WithinGroup)):
        if isinstance(found.this, exp.PercentileDisc):
            ordered = found.expression.expressions[0]
            found.replace(_WAYS[dialect](found, ordered.this, bool(ordered.args.get("desc"))))
    return query


def _plain(found: exp.WithinGroup, value: exp.Expr, descending: bool) -> exp.Expr:
    """Spark takes the direction, and no word on NULL. The name stands as it is: for a percentile sqlglot would write
    one that is approximate."""
    by = exp.Ordered(this=value.copy(), desc=descending, nulls_first=not descending)
    exact = exp.Anonymous(this="PERCENTILE_DISC", expressions=[exp.Literal.number("0.5")])
    return exp.WithinGroup(this=exact, expression=exp.Order(expressions=[by]))


def _mirrored(found: exp.WithinGroup, value: exp.Expr, descending: bool) -> exp.Expr:
    """Snowflake's order always ascends."""
    if descending:
        value = exp.Neg(this=exp.Paren(this=value.copy()))
    by = exp.Ordered(this=value.copy(), desc=False, nulls_first=False)
    middle = exp.WithinGroup(this=found.this.copy(), expression=exp.Order(expressions=[by]))
    return exp.Paren(this=exp.Neg(this=exp.Paren(this=middle))) if descending else middle


def _listed(found: exp.WithinGroup, value: exp.Expr, descending: bool) -> exp.Expr:
    """BigQuery has it over windows alone: the item in the middle of the ordered list."""
    by = exp.Ordered(this=value.copy(), desc=descending, nulls_first=not descending)
    listed = exp.ArrayAgg(this=exp.Order(this=exp.IgnoreNulls(this=value.copy()), expressions=[by]))
    before = exp.Sub(this=exp.Count(this=value.copy()), expression=st.whole(1))
    place = exp.Anonymous(this="DIV", expressions=[before, st.whole(2)])
    return exp.Bracket(this=listed, expressions=[place], offset=0, safe=True)


_WAYS = {"spark": _plain, "snowflake": _mirrored, "bigquery": _listed}
