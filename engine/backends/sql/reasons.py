"""Reasons as flags in the order in which they are given.

The order hangs on the data where codes are inherited, and in scorecards on the points lost. So a code stands once for
each place that it may have, and its flag there holds where that place is the one; the list of what holds, read
in order, is the list of reasons.
"""
from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.masks import Flag, Flags, once
from engine.backends.sql.origins import Behind
from engine.backends.sql.stages import Sql, Stages
from engine.ir import nodes as ir
from engine.records import Record

UNRANKED = float("inf")


class Loss(Record):
    """A code lost at a bin: the place of its characteristic, the bin's and its own there, and the points."""

    place: tuple[int, int, int]
    points: float
    holds: Sql


class Reasons:
    """Reasons of decisions, in evaluation order; `given` holds those of the decisions before."""

    def __init__(self, stages: Stages, program: ir.Program) -> None:
        self.stages = stages
        self.ranks = {r.code: r.rank for r in program.reasons}
        self.given: dict[str, Flags] = {}

    def rank(self, code: str) -> float:
        return self.ranks.get(code, UNRANKED)

    def named(self, flags: Flags) -> Flags:
        """The flags as columns, each label once, reserved codes last."""
        flags = [f.replace(holds=self.stages.named(f.holds)) for f in once(flags)]
        return [*(f for f in flags if f.label not in ir.RESERVED), *(f for f in flags if f.label in ir.RESERVED)]

    # --- arms ---------------------------------------------------------------------------------------------

    def of_arms(self, decision: ir.Decide, fires: Sequence[tuple[int, Sql]]) -> Flags:
        """The reasons of the arms that fire: arms by the lowest rank among their codes, then in their order."""
        arms: list[tuple[int, Flags]] = []
        for index, condition in fires:
            codes = self._codes(decision.arms[index].reasons)
            arms.append((index, [f.replace(holds=self.stages.named(st.both(condition, f.holds))) for f in codes]))
        placed: list[tuple[float, int, Flags]] = []
        single = decision.hit in ("first", "unique", "value")       # one arm fires, so its rank is no matter
        for index, codes in arms:
            others = [] if single else [(self.rank(f.label), n) for n, flags in arms if n != index for f in flags]
            placed += [(0.0 if single else rank, index, flags) for rank, flags in self._by_rank(index, codes, others)]
        placed.sort(key=lambda p: (p[0], p[1]))
        return self.named([f for _, _, flags in placed for f in flags])

    def _codes(self, sources: Sequence[ir.ReasonSource]) -> Flags:
        """The codes of an arm or bin, those of an inherited decision as they hold."""
        found: Flags = []
        for source in sources:
            if source.inherited:
                found.extend(self.given[source.name])
            else:
                found.append(Flag(source.name, st.TRUE))
        return once(found)

    def _by_rank(
        self, index: int, codes: Flags, others: Sequence[tuple[float, int]]
    ) -> list[tuple[float, Flags]]:
        """An arm's codes for each lowest rank that they may have, under the condition that it is that one.

        Ranks between which no other arm can stand (`others` are their ranks and numbers) are as one: a code that is
        inherited twice would else stand once for each pair of ranks.
        """
        classes: dict[int, list[float]] = {}
        for rank in sorted({self.rank(f.label) for f in codes}):
            classes.setdefault(sum(other < (rank, index) for other in others), []).append(rank)
        if len(classes) < 2:
            return [(ranks[0], codes) for ranks in classes.values()]
        found = []
        lower: list[Sql] = []
        for ranks in classes.values():
            here = st.either(*(f.holds for f in codes if self.rank(f.label) in ranks))
            lowest = self.stages.named(st.both(here, st.opposite(st.either(*lower))) if lower else here)
            found.append((ranks[0], [f.replace(holds=st.both(lowest, f.holds)) for f in codes]))
            lower.append(self.stages.named(here))
        return found

    # --- scorecards ------------------------------------------------------------------------------------------

    def of_score(self, score: ir.Score, bins: Sequence[Sql]) -> Flags:
        """Codes by their largest loss, then rank, then where they were first lost; `bins` are the places of the bins
        that held."""
        losses: dict[str, list[Loss]] = {}
        for number, (characteristic, place) in enumerate(zip(score.characteristics, bins, strict=True)):
            neutral = next((b.points for b in characteristic.bins if b.neutral), None)
            best = max(b.points for b in characteristic.bins) if neutral is None else neutral
            for index, each in enumerate(characteristic.bins):
                if best - each.points <= 0:
                    continue
                held = Sql(exp.EQ(this=place.tree.copy(), expression=st.whole(index)), place.level)
                for position, flag in enumerate(self._codes(each.reasons)):
                    holds = self.stages.named(st.both(held, flag.holds))
                    losses.setdefault(flag.label, []).append(
                        Loss((number, index, position), best - each.points, holds)
                    )
        placed = [
            ((-points, self.rank(code), entry), Flag(code, holds))
            for code, lost in losses.items()
            for points, largest in self._largest(lost)
            for entry, holds in self._entries(lost, largest)
        ]
        placed.sort(key=lambda p: p[0])
        return self.named([flag for _, flag in placed])

    def _largest(self, lost: Sequence[Loss]) -> list[tuple[float, Sql]]:
        """The points that a code may lose, each under the condition that it loses no more elsewhere."""
        found = []
        larger: list[Sql] = []
        for points in sorted({loss.points for loss in lost}, reverse=True):
            here = self.stages.named(st.either(*(loss.holds for loss in lost if loss.points == points)))
            largest = st.both(here, st.opposite(st.either(*larger))) if larger else here
            found.append((points, self.stages.named(largest)))
            larger.append(here)
        return found

    def _entries(self, lost: Sequence[Loss], condition: Sql) -> list[tuple[tuple[int, int, int], Sql]]:
        """The places at which a code is first lost, each under the condition that it is not lost before."""
        found = []
        for loss in lost:
            before = [o.holds for o in lost if o.place[0] < loss.place[0]]
            first = st.both(condition, loss.holds)
            if before:
                first = st.both(first, st.opposite(st.either(*before)))
            found.append((loss.place, self.stages.named(first)))
        return found

    # --- reserved codes ----------------------------------------------------------------------------------------

    def with_reserved(self, flags: Flags, is_open: Sql, behind: Behind) -> Flags:
        """The reasons with the reserved one of an open decision, last: `MISSING` where an input or history is
        behind it."""
        parts = [Sql(exp.NEQ(this=b.tree.copy(), expression=st.whole(0)), b.level) for _, b in behind.lanes]
        missing = self.stages.named(st.either(*parts)) if parts else st.FALSE
        found = [
            *flags, Flag(ir.MISSING, self.stages.named(st.both(is_open, missing))),
            Flag(ir.UNDEFINED, self.stages.named(st.both(is_open, st.opposite(missing)))),
        ]
        return self.named(found)

    def joint(self, names: Sequence[str]) -> Flags:
        """The reasons of several decisions in their order, each code once, reserved ones last."""
        return self.named([f for name in names for f in self.given.get(name, [])])
