"""Edits applied to a text: those that overlap an earlier one wait for the next round."""
from __future__ import annotations

import re
from collections.abc import Iterable

from engine.diagnostics import Edit

#: Start and end in a text, and what is to stand there.
Placed = tuple[int, int, str]

_LINE_BREAK = re.compile(r"\r\n|\r|\n")


class Places:
    """Where lines and columns of a text are."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0, *(m.end() for m in _LINE_BREAK.finditer(text))]

    def index(self, line: int, column: int) -> int:
        return min(self._starts[min(line, len(self._starts)) - 1] + column - 1, len(self.text))

    def located(self, edits: Iterable[Edit]) -> list[Placed]:
        """The edits as (start, end, replacement), those left out that change nothing."""
        placed = [
            (self.index(e.span.line, e.span.column), self.index(e.span.end_line, e.span.end_column), e.replacement)
            for e in edits
        ]
        return [p for p in placed if self.text[p[0]:p[1]] != p[2]]


def made(text: str, placed: Iterable[Placed]) -> str:
    """`text` with edits made from its end to its beginning; one that reaches into one before it is left out, and
    two that insert at one place keep their order."""
    parts: list[str] = []
    at = 0
    for start, end, replacement in sorted(dict.fromkeys(placed), key=lambda p: (p[0], p[1])):
        if start >= at:
            parts += (text[at:start], replacement)
            at = end
    return "".join((*parts, text[at:]))


def applied(text: str, edits: Iterable[Edit]) -> str:
    """`text` with the edits made that do not overlap an earlier one."""
    return made(text, Places(text).located(edits))
