"""Values as policies have them, and Arrow batches of them. For `database` and `http`."""
from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from engine import PluginFailure


def library() -> Any:
    """pyarrow, an extra; raises PluginFailure where it is not installed."""
    try:
        import pyarrow  # noqa: PLC0415 - an extra
    except ImportError:
        raise PluginFailure('a portfolio needs pyarrow: pip install "tierwise[arrow]"') from None
    return pyarrow


def value(raw: Any, kind: str, name: str) -> Any:
    """A value of a type, None for none; raises PluginFailure where it is another one, without showing it."""
    if raw is None:
        return None
    found: Any = None
    if kind == "number" and isinstance(raw, (int, float, Decimal)) and not isinstance(raw, bool):
        found = float(raw)
        return found if math.isfinite(found) else None
    if kind == "boolean" and isinstance(raw, bool):
        return raw
    if kind == "string" and isinstance(raw, (str, int)) and not isinstance(raw, bool):
        return str(raw)
    try:
        if kind == "date":
            found = _date(raw)
        elif kind == "date and time":
            found = datetime.datetime.fromisoformat(raw) if isinstance(raw, str) else raw
            found = found if isinstance(found, datetime.datetime) and found.tzinfo is None else None
        elif kind == "time":
            found = datetime.time.fromisoformat(raw) if isinstance(raw, str) else raw
            found = found if isinstance(found, datetime.time) else None
    except ValueError:
        found = None
    if found is None:
        raise PluginFailure(f"`{name}` is no {kind}")
    return found


def _date(raw: Any) -> datetime.date | None:
    if isinstance(raw, str):
        return datetime.date.fromisoformat(raw)
    if isinstance(raw, datetime.datetime):
        return raw.date() if raw.time() == datetime.time() and raw.tzinfo is None else None
    return raw if isinstance(raw, datetime.date) else None


def batch(columns: Sequence[str], kinds: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> Any:
    """An Arrow batch of rows of values; the type of a column that `kinds` does not know is text."""
    pa = library()
    types = {
        "number": pa.float64(), "boolean": pa.bool_(), "string": pa.string(), "date": pa.date32(),
        "date and time": pa.timestamp("us"), "time": pa.time64("us"),
    }
    arrays = [
        pa.array([row[at] for row in rows], types[kinds.get(name, "string")]) for at, name in enumerate(columns)
    ]
    return pa.RecordBatch.from_arrays(arrays, list(columns))
