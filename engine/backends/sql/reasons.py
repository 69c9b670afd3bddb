"""Reasons as blocks in the order in which they are given: codes, and whole lists that are inherited.

The order hangs on the data where an arm's rank is that of inherited codes, and in scorecards on the points lost. A
block then stands once for each place that it may have, and holds there where that place is the one. A list that
is inherited is not gone into: its own blocks are read where the list is.
"""
from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.masks import Flag, Flags
from engine.backends.sql.origins import Behind
from engine.backends.sql.stages import FALSE, TRUE, Sql, Stages
from engine.backends.support import Gap
from engine.ir import nodes as ir
from engine.records import Record

#: The rank of a code without one, after all others.
UNRANKED = 1e300


class Loss(Record):
    """A code lost at a bin: the place of its characteristic, the bin's and its own there, and the points."""

    place: tuple[int, int, int]
    points: float
    holds: Sql


class Block(Record):
    """A code, or the list of the decision `name` where `inherited`, and when it stands here (never NULL)."""

    name: str
    holds: Sql
    inherited: bool = False


Blocks = list[Block]


class Reasons:
    """Reasons of decisions, in evaluation order; `given` holds those of the decisions before."""

    def __init__(self, stages: Stages, program: ir.Program) -> None:
        self.stages = stages
        self.ranks = {r.code: r.rank for r in program.reasons}
        self.given: dict[str, Blocks] = {}
        self._lowest: dict[str, Sql] = {}
        self._possible: dict[str, frozenset[float]] = {}

    def rank(self, code: str) -> float:
        return min(self.ranks.get(code, UNRANKED), UNRANKED)

    def give(self, name: str, blocks: Blocks) -> None:
        """A decision's blocks, for those that inherit them."""
        self.given[name] = blocks

    def _named(self, blocks: Sequence[Block]) -> Blocks:
        named = [b.replace(holds=self.stages.named(b.holds)) for b in blocks]
        return [b for b in named if not b.holds.is_false]

    # --- arms ---------------------------------------------------------------------------------------------

    def of_arms(self, decision: ir.Decide, fires: Sequence[tuple[int, Sql]]) -> Blocks:
        """The reasons of the arms that fire: arms by the lowest rank among their codes, then in their order."""
        placed: list[tuple[float, int, Blocks]] = []
        single = decision.hit in ("first", "unique", "value")       # one arm fires, so its rank is no matter
        for index, condition in fires:
            sources = decision.arms[index].reasons
            if not sources or condition.is_false:
                continue
            ranks = [(0.0, TRUE)] if single else self._ranks(sources)
            for rank, here in ranks:
                holds = self.stages.named(st.both(condition, here))
                placed.append((rank, index, [Block(s.name, holds, s.inherited) for s in sources]))
        placed.sort(key=lambda p: p[:2])
        return self._named([b for _, _, blocks in placed for b in blocks])

    def _ranks(self, sources: Sequence[ir.ReasonSource]) -> list[tuple[float, Sql]]:
        """The ranks that an arm may have, each under the condition that it has it."""
        own = min((self.rank(s.name) for s in sources if not s.inherited), default=UNRANKED)
        inherited = [s.name for s in sources if s.inherited]
        possible = frozenset().union(*(self._ranks_of(name) for name in inherited))
        lower = sorted(rank for rank in possible if rank < own)
        if not lower:
            return [(own, TRUE)]
        lowest = self._least([self.lowest(name) for name in inherited])
        found = [(rank, _equals(lowest, rank)) for rank in lower]
        rest = exp.GTE(this=lowest.tree.copy(), expression=st.number(own))
        return [*found, (own, self.stages.named(Sql(rest, lowest.level)))]

    def _ranks_of(self, name: str) -> frozenset[float]:
        """The lowest ranks that a decision's list may have."""
        if name not in self._possible:
            found = {UNRANKED}
            for block in self.given[name]:
                found |= self._ranks_of(block.name) if block.inherited else {self.rank(block.name)}
            self._possible[name] = frozenset(found)
        return self._possible[name]

    def lowest(self, name: str) -> Sql:
        """The lowest rank among a decision's reasons."""
        if name not in self._lowest:
            by_rank: dict[float, list[Sql]] = {}
            parts = []
            for block in self.given[name]:
                if block.inherited:
                    parts.append(st.chosen([(block.holds, self.lowest(block.name))], Sql(st.number(UNRANKED))))
                else:
                    by_rank.setdefault(self.rank(block.name), []).append(block.holds)
            whens = [(st.either(*by_rank[rank]), Sql(st.number(rank))) for rank in sorted(by_rank)]
            self._lowest[name] = self._least([st.chosen(whens, Sql(st.number(UNRANKED))), *parts])
        return self._lowest[name]

    def _least(self, parts: Sequence[Sql]) -> Sql:
        best = self.stages.named(parts[0])
        for part in parts[1:]:
            other = self.stages.named(part)
            best = self.stages.named(Sql(st.smaller(best.tree, other.tree), max(best.level, other.level)))
        return best

    # --- scorecards ------------------------------------------------------------------------------------------

    def of_score(self, score: ir.Score, bins: Sequence[Sql]) -> Blocks:
        """Codes by their largest loss, then rank, then where they were first lost; `bins` are the places of the bins
        that held."""
        losses: dict[str, list[Loss]] = {}
        for number, (characteristic, place) in enumerate(zip(score.characteristics, bins, strict=True)):
            neutral = next((b.points for b in characteristic.bins if b.neutral), None)
            best = max(b.points for b in characteristic.bins) if neutral is None else neutral
            for index, each in enumerate(characteristic.bins):
                if best - each.points <= 0:
                    continue
                held = self.stages.named(_equals(place, index))
                for position, source in enumerate(each.reasons):
                    if source.inherited:
                        raise Gap(each.at or score.at, "inherited reasons of a scorecard's bin")
                    loss = Loss((number, index, position), best - each.points, held)
                    losses.setdefault(source.name, []).append(loss)
        placed = [
            ((-points, self.rank(code), entry), Block(code, holds))
            for code, lost in losses.items()
            for points, largest in self._largest(lost)
            for entry, holds in self._entries(lost, largest)
        ]
        placed.sort(key=lambda p: p[0])
        return self._named([block for _, block in placed])

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

    # --- reserved codes and the whole --------------------------------------------------------------------------

    def with_reserved(self, blocks: Blocks, is_open: Sql, behind: Behind) -> Blocks:
        """The reasons with the reserved one of an open decision, last: `MISSING` where an input or history is
        behind it."""
        parts = [Sql(exp.NEQ(this=b.tree.copy(), expression=st.whole(0)), b.level) for _, b in behind.lanes]
        missing = self.stages.named(st.either(*parts)) if parts else FALSE
        reserved = [
            Block(ir.MISSING, st.both(is_open, missing)), Block(ir.UNDEFINED, st.both(is_open, st.opposite(missing))),
        ]
        return self._named([*blocks, *reserved])

    def codes(self, names: Sequence[str]) -> tuple[str, ...]:
        """Every code that may stand in the lists of some decisions."""
        blocks = [b for name in self.reached(names) for b in self.given[name] if not b.inherited]
        return tuple(dict.fromkeys(b.name for b in blocks))

    def reached(self, names: Sequence[str]) -> list[str]:
        """Those decisions and all whose lists they inherit, in evaluation order."""
        found: set[str] = set()
        left = list(names)
        while left:
            name = left.pop()
            if name not in found:
                found.add(name)
                left += [b.name for b in self.given[name] if b.inherited]
        return [name for name in self.given if name in found]


def flags(blocks: Blocks) -> Flags:
    """The blocks as a set, whose labels are codes and names of decisions."""
    return [Flag(b.name, b.holds) for b in blocks]


def joined(lists: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """One list of several: each code once, reserved ones last."""
    codes = dict.fromkeys(code for each in lists for code in each)
    return (*(c for c in codes if c not in ir.RESERVED), *(c for c in codes if c in ir.RESERVED))


def read(blocks: Sequence[tuple[str, bool]], given: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The codes of the blocks that stand in a decision's list, (name, inherited), with the lists before; a decision's
    own reserved code is after those that it inherits."""
    codes: list[str] = []
    for name, inherited in blocks:
        if not inherited and name in ir.RESERVED:
            codes = [c for c in codes if c != name]
        codes.extend(given[name] if inherited else (name,))
    return joined([codes])


def _equals(number: Sql, other: float) -> Sql:
    value = st.whole(other) if isinstance(other, int) else st.number(other)
    return Sql(exp.EQ(this=number.tree.copy(), expression=value), number.level)
