"""The results of an earlier run beside customers that Spark reads (see `columnar.previous`)."""
from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from pyspark.sql import functions as F

from engine.backends.sql.tables import Column
from engine.ir.previous import DATE, PREFIX
from engine.portfolio.columnar.binding import ORDINAL
from engine.portfolio.columnar.previous import Logged
from engine.portfolio.columnar.session import Session
from engine.portfolio.columnar.session import reading as telling
from engine.portfolio.previous import Earlier, lost_text
from engine.portfolio.spark.tables import Table, local


class Beside:
    """The earlier decisions, which the embedded database has read, where Spark reads them."""

    def __init__(self, session: Session, spark: Any, data: Table, earlier: Earlier, logged: Logged) -> None:
        path = session.path(".parquet")
        with telling(logged.relation.shown, logged.relation.path):
            session.run(f"COPY (SELECT * FROM {logged.view}) TO ? (FORMAT parquet)", [path])
        self.data = data
        self.earlier = earlier
        self.shown = logged.relation.shown
        self.frame = spark.read.parquet(local(path))
        self.same = F.lit(True)
        for at, decl in enumerate(earlier.keys):
            mine = data.relation.columns.get(decl.name)
            self.same = self.same & (F.lit(False) if mine is None else F.col(mine.name) == F.col(f"k{at}"))

    def strangers(self) -> list[str]:
        """What is said of decisions without a customer."""
        lost = self.frame.join(self.data.frame, self.same, "left_anti").count()
        return [lost_text(lost, self.shown, self.data.relation.shown)] if lost else []

    def joined(self, as_of: datetime.date, names: Sequence[str]) -> Table:
        """The customers with the inputs of `names` that stand for their previous decisions."""
        relation, frame = self.data.relation, self.data.frame
        seen = F.col("found") & (F.col("day").isNull() | (F.col("day") <= F.lit(as_of)))
        places = {decl.name: f"o{at}" for at, decl in enumerate(self.earlier.outcomes)}
        columns: dict[str, Column] = {}
        shown = []
        for at, name in enumerate(names):
            member = name.removeprefix(f"{PREFIX}.")
            cell = "day" if member == DATE else places.get(member)
            if name == PREFIX:
                value = F.lit(True)
            elif cell in self.frame.columns:
                value = F.col(cell)
            else:
                continue                                # the earlier run gave none
            shown.append(F.when(seen, value).alias(f"p{at}"))
            columns[name] = Column(f"p{at}")
        found = self.frame.drop(ORDINAL).withColumn("found", F.lit(True))
        return self.data.replace(
            relation=relation.replace(columns={**relation.columns, **columns}),
            frame=frame.join(found, self.same, "left").select(*frame.columns, *shown),
        )
