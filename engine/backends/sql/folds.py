"""Aggregates as `semantics.folds` has them: of rows by SQL aggregates, of spelt-out items by running values."""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.operations.durations import bounded
from engine.backends.sql.operations.lists import median
from engine.backends.sql.operations.sums import span_sum
from engine.backends.sql.stages import FALSE, NULL, TRUE, Sql
from engine.backends.support import Gap
from engine.ir import nodes as ir
from engine.semantics import dtypes as dt
from engine.semantics.folds import MOST_UNITS, STREAKS

if TYPE_CHECKING:
    from engine.backends.sql.items import Over
    from engine.backends.sql.relations import Expressions

ONE, ZERO = Sql(st.number(1)), Sql(st.number(0))


def aggregated(outer: Expressions, node: ir.Fold, over: Over) -> Sql:
    """The fold of a customer's rows, over the columns that their aggregation gives; a customer without rows
    has none of them."""
    rows = _Rows(outer, node, over)
    if node.op == "count":
        return rows.count()
    if node.op in ("first", "last"):
        return rows.edge()
    if not isinstance(over.item, Sql):
        raise Gap(node.at, f"`{node.op}` over contexts")
    if node.op in STREAKS:
        return rows.streak()
    if node.op in ("some", "every"):
        return rows.quantified()
    if node.op in ("worst", "best"):
        return rows.extreme()
    return rows.known_all(rows.arithmetic())


class _Rows:
    """Makes the aggregates of one fold."""

    def __init__(self, outer: Expressions, node: ir.Fold, over: Over) -> None:
        self.outer = outer
        self.node = node
        self.over = over

    def column(self, aggregate: exp.Expr) -> Sql:
        return self.over.aggregation.column(aggregate)

    def kept(self, value: exp.Expr) -> exp.Expr:
        """A value of the rows that count, NULL of the others."""
        if self.over.condition == TRUE:
            return value
        return st.case([(self.over.condition.tree.copy(), value)])

    def tally(self, condition: Sql) -> Sql:
        """How many of the rows that count meet a condition, as a whole number."""
        counted = self.column(exp.Count(this=self.kept(st.case([(condition.tree.copy(), st.whole(1))]))))
        return counted.replace(tree=exp.Coalesce(this=counted.tree, expressions=[st.whole(0)]), nullable=False)

    @property
    def item(self) -> exp.Expr:
        assert isinstance(self.over.item, Sql)
        return self.over.item.tree.copy()

    @property
    def nulls(self) -> Sql | None:
        """How many items are null; None where none can be."""
        item = self.over.item
        if not isinstance(item, Sql) or not item.nullable:
            return None
        return self.tally(st.missing(item))

    def count(self) -> Sql:
        if not self.over.distinct:
            counted = self.tally(TRUE)
        else:
            item = self.item
            found = self.column(exp.Count(this=exp.Distinct(expressions=[self.kept(item)])))
            counted = found.replace(tree=exp.Coalesce(this=found.tree, expressions=[st.whole(0)]), nullable=False)
            if (nulls := self.nulls) is not None:
                one = st.case([(exp.GT(this=nulls.tree, expression=st.whole(0)), st.whole(1))], st.whole(0))
                counted = counted.replace(tree=st.binary(exp.Add, counted.tree, one))
        return counted.replace(tree=exp.cast(counted.tree, "DOUBLE"))

    def known_all(self, value: Sql) -> Sql:
        """A value that is null where an item is."""
        nulls = self.nulls
        if nulls is None:
            return value
        known = exp.EQ(this=nulls.tree, expression=st.whole(0))
        return value.replace(tree=st.case([(known, value.tree)]), nullable=True)

    def arithmetic(self) -> Sql:
        op, node = self.node.op, self.node
        if op in ("sum", "mean", "median") and self.over.distinct:
            # Values are told apart exactly and added in whole units, of which two may have the same.
            raise Gap(node.at, f"`{op}` of distinct values")
        if op == "sum":
            return self.total()
        if op == "mean":
            return self.mean()
        if op in ("min", "max"):
            kind = exp.Min if op == "min" else exp.Max
            return self.column(kind(this=self.kept(self.item)))
        if op == "median":
            return self.median()
        raise Gap(node.at, f"`{op}` over rows")

    def units(self) -> tuple[Sql, Sql]:
        """The items in whole units, added; and whether one is no amount."""
        assert self.node.decimals is not None
        rows = self.over.compiler.stages
        scaled = st.binary(exp.Mul, self.item, st.number(10.0**self.node.decimals))
        assert isinstance(self.over.item, Sql)
        unit = rows.named(Sql(st.binary(exp.Add, scaled, st.number(0.5)), self.over.item.level, True))
        vast = exp.GT(this=st.absolute(unit.tree.copy()), expression=st.number(MOST_UNITS))
        whole = exp.cast(exp.Floor(this=unit.tree.copy()), "INT128")
        counted = self.kept(st.case([(exp.Not(this=exp.Paren(this=vast)), whole)]))
        return self.column(exp.Sum(this=counted)), self.tally(Sql(vast.copy(), unit.level, True))

    def total(self) -> Sql:
        if self.node.decimals is None:
            if self.node.type.kind not in (dt.DAYS_DURATION, dt.MONTHS_DURATION):
                raise Gap(self.node.at, "`sum` of values whose type is not known")
            found = self.column(exp.Sum(this=self.kept(self.item)))
            added = found.replace(tree=exp.Coalesce(this=found.tree, expressions=[st.whole(0)]), nullable=False)
            held = self.outer.stages.named(bounded(self.outer, added, self.node.type.kind))
            return held.replace(tree=exp.cast(held.tree, "BIGINT"))
        summed, vast = self.units()
        total = exp.cast(exp.Coalesce(this=summed.tree, expressions=[st.whole(0)]), "DOUBLE")
        value = st.binary(exp.Div, total, st.number(10.0**self.node.decimals))
        fits = exp.EQ(this=vast.tree, expression=st.whole(0))
        return Sql(st.case([(fits, value)]), summed.level, True)

    def mean(self) -> Sql:
        if self.node.decimals is None:
            raise Gap(self.node.at, "`mean` of what is no number")
        summed, vast = self.units()
        counted = exp.cast(self.tally(TRUE).tree, "DOUBLE")
        divisor = st.binary(exp.Mul, st.number(10.0**self.node.decimals), counted)
        fits = exp.EQ(this=vast.tree, expression=st.whole(0))
        value = st.binary(exp.Div, exp.cast(summed.tree, "DOUBLE"), exp.Nullif(this=divisor, expression=st.number(0)))
        return Sql(st.case([(fits, value)]), summed.level, True)

    def median(self) -> Sql:
        """The middle item, or the half of the sum of both: the lower from below, the upper from above."""
        if self.node.type.kind not in dt.NUMERIC:
            raise Gap(self.node.at, "`median` of what is no number")

        def middle(descending: bool) -> Sql:
            by = exp.Ordered(this=self.kept(self.item), desc=descending, nulls_first=False)
            half = exp.PercentileDisc(this=exp.Literal.number("0.5"))
            return self.column(exp.WithinGroup(this=half, expression=exp.Order(expressions=[by])))

        lower, upper = self.outer.stages.named(middle(False)), self.outer.stages.named(middle(True))
        same = exp.EQ(this=lower.tree.copy(), expression=upper.tree.copy())
        half = st.binary(exp.Div, st.binary(exp.Add, lower.tree.copy(), upper.tree.copy()), st.number(2))
        finite = self.outer.only_finite(Sql(half, max(lower.level, upper.level), True))
        return Sql(st.case([(same, lower.tree.copy())], finite.tree), finite.level, True)

    def quantified(self) -> Sql:
        """`some` or `every`, three-valued."""
        item = self.over.item
        assert isinstance(item, Sql)
        some = self.node.op == "some"
        decisive = item if some else st.opposite(item)
        decided = self.tally(decisive)
        whens: list[tuple[exp.Expr, exp.Expr]] = [
            (exp.GT(this=decided.tree, expression=st.whole(0)), exp.true() if some else exp.false())
        ]
        if (nulls := self.nulls) is not None:
            whens.append((exp.GT(this=nulls.tree, expression=st.whole(0)), exp.null()))
        other = exp.false() if some else exp.true()
        return Sql(st.case(whens, other), decided.level, item.nullable)

    def extreme(self) -> Sql:
        """The worst or best outcome; with a null item null unless nothing could rank beyond it."""
        kind = self.node.value.type if self.node.value is not None else self.node.source.type.item
        scale = best_first(kind)
        ranks = [
            (exp.EQ(this=self.item, expression=exp.Literal.string(value)), st.whole(rank))
            for rank, value in enumerate(scale)
        ]
        rows = self.over.compiler.stages
        assert isinstance(self.over.item, Sql)
        rank = rows.named(Sql(st.case(ranks), self.over.item.level, True))
        worst = self.node.op == "worst"
        edge = self.outer.stages.named(self.column((exp.Max if worst else exp.Min)(this=self.kept(rank.tree.copy()))))
        beyond = len(scale) - 1 if worst else 0
        whens: list[tuple[exp.Expr, exp.Expr]] = []
        if (nulls := self.nulls) is not None:
            settled = exp.EQ(this=edge.tree.copy(), expression=st.whole(beyond))
            known = exp.EQ(this=nulls.tree, expression=st.whole(0))
            whens.append((st.negated(st.any_of([settled, known])), exp.null()))
        whens.extend(
            (exp.EQ(this=edge.tree.copy(), expression=st.whole(n)), exp.Literal.string(value))
            for n, value in enumerate(scale)
        )
        return Sql(st.case(whens), edge.level, True)

    def streak(self) -> Sql:
        """How many rows in a row meet the condition, by their places among those that count: a streak is as long as its
        last row lies behind the last one before that does not meet it."""
        over, rows = self.over, self.over.compiler.stages
        order = over.compiler.order()
        if not order:
            raise Gap(self.node.at, f"`{self.node.op}` over a history without an order")
        if over.distinct:
            raise Gap(self.node.at, f"`{self.node.op}` of distinct values")
        assert isinstance(over.item, Sql)
        met = rows.named(st.holds(over.item))
        # Rows that a stage leaves out have no place.
        level = max(st.deepest([over.condition, met, *order]), *rows.filters, 0)

        def running(aggregate: exp.Expr, by: Sequence[Sql], level: int) -> Sql:
            window = exp.Window(
                this=aggregate, partition_by=[k.copy() for k in over.aggregation.belonging()],
                order=exp.Order(expressions=[exp.Ordered(this=o.tree.copy(), nulls_first=True) for o in by]),
                spec=exp.WindowSpec(kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end="CURRENT ROW"),
            )
            return rows.named(Sql(window, level, True))

        place = running(exp.Count(this=self.kept(st.whole(1))), order, level)
        broken = self.kept(st.case([(st.negated(met.tree.copy()), place.tree.copy())]))
        if self.node.op == "current streak":
            number, end = self.tally(TRUE), self.column(exp.Max(this=broken))
            found = number.replace(tree=st.binary(exp.Sub, number.tree, _or_none(end.tree)))
        else:
            before = running(exp.Max(this=broken), [place], place.level)
            length = st.binary(exp.Sub, place.tree.copy(), _or_none(before.tree.copy()))
            found = self.column(exp.Max(this=self.kept(st.case([(met.tree.copy(), length)]))))
        return Sql(exp.cast(_or_none(found.tree), "DOUBLE"), found.level)

    def edge(self) -> Sql:
        """The first or last row's value in the history's order."""
        if not isinstance(self.over.item, Sql):
            raise Gap(self.node.at, "a whole row as a value")
        order = self.over.compiler.order()
        if not order:
            raise Gap(self.node.at, f"`{self.node.op}` over a history without an order")
        last = self.node.op == "last"
        if last and self.over.distinct:
            # The last of those that do not repeat an earlier one is not the last row's.
            raise Gap(self.node.at, "`last` of distinct values")
        keys = exp.Order(expressions=[
            exp.Ordered(this=key.tree.copy(), desc=last, nulls_first=not last) for key in order
        ])
        listed: exp.Expr = exp.ArrayAgg(this=exp.Order(this=self.item, expressions=keys.expressions))
        if self.over.condition != TRUE:
            listed = exp.Filter(this=listed, expression=exp.Where(this=self.over.condition.tree.copy()))
        first = exp.Bracket(this=exp.Paren(this=listed), expressions=[exp.Literal.number(1)], offset=1, safe=True)
        return self.column(first)


def _or_none(number: exp.Expr) -> exp.Expr:
    """A whole number, 0 where there is none."""
    return exp.Coalesce(this=number, expressions=[st.whole(0)])


def best_first(kind: dt.Type | None) -> tuple[str, ...]:
    """The values of an ordered enumeration from best to worst."""
    if kind is None or kind.values is None:
        return ()
    return kind.values if kind.order == "best first" else tuple(reversed(kind.values))


# --- lists that are spelt out ------------------------------------------------------------------------


def unrolled(outer: Expressions, node: ir.Fold, items: Sequence[tuple[Sql, Sql]]) -> Sql:
    """The fold of items, each there under its condition."""
    stages = outer.stages
    if node.op == "count":
        total = ZERO
        for present, _ in items:
            one = st.chosen([(present, ONE)], ZERO)
            total = Sql(st.binary(exp.Add, total.tree, one.tree), max(total.level, one.level))
        return total
    if node.op == "some":
        return st.either(*(st.both(p, v) for p, v in items)) if items else FALSE
    if node.op == "every":
        return st.both(*(st.either(st.opposite(p), v) for p, v in items)) if items else TRUE
    if node.op in STREAKS:
        return _streak(outer, node, items)
    if node.op in ("first", "last"):
        return st.chosen(list(items) if node.op == "first" else list(reversed(items)), NULL)
    if node.op == "sum" and node.type.kind in (dt.DAYS_DURATION, dt.MONTHS_DURATION):
        kept = [st.chosen([(p, v)], Sql(st.whole(0))) for p, v in items]
        return span_sum(outer, node.type.kind, kept) if items else Sql(st.whole(0))
    if node.op == "median" and len(items) > 2:
        if any(p != TRUE for p, _ in items):
            raise Gap(node.at, "`median` over a list from which items are filtered")
        return median(outer, node, [v for _, v in items])
    if node.op in ("worst", "best"):
        return _outermost(outer, node, items)
    absent = st.either(*(st.both(p, st.missing(v)) for p, v in items))
    value = stages.named(_running(outer, node, items))
    return st.chosen([(stages.named(absent), NULL)], value)


def _streak(outer: Expressions, node: ir.Fold, items: Sequence[tuple[Sql, Sql]]) -> Sql:
    """How many items in a row are true."""
    longest = current = ZERO
    for present, value in items:
        met = st.holds(value)
        more = Sql(st.binary(exp.Add, current.tree.copy(), ONE.tree.copy()), current.level)
        whens = [(st.both(present, met), more), (st.both(present, st.opposite(met)), ZERO)]
        current = outer.stages.named(st.chosen(whens, current))
        larger = Sql(st.larger(longest.tree, current.tree), max(longest.level, current.level))
        longest = outer.stages.named(larger)
    return longest if node.op == "longest streak" else current


def _outermost(outer: Expressions, node: ir.Fold, items: Sequence[tuple[Sql, Sql]]) -> Sql:
    """The worst or best outcome; with a null item it is null unless nothing could lie beyond it."""
    scale = best_first(node.value.type if node.value is not None else node.source.type.item)
    nulls = outer.stages.named(st.either(*(st.both(p, st.missing(v)) for p, v in items)))
    whens: list[tuple[Sql, Sql]] = []
    for outcome in reversed(scale) if node.op == "worst" else scale:
        literal = outer.literal(outcome, node.at)
        held = [Sql(exp.EQ(this=v.tree.copy(), expression=literal.copy()), v.level, v.nullable) for _, v in items]
        found = st.either(*(st.both(p, h) for (p, _), h in zip(items, held, strict=True)))
        whens.append((outer.stages.named(found), Sql(literal)))
        if len(whens) == 1:
            whens.append((nulls, NULL))
    return st.chosen(whens, NULL)


def _running(outer: Expressions, node: ir.Fold, items: Sequence[tuple[Sql, Sql]]) -> Sql:
    """A fold of known items, in their order."""
    stages = outer.stages
    if node.op in ("min", "max"):
        better = st.smaller if node.op == "min" else st.larger
        best = NULL
        for present, value in items:
            other = Sql(better(best.tree, value.tree), max(best.level, value.level), True)
            held = st.chosen([(st.both(present, st.missing(best)), value), (present, other)], best)
            best = stages.named(held.replace(nullable=True))
        return best
    counted = stages.named(unrolled(outer, node.replace(op="count"), items))
    if node.op == "median":
        total = _added(outer, node, items, None)
        return _quotient(outer, total, counted)
    total = _added(outer, node, items, node.decimals)
    divisor = ONE if node.decimals is None else Sql(st.number(10.0**node.decimals))
    if node.op == "mean":
        divisor = Sql(st.binary(exp.Mul, divisor.tree, counted.tree.copy()), counted.level)
    return _quotient(outer, total, divisor)


def _added(outer: Expressions, node: ir.Fold, items: Sequence[tuple[Sql, Sql]], decimals: int | None) -> Sql:
    """The items added one by one; whole units where `decimals` are given, which is exact in any order."""
    total: Sql = ZERO if decimals is None else Sql(exp.cast(st.whole(0), "INT128"))
    for present, value in items:
        item = value.tree.copy()
        if decimals is not None:
            shifted = st.binary(exp.Add, st.binary(exp.Mul, item, st.number(10.0**decimals)), st.number(0.5))
            whole = outer.stages.named(value.replace(tree=shifted))
            fits = exp.LTE(this=st.absolute(whole.tree.copy()), expression=st.number(MOST_UNITS))
            item = st.case([(fits, exp.cast(exp.Floor(this=whole.tree.copy()), "INT128"))])
            value = whole
        added = Sql(st.binary(exp.Add, total.tree.copy(), item), max(total.level, value.level), True)
        total = outer.stages.named(st.chosen([(present, added)], total))
    return total.replace(tree=exp.cast(total.tree, "DOUBLE"))


def _quotient(outer: Expressions, total: Sql, divisor: Sql) -> Sql:
    by = outer.stages.named(divisor)
    tree = st.binary(exp.Div, total.tree, exp.Nullif(this=by.tree.copy(), expression=st.number(0)))
    return outer.only_finite(Sql(tree, max(total.level, by.level), True))
