"""Dates, moments and times of day, all local, as `semantics.temporal` has them; NULL outside the years 1 to 9999."""
from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql import trees as t
from engine.backends.sql.dialects import DAY
from engine.backends.sql.stages import Sql, case
from engine.backends.support import DATED, DATES, DAYS, MOMENTS, MONTHS, TIMES, Form
from engine.ir import nodes as ir
from engine.semantics import dtypes as dt
from engine.semantics.temporal import MONTHS as MONTH_NAMES
from engine.semantics.temporal import WEEKDAYS

if TYPE_CHECKING:
    from engine.backends.sql.expressions import SqlExpressions

_EPOCH = datetime.date(1970, 1, 1).toordinal()
#: Day numbers of the first and last date, and the months before them.
FIRST, LAST = datetime.date.min.toordinal() - _EPOCH, datetime.date.max.toordinal() - _EPOCH
_FIRST_MONTH, _LAST_MONTH = 12, 9999 * 12 + 11


def between(value: Sql, low: int, high: int) -> exp.Expr:
    return exp.Between(this=t.tree(value), low=st.whole(low), high=st.whole(high))


def date_of(of: SqlExpressions, days: Sql) -> Sql:
    """The date of a day number, NULL outside the years that there are."""
    days = of.stages.named(days)
    return days.replace(tree=case([(between(days, FIRST, LAST), of.dialect.date_of(days))]), nullable=True)


def moment_of(of: SqlExpressions, micros: Sql) -> Sql:
    micros = of.stages.named(micros)
    test = between(micros, FIRST * DAY, (LAST + 1) * DAY - 1)
    return micros.replace(tree=case([(test, of.dialect.moment_of(micros))]), nullable=True)


def floor_quotient(of: SqlExpressions, value: Sql, unit: int) -> exp.Expr:
    """How often a unit goes into a count, toward minus infinity; both divisions are of what is not negative."""
    forward = of.dialect.quotient(value, unit)
    backward = t.opposite(of.dialect.quotient(t.minus(unit - 1, value), unit))
    return case([(t.at_least(value, 0), forward)], backward)


def floor_remainder(of: SqlExpressions, value: t.Operand, modulus: int) -> exp.Expr:
    """A count modulo a positive number, not negative."""
    return of.dialect.remainder(t.plus(of.dialect.remainder(value, modulus), modulus), modulus)


def clock_of(of: SqlExpressions, value: Sql, kind: str) -> exp.Expr:
    """Microseconds since midnight of a moment or time."""
    if kind == dt.TIME:
        return of.dialect.clock(value)
    return floor_remainder(of, of.dialect.micros(value), DAY)


def day_number(of: SqlExpressions, value: Sql, kind: str) -> exp.Expr:
    return of.dialect.day_number(of.dialect.day(value) if kind == dt.DATE_TIME else value)


# --- arithmetic -----------------------------------------------------------------------------------


def _operands(node: ir.Call, args: Sequence[Sql]) -> tuple[Sql, str, Sql, str]:
    """What is moved and by what span, with their kinds; the span with its sign."""
    kinds = [a.type.kind for a in node.args]
    first = 1 if kinds[0] in (dt.DAYS_DURATION, dt.MONTHS_DURATION) else 0
    span = args[1 - first]
    if node.op == "-":
        span = span.replace(tree=t.opposite(span))
    return args[first], kinds[first], span, kinds[1 - first]


def moved(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """A date or moment some days or months on, or a time of day, which wraps around midnight."""
    at, kind, span, unit = _operands(node, args)
    at, span = of.stages.named(at), of.stages.named(span)
    if unit == dt.MONTHS_DURATION:
        return _months_on(of, at, kind, span)
    if kind == dt.DATE:
        count = t.plus(of.dialect.day_number(at), floor_quotient(of, span, DAY))
        return date_of(of, of.joined(count, [at, span]))
    if kind == dt.TIME:
        clock = of.stages.named(of.joined(t.plus(of.dialect.clock(at), span), [at, span]))
        return of.joined(of.dialect.time_of(floor_remainder(of, clock, DAY)), [clock])
    return moment_of(of, of.joined(t.plus(of.dialect.micros(at), span), [at, span]))


def _months_on(of: SqlExpressions, at: Sql, kind: str, span: Sql) -> Sql:
    day = of.stages.named(at.replace(tree=of.dialect.day(at))) if kind == dt.DATE_TIME else at
    year, month = (t.bigint(of.dialect.part(unit, day)) for unit in ("YEAR", "MONTH"))
    count = of.stages.named(of.joined(t.plus(t.plus(t.times(year, 12), t.minus(month, 1)), span), [day, span]))
    inside = between(count, _FIRST_MONTH, _LAST_MONTH)
    tree = case([(inside, of.dialect.months_on(day, span))])
    found = of.joined(tree, [day, span, count], True)
    if kind == dt.DATE:
        return found
    found = of.stages.named(found)
    micros = t.plus(t.times(of.dialect.day_number(found), DAY), clock_of(of, at, kind))
    return moment_of(of, of.joined(micros, [found, at]))


def difference(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """Microseconds between two dates, moments or times."""
    kind = node.args[0].type.kind
    if kind == dt.DATE:
        a, b = (of.dialect.day_number(x) for x in args)
        return of.joined(t.times(t.minus(a, b), DAY), args)
    count = of.dialect.clock if kind == dt.TIME else of.dialect.micros
    return of.joined(t.minus(count(args[0]), count(args[1])), args)


# --- parts ---------------------------------------------------------------------------------------


def date_part(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    unit = node.op.removeprefix(".").upper()
    return of.joined(t.double(of.dialect.part(unit, args[0])), args)


def second(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """Whole seconds; some engines give the fraction with them."""
    return of.joined(t.double(exp.Floor(this=of.dialect.part("SECOND", args[0]))), args)


def never(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """Local times have no zone and no offset."""
    return of.nothing(node.type.kind)


def _weekday(of: SqlExpressions, value: Sql, kind: str) -> Sql:
    """1 for Monday, which the first day of the year 1 was."""
    count = t.minus(day_number(of, value, kind), FIRST)
    return of.joined(t.plus(of.dialect.remainder(count, 7), 1), [value])


def weekday(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    found = _weekday(of, args[0], node.args[0].type.kind)
    return found.replace(tree=t.double(found))


def day_name(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    return _named(of, _weekday(of, args[0], node.args[0].type.kind), WEEKDAYS)


def month_name(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    return _named(of, of.joined(of.dialect.part("MONTH", args[0]), args), MONTH_NAMES)


def _named(of: SqlExpressions, number: Sql, names: Sequence[str]) -> Sql:
    number = of.stages.named(number)
    return number.replace(tree=case([(t.equal(number, n), t.text(name)) for n, name in enumerate(names, start=1)]))


def of_year(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    unit = "DOY" if node.op == "day of year" else "WEEK"
    return of.joined(t.double(of.dialect.part(unit, args[0])), args)


_MOVED = [(at, span) for at in (DATES, MOMENTS) for span in (DAYS, MONTHS)] + [(TIMES, DAYS)]
OPERATIONS: Mapping[str, tuple[Form, ...]] = {
    "+": tuple(Form(kinds, moved) for pair in _MOVED for kinds in (pair, pair[::-1])),
    "-": (
        *(Form((kind, kind), difference) for kind in (DATES, MOMENTS, TIMES)), *(Form(pair, moved) for pair in _MOVED),
    ),
    **dict.fromkeys((".year", ".month", ".day"), (Form((DATED,), date_part),)),
    **dict.fromkeys((".hour", ".minute"), (Form((MOMENTS | TIMES,), date_part),)),
    ".second": (Form((MOMENTS | TIMES,), second),),
    ".weekday": (Form((DATED,), weekday),),
    **dict.fromkeys((".time offset", ".timezone"), (Form((MOMENTS | TIMES,), never),)),
    "day of week": (Form((DATED,), day_name),),
    "month of year": (Form((DATED,), month_name),),
    **dict.fromkeys(("day of year", "week of year"), (Form((DATED,), of_year),)),
}
