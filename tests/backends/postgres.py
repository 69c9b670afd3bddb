"""A PostgreSQL server of the tests' own, and customers decided in it."""
from __future__ import annotations

import contextlib
import datetime
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from engine.backends.sql.memory import Customer, source_of, tables_of
from engine.backends.sql.program import EXTRAS, Output, Query, compile_program
from engine.backends.sql.run import Row, decoded
from engine.backends.sql.tables import Source
from engine.ir import nodes as ir
from engine.semantics import dtypes as dt

#: Where Debian keeps the server's programs, none of which are on the PATH.
_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
TYPES = {"DOUBLE": "DOUBLE PRECISION"}


def program(name: str) -> str:
    """The path of one of the server's programs; FileNotFoundError where it is not installed."""
    found = shutil.which(name, path=os.pathsep.join([*map(str, _PROGRAMS), os.environ.get("PATH", "")]))
    if found is None:
        raise FileNotFoundError(f"{name} of PostgreSQL is not installed")
    return found


@contextlib.contextmanager
def server() -> Iterator[str]:
    """A running server's connection string; it listens on a socket in its own folder and nowhere else."""
    folder = Path(tempfile.mkdtemp(prefix="tw-pg-"))
    user: dict[str, Any] = {}
    name = pwd.getpwuid(os.getuid()).pw_name
    if os.getuid() == 0:                                # which the server refuses to run as
        owner = next(n for n in ("postgres", "nobody") if n in {p.pw_name for p in pwd.getpwall()})
        shutil.chown(folder, owner)
        user = {"user": owner, "group": pwd.getpwnam(owner).pw_gid, "extra_groups": []}
        name = owner
    data = folder / "data"
    clean = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}
    process = None
    try:
        subprocess.run(
            [program("initdb"), "-D", str(data), "-U", name, "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8",
             "--no-sync"],
            check=True, capture_output=True, cwd=folder, env=clean, **user,
        )
        process = subprocess.Popen(
            [program("postgres"), "-D", str(data), "-k", str(folder), "-c", "listen_addresses=", "-c", "fsync=off",
             "-c", "jit=off", "-c", "max_connections=10"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, env=clean, **user,
        )
        place = f"host={folder} user={name} dbname=postgres"
        _await(place, process)
        yield place
    finally:
        if process is not None:
            process.terminate()
            process.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


def _await(place: str, process: subprocess.Popen[bytes]) -> None:
    deadline = datetime.datetime.now() + datetime.timedelta(seconds=60)
    while True:
        try:
            psycopg.connect(place).close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or datetime.datetime.now() > deadline:
                raise
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.1)


def load(connection: psycopg.Connection[Any], program: ir.Program, customers: Sequence[Customer]) -> Source:
    """Temporary tables with these customers."""
    for name, columns in tables_of(program, customers).items():
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(name)))
        typed = [sql.SQL("{} {}").format(sql.Identifier(c), sql.SQL(TYPES.get(kind, kind))) for c, kind, _ in columns]
        connection.execute(sql.SQL("CREATE TEMPORARY TABLE {} ({})").format(
            sql.Identifier(name), sql.SQL(", ").join(typed)
        ))
        marks = sql.SQL(", ").join([sql.Placeholder()] * len(columns))
        rows = list(zip(*(cells for _, _, cells in columns), strict=True))
        if rows:
            connection.cursor().executemany(
                sql.SQL("INSERT INTO {} VALUES ({})").format(sql.Identifier(name), marks), rows
            )
    return source_of(program)


def decide_all_in_postgres(
    place: str, program: ir.Program, customers: Sequence[Customer], as_of: datetime.date,
    outcomes: Sequence[str] | None = None, extras: Sequence[str] = EXTRAS, lists: bool = False,
) -> list[Row]:
    """Customers decided in PostgreSQL, in their order."""
    query = compile_program(program, outcomes, source_of(program), ["n"], extras, lists, dialect="postgres")
    with psycopg.connect(place) as connection:
        load(connection, program, customers)
        cursor = psycopg.RawCursor(connection)
        cursor.execute(query.sql(), [as_of])
        found = {row.kept[0]: row for row in (decoded(query, plain(query, r)) for r in cursor)}
        connection.rollback()
    return [found[n] for n in range(len(customers))]


def plain(query: Query, cells: Sequence[Any]) -> tuple[Any, ...]:
    """A row with the dates of JSON read."""
    return tuple(_cell(c, o) for c, o in zip(cells, query.columns, strict=True))


def _cell(cell: Any, output: Output) -> Any:
    if output.kind != "list" or cell is None or output.type is None:
        return cell
    item = output.type.item or output.type
    kinds = dict(item.fields or ()) or {"value": item}
    return [{n: _read(v, kinds[n].kind) if n in kinds else v for n, v in i.items()} for i in cell]


def _read(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind in dt.NUMERIC:
        return float(value)
    readers = {dt.DATE: datetime.date, dt.DATE_TIME: datetime.datetime, dt.TIME: datetime.time}
    return readers[kind].fromisoformat(value) if kind in readers else value
