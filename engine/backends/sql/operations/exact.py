"""Durations times and over numbers, exactly: whole numbers of 127 bits, where DOUBLEs would round.

A DOUBLE is `mantissa / 2**shift` with a whole mantissa of 53 bits, so a count of microseconds (below 2**63)
times or over it is a fraction of whole numbers of at most 116 bits. The kernels round such a fraction to the
nearest nanosecond, halves upward, and cut that to microseconds: together `floor(x + 1/2000)`. Every column is
guarded, since an engine may compute it for rows that another branch decides.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql import trees as t
from engine.backends.sql.stages import Sql, all_of, case, is_null
from engine.backends.support import Gap
from engine.ir import nodes as ir

if TYPE_CHECKING:
    from engine.backends.sql.expressions import SqlExpressions

#: Beyond twice any duration that a policy may hold.
_FAR = 2.0**63
#: A count of microseconds times a smaller number is below half a nanosecond, as it is over a larger one.
_TINY = 2.0**-74


def wide(value: t.Operand) -> exp.Expr:
    return t.cast(value, "INT128")


def power_of_two(exponent: t.Operand) -> exp.Expr:
    """2**exponent as a whole number, for 0..126."""
    return wide(t.function("POW", 2.0, t.double(exponent)))


class Parts:
    """The parts of a positive DOUBLE between 2**-300 and 2**300, NULL for others."""

    def __init__(self, of: SqlExpressions, value: Sql) -> None:
        named = of.stages.named
        usual = exp.Between(this=t.tree(value), low=st.number(2.0**-300), high=st.number(2.0**300))
        guess = named(value.replace(
            tree=case([(usual, of.dialect.floor(t.function("LOG2", value)))]), nullable=True
        ))
        least = named(guess.replace(tree=t.function("POW", 2.0, guess)))
        exponent = case(
            [
                (t.below(value, least), t.minus(guess, 1.0)),
                (t.at_least(value, t.times(least, 2.0)), t.plus(guess, 1.0)),
            ],
            t.tree(guess),
        )
        self.shift = named(least.replace(tree=t.bigint(t.minus(52.0, exponent))))
        scaled = t.times(value, t.function("POW", 2.0, t.double(self.shift)))
        self.mantissa = named(self.shift.replace(tree=wide(scaled)))


def _known(value: Sql) -> exp.Expr:
    return st.negated(is_null(t.tree(value)))


def product(of: SqlExpressions, span: Sql, factor: Sql) -> Sql:
    """Microseconds times a number."""
    span, factor = of.stages.named(span), of.stages.named(factor)
    number = of.stages.named(factor.replace(tree=t.size(factor)))
    parts = Parts(of, number)
    near = of.stages.named(of.joined(t.times(t.double(t.size(span)), number), [span, number]))
    count = wide(t.size(span))
    fits = all_of([t.at_most(near, _FAR), t.at_least(number, _TINY), t.above(t.size(span), 0)])
    up = all_of([fits.copy(), t.below(parts.shift, 0)])
    product = case(
        [
            (up, t.times(t.times(count, parts.mantissa), power_of_two(t.opposite(parts.shift)))),
            (fits, t.times(count, parts.mantissa)),
        ]
    )
    divisor = case([(up.copy(), wide(1)), (fits.copy(), power_of_two(parts.shift))])
    zero = all_of([_known(span), _known(factor), st.any_of([t.equal(span, 0), t.below(number, _TINY)])])
    return _nearest(of, span, factor, (product, divisor), zero, [span, parts.mantissa, near])


def quotient(of: SqlExpressions, span: Sql, divisor: Sql) -> Sql:
    """Microseconds over a number; NULL over 0."""
    span = of.stages.named(span)
    divisor = of.stages.named(divisor.replace(tree=exp.Nullif(this=t.tree(divisor), expression=st.number(0)),
                                              nullable=True))
    number = of.stages.named(divisor.replace(tree=t.size(divisor)))
    parts = Parts(of, number)
    near = of.stages.named(of.joined(t.over(t.double(t.size(span)), number), [span, number]))
    count = wide(t.size(span))
    fits = all_of([t.at_most(near, _FAR), t.at_most(number, 1 / _TINY), t.above(t.size(span), 0)])
    down = all_of([fits.copy(), t.below(parts.shift, 0)])
    dividend = case([
        (down, count.copy()), (fits, t.times(count, power_of_two(parts.shift))),
    ])
    by = case([
        (down.copy(), t.times(parts.mantissa, power_of_two(t.opposite(parts.shift)))),
        (fits.copy(), t.tree(parts.mantissa)),
    ])
    zero = all_of([_known(span), _known(divisor), st.any_of([t.equal(span, 0), t.above(number, 1 / _TINY)])])
    return _nearest(of, span, divisor, (dividend, by), zero, [span, parts.mantissa, near])


def _nearest(
    of: SqlExpressions, span: Sql, other: Sql, fraction: tuple[exp.Expr, exp.Expr], zero: exp.Expr, parts: list[Sql]
) -> Sql:
    """`floor(x + 1/2000)` of a fraction with the sign of two numbers; NULL where it is far too large."""
    top, bottom = (of.stages.named(of.joined(part, parts, True)) for part in fraction)
    whole = of.stages.named(of.joined(of.dialect.quotient(top, bottom), [top, bottom]))
    rest = of.stages.named(of.joined(of.dialect.remainder(top, bottom), [top, bottom]))
    # Below half of the divisor a rest is far from the next whole number, and the product would not fit.
    half = t.at_least(rest, t.minus(bottom, rest))
    reaches = all_of([half, t.at_most(t.times(_small(of, t.minus(bottom, rest), half), 2000), bottom)])
    leaves = t.above(t.times(rest, 2000), bottom)
    negative = t.unequal(t.below(span, 0), t.below(other, 0.0))
    tree = case(
        [
            (zero, wide(0)),
            (all_of([negative.copy(), leaves]), t.minus(t.opposite(whole), 1)), (negative, t.opposite(whole)),
            (reaches, t.plus(whole, 1)),
        ],
        t.tree(whole),
    )
    value = of.stages.named(of.joined(tree, [whole, rest, span, other], True))
    test = exp.Between(this=t.tree(value), low=st.whole(-(2**62)), high=st.whole(2**62))
    return value.replace(tree=case([(test, t.bigint(value))]))


def _small(of: SqlExpressions, tree: exp.Expr, when: exp.Expr) -> exp.Expr:
    return case([(when.copy(), tree)])


def ratio(of: SqlExpressions, node: ir.Call, a: Sql, b: Sql) -> Sql:
    """A whole number over another, the nearest DOUBLE, ties to the even one; NULL over 0."""
    if not of.dialect.has_wide:
        raise Gap(node.at, f"`/` of two durations in days, in {of.dialect.title}")
    dividend, divisor = (of.stages.named(x.replace(tree=t.size(x))) for x in (a, b))
    by = exp.Nullif(this=t.double(divisor), expression=st.number(0))
    near = of.stages.named(of.joined(t.over(t.double(dividend), by), [dividend, divisor], True))
    held = [t.equal(wide(t.double(x)), wide(x)) for x in (dividend, divisor)]
    direct = of.stages.named(of.joined(all_of(held), [dividend, divisor]))
    parts = Parts(of, near)
    # One bit more than a DOUBLE holds, so that a quotient just below a power of two keeps all of its own.
    shift = of.stages.named(parts.shift.replace(tree=t.plus(parts.shift, 1)))
    up = t.at_least(shift, 0)
    usable = all_of([st.negated(t.tree(direct)), t.above(divisor, 0), t.above(dividend, 0)])
    top = case([
        (all_of([usable.copy(), up]), t.times(wide(dividend), power_of_two(shift))), (usable, wide(dividend)),
    ])
    bottom = case([
        (all_of([usable.copy(), up.copy()]), wide(divisor)),
        (usable.copy(), t.times(wide(divisor), power_of_two(t.opposite(shift)))),
    ])
    top_column, bottom_column = (of.stages.named(of.joined(x, [direct, shift], True)) for x in (top, bottom))
    whole = of.stages.named(of.joined(of.dialect.quotient(top_column, bottom_column), [top_column, bottom_column]))
    rest = of.stages.named(of.joined(of.dialect.remainder(top_column, bottom_column), [top_column, bottom_column]))
    # A quotient of 53 bits shows its half in the rest, a longer one in its last bits.
    unit = of.stages.named(whole.replace(
        tree=case([(t.at_least(whole, 2**54), wide(4)), (t.at_least(whole, 2**53), wide(2))], wide(1))
    ))
    places = of.stages.named(of.joined(of.dialect.quotient(whole, unit), [whole, unit]))
    twice = t.plus(t.times(of.dialect.remainder(whole, unit), 2), case([(t.above(rest, 0), wide(1))], wide(0)))
    odd = t.equal(of.dialect.remainder(places, 2), 1)
    short = t.equal(unit, 1)
    rises = case(
        [(short, _past_half(t.times(rest, 2), t.tree(bottom_column), odd))], _past_half(twice, t.tree(unit), odd)
    )
    rounded = case([(rises, t.plus(places, 1))], t.tree(places))
    scale = t.function("POW", 2.0, t.double(t.opposite(shift)))
    exact = t.times(t.times(t.double(rounded), t.double(unit)), scale)
    nothing = all_of([t.equal(dividend, 0), t.above(divisor, 0)])
    size = case([(t.tree(direct), t.tree(near)), (nothing, st.number(0))], exact)
    value = of.stages.named(of.joined(size, [near, places, unit, rest], True))
    negative = t.unequal(t.below(a, 0), t.below(b, 0))
    return of.joined(case([(negative, t.opposite(value))], t.tree(value)), [value, a, b])


def _past_half(twice: exp.Expr, whole: exp.Expr, odd: exp.Expr) -> exp.Expr:
    """Whether a rest, given twice, rounds up: past the half, or at the half of an odd number."""
    return st.any_of([t.above(twice, whole), all_of([t.equal(twice, whole), odd.copy()])])
