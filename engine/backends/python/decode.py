"""From the trace of generated code to rules and reasons."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.backends.python.outcomes import plain_outcome
from engine.backends.python.traces import DISTINCT, INDEX, LISTED, MASK, NONE, SCORE, TraceSpec
from engine.ir import nodes as ir


class Decoder:
    """Reads traces of one compiled program. `specs` and `openable` stand in the order of the trace and its bits."""

    def __init__(
        self, program: ir.Program, specs: Sequence[TraceSpec], openable: Sequence[str], decisions: Sequence[str]
    ) -> None:
        self.program = program
        self.specs = tuple(specs)
        self.openable = tuple(openable)
        self.by_name = {d.name: d for d in program.decisions}
        self.ranks = {r.code: r.rank for r in program.reasons}
        self.rules = {
            s.decision: {plain_outcome(a): i for i, a in enumerate(_arms(self.by_name[s.decision]))}
            for s in specs
            if s.kind in (DISTINCT, LISTED)
        }
        self.decisions = tuple(decisions)

    def open(self, trace: Sequence[Any]) -> tuple[str, ...]:
        """The open decisions, in evaluation order."""
        mask = trace[0]
        if not mask:
            return ()
        return tuple(name for bit, name in enumerate(self.openable) if mask >> bit & 1)

    def winners(self, trace: Sequence[Any], values: dict[str, Any]) -> dict[str, list[int]]:
        """The arms that fired, by decision; scorecards give the bin of each characteristic (-1: none)."""
        found: dict[str, list[int]] = {}
        at = 1
        for spec in self.specs:
            parts = trace[at:at + len(spec.parts)]
            at += len(spec.parts)
            if spec.flag:
                at += 1
                if trace[at - 1]:
                    parts = ()
            found[spec.decision] = self._winners(spec, parts)
        return found

    def _winners(self, spec: TraceSpec, parts: Sequence[Any]) -> list[int]:
        if spec.kind == NONE:
            return [0]
        if spec.kind == SCORE:
            return list(parts)
        if spec.kind == INDEX:
            return [parts[0]] if parts[0] < len(_arms(self.by_name[spec.decision])) else []
        if spec.kind == MASK:
            mask, arms = parts[0], []
            index = 0
            while mask:
                if mask & 1:
                    arms.append(index)
                mask >>= 1
                index += 1
            return arms
        rules = self.rules[spec.decision]
        if spec.kind == DISTINCT:
            return [] if parts[0] is None else [rules[parts[0]]]
        return [rules[item] for item in parts[0]]

    def fired(self, winners: dict[str, list[int]]) -> dict[str, tuple[str, ...]]:
        """Rule ids by decision, for the decisions that give outputs and have rules."""
        found = {}
        for name in self.program.declared:
            decision = self.by_name[name]
            if name not in winners or not isinstance(decision, ir.Decide):
                continue
            if not decision.internal and decision.hit != "value":
                found[name] = tuple(decision.arms[i].rule for i in winners[name])
        return found

    def reasons(self, winners: dict[str, list[int]]) -> dict[str, tuple[str, ...]]:
        """Reasons by decision where none is open, inherited ones resolved in evaluation order."""
        found: dict[str, tuple[str, ...]] = {}
        for name in self.decisions:
            decision = self.by_name[name]
            if name not in winners:
                continue
            if isinstance(decision, ir.Score):
                found[name] = self._score_reasons(decision, winners[name], found)
            else:
                found[name] = self._arm_reasons([decision.arms[i] for i in winners[name]], found)
        return found

    def _codes(self, sources: Sequence[ir.ReasonSource], found: dict[str, tuple[str, ...]]) -> list[str]:
        codes: list[str] = []
        for source in sources:
            given = found[source.name] if source.inherited else (source.name,)
            codes.extend(c for c in given if c not in codes)
        return codes

    def _arm_reasons(self, arms: Sequence[ir.Arm], found: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
        lists = [self._codes(a.reasons, found) for a in arms]
        if len(lists) > 1:
            lists.sort(key=lambda codes: min((self._rank(c) for c in codes), default=float("inf")))
        return tuple(dict.fromkeys(c for codes in lists for c in codes))

    def _score_reasons(
        self, score: ir.Score, bins: Sequence[int], found: dict[str, tuple[str, ...]]
    ) -> tuple[str, ...]:
        losses: dict[str, float] = {}
        for characteristic, index in zip(score.characteristics, bins, strict=False):
            if index < 0:
                continue
            held = characteristic.bins[index]
            neutral = [b.points for b in characteristic.bins if b.neutral]
            lost = (neutral[0] if neutral else max(b.points for b in characteristic.bins)) - held.points
            if lost > 0:
                for code in self._codes(held.reasons, found):
                    losses[code] = max(losses.get(code, 0), lost)
        place = {code: n for n, code in enumerate(losses)}
        return tuple(sorted(losses, key=lambda c: (-losses[c], self._rank(c), place[c])))

    def _rank(self, code: str) -> float:
        return self.ranks.get(code, float("inf"))


def _arms(decision: ir.Decision) -> tuple[ir.Arm, ...]:
    return decision.arms if isinstance(decision, ir.Decide) else ()

