"""Tables within DuckDB as sources ask for them: by key, as of a date, in batches. For `files` and `database`.

A column has one of the types that policies know. A cell that is no value of its column's type makes its customer's
row fail in words: it must not pass for missing.
"""
from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from engine import Field, PluginFailure, Table

#: Types of policies as DuckDB has them.
SQL_TYPES = {
    "number": "DOUBLE", "string": "VARCHAR", "boolean": "BOOLEAN", "date": "DATE", "date and time": "TIMESTAMP",
    "time": "TIME",
}
_FAMILIES = {
    "BOOLEAN": "boolean", "DATE": "date", "TIME": "time", "TIMESTAMP": "date and time", "TIMESTAMP_S": "date and time",
    "TIMESTAMP_MS": "date and time", "TIMESTAMP_NS": "date and time", "VARCHAR": "string", "UUID": "string",
    "ENUM": "string",
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"), "number"),
    **dict.fromkeys(("BIGINT", "HUGEINT", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL"), "number"),
}
#: Whole numbers that may have more digits than a policy's numbers keep.
_LONG = ("BIGINT", "HUGEINT", "UBIGINT", "UHUGEINT")
BATCH = 50_000


@dataclass(frozen=True)
class View:
    """A table: what stands behind FROM, its columns with the types that DuckDB gives them, and what the deployment says
    of it. `parameters` belong to the relation. `types` are stated types by column; the key is text unless one is
    stated for it, since `007` is no number."""

    name: str
    relation: str
    columns: Mapping[str, str]
    key: str
    stamp: str | None = None
    events: bool = False
    types: Mapping[str, str] = field(default_factory=dict)
    parameters: tuple[Any, ...] = ()

    def type_of(self, column: str) -> str | None:
        """The type of a column, None where policies have none such."""
        stated = self.types.get(column)
        if stated is not None:
            return stated
        family = self.columns[column].partition("(")[0]
        return "string" if column == self.key and family in _FAMILIES else _FAMILIES.get(family)

    def described(self) -> Table:
        kinds = {column: kind for column in self.columns if (kind := self.type_of(column)) is not None}
        fields = {column: Field(kind) for column, kind in kinds.items()}
        return Table(self.name, self.key, fields, self.events, self.stamp)


def view_of(
    connection: Any, name: str, relation: str, given: Mapping[str, Any], parameters: Sequence[Any] = (),
    kinds: Mapping[str, str] | None = None,
) -> View:
    """A view of a relation as a deployment describes it (`key`, `stamp`, `events`, `types`); `kinds` are the types of
    its columns where DuckDB does not know them. Raises PluginFailure."""
    if kinds is None:
        described = connection.execute(f"DESCRIBE SELECT * FROM {relation}", list(parameters)).fetchall()
        kinds = {column: kind for column, kind, *_ in described}
    types = dict(given.get("types") or {})
    for what, column in (("key", given["key"]), ("stamp", given.get("stamp")), *(("types", c) for c in types)):
        if column is not None and column not in kinds:
            listed = ", ".join(f"`{c}`" for c in list(kinds)[:12])
            raise PluginFailure(f"table `{name}` has no column `{column}`, named as its {what}; it has {listed}")
    for column, kind in types.items():
        if kind not in SQL_TYPES:
            listed = ", ".join(f"`{k}`" for k in SQL_TYPES)
            raise PluginFailure(f"`{kind}` of column `{column}` of table `{name}` is no type; there are {listed}")
    view = View(
        name, relation, kinds, given["key"], given.get("stamp"), bool(given.get("events")), types, tuple(parameters)
    )
    if view.stamp is not None and view.type_of(view.stamp) not in ("date", "date and time"):
        raise PluginFailure(f"column `{view.stamp}` of table `{name}` is no date, and is named as its stamp")
    return view


class Tables:
    """The views of one connection."""

    def __init__(self, connection: Any, views: Sequence[View]) -> None:
        self.connection = connection
        self.views = {view.name: view for view in views}

    def describe(self) -> Sequence[Table]:
        return [view.described() for view in self.views.values()]

    def one(self, table: str, fields: Sequence[str], key: Any, as_of: datetime.date) -> list[dict[str, Any]]:
        """The rows of one customer; raises PluginFailure for one with a cell that is no value of its type."""
        view = self.views[table]
        sql, parameters = self._query(view, fields, as_of, [key])
        found = []
        with reading(table):
            rows = self.connection.execute(sql, parameters).fetchall()
        for *cells, failed in rows:
            if failed is not None:
                raise PluginFailure(failed)
            found.append(dict(zip(fields, cells[1:], strict=True)))
        return found

    def batches(
        self, table: str, fields: Sequence[str], as_of: datetime.date, keys: Sequence[Any] | None = None
    ) -> Iterator[Any]:
        """The rows in their order, as Arrow record batches."""
        view = self.views[table]
        sql, parameters = self._query(view, fields, as_of, keys)
        names = [view.key, *fields, view.described().failed_column]
        kept = [at for at, name in enumerate(names) if name != view.key or at == 0]
        with reading(table):
            result = self._cursor().sql(sql, params=parameters)
            read = getattr(result, "to_arrow_reader", None) or result.fetch_arrow_reader    # which it once was called
            for batch in read(BATCH):
                yield batch.select(kept).rename_columns([names[at] for at in kept])

    def close(self) -> None:
        self.connection.close()

    def _cursor(self) -> Any:
        """A connection of its own to the same data, where names mean the same: a cursor forgets what was put to use."""
        cursor = self.connection.cursor()
        place = self.connection.execute("SELECT current_database(), current_schema()").fetchone()
        cursor.execute("USE " + ".".join(map(identifier, place)))
        return cursor

    def _query(
        self, view: View, fields: Sequence[str], as_of: datetime.date, keys: Sequence[Any] | None
    ) -> tuple[str, list[Any]]:
        """The key, the fields and `failed` of the rows that are to be given, in the order of the table."""
        parameters = list(view.parameters)
        key, _ = self._cell(view, view.key)
        wheres, cells, bad = [], [], []
        for name in fields:
            value, failed = self._cell(view, name)
            cells.append(value)
            if failed is not None:
                text = f"`{view.name}.{name}` is not a {view.type_of(name)}".replace("'", "''")
                bad.append(f"WHEN {failed} THEN '{text}'")
        source = f"SELECT *, row_number() OVER () AS {_ROW} FROM {view.relation}"
        if keys is not None:
            wheres.append(f"{key} IN (SELECT unnest(?::{SQL_TYPES[view.type_of(view.key) or 'string']}[]))")
            parameters.append(list(keys))
        latest = ""
        if view.stamp is not None:
            stamp, _ = self._cell(view, view.stamp)
            wheres.append(f"({stamp} IS NULL OR CAST({stamp} AS DATE) <= ?)")
            parameters.append(as_of)
            if not view.events:                         # of several rows the last one holds
                rank = f"rank() OVER (PARTITION BY {key} ORDER BY {stamp} DESC NULLS LAST)"
                latest = f"QUALIFY {rank} = 1 OR {key} IS NULL"
        where = f"WHERE {' AND '.join(wheres)}" if wheres else ""
        failed = f"CASE {' '.join(bad)} END" if bad else "CAST(NULL AS VARCHAR)"
        shown = ", ".join(f"{cell} AS c{at}" for at, cell in enumerate([key, *cells]))
        return f"SELECT {shown}, {failed} AS failed FROM ({source}) {where} {latest} ORDER BY {_ROW}", parameters

    def _cell(self, view: View, column: str) -> tuple[str, str | None]:
        """SQL of a column's value, and of whether a cell is there that is none."""
        quoted = identifier(column)
        kind = view.type_of(column)
        if kind is None:
            raise PluginFailure(f"column `{column}` of table `{view.name}` holds what no policy has a type for")
        wanted = SQL_TYPES[kind]
        if view.columns[column] == wanted:
            return quoted, None
        family = _FAMILIES.get(view.columns[column].partition("(")[0])
        value = f"TRY_CAST({quoted} AS {wanted})"
        if kind == "number" and view.columns[column] in _LONG:
            return value, f"TRY_CAST({value} AS HUGEINT) <> {quoted}"
        return value, None if family == kind or kind == "string" else f"{quoted} IS NOT NULL AND {value} IS NULL"


_ROW = '"~row"'


def identifier(name: str) -> str:
    """A quoted name."""
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def reading(table: str) -> Iterator[None]:
    """What DuckDB cannot read is told without its words, which may hold a customer's data."""
    try:
        yield
    except library().Error as problem:
        raise PluginFailure(f"table `{table}` cannot be read ({type(problem).__name__})") from None


def said(problem: Exception) -> str:
    """The first line of what DuckDB says, without the name of its exception."""
    text = str(problem).partition("\n")[0]
    head, colon, rest = text.partition(": ")
    text = rest if colon and head.endswith("Error") else text
    return text[:1].lower() + text[1:]


def library() -> Any:
    """DuckDB, an extra; raises PluginFailure where it is not installed."""
    try:
        import duckdb  # noqa: PLC0415 - an extra
        import pyarrow  # noqa: F401, PLC0415
    except ImportError as error:
        raise PluginFailure(
            f'it needs {error.name}: pip install "tierwise[duckdb,arrow]"'
        ) from None
    return duckdb
