"""Rows of CSV and JSON lines, good and bad, each with the line on which it begins.

One bad row never costs another: after a fault reading goes on at the next line. Only
where no row can be trusted (no header, two columns of one name, hundreds of stray
quotes) the table ends in a `DataProblem`.
"""
from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections import deque
from collections.abc import Iterator
from typing import Any

from engine.portfolio.files import UNREADABLE, is_utf8, open_text
from engine.portfolio.problems import DataProblem, reason, shown
from engine.records import Record

MAX_LINE = 1_000_000
MAX_COLUMNS = 10_000
#: Quotes that were never closed and cost a second reading of the lines behind them.
MAX_RECOVERIES = 100

_DELIMITERS = (";", "\t", "|", ",")
_NAMED = {"\t": "tab", ";": "`;`", "|": "`|`", ",": "`,`"}


class Row(Record):
    """A good row: `cells` are texts in the header's order (CSV) or members by name (JSON)."""

    line: int
    cells: list[str] | dict[str, Any]


class BadRow(Record):
    """A row that cannot be taken; `cells` are what could be read of it, `text` its first line."""

    line: int
    message: str
    help: str | None
    cells: list[str] | dict[str, Any]
    text: str


class Table:
    """An open table. `columns` are a CSV's names, normalised; empty for JSON lines."""

    def __init__(self, path: str, stream: io.TextIOWrapper, columns: tuple[str, ...]) -> None:
        self.path = path
        self.name = shown(path)
        self.columns = columns
        #: How it is read: the encoding's name, a CSV's delimiter, and the lines before the first row.
        self.encoding = stream.encoding
        self.delimiter = ""
        self.before = 0
        self._stream = stream

    def __iter__(self) -> Iterator[Row | BadRow]:
        raise NotImplementedError

    def __enter__(self) -> Table:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


def open_table(
    path: str, *, format: str | None = None, encoding: str | None = None, delimiter: str | None = None
) -> Table:
    """Open a CSV or JSON lines file; `format` is "csv" or "jsonl", settled by name or content if None.

    The table is a context manager. Raises DataProblem.
    """
    stream = open_text(path, encoding)
    try:
        return _table(path, stream, format, delimiter)
    except DataProblem:
        stream.close()
        raise


def _table(path: str, stream: io.TextIOWrapper, format: str | None, delimiter: str | None) -> Table:
    lines = _Lines(stream, path)
    first = lines.first()
    chosen = format or _by_name(path) or ("jsonl" if first.lstrip()[:1] in ("{", "[") else "csv")
    if chosen == "jsonl":
        if first.strip() in ("{", "["):
            raise DataProblem(
                f"`{shown(path)}` is one JSON value over many lines", path, 1, help="write one object a line"
            )
        if first.lstrip().startswith("["):
            raise DataProblem(f"`{shown(path)}` is a JSON list", path, 1, help="write one object a line, without `[`")
        return _JsonLines(path, stream, lines)
    return _Csv(path, stream, lines, delimiter or ("\t" if ".tsv" in path[-7:] else None))


def normalise(name: str) -> str:
    """A column's name as names are compared: NFC, single inner spaces, none around."""
    return unicodedata.normalize("NFC", " ".join(name.split()))


class _Csv(Table):
    def __init__(self, path: str, stream: io.TextIOWrapper, lines: _Lines, delimiter: str | None) -> None:
        super().__init__(path, stream, ())
        self._lines = lines
        self.delimiter = delimiter or ","
        self._reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        self.columns = self._header(delimiter)
        self.before = lines.number

    def _header(self, delimiter: str | None) -> tuple[str, ...]:
        line, cells, fault = self._next()
        while cells == []:
            line, cells, fault = self._next()
        if cells is None and fault is None:
            raise DataProblem(f"`{self.name}` is empty", self.path, help="the first line names the columns")
        if cells is None:
            raise DataProblem(f"the header cannot be read: {fault}", self.path, line)
        if self._lines.flawed():
            raise DataProblem("the header holds a byte that is no text", self.path, line)
        if len(cells) == 1 and delimiter is None:
            others = [d for d in _DELIMITERS if d != "," and d in cells[0]]
            if others:
                raise DataProblem(
                    f"the header is a single column; {_NAMED[others[0]]} seems to separate them", self.path, line,
                    help=f"add `--delimiter {'tab' if others[0] == chr(9) else repr(others[0])}`",
                )
        if len(cells) == 1 and delimiter not in (None, ",") and cells[0].count(",") > 1:
            raise DataProblem(
                "the header is a single column; `,` seems to separate them", self.path, line,
                help="leave `--delimiter` out",
            )
        if len(cells) > MAX_COLUMNS:
            raise DataProblem(f"the header has more than {MAX_COLUMNS:,} columns", self.path, line)
        names = tuple(normalise(cell) for cell in cells)
        seen: dict[str, int] = {}
        for place, name in enumerate(names, start=1):
            if name and name in seen:
                raise DataProblem(
                    f"columns {seen[name]} and {place} are both called `{name}`", self.path, line,
                    help="rename or drop one of them",
                )
            seen[name] = place
        return names

    def _next(self) -> tuple[int, list[str] | None, str | None]:
        """Line, cells and fault of the next record; neither cells nor fault at the end."""
        self._lines.begin()
        try:
            return self._lines.start, next(self._reader), None
        except StopIteration:
            return self._lines.start, None, None
        except csv.Error as problem:
            line = self._lines.start
            spanned = len(self._lines.taken) > 1
            if spanned:
                self._lines.back_to_second()
            return line, None, _csv_fault(str(problem), spanned)

    def __iter__(self) -> Iterator[Row | BadRow]:
        width = len(self.columns)
        lines = self._lines
        while True:
            line, cells, fault = self._next()
            if fault is not None:
                text = lines.taken[0] if lines.taken else ""
                rough = _rough(text, self.delimiter)
                yield BadRow(line, fault, "quotes within a quoted field are doubled", rough, text)
            elif cells is None:
                return
            elif not cells:
                continue
            elif flaw := lines.flawed():
                yield BadRow(line, flaw[0], flaw[1], cells, lines.taken[0])
            elif len(cells) != width:
                yield BadRow(
                    line, f"{count(len(cells), 'field')} where the header has {width}",
                    "a field that holds the delimiter is quoted" if len(cells) > width else None, cells, lines.taken[0],
                )
            else:
                yield Row(line, cells)


class _JsonLines(Table):
    def __init__(self, path: str, stream: io.TextIOWrapper, lines: _Lines) -> None:
        super().__init__(path, stream, ())
        self._lines = lines

    def __iter__(self) -> Iterator[Row | BadRow]:
        lines = self._lines
        while True:
            lines.begin()
            text = next(lines, None)
            if text is None:
                return
            if not text.strip():
                continue
            if flaw := lines.flawed():
                yield BadRow(lines.start, flaw[0], flaw[1], {}, text)
                continue
            try:
                value = parse_json(text)
            except JsonFault as fault:
                yield BadRow(lines.start, f"{fault.message} (column {fault.column})", fault.help, {}, text)
                continue
            if not isinstance(value, dict):
                yield BadRow(lines.start, "the line is not a JSON object", None, {}, text)
                continue
            yield Row(lines.start, {normalise(name): member for name, member in value.items()})


class JsonFault(Exception):
    """Why a text is not the JSON we take, with its line and column from 1."""

    def __init__(self, message: str, line: int, column: int, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.help = help


def parse_json(text: str) -> Any:
    """A JSON value; raises JsonFault. Repeated members, NaN, infinities and halves of characters are refused."""
    try:
        value = json.loads(text, object_pairs_hook=_members, parse_constant=_no_constant)
        if _HALF.search(text):                          # most are halves of a pair, which is one character
            _refuse_halves(value)
        return value
    except json.JSONDecodeError as problem:
        message = _JSON_FAULTS.get(problem.msg.split(":")[0].split(" at")[0], problem.msg.lower())
        raise JsonFault(f"the JSON is broken: {message}", problem.lineno, problem.colno) from None
    except _Refused as refused:
        at = max(0, text.lower().find(refused.text.lower()))
        line = text.count("\n", 0, at) + 1
        raise JsonFault(refused.message, line, at - text.rfind("\n", 0, at), refused.help) from None
    except RecursionError:
        raise JsonFault("the JSON is nested too deeply", 1, 1) from None
    except ValueError:  # an integer of thousands of digits
        raise JsonFault("a number has too many digits", 1, 1) from None


#: An escape for one half of a character beyond U+FFFF.
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def _refuse_halves(value: Any) -> None:
    """Raise where a text holds half a character: it has no form in any encoding."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as problem:
        half = f"\\u{ord(problem.object[problem.start]):04x}"
        raise _Refused(half, f"`{half}` is half a character", "write both halves, or the character itself") from None


class _Refused(Exception):
    def __init__(self, text: str, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.text = text
        self.message = message
        self.help = help


_JSON_FAULTS = {
    "Expecting value": "a value should stand here",
    "Expecting ',' delimiter": "`,` should stand here",
    "Expecting '": "`:` should stand here",
    "Expecting property name enclosed in double quotes": "a name in double quotes should stand here",
    "Illegal trailing comma before end of object": "a comma stands before `}`",
    "Illegal trailing comma before end of array": "a comma stands before `]`",
    "Unterminated string starting": "the text that begins here is never closed",
    "Extra data": "more follows after the value",
    "Invalid control character": "a line break or control character stands within a text",
    "Invalid \\\\escape": "`\\` begins no known escape",
}


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _Refused(f'"{name}"', f"`{name}` stands twice in one object")
            seen.add(name)
    return found


def _no_constant(text: str) -> float:
    raise _Refused(text, f"`{text}` is no number of JSON", "write null where a number is missing")


class _Lines(Iterator[str]):
    """The lines of a stream, numbered, bounded in length, and able to go back within a record."""

    def __init__(self, stream: io.TextIOWrapper, path: str) -> None:
        self._stream = stream
        self._path = path
        self._pending: deque[str] = deque()
        self._recoveries = 0
        self.number = 0
        self.start = 1
        self.taken: list[str] = []

    def first(self) -> str:
        """The first line, not consumed; "" where there is none."""
        line = next(self, None)
        if line is None:
            return ""
        self._pending.appendleft(line)
        self.number = 0
        return line

    def begin(self) -> None:
        """A record begins at the next line."""
        self.start = self.number + 1
        self.taken = []

    def back_to_second(self) -> None:
        """Give back all lines of this record but the first."""
        self._recoveries += 1
        if self._recoveries > MAX_RECOVERIES:
            raise DataProblem(
                f"more than {MAX_RECOVERIES} quotes are never closed", self._path, self.start,
                help="check the delimiter and the quotes of the file",
            )
        self._pending.extendleft(reversed(self.taken[1:]))
        self.number = self.start
        self.taken = self.taken[:1]

    def flawed(self) -> tuple[str, str | None] | None:
        """Message and help where a line of this record holds what is no text."""
        for line in self.taken:
            if "\0" in line:
                return "the row holds a NUL character", None
            if not line.isascii():
                try:
                    line.encode("utf-8")
                except UnicodeEncodeError as problem:
                    byte = ord(line[problem.start]) - 0xDC00
                    name = "UTF-8" if is_utf8(self._stream) else self._stream.encoding.upper()
                    return f"the row is not {name} text (byte 0x{byte:02X})", "name the file's `--encoding`"
        return None

    def __next__(self) -> str:
        if self._pending:
            line = self._pending.popleft()
        else:
            try:
                line = self._stream.readline(MAX_LINE)
            except UnicodeError:
                raise DataProblem(
                    f"the text is not {self._stream.encoding.upper()}", self._path, self.number + 1,
                    help="name another `--encoding`",
                ) from None
            except UNREADABLE as problem:
                raise DataProblem(f"reading stopped: {reason(problem)}", self._path, self.number + 1) from None
            if not line:
                raise StopIteration
            if len(line) == MAX_LINE:
                raise DataProblem(f"the line is longer than {MAX_LINE:,} characters", self._path, self.number + 1)
        self.number += 1
        self.taken.append(line)
        return line


def _csv_fault(text: str, spanned: bool) -> str:
    if "unexpected end" in text or spanned:
        return "a quote is opened and never closed"
    if "field larger" in text:
        return f"a field is longer than {csv.field_size_limit():,} characters"
    if "expected after" in text:
        return "text follows a closing quote"
    return "the row is not CSV"


def _rough(text: str, delimiter: str) -> list[str]:
    """The first cells of a broken row, for its key."""
    return text.split('"')[0].rstrip("\r\n").split(delimiter)


def count(number: int, noun: str) -> str:
    """`1 row`, `2,000 rows`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _by_name(path: str) -> str | None:
    name = path.removesuffix(".gz").lower()
    if name.endswith((".csv", ".tsv", ".txt")):
        return "csv"
    return "jsonl" if name.endswith((".jsonl", ".ndjson", ".json")) else None
