"""What came of the models that a decision asked."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.explain.plan import Plan
from engine.explain.values import plain
from engine.ir import nodes as ir
from engine.ir.reads import expressions, walk

if TYPE_CHECKING:
    from engine.scoring.single import Scored


def told(plan: Plan, program: ir.Program, scored: Scored, personal: bool) -> dict[str, Any]:
    """A model as data: who answered what, asked with which inputs; personal ones are hidden unless `personal`."""
    model = next(m for m in program.models if m.decision == scored.decision)
    kinds, sources = dict(model.types), dict(model.args)
    inputs = []
    for name, value in scored.inputs.items():
        hidden = not personal and _is_personal(plan, program, sources[name])
        shown = {"name": name, "value": None if hidden else plain(value), "type": kinds[name].kind}
        inputs.append({**shown, "hidden": True} if hidden else shown)
    return {
        "decision": scored.decision, "model": scored.model, "state": scored.state, "scorer": scored.kind,
        "version": scored.version, "inputs": inputs, "value": plain(scored.value), "type": model.type.kind,
        "reasons": list(scored.reasons), "failure": scored.failure,
    }


def _is_personal(plan: Plan, program: ir.Program, name: str) -> bool:
    """Whether what a scorer is given stands for a personal input."""
    decision = next(d for d in program.decisions if d.name == name)
    return any(
        isinstance(node, ir.Input) and node.name in plan.personal
        for root in expressions(decision) for node in walk(root)
    )

