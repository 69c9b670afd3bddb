"""Results out: whole files or none, as CSV or JSON lines."""
from __future__ import annotations

import csv
import datetime
import errno
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, Protocol, TextIO

from engine.portfolio.problems import DataProblem, reason

#: What must hold together with a file's taking its place, given the name under which it was written.
Pledge = Callable[[str], AbstractContextManager[Any]]


class Writer(Protocol):
    def write(self, row: Mapping[str, Any]) -> None: ...


@contextmanager
def output(path: str, pledge: Pledge = nullcontext) -> Iterator[TextIO]:
    """A text stream to `path` (`-` for standard output).

    A file is written under another name beside its place and renamed when the block ends well,
    so that a reader sees the former file or the whole new one. Raises DataProblem.
    """
    if path == "-":
        yield sys.stdout
        sys.stdout.flush()
        return
    if os.path.isdir(path):
        raise DataProblem(f"`{path}` is a folder", path, help="name a file in it")
    try:
        with _replacing(path, pledge) as stream:
            yield stream
    except OSError as problem:
        raise DataProblem(f"`{path}` cannot be written: {reason(problem)}", path) from None


@contextmanager
def _replacing(path: str, pledge: Pledge) -> Iterator[TextIO]:
    """The stream of `output`; raises OSError."""
    if os.path.exists(path) and not os.path.isfile(path):  # a device or pipe has no other name
        with open(path, "w", encoding="utf-8", newline="") as stream:
            yield stream
        return
    with atomic(path, pledge) as draft, open(draft, "w", encoding="utf-8", newline="") as stream:
        yield stream


@contextmanager
def atomic(path: str, pledge: Pledge = nullcontext) -> Iterator[str]:
    """A new, empty file beside `path` to write to. When the block ends well it is brought to the disk and takes the
    place of `path`, within `pledge`, else it goes. Raises OSError."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise OSError(errno.EINVAL, "it is no file", path)      # a device must never be replaced
    folder, name = os.path.split(os.path.abspath(path))
    draft = os.path.join(folder, f".{name}.{os.urandom(4).hex()}.part")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        yield draft
        settle(draft)
        with pledge(draft):
            os.replace(draft, path)
    except BaseException:
        if os.path.exists(draft):
            os.unlink(draft)
        raise
    with suppress(OSError):                             # some file systems open no folder
        settle(folder)


def settle(path: str) -> None:
    """Wait until a file, or a folder's list of names, has reached the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def writer(stream: TextIO, format: str, columns: Sequence[str]) -> Writer:
    """A writer of rows by column name: "csv" (a header, then lists and contexts as JSON) or "jsonl"."""
    return _CsvWriter(stream, columns) if format == "csv" else _JsonWriter(stream, columns)


class _CsvWriter:
    def __init__(self, stream: TextIO, columns: Sequence[str]) -> None:
        self._columns = columns
        self._stream = stream
        self._out = csv.writer(stream, lineterminator="\n")
        self._out.writerow(columns)

    def write(self, row: Mapping[str, Any]) -> None:
        cells = [cell(row.get(name)) for name in self._columns]
        if any("\r" in text for text in cells):         # which the standard library leaves without quotes
            self._stream.write(csv_line(cells))
        else:
            self._out.writerow(cells)


def csv_line(cells: Sequence[str]) -> str:
    """A row of CSV, with its end."""
    return ",".join(map(_quoted, cells)) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in '",\r\n') else text


class _JsonWriter:
    def __init__(self, stream: TextIO, columns: Sequence[str]) -> None:
        self._columns = columns
        self._stream = stream

    def write(self, row: Mapping[str, Any]) -> None:
        self._stream.write(json_text({name: numbered(row.get(name)) for name in self._columns}) + "\n")


def numbered(value: Any) -> Any:
    """A value whose whole numbers are written without a point, whatever an engine computes them with."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    if isinstance(value, dict):
        return {name: numbered(member) for name, member in value.items()}
    return [numbered(item) for item in value] if isinstance(value, (list, tuple)) else value


def json_text(value: Any, indent: int | None = None) -> str:
    """JSON of plain values; dates, times and durations as their ISO text."""
    return json.dumps(value, ensure_ascii=False, default=plain, allow_nan=False, indent=indent)


def plain(value: Any) -> Any:
    """What JSON has no form for, as text."""
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return days_text(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, tuple):
        return list(value)
    return str(value)


def days_text(value: datetime.timedelta) -> str:
    """A duration as ISO text: `P3D`, `-P1DT2H`, `PT0S`."""
    total = abs(value)
    hours, rest = divmod(total.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    exact = f"{seconds}.{total.microseconds:06d}".rstrip("0") if total.microseconds else str(seconds)
    time = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M")) if n)
    time += f"{exact}S" if exact != "0" else ""
    text = (f"{total.days}D" if total.days else "") + (f"T{time}" if time else "")
    return ("-" if value < datetime.timedelta(0) else "") + "P" + (text or ("0D" if not time else ""))


def cell(value: Any) -> str:
    """A CSV cell: empty for null, whole numbers without a point, lists and contexts as JSON."""
    if value is None:
        return ""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, tuple)) and all(isinstance(v, str) and ";" not in v for v in value):
        return ";".join(value)
    if isinstance(value, (list, tuple, dict)):
        return json_text(numbered(value))
    return str(plain(value))
