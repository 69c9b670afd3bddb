"""Openness: the test behind a decision, and what an open one gives."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.backends.python.known import NOTHING, Known
from engine.backends.python.origins import NullOrigins
from engine.backends.python.traces import TraceSpec
from engine.ir import nodes as ir


class Openness(NullOrigins):
    """Writes lines, and what all forms of decision share of openness."""

    def __init__(self, catalogue: Any) -> None:
        super().__init__(catalogue)
        self.lines: list[str] = []
        self.indent = 1
        self.traces: list[TraceSpec] = []
        #: Whether the outcome of the decision just emitted may be null.
        self.outcome_nullable = True
        #: Decisions that can be open, in the order of their bits in the open mask.
        self.openable: list[str] = []

    def emit(self, line: str) -> None:
        self.lines.append("    " * self.indent + line)

    def _open_bit(self, decision: ir.Decision) -> int:
        self.openable.append(decision.name)
        return 1 << (len(self.openable) - 1)

    def _quick(self, guards: Sequence[ir.Node]) -> str | None:
        """A condition without which no guard is null; None where a part has no value of itself."""
        names: dict[str, None] = {}
        for guard in guards:
            if not self._null_leaves(guard, names):
                return None
        return " or ".join(f"{n} is None" for n in names) or None

    def _null_leaves(self, node: ir.Node, names: dict[str, None]) -> bool:
        """Collect the locals whose null can make `node` null; False where there are other causes."""
        name = self.simple(node)
        if name is not None:
            if name in self.nullable:
                names[name] = None
            return True
        if isinstance(node, (ir.Fold, ir.Map, ir.Filter, ir.Group, ir.Let, ir.Lookup, ir.Field)):
            return not self.may_be_null(node, NOTHING)
        if isinstance(node, ir.IsNull):
            return True
        if isinstance(node, ir.Const):
            return node.value is not None
        if isinstance(node, ir.Call) and self.partial(node):
            return False
        found = [self._null_leaves(child, names) for child in ir.children(node)]
        return all(found)

    def _opened(self, decision: ir.Decide, targets: list[str], number: int) -> None:
        """The body of `if open`: mark it and give what `on missing` says (single winner or value)."""
        action = decision.on_missing.action
        if action == "refuse":
            self.emit("return None")
            self.openable.append(decision.name)
            return
        self.emit(f"om |= {self._open_bit(decision)}")
        for target, given in zip(targets, self._given(decision), strict=True):
            self.emit(f"{target} = {self.literal(given)}")

    def _given(self, decision: ir.Decide) -> list[Any]:
        """What an open single-outcome decision gives, by member (the worse of `refer` aside)."""
        members = [n for n, _ in decision.members]
        if decision.on_missing.action == "then":
            stated = decision.on_missing.outcome
            return [stated[m] for m in members] if members and isinstance(stated, dict) else [stated]
        if members:
            return [None] * len(members)
        return ["refer" if "refer" in (decision.type.values or ()) else None]

    def _item(self, arm: ir.Arm, known: Known) -> str:
        if len(arm.outcome) == 1 and arm.outcome[0][0] == "":
            return self.value(arm.outcome[0][1], known)
        return "{" + ", ".join(f"{n!r}: {self.value(v, known)}" for n, v in arm.outcome) + "}"

    def _null_items(self, arm: ir.Arm, known: Known) -> list[str]:
        found = []
        for _, node in arm.outcome:
            if not isinstance(node, ir.Const) and self.may_be_null(node, known):
                by_name = self.null_by_name(node, known)
                if by_name != "False":
                    found.append(f"({self.value(node, known)}) is None and ({by_name})")
        return found
