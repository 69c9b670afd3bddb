"""Bare FEEL through its public names."""

from __future__ import annotations

import datetime
import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import feel
from engine.semantics.text import to_string

DAY = datetime.date(2026, 7, 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("10 / 4", 2.5),
        ("0.1 + 0.2 = 0.3", True),
        ('"a" + "b"', "ab"),
        ("-2 ** 2", 4),
        ("1 / 0", None),
        ("[1, 2, 3][item > 1]", [2, 3]),
        ("[1, 2, 3][-1]", 3),
        ("[1, 2, 3][4]", None),
        ("[][1]", None),
        ("[][item > 1]", []),
        ("5[1]", 5),
        ("[{x: 1}, {y: 2}].y", [None, 2]),
        ("{a: 1, b: a + 1}.b", 2),
        ("{a: 1, a: 2}", None),
        ("{a: 1}.b", None),
        ("null = null", True),
        ("1 = null", False),
        ('1 = "1"', None),
        ("1 < null", None),
        ("[1, 2] = [1, 2]", True),
        ("true and null", None),
        ("false and null", False),
        ("true or 5", True),
        ("not(null)", None),
        ("5 in [1..10]", True),
        ("5 in (< 3, [5..6))", True),
        ("1 in [[2..4], [1..3]]", True),
        ("(< 10) = (null..10)", False),
        ("5 between 1 and null", None),
        ("if null then 1 else 2", 2),
        ("for i in 3..1 return i", [3, 2, 1]),
        ("for i in [1, 2], j in [i, 5] return i * j", [1, 5, 4, 10]),
        ("for i in 0..4 return if i = 0 then 1 else i * partial[-1]", [1, 1, 2, 6, 24]),
        ("some x in [1, null] satisfies x = 1", True),
        ("every x in [] satisfies false", True),
        ("some x in [1] satisfies 5", None),
        ("1 instance of number", True),
        ("null instance of number", False),
        ("[1, 2] instance of list<number>", True),
        ('{a: "x"} instance of context<a: number>', False),
        ("[1..3] instance of range<number>", True),
        ("(function(a, b) a - b)(b: 1, a: 3)", 2),
        ("(function(a: number) a)([5])", 5),
        ('(function(a: number) 1)("x")', None),
        ("{f: function(n) if n < 2 then 1 else n * f(n - 1), r: f(5)}.r", 120),
        ("sort([3, 1, 2], function(x, y) x > y)", [3, 2, 1]),
        ("get or else(null, 5)", 5),
        ("sum([])", None),
        ("count([])", 0),
        ('substring("foobar", -3, 2)', "ba"),
        ('string join(["a", null, "b"], "-")', "a-b"),
        ("floor(2.9999999999999996)", 3),
        ('date("2024-01-31") + duration("P1M")', datetime.date(2024, 2, 29)),
        ("today()", DAY),
        ("today().year", 2026),
        ('date("2024-03-01") - date("2024-02-28")', datetime.timedelta(days=2)),
        ('duration("P14M")', feel.YearsMonths(14)),
        ('duration("P14M").years', 1),
        ("[1..5).end included", False),
        ("abs(n: -1)", 1),
        ("abs(x: -1)", None),
        ("abs()", None),
        ('string({a: 1, "b,c": [1, "x", null]})', '{a: 1, "b,c": [1, "x", null]}'),
        ("unknown + 1", None),
        ("10 ** 400", None),
        ("modulo(-12, 5)", 3),
        ('number("1.000,5", ".", ",")', 1000.5),
        ('"abc"()', None),
        ("mode([1, 2, 2])", [2]),
        ("now() instance of date and time", True),
        ("[1, 2, 3][even(item)]", [2]),
        ("[1,2,3][null]", []),
        ("list replace([1, 2], 1, null)", [None, 2]),
    ],
)
def test_values(text: str, value: Any) -> None:
    assert feel.evaluate(text, as_of=DAY) == value


def test_names_are_plain_python_values() -> None:
    names = {
        "Monthly Salary": 10000,
        "rate": 0.5,
        "open": True,
        "day": DAY,
        "rows": [{"amount due": 3}, {"amount due": 4}],
        "at": datetime.datetime(2026, 7, 1, 9, 30),
        "clock": datetime.time(9, 30),
        "wait": datetime.timedelta(days=2),
        "term": feel.YearsMonths(18),
        "band": feel.Range(1, 5, True, False),
        "none": None,
        "公司": "甲",
    }
    for text, value in [
        ("Monthly Salary * 12", 120000),
        ("sum(rows.amount due)", 7),
        ("rows[amount due > 3].amount due", [4]),
        ("day + wait", DAY + 2 * datetime.timedelta(1)),
        ("at.hour", 9),
        ("clock.minute", 30),
        ("term.months", 6),
        ("5 in band", False),
        ("4 in band", True),
        ("none = null", True),
        ('公司 + "乙"', "甲乙"),
        ("if open then rate else 0", 0.5),
    ]:
        assert feel.evaluate(text, names) == value, text


def test_python_functions_can_be_called() -> None:
    assert feel.evaluate("twice(21)", {"twice": lambda n: n * 2}) == 42


def test_numbers_that_are_not_finite_are_null() -> None:
    assert feel.evaluate("x = null", {"x": float("nan")}) is True
    assert feel.evaluate("x = null", {"x": 10**400}) is True


def test_values_that_feel_does_not_know_are_refused() -> None:
    with pytest.raises(TypeError):
        feel.evaluate("x", {"x": object()})


@pytest.mark.parametrize(
    ("text", "value", "passes"),
    [
        ("< 5", 3, True),
        ("< 5", 5, False),
        ("< 5", None, None),
        ("-", None, True),
        ("null", None, True),
        ("null", 1, False),
        ("1, 2, 3", 2, True),
        ("[1..5)", 5, False),
        ('"a", "b"', "b", True),
        ('not("a", "b")', "c", True),
        ('not("a")', "a", False),
        ("? > 1 and ? < 3", 2, True),
        ("[1, 2]", 2, True),
        ("> 1, null", None, True),
        ("true", True, True),
        ("true", False, False),
        ("even(?)", 4, True),
        ("limit", 7, True),
        (">= limit", 6, False),
        ('contains(?, "x")', "axb", True),
        ("!= 5", 4, True),
        ('"a"', 1, None),
        ('< "a"', 1, None),
    ],
)
def test_unary_tests(text: str, value: Any, passes: bool | None) -> None:
    assert feel.unary_test(text, value, {"limit": 7}) is passes


@pytest.mark.parametrize(
    ("text", "reason", "part"),
    [
        ("1 + 1 / 0", "division by zero", "1 / 0"),
        ('2 * ("a" + 1)', "`+` takes no text and number", '("a" + 1)'),
        ("{a: 1}.b + 1", "there is no member `b`", "{a: 1}.b"),
        ("missing name + 1", "there is no name `missing name`", "missing name"),
        ('date("2024-02-30")', "`2024-02-30` is not a date like 2026-07-01", 'date("2024-02-30")'),
        ("abs(n: 1, m: 2)", "`abs` has no parameter `m`; it takes (n)", "abs(n: 1, m: 2)"),
        ("1 < true", "a number and true or false do not compare", "1 < true"),
        ('sqrt("4")', "`number` of `sqrt` is a number, not a text", 'sqrt("4")'),
        ("[1, 2][3]", "there is no item 3", "[1, 2][3]"),
        ("x", "it is null as written", "x"),
        ('for i in 1.."a" return i', "only whole numbers and dates are counted through", 'for i in 1.."a" return i'),
        ("null[1]", "what is filtered is null", "null[1]"),
        ('matches("a", "(")', "the pattern is not a regular expression: a `(` is never closed", 'matches("a", "(")'),
    ],
)
def test_a_null_is_explained(text: str, reason: str, part: str) -> None:
    answer = feel.explain_null(text, {"x": None})
    assert answer is not None
    assert (answer.message, answer.text or text) == (reason, part)
    assert answer.span is not None
    assert text[answer.span.column - 1 : answer.span.end_column - 1] == part


def test_what_is_not_null_needs_no_reason() -> None:
    assert feel.explain_null("1 + 1") is None


def test_a_syntax_error_carries_diagnostics() -> None:
    with pytest.raises(feel.FeelSyntaxError) as caught:
        feel.evaluate("1 +\n  x == 2", {"x": 1})
    finding = caught.value.diagnostics[0]
    assert isinstance(caught.value, ValueError)
    assert (finding.code, finding.span and (finding.span.line, finding.span.column)) == ("E0112", (2, 5))
    assert finding.edits[0].replacement == "="


_SHARED = "{x0: [], y0: []" + "".join(
    f", {n}{i + 1}: [{n}{i}, {n}{i}]" for i in range(40) for n in "xy"
)
HOSTILE = {
    "pairs": "for i in 1..100000, j in 1..10000 return i * j",
    "billion": "for i in 1..1000000000 return i",
    "some": "some i in 1..1000000000 satisfies i < 0",
    "recursion": "{f: function(n) 1 + f(n + 1), r: f(1)}.r",
    "mutual": "{f: function(g, n) g(g, n), r: f(f, 1)}.r",
    "regex": 'matches("' + "a" * 60 + '!", "^(a|a)*$")',
    "doubling": '{a: "'
    + "x" * 1000
    + '"'
    + "".join(f", {b}: {a} + {a} + {a} + {a}" for a, b in zip("abcdefghi", "bcdefghij", strict=True))
    + "}.j",
    "lists": "{a: [1, 1]"
    + "".join(f", {b}: concatenate({a}, {a}, {a}, {a})" for a, b in zip("abcdefghijk", "bcdefghijkl", strict=True))
    + "}.l",
    "partial": "for i in 1..100000 return count(partial)",
    "nested lists": "{a: [1, 1]"
    + "".join(f", {b}: for x in {a} return [{a}, {a}]" for a, b in zip("abcdefghijk", "bcdefghijkl", strict=True))
    + "}.l",
    "shared": _SHARED + "}",
    "shared lists compared": _SHARED + ", r: x40 = y40}.r",
    "shared lists told apart": _SHARED + ", r: distinct values([x40])}.r",
    "shared lists flattened": _SHARED + ", r: flatten(x40)}.r",
    "shared lists as text": _SHARED + ", r: string(x40)}.r",
    "long texts": '{a: "' + "😀" * 50_000 + '", b: a + a + a + a, r: for i in 1..100000 return b + b}.r',
    "power": "9 ** 9 ** 9 ** 9 ** 9",
    "flatten": "flatten(for i in 1..1000 return for j in 1..1000 return [j])",
    "sorting": "sort(for i in 1..100000 return 100000 - i, function(x, y) x < y)",
    "distinct": "distinct values(for i in 1..500000 return {a: i})",
    "join": 'string join(for i in 1..20000 return "' + "x" * 100 + '", ", ")',
    "filter": "(for i in 1..2000 return i)[count((for j in 1..2000 return j)[item > 5]) > item]",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_expressions_end_in_time_and_room(name: str) -> None:
    tracemalloc_was_on = tracemalloc.is_tracing()
    started = time.process_time()
    try:
        feel.evaluate(HOSTILE[name])
    except feel.FeelLimitError as limit:
        assert limit.diagnostics[0].code == "E0151"
        assert limit.diagnostics[0].help
    else:
        assert name in ("power", "lists", "nested lists"), "a limit is expected"
    assert time.process_time() - started < 4
    assert tracemalloc.is_tracing() is tracemalloc_was_on


def test_an_expression_within_bounds_is_not_refused() -> None:
    assert feel.evaluate("count(for i in 1..20000 return i * 2)") == 20000
    assert feel.evaluate("{f: function(n) if n = 0 then 0 else 1 + f(n - 1), r: f(200)}.r") == 200


LOGIC = st.sampled_from([True, False, None])


@given(LOGIC, LOGIC, LOGIC)
def test_three_valued_logic(a: bool | None, b: bool | None, c: bool | None) -> None:
    names = {"a": a, "b": b, "c": c}
    values = {
        text: feel.evaluate(text, names)
        for text in (
            "a and b",
            "b and a",
            "not(not(a) or not(b))",
            "a and (b or c)",
            "(a and b) or (a and c)",
            "not(not(a))",
        )
    }
    assert values["a and b"] is values["b and a"] is values["not(not(a) or not(b))"]
    assert values["a and (b or c)"] is values["(a and b) or (a and c)"]
    assert values["not(not(a))"] is a


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**9), 10**9),
        st.text('abc"\\\n万😀 {}[]', max_size=8),
        st.dates().filter(lambda d: d.year > 0),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("abc d", min_size=1, max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_a_value_passes_through(value: Any) -> None:
    assert feel.evaluate("x", {"x": value}) == _normalised(value)


@given(VALUES.filter(lambda v: not _has_date(v)))
def test_a_value_as_text_is_feel_that_gives_it_back(value: Any) -> None:
    text = to_string([_normalised(value)])
    assert feel.evaluate(text) == [_normalised(value)]


def _normalised(value: Any) -> Any:
    if isinstance(value, dict):
        return {" ".join(k.split()): _normalised(v) for k, v in value.items()}
    return [_normalised(v) for v in value] if isinstance(value, list) else value


def _has_date(value: Any) -> bool:
    if isinstance(value, (list, dict)):
        return any(map(_has_date, value.values() if isinstance(value, dict) else value))
    return isinstance(value, datetime.date)


@given(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6))
def test_bands_partition(value: int, limit: int) -> None:
    scaled = value / 100
    hits = [feel.unary_test(t, scaled, {"limit": limit / 100}) for t in ("< limit", "= limit", "> limit")]
    assert hits.count(True) == 1
