"""Grammar actions: from tokens and subtrees to the nodes of `engine.syntax.ast`.

Every method is the action of the rule (or alias) of its name in `feel.lark` and takes the
rule's children in order. The builder holds no state, so one parser serves all threads.
"""
from __future__ import annotations

from typing import Any

from engine.syntax import ast
from engine.syntax.tokens import Token

RELATIONAL = frozenset({"<", "<=", ">", ">="})


class Chained(Exception):
    """`a < b < c`: FEEL has no such form. Holds the inner comparison and the second sign."""

    def __init__(self, inner: ast.Comparison, sign: Token, right: ast.Node) -> None:
        super().__init__("chained comparison")
        self.inner = inner
        self.sign = sign
        self.right = right


def _grouped(node: ast.Comparison) -> bool:
    """Whether the node stood in parentheses (which widen its place beyond its operands)."""
    return node.start != node.left.start


def _nodes(children: list[Any]) -> tuple[Any, ...]:
    return tuple([c for c in children if not isinstance(c, Token)])


class Builder:
    def tests(self, children: list[Any]) -> tuple[ast.Node, ...]:
        return _nodes(children)

    def comparator(self, children: list[Any]) -> ast.Node:
        sign, operand = children
        return ast.Comparator(sign.start, operand.end, sign.text, operand)

    def disjunction(self, children: list[Any]) -> ast.Node:
        return ast.Disjunction(children[0].start, children[-1].end, _nodes(children))

    def conjunction(self, children: list[Any]) -> ast.Node:
        return ast.Conjunction(children[0].start, children[-1].end, _nodes(children))

    def comparison(self, children: list[Any]) -> ast.Node:
        left, sign, right = children
        if (sign.text in RELATIONAL and isinstance(left, ast.Comparison) and left.op in RELATIONAL
                and not _grouped(left)):
            raise Chained(left, sign, right)
        return ast.Comparison(left.start, right.end, sign.text, left, right)

    def between(self, children: list[Any]) -> ast.Node:
        operand, _, lower, _, upper = children
        return ast.Between(operand.start, upper.end, operand, lower, upper)

    def in_value(self, children: list[Any]) -> ast.Node:
        operand, _, test = children
        if isinstance(test, ast.RangeLiteral) and (test.lower is None or test.upper is None):
            end = test.upper or test.lower
            assert end is not None
            sign = ("<" if test.lower is None else ">") + ("=" if test.upper_closed or test.lower_closed else "")
            test = ast.Comparator(test.start, test.end, sign, end)
        return ast.In(operand.start, test.end, operand, (test,))

    def in_comparator(self, children: list[Any]) -> ast.Node:
        operand, _, sign, right = children
        test = ast.Comparator(sign.start, right.end, sign.text, right)
        return ast.In(operand.start, right.end, operand, (test,))

    def in_list(self, children: list[Any]) -> ast.Node:
        return ast.In(children[0].start, children[-1].end, children[0], _nodes(children[1:]))

    def arithmetic(self, children: list[Any]) -> ast.Node:
        left, sign, right = children
        return ast.Arithmetic(left.start, right.end, sign.text, left, right)

    def negation(self, children: list[Any]) -> ast.Node:
        sign, operand = children
        return ast.Negation(sign.start, operand.end, operand)

    def instance_of(self, children: list[Any]) -> ast.Node:
        operand, _, kind = children
        return ast.InstanceOf(operand.start, kind.end, operand, kind)

    def path(self, children: list[Any]) -> ast.Node:
        base, _, member = children
        return ast.Path(base.start, member.end, base, member.value)

    def filter(self, children: list[Any]) -> ast.Node:
        base, _, predicate, close = children
        return ast.Filter(base.start, close.end, base, predicate)

    def call(self, children: list[Any]) -> ast.Node:
        arguments = tuple([
            c if isinstance(c, ast.Argument) else ast.Argument(c.start, c.end, None, c)
            for c in children[1:] if not isinstance(c, Token)
        ])
        return ast.Invocation(children[0].start, children[-1].end, children[0], arguments)

    def named(self, children: list[Any]) -> ast.Node:
        key, _, value = children
        return ast.Argument(key.start, value.end, key.value, value)

    def name(self, children: list[Any]) -> ast.Node:
        token = children[0]
        return ast.Name(token.start, token.end, token.value)

    def number(self, children: list[Any]) -> ast.Node:
        token = children[0]
        return ast.NumberLiteral(token.start, token.end, token.text, token.value)

    def string(self, children: list[Any]) -> ast.Node:
        token = children[0]
        return ast.StringLiteral(token.start, token.end, token.value)

    def at(self, children: list[Any]) -> ast.Node:
        token = children[0]
        return ast.AtLiteral(token.start, token.end, token.value)

    def true(self, children: list[Any]) -> ast.Node:
        return ast.BooleanLiteral(children[0].start, children[0].end, True)

    def false(self, children: list[Any]) -> ast.Node:
        return ast.BooleanLiteral(children[0].start, children[0].end, False)

    def null(self, children: list[Any]) -> ast.Node:
        return ast.NullLiteral(children[0].start, children[0].end)

    def group(self, children: list[Any]) -> ast.Node:
        opening, node, closing = children
        widened: ast.Node = node.replace(start=opening.start, end=closing.end)
        return widened

    def open_range(self, children: list[Any]) -> ast.Node:
        opening, sign, operand, closing = children
        start, end, op = opening.start, closing.end, sign.text
        if op in ("=", "!="):
            return ast.Comparator(start, end, op, operand)
        closed = op.endswith("=")
        if op.startswith("<"):
            return ast.RangeLiteral(start, end, None, operand, False, closed)
        return ast.RangeLiteral(start, end, operand, None, closed, False)

    def conditional(self, children: list[Any]) -> ast.Node:
        word, condition, _, then, _, otherwise = children
        return ast.If(word.start, otherwise.end, condition, then, otherwise)

    def iteration(self, children: list[Any]) -> ast.Node:
        nodes = _nodes(children)
        return ast.For(children[0].start, nodes[-1].end, nodes[:-1], nodes[-1])

    def quantified(self, children: list[Any]) -> ast.Node:
        nodes = _nodes(children)
        return ast.Quantified(children[0].start, nodes[-1].end, children[0].text, nodes[:-1], nodes[-1])

    def iterator(self, children: list[Any]) -> ast.Node:
        nodes = _nodes(children)
        upper = nodes[1] if len(nodes) > 1 else None
        return ast.Iterator(children[0].start, nodes[-1].end, children[0].value, nodes[0], upper)

    def function(self, children: list[Any]) -> ast.Node:
        nodes = _nodes(children)
        external = any(isinstance(c, Token) and c.type == "EXTERNAL" for c in children)
        return ast.FunctionLiteral(children[0].start, nodes[-1].end, nodes[:-1], nodes[-1], external)

    def parameter(self, children: list[Any]) -> ast.Node:
        kind = children[2] if len(children) > 1 else None
        return ast.Parameter(children[0].start, children[-1].end, children[0].value, kind)

    def list_literal(self, children: list[Any]) -> ast.Node:
        return ast.ListLiteral(children[0].start, children[-1].end, _nodes(children))

    def context(self, children: list[Any]) -> ast.Node:
        return ast.ContextLiteral(children[0].start, children[-1].end, _nodes(children))

    def entry(self, children: list[Any]) -> ast.Node:
        key, _, value = children
        return ast.Entry(key.start, value.end, key.value, value)

    def range_literal(self, children: list[Any]) -> ast.Node:
        opening, lower, _, upper, closing = children
        return ast.RangeLiteral(
            opening.start, closing.end, lower, upper, opening.type == "LSQB", closing.type == "RSQB")

    def type_name(self, children: list[Any]) -> ast.TypeName:
        head = children[0]
        arguments = tuple(c for c in children[1:] if isinstance(c, tuple))
        result = next((c for c in children[1:] if isinstance(c, ast.TypeName)), None)
        return ast.TypeName(head.start, children[-1].end, head.value, arguments, result)

    def type_argument(self, children: list[Any]) -> tuple[str, ast.TypeName]:
        if len(children) == 1:
            return "", children[0]
        return children[0].value, children[2]
