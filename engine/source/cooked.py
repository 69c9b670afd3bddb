"""Where each character of a YAML scalar stands in its file.

A scalar's text is not a slice of the file: `''` is one quote, an escape is one
character, block lines lose their indentation and folded lines are joined. The
functions here go through the source of a scalar by YAML's own rules and note, in
runs, which stretch of the text came from which stretch of the file.

Segments are three parallel arrays: offsets in the text, indexes in the file, and
widths. Width 0 is a run of characters that stand in the file one for one; a
positive width is a stretch of the file that yielded the text up to the next
segment as a whole (an escape, a joined line end). The last segment is the end.
"""
from __future__ import annotations

import re
from array import array
from bisect import bisect_right

Segments = tuple["array[int]", "array[int]", "array[int]"]

_BLANK = " \t"
_GAP = r"(?:\r\n|\r|\n)[ \t\r\n]*"
# What does not stand in the file as it stands in the text: a gap between lines, a doubled quote, an escape.
_MARKS = {
    "": re.compile(_GAP),
    "'": re.compile(f"''|{_GAP}"),
    '"': re.compile(rf"\\(?:{_GAP}|x..|u.{{4}}|U.{{8}}|.)|{_GAP}", re.S),
}
_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r",
    "e": "\x1b", " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}


class _Track:
    """Text so far and the segments that explain it."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.length = 0
        self.offsets: array[int] = array("q")
        self.indexes: array[int] = array("q")
        self.widths: array[int] = array("q")

    def run(self, text: str, index: int) -> None:
        """Characters that stand in the file as they are."""
        if text:
            self._note(text, index, 0)

    def joined(self, text: str, index: int, end: int) -> None:
        """Text that the stretch [index, end) of the file yields as a whole."""
        if text:
            self._note(text, index, max(end - index, 1))

    def _note(self, text: str, index: int, width: int) -> None:
        self.offsets.append(self.length)
        self.indexes.append(index)
        self.widths.append(width)
        self.parts.append(text)
        self.length += len(text)


def segments(source: str, start: int, end: int, style: str, text: str) -> Segments:
    """The segments of the scalar whose source is source[start:end] and whose text is `text`.

    Should the walk not arrive at `text` (no known case), the whole scalar is one segment:
    places are then coarse, never wrong.
    """
    track = _Track()
    if style == "plain":
        stop = _flow(track, source, start, end, "")
    elif style in ("single", "double"):
        stop = _flow(track, source, start + 1, end - 1, "'" if style == "single" else '"')
    elif style in ("literal", "folded"):
        stop = _block(track, source, start, end, style == "folded", text)
    else:
        stop = end
    if not "".join(track.parts).startswith(text):
        track = _Track()
        track.joined(text, start, end)
        stop = end
    length = len(text)
    offsets, indexes, widths = track.offsets, track.indexes, track.widths
    while offsets and offsets[-1] >= length:            # line ends that chomping dropped
        stop = indexes[-1]
        del offsets[-1], indexes[-1], widths[-1]
    offsets.append(length)
    indexes.append(stop)
    widths.append(0)
    return offsets, indexes, widths


def place(found: Segments, start: int, end: int) -> tuple[int, int]:
    """Indexes in the file of the stretch [start, end) of the text."""
    offsets, indexes, widths = found
    limit = offsets[-1]
    start = min(max(start, 0), limit)
    end = min(max(end, start), limit)
    at = bisect_right(offsets, start) - 1
    first = indexes[at] + (0 if widths[at] else start - offsets[at])
    if end == start:
        if at and start == limit:                       # the end of the text: behind its last character
            first = _behind(found, limit)
        return first, first
    return first, max(first, _behind(found, end))


def _behind(found: Segments, end: int) -> int:
    """Index in the file behind the character at end - 1."""
    offsets, indexes, widths = found
    at = bisect_right(offsets, end - 1) - 1
    return indexes[at] + (widths[at] or end - offsets[at])


def _flow(track: _Track, source: str, at: int, end: int, quote: str) -> int:
    """Plain and quoted scalars: one line end is a space, further ones are kept, blanks around them go."""
    for match in _MARKS[quote].finditer(source, at, end):
        mark, start = match[0], match.start()
        if mark[0] in "\r\n":
            behind = start
            while behind > at and source[behind - 1] in _BLANK:
                behind -= 1
            track.run(source[at:behind], at)
            breaks = len(_LINE_BREAK.findall(mark))
            track.joined("\n" * (breaks - 1) or " ", behind, match.end())
        else:
            track.run(source[at:start], at)
            track.joined(_meaning(mark), start, match.end())
        at = match.end()
    track.run(source[at:end], at)
    return end


def _meaning(mark: str) -> str:
    """The text of a doubled quote or an escape; an escaped line end is nothing, further ones are kept."""
    if mark == "''":
        return "'"
    code = mark[1]
    if code in "\r\n":
        return "\n" * (len(_LINE_BREAK.findall(mark)) - 1)
    return chr(int(mark[2:], 16)) if code in "xuU" else _ESCAPES.get(code, code)


def _block(track: _Track, source: str, start: int, end: int, folded: bool, text: str) -> int:
    """Literal and folded block scalars. Returns the index behind the last line."""
    header = _LINE.match(source, start)
    assert header is not None                           # the pattern matches anywhere
    indent = _indent(source, header.end(), text)
    held: int | None = None                             # where the line end before, not yet written, stands
    ends = 0                                            # of empty lines since
    gap = header.end()
    blank_before = False
    last = end
    for match in _LINE.finditer(source, header.end()):
        begin, stop = match.span(1)
        if begin > end:
            break
        if stop - begin <= indent and not match[1].strip(" "):
            ends += match.end() > stop
            continue
        content = begin + indent
        if source[begin:content].strip(" "):
            break                                       # less indented: the scalar ended before
        blank = source[content] in _BLANK
        if held is None:
            track.joined("\n" * ends, gap, begin)
        elif folded and not blank_before and not blank:
            track.joined("\n" * ends or " ", held, content)
        else:
            track.joined("\n" * (ends + 1), held, content)
        track.run(source[content:stop], content)
        blank_before = blank
        held, ends = stop, 0
        last = match.end()
    if last > (held or 0) or ends:                      # whatever chomping kept of them
        track.joined("\n" * (ends + (held is not None)), gap if held is None else held, max(last, gap))
    return last


def _indent(source: str, at: int, text: str) -> int:
    """The indentation of a block scalar whose lines start at `at`: what its first line lacks in the text."""
    leading = len(text) - len(text.lstrip("\n"))
    if leading == len(text):
        return len(source)                              # no line has content
    for count, match in enumerate(_LINE.finditer(source, at)):
        if count == leading:
            line = match[1]
            spaces = len(line) - len(line.lstrip(" "))
            return next((n for n in range(spaces + 1) if text.startswith(line[n:], leading)), spaces)
    return 0
