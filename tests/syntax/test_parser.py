"""Trees: what is read as what, and where it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.syntax import ast, table
from engine.syntax.build import Builder
from engine.syntax.lexer import Lexer
from engine.syntax.parser import SyntaxProblem, parse_expression, parse_unary_tests
from engine.syntax.table import _TABLE, build_table, grammar_digest
from engine.syntax.vocabulary import Vocabulary

NAMES = Vocabulary(["a", "b", "c", "x", "y", "f", "list"])


def sketch(node: Any) -> Any:
    """A tree as nested tuples of its kind and parts, places left out."""
    if isinstance(node, ast.Name):
        return node.name
    if isinstance(node, (ast.NumberLiteral, ast.StringLiteral, ast.BooleanLiteral)):
        return node.value
    if isinstance(node, ast.Node):
        parts = [sketch(getattr(node, f)) for f in node._fields if f not in ("start", "end")]
        return (type(node).__name__, *parts)
    return tuple(map(sketch, node)) if isinstance(node, tuple) else node


def parsed(text: str) -> Any:
    return sketch(parse_expression(text, NAMES))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a + b * c", ("Arithmetic", "+", "a", ("Arithmetic", "*", "b", "c"))),
        ("a - b - c", ("Arithmetic", "-", ("Arithmetic", "-", "a", "b"), "c")),
        ("-a ** b", ("Arithmetic", "**", ("Negation", "a"), "b")),
        ("a ** b ** c", ("Arithmetic", "**", ("Arithmetic", "**", "a", "b"), "c")),
        ("a or b and c", ("Disjunction", ("a", ("Conjunction", ("b", "c"))))),
        ("a and b and c", ("Conjunction", ("a", "b", "c"))),
        ("a and (b and c)", ("Conjunction", ("a", ("Conjunction", ("b", "c"))))),
        ("a between 1 and 2 and b", ("Conjunction", (("Between", "a", 1, 2), "b"))),
        ("a in (1, 2)", ("In", "a", (1, 2))),
        ("a in (1)", ("In", "a", (1,))),
        ("a in < 5", ("In", "a", (("Comparator", "<", 5),))),
        ("a in (< 5)", ("In", "a", (("Comparator", "<", 5),))),
        ("a in (< 5, [1..2])", ("In", "a", (("Comparator", "<", 5), ("RangeLiteral", 1, 2, True, True)))),
        ("a in [1..2)", ("In", "a", (("RangeLiteral", 1, 2, True, False),))),
        ("a in ]1..2[", ("In", "a", (("RangeLiteral", 1, 2, False, False),))),
        ("(<= 5)", ("RangeLiteral", None, 5, False, True)),
        ("(= 5)", ("Comparator", "=", 5)),
        ("[1..2[ = a", ("Comparison", "=", ("RangeLiteral", 1, 2, True, False), "a")),
        ("[1..a[1]]", ("RangeLiteral", 1, ("Filter", "a", 1), True, True)),
        ("[]", ("ListLiteral", ())),
        ("[1, ]1..2[]", ("ListLiteral", (1, ("RangeLiteral", 1, 2, False, False)))),
        ("if a then b else c + 1", ("If", "a", "b", ("Arithmetic", "+", "c", 1))),
        ("for x in 1..3, y in a return x", ("For", (("Iterator", "x", 1, 3), ("Iterator", "y", "a", None)), "x")),
        (
            "some x in a satisfies x > 1",
            ("Quantified", "some", (("Iterator", "x", "a", None),), ("Comparison", ">", "x", 1)),
        ),
        ("a[x > 1].b.c", ("Path", ("Path", ("Filter", "a", ("Comparison", ">", "x", 1)), "b"), "c")),
        ("f()", ("Invocation", "f", ())),
        ("f(1)(2)", ("Invocation", ("Invocation", "f", (("Argument", None, 1),)), (("Argument", None, 2),))),
        ("f(x: 1)", ("Invocation", "f", (("Argument", "x", 1),))),
        ('{a: 1, "b c": 2}', ("ContextLiteral", (("Entry", "a", 1), ("Entry", "b c", 2)))),
        (
            "a instance of list<number>",
            ("InstanceOf", "a", ("TypeName", "list", (("", ("TypeName", "number", (), None)),), None)),
        ),
        (
            "a instance of function<>->Any",
            ("InstanceOf", "a", ("TypeName", "function", (), ("TypeName", "Any", (), None))),
        ),
        (
            "a instance of date and time and b",
            ("Conjunction", (("InstanceOf", "a", ("TypeName", "date and time", (), None)), "b")),
        ),
        (
            "function(x: number, y) x + y",
            (
                "FunctionLiteral",
                (("Parameter", "x", ("TypeName", "number", (), None)), ("Parameter", "y", None)),
                ("Arithmetic", "+", "x", "y"),
                False,
            ),
        ),
        ('@"2026-07-01".year', ("Path", ("AtLiteral", "2026-07-01"), "year")),
        ("a < b = c", ("Comparison", "=", ("Comparison", "<", "a", "b"), "c")),
        ("not(a)", ("Invocation", "not", (("Argument", None, "a"),))),
        ("list[1]", ("Filter", "list", 1)),
        ("a // note\n+ /* more */ b", ("Arithmetic", "+", "a", "b")),
    ],
)
def test_expressions(text: str, tree: Any) -> None:
    assert parsed(text) == tree


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("12.5", 12.5),
        (".5", 0.5),
        ("1e3", 1000),
        ("1.23e+4", 12300),
        ("0.1", 0.1),
        ("1.0", 1),
        ("007", 7),
        ("123456789012345678901234567890", 1.2345678901234568e29),
    ],
)
def test_numbers(text: str, value: float) -> None:
    node = parse_expression(text)
    assert isinstance(node, ast.NumberLiteral)
    assert (node.value, type(node.value), node.text) == (value, type(value), text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("30%", 0.3),
        ("3.45%", 0.0345),
        ("500万", 5_000_000),
        ("1亿", 100_000_000),
        ("12.5亿", 1_250_000_000),
        ("0.1万", 1000),
        ("7%", 0.07),
        ("1e2万", 1_000_000),
    ],
)
def test_numbers_of_policies(text: str, value: float) -> None:
    node = parse_expression(text, NAMES, "policy")
    assert isinstance(node, ast.NumberLiteral)
    assert (node.value, node.text) == (value, text)
    with pytest.raises(SyntaxProblem):
        parse_expression(text, NAMES)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"a\"b"', 'a"b'),
        (r'"a\nb\tc\\d"', "a\nb\tc\\d"),
        (r'"A"', "A"),
        (r'"\U01F40E"', "🐎"),
        (r'"\uD83D\uDC0E"', "🐎"),
        (r'"\d+"', r"\d+"),
        (r'"\uD83D"', "\ufffd"),
        ('"万"', "万"),
        (r'"\'"', "'"),
    ],
)
def test_texts(text: str, value: str) -> None:
    node = parse_expression(text)
    assert isinstance(node, ast.StringLiteral)
    assert node.value == value


@pytest.mark.parametrize(
    ("text", "tests", "negated"),
    [
        ("-", [("AnyTest",)], False),
        ("< 5", [("Comparator", "<", 5)], False),
        ('"a", "b"', ["a", "b"], False),
        ('not("a", "b")', ["a", "b"], True),
        ("not(a) and b", [("Conjunction", (("Invocation", "not", (("Argument", None, "a"),)), "b"))], False),
        ("? > 5", [("Comparison", ">", "?", 5)], False),
        ("-5", [("Negation", 5)], False),
        ("[1..2), >= 9, null", [("RangeLiteral", 1, 2, True, False), ("Comparator", ">=", 9), ("NullLiteral",)], False),
    ],
)
def test_unary_tests(text: str, tests: list[Any], negated: bool) -> None:
    tree = parse_unary_tests(text, NAMES)
    assert ([sketch(t) for t in tree.tests], tree.negated) == (tests, negated)


def places(node: ast.Node) -> list[tuple[int, int]]:
    return [(node.start, node.end), *(p for child in ast.children(node) for p in places(child))]


def test_places_are_exact() -> None:
    text = '  (a + "🐎万") * f(x: b)[1] '
    tree = parse_expression(text, NAMES)
    assert isinstance(tree, ast.Arithmetic)
    assert text[tree.start : tree.end] == text.strip()
    assert text[tree.left.start : tree.left.end] == '(a + "🐎万")'
    assert text[tree.right.start : tree.right.end] == "f(x: b)[1]"


EXPRESSIONS = st.recursive(
    st.sampled_from(["a", "b", "1", "2.5", '"t"', "null", "true"]),
    lambda inner: st.one_of(
        st.builds("{} + {}".format, inner, inner),
        st.builds("({})".format, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("if {} then {} else {}".format, inner, inner, inner),
        st.builds("f({})".format, inner),
        st.builds("({}) in [1..{}]".format, inner, inner),
        st.builds("({})[{}]".format, inner, inner),
        st.builds("for i in ({}) return {}".format, inner, inner),
        st.builds("{{k: {}}}".format, inner),
    ),
    max_leaves=12,
)


@given(EXPRESSIONS)
@settings(max_examples=200)
def test_a_child_lies_within_its_parent_and_parses_alone(text: str) -> None:
    tree = parse_expression(text, NAMES)
    assert (tree.start, tree.end) == (0, len(text))
    stack = [tree]
    while stack:
        node = stack.pop()
        for child in ast.children(node):
            assert node.start <= child.start <= child.end <= node.end
            stack.append(child)
        if isinstance(node, (ast.Filter, ast.If, ast.ListLiteral, ast.Invocation, ast.Arithmetic)):
            again = parse_expression(text[node.start : node.end], NAMES)
            assert sketch(again) == sketch(node)


def test_the_shipped_tables_are_those_of_the_grammar() -> None:
    assert f'"grammar":"{grammar_digest()}"' in _TABLE.read_text(encoding="utf-8")
    assert build_table()["grammar"] == grammar_digest()


@pytest.mark.parametrize("content", [None, "", "{}", '{"grammar": "another"}', "[1", '{"grammar": null, "rows": 1}'])
def test_tables_that_do_not_fit_are_built_anew(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = tmp_path / "feel.table.json"
    if content is not None:
        damaged.write_text(content, encoding="utf-8")
    monkeypatch.setattr(table, "_TABLE", damaged)
    tokens = Lexer("a + b * 2", NAMES).run()
    tree = table.load_table(Builder()).parse(tokens, "expression")
    assert sketch(tree) == ("Arithmetic", "+", "a", ("Arithmetic", "*", "b", 2))
