"""Forms in SQL that plugins give, held against DuckDB before a query is made of them: one that it does not take, or
that gives another type than is stated, is refused by name, and no query ends in words that blame the data."""
from __future__ import annotations

import functools
from collections.abc import Sequence

import duckdb
from sqlglot import exp

from engine.backends.sql.expressions import TYPES
from engine.backends.sql.stages import Sql
from engine.semantics import dtypes as dt

#: How DuckDB's names of types begin, by kind. An untyped NULL is of any.
_NUMBERS = ("DOUBLE", "FLOAT", "DECIMAL", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "U")
_GIVES = {
    dt.NUMBER: _NUMBERS, dt.MONEY: _NUMBERS, dt.STRING: ("VARCHAR", "ENUM"), dt.BOOLEAN: ("BOOLEAN",),
    dt.DATE: ("DATE",), dt.TIME: ("TIME",), dt.DATE_TIME: ("TIMESTAMP",), dt.DAYS_DURATION: _NUMBERS,
    dt.MONTHS_DURATION: _NUMBERS,
}


def refusal(tree: exp.Expr, args: Sequence[tuple[Sql, str]], kind: str) -> str | None:
    """Why a form over operands of these kinds is no value of `kind`, to be put behind "whose form in SQL"; None where
    it is one."""
    columns = [
        exp.alias_(exp.cast(exp.null(), TYPES[given]), a.tree.name)
        for a, given in args if isinstance(a.tree, exp.Column) and given in TYPES
    ]
    query = exp.select(exp.alias_(tree.copy(), "value"))
    if columns:
        query = query.from_(exp.select(*{c.alias: c for c in columns}.values()).subquery("given"))
    return _refusal(query.sql("duckdb"), kind)


@functools.cache
def _refusal(query: str, kind: str) -> str | None:
    try:
        with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
            found = str(connection.execute(f"DESCRIBE {query}").fetchall()[0][1])
    except duckdb.Error as problem:
        return f"DuckDB refuses: {str(problem).partition(chr(10))[0].partition(': ')[2]}"
    if found.strip('"') == "NULL" or found.startswith(_GIVES.get(kind, ())):
        return None
    return f"gives {found} where a {kind} is stated"
