"""What is exchanged: each grid of a file is a sheet, and the parameters of one value share a sheet.

A row is a list of texts. In a grid the bars `||` are a column of their own, so that it shows where results begin;
comments (`// ...`) and blank lines are rows too, and a scorecard begins with the row `base`, its points.
"""
from __future__ import annotations

import re
from collections.abc import Iterable

from engine.format.grids import Line, Lines, read_lines
from engine.format.roles import Place, roles
from engine.records import Record
from engine.source.tree import Document, Mapping, Scalar, normal

#: The sheet that says which sheet is which grid.
INDEX = "tierwise"
INDEX_HEADER = ("sheet", "file", "place", "kind")
#: The kind of the sheet of parameters that have one value.
VALUES = "values"
BARS = "||"

_UNFIT = re.compile(r"[\[\]:*?/\\'\x00-\x1f]")
_FORMS = frozenset({"table", "scorecard", "rules", "worst", "collect", "grid"})


class Sheet(Record):
    """`file` names the YAML file beside the policy, `place` the keys that lead to the grid, joined by ` / `."""

    title: str
    file: str
    place: str
    kind: str
    rows: tuple[tuple[str, ...], ...]


class Source(Record):
    """A file with its sheets and what these are written back to; `unreadable` are grids with faults."""

    name: str
    document: Document
    sheets: tuple[Sheet, ...]
    grids: dict[str, Place]
    values: dict[str, Scalar]
    unreadable: tuple[Place, ...]


def source(document: Document, name: str, taken: set[str]) -> Source:
    """The sheets of a file; `taken` are the titles in use, in lower case, and grows."""
    sheets: list[Sheet] = []
    grids: dict[str, Place] = {}
    unreadable: list[Place] = []
    values = _values(document)
    if values:
        rows = (("name", "value"), *((key, scalar.text) for key, scalar in values.items()))
        sheets.append(Sheet(title("parameters", taken), name, "parameters", VALUES, rows))
    for place in roles(document).grids:
        lines = read_lines(place.scalar.text, place.kind)
        if lines is None:
            unreadable.append(place)
            continue
        key = joined(place.path)
        grids[key] = place
        sheets.append(Sheet(title(called(place.path), taken), name, key, place.kind, rows_of(lines)))
    return Source(name, document, tuple(sheets), grids, values, tuple(unreadable))


def joined(path: Iterable[str]) -> str:
    return " / ".join(path)


def rows_of(lines: Lines) -> tuple[tuple[str, ...], ...]:
    """The rows of a sheet."""
    rows: list[tuple[str, ...]] = []
    for line in lines.lines:
        if isinstance(line, str):
            rows.append(("base", line.removeprefix("base ")) if line.startswith("base ") else (line,) if line else ())
        elif lines.split is None:
            rows.append(line)
        else:
            rows.append((*line[:lines.split], BARS, *line[lines.split:]))
    return tuple(rows)


def lines_of(rows: Iterable[tuple[str, ...]], split: int | None) -> Lines:
    """The lines of rows that are in order: of one length, `||` taken out, texts that stand alone as such."""
    lines: list[Line] = []
    for row in rows:
        if not any(row):
            if lines and lines[-1] != "":
                lines.append("")
        elif row[0].startswith("//"):
            lines.append(row[0])
        elif split is None and row[0] == "base" and not any(isinstance(line, tuple) for line in lines):
            lines.append(f"base {row[1]}")
        else:
            lines.append(row)
    while lines and lines[-1] == "":
        lines.pop()
    return Lines(tuple(lines), split)


def title(wanted: str, taken: set[str]) -> str:
    """A name that a sheet may have and none has yet: at most 31 characters, some of which are not allowed."""
    base = _UNFIT.sub(" ", wanted).strip()[:31] or "sheet"
    found, count = base, 1
    while found.lower() in taken or found.lower() in (INDEX, "history"):
        count += 1
        suffix = f" ({count})"
        found = base[:31 - len(suffix)] + suffix
    taken.add(found.lower())
    return found


def called(path: tuple[str, ...]) -> str:
    names = [part for part in path[1:] if part not in _FORMS]
    return names[-1] if names else path[-1]


def _values(document: Document) -> dict[str, Scalar]:
    """The parameters of one value, by name."""
    root = document.root
    parameters = root.get("parameters") if isinstance(root, Mapping) and "policy" in root else None
    found: dict[str, Scalar] = {}
    for key, node in parameters.entries if isinstance(parameters, Mapping) else ():
        value = node.get("value") if isinstance(node, Mapping) else node
        if isinstance(value, Scalar) and not value.is_empty and "\n" not in value.text:
            if value.style not in ("literal", "folded"):
                found[normal(key.text)] = value
    return found
