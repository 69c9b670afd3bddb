"""Rows of Spark's tables before the one-by-one path, in the words of which they are refused."""
from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F
from pyspark.sql import types as T

from engine.backends.sql.spark import TYPES
from engine.portfolio.columnar.binding import ORDINAL, Relation
from engine.portfolio.columnar.refusals import Door, Events, EventTable, values_of
from engine.portfolio.spark.session import reading
from engine.portfolio.spark.tables import Table

#: Customers fetched at a time: each time their tables are read once.
_BATCH = 50_000


class SparkDoor(Door):
    """Fetches what Spark reads from Spark, and the rest from the embedded database. `frames` are the tables of events
    by history, `data` is the customers'."""

    data: Table
    frames: Mapping[str, Table]

    def rows(self, query: str) -> Iterator[list[tuple[int, dict[str, Any]]]]:
        if self.data.held:
            yield from super().rows(query)
            return
        names, kinds = list(self.customers.columns), self.kinds()
        for batch in self.session.batches(f"SELECT {ORDINAL} FROM ({query}) ORDER BY {ORDINAL}", _BATCH):
            with reading(self.customers.shown, self.customers.path):
                wanted = self.data.frame.sparkSession.createDataFrame(batch, f"{ORDINAL} bigint")
                frame = self.data.frame.join(F.broadcast(wanted), ORDINAL, "left_semi")
                rows = _fetched(frame, self.customers, names)
            yield [(line, values_of(self.customers, names, kinds, row, self.reading)) for line, *row in rows]

    def events_of(self, table: EventTable, customers: Sequence[dict[str, Any]]) -> Events:
        bound = self.frames[table.decl.name]
        if bound.held:
            return super().events_of(table, customers)
        relation = bound.relation
        owners = self.owners(table, customers)
        found: Events = defaultdict(list)
        if not owners:
            return found
        mine = relation.columns[table.owner].name
        names = [name for name in relation.columns if name != table.owner]
        kinds = {field.name: field.type for field in table.decl.fields}
        with reading(relation.shown, relation.path):
            kind = TYPES[self.kinds()[table.owner].kind].simpleString()
            wanted = bound.frame.sparkSession.createDataFrame([(owner,) for owner in owners], f"owner {kind}")
            frame = bound.frame.join(F.broadcast(wanted), F.col(mine) == F.col("owner"), "left_semi")
            rows = _fetched(frame, relation, [table.owner, *names])
        for line, key, _, *row in rows:
            values = values_of(relation, names, kinds, row, self.reading)
            if any(field.name == table.owner for field in table.decl.fields):
                values[table.owner] = key
            found[key].append((line, values))
        return found


def _fetched(frame: DataFrame, relation: Relation, names: Sequence[str]) -> list[list[Any]]:
    """The line of each row, and of each name the value and the odd cell where there is one, in order."""
    shown = [F.col(ORDINAL)]
    times: dict[int, Callable[[str], Any]] = {}
    for name in names:
        bound, odd = relation.columns[name], relation.cells.get(name)
        shown.append(F.col(bound.name))
        cell = F.lit(None)
        if odd is not None and bound.bad is not None:
            held = frame.schema[odd].dataType
            cell = F.col(odd)
            if isinstance(held, (T.DateType, T.TimestampNTZType)):     # of years that Python may not have
                cell = cell.cast("string")
                kind = datetime.date if isinstance(held, T.DateType) else datetime.datetime
                times[len(shown)] = kind.fromisoformat
            cell = F.when(F.col(bound.bad), cell)
        shown.append(cell.alias(f"odd_{bound.name}"))
    found = sorted(frame.select(*shown).collect(), key=lambda row: row[0])     # few rows, which Spark would shuffle
    return [[_time(c, times[at]) if at in times else _plain(c) for at, c in enumerate(row)] for row in found]


def _time(cell: str | None, read: Callable[[str], Any]) -> Any:
    """A day or moment, as text where it is of a year beyond 9999."""
    if cell is None:
        return None
    try:
        return read(cell)
    except ValueError:
        return cell.removeprefix("+")


def _plain(cell: Any) -> Any:
    """A cell as the embedded database would give it."""
    if isinstance(cell, Row):
        return {name: _plain(member) for name, member in cell.asDict().items()}
    if isinstance(cell, list):
        return [_plain(item) for item in cell]
    return bytes(cell) if isinstance(cell, bytearray) else cell
