"""xlsx files, by openpyxl (`tierwise[excel]`), which is loaded only here."""
from __future__ import annotations

import io
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from engine.diagnostics import Diagnostic, Problem
from engine.records import Record
from engine.syntax.width import text_width
from engine.tables.damage import Raw
from engine.tables.model import BARS, INDEX, INDEX_HEADER, Sheet

MAX_BYTES = 10_000_000
MAX_UNPACKED = 200_000_000
MAX_CELLS = 500_000
_MAX_WIDTH = 60
#: What the library raises for files that are none; a broken XML is a SyntaxError, an encrypted part a RuntimeError.
_BROKEN = (zipfile.BadZipFile, zlib.error, ValueError, LookupError, TypeError, AttributeError, SyntaxError, EOFError,
           RuntimeError)


class RawSheet(Record):
    """The cells of a sheet, row by row."""

    title: str
    rows: tuple[tuple[Raw, ...], ...]


def _library() -> Any:
    try:
        return import_module("openpyxl")
    except ImportError:
        raise Problem(Diagnostic("E0912", "xlsx files need openpyxl", None, "install `tierwise[excel]`")) from None


def written(sheets: Sequence[Sheet]) -> bytes:
    """The bytes of an xlsx file that holds the sheets, every cell as text, and a first sheet that lists them."""
    library = _library()
    styles = import_module("openpyxl.styles")
    letters = import_module("openpyxl.utils")
    book = library.Workbook()
    index = book.active
    index.title = INDEX
    _fill(index, [INDEX_HEADER, *((s.title, s.file, s.place, s.kind) for s in sheets)], 1, styles, letters)
    for sheet in sheets:
        page = book.create_sheet(sheet.title)
        header = 1 + next((n for n, row in enumerate(sheet.rows) if _is_header(row)), 0)
        _fill(page, sheet.rows, header, styles, letters)
        page.freeze_panes = f"B{header + 1}"
    if len(sheets) > 0:
        book.active = 1
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _is_header(row: tuple[str, ...]) -> bool:
    return bool(row) and row[0] != "base" and not row[0].startswith("//")


def _fill(page: Any, rows: Iterable[Sequence[str]], header: int, styles: Any, letters: Any) -> None:
    bold, grey = styles.Font(bold=True), styles.Font(color="00999999")
    widths: dict[int, int] = {}
    for number, row in enumerate(rows, start=1):
        for column, text in enumerate(row, start=1):
            cell = page.cell(number, column)
            cell.number_format = "@"                    # what is typed over it stays text
            if text:
                cell.value = text
                cell.data_type = "s"                    # also where it starts with `=`
                cell.quotePrefix = text[0] in "=+-@'"
            if number == header:
                cell.font = bold
            elif text == BARS or text.startswith("//"):
                cell.font = grey
            if not text.startswith("//"):
                widths[column] = max(widths.get(column, 0), text_width(text))
    for column, width in widths.items():
        letter = letters.get_column_letter(column)
        page.column_dimensions[letter].width = min(width, _MAX_WIDTH) + 3
        page.column_dimensions[letter].number_format = "@"


def read_book(path: Path, shown: str) -> list[RawSheet]:
    """The sheets of an xlsx file; raises `Problem` where it is none or too large."""
    library = _library()
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise _unreadable(f"`{shown}` is larger than {MAX_BYTES:,} bytes", "a policy's tables need far less")
        data = io.BytesIO(path.read_bytes())
        with zipfile.ZipFile(data) as parts:
            if sum(part.file_size for part in parts.infolist()) > MAX_UNPACKED:
                raise _unreadable(f"`{shown}` unpacks to more than {MAX_UNPACKED:,} bytes", "save it anew")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")             # of parts that are passed over, such as validations
            book = library.load_workbook(data)
    except OSError as problem:
        why = (problem.strerror or "it is damaged").lower()
        raise _unreadable(f"`{shown}` cannot be read: {why}", "check the path, relative to where you are") from None
    except _BROKEN:
        raise _unreadable(f"`{shown}` is not an xlsx file", "save it anew as `Excel workbook (.xlsx)`") from None
    count = 0
    sheets = []
    for page in book.worksheets:
        rows = []
        count += page.max_row * page.max_column
        if count > MAX_CELLS:
            raise _unreadable(f"`{shown}` holds more than {MAX_CELLS:,} cells",
                              "delete the empty rows and columns that a spreadsheet keeps")
        for row in page.iter_rows():
            rows.append(tuple(Raw(c.value, c.data_type, str(c.number_format)) for c in row))
        sheets.append(RawSheet(page.title, tuple(rows)))
    return sheets


def column_letter(column: int) -> str:
    """The letters of a column, from 1."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _unreadable(message: str, help_: str) -> Problem:
    return Problem(Diagnostic("E0912", message, None, help_))


