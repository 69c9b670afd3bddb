"""A policy's input contract as JSON Schema: what data a customer may bring."""
from __future__ import annotations

from typing import Any

from engine.ir import nodes as ir
from engine.semantics import dtypes as dt
from engine.semantics.declarations import FieldDecl, InputDecl
from engine.semantics.domain import Domain
from engine.semantics.dtypes import Type

_FORMATS = {
    dt.DATE: "date", dt.TIME: "time", dt.DATE_TIME: "date-time",
    dt.DAYS_DURATION: "duration", dt.MONTHS_DURATION: "duration",
}


def input_schema(program: ir.Program) -> dict[str, Any]:
    """JSON Schema 2020-12 of one customer: inputs by declared name, histories under `history`."""
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": program.name,
        "description": f"Inputs of `{program.name}` version {program.version}",
        "type": "object",
        "properties": {decl.name: _input(decl) for decl in program.inputs if not decl.previous},
        "required": [decl.name for decl in program.inputs if decl.required],
    }
    histories = [h for h in program.histories if h.each is None]
    if histories:
        schema["properties"]["history"] = {
            "type": "object",
            "properties": {h.name: _history(h) for h in histories},
        }
    return schema


def _history(history: ir.HistoryDecl) -> dict[str, Any]:
    return {
        "type": ["array", "null"],
        **_described(history.doc),
        "items": {
            "type": "object",
            "properties": {f.name: _field(f) for f in history.fields},
            "required": [f.name for f in history.fields if not f.type.nullable],
        },
    }


def _input(decl: InputDecl) -> dict[str, Any]:
    found = _typed(decl.type, decl.domain, decl.doc)
    if decl.column is not None:
        found["x-column"] = decl.column
    for mark in ("key", "protected", "personal", "monitor_only"):
        if getattr(decl, mark):
            found[f"x-{mark.replace('_', '-')}"] = True
    return found


def _field(decl: FieldDecl) -> dict[str, Any]:
    return _typed(decl.type, decl.domain, decl.doc)


def _typed(kind: Type, domain: Domain | None, doc: str) -> dict[str, Any]:
    name = "number" if kind.kind in dt.NUMERIC else "boolean" if kind.kind == dt.BOOLEAN else "string"
    found: dict[str, Any] = {"type": [name, "null"] if kind.nullable else name, **_described(doc)}
    if kind.kind in _FORMATS:
        found["format"] = _FORMATS[kind.kind]
    if kind.kind == dt.MONEY:
        found["x-money"] = True
    if kind.values is not None:
        found["enum"] = [*kind.values, *([None] if kind.nullable else [])]
    if domain is not None and kind.kind in dt.NUMERIC:
        found.update(_bounds(domain))
    return found


def _bounds(domain: Domain) -> dict[str, Any]:
    """A domain of numbers as JSON Schema: one interval directly, several as alternatives."""
    parts = []
    for interval in domain.intervals:
        part: dict[str, Any] = {}
        if interval.lower is not None:
            part["minimum" if interval.lower_closed else "exclusiveMinimum"] = interval.lower
        if interval.upper is not None:
            part["maximum" if interval.upper_closed else "exclusiveMaximum"] = interval.upper
        parts.append(part)
    return parts[0] if len(parts) == 1 else {"anyOf": parts}


def _described(doc: str) -> dict[str, Any]:
    return {"description": doc} if doc else {}
