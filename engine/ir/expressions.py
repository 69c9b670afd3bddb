"""Lowers one checked expression.

Node ids are the owner's id and the node's preorder number, so that a change in one
rule leaves the ids of every other as they were.
"""
from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from engine.check import model
from engine.check.calls import KEEPS_MONEY
from engine.check.collections import position_of
from engine.check.constants import constant, temporal_text
from engine.check.facts import path_key
from engine.check.groups import GROUP_BY
from engine.check.instances import holds
from engine.check.scope import PREVIOUS, Binding, Slice
from engine.check.typed import Typing
from engine.ir import nodes as ir
from engine.semantics import dtypes as dt
from engine.semantics.catalogue import BUILTINS
from engine.semantics.dtypes import Type
from engine.semantics.folds import FOLDS, STREAKS
from engine.semantics.functions import NO_FUNCTIONS, Functions
from engine.syntax import ast

BOOLEAN = Type(dt.BOOLEAN)
#: Least tolerance of a comparison, by kind.
FLOORS = {dt.NUMBER: 1e-12, dt.MONEY: 1e-4}

Read = Callable[[str, str, Type, str, ir.Place | None], ir.Node]


def _as_it_is(kind: Type) -> Type:
    return kind


class ExpressionLowering:
    """`read` makes the node for a bound name (kind, target, type, id, place). `typed` calls the relations within a
    type as the program calls them, where an import's names are not its own."""

    def __init__(
        self, typing: Typing, place: Slice, owner: str, read: Read, typed: Callable[[Type], Type] = _as_it_is,
        functions: Functions = NO_FUNCTIONS,
    ) -> None:
        self.typing = typing
        self.place = place
        self.owner = owner
        self.read = read
        self.typed = typed
        self.functions = functions
        self._count = 0

    def lower(self, node: ast.Node, wanted: Type | None = None) -> ir.Node:
        """The core of a syntax node; a bare number becomes money where `wanted` is."""
        lowered: ir.Node = HANDLERS[type(node)](self, node)
        if wanted is not None and wanted.kind == dt.MONEY and lowered.type.kind == dt.NUMBER:
            lowered = lowered.replace(type=lowered.type.replace(kind=dt.MONEY))
        return lowered

    def id(self) -> str:
        self._count += 1
        return f"{self.owner}/{self._count}"

    def at(self, node: ast.Node) -> ir.Place:
        return ir.Place(self.place, node.start, node.end, self.place.text)

    def kind(self, node: ast.Node) -> Type:
        found = self.typed(self.typing.type_of(node))
        return found.optional(True) if found.kind == dt.ANY else found     # null is among what nobody knows

    # --- cells and tests ---------------------------------------------------------------

    def cell(self, cell: model.Cell) -> ir.Node | None:
        """A table cell as a condition on its column; None for `-`."""
        operand = self.lower(cell.column.node)
        inner = ExpressionLowering(self.typing, cell.place, self.owner, self.read, self.typed, self.functions)
        inner._count = self._count
        return inner.tests_or_none(cell.tests, operand, cell.takes_null)

    def tests_or_none(self, tests: ast.UnaryTests, operand: ir.Node, takes_null: bool) -> ir.Node | None:
        if not tests.negated and any(isinstance(t, ast.AnyTest) for t in tests.tests):
            return None
        return self.tests(tests, operand, takes_null)

    def tests(self, tests: ast.UnaryTests, operand: ir.Node, takes_null: bool) -> ir.Node:
        """Alternatives over an operand.

        Where the column takes missing as a value of its own (`takes_null`), every test but
        `null` is false for it, `not(...)` included.
        """
        id = self.id()
        values = [t for t in tests.tests if not isinstance(t, ast.NullLiteral)]
        nulls = len(values) < len(tests.tests)
        parts = [self.test(t, operand) for t in values]
        found = self.either(id, self.at(tests), parts)
        if tests.negated:
            found = ir.Not(f"{id}/not", found.type, self.at(tests), found)
        if not takes_null:
            return found
        absent = ir.IsNull(f"{id}/null", BOOLEAN, self.at(tests), operand)
        present = ir.Not(f"{id}/present", BOOLEAN, self.at(tests), absent)
        settled = ir.And(f"{id}/settled", BOOLEAN, self.at(tests), (present, found))
        if not parts and not tests.negated:
            return absent
        if nulls and not tests.negated:
            return ir.Or(f"{id}/or", BOOLEAN, self.at(tests), (absent, settled))
        return settled

    def either(self, id: str, at: ir.Place, parts: list[ir.Node]) -> ir.Node:
        if not parts:
            return ir.Const(f"{id}/false", BOOLEAN, at, False, "")
        if len(parts) == 1:
            return parts[0]
        return ir.Or(id, BOOLEAN.optional(any(p.type.nullable for p in parts)), at, tuple(parts))

    def both(self, at: ir.Place, parts: list[ir.Node]) -> ir.Node:
        if len(parts) == 1:
            return parts[0]
        return ir.And(self.id(), BOOLEAN.optional(any(p.type.nullable for p in parts)), at, tuple(parts))

    def test(self, test: ast.Node, operand: ir.Node) -> ir.Node:
        """One unary test over an operand, which may name it as `?`."""
        found = self._test(test, operand)
        if "?" in self.place.text[test.start:test.end] and _names_operand(found):
            return ir.Let(self.id(), found.type, found.at, "?", operand, found)
        return found

    def _test(self, test: ast.Node, operand: ir.Node) -> ir.Node:
        at = self.at(test)
        if isinstance(test, ast.AnyTest):
            return ir.Const(self.id(), BOOLEAN, at, True, "-")
        if isinstance(test, ast.NullLiteral):
            return self.compare("=", operand, self.lower(test), at)
        if isinstance(test, ast.Comparator):
            if isinstance(test.operand, ast.NullLiteral):
                return self.absence(test.op, operand, at)
            return self.compare(test.op, operand, self.lower(test.operand), at)
        if isinstance(test, ast.UnaryTests):
            return self.tests(test, operand, False)
        if isinstance(test, ast.RangeLiteral):
            parts = []
            if test.lower is not None:
                parts.append(self.compare(">=" if test.lower_closed else ">", operand, self.lower(test.lower), at))
            if test.upper is not None:
                parts.append(self.compare("<=" if test.upper_closed else "<", operand, self.lower(test.upper), at))
            return self.both(at, parts)
        if isinstance(test, ast.ListLiteral):
            return self.either(self.id(), at, [self.test(item, operand) for item in test.items])
        kind = self.kind(test)
        if kind.kind == dt.LIST and operand.type.kind != dt.LIST:
            return self.member_of(operand, self.lower(test), at)
        if kind.kind == dt.BOOLEAN and operand.type.kind != dt.BOOLEAN:
            return self.lower(test)
        return self.compare("=", operand, self.lower(test), at)

    def member_of(self, operand: ir.Node, items: ir.Node, at: ir.Place) -> ir.Node:
        """`x in list` over a computed list: some item equals it."""
        variable = self.id()
        item_type = items.type.item or Type(dt.ANY)
        item = ir.Local(self.id(), item_type, at, variable)
        equal = self.compare("=", operand, item, at)
        nullable = items.type.nullable or equal.type.nullable
        return ir.Fold(self.id(), BOOLEAN.optional(nullable), at, "some", items, variable, None, equal)

    # --- comparison ------------------------------------------------------------------------

    def compare(self, op: str, left: ir.Node, right: ir.Node, at: ir.Place) -> ir.Node:
        kind = BOOLEAN.optional(left.type.nullable or right.type.nullable)
        if left.type.kind in FLOORS and right.type.kind in FLOORS:
            exact = left.type.whole and right.type.whole
            floor = FLOORS[dt.MONEY if dt.MONEY in (left.type.kind, right.type.kind) else dt.NUMBER]
            mode, least = ("plain", 0.0) if exact else ("tolerant", floor)
            return ir.Compare(self.id(), kind, at, op, left, right, mode, least)
        return ir.Compare(self.id(), kind, at, op, left, right)

    def absence(self, op: str, operand: ir.Node, at: ir.Place) -> ir.Node:
        test = ir.IsNull(self.id(), BOOLEAN, at, operand)
        return test if op == "=" else ir.Not(self.id(), BOOLEAN, at, test)

    def _comparison(self, node: ast.Comparison) -> ir.Node:
        at = self.at(node)
        if isinstance(node.right, ast.NullLiteral):
            return self.absence(node.op, self.lower(node.left), at)
        if isinstance(node.left, ast.NullLiteral):
            return self.absence(node.op, self.lower(node.right), at)
        return self.compare(node.op, self.lower(node.left), self.lower(node.right), at)

    def _between(self, node: ast.Between) -> ir.Node:
        operand, at = self.lower(node.operand), self.at(node)
        low = self.compare(">=", operand, self.lower(node.lower), at)
        high = self.compare("<=", operand, self.lower(node.upper), at)
        return self.both(at, [low, high])

    def _in(self, node: ast.In) -> ir.Node:
        operand = self.lower(node.operand)
        return self.either(self.id(), self.at(node), [self.test(t, operand) for t in node.tests])

    # --- leaves ------------------------------------------------------------------------------

    def _literal(self, node: Any) -> ir.Node:
        text = node.text if isinstance(node, ast.NumberLiteral) else self.place.text[node.start:node.end]
        return ir.Const(self.id(), self.kind(node), self.at(node), node.value, text)

    def _null(self, node: ast.NullLiteral) -> ir.Node:
        return ir.Const(self.id(), Type(dt.NULL, True), self.at(node), None, "null")

    def _temporal(self, node: ast.Node) -> ir.Node | None:
        text = temporal_text(node)
        kind = self.kind(node)
        value = None if text is None else constant(node, kind)
        if value is None:
            return None
        return ir.Const(self.id(), kind, self.at(node), value, self.place.text[node.start:node.end])

    def _at(self, node: ast.AtLiteral) -> ir.Node:
        found = self._temporal(node)
        assert found is not None, "the checker refuses a temporal literal that has no value"
        return found

    def _name(self, node: ast.Name) -> ir.Node:
        if node.name == "?":
            return ir.Local(self.id(), self.kind(node), self.at(node), "?")
        binding = self.typing.bindings[id(node)]
        at = self.at(node)
        if binding.kind == PREVIOUS:
            return ir.Input(self.id(), self.kind(node), at, binding.target)
        if binding.kind == "field":
            row = self.typed(Type(dt.CONTEXT, relation=binding.row.relation if binding.row is not None else None))
            base = ir.Local(self.id(), row, at, binding.target)
            return ir.Field(self.id(), self.typed(binding.type), at, base, node.name)
        return self.read(binding.kind, binding.target, self.typed(binding.type), self.id(), at)

    # --- operators ------------------------------------------------------------------------------

    def _negation(self, node: ast.Negation) -> ir.Node:
        if isinstance(node.operand, ast.NumberLiteral):
            text = "-" + node.operand.text
            return ir.Const(self.id(), self.kind(node), self.at(node), -node.operand.value, text)
        return ir.Call(self.id(), self.kind(node), self.at(node), "neg", (self.lower(node.operand),))

    def _arithmetic(self, node: ast.Arithmetic) -> ir.Node:
        args = (self.lower(node.left), self.lower(node.right))
        return ir.Call(self.id(), self.kind(node), self.at(node), node.op, args)

    def _conjunction(self, node: ast.Conjunction) -> ir.Node:
        parts: list[ir.Node] = []
        for operand in node.operands:
            part = self.lower(operand)
            parts.extend(part.args if isinstance(part, ir.And) else (part,))
        return ir.And(self.id(), self.kind(node), self.at(node), tuple(parts))

    def _disjunction(self, node: ast.Disjunction) -> ir.Node:
        parts: list[ir.Node] = []
        for operand in node.operands:
            part = self.lower(operand)
            parts.extend(part.args if isinstance(part, ir.Or) else (part,))
        return ir.Or(self.id(), self.kind(node), self.at(node), tuple(parts))

    def _if(self, node: ast.If) -> ir.Node:
        kind = self.kind(node)
        test = self.lower(node.condition)
        then, otherwise = self.lower(node.then, kind), self.lower(node.otherwise, kind)
        return ir.Cond(self.id(), kind, self.at(node), test, then, otherwise)

    def _instance_of(self, node: ast.InstanceOf) -> ir.Node:
        operand = self.lower(node.operand)
        if not holds(node.operand, self.kind(node.operand), node.type, self.kind):
            return ir.Const(self.id(), BOOLEAN, self.at(node), False, "")
        return self.absence("!=", operand, self.at(node))

    # --- collections ------------------------------------------------------------------------------

    def _list(self, node: ast.ListLiteral) -> ir.Node:
        return ir.List(self.id(), self.kind(node), self.at(node), tuple(self.lower(i) for i in node.items))

    def _context(self, node: ast.ContextLiteral) -> ir.Node:
        fields = tuple((e.key, self.lower(e.value)) for e in node.entries)
        return ir.Record(self.id(), self.kind(node), self.at(node), fields)

    def _path(self, node: ast.Path) -> ir.Node:
        bound = self.typing.bindings.get(id(node))
        if bound is not None and bound.kind == PREVIOUS:
            return self.previous(bound, self.at(node))
        base_type, at = self.kind(node.base), self.at(node)
        if base_type.kind == dt.CONTEXT:
            binding = self.typing.bindings.get(id(node.base)) if isinstance(node.base, ast.Name) else None
            field = base_type.field(node.name) or self.kind(node)
            if binding is not None and binding.kind == "use":
                return self.read("use", f"{binding.target}.{node.name}", field, self.id(), at)
            kind = field.optional(field.nullable or base_type.nullable)
            return ir.Field(self.id(), kind, at, self.lower(node.base), node.name)
        base = self.lower(node.base)
        if base_type.kind == dt.MONEY and node.name == "amount":
            return base.replace(type=self.kind(node), at=at)
        if base_type.kind in (dt.RELATION, dt.LIST):
            variable = self.id()
            row = base_type.item or Type(dt.ANY)
            item = ir.Local(self.id(), row, at, variable)
            field_type = row.field(node.name) or Type(dt.ANY)
            body = ir.Field(self.id(), field_type, at, item, node.name)
            return ir.Map(self.id(), self.kind(node), at, base, variable, body)
        if base_type.kind == dt.ANY and BUILTINS.find(f".{node.name}") is None:
            return self._unknown_member(base, node.name, self.kind(node), at)
        return ir.Call(self.id(), self.kind(node), at, f".{node.name}", (base,))

    def _unknown_member(self, base: ir.Node, name: str, kind: Type, at: ir.Place) -> ir.Node:
        """A member of what is known only when it is decided. Money is a number then: adding nothing keeps one, and has
        no value for anything else. All else that is written so is a member of a context."""
        if name == "amount":
            nothing = ir.Const(self.id(), Type(dt.NUMBER, whole=True, lower=0.0, upper=0.0), at, 0, "0")
            return ir.Call(self.id(), kind, at, "+", (base, nothing))
        key = ir.Const(self.id(), Type(dt.STRING, values=(name,)), at, name, f'"{name}"')
        return ir.Call(self.id(), kind, at, "get value", (base, key))

    def previous(self, bound: Binding, at: ir.Place) -> ir.Node:
        """An outcome of the last logged decision, an input; of several outputs a context of such."""
        if bound.type.kind != dt.CONTEXT:
            return ir.Input(self.id(), bound.type, at, bound.target)
        members = bound.type.fields or ()
        fields = tuple((n, ir.Input(self.id(), t, at, f"{bound.target}.{n}")) for n, t in members)
        return ir.Record(self.id(), bound.type, at, fields)

    def _filter(self, node: ast.Filter) -> ir.Node:
        base, at = self.lower(node.base), self.at(node)
        position = position_of(node.predicate)
        if position is not None:
            return self.fold("first" if position == 1 else "last", base, self.kind(node), at)
        variable = self.typing.variables[id(node)]
        return ir.Filter(self.id(), self.kind(node), at, base, variable, self.lower(node.predicate))

    def _for(self, node: ast.For) -> ir.Node:
        return self.loop(list(node.iterators), node.body, node)

    def loop(self, iterators: list[ast.Iterator], body: ast.Node, node: ast.For) -> ir.Node:
        first, *rest = iterators
        source = self.source(first)
        variable = self.typing.variables[id(first)]
        at = self.at(node)
        if not rest:
            lowered = self.lower(body)
            kind = dt.list_of(lowered.type, source.type.nullable).replace(relation=source.type.relation)
            return ir.Map(self.id(), kind, at, source, variable, lowered)
        inner = self.loop(rest, body, node)
        nested = ir.Map(self.id(), dt.list_of(inner.type, source.type.nullable), at, source, variable, inner)
        return ir.Call(self.id(), self.kind(node), at, "flatten", (nested,))

    def source(self, iterator: ast.Iterator) -> ir.Node:
        low = self.lower(iterator.source)
        if iterator.upper is None:
            return low
        high = self.lower(iterator.upper)
        kind = dt.list_of(Type(dt.NUMBER, whole=True), low.type.nullable or high.type.nullable)
        return ir.Call(self.id(), kind, self.at(iterator), "..", (low, high))

    def _quantified(self, node: ast.Quantified) -> ir.Node:
        body = self.lower(node.body)
        for iterator in reversed(node.iterators):
            source = self.source(iterator)
            variable = self.typing.variables[id(iterator)]
            kind = BOOLEAN.optional(source.type.nullable or body.type.nullable)
            body = self.fused(node.kind, source, variable, None, body, kind, self.at(node))
        return body

    # --- calls ------------------------------------------------------------------------------------

    def _invocation(self, node: ast.Invocation) -> ir.Node:
        folded = self._temporal(node)
        if folded is not None:
            return folded
        assert isinstance(node.function, ast.Name)
        name, at, kind = node.function.name, self.at(node), self.kind(node)
        arguments = self.typing.arguments.get(id(node)) or tuple(a.value for a in node.arguments)
        function = self.functions.called(name)
        if function is not None:
            given = tuple(self.lower(a) for a in arguments)
            return ir.Call(self.id(), kind, at, function.operation.name, given)
        if name == "not" and len(arguments) == 1:
            arg = self.lower(arguments[0])
            return ir.Not(self.id(), BOOLEAN.optional(arg.type.nullable), at, arg)
        if name == GROUP_BY:
            source, key = self.lower(arguments[0]), self.lower(arguments[1])
            return ir.Group(self.id(), kind, at, source, self.typing.variables[id(node)], key)
        if name in STREAKS:
            source, condition = self.lower(arguments[0]), self.lower(arguments[1])
            return self.fused(name, source, self.typing.variables[id(node)], None, condition, kind, at)
        if name == "get or else":
            return self.get_or_else(arguments[0], arguments[1], kind, at)
        if name in ("today", "now") and not arguments:
            today = self.read("as of", "today", Type(dt.DATE), self.id(), at)
            return today if name == "today" else self.midnight(today, kind, at)
        if name in FOLDS and len(arguments) == 1 and self.kind(arguments[0]).kind in (dt.LIST, dt.RELATION):
            return self.fold(name, self.lower(arguments[0]), kind, at)
        if name in ("all", "any") and len(arguments) == 1 and self.kind(arguments[0]).kind == dt.LIST:
            return self.fold("every" if name == "all" else "some", self.lower(arguments[0]), kind, at)
        args = tuple(self.lower(a) for a in arguments)
        if name in KEEPS_MONEY and name != "abs" and args[0].type.kind == dt.MONEY:
            args = self.money_tolerance(args, at)
        if name == "date and time" and len(args) == 1 and args[0].type.kind == dt.DATE:
            return self.midnight(args[0], kind, at)
        return ir.Call(self.id(), kind, at, name, args)

    def money_tolerance(self, args: tuple[ir.Node, ...], at: ir.Place) -> tuple[ir.Node, ...]:
        """Rounding of money takes money's least tolerance as a further argument, behind the scale or divisor."""
        number = Type(dt.NUMBER)
        scale = args[1:] or (ir.Const(self.id(), number, at, 0, "0"),)
        return (args[0], *scale, ir.Const(self.id(), number, at, FLOORS[dt.MONEY], "1e-4"))

    def midnight(self, day: ir.Node, kind: Type, at: ir.Place) -> ir.Node:
        """The first moment of a day. Moments of a policy are local; FEEL's own conversion gives one of UTC."""
        start = ir.Const(self.id(), Type(dt.TIME), at, datetime.time(0), "00:00:00")
        return ir.Call(self.id(), kind, at, "date and time", (day, start))

    def get_or_else(self, value: ast.Node, default: ast.Node, kind: Type, at: ir.Place) -> ir.Node:
        tried = self.lower(value, kind)
        other = self.lower(default, kind)
        if path_key(value) is not None:
            return ir.Cond(self.id(), kind, at, ir.IsNull(self.id(), BOOLEAN, at, tried), other, tried)
        variable = self.id()
        local = ir.Local(self.id(), tried.type, tried.at, variable)
        choice = ir.Cond(self.id(), kind, at, ir.IsNull(self.id(), BOOLEAN, at, local), other, local)
        return ir.Let(self.id(), kind, at, variable, tried, choice)

    def fold(self, op: str, source: ir.Node, kind: Type, at: ir.Place) -> ir.Node:
        return self.fused(op, source, self.id(), None, None, kind, at)

    def fused(
        self, op: str, source: ir.Node, variable: str, filter: ir.Node | None, value: ir.Node | None, kind: Type,
        at: ir.Place,
    ) -> ir.Node:
        """A fold that takes the filters and maps under it into itself, down to the relation or list."""
        if value is None and isinstance(source, ir.Map):
            return self.fused(op, source.source, source.var, None, source.body, kind, at)
        if filter is None and isinstance(source, ir.Filter):
            predicate = rename(source.predicate, source.var, variable)
            return self.fused(op, source.source, variable, predicate, value, kind, at)
        item = value.type if value is not None else source.type.item
        decimals = None
        if op in ("sum", "mean") and item is not None and item.kind in dt.NUMERIC:
            decimals = item.rounding
        return ir.Fold(self.id(), kind, at, op, source, variable, filter, value, decimals)


def _names_operand(node: ir.Node) -> bool:
    """Whether a test names its operand `?`, which nothing within it binds."""
    if isinstance(node, ir.Let) and node.name == "?":
        return False
    if isinstance(node, ir.Local):
        return node.name == "?"
    return any(map(_names_operand, ir.children(node)))


def rename(node: ir.Node, old: str, new: str) -> ir.Node:
    """`node` with the local `old` called `new`."""
    if old == new:
        return node
    if isinstance(node, ir.Local):
        return node.replace(name=new) if node.name == old else node
    changes: dict[str, Any] = {}
    for name in node._fields:
        value = getattr(node, name)
        changed = _renamed(value, old, new)
        if changed is not value:
            changes[name] = changed
    return node.replace(**changes) if changes else node


def _renamed(value: Any, old: str, new: str) -> Any:
    if isinstance(value, ir.Node):
        return rename(value, old, new)
    if isinstance(value, tuple):
        items = tuple(_renamed(v, old, new) for v in value)
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    return value


HANDLERS: dict[type[ast.Node], Callable[[ExpressionLowering, Any], Any]] = {
    ast.NumberLiteral: ExpressionLowering._literal,
    ast.StringLiteral: ExpressionLowering._literal,
    ast.BooleanLiteral: ExpressionLowering._literal,
    ast.NullLiteral: ExpressionLowering._null,
    ast.AtLiteral: ExpressionLowering._at,
    ast.Name: ExpressionLowering._name,
    ast.Negation: ExpressionLowering._negation,
    ast.Arithmetic: ExpressionLowering._arithmetic,
    ast.Comparison: ExpressionLowering._comparison,
    ast.Conjunction: ExpressionLowering._conjunction,
    ast.Disjunction: ExpressionLowering._disjunction,
    ast.Between: ExpressionLowering._between,
    ast.In: ExpressionLowering._in,
    ast.InstanceOf: ExpressionLowering._instance_of,
    ast.If: ExpressionLowering._if,
    ast.For: ExpressionLowering._for,
    ast.Quantified: ExpressionLowering._quantified,
    ast.Filter: ExpressionLowering._filter,
    ast.Path: ExpressionLowering._path,
    ast.Invocation: ExpressionLowering._invocation,
    ast.ContextLiteral: ExpressionLowering._context,
    ast.ListLiteral: ExpressionLowering._list,
}
