"""Durations: whole microseconds, or whole months, in a BIGINT. Whatever leaves the range of a policy's durations
(`semantics.narrow`) is NULL; sums of two that lie in it fit a BIGINT."""
from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql import trees as t
from engine.backends.sql.dialects import DAY
from engine.backends.sql.operations.exact import product as exact_product
from engine.backends.sql.operations.exact import quotient as exact_quotient
from engine.backends.sql.operations.exact import ratio as exact_ratio
from engine.backends.sql.operations.numbers import fits_bigint, quotient
from engine.backends.sql.stages import Sql, case
from engine.backends.support import DATED, DAYS, MONTHS, NUMBERS, Form, Gap
from engine.ir import nodes as ir
from engine.semantics import dtypes as dt
from engine.semantics.narrow import MOST_DAYS, MOST_MONTHS

if TYPE_CHECKING:
    from engine.backends.sql.expressions import SqlExpressions

SECOND = 1_000_000
MOST_MICROS = MOST_DAYS * DAY
_MOST = {dt.DAYS_DURATION: MOST_MICROS, dt.MONTHS_DURATION: MOST_MONTHS}


def bounded(of: SqlExpressions, value: Sql, kind: str) -> Sql:
    """NULL beyond the durations that a policy may hold."""
    value = of.stages.named(value)
    most = _MOST[kind]
    test = exp.Between(this=t.tree(value), low=st.whole(-most), high=st.whole(most))
    return value.replace(tree=case([(test, t.tree(value))]), nullable=True)


def _kind(node: ir.Call) -> str:
    """Of the duration among the operands; the node's own type may be any, beside a member of a context."""
    return next(a.type.kind for a in node.args if a.type.kind in _MOST)


def sum_of_two(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    tree = t.plus(args[0], args[1]) if node.op == "+" else t.minus(args[0], args[1])
    return bounded(of, of.joined(tree, args), _kind(node))


def minus(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    return of.joined(t.opposite(args[0]), args)


def magnitude(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    return of.joined(t.size(args[0]), args)


# --- products and quotients ------------------------------------------------------------------


def times_number(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """A duration times a number: months are cut to whole ones, days exact to the nanosecond and cut to the
    microsecond."""
    first = 0 if node.args[1].type.kind in dt.NUMERIC else 1
    span, factor = args[first], args[1 - first]
    if _kind(node) == dt.MONTHS_DURATION:
        return _months(of, of.joined(t.times(t.double(span), factor), args))
    return _scaled(of, node, span, factor, node.args[1 - first], divide=False)


def over_number(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    span, divisor = args
    if _kind(node) == dt.MONTHS_DURATION:
        return _months(of, quotient(of, of.joined(t.double(span), [span]), divisor))
    return _scaled(of, node, span, divisor, node.args[1], divide=True)


def _months(of: SqlExpressions, value: Sql) -> Sql:
    value = of.stages.named(value)
    test = t.below(t.size(value), float(MOST_MONTHS) + 1)
    return value.replace(tree=case([(test, t.cut(value))]), nullable=True)


def _scaled(of: SqlExpressions, node: ir.Call, span: Sql, factor: Sql, by: ir.Node, divide: bool) -> Sql:
    if by.type.whole and fits_bigint(by):
        whole = of.stages.named(of.joined(t.bigint(factor), [factor]))
        return (_over_whole if divide else _times_whole)(of, of.stages.named(span), whole)
    if not of.dialect.has_wide:
        raise Gap(node.at, f"`{node.op}` of a duration by a number that may have a fraction, in {of.dialect.title}")
    scaled = exact_quotient(of, span, factor) if divide else exact_product(of, span, factor)
    return bounded(of, scaled, dt.DAYS_DURATION)


def _times_whole(of: SqlExpressions, span: Sql, factor: Sql) -> Sql:
    """Multiplied where the product surely fits."""
    near = t.times(t.double(t.size(span)), t.double(t.size(factor)))
    fits = of.joined(case([(t.at_most(near, 2.0 * MOST_MICROS), t.times(span, factor))]), [span, factor], True)
    return bounded(of, fits, dt.DAYS_DURATION)


def _over_whole(of: SqlExpressions, span: Sql, divisor: Sql) -> Sql:
    """`floor(x + 1/2000)`, as `exact` says why; compared with a 2000th of the divisor, which keeps to BIGINT."""
    by = of.stages.named(divisor.replace(
        tree=exp.Nullif(this=t.size(divisor), expression=st.whole(0)), nullable=True))
    whole = of.dialect.quotient(t.size(span), by)
    rest = of.dialect.remainder(t.size(span), by)
    share = of.dialect.quotient(by, 2000)
    negative = t.unequal(t.below(span, 0), t.below(divisor, 0))
    tree = case(
        [
            (st.all_of([negative, t.above(rest, share)]), t.minus(t.opposite(whole), 1)),
            (negative.copy(), t.opposite(whole)), (t.at_most(t.minus(by, rest), share), t.plus(whole, 1)),
        ],
        whole,
    )
    return of.joined(tree, [span, divisor, by], True)


def ratio(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """A duration over another: the nearest DOUBLE."""
    a, b = (of.stages.named(x) for x in args)
    if node.args[0].type.kind == dt.MONTHS_DURATION or all(map(_is_of_days, node.args)):
        return quotient(of, *(of.joined(t.double(x), [x]) for x in (a, b)))
    return exact_ratio(of, node, a, b)


def _is_of_days(node: ir.Node) -> bool:
    """Whether a duration is known to be of whole days: a DOUBLE holds it exactly."""
    if isinstance(node, ir.Const):
        return isinstance(node.value, datetime.timedelta) and not node.value % datetime.timedelta(days=1)
    if not isinstance(node, ir.Call):
        return False
    if node.op == "-" and all(a.type.kind == dt.DATE for a in node.args):
        return True
    spans = [a for a in node.args if a.type.kind == dt.DAYS_DURATION]
    others = [a for a in node.args if a.type.kind != dt.DAYS_DURATION]
    return node.op in ("+", "-", "*", "neg", "abs", "min", "max", "sum") and all(map(_is_of_days, spans)) and all(
        a.type.whole for a in others)


# --- parts ---------------------------------------------------------------------------------------


def whole_part(of: SqlExpressions, value: Sql, unit: int, modulus: int | None) -> Sql:
    """Whole units of a count toward zero, those of the next larger unit taken away."""
    value = of.stages.named(value)
    count = of.dialect.quotient(t.size(value), unit)
    if modulus is not None:
        count = of.dialect.remainder(count, modulus)
    signed = case([(t.below(value, 0), t.opposite(count))], count)
    return of.joined(t.double(signed), [value])


_PARTS: dict[str, tuple[int, int | None]] = {
    ".days": (DAY, None), ".hours": (3600 * SECOND, 24), ".minutes": (60 * SECOND, 60), ".seconds": (SECOND, 60),
    ".years": (12, None), ".months": (1, 12),
}


def part(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    return whole_part(of, args[0], *_PARTS[node.op])


def months_between(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """Whole months from one date to another, toward zero."""
    start, end = (of.stages.named(a) for a in args)

    def parted(value: Sql) -> list[exp.Expr]:
        return [t.bigint(of.dialect.part(unit, value)) for unit in ("YEAR", "MONTH", "DAY")]

    (y1, m1, d1), (y2, m2, d2) = parted(start), parted(end)
    total = of.stages.named(of.joined(t.minus(t.plus(t.times(t.minus(y2, y1), 12), m2), m1), [start, end]))
    days = of.stages.named(of.joined(t.minus(d2, d1), [start, end]))
    tree = case(
        [
            (st.all_of([t.above(total, 0), t.below(days, 0)]), t.minus(total, 1)),
            (st.all_of([t.below(total, 0), t.above(days, 0)]), t.plus(total, 1)),
        ],
        t.tree(total),
    )
    return of.joined(tree, [total, days])


OPERATIONS: Mapping[str, tuple[Form, ...]] = {
    "+": tuple(Form((kind, kind), sum_of_two) for kind in (DAYS, MONTHS)),
    "-": tuple(Form((kind, kind), sum_of_two) for kind in (DAYS, MONTHS)),
    "*": tuple(Form(kinds, times_number) for kind in (DAYS, MONTHS) for kinds in ((kind, NUMBERS), (NUMBERS, kind))),
    "/": (
        *(Form((kind, NUMBERS), over_number) for kind in (DAYS, MONTHS)),
        *(Form((kind, kind), ratio) for kind in (DAYS, MONTHS)),
    ),
    "neg": tuple(Form((kind,), minus) for kind in (DAYS, MONTHS)),
    "abs": tuple(Form((kind,), magnitude) for kind in (DAYS, MONTHS)),
    **dict.fromkeys((".days", ".hours", ".minutes", ".seconds"), (Form((DAYS,), part),)),
    **dict.fromkeys((".years", ".months"), (Form((MONTHS,), part),)),
    "years and months duration": (Form((DATED, DATED), months_between),),
}
