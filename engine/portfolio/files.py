"""Opening data files: places, compression, encodings.

What makes a whole file unusable is a `DataProblem`; what spoils one row is not decided
here. An undecodable byte inside an otherwise readable file comes through as a lone
surrogate, so that only its row is bad.
"""
from __future__ import annotations

import codecs
import gzip
import io
import os
import re
import sys
import zlib
from typing import BinaryIO, cast

from engine.portfolio.problems import DataProblem, reason, shown

#: Bytes looked at before the first row to settle encoding and format.
HEAD = 1 << 16

_UTF8 = frozenset({"utf-8", "utf-8-sig"})


def open_bytes(path: str) -> io.BufferedReader:
    """Open `path` (`-` for standard input, `.gz` read through) with `HEAD` bytes to peek at."""
    try:
        raw: BinaryIO
        if path == "-":
            raw = sys.stdin.buffer
            return io.BufferedReader(cast(io.RawIOBase, _Forward(raw)), HEAD)
        if os.path.isdir(path):
            raise DataProblem(f"`{path}` is a folder", path, help="name the file in it")
        raw = open(path, "rb", buffering=HEAD)
        if path.endswith(".gz"):
            return io.BufferedReader(cast(io.RawIOBase, _Unzipped(raw)), HEAD)
        return cast(io.BufferedReader, raw)
    except FileNotFoundError:
        raise DataProblem(f"there is no file `{path}`", path, help=_neighbour(path)) from None
    except PermissionError:
        raise DataProblem(f"`{path}` may not be read", path, help="ask for permission to read it") from None
    except (OSError, ValueError) as problem:
        raise DataProblem(f"`{path}` cannot be opened: {reason(problem)}", path) from None


def open_text(path: str, encoding: str | None = None) -> io.TextIOWrapper:
    """Open `path` as text with line ends kept.

    Without `encoding` a byte-order mark decides, else the text must be UTF-8; text that reads as
    GB18030 or UTF-16 is refused by that name.
    """
    stream = open_bytes(path)
    try:
        head = peek(stream, path)
        name = _known(encoding, path) if encoding is not None else _settle(head, path)
    except DataProblem:
        stream.close()
        raise
    if name == "utf-8" and head.startswith(codecs.BOM_UTF8):
        name = "utf-8-sig"
    return io.TextIOWrapper(stream, encoding=name, errors="surrogateescape", newline="")


def peek(stream: io.BufferedReader, path: str) -> bytes:
    """The first bytes of a file, not consumed; refuses formats that are no text."""
    try:
        head = stream.peek(HEAD)[:HEAD]
    except UNREADABLE as problem:
        raise DataProblem(f"`{shown(path)}` cannot be read: {reason(problem)}", path) from None
    for magic, what, out in _MAGIC:
        if head.startswith(magic):
            raise DataProblem(f"`{shown(path)}` is {what}, not text", path, help=out)
    return head


#: What reading may raise when a file is damaged or taken away.
UNREADABLE = (OSError, EOFError, zlib.error)

_MAGIC = (
    (b"PK\x03\x04", "a workbook or archive", "save the sheet as CSV (UTF-8) and give that"),
    (b"\xd0\xcf\x11\xe0", "an old workbook", "save the sheet as CSV (UTF-8) and give that"),
    (b"PAR1", "a Parquet file", "give CSV or JSON lines"),
    (b"%PDF", "a PDF", "give CSV or JSON lines"),
    (b"\x1f\x8b", "compressed", "give it a name that ends in `.gz`"),
)


def _known(encoding: str, path: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        "x".encode(name)                                # LookupError for a codec that makes no text, as base64
        return name
    except (LookupError, ValueError):
        raise DataProblem(
            f"no encoding is called `{encoding}`", path, help="common ones are utf-8, gb18030, utf-16, cp1252"
        ) from None


def _settle(head: bytes, path: str) -> str:
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head.count(0) > len(head) // 4:
        little = head[1::2].count(0) >= head[0::2].count(0)
        name = "utf-16-le" if little else "utf-16-be"
        raise DataProblem(
            f"`{shown(path)}` is not UTF-8 text; it reads as UTF-16", path, 1, help=f"add `--encoding {name}`"
        )
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError as problem:
        line = head.count(b"\n", 0, problem.start) + 1
        if _is_gb18030(head):
            raise DataProblem(
                f"`{shown(path)}` is not UTF-8 text; it reads as GB18030", path, line, help="add `--encoding gb18030`"
            ) from None
        if line == 1:
            byte = head[problem.start]
            raise DataProblem(
                f"the header of `{shown(path)}` is not UTF-8 text (byte 0x{byte:02X})", path, line,
                help="name its encoding, as `--encoding cp1252` or `--encoding gb18030`",
            ) from None
    return "utf-8"


def _is_gb18030(head: bytes) -> bool:
    """Whether non-ASCII text is mostly two-byte GB2312: both bytes high. Western one-byte
    encodings rarely have two high bytes in a row."""
    try:
        codecs.getincrementaldecoder("gb18030")().decode(head)
    except UnicodeDecodeError:
        return False
    runs = re.findall(rb"[\x80-\xff]+", head[:-1])
    paired = sum(len(run) for run in runs if len(run) % 2 == 0)
    return paired * 10 >= sum(map(len, runs)) * 8


def _neighbour(path: str) -> str | None:
    """The name in the same folder that differs only in its end or case."""
    folder = os.path.dirname(path) or "."
    wanted = os.path.basename(path)
    if not os.path.isdir(folder):
        return f"there is no folder `{folder}`" if os.path.dirname(path) else None
    stem = wanted.split(".")[0].lower()
    for name in sorted(os.listdir(folder)):
        if name.lower() == wanted.lower() or name.split(".")[0].lower() == stem:
            return f"did you mean `{os.path.join(os.path.dirname(path), name)}`?"
    return None


class _Unzipped(gzip.GzipFile):
    """Closes the file it reads from, which `GzipFile` leaves to its caller."""

    def __init__(self, source: BinaryIO) -> None:
        super().__init__(fileobj=source)
        self._source = source

    def close(self) -> None:
        super().close()
        self._source.close()


class _Forward(io.RawIOBase):
    """Gives standard input a buffer of our size, and leaves it open when that is closed."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        data = self._source.read1(len(buffer)) if hasattr(self._source, "read1") else self._source.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def is_utf8(stream: io.TextIOWrapper) -> bool:
    return stream.encoding in _UTF8
