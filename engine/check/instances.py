"""`instance of` with what a type holds, told from static types."""
from __future__ import annotations

from collections.abc import Callable

from engine.semantics import dtypes as dt
from engine.semantics.conformance import KINDS
from engine.semantics.dtypes import Type
from engine.syntax import ast


def holds(node: ast.Node | None, kind: Type, wanted: ast.TypeName, type_of: Callable[[ast.Node], Type]) -> bool | None:
    """Whether a value that is not null is of a type; None where its static type does not tell. `node` is the
    value's own where it is at hand: a literal shows its parts. Within a list or context null is of every type."""
    if wanted.name == "Any":
        return True
    base = KINDS.get(wanted.name)
    if base is None or kind.kind == dt.ANY:
        return None
    if base != kind.kind:
        return False
    if not wanted.arguments and wanted.result is None:
        return True
    if base == dt.LIST:
        return _list(node, kind, wanted.arguments[0][1], type_of)
    if base == dt.CONTEXT:
        return _all([_member(node, kind, name, inner, type_of) for name, inner in wanted.arguments])
    return None


def _list(node: ast.Node | None, kind: Type, inner: ast.TypeName, type_of: Callable[[ast.Node], Type]) -> bool | None:
    if isinstance(node, ast.ListLiteral):
        return _all([_part(item, type_of(item), inner, type_of) for item in node.items])
    item = kind.item
    found = None if item is None else holds(None, item, inner, type_of)
    return True if found else None                      # a list may be empty, or hold nothing but null


def _member(
    node: ast.Node | None, kind: Type, name: str, wanted: ast.TypeName, type_of: Callable[[ast.Node], Type]
) -> bool | None:
    if isinstance(node, ast.ContextLiteral):
        values = [e.value for e in node.entries if e.key == name]
        return _part(values[-1], type_of(values[-1]), wanted, type_of) if values else False
    if kind.fields is None:
        return None
    field = kind.field(name)
    return False if field is None else _part(None, field, wanted, type_of)


def _part(
    node: ast.Node | None, kind: Type, wanted: ast.TypeName, type_of: Callable[[ast.Node], Type]
) -> bool | None:
    if kind.kind == dt.NULL:
        return True
    found = holds(node, kind, wanted, type_of)
    return None if kind.nullable and found is False else found


def _all(parts: list[bool | None]) -> bool | None:
    if False in parts:
        return False
    return None if None in parts else True
