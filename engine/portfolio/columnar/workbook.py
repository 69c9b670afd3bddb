"""Sheets of workbooks, read and written by openpyxl (`tierwise[excel]`).

The database's own reader is an extension that it fetches from the network when it is first used.
"""
from __future__ import annotations

import csv
import datetime
import os
import re
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

from engine.portfolio.binding import Declared, Reading, chosen
from engine.portfolio.columnar.cells import TEXT
from engine.portfolio.columnar.locations import Location
from engine.portfolio.columnar.raw import Bound, Raw
from engine.portfolio.columnar.session import Session
from engine.portfolio.problems import DataProblem
from engine.portfolio.tables import normalise

#: Rows that a sheet holds beside its header, and characters that a cell does.
MAX_ROWS = 1_048_575
MAX_TEXT = 32_767
#: Characters that XML does not take.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def read(session: Session, place: Location, declared: Sequence[Declared], reading: Reading) -> Raw:
    """A sheet, its first row the header, as the same sheet saved as CSV would read; raises DataProblem."""
    openpyxl = _library(place.path)
    if not os.path.isfile(place.path):
        raise DataProblem(f"there is no file `{place.path}`", place.path)
    try:
        book = openpyxl.load_workbook(place.path, read_only=True, data_only=True)
    except Exception as problem:  # noqa: BLE001 - a damaged workbook fails in a dozen ways
        raise DataProblem(f"`{place.shown}` cannot be read: {problem}", place.path) from None
    try:
        if place.table is not None and place.table not in book.sheetnames:
            names = ", ".join(f"`{n}`" for n in book.sheetnames)
            raise DataProblem(f"`{place.path}` has no sheet `{place.table}`", place.path, help=f"it has {names}")
        sheet = book[place.table] if place.table is not None else book[book.sheetnames[0]]
        rows = sheet.iter_rows(values_only=True)
        header = [normalise(_cell(value)) for value in next(rows, ())]
        if not any(header):
            raise DataProblem(f"`{place.shown}` is empty", place.path, help="the first row names the columns")
        twice = next((n for i, n in enumerate(header) if n and n in header[:i]), None)
        if twice is not None:
            raise DataProblem(f"two columns of `{place.shown}` are called `{twice}`", place.path, 1)
        places, absent = chosen(header, declared, place.path)
        anew = session.path(".csv")
        with open(anew, "w", encoding="utf-8", newline="") as copy:
            out = csv.writer(copy, lineterminator="\n", quoting=csv.QUOTE_ALL)
            for line, row in enumerate(rows, start=2):
                if any(value is not None for value in row):
                    out.writerow([line, *(_cell(row[at]) if at < len(row) else "" for at in places.values())])
    finally:
        book.close()
    types = {"line": "BIGINT", **{f"c{i}": "VARCHAR" for i in range(len(places))}}
    relation = (
        f"read_csv({session.variable(anew)}, columns = {session.variable(types)}, auto_detect = false, header = false, "
        "delim = ',', quote = '\"', escape = '\"', new_line = '\\n', max_line_size = 16000000, strict_mode = true)"
    )
    columns = tuple(Bound(name, f"c{i}", TEXT) for i, name in enumerate(places))
    return Raw(relation, columns, tuple(absent), "line", place.shown, place.path, names=tuple(header))


def _cell(value: Any) -> str:
    """A cell as the same sheet saved as CSV would have it, dates in ISO form."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time(0) else value.isoformat()
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return str(value)


def write(path: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A workbook of one sheet; raises DataProblem where it does not hold the rows."""
    book = _library(path).Workbook(write_only=True)
    sheet = book.create_sheet("decisions")
    make: Any = import_module("openpyxl.cell").WriteOnlyCell
    sheet.append(list(header))
    for written, row in enumerate(rows, start=1):
        if written > MAX_ROWS:
            raise DataProblem(f"a sheet holds no more than {MAX_ROWS:,} rows", path, help="write CSV or Parquet")
        sheet.append([_text(make, sheet, value) if isinstance(value, str) else value for value in row])
    book.save(path)


def _text(make: Any, sheet: Any, text: str) -> Any:
    """A cell that is text and never a formula, whatever it starts with."""
    made = make(sheet, value=_UNWRITABLE.sub("\ufffd", text)[:MAX_TEXT])
    made.data_type = "s"
    return made


def _library(path: str) -> Any:
    try:
        return import_module("openpyxl")
    except ImportError:
        raise DataProblem("workbooks need openpyxl", path, help='pip install "tierwise[excel]"') from None
