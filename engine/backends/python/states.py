"""The rarer hit policies: the states of the arms go to `runtime.decide_hit`."""
from __future__ import annotations

from collections.abc import Sequence

from engine.backends.python.collected import Collected
from engine.backends.python.known import NOTHING
from engine.backends.python.outcomes import LIST_HITS, grouped, plain_outcome, worst_first
from engine.backends.python.runtime import Hit
from engine.backends.python.traces import MASK, TraceSpec
from engine.ir import nodes as ir


class ByStates(Collected):
    """Emits decisions whose hit policy works on the states of all arms."""

    def _by_states(self, decision: ir.Decide, targets: list[str], number: int) -> None:
        states, outcomes, nulls = [], [], []
        for arm in decision.arms:
            test = self.true(arm.guard)
            if self.may_be_null(arm.guard, NOTHING):
                test = f"True if {test} else None if {self.unknown(arm.guard)} else False"
            states.append(test)
            if arm.is_computed:
                outcomes.append(f"lambda: {self._item(arm, NOTHING)}")
                parts = self._null_items(arm, NOTHING)
                nulls.append(f"lambda: {' or '.join(grouped(p) for p in parts) or 'False'}")
            else:
                outcomes.append("None")
                nulls.append("None")
        members = [n for n, _ in decision.members] if decision.hit not in LIST_HITS else []
        scale = worst_first(decision) if decision.hit == "worst" else self._priority(decision)
        hit = Hit(
            decision.hit, tuple(a.is_computed for a in decision.arms),
            tuple(None if a.is_computed else plain_outcome(a) for a in decision.arms),
            tuple(a.otherwise for a in decision.arms), scale,
            (lambda: dict.fromkeys(members)) if members else (lambda: None),
            decision.on_missing.action, decision.on_missing.outcome,
            not members and "refer" in (decision.type.values or ()),
        )
        out, mask, flag = f"d{number}", f"m{number}", f"o{number}"
        call = f"decide_hit({self.pooled(hit, 'h')}, ({_tuple(states)}), ({_tuple(outcomes)}), ({_tuple(nulls)}))"
        self.emit(f"{out}, {mask}, {flag} = {call}")
        self.traces.append(TraceSpec(decision.name, MASK, (mask,)))
        self.outcome_nullable = decision.hit not in LIST_HITS
        if decision.on_missing.action == "refuse":
            self.emit(f"if {flag} == 2:")
            self.emit("    return None")
            self.openable.append(decision.name)
        elif decision.on_missing.action != "skip":
            self.emit(f"if {flag}:")
            self.emit(f"    om |= {self._open_bit(decision)}")
        for member, target in zip(members, targets, strict=False):
            self.emit(f"{target} = {out}[{member!r}]")

    def _priority(self, decision: ir.Decide) -> tuple[str, ...]:
        kind = decision.type.item if decision.type.item is not None else decision.type
        return kind.values or ()


def _tuple(parts: Sequence[str]) -> str:
    return "".join(f"{p}, " for p in parts)
