"""Results as text, byte for byte as the one-by-one path writes them (`engine.portfolio.writing`).

Numbers, dates and lists of codes are written by SQL. What has no short form in SQL (lists of contexts, durations) is
written by the one-by-one path's own functions, each distinct value once.
"""
from __future__ import annotations

import datetime
from typing import Any

from engine.portfolio.columnar.session import Session, identifier
from engine.portfolio.writing import cell, json_text, numbered
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.semantics.values import YearsMonths

#: Characters for which a CSV cell is quoted, and control characters that JSON's short forms leave out.
_SPECIAL = "'[\",\\r\\n]'"
_CONTROLS = [f"{n:02X}" for n in (*range(0x0A, 0x10), *range(0x1A, 0x20))]
_BATCH = 10_000


#: The members that an outcome of several may have, by its number.
Shapes = tuple[tuple[str, ...], ...]
#: Members of a list's structs: the only outcome, and the number of the shape.
_VALUE, _SHAPE = "value", "#"


class Column(Record):
    """A column of the staged results: SQL that reads it, its type (None for text), whether it is a list of labels
    without semicolons, and the shapes of a list of contexts."""

    name: str
    sql: str
    type: Type | None = None
    labels: bool = False
    shapes: Shapes = ()


class Writing:
    """SQL that writes cells: of CSV, or of JSON. `joins` bring the texts that the one-by-one path wrote."""

    def __init__(self, session: Session, relation: str, is_json: bool) -> None:
        self.session = session
        self.relation = relation
        self.json = is_json
        self.joins: list[str] = []

    def text(self, column: Column) -> str:
        """SQL of the cell's text, NULL where the value is null."""
        kind, sql = column.type, column.sql
        if column.labels:
            if self.json:
                return f"'[' || array_to_string(list_transform({sql}, lambda x: {_quoted('x')}), ', ') || ']'"
            return _cell(f"array_to_string({sql}, ';')")
        if kind is None or kind.kind == dt.STRING:
            return _quoted(sql) if self.json else _cell(sql)
        if kind.kind in dt.NUMERIC:
            whole = f"CAST(CAST({sql} AS HUGEINT) AS VARCHAR)"
            if kind.whole:
                return whole
            is_whole = f"{sql} = trunc({sql}) AND abs({sql}) < 1e15"
            return f"CASE WHEN {is_whole} THEN {whole} ELSE CAST({sql} AS VARCHAR) END"
        if kind.kind == dt.BOOLEAN:
            return f"CASE WHEN {sql} THEN 'true' WHEN NOT {sql} THEN 'false' END"
        if kind.kind == dt.DATE:
            return f"""'"' || CAST({sql} AS VARCHAR) || '"'""" if self.json else f"CAST({sql} AS VARCHAR)"
        return self._written(column, kind)

    def _written(self, column: Column, kind: Type) -> str:
        """Texts that the one-by-one path writes, each distinct value once."""
        session, write = self.session, _written_json if self.json else _written_cell
        values, texts, written = session.name("values"), session.name("texts"), session.name("written")
        (count,) = session.row(
            f"CREATE TEMP TABLE {values} AS SELECT DISTINCT {column.sql} AS value FROM {self.relation}"
        )
        session.run(f"CREATE TEMP TABLE {texts} (id BIGINT, text VARCHAR)")
        for start in range(0, count, _BATCH):
            found = session.rows(
                f"SELECT rowid, value FROM {values} WHERE rowid >= ? AND rowid < ? AND value IS NOT NULL",
                [start, start + _BATCH],
            )
            session.run(
                f"INSERT INTO {texts} SELECT unnest(?::BIGINT[]), unnest(?::VARCHAR[])",
                [[number for number, _ in found], [write(as_engine(value, kind, column.shapes)) for _, value in found]],
            )
        session.run(
            f"CREATE TEMP TABLE {written} AS SELECT value, text FROM {values} v JOIN {texts} t ON t.id = v.rowid"
        )
        self.joins.append(f"LEFT JOIN {written} ON {column.sql} = {written}.value")
        return f"{written}.text"

    def line(self, columns: list[tuple[str, str]]) -> str:
        """SQL of a whole line, from (name, SQL of the cell's text)."""
        if not self.json:
            return " || ',' || ".join(f"coalesce({text}, '')" for _, text in columns)
        given = self.session.variable
        members = (f"{given(json_text(name) + ': ')} || coalesce({text}, 'null')" for name, text in columns)
        return "'{' || " + " || ', ' || ".join(members) + " || '}'"


def _cell(sql: str) -> str:
    quoted = f"""'"' || replace({sql}, '"', '""') || '"'"""
    return f"CASE WHEN regexp_matches({sql}, {_SPECIAL}) THEN {quoted} ELSE {sql} END"


def _written_json(value: Any) -> str:
    return json_text(numbered(value))


def _written_cell(value: Any) -> str:
    return _csv_cell(cell(value))


def _csv_cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in '",\r\n') else text


def _quoted(sql: str) -> str:
    """A text as JSON; the database writes escapes of control characters in capitals."""
    plain = f"CAST(to_json({sql}) AS VARCHAR)"
    lowered = plain
    for code in _CONTROLS:
        lowered = f"replace({lowered}, '\\u00{code}', '\\u00{code.lower()}')"
    return f"CASE WHEN regexp_matches({sql}, '[\\x00-\\x1f]') THEN {lowered} ELSE {plain} END"


def header(names: list[str]) -> str:
    """The first line of a CSV."""
    return ",".join(_csv_cell(name) for name in names)


def as_engine(value: Any, kind: Type, shapes: Shapes = ()) -> Any:
    """A value of the database as the engine holds it: durations come as counts, items of lists as structs, which say by
    their number in `shapes` which members they have."""
    if value is None:
        return None
    if kind.kind == dt.DAYS_DURATION:
        return datetime.timedelta(microseconds=value)
    if kind.kind == dt.MONTHS_DURATION:
        return YearsMonths(value)
    if kind.kind == dt.LIST and kind.item is not None:
        return [_item(item, kind.item, shapes) for item in value]
    if kind.whole and isinstance(value, float):
        return int(value)
    return value


def _item(value: Any, kind: Type, shapes: Shapes) -> Any:
    if not isinstance(value, dict):
        return as_engine(value, kind)
    if not shapes:
        return as_engine(value[_VALUE], kind)
    fields = dict(kind.fields or ())
    return {name: as_engine(value[name], fields[name]) for name in shapes[value.get(_SHAPE, 0)]}


def plain_list(sql: str, shapes: Shapes) -> str:
    """SQL of a list of outcomes without the number of their shapes: of values, or of structs with all members."""
    if not shapes:
        return f"list_transform({sql}, lambda x: x.{identifier(_VALUE)})"
    members = dict.fromkeys(name for shape in shapes for name in shape)
    packed = ", ".join(f"{identifier(name)} := x.{identifier(name)}" for name in members)
    return f"list_transform({sql}, lambda x: struct_pack({packed}))"
