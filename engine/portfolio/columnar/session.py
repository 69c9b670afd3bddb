"""The embedded database of one run: in memory, spilling to a folder of its own."""
from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb

from engine.backends.sql.planner import restrain
from engine.portfolio.problems import DataProblem

_FULL = re.compile(r"could not write|failed to write|no space left|file too large|disk quota", re.IGNORECASE)
_PREFIX = "tierwise-run-"


def _sweep() -> None:
    """Remove what killed runs of this user left behind: it holds their customers' data."""
    if os.name != "posix":
        return
    with os.scandir(tempfile.gettempdir()) as entries:
        found = [e for e in entries if e.name.startswith(_PREFIX) and e.is_dir(follow_symlinks=False)]
    for entry in found:
        number = entry.name.removeprefix(_PREFIX).partition("-")[0]
        try:
            if not number.isdigit() or entry.stat(follow_symlinks=False).st_uid != os.geteuid():
                continue
            os.kill(int(number), 0)
        except FileNotFoundError:                       # the run beside this one has just ended
            continue
        except ProcessLookupError:
            shutil.rmtree(entry.path, ignore_errors=True)
        except (PermissionError, OverflowError):
            continue


class Session:
    """A connection, and a folder for what is set aside, which goes when the session ends.

    SQL is made of names from `name` and `identifier` alone. Whatever comes from outside goes in as a
    parameter or, where a view must read it, as a variable of the database (`variable`).
    """

    def __init__(self, memory_limit: str | None = None, threads: int | None = None) -> None:
        _sweep()
        self.folder = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")
        self._count = 0
        try:
            self.connection = duckdb.connect(config={
                "autoinstall_known_extensions": "false", "autoload_known_extensions": "false",
                "temp_directory": os.path.join(self.folder, "spilled"),
            })
            restrain(self.connection)
            self.connection.execute("SET enable_progress_bar = true")       # which `query_progress` needs
            self.connection.execute("SET enable_progress_bar_print = false")
            if memory_limit is not None:
                self.connection.execute("SET memory_limit = ?", [memory_limit])
            if threads is not None:
                self.connection.execute("SET threads = ?", [threads])
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def name(self, stem: str) -> str:
        """A name that nothing in the database has yet."""
        self._count += 1
        return f"{stem}_{self._count}"

    def path(self, suffix: str) -> str:
        """A path in the session's folder."""
        return os.path.join(self.folder, self.name("t") + suffix)

    def variable(self, value: object) -> str:
        """SQL that gives `value`, held in the database so that views may read it."""
        name = self.name("given")
        self.connection.execute(f"SET VARIABLE {name} = ?", [value])
        return f"getvariable('{name}')"

    def run(self, sql: str, parameters: Sequence[object] | dict[str, object] = ()) -> duckdb.DuckDBPyConnection:
        return self.connection.execute(sql, parameters)

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[object] = ()) -> tuple[Any, ...]:
        """The only row."""
        (found,) = self.rows(sql, parameters)
        return found

    def batches(self, sql: str, size: int = 10_000) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a query some at a time; others may run meanwhile, which no open result survives."""
        table = self.name("batches")
        (count,) = self.row(f"CREATE TEMP TABLE {table} AS {sql}")
        try:
            for start in range(0, count, size):
                yield self.rows(
                    f"SELECT * FROM {table} WHERE rowid >= ? AND rowid < ? ORDER BY rowid", [start, start + size]
                )
        finally:
            self.run(f"DROP TABLE {table}")


def identifier(name: str) -> str:
    """A quoted name."""
    return '"' + name.replace('"', '""') + '"'


def said(problem: Exception) -> str:
    """The first line of what the database says, without the name of its exception."""
    text = str(problem).partition("\n")[0]
    head, colon, rest = text.partition(": ")
    text = rest if colon and head.endswith("Error") else text
    return text[:1].lower() + text[1:]


@contextmanager
def reading(shown: str, path: str) -> Iterator[None]:
    """What goes wrong within is told of the data at `path`, called `shown`."""
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise _too_little() from None
    except (duckdb.Error, OSError) as problem:
        text = said(problem)
        if _FULL.search(text):                          # of the session's folder, or for what does not fit in memory
            raise DataProblem(
                f"what is set aside of `{shown}` cannot be written: {text}", path,
                help=f"make room in `{tempfile.gettempdir()}`, or name another folder by TMPDIR",
            ) from None
        raise DataProblem(f"`{shown}` cannot be read: {text}", path) from None


@contextmanager
def guarded(shown: str, path: str) -> Iterator[None]:
    """What the machine or the data make go wrong anywhere within is told; a fault of ours is not hidden."""
    try:
        yield
    except (duckdb.OperationalError, duckdb.DataError) as problem:
        with reading(shown, path):
            raise problem


@contextmanager
def writing(path: str, shown: str | None = None) -> Iterator[None]:
    """What goes wrong within is told of the results at `path`."""
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise _too_little() from None
    except (duckdb.Error, OSError) as problem:
        why = (problem.strerror or str(problem)).lower() if isinstance(problem, OSError) else said(problem)
        raise DataProblem(f"`{shown or path}` cannot be written: {why}", path) from None


def _too_little() -> DataProblem:
    return DataProblem(
        "the memory allowed is too little for this run", "-", help="raise `--memory-limit`, or lower `--threads`"
    )
