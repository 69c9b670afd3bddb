"""The nodes of a source file.

Nodes are composed and never resolved: a scalar's `text` is what was typed (escapes
and line folding undone), and only the schema decides whether it is a number, a
boolean or text. Every node knows its place in the file; a scalar also maps offsets
in its text to places, so that an error inside an expression points at the token.

Nodes are immutable by convention and slotted rather than records: a file may have
a hundred thousand of them, and spans are worked out only when asked for.
"""
from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_right
from itertools import accumulate

from engine.diagnostics import Diagnostic, Span
from engine.source.cooked import Segments, place, segments

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_COMMENT = re.compile(r"[ \t]+#[^\r\n]*")


def normal(name: str) -> str:
    """A name as the language compares it: NFC, outer space dropped, inner runs of space as one."""
    if name.isascii():
        return " ".join(name.split()) if " " in name else name.strip()
    return " ".join(unicodedata.normalize("NFC", name).split())


class Document:
    """A loaded file.

    `name` is the name shown to people, `text` the decoded text without a byte order mark
    (line ends as typed), `root` its node, `problems` what was found wrong while loading.
    With problems that are errors the nodes are a best effort: enough to check further, not to run.
    `root` is set once the file is read.
    """

    __slots__ = ("_starts", "name", "problems", "root", "text")
    root: Node

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name
        self.problems: tuple[Diagnostic, ...] = ()
        self._starts: array[int] | None = None

    @property
    def starts(self) -> array[int]:
        """The index in `text` at which each line starts; lines end at LF, CR LF or CR.

        `splitlines` knows further ends, but none of these is left in a loaded text. The index behind
        a line end that closes the file starts a last, empty line.
        """
        if self._starts is None:
            lines = self.text.splitlines(keepends=True)
            if lines and lines[-1][-1] not in "\r\n":
                lines.pop()
            self._starts = array("q", accumulate(map(len, lines), initial=0))
        return self._starts

    @property
    def lines(self) -> list[str]:
        """The lines of the text, without their ends."""
        return _LINE_BREAK.split(self.text)

    def position(self, index: int) -> tuple[int, int]:
        """Line and column (both from 1, in code points) of an index into `text`."""
        starts = self.starts
        line = bisect_right(starts, index)
        return line, index - starts[line - 1] + 1

    def line_end(self, index: int) -> int:
        """The index at which the line of `index` ends, its line break left out."""
        found = _LINE_BREAK.search(self.text, index)
        return found.start() if found else len(self.text)

    def span(self, start: int, end: int) -> Span:
        """The span of the stretch [start, end) of `text`."""
        line, column = self.position(start)
        if end <= start:
            return Span(self.name, line, column, line, column)
        end_line, end_column = self.position(end)
        return Span(self.name, line, column, end_line, end_column)


class Node:
    """A node of the file: [start, end) are indexes into the document's text."""

    __slots__ = ("document", "end", "in_flow", "start")
    what = "value"

    def __init__(self, document: Document, start: int, end: int, in_flow: bool) -> None:
        self.document = document
        self.start = start
        self.end = end
        self.in_flow = in_flow

    @property
    def span(self) -> Span:
        return self.document.span(self.start, self.end)


class Scalar(Node):
    """A piece of text.

    `style` is plain, single, double, literal or folded; `alias` marks the place of a refused
    alias, whose value is unknown. `in_flow` says whether it stands inside `{...}` or `[...]`.
    `raw` is the text as it stands in the file, quotes included.
    """

    __slots__ = ("_segments", "style", "text")
    what = "text"

    def __init__(self, document: Document, text: str, style: str, start: int, end: int, in_flow: bool) -> None:
        super().__init__(document, start, end, in_flow)
        self.text = text
        self.style = style
        self._segments: Segments | None = None

    @property
    def raw(self) -> str:
        return self.document.text[self.start:self.end]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed (`key:` without a value)."""
        return self.style == "plain" and not self.text

    @property
    def comment(self) -> Span | None:
        """The comment that follows a plain scalar on its last line, blanks included, if there is one."""
        found = _COMMENT.match(self.document.text, self.end) if self.style == "plain" else None
        return self.document.span(found.start(), found.end()) if found else None

    def indexes(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the document's text that holds [start, end) of this scalar's text."""
        if self._segments is None:
            self._segments = segments(self.document.text, self.start, self.end, self.style, self.text)
        return place(self._segments, start, end)

    def locate(self, start: int, end: int) -> Span:
        """The place in the file of [start, end) of `text`, offsets in code points.

        Exact through doubled quotes, escapes, block indentation and folded lines. Offsets
        beyond the text mean its end; an empty stretch gives an empty span.
        """
        return self.document.span(*self.indexes(start, end))

    def __repr__(self) -> str:
        return f"Scalar({self.text!r}, {self.style})"


class Mapping(Node):
    """Keys and values in the order of the file, each key once (a repeated one is a problem and is left out).

    Keys are looked up by their normal form, so `on  missing` is found as `on missing`.
    """

    __slots__ = ("_index", "entries")
    what = "mapping"

    def __init__(self, document: Document, entries: tuple[tuple[Scalar, Node], ...], start: int, end: int,
                 in_flow: bool, index: dict[str, int]) -> None:
        super().__init__(document, start, end, in_flow)
        self.entries = entries
        self._index = index

    def get(self, key: str) -> Node | None:
        """The value under `key`, or None."""
        at = self._index.get(key)
        return None if at is None else self.entries[at][1]

    def key(self, key: str) -> Scalar | None:
        """The node of the key itself, or None."""
        at = self._index.get(key)
        return None if at is None else self.entries[at][0]

    def __contains__(self, key: str) -> bool:
        return key in self._index

    def __repr__(self) -> str:
        return f"Mapping({', '.join(k.text for k, _ in self.entries)})"


class Sequence(Node):
    """Items in the order of the file."""

    __slots__ = ("items",)
    what = "list"

    def __init__(self, document: Document, items: tuple[Node, ...], start: int, end: int, in_flow: bool) -> None:
        super().__init__(document, start, end, in_flow)
        self.items = items

    def __repr__(self) -> str:
        return f"Sequence({len(self.items)} items)"
