"""Findings about policies, remembered where nothing that they hang on has changed.

The checker and all it needs are imported only when there is something to check, since that
import costs most of what `tierwise check` may take.
"""
from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cache import Remembered, recall, remember

if TYPE_CHECKING:
    from engine.hooks import Plugins


def findings(path: str | os.PathLike[str], plugins: Plugins | None = None) -> Remembered:
    """What `check_policy` finds about `path` with these plugins, and the texts that its findings point into."""
    name = os.fspath(path)
    known = recall(name)
    if known is not None:
        return known
    functions = import_module("engine.functions").functions_of(name, plugins)
    checked = import_module("engine.ir.findings").check(Path(name), functions)
    remember(name, checked.reads, checked.diagnostics, checked.sources)
    return Remembered(checked.diagnostics, checked.sources)
