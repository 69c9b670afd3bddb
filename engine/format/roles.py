"""Which texts of a file are expressions and which are grids, as its schema says."""
from __future__ import annotations

import json
from typing import Any

from engine import bundled
from engine.records import Record
from engine.source.tree import Document, Mapping, Node, Scalar, Sequence, normal

FEEL = "feel"
GRID = "grid"
SCORECARD = "scorecard"

Schema = dict[str, Any]
_loaded: dict[str, Schema] = {}


class Place(Record):
    """A grid of a file: the keys that lead to it, its scalar, and `grid` or `scorecard`."""

    path: tuple[str, ...]
    scalar: Scalar
    kind: str


class Roles(Record):
    """`kinds` gives the role of the scalar that starts at an index of the file; `grids` are in the file's order."""

    kinds: dict[int, str]
    grids: tuple[Place, ...]


def roles(document: Document) -> Roles:
    """The roles of a policy's or test file's texts; none for other files."""
    name = schema_name(document)
    walker = _Walker()
    if name is not None:
        if name not in _loaded:
            _loaded[name] = json.loads(bundled.schema(name).read_text("utf-8"))
        walker.defs = _loaded[name].get("$defs", {})
        walker.walk(document.root, _loaded[name], ())
    return Roles(walker.kinds, tuple(sorted(walker.grids, key=lambda p: p.scalar.start)))


def schema_name(document: Document) -> str | None:
    """`policy` or `test` by the file's keys."""
    root = document.root
    if not isinstance(root, Mapping):
        return None
    return "policy" if "policy" in root else "test" if "test" in root else None


class _Walker:
    def __init__(self) -> None:
        self.defs: dict[str, Schema] = {}
        self.kinds: dict[int, str] = {}
        self.grids: list[Place] = []

    def walk(self, node: Node, schema: Schema, path: tuple[str, ...]) -> None:
        while "$ref" in schema:
            schema = self.defs[schema["$ref"].removeprefix("#/$defs/")]
        for branch in schema.get("anyOf", ()):
            if "required" not in branch or len(branch) > 1:
                self.walk(node, branch, path)
        if isinstance(node, Scalar):
            self.scalar(node, schema, path)
        elif isinstance(node, Mapping):
            properties: dict[str, Schema] = schema.get("properties", {})
            rest = schema.get("additionalProperties")
            for key, value in node.entries:
                name = normal(key.text)
                inner = properties.get(name, rest if isinstance(rest, dict) else None)
                if inner is not None:
                    self.walk(value, inner, (*path, name))
        elif isinstance(node, Sequence):
            inner = schema.get("items")
            for index, item in enumerate(node.items):
                if isinstance(inner, dict):
                    self.walk(item, inner, (*path, str(index)))

    def scalar(self, node: Scalar, schema: Schema, path: tuple[str, ...]) -> None:
        if node.is_empty or node.style == "alias" or node.start in self.kinds:
            return
        if schema.get("format") == FEEL:
            self.kinds[node.start] = FEEL
        elif schema.get("format") == GRID or (path[:1] == ("parameters",) and len(path) == 2):
            if node.style == "literal":
                kind = SCORECARD if path[-1] == "scorecard" else GRID
                self.kinds[node.start] = kind
                self.grids.append(Place(path, node, kind))
