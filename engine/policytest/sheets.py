"""Cases in the files of spreadsheets: CSV, and xlsx where openpyxl is installed (`tierwise[excel]`).

The first row names the columns: `case`, inputs, and `-> NAME` (or `expect: NAME`) for what is expected. Cells are
texts; those of an xlsx file that the spreadsheet made into numbers, dates or booleans are written out again.
"""
from __future__ import annotations

import datetime
import zipfile
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from engine.check.scope import Report
from engine.diagnostics import Span
from engine.policytest.model import At, Placed
from engine.policytest.tables import Sheet, SheetRow
from engine.policytest.values import Datum
from engine.portfolio.problems import DataProblem, reason
from engine.portfolio.tables import BadRow, normalise, open_table
from engine.portfolio.writing import cell as written
from engine.records import Record
from engine.source.nodes import normal

#: Marks of the columns that state what is expected.
ARROWS = ("->", "→", "expect:")
#: Bytes of an xlsx file, and what it may hold unpacked; a larger one is no table of cases.
MAX_BYTES = 10_000_000
MAX_UNPACKED = 200_000_000
MAX_ROWS = 100_000

#: The text of a file, told once it is needed to show a fault in it: name and text.
Seen = Callable[[str, str], None]


class Places(Protocol):
    """Where the cells of a file stand; lines and columns from 1."""

    def place(self, line: int, column: int | None = None) -> Placed: ...


class Table(Record):
    """The cells of a file: names of columns, and rows with their lines; a row that cannot be read is reported."""

    columns: tuple[str, ...]
    rows: tuple[tuple[int, Sequence[str]], ...]
    places: Places


def file_sheet(path: Path, shown: str, name: str | None, named: Placed, report: Report, seen: Seen) -> Sheet | None:
    """The sheet of a file; None where it cannot be read. `name` is that of an xlsx file's sheet, by default the first,
    `named` the place that names the file."""
    try:
        table = _xlsx(path, shown, name) if path.suffix.lower() == ".xlsx" else _csv(path, shown, report, seen)
    except DataProblem as problem:
        place = At(Span(shown, problem.line, 1, problem.line, 1)) if problem.line is not None else named
        way = problem.help
        if way is not None and "--" in way:             # an option of `run`
            way = "save it as CSV in UTF-8, with commas between the cells"
        report.at("E0908", problem.message.replace(str(path), shown), place.span, way)
        return None
    return _sheet(table, shown, report)


def _sheet(table: Table, shown: str, report: Report) -> Sheet | None:
    places = table.places
    heads = [(column, *_arrow(name)) for column, name in enumerate(table.columns) if name]
    at_case = next((column for column, name, arrow in heads if name == "case" and not arrow), None)
    given = [(column, name) for column, name, arrow in heads if not arrow and column != at_case]
    expected = [(column, name) for column, name, arrow in heads if arrow]
    if not expected:
        report.at("E0908", f"`{shown}` has no column of expected outcomes", places.place(1).span,
                  "call the column of an outcome `-> NAME`")
        return None

    def picked(cells: Sequence[str], part: list[tuple[int, str]], line: int) -> tuple[Datum, ...]:
        return tuple(Datum(cells[column].strip(), places.place(line, column + 1), True) for column, _ in part)

    rows = []
    for line, cells in table.rows:
        called = normal(cells[at_case]) if at_case is not None else ""
        place = places.place(line, None if at_case is None else at_case + 1)
        data = [picked(cells, part, line) for part in (given, expected)]
        rows.append(SheetRow(called or f"line {line}", place, data[0], data[1]))
    headings = [
        tuple(Datum(name, places.place(1, column + 1), True) for column, name in part) for part in (given, expected)
    ]
    return Sheet(headings[0], headings[1], tuple(rows))


def _arrow(column: str) -> tuple[str, bool]:
    """A column's name without its mark, and whether it has one."""
    for mark in ARROWS:
        if column.startswith(mark):
            return normal(column[len(mark):]), True
    return column, False


# --- CSV --------------------------------------------------------------------------------


def _csv(path: Path, shown: str, report: Report, seen: Seen) -> Table:
    places = _Lines(path, shown, seen)
    rows: list[tuple[int, Sequence[str]]] = []
    with open_table(str(path), format="csv") as table:
        for row in table:
            if isinstance(row, BadRow):
                way = "write a cell for each column; one that holds a comma stands in double quotes"
                report.at("E0908", row.message, places.place(row.line).span, row.help or way)
            else:
                assert isinstance(row.cells, list)      # a CSV has no other rows
                rows.append((row.line, row.cells))
        return Table(table.columns, tuple(rows), places)


class _Lines:
    """Places in a CSV file, whose text is read only when one is asked for."""

    def __init__(self, path: Path, shown: str, seen: Seen) -> None:
        self.path = path
        self.shown = shown
        self.seen = seen
        self._lines: list[str] | None = None

    def place(self, line: int, column: int | None = None) -> Placed:
        return _LinePlace(self, line, column)

    def span(self, line: int, column: int | None) -> Span:
        """The cell where it can be told, else the line."""
        if self._lines is None:
            try:
                text = self.path.read_bytes().decode("utf-8-sig", "replace")
            except OSError:                             # gone since it was read; places remain without texts
                text = ""
            self.seen(self.shown, text)
            self._lines = text.splitlines()
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        cells = text.split("\t" if self.path.suffix == ".tsv" else ",")
        if column is None or '"' in text or column > len(cells):
            return Span(self.shown, line, 1, line, max(len(text), 1) + 1)
        start = sum(len(cell) + 1 for cell in cells[:column - 1])
        cell = cells[column - 1]
        start += len(cell) - len(cell.lstrip())
        return Span(self.shown, line, start + 1, line, start + 1 + max(len(cell.strip()), 1))


class _LinePlace(Record):
    lines: _Lines
    line: int
    column: int | None

    @property
    def span(self) -> Span:
        return self.lines.span(self.line, self.column)


# --- xlsx -------------------------------------------------------------------------------


class _Cells:
    """Places in a sheet: its row and column stand for line and column."""

    def __init__(self, shown: str) -> None:
        self.shown = shown

    def place(self, line: int, column: int | None = None) -> Placed:
        at = column or 1
        return At(Span(self.shown, line, at, line, at))


def _xlsx(path: Path, shown: str, name: str | None) -> Table:
    """A sheet of an xlsx file; empty rows are passed over. Raises DataProblem."""
    try:
        library: Any = import_module("openpyxl")
    except ImportError:
        raise DataProblem(
            f"`{shown}` needs openpyxl", str(path), help="install `tierwise[excel]`, or save the sheet as CSV"
        ) from None
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataProblem(f"`{shown}` is larger than {MAX_BYTES:,} bytes", str(path))
        with zipfile.ZipFile(path) as parts:
            if sum(part.file_size for part in parts.infolist()) > MAX_UNPACKED:
                raise DataProblem(f"`{shown}` unpacks to more than {MAX_UNPACKED:,} bytes", str(path))
        book = library.load_workbook(path, read_only=True, data_only=True)
    except OSError as problem:
        raise DataProblem(f"`{shown}` cannot be read: {reason(problem)}", str(path)) from None
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, SyntaxError):  # a broken XML is a SyntaxError
        raise DataProblem(f"`{shown}` is not an xlsx file", str(path), help="save it anew, or as CSV") from None
    try:
        if name is not None and name not in book.sheetnames:
            have = ", ".join(f"`{n}`" for n in book.sheetnames[:12])
            raise DataProblem(f"`{shown}` has no sheet `{name}`", str(path), help=f"it has {have}")
        sheet = book[name] if name is not None else book.worksheets[0]
        rows = []
        for line, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
            if line > MAX_ROWS:
                raise DataProblem(f"`{shown}` has more than {MAX_ROWS:,} rows", str(path))
            texts = [_cell(cell) for cell in cells]
            if any(texts):
                rows.append((line, texts))
    finally:
        book.close()
    if not rows or rows[0][0] != 1:
        raise DataProblem(f"`{shown}` is empty in its first row", str(path), help="the first row names the columns")
    columns = tuple(normalise(text) for text in rows[0][1])
    twice = next((c for n, c in enumerate(columns) if c and c in columns[:n]), None)
    if twice is not None:
        raise DataProblem(f"two columns are called `{twice}`", str(path), 1, help="rename or drop one of them")
    return Table(columns, tuple((line, texts + [""] * (len(columns) - len(texts))) for line, texts in rows[1:]),
                 _Cells(shown))


def _cell(value: Any) -> str:
    """A cell as it would be typed: a day without its midnight, whole numbers without a point."""
    if isinstance(value, datetime.datetime) and value.time() == datetime.time(0):
        return value.date().isoformat()
    return written(value)
