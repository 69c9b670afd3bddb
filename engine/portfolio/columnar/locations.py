"""What a place names: a file, many files, a table of a database; and how it is shown without its secrets."""
from __future__ import annotations

import glob
import os
import re
from urllib.parse import urlsplit, urlunsplit

from engine.portfolio.problems import DataProblem, shown
from engine.records import Record

FILE, PARQUET, WORKBOOK, DATABASE, POSTGRES = "file", "parquet", "workbook", "database", "postgres"
_URL = re.compile(r"postgres(ql)?://")
#: The other form of connection strings, and those of its words that are no secret.
_WORDS = re.compile(r"\s*(host|hostaddr|port|dbname|user|password|service)\s*=")
_OPEN = re.compile(r"\b(host|port|dbname|user|service)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s']+)")
_DATABASES = (".duckdb", ".ddb", ".db")
_QUERY = re.compile(r"\s*(select|with|table|values)\b", re.IGNORECASE)


class Location(Record):
    """A place of data. `path` is what opens it, a connection string with its secrets in a PostgreSQL database's case;
    `table` is the table, sheet or query there; `shown` is for people."""

    kind: str
    path: str
    shown: str
    table: str | None = None

    @property
    def is_query(self) -> bool:
        return self.table is not None and _QUERY.match(self.table) is not None

    def missing_table(self) -> DataProblem:
        return DataProblem(f"`{self.shown}` is a database", self.shown, help="name a table in it, as `...::customers`")


def located(place: str) -> Location:
    """What `place` names: `FILE`, `FILE::TABLE`, `postgresql://...::TABLE`, or `env:NAME::TABLE`, where the
    environment variable NAME holds a connection string or path. Raises DataProblem."""
    path, sign, table = place.partition("::")
    name = table.strip() if sign else None
    told = path
    if path.startswith("env:"):
        variable = path.removeprefix("env:")
        found = os.environ.get(variable)
        if not found:
            raise DataProblem(f"the environment variable `{variable}` is not set", place, help="export it first")
        path = found
    elif _URL.match(path) or _WORDS.match(path):
        told = redacted(path)
    suffix = f"::{name}" if name else ""
    if _URL.match(path) or _WORDS.match(path):
        return Location(POSTGRES, path, told + suffix, name)
    ending = os.path.splitext(path)[1].lower()
    if sign and ending in (".xlsx", ".xlsm") or ending in (".xlsx", ".xlsm"):
        return Location(WORKBOOK, path, told + suffix, name)
    if sign or ending in _DATABASES:
        return Location(DATABASE, path, told + suffix, name)
    if ending in (".parquet", ".pq") or os.path.isdir(path) or glob.has_magic(path) and not os.path.exists(path):
        return Location(PARQUET, path, told)
    return Location(FILE, path, shown(told))


def shown_place(place: str) -> str:
    """A place as messages show it."""
    path, sign, table = place.partition("::")
    return (redacted(path) if _URL.match(path) or _WORDS.match(path) else path) + sign + table


def redacted(url: str) -> str:
    """A connection string without its password, and whatever else it carries that may be secret."""
    if not _URL.match(url):
        return " ".join(f"{word}={value}" for word, value in _OPEN.findall(url))
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "postgresql://..."
    user = f"{parts.username}@" if parts.username else ""
    return urlunsplit((parts.scheme, f"{user}{host}{port}", parts.path, "", ""))


def files_of(path: str) -> list[str]:
    """The Parquet files that a path, a pattern or a folder names, in the order of their names."""
    if os.path.isdir(path):
        found = glob.glob("**/*.parquet", root_dir=path, recursive=True)
        files = [os.path.join(path, name) for name in found if not _hidden(name)]
        if not files:
            raise DataProblem(f"there is no Parquet file in the folder `{path}`", path, help="name a file")
    elif glob.has_magic(path) and not os.path.exists(path):
        files = glob.glob(path, recursive=True)
        if not files:
            raise DataProblem(f"no file matches `{path}`", path)
    else:
        files = [path]
    return sorted(files)


def _hidden(name: str) -> bool:
    """Whether a file or a folder above it is not data, as `_SUCCESS` and `.part` are not."""
    return any(part[0] in "._" for part in name.split(os.sep))
