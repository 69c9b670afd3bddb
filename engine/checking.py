"""Findings about policies, remembered where nothing that they hang on has changed.

The checker and all it needs are imported only when there is something to check, since that
import costs most of what `tierwise check` may take.
"""
from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

from engine.cache import Remembered, recall, remember


def findings(path: str | os.PathLike[str]) -> Remembered:
    """What `engine.ir.findings.check` finds about `path`, and the texts that its findings point into."""
    name = os.fspath(path)
    known = recall(name)
    if known is not None:
        return known
    checked = import_module("engine.ir.findings").check(Path(name))
    remember(name, checked.reads, checked.diagnostics, checked.sources)
    return Remembered(checked.diagnostics, checked.sources)
