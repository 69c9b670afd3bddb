"""Scorecards: points, and reasons ordered by points lost."""
from __future__ import annotations

from typing import TYPE_CHECKING

from engine.backends.reference.decide import BinTrace, Outcome, in_order
from engine.backends.reference.nulls import NOTHING, joined
from engine.ir import nodes as ir

if TYPE_CHECKING:
    from engine.backends.reference.program import ProgramEvaluator


def decide_score(evaluator: ProgramEvaluator, score: ir.Score) -> Outcome:
    """Base plus points; null where a value is in no bin, open where a null value has no `null` bin."""
    traces = tuple(_try(evaluator, c) for c in score.characteristics)
    openers = [t for t in traces if t.bin is None and t.value is None]
    if openers:
        behind = joined(t.origins for t in openers)
        action = score.on_missing.action
        value = score.on_missing.outcome if action == "then" else None
        reserved = ir.MISSING if behind.missing else ir.UNDEFINED
        return Outcome(score, value, (), (reserved,), True, action == "refuse", behind, None, (), traces)
    gap = next((t for t in traces if t.bin is None), None)
    if gap is not None:
        conflict = f"no bin of `{gap.characteristic.label}` holds its value"
        return Outcome(score, None, (), (), False, False, NOTHING, None, (), traces, conflict)
    value = score.base
    for trace in traces:
        assert trace.bin is not None
        value = value + trace.bin.points
    return Outcome(score, value, (), reasons(evaluator, traces), False, False, NOTHING, None, (), traces)


def _try(evaluator: ProgramEvaluator, characteristic: ir.Characteristic) -> BinTrace:
    value = evaluator.evaluate(characteristic.value)
    if value is None:
        held = next((b for b in characteristic.bins if b.is_null), None)
        return BinTrace(
            characteristic, None, held, lost(characteristic, held), evaluator.origins(characteristic.value)
        )
    bins = (b for b in characteristic.bins if not b.is_null)
    held = next((b for b in bins if evaluator.bound(characteristic.var, value, b.test) is True), None)
    return BinTrace(characteristic, value, held, lost(characteristic, held))


def lost(characteristic: ir.Characteristic, held: ir.Bin | None) -> float:
    """Points lost against the neutral bin, or the best one where none is marked."""
    if held is None:
        return 0
    neutral = next((b.points for b in characteristic.bins if b.neutral), None)
    reference = max(b.points for b in characteristic.bins) if neutral is None else neutral
    return max(0, reference - held.points)


def reasons(evaluator: ProgramEvaluator, traces: tuple[BinTrace, ...]) -> tuple[str, ...]:
    """Codes by their largest loss, then rank, then as in the grid; what loses nothing gives none."""
    losses: dict[str, float] = {}
    for trace in traces:
        if trace.bin is None or trace.lost <= 0:
            continue
        for code in evaluator.reasons_of(trace.bin.reasons):
            losses[code] = max(losses.get(code, 0), trace.lost)
    place = {code: index for index, code in enumerate(losses)}

    def order(code: str) -> tuple[float, float, int]:
        return -losses[code], evaluator.rank(code), place[code]

    return in_order(sorted(losses, key=order))
