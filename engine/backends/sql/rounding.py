"""Rounding by expansion into floor, `+ - * /` and comparison, the same bits as `semantics.number`."""
from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from engine.backends.sql.stages import Sql, Stages, absolute, all_of, binary, case, number
from engine.semantics.number import FLOOR_NUMBER, RELATIVE, UNIT

#: Powers of ten that binary64 holds exactly.
MAX_SCALE = 22
_EXACT = 2.0**53

Mode = Callable[[Stages, Sql, float], Sql]


def larger(a: exp.Expr, b: exp.Expr) -> exp.Expr:
    return case([(exp.GTE(this=a.copy(), expression=b.copy()), a.copy())], b.copy())


def smaller(a: exp.Expr, b: exp.Expr) -> exp.Expr:
    return case([(exp.LTE(this=a.copy(), expression=b.copy()), a.copy())], b.copy())


def _tolerance(stages: Stages, a: Sql, b: Sql, least: float) -> Sql:
    tree = larger(absolute(a.tree.copy()), absolute(b.tree.copy()))
    size = stages.named(a.replace(tree=tree, level=max(a.level, b.level)))
    scaled = exp.Mul(this=number(RELATIVE), expression=size.tree)
    bounded = smaller(exp.Paren(this=larger(scaled, number(least))), number(UNIT))
    return stages.named(size.replace(tree=bounded))


def floor(stages: Stages, value: Sql, least: float) -> Sql:
    """Floor with tolerance: a value just below a whole number counts as it."""
    value = stages.named(value)
    lower = stages.named(value.replace(tree=exp.Floor(this=value.tree.copy())))
    upper = stages.named(lower.replace(tree=binary(exp.Add, lower.tree.copy(), number(1))))
    tolerance = _tolerance(stages, value, upper, least)
    short = binary(exp.Sub, value.tree.copy(), upper.tree.copy())
    test = exp.GTE(this=exp.Paren(this=short), expression=exp.Paren(this=exp.Neg(this=tolerance.tree.copy())))
    return tolerance.replace(tree=case([(test, upper.tree.copy())], lower.tree.copy()))


def _negative(value: Sql) -> Sql:
    return value.replace(tree=exp.Paren(this=exp.Neg(this=exp.Paren(this=value.tree.copy()))))


def ceiling(stages: Stages, value: Sql, least: float) -> Sql:
    return _negative(floor(stages, _negative(stages.named(value)), least))


def _by_sign(stages: Stages, value: Sql, positive: Sql, negative: Sql) -> Sql:
    test = exp.GTE(this=value.tree.copy(), expression=number(0))
    return Sql(case([(test, positive.tree)], negative.tree), max(positive.level, negative.level), value.nullable)


def up(stages: Stages, value: Sql, least: float) -> Sql:
    value = stages.named(value)
    return _by_sign(stages, value, ceiling(stages, value, least), floor(stages, value, least))


def down(stages: Stages, value: Sql, least: float) -> Sql:
    value = stages.named(value)
    return _by_sign(stages, value, floor(stages, value, least), ceiling(stages, value, least))


def _shifted(value: Sql, by: float) -> Sql:
    return value.replace(tree=binary(exp.Add, absolute(value.tree.copy()), number(by)))


def half_up(stages: Stages, value: Sql, least: float) -> Sql:
    value = stages.named(value)
    size = stages.named(floor(stages, _shifted(value, 0.5), least))
    return _by_sign(stages, value, size, _negative(size))


def half_down(stages: Stages, value: Sql, least: float) -> Sql:
    value = stages.named(value)
    size = stages.named(ceiling(stages, _shifted(value, -0.5), least))
    return _by_sign(stages, value, size, _negative(size))


def half_even(stages: Stages, value: Sql, least: float) -> Sql:
    value = stages.named(value)
    size = stages.named(value.replace(tree=absolute(value.tree.copy())))
    lower = stages.named(floor(stages, size, least))
    middle = stages.named(lower.replace(tree=binary(exp.Add, lower.tree.copy(), number(0.5))))
    tolerance = _tolerance(stages, size, middle, least)
    halved = binary(exp.Div, lower.tree.copy(), number(2))
    even = exp.EQ(this=exp.Floor(this=halved.copy()), expression=exp.Paren(this=halved))
    above = binary(exp.Add, lower.tree.copy(), number(1))
    near = exp.LTE(
        this=absolute(binary(exp.Sub, size.tree.copy(), middle.tree.copy())), expression=tolerance.tree.copy()
    )
    below = exp.LT(this=size.tree.copy(), expression=middle.tree.copy())
    tree = case(
        [(all_of([near.copy(), even]), lower.tree.copy()), (near, above.copy()), (below, lower.tree.copy())], above
    )
    # A null value fails every test; the sum above it is null as well.
    return _by_sign(stages, value, *_both(stages, tolerance.replace(tree=tree)))


def _both(stages: Stages, rounded: Sql) -> tuple[Sql, Sql]:
    rounded = stages.named(rounded)
    return rounded, _negative(rounded)


MODES: dict[str, Mode] = {
    "floor": floor, "ceiling": ceiling, "round up": up, "round down": down, "round half up": half_up,
    "round half down": half_down, "decimal": half_even,
}


def rounded(stages: Stages, op: str, value: Sql, scale: int, least: float) -> Sql:
    """`value` rounded to `scale` decimals, 0..22; see `semantics.number.round_to`."""
    mode = MODES[op]
    value = stages.named(value)
    if scale == 0:
        return mode(stages, value, least)
    factor = 10.0**scale
    scaled = value.replace(tree=binary(exp.Mul, value.tree.copy(), number(factor)))
    whole = stages.named(mode(stages, scaled, FLOOR_NUMBER if least == FLOOR_NUMBER else least * factor))
    size = exp.Mul(this=absolute(value.tree.copy()), expression=number(factor))
    vast = exp.GTE(this=exp.Paren(this=size), expression=number(_EXACT))
    tree = case([(vast, value.tree.copy())], binary(exp.Div, whole.tree, number(factor)))
    return whole.replace(tree=tree)
