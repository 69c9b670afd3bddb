"""A portfolio, Parquet to Parquet: hand-written SQL and Polars, ours, and another engine in a loop."""
from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from benchmarks import ours, peers
from benchmarks.alone import alone
from benchmarks.data import parquet
from benchmarks.given import Given
from benchmarks.report import Goal, Line, Section
from benchmarks.rows import draw
from benchmarks.timing import Series
from engine.backends.sql.program import compile_program
from engine.backends.sql.tables import Column, Customers, Source
from engine.policy import Policy

THREADS = 2
HAND = "DuckDB SQL by hand, masks"
HAND_LISTS = "DuckDB SQL by hand, string lists"
MASKS = "ours, masks"
LISTS = "ours, lists"
OPEN = "ours with the open test, masks"
OPEN_LISTS = "ours with the open test, lists"
POLARS = "Polars streaming by hand, masks"
NO_POLARS = "absent: Polars: `polars` is not installed"
_ZEN = "ZEN precompiled, expressions"
_OUTCOMES = ("segment", "score", "tier", "eligibility", "eligible", "offer", "limit", "rate", "actions")
#: What the two give under which name, and whether it is a number that may differ in its last bits.
_COMPARED = (
    ("segment", "segment", False), ("score", "score", False), ("tier", "tier", False), ("eligible", "eligible", False),
    ("reasons", "reasons of eligibility", False), ("product", "offer.product", False), ("limit", "limit", True),
    ("rate", "rate", True), ("actions", "actions", False),
)


def measure(given: Given, count: int, rounds: int, with_peers: bool = True) -> Section:
    """Decide `count` customers with each, interleaved, after the outcomes were compared."""
    notes = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "portfolio.parquet"
        notes.append(f"rows: {count:,}, from {parquet(given, count, source)}; {THREADS} threads")
        with duckdb.connect() as connection:
            prepare(connection, source)
            statements = texts(given, connection)
            runs = {n: _copying(connection, sql, folder / f"{i}.parquet")
                    for i, (n, sql) in enumerate(statements.items())}
            for run in runs.values():
                run()
            mismatches, told = _compared(connection, folder, list(statements))
            notes.append(told)
            if with_peers:
                if has_polars():
                    runs[POLARS] = lambda: polars(given, source, folder)[0]
                else:
                    notes.append(NO_POLARS)
            found = interleaved(runs, rounds)
    lines = [_line(name, series, found) for name, series in found.items()]
    if with_peers:
        lines += _zen(given, count, rounds, found[HAND], notes)
    return Section(
        "portfolio", f"A portfolio of {count:,}, Parquet to Parquet", "by hand", tuple(lines), tuple(notes), mismatches
    )


def prepare(connection: duckdb.DuckDBPyConnection, source: Path) -> None:
    connection.execute(f"SET threads = {THREADS}")
    connection.execute("SET preserve_insertion_order = false")
    connection.read_parquet(str(source)).create_view("customers")


def texts(given: Given, connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The statements by name: the given ones, and ours."""
    policies = ours.Ours()
    masks, lists = ((given.folder / f"baseline_{form}.sql").read_text("utf-8") for form in ("masks", "lists"))
    return {
        HAND: masks.replace("{source}", "customers"), HAND_LISTS: lists.replace("{source}", "customers"),
        MASKS: compiled(policies.skip, connection, False), LISTS: compiled(policies.skip, connection, True),
        OPEN: compiled(policies.refer, connection, False), OPEN_LISTS: compiled(policies.refer, connection, True),
    }


def compiled(policy: Policy, connection: duckdb.DuckDBPyConnection, lists: bool) -> str:
    types = {name: kind for name, kind, *_ in connection.execute("DESCRIBE customers").fetchall()}
    columns = {d.name: Column(d.name, None, types[d.name]) for d in policy.program.inputs if d.name in types}
    source = Source(Customers("customers", columns), {})
    return compile_program(policy.program, _OUTCOMES, source, ["id"], ["reasons"], lists).sql()


def _copying(connection: duckdb.DuckDBPyConnection, sql: str, path: Path) -> Callable[[], float]:
    def run() -> float:
        start = time.perf_counter()
        parameters = {"as_of": ours.AS_OF} if "$as_of" in sql else {}
        connection.execute(f"COPY ({sql}) TO '{path}' (FORMAT parquet)", parameters)
        return time.perf_counter() - start

    return run


def interleaved(runs: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, Series]:
    """Seconds of each, once a round."""
    took: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            took[name].append(run())
    return {name: Series(tuple(found)) for name, found in took.items()}


def _compared(connection: duckdb.DuckDBPyConnection, folder: Path, names: Sequence[str]) -> tuple[int, str]:
    """How many outcomes of ours differ from those by hand."""
    hand, mine = (str(folder / f"{names.index(name)}.parquet") for name in (HAND, MASKS))
    connection.read_parquet(hand).create_view("by_hand", replace=True)
    connection.read_parquet(mine).create_view("by_us", replace=True)
    tests = []
    for theirs, own, is_number in _COMPARED:
        differs = f'h."{theirs}" IS DISTINCT FROM o."{own}"'
        if is_number:
            differs += f' AND NOT coalesce(abs(h."{theirs}" - o."{own}") < 1e-6, false)'
        tests.append(f"count(*) FILTER (WHERE {differs})")
    (row,) = connection.execute(
        f"SELECT count(*), {', '.join(tests)} FROM by_hand h FULL JOIN by_us o ON h.id = o.id"
    ).fetchall()
    faults = {theirs: n for (theirs, _, _), n in zip(_COMPARED, row[1:], strict=True) if n}
    told = ", ".join(f"{name} {n}" for name, n in faults.items()) or "none"
    return sum(faults.values()), f"differences from the SQL by hand, {MASKS}: {told} in {row[0]:,} rows"


def has_polars() -> bool:
    return importlib.util.find_spec("polars") is not None


def polars(given: Given, source: Path, folder: Path) -> tuple[float, float]:
    """Seconds of the second of two runs in a process of its own, since Polars fixes its threads when it is imported;
    and the megabytes that the process held at most."""
    env = {**os.environ, "PYTHONPATH": str(given.folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [
        sys.executable, str(given.folder / "baseline_polars.py"), str(source), "2", "mask", str(THREADS), "stream",
    ]
    ran = alone(command, folder, env)
    return float(json.loads(ran.output)["ts"][-1]), ran.megabytes


def _zen(given: Given, count: int, rounds: int, hand: Series, notes: list[str]) -> list[Line]:
    """ZEN in a loop over some rows, scaled to all."""
    available, absent = peers.available(given)
    if _ZEN not in available:
        notes.append(f"absent: ZEN: {absent[_ZEN]}")
        return []
    decide = available[_ZEN]
    rows = draw(given, 500)[0]
    took = []
    for _ in range(rounds):
        start = time.perf_counter()
        for row in rows:
            decide(row)
        took.append((time.perf_counter() - start) * count / len(rows))
    series = Series(tuple(took))
    return [Line("ZEN in a loop, scaled from 500 rows", "s", series, series.ratio(hand))]


def _line(name: str, series: Series, found: Mapping[str, Series]) -> Line:
    goals: tuple[Goal, ...] = ()
    if name == MASKS:
        goals = (Goal(1.05, "x", series.ratio(found[HAND]), "by hand"),)
    elif name == LISTS:
        goals = (
            Goal(1.25, "x", series.ratio(found[HAND]), "masks by hand"),
            Goal(1.25, "x", series.ratio(found[MASKS]), "our masks"),
        )
    return Line(name, "s", series, series.ratio(found[HAND]), goals)
