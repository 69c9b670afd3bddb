"""What a hit policy makes of a decision's arms, before `on missing` acts."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.items import Items
from engine.backends.sql.masks import as_bits
from engine.backends.sql.relations import Expressions
from engine.backends.sql.stages import NULL, TRUE, Sql
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
    """The arms of a decision, tried. Which matched are bits of a number, where more than one arm's match counts."""

    def __init__(self, of: Expressions, decision: ir.Decide, traced: bool, labelled: bool) -> None:
        self.of = of
        self.stages = of.stages
        self.decision = decision
        self.arms = decision.arms
        self.skips = decision.on_missing.action == "skip"
        #: Whether the arms that leave a decision open are asked for one by one.
        self.labelled = labelled
        self.guards: list[Sql] = [of.compile(a.guard) for a in decision.arms]
        #: Whether more hangs on an arm than what the decision gives: under `skip` at least what is behind a null, for
        #: the decisions that read it.
        doubted = not self.skips or (labelled and self._may_be_null)
        self.traced = traced or (doubted and any(g.nullable for g in self.guards))
        #: Whether an arm's guard is true; never NULL where it is a bit.
        self.matched = list(self.guards)
        if decision.hit not in ("first", "value"):
            self.matched = as_bits(self.stages, self.guards)
        self.undetermined = [st.missing(g) for g in self.guards]

    @property
    def _may_be_null(self) -> bool:
        """Whether the decision may give nothing, or a null."""
        given = [constants(a) for a in self.arms]
        whole = all(set(g) == set(self.members) and None not in g.values() for g in given)
        return not (whole and any(g == TRUE for g in self.guards))

    def opening(self, openers: Sequence[tuple[int, Sql]]) -> tuple[list[tuple[int, Sql]], Sql]:
        """Arms that leave the decision open, with the condition that one does."""
        openers = [(i, c) for i, c in openers if not c.is_false]
        if self.labelled:
            conditions = as_bits(self.stages, [c for _, c in openers])
            openers = [(i, c) for (i, _), c in zip(openers, conditions, strict=True)]
        return openers, st.either(*(c for _, c in openers))

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

    def by_winner(self, conditions: Sequence[tuple[int, Sql]], exclusive: bool = False) -> dict[str, Sql]:
        """The outcome of the first arm whose condition holds, null in each member where none does. Where the conditions
        are `exclusive`, arms that give the same are told together."""
        outcomes = {i: self.outcome(i) for i, _ in conditions}
        found = {}
        for name in self.members:
            whens = [(c, outcomes[i].get(name, NULL)) for i, c in conditions]
            found[name] = self.stages.named(st.chosen(_joined(whens) if exclusive else whens, NULL))
        return found


def _joined(whens: Sequence[tuple[Sql, Sql]]) -> list[tuple[Sql, Sql]]:
    """Branches by what they give, constants once."""
    groups: dict[tuple[str, bool] | int, tuple[list[Sql], Sql]] = {}
    for number, (test, value) in enumerate(whens):
        constant = isinstance(value.tree, exp.Literal)
        key = (value.tree.this, value.tree.is_string) if constant else number
        groups.setdefault(key, ([], value))[0].append(test)
    return [(st.either(*tests), value) for tests, value in groups.values()]


def constants(arm: ir.Arm) -> dict[str, Any]:
    return {name: node.value for name, node in arm.outcome if isinstance(node, ir.Const)}


def plain(arm: ir.Arm) -> Any:
    """The outcome of an arm of plain data."""
    values = constants(arm)
    return values[""] if list(values) == [""] else values


def worst_first(decision: ir.Decide) -> tuple[str, ...]:
    values = decision.type.values or ()
    return values if decision.type.order == "worst first" else tuple(reversed(values))

