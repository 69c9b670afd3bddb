"""From a row's cells to the values that a policy checks.

A CSV holds text alone, so a cell becomes a number, a boolean or an ISO text by the type
of what it is bound to, and nothing else is guessed: a cell that does not read as its type
stays text, which the engine's check of inputs then refuses by name; `Columns.hint`
says how such a cell should be written. JSON values are passed as they are.
"""
from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Protocol

from engine.portfolio.problems import DataProblem
from engine.portfolio.tables import Table, normalise
from engine.semantics import dtypes as dt

#: Reads a cell; raises ValueError where it is no such value.
Parser = Callable[[str], Any]


class Declared(Protocol):
    """An input of a policy or a field of a history."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> dt.Type: ...
    @property
    def column(self) -> str | None: ...


class Reading:
    """How cells are read: extra texts for missing, and forms of dates other than ISO."""

    def __init__(self, missing: Iterable[str] = (), date_format: str | None = None) -> None:
        self.missing = frozenset(missing) | {""}
        self.date_format = date_format

    def parser(self, kind: dt.Type) -> Parser:
        if kind.kind in dt.NUMERIC:
            return number
        if kind.kind == dt.BOOLEAN:
            return boolean
        if kind.kind == dt.DATE:
            form = self.date_format
            if form is None:
                return iso_date
            # strptime takes 10 us, and the days of a portfolio repeat
            return lru_cache(maxsize=100_000)(lambda text: dated(text, form))
        return self._text if kind.kind == dt.STRING else self._stripped

    def _text(self, text: str) -> str | None:
        return None if text.strip() in self.missing else text

    def _stripped(self, text: str) -> str | None:
        bare = text.strip()
        return None if bare in self.missing else bare


class Columns:
    """What each column of a table is bound to. `absent` are declared names without a column, `hints`
    say for a column how its first bad cell should be written."""

    def __init__(self, table: Table, declared: Sequence[Declared], reading: Reading) -> None:
        self.table = table
        self.hints: dict[str, str] = {}
        self._missing = reading.missing
        self._named = [(d.name, spellings(d)) for d in declared]
        self._cells: list[tuple[int, str, Parser, dt.Type]] = []
        self.absent: list[str] = []
        #: Columns that are bound to something.
        self.columns: set[str] = set()
        if not table.columns:
            return
        places, self.absent = chosen(table.columns, declared, table.path)
        self.columns = {table.columns[place] for place in places.values()}
        self._cells = [
            (places[d.name], d.name, reading.parser(d.type), d.type) for d in declared if d.name in places
        ]

    def values(self, cells: list[str] | dict[str, Any], hints: bool = True) -> dict[str, Any]:
        """Values by declared name; short rows give what they have. `hints` says whether bad cells are to be
        advised on."""
        if isinstance(cells, dict):
            found: dict[str, Any] = {}
            for name, written in self._named:
                present = [cells[spelling] for spelling in written if spelling in cells]
                if present:
                    found[name] = next((value for value in present if value is not None), None)
            return found
        found = {}
        missing = self._missing
        size = len(cells)
        for place, name, parse, kind in self._cells:
            if place >= size:
                continue
            cell = cells[place]
            if cell in missing:
                found[name] = None
                continue
            try:
                found[name] = parse(cell)
            except ValueError:
                bare = cell.strip()
                found[name] = None if bare in missing else bare
                if hints and bare not in missing and name not in self.hints:
                    hint = advice(bare, kind)
                    if hint is not None:
                        self.hints[name] = _told(bare, hint)
        return found

    def hint(self, name: str, value: Any) -> str | None:
        """How a value that was refused should be written, where that can be told."""
        if not isinstance(value, str):
            return None
        return next((advice(value, kind) for _, bound, _, kind in self._cells if bound == name), None)


def spellings(decl: Declared) -> tuple[str, ...]:
    """The column names that a declared name may have, without repetition."""
    names = (decl.name, decl.column, decl.name.replace(" ", "_"))
    return tuple(dict.fromkeys(normalise(n) for n in names if n is not None))


def chosen(columns: Sequence[str], declared: Sequence[Declared], path: str) -> tuple[dict[str, int], list[str]]:
    """The place of each declared name's column, and the names that have none; raises DataProblem where one has two."""
    places = {name: place for place, name in enumerate(columns) if name}
    bound: dict[str, int] = {}
    absent: list[str] = []
    for decl in declared:
        found = [s for s in spellings(decl) if s in places]
        if len(found) > 1:
            raise DataProblem(
                f"columns `{found[0]}` and `{found[1]}` both are `{decl.name}`", path, 1, help="drop one of them"
            )
        if found:
            bound[decl.name] = places[found[0]]
        elif not getattr(decl, "previous", False):      # a portfolio may well have no earlier decisions beside it
            absent.append(decl.name)
    return bound, absent


def hint_of(cell: str, kind: dt.Type, parse: Parser, reading: Reading) -> str | None:
    """How a text cell should be written: None where it reads, means missing, or where that cannot be told."""
    try:
        parse(cell)
        return None
    except ValueError:
        bare = cell.strip()
    hint = None if bare in reading.missing else advice(bare, kind)
    return None if hint is None else _told(bare, hint)


def _told(cell: str, hint: str) -> str:
    return f"`{cell[:40]}`: {hint}"


#: Group 1 is there for a whole number.
_NUMBER = re.compile(r"[+-]?(?:(\d+)|(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d{1,6})?|\d+[eE][+-]?\d{1,6})", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:[, ']\d{3})+(?:\.\d*)?", re.ASCII)
_COMMA = re.compile(r"[+-]?\d+,\d+|[+-]?\d{1,3}(?:\.\d{3})+,\d+", re.ASCII)
#: Digits that an integer may have and be exact as binary64.
_EXACT = 15


def number(text: str) -> int | float:
    """A number of ASCII digits, sign, point and exponent; raises ValueError for any other form."""
    form = _NUMBER.fullmatch(text)
    if form is None:
        if (bare := text.strip()) != text:
            return number(bare)
        raise ValueError(text)
    if form[1] is not None and len(form[1]) <= _EXACT:
        return int(text)
    value = float(text)
    if value - value != 0:  # beyond binary64
        raise ValueError(text)
    return value


def boolean(text: str) -> bool:
    """`true` or `false` in any case."""
    text = text.strip().lower()
    if text == "true":
        return True
    if text == "false":
        return False
    raise ValueError(text)


_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def iso_date(text: str) -> str:
    """An ISO date, left as text; raises ValueError for any other form."""
    bare = text.strip()
    if not _ISO_DATE.fullmatch(bare):
        raise ValueError(text)
    return bare


def dated(text: str, form: str) -> datetime.date:
    """A date written as `form` (of strptime) says; ISO dates are read as well."""
    text = text.strip()
    try:
        return datetime.datetime.strptime(text, form).date()
    except ValueError:
        return datetime.date.fromisoformat(text)


def advice(text: str, kind: dt.Type) -> str | None:
    """How a cell that did not read as `kind` should be written, where that can be told."""
    if kind.kind in dt.NUMERIC:
        if text.lower() in ("nan", "na", "n/a", "null", "none", "-", "--", ".", "#n/a"):
            return f"leave the cell empty where a value is missing, or add `--missing {text}`"
        if _GROUPED.fullmatch(text):
            return f"write `{re.sub(r'''[, ']''', '', text)}`, without thousands separators"
        if _COMMA.fullmatch(text):
            return f"write `{text.replace('.', '').replace(',', '.')}`, with a decimal point"
        if text.endswith("%") and _NUMBER.fullmatch(text[:-1].strip()):
            return "write a share as a decimal fraction, `0.05` for 5%"
        if any("０" <= c <= "９" for c in text):
            return "write the digits in half width"
        if text[:1] in "¥$€£￥" or text[-1:] in "元¥$€£":
            return "leave the currency sign out"
        if text.isascii() and text[:1].isdigit() and text[1:2] and not _NUMBER.fullmatch(text):
            return "write digits and a decimal point alone"
    if kind.kind == dt.BOOLEAN:
        return "write `true` or `false`"
    if kind.kind == dt.DATE and not _ISO_DATE.fullmatch(text):
        return "write dates as YYYY-MM-DD, or add `--date-format` as `%d.%m.%Y`"
    return None
