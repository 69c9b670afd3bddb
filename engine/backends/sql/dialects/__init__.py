"""What engines write differently: primitives that every dialect gives its own tree, or says that it lacks.

`Dialect` is DuckDB's. The others override what would mean something else there: Spark's floor is a BIGINT,
PostgreSQL compares texts by a collation, BigQuery's containment ignores case. What an engine lacks is a flag
that is false; an operation that needs it is refused by name when a policy is compiled for it.
"""
from __future__ import annotations

from engine.backends.sql.dialects.base import DAY, Dialect
from engine.backends.sql.dialects.bigquery import BigQuery
from engine.backends.sql.dialects.postgres import Postgres
from engine.backends.sql.dialects.snowflake import Snowflake
from engine.backends.sql.dialects.spark import Spark

__all__ = ["DAY", "DIALECTS", "Dialect"]

DIALECTS: dict[str, Dialect] = {d.name: d for d in (Dialect(), Spark(), Postgres(), Snowflake(), BigQuery())}
