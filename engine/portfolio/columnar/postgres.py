"""Tables and queries of a PostgreSQL database, read and written by COPY through psycopg.

The database's own reader is an extension that it fetches from the network when it is first used, which a bank's server
cannot; psycopg is a package like any other. Connection strings may hold secrets: they go to the
library alone, and never into a message.
"""
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

from engine.portfolio.binding import Declared
from engine.portfolio.columnar.locations import Location
from engine.portfolio.columnar.raw import Raw
from engine.portfolio.columnar.session import Session
from engine.portfolio.columnar.tables import bound
from engine.portfolio.problems import DataProblem

_CHUNK = 1 << 20
#: Types of PostgreSQL by their number, as the database reads them from text; all others are text.
_TYPES = {
    16: "BOOLEAN", 20: "BIGINT", 21: "SMALLINT", 23: "INTEGER", 700: "FLOAT", 701: "DOUBLE", 1082: "DATE",
    1083: "TIME", 1114: "TIMESTAMP",
}
#: Types of the database as PostgreSQL has them.
_THEIRS = {
    "BIGINT": "bigint", "DOUBLE": "double precision", "BOOLEAN": "boolean", "DATE": "date", "TIMESTAMP": "timestamp",
    "TIME": "time", "VARCHAR": "text", "VARCHAR[]": "text[]",
}


def read(session: Session, place: Location, declared: Sequence[Declared]) -> Raw:
    """A table or query, copied once, the columns that are bound alone; raises DataProblem."""
    if place.table is None:
        raise place.missing_table()
    sql = _library("sql")
    with _connected(place) as connection:
        if place.is_query:
            source = sql.SQL("({})").format(sql.SQL(place.table))
        else:
            source = sql.Identifier(*place.table.split("."))
        cursor = connection.execute(sql.SQL("SELECT * FROM {} AS source LIMIT 0").format(source))
        kinds = {column.name: _TYPES.get(column.type_code, "VARCHAR") for column in cursor.description}
        found, absent = bound(kinds, declared, place)
        names = {b.name: name for b in found for name in kinds if _quoted(name) == b.raw}
        copy = session.path(".csv")
        columns = sql.SQL(", ").join(sql.Identifier(names[b.name]) for b in found) if found else sql.SQL("NULL")
        query = sql.SQL("COPY (SELECT {} FROM {} AS source) TO STDOUT (FORMAT csv)").format(columns, source)
        with open(copy, "wb") as file, connection.cursor() as reader, reader.copy(query) as stream:
            for block in stream:
                file.write(block)
    types = {f"c{at}": b.content for at, b in enumerate(found)} or {"c0": "VARCHAR"}
    relation = (
        f"read_csv({session.variable(copy)}, columns = {session.variable(types)}, auto_detect = false, header = false, "
        "delim = ',', quote = '\"', escape = '\"', new_line = '\\n', max_line_size = 16000000, strict_mode = true, "
        "dateformat = '%Y-%m-%d')"
    )
    return Raw(
        relation, tuple(b.replace(raw=f"c{at}") for at, b in enumerate(found)), absent, None, place.shown, place.shown,
        names=tuple(kinds),
    )


def write(session: Session, query: str, place: Location) -> None:
    """A table made anew from a query's rows, in one transaction; raises DataProblem."""
    assert place.table is not None
    sql = _library("sql")
    described = session.rows(f"DESCRIBE {query}")
    kinds = [(name, _THEIRS.get(kind)) for name, kind, *_ in described]
    text = ", ".join(
        f"{_quoted(name)}" if kind is not None and not kind.endswith("[]")
        else f"CAST(to_json({_quoted(name)}) AS VARCHAR) AS {_quoted(name)}" if kind is None
        else _array(name)
        for name, kind in kinds
    )
    copy = session.path(".csv")
    session.run(f"COPY (SELECT {text} FROM ({query})) TO ? (FORMAT csv, HEADER false, NULLSTR '')", [copy])
    table = sql.Identifier(*place.table.split("."))
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind or "jsonb")) for name, kind in kinds
    )
    with _connected(place) as connection:
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
        connection.execute(sql.SQL("CREATE TABLE {} ({})").format(table, columns))
        load = sql.SQL("COPY {} FROM STDIN (FORMAT csv, FORCE_NULL ({}))").format(
            table, sql.SQL(", ").join(sql.Identifier(name) for name, kind in kinds if kind != "text")
        )
        with open(copy, "rb") as file, connection.cursor() as writer, writer.copy(load) as stream:
            while block := file.read(_CHUNK):
                stream.write(block)


def _array(name: str) -> str:
    """SQL of a list of texts as PostgreSQL writes an array."""
    item = """'"' || replace(replace(x, '\\', '\\\\'), '"', '\\"') || '"'"""
    column = _quoted(name)
    return f"'{{' || array_to_string(list_transform({column}, lambda x: {item}), ',') || '}}' AS {column}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def _connected(place: Location) -> Iterator[Any]:
    """A connection in one transaction, which is kept when the block ends well."""
    psycopg = _library()
    try:
        with psycopg.connect(place.path, connect_timeout=15, options="-c datestyle=ISO") as connection:
            yield connection
    except psycopg.Error as problem:
        text = str(problem).strip().partition("\n")[0]
        raise DataProblem(f"`{place.shown}`: {discreet(text, place.path)}", place.shown) from None


def discreet(text: str, path: str) -> str:
    """What the library says, without a password that a connection string holds."""
    secrets = [urlsplit(path).password] if "://" in path else []
    secrets += re.findall(r"password\s*=\s*'?([^\s'&]+)", path)
    for secret in secrets:
        for form in {secret, unquote(secret)} if secret else ():
            text = text.replace(form, "***")
    return text


def _library(part: str = "") -> Any:
    try:
        import psycopg  # noqa: PLC0415 - an extra
        from psycopg import sql  # noqa: PLC0415
    except ImportError:
        raise DataProblem(
            "PostgreSQL needs psycopg", "-", help='pip install "tierwise[postgres]"'
        ) from None
    return sql if part == "sql" else psycopg
