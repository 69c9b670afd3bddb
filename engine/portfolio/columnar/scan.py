"""A look at the bytes of a text file: may the database read it, or must the one-by-one reader?

The database reads text some twenty times faster, and is trusted with files whose reading leaves nothing to
judge: one kind of line end, no NUL, no quote behind blanks, and for JSON nothing that its parser forgives. Whatever it
then reports as wrong, and any number of rows but that of the lines (an empty line, a record over two), sends the
file to the one-by-one reader too, which tells bad rows from good ones.
"""
from __future__ import annotations

import re

from engine.portfolio.files import UNREADABLE, open_bytes
from engine.portfolio.problems import DataProblem, reason, shown
from engine.records import Record

_CHUNK = 1 << 20
#: Longer lines of JSON go to the one-by-one reader: they have room for a number of more digits than Python reads.
MAX_JSON = 4_300
#: Bytes of a chunk that are seen with the next one too.
_OVERLAP = 256
#: A quote behind blanks opens no field for the one-by-one reader, and does for the database.
_BLANK_QUOTE = re.compile(rb'[,;|\t\r\n][ \t]+"')
_BLANK_BRACE = re.compile(rb",[ \t\r\n]*[}\]]")
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")


class Scan(Record):
    """`lines` of the file, whether each record stands on one of them as far as bytes tell, and how many delimiters
    stand outside of quotes."""

    lines: int
    simple: bool
    crlf: bool
    delimiters: int


def scan(path: str, json: bool, delimiter: str = "") -> Scan:
    """Look at the whole file, of JSON lines or with a CSV's delimiter; `.gz` is read through. Raises DataProblem."""
    sign = delimiter.encode("utf-8")
    quotes = delimiters = 0
    breaks = returns = pairs = opened = longest = begun = 0
    simple = True
    tail = b"\n"                                         # an empty first line is an empty line too
    try:
        with open_bytes(path) as stream:
            while data := stream.read(_CHUNK):
                breaks += data.count(b"\n")
                if b"\r" in data:
                    returns += data.count(b"\r")
                    pairs += (tail[-1:] + data).count(b"\r\n")
                if not json and b'"' in data:
                    parts = data.split(b'"')
                    outside = parts[quotes % 2::2]
                    simple = simple and _placed(parts, quotes % 2, tail[-1:], sign)
                    delimiters += sum(part.count(sign) for part in outside)
                    quotes += len(parts) - 1
                elif not json and quotes % 2 == 0:
                    delimiters += data.count(sign)
                if json:
                    opened += data.count(b"{")
                    first, *others = data.split(b"\n")
                    longest = max(longest, begun + len(first), max(map(len, others), default=0))
                    begun = len(others[-1]) if others else begun + len(first)
                if simple:
                    simple = _plain(tail + data, json)
                tail = data[-_OVERLAP:]
    except UNREADABLE as problem:
        raise DataProblem(f"`{shown(path)}` cannot be read: {reason(problem)}", path) from None
    lines = breaks + (tail[-1:] != b"\n")
    crlf = returns > 0
    if crlf and not (returns == pairs == breaks):
        simple = False
    if longest > MAX_JSON:
        simple = False
    if opened > lines:                                  # objects within objects, which are read but not looked into
        simple = False
    return Scan(lines, simple, crlf, delimiters)


def _placed(parts: list[bytes], inside: int, before: bytes, sign: bytes) -> bool:
    """Whether quotes stand around whole fields: else they are letters, and what they hold is not quoted. `parts` are
    what stands between quotes, of which the first is `inside` (1) or not (0) and follows the byte `before`."""
    outside = parts[inside::2]
    starts = {part[:1] for part in outside[1 - inside:]}
    ends = {part[-1:] for part in (outside if (len(parts) - inside) % 2 == 0 else outside[:-1])}
    if not inside and before == b'"':
        starts.add(parts[0][:1])
    if not inside and not parts[0]:
        ends.add(before)
    return starts <= {b"", sign[:1], b"\n", b"\r"} and ends <= {b"", sign[-1:], b"\n", b'"'}


def _plain(window: bytes, json: bool) -> bool:
    if b"\0" in window:
        return False
    if not json:
        return b'"' not in window or _BLANK_QUOTE.search(window) is None
    if b"[" in window:
        return False
    if b"NaN" in window or b"Infinity" in window:
        return False
    if b"\\u" in window and _HALF.search(window):
        return False
    closes = b",}" in window or b",]" in window or b" }" in window or b" ]" in window or b"\t}" in window
    return not (closes and _BLANK_BRACE.search(window))
