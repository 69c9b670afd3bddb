"""Text grids: cells, their places, and what is wrong with a grid."""
from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.source.nodes import Mapping, Node, Scalar, Sequence, load_file
from engine.syntax.cards import parse_scorecard
from engine.syntax.grid import Cell, Grid, parse_grid
from engine.syntax.tokens import Finding

TABLE = """
first | score  | worst delay || tier | reasons

// a note
T1    | >= 560 | <= 5        || A    |
  T2  | "a|b"  | "\\"||"     || B    | from score
"""
SCORE = """
base 500
characteristic | bin    | points | reason
years          | < 2    | -40    | R02
               | [2..5) | 0      |
a + b          | null   | 3 neutral |
"""


def texts(cells: tuple[Cell, ...]) -> list[str]:
    return [cell.text for cell in cells]


def codes(grid: str) -> list[str]:
    return [f.code for f in parse_grid(grid).findings]


def mended(text: str, findings: tuple[Finding, ...]) -> str:
    for found in sorted(findings, key=lambda f: f.start, reverse=True):
        if found.replacement is not None:
            text = text[:found.start] + found.replacement + text[found.end:]
    return text


def test_a_table() -> None:
    grid = parse_grid(TABLE)
    assert grid.findings == ()
    assert grid.corner is not None and grid.corner.text == "first"
    assert texts(grid.conditions) == ["score", "worst delay"] and texts(grid.results) == ["tier", "reasons"]
    assert [(r.id.text, texts(r.conditions), texts(r.results)) for r in grid.rows] == [
        ("T1", [">= 560", "<= 5"], ["A", ""]), ("T2", ['"a|b"', '"\\"||"'], ["B", "from score"])]


def test_places_of_cells() -> None:
    grid = parse_grid(TABLE)
    for row in grid.rows:
        for cell in (row.id, *row.conditions, *row.results):
            assert TABLE[cell.start:cell.end].strip() == cell.text
            assert row.start <= cell.start <= cell.end <= row.end
        assert TABLE[row.start:row.end].startswith(row.id.text)


def test_parameters_and_rules() -> None:
    grid = parse_grid("from || value\n2026-01-01 || 3.45%\n")
    assert grid.findings == () and grid.conditions == () and texts(grid.rows[0].results) == ["3.45%"]
    grid = parse_grid("id | when || then | reason\nA | x > 1 or y || p | R1\nB | otherwise || q |\n")
    assert grid.findings == () and [texts(r.conditions) for r in grid.rows] == [["x > 1 or y"], ["otherwise"]]


def test_a_scorecard() -> None:
    card = parse_scorecard(SCORE)
    assert card.findings == ()
    assert card.base is not None and card.base.text == "500" and SCORE[card.base.start:card.base.end] == "500"
    assert card.reason is not None and card.reason.text == "reason"
    assert [(c.cell.text, [(b.bin.text, b.points.text, b.reason and b.reason.text) for b in c.bins])
            for c in card.characteristics] == [
        ("years", [("< 2", "-40", "R02"), ("[2..5)", "0", "")]), ("a + b", [("null", "3 neutral", "")])]


def test_a_scorecard_without_reasons() -> None:
    card = parse_scorecard("base 0\ncharacteristic | bin | points\na | 1 | 2\n")
    assert card.findings == () and card.reason is None and card.characteristics[0].bins[0].reason is None


HEAD = "first | a | b || t | r\n"
FAULTS = {
    "too few conditions": (HEAD + "T | 1 || x |\n", "E0120", "T | 1 || x |"),
    "too many results": (HEAD + "T | 1 | 2 || x | y | z\n", "E0120", "T | 1 | 2 || x | y | z"),
    "bars twice": (HEAD + "T | 1 || 2 || x | y\n", "E0120", "T | 1 || 2 || x | y"),
    "a tab": (HEAD + "T\t1\t2\tx\ty\nU\t1\t2\tx\ty\n", "E0121", "\t"),
    "a line below the header": (HEAD + "---|---|---||---|---\nT | 1 | 2 || x |\n", "E0122", "---|---|---||---|---"),
    "a bordered header": ("| first | a || b |\n| T | 1 || 2 |\n", "E0122", "| first | a || b |"),
    "a last border": ("first | a || b |\nT | 1 || 2 |\n", "E0122", "|"),
    "an empty condition": (HEAD + "T |  | 2 || x | y\n", "E0123", "  "),
    "no id": (HEAD + " | 1 | 2 || x | y\n", "E0124", "| 1 | 2 || x | y"),
    "an open string": (HEAD + 'T | "a | 2 || x | y\n', "E0125", '"a | 2 || x | y'),
    "no double bar in the header": ("first | a | b\nT | 1 | 2\n", "E0127", "first | a | b"),
    "two double bars in the header": ("first | a || b || c\nT | 1 || 2 || c\n", "E0127", "first | a || b || c"),
    "an empty header cell": ("first |  || b\nT | 1 || 2\n", "E0127", "  "),
    "a result twice": ("first | a || b | b\nT | 1 || 2 | 3\n", "E0128", "b"),
    "no rows": ("first | a || b\n// none\n", "E0129", "first | a || b"),
    "nothing": ("\n// none\n\n", "E0129", "\n// none\n\n"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault(name: str) -> None:
    text, code, where = FAULTS[name]
    (found,) = parse_grid(text).findings
    assert (found.code, text[found.start:found.end]) == (code, where)
    assert found.help and found.message[0].islower() or found.message.startswith("this")


MENDS = {
    "a missing last cell": (HEAD + "T | 1 | 2 || x\n", "E0120"),
    "single for double bar": (HEAD + "T | 1 | 2 | x | y\n", "E0120"),
    "full-width bars": (HEAD + "T ｜ 1 | 2 ｜｜ x | y\n", "E0126"),
    "border pipes": (HEAD + "| T | 1 | 2 || x | y |\n", "E0122"),
}


@pytest.mark.parametrize("name", MENDS)
def test_mend(name: str) -> None:
    text, code = MENDS[name]
    grid = parse_grid(text)
    assert {f.code for f in grid.findings} == {code}
    again = parse_grid(mended(text, grid.findings))
    assert again.findings == () and len(again.rows) == 1


SCORE_HEAD = "base 5\ncharacteristic | bin | points | reason\n"
SCORE_FAULTS = {
    "no base": ("characteristic | bin | points\na | 1 | 2\n", "E0130", "characteristic | bin | points"),
    "another header": ("base 1\nname | bin | points\na | 1 | 2\n", "E0131", "name | bin | points"),
    "double bars in the header": ("base 1\ncharacteristic | bin || points\na | 1 || 2\n", "E0131",
                                  "characteristic | bin || points"),
    "nothing to continue": (SCORE_HEAD + " | 1 | 2 |\n | 2 | 2 |\na | 1 | 2 |\n", "E0132", "| 1 | 2 |"),
    "an empty bin": (SCORE_HEAD + "a | | 2 |\n", "E0123", " "),
    "no points": (SCORE_HEAD + "a | 1 | | R\n", "E0133", " "),
    "a cell too few": (SCORE_HEAD + "a | 1 | 2\n | 2 | 3 |\n", "E0120", ""),
    "no rows": ("base 1\ncharacteristic | bin | points\n", "E0129", "characteristic | bin | points"),
    "only a base": ("base 1\n", "E0129", "base 1\n"),
}


@pytest.mark.parametrize("name", SCORE_FAULTS)
def test_scorecard_fault(name: str) -> None:
    text, code, where = SCORE_FAULTS[name]
    (found,) = parse_scorecard(text).findings
    assert (found.code, text[found.start:found.end]) == (code, where) and found.help


def test_faults_are_found_together_in_order() -> None:
    text = HEAD + "T | 1 || x |\nU |  | 2 || x |\nV | 1 | 2 ｜｜ x |\n | 1 | 2 || x |\n"
    assert codes(text) == ["E0120", "E0123", "E0126", "E0124"]
    assert [r.id.text for r in parse_grid(text).rows] == ["U", "V"]


@given(st.text(st.sampled_from('ab |｜"\\/-\t\n年'), max_size=80))
def test_any_text(text: str) -> None:
    for grid in (parse_grid(text), parse_scorecard(text)):
        assert all(0 <= f.start <= f.end <= len(text) for f in grid.findings)
        if isinstance(grid, Grid):
            for row in grid.rows:
                assert (len(row.conditions), len(row.results)) == (len(grid.conditions), len(grid.results))


CELLS = st.text(st.sampled_from("ab=<>.-,年 "), min_size=1, max_size=6).map(str.strip).filter(
    lambda t: t and "--" not in t) | st.sampled_from(['"a|b"', '"\\"|"', '"||"'])


@given(st.integers(1, 3), st.integers(1, 3), st.data())
def test_cells_come_back(conditions: int, results: int, data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.lists(CELLS, min_size=conditions + results, max_size=conditions + results),
                              min_size=1, max_size=4))

    def line(first: str, cells: list[str]) -> str:
        return " | ".join([first, *cells[:conditions]]) + " || " + " | ".join(cells[conditions:])

    names = [f"n{i}" for i in range(conditions + results)]
    grid = parse_grid("\n".join([line("first", names), *(line(f"r{n}", row) for n, row in enumerate(rows))]))
    assert grid.findings == ()
    assert [[*texts(r.conditions), *texts(r.results)] for r in grid.rows] == rows


def grids(node: Node, key: str = "") -> list[tuple[str, Scalar]]:
    if isinstance(node, Mapping):
        return [found for k, v in node.entries for found in grids(v, k.text)]
    if isinstance(node, Sequence):
        return [found for item in node.items for found in grids(item)]
    return [(key, node)] if isinstance(node, Scalar) and node.style == "literal" and "||" in node.text else []


def test_given_grids(shared: Path) -> None:
    found = [g for path in (shared / "semantics" / "policies").glob("*.yaml") for g in grids(load_file(path).root)]
    assert len(found) > 40
    for _, scalar in found:
        grid = parse_grid(scalar.text)
        assert grid.findings == () and grid.rows
        cell = grid.rows[0].conditions[0] if grid.conditions else grid.rows[0].results[0]
        span = scalar.locate(cell.start, cell.end)
        assert scalar.document.lines[span.line - 1][span.column - 1:span.end_column - 1] == cell.text


def test_an_unclosed_string_takes_no_quadratic_time() -> None:
    text = HEAD + 'T | "' + '\\"' * 200_000 + "\n"
    assert codes(text) == ["E0125"]


def test_a_failed_formula_begins_no_comment() -> None:
    card = parse_scorecard("base 0\ncharacteristic | bin | points\n#REF! | < 2 | 1\n# years | > 2 | 1\n")
    assert [c.cell.text for c in card.characteristics] == ["#REF!"]
    assert [(f.code, f.replacement) for f in card.findings] == [("E0120", "//")]
