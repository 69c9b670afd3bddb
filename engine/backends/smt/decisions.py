"""Decisions as solver terms, the open test included."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import z3

from engine.backends import support
from engine.backends.smt.expressions import KINDS, SmtExpressions
from engine.backends.smt.terms import FALSE, NULL, Smt, Term, any_of, constant, holds, pick, same
from engine.backends.support import Gap
from engine.ir import nodes as ir

#: The value of each output, and the conditions under which the decision refuses the customer.
Given = tuple[dict[str, Smt], list[Term]]


class DecisionEncoder:
    """Encodes decisions one by one, in evaluation order."""

    def __init__(self, of: SmtExpressions) -> None:
        self.of = of

    def bind(self, decision: ir.Decision) -> None:
        """Make a decision's local names the ones in scope."""
        for key in [k for k in self.of.variables if k[0] == "Local"]:
            del self.of.variables[key]
        for name, node in decision.where:
            self.of.variables[("Local", name)] = self.of.compile(node)

    def decision(self, decision: ir.Decision) -> Given:
        """The outputs of a decision ("" for a single one); raises `Gap`."""
        if isinstance(decision, ir.Decide) and decision.hit not in self.of.hits:
            raise Gap(decision.at, f"`{decision.hit}` decisions")
        members = isinstance(decision, ir.Decide) and decision.members
        if not members and decision.type.kind not in KINDS:
            raise Gap(decision.at, f"outcomes of kind `{decision.type.kind}`")
        self.bind(decision)
        if isinstance(decision, ir.Score):
            return self.score(decision)
        return self.worst(decision) if decision.hit == "worst" else self.first(decision)

    def given(self, decision: ir.Decide, drafts: dict[str, Smt], is_open: Term | None) -> Given:
        action = decision.on_missing.action
        if is_open is None or action == "skip":
            return drafts, []
        values = {n: pick(is_open, self.instead(decision, n, draft), draft) for n, draft in drafts.items()}
        return values, [is_open] if action == "refuse" else []

    def instead(self, decision: ir.Decide, name: str, draft: Smt) -> Smt:
        action = decision.on_missing.action
        if action == "then":
            outcome: Any = decision.on_missing.outcome
            return constant(outcome[name] if name else outcome, decision.at)
        if action == "refuse" or name or "refer" not in (decision.type.values or ()):
            return NULL
        refer = constant("refer", decision.at)
        if decision.hit != "worst":
            return refer
        scale = _worst_first(decision)
        worse = [constant(v, decision.at) for v in scale[: scale.index("refer")]]
        return pick(any_of([same(draft, v) for v in worse]), draft, refer)

    # --- value and first -----------------------------------------------------------------

    def first(self, decision: ir.Decide) -> Given:
        guards = [self.of.compile(a.guard) for a in decision.arms]
        nullable = any(n.type.nullable for a in decision.arms for _, n in a.outcome if a.is_computed)
        if support.asks_why_null(decision, nullable):
            raise Gap(decision.at, support.WHY_NULL)
        drafts: dict[str, Smt] = {}
        for name in [n for n, _ in decision.arms[0].outcome]:
            found = NULL
            for guard, arm in zip(reversed(guards), reversed(decision.arms), strict=True):
                found = pick(holds(guard), self.of.compile(dict(arm.outcome)[name]), found)
            drafts[name] = found
        if decision.on_missing.action == "skip":
            return drafts, []
        return self.given(decision, drafts, _first_open(decision.arms, guards))

    # --- worst -----------------------------------------------------------------------------

    def worst(self, decision: ir.Decide) -> Given:
        if any(a.is_computed for a in decision.arms):
            raise Gap(decision.at, "`worst` over computed outcomes")
        guards = [self.of.compile(a.guard) for a in decision.arms]
        rules = [(g, _outcome(a)) for g, a in zip(guards, decision.arms, strict=True) if not a.otherwise]
        otherwise = next((_outcome(a) for a in decision.arms if a.otherwise), None)
        scale = _worst_first(decision)
        matched = any_of([holds(g) for g, _ in rules])
        draft = pick(matched, NULL, constant(otherwise, decision.at))
        for value in reversed(scale):
            draft = pick(any_of([holds(g) for g, v in rules if v == value]), constant(value, decision.at), draft)

        def undetermined(of: Callable[[Any], bool]) -> Term:
            return any_of([g.null for g, v in rules if of(v)])

        is_open: Term = FALSE
        for reach, value in enumerate(scale):
            won = same(draft, constant(value, None))
            is_open = z3.If(won, undetermined(set(scale[:reach]).__contains__), is_open)
        is_open = z3.If(matched, is_open, undetermined(lambda v: v != otherwise))
        is_open = z3.If(draft.null, undetermined(lambda v: True), is_open)
        return self.given(decision, {"": draft}, is_open)

    # --- scorecards --------------------------------------------------------------------------

    def score(self, score: ir.Score) -> Given:
        total = constant(score.base, score.at).value
        null: list[Term] = []
        opening: list[Term] = []
        for characteristic in score.characteristics:
            value = self.of.compile(characteristic.value)
            known = Smt(value.value)
            self.of.variables[("Local", characteristic.var)] = known if value.value is not None else value
            held = next((constant(b.points, b.at) for b in characteristic.bins if b.is_null), NULL)
            points = NULL
            for each in reversed(characteristic.bins):
                if not each.is_null:
                    points = pick(holds(self.of.compile(each.test)), constant(each.points, each.at), points)
            points = pick(value.null, held, points)
            if points.value is None:
                return {"": NULL}, []
            total = total + points.value
            null.append(points.null)
            if held is NULL:
                opening.append(value.null)
        draft = Smt(total, any_of(null))
        is_open = any_of(opening)
        if score.on_missing.action == "then":
            draft = pick(is_open, constant(score.on_missing.outcome, score.at), draft)
        return {"": draft}, [is_open] if score.on_missing.action == "refuse" else []


def _first_open(arms: Sequence[ir.Arm], guards: Sequence[Smt]) -> Term:
    """An undetermined arm before the winner has another outcome; without a winner, any is undetermined."""
    is_open = any_of([g.null for g in guards])
    for i in range(len(arms) - 1, -1, -1):
        before = any_of([guards[j].null for j in range(i) if support.differs(arms[j], arms[i])])
        is_open = z3.If(holds(guards[i]), before, is_open)
    return is_open


def _outcome(arm: ir.Arm) -> Any:
    node = arm.outcome[0][1]
    assert isinstance(node, ir.Const)
    return node.value


def _worst_first(decision: ir.Decide) -> tuple[str, ...]:
    values = decision.type.values or ()
    return values if decision.type.order == "worst first" else tuple(reversed(values))
