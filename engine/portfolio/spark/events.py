"""Event tables that Spark reads: what is said of them, and whose their rows are (see `columnar.run` and `owning`)."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import functions as F

from engine.backends.sql.tables import Column
from engine.portfolio.binding import Declared, Reading, hint_of
from engine.portfolio.columnar.binding import ORDINAL, require_key
from engine.portfolio.columnar.refusals import EventTable
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import STOP
from engine.portfolio.spark.tables import Table, is_unread
from engine.portfolio.tables import count
from engine.render import visible


def claimed(table: Table, name: str, key: str, choice: str) -> str | None:
    """What is said of events that belong to nobody; raises DataProblem where there may be none."""
    mine = F.col(table.relation.columns[key].name)
    nobody = table.frame.where(mine.isNull() & ~is_unread(table, key))
    first, number = nobody.agg(F.min(ORDINAL), F.count(F.lit(1))).collect()[0]
    if number and choice == STOP:
        raise DataProblem(
            f"a row of history `{name}` belongs to no customer: has no key", table.relation.path, first,
            help=f"give every row its `{key}`",
        )
    return f"{count(number, 'row')} of history `{name}` without a key" if number else None


def advice(place: str, table: Table, fields: Sequence[Declared], how: Reading) -> list[str]:
    """How the first bad cell of each column should be written, where that can be told."""
    notes = []
    for field in fields:
        odd = table.relation.cells.get(field.name)
        if odd is None or table.relation.contents[field.name] != "VARCHAR":
            continue
        parse = how.parser(field.type)
        found = table.frame.where(F.col(odd).isNotNull()).groupBy(odd).agg(F.min(ORDINAL).alias("first"))
        texts: list[Any] = found.orderBy("first").limit(100).select(odd).collect()
        hint = next((told for (text,) in texts if (told := hint_of(text, field.type, parse, how)) is not None), None)
        if hint is not None:
            notes.append(f"note: {place}: `{field.name}` {visible(hint)}")
    return notes


def owned(made: EventTable, table: Table, above: EventTable, upper: Table, key: str) -> tuple[EventTable, Table]:
    """A table whose rows belong to those of `above` with the same `key`, with the customer's key as a column. A row is
    of every customer of such rows above, and of none where there is no such row."""
    relation = table.relation
    if made.owner in relation.columns:
        raise DataProblem(
            f"history `{made.decl.name}` has a field `{made.owner}`, which is the key of the customers",
            relation.path, help=f"leave `of` out of the history, and name `{made.owner}` as its key",
        )
    require_key(upper.relation, above.decl.name, key)
    theirs, customer = (F.col(upper.relation.columns[name].name) for name in (key, above.owner))
    links = upper.frame.where(theirs.isNotNull() & customer.isNotNull()).select(
        theirs.alias("k"), customer.alias("whose")
    ).distinct()
    frame = table.frame.join(links, F.col(relation.columns[key].name) == F.col("k"), "left").drop("k")
    held = relation.replace(
        columns={**relation.columns, made.owner: Column("whose")},
        contents={**relation.contents, made.owner: upper.relation.contents[above.owner]},
    )
    return made.replace(relation=held), table.replace(relation=held, frame=frame)
