"""What a policy means: its typed core without places and spellings."""
from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.diagnostics import Span
from engine.ir import nodes as ir
from engine.policy import load_policy
from engine.records import Record


def meaning(path: Path) -> list[Any]:
    """The programs of a policy as plain data that compare; raises PolicyError where it has errors."""
    policy = load_policy(path)
    return [(str(v.start), str(v.end), _plain(v.program)) for v in policy.versions]


def _plain(value: Any) -> Any:
    if isinstance(value, (ir.Place, Span)):
        return None
    if isinstance(value, Record):
        fields = [_plain(getattr(value, n)) for n in value._fields if n not in _skipped(value)]
        if isinstance(value, ir.Compare) and value.op in ("=", "!="):
            fields.sort(key=repr)                       # either side may come first
        return [type(value).__name__, *fields]
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value if value is None or isinstance(value, (str, int, float, bool)) else repr(value)


def _skipped(value: Record) -> tuple[str, ...]:
    """Fields without a meaning: how a literal was written, the number of a node in its rule, what stands for people."""
    if isinstance(value, ir.Const):
        return ("id", "text")
    if isinstance(value, ir.Node):
        return ("id",)
    return ("owner", "doc") if isinstance(value, ir.Program) else ("doc",)
