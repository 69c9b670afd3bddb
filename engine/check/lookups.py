"""Lookups: a row of a CSV table by equal keys or by band."""
from __future__ import annotations

from engine.check.arms import ArmReader
from engine.check.decisions import Draft
from engine.check.model import ArmModel, Expr, LookupModel, TableModel
from engine.check.plain import NotReadable, read
from engine.check.scope import closest, instead, whole
from engine.diagnostics import Problem, Span
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.source.declare import DecisionSpec, PolicyFile, pairs
from engine.source.files import Files
from engine.source.nodes import Mapping, Scalar, normal


def lookup_draft(
    file: PolicyFile, files: Files, spec: DecisionSpec, reader: ArmReader, where: tuple[tuple[str, Expr], ...]
) -> tuple[Draft, TableModel | None]:
    """A lookup as a value that calls `lookup`, and its table, None where it is faulty."""
    empty = Draft(spec, reader, "value", (), 0, (), where)
    content = spec.content
    path = content.get("table") if isinstance(content, Mapping) else None
    if not isinstance(content, Mapping) or not isinstance(path, Scalar):
        return empty, None
    try:
        found = files.resolve(file, path.text, path.span, ("", ".csv"))
        rows = files.table(found, path.span)
    except Problem as problem:
        for diagnostic in problem.diagnostics:
            reader.report.add(diagnostic)
        return empty, None
    header = [normal(h) for h in rows[0]]
    mode = "band" if "band" in content else "key"
    keys = _keys(content, mode, reader)
    column = content.get("column")
    if keys is None or not isinstance(column, Scalar):
        return empty, None
    wanted = normal(column.text)
    for name, span in [(n, e.place.locate(0, len(e.place.text))) for n, e in keys] + [(wanted, column.span)]:
        if name not in header:
            near = closest(name, header)
            reader.report.at(
                "E0205", f"the table has no column `{name}`", span,
                f"did you mean `{near}`?" if near else f"its columns are {', '.join(f'`{h}`' for h in header[:12])}",
                edits=instead(column.span, near) if span is column.span else (),
            )
            return empty, None
    if mode == "band" and len(keys) != 1:
        reader.report.at("E0508", "a band lookup has one key", spec.form_key.span, "name one column of lower bounds")
        return empty, None
    names = [n for n, _ in keys]
    result = reader.results.single
    typed = _typed(rows, header, names, wanted, result if reader.results.stated else None, mode, path.span, reader)
    if typed is None:
        return empty, None
    columns, values = typed
    table = TableModel(spec.name, mode, columns, values, tuple(names))
    place = whole(spec.form_key)
    outcome = LookupModel(table, tuple(e for _, e in keys), wanted, place)
    arm = ArmModel("value", None, (), (("", outcome),), (), False, place)
    return Draft(spec, reader, "value", (arm,), 0, (), where), table


def _keys(content: Mapping, mode: str, reader: ArmReader) -> list[tuple[str, Expr]] | None:
    node = content.get(mode)
    if isinstance(node, Scalar):
        expr = reader.parser.slice(whole(node))
        return None if expr is None else [(normal(node.text), expr)]
    found = []
    for key, value in pairs(node):
        expr = reader.parser.scalar(value) if isinstance(value, Scalar) else None
        if expr is None:
            return None
        found.append((normal(key.text), expr))
    return found


def _typed(
    rows: list[list[str]], header: list[str], keys: list[str], wanted: str, result: Type | None, mode: str, span: Span,
    reader: ArmReader,
) -> tuple[tuple[tuple[str, Type], ...], tuple[tuple[object, ...], ...]] | None:
    """The key and result columns with their types: numbers where every cell is one, else text."""
    columns: list[tuple[str, Type]] = []
    data: list[list[object]] = []
    for name in (*keys, wanted):
        index = header.index(name)
        texts = [row[index].strip() for row in rows[1:]]
        kind = result if name == wanted and result is not None else _column_type(texts)
        if mode == "band" and name == keys[0]:
            kind = Type(dt.NUMBER)
        try:
            data.append([None if not t else read(t, kind) for t in texts])
        except NotReadable as why:
            help = "mend the cell, or state another `type` for the decision"
            reader.report.at("E0708", f"column `{name}`: {why.message}", span, help)
            return None
        columns.append((name, kind.optional(any(not t for t in texts))))
    table = list(zip(*data, strict=True))
    if any(cell is None for row in table for cell in row[: len(keys)]):
        reader.report.at("E0708", "a key cell of the table is empty", span, "fill in every key")
        return None
    if mode == "band":
        table.sort(key=lambda row: row[0])
    seen: set[tuple[object, ...]] = set()
    for row in table:
        key = tuple(row[: len(keys)])
        if key in seen:
            shown = ", ".join(f"`{k}`" for k in key)
            reader.report.at("E0708", f"the key {shown} stands twice in the table", span, "delete one of the rows")
            return None
        seen.add(key)
    return tuple(columns), tuple(tuple(row) for row in table)


def _column_type(texts: list[str]) -> Type:
    number = Type(dt.NUMBER)
    try:
        for text in texts:
            if text:
                read(text, number)
    except NotReadable:
        return Type(dt.STRING)
    return number
