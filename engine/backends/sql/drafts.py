"""What a hit policy makes of a decision's arms, before `on missing` acts."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.backends.sql import stages as st
from engine.backends.sql.items import Items
from engine.backends.sql.relations import Expressions
from engine.backends.sql.stages import NULL, Sql
from engine.ir import nodes as ir
from engine.records import Record

LISTS = frozenset({"collect", "rule order", "output order"})


class Draft(Record):
    """`values` are what matched gives, by member, or `items` of a list. `winners` are the arms behind it,
    `openers` the undetermined ones that could change it, `doubtful` the matched ones whose computed outcome, where it
    is null, could change it; each with its condition, which is never NULL. `is_open` is that of the openers
    together, and may be cheaper than their disjunction."""

    values: dict[str, Sql]
    winners: list[tuple[int, Sql]]
    openers: list[tuple[int, Sql]]
    is_open: Sql
    items: Items | None = None
    doubtful: tuple[tuple[int, Sql], ...] = ()


class Tried:
    """The arms of a decision as columns. Guards become columns only where more than the outcome hangs on them."""

    def __init__(self, of: Expressions, decision: ir.Decide, traced: bool) -> None:
        self.of = of
        self.stages = of.stages
        self.decision = decision
        self.arms = decision.arms
        self.skips = decision.on_missing.action == "skip"
        found = [of.compile(a.guard) for a in decision.arms]
        states = traced or (not self.skips and any(g.nullable for g in found)) or decision.hit not in ("first", "value")
        self.guards = [of.stages.named(g) if states else g for g in found]
        #: Whether an arm's guard is true, and whether it is undetermined; never NULL.
        self.matched = [of.stages.named(st.holds(g)) if states else g for g in self.guards]
        self._undetermined: list[Sql] | None = None

    @property
    def undetermined(self) -> list[Sql]:
        if self._undetermined is None:
            self._undetermined = [self.stages.named(st.missing(g)) for g in self.guards]
        return self._undetermined

    def outcome(self, index: int) -> dict[str, Sql]:
        """What an arm gives, by member."""
        return {name: self.of.compile(node) for name, node in self.arms[index].outcome}

    @property
    def members(self) -> list[str]:
        return [name for name, _ in self.decision.members] or [""]

    @property
    def given(self) -> list[Sql]:
        """Which arms count as matched: `otherwise` where no rule does."""
        rules = st.either(*(m for m, a in zip(self.matched, self.arms, strict=True) if not a.otherwise))
        none = self.stages.named(st.opposite(self.stages.named(rules)))
        return [
            self.stages.named(st.both(none, m)) if a.otherwise else m
            for m, a in zip(self.matched, self.arms, strict=True)
        ]

    def any_undetermined(self, but: Sequence[int] = ()) -> Sql:
        return st.either(*(u for i, u in enumerate(self.undetermined) if i not in but))

    def by_winner(self, conditions: Sequence[tuple[int, Sql]]) -> dict[str, Sql]:
        """The outcome of the first arm whose condition holds, null in each member where none does."""
        outcomes = {i: self.outcome(i) for i, _ in conditions}
        return {
            name: self.stages.named(st.chosen([(c, outcomes[i].get(name, NULL)) for i, c in conditions], NULL))
            for name in self.members
        }


def constants(arm: ir.Arm) -> dict[str, Any]:
    return {name: node.value for name, node in arm.outcome if isinstance(node, ir.Const)}


def plain(arm: ir.Arm) -> Any:
    """The outcome of an arm of plain data."""
    values = constants(arm)
    return values[""] if list(values) == [""] else values


def worst_first(decision: ir.Decide) -> tuple[str, ...]:
    values = decision.type.values or ()
    return values if decision.type.order == "worst first" else tuple(reversed(values))

