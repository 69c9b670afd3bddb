"""Relations of points, and sameness of two values; `semantics.intervals` and `semantics.equality`."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql import trees as t
from engine.backends.sql.dialects import DAY
from engine.backends.sql.operations.dates import FIRST
from engine.backends.sql.stages import Sql, case
from engine.backends.support import ORDERED, SCALARS, Form
from engine.ir import nodes as ir
from engine.semantics import dtypes as dt
from engine.semantics.number import FLOOR_NUMBER

if TYPE_CHECKING:
    from engine.backends.sql.expressions import SqlExpressions

_SECOND = 1_000_000


def kinds_agree(kinds: tuple[str, str]) -> bool:
    """Whether two kinds are one to FEEL, which knows no money."""
    return kinds[0] == kinds[1] or all(k in dt.NUMERIC for k in kinds)


def equals(of: SqlExpressions, a: Sql, b: Sql, kind: str, exact: bool = False) -> Sql:
    """Whether two values of one kind are equal to FEEL: numbers within the tolerance, moments and times by
    their whole seconds, neither of them where `exact`; NULL where one is."""
    if kind in dt.NUMERIC and not exact:
        return of.compared("=", a, b, FLOOR_NUMBER)
    if kind in (dt.DATE_TIME, dt.TIME) and not exact:
        a, b = (x.replace(tree=_seconds(of, x, kind)) for x in (a, b))
    return of.joined(t.equal(a, b), [a, b])


def _seconds(of: SqlExpressions, value: Sql, kind: str) -> exp.Expr:
    if kind == dt.TIME:
        return of.dialect.quotient(of.dialect.clock(value), _SECOND)
    return of.dialect.quotient(t.minus(of.dialect.micros(value), FIRST * DAY), _SECOND)


def same(of: SqlExpressions, a: Sql, b: Sql, kinds: tuple[str, str], exact: bool = False) -> Sql:
    """Equal, or both null; may be NULL where only one is."""
    a, b = of.stages.named(a), of.stages.named(b)
    nulls = [st.is_null(t.tree(x)) if x.nullable else exp.false() for x in (a, b)]
    both = st.all_of(nulls)
    never = any(not x.nullable for x in (a, b))
    if not kinds_agree(kinds):
        return Sql(exp.false()) if never else of.joined(both, [a, b]).replace(nullable=False)
    equal = of.stages.named(equals(of, a, b, kinds[0], exact))
    if never:
        return equal
    return of.joined(case([(both, exp.true())], t.tree(equal)), [a, b, equal])


def identical(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """FEEL's `is`; never NULL."""
    kinds = (node.args[0].type.kind, node.args[1].type.kind)
    found = same(of, args[0], args[1], kinds, exact=kinds[0] not in dt.NUMERIC)
    if not found.nullable:
        return found
    return found.replace(tree=case([(t.tree(found), exp.true())], exp.false()), nullable=False)


def related(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """`before`, `after` and `coincides` of two points; NULL for points of two kinds."""
    kinds = (node.args[0].type.kind, node.args[1].type.kind)
    if not kinds_agree(kinds):
        return of.nothing(dt.BOOLEAN)
    a, b = (of.stages.named(x) for x in args)
    if node.op == "coincides":
        return equals(of, a, b, kinds[0])
    if node.op == "after":
        a, b = b, a
    return less(of, a, b, kinds[0])


def less(of: SqlExpressions, a: Sql, b: Sql, kind: str) -> Sql:
    """Whether a value is below another of its kind, numbers by more than the tolerance."""
    if kind in dt.NUMERIC:
        return of.compared("<", a, b, FLOOR_NUMBER)
    order = of.dialect.ordered if kind == dt.STRING else t.tree
    return of.joined(t.below(order(a), order(b)), [a, b])


OPERATIONS: Mapping[str, tuple[Form, ...]] = {
    "is": (Form((SCALARS, SCALARS), identical),),
    **dict.fromkeys(("before", "after", "coincides"), (Form((ORDERED, ORDERED), related),)),
}
