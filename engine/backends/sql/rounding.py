"""Rounding by expansion into floor, `+ - * /` and comparison, the same bits as `semantics.number`."""
from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from engine.backends.sql import trees as t
from engine.backends.sql.dialects import Dialect
from engine.backends.sql.stages import Sql, Stages, all_of, any_of, case, finite, is_null, number
from engine.backends.sql.trees import larger as larger
from engine.backends.sql.trees import smaller as smaller
from engine.semantics import number as kernel
from engine.semantics.number import FLOOR_NUMBER, MAX_SCALE, MIN_SCALE, UNIT

_EXACT = 2.0**53
#: The least tolerance, known or computed.
Least = float | Sql


class Rounder:
    """Rounds to whole numbers; `least` is the least tolerance."""

    def __init__(self, stages: Stages, dialect: Dialect) -> None:
        self.stages = stages
        self.dialect = dialect
        self.modes: dict[str, Callable[[Sql, Least], Sql]] = {
            "floor": self.floor, "ceiling": self.ceiling, "round up": self.up, "round down": self.down,
            "round half up": self.half_up, "round half down": self.half_down, "decimal": self.half_even,
        }

    def tolerance(self, a: Sql, b: Sql, least: Least) -> Sql:
        """That of a comparison which decides on one unit, never more than `UNIT` of it."""
        level = max(a.level, b.level, least.level if isinstance(least, Sql) else 0)
        greatest = self.stages.named(a.replace(tree=larger(t.size(a), t.size(b)), level=level))
        bounded = smaller(self.dialect.tolerance(greatest, least), UNIT)
        return self.stages.named(greatest.replace(tree=bounded))

    def floor(self, value: Sql, least: Least) -> Sql:
        """Floor with tolerance: a value just below a whole number counts as it."""
        value = self.stages.named(value)
        lower = self.stages.named(value.replace(tree=self.dialect.floor(value)))
        upper = self.stages.named(lower.replace(tree=t.plus(lower, 1.0)))
        tolerance = self.tolerance(value, upper, least)
        gap = t.minus(value, upper)                     # no tolerance is more than UNIT, which few values come to
        test = all_of([t.at_least(gap, -UNIT), t.at_least(gap, t.opposite(tolerance))])
        return tolerance.replace(tree=case([(test, t.tree(upper))], t.tree(lower)))

    def ceiling(self, value: Sql, least: Least) -> Sql:
        return negative(self.floor(negative(self.stages.named(value)), least))

    def up(self, value: Sql, least: Least) -> Sql:
        value = self.stages.named(value)
        return by_sign(value, self.ceiling(value, least), self.floor(value, least))

    def down(self, value: Sql, least: Least) -> Sql:
        value = self.stages.named(value)
        return by_sign(value, self.floor(value, least), self.ceiling(value, least))

    def half_up(self, value: Sql, least: Least) -> Sql:
        value = self.stages.named(value)
        rounded = self.stages.named(self.floor(value.replace(tree=t.plus(t.size(value), 0.5)), least))
        return by_sign(value, rounded, negative(rounded))

    def half_down(self, value: Sql, least: Least) -> Sql:
        value = self.stages.named(value)
        rounded = self.stages.named(self.ceiling(value.replace(tree=t.plus(t.size(value), -0.5)), least))
        return by_sign(value, rounded, negative(rounded))

    def half_even(self, value: Sql, least: Least) -> Sql:
        value = self.stages.named(value)
        positive = self.stages.named(value.replace(tree=t.size(value)))
        lower = self.stages.named(self.floor(positive, least))
        middle = self.stages.named(lower.replace(tree=t.plus(lower, 0.5)))
        tolerance = self.tolerance(positive, middle, least)
        even = t.equal(self.dialect.floor(t.over(lower, 2.0)), t.over(lower, 2.0))
        near = t.at_most(t.size(t.minus(positive, middle)), tolerance)
        # A null value fails every test; the sum above it is null as well.
        found = case(
            [(all_of([near.copy(), even]), t.tree(lower)), (near, t.plus(lower, 1.0)),
             (t.below(positive, middle), t.tree(lower))],
            t.plus(lower, 1.0),
        )
        rounded = self.stages.named(tolerance.replace(tree=found))
        return by_sign(value, rounded, negative(rounded))

    # --- to a scale -----------------------------------------------------------------------

    def to_scale(self, op: str, value: Sql, scale: int, least: float) -> Sql:
        """`value` rounded to a known scale; see `semantics.number.round_to`."""
        value = self.stages.named(value)
        mode = self.modes[op]
        if scale == 0:
            return mode(value, least)
        if not MIN_SCALE <= scale <= MAX_SCALE:
            return _nothing(value)
        if scale < 0:
            return self._to_tens(op, value, scale, least)
        if scale > kernel.MOST_POWER:
            return value
        factor = 10.0**scale
        scaled = value.replace(tree=t.times(value, factor))
        tolerant = FLOOR_NUMBER if least == FLOOR_NUMBER else least * factor
        vast = t.at_least(t.times(t.size(value), 10.0**min(scale, 300)), _EXACT)
        if self.dialect.ends_out_of_range:
            fits = t.at_most(t.size(value), 1e300 / factor)
            scaled = scaled.replace(tree=case([(fits, scaled.tree)]))
            vast = case([(fits.copy(), vast)], exp.true())
        whole = self.stages.named(mode(scaled, tolerant))
        return whole.replace(tree=case([(vast, t.tree(value))], t.over(whole, factor)))

    def _to_tens(self, op: str, value: Sql, scale: int, least: float) -> Sql:
        if scale < -kernel.MOST_POWER:
            return value.replace(tree=self._beyond(op, value), nullable=True)
        factor = 10.0**-scale
        scaled = value.replace(tree=self.dialect.calculated("/", value, factor))
        whole = self.stages.named(self.modes[op](scaled, max(FLOOR_NUMBER, least / factor)))
        tens = self.stages.named(whole.replace(tree=self.dialect.calculated("*", whole, factor)))
        return tens.replace(tree=case([(finite(t.tree(tens)), t.tree(tens))]), nullable=True)

    @staticmethod
    def _beyond(op: str, value: Sql) -> exp.Expr:
        """To tens beyond every number: 0, or nothing where the value is rounded away from it."""
        whens = [(test(value, 0.0), exp.null()) for test in _AWAY.get(op, ())]
        return case([(is_null(t.tree(value)), exp.null()), *whens], number(0.0))

    def to_any_scale(self, op: str, value: Sql, scale: Sql, least: float) -> Sql:
        """`value` rounded to a computed scale, whose powers of ten are the C library's."""
        named = self.stages.named
        value = named(value)
        places = named(scale.replace(tree=exp.Trunc(this=t.tree(scale))))
        both = Sql(t.tree(value), max(value.level, places.level), value.nullable or places.nullable)
        most = float(kernel.MOST_POWER)
        power = named(places.replace(tree=t.function("POW", 10.0, smaller(t.size(places), most))))
        guard = named(places.replace(tree=t.function("POW", 10.0, smaller(places, 300.0))))
        money = least != FLOOR_NUMBER
        fine = named(power.replace(tree=t.times(least, power))) if money else FLOOR_NUMBER
        coarse = named(power.replace(tree=larger(FLOOR_NUMBER, t.over(least, power))))
        up = named(self.modes[op](named(both.replace(tree=t.times(value, power), level=power.level)), fine))
        down = named(self.modes[op](named(both.replace(tree=t.over(value, power), level=power.level)), coarse))
        plain = named(self.modes[op](value, least))
        tens = named(down.replace(tree=t.times(down, power)))
        vast = any_of([t.above(places, most), t.at_least(t.times(t.size(value), guard), _EXACT)])
        found = case([
            (any_of([
                is_null(t.tree(places)), t.below(places, float(MIN_SCALE)), t.above(places, float(MAX_SCALE)),
            ]), exp.null()),
            (t.equal(places, 0.0), t.tree(plain)),
            (all_of([t.above(places, 0.0), vast]), t.tree(value)),
            (t.above(places, 0.0), t.over(up, power)),
            (t.below(places, -most), self._beyond(op, value)),
            (finite(t.tree(tens)), t.tree(tens)),
        ])
        return Sql(found, max(s.level for s in (up, plain, tens, guard)), True)


def negative(value: Sql) -> Sql:
    return value.replace(tree=t.opposite(value))


def by_sign(value: Sql, positive: Sql, other: Sql) -> Sql:
    test = t.at_least(value, 0.0)
    return Sql(case([(test, t.tree(positive))], t.tree(other)), max(positive.level, other.level), value.nullable)


def _nothing(value: Sql) -> Sql:
    return value.replace(tree=exp.cast(exp.null(), "DOUBLE"), nullable=True)


#: On which side of nothing a mode rounds away from it.
_AWAY = {"floor": (t.below,), "ceiling": (t.above,), "round up": (t.above, t.below)}
