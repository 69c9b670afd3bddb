"""A budget shared over many customers under caps: time, memory, how near the best, and what holds of the answer."""
from __future__ import annotations

import json
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from benchmarks.alone import Ran, alone
from benchmarks.given import ROOT
from benchmarks.report import Goal, Line, Section
from benchmarks.timing import Series

#: Customers of whom the solver may see each, and those whom prices alone serve.
_SOLVED, _MANY = 100_000, 1_000_000
#: The share of the best value that may be lost, in percent; seconds; megabytes.
_GAP, _SECONDS, _MEGABYTES = 0.1, 120, 4_000
#: What a group of firms may have at most, in yuan, and the fen of one.
_GROUP = 1_000_000
_FEN = 100

_PLAN = """\
allocation: benchmark
key: firm id
amount: asked
value: margin
only: {{decision: approve}}
budget: {budget}
step: {step}
{whole}caps:
  - {{by: industry, share: 12%}}
  - {{by: region, share: 8%}}
  - by: tier
    groups: {{B: 45%, C: 15%, D: 0}}
  - {{by: group, at most: 100万}}
"""
#: Draws hang on the row's number alone, so that the first of a million are the hundred thousand. Industries and regions
#: are skewed, so that some caps bind and others do not; a fifth of the firms belong to a group.
_ROWS = """
WITH drawn AS (
    SELECT i, hash(i, 1) % 1000000 / 1e6 AS a, hash(i, 2) % 1000000 / 1e6 AS b, hash(i, 3) % 1000000 / 1e6 AS c,
        hash(i, 4) % 1000000 / 1e6 AS d, hash(i, 5) % 1000000 / 1e6 AS e, hash(i, 6) % 1000000 / 1e6 AS f
    FROM range($rows) AS _(i)
)
SELECT 'F' || lpad(i::VARCHAR, 8, '0') AS "firm id", 'decided' AS status,
    CASE WHEN e < 0.8 THEN 'approve' WHEN e < 0.95 THEN 'refer' ELSE 'decline' END AS decision,
    CAST((1 + floor(exp(2.5 + 1.2 * (a + b - 1) * 2))) * 10000 AS DECIMAL(18, 2)) AS asked,
    round(0.002 + 0.05 * c * c + 0.01 * (d - 0.5), 6) AS margin,
    'I' || lpad(floor(18 * b * b)::VARCHAR, 2, '0') AS industry,
    'R' || lpad(floor(31 * d * d)::VARCHAR, 2, '0') AS region,
    CASE WHEN c < 0.25 THEN 'A' WHEN c < 0.65 THEN 'B' WHEN c < 0.9 THEN 'C' ELSE 'D' END AS tier,
    CASE WHEN f < 0.2 THEN 'G' || floor(i / 40)::VARCHAR END AS "group"
FROM drawn ORDER BY i
"""


def measure(rows: int = _SOLVED, many: int = _MANY) -> Section:
    """The command in processes of its own, twice where its answer is compared; caps are added up anew, in fen."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        small, large = _customers(folder, rows), _customers(folder, many)
        parts = _shared(folder, "parts", small)
        again = _shared(folder, "parts", small, "again")
        whole = _shared(folder, "whole", small)
        by_prices = _shared(folder, "parts", large, "many")
        lines = [
            *_lines(f"{rows:,} customers, in steps of 10,000", parts, True),
            *_lines(f"{rows:,} customers, all or nothing", whole, False),
            *_lines(f"{many:,} customers, in steps of 10,000", by_prices, False),
        ]
        wrong = sum(_broken(folder, *each) for each in (
            ("parts", small, "parts"), ("whole", small, "whole"), ("parts", large, "many")))
        differ = (folder / "parts.csv").read_bytes() != (folder / "again.csv").read_bytes()
        told = ", ".join(f"{run[1]['gap']:.5%}" for run in (parts, whole, by_prices))
        notes = (
            f"below the best there is, at most: {told}",
            f"the same answer twice: {'no' if differ else 'yes'}; the second run took {again[0].seconds:.1f} s",
            f"budget and caps added up anew from the rows, in fen: {wrong} exceeded",
            f"caps of 18 industries, 31 regions, 3 tiers and {rows // 40:,} groups; "
            f"{len(parts[1]['caps_used_up']):,} are used up, of the million {len(by_prices[1]['caps_used_up']):,}",
        )
    return Section("allocation", f"A budget shared over {rows:,} and {many:,} customers", "", tuple(lines), notes,
                   wrong + differ)


def _customers(folder: Path, rows: int) -> Path:
    place = folder / f"customers-{rows}.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({_ROWS.replace('$rows', str(rows))}) TO '{place}' (FORMAT parquet)")
    return place


def _shared(folder: Path, kind: str, customers: Path, out: str | None = None) -> tuple[Ran, dict[str, Any]]:
    """One run over a plan of half of what is asked for."""
    with duckdb.connect() as connection:
        (asked,) = connection.execute(
            f"SELECT sum(asked) FROM read_parquet('{customers}') WHERE decision = 'approve'").fetchone() or (0,)
    budget = Decimal(asked // 2 // 10_000 * 10_000)
    plan = folder / f"{kind}-{customers.stem}.yaml"
    whole = "all or nothing: true\n" if kind == "whole" else ""
    plan.write_text(_PLAN.format(budget=budget, step=10_000, whole=whole), encoding="utf-8")
    command = [sys.executable, str(ROOT / "cli.py"), "allocate", str(customers), "--plan", str(plan),
               "--format", "json", "-o", str(folder / f"{out or kind}.csv")]
    ran = alone(command, ROOT)
    return ran, json.loads(ran.output)


def _lines(name: str, shared: tuple[Ran, dict[str, Any]], asked: bool) -> list[Line]:
    ran, told = shared
    gap, seconds = Series((told["gap"] * 100,)), Series((ran.seconds,))
    held = Series((ran.megabytes,))
    return [
        Line(f"{name}, by {told['method']}", "s", seconds, None,
             (Goal(_SECONDS, "s", seconds, "in all"),) if asked else ()),
        Line("  below the best there is, at most", "%", gap, None, (Goal(_GAP, "%", gap, ""),) if asked else ()),
        Line("  memory", "MB", held, None, (Goal(_MEGABYTES, "MB", held, ""),)),
    ]


def _broken(folder: Path, kind: str, customers: Path, out: str) -> int:
    """How many limits the rows exceed: the budget, each cap of each group, and what each customer asked for."""
    plan = (folder / f"{kind}-{customers.stem}.yaml").read_text("utf-8")
    budget = int(plan.split("budget: ")[1].split("\n")[0]) * _FEN
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT industry, region, tier, \"group\", CAST(asked * {_FEN} AS BIGINT), "
            f"CAST(allocated * {_FEN} AS BIGINT) FROM read_csv('{folder / out}.csv', types = "
            "{'asked': 'DECIMAL(18, 2)', 'allocated': 'DECIMAL(18, 2)', 'group': 'VARCHAR'})").fetchall()
    used: dict[tuple[str, str], int] = defaultdict(int)
    over = 0
    for industry, region, tier, group, asked, given in rows:
        over += not 0 <= given <= asked or given % (10_000 * _FEN) != 0 or (kind == "whole" and given not in (0, asked))
        for by, value in (("industry", industry), ("region", region), ("tier", tier), ("group", group), ("all", "")):
            if value is not None:
                used[by, value] += given
    shares = {"industry": 12, "region": 8}
    tiers = {"A": 100, "B": 45, "C": 15, "D": 0}
    for (by, value), sum_ in used.items():
        limit = _GROUP * _FEN if by == "group" else budget * (
            tiers[value] if by == "tier" else shares.get(by, 100)) // 100
        over += sum_ > limit
    return over
