"""`python -m benchmarks.spark`: a portfolio through Spark beside the hand-written statement, Parquet to Parquet.

Apart from the other benchmarks, since Spark is half a gigabyte and takes minutes. The statement beside ours is the
given one of flat CASEs with masks, put into Spark's words by sqlglot and otherwise as it is; both run in one session,
in turn, on the same rows. `cpu` is the time that the Java process took, which other work on the machine does not
change.
"""
from __future__ import annotations

import argparse
import datetime
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlglot

from benchmarks.given import ROOT, Absent, Given
from benchmarks.timing import Series
from engine.backends.sql.spark import local_session, meant
from engine.policy import load_policy

AS_OF = datetime.date(2026, 7, 1)
#: What the hand-written statement gives, in our columns: its `reasons` and `actions` are masks of what fired.
COLUMNS = (
    "id", "segment", "score", "tier", "eligible", "fired of eligibility", "offer.product", "limit", "rate",
    "fired of actions",
)
ONLY = ("segment", "score", "tier", "eligibility", "eligible", "offer", "limit", "rate", "actions")
GOAL = 1.1


def main(args: list[str] | None = None) -> int:
    """Measure; 1 where the goal is missed under --strict, 2 where the baselines are absent."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spark", description="Measure Spark.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--strict", action="store_true", help="exit with 1 where the goal is missed")
    asked = parser.parse_args(args)
    try:
        given = Given()
    except Absent as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    session = local_session(asked.master, {"spark.sql.shuffle.partitions": "2"})
    session.sparkContext.setLogLevel("OFF")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.parquet"
        _write(given, asked.rows, source)
        frame = session.read.parquet(str(source))
        policy = load_policy(ROOT / "benchmarks" / "bench.yaml")
        text = (given.folder / "baseline_masks.sql").read_text("utf-8").replace("{source}", "customers")
        by_hand = sqlglot.transpile(text, read="duckdb", write="spark")[0]
        frame.createOrReplaceTempView("customers")

        def hand() -> Any:
            with meant(session):
                return session.sql(by_hand)

        def ours() -> Any:
            found = policy.decide_frame(frame, as_of=AS_OF, only=ONLY, extras=("fired",), lists=False)
            return found.select(*(f"`{name}`" for name in COLUMNS))

        ways = {"written by hand": hand, "tierwise": ours}
        java = int(session.sparkContext._jvm.java.lang.ProcessHandle.current().pid())
        walls, cpus = _measured(ways, asked.rounds, java, Path(folder))
    session.stop()
    ratio = Series(walls["tierwise"]).ratio(Series(walls["written by hand"]))
    worked = Series(cpus["tierwise"]).ratio(Series(cpus["written by hand"]))
    print(f"{asked.rows:,} rows, {asked.rounds} interleaved rounds, {asked.master}")
    for name in ways:
        wall, cpu = Series(walls[name]), Series(cpus[name])
        low, high = wall.spread
        print(f"  {name:16} {wall.median:6.2f} s ({low:.2f} to {high:.2f}), {cpu.median:6.2f} s cpu")
    met = ratio.median <= GOAL
    print(f"  tierwise over by hand: {ratio.median:.2f} x, {worked.median:.2f} x of cpu "
          f"(goal <= {GOAL}): {'met' if met else 'MISSED'}")
    return 1 if asked.strict and not met else 0


def _write(given: Given, rows: int, path: Path) -> None:
    import pyarrow.parquet  # noqa: PLC0415 - of the given generator

    pyarrow.parquet.write_table(given.module("generate").gen(rows), path)


def _measured(
    ways: dict[str, Callable[[], Any]], rounds: int, java: int, folder: Path
) -> tuple[dict[str, tuple[float, ...]], dict[str, tuple[float, ...]]]:
    """Seconds and seconds of the processor of every round, two rounds to warm up left out."""
    walls: dict[str, list[float]] = {name: [] for name in ways}
    cpus: dict[str, list[float]] = {name: [] for name in ways}
    for round_ in range(rounds + 2):
        for name, way in ways.items():
            start, worked = time.perf_counter(), _cpu(java)
            way().write.mode("overwrite").parquet(str(folder / "out"))
            if round_ >= 2:
                walls[name].append(time.perf_counter() - start)
                cpus[name].append(_cpu(java) - worked)
    return {n: tuple(v) for n, v in walls.items()}, {n: tuple(v) for n, v in cpus.items()}


def _cpu(process: int) -> float:
    """Seconds that a process has worked."""
    fields = Path(f"/proc/{process}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
