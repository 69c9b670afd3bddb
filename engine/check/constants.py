"""Constant expressions: their values, and the sets that constant tests hold for."""
from __future__ import annotations

from collections.abc import Callable

from engine.check.plain import NotReadable, read
from engine.semantics import dtypes as dt
from engine.semantics.domain import ALL, Domain, complement, point, single, union
from engine.semantics.dtypes import Type
from engine.syntax import ast


def domain_of(tests: ast.UnaryTests, kind: Type) -> Domain | None:
    """The set of values that constant tests hold for, None where they are not constant."""
    found = Domain(())
    for test in tests.tests:
        part = test_domain(test, kind)
        if part is None:
            return None
        found = union(found, part)
    return complement(found) if tests.negated else found


def test_domain(test: ast.Node, kind: Type) -> Domain | None:
    """The set of values for which one test holds, None where its ends are not constant."""
    if isinstance(test, ast.AnyTest):
        return ALL
    if isinstance(test, ast.Comparator):
        end = constant(test.operand, kind)
        return None if end is None else _COMPARATORS[test.op](end)
    if isinstance(test, ast.RangeLiteral):
        low = None if test.lower is None else constant(test.lower, kind)
        high = None if test.upper is None else constant(test.upper, kind)
        if (low is None) != (test.lower is None) or (high is None) != (test.upper is None):
            return None
        return single(low, high, test.lower_closed, test.upper_closed)
    if isinstance(test, ast.ListLiteral):
        found = Domain(())
        for item in test.items:
            part = test_domain(item, kind)
            if part is None:
                return None
            found = union(found, part)
        return found
    value = constant(test, kind)
    return None if value is None else point(value)


_COMPARATORS: dict[str, Callable[[object], Domain]] = {
    "<": lambda end: single(None, end, False, False),
    "<=": lambda end: single(None, end, False, True),
    ">": lambda end: single(end, None, False, False),
    ">=": lambda end: single(end, None, True, False),
    "=": point,
    "!=": lambda end: complement(point(end)),
}


def constant(node: ast.Node, kind: Type) -> object:
    """The value of a constant expression of `kind`, None where it is none."""
    if isinstance(node, ast.NumberLiteral) and kind.kind in dt.NUMERIC:
        return node.value
    if isinstance(node, ast.Negation):
        value = constant(node.operand, kind)
        return -value if isinstance(value, (int, float)) else None
    if isinstance(node, ast.StringLiteral) and kind.kind == dt.STRING:
        return node.value
    if isinstance(node, ast.BooleanLiteral) and kind.kind == dt.BOOLEAN:
        return node.value
    literal = temporal_text(node)
    if literal is None:
        return None
    try:
        return read(literal, kind)
    except NotReadable:
        return None


def temporal_text(node: ast.Node) -> str | None:
    """The text of `date("...")`, `duration("...")` and the like, or of `@"..."`."""
    if isinstance(node, ast.AtLiteral):
        return node.text
    if (
        isinstance(node, ast.Invocation)
        and isinstance(node.function, ast.Name)
        and node.function.name in ("date", "time", "date and time", "duration")
        and len(node.arguments) == 1
        and isinstance(node.arguments[0].value, ast.StringLiteral)
    ):
        return node.arguments[0].value.value
    return None
