"""`tierwise report` over a decided portfolio: time and memory to the page, and to the same as data."""
from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from benchmarks.alone import Ran, alone
from benchmarks.given import ROOT
from benchmarks.report import Goal, Line, Section
from benchmarks.timing import Series

_SECONDS, _MEGABYTES = 60, 4_000

_SPEC = """\
report: benchmark
policy: {policy}
results: now.parquet
previous: before.parquet
data: firms.parquet
key: firm id
as of: 2026-07-01
exposure: offer.amount
approved: [approve, counter-offer]
by: [segment, tier, industry, region, branch]
migration: [tier, segment]
outcome: {{column: defaulted, bad: [yes], tier: tier, score: score}}
team: {{by: [branch]}}
fairness: {{by: [owner gender]}}
"""
#: What `lending` gives, drawn by the row's number: a tier and a score that hang together, a few reasons, some open.
_ROWS = """
WITH drawn AS (
    SELECT i, hash(i, 1, $run) % 1000000 / 1e6 AS a, hash(i, 2) % 1000000 / 1e6 AS b, hash(i, 3) % 1000000 / 1e6 AS c
    FROM range($rows) AS _(i)
)
SELECT i + 2 AS line, 'F' || lpad(i::VARCHAR, 8, '0') AS "firm id",
    CASE WHEN a < 0.01 THEN 'refused' WHEN a < 0.09 THEN 'open' ELSE 'decided' END AS status,
    ['not served', 'start-up', 'micro', 'core', 'key'][1 + floor(5 * b)::INT] AS segment,
    CAST(400 + 300 * (0.8 * b + 0.2 * a) AS INT) AS score,
    ['D', 'C', 'B', 'A'][1 + floor(4 * (0.8 * b + 0.2 * a))::INT] AS tier,
    ['decline', 'refer', 'counter-offer', 'approve'][1 + floor(4 * (0.5 * b + 0.5 * a))::INT] AS decision,
    round(1e6 * b * c, 2) AS "offer.amount",
    list_aggregate(list_distinct([x for x in ['K' || lpad((1 + floor(16 * a))::INT::VARCHAR, 2, '0'), 'K01', 'E04',
        'L01', CASE WHEN a < 0.09 THEN 'MISSING' END] if x is not null and (hash(i, x) % 3 = 0 or x = 'MISSING')]),
        'string_agg', ';') AS reasons,
    CASE WHEN a >= 0.01 AND a < 0.09 THEN 'decision' END AS open,
    CASE WHEN a >= 0.01 AND a < 0.05 THEN 'ebit' WHEN a >= 0.05 AND a < 0.09 THEN 'ebit;debt service' END AS missing,
    NULL::VARCHAR AS problem
FROM drawn ORDER BY i
"""
_FIRMS = """
SELECT 'F' || lpad(i::VARCHAR, 8, '0') AS "firm id", 'I' || (hash(i, 5) % 18)::VARCHAR AS industry,
    'R' || (hash(i, 6) % 31)::VARCHAR AS region, 'B' || (hash(i, 7) % 120)::VARCHAR AS branch,
    ['female', 'male', NULL][1 + (hash(i, 8) % 3)::INT] AS "owner gender",
    CASE WHEN hash(i, 9) % 3 > 0 THEN NULL WHEN hash(i, 2) % 1000000 / 1e6 < hash(i, 10) % 100 / 300 THEN 'yes'
        ELSE 'no' END AS defaulted
FROM range($rows) AS _(i) ORDER BY i
"""


def measure(rows: int) -> Section:
    """The page and the data, each once in a process of its own, with an earlier run to hold them against."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        with duckdb.connect() as connection:
            for table, query in (("now", _ROWS.replace("$run", "0")), ("before", _ROWS.replace("$run", "1")),
                                 ("firms", _FIRMS)):
                query = query.replace("$rows", str(rows))
                connection.execute(f"COPY ({query}) TO '{folder / table}.parquet' (FORMAT parquet)")
        policy = ROOT / "policies" / "sme" / "lending.yaml"
        (folder / "report.yaml").write_text(_SPEC.format(policy=policy), encoding="utf-8")
        page, data = _run(folder, "report.html"), _run(folder, "report.json")
        sizes = [f"{name} {(folder / name).stat().st_size / 1e6:.1f} MB" for name in ("report.html", "report.json")]
    lines = []
    for what, ran in (("the page", page), ("the same as data", data)):
        seconds, held = Series((ran.seconds,)), Series((ran.megabytes,))
        lines += [
            Line(what, "s", seconds, None, (Goal(_SECONDS, "s", seconds, "in all"),)),
            Line("  memory", "MB", held, None, (Goal(_MEGABYTES, "MB", held, ""),)),
        ]
    return Section("report", f"A report of {rows:,} decided customers", "", tuple(lines), (", ".join(sizes),))


def _run(folder: Path, name: str) -> Ran:
    command = [sys.executable, str(ROOT / "cli.py"), "report", str(folder / "report.yaml"), "-o", str(folder / name)]
    return alone(command, ROOT)
