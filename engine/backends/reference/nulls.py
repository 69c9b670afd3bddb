"""Where a null comes from: the missing inputs and histories behind it.

`origins` is asked of a node whose value is null, under the locals with which it was
evaluated. What a name reads counts (`names`), a literal `null` and an operation
without a value for known operands do not by themselves: `1/0` is null of itself,
`ltv * 2` is null because `ltv` is.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from engine.backends.reference.expressions import Evaluator
from engine.ir import nodes as ir
from engine.semantics import dtypes as dt
from engine.semantics.values import Failed


class Origins(NamedTuple):
    """Behind a null: missing inputs and histories, whether any name read was null, and the expressions
    that have no value for known data."""

    missing: frozenset[str] = frozenset()
    names: bool = False
    undefined: tuple[ir.Node, ...] = ()


NOTHING = Origins()
CONTAINERS = frozenset({dt.LIST, dt.CONTEXT})
#: Items of a list that are looked at for what stands behind a null.
LOOKED_AT = 1000


def joined(parts: Iterable[Origins]) -> Origins:
    missing: set[str] = set()
    names = False
    undefined: list[ir.Node] = []
    for part in parts:
        missing |= part.missing
        names = names or part.names
        undefined.extend(n for n in part.undefined if all(n is not u for u in undefined))
    return Origins(frozenset(missing), names, tuple(undefined))


class NullTracer(Evaluator):
    """An evaluator that can also say where a null comes from."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: The expression behind a local that stands for one (`Let`, `where`).
        self.local_nodes: dict[str, tuple[ir.Node, bool]] = {}
        #: What functions of plugins failed, in the order in which they first did.
        self.failures: list[str] = []
        self._failing: list[ir.Node] = []

    def failed(self, node: ir.Node, why: Failed) -> None:
        self._failing.append(node)
        if why.message not in self.failures:
            self.failures.append(why.message)

    def ref_origins(self, node: ir.Ref) -> Origins:
        raise LookupError(node.name)

    def histories_behind(self, name: str) -> frozenset[str]:
        """The supplied histories behind a relation that a policy for each row derived: those that this policy's own
        histories should come from and that are not supplied; where all are, the one whose rows are decided."""
        return frozenset({name})

    def relation_origins(self, name: str) -> Origins:
        return Origins(self.histories_behind(name), True)

    def parameter_origins(self, node: ir.Parameter) -> Origins:
        raise LookupError(node.name)

    def origins(self, node: ir.Node) -> Origins:
        """Where the null of `node` comes from; NOTHING where it is not null. A function that failed is like a name
        that is null: it could have been anything, so what hangs on it is open."""
        self._failing.clear()
        if self.evaluate(node) is not None:
            return NOTHING
        if self._failing and self._failing[-1] is node:
            return Origins(names=True, undefined=(node,))
        if isinstance(node, ir.Input):
            return Origins(frozenset({node.name}), True)
        if isinstance(node, ir.Relation):
            return self.relation_origins(node.name)
        if isinstance(node, ir.Ref):
            return self.ref_origins(node)
        if isinstance(node, ir.Parameter):
            return self.parameter_origins(node)
        if isinstance(node, ir.Local):
            return self._local_origins(node)
        if isinstance(node, ir.Let):
            self.local_nodes[node.name] = (node.value, False)
            return self._under(node.name, self.evaluate(node.value), node.body)
        if isinstance(node, ir.Field):
            return self._field_origins(node)
        if isinstance(node, ir.Cond):
            test = self.evaluate(node.test)
            return self.origins(node.test if test is None else node.then if test else node.otherwise)
        if isinstance(node, ir.Fold):
            return self._fold_origins(node)
        if isinstance(node, (ir.Filter, ir.Map, ir.Group)):
            return self.origins(node.source)
        if isinstance(node, ir.Const):
            return NOTHING
        operands = joined(self.within(child) for child in ir.children(node))
        if operands == NOTHING and not self._has_null(node):
            return Origins(undefined=(node,))
        return operands

    def within(self, node: ir.Node) -> Origins:
        """Where an operand's null comes from, or the nulls that a list or context holds inside."""
        if node.type.kind not in CONTAINERS or self.evaluate(node) is None:
            return self.origins(node)
        return self.hidden(node)

    def hidden(self, node: ir.Node) -> Origins:
        """Where the nulls come from that stand in a known list or context."""
        if isinstance(node, (ir.List, ir.Record, ir.Call)):
            return joined(self.within(child) for child in ir.children(node))
        if isinstance(node, ir.Filter):
            return self.hidden(node.source)
        if isinstance(node, ir.Cond):
            return self.hidden(node.then if self.evaluate(node.test) else node.otherwise)
        if isinstance(node, ir.Map):
            items = self.evaluate(node.source)[:LOOKED_AT]
            bodies = joined(self._under(node.var, item, node.body, self.within) for item in items)
            return joined((self.hidden(node.source), bodies))
        if isinstance(node, (ir.Ref, ir.Local)):
            value = self.evaluate(node)
            if None not in (value.values() if isinstance(value, dict) else value):
                return NOTHING
            return self.ref_origins(node) if isinstance(node, ir.Ref) else self._hidden_in_local(node)
        return NOTHING

    def _hidden_in_local(self, node: ir.Local) -> Origins:
        behind = self.local_nodes.get(node.name)
        return (NOTHING if behind is None else self.hidden(behind[0]))._replace(names=True)

    def _has_null(self, node: ir.Node) -> bool:
        return any(self.evaluate(child) is None for child in ir.children(node))

    def _under(
        self, name: str, value: Any, body: ir.Node, ask: Callable[[ir.Node], Origins] | None = None
    ) -> Origins:
        had, before = name in self.locals, self.locals.get(name)
        self.locals[name] = value
        try:
            return (ask or self.origins)(body)
        finally:
            if had:
                self.locals[name] = before
            else:
                del self.locals[name]

    def _local_origins(self, node: ir.Local) -> Origins:
        if node.name in self.local_nodes:
            value, is_name = self.local_nodes[node.name]
            found = self.origins(value)
            return found._replace(names=True) if is_name else found
        if node.type.relation is not None:
            return self.relation_origins(node.type.relation)
        return Origins(names=True)

    def _field_origins(self, node: ir.Field) -> Origins:
        if self.evaluate(node.base) is None:
            return self.origins(node.base)
        if node.base.type.relation is not None:
            return self.relation_origins(node.type.relation or node.base.type.relation)
        if isinstance(node.base, ir.Ref):
            return self.ref_origins(node.base)
        if isinstance(node.base, ir.Record):
            return self.within(dict(node.base.fields)[node.name])
        return Origins(names=True, undefined=(node,))

    def _fold_origins(self, node: ir.Fold) -> Origins:
        source = self.evaluate(node.source)
        if source is None:
            return self.origins(node.source)
        if node.filter is not None:
            source = [item for item in self.each(node, source) if self.bound(node.var, item, node.filter) is True]
        found: list[Origins] = []
        for item in source:
            if node.value is None:
                if item is None:
                    relation = node.source.type.item.relation if node.source.type.item else None
                    found.append(self.relation_origins(relation) if relation else Origins(names=True))
            else:
                found.append(self._under(node.var, item, node.value))
            if len(found) > LOOKED_AT:
                break
        behind = joined((*found, self.hidden(node.source)))
        return behind if behind != NOTHING else Origins(undefined=(node,))
