"""A file's text in its canonical form.

The steps, in order: pasted rows become grids (`pasted`), texts that YAML would misread are quoted (`quoting`), and
the whole is laid out (`layout`). The result is read again and compared: keys, values and their order must be the
same, grids cell by cell, or the file is refused.
"""
from __future__ import annotations

import re
from collections.abc import Iterable

from engine.diagnostics import Diagnostic, Edit, Problem
from engine.format.edits import applied
from engine.format.grids import read_lines
from engine.format.layout import Unsettled, laid_out
from engine.format.pasted import with_bars
from engine.format.roles import FEEL, Roles, roles
from engine.source.nodes import load_text
from engine.source.quoting import expression_text
from engine.source.schema import kind as json_kind
from engine.source.tree import Document, Mapping, Node, Scalar, Sequence

#: Expressions in double quotes that may as well be meant as a text: one bare word.
_WORD = re.compile(r"[\w ]+")
#: How often quoting is looked at anew; a fix may bring another to light.
_ROUNDS = 4


def formatted(text: str, name: str) -> str:
    """The canonical form of a file's text.

    Raises `Problem` where the file has faults of YAML, or, as E0910, holds YAML that has no canonical form.
    The line ends of the first line hold for the whole file; a byte order mark goes.
    """
    ends = "\r\n" if re.match(r"[^\n]*\r\n", text) else "\n"
    text = with_bars(re.sub(r"\r\n?", "\n", text.removeprefix("\ufeff")))
    if not text.endswith("\n"):
        text += "\n"                                    # it may end a block, whose last line has a line end
    document = _loaded(text, name)
    for _ in range(_ROUNDS):
        edits = _quoting(document, roles(document))
        if not edits:
            break
        text = applied(text, edits)
        document = _loaded(text, name)
    held = roles(document)
    try:
        result = laid_out(document, held)
    except Unsettled as found:
        raise _unformatted(document, found.index) from None
    again = load_text(result, name)
    if again.problems or not _same(document.root, again.root, held, roles(again)):
        raise _unformatted(document, document.root.start)
    return result if ends == "\n" else result.replace("\n", ends)


def _loaded(text: str, name: str) -> Document:
    document = load_text(text, name)
    errors = [p for p in document.problems if p.is_error]
    if errors:
        raise Problem(*errors)
    return document


def _unformatted(document: Document, index: int) -> Problem:
    end = document.line_end(index)
    return Problem(Diagnostic("E0910", "this file has no canonical form", document.span(index, max(end, index + 1)),
                              help="write it in plain YAML: keys and values, lists with `- `, texts in `|` blocks"))


def _quoting(document: Document, held: Roles) -> list[Edit]:
    """What makes the expressions of a file safe, as far as their meaning is certain."""
    edits: list[Edit] = []
    for scalar in _scalars(document.root):
        if held.kinds.get(scalar.start) != FEEL:
            continue
        for finding in expression_text(scalar):
            if finding.code != "E0020" or not _WORD.fullmatch(scalar.text):
                edits += finding.edits
    return edits


def _scalars(node: Node) -> Iterable[Scalar]:
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Mapping):
        for _, value in node.entries:
            yield from _scalars(value)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _scalars(item)


def same_tree(one: Document, other: Document) -> bool:
    """Whether two files hold the same keys and values in the same order, grids compared by their cells."""
    return _same(one.root, other.root, roles(one), roles(other))


def _same(one: Node, other: Node, ours: Roles, theirs: Roles) -> bool:
    if isinstance(one, Scalar):
        if not isinstance(other, Scalar) or json_kind(one) != json_kind(other):
            return False
        role = ours.kinds.get(one.start) if not one.is_empty else None
        if role == FEEL:
            return [line.rstrip() for line in one.text.split("\n")] == [
                line.rstrip() for line in other.text.split("\n")]
        if role is not None:
            cells, again = read_lines(one.text, role), read_lines(other.text, role)
            return cells == again and (cells is not None or one.text == other.text)
        return one.text == other.text
    if isinstance(one, Mapping):
        return isinstance(other, Mapping) and len(one.entries) == len(other.entries) and all(
            key.text == name.text and _same(v, w, ours, theirs)
            for (key, v), (name, w) in zip(one.entries, other.entries, strict=True))
    return isinstance(one, Sequence) and isinstance(other, Sequence) and len(one.items) == len(other.items) and all(
        _same(v, w, ours, theirs) for v, w in zip(one.items, other.items, strict=True))
