"""Constants that a planner must not compute ahead: PostgreSQL folds every branch of a CASE whose condition it does not
know, and ends with the error of one that no row would take."""
from __future__ import annotations

from sqlglot import exp

#: Functions that raise for some operands.
_RAISING = frozenset({"MAKE_DATE", "MAKE_INTERVAL"})


def constants(query: exp.Select, dialect: str) -> exp.Select:
    """An operand of what may raise becomes `(SELECT operand)`, which is computed when a row asks for it."""
    if dialect != "postgres":
        return query
    for cast in list(query.find_all(exp.Cast)):
        if not _harmless(cast) and _is_constant(cast):
            cast.set("this", _asked(cast.this))
    for call in list(query.find_all(exp.Anonymous)):
        if call.name.upper() in _RAISING and _is_constant(call):
            call.set("expressions", [*call.expressions[:-1], _asked(call.expressions[-1])])
    return query


def _harmless(cast: exp.Cast) -> bool:
    of = cast.this
    if isinstance(of, (exp.Null, exp.Boolean, exp.Placeholder, exp.Parameter, exp.Array)):
        return True
    return isinstance(of, exp.Literal) and (of.is_string or cast.to.this == exp.DataType.Type.DOUBLE)


def _is_constant(tree: exp.Expr) -> bool:
    return tree.find(exp.Column, exp.Query, exp.AggFunc) is None


def _asked(tree: exp.Expr) -> exp.Expr:
    return exp.Subquery(this=exp.select(tree.copy()))
