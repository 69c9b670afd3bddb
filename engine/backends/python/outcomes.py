"""What the arms of a decision give."""
from __future__ import annotations

from typing import Any

from engine.ir import nodes as ir

LIST_HITS = frozenset({"collect", "rule order", "output order"})


def constants(arm: ir.Arm) -> dict[str, Any]:
    return {name: node.value for name, node in arm.outcome if isinstance(node, ir.Const)}


def plain_outcome(arm: ir.Arm) -> Any:
    values = constants(arm)
    return values[""] if list(values) == [""] else values


def names_its_rule(decision: ir.Decide) -> bool:
    """Whether a plain outcome names its rule."""
    if any(a.is_computed for a in decision.arms):
        return False
    values = [plain_outcome(a) for a in decision.arms]
    return all(isinstance(v, str) for v in values) and len(set(values)) == len(values)


def differs(one: ir.Arm, other: ir.Arm) -> bool:
    return one.is_computed or other.is_computed or constants(one) != constants(other)


def worst_first(decision: ir.Decide) -> tuple[str, ...]:
    values = decision.type.values or ()
    return tuple(reversed(values)) if decision.type.order == "best first" else values


def grouped(text: str) -> str:
    return text if text.isidentifier() else f"({text})"


def null_for_a_name(target: str, by_name: str) -> str:
    """A condition: the result is null, and a name it read is why."""
    return f"{target} is None" if by_name in ("True", f"{target} is None") else f"{target} is None and ({by_name})"
