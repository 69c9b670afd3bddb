"""Edits applied to a text: those that overlap an earlier one wait for the next round."""
from __future__ import annotations

import re
from collections.abc import Iterable

from engine.diagnostics import Edit

_LINE_BREAK = re.compile(r"\r\n|\r|\n")


def chosen(text: str, edits: Iterable[Edit]) -> list[tuple[int, int, str]]:
    """The edits that can be made at once: (start, end, replacement) in the order of the text.

    An edit that reaches into one before it is left out, and so is one that changes nothing; two that insert
    at one place keep their order.
    """
    starts = [0, *(m.end() for m in _LINE_BREAK.finditer(text))]

    def index(line: int, column: int) -> int:
        return min(starts[min(line, len(starts)) - 1] + column - 1, len(text))

    places = sorted(
        ((index(e.span.line, e.span.column), index(e.span.end_line, e.span.end_column), e.replacement) for e in edits),
        key=lambda p: (p[0], p[1]),
    )
    kept: list[tuple[int, int, str]] = []
    for place in dict.fromkeys(places):
        start, end, replacement = place
        if text[start:end] == replacement or (kept and start < kept[-1][1]):
            continue
        kept.append(place)
    return kept


def applied(text: str, edits: Iterable[Edit]) -> str:
    """`text` with the edits made from its end to its beginning."""
    for start, end, replacement in reversed(chosen(text, edits)):
        text = text[:start] + replacement + text[end:]
    return text
