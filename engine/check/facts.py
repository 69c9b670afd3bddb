"""What a condition makes known: names and paths that cannot be null where it holds, or where it fails."""
from __future__ import annotations

from engine.syntax import ast


def path_key(node: ast.Node) -> str | None:
    """A name or path as a key for facts."""
    if isinstance(node, ast.Name):
        return node.name
    if isinstance(node, ast.Path):
        base = path_key(node.base)
        return None if base is None else f"{base}.{node.name}"
    return None


def facts(node: ast.Node, holds: bool) -> frozenset[str]:
    """Names and paths that are not null where `node` is true (or false): a comparison of a null is neither."""
    if isinstance(node, ast.Conjunction):
        return frozenset().union(*(facts(o, True) for o in node.operands)) if holds else frozenset()
    if isinstance(node, ast.Disjunction):
        return frozenset() if holds else frozenset().union(*(facts(o, False) for o in node.operands))
    if isinstance(node, ast.Comparison):
        null_side = isinstance(node.right, ast.NullLiteral) or isinstance(node.left, ast.NullLiteral)
        if null_side:
            if (node.op == "!=") != holds:
                return frozenset()
            return settled(node.left) | settled(node.right)
        return settled(node.left) | settled(node.right)
    if isinstance(node, ast.Between):
        return settled(node.operand)
    if isinstance(node, ast.In):
        return settled(node.operand) if holds else frozenset()
    if isinstance(node, ast.Invocation) and isinstance(node.function, ast.Name) and node.function.name == "not":
        if len(node.arguments) == 1:
            return facts(node.arguments[0].value, not holds)
        return frozenset()
    if holds or isinstance(node, (ast.Name, ast.Path)):
        key = path_key(node)
        return frozenset() if key is None else frozenset({key})
    return frozenset()


def settled(node: ast.Node) -> frozenset[str]:
    """Names that cannot be null where the value of `node` is not."""
    key = path_key(node)
    if key is not None:
        return frozenset({key})
    if isinstance(node, (ast.Negation, ast.Arithmetic)):
        return frozenset().union(*(settled(c) for c in ast.children(node)))
    return frozenset()
