"""What a report is made of, before it is drawn."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.records import Record

#: How a column's values are shown.
TEXT, COUNT, SHARE, MONEY, NUMBER, DECIMAL = "text", "count", "share", "money", "number", "decimal"


class Figure(Record):
    """One figure with its name, and what to know of it."""

    name: str
    value: Any
    kind: str = COUNT
    note: str = ""


class Figures(Record):
    figures: tuple[Figure, ...]


class Column(Record):
    name: str
    kind: str = TEXT


class Table(Record):
    """Rows under named columns; `note` says what to know of all of them."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str = ""


class Chart(Record):
    """A picture of `rows`. `form` is bars (a length for each category), pairs (two or more for each), lines (over a
    share), curves (over whole numbers) or grid (a shade and a figure for each pair). `fields` name the parts of a row:
    category, value and, in pairs, lines, curves and grids, the series. `says` puts in words what it shows."""

    title: str
    form: str
    fields: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    kind: str = COUNT
    says: str = ""


class Note(Record):
    """A paragraph. `alarm`: something to act on."""

    text: str
    alarm: bool = False


Block = Figures | Table | Chart | Note


class Section(Record):
    """A part of the report under its own heading; `id` names it in links and JSON."""

    id: str
    title: str
    blocks: tuple[Block, ...]


class Report(Record):
    title: str
    description: str
    language: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


def plain(report: Report) -> dict[str, Any]:
    """The report as JSON values."""
    return {
        "version": 1, "title": report.title, "description": report.description, "language": report.language,
        "facts": dict(report.facts), "sections": [
            {"id": s.id, "title": s.title, "blocks": [_plain(b) for b in s.blocks]} for s in report.sections
        ],
    }


def _plain(block: Block) -> dict[str, Any]:
    if isinstance(block, Figures):
        return {"figures": [
            {"name": f.name, "value": f.value, "kind": f.kind, **({"note": f.note} if f.note else {})}
            for f in block.figures
        ]}
    if isinstance(block, Table):
        names = [c.name for c in block.columns]
        return {
            "table": block.title, "columns": [{"name": c.name, "kind": c.kind} for c in block.columns],
            "rows": [dict(zip(names, row, strict=True)) for row in block.rows],
            **({"note": block.note} if block.note else {}),
        }
    if isinstance(block, Chart):
        return {"chart": block.title, "form": block.form, "kind": block.kind, "says": block.says,
                "rows": [dict(zip(block.fields, row, strict=True)) for row in block.rows]}
    return {"note": block.text, "alarm": block.alarm}


def table(title: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]], note: str = "") -> Table:
    """A table from names and kinds."""
    return Table(title, tuple(Column(*c) for c in columns), tuple(tuple(r) for r in rows), note)
