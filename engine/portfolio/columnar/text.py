"""CSV and JSON lines as sources."""
from __future__ import annotations

import codecs
import csv
import json
import math
import os
import shutil
import sys
from collections.abc import Sequence
from typing import Any

import duckdb

from engine.portfolio.binding import Columns, Declared, Reading, chosen, spellings
from engine.portfolio.columnar.cells import JSON, TEXT
from engine.portfolio.columnar.raw import Bound, Raw, Unreadable
from engine.portfolio.columnar.scan import scan
from engine.portfolio.columnar.session import Session, identifier
from engine.portfolio.files import UNREADABLE, open_text
from engine.portfolio.problems import DataProblem, reason, shown
from engine.portfolio.request import Options
from engine.portfolio.tables import BadRow, Table, normalise, open_table

#: Longer lines go to the one-by-one reader, which bounds fields and lines.
_LINE = 131_072
_CHUNK = 1 << 22


def open_text_source(
    session: Session, path: str, declared: Sequence[Declared], options: Options, reading: Reading
) -> Raw:
    """A file (or `-`) as a source: read by the database where that is certain to be right, else row by row.

    Raises DataProblem.
    """
    told = shown(path)
    path, options = _on_disk(session, path, options)
    with _table(path, options, told) as table:
        is_json = not table.columns
        if not (os.path.isfile(path) and _is_utf8(table.encoding)):
            return _row_by_row(session, table, path, told, declared, reading)
        found = scan(path, is_json, table.delimiter)
        # the database takes no notice of a delimiter too many at the end of a line
        even = is_json or found.delimiters == found.lines * (len(table.columns) - 1)
        if not found.simple or not even or table.before != (0 if is_json else 1):
            return _row_by_row(session, table, path, told, declared, reading)
        native: Raw | None
        if is_json:
            native = _json(session, path, told, declared)
        else:
            native = _csv(session, table, path, told, declared, found.crlf)
        if native is None:
            return _row_by_row(session, table, path, told, declared, reading)
        return native.replace(rows=found.lines - table.before)


def row_by_row(
    session: Session, path: str, declared: Sequence[Declared], options: Options, reading: Reading, told: str
) -> Raw:
    """The source once more, where the database could not read it after all."""
    with _table(path, options, told) as table:
        return _row_by_row(session, table, path, told, declared, reading)


def _table(path: str, options: Options, told: str) -> Table:
    table = open_table(path, format=options.format, encoding=options.encoding, delimiter=options.delimiter)
    table.name = told
    return table


def _on_disk(session: Session, path: str, options: Options) -> tuple[str, Options]:
    """Standard input set aside as a file, and other encodings written anew as UTF-8."""
    if path == "-":
        path = session.path("")
        with open(path, "wb") as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy, _CHUNK)
    if options.encoding is None and not _has_mark(path):
        return path, options
    anew = session.path(os.path.splitext(path.removesuffix(".gz"))[1])
    with open_table(path, format=options.format, encoding=options.encoding, delimiter=options.delimiter) as table:
        name = table.encoding
        if _is_utf8(name):
            return path, options
    try:
        with open_text(path, options.encoding) as text, open(anew, "w", encoding="utf-8", newline="") as copy:
            while part := text.read(_CHUNK):
                copy.write(part)
    except UnicodeError:                                # bytes that are no text: its rows are bad, not the file
        os.unlink(anew)
        return path, options
    except UNREADABLE as problem:
        raise DataProblem(f"`{shown(path)}` cannot be read: {reason(problem)}", path) from None
    return anew, options.replace(encoding="utf-8")


def _has_mark(path: str) -> bool:
    """Whether a UTF-16 or UTF-32 file says so."""
    if not os.path.isfile(path) or path.endswith(".gz"):
        return False
    with open(path, "rb") as file:
        return file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def _is_utf8(encoding: str) -> bool:
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def _csv(
    session: Session, table: Table, path: str, told: str, declared: Sequence[Declared], crlf: bool
) -> Raw:
    places, absent = chosen(table.columns, declared, path)
    columns = {f"c{i}": "VARCHAR" for i in range(len(table.columns))}
    ends = r"\r\n" if crlf else r"\n"
    relation = (
        f"read_csv({session.variable(path)}, columns = {session.variable(columns)}, auto_detect = false, "
        f"header = false, skip = 1, delim = {session.variable(table.delimiter)}, quote = '\"', escape = '\"', "
        f"strict_mode = true, max_line_size = {_LINE}, new_line = '{ends}', compression = '{_packing(path)}')"
    )
    bound = tuple(Bound(name, f"c{place}", TEXT) for name, place in places.items())
    return Raw(relation, bound, tuple(absent), None, told, path, first=2, names=table.columns)


def _json(session: Session, path: str, told: str, declared: Sequence[Declared]) -> Raw | None:
    """None where the members' names are not as they are compared."""
    packed = f"compression = '{_packing(path)}'"
    given = session.variable(path)
    try:
        found = session.rows(
            f"SELECT DISTINCT unnest(CASE json_type(json) WHEN 'OBJECT' THEN json_keys(json) ELSE [NULL] END) "
            f"FROM read_ndjson_objects({given}, {packed}, maximum_object_size = {_LINE})"
        )
    except duckdb.Error:
        return None
    members = [name for (name,) in found]
    if any(name is None or normalise(name) != name for name in members):
        return None                                     # a line that is no object, or a name that is written otherwise
    columns: dict[str, str] = {}
    bound: list[Bound] = []
    for decl in declared:
        names = [s for s in spellings(decl) if s in members]
        cells = []
        for name in names:
            columns.setdefault(name, "JSON")
            cells.append(identifier(name))
        if cells:
            raw = cells[0] if len(cells) == 1 else f"coalesce({', '.join(cells)})"
            bound.append(Bound(decl.name, raw, JSON))
    if not columns:
        columns = {"c": "JSON"}
    relation = (
        f"read_json({given}, format = 'newline_delimited', records = true, columns = {session.variable(columns)}, "
        f"maximum_object_size = {_LINE}, {packed})"
    )
    return Raw(relation, tuple(bound), (), None, told, path)


def _row_by_row(
    session: Session, table: Table, path: str, told: str, declared: Sequence[Declared], reading: Reading
) -> Raw:
    """The rows as the one-by-one reader finds them, written as CSV that leaves nothing to judge, each with its line."""
    is_json = not table.columns
    if is_json:
        names: list[str] = [d.name for d in declared]
        absent: Sequence[str] = ()
    else:
        places, absent = chosen(table.columns, declared, path)
        names = list(places)
    columns = Columns(table, declared, reading)
    bad: list[Unreadable] = []
    anew = session.path(".csv")
    with open(anew, "w", encoding="utf-8", newline="") as copy:
        out = csv.writer(copy, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for row in table:
            if isinstance(row, BadRow):
                values = columns.values(row.cells)
                bad.append(Unreadable(row.line, row.message, row.help, {n: writable(v) for n, v in values.items()}))
            elif is_json:
                values = columns.values(row.cells)
                out.writerow([row.line, *(_json_cell(values.get(name)) for name in names)])
            else:
                cells = row.cells
                out.writerow([row.line, *(cells[place] for place in places.values())])  # type: ignore[index]
    content = JSON if is_json else TEXT
    types = {"line": "BIGINT", **{f"c{i}": "VARCHAR" for i in range(len(names))}}
    relation = (
        f"read_csv({session.variable(anew)}, columns = {session.variable(types)}, auto_detect = false, header = false, "
        "delim = ',', quote = '\"', escape = '\"', new_line = '\\n', max_line_size = 16000000, strict_mode = true)"
    )
    raws = [f"CAST(nullif(c{i}, '') AS JSON)" if is_json else f"c{i}" for i in range(len(names))]
    bound = tuple(Bound(name, raw, content) for name, raw in zip(names, raws, strict=True))
    return Raw(relation, bound, tuple(absent), "line", told, path, unreadable=bad, names=table.columns)


def _packing(path: str) -> str:
    return "gzip" if path.endswith(".gz") else "none"


def _json_cell(value: Any) -> str:
    return "" if value is None else json.dumps(_finite(value), ensure_ascii=False)


def _finite(value: Any) -> Any:
    """A value without numbers beyond binary64, which are missing wherever they are read."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(member) for name, member in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list) else value


def writable(value: Any) -> Any:
    """A value without halves of characters, which no file takes."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value
