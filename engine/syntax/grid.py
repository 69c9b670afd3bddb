"""Text grids: decision tables, rules and parameters as lines of cells (scorecards are in `cards`).

    first | score  | worst delay || tier | reasons          a decision table: hit word, conditions, results
    T1    | >= 560 | <= 5        || A    |                  id, tests, plain results

Blank lines and lines that start with `//` are skipped. A row's separators equal the header's
exactly, and they count only outside strings in double quotes. Cells are stripped; offsets count
code points of the grid's own text, which the scalar that holds it maps to places in a file.
What a cell means (a unary test, a guard, plain data) is for the reader of the grid to say.

Faults are findings in the result, all of a grid at once; a row that does not fit its header is left out,
so whoever reads a grid with findings should expect rows to be missing.
"""
from __future__ import annotations

import re

from engine.records import Record
from engine.semantics.lazy import Lazy
from engine.syntax.tokens import Finding

# A string (to the line's end where it is never closed), a full-width bar, or a separator.
_MARKS = re.compile(r'"(?:[^"\\]++|\\.)*+("?)|[|｜]{1,2}')
#: What a spreadsheet shows where a formula failed, which begins a row and no comment.
_FAILED = Lazy(r"#(?:REF!|N/A|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|CALC!)")
_RULE_LINE = re.compile(r"[\s|:=+-]*--[\s|:=+-]*")


class Cell(Record):
    """A cell's text without outer blanks, and where it stands; an empty one lies inside its gap."""

    text: str
    start: int
    end: int


class Row(Record):
    """`id` is the first cell; `conditions` and `results` have the header's numbers of cells."""

    id: Cell
    conditions: tuple[Cell, ...]
    results: tuple[Cell, ...]
    start: int
    end: int


class Grid(Record):
    """A grid with `||`: a decision table, rules, or parameters.

    `corner` is the header's first cell: the hit word of a table (`first`, `collect sum`), `id` of rules,
    `from` of parameters. `conditions` are the header's cells up to `||`: expressions of a table or a
    parameter, `when` of rules. `results` are the names behind it: outputs, `then`, `value`, `reason`.
    The three are None and empty where there is no readable header.
    """

    corner: Cell | None
    conditions: tuple[Cell, ...]
    results: tuple[Cell, ...]
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]


def parse_grid(text: str) -> Grid:
    """Read a grid whose header has `||` between conditions and results.

    Findings: E0120 separators unlike the header's, E0121 a tab, E0122 border pipes, E0123 an empty condition,
    E0124 a row without an id, E0125 an unclosed string, E0126 a full-width bar, E0127 a header that is
    not one, E0128 a result twice, E0129 no header or no rows.
    """
    reader = Reader(text)
    lines = reader.lines()
    if not lines:
        reader.find("E0129", "the grid is empty", 0, len(text), "write a header line and one line for each row")
        return Grid(None, (), (), (), reader.sorted())
    header = lines[0]
    if not reader.header(header):
        return Grid(None, (), (), (), reader.sorted())
    split = header.bars.index("||") + 1
    corner, conditions, results = header.cells[0], header.cells[1:split], header.cells[split:]
    rows = []
    for line in lines[1:]:
        if not reader.fits(line, header):
            continue
        cells = line.cells
        if not cells[0].text:
            reader.find("E0124", "this row has no id", line.start, line.end,
                        "each row starts with an id of its own, which explanations and logs name")
            continue
        for cell in cells[1:split]:
            if not cell.text:
                reader.find("E0123", "this condition is empty", cell.start, cell.end,
                            "write `-` for any value, `null` for a missing one")
        rows.append(Row(cells[0], tuple(cells[1:split]), tuple(cells[split:]), line.start, line.end))
    if len(lines) == 1:
        reader.find("E0129", "the grid has no rows", header.start, header.end, "write one line for each row below")
    return Grid(corner, tuple(conditions), tuple(results), tuple(rows), reader.sorted())


class Line:
    """A line cut at its bars: `bars` are `|` or `||`, one fewer than `cells`."""

    __slots__ = ("bars", "broken", "cells", "end", "spots", "start", "text")

    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self.start = start
        self.end = start + len(text)
        self.cells: list[Cell] = []
        self.bars: list[str] = []
        self.spots: list[tuple[int, int]] = []          # where each bar stands
        self.broken = False                             # reported already; its cells mean nothing

    def cut(self, bars: list[tuple[str, int, int]]) -> None:
        at = self.start
        for bar, start, end in bars:
            self._cell(at, start)
            self.bars.append(bar)
            self.spots.append((start, end))
            at = end
        self._cell(at, self.end)

    def _cell(self, start: int, end: int) -> None:
        raw = self.text[start - self.start:end - self.start]
        text = raw.strip()
        if text:
            start += len(raw) - len(raw.lstrip())
            end = start + len(text)
        self.cells.append(Cell(text, start, end))


class Reader:
    """Cuts a grid's text into lines and cells, and gathers what is wrong with it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.findings: list[Finding] = []
        self.tab_seen = False

    def find(self, code: str, message: str, start: int, end: int, help_: str | None = None,
             replacement: str | None = None) -> None:
        self.findings.append(Finding(code, message, start, end, help_, replacement))

    def sorted(self) -> tuple[Finding, ...]:
        return tuple(sorted(self.findings, key=lambda f: (f.start, f.end)))

    def lines(self) -> list[Line]:
        """The lines that are neither blank nor comments, cut into cells."""
        found: list[Line] = []
        at = 0
        for raw in self.text.split("\n"):
            text = raw.strip()
            if text and not text.startswith("//"):
                start = at + len(raw) - len(raw.lstrip())
                if text.startswith("#") and not _FAILED.match(text):
                    self.find("E0120", "`#` starts no comment in a grid", start, start + 1,
                              "a comment starts with `//`, on a line of its own", "//")
                elif found and _RULE_LINE.fullmatch(text):
                    self.find("E0122", "a grid has no line under its header", start, start + len(text),
                              "delete this line", "")
                else:
                    found.append(self.line(text, start))
            at += len(raw) + 1
        return found

    def line(self, text: str, start: int) -> Line:
        line = Line(text, start)
        bars = []
        if "\t" in text:
            line.broken = True                          # a pasted row has tabs for bars
            if not self.tab_seen:
                tab = start + text.index("\t")
                self.find("E0121", "a grid may not hold tabs", tab, tab + 1,
                          "separate cells with `|`; for rows from a spreadsheet, paste them and run `tierwise fmt`")
            self.tab_seen = True
        for match in _MARKS.finditer(text):
            mark, at = match[0], start + match.start()
            if mark[0] == '"':
                if not match[1] and not line.broken:
                    line.broken = True
                    self.find("E0125", "the string that opens here is not closed on its line", at, line.end,
                              "close it with `\"`; inside a string write `\\\"` for a quote")
                continue
            if "｜" in mark:
                narrow = "|" * len(mark)
                self.find("E0126", "the full-width `｜` does not separate cells", at, at + len(mark),
                          f"type `{narrow}`", narrow)
                mark = narrow
            bars.append((mark, at, at + len(mark)))
        line.cut(bars)
        return line

    def header(self, line: Line) -> bool:
        """Whether the line is a header; reports why not."""
        if line.broken:
            return False
        if line.bars and line.spots[0][0] == line.start:
            self.border(line)
            return False
        if line.bars.count("||") != 1:
            self.find("E0127", "the header has no `||`" if "||" not in line.bars else "the header has `||` twice",
                      line.start, line.end, "one `||` stands between the conditions and the results")
            return False
        split = line.bars.index("||") + 1
        if line.spots[-1][1] == line.end and line.bars[-1] == "|":
            self.find("E0122", "a grid has no border pipes", line.spots[-1][0], line.end,
                      "delete the last `|`, here and in each row", "")
            return False
        fine = True
        seen: set[str] = set()
        for place, cell in enumerate(line.cells):
            if not cell.text:
                self.find("E0127", "a cell of the header is empty", cell.start, cell.end,
                          "name the column, or delete it in all rows")
                fine = False
            elif place >= split and " ".join(cell.text.split()) in seen:
                self.find("E0128", f"the column `{cell.text}` stands twice behind `||`", cell.start, cell.end,
                          "name each result once")
            elif place >= split:
                seen.add(" ".join(cell.text.split()))
        return fine

    def border(self, line: Line) -> None:
        inner = line.text.strip("|").strip()
        self.find("E0122", "a grid has no border pipes", line.start, line.end,
                  "delete the outer `|` of each line; `||` stands once, before the results", inner)

    def fits(self, line: Line, header: Line, blank_first: bool = False) -> bool:
        """Whether the row's bars are the header's; reports why not."""
        if line.broken:
            return False
        if line.bars == header.bars:
            return True
        if self.within_borders(line, header, blank_first):
            self.border(line)
            return False
        wanted, given = header.bars, line.bars
        replacement, at = None, (line.start, line.end)
        if "||" in wanted:
            before, behind = wanted.index("||") + 1, len(wanted) - wanted.index("||")
            count = given.count("||")
            if count == 0:
                message = "this row has no `||` before its results"
                help_ = "its bars are those of the header"
                if len(given) == len(wanted):
                    at, replacement = line.spots[before - 1], "||"
            elif count > 1:
                message = f"this row has `||` {'twice' if count == 2 else f'{count} times'}"
                help_ = "one `||` stands before the results; in a condition write `or`"
            else:
                has, shows = given.index("||") + 1, len(given) - given.index("||")
                if has != before:
                    message = f"this row has {_count(has, 'cell')} before `||`, the header {before}"
                    help_ = "write `-` for a condition that does not matter"
                else:
                    message = f"this row has {_count(shows, 'cell')} behind `||`, the header {behind}"
                    help_ = "leave a cell empty for no value, but keep its `|`"
                    if shows < behind:
                        at, replacement = (line.end, line.end), " |" * (behind - shows)
        elif "||" in given:
            message, help_ = "the bars of a scorecard are single", "write `|` for `||`"
            if len(given) == len(wanted):
                at, replacement = line.spots[given.index("||")], "|"
        else:
            message = f"this row has {_count(len(line.cells), 'cell')}, the header {len(header.cells)}"
            help_ = "leave a cell empty for no value, but keep its `|`"
            if len(given) < len(wanted) and len(given) >= 2:
                at, replacement = (line.end, line.end), " |" * (len(wanted) - len(given))
        self.find("E0120", message, *at, help_, replacement)
        return False

    def within_borders(self, line: Line, header: Line, blank_first: bool) -> bool:
        bars, spots = line.bars, line.spots
        if not bars or spots[-1][1] != line.end:
            return False
        left = 1 if spots[0][0] == line.start and not (blank_first and bars[:-1] == header.bars) else 0
        return bars[left:-1] == header.bars


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
