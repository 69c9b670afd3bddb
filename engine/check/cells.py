"""Cells that mean something, but hardly what was meant, seen beside the others of their column."""
from __future__ import annotations

from collections.abc import Sequence

from engine.check.constants import constant, domain_of, test_domain
from engine.check.scope import Report, Slice
from engine.semantics import dtypes as dt
from engine.semantics.domain import ALL, Domain, intersection, point
from engine.semantics.dtypes import Type
from engine.semantics.lazy import Lazy
from engine.syntax import ast

_NUMBER = Type(dt.NUMBER)
_BARE = Lazy(r"-?\d+(?:\.\d+)?(?:%|万|亿)?")
_PAIR = Lazy(r"(?<![\d.,])(\d+),(\d+)(?![\d.,])")
_INSIDE = Lazy(r'"(?:[^"\\]|\\.)*"|\([^()]*\)|\[[^\[\]]*\]')

#: A cell's place and its tests, None where these could not be read.
Read = tuple[Slice, ast.UnaryTests | None]


def odd_cells(report: Report, column: Sequence[Read]) -> None:
    """W0608 for alternatives that take all, W0612 for a number with a comma, W0613 for a lone number."""
    comma_pairs(report, column)
    for place, tests in column:
        if tests is not None and len(tests.tests) > 1 and domain_of(tests, _NUMBER) == ALL:
            report.at(
                "W0608", f"`{place.text}` holds for every number, for a comma means `or`",
                place.locate(0, len(place.text)),
                "write a range for both at once, as in `(1..5)`, or `-` for any value",
            )
    _lone(report, [(place, tests) for place, tests in column if tests is not None])


def comma_pairs(report: Report, column: Sequence[Read]) -> None:
    """`< 1,23`: a comma means `or`, so this is two tests."""
    for place, tests in column:
        if tests is None or "," not in place.text:
            continue
        found = _PAIR.compiled.search(_INSIDE.compiled.sub(lambda m: " " * len(m[0]), place.text))
        if found is not None:
            report.at(
                "W0612", f"`{found[0]}` is two tests, for a comma means `or`", place.locate(*found.span()),
                f"write `{found[1]}.{found[2]}` with a point, or put a space behind the comma where both are meant",
            )


def _lone(report: Report, column: Sequence[tuple[Slice, ast.UnaryTests]]) -> None:
    """`450000` in a column of `<= ...`: it holds for that number and no other.

    It is meant where it fills the place that others leave (`30` beside `< 30`, `2` beside `>= 3`), and 0 often is.
    """
    lone: list[tuple[Slice, float]] = []
    open_ends: set[float] = set()
    closed_ends: set[float] = set()
    others: list[Domain] = []
    for place, tests in column:
        for test in tests.tests:
            exact = constant(test, _NUMBER)
            if isinstance(exact, (int, float)) and _BARE.fullmatch(place.text):
                lone.append((place, exact))
                continue
            domain = test_domain(test, _NUMBER)
            if domain is None or domain == ALL:
                continue
            others.append(domain)
            for part in domain.intervals:
                for end, is_closed in ((part.lower, part.lower_closed), (part.upper, part.upper_closed)):
                    if isinstance(end, (int, float)):
                        (closed_ends if is_closed else open_ends).add(end)
    if len(lone) != 1 or not others:
        return
    place, value = lone[0]
    held = any(not intersection(domain, point(value)).is_empty for domain in others)
    if value != 0 and (held or value not in open_ends and not {value - 1, value + 1} & closed_ends):
        text = place.text
        report.at(
            "W0613", f"`{text}` holds for this number alone, where the column compares", place.locate(0, len(text)),
            f"write `<= {text}` or `>= {text}`, or `[{text}..{text}]` where it is meant",
        )
