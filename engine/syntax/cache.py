"""Parsed expressions, kept by their text and vocabulary.

Equal texts under one vocabulary parse once a process, which serves the many cells
and names that a policy repeats.
"""
from __future__ import annotations

from engine.syntax import ast
from engine.syntax.parser import parse_expression, parse_unary_tests
from engine.syntax.vocabulary import Vocabulary

_LIMIT = 20_000
_trees: dict[tuple[str, str, str], ast.Node] = {}


def expression(text: str, vocabulary: Vocabulary) -> ast.Node:
    """The tree of an expression in the policy dialect; raises `SyntaxProblem`."""
    return _parsed("expression", text, vocabulary)


def unary_tests(text: str, vocabulary: Vocabulary) -> ast.UnaryTests:
    """The tree of a cell in the policy dialect; raises `SyntaxProblem`."""
    tree = _parsed("tests", text, vocabulary)
    assert isinstance(tree, ast.UnaryTests)
    return tree


def _parsed(kind: str, text: str, vocabulary: Vocabulary) -> ast.Node:
    key = (kind, vocabulary.digest, text)
    tree = _trees.get(key)
    if tree is None:
        parse = parse_expression if kind == "expression" else parse_unary_tests
        tree = parse(text, vocabulary, "policy")
        if len(_trees) >= _LIMIT:
            _trees.clear()
        _trees[key] = tree
    return tree
