"""Texts of values and values of texts, dates of their parts; `semantics.conversions` and `semantics.text`."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql import trees as t
from engine.backends.sql.dialects import DAY
from engine.backends.sql.operations.dates import clock_of, day_number, moment_of
from engine.backends.sql.operations.durations import SECOND
from engine.backends.sql.stages import Sql, case
from engine.backends.support import BOOLEANS, DATED, DATES, DAYS, MOMENTS, MONTHS, NUMBERS, TEXTS, TIMES, Form, Gap
from engine.check.rules import span_of
from engine.ir import nodes as ir
from engine.semantics import dtypes as dt

if TYPE_CHECKING:
    from engine.backends.sql.expressions import SqlExpressions

_EXACT = 2.0**53
_NUMBER = r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?"
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = "[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?"
#: Characters of a text that is read as a number.
_MOST = 400


# --- numbers ----------------------------------------------------------------------------------


def to_number(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """The number that a text writes; the separators are written out in the policy."""
    of.needs("has_reading", node)
    signs = [None if a.type.kind == dt.NULL else _known_text(node, a) for a in node.args[1:]]
    grouping, decimal = (*signs, None, None)[:2]
    if grouping not in (None, " ", ",", ".") or decimal not in (None, ",", ".") or (
            grouping is not None and grouping == decimal):
        return of.nothing(dt.NUMBER)
    plain = t.tree(args[0])
    if grouping is not None:
        plain = exp.Replace(this=plain, expression=t.text(grouping), replacement=t.text(""))
    cleaned = of.stages.named(args[0].replace(tree=plain))
    tests = []
    if decimal is not None and decimal != ".":
        tests.append(st.negated(of.dialect.contains(cleaned, t.text("."))))
        plain = exp.Replace(this=t.tree(cleaned), expression=t.text(decimal), replacement=t.text("."))
        written = of.stages.named(cleaned.replace(tree=plain))
    else:
        written = cleaned
    tests += [of.dialect.is_written(written, _NUMBER), t.at_most(exp.Length(this=t.tree(written)), _MOST)]
    read = case([(st.all_of(tests), exp.TryCast(this=t.tree(written), to=exp.DataType.build("DOUBLE")))])
    return of.only_finite(of.joined(read, [cleaned, written], True))


def _known_text(node: ir.Call, argument: ir.Node) -> str:
    if isinstance(argument, ir.Const) and isinstance(argument.value, str):
        return argument.value
    raise Gap(node.at, f"`{node.op}` with separators that are computed")


# --- texts of values ------------------------------------------------------------------------------


def same(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    return args[0]


def of_boolean(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    value = of.stages.named(args[0])
    return value.replace(tree=case([(t.tree(value), t.text("true")), (st.negated(t.tree(value)), t.text("false"))]))


def of_number(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """15 significant digits in plain notation; whole numbers that binary64 holds exactly in full."""
    value = of.stages.named(args[0])
    kind = node.args[0].type
    full = t.cast(t.bigint(value), "TEXT")
    if kind.whole and all(abs(end) <= _EXACT for end in span_of(kind)):
        return value.replace(tree=full)
    of.needs("has_digits", node)
    held = t.at_most(t.size(value), _EXACT)
    whole = st.all_of([held, t.equal(of.dialect.floor(value), value)])
    digits = of.stages.named(value.replace(tree=of.dialect.digits(t.size(value))))
    mark = of.stages.named(digits.replace(tree=of.dialect.position(digits, t.text("e"))))
    shift = of.stages.named(mark.replace(tree=case([
        (t.above(mark, 0), t.bigint(exp.Substring(this=t.tree(digits), start=t.plus(mark, 1)))),
    ])))
    mantissa = exp.Replace(
        this=exp.Substring(this=t.tree(digits), start=st.whole(1), length=t.minus(mark, 1)),
        expression=t.text("."), replacement=t.text(""),
    )
    bare = of.stages.named(mark.replace(tree=mantissa))
    zeros = t.function("REPEAT", t.text("0"), t.opposite(t.plus(shift, 1)))
    padded = t.function("REPEAT", t.text("0"), t.minus(t.plus(shift, 1), exp.Length(this=t.tree(bare))))
    plain = case(
        [(t.equal(mark, 0), t.tree(digits)), (t.at_least(shift, 0), t.joined([bare, padded]))],
        t.joined([t.text("0."), zeros, bare]),
    )
    sign = case([(t.below(value, 0.0), t.text("-"))], t.text(""))
    tree = case([(whole, full), (st.negated(st.is_null(t.tree(value))), t.joined([sign, exp.Paren(this=plain)]))])
    return of.joined(tree, [value, digits, mark, shift, bare])


def of_date(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """A date, moment or time, as ISO 8601 writes it."""
    kind = node.args[0].type.kind
    value = of.stages.named(args[0])
    parts: list[t.Operand] = []
    if kind != dt.TIME:
        for unit, width, between in (("YEAR", 4, "-"), ("MONTH", 2, "-"), ("DAY", 2, "")):
            parts += [_padded(t.bigint(of.dialect.part(unit, value)), width), t.text(between)]
        parts.pop()
    if kind == dt.DATE_TIME:
        parts.append(t.text("T"))
    if kind != dt.DATE:
        clock = of.stages.named(value.replace(tree=clock_of(of, value, kind)))
        for seconds, modulus, between in ((3600, 24, ":"), (60, 60, ":"), (1, 60, "")):
            count = of.dialect.remainder(of.dialect.quotient(clock, seconds * SECOND), modulus)
            parts += [_padded(count, 2), t.text(between)]
        parts.append(_fraction(of, clock))
        return of.joined(t.joined(parts), [clock, value])
    return value.replace(tree=t.joined(parts))


def _padded(count: exp.Expr, width: int) -> exp.Expr:
    return t.function("LPAD", t.cast(count, "TEXT"), width, t.text("0"))


def _fraction(of: SqlExpressions, micros: Sql) -> exp.Expr:
    """A fraction of a second with its point, "" for none."""
    rest = of.dialect.remainder(micros, SECOND)
    digits = exp.Trim(this=_padded(rest, 6), expression=t.text("0"), position="TRAILING")
    shown = t.joined([t.text("."), digits])
    return case([(t.equal(rest, 0), t.text(""))], shown)


def _counted(count: Sql | exp.Expr, unit: str) -> exp.Expr:
    """A count with its unit, "" for none."""
    return case([(t.equal(count, 0), t.text(""))], t.joined([t.cast(count, "TEXT"), t.text(unit)]))


def of_days(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    value = of.stages.named(args[0])
    size = of.stages.named(value.replace(tree=t.size(value)))
    days = of.dialect.quotient(size, DAY)
    clock = of.stages.named(size.replace(tree=of.dialect.remainder(size, DAY)))
    hours = of.dialect.quotient(clock, 3600 * SECOND)
    minutes = of.dialect.remainder(of.dialect.quotient(clock, 60 * SECOND), 60)
    seconds = of.dialect.remainder(clock, 60 * SECOND)
    shown = t.joined([t.cast(of.dialect.quotient(seconds, SECOND), "TEXT"), _fraction(of, clock), t.text("S")])
    rest = case([(t.equal(seconds, 0), t.text(""))], shown)
    parts = [t.text("T"), _counted(hours, "H"), _counted(minutes, "M"), rest]
    within = case([(t.equal(clock, 0), t.text(""))], t.joined(parts))
    sign = case([(t.below(value, 0), t.text("-"))], t.text(""))
    tree = case(
        [(t.equal(value, 0), t.text("PT0S")), (st.is_null(t.tree(value)), exp.null())],
        t.joined([sign, t.text("P"), _counted(days, "D"), within]),
    )
    return of.joined(tree, [value, size, clock])


def of_months(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    value = of.stages.named(args[0])
    years = of.dialect.quotient(t.size(value), 12)
    months = of.dialect.remainder(t.size(value), 12)
    sign = case([(t.below(value, 0), t.text("-"))], t.text(""))
    tree = case(
        [(t.equal(value, 0), t.text("P0M")), (st.is_null(t.tree(value)), exp.null())],
        t.joined([sign, t.text("P"), _counted(years, "Y"), _counted(months, "M")]),
    )
    return of.joined(tree, [value])


# --- dates and times of their parts ------------------------------------------------------------------


def date_of_parts(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """The date of a year, month and day, whose fractions are cut; NULL where there is no such day."""
    fitting = []
    for value in map(of.stages.named, args):
        test = t.below(t.size(value), 1e6)
        fitting.append(of.stages.named(value.replace(tree=case([(test, t.cut(value))]), nullable=True)))
    return _date(of, *fitting)


def _date(of: SqlExpressions, year: Sql, month: Sql, day: Sql) -> Sql:
    """The date of whole numbers."""
    named = of.stages.named
    leap = st.any_of([
        st.all_of([t.equal(of.dialect.remainder(year, 4), 0), t.unequal(of.dialect.remainder(year, 100), 0)]),
        t.equal(of.dialect.remainder(year, 400), 0),
    ])
    short = exp.In(this=t.tree(month), expressions=[st.whole(m) for m in (4, 6, 9, 11)])
    february = case([(leap, st.whole(29))], st.whole(28))
    last = named(of.joined(case([(t.equal(month, 2), february), (short, st.whole(30))], st.whole(31)), [year, month]))
    tests = [
        exp.Between(this=t.tree(value), low=st.whole(1), high=t.tree(high))
        for value, high in ((year, 9999), (month, 12), (day, last))
    ]
    tree = case([(st.all_of(tests), of.dialect.from_parts(year, month, day))])
    return of.joined(tree, [year, month, day, last], True)


def _digits(of: SqlExpressions, text: Sql, good: Sql, start: int, count: int) -> Sql:
    """A number that stands at a place of a text, where the text is written well."""
    number = t.bigint(exp.Substring(this=t.tree(text), start=st.whole(start), length=st.whole(count)))
    return of.stages.named(of.joined(case([(t.tree(good), number)]), [text, good], True))


def date_of_text(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    text = of.stages.named(args[0])
    good = of.stages.named(text.replace(tree=of.dialect.is_written(text, _DATE)))
    return _date_in(of, text, good)


def _date_in(of: SqlExpressions, text: Sql, good: Sql) -> Sql:
    return _date(of, *(_digits(of, text, good, *place) for place in ((1, 4), (6, 2), (9, 2))))


def _clock_in(of: SqlExpressions, text: Sql, good: Sql, start: int) -> Sql:
    """Microseconds since midnight of a time of day that begins at a place of a text, 24:00:00 included; what is
    finer than a microsecond is cut."""
    hour, minute, second = (_digits(of, text, good, start + at, 2) for at in (0, 3, 6))
    behind = exp.Substring(this=t.tree(text), start=st.whole(start + 9), length=st.whole(9))
    nine = of.stages.named(of.joined(case([
        (t.tree(good), t.bigint(t.function("RPAD", behind, 9, t.text("0")))),
    ]), [text, good], True))
    minutes = t.plus(t.times(hour, 60), minute)
    count = t.plus(t.times(t.plus(t.times(minutes, 60), second), SECOND), of.dialect.quotient(nine, 1000))
    ending = st.all_of([t.equal(hour, 24), *(t.equal(x, 0) for x in (minute, second, nine))])
    usual = st.all_of([t.at_most(hour, 23), t.at_most(minute, 59), t.at_most(second, 59)])
    return of.stages.named(of.joined(case([(st.any_of([usual, ending]), count)]), [hour, minute, second, nine], True))


def time_of_text(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """The time of day that a text writes; NULL with a zone, which a policy's times do not have."""
    text = of.stages.named(args[0])
    good = of.stages.named(text.replace(tree=of.dialect.is_written(text, _CLOCK)))
    clock = _clock_in(of, text, good, 1)
    return of.joined(of.dialect.time_of(of.dialect.remainder(clock, DAY)), [clock])


def moment_of_text(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """The moment that a text writes; a date alone is its midnight."""
    text = of.stages.named(args[0])
    alone, good = (
        of.stages.named(text.replace(tree=of.dialect.is_written(text, pattern)))
        for pattern in (_DATE, f"{_DATE}T{_CLOCK}")
    )
    either = of.stages.named(of.joined(st.any_of([t.tree(alone), t.tree(good)]), [alone, good]))
    date = of.stages.named(_date_in(of, text, either))
    clock = _clock_in(of, text, good, 12)
    time = case([(t.tree(alone), st.whole(0))], t.tree(clock))
    micros = t.plus(t.times(of.dialect.day_number(date), DAY), time)
    return moment_of(of, of.joined(micros, [date, clock, alone]))


def time_of_parts(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """The time of hours and minutes, whose fractions are cut, and seconds to the nanosecond; NULL with an offset."""
    if len(node.args) > 3 and node.args[3].type.kind != dt.NULL:
        local = node.args[3].type.nullable
        if not local:
            return of.nothing(dt.TIME)
    hour, minute, second = (of.stages.named(a) for a in args[:3])
    whole = [of.stages.named(value.replace(tree=case([(t.below(t.size(value), 1e6), t.cut(value))]), nullable=True))
             for value in (hour, minute)]
    fits = of.stages.named(second.replace(
        tree=case([(st.all_of([t.at_least(second, 0.0), t.below(second, 60.0)]), t.times(second, 1e9))]), nullable=True
    ))
    # Nanoseconds to the nearest, ties to the even one, and of these whole microseconds.
    low = of.stages.named(fits.replace(tree=t.bigint(of.dialect.floor(fits))))
    rest = t.minus(fits, t.double(low))
    odd = t.equal(of.dialect.remainder(low, 2), 1)
    up = st.any_of([t.above(rest, 0.5), st.all_of([t.equal(rest, 0.5), odd])])
    nanos = of.stages.named(of.joined(case([(up, t.plus(low, 1))], t.tree(low)), [fits, low]))
    count = t.plus(t.times(t.plus(t.times(whole[0], 60), whole[1]), 60 * SECOND), of.dialect.quotient(nanos, 1000))
    clock = of.stages.named(of.joined(count, [*whole, nanos], True))
    tests = [
        exp.Between(this=t.tree(whole[0]), low=st.whole(0), high=st.whole(23)),
        exp.Between(this=t.tree(whole[1]), low=st.whole(0), high=st.whole(59)), t.below(clock, DAY),
    ]
    parts = [*whole, clock]
    if len(args) > 3:
        tests.append(st.is_null(t.tree(args[3])))
        parts.append(args[3])
    return of.joined(case([(st.all_of(tests), of.dialect.time_of(clock))]), parts, True)


def time_of_date(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """A date's midnight is one in UTC, which a policy's times do not have."""
    return of.nothing(dt.TIME)


def day(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    return of.joined(of.dialect.day(args[0]), args)


def time(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    clock = of.stages.named(of.joined(clock_of(of, args[0], dt.DATE_TIME), args))
    return clock.replace(tree=of.dialect.time_of(clock))


def moment(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """A day with a time of day."""
    micros = t.plus(t.times(day_number(of, args[0], node.args[0].type.kind), DAY), of.dialect.clock(args[1]))
    value = of.stages.named(of.joined(micros, args))
    return value.replace(tree=of.dialect.moment_of(value))


OPERATIONS: Mapping[str, tuple[Form, ...]] = {
    "number": (Form((TEXTS,), to_number), Form((TEXTS, TEXTS), to_number), Form((TEXTS,) * 3, to_number)),
    "string": (
        Form((TEXTS,), same), Form((NUMBERS,), of_number), Form((BOOLEANS,), of_boolean),
        Form((DATED | TIMES,), of_date), Form((DAYS,), of_days), Form((MONTHS,), of_months),
    ),
    "date": (
        Form((TEXTS,), date_of_text), Form((DATES,), same), Form((MOMENTS,), day), Form((NUMBERS,) * 3, date_of_parts),
    ),
    "time": (
        Form((TEXTS,), time_of_text), Form((TIMES,), same), Form((MOMENTS,), time), Form((DATES,), time_of_date),
        Form((NUMBERS,) * 3, time_of_parts), Form((NUMBERS, NUMBERS, NUMBERS, DAYS), time_of_parts),
    ),
    "date and time": (
        Form((TEXTS,), moment_of_text), Form((MOMENTS,), same), Form((DATED, TIMES), moment),
    ),
}
