"""The tables of a run as Spark has them: Parquet is read by Spark, all else comes from the embedded database.

A bound table has `ordinal` and for each declared name a value `v`, as in `engine.portfolio.columnar.binding`, and
where a cell could not be read `b` and the cell `r`. `u` is whether a key is there and could not be read.
"""
from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from engine.backends.sql import tables as sql
from engine.backends.sql.spark import column, meant
from engine.portfolio.binding import Declared, Reading, chosen
from engine.portfolio.columnar.binding import ORDINAL, Relation, answers
from engine.portfolio.columnar.keys import unread
from engine.portfolio.columnar.locations import PARQUET, Location, located
from engine.portfolio.columnar.raw import Unreadable
from engine.portfolio.columnar.session import Session
from engine.portfolio.columnar.session import reading as telling
from engine.portfolio.columnar.tables import parquet_files
from engine.portfolio.request import Options
from engine.portfolio.spark.cells import HELD, Cell, Reader
from engine.portfolio.spark.session import reading
from engine.portfolio.tables import normalise
from engine.records import Record
from engine.semantics import dtypes as dt

#: A place that Spark alone reaches.
_URL = re.compile(r"(?!postgres(ql)?://)[A-Za-z][A-Za-z0-9+.-]*://")
_TEXTS = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".xlsx")
#: What stands in a folder's name is text, which is read as any is: `code=010` is no number.
_PARTITIONS = {"spark.sql.sources.partitionColumnTypeInference.enabled": "false"}
#: What Hadoop takes for patterns.
_MAGIC = re.compile(r"([\\{}\[\]*?])")


class Table(Record):
    """A bound table as Spark has it, and what is known of it. `held`: the embedded database has it too, under the
    relation's name."""

    relation: Relation
    frame: DataFrame
    held: bool


def is_url(place: str) -> bool:
    return _URL.match(place) is not None


def is_native(place: str, options: Options) -> bool:
    """Whether Spark itself reads a place."""
    if is_url(place):
        return options.format in (None, "parquet") and not place.lower().removesuffix(".gz").endswith(_TEXTS)
    return options.format == "parquet" or located(place).kind == PARQUET


# --- from the embedded database ---------------------------------------------------------------------------


def handed_over(session: Session, spark: Any, relation: Relation, kinds: Mapping[str, dt.Type]) -> Table:
    """A relation of the embedded database, set aside where Spark reads it; times of day stay behind."""
    columns = {name: c for name, c in relation.columns.items() if name not in kinds or kinds[name].kind in HELD}
    shown = [ORDINAL]
    for name, bound in columns.items():
        at = bound.name
        shown.append(f"{bound.name} AS {at}")
        if bound.bad is not None:
            shown += [f"{bound.bad} AS {bound.bad}", f"coalesce({unread(relation, name)}, false) AS {_unread(at)}"]
    path = session.path(".parquet")
    with telling(relation.shown, relation.path):
        session.run(f"COPY (SELECT {', '.join(shown)} FROM {relation.name}) TO ? (FORMAT parquet)", [path])
    with reading(relation.shown, relation.path):
        return Table(relation.replace(columns=columns), spark.read.parquet(local(path)), True)


def _unread(at: str) -> str:
    return f"u_{at}"


def is_unread(table: Table, name: str) -> Any:
    """Whether a key is there and could not be read; a list or an object is no key at all."""
    bound = table.relation.columns[name]
    if bound.bad is None:
        return F.lit(False)
    return F.col(_unread(bound.name) if table.held and _unread(bound.name) in table.frame.columns else bound.bad)


# --- Parquet ----------------------------------------------------------------------------------------------


def parquet(spark: Any, place: Location, declared: Sequence[Declared], how: Reading) -> Table:
    """Parquet files as one table, in the order of their names; folders `name=value` of a folder give columns.

    Raises DataProblem.
    """
    path = place.path
    reader = spark.read.option("mergeSchema", "true")
    if is_url(path):
        paths = [path]
    else:
        paths = [local(name) for name in parquet_files(place)]
        if os.path.isdir(path):
            reader = reader.option("basePath", local(path))
    with reading(place.shown, path), meant(spark, _PARTITIONS):
        raw = reader.parquet(*paths)
        numbered, rows = _numbered(raw)
        return _bound(spark, numbered, raw.schema, rows, place, declared, how)


def local(path: str) -> str:
    """A file of this machine by its whole name."""
    return "file://" + _MAGIC.sub(r"\\\1", os.path.abspath(path))


def _numbered(raw: DataFrame) -> tuple[DataFrame, int]:
    """The rows with their number in the order of the files' names, from 1, and how many they are."""
    counts = {row[0]: row[1] for row in raw.groupBy(F.col("_metadata.file_path")).count().collect()}
    offsets, total = {}, 0
    for file in sorted(counts, key=lambda name: unquote(urlsplit(name).path)):
        offsets[file] = total
        total += counts[file]
    cells = [column(name).alias(f"c{at}") for at, name in enumerate(raw.columns)]
    place = F.col("_metadata.row_index") + F.lit(1)
    if len(offsets) < 2:
        return raw.select(place.alias(ORDINAL), *cells), total
    listed = raw.sparkSession.createDataFrame(list(offsets.items()), "file string, before bigint")
    found = raw.select(place.alias("place"), F.col("_metadata.file_path").alias("file"), *cells)
    joined = found.join(F.broadcast(listed), "file")
    numbers = [f"c{at}" for at in range(len(raw.columns))]
    return joined.select((F.col("before") + F.col("place")).alias(ORDINAL), *numbers), total


def _bound(
    spark: Any, frame: DataFrame, schema: T.StructType, rows: int, place: Location, declared: Sequence[Declared],
    how: Reading,
) -> Table:
    names = [normalise(name) for name in schema.names]
    places, absent = chosen(names, declared, place.path)
    kinds = {decl.name: decl.type for decl in declared if decl.type.kind in HELD}
    reader = Reader(how)
    cells: dict[str, Cell] = {}
    contents: dict[str, str] = {}
    for name, at in places.items():
        if name in kinds:
            held = schema[at].dataType
            cells[name] = reader.cell(F.col(f"c{at}"), held, kinds[name])
            contents[name] = "VARCHAR" if isinstance(held, T.StringType) else held.simpleString().upper()
    shown = [F.col(ORDINAL)]
    for at, cell in enumerate(cells.values()):
        shown.append(cell.value.alias(f"v{at}"))
        if cell.odd is not None:
            shown.append(cell.odd.alias(f"r{at}"))
    found = frame.select(*shown)
    columns: dict[str, sql.Column] = {}
    odd: dict[str, str] = {}
    present = _present(found, [at for at, cell in enumerate(cells.values()) if cell.odd is not None])
    for at, (name, cell) in enumerate(cells.items()):
        bad = None
        if at in present:
            bad, odd[name] = f"b{at}", f"r{at}"
            if cell.asked:
                found = _answered(spark, found, at, contents[name], kinds[name], how)
            else:
                found = found.withColumn(bad, F.col(f"r{at}").isNotNull())
        columns[name] = sql.Column(f"v{at}", bad)
    for at, decl in enumerate(declared, start=len(cells)):
        if getattr(decl, "key", False) and decl.name not in columns:     # events are joined by it all the same
            found = found.withColumn(f"v{at}", F.lit(None).cast(HELD[decl.type.kind]))
            columns[decl.name] = sql.Column(f"v{at}")
            contents[decl.name] = "VARCHAR"
    nobody: Sequence[Unreadable] = ()
    relation = Relation(
        "", columns, odd, contents, rows, rows, tuple(absent), nobody, place.shown, place.path, False, tuple(names)
    )
    return Table(relation, found, False)


def _present(frame: DataFrame, odd: Sequence[int]) -> set[int]:
    """The columns in which a cell is odd."""
    if not odd:
        return set()
    counts = frame.agg(*(F.count(F.col(f"r{at}")) for at in odd)).collect()[0]
    return {at for at, count in zip(odd, counts, strict=True) if count}


def _answered(
    spark: Any, frame: DataFrame, at: int, content: str, kind: dt.Type, how: Reading
) -> DataFrame:
    """The rows with what the one-by-one path makes of a column's odd texts, each distinct one asked once."""
    texts = [row[0] for row in frame.select(f"r{at}").where(F.col(f"r{at}").isNotNull()).distinct().collect()]
    values, bad = answers(texts, content, kind, how, how.parser(kind))
    schema = T.StructType([
        T.StructField("cell", T.StringType()), T.StructField("value", HELD[kind.kind]),
        T.StructField("bad", T.BooleanType()),
    ])
    if kind.kind in dt.NUMERIC:                         # a whole number in a DOUBLE column is NULL to Spark
        values = [None if value is None else float(value) for value in values]
    listed = spark.createDataFrame(list(zip(texts, values, bad, strict=True)), schema, verifySchema=False)
    joined = frame.join(F.broadcast(listed), F.col(f"r{at}") == F.col("cell"), "left")
    value = F.when(F.col(f"r{at}").isNull(), F.col(f"v{at}")).otherwise(F.col("value"))
    kept = [name for name in frame.columns if name != f"v{at}"]
    return joined.select(*kept, value.alias(f"v{at}"), F.coalesce("bad", F.lit(False)).alias(f"b{at}"))
