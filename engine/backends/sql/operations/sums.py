"""Sums that are rounded once.

`sum(a, b, c)` adds exactly and rounds at the end, as Python's `math.fsum` does (Shewchuk's expansions, here without
their loop): SQL's own sum of three or more DOUBLEs hangs on their order. Durations are whole numbers.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.backends.sql import stages as st
from engine.backends.sql import trees as t
from engine.backends.sql.operations.durations import bounded
from engine.backends.sql.stages import Sql, case
from engine.backends.support import Gap
from engine.ir import nodes as ir

if TYPE_CHECKING:
    from engine.backends.sql.expressions import SqlExpressions

#: Operands of an exact sum: the columns that it takes grow with the square of their number.
MOST_ADDED = 12


def added(of: SqlExpressions, node: ir.Call | ir.Fold, items: Sequence[Sql]) -> Sql:
    """The sum of numbers, rounded once; NULL where an item is, or where it is not finite."""
    items = [of.stages.named(i) for i in items]
    if len(items) <= 2:
        tree = t.tree(items[0]) if len(items) == 1 else of.dialect.calculated("+", *items)
        return of.only_finite(of.joined(tree, items))
    if len(items) > MOST_ADDED:
        raise Gap(node.at, f"`{node.op}` of more than {MOST_ADDED} numbers")
    parts: list[Sql] = []
    for item in items:
        grown: list[Sql] = []
        for part in parts:
            item, low = _two_sum(of, item, part)
            grown.append(low)
        parts = [*grown, item]
    return of.only_finite(_rounded_once(of, parts))


def _two_sum(of: SqlExpressions, a: Sql, b: Sql) -> tuple[Sql, Sql]:
    """A sum and what its rounding lost, exactly (Knuth)."""
    named = of.stages.named
    high = named(of.joined(t.plus(a, b), [a, b]))
    second = named(of.joined(t.minus(high, a), [high, a]))
    lost = t.plus(t.minus(a, t.minus(high, second)), t.minus(b, second))
    return high, named(of.joined(lost, [a, b, high, second]))


def _rounded_once(of: SqlExpressions, parts: Sequence[Sql]) -> Sql:
    """The sum of parts that do not overlap, smallest first: the last place is settled where a part is lost, and
    a tie by the sign of the next part that is not nothing."""
    named = of.stages.named
    high, low, next_part = parts[-1], Sql(st.number(0)), Sql(st.number(0))
    for part in reversed(parts[:-1]):
        total, lost = _two_sum(of, high, part)
        open_still = t.equal(low, 0.0)
        beyond = case([(st.all_of([t.unequal(low, 0.0), t.equal(next_part, 0.0)]), t.tree(part))], t.tree(next_part))
        next_part = named(of.joined(beyond, [low, next_part, part]))
        high, low = (
            named(of.joined(case([(open_still.copy(), t.tree(new))], t.tree(old)), [low, new, old]))
            for new, old in ((total, high), (lost, low))
        )
    doubled = named(low.replace(tree=t.times(low, 2.0)))
    moved = named(of.joined(t.plus(high, doubled), [high, doubled]))
    tie = t.equal(t.minus(moved, high), doubled)
    onward = st.any_of([
        st.all_of([test(low, 0.0), test(next_part, 0.0)]) for test in (t.below, t.above)
    ])
    return of.joined(case([(st.all_of([onward, tie]), t.tree(moved))], t.tree(high)), [high, moved, low, next_part])


def span_sum(of: SqlExpressions, kind: str, args: Sequence[Sql]) -> Sql:
    """Durations added, as whole numbers wide enough for any number of them."""
    wide = of.joined(t.cast(args[0], "DECIMAL(38, 0)"), [args[0]])
    for arg in args[1:]:
        wide = of.joined(t.plus(wide, t.cast(arg, "DECIMAL(38, 0)")), [wide, arg])
    found = of.stages.named(bounded(of, wide, kind))
    return found.replace(tree=t.bigint(found))
