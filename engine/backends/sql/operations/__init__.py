"""The operations that a query carries out, one module an idea; `OPERATIONS` joins their tables.

Left out, since no column holds the result or no engine gives the same: functions that make lists or contexts
(`split`, `mode`, ...) but of such that are spelt out, and `duration(text)`, whose kind hangs on the text. `exp`,
`log` and `**` are DuckDB's alone: they are the C library's in whose process it runs, to the last bit, and Java's
are others.
"""
from __future__ import annotations

from collections.abc import Mapping

from engine.backends.sql.operations import (
    contexts,
    conversions,
    dates,
    durations,
    lists,
    numbers,
    patterns,
    points,
    ranges,
    texts,
)
from engine.backends.sql.operations.lists import spelt_out as made_list
from engine.backends.support import Form

__all__ = ["OPERATIONS", "made_list"]

_TABLES = (numbers, durations, dates, texts, conversions, patterns, lists, points, contexts, ranges)
OPERATIONS: Mapping[str, tuple[Form, ...]] = {
    name: tuple(form for table in _TABLES for form in table.OPERATIONS.get(name, ()))
    for table in _TABLES for name in table.OPERATIONS
}
