"""Portfolios as Parquet files, from the given generator."""
from __future__ import annotations

import importlib
import importlib.util
import json
from pathlib import Path

import duckdb

from benchmarks.given import Given
from benchmarks.rows import draw

_PART = 1_000_000
_GROUP = 125_000
_WHOLE = frozenset({"employees", "credit_score", "dpd", "owner_score", "term", "satisfaction", "complaints"})
_TEXTS = frozenset({"industry", "region"})


def parquet(given: Given, count: int, path: Path) -> str:
    """Write `count` customers; a word on where they come from. Larger files are written a million rows at a time, as
    the given generator does."""
    if not (importlib.util.find_spec("numpy") and importlib.util.find_spec("pyarrow")):
        return _stand_in(given, count, path)
    writer = importlib.import_module("pyarrow.parquet")
    gen = given.module("generate").gen
    if count <= 2 * _PART:
        writer.write_table(gen(count), path, row_group_size=_GROUP)
        return "the given generator"
    out = None
    for part in range(count // _PART):
        table = gen(_PART, 100 + part)
        out = out or writer.ParquetWriter(path, table.schema, compression="snappy")
        out.write_table(table, row_group_size=_GROUP)
    assert out is not None
    out.close()
    return "the given generator"


def _stand_in(given: Given, count: int, path: Path) -> str:
    rows, origin = draw(given, count)
    lines = path.with_suffix(".jsonl")
    lines.write_text("".join(json.dumps({"id": n, **row}) + "\n" for n, row in enumerate(rows)), "utf-8")
    columns = {"id": "BIGINT"} | {
        name: "INTEGER" if name in _WHOLE else "VARCHAR" if name in _TEXTS else "DOUBLE" for name in rows[0]
    }
    with duckdb.connect() as connection:
        connection.read_json(str(lines), columns=columns).write_parquet(str(path))
    lines.unlink()
    return origin
