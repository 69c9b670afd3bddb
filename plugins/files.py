"""The source `files`: CSV, Parquet, Excel and JSON lines as tables of facts and events; and the sink of that name.

    core:
      kind: files
      tables:
        firms: {file: firms.csv, key: firm_id, stamp: as_at}
        repayments: {file: 'repayments/*.parquet', key: firm_id, events: true}

A file is read anew for every question, so that it may be replaced while a service runs. As an output,
`{kind: files, file: decisions.parquet}`, it gets the decided rows.
"""
from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine import PluginFailure, Setting, Settings, SinkKind, SourceKind, hookimpl

from .tabular import Tables, View, library, said, view_of
from .written import SETTINGS, open_file

tierwise_hooks = 1

_TABLE = {
    "file": Setting("path", required=True, help="the file, or a pattern such as `repayments/*.parquet`"),
    "key": Setting(required=True, help="the column that holds the customer's key"),
    "stamp": Setting(help="the column that says since when a row holds"),
    "events": Setting("boolean", default=False, help="whether a customer may have many rows"),
    "types": Setting("map", help="types by column, where the file does not tell them: `{zip: string}`"),
    "missing": Setting("list", default=(), help="texts of a CSV that mean missing, as `NA`"),
    "delimiter": Setting(help="what separates the cells of a CSV"),
    "sheet": Setting(help="the sheet of a workbook; its first one unless stated"),
}
_CSV, _PARQUET, _JSON, _EXCEL = (".csv", ".tsv", ".txt"), (".parquet", ".pq"), (".jsonl", ".ndjson"), (".xlsx", ".xlsm")


def open_files(settings: Settings) -> Tables:
    """Open the tables; raises PluginFailure for a file that is not there or cannot be read."""
    duckdb = library()
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
    views = []
    for name, given in settings["tables"].items():
        try:
            views.append(_view(connection, name, given, settings.folder))
        except duckdb.Error as problem:
            raise PluginFailure(f"`{_shown(given['file'], settings.folder)}` cannot be read: {said(problem)}") from None
    return Tables(connection, views)


def _view(connection: Any, name: str, given: Mapping[str, Any], folder: Path) -> View:
    path: Path = given["file"]
    shown = _shown(path, folder)
    plain = path.name.removesuffix(".gz").lower()
    form = next((e for e in (_CSV, _PARQUET, _JSON, _EXCEL) if plain.endswith(e)), None)
    if path.is_dir():
        path, form = path / "**" / "*.parquet", _PARQUET
    if form is None:
        raise PluginFailure(f"`{shown}` is no file by its name; there are .csv, .tsv, .jsonl, .parquet and .xlsx")
    if not any(c in str(path) for c in "*?[") and not path.exists():
        raise PluginFailure(f"there is no file `{shown}`")
    if form is _PARQUET:
        parts = str(given["file"].is_dir()).lower()
        return view_of(
            connection, name, f"read_parquet(?, union_by_name = true, hive_partitioning = {parts})", given, [str(path)]
        )
    if form is _JSON:
        relation = "read_json(?, format = 'newline_delimited', sample_size = -1)"
        return view_of(connection, name, relation, given, [str(path)])
    if form is _EXCEL:
        return _sheet(connection, name, given, shown)
    delimiter = given["delimiter"] or ("\t" if plain.endswith(".tsv") else ",")
    options = "delim = ?, header = true, nullstr = ?, quote = '\"', escape = '\"', strict_mode = true"
    parameters = [str(path), delimiter, ["", *given["missing"]]]
    guessed = connection.execute(
        f"DESCRIBE SELECT * FROM read_csv(?, {options}, sample_size = -1, dateformat = '%Y-%m-%d')", parameters
    ).fetchall()
    stated = dict(given["types"] or {})
    types = {c: kind for c, text, *_ in guessed if c != given["key"] and (kind := _GUESSED.get(text)) is not None}
    return view_of(
        connection, name, f"read_csv(?, {options}, all_varchar = true)", {**given, "types": {**types, **stated}},
        parameters, {column: "VARCHAR" for column, *_ in guessed},
    )


#: What a CSV's columns are taken for, unless their types are stated.
_GUESSED = {"BIGINT": "number", "DOUBLE": "number", "BOOLEAN": "boolean", "DATE": "date", "TIMESTAMP": "date and time"}


def _sheet(connection: Any, name: str, given: Mapping[str, Any], shown: str) -> View:
    """A sheet, whose first row names the columns, held in memory."""
    try:
        import openpyxl  # noqa: PLC0415 - an extra
        import pyarrow as pa  # noqa: PLC0415
    except ImportError as error:
        raise PluginFailure(f'`{shown}` needs {error.name}: pip install "tierwise[excel,arrow]"') from None
    try:
        book = openpyxl.load_workbook(given["file"], read_only=True, data_only=True)
    except Exception as problem:  # noqa: BLE001 - a damaged workbook fails in a dozen ways
        raise PluginFailure(f"`{shown}` is no workbook: {type(problem).__name__}") from None
    try:
        if given["sheet"] is not None and given["sheet"] not in book.sheetnames:
            listed = ", ".join(f"`{sheet}`" for sheet in book.sheetnames)
            raise PluginFailure(f"`{shown}` has no sheet `{given['sheet']}`; it has {listed}")
        rows = (book[given["sheet"]] if given["sheet"] is not None else book.worksheets[0]).iter_rows(values_only=True)
        names = [" ".join(str(cell).split()) if cell is not None else "" for cell in next(rows, ())]
        kept = [at for at, title in enumerate(names) if title]
        cells = [[row[at] if at < len(row) else None for at in kept] for row in rows]
    finally:
        book.close()
    columns = {names[at]: [row[place] for row in cells] for place, at in enumerate(kept)}
    if len(columns) < len(kept):
        raise PluginFailure(f"two columns of `{shown}` have one name")
    texts = {c: pa.array([_text(v) for v in values], pa.string()) for c, values in columns.items()}
    table = f"sheet_{name}"
    connection.register(table, pa.table(texts))
    types = {c: kind for c, values in columns.items() if c != given["key"] and (kind := _kind(values)) is not None}
    given = {**given, "types": {**types, **dict(given["types"] or {})}}
    return view_of(connection, name, '"' + table.replace('"', '""') + '"', given, (), dict.fromkeys(columns, "VARCHAR"))


def _text(value: Any) -> str | None:
    """A cell as text, which is read by its column's type."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, (datetime.date, datetime.time)) else str(value)


def _kind(values: Sequence[Any]) -> str | None:
    """The type that all cells of a column have, None for text."""
    there = [value for value in values if value is not None and value != ""]
    if not there:
        return None
    if all(isinstance(value, bool) for value in there):
        return "boolean"
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in there):
        return "number"
    if all(isinstance(value, datetime.datetime) for value in there):
        return "date" if all(value.time() == datetime.time() for value in there) else "date and time"
    return None


def _shown(path: Path, folder: Path) -> str:
    """A path as the deployment names it."""
    return str(path.relative_to(folder.resolve())) if path.is_relative_to(folder.resolve()) else str(path)


@hookimpl
def register_sources() -> list[SourceKind]:
    return [
        SourceKind(
            "files", open_files, {"tables": Setting("map", required=True, of=_TABLE, help="the tables, each a file")},
            "Tables in CSV, Parquet, Excel and JSON lines files.",
        )
    ]


@hookimpl
def register_sinks() -> list[SinkKind]:
    return [SinkKind("files", open_file, SETTINGS, "A Parquet, CSV or JSON lines file.")]
