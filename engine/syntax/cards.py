"""Scorecards: `base n`, then lines of `characteristic | bin | points [| reason]`.

    base 500
    characteristic | bin | points | reason
    years trading  | < 2 | -40    | R02                     a blank first cell continues the characteristic above
                   | >=2 | 0      |
"""
from __future__ import annotations

import re

from engine.records import Record
from engine.syntax.grid import Cell, Reader
from engine.syntax.tokens import Finding

_BASE = re.compile(r"base\b([ \t]*[:：=|]*[ \t]*)(.*)", re.IGNORECASE)
_HEADERS = {
    "characteristic": ("feature", "factor", "variable", "attribute", "特征", "指标"),
    "bin": ("range", "band", "bucket", "value", "test", "condition", "分箱", "区间"),
    "points": ("score", "point", "weight", "分值", "得分"),
    "reason": ("code", "reason code", "原因"),
}


class BinRow(Record):
    """`reason` is None where the scorecard has no such column; its text may be empty."""

    bin: Cell
    points: Cell
    reason: Cell | None
    start: int
    end: int


class Characteristic(Record):
    """One expression of a scorecard with its bins, in the order of the grid."""

    cell: Cell
    bins: tuple[BinRow, ...]


class Scorecard(Record):
    """`base` is the number's cell, None where it is missing; `reason` the header's cell of that column, if any."""

    base: Cell | None
    reason: Cell | None
    characteristics: tuple[Characteristic, ...]
    findings: tuple[Finding, ...]


def parse_scorecard(text: str) -> Scorecard:
    """Read a scorecard: `base n`, then `characteristic | bin | points [| reason]` and rows of single pipes.

    A blank first cell continues the characteristic above. Findings as of `parse_grid`, and E0130 no base line,
    E0131 another header, E0132 nothing to continue, E0133 a bin without points.
    """
    reader = Reader(text)
    lines = reader.lines()
    base = None
    if lines and (found := _BASE.fullmatch(lines[0].text)) is not None:
        first = lines.pop(0)
        if found[2]:
            base = Cell(found[2], first.start + found.start(2), first.end)
        if not first.text.startswith("base") or found[1].strip():
            told = f"base {found[2]}"
            reader.find("E0130", f"the base is written `{told}`", first.start, first.end, f"write `{told}`", told)
    if base is None:
        start, end = (lines[0].start, lines[0].end) if lines else (0, len(text))
        reader.find("E0130", "the scorecard has no base", start, end,
                    "its first line gives the points to start from, such as `base 500`")
    if not lines:
        reader.find("E0129", "the scorecard has no rows", 0, len(text), f"below the base stands `{_SCORE_HEADER}`")
        return Scorecard(base, None, (), reader.sorted())
    header = lines[0]
    names = [cell.text for cell in header.cells]
    known = names[:3] == ["characteristic", "bin", "points"] and names[3:] in ([], ["reason"], ["reasons"])
    if header.broken or not known or "||" in header.bars:
        if not header.broken:
            meant = _card_header(names) if "||" not in header.bars else None
            reader.find("E0131", "this is not the header of a scorecard", header.start, header.end,
                        f"write `{_SCORE_HEADER}` or leave out the last column; all bars are single", meant)
        return Scorecard(base, None, (), reader.sorted())
    groups: list[tuple[Cell, list[BinRow]]] = []
    orphaned = False
    for line in lines[1:]:
        cells = line.cells
        if not reader.fits(line, header, blank_first=True):
            if cells[0].text:                           # what follows continues this one, not the one before
                groups.append((cells[0], []))
            continue
        if cells[0].text:
            groups.append((cells[0], []))
        elif not groups:
            if not orphaned:
                reader.find("E0132", "there is no characteristic above to continue", line.start, line.end,
                            "name the characteristic in the first cell")
            orphaned = True
            continue
        if not cells[1].text:
            reader.find("E0123", "this bin is empty", cells[1].start, cells[1].end,
                        "write `-` for any value, `null` for a missing one")
        if not cells[2].text:
            reader.find("E0133", "this bin has no points", cells[2].start, cells[2].end, "write `0` for none")
        groups[-1][1].append(BinRow(cells[1], cells[2], cells[3] if len(cells) > 3 else None, line.start, line.end))
    if len(lines) == 1:
        reader.find("E0129", "the scorecard has no rows", header.start, header.end, "write one line for each bin below")
    return Scorecard(base, header.cells[3] if len(names) > 3 else None,
                     tuple(Characteristic(cell, tuple(bins)) for cell, bins in groups), reader.sorted())


_SCORE_HEADER = "characteristic | bin | points | reason"


def _card_header(names: list[str]) -> str | None:
    """A scorecard's header by what its columns are also called, where that is plain."""
    known = list(_HEADERS)
    if len(names) not in (3, 4) or not all(
            n.lower().removesuffix("s") in (k.removesuffix("s"), *_HEADERS[k])
            for n, k in zip(names, known, strict=False)):
        return None
    return " | ".join(known[:len(names)])
