"""Parquet files and tables of a DuckDB database as sources."""
from __future__ import annotations

import os
from collections.abc import Sequence

import duckdb

from engine.portfolio.binding import Declared, chosen
from engine.portfolio.columnar.locations import Location, files_of
from engine.portfolio.columnar.raw import Bound, Raw
from engine.portfolio.columnar.session import Session, identifier, said
from engine.portfolio.problems import DataProblem
from engine.portfolio.tables import normalise


def parquet(session: Session, place: Location, declared: Sequence[Declared]) -> Raw:
    """Parquet files as one table, in the order of their names; folders `name=value` give columns.

    Raises DataProblem.
    """
    files = parquet_files(place)
    given = session.variable(files)
    partitioned = os.path.isdir(place.path)
    relation = f"read_parquet({given}, hive_partitioning = {str(partitioned).lower()}, union_by_name = true)"
    try:
        described = session.rows(f"DESCRIBE SELECT * FROM {relation}")
        counts = dict(session.rows(f"SELECT file_name, num_rows FROM parquet_file_metadata({given})"))
    except duckdb.Error as problem:
        raise DataProblem(f"`{place.shown}` cannot be read: {said(problem)}", place.path) from None
    before, total = [], 0
    for path in files:
        before.append(total)
        total += int(counts[path])
    line = "file_row_number + 1"
    if partitioned:
        # files that a condition on a partition leaves out count no longer: only their names tell which is which
        named = f"{relation[:-1]}, filename = '~file')"
        offsets = f"SELECT unnest({given}) AS name, unnest({session.variable(before)}) AS before"
        relation = (
            f"(SELECT p.*, o.before + p.file_row_number + 1 AS \"~line\" FROM {named} p "
            f"JOIN ({offsets}) o ON p.\"~file\" = o.name)"
        )
        line = '"~line"'
    elif len(files) > 1:
        line = f"{session.variable(before)}[CAST(file_index AS BIGINT) + 1] + {line}"
    columns, absent = bound({name: kind for name, kind, *_ in described}, declared, place)
    return Raw(
        relation, columns, absent, line, place.shown, place.path, staged=False, rows=total,
        names=tuple(name for name, *_ in described), ordered=not partitioned,
    )


def parquet_files(place: Location) -> list[str]:
    """The files of a place, each of which begins as a Parquet file does; raises DataProblem."""
    files = files_of(place.path)
    for path in files:
        if not os.path.exists(path):
            raise DataProblem(f"there is no file `{path}`", path)
        if os.path.isdir(path):
            raise DataProblem(f"`{path}` is a folder", path, help="name the file in it")
        with open(path, "rb") as file:
            if file.read(4) != b"PAR1":
                raise DataProblem(f"`{path}` is not a Parquet file", path, help="give it a name by its format")
    return files


def bound(
    kinds: dict[str, str], declared: Sequence[Declared], place: Location
) -> tuple[tuple[Bound, ...], tuple[str, ...]]:
    """What is bound to which of a table's typed columns, and what has none; raises DataProblem."""
    names = list(kinds)
    compared = [normalise(name) for name in names]
    places, absent = chosen(compared, declared, place.path)
    return (
        tuple(Bound(name, identifier(names[at]), kinds[names[at]]) for name, at in places.items()), tuple(absent),
    )


def database(session: Session, place: Location, declared: Sequence[Declared]) -> Raw:
    """A table, view or query of a DuckDB database, which is opened to be read alone; raises DataProblem."""
    if not os.path.isfile(place.path):
        raise DataProblem(f"there is no file `{place.path}`", place.path)
    name = session.name("theirs")
    try:
        session.run(f"ATTACH ? AS {name} (READ_ONLY, TYPE duckdb)", [place.path])
    except duckdb.Error as problem:
        raise DataProblem(f"`{place.shown}` cannot be opened: {said(problem)}", place.path) from None
    if place.table is None:
        raise _tables(session, name, place)
    if place.is_query:
        session.run(f"USE {name}")
        relation = f"({place.table})"
    else:
        parts = [name, *place.table.split(".")]
        relation = ".".join(map(identifier, parts if len(parts) > 2 else [name, "main", place.table]))
    try:
        described = session.rows(f"DESCRIBE SELECT * FROM {relation}")
    except duckdb.CatalogException:
        raise DataProblem(
            f"`{place.shown}`: there is no such table", place.path, help=_tables(session, name, place).help
        ) from None
    except duckdb.Error as problem:
        raise DataProblem(f"`{place.shown}` cannot be read: {said(problem)}", place.path) from None
    columns, absent = bound({column: kind for column, kind, *_ in described}, declared, place)
    names = tuple(c for c, *_ in described)
    return Raw(relation, columns, absent, None, place.shown, place.path, attached=name, names=names)


def _tables(session: Session, name: str, place: Location) -> DataProblem:
    found = session.rows("SELECT table_name FROM information_schema.tables WHERE table_catalog = ? ORDER BY 1", [name])
    listed = ", ".join(f"`{table}`" for (table,) in found[:12]) or "no tables"
    return DataProblem(
        f"`{place.shown}` is a database", place.path, help=f"name a table, as `{place.shown}::TABLE`; it has {listed}"
    )
