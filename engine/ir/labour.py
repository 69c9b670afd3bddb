"""What an item of a loop costs of a customer's allowance of work.

Steps stand for time and room alike: some twenty nanoseconds of generated code each, or some ten bytes. The cost of an
item is that of its expressions, told from their nodes alone, so that every evaluator charges the same.
"""
from __future__ import annotations

from engine.ir import nodes as ir
from engine.ir.reads import walk
from engine.semantics import dtypes as dt

#: Parts of a node's weight that make one step.
_PARTS = 4
#: Steps that a context or list costs which a loop keeps.
_KEPT = 20
#: Steps that a row costs which a group keeps, the group's own room among them.
_GROUPED = 10
#: Folds that round each item.
_ROUNDING = frozenset({"sum", "mean"})


def labour(loop: ir.Filter | ir.Map | ir.Fold | ir.Group) -> int:
    """The steps of one item, at least one."""
    if isinstance(loop, ir.Group):
        return max(_GROUPED, _steps(loop.key))
    if isinstance(loop, ir.Filter):
        return _steps(loop.predicate)
    if isinstance(loop, ir.Map):
        kept = _KEPT if loop.body.type.kind in (dt.CONTEXT, dt.LIST) else 2
        return max(kept, _steps(loop.body))
    extra = _PARTS if loop.op in _ROUNDING else 0
    return _steps(*(part for part in (loop.filter, loop.value) if part is not None), extra=extra)


def _steps(*roots: ir.Node, extra: int = 0) -> int:
    return max(1, (extra + sum(_weight(node) for root in roots for node in walk(root))) // _PARTS)


def _weight(node: ir.Node) -> int:
    if isinstance(node, ir.Compare):
        return 24 if node.mode == "tolerant" else 1
    return 3 if isinstance(node, ir.Call) else 1
