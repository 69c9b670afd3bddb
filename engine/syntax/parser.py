"""Parses FEEL: text and vocabulary in, syntax tree out.

`parse_expression` and `parse_unary_tests` raise `SyntaxProblem`, whose findings carry offsets
and, where the mend is mechanical, a replacement. The LALR tables are built from `feel.lark`
once and kept in the user's cache folder; lark is imported only when something is parsed.
"""
from __future__ import annotations

from typing import Any

from engine.syntax import ast
from engine.syntax.build import Builder, Chained
from engine.syntax.lexer import Lexer
from engine.syntax.reading import MAX_DEPTH
from engine.syntax.table import ParseTable, Unexpected, load_table
from engine.syntax.tokens import Finding, SyntaxProblem, Token
from engine.syntax.trouble import explain
from engine.syntax.vocabulary import EMPTY, Vocabulary

__all__ = ["Finding", "SyntaxProblem", "parse_expression", "parse_unary_tests"]

_table: ParseTable | None = None


def parse_expression(text: str, vocabulary: Vocabulary = EMPTY, dialect: str = "feel") -> ast.Node:
    """The tree of an expression.

    `dialect` is "feel", or "policy" where `30%`, `500万` and `1亿` are numbers too. Time and
    depth are bounded. Raises `SyntaxProblem`.
    """
    lexer = Lexer(text, vocabulary, dialect)
    tokens = lexer.run()
    tree: ast.Node = _parse(text, tokens, lexer, "expression")
    return tree


def parse_unary_tests(text: str, vocabulary: Vocabulary = EMPTY, dialect: str = "feel") -> ast.UnaryTests:
    """The tree of a cell's tests: `-`, `not(...)`, or alternatives separated by commas."""
    lexer = Lexer(text, vocabulary, dialect)
    tokens = lexer.run()
    if len(tokens) == 1 and tokens[0].type == "MINUS" and not lexer.findings:
        return ast.UnaryTests(tokens[0].start, tokens[0].end, (ast.AnyTest(tokens[0].start, tokens[0].end),))
    negated = _is_negation(tokens)
    inner = tokens[2:-1] if negated else tokens
    tests: tuple[ast.Node, ...] = _parse(text, inner, lexer, "tests")
    return ast.UnaryTests(tokens[0].start, tokens[-1].end, tests, negated)


def _is_negation(tokens: list[Token]) -> bool:
    """Whether the whole cell is `not( ... )`."""
    if len(tokens) < 4 or tokens[0].type != "NAME" or tokens[0].value != "not" or tokens[1].type != "LPAR":
        return False
    depth = 0
    for index, token in enumerate(tokens):
        if token.type in ("LPAR", "LSQB", "OPEN"):
            depth += 1
        elif token.type in ("RPAR", "RSQB", "SHUT"):
            depth -= 1
            if depth == 0:
                return index == len(tokens) - 1
    return False


def _parse(text: str, tokens: list[Token], lexer: Lexer, start: str) -> Any:
    findings = lexer.findings
    if not tokens and not findings:
        raise SyntaxProblem([Finding("E0109", "the expression is empty", 0, len(text), "write a value, or `null`")])
    if not lexer.broken:
        try:
            tree = _table_for().parse(tokens, start)
        except Chained as problem:
            findings.append(_chained(text, problem))
        except Unexpected as problem:
            findings.append(explain(text, tokens, problem.token, problem.expected, start))
        else:
            if not findings:
                if len(tokens) > MAX_DEPTH:
                    _bound_depth(tree if isinstance(tree, tuple) else (tree,))
                return tree
    raise SyntaxProblem(findings)


def _table_for() -> ParseTable:
    global _table
    if _table is None:
        _table = load_table(Builder())
    return _table


def _chained(text: str, problem: Chained) -> Finding:
    inner, sign, right = problem.inner, problem.sign, problem.right
    middle = text[inner.right.start:inner.right.end]
    start, end = inner.start, right.end
    first = text[inner.start:inner.end]
    second = f"{middle} {sign.text} {text[right.start:right.end]}"
    mend = f"{first} and {second}"
    return Finding("E0110", "comparisons do not chain", start, end, f"write `{mend}`", mend)


def _bound_depth(roots: tuple[ast.Node, ...]) -> None:
    """Refuse trees deeper than evaluation may recurse; without recursion itself."""
    level: list[ast.Node] = list(roots)
    depth = 0
    while level:
        depth += 1
        if depth > 2 * MAX_DEPTH:
            node = level[0]
            raise SyntaxProblem([Finding(
                "E0107", f"the expression is nested more than {2 * MAX_DEPTH} deep", node.start, node.end,
                "split it into several decisions, or use `sum([...])` for a long sum")])
        level = [child for node in level for child in ast.children(node)]


