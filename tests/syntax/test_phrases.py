"""What cells in words stand for; what they are certainly meant as holds for the same numbers."""
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.check.constants import domain_of
from engine.semantics import dtypes as dt
from engine.semantics.domain import Domain, complement, intersection, single, union
from engine.semantics.dtypes import Type
from engine.syntax.cache import unary_tests
from engine.syntax.phrases import phrase, word
from engine.syntax.vocabulary import EMPTY

NUMBER = Type(dt.NUMBER)
SIGNS = {
    "<": lambda n: single(None, n, False, False), "<=": lambda n: single(None, n, False, True),
    ">": lambda n: single(n, None, False, False), ">=": lambda n: single(n, None, True, False),
}
WORDS = {
    "at least": ">=", "at most": "<=", "more than": ">", "under": "<", "不低于": ">=", "不超过": "<=",
    "大于": ">", "小于": "<",
}
number = st.integers(0, 200)


def held(text: str) -> Domain | None:
    return domain_of(unary_tests(text, EMPTY), NUMBER)


@given(st.sampled_from([">", ">="]), number, st.sampled_from(["<", "<="]), number, st.booleans(),
       st.sampled_from([" and ", "&&", " AND ", "且", " & "]))
def test_both_at_once(lower: str, low: int, upper: str, high: int, swapped: bool, joint: str) -> None:
    parts = [f"{lower} {low}", f"{upper}{high}"]
    found = phrase(joint.join(reversed(parts) if swapped else parts))
    assert found is not None and found.meant is not None
    if low < high:
        assert held(found.meant) == intersection(SIGNS[lower](low), SIGNS[upper](high))


@given(st.sampled_from(list(SIGNS)), number, st.sampled_from(list(SIGNS)), number,
       st.sampled_from([" or ", "||", "或"]))
def test_either(one: str, first: int, two: str, second: int, joint: str) -> None:
    found = phrase(f"{one}{first}{joint}{two} {second}")
    assert found is not None and found.meant is not None
    assert held(found.meant) == union(SIGNS[one](first), SIGNS[two](second))


@given(st.sampled_from(list(WORDS)), number)
def test_worded(said: str, value: int) -> None:
    found = phrase(f"{said} {value}")
    assert found is not None and found.meant is not None
    assert held(found.meant) == SIGNS[WORDS[said]](value)
    assert complement(SIGNS[WORDS[said]](value)) != held(found.meant)


@pytest.mark.parametrize("text", [
    "1-2", "1 to 2", "1..2", "1~2", "1～2", "between 1 and 2", "1%-5%", "10万-20万", "０-３０",
])
def test_a_range_in_words_names_its_ends_and_is_left_to_a_person(text: str) -> None:
    found = phrase(text)
    assert found is not None and found.meant is None and ".." in found.help


@pytest.mark.parametrize("text", [
    "-", "-1", "> 1", "[1..2]", "(1..2)", "1, 2", '"1-2"', "not(1)", "null", "a - b", "2 - a", '"any"', "> 1, < 5",
    "date(\"2026-01-01\")", "? > 1 and ? < 5", "x and y", "1 / 2", "@\"2026-01-01\"", "> a and < b",
])
def test_tests_are_no_phrases(text: str) -> None:
    assert phrase(text) is None


def test_words() -> None:
    assert [w.meant for w in map(word, ("any", "不限", "YES", "否")) if w is not None] == ["-", "-", "true", "false"]
    assert all(w is not None and w.meant is None for w in map(word, ("other", "其他", "blank", "缺失")))
    assert word("years") is None
