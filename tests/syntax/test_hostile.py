"""Hostile texts end in an error of ours, quickly."""

from __future__ import annotations

import time

import pytest

from engine.syntax.parser import SyntaxProblem, parse_expression, parse_unary_tests
from engine.syntax.vocabulary import Vocabulary

HOSTILE = {
    "brackets": "[" * 50_000,
    "closed brackets": "[" * 500 + "1" + "]" * 500,
    "parentheses": "(" * 99_999,
    "braces": "{a:" * 30_000,
    "minus": "-" * 50_000 + "1",
    "ifs": "if a then " * 10_000 + "1",
    "long": "a" * 200_000,
    "sum": "+".join(["1"] * 40_000),
    "powers": "**".join(["2"] * 30_000),
    "elses": "if a then 1 else " * 6_000 + "1",
    "fors": "for x in " * 11_000,
    "calls": "f(" * 45_000,
    "types": "a instance of " + "list<" * 20_000,
    "comments": "/*" * 50_000,
    "quotes": '"' * 99_999,
    "words": "a " * 49_999,
    "dots": "a." * 49_999,
    "exponent": "1e" + "9" * 50_000,
    "digits": "9" * 99_999,
    "keys": "{" + "a b c d:1," * 9_000,
    "nots": "not " * 24_999,
    "arguments": "f(" + "a-b," * 24_000,
    "iterators": "for " + "x in a, " * 12_000,
    "signs": "<" * 99_999,
    "nul": "\x00" * 50_000,
    "astral": "💩" * 99_999,
    "combining": "e" + "\u0301" * 99_000,
    "slips": "（" * 50_000,
    "filters": "a[" * 49_999,
    "functions": "function(a) " * 8_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_refused_in_time(name: str) -> None:
    started = time.process_time()
    for parse in (parse_expression, parse_unary_tests):
        try:
            parse(HOSTILE[name], Vocabulary(["a", "a b", "a-b"]), "policy")
        except SyntaxProblem as problem:
            assert problem.findings[0].code.startswith("E01")
        else:
            assert name in ("words", "astral", "combining"), "this text is no expression"
    assert time.process_time() - started < 4


def test_depth_is_bounded_without_brackets() -> None:
    with pytest.raises(SyntaxProblem) as caught:
        parse_expression("+".join(["1"] * 1_000))
    assert caught.value.findings[0].code == "E0107"


def test_long_conjunctions_are_flat() -> None:
    parse_expression(" and ".join(["x > 1"] * 3_000), Vocabulary(["x"]))


def test_a_range_outside_brackets_has_nothing_to_shut() -> None:
    with pytest.raises(SyntaxProblem) as caught:
        parse_expression("for a in 1..3 return x[in 1]", Vocabulary(["x"]))
    assert caught.value.findings[0].code == "E0101"
