"""Lowers bare FEEL to the typed core, untyped: every node is of the type `Any`.

Names become `Input` nodes, whose meaning is found when they are read: a filter brings the
members of its items into scope, which only the values tell. Operations that only dynamic
types need are calls of names that start with `~`, which no expression can write:

- `~range` (low, high, flags): a range literal; `~test`: a range of a comparison sign;
- `~in` (value, test): whether a value passes the value of a test;
- `~instance of` (value, type text).
"""
from __future__ import annotations

from typing import NoReturn

from engine.diagnostics import Locator
from engine.ir import nodes as ir
from engine.semantics import conversions, dtypes
from engine.semantics.values import Undefined
from engine.syntax import ast

ANY = dtypes.Type(dtypes.ANY, nullable=True)
#: Nodes whose value is a truth value or null, so that a filter by them is never a position.
_TESTS = (ast.Comparison, ast.Conjunction, ast.Disjunction, ast.In, ast.Between, ast.InstanceOf, ast.Quantified)


class Lowering:
    """Lowers the trees of one text. `locator` maps its offsets to places."""

    def __init__(self, text: str, locator: Locator) -> None:
        self.text = text
        self.locator = locator
        self.count = 0

    def at(self, node: ast.Node) -> ir.Place:
        return ir.Place(self.locator, node.start, node.end, self.text)

    def head(self, node: ast.Node) -> tuple[str, dtypes.Type, ir.Place]:
        """What every IR node starts with."""
        self.count += 1
        return f"#{self.count}", ANY, self.at(node)

    def const(self, node: ast.Node, value: object, text: str = "") -> ir.Const:
        return ir.Const(*self.head(node), value, text)

    def call(self, node: ast.Node, op: str, *args: ir.Node) -> ir.Call:
        return ir.Call(*self.head(node), op, args)

    def lower(self, node: ast.Node) -> ir.Node:
        """The core form of an expression."""
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            self.unsupported(node)
        lowered: ir.Node = method(node)
        return lowered

    def unsupported(self, node: ast.Node) -> NoReturn:
        raise TypeError(f"no lowering for {type(node).__name__}")

    # --- literals and names -------------------------------------------------------------

    def _numberliteral(self, node: ast.NumberLiteral) -> ir.Node:
        return self.const(node, node.value, node.text)

    def _stringliteral(self, node: ast.StringLiteral) -> ir.Node:
        return self.const(node, node.value)

    def _booleanliteral(self, node: ast.BooleanLiteral) -> ir.Node:
        return self.const(node, node.value)

    def _nullliteral(self, node: ast.NullLiteral) -> ir.Node:
        return self.const(node, None)

    def _atliteral(self, node: ast.AtLiteral) -> ir.Node:
        try:
            return self.const(node, conversions.at_literal(node.text), node.text)
        except Undefined:
            return self.call(node, "~at", self.const(node, node.text))

    def _name(self, node: ast.Name) -> ir.Node:
        return ir.Input(*self.head(node), node.name)

    # --- operators ----------------------------------------------------------------------

    def _negation(self, node: ast.Negation) -> ir.Node:
        return self.call(node, "neg", self.lower(node.operand))

    def _arithmetic(self, node: ast.Arithmetic) -> ir.Node:
        return self.call(node, node.op, self.lower(node.left), self.lower(node.right))

    def _comparison(self, node: ast.Comparison) -> ir.Node:
        return ir.Compare(*self.head(node), node.op, self.lower(node.left), self.lower(node.right), "tolerant")

    def _conjunction(self, node: ast.Conjunction) -> ir.Node:
        return ir.And(*self.head(node), tuple([self.lower(o) for o in node.operands]))

    def _disjunction(self, node: ast.Disjunction) -> ir.Node:
        return ir.Or(*self.head(node), tuple([self.lower(o) for o in node.operands]))

    def _between(self, node: ast.Between) -> ir.Node:
        name, value = self.once(node.operand)
        local = ir.Local(*self.head(node.operand), name)
        return ir.Let(*self.head(node), name, value, ir.And(*self.head(node), (
            ir.Compare(*self.head(node), ">=", local, self.lower(node.lower), "tolerant"),
            ir.Compare(*self.head(node), "<=", local, self.lower(node.upper), "tolerant"),
        )))

    def once(self, node: ast.Node) -> tuple[str, ir.Node]:
        """A fresh local for a value that several nodes read."""
        self.count += 1
        return f"~{self.count}", self.lower(node)

    def _in(self, node: ast.In) -> ir.Node:
        name, value = self.once(node.operand)
        local = ir.Local(*self.head(node.operand), name)
        return ir.Let(*self.head(node), name, value, self.any_of(node, [self.test(t, local) for t in node.tests]))

    def any_of(self, node: ast.Node, tests: list[ir.Node]) -> ir.Node:
        return tests[0] if len(tests) == 1 else ir.Or(*self.head(node), tuple(tests))

    def test(self, node: ast.Node, operand: ir.Node) -> ir.Node:
        """A test of `operand` by a comparison, or by the value of an expression."""
        if isinstance(node, ast.Comparator):
            return ir.Compare(*self.head(node), node.op, operand, self.lower(node.operand), "tolerant")
        return self.call(node, "~in", operand, self.lower(node))

    def unary_tests(self, node: ast.UnaryTests) -> ir.Node:
        """The tests of a cell over the name `?`."""
        tests: list[ir.Node] = []
        for test in node.tests:
            operand = ir.Input(*self.head(test), "?")
            if isinstance(test, ast.AnyTest):
                tests.append(self.const(test, True))
            elif isinstance(test, ast.Comparator):
                tests.append(self.test(test, operand))
            else:
                name = "~tests" if reads(test, "?") else "~matches"
                tests.append(self.call(test, name, operand, self.lower(test)))
        joined = self.any_of(node, tests)
        return ir.Not(*self.head(node), joined) if node.negated else joined

    def _comparator(self, node: ast.Comparator) -> ir.Node:
        return self.call(node, "~test", self.const(node, node.op), self.lower(node.operand))

    def _instanceof(self, node: ast.InstanceOf) -> ir.Node:
        return self.call(node, "~instance of", self.lower(node.operand), self.const(node.type, type_text(node.type)))

    def _rangeliteral(self, node: ast.RangeLiteral) -> ir.Node:
        if node.lower is None or node.upper is None:
            end = node.upper if node.lower is None else node.lower
            assert end is not None
            closed = node.upper_closed if node.lower is None else node.lower_closed
            sign = ("<" if node.lower is None else ">") + ("=" if closed else "")
            return self.call(node, "~test", self.const(node, sign), self.lower(end))
        return self.call(
            node, "~range", self.lower(node.lower), self.lower(node.upper),
            self.const(node, node.lower_closed), self.const(node, node.upper_closed))

    # --- control ------------------------------------------------------------------------

    def _if(self, node: ast.If) -> ir.Node:
        return ir.Cond(
            *self.head(node), self.lower(node.condition), self.lower(node.then), self.lower(node.otherwise))

    def iterators(self, node: ast.For | ast.Quantified) -> tuple[tuple[str, ir.Node, ir.Node | None], ...]:
        return tuple([
            (i.name, self.lower(i.source), None if i.upper is None else self.lower(i.upper)) for i in node.iterators])

    def _for(self, node: ast.For) -> ir.Node:
        # `partial` is kept only where the body reads it: it costs a copy of the list each time.
        own = any(i.name == "partial" for i in node.iterators)
        kind = "for partial" if not own and reads(node.body, "partial") else "for"
        return ir.Iterate(*self.head(node), kind, self.iterators(node), self.lower(node.body))

    def _quantified(self, node: ast.Quantified) -> ir.Node:
        return ir.Iterate(*self.head(node), node.kind, self.iterators(node), self.lower(node.body))

    # --- structures ---------------------------------------------------------------------

    def _filter(self, node: ast.Filter) -> ir.Node:
        # The variable says what the predicate is: surely a test, or perhaps a position.
        var = "item" if isinstance(node.predicate, _TESTS) else "item or position"
        return ir.Filter(*self.head(node), self.lower(node.base), var, self.lower(node.predicate))

    def _path(self, node: ast.Path) -> ir.Node:
        return ir.Field(*self.head(node), self.lower(node.base), node.name)

    def _invocation(self, node: ast.Invocation) -> ir.Node:
        names = tuple(a.name or "" for a in node.arguments)
        return ir.Apply(
            *self.head(node), self.lower(node.function), tuple([self.lower(a.value) for a in node.arguments]), names)

    def _contextliteral(self, node: ast.ContextLiteral) -> ir.Node:
        return ir.Record(*self.head(node), tuple([(e.key, self.lower(e.value)) for e in node.entries]))

    def _listliteral(self, node: ast.ListLiteral) -> ir.Node:
        return ir.List(*self.head(node), tuple([self.lower(i) for i in node.items]))

    def _functionliteral(self, node: ast.FunctionLiteral) -> ir.Node:
        parameters = tuple((p.name, "" if p.type is None else type_text(p.type)) for p in node.parameters)
        body = self.call(node, "~external") if node.external else self.lower(node.body)
        return ir.Lambda(*self.head(node), parameters, body)


def type_text(node: ast.TypeName) -> str:
    """A type as FEEL writes it."""
    text = node.name
    if node.arguments or node.result is not None and node.name == "function":
        inner = ", ".join(f"{name}: {type_text(kind)}" if name else type_text(kind) for name, kind in node.arguments)
        text += f"<{inner}>"
    return text if node.result is None else f"{text} -> {type_text(node.result)}"


def reads(node: ast.Node, name: str) -> bool:
    """Whether a tree reads a name anywhere; without recursion."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, ast.Name) and current.name == name:
            return True
        stack.extend(ast.children(current))
    return False


def lower(node: ast.Node, text: str, locator: Locator) -> ir.Node:
    """The core form of an expression of bare FEEL."""
    return Lowering(text, locator).lower(node)


def lower_tests(node: ast.UnaryTests, text: str, locator: Locator) -> ir.Node:
    """The core form of a cell's tests, over the name `?`."""
    return Lowering(text, locator).unary_tests(node)
