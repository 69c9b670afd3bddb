"""The edits that findings carry, made in a file's text."""
from __future__ import annotations

from collections.abc import Iterable

from engine.diagnostics import Diagnostic, Problem, Span
from engine.format.edits import Placed, Places, made
from engine.format.guess import is_question, is_slip
from engine.format.pasted import with_bars
from engine.records import Record
from engine.source.nodes import load_text


class Mend(Record):
    """What was changed for a finding; `now` is what stands there now, where that is one short text."""

    message: str
    span: Span | None
    now: str | None = None


class Mended(Record):
    """A file's text with what was mended; empty `mends` where nothing could be."""

    text: str
    mends: tuple[Mend, ...]


def mended(text: str, name: str, diagnostics: Iterable[Diagnostic]) -> Mended:
    """The text of the file called `name` with one round of edits.

    The edits of one finding are made together or not at all; of two findings whose edits overlap the later one
    waits for the next round. A finding whose edits would make a file that YAML reads into one that it does not
    is passed over, and so is one that asks which name was meant where more than a slip lies between. Rows pasted
    from a spreadsheet become grids where something is wrong with the file.
    """
    found = list(dict.fromkeys(
        d for d in diagnostics if d.edits and all(e.span.file == name for e in d.edits)))
    places = Places(text)
    kept: list[tuple[Diagnostic, list[Placed]]] = []
    taken: list[Placed] = []
    for diagnostic in found:
        edits = places.located(diagnostic.edits)
        if is_question(diagnostic) and not all(
                is_slip(diagnostic, text[start:end], meant) for start, end, meant in edits):
            continue
        new = [e for e in edits if e not in taken]
        if new and not any(_overlap(e, other) for e in new for other in taken):
            kept.append((diagnostic, new))
            taken += new
    result = made(text, taken)
    if _reads(text, name) and not _reads(result, name):
        kept = [(d, edits) for d, edits in kept if _reads(made(text, edits), name)]
        result = made(text, [e for _, edits in kept for e in edits])
        if not _reads(result, name):                    # sound alone and not together: the first, then look again
            kept = kept[:1]
            result = made(text, kept[0][1])
    mends = [Mend(d.message, d.span, _now(d)) for d, _ in kept]
    if "\t" in text:
        grids = with_bars(result)
        if grids != result:
            mends.append(Mend("rows pasted from a spreadsheet are a grid now", None))
            result = grids
    return Mended(result, tuple(mends))


def _overlap(one: Placed, other: Placed) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _now(diagnostic: Diagnostic) -> str | None:
    replacement = diagnostic.edits[0].replacement
    short = len(diagnostic.edits) == 1 and 0 < len(replacement.strip()) <= 60 and "\n" not in replacement
    short = short and replacement.strip() != ":"
    return replacement.strip() if short else None


def _reads(text: str, name: str) -> bool:
    try:
        load_text(text, name)
    except Problem:
        return False
    return True
