"""SQL of tests, each statement on a connection of its own.

DuckDB's module-level functions share one connection for the whole process: a result that one
test leaves half read refuses the next test's statement. The linter bans them.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb


def run_sql(sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """All rows of a statement (one row with a count for a COPY), run in the current folder."""
    with duckdb.connect() as connection:
        return connection.execute(sql, list(values)).fetchall()
