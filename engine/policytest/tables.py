"""Tables of cases: text grids, and sheets of files (`sheets`), as drafts of cases.

Both are a `Sheet`, whose columns are told apart by name: in front of `||` (in a file: without an arrow)
inputs, `as of` and `base`; behind it (`-> size` or `expect: size`) outcomes and lists of names. A cell `-` is
not supplied, or as the fixture has it; `null` is missing, and behind `||` an expected null; `*` there is not asked.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator

from engine.check.scope import Report
from engine.diagnostics import Span
from engine.policytest.cases import BY_DECISION, LISTS, Draft
from engine.policytest.model import Placed
from engine.policytest.values import Datum, Field, names
from engine.records import Record
from engine.source.nodes import Scalar, normal
from engine.syntax.grid import Cell, parse_grid

#: Columns that nobody decides by, unless the policy has an input of that name.
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

    seen: set[str] = set()
    for column in grid.conditions:
        if normal(column.text) in seen:
            report.at("E0908", f"the column `{column.text}` stands twice", scalar.locate(column.start, column.end),
                      "name each input once")
        seen.add(normal(column.text))

    def cells(found: tuple[Cell, ...], header: bool = False) -> tuple[Datum, ...]:
        return tuple(
            Datum(normal(c.text) if header else c.text, CellPlace(scalar, c.start, c.end), True) for c in found
        )

    rows = tuple(
        SheetRow(normal(r.id.text), CellPlace(scalar, r.id.start, r.id.end), cells(r.conditions), cells(r.results))
        for r in grid.rows
    )
    return Sheet(cells(grid.conditions, True), cells(grid.results, True), rows)


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
            if cell.text in ("-", "") or (name.text in NOTES and not own(name.text)):
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
        if not all(cell.text for cell in row.expected):
            continue
        yield Draft(
            f"{table} / {row.name}", row.place, given, wanted, lists, by, base, None, day, common.only, common.tolerance
        )


def _value(cell: Datum) -> Datum:
    """A cell, `null` as null."""
    return cell.replace(text=None) if cell.text == "null" else cell
