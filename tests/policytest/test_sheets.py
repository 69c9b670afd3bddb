"""Cases from xlsx files."""
from __future__ import annotations

import datetime
import importlib
import zipfile
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import pytest

from engine.policytest.running import run_case
from tests.policytest.conftest import Written

TABLE = "tables: {sheet: {file: cases.xlsx, base: sound}}\n"
ROWS: list[list[Any]] = [
    ["case", "dscr", "founded", "code", "grade", None, "-> decision", "-> offer.limit", "-> late", "note"],
    ["one", 1.5, datetime.datetime(2020, 1, 1), "3.10", "A", None, "approve", "100万", 0, "text"],
    [],
    ["two", "90%", None, 7, "null", "stray", "decline", 0, "*", None],
    [None, 2, datetime.date(2026, 1, 1), None, None, None, "approve", None, 0],
]


@pytest.fixture
def book(folder: Path) -> Any:
    found = openpyxl.Workbook()
    for row in ROWS:
        found.active.append(row)
    found.create_sheet("other").append(["case"])
    found.save(folder / "cases.xlsx")
    return found


def test_cells_are_read_as_typed(written: Written, book: Any, folder: Path) -> None:
    suite = written(TABLE)
    assert [(d.code, d.span.line, d.span.column) for d in suite.diagnostics if d.span] == [("E0908", 5, 8)]
    book.active["H5"] = 1e6
    book.save(folder / "cases.xlsx")
    suite = written(TABLE)
    assert suite.diagnostics == () and suite.policy is not None
    one, two, three = suite.cases
    assert one.inputs["founded"] == datetime.date(2020, 1, 1) and one.inputs["code"] == "3.10"
    assert two.inputs["dscr"] == 0.9 and two.inputs["code"] == "7" and "grade" not in two.inputs
    assert three.name == "sheet / line 5"
    assert all(run_case(suite.policy, c).passed for c in suite.cases)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("tables: {t: {file: cases.xlsx, sheet: gone}}\n", "`cases.xlsx` has no sheet `gone`"),
        ("tables: {t: {file: cases.xlsx, sheet: other}}\n", "`cases.xlsx` has no column of expected outcomes"),
        ("tables: {t: {file: text.xlsx}}\n", "`text.xlsx` is not an xlsx file"),
        ("tables: {t: {file: zip.xlsx}}\n", "`zip.xlsx` is not an xlsx file"),
    ],
)
def test_faults(written: Written, book: Any, folder: Path, table: str, message: str) -> None:
    (folder / "text.xlsx").write_text("case,-> decision\n")
    with zipfile.ZipFile(folder / "zip.xlsx", "w") as file:
        file.writestr("a", "b")
    suite = written(table)
    assert [d.message for d in suite.diagnostics] == [message]
    assert all(d.help and d.span for d in suite.diagnostics)


def test_the_library_may_be_absent(written: Written, book: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("engine.policytest.sheets.import_module", absent)
    (problem,) = written(TABLE).diagnostics
    assert problem.message == "`cases.xlsx` needs openpyxl" and "tierwise[excel]" in (problem.help or "")
    assert importlib.import_module("openpyxl")
