"""Where each character of a YAML scalar stands in its file.

A scalar's text is not a slice of the file: `''` is one quote, an escape is one
character, block lines lose their indentation and folded lines are joined. The
functions here go through the source of a scalar by YAML's own rules and note, in
runs, which stretch of the text came from which stretch of the file.

Segments are three parallel lists: offsets in the text, indexes in the file, and
widths. Width 0 is a run of characters that stand in the file one for one; a
positive width is a stretch of the file that yielded the text up to the next
segment as a whole (an escape, a joined line end). The last segment is the end.
"""
from __future__ import annotations

from bisect import bisect_right

Segments = tuple[list[int], list[int], list[int]]

_BLANK = " \t"
_BREAK = "\r\n"
_WIDE_ESCAPES = {"x": 2, "u": 4, "U": 8}
_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r",
    "e": "\x1b", " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}


class _Track:
    """Text so far and the segments that explain it."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.length = 0
        self.offsets: list[int] = []
        self.indexes: list[int] = []
        self.widths: list[int] = []

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


def _line_end(source: str, at: int) -> int:
    """Index behind the line break at `at`."""
    return at + 2 if source.startswith("\r\n", at) else at + 1


def _flow(track: _Track, source: str, at: int, end: int, quote: str) -> int:
    """Plain and quoted scalars: one line end is a space, further ones are kept, blanks around them go."""
    while at < end:
        run = at
        escaped_break = False
        while at < end and source[at] not in _BLANK and source[at] not in _BREAK:
            if quote == "'" and source.startswith("''", at):
                track.run(source[run:at], run)
                track.joined("'", at, at + 2)
                at = run = at + 2
            elif quote == '"' and source[at] == "\\":
                track.run(source[run:at], run)
                code = source[at + 1] if at + 1 < end else ""
                if code in _BREAK:
                    at = run = _line_end(source, at + 1)
                    escaped_break = True
                    break
                size = _WIDE_ESCAPES.get(code)
                stop = at + 2 + (size or 0)
                track.joined(chr(int(source[at + 2:stop], 16)) if size else _ESCAPES.get(code, code), at, stop)
                at = run = stop
            else:
                at += 1
        track.run(source[run:at], run)
        gap = at
        breaks = 0
        first_break = at
        while at < end and source[at] in " \t\r\n":
            if source[at] in _BREAK:
                if not breaks:
                    first_break = at
                breaks += 1
                at = _line_end(source, at)
            else:
                at += 1
        if escaped_break:
            track.joined("\n" * breaks, gap, at)
        elif not breaks:
            track.run(source[gap:at], gap)
        elif breaks == 1:
            track.joined(" ", gap, at)
        else:
            track.joined("\n" * (breaks - 1), first_break, at)
    return end


def _block(track: _Track, source: str, start: int, end: int, folded: bool, text: str) -> int:
    """Literal and folded block scalars. Returns the index behind the last line."""
    at = start
    while at < end and source[at] not in _BREAK:        # the header line
        at += 1
    if at >= end:
        return end
    at = _line_end(source, at)
    lines: list[tuple[int, int, int]] = []              # start, end of content, start of the next line
    while at < len(source) and at <= end:
        stop = at
        while stop < len(source) and source[stop] not in _BREAK:
            stop += 1
        following = _line_end(source, stop) if stop < len(source) else stop
        lines.append((at, stop, following))
        if following == at:
            break
        at = following
    indent = _indent(source, lines, text)
    held: tuple[int, int] | None = None                 # the line end before, not yet written
    blank_before = False
    breaks: list[tuple[int, int]] = []                  # ends of empty lines since
    last = end
    for begin, stop, following in lines:
        content = begin + indent
        if stop - begin <= indent and not source[begin:stop].strip(" "):
            if following > stop:
                breaks.append((stop, following))
            continue
        if source[begin:content].strip(" "):
            break                                       # less indented: the scalar ended before
        blank = source[content] in _BLANK
        if held is not None:
            if not folded or blank_before or blank:
                _line_break(track, held)
            elif not breaks:
                track.joined(" ", held[0], content)
            for one in breaks:
                _line_break(track, one)
        else:
            for one in breaks:
                _line_break(track, one)
        breaks = []
        blank_before = blank
        track.run(source[content:stop], content)
        held = (stop, following) if following > stop else None
        last = following
    for one in ([held] if held else []) + breaks:       # whatever chomping kept of them
        _line_break(track, one)
    return last


def _line_break(track: _Track, where: tuple[int, int]) -> None:
    if where[1] - where[0] == 1:
        track.run("\n", where[0])
    else:
        track.joined("\n", *where)


def _indent(source: str, lines: list[tuple[int, int, int]], text: str) -> int:
    """The indentation of a block scalar: what its first line of content lacks in the text."""
    leading = len(text) - len(text.lstrip("\n"))
    if leading >= len(lines) or leading == len(text):
        return max((stop - begin for begin, stop, _ in lines if not source[begin:stop].strip(" ")), default=0)
    begin, stop, _ = lines[leading]
    line = source[begin:stop]
    spaces = len(line) - len(line.lstrip(" "))
    return next((n for n in range(spaces + 1) if text.startswith(line[n:], leading)), spaces)
