"""What the database's planner must leave alone."""
from __future__ import annotations

import duckdb

#: DuckDB 2.0 pushes aggregates below joins by copying the expressions between them, stage by stage. Over the rows of
#: one `for each` that another goes over it planned until memory ran out; without it a quarter of a second does.
LEFT_OUT = ("partial_aggregate_pushdown",)


def restrain(connection: duckdb.DuckDBPyConnection) -> None:
    """Leave out what `LEFT_OUT` names, of what this version of the database has."""
    known = {name for (name,) in connection.execute("SELECT name FROM duckdb_optimizers()").fetchall()}
    names = ",".join(name for name in LEFT_OUT if name in known)
    if names:
        connection.execute("SET disabled_optimizers = ?", [names])
