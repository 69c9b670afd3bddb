"""Features over years of invoices: in columns beside a hand-written statement, and within less memory than the table
takes on the disk."""
from __future__ import annotations

import os
import sys
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from benchmarks import ours, portfolio
from benchmarks.alone import alone
from benchmarks.given import ROOT
from benchmarks.report import Goal, Line, Section
from benchmarks.timing import Series
from engine.backends.sql.program import compile_program
from engine.backends.sql.tables import Column, Customers, Events, Source
from engine.policy import load_policy

POLICY = Path(__file__).with_name("history.yaml")
HAND = "SQL by hand"
OURS = "ours, values alone"
OPEN = "ours, with reasons, open decisions and missing data"
#: Invoices of a firm, and bytes that one takes in a Parquet file, about.
_EACH = 50
_BYTES = 16
_TABLE = 1_000_000_000
_LIMIT = 500
#: Beside the database's own memory: Python, the engine and what the database does not count.
_BESIDE = 250


def generate(folder: Path, events: int) -> tuple[Path, Path]:
    """Firms and their invoices of three years in the order of their dates, as Parquet: a tenth returned or voided, a
    buyer of thirty, a firm in a hundred without any."""
    customers, invoices = folder / "customers.parquet", folder / "invoices.parquet"
    firms = max(events // _EACH, 1)
    with duckdb.connect(config={"temp_directory": str(folder / "spilled")}) as connection:
        connection.execute("SET memory_limit = '2GB'")
        connection.execute(
            f"COPY (SELECT printf('F%08d', range) AS firm_id FROM range({firms + firms // 100})) "
            f"TO '{customers}' (FORMAT parquet)"
        )
        connection.execute(f"""
            COPY (
                SELECT
                    CAST(range AS INTEGER) AS number,
                    printf('F%08d', CAST(hash(range) % {firms} AS INTEGER)) AS firm_id,
                    DATE '2023-07-02' + CAST(range * 1110 // {events} AS INTEGER) AS issued,
                    printf('B%02d', CAST(hash(range + 1) % 1009 % 30 AS INTEGER)) AS buyer,
                    round((CAST(hash(range + 2) % 1000003 AS DOUBLE) - 50000) / 7, 2) AS net,
                    hash(range + 3) % 20 = 0 AS void
                FROM range({events})
            ) TO '{invoices}' (FORMAT parquet)""")
    return customers, invoices


def measure(events: int, rounds: int) -> Section:
    """Fifteen features and a tier of each firm, Parquet to Parquet, by hand and by us, after the outcomes were
    compared."""
    with TemporaryDirectory() as name, duckdb.connect() as connection:
        folder = Path(name)
        customers, invoices = generate(folder, events)
        connection.execute(f"SET threads = {portfolio.THREADS}")
        connection.execute("SET preserve_insertion_order = false")
        connection.read_parquet(str(customers)).create_view("customers")
        connection.read_parquet(str(invoices)).create_view("invoices")
        statements = {
            HAND: POLICY.with_suffix(".sql").read_text("utf-8"), OURS: _compiled([]),
            OPEN: _compiled(["reasons", "open", "missing"]),
        }
        paths = {n: str(folder / f"{i}.parquet") for i, n in enumerate(statements)}
        runs = {n: partial(_run, connection, sql, paths[n]) for n, sql in statements.items()}
        for run in runs.values():
            run()
        mismatches, told = _compared(connection, paths)
        found = portfolio.interleaved(runs, rounds)
        size = os.path.getsize(invoices) / 1e6
    lines = [Line(n, "s", series, series.ratio(found[HAND])) for n, series in found.items()]
    notes = (f"invoices: {events:,}, {size:,.0f} MB of Parquet; {portfolio.THREADS} threads", told)
    return Section("history", "Fifteen features of a history", "by hand", tuple(lines), notes, mismatches)


def _compiled(extras: list[str]) -> str:
    program = load_policy(POLICY).program
    (history,) = program.histories
    fields = {f.name: Column(f.name) for f in history.fields}
    source = Source(
        Customers("customers", {"firm id": Column("firm_id")}), {"invoices": Events("invoices", "firm_id", fields)}
    )
    return compile_program(program, None, source, ["firm_id"], extras).sql()


def _run(connection: duckdb.DuckDBPyConnection, sql: str, path: str) -> float:
    start = time.perf_counter()
    connection.execute(f"COPY ({sql}) TO '{path}' (FORMAT parquet)", {"as_of": ours.AS_OF})
    return time.perf_counter() - start


def _compared(connection: duckdb.DuckDBPyConnection, paths: dict[str, str]) -> tuple[int, str]:
    connection.read_parquet(paths[HAND]).create_view("by_hand", replace=True)
    connection.read_parquet(paths[OPEN]).create_view("by_us", replace=True)
    described = connection.execute("DESCRIBE SELECT * EXCLUDE (firm_id, tier) FROM by_hand").fetchall()
    names = [name for name, *_ in described]
    tests = ["h.tier IS DISTINCT FROM o.tier"] + [
        f'h.{n} IS DISTINCT FROM o."{n.replace("_", " ")}" AND NOT coalesce('
        f'abs(h.{n} - o."{n.replace("_", " ")}") <= 1e-9 * greatest(abs(h.{n}), 1e3), false)' for n in names
    ]
    counts = ", ".join(f"count(*) FILTER (WHERE {test})" for test in tests)
    (row,) = connection.execute(
        f"SELECT count(*), {counts} FROM by_hand h FULL JOIN by_us o ON h.firm_id = o.firm_id"
    ).fetchall()
    faults = {n: found for n, found in zip(["tier", *names], row[1:], strict=True) if found}
    told = ", ".join(f"{n} {found}" for n, found in faults.items()) or "none"
    return sum(faults.values()), f"differences from the SQL by hand: {told} in {row[0]:,} rows"


def limited(size: int = _TABLE, limit: int = _LIMIT) -> Section:
    """A table of `size` bytes through the command line under a limit of `limit` megabytes, once, in a process of its
    own."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        events = size // _BYTES
        customers, invoices = generate(folder, events)
        out = folder / "out.parquet"
        command = [
            sys.executable, str(ROOT / "cli.py"), "run", str(POLICY), str(customers), "--engine", "duckdb",
            "--history", f"invoices={invoices}", "--as-of", ours.AS_OF.isoformat(), "--memory-limit", f"{limit}MB",
            "--threads", str(portfolio.THREADS), "-o", str(out), "--no-summary",
        ]
        ran = alone(command, ROOT, {**os.environ, "TMPDIR": name})
        with duckdb.connect() as connection:
            rows = len(connection.read_parquet(str(out)))
        memory = Series((ran.megabytes,))
        lines = (
            Line("tierwise run", "s", Series((ran.seconds,))),
            Line("memory of the process at most", "MB", memory, None, (Goal(limit + _BESIDE, "MB", memory, "in all"),)),
        )
        notes = (
            f"{events:,} invoices, {os.path.getsize(invoices) / 1e6:,.0f} MB of Parquet; {rows:,} firms decided; "
            f"--memory-limit {limit}MB; {portfolio.THREADS} threads",
        )
    return Section("memory", "A history larger than memory", "", lines, notes)
