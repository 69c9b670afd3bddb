"""Numbers, money and durations as people write them."""
from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.explain.phrases import CHINESE, ENGLISH
from engine.explain.plan import cell_text, tidy
from engine.explain.text import WIDTH, wrap
from engine.explain.values import money, number, plain, show
from engine.semantics.values import YearsMonths
from engine.syntax.width import text_width


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"), (2026, "2026"), (10000, "10,000"), (-4200000, "-4,200,000"), (0.1 + 0.2, "0.3"), (1 / 3, "0.333333"),
        (0.99999999, "0.99999999"), (2 / 3, "0.666667"), (12345.678, "12,345.68"), (1234567.891, "1,234,567.89"),
        (-0.0, "0"), (5.0, "5"), (1e16, "1e+16"), (1e-13, "1e-13"), (1.5, "1.5"), (99.999999999, "99.999999999"),
        (1234.5678901, "1234.57"), (0.00005, "0.00005"), (0.0078125, "0.0078125"), (-20000.5, "-20,000.5"),
    ],
)
def test_numbers(value: float, shown: str) -> None:
    assert number(value) == shown


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_shown_is_near(value: float) -> None:
    shown = float(number(value).replace(",", ""))
    assert abs(shown - value) <= 1e-5 * abs(value)
    if abs(shown - value) > 1e-11 * abs(value):
        # Where digits were dropped it does not look like a round number.
        assert len(number(value).strip("-0.").replace(".", "").replace(",", "")) >= 6


@pytest.mark.parametrize(
    ("value", "shown"),
    [(4200000, "4,200,000"), (4200000.5, "4,200,000.50"), (0.1 + 0.2, "0.30"), (12.345, "12.345"), (-0.00001, "0")],
)
def test_money(value: float, shown: str) -> None:
    assert money(value) == shown


@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [
        (None, "number", "no value"), (True, "boolean", "true"), ("", "string", '""'), ([], {"list": "string"}, "none"),
        (["a", "b"], {"list": "string"}, "a, b"), (4.5, "money", "CNY 4.50"), ("2026-07-01", "date", "2026-07-01"),
        ("P30D", "days and time duration", "30 days"), ("-P1DT2H", "days and time duration", "-1 day 2 hours"),
        ("P1Y2M", "years and months duration", "1 year 2 months"), ("PT0S", "days and time duration", "0 days"),
        ({"base": 0.05, "product": "x"}, {"fields": {"base": "percent"}}, "base 5%, product x"), (1, "rows", "1 row"),
        ("a\x1b[2J\u202eb", "string", "a\\u{1b}[2J\\u{202e}b"),
    ],
)
def test_values(value: Any, kind: Any, shown: str) -> None:
    assert show(value, kind, ENGLISH, "CNY") == shown


def test_chinese_values() -> None:
    assert show("P1Y2M", "years and months duration", CHINESE) == "1 年2 个月"
    assert show(0.0345, "number", CHINESE, percent=True) == "3.45%"


def test_plain_values_are_json() -> None:
    value = [datetime.date(2026, 7, 1), {"a": YearsMonths(14)}, datetime.timedelta(days=3), None, 1.5, True]
    assert plain(value) == ["2026-07-01", {"a": "P1Y2M"}, "P3D", None, 1.5, True]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (">= 500", "x >= 500"), ('"A"', 'x = "A"'), ('"A", "B"', 'x in ("A", "B")'), ("[2..5)", "x in [2..5)"),
        ("<= 30, null", "x in (<= 30, null)"), ("null", "x = null"), ('not("A", "B")', 'not(x in ("A", "B"))'),
        ("not(< 3)", "not(x < 3)"), ('"a, b"', 'x = "a, b"'), ("max(1, 2)", "x = max(1, 2)"), ("? > y", "x: ? > y"),
    ],
)
def test_cells(cell: str, shown: str) -> None:
    assert cell_text("x", cell) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a  <\n   b", "a < b"), ("a // why\n and b", "a and b"), ('x = "a  // b"', 'x = "a  // b"'),
        ("a /* why */ + b", "a + b"), ('"\\"  //"  + c', '"\\"  //" + c'),
    ],
)
def test_tidy(text: str, shown: str) -> None:
    assert tidy(text) == shown


@given(st.text(st.characters(exclude_categories=("C", "Z", "M")) | st.sampled_from(" 名称、，（）"), max_size=400))
def test_wrapped_lines_fit_and_lose_nothing(text: str) -> None:
    lines = list(wrap(text, "  lead ", 9))
    assert all(text_width(line) <= WIDTH for line in lines)
    assert "".join(lines).replace(" ", "") == ("lead" + text).replace(" ", "")
