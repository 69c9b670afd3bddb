"""The reference of the hooks: each hook and each shape that it gives, from `engine/hookspecs.py` itself."""
from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from collections.abc import Iterator
from typing import Any

from engine import hookspecs, sql_form
from engine.hookspecs import Hooks

#: The shapes by what they serve, in the order of reading; the first of each is what the hook gives.
SHAPES: dict[str, tuple[str, ...]] = {
    "register_sources": ("SourceKind", "Source", "Table", "Field"),
    "register_scorers": ("ScorerKind", "Scorer", "ScorerDescription", "Score"),
    "register_functions": ("Function",),
    "register_sinks": ("SinkKind", "Sink"),
    "register_report_sections": ("ReportSection", "ReportTable", "ReportChart", "ReportNote"),
    "register_commands": ("Command",),
}
COMMON = ("Setting", "Settings", "PluginFailure")


def hooks() -> list[str]:
    return [name for name in vars(Hooks) if not name.startswith("_")]


def reference() -> str:
    parts = []
    for hook in hooks():
        parts.append(f"## `{hook}()`\n\n{_doc(getattr(Hooks, hook))} {_gives(hook)}\n")
        parts += [_shape(name) for name in SHAPES[hook]]
        if hook == "register_functions":
            signature = str(inspect.signature(sql_form)).replace("'", "")
            parts.append(f"### `tierwise.sql_form{signature}`\n\n{_doc(sql_form)}\n")
    parts.append("## What all of them use\n")
    parts += [_shape(name) for name in COMMON]
    return "\n".join(parts)


def _gives(hook: str) -> str:
    return f"Returns a list of `tierwise.{SHAPES[hook][0]}`."


def _shape(name: str) -> str:
    item = getattr(hookspecs, name)
    parts = [f"### `tierwise.{name}`\n\n{_doc(item)}\n"]
    rows = list(_fields(item)) if dataclasses.is_dataclass(item) else list(_methods(item))
    if rows:
        parts.append("| | |\n|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _fields(item: Any) -> Iterator[str]:
    comments = _comments(item)
    for field in dataclasses.fields(item):
        default = ""
        if field.default is not dataclasses.MISSING and field.default not in ("", ()):
            default = f" = {field.default!r}"
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        shown = f"`{field.name}: {field.type}{default}`".replace("|", "\\|")
        yield f"| {shown} | {comments.get(field.name, '') or ('required' if required else '')} |"


def _methods(item: Any) -> Iterator[str]:
    for name, method in vars(item).items():
        if not name.startswith("_") and inspect.isfunction(method):
            signature = re.sub(r"\bself(, )?", "", str(inspect.signature(method))).replace("'", "").replace("|", "\\|")
            yield f"| `{name}{signature}` | {_doc(method)} |"


def _comments(item: Any) -> dict[str, str]:
    """The `#:` comments above the fields of a class."""
    source = inspect.getsource(item)
    lines = source.splitlines()
    (body,) = ast.parse(inspect.cleandoc(source)).body
    assert isinstance(body, ast.ClassDef)
    found = {}
    for statement in body.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            told: list[str] = []
            at = statement.lineno - 2
            while lines[at].strip().startswith("#:"):
                told.insert(0, lines[at].strip().removeprefix("#:").strip())
                at -= 1
            found[statement.target.id] = " ".join(told)
    return found


def _doc(item: Any) -> str:
    text = inspect.cleandoc(item.__doc__ or "")
    return "\n\n".join(re.sub(r"\s+", " ", part) for part in text.split("\n\n"))
