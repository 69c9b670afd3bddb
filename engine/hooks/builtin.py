"""What the built-in plugins give, by name: so that one is imported only for what it alone gives.

Tests hold this table against the plugins themselves.
"""
from __future__ import annotations

from collections.abc import Mapping

#: By hook, each name with the module of `plugins/` that gives it.
BUILT_IN: Mapping[str, Mapping[str, str]] = {
    "register_sources": {"database": "database", "files": "files", "http": "http"},
    "register_scorers": dict.fromkeys(("linear", "onnx", "sklearn", "lightgbm", "xgboost"), "scorers"),
    "register_functions": {"calendar": "calendar", "cn": "cn", "finance": "finance"},
    "register_sinks": {"database": "database", "files": "files", "webhook": "webhook"},
    "register_report_sections": {},
    "register_commands": {},
}

#: The words of the command line that no plugin may take.
COMMANDS = frozenset({
    "allocate", "check", "completion", "decide", "diff", "feel", "fmt", "new", "notice", "plugins", "report", "run",
    "schema", "sql", "table", "test",
})


def modules() -> tuple[str, ...]:
    """All modules of built-in plugins, in the order of the table."""
    return tuple(dict.fromkeys(module for names in BUILT_IN.values() for module in names.values()))
