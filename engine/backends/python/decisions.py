"""Decisions as Python statements.

Each form of decision is a part of its own; the open test stands behind the decision, and
its first line asks whether any datum that could open it is missing at all.
"""
from __future__ import annotations

from typing import Any

from engine.backends.python.known import NOTHING
from engine.backends.python.outcomes import LIST_HITS, constants, null_for_a_name
from engine.backends.python.scores import Scores
from engine.backends.python.traces import NONE, TraceSpec
from engine.ir import nodes as ir

LISTS = ("collect", "rule order")


class DecisionEmitter(Scores):
    """Emits one decision after another into `lines`."""

    def decision(self, decision: ir.Decision, number: int) -> None:
        """Emit a decision; afterwards its outcome is read through `variables`."""
        for name, node in decision.where:
            local = f"w{number}_{self.temporary()}"
            self.emit(f"{local} = {self.value(node)}")
            if self.may_be_null(node, NOTHING):
                self.nullable.add(local)
            self.variables[("Local", name)] = local
        out = f"d{number}"
        if isinstance(decision, ir.Score):
            self._score(decision, out, number)
            return
        members = [name for name, _ in decision.members] if decision.hit not in LIST_HITS else []
        targets = [f"{out}_{i}" for i in range(len(members))] or [out]
        form = self._form(decision)
        form(decision, targets, number)
        self._bind_names(decision, out, members, targets)

    def _bind_names(self, decision: ir.Decide, out: str, members: list[str], targets: list[str]) -> None:
        self.variables[("Ref", decision.name)] = out
        if not members:
            if decision.hit not in LIST_HITS:
                (self.nullable.add if self.outcome_nullable else self.nullable.discard)(out)
            return
        for member, target in zip(members, targets, strict=True):
            self.variables[("member", f"{decision.name}.{member}")] = target
            self.nullable.add(target)
        shown = ", ".join(f"{m!r}: {t}" for m, t in zip(members, targets, strict=True))
        self.emit(f"{out} = {{{shown}}}")

    def _form(self, decision: ir.Decide) -> Any:
        if decision.hit == "value":
            return self._value_form
        if decision.hit == "first":
            return self._first
        if decision.hit == "worst" and not decision.members:
            # An empty outcome is in no group of the scale.
            if not any(a.is_computed or constants(a)[""] is None for a in decision.arms):
                return self._worst
        if decision.hit in LISTS:
            return self._collect
        return self._by_states

    def _value_form(self, decision: ir.Decide, targets: list[str], number: int) -> None:
        node = decision.arms[0].outcome[0][1]
        (target,) = targets
        self.emit(f"{target} = {self.value(node)}")
        self.outcome_nullable = self.may_be_null(node, NOTHING)
        self.traces.append(TraceSpec(decision.name, NONE, ()))
        if decision.on_missing.action == "skip" or not self.outcome_nullable:
            return
        by_name = self.null_by_name(node)
        if by_name == "False":
            return
        self.emit(f"if {null_for_a_name(target, by_name)}:")
        self.indent += 1
        self._opened(decision, [target], number)
        self.indent -= 1
