"""Customers held in memory, decided in Spark: for agreement with the other evaluators."""
from __future__ import annotations

import datetime
from collections.abc import Sequence

from pyspark.sql import SparkSession
from pyspark.sql import types as T

from engine.backends.sql.memory import Customer, source_of, tables_of
from engine.backends.sql.program import EXTRAS, compile_program
from engine.backends.sql.run import Row, decoded
from engine.backends.sql.spark import cells, framed, local_session, run
from engine.ir import nodes as ir

#: One shuffle partition: a task costs more than a thousand customers. Spark plans a large policy in several gigabytes,
#: which a session can have only where it is the first of its process.
SETTINGS = {
    "spark.sql.shuffle.partitions": "1", "spark.default.parallelism": "2", "spark.driver.memory": "4g",
}
_TYPES: dict[str, T.DataType] = {
    "INTEGER": T.IntegerType(), "DOUBLE": T.DoubleType(), "TEXT": T.StringType(), "BOOLEAN": T.BooleanType(),
    "DATE": T.DateType(), "TIMESTAMP": T.TimestampNTZType(), "BIGINT": T.LongType(), "TIME": T.LongType(),
}


def decide_all_in_spark(
    program: ir.Program, customers: Sequence[Customer], as_of: datetime.date, outcomes: Sequence[str] | None = None,
    extras: Sequence[str] = EXTRAS, lists: bool = False, session: SparkSession | None = None,
) -> list[Row]:
    """Decide customers in Spark, in their order; raises `Unsupported` where the program is not columnar there. The
    session is the running one, or one on `local[2]`, which later calls find running."""
    query = compile_program(program, outcomes, source_of(program), ["n"], extras, lists, dialect="spark")
    spark = session or local_session("local[2]", SETTINGS)
    frames = {
        name: framed(spark, [(column, _TYPES[kind], values) for column, kind, values in columns])
        for name, columns in tables_of(program, customers).items()
    }
    found = {}
    for row in run(query, frames, as_of).collect():
        decided = decoded(query, cells(query, row))
        found[decided.kept[0]] = decided
    return [found[n] for n in range(len(customers))]
