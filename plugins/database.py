"""The source and the sink `database`: tables and queries of PostgreSQL, DuckDB and whatever SQLAlchemy speaks to.

    core:
      kind: database
      url: {secret: CORE_URL}
      tables:
        firms: {table: crm.firms, key: firm_id, stamp: as_at}
        repayments: {query: 'select firm_id, due, paid from loans.repayments', key: firm_id, events: true}

The start of `url` says which: `postgresql://...` (or `host=... dbname=...`), read through psycopg; `duckdb:FILE`, and
behind `duckdb:` whatever DuckDB can attach; anything else is an address of SQLAlchemy. Nothing is written to a
source. A sink makes its table in one transaction, where the database has them for that.
"""
from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from engine import Field, PluginFailure, Setting, Settings, SinkKind, SourceKind, Table, hookimpl

from . import tabular
from .values import batch as record_batch
from .values import value

tierwise_hooks = 1

_TABLE = {
    "table": Setting(help="a table or view, as `crm.firms`; its own name unless stated"),
    "query": Setting(help="a query in place of a table"),
    "key": Setting(required=True, help="the column that holds the customer's key"),
    "stamp": Setting(help="the column that says since when a row holds"),
    "events": Setting("boolean", default=False, help="whether a customer may have many rows"),
    "types": Setting("map", help="types by column, where the database does not tell them: `{founded: date}`"),
}
_SETTINGS = {
    "url": Setting(required=True, help="the database, best as `{secret: NAME}`"),
    "tables": Setting("map", required=True, of=_TABLE, help="the tables, each a table or query of the database"),
}
_SINK = {
    "url": Setting(required=True, help="the database, best as `{secret: NAME}`"),
    "table": Setting(required=True, help="the table that gets the rows"),
    "mode": Setting(default="replace", values=("replace", "append"),
                    help="whether the rows take the place of the table or are added to it"),
}
_ROWS = 10_000
#: Types of PostgreSQL by their number.
_POSTGRES = {
    16: "boolean", **dict.fromkeys((20, 21, 23, 700, 701, 1700), "number"),
    **dict.fromkeys((18, 19, 25, 1042, 1043, 2950), "string"), 1082: "date", 1083: "time", 1114: "date and time",
}
_WORDS = re.compile(r"\s*(host|hostaddr|port|dbname|user|service)\s*=")


def open_database(settings: Settings) -> Any:
    """Open the database that the url names."""
    url = settings["url"].strip()
    tables = settings["tables"]
    for name, table in tables.items():
        if table["table"] is not None and table["query"] is not None:
            raise PluginFailure(f"table `{name}` has both `table` and `query`")
    if url.startswith(("postgresql://", "postgres://")) or _WORDS.match(url):
        return Rows(_Postgres(url), tables)
    if url.startswith("duckdb:"):
        return _attached(url, settings)
    return Rows(_Alchemy(url), tables)


# --- DuckDB ------------------------------------------------------------------------------------------


def _attached(url: str, settings: Settings) -> tabular.Tables:
    duckdb = tabular.library()
    place = _place(url, settings)
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    try:
        connection.execute("ATTACH ? AS theirs (READ_ONLY)", [place])
        connection.execute("USE theirs")
        views = []
        for name, given in settings["tables"].items():
            parts = (given["table"] or name).split(".")
            relation = f"({given['query']})" if given["query"] else ".".join(map(tabular.identifier, parts))
            views.append(tabular.view_of(connection, name, relation, given))
    except duckdb.Error as problem:
        raise PluginFailure(tabular.said(problem)) from None
    return tabular.Tables(connection, views)


def _place(url: str, settings: Settings) -> str:
    """What stands behind `duckdb:`; a file is taken to lie beside the deployment."""
    place = url.removeprefix("duckdb:").removeprefix("//")
    if re.match(r"\w{2,}:", place):                     # another kind of database, which DuckDB attaches
        return place
    return str(settings.folder / place)


# --- PostgreSQL and SQLAlchemy ------------------------------------------------------------------------


class Driver(Protocol):
    """What is needed of a database. Rows are sequences of the columns asked for."""

    def kinds(self, name: str, given: Mapping[str, Any]) -> dict[str, str | None]:
        """The columns of a table with their types, None for what policies have no type for."""

    def rows(self, asked: Asked) -> Iterator[Sequence[Sequence[Any]]]:
        """The rows in their order, some at a time."""

    def close(self) -> None: ...


class Asked:
    """A question: columns of a table, as of a date, of some customers or of all (`keys` None)."""

    def __init__(
        self, name: str, given: Mapping[str, Any], columns: Sequence[str], kinds: Mapping[str, str | None],
        as_of: datetime.date, keys: Sequence[Any] | None,
    ) -> None:
        self.name = name
        self.given = given
        self.columns = columns
        self.kinds = kinds
        self.keys = keys
        #: Rows stamped on this day or later are not given.
        self.before = as_of + datetime.timedelta(days=1)


class Rows:
    """A source over a driver."""

    def __init__(self, driver: Driver, tables: Mapping[str, Mapping[str, Any]]) -> None:
        self._driver = driver
        self._tables = tables
        self._kinds: dict[str, dict[str, str | None]] = {}
        try:
            for name, given in tables.items():
                self._kinds[name] = _typed(name, given, driver.kinds(name, given))
        except BaseException:
            driver.close()
            raise

    def describe(self) -> Sequence[Table]:
        return [self._described(name) for name in self._tables]

    def _described(self, name: str) -> Table:
        given = self._tables[name]
        fields = {column: Field(kind) for column, kind in self._kinds[name].items() if kind is not None}
        return Table(name, given["key"], fields, given["events"], given["stamp"])

    def one(self, table: str, fields: Sequence[str], key: Any, as_of: datetime.date) -> list[dict[str, Any]]:
        kinds = self._kinds[table]
        asked = Asked(table, self._tables[table], fields, kinds, as_of, [key])
        return [
            {name: value(cell, kinds[name] or "", f"{table}.{name}") for name, cell in zip(fields, row, strict=True)}
            for rows in self._driver.rows(asked) for row in rows
        ]

    def batches(
        self, table: str, fields: Sequence[str], as_of: datetime.date, keys: Sequence[Any] | None = None
    ) -> Iterator[Any]:
        kinds = self._kinds[table]
        key = self._tables[table]["key"]
        columns = [key, *(name for name in fields if name != key)]
        asked = Asked(table, self._tables[table], columns, kinds, as_of, keys)
        failed = self._described(table).failed_column
        for rows in self._driver.rows(asked):
            yield record_batch([*columns, failed], kinds, [_cells(table, columns, kinds, row) for row in rows])

    def close(self) -> None:
        self._driver.close()


def _typed(name: str, given: Mapping[str, Any], kinds: dict[str, str | None]) -> dict[str, str | None]:
    """The types of a table's columns, stated ones first; raises PluginFailure for a column that is not there."""
    types = dict(given["types"] or {})
    for what, column in (("key", given["key"]), ("stamp", given["stamp"]), *(("types", c) for c in types)):
        if column is not None and column not in kinds:
            listed = ", ".join(f"`{c}`" for c in list(kinds)[:12])
            raise PluginFailure(f"table `{name}` has no column `{column}`, named as its {what}; it has {listed}")
    for column, kind in types.items():
        if kind not in tabular.SQL_TYPES:
            listed = ", ".join(f"`{k}`" for k in tabular.SQL_TYPES)
            raise PluginFailure(f"`{kind}` of column `{column}` of table `{name}` is no type; there are {listed}")
    kinds = {**kinds, **types}
    if given["key"] not in types:
        kinds[given["key"]] = "string"                  # an identifier, whatever its digits
    if given["stamp"] is not None and kinds[given["stamp"]] not in ("date", "date and time"):
        raise PluginFailure(f"column `{given['stamp']}` of table `{name}` is no date, and is named as its stamp")
    return kinds


def _cells(
    table: str, columns: Sequence[str], kinds: Mapping[str, str | None], row: Sequence[Any]
) -> list[Any]:
    """The values of a row and why they could not be had."""
    key = row[0] if row[0] is None else str(row[0]) if kinds[columns[0]] == "string" else row[0]
    try:
        rest = [
            value(cell, kinds[name] or "", f"{table}.{name}")
            for name, cell in zip(columns[1:], row[1:], strict=True)
        ]
    except PluginFailure as failure:
        return [key, *(None for _ in columns[1:]), str(failure)]
    return [key, *rest, None]


class _Postgres:
    """PostgreSQL through psycopg; a connection that was lost is made anew for the next question."""

    def __init__(self, url: str) -> None:
        try:
            import psycopg  # noqa: PLC0415 - an extra
            from psycopg import sql  # noqa: PLC0415
        except ImportError:
            raise PluginFailure('PostgreSQL needs psycopg: pip install "tierwise[postgres]"') from None
        self.psycopg: Any = psycopg
        self.sql: Any = sql
        self.url = url
        self._connection: Any = None

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """A connection in a transaction that reads one state of the database."""
        try:
            if self._connection is None or self._connection.closed:
                self._connection = self.psycopg.connect(self.url, connect_timeout=15)
                self._connection.isolation_level = self.psycopg.IsolationLevel.REPEATABLE_READ
                self._connection.read_only = True
            with self._connection.transaction():
                yield self._connection
        except self.psycopg.Error as problem:
            if isinstance(problem, (self.psycopg.OperationalError, self.psycopg.InterfaceError)):
                self.close()
            raise PluginFailure(_said(problem)) from None

    def kinds(self, name: str, given: Mapping[str, Any]) -> dict[str, str | None]:
        with self.connected() as connection:
            query = self.sql.SQL("SELECT * FROM {} AS source LIMIT 0").format(self._source(name, given))
            described = connection.execute(query).description
        return {column.name: _POSTGRES.get(column.type_code) for column in described}

    def _source(self, name: str, given: Mapping[str, Any]) -> Any:
        if given["query"] is not None:
            return self.sql.SQL("({})").format(self.sql.SQL(given["query"]))
        return self.sql.Identifier(*(given["table"] or name).split("."))

    def rows(self, asked: Asked) -> Iterator[Sequence[Sequence[Any]]]:
        sql, given = self.sql, asked.given
        key = sql.Identifier(given["key"])
        wheres, parameters = [], []
        if asked.keys is not None:
            is_text = asked.kinds[given["key"]] == "string"
            wheres.append(sql.SQL("{}::text = ANY(%s)" if is_text else "{} = ANY(%s)").format(key))
            parameters.append(list(asked.keys))
        shown = sql.SQL(", ").join(self._cell(name, asked.kinds[name]) for name in asked.columns)
        rank = sql.SQL("")
        if given["stamp"] is not None:
            stamp = sql.Identifier(given["stamp"])
            wheres.append(sql.SQL("({0} IS NULL OR {0} < %s)").format(stamp))
            parameters.append(asked.before)
            if not given["events"]:                     # of several rows the last one holds
                rank = sql.SQL(", rank() OVER (PARTITION BY {} ORDER BY {} DESC NULLS LAST) AS tierwise_rank").format(
                    key, stamp
                )
        where = sql.SQL("WHERE {}").format(sql.SQL(" AND ").join(wheres)) if wheres else sql.SQL("")
        source = self._source(asked.name, given)
        inner = sql.SQL("SELECT *{} FROM {} AS source {}").format(rank, source, where)
        last = sql.SQL(" WHERE tierwise_rank = 1 OR {} IS NULL").format(key) if rank.as_string() else sql.SQL("")
        query = sql.SQL("SELECT {} FROM ({}) AS rows{}").format(shown, inner, last)
        with self.connected() as connection, connection.cursor("tierwise") as cursor:
            cursor.itersize = _ROWS
            cursor.execute(query, parameters)
            while rows := cursor.fetchmany(_ROWS):
                yield rows

    def _cell(self, name: str, kind: str | None) -> Any:
        casts = {"number": "{}::double precision", "string": "{}::text"}
        return self.sql.SQL(casts.get(kind or "", "{}")).format(self.sql.Identifier(name))

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class _Alchemy:
    """Any database that SQLAlchemy has a dialect for."""

    def __init__(self, url: str) -> None:
        try:
            import sqlalchemy  # noqa: PLC0415 - an extra
        except ImportError:
            raise PluginFailure('this database needs SQLAlchemy: pip install "tierwise[sqlalchemy]"') from None
        self.sa: Any = sqlalchemy
        try:
            self.engine: Any = sqlalchemy.create_engine(url, pool_pre_ping=True)
        except (sqlalchemy.exc.ArgumentError, sqlalchemy.exc.NoSuchModuleError):
            raise PluginFailure("its `url` is no address of a database") from None
        except ImportError as error:
            raise PluginFailure(f"this database needs `{error.name}`, which is not installed") from None

    @contextmanager
    def telling(self) -> Iterator[None]:
        try:
            yield
        except self.sa.exc.SQLAlchemyError as problem:
            raise PluginFailure(_said(getattr(problem, "orig", None) or problem)) from None

    def kinds(self, name: str, given: Mapping[str, Any]) -> dict[str, str | None]:
        with self.telling():
            if given["query"] is not None:
                with self.engine.connect() as connection:
                    found = connection.execute(self.sa.text(f"SELECT * FROM ({given['query']}) AS source WHERE 1 = 0"))
                    return dict.fromkeys(found.keys())
            schema, _, table = (given["table"] or name).rpartition(".")
            try:
                columns = self.sa.inspect(self.engine).get_columns(table, schema or None)
            except self.sa.exc.NoSuchTableError:
                raise PluginFailure(f"there is no table `{given['table'] or name}`") from None
            return {column["name"]: _kind(column["type"]) for column in columns}

    def rows(self, asked: Asked) -> Iterator[Sequence[Sequence[Any]]]:
        sa, given = self.sa, asked.given
        types = {
            "number": sa.Float(), "string": sa.String(), "boolean": sa.Boolean(), "date": sa.Date(),
            "date and time": sa.DateTime(), "time": sa.Time(),
        }
        columns = [sa.column(name, types.get(kind or "")) for name, kind in asked.kinds.items()]
        if given["query"] is not None:
            source = sa.text(given["query"]).columns(*columns).subquery("source")
        else:
            schema, _, table = (given["table"] or asked.name).rpartition(".")
            source = sa.table(table, *columns, schema=schema or None)
        key = source.c[given["key"]]
        query = sa.select(source)
        if asked.keys is not None:
            query = query.where(key.in_(list(asked.keys)))
        rank = None
        if given["stamp"] is not None:
            stamp = source.c[given["stamp"]]
            query = query.where(sa.or_(stamp.is_(None), stamp < asked.before))
            if not given["events"]:                     # of several rows the last one holds
                unknown = sa.case((stamp.is_(None), 1), else_=0)
                rank = sa.func.rank().over(partition_by=key, order_by=[unknown, stamp.desc()])
                query = query.add_columns(rank.label("tierwise_rank"))
        inner = query.subquery("rows")
        query = sa.select(*(inner.c[name] for name in asked.columns))
        if rank is not None:
            query = query.where(sa.or_(inner.c.tierwise_rank == 1, inner.c[given["key"]].is_(None)))
        with self.telling(), self.engine.connect() as connection:
            try:
                found = connection.execution_options(stream_results=True, max_row_buffer=_ROWS).execute(query)
                yield from ([tuple(row) for row in part] for part in found.partitions(_ROWS))
            except (TypeError, ValueError):             # a value that SQLAlchemy cannot read as its column's type
                raise PluginFailure(f"table `{asked.name}` holds what is no value of its column's type") from None

    def close(self) -> None:
        self.engine.dispose()


def _kind(type_: Any) -> str | None:
    """The type of a column by the Python type of its values."""
    try:
        held = type_.python_type
    except NotImplementedError:
        return None
    name = getattr(held, "__name__", "")
    return {
        "int": "number", "float": "number", "Decimal": "number", "str": "string", "bool": "boolean", "date": "date",
        "datetime": "date and time", "time": "time", "UUID": "string",
    }.get(name)


def _said(problem: BaseException) -> str:
    """The first line of what a database says."""
    text = str(problem).strip().partition("\n")[0]
    return text[:1].lower() + text[1:]


# --- the sink --------------------------------------------------------------------------------------------


def open_sink(settings: Settings, schema: Any, columns: Sequence[str]) -> Any:
    url = settings["url"].strip()
    if url.startswith(("postgresql://", "postgres://")) or _WORDS.match(url):
        return _PostgresSink(_Postgres(url), settings, schema)
    if url.startswith("duckdb:"):
        return _DuckSink(settings, schema)
    return _AlchemySink(_Alchemy(url), settings, schema)


def _shape(schema: Any) -> list[tuple[str, str]]:
    """The columns of results, each with its kind: that of a plain value, "texts" for a list of texts, else "json"."""
    import pyarrow.types as types  # noqa: PLC0415 - there where there are batches

    def kind(held: Any) -> str:
        if types.is_dictionary(held):
            return kind(held.value_type)
        if types.is_integer(held):
            return "whole"
        if types.is_floating(held) or types.is_decimal(held):
            return "number"
        if types.is_list(held) and types.is_string(held.value_type):
            return "texts"
        named = ((types.is_boolean, "boolean"), (types.is_date, "date"), (types.is_timestamp, "date and time"),
                 (types.is_time, "time"), (types.is_string, "string"))
        return next((name for test, name in named if test(held)), "json")

    return [(field.name, kind(field.type)) for field in schema]


class _PostgresSink:
    """One transaction from the first row to the last."""

    _TYPES = {
        "whole": "bigint", "number": "double precision", "boolean": "boolean", "date": "date",
        "date and time": "timestamp", "time": "time", "string": "text", "texts": "text[]", "json": "jsonb",
    }

    def __init__(self, database: _Postgres, settings: Settings, schema: Any) -> None:
        self._database = database
        sql = database.sql
        shape = _shape(schema)
        self._json = [at for at, (_, kind) in enumerate(shape) if kind == "json"]
        table = sql.Identifier(*settings["table"].split("."))
        columns = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(self._TYPES[kind])) for name, kind in shape
        )
        names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in shape)
        self._copy = sql.SQL("COPY {} ({}) FROM STDIN").format(table, names)
        with self._telling():
            self._connection = database.psycopg.connect(database.url, connect_timeout=15)
        try:
            with self._telling():
                if settings["mode"] == "replace":
                    self._connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
                self._connection.execute(sql.SQL("CREATE TABLE IF NOT EXISTS {} ({})").format(table, columns))
        except PluginFailure:
            self._connection.close()
            raise

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except self._database.psycopg.Error as problem:
            raise PluginFailure(_said(problem)) from None

    def write(self, batch: Any) -> None:
        from psycopg.types.json import Jsonb  # noqa: PLC0415 - there where the database is

        with self._telling(), self._connection.cursor() as cursor, cursor.copy(self._copy) as copy:
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                cells = list(row)
                for at in self._json:
                    cells[at] = None if cells[at] is None else Jsonb(_plain(cells[at]))
                copy.write_row(cells)

    def finish(self) -> None:
        with self._telling():
            self._connection.commit()
        self._connection.close()

    def abandon(self) -> None:
        self._connection.rollback()
        self._connection.close()


class _DuckSink:
    """A table of a DuckDB file, in one transaction."""

    def __init__(self, settings: Settings, schema: Any) -> None:
        self._duckdb = tabular.library()
        table = ".".join(map(tabular.identifier, settings["table"].split(".")))
        try:
            self._connection = self._duckdb.connect(_place(settings["url"], settings))
        except self._duckdb.Error as problem:
            raise PluginFailure(tabular.said(problem)) from None
        try:
            self._connection.execute("BEGIN")
            if settings["mode"] == "replace":
                self._connection.execute(f"DROP TABLE IF EXISTS {table}")
            self._connection.register("empty", schema.empty_table())
            self._connection.execute(f"CREATE TABLE IF NOT EXISTS {table} AS SELECT * FROM empty")
        except self._duckdb.Error as problem:
            self._connection.close()
            raise PluginFailure(tabular.said(problem)) from None
        self._insert = f"INSERT INTO {table} BY NAME SELECT * FROM batch"

    def write(self, batch: Any) -> None:
        try:
            self._connection.register("batch", batch)
            self._connection.execute(self._insert)
            self._connection.unregister("batch")
        except self._duckdb.Error as problem:
            raise PluginFailure(tabular.said(problem)) from None

    def finish(self) -> None:
        self._connection.execute("COMMIT")
        self._connection.close()

    def abandon(self) -> None:
        self._connection.execute("ROLLBACK")
        self._connection.close()


class _AlchemySink:
    """A table of another database; lists and contexts are texts of JSON there."""

    def __init__(self, database: _Alchemy, settings: Settings, schema: Any) -> None:
        self._database = database
        sa = database.sa
        types = {
            "whole": sa.BigInteger, "number": sa.Float, "boolean": sa.Boolean, "date": sa.Date,
            "date and time": sa.DateTime, "time": sa.Time,
        }
        shape = _shape(schema)
        self._json = [name for name, kind in shape if kind in ("texts", "json")]
        place, _, name = settings["table"].rpartition(".")
        columns = [sa.Column(column, types.get(kind, sa.Text)()) for column, kind in shape]
        self._table = sa.Table(name, sa.MetaData(), *columns, schema=place or None)
        with database.telling():
            self._connection = database.engine.connect()
        try:
            with database.telling():
                if settings["mode"] == "replace":
                    self._table.drop(self._connection, checkfirst=True)
                self._table.create(self._connection, checkfirst=True)
        except PluginFailure:
            self._end()
            raise

    def write(self, batch: Any) -> None:
        rows = batch.to_pylist()
        for row in rows:
            for name in self._json:
                row[name] = None if row[name] is None else _text(row[name])
        if rows:
            with self._database.telling():
                self._connection.execute(self._table.insert(), rows)

    def finish(self) -> None:
        with self._database.telling():
            self._connection.commit()
        self._end()

    def abandon(self) -> None:
        self._connection.rollback()
        self._end()

    def _end(self) -> None:
        self._connection.close()
        self._database.close()


def _plain(cell: Any) -> Any:
    """A cell as JSON has it: days and times as ISO text."""
    if isinstance(cell, dict):
        return {name: _plain(member) for name, member in cell.items()}
    if isinstance(cell, list):
        return [_plain(item) for item in cell]
    return cell.isoformat() if isinstance(cell, (datetime.date, datetime.time)) else cell


def _text(cell: Any) -> str:
    return json.dumps(_plain(cell), ensure_ascii=False)


@hookimpl
def register_sources() -> list[SourceKind]:
    help = "Tables and queries of PostgreSQL, DuckDB, and databases that SQLAlchemy speaks to."
    return [SourceKind("database", open_database, _SETTINGS, help)]


@hookimpl
def register_sinks() -> list[SinkKind]:
    return [SinkKind("database", open_sink, _SINK, "A table of a database.")]
