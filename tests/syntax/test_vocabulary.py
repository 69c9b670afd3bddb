"""Names: what they are made of, and which of them wins."""
from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.semantics.builtin_names import SPACED_FUNCTIONS
from engine.semantics.catalogue import BUILTINS
from engine.syntax import ast
from engine.syntax.parser import SyntaxProblem, parse_expression
from engine.syntax.reading import KEYWORDS
from engine.syntax.vocabulary import Vocabulary, normalise

WORDS = st.text("abcdxyzäß年营入", min_size=1, max_size=6).filter(lambda w: w not in KEYWORDS and w != "is")


def names_of(text: str, *names: str, members: tuple[str, ...] = ()) -> list[str]:
    """The names and members that an expression reads, in order of place."""
    found: list[tuple[int, str]] = []
    stack: list[ast.Node] = [parse_expression(text, Vocabulary(names, members))]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Name):
            found.append((node.start, node.name))
        elif isinstance(node, ast.Path):
            found.append((node.end, node.name))
        stack.extend(ast.children(node))
    return [name for _, name in sorted(found)]


def test_the_lexers_list_of_spaced_functions_is_the_catalogues() -> None:
    assert sorted(SPACED_FUNCTIONS) == sorted(n for n in BUILTINS.functions() if " " in n)


@pytest.mark.parametrize(("text", "names", "read"), [
    ("annual revenue / employees", ("annual revenue", "employees"), ["annual revenue", "employees"]),
    ("debt-income", ("debt", "income"), ["debt", "income"]),
    ("debt-income", ("debt", "income", "debt-income"), ["debt-income"]),
    ("debt - income", ("debt", "income", "debt-income"), ["debt", "income"]),
    ("a+b*c", ("a+b", "c"), ["a+b", "c"]),
    ("owner's share > 1", ("owner's share",), ["owner's share"]),
    ("a.b/c", ("a.b/c",), ["a.b/c"]),
    ("in_bankruptcy and industry = x", ("in_bankruptcy", "industry", "x"), ["in_bankruptcy", "industry", "x"]),
    ("annual   revenue", ("annual revenue",), ["annual revenue"]),
    ("annual\n revenue", ("annual revenue",), ["annual revenue"]),
    ("revenue", ("revenue growth",), ["revenue"]),
    ("revenue growth rate", ("revenue growth", "revenue"), ["revenue growth rate"]),
    ("anual revenue >= 5", ("annual revenue",), ["anual revenue"]),
    ("年营业收入 >= 5", ("年营业收入",), ["年营业收入"]),
    ("营业收入（万元） > 5", ("营业收入（万元）",), ["营业收入（万元）"]),
    ("days in weekend", ("days in weekend",), ["days in weekend"]),
    ("days in weekend", ("days", "weekend"), ["days", "weekend"]),
    ("date and time(x)", ("x",), ["date and time", "x"]),
    ("date and x", ("date", "x"), ["date", "x"]),
    ("🐎 horse + 1", ("🐎 horse",), ["🐎 horse"]),
    ("a.b c.d", ("a",), ["a", "b c", "d"]),
    ("loan.principal-paid", ("loan",), ["loan", "principal", "paid"]),
])
def test_names_are_found_by_longest_match(text: str, names: tuple[str, ...], read: list[str]) -> None:
    assert names_of(text, *names) == read


def test_a_member_may_hold_signs() -> None:
    assert names_of("loan.principal-paid", "loan", members=("principal-paid",)) == ["loan", "principal-paid"]


@pytest.mark.parametrize(("text", "read"), [
    ("for my item in [1] return my item + 1", ["my item"]),
    ("some x y in [1] satisfies x y > 1", ["x y"]),
    ("{first-name: 1, b: first-name}", ["first-name"]),
    ('{"first name": 1, b: first name}.first name', ["first name", "first name"]),
    ("[{net-worth: 1}][net-worth > 0]", ["net-worth"]),
    ("function(my arg, b-c) my arg + b-c", ["my arg", "b-c"]),
    ("for a in [1], b c in [2] return a + b c", ["a", "b c"]),
])
def test_names_bound_inside_an_expression_are_known_there(text: str, read: list[str]) -> None:
    assert names_of(text) == read


def test_a_bound_name_is_forgotten_with_its_bracket() -> None:
    assert names_of("(for a-b in [1] return a-b) + (a-b)", "a", "b") == ["a-b", "a", "b"]


def test_named_arguments_are_read_as_names_of_parameters() -> None:
    tree = parse_expression('substring(string: "x", start position: 1)')
    assert isinstance(tree, ast.Invocation)
    assert [a.name for a in tree.arguments] == ["string", "start position"]


def test_composed_and_decomposed_spellings_are_one_name() -> None:
    composed = unicodedata.normalize("NFC", "société active")
    decomposed = unicodedata.normalize("NFD", composed)
    assert names_of(decomposed + " + 1", composed) == [composed]
    assert names_of(composed + " + 1", decomposed) == [composed]


def test_digest_depends_on_the_sets_alone() -> None:
    assert Vocabulary(["a", "b"], ["c"]).digest == Vocabulary(["b", "a", "a"], ["c"]).digest
    assert Vocabulary(["a"], ["b"]).digest != Vocabulary(["a", "b"]).digest
    assert Vocabulary(["a b"]).digest == Vocabulary([" a  b "]).digest


@given(st.lists(WORDS, min_size=1, max_size=4), st.lists(WORDS, min_size=1, max_size=4))
def test_any_name_is_read_back_whole(first: list[str], second: list[str]) -> None:
    a, b = normalise(" ".join(first)), normalise(" ".join(second))
    assert names_of(f"{a} + {b}", a, b) == [a, b]


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        tree = parse_expression(text, Vocabulary(["a", "b c"]))
    except SyntaxProblem as problem:
        assert problem.findings
        for finding in problem.findings:
            assert 0 <= finding.start <= finding.end <= len(text)
    else:
        assert 0 <= tree.start < tree.end <= len(text)
