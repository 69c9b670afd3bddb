"""Interprets expression nodes: one method a node, values of plain Python.

Null is None. What names read comes from the hooks `input`, `parameter`, `ref` and
`relation`, which a program's evaluator overrides; locals live in `self.locals`.
"""
from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, ClassVar

from engine.ir import nodes as ir
from engine.ir.labour import labour
from engine.semantics import dtypes as dt
from engine.semantics.binding import bound
from engine.semantics.catalogue import BUILTINS, Catalogue, LimitExceeded, Undefined
from engine.semantics.folds import fold, grouped
from engine.semantics.narrow import narrowed
from engine.semantics.number import compare
from engine.semantics.values import Failed
from engine.semantics.work import spend


class Evaluator:
    """Interprets the static nodes. Subclasses say what names mean and add the dynamic nodes."""

    handlers: ClassVar[dict[type[ir.Node], Callable[[Any, Any], Any]]] = {}

    def __init__(self, as_of: datetime.date | None = None, catalogue: Catalogue = BUILTINS) -> None:
        self.as_of = as_of
        self.catalogue = catalogue
        self.locals: dict[str, Any] = {}
        self.labours: dict[int, int] = {}               # by the identity of a loop, which its program keeps

    def evaluate(self, node: ir.Node) -> Any:
        """The value of `node`, None for null."""
        return self.handlers[type(node)](self, node)

    # --- what names mean --------------------------------------------------------

    def input(self, name: str) -> Any:
        raise LookupError(name)

    def parameter(self, name: str) -> Any:
        raise LookupError(name)

    def ref(self, name: str) -> Any:
        raise LookupError(name)

    def relation(self, name: str) -> list[dict[str, Any]] | None:
        raise LookupError(name)

    def lookup(self, node: ir.Lookup, keys: tuple[Any, ...]) -> Any:
        raise LookupError(node.table)

    # --- nodes -------------------------------------------------------------------

    def _const(self, node: ir.Const) -> Any:
        return node.value

    def _as_of(self, node: ir.AsOf) -> Any:
        return self.as_of

    def _input(self, node: ir.Input) -> Any:
        return self.input(node.name)

    def _parameter(self, node: ir.Parameter) -> Any:
        return self.parameter(node.name)

    def _ref(self, node: ir.Ref) -> Any:
        return self.ref(node.name)

    def _relation(self, node: ir.Relation) -> Any:
        return self.relation(node.name)

    def _local(self, node: ir.Local) -> Any:
        return self.locals[node.name]

    def _let(self, node: ir.Let) -> Any:
        return self.bound(node.name, self.evaluate(node.value), node.body)

    def _call(self, node: ir.Call) -> Any:
        operation = self.catalogue.get(node.op)
        args = [self.evaluate(a) for a in node.args]
        if operation.nulls == "strict" and any(a is None for a in args):
            return None
        if operation.spread and not (len(args) == 1 and isinstance(args[0], list)):
            args = [args]
        if any(a.type.kind == dt.ANY for a in node.args):
            operation = bound(operation)
        try:
            return narrowed(operation.kernel(*args))
        except Undefined as why:
            self.undefined(node, why)
            return None
        except LimitExceeded as why:
            self.undefined(node, Undefined(why.message))
            return None
        except Failed as why:
            self.failed(node, why)
            return None

    def failed(self, node: ir.Node, why: Failed) -> None:
        """Called where a plugin's function failed."""

    def undefined(self, node: ir.Node, why: Undefined) -> None:
        """Called where an operation has no value for known operands, or would take more room than it may."""

    def _compare(self, node: ir.Compare) -> bool | None:
        handlers, one, other = self.handlers, node.left, node.right
        left = handlers[type(one)](self, one)
        right = other.value if type(other) is ir.Const else handlers[type(other)](self, other)
        if left is None or right is None:
            return None
        return compare_values(node, left, right)

    def _and(self, node: ir.And) -> bool | None:
        unknown = False
        for arg in node.args:
            value = self.evaluate(arg)
            if value is False:
                return False
            unknown = unknown or value is None
        return None if unknown else True

    def _or(self, node: ir.Or) -> bool | None:
        unknown = False
        for arg in node.args:
            value = self.evaluate(arg)
            if value is True:
                return True
            unknown = unknown or value is None
        return None if unknown else False

    def _not(self, node: ir.Not) -> bool | None:
        value = self.evaluate(node.arg)
        return None if value is None else not value

    def _is_null(self, node: ir.IsNull) -> bool:
        return self.evaluate(node.arg) is None

    def _cond(self, node: ir.Cond) -> Any:
        test = self.evaluate(node.test)
        if test is None:
            return None
        return self.evaluate(node.then if test else node.otherwise)

    def _record(self, node: ir.Record) -> dict[str, Any]:
        return {name: self.evaluate(value) for name, value in node.fields}

    def _field(self, node: ir.Field) -> Any:
        base = self.evaluate(node.base)
        return None if base is None else base.get(node.name)

    def _list(self, node: ir.List) -> list[Any]:
        return [self.evaluate(item) for item in node.items]

    def _filter(self, node: ir.Filter) -> Any:
        source = self.evaluate(node.source)
        if source is None:
            return None
        return [item for item in self.each(node, source) if self.bound(node.var, item, node.predicate) is True]

    def _map(self, node: ir.Map) -> Any:
        source = self.evaluate(node.source)
        if source is None:
            return None
        return [self.bound(node.var, item, node.body) for item in self.each(node, source)]

    def _fold(self, node: ir.Fold) -> Any:
        items = self.items(node)
        if items is None:
            return None
        value_type = node.value.type if node.value is not None else node.source.type.item
        return fold(node.op, items, node.decimals, best_to_worst(value_type))

    def items(self, node: ir.Fold) -> list[Any] | None:
        """What a fold folds, None where its source is null."""
        source = self.evaluate(node.source)
        if source is None:
            return None
        if node.filter is not None or node.value is not None:
            self.each(node, source)
        if node.filter is not None:
            source = [item for item in source if self.bound(node.var, item, node.filter) is True]
        if node.value is None:
            return list(source)
        return [self.bound(node.var, item, node.value) for item in source]

    def _group(self, node: ir.Group) -> Any:
        source = self.evaluate(node.source)
        if source is None:
            return None
        return grouped([(self.bound(node.var, item, node.key), item) for item in self.each(node, source)])

    def each(self, loop: ir.Filter | ir.Map | ir.Fold | ir.Group, items: list[Any]) -> list[Any]:
        """The items of a loop, charged to the customer's allowance of work."""
        steps = self.labours.get(id(loop))
        if steps is None:
            steps = self.labours[id(loop)] = labour(loop)
        spend(len(items) * steps)
        return items

    def _lookup(self, node: ir.Lookup) -> Any:
        keys = tuple(self.evaluate(k) for k in node.keys)
        return None if any(k is None for k in keys) else self.lookup(node, keys)

    def bound(self, name: str, value: Any, body: ir.Node) -> Any:
        """`body` with the local `name` bound to `value`."""
        had, before = name in self.locals, self.locals.get(name)
        self.locals[name] = value
        try:
            return self.evaluate(body)
        finally:
            if had:
                self.locals[name] = before
            else:
                del self.locals[name]


Evaluator.handlers = {
    ir.Const: Evaluator._const,
    ir.AsOf: Evaluator._as_of,
    ir.Input: Evaluator._input,
    ir.Parameter: Evaluator._parameter,
    ir.Ref: Evaluator._ref,
    ir.Relation: Evaluator._relation,
    ir.Local: Evaluator._local,
    ir.Let: Evaluator._let,
    ir.Call: Evaluator._call,
    ir.Compare: Evaluator._compare,
    ir.And: Evaluator._and,
    ir.Or: Evaluator._or,
    ir.Not: Evaluator._not,
    ir.IsNull: Evaluator._is_null,
    ir.Cond: Evaluator._cond,
    ir.Record: Evaluator._record,
    ir.Field: Evaluator._field,
    ir.List: Evaluator._list,
    ir.Filter: Evaluator._filter,
    ir.Map: Evaluator._map,
    ir.Fold: Evaluator._fold,
    ir.Group: Evaluator._group,
    ir.Lookup: Evaluator._lookup,
}


def compare_values(node: ir.Compare, left: Any, right: Any) -> bool:
    """A comparison of two known values under the node's mode."""
    if node.mode == "tolerant":
        return compare(node.op, left, right, node.floor)
    op = node.op
    if op == "=":
        return bool(left == right)
    if op == "!=":
        return bool(left != right)
    if op == "<":
        return bool(left < right)
    if op == "<=":
        return bool(left <= right)
    if op == ">":
        return bool(left > right)
    return bool(left >= right)


def best_to_worst(kind: Any) -> tuple[str, ...] | None:
    """An ordered enumeration's values from best to worst."""
    if kind is None or kind.values is None or kind.order is None:
        return None
    return kind.values if kind.order == "best first" else tuple(reversed(kind.values))
