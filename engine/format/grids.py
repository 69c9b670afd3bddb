"""Grids aligned by the columns that a terminal gives to each character.

    first | score  | worst delay || tier | reasons
    T1    | >= 560 | <= 5        || A    |

Lines that are blank or comments stay where they are. A grid with a line that is no row of it is left alone,
since what that line should have been is for the checker to say.
"""
from __future__ import annotations

from collections.abc import Iterable

from engine.format.roles import SCORECARD
from engine.records import Record
from engine.syntax.cards import parse_scorecard
from engine.syntax.grid import parse_grid
from engine.syntax.width import text_width

#: A line of a grid: its cells, or a text that is kept as it is (a comment, the base, or nothing).
Line = tuple[str, ...] | str


class Lines(Record):
    """A grid line by line. `lines` hold the header first, then rows; texts may stand before, between and behind.
    `split` is the number of cells before `||`, None in a scorecard."""

    lines: tuple[Line, ...]
    split: int | None

    @property
    def rows(self) -> list[tuple[str, ...]]:
        return [line for line in self.lines if not isinstance(line, str)]


def read_lines(text: str, kind: str) -> Lines | None:
    """The lines of a grid or scorecard; None where one of them is not a row of it."""
    cells: dict[int, tuple[str, ...]] = {}
    split: int | None = None
    plain: dict[int, str] = {}
    if kind == SCORECARD:
        card = parse_scorecard(text)
        if card.base is None:
            return None
        plain[text.count("\n", 0, card.base.start)] = f"base {card.base.text}"
        names = ["characteristic", "bin", "points", *([card.reason.text] if card.reason is not None else [])]
        header = next((n for n, line in enumerate(text.split("\n")) if line.strip().startswith("characteristic")), None)
        if header is None:
            return None
        cells[header] = tuple(names)
        for characteristic in card.characteristics:
            at = text.count("\n", 0, characteristic.cell.start)
            for row in characteristic.bins:
                line = text.count("\n", 0, row.start)
                first = characteristic.cell.text if line == at else ""
                last = (row.reason.text,) if row.reason is not None else ("",) * (len(names) - 3)
                cells[line] = (first, row.bin.text, row.points.text, *last)
    else:
        grid = parse_grid(text)
        if grid.corner is None:
            return None
        split = 1 + len(grid.conditions)
        cells[text.count("\n", 0, grid.corner.start)] = tuple(
            c.text for c in (grid.corner, *grid.conditions, *grid.results))
        for entry in grid.rows:
            cells[text.count("\n", 0, entry.start)] = tuple(
                c.text for c in (entry.id, *entry.conditions, *entry.results))
    lines: list[Line] = []
    for number, raw in enumerate(text.split("\n")):
        typed = raw.strip()
        if number in cells:
            lines.append(cells[number])
        elif not typed:
            if lines and lines[-1] != "":
                lines.append("")
        elif number in plain or typed.startswith("//"):
            lines.append(plain.get(number, typed))
        else:
            return None
    while lines and lines[-1] == "":
        lines.pop()
    return Lines(tuple(lines), split)


def aligned(grid: Lines) -> list[str]:
    """The lines of a grid with its bars one below the other."""
    rows = grid.rows
    widths = [max(map(text_width, column)) for column in zip(*rows, strict=True)]
    return [line if isinstance(line, str) else _row(line, widths, grid.split) for line in grid.lines]


def aligned_text(text: str, kind: str) -> list[str] | None:
    """The aligned lines of a grid's text; None where it is left alone."""
    grid = read_lines(text, kind)
    return None if grid is None else aligned(grid)


def _row(cells: Iterable[str], widths: list[int], split: int | None) -> str:
    text = ""
    for place, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        if place:
            text += " || " if place == split else " | "
        text += cell + " " * (width - text_width(cell))
    return text.rstrip()
