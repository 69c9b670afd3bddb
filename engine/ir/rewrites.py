"""Rewrites of a program that keep its meaning, each one function; `PIPELINE` is their order.

`settle` turns tolerant comparisons with a constant into plain ones with a nudged
constant: the smallest (or largest) double that passes. Both agree on every double,
and the plain one bisects, pushes down and reads as a rational in a solver.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from engine import records
from engine.ir import nodes as ir
from engine.semantics.number import nudge

MIRRORED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
LEAVES = (ir.Input, ir.Ref, ir.Local, ir.Parameter, ir.AsOf, ir.Const)


def settle(node: ir.Node) -> ir.Node:
    """Settle the thresholds of one expression, operands first."""
    node = rebuilt(node, settle)
    if not isinstance(node, ir.Compare) or node.mode != "tolerant":
        return node
    if isinstance(node.left, ir.Const) and not isinstance(node.right, ir.Const):
        node = node.replace(op=MIRRORED[node.op], left=node.right, right=node.left)
    if not isinstance(node.right, ir.Const) or not isinstance(node.right.value, (int, float)):
        return node
    constant = node.right
    if node.op in ("=", "!="):
        return _equality(node, constant)
    return node.replace(right=_nudged(node.op, constant, node.floor, node.left.type.whole), mode="plain", floor=0.0)


def _nudged(op: str, constant: ir.Const, floor: float, whole: bool) -> ir.Const:
    """The settled constant; a whole number is compared with a whole one, which says the same."""
    assert isinstance(constant.value, (int, float))
    value = nudge(op, float(constant.value), floor)
    if whole and abs(value) < 2**53:
        return constant.replace(value=math.ceil(value) if op in (">=", "<") else math.floor(value))
    return constant.replace(value=value)


def _equality(node: ir.Compare, constant: ir.Const) -> ir.Node:
    """`x = c` as a band of doubles; `x != c` as its outside."""
    outer = (">=", "<=") if node.op == "=" else ("<", ">")
    operand = node.left
    if not isinstance(operand, LEAVES):
        operand = ir.Local(f"{node.id}/x", node.left.type, node.at, f"{node.id}/x")
    parts = tuple(
        node.replace(
            id=f"{node.id}/{op}", op=op, left=operand,
            right=_nudged(op, constant, node.floor, node.left.type.whole), mode="plain", floor=0.0,
        )
        for op in outer
    )
    kind = ir.And if node.op == "=" else ir.Or
    joined: ir.Node = kind(node.id, node.type, node.at, parts)
    if operand is not node.left:
        joined = ir.Let(f"{node.id}/let", node.type, node.at, f"{node.id}/x", node.left, joined)
    return joined


def rebuilt(node: ir.Node, change: Callable[[ir.Node], ir.Node]) -> ir.Node:
    """`node` with `change` applied to its operands; itself where none changed."""
    changes: dict[str, Any] = {}
    for name in node._fields:
        value = getattr(node, name)
        changed = _changed(value, change)
        if changed is not value:
            changes[name] = changed
    return node.replace(**changes) if changes else node


def _changed(value: Any, change: Callable[[ir.Node], ir.Node]) -> Any:
    if isinstance(value, ir.Node):
        return change(value)
    if isinstance(value, tuple) and value and not isinstance(value[0], (str, int, float)):
        items = tuple(_changed(v, change) for v in value)
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    if isinstance(value, tuple) and value and isinstance(value[0], str) and any(isinstance(v, ir.Node) for v in value):
        return tuple(_changed(v, change) if isinstance(v, ir.Node) else v for v in value)
    return value


def everywhere(program: ir.Program, change: Callable[[ir.Node], ir.Node]) -> ir.Program:
    """A program with `change` applied to every root expression, those of policies for each row included."""
    histories = tuple(
        h if h.each is None
        else h.replace(
            each=h.each.replace(
                program=everywhere(h.each.program, change),
                bindings=tuple((n, change(node)) for n, node in h.each.bindings),
            )
        )
        for h in program.histories
    )
    parameters = tuple(
        p.replace(rows=tuple(r.replace(guard=change(r.guard)) for r in p.rows)) for p in program.parameters
    )
    return program.replace(
        histories=histories, parameters=parameters, decisions=tuple(_decision(d, change) for d in program.decisions)
    )


def _decision(decision: ir.Decision, change: Callable[[ir.Node], ir.Node]) -> records.Record:
    where = tuple((n, change(node)) for n, node in decision.where)
    if isinstance(decision, ir.Score):
        characteristics = tuple(
            c.replace(value=change(c.value), bins=tuple(b.replace(test=change(b.test)) for b in c.bins))
            for c in decision.characteristics
        )
        return decision.replace(where=where, characteristics=characteristics)
    arms = tuple(
        a.replace(guard=change(a.guard), outcome=tuple((n, change(node)) for n, node in a.outcome))
        for a in decision.arms
    )
    return decision.replace(where=where, arms=arms)


def settle_thresholds(program: ir.Program) -> ir.Program:
    return everywhere(program, settle)


#: Rewrites before a compiled backend, in order.
PIPELINE: tuple[Callable[[ir.Program], ir.Program], ...] = (settle_thresholds,)


def rewritten(program: ir.Program) -> ir.Program:
    """A program ready for a compiled backend."""
    for rewrite in PIPELINE:
        program = rewrite(program)
    return program
