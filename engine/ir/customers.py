"""Lowers expressions over many customers: `share` is a count over a count."""
from __future__ import annotations

from engine.check.customers import RATIO, is_share
from engine.check.scope import FIELD, HISTORY, LOCAL, Slice
from engine.check.typed import Typing
from engine.ir import nodes as ir
from engine.ir.expressions import ExpressionLowering
from engine.semantics import dtypes as dt
from engine.semantics.customers import CUSTOMERS
from engine.semantics.dtypes import Type
from engine.semantics.functions import NO_FUNCTIONS, Functions
from engine.syntax import ast

#: What names of switches begin with; no expression can write them.
SWITCH = "~share "


class CustomersLowering(ExpressionLowering):
    """Where the condition of a share can be null, nobody knows whether the customer counts: each such share has a
    switch, a local that says whether such customers are in it or out of it, so that both can be asked."""

    def __init__(self, typing: Typing, place: Slice, owner: str, functions: Functions = NO_FUNCTIONS) -> None:
        super().__init__(typing, place, owner, _read, functions=functions)

    def lower(self, node: ast.Node, wanted: Type | None = None) -> ir.Node:
        if isinstance(node, ast.Invocation) and is_share(node):
            return self._share(node)
        return super().lower(node, wanted)

    def _share(self, node: ast.Invocation) -> ir.Node:
        at, whole = self.at(node), Type(dt.NUMBER, whole=True)
        rows = ir.Relation(self.id(), Type(dt.RELATION, relation=CUSTOMERS), at, CUSTOMERS)
        condition = self.lower(node.arguments[0].value)
        if condition.type.nullable:
            switch = ir.Local(self.id(), Type(dt.BOOLEAN), at, f"{SWITCH}{node.start}")
            is_null = ir.IsNull(self.id(), switch.type, at, condition)
            unknown = ir.And(self.id(), switch.type, at, (switch, is_null))
            condition = ir.Or(self.id(), condition.type, at, (condition, unknown))
        part = ir.Fold(self.id(), whole, at, "count", rows, self.typing.variables[id(node)], condition, None)
        every = ir.Fold(self.id(), whole, at, "count", rows, self.id(), None, None)
        return ir.Call(self.id(), RATIO, at, "/", (part, every))


def _read(kind: str, target: str, type: Type, id: str, at: ir.Place | None) -> ir.Node:
    """The node that reads a bound name."""
    if kind == HISTORY:
        return ir.Relation(id, type, at, target)
    if kind in (LOCAL, FIELD):
        return ir.Local(id, type, at, target)
    return ir.AsOf(id, type, at)
