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
from engine.backends.support import table

__all__ = ["DAY", "DIALECTS", "Dialect", "lacking"]

DIALECTS: dict[str, Dialect] = {d.name: d for d in (Dialect(), Spark(), Postgres(), Snowflake(), BigQuery())}
#: What hangs on each capability, for the page.
_CAPABILITIES = {
    "has_library": "`exp`, `log`, `**`, `stddev`, rounding to a computed scale",
    "has_clock": "times of day",
    "has_remainder": "`modulo`, `even` and `odd` of numbers without a declared range",
    "has_wide": "a duration in days times or over a number that may have a fraction, or over another but of whole days",
    "has_digits": "`string` of numbers that may have a fraction",
    "has_reading": "`number` of a text",
    "has_search": "`matches`",
    "has_replacing": "`replace`",
}


def lacking() -> list[str]:
    """What the engines of the SQL backend carry out of what not all of them do, as Markdown."""
    engines = list(DIALECTS.values())
    return [
        "",
        "## Engines of the SQL backend",
        "",
        "What is in no row all of them carry out, with the same bits. The rest hangs on what an engine has: Java's",
        "powers and logarithms end in other bits than C's, and not every engine has times of day, whole numbers of",
        "128 bits or regular expressions that mean the same. `upper case` and `lower case` take texts with declared",
        "values, `matches` and `replace` a pattern that is written out and that all engines read alike.",
        "",
        *table("", [e.title for e in engines], [
            (what, ["yes" if getattr(e, name) else "no" for e in engines]) for name, what in _CAPABILITIES.items()
        ]),
    ]
