"""Decided rows as one Parquet, CSV or JSON lines file, which is there whole or not at all. For `files`."""
from __future__ import annotations

import csv
import datetime
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine import PluginFailure, Setting, Settings

SETTINGS = {"file": Setting("path", required=True, help="the file, .parquet, .csv or .jsonl")}


class File:
    """Rows go to a draft beside the file, which takes its place when all are there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._draft = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")

    def finish(self) -> None:
        self._end()
        os.replace(self._draft, self._path)

    def abandon(self) -> None:
        self._end()
        self._draft.unlink(missing_ok=True)

    def _end(self) -> None:
        raise NotImplementedError


class ParquetFile(File):
    def __init__(self, path: Path, schema: Any) -> None:
        super().__init__(path)
        import pyarrow.parquet  # noqa: PLC0415 - there where there are batches

        self._writer = pyarrow.parquet.ParquetWriter(self._draft, schema)

    def write(self, batch: Any) -> None:
        self._writer.write_batch(batch)

    def _end(self) -> None:
        self._writer.close()


class TextFile(File):
    """CSV, with lists joined by semicolons, or JSON lines."""

    def __init__(self, path: Path, columns: Sequence[str], is_json: bool) -> None:
        super().__init__(path)
        self._stream = open(self._draft, "w", encoding="utf-8", newline="")
        self._is_json = is_json
        self._rows = csv.writer(self._stream, lineterminator="\n")
        if not is_json:
            self._rows.writerow(columns)

    def write(self, batch: Any) -> None:
        for row in batch.to_pylist():
            if self._is_json:
                self._stream.write(json.dumps(row, ensure_ascii=False, default=_text) + "\n")
            else:
                self._rows.writerow([_cell(value) for value in row.values()])

    def _end(self) -> None:
        self._stream.close()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, list) and all(isinstance(item, str) and ";" not in item for item in value):
        return ";".join(value)
    return json.dumps(value, ensure_ascii=False, default=_text) if isinstance(value, (list, dict)) else str(value)


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, (datetime.date, datetime.time)) else str(value)


def open_file(settings: Settings, schema: Any, columns: Sequence[str]) -> File:
    path: Path = settings["file"]
    ending = path.suffix.lower()
    try:
        if ending in (".parquet", ".pq"):
            return ParquetFile(path, schema)
        if ending in (".csv", ".jsonl", ".ndjson"):
            return TextFile(path, columns, ending != ".csv")
    except OSError as problem:
        raise PluginFailure(f"`{path.name}` cannot be written: {(problem.strerror or 'no reason').lower()}") from None
    raise PluginFailure(f"`{path.name}` is no file by its name; there are .parquet, .csv and .jsonl")
