"""Arithmetic for engines that end a query where a result is out of range."""
from __future__ import annotations

from sqlglot import exp

from engine.backends.sql import trees as t
from engine.backends.sql.stages import all_of, any_of, case, number


def checked(sign: str, a: t.Operand, b: t.Operand) -> exp.Expr:
    """`+ - * /` of DOUBLEs, NULL for what is beyond them and 0 for what is too small: told beforehand, of operands
    scaled by powers of two, which keeps every bit."""
    sizes = [exp.Abs(this=t.tree(x)) for x in (a, b)]
    ones = [t.above(x, 1.0) for x in sizes]
    small = [all_of([t.below(x, 1.0), t.above(x, 0.0)]) for x in sizes]
    if sign in "+-":
        combine = t.plus if sign == "+" else t.minus
        halves = [case([(t.above(s, 1.0), t.times(x, 0.5))], number(0)) for s, x in zip(sizes, (a, b), strict=True)]
        fits = t.below(exp.Abs(this=combine(*halves)), 2.0**1023)
        large = any_of([t.above(x, 2.0**1000) for x in sizes])
        return case([(large, case([(fits, combine(a, b))]))], combine(a, b))
    if sign == "*":
        vast = t.times(t.times(sizes[0], 2.0**-540), t.times(sizes[1], 2.0**-540))
        tiny = t.times(t.times(sizes[0], 2.0**600), t.times(sizes[1], 2.0**600))
        rises = all_of([*ones, any_of([t.above(x, 2.0**500) for x in sizes])])
        falls = all_of([*small, any_of([t.below(x, 2.0**-500) for x in sizes])])
        return case(
            [
                (rises, case([(t.below(vast, 2.0**-56), t.times(a, b))])),
                (falls, case([(t.above(tiny, 2.0**125), t.times(a, b))], number(0))),
            ],
            t.times(a, b),
        )
    fits = t.below(t.times(sizes[0], 2.0**-512), t.times(sizes[1], 2.0**512))
    tiny = t.over(t.times(sizes[0], 2.0**1023), sizes[1])
    grows = all_of([small[1], t.above(sizes[0], 2.0**-51)])
    return case(
        [
            (grows, case([(fits, t.over(a, b))])),
            (all_of([small[0], ones[1].copy()]), case([(t.above(tiny, 2.0**-52), t.over(a, b))], number(0))),
        ],
        t.over(a, b),
    )
