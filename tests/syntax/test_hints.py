"""Near-FEEL: each slip is named, and applying its mends gives FEEL."""

from __future__ import annotations

import pytest

from engine.syntax.parser import Finding, SyntaxProblem, parse_expression, parse_unary_tests
from engine.syntax.vocabulary import Vocabulary

NAMES = Vocabulary(["x", "y", "annual revenue", "loan"], ["amount"])


def findings(text: str, tests: bool = False) -> tuple[Finding, ...]:
    with pytest.raises(SyntaxProblem) as caught:
        (parse_unary_tests if tests else parse_expression)(text, NAMES, "policy")
    return caught.value.findings


def mended(text: str, found: tuple[Finding, ...]) -> str:
    for finding in sorted(found, key=lambda f: -f.start):
        if finding.replacement is not None:
            text = text[: finding.start] + finding.replacement + text[finding.end :]
    return text


@pytest.mark.parametrize(
    ("text", "code", "result"),
    [
        ("5 < x < 10", "E0110", "5 < x and x < 10"),
        ("5 <= annual revenue < 10", "E0110", "5 <= annual revenue and annual revenue < 10"),
        ("x > 5 and < 10", "E0111", "x > 5 and x < 10"),
        ("loan.amount > 5 or < 1", "E0111", "loan.amount > 5 or loan.amount < 1"),
        ("x == 5", "E0112", "x = 5"),
        ("x && y", "E0112", "x and y"),
        ("x&&y", "E0112", "x and y"),
        ("x || y", "E0112", "x or y"),
        ("!x", "E0112", "not(x)"),
        ("!(x > 1)", "E0112", "not(x > 1)"),
        ("!annual revenue", "E0112", "not(annual revenue)"),
        ("x <> 3", "E0112", "x != 3"),
        ("x ^ 2", "E0112", "x ** 2"),
        ("x > 1.5千万", "E0112", "x > 1500万"),
        ("x > 3百万", "E0112", "x > 300万"),
        ("x => 2", "E0112", "x >= 2"),
        ("x ≥ 5", "E0113", "x >= 5"),
        ("x ≤ 5 and x ≠ 3", "E0113", "x <= 5 and x != 3"),
        ("x ＝ “a”", "E0113", 'x = "a"'),
        ("x in （1，2）", "E0113", "x in (1,2)"),
        ("x ＞＝ 5", "E0113", "x >= 5"),
        ("x ＞ ５００", "E0113", "x > 500"),
        ("x = ‘a’", "E0113", 'x = "a"'),
        ("x = 'it\"s'", "E0114", 'x = "it\\"s"'),
        ("x AND y", "E0115", "x and y"),
        ("x Or NOT(y)", "E0115", "x or not(y)"),
        ("x = TRUE", "E0115", "x = true"),
        ("x = None", "E0115", "x = null"),
        ("If x Then 1 Else 2", "E0115", "if x then 1 else 2"),
        ("x is null", "E0117", "x = null"),
        ("x is not null", "E0117", "x != null"),
        ("annual revenue is missing", "E0117", "annual revenue = null"),
        ("(x + 1) is null and y > 1", "E0117", "(x + 1) = null and y > 1"),
        ("not x", "E0118", "not(x)"),
        ("y and not annual revenue", "E0118", "y and not(annual revenue)"),
    ],
)
def test_a_slip_carries_its_mend(text: str, code: str, result: str) -> None:
    found = findings(text)
    assert {f.code for f in found} == {code}
    assert all(f.help for f in found)
    # `x > 5 and < 10` inserts the left side before the sign; others replace what they mark.
    assert mended(text, found) == result
    parse_expression(result, NAMES, "policy")


@pytest.mark.parametrize(
    ("text", "code", "marked"),
    [
        ("x % 10", "E0112", "%"),
        ("if x then 1 else if y then 2", "E0116", "if"),
        ("if x then 1", "E0116", "if"),
        ("(x + 1", "E0103", "("),
        ("x + 1)", "E0103", ")"),
        ("[x, (1]", "E0103", "]"),
        ('x = "abc', "E0104", '"abc'),
        ("x /* never", "E0104", "/*"),
        ("x # 2", "E0105", "#"),
        ("$x", "E0105", "$"),
        ("x = \x00", "E0105", "\x00"),
        ("x +", "E0102", "+"),
        ("x y +* 1", "E0101", "*"),
        ('"a" "b"', "E0101", '"b"'),
        ("x in 1..3", "E0101", ".."),
        ("in = 3", "E0101", "in"),
        ("x > 5, 3", "E0101", ","),
        ("", "E0109", ""),
        ("  ", "E0109", "  "),
        ("1e999999999", "E0119", "1e999999999"),
        ("@x", "E0101", "@"),
    ],
)
def test_a_fault_is_marked(text: str, code: str, marked: str) -> None:
    found = findings(text)
    assert [f.code for f in found] == [code]
    assert text[found[0].start : found[0].end] == marked
    assert found[0].message[0].islower() or found[0].message.startswith(("`", "FEEL "))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x > 5 and < 3", "E0111"),
        ("< 5 and > 3", "E0101"),
        ("≥ 5", "E0113"),
        ("== 5", "E0112"),
        ("", "E0109"),
        ("in (1)", "E0101"),
    ],
)
def test_a_cell_gets_the_same_hints(text: str, code: str) -> None:
    assert [f.code for f in findings(text, tests=True)] == [code]


def test_all_slips_of_a_text_are_found_at_once() -> None:
    text = "x == 5 && y ≥ “a” || not x"
    found = findings(text)
    assert [f.code for f in found] == ["E0112", "E0112", "E0113", "E0113", "E0112", "E0118"]
    assert mended(text, found) == 'x = 5 and y >= "a" or not(x)'


def test_a_capital_inside_a_name_is_no_keyword() -> None:
    parse_expression("Rate In Percent > 5", Vocabulary(["Rate In Percent"]))


def test_a_percent_sign_between_numbers_is_a_remainder() -> None:
    assert [f.code for f in findings("x * 30 % 7")] == ["E0112"]
    parse_expression("30% * x", NAMES, "policy")
