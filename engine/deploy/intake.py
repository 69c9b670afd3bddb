"""A portfolio's data out of sources, table by table, in Arrow batches that are as the sources declare them.

Whatever a source does, each customer of it is accounted for: its rows are given, or it is said why they could not be
had. A batch that is not as declared fails the table and not the run.
"""
from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any

from engine.calling import CallFailed
from engine.deploy.matching import Place, Plan, fits
from engine.deploy.opening import OpenSource, kind_in
from engine.hookspecs import Table
from engine.records import Record
from engine.runs import DataProblem
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type

#: Columns of a batch beside the asked ones: the customer's key, and why its rows could not be had.
KEY, FAILED = "~key", "~failed"
#: Customers that are asked for at once where a table must be asked by key.
KEYS = 5_000
#: Customers of a file for whom other tables too are asked by key, rather than read whole.
FEW = 50_000


class Failed(Record):
    """The end of a table: why nothing further of it could be had."""

    why: str


def arrow() -> Any:
    """pyarrow, an extra; raises DataProblem where it is not installed."""
    try:
        return import_module("pyarrow")
    except ImportError:
        raise DataProblem(
            "a portfolio from data sources needs pyarrow", "-", help='pip install "tierwise[arrow]"'
        ) from None


def read(
    plan: Plan, source: OpenSource, place: Place, key: Type, as_of: datetime.date, keys: Sequence[Any] | None
) -> Iterator[Any]:
    """The batches of a table with the columns `KEY`, the asked ones in their order and `FAILED`, of the types that the
    source declares. The last item is a `Failed` where a table that is read whole failed. Keys are of the type `key`."""
    table = source.tables[place.table]
    columns = plan.fields[place]
    checker = _Checker(table, columns, key, as_of, source.said)
    parts = [None] if keys is None else [keys[at:at + KEYS] for at in range(0, len(keys), KEYS)]
    for part in parts:
        batches = (checker.checked(batch) for batch in source.batches(table, columns, as_of, part))
        try:
            if part is None:
                yield from batches
            else:
                yield from list(batches)                # all of a part or nothing of it
        except CallFailed as failure:
            if part is None:
                yield Failed(failure.text)
                return
            yield checker.lost(part, failure.text)      # the other parts may be had


class _Checker:
    """Holds batches against a table's description; raises CallFailed."""

    def __init__(
        self, table: Table, columns: Sequence[str], key: Type, as_of: datetime.date, said: Callable[[str], str]
    ) -> None:
        self.pa = arrow()
        self.compute: Any = import_module("pyarrow.compute")
        self.table = table
        self.columns = columns
        self.key = key
        self.as_of = as_of
        self.said = said
        pa = self.pa
        self.types = {
            dt.NUMBER: pa.float64(), dt.MONEY: pa.float64(), dt.STRING: pa.string(), dt.BOOLEAN: pa.bool_(),
            dt.DATE: pa.date32(), dt.DATE_TIME: pa.timestamp("us"), dt.TIME: pa.time64("us"),
            dt.DAYS_DURATION: pa.string(), dt.MONTHS_DURATION: pa.string(),
        }

    def checked(self, batch: Any) -> Any:
        pa, table = self.pa, self.table
        if not isinstance(batch, pa.RecordBatch):
            raise CallFailed("it gives what is no batch of rows")
        try:
            batch.validate(full=True)
        except pa.ArrowInvalid:
            raise CallFailed(f"its batch of `{table.name}` is damaged") from None
        names = batch.schema.names
        for name in (table.key, *self.columns):
            if names.count(name) != 1:
                few = "no column" if name not in names else "two columns"
                raise CallFailed(f"its rows of `{table.name}` have {few} `{name}`")
        failed = self.failed(batch, names)
        key = self.column(batch, table.key, self.key)
        found = [self.column(batch, name, kind_in(table, name), name == table.stamp) for name in self.columns]
        if table.stamp in self.columns and not table.events:
            failed = self.on_time(found[list(self.columns).index(str(table.stamp))], failed)
        return pa.RecordBatch.from_arrays([key, *found, failed], [KEY, *self.columns, FAILED])

    def failed(self, batch: Any, names: Sequence[str]) -> Any:
        """Why rows could not be had, in words that may be shown."""
        pa = self.pa
        column = self.table.failed_column
        if names.count(column) != 1:
            return pa.nulls(batch.num_rows, pa.string())
        told = self.column(batch, column, Type(dt.STRING)).dictionary_encode()     # the same words for many, mostly
        words = [self.said(text) for text in told.dictionary.to_pylist()]
        return pa.DictionaryArray.from_arrays(told.indices, pa.array(words, pa.string())).dictionary_decode()

    def column(self, batch: Any, name: str, kind: Type, stamp: bool = False) -> Any:
        """A column as its declared type; raises CallFailed."""
        pa, types = self.pa, self.pa.types
        given = batch.column(name)
        if types.is_dictionary(given.type):
            given = given.dictionary_decode()
        held = _kind(types, given.type)
        wanted = self.types[kind.kind]
        as_text = name == self.table.key and kind.kind == dt.STRING and types.is_integer(given.type)
        day = held == dt.DATE and kind.kind == dt.DATE_TIME and stamp
        if held is not None and not fits(Type(held), kind) and not as_text and not day and not (
            held == dt.STRING and wanted == pa.string()
        ):
            raise CallFailed(f"its `{self.table.name}.{name}` holds {held}s, where it declares {kind.kind}s")
        if held is None and not types.is_null(given.type):
            raise CallFailed(f"its `{self.table.name}.{name}` holds what is no {kind.kind}")
        try:
            found = given.cast(wanted, safe=not types.is_decimal(given.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise CallFailed(f"its `{self.table.name}.{name}` holds what is no {kind.kind}") from None
        if types.is_floating(found.type):               # what is no finite number is missing
            found = self.compute.if_else(self.compute.is_finite(found), found, pa.scalar(None, found.type))
        return found

    def on_time(self, stamps: Any, failed: Any) -> Any:
        """Why rows fail, those of a later date too."""
        compute, pa = self.compute, self.pa
        days = stamps.cast(pa.date32(), safe=False)
        late = compute.fill_null(compute.greater(days, pa.scalar(self.as_of, pa.date32())), False)
        if not compute.any(late).as_py():
            return failed
        text = f"it gives a row of `{self.table.name}` from after {self.as_of}"
        return compute.if_else(late, pa.scalar(text), failed)

    def lost(self, keys: Sequence[Any], why: str) -> Any:
        """A batch that says of some customers that their rows could not be had."""
        pa = self.pa
        kinds = [self.types[kind_in(self.table, name).kind] for name in self.columns]
        arrays = [pa.array(keys, self.types[self.key.kind]), *(pa.nulls(len(keys), kind) for kind in kinds)]
        return pa.RecordBatch.from_arrays(
            [*arrays, pa.array([why] * len(keys), pa.string())], [KEY, *self.columns, FAILED]
        )


def _kind(types: Any, held: Any) -> str | None:
    """The type of values that an Arrow type holds."""
    if types.is_integer(held) or types.is_floating(held) or types.is_decimal(held):
        return dt.NUMBER
    if types.is_string(held) or types.is_large_string(held) or getattr(types, "is_string_view", _never)(held):
        return dt.STRING
    if types.is_boolean(held):
        return dt.BOOLEAN
    if types.is_date(held):
        return dt.DATE
    if types.is_timestamp(held) and held.tz is None:
        return dt.DATE_TIME
    return dt.TIME if types.is_time(held) else None


def _never(_: Any) -> bool:
    return False
