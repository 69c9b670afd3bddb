"""Arrow tables of the kit; pyarrow is imported when a batch is asked for, and named where it is missing."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from engine.hookspecs import Field
from engine.semantics import dtypes as dt
from engine.semantics.values import YearsMonths
from engine.testing.contract import fail


def arrow() -> Any:
    try:
        return import_module("pyarrow")
    except ImportError:
        raise fail("batches are Arrow tables, and pyarrow is not installed", "install `tierwise[arrow]`") from None


def arrow_type(type_: str) -> Any:
    """The Arrow type of a column, as the engine hands it over."""
    pa = arrow()
    return {
        dt.NUMBER: pa.float64(), dt.MONEY: pa.float64(), dt.STRING: pa.string(), dt.BOOLEAN: pa.bool_(),
        dt.DATE: pa.date32(), dt.TIME: pa.time64("us"), dt.DATE_TIME: pa.timestamp("us"),
        dt.DAYS_DURATION: pa.duration("us"), dt.MONTHS_DURATION: pa.int64(),
    }[type_]


def table_of(rows: Sequence[Mapping[str, Any]], fields: Mapping[str, Field]) -> Any:
    """Rows as a table with a column for each field."""
    pa = arrow()
    return pa.table({
        name: pa.array([_plain(row[name]) for row in rows], arrow_type(field.type)) for name, field in fields.items()
    })


def _plain(value: Any) -> Any:
    return value.total if isinstance(value, YearsMonths) else value


def column(table: Any, name: str, length: int, what: str) -> list[Any]:
    """A column of an answer as Python values, which must be there and as long as it should."""
    names = getattr(table, "column_names", None)
    if names is None:
        raise fail(f"{what} gives `{type(table).__name__}`", "return a `pyarrow.Table`")
    if name not in names:
        raise fail(f"the table that {what} gives has no column `{name}`",
                   f"its columns are {', '.join(names) or 'none'}")
    found = table.column(name).to_pylist()
    if len(found) != length:
        raise fail(f"{what} gives {len(found)} rows for {length}",
                   "give one row for each row of the input, in their order, with null for no answer")
    return list(found)
