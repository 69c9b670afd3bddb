"""Where results go: whole, or not at all."""
from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from typing import Any

import duckdb

from engine.portfolio.columnar import postgres, workbook
from engine.portfolio.columnar.deciding import Staged
from engine.portfolio.columnar.formats import Column, Writing, header, plain_list
from engine.portfolio.columnar.locations import DATABASE, POSTGRES, WORKBOOK, Location, located
from engine.portfolio.columnar.session import Session, identifier, writing
from engine.portfolio.layout import Layout, Output
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import Request
from engine.portfolio.writing import Pledge, atomic, cell
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type

FORMS = ("csv", "jsonl", "parquet", "xlsx")
_ENDINGS = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".pq": "parquet", ".xlsx": "xlsx",
}
_LISTS = Type(dt.LIST, item=Type(dt.STRING))


class Target(Record):
    """Where results go and in which form; `table` for a database."""

    form: str
    place: Location


def target(request: Request) -> Target:
    place = located(request.out) if request.out != "-" else Location("file", "-", "-")
    if place.kind in (DATABASE, POSTGRES):
        if place.table is None or place.is_query:
            raise place.missing_table()
        return Target(place.kind, place)
    form = request.form or _ENDINGS.get(os.path.splitext(place.path)[1].lower(), "csv")
    if place.kind == WORKBOOK:
        form = "xlsx"
    return Target(form, place)


class Results:
    """All rows of a run, refused ones included, to be counted and written."""

    def __init__(
        self, session: Session, layout: Layout, staged: Staged, problems: str, refused: int, keys: Sequence[Type]
    ) -> None:
        self.session = session
        self.layout = layout
        self.staged = staged
        self.problems = problems                        # a relation, of so many refused rows
        self.refused = refused
        relation = staged.relation(session)
        if refused:
            relation = f"{relation} s FULL JOIN {problems} p USING (ordinal)"
        self.relation = relation
        self.good = "p.ordinal IS NULL AND s.ordinal IS NOT NULL" if refused else "true"
        self.keys = keys

    def first_refusals(self, number: int) -> list[tuple[Any, ...]]:
        """The first refused rows in their order: line, key, message, help."""
        return self.session.rows(
            f"SELECT ordinal, key, message, help FROM {self.problems} ORDER BY ordinal LIMIT ?", [number]
        )

    def refusals(self) -> Iterator[tuple[Any, ...]]:
        """Every refused row in its order: line, key, message."""
        for batch in self.session.batches(f"SELECT ordinal, key, message FROM {self.problems} ORDER BY ordinal"):
            yield from batch

    def columns(self) -> list[tuple[str, Column]]:
        """Every column of the results under the name that it gets."""
        own, names = self.layout.own, self.staged.names
        found = [(own["line"], Column("line", "ordinal", Type(dt.NUMBER, whole=True)))]
        for at, (name, kind) in enumerate(zip(self.layout.keys, self.keys, strict=True)):
            found.append((name, Column(name, self._given(f"k{at}"), kind)))
        status = f"CASE WHEN {self.good} THEN {self._given('status')} ELSE 'refused' END"
        found.append((own["status"], Column("status", status)))
        for output in self.layout.outputs:
            sql = names[("outcome", output.decision, output.member or "")]
            found.append((output.column, self._outcome(output, sql)))
        for extra in self.layout.extras:
            if extra == "trace":
                found.append((own[extra], Column(extra, self._only(names[("trace",)]))))
                continue
            plain = extra in self.staged.plain
            found.append((own[extra], Column(extra, self._only(names[(extra,)]), _LISTS, plain)))
        problem = "p.message" if self.refused else "CAST(NULL AS VARCHAR)"
        found.append((own["problem"], Column("problem", problem)))
        return found

    def _outcome(self, output: Output, name: str) -> Column:
        return Column(output.column, self._only(name), output.type, False, self.staged.shapes.get(output.decision, ()))

    def _given(self, name: str) -> str:
        return f"s.{name}" if self.refused else name

    def _only(self, name: str) -> str:
        """A value of a row that was not refused."""
        return f"CASE WHEN {self.good} THEN s.{name} END" if self.refused else name

    @property
    def order(self) -> str:
        return " ORDER BY ordinal" if self.refused else ""

    def text(self, is_json: bool) -> tuple[str, str]:
        """The header of a text file, and a query of its lines."""
        make = Writing(self.session, f"(SELECT * FROM {self.relation})" if not self.refused else self.relation, is_json)
        cells = []
        for at, (name, column) in enumerate(self.columns()):
            text = make.text(column)
            key = at - 1
            if self.refused and 0 <= key < len(self.keys):
                kept = f"p.k{key}" if is_json else make.text(Column(name, f"p.k{key}"))
                text = f"CASE WHEN p.ordinal IS NOT NULL THEN {kept} ELSE {text} END"
            cells.append((name, text))
        line = make.line(cells)
        top = "" if is_json else header([name for name, _ in cells])
        return top, f"SELECT {line} AS line FROM {self.relation} {' '.join(make.joins)}{self._sorted(make.joins)}"

    def _sorted(self, joins: Sequence[str]) -> str:
        return " ORDER BY ordinal" if joins else self.order

    def native(self) -> str:
        """A query of the columns in the database's own types; durations and keys of refused rows as text."""
        make = Writing(self.session, self.relation, False)
        lists = {o.column for o in self.layout.outputs if o.type.kind == dt.LIST}
        shown = []
        for at, (name, column) in enumerate(self.columns()):
            sql = column.sql
            if column.type is not None and column.type.kind in (dt.DAYS_DURATION, dt.MONTHS_DURATION):
                sql = make.text(column)
            elif name in lists and not self.staged.native:
                sql = plain_list(sql, column.shapes)
            key = at - 1
            if self.refused and 0 <= key < len(self.keys) and self.keys[key].kind == dt.STRING:
                sql = f"CASE WHEN p.ordinal IS NOT NULL THEN p.k{key} ELSE {sql} END"
            shown.append(f"{sql} AS {identifier(name)}")
        return f"SELECT {', '.join(shown)} FROM {self.relation} {' '.join(make.joins)}{self._sorted(make.joins)}"


def write(results: Results, to: Target, pledge: Pledge = nullcontext) -> None:
    """Write all rows; raises DataProblem, and then nothing has changed under the final name. `pledge` holds together
    with a file's taking its place."""
    session, place = results.session, to.place
    if to.form == DATABASE:
        return _into_database(results, place)
    if to.form == POSTGRES:
        return postgres.write(session, results.native(), place)
    if place.path == "-":
        if to.form in ("parquet", "xlsx"):
            raise DataProblem(f"results as {to.form} need a file", "-", help="name it with `--output`")
        made = session.path(".out")
        with writing("standard output"):
            _file(results, to.form, made)
        with open(made, encoding="utf-8", newline="") as text:
            shutil.copyfileobj(text, sys.stdout, 1 << 20)
        sys.stdout.flush()
        return None
    if os.path.isdir(place.path):
        raise DataProblem(f"`{place.path}` is a folder", place.path, help="name a file in it")
    if os.path.exists(place.path) and not os.path.isfile(place.path):   # a device or pipe, which nothing may replace
        made = session.path(".out")
        with writing(place.path):
            _file(results, to.form, made)
            with open(made, "rb") as rows, open(place.path, "wb") as device:
                shutil.copyfileobj(rows, device, 1 << 20)
        return None
    with writing(place.path), atomic(place.path, pledge) as draft:
        if to.form == "parquet" and results.staged.final and not results.refused:
            shutil.move(results.staged.path, draft)     # it is what would be written
        else:
            _file(results, to.form, draft)
    return None


def _file(results: Results, form: str, path: str) -> None:
    session = results.session
    if form == "xlsx":
        return _sheet(results, path)
    if form == "parquet":
        session.run(f"COPY ({results.native()}) TO ? (FORMAT parquet)", [path])
        return None
    top, query = results.text(form == "jsonl")
    body = path if not top else session.path(".body")
    session.run(f"COPY ({query}) TO ? (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01')", [body])
    if top:
        with open(path, "wb") as whole, open(body, "rb") as rows:
            whole.write(top.encode("utf-8") + b"\n")
            shutil.copyfileobj(rows, whole, 1 << 22)
        os.unlink(body)
    return None


def _sheet(results: Results, path: str) -> None:
    found = results.session.batches(results.native())
    rows = ([_sheet_cell(value) for value in row] for batch in found for row in batch)
    workbook.write(path, [name for name, _ in results.columns()], rows)


def _sheet_cell(value: Any) -> Any:
    if isinstance(value, (list, tuple, dict)):
        return cell(value)
    return value


def _into_database(results: Results, place: Location) -> None:
    """A table of a DuckDB database, made anew in one transaction."""
    session = results.session
    assert place.table is not None
    existed = os.path.exists(place.path)
    name = session.name("ours")
    query = results.native()
    with writing(place.path, place.shown):
        session.run(f"ATTACH ? AS {name} (TYPE duckdb)", [place.path])
        try:
            session.run("BEGIN")
            session.run(f"CREATE OR REPLACE TABLE {name}.main.{identifier(place.table)} AS {query}")
            session.run("COMMIT")
            session.run(f"DETACH {name}")
        except BaseException:
            with suppress(duckdb.Error):
                session.run("ROLLBACK")
            with suppress(duckdb.Error):
                session.run(f"DETACH {name}")
            if not existed:
                for leftover in (place.path, f"{place.path}.wal"):
                    with suppress(OSError):
                        os.unlink(leftover)
            raise

