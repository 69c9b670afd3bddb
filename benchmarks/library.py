"""The shipped policies for small firms, all of them, over a portfolio with its events."""
from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from benchmarks import portfolio
from benchmarks.alone import Ran, alone
from benchmarks.given import ROOT
from benchmarks.report import Goal, Line, Section
from benchmarks.timing import Series
from engine.commands.policies import find, is_deployment
from engine.policy import load_policy

FOLDER = ROOT / "policies" / "sme"
AS_OF = "2026-07-01"
#: Histories that are another's table, by another key.
_SAME = {"instalments": "repayments"}
#: Seconds for a million firms, and megabytes of any one run.
_SECONDS, _MILLION, _MEGABYTES = 180, 1_000_000, 6_000


def measure(firms: int) -> Section:
    """Each policy that has customers of its own, once, in a process of its own, Parquet to Parquet, with reasons and
    what is missing; those that others use are decided within them too."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder, firms)
        with duckdb.connect() as connection:
            rows = {p.stem: len(connection.read_parquet(str(p))) for p in sorted(folder.glob("*.parquet"))}
        given = _given(set(rows))
        ran = {policy: _run(policy, customers, tables, folder) for policy, (customers, tables) in given.items()}
    seconds, memory = sum(r.seconds for r in ran.values()), max(r.megabytes for r in ran.values())
    decided = sum(rows[customers] for customers, _ in given.values())
    whole, held = Series((seconds,)), Series((memory,))
    asked = firms >= _MILLION                          # for fewer, starting nineteen processes is most of it
    lines = [
        Line(f"{policy}, {rows[customers]:,} {customers}, {r.megabytes:,.0f} MB", "s", Series((r.seconds,)))
        for (policy, r), (customers, _) in zip(ran.items(), given.values(), strict=True)
    ]
    lines.append(Line("all of them", "s", whole, None, (Goal(_SECONDS, "s", whole, "in all"),) if asked else ()))
    lines.append(Line("memory of a process at most", "MB", held, None, (Goal(_MEGABYTES, "MB", held, ""),)))
    notes = (
        "rows: " + ", ".join(f"{table} {count:,}" for table, count in rows.items()),
        f"{decided:,} customers decided, {decided / seconds:,.0f} a second; {portfolio.THREADS} threads; start-up and "
        "compiling counted",
    )
    return Section("library", f"The policies for small firms over {firms:,} firms", "", tuple(lines), notes)


def generate(folder: Path, firms: int) -> None:
    """The sample portfolio at this size, and the groups of its firms."""
    script = ROOT / "scripts" / "make_sme_samples.py"
    alone([sys.executable, str(script), str(folder), "--firms", str(firms), "--format", "parquet"], ROOT)
    with duckdb.connect() as connection:
        groups = f"SELECT DISTINCT group_id FROM read_parquet('{folder}/firms.parquet') WHERE group_id IS NOT NULL"
        connection.execute(f"COPY ({groups}) TO '{folder}/groups.parquet' (FORMAT parquet)")


def _given(tables: set[str]) -> dict[str, tuple[str, list[str]]]:
    """Policies with the table of their customers, by what their key is of, and the histories that they are given."""
    found = {}
    for path in map(Path, find(str(FOLDER))):
        if path.is_dir() or path.parent != FOLDER or is_deployment(str(path)):
            continue                                    # versions of a policy, which others use
        program = load_policy(path).program
        key = next((d.name for d in program.inputs if d.key), None)
        if key is not None:
            histories = [h.name for h in program.histories if h.each is None]
            if unknown := {_SAME.get(name, name) for name in histories} - tables:
                raise ValueError(f"no table for {sorted(unknown)} of {path.name}")
            found[path.stem] = (key.removesuffix(" id") + "s", histories)
    return found


def _run(policy: str, customers: str, tables: list[str], folder: Path) -> Ran:
    command = [
        sys.executable, str(ROOT / "cli.py"), "run", str(FOLDER / f"{policy}.yaml"),
        str(folder / f"{customers}.parquet"), "--as-of", AS_OF, "--engine", "duckdb",
        "--threads", str(portfolio.THREADS), "--no-summary",
        "--on-keyless-event", "skip",                   # a firm of no group
        "-o", str(folder / "out" / f"{policy}.parquet"), "--with", "reasons,open,missing",
    ]
    (folder / "out").mkdir(exist_ok=True)
    for table in tables:
        command += ["--history", f"{table}={folder / f'{_SAME.get(table, table)}.parquet'}"]
    return alone(command, ROOT, fine=(0, 1))         # 1 tells of rows that were refused, as a few are
