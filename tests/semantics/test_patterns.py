"""Regular expressions: XPath's, not Python's, and bounded."""

from __future__ import annotations

import time

import pytest

from engine.semantics.patterns import matches, replace, split
from engine.semantics.values import LimitExceeded, Undefined


@pytest.mark.parametrize(
    ("text", "pattern", "flags", "result"),
    [
        ("foobar", "^fo*b", "", True),
        ("foobar", "^Fo*bar", "", False),
        ("foobar", "^Fo*bar", "i", True),
        ("a\nb", "a.b", "", False),
        ("a\nb", "a.b", "s", True),
        ("a\n", "a$", "", False),
        ("a\nb", "^b", "", False),
        ("a\nb", "^b", "m", True),
        ("a\nb\n", "^$", "m", False),
        ("abcd\n\ndefg\n ", "^$", "m", True),
        ("x", "[A-Z-[OI]]", "i", True),
        ("O", "[A-Z-[OI]]", "i", False),
        ("hello world", " hello[ ]world", "x", True),
        ("a.b", "a.b", "q", True),
        ("axb", "a.b", "q", False),
        ("aa", r"(a)\1", "", True),
        ("ab", r"(a)\1", "", False),
        ("é", r"\p{L}", "", True),
        ("é", r"\p{IsBasicLatin}", "", False),
        ("é", r"\p{IsLatin-1Supplement}", "", True),
        ("万", r"\w", "", True),
        ("_", r"\w", "", False),
        ("-", r"\w", "", False),
        ("1", r"\d", "", True),
        ("x1", r"\i\c", "", True),
        ("]", r"[\]]", "", True),
        ("a-b", r"[a\-]-?[b]", "", True),
        ("tel", "t(?:el)?", "", True),
        ("😀", "^.$", "", True),
        ("abc", "a{2}|b{1,}", "", True),
    ],
)
def test_matches(text: str, pattern: str, flags: str, result: bool) -> None:
    assert matches(text, pattern, flags) is result


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        ")",
        "[",
        "a**",
        "a++",
        "*a",
        "{1}",
        "a{2,1}",
        "a{,2}",
        "(?=a)",
        "(?i)a",
        r"\b",
        r"\A",
        r"\Z",
        r"\x41",
        r"(.)\2",
        r"\3",
        r"(a)[\1]",
        r"\p{Foo}",
        r"\p{IsFoo}",
        r"\p{ IsBasicLatin}",
        "[b-a]",
        "[]",
        "[a",
        r"a\\\\"[:2],
        "(?P<n>a)",
        "(" * 200 + ")" * 200,
    ],
)
def test_what_xpath_does_not_know_is_refused(pattern: str) -> None:
    with pytest.raises(Undefined):
        matches("a", pattern)


def test_unknown_flags_are_refused() -> None:
    with pytest.raises(Undefined):
        matches("a", "a", "p")


@pytest.mark.parametrize(
    ("text", "pattern", "replacement", "result"),
    [
        ("abracadabra", "bra", "*", "a*cada*"),
        ("abracadabra", "a.*a", "*", "*"),
        ("abracadabra", "a.*?a", "*", "*c*bra"),
        ("abracadabra", "a", "", "brcdbr"),
        ("abracadabra", "a(.)", "a$1$1", "abbraccaddabbra"),
        ("AAAA", "A+?", "b", "bbbb"),
        ("darted", "^(.*?)d(.*)$", "$1c$2", "carted"),
        ("0123456789", r"(\d{3})(\d{3})(\d{4})", "($1) $2-$3", "(012) 345-6789"),
        ("facetiously", "[iouy]", "[$0]", "facet[i][o][u]sl[y]"),
        ("ab", "b", r"\$\\", "a$\\"),
        ("ab", "(b)", "$12", "ab2"),
        ("ab", "b", "$1", "a"),
    ],
)
def test_replace(text: str, pattern: str, replacement: str, result: str) -> None:
    assert replace(text, pattern, replacement) == result


@pytest.mark.parametrize(("pattern", "replacement"), [(".*?", "x"), ("a*", "x"), ("a", "$"), ("a", "$x"), ("a", "\\")])
def test_replace_refuses(pattern: str, replacement: str) -> None:
    with pytest.raises(Undefined):
        replace("banana", pattern, replacement)


def test_split() -> None:
    assert split("a;b;;c", ";") == ["a", "b", "", "c"]
    assert split("John  Doe", r"\s+") == ["John", "Doe"]
    assert split("", ";") == [""]
    with pytest.raises(Undefined):
        split("abc", "")


@pytest.mark.parametrize("pattern", ["^(a|a)*$", "^(a|aa)+$", r"^(\w+\s?)*$", "(a*)*(b*)*c", "(x+x+)+y"])
def test_a_pattern_that_backtracks_for_ever_is_stopped(pattern: str) -> None:
    started = time.monotonic()
    text = ("a" * 60 if "x" not in pattern else "x" * 60) + "!"
    try:
        matches(text, pattern)
    except LimitExceeded as limit:
        assert "0.25 seconds" in limit.message
    assert time.monotonic() - started < 2


def test_sizes_are_bounded() -> None:
    with pytest.raises(LimitExceeded):
        replace("a" * 1000, "a", "b" * 2000)
    with pytest.raises(LimitExceeded):
        matches("a", "a{5000}")
    with pytest.raises(LimitExceeded):
        matches("a", "a" * 3000)
