"""From the query as DuckDB takes it to the same query for another engine: one pass a module, in this order.

What an operation is made of is chosen while a policy is compiled (`dialects`). What is left are the shapes of whole
queries: joins to the nearest row, ordered aggregates, lists, wide whole numbers. A pass changes the shapes that an
engine lacks and leaves every other as it is.
"""
from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from engine.backends.sql.dialects import Dialect
from engine.backends.sql.lowering.constants import constants
from engine.backends.sql.lowering.edges import edges
from engine.backends.sql.lowering.fences import fences
from engine.backends.sql.lowering.lists import lists
from engine.backends.sql.lowering.live import live
from engine.backends.sql.lowering.medians import medians
from engine.backends.sql.lowering.nearest import nearest
from engine.backends.sql.lowering.nulls import nulls
from engine.backends.sql.lowering.parameters import parameters
from engine.backends.sql.lowering.tables import tables
from engine.backends.sql.lowering.wide import wide

PASSES: tuple[Callable[[exp.Select, str], exp.Select], ...] = (
    nulls, nearest, tables, edges, medians, lists, wide, live, constants, parameters, fences,
)


def lowered(query: exp.Select, dialect: Dialect) -> exp.Select:
    """The query for an engine; it is changed in place."""
    if dialect.name == "duckdb":
        return query
    for change in PASSES:
        query = change(query, dialect.name)
    finished = dialect.finished(query)
    assert isinstance(finished, exp.Select)
    return finished
