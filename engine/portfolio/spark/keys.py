"""What is said of keys where Spark has the tables (see `columnar.keys`)."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from engine.portfolio.columnar.binding import ORDINAL, Relation
from engine.portfolio.columnar.refusals import EventTable
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import STOP
from engine.portfolio.shared import orphans_text
from engine.portfolio.spark.tables import Table, is_unread


class Keyed:
    """Some customers by their keys, those left out whose keys could not be read."""

    def __init__(self, frame: DataFrame, relation: Relation, names: Sequence[str], bad: Sequence[str]) -> None:
        self._key = _key(relation, names)
        self._frame = frame
        for flag in bad:
            self._frame = self._frame.where(~F.col(flag))

    def counts(self) -> tuple[int, int]:
        """How many rows repeat an earlier row's key, and how many have none."""
        if self._key is None:
            return 0, 0
        numbers = F.count(F.lit(1)), F.count(self._key), F.count_distinct(self._key)
        every, found, distinct = self._frame.agg(*numbers).collect()[0]
        return found - distinct, every - found

    def keyless(self) -> DataFrame:
        return self._frame.where(self._key.isNull())

    def repeated(self) -> DataFrame:
        """The rows whose key an earlier row has."""
        place = F.row_number().over(Window.partitionBy(self._key).orderBy(ORDINAL))
        return self._frame.where(self._key.isNotNull()).select(ORDINAL, place.alias("place")).where("place > 1")


def _key(relation: Relation, names: Sequence[str]) -> Any:
    """A customer's key as one value, NULL where a part is missing; None where the policy has none."""
    columns = [relation.columns.get(name) for name in names]
    parts = [F.col(column.name) for column in columns if column is not None]
    if len(parts) < len(names):
        return F.lit(None).cast("string")
    if len(parts) < 2:
        return parts[0] if parts else None
    texts = [part.cast("string") for part in parts]
    return F.concat(texts[0], *(cell for text in texts[1:] for cell in (F.lit("\x1f"), text)))


def orphans(made: EventTable, table: Table, customers: Table, name: str, choice: str) -> int:
    """How many events belong to no customer; raises DataProblem where there must be none."""
    key = customers.relation.columns.get(made.owner)
    mine = F.col(table.relation.columns[made.owner].name)
    # Events without a key are told elsewhere; without a row above they are of nobody.
    given = mine if made.decl.of is None else F.col(table.relation.columns[made.decl.key or ""].name)
    events = table.frame.where(given.isNotNull() | is_unread(table, made.owner))
    if key is not None:
        theirs = customers.frame.select(F.col(key.name).alias("theirs"))
        events = events.join(theirs, mine == F.col("theirs"), "left_anti")
    lost = int(events.agg(F.count_distinct(F.col(ORDINAL))).collect()[0][0])
    if lost and choice == STOP:
        raise DataProblem(orphans_text(name, lost, customers.relation.shown), table.relation.path)
    return lost
