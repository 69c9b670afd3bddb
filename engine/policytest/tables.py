"""Tables of cases: text grids and CSV files, as drafts of cases.

Both become a `Sheet`, whose columns are told apart by name: in front of `||` (in a CSV file: without an
arrow) inputs, `as of` and `base`; behind it (`-> size` or `expect: size`) outcomes and lists of names.
A cell `-` is not supplied, or as the fixture has it; `null` is missing, and behind `||` an expected null;
`*` there is not asked.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from engine.check.scope import Report
from engine.diagnostics import Span
from engine.policytest.cases import BY_DECISION, LISTS, Draft
from engine.policytest.model import At, Placed
from engine.policytest.values import Datum, Field, names
from engine.portfolio.problems import DataProblem
from engine.portfolio.tables import BadRow, open_table
from engine.records import Record
from engine.source.nodes import Scalar, normal
from engine.syntax.grid import Cell, parse_grid

#: Marks of a CSV's columns that state what is expected.
ARROWS = ("->", "→", "expect:")
#: Columns of a CSV file that nobody decides by.
NOTES = frozenset({"note", "notes", "why"})


class CellPlace(Record):
    """A cell of a grid."""

    scalar: Scalar
    start: int
    end: int

    @property
    def span(self) -> Span:
        return self.scalar.locate(self.start, self.end)


class SheetRow(Record):
    """`given` and `expected` have the sheet's numbers of cells; `name` is None where the file names no cases."""

    name: str | None
    place: Placed
    given: tuple[Datum, ...]
    expected: tuple[Datum, ...]


class Sheet(Record):
    """A table of cells: the names of its columns and its rows."""

    given: tuple[Datum, ...]
    expected: tuple[Datum, ...]
    rows: tuple[SheetRow, ...]


def grid_sheet(scalar: Scalar, report: Report) -> Sheet | None:
    """The sheet of a text grid; None, or without rows, where it is faulty."""
    grid = parse_grid(scalar.text)
    for finding in grid.findings:
        report.at(finding.code, finding.message, scalar.locate(finding.start, finding.end), finding.help)
    if grid.corner is None:
        return None
    if grid.corner.text != "case":
        report.at("E0908", f"this table starts with `{grid.corner.text}`, not with `case`",
                  scalar.locate(grid.corner.start, grid.corner.end), "the first column names the cases")
        return None

    def cells(found: tuple[Cell, ...], header: bool = False) -> tuple[Datum, ...]:
        return tuple(
            Datum(normal(c.text) if header else c.text, CellPlace(scalar, c.start, c.end), True) for c in found
        )

    rows = tuple(
        SheetRow(normal(r.id.text), CellPlace(scalar, r.id.start, r.id.end), cells(r.conditions), cells(r.results))
        for r in grid.rows
    )
    return Sheet(cells(grid.conditions, True), cells(grid.results, True), rows)


def csv_sheet(path: Path, shown: str, named: Placed, report: Report, seen: Callable[[str, str], None]) -> Sheet | None:
    """The sheet of a CSV file; None where it cannot be read. `seen` is told its text, once something is wrong in it."""
    try:
        with open_table(str(path), format="csv") as table:
            columns = table.columns
            rows = list(table)
    except DataProblem as problem:
        place = At(Span(shown, problem.line, 1, problem.line, 1)) if problem.line is not None else named
        report.at("E0908", problem.message.replace(str(path), shown), place.span, problem.help)
        return None
    lines = _Lines(path, shown, seen)
    heads = [(place, *_arrow(name)) for place, name in enumerate(columns) if name and name not in NOTES]
    at_case = next((p for p, name, arrow in heads if name == "case" and not arrow), None)
    given = [(p, name) for p, name, arrow in heads if not arrow and p != at_case]
    expected = [(p, name) for p, name, arrow in heads if arrow]
    if not expected:
        report.at("E0908", f"`{shown}` has no column of expected outcomes", lines.place(1, "").span,
                  "call the column of an outcome `-> NAME`")
        return None
    found: list[SheetRow] = []
    for row in rows:
        if isinstance(row, BadRow):
            report.at("E0908", row.message, lines.place(row.line, "").span, row.help)
            continue
        cells = row.cells
        assert isinstance(cells, list)                  # a CSV has no other rows

        name = normal(cells[at_case]) if at_case is not None else ""
        data = [_picked(cells, part, lines, row.line) for part in (given, expected)]
        found.append(SheetRow(name or f"line {row.line}", lines.place(row.line, name), data[0], data[1]))
    heading = [tuple(Datum(name, lines.place(1, columns[p]), True) for p, name in part) for part in (given, expected)]
    return Sheet(heading[0], heading[1], tuple(found))


def _picked(cells: list[str], wanted: Sequence[tuple[int, str]], lines: _Lines, line: int) -> tuple[Datum, ...]:
    return tuple(Datum(cells[place].strip(), lines.place(line, cells[place]), True) for place, _ in wanted)


def _arrow(column: str) -> tuple[str, bool]:
    """A column's name without its mark, and whether it has one."""
    for mark in ARROWS:
        if column.startswith(mark):
            return normal(column[len(mark):]), True
    return column, False


class _Lines:
    """Places in a CSV file, whose text is read only when one is asked for."""

    def __init__(self, path: Path, shown: str, seen: Callable[[str, str], None]) -> None:
        self.path = path
        self.shown = shown
        self.seen = seen
        self._lines: list[str] | None = None

    def place(self, line: int, cell: str) -> Placed:
        return _LinePlace(self, line, cell.strip())

    def span(self, line: int, cell: str) -> Span:
        if self._lines is None:
            try:
                text = self.path.read_bytes().decode("utf-8-sig", "replace")
            except OSError:                             # gone since it was read; places remain without texts
                text = ""
            self.seen(self.shown, text)
            self._lines = text.splitlines()
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        start = text.find(cell) if cell else 0
        if start < 0:
            return Span(self.shown, line, 1, line, max(len(text), 1) + 1)
        return Span(self.shown, line, start + 1, line, start + 1 + (len(cell) or max(len(text), 1)))


class _LinePlace(Record):
    lines: _Lines
    line: int
    cell: str

    @property
    def span(self) -> Span:
        return self.lines.span(self.line, self.cell)


class Shared(Record):
    """What the cases of a table have in common."""

    base: list[Datum] = []
    as_of: Datum | None = None
    only: list[Datum] | None = None
    tolerance: float | None = None


def drafts(
    sheet: Sheet, table: str, report: Report, own: Callable[[str], bool], decides: Callable[[str], bool],
    common: Shared,
) -> Iterator[Draft]:
    """The cases of a sheet. `own` and `decides` say whether the policy has an input or decision of a name,
    which goes before what a column of that name means otherwise."""
    for row in sheet.rows:
        given: list[Field] = []
        base, day = common.base, common.as_of
        for name, cell in zip(sheet.given, row.given, strict=True):
            if cell.text in ("-", ""):
                continue
            if name.text in ("base", "as of") and not own(name.text):
                if name.text == "base":
                    base = names(cell) or []
                else:
                    day = cell
                continue
            given.append(Field(name, _value(cell)))
        wanted: list[Field] = []
        lists: dict[str, Datum] = {}
        by: dict[str, list[Field]] = {}
        for name, cell in zip(sheet.expected, row.expected, strict=True):
            if not cell.text:
                report.at("E0908", f"`{name.text}` of case `{row.name}` is empty", cell.place.span,
                          "write what is expected: `null` for no value, `*` where it is not asked")
                continue
            if cell.text == "*":
                continue
            text = name.text or ""
            key = next((k for k in BY_DECISION if text.startswith(f"{k} ")), None)
            if decides(text):
                wanted.append(Field(name, _value(cell)))
            elif text in LISTS:
                lists[text] = cell
            elif key is not None:
                by.setdefault(key, []).append(Field(Datum(text[len(key) + 1:], name.place, True), cell))
            else:
                wanted.append(Field(name, _value(cell)))
        yield Draft(
            f"{table} / {row.name}", row.place, given, wanted, lists, by, base, None, day, common.only, common.tolerance
        )


def _value(cell: Datum) -> Datum:
    """A cell, `null` as null."""
    return cell.replace(text=None) if cell.text == "null" else cell
