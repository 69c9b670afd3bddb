"""Decisions as flat CASE expressions: what the arms give, when a decision is open, and what it gives then.

A hit policy makes a `Draft` of the arms (`hits`, `ranked`, `collected`); what an open decision gives and which
rules fire is the same for all, as in `backends.reference.decide`.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.collected import collected, folded
from engine.backends.sql.drafts import LISTS, Draft, Tried, constants, plain, worst_first
from engine.backends.sql.hits import any_hit, first, unique, value
from engine.backends.sql.items import Items, Members
from engine.backends.sql.masks import Flag, Flags
from engine.backends.sql.origins import NOTHING, Behind, Labels, union, where
from engine.backends.sql.ranked import priority, worst
from engine.backends.sql.reasons import Blocks, Reasons
from engine.backends.sql.relations import Expressions
from engine.backends.sql.scores import score
from engine.backends.sql.stages import FALSE, NULL, Sql
from engine.backends.support import Gap
from engine.ir import nodes as ir
from engine.records import Record

HITS: Mapping[str, Callable[[Tried], Draft]] = {
    "value": value, "first": first, "unique": unique, "any": any_hit, "worst": worst, "priority": priority,
    "collect": collected, "rule order": collected, "output order": collected,
    "collect sum": folded, "collect min": folded, "collect max": folded, "collect count": folded,
}
assert set(HITS) == set(ir.HITS)


class Wanted(Record):
    """What a query gives beside the outcomes: which of these are asked for at all decides what is compiled."""

    fired: bool = False
    reasons: bool = False
    missing: bool = False

    @property
    def labels(self) -> bool:
        """Whether what is behind a null must be known: `MISSING` and `UNDEFINED` are told apart by it."""
        return self.missing or self.reasons


class Given(Record):
    """What a decision gives: values by member, or the items of a list; when it is open, and what is behind that;
    the rules that fired, its reasons, and the conditions under which it refuses the customer."""

    values: Mapping[str, Sql]
    items: Items | None
    is_open: Sql
    behind: Behind
    fired: Flags
    reasons: Blocks
    refuses: Sql


class DecisionCompiler:
    """Compiles decisions one by one, in evaluation order, into one scope's compiler of expressions."""

    def __init__(self, of: Expressions, reasons: Reasons, labels: Labels, wanted: Wanted) -> None:
        self.of = of
        self.stages = of.stages
        self.reasons = reasons
        self.labels = labels
        self.wanted = wanted

    def decision(self, decision: ir.Decision) -> Given:
        """A decision's columns; raises `Gap`."""
        self._locals(decision)
        if isinstance(decision, ir.Score):
            return self._score(decision)
        if decision.hit == "value" and self.of.view(("Ref", decision.name), decision.arms[0].outcome[0][1]):
            return self._rows(decision)
        gives_reasons = self.wanted.reasons and any(a.reasons for a in decision.arms)
        tried = Tried(self.of, decision, self.wanted.fired or gives_reasons, self.wanted.labels)
        draft = HITS[decision.hit](tried)
        given = self._given(decision, tried, draft)
        self._name(decision.name, given)
        return given

    def _locals(self, decision: ir.Decision) -> None:
        """The names of `where`: a null one counts as a name that was read."""
        self.of.new_decision()
        for name, node in decision.where:
            key = ("Local", name)
            if self.of.view(key, node):
                self.of.nulls.names[key] = self._as_name(self.of.null_of(node), self.of.nulls.behind(node))
                continue
            found = self.of.variables[key] = self.stages.named(self.of.compile(node))
            behind = self.of.nulls.behind(node)
            self.of.nulls.names[key] = Behind(self.stages.named(st.missing(found)), behind.lanes)

    def _rows(self, decision: ir.Decide) -> Given:
        """A relation or list that a name stands for: it is gone through where it is read."""
        node = decision.arms[0].outcome[0][1]
        items = None if decision.internal else self.of.spelt_out(node)
        if items is None and not decision.internal:
            raise Gap(decision.at, f"outcomes of kind `{decision.type.kind}`")
        behind = self.of.nulls.behind(node)
        is_open = FALSE if decision.on_missing.action == "skip" else behind.names
        if decision.on_missing.action == "then":
            raise Gap(decision.at, "`then` for a list")
        self.of.nulls.names[("Ref", decision.name)] = self._as_name(self.of.null_of(node), behind)
        refuses = is_open if decision.on_missing.action == "refuse" else FALSE
        return Given({}, items, is_open, behind, [], [], refuses)

    def _as_name(self, null: Sql, behind: Behind) -> Behind:
        """What is behind a name that is null."""
        return where(self.stages.named(null), Behind(st.TRUE, behind.lanes))

    def _name(self, name: str, given: Given) -> None:
        """Make the outcome known to what is compiled after it."""
        for member, found in given.values.items():
            key = ("Ref", f"{name}.{member}" if member else name)
            self.of.variables[key] = found
            null = self.stages.named(st.missing(found))
            self.of.nulls.names[key] = where(null, Behind(null, given.behind.lanes))
        if given.items is not None:
            self.of.collected[name] = given.items
            self.of.nulls.names[("Ref", name)] = given.behind

    # --- arms -------------------------------------------------------------------------------------------

    def _given(self, decision: ir.Decide, tried: Tried, draft: Draft) -> Given:
        names, behind_null = self._null_results(decision, tried, draft)
        action = decision.on_missing.action
        is_open = self.stages.named(st.holds(st.either(draft.is_open, names)))
        behind = NOTHING
        if self.wanted.labels:
            openers = [where(c, self.of.nulls.behind(decision.arms[i].guard)) for i, c in draft.openers]
            behind = self.of.nulls.named(union([*openers, behind_null]))
        if action == "skip" or is_open.is_false:
            fired = [Flag(decision.arms[i].rule, c) for i, c in draft.winners] if decision.hit != "value" else []
            reasons: Blocks = self.reasons.of_arms(decision, draft.winners) if self.wanted.reasons else []
            values = {n: self.stages.named(v) for n, v in draft.values.items()}
            return Given(values, draft.items, FALSE, behind, fired, reasons, FALSE)
        values = {n: self.stages.named(self._open_value(decision, n, v, is_open)) for n, v in draft.values.items()}
        items = None if draft.items is None else self._open_items(decision, draft.items, is_open)
        winners = self._firing(decision, tried, draft, values, is_open)
        fired = [Flag(decision.arms[i].rule, c) for i, c in winners] if decision.hit != "value" else []
        reasons = []
        if self.wanted.reasons:
            reasons = self.reasons.of_arms(decision, winners)
            reasons = self.reasons.with_reserved(reasons, is_open, behind)
        return Given(values, items, is_open, behind, fired, reasons, is_open if action == "refuse" else FALSE)

    def _null_results(self, decision: ir.Decide, tried: Tried, draft: Draft) -> tuple[Sql, Behind]:
        """Where a computed outcome is null for a name that is, and what is behind it."""
        if decision.on_missing.action == "skip" and not self.wanted.labels:
            return FALSE, NOTHING
        found = []
        for index, condition in (*draft.winners, *draft.doubtful):
            for _, node in decision.arms[index].outcome:
                if not isinstance(node, ir.Const):
                    behind = self.of.nulls.behind(node)
                    if not behind.is_nothing:
                        found.append(where(self.stages.named(condition), behind))
        joined = self.of.nulls.named(union(found))
        return joined.names, joined

    def _open_value(self, decision: ir.Decide, member: str, draft: Sql, is_open: Sql) -> Sql:
        """What `on missing` makes of a draft where the decision is open."""
        return st.chosen([(is_open, self._instead(decision, member, draft))], draft)

    def _instead(self, decision: ir.Decide, member: str, draft: Sql) -> Sql:
        action = decision.on_missing.action
        if action == "then":
            outcome: Any = decision.on_missing.outcome
            return Sql(self.of.literal(outcome[member] if member else outcome, decision.at))
        if action == "refuse" or member or "refer" not in (decision.type.values or ()):
            return NULL
        refer = Sql(self.of.literal("refer", decision.at))
        if decision.hit != "worst":
            return refer
        scale = worst_first(decision)
        worse = [self.of.literal(v, decision.at) for v in scale[: scale.index("refer")]]
        if not worse:
            return refer
        draft = self.stages.named(draft)
        return st.chosen([(Sql(exp.In(this=draft.tree.copy(), expressions=worse), draft.level), draft)], refer)

    def _open_items(self, decision: ir.Decide, items: Items, is_open: Sql) -> Items:
        """The items of an open list: those that matched under `refer`, none or the stated one otherwise."""
        action = decision.on_missing.action
        if action == "refer":
            return items
        settled = self.stages.named(st.opposite(is_open))
        kept: Items = [(self.stages.named(st.both(settled, present)), item) for present, item in items]
        if action == "then":
            stated: Any = decision.on_missing.outcome
            if isinstance(stated, dict):
                members = {n: Sql(self.of.literal(v, decision.at), 0, v is None) for n, v in stated.items()}
                kept.append((is_open, Members(members)))
            else:
                kept.append((is_open, Sql(self.of.literal(stated, decision.at))))
        return kept

    def _firing(
        self, decision: ir.Decide, tried: Tried, draft: Draft, values: Mapping[str, Sql], is_open: Sql
    ) -> list[tuple[int, Sql]]:
        """The arms that fire: in an open decision those whose plain outcome is the one given."""
        found = []
        settled = self.stages.named(st.opposite(is_open))
        for index, condition in draft.winners:
            still = self._still_fires(decision, decision.arms[index], values)
            fires = st.both(condition, st.either(settled, still) if not still.is_false else settled)
            found.append((index, self.stages.named(fires)))
        return found

    def _still_fires(self, decision: ir.Decide, arm: ir.Arm, values: Mapping[str, Sql]) -> Sql:
        action = decision.on_missing.action
        if decision.hit in LISTS:
            if action == "refer":
                return st.TRUE
            stated = decision.on_missing.outcome
            return st.TRUE if action == "then" and not arm.is_computed and plain(arm) == stated else FALSE
        if decision.hit.startswith("collect") or arm.is_computed or action == "refuse":
            return FALSE
        given = constants(arm)
        if list(given) == [""]:
            if given[""] is None:
                return FALSE
            same = exp.EQ(this=values[""].tree.copy(), expression=self.of.literal(given[""], arm.at))
            return st.holds(Sql(same, values[""].level, True))
        stated = decision.on_missing.outcome if action == "then" else dict.fromkeys(given)
        return st.TRUE if given == stated else FALSE

    # --- scorecards ----------------------------------------------------------------------------------------

    def _score(self, decision: ir.Score) -> Given:
        gives_reasons = any(b.reasons for c in decision.characteristics for b in c.bins)
        found = score(self.of, decision, self.wanted.reasons and gives_reasons)
        action = decision.on_missing.action
        is_open = self.stages.named(found.is_open)
        total = found.total
        if action == "then":
            stated = Sql(self.of.literal(decision.on_missing.outcome, decision.at))
            total = st.chosen([(is_open, stated)], total)
        behind = NOTHING
        if self.wanted.labels:
            parts = [where(null, self.of.nulls.behind(c.value)) for c, null in found.opening]
            behind = self.of.nulls.named(union(parts))
        reasons: Blocks = []
        if self.wanted.reasons:
            lost = self.reasons.of_score(decision, found.bins) if gives_reasons else []
            settled = self.stages.named(st.both(st.opposite(is_open), st.opposite(st.missing(found.total))))
            reasons = [b.replace(holds=self.stages.named(st.both(settled, b.holds))) for b in lost]
            reasons = self.reasons.with_reserved(reasons, is_open, behind)
        given = Given(
            {"": self.stages.named(total)}, None, is_open, behind, [], reasons,
            is_open if action == "refuse" else FALSE,
        )
        self._name(decision.name, given)
        return given

