"""Data of a test file, read by the types that the policy declares.

A `Datum` is a piece of text at a place, a YAML scalar or a cell. The file keeps the text as typed, so `3.10`
is a text under `type: string` and a number under `type: number`, where `30%` and `500万` are read too.
"""
from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from typing import Any

from engine.check.plain import NotReadable, read
from engine.check.scope import closest
from engine.policytest.model import Placed
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.source.nodes import Mapping, Node, Scalar, Sequence, normal

_NULL = frozenset({"", "null", "~"})


class Datum(Record):
    """`text` as typed, None for null; `is_cell`: double quotes around it are not part of a text."""

    text: str | None
    place: Placed
    is_cell: bool = False


class Field(Record):
    """A name and what stands under it."""

    name: Datum
    value: Datum | Node


def datum(node: Scalar) -> Datum:
    """A YAML scalar's text, None where it is null."""
    return Datum(None if node.style == "plain" and node.text in _NULL else node.text, node)


def fields(node: Node | None) -> list[Field]:
    """The entries of a mapping, none where it is absent or no mapping."""
    if not isinstance(node, Mapping):
        return []
    return [
        Field(Datum(normal(key.text), key), datum(value) if isinstance(value, Scalar) else value)
        for key, value in node.entries
    ]


def names(value: Datum | Node | None) -> list[Datum] | None:
    """A name or list of names, None where it is absent. A cell has them between commas, `none` for an empty list."""
    if isinstance(value, Scalar):
        value = datum(value)
    if isinstance(value, Datum):
        if value.text is None or not value.is_cell:
            return [] if value.text is None else [Datum(normal(value.text), value.place)]
        if value.text.strip() == "none":
            return []
        return [Datum(normal(part), value.place, True) for part in value.text.split(",")]
    if isinstance(value, Sequence):
        found = [datum(item) for item in value.items if isinstance(item, Scalar)]
        return [Datum(normal(d.text or ""), d.place) for d in found]
    return None


def scalar(value: Datum, kind: Type) -> Any:
    """The value of a text under `kind`, None for null; raises NotReadable."""
    text = value.text
    if text is None:
        return None
    if kind.kind == dt.STRING and not value.is_cell:
        return text
    if kind.kind not in dt.DECLARABLE:
        raise NotReadable(f"`{text}` is not {_what(kind)}", _way(kind))
    return read(text, kind)


def outcome(value: Datum | Node, kind: Type) -> Any:
    """An expected outcome under the static type `kind` of its decision; raises NotReadable."""
    if isinstance(value, Scalar):
        value = datum(value)
    if isinstance(value, Datum):
        if value.text is not None and kind.kind == dt.LIST and value.is_cell:
            return _cells(value, kind)
        found = scalar(value, kind)
        _among(found, kind)
        return found
    if isinstance(value, Sequence):
        if kind.kind != dt.LIST:
            raise NotReadable(f"this is a list, where {_what(kind)} is expected", "write a single value")
        return [outcome(item, kind.item or Type(dt.ANY)) for item in value.items]
    if kind.kind != dt.CONTEXT:
        raise NotReadable(f"this has fields, where {_what(kind)} is expected", _way(kind))
    return _members(value, kind)


def _members(value: Node, kind: Type) -> AnyMapping[str, Any]:
    found = {}
    for field in fields(value):
        name = field.name.text or ""
        member = kind.field(name)
        if member is None:
            known = [n for n, _ in kind.fields or ()]
            near = closest(name, known)
            way = f"did you mean `{near}`?" if near else "they are " + ", ".join(f"`{n}`" for n in known)
            raise NotReadable(f"there is no `{name}` among the fields", way)
        found[name] = outcome(field.value, member)
    return found


def _cells(value: Datum, kind: Type) -> list[Any]:
    text = value.text or ""
    if text.strip() == "none":
        return []
    return [outcome(Datum(part.strip(), value.place, True), kind.item or Type(dt.ANY)) for part in text.split(",")]


def _among(value: object, kind: Type) -> None:
    if kind.values is None or value is None or value in kind.values:
        return
    near = closest(str(value), kind.values)
    listing = ", ".join(f"`{v}`" for v in kind.values[:12])
    message = f"`{value}` is not one of the values"
    raise NotReadable(message, f"did you mean `{near}`?" if near else f"the values are {listing}")


def _what(kind: Type) -> str:
    if kind.kind == dt.LIST:
        return "a list"
    if kind.kind == dt.CONTEXT:
        return "a mapping"
    return f"a {kind.kind}" if kind.kind in dt.DECLARABLE else "a value of this decision"


def _way(kind: Type) -> str:
    if kind.kind == dt.LIST:
        return "write a list, `[]` for an empty one"
    if kind.kind == dt.CONTEXT:
        return "write `{" + ", ".join(f"{n}: ..." for n, _ in kind.fields or ()) + "}`"
    return "write a single value"
