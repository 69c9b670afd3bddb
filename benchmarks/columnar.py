"""What size costs in columns: ten times the rules, a hundred times the rows of a lookup, ten million customers."""
from __future__ import annotations

import random
import sys
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from benchmarks import ours, policies, portfolio
from benchmarks.alone import alone
from benchmarks.data import parquet
from benchmarks.given import ROOT, Given
from benchmarks.report import Goal, Line, Section
from benchmarks.timing import Series
from engine.backends.sql.program import compile_program
from engine.policy import Policy, load_policy

_RULES = (80, 800)
_LOOKUPS = (50, 5000)
_LARGE = 10_000_000
_RUN = """
import datetime, sys, time
import duckdb
with duckdb.connect() as connection:
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET threads = 2")
    connection.execute("SET preserve_insertion_order = false")
    connection.read_parquet(sys.argv[1]).create_view("customers")
    sql = open(sys.argv[2], encoding="utf-8").read()
    parameters = {"as_of": datetime.date(2026, 7, 1)} if "$as_of" in sql else {}
    start = time.perf_counter()
    connection.execute(f"COPY ({sql}) TO '{sys.argv[3]}' (FORMAT parquet)", parameters)
    print(time.perf_counter() - start)
"""


def measure(rows: int, rounds: int) -> Section:
    """Compile and run policies of two sizes over a tenth of `rows` customers, and lookups of two sizes over all."""
    lines: list[Line] = []
    with TemporaryDirectory() as name, duckdb.connect() as connection:
        folder = Path(name)
        connection.execute(f"SET threads = {portfolio.THREADS}")
        _customers(connection, max(rows // 10, 1))
        sized = {}
        for rules in _RULES:
            path = folder / f"sized {rules}.yaml"
            path.write_text(policies.sized(rules), "utf-8")
            sized[f"{rules} rules, compiled and run"] = load_policy(path)
        lines += _pair(connection, sized, rounds, 12, True)
        _customers(connection, rows)
        for mode in ("key", "band"):
            looked = {
                f"lookup by {mode} of {n:,} rows, run": load_policy(policies.with_lookup(folder, n, mode))
                for n in _LOOKUPS
            }
            lines += _pair(connection, looked, rounds, 2, False)
    notes = (f"rows: {rows:,}, for rules a tenth, of a table in memory; outcomes and reasons as bits",)
    return Section("columns", "Growth, in columns", "the smaller", tuple(lines), notes)


def _customers(connection: duckdb.DuckDBPyConnection, rows: int) -> None:
    chance = random.Random(5).random()
    numbers = ", ".join(
        f"random() * {top} AS {name}" for name, top in (
            ("revenue", 40e6), ("employees", 50), ("years", 10), ("dscr", 5), ("credit_score", 850),
            ("utilisation", 1), ("dpd", 90), ("owner_score", 850),
        )
    )
    connection.execute(f"SELECT setseed({chance})")
    connection.execute(
        f"CREATE OR REPLACE TABLE customers AS SELECT CAST(range AS VARCHAR) AS id, {numbers}, "
        f"'c' || CAST(floor(random() * {max(_LOOKUPS)}) AS INTEGER) AS code FROM range({rows})"
    )


def _pair(
    connection: duckdb.DuckDBPyConnection, both: dict[str, Policy], rounds: int, limit: float, compiles: bool
) -> list[Line]:
    def text(policy: Policy) -> str:
        return compile_program(policy.program, keep=["id"], extras=["reasons"]).sql()

    known = {name: text(policy) for name, policy in both.items()}

    def run(name: str) -> float:
        start = time.perf_counter()
        sql = text(both[name]) if compiles else known[name]
        parameters = {"as_of": ours.AS_OF} if "$as_of" in sql else {}
        connection.execute(f"CREATE OR REPLACE TEMP TABLE decided AS {sql}", parameters)
        return time.perf_counter() - start

    for name in both:
        run(name)
    found = portfolio.interleaved({name: partial(run, name) for name in both}, rounds)
    small, large = both
    ratio = found[large].ratio(found[small])
    goal = Goal(limit, "x", ratio, "the smaller")
    return [Line(small, "ms", found[small]), Line(large, "ms", found[large], ratio, (goal,))]


def large(given: Given, rounds: int) -> Section:
    """Ten million customers by each baseline and by us, each in a process of its own, whose memory is told."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "portfolio.parquet"
        origin = parquet(given, _LARGE, source)
        with duckdb.connect() as connection:
            portfolio.prepare(connection, source)
            texts = portfolio.texts(given, connection)
        by_hand = [portfolio.HAND, portfolio.HAND_LISTS, *([portfolio.POLARS] if portfolio.has_polars() else [])]
        chosen = (*by_hand, portfolio.MASKS, portfolio.LISTS, portfolio.OPEN)
        took: dict[str, list[float]] = {n: [] for n in chosen}
        held: dict[str, list[float]] = {n: [] for n in chosen}
        for _ in range(rounds):
            for n in chosen:
                peer = n == portfolio.POLARS
                seconds, megabytes = (
                    portfolio.polars(given, source, folder) if peer else _alone(source, texts[n], folder)
                )
                took[n].append(seconds)
                held[n].append(megabytes)
    lines = []
    for n in chosen:
        series, memory = Series(tuple(took[n])), Series(tuple(held[n]))
        goals = (Goal(300, "MB", memory, "at most in memory"),) if n not in by_hand else ()
        lines.append(Line(n, "s", series, series.ratio(Series(tuple(took[portfolio.HAND]))), goals))
    notes = [f"rows: {_LARGE:,}, from {origin}; {portfolio.THREADS} threads; each a process of its own"]
    notes += [f"memory of {n}: {Series(tuple(held[n])).median:,.0f} MB" for n in by_hand]
    if portfolio.POLARS not in by_hand:
        notes.append(portfolio.NO_POLARS)
    return Section("large", "Ten million customers, Parquet to Parquet", "by hand", tuple(lines), tuple(notes))


def _alone(source: Path, sql: str, folder: Path) -> tuple[float, float]:
    """Seconds, and megabytes of the process at most."""
    text = folder / "statement.sql"
    text.write_text(sql, "utf-8")
    ran = alone([sys.executable, "-c", _RUN, str(source), str(text), str(folder / "out.parquet")], ROOT)
    return float(ran.output), ran.megabytes
