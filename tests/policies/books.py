"""What a spreadsheet does to cells of an exported workbook, and what `table import` says of it."""
from __future__ import annotations

import datetime
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from tests.policies.sheets import WIDE
from tests.policies.trial import FIXED, HARMLESS, NAMED, UNNAMED, UNSEEN, Outcome, command, findings, spoken

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_PERCENT = re.compile(r"(-?\d+(?:\.\d+)?)%")
_FIRST_DAY = datetime.date(1899, 12, 30)

#: A cell's new value and number format, None where this cannot happen to it.
Damage = Callable[[str], tuple[Any, str] | None]


class Cell(NamedTuple):
    """A cell of a book: sheet, row and column (from 1), and what it is to hold."""

    sheet: str
    row: int
    column: int
    value: Any
    format: str

    @property
    def name(self) -> str:
        return f"{self.sheet}!{get_column_letter(self.column)}{self.row}"


def _text(pattern: str, new: str | Callable[[re.Match[str]], str]) -> Damage:
    def damage(text: str) -> tuple[Any, str] | None:
        made = re.sub(pattern, new, text, count=1)
        return None if made == text else (made, "General")

    return damage


def _whole(pattern: re.Pattern[str], new: Callable[[re.Match[str]], Any], form: str = "General") -> Damage:
    def damage(text: str) -> tuple[Any, str] | None:
        found = pattern.fullmatch(text)
        return None if found is None else (new(found), form)

    return damage


def _day(found: re.Match[str]) -> datetime.datetime:
    return datetime.datetime.fromisoformat(found[0])


def _serial(found: re.Match[str]) -> int:
    return (datetime.date.fromisoformat(found[0]) - _FIRST_DAY).days


def _short_day(found: re.Match[str]) -> str:
    day = datetime.date.fromisoformat(found[0])
    return f"{day.day}-{day:%b}"


def _number(found: re.Match[str]) -> float:
    return float(found[0])


def _share(found: re.Match[str]) -> float:
    return round(float(found[1]) / 100, 6)


BOOKS: dict[str, Damage] = {
    "day as a day": _whole(_DAY, _day, "yyyy\\-mm\\-dd"),
    "day as its number": _whole(_DAY, _serial),
    "day as 1-Jan": _whole(_DAY, _short_day),
    "day with slashes": _whole(_DAY, lambda m: m[0].replace("-0", "-").replace("-", "/")),
    "number as a number": _whole(_NUMBER, _number),
    "number as 1E3": _whole(re.compile(r"-?\d{3,}"), _number, "0.00E+00"),
    "number as the text 1E3": _text(r"(?<![\w.-])\d{3,}(?![\w.\"-])", lambda m: f"{float(m[0]):.2E}"),
    "percent as a number": _whole(_PERCENT, _share, "0%"),
    "percent as a fraction": _whole(_PERCENT, _share),
    "curly quotes": _text(r'"([^"]*)"', r"“\1”"),
    "curly quotes of one kind": _text(r'"([^"]*)"', r"”\1”"),
    "quotes lost": _text(r'^"([^"]*)"$', r"\1"),
    "full-width digits": _text(r"(?<![\w\"-])\d+", lambda m: m[0].translate(WIDE)),
    "full-width comparison": _text(r"<=|>=", lambda m: "≤" if m[0] == "<=" else "≥"),
    "full-width sign": _text(r"^[<>](?= \d)", lambda m: m[0].translate(WIDE)),
    "full-width comma": _text(r", ", "，"),
    "full-width brackets": _text(r"^\((.*)\]$", r"（\1］"),
    "dash for any": _text(r"^-$", "–"),
    "long dash for minus": _text(r"^-(?=\d)", "−"),
    "ellipsis in a range": _text(r"\.\.", "…"),
    "blank that is no space": _text(r"(?<=[<>=]) (?=\d)", "\xa0"),
    "blanks around": _text(r"^(.+)$", r"  \1 "),
    "line end in a cell": _text(r" ", "\n"),
    "thousands separators": _text(r"(?<![\w.-])(\d{4,})(?![\w.\"-])", lambda m: f"{int(m[1]):,}"),
    "TRUE": _whole(re.compile("true|false"), lambda m: m[0] == "true"),
    "TRUE as text": _whole(re.compile("true|false"), lambda m: m[0].upper()),
    "apostrophe": _text(r"^([<>=-].*)$", r"'\1"),
    "formula": _whole(re.compile(r"[<>=-].*|\d+"), lambda m: "=A1"),
    "error": _text(r"^.+$", "#REF!"),
    "emptied": _text(r"^.+$", ""),
}


def damaged(path: Path, kind: str, most: int | None) -> Iterator[Cell]:
    """Cells of a policy's workbook as the spreadsheet leaves them, at `most` seeded places."""
    found: list[Cell] = []
    book = load_workbook(path)
    for page in book.worksheets[1:]:
        for cells in page.iter_rows(min_row=2):
            for cell in cells:
                text = cell.value
                is_prose = cell.column == 1 and isinstance(text, str) and " " in text     # comments, names of cases
                if not isinstance(text, str) or text == "||" or is_prose:
                    continue
                new = BOOKS[kind](text)
                if new is not None:
                    found.append(Cell(page.title, cell.row, cell.column, *new))
    if most is not None and len(found) > most:
        found = Random(f"{kind} in {path.stem}").sample(found, most)
    yield from sorted(found, key=lambda c: (c.sheet, c.row, c.column))


class BookTrial:
    """A copy of the shipped policies with the workbooks that `table export` makes of them."""

    def __init__(self, root: Path, work: Path) -> None:
        self.source = root / "policies"
        self.folder = work / "with-books"
        shutil.copytree(self.source, self.folder)
        self.books: dict[Path, Path | None] = {}

    def book(self, path: Path) -> Path | None:
        """The workbook of a shipped policy, None where it has no grid."""
        if path not in self.books:
            made = self.folder.parent / f"{path.stem}.xlsx"
            command("table", "export", str(self.copy(path)), str(made))
            self.books[path] = made if made.exists() else None
        return self.books[path]

    def copy(self, path: Path) -> Path:
        return self.folder / path.relative_to(self.source)

    def outcome(self, path: Path, cell: Cell) -> Outcome:
        """What becomes of a workbook with one cell as the spreadsheet leaves it."""
        policy = self.copy(path)
        made = self.book(path)
        assert made is not None
        book = load_workbook(made)
        target = book[cell.sheet].cell(cell.row, cell.column)
        target.value = cell.value
        target.number_format = cell.format
        spoilt = made.with_name("spoilt.xlsx")
        book.save(spoilt)
        tests = policy.with_name(f"{policy.stem}.test.yaml")
        kept = {file: file.read_bytes() for file in (policy, tests) if file.exists()}
        try:
            said = spoken("table", "import", str(policy), str(spoilt))
            told = tuple(line for line in said.split("\n") if line.startswith(("error", "warning", "fixed")))
            if self._is_kept(kept):
                if "nothing was written" not in said and "left as they were" not in said:
                    return Outcome(HARMLESS, told)
                if "left as they were" in said:         # the check of the new policy names its line
                    return Outcome(NAMED if told else UNNAMED, told)
                if f"`{cell.name}`" not in said:
                    return Outcome(UNNAMED, told)
                spoken("table", "import", "--fix", str(policy), str(spoilt))
                if not self._is_kept(kept):
                    return Outcome(UNSEEN, (*told, "--fix wrote another grid"))
                after = spoken("table", "import", "--fix", str(policy), str(spoilt))
                return Outcome(FIXED if "fixed" in after and "nothing was written" not in after else NAMED, told)
            found = findings(policy)
            named = tuple(f"{d['code']}: {d['message']}" for d in found)
            return Outcome(NAMED if found else UNSEEN, (*told, *named, said))
        finally:
            for file, data in kept.items():
                file.write_bytes(data)

    @staticmethod
    def _is_kept(kept: dict[Path, bytes]) -> bool:
        return all(file.read_bytes() == data for file, data in kept.items())
