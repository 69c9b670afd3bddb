"""Decisions as flat CASE expressions, with the open test as further columns.

The open test of `first` needs no pair of rules: of the undetermined rules only the earliest
counts, and the earliest whose outcome differs from that one's.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from engine.backends import support
from engine.backends.sql import stages as st
from engine.backends.sql.expressions import SqlExpressions
from engine.backends.sql.stages import Sql, case
from engine.backends.support import Gap
from engine.ir import nodes as ir

#: The value of each output, and the conditions under which the decision refuses the customer.
Given = tuple[dict[str, Sql], list[Sql]]


class DecisionCompiler:
    """Compiles decisions one by one, in evaluation order."""

    def __init__(self, expressions: SqlExpressions) -> None:
        self.of = expressions
        self.stages = expressions.stages

    def decision(self, decision: ir.Decision) -> Given:
        """The outputs of a decision ("" for a single one); raises `Gap`."""
        for key in [k for k in self.of.variables if k[0] == "Local"]:
            del self.of.variables[key]
        for name, node in decision.where:
            self.of.variables[("Local", name)] = self.stages.named(self.of.compile(node))
        if isinstance(decision, ir.Score):
            return self.score(decision)
        if decision.hit == "worst":
            return self.worst(decision)
        return self.first(decision)

    def guards(self, decision: ir.Decide) -> list[Sql]:
        return [self.stages.named(self.of.compile(a.guard)) for a in decision.arms]

    def given(self, decision: ir.Decide, drafts: dict[str, Sql], is_open: Sql | None) -> Given:
        """What `on missing` makes of the drafts where the decision is open."""
        action = decision.on_missing.action
        if is_open is None or action == "skip":
            return {n: self.stages.named(v) for n, v in drafts.items()}, []
        is_open = self.stages.named(is_open)
        values = {}
        for name, draft in drafts.items():
            instead = self.instead(decision, name, draft)
            tree = case([(is_open.tree.copy(), instead)], draft.tree.copy())
            values[name] = self.stages.named(Sql(tree, max(draft.level, is_open.level), True))
        return values, [is_open] if action == "refuse" else []

    def instead(self, decision: ir.Decide, name: str, draft: Sql) -> exp.Expr:
        action = decision.on_missing.action
        if action == "then":
            outcome: Any = decision.on_missing.outcome
            return self.of.literal(outcome[name] if name else outcome, decision.at)
        if action == "refuse" or name or "refer" not in (decision.type.values or ()):
            return exp.null()
        refer = self.of.literal("refer", decision.at)
        if decision.hit != "worst":
            return refer
        scale = _worst_first(decision)
        worse = [self.of.literal(v, decision.at) for v in scale[: scale.index("refer")]]
        if not worse:
            return refer
        return case([(exp.In(this=draft.tree.copy(), expressions=worse), draft.tree.copy())], refer)

    # --- value and first -----------------------------------------------------------------

    def first(self, decision: ir.Decide) -> Given:
        guards = self.guards(decision)
        outcomes = [{n: self.of.compile(node) for n, node in a.outcome} for a in decision.arms]
        nullable = any(
            v.nullable for a, o in zip(decision.arms, outcomes, strict=True) if a.is_computed for v in o.values()
        )
        if support.asks_why_null(decision, nullable):
            raise Gap(decision.at, support.WHY_NULL)
        drafts = {}
        for name in outcomes[0]:
            values = [o[name] for o in outcomes]
            whens = [(g.tree.copy(), v.tree.copy()) for g, v in zip(guards, values, strict=True)]
            level = max(s.level for s in (*guards, *values))
            drafts[name] = self.stages.named(Sql(case(whens), level, True))
        return self.given(decision, drafts, self.first_open(decision, guards))

    def first_open(self, decision: ir.Decide, guards: Sequence[Sql]) -> Sql | None:
        """Whether an undetermined arm before the winner has another outcome; None where none can be."""
        if decision.on_missing.action == "skip" or not any(g.nullable for g in guards):
            return None
        classes = _classes(decision.arms)
        level = max(g.level for g in guards)

        def numbered(test: Any, numbers: Sequence[int], default: int) -> Sql:
            whens = [
                (test(g.tree.copy()), st.whole(n)) for g, n in zip(guards, numbers, strict=True)
                if g.nullable or test is not st.is_null
            ]
            return self.stages.named(Sql(case(whens, st.whole(default)), level))

        places = range(len(guards))
        winner = numbered(lambda t: t, places, len(guards))
        winning = numbered(lambda t: t, classes, -1)
        earliest = numbered(st.is_null, places, len(guards) + 1)
        its = numbered(st.is_null, classes, -2)
        whens = [
            (st.all_of([st.is_null(g.tree.copy()), exp.NEQ(this=its.tree.copy(), expression=st.whole(c))]), st.whole(n))
            for n, (g, c) in enumerate(zip(guards, classes, strict=True)) if g.nullable
        ]
        other = self.stages.named(Sql(case(whens, st.whole(len(guards) + 1)), its.level))
        tree = st.any_of([
            st.all_of([
                exp.NEQ(this=its.tree.copy(), expression=winning.tree.copy()),
                exp.LT(this=earliest.tree.copy(), expression=winner.tree.copy()),
            ]),
            exp.LT(this=other.tree.copy(), expression=winner.tree.copy()),
        ])
        return Sql(tree, other.level)

    # --- worst -----------------------------------------------------------------------------

    def worst(self, decision: ir.Decide) -> Given:
        if any(a.is_computed for a in decision.arms):
            raise Gap(decision.at, "`worst` over computed outcomes")
        guards = self.guards(decision)
        level = max((g.level for g in guards), default=0)
        rules = [(g, _outcome(a)) for g, a in zip(guards, decision.arms, strict=True) if not a.otherwise]
        otherwise = next((_outcome(a) for a in decision.arms if a.otherwise), None)
        scale = _worst_first(decision)
        matched = self.stages.named(Sql(_true(st.any_of([g.tree.copy() for g, _ in rules])), level))
        whens = []
        for value in scale:
            held = [g.tree.copy() for g, v in rules if v == value]
            if held:
                whens.append((st.any_of(held), self.of.literal(value, decision.at)))
        whens.append((st.negated(matched.tree.copy()), self.of.literal(otherwise, decision.at)))
        draft = self.stages.named(Sql(case(whens), matched.level, True))
        return self.given(decision, {"": draft}, self.worst_open(decision, rules, otherwise, matched, draft))

    def worst_open(
        self, decision: ir.Decide, rules: Sequence[tuple[Sql, Any]], otherwise: Any, matched: Sql, draft: Sql
    ) -> Sql | None:
        if decision.on_missing.action == "skip" or not any(g.nullable for g, _ in rules):
            return None

        def undetermined(of: Any) -> exp.Expr:
            return st.any_of([st.is_null(g.tree.copy()) for g, v in rules if g.nullable and of(v)])

        scale = _worst_first(decision)
        whens = [
            (st.is_null(draft.tree.copy()), undetermined(lambda v: True)),
            (st.negated(matched.tree.copy()), undetermined(lambda v: v != otherwise)),
        ]
        for reach, value in enumerate(scale):
            won = exp.EQ(this=draft.tree.copy(), expression=self.of.literal(value, decision.at))
            whens.append((won, undetermined(lambda v, reach=reach: v is not None and scale.index(v) < reach)))
        return Sql(case(whens, exp.false()), max(draft.level, *(g.level for g, _ in rules)))

    # --- scorecards --------------------------------------------------------------------------

    def score(self, score: ir.Score) -> Given:
        total: exp.Expr = st.number(score.base)
        levels, opening = [0], []
        for characteristic in score.characteristics:
            value = self.stages.named(self.of.compile(characteristic.value))
            self.of.variables[("Local", characteristic.var)] = value.replace(nullable=False)
            points = self.points(characteristic, value)
            total = exp.Add(this=total, expression=points.tree)
            levels.append(points.level)
            if value.nullable and not any(b.is_null for b in characteristic.bins):
                opening.append(value)
        draft = self.stages.named(Sql(total, max(levels), True))
        if not opening:
            return {"": draft}, []
        is_open = self.stages.named(
            Sql(st.any_of([st.is_null(v.tree.copy()) for v in opening]), max(v.level for v in opening))
        )
        action = score.on_missing.action
        if action == "then":
            instead = self.of.literal(score.on_missing.outcome, score.at)
            tree = case([(is_open.tree.copy(), instead)], draft.tree.copy())
            draft = self.stages.named(Sql(tree, max(draft.level, is_open.level), True))
        return {"": draft}, [is_open] if action == "refuse" else []

    def points(self, characteristic: ir.Characteristic, value: Sql) -> Sql:
        """The points of the first bin that holds, NULL for none."""
        whens, level = [], value.level
        if value.nullable:
            held = next((st.number(b.points) for b in characteristic.bins if b.is_null), exp.null())
            whens.append((st.is_null(value.tree.copy()), held))
        for each in characteristic.bins:
            if not each.is_null:
                test = self.of.compile(each.test)
                level = max(level, test.level)
                whens.append((test.tree, st.number(each.points)))
        return self.stages.named(Sql(case(whens), level, True))


def _true(tree: exp.Expr) -> exp.Expr:
    """A condition as true or false, NULL counting as false."""
    return case([(tree, exp.true())], exp.false())


def _outcome(arm: ir.Arm) -> Any:
    node = arm.outcome[0][1]
    assert isinstance(node, ir.Const)
    return node.value


def _worst_first(decision: ir.Decide) -> tuple[str, ...]:
    values = decision.type.values or ()
    return values if decision.type.order == "worst first" else tuple(reversed(values))


def _classes(arms: Sequence[ir.Arm]) -> list[int]:
    """Equal numbers for equal outcomes; a computed one is like no other."""
    found: list[int] = []
    for index, arm in enumerate(arms):
        like = next((i for i in range(index) if not support.differs(arms[i], arm)), index)
        found.append(like)
    return found
