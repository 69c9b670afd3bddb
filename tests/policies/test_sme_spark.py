"""The policies for small firms by Spark: the bytes of the embedded database's."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real
#: Policies by the tables that they read: versions by row, one history, two, and a policy for each row of one.
TABLES = {
    "authority": (), "outcome": ("repayments",), "satisfaction": ("surveys", "complaints"), "stages": ("events",),
    "repayment": ("repayments",),
}


@pytest.mark.parametrize("name", TABLES)
def test_spark_agrees(root: Path, tmp_path: Path, name: str) -> None:
    sme = Path("policies/sme")
    place = next(p for p in (sme / f"{name}.yaml", sme / name) if (root / p).exists())
    said = {}
    for engine in ("duckdb", "spark"):
        out = tmp_path / f"{engine}.csv"
        command = [sys.executable, "cli.py", "run", str(place), f"{sme}/samples/firms.csv", "--as-of", "2026-07-01",
                   "--engine", engine, "-o", str(out), "--with", "reasons,fired,open,missing"]
        command += [f"--history={table}={sme}/samples/{table}.csv" for table in TABLES[name]]
        done = subprocess.run(
            command, cwd=root, capture_output=True, text=True, encoding="utf-8", check=False, timeout=600
        )
        assert done.returncode in (0, 1), done.stderr
        said[engine] = out.read_bytes()
    assert said["duckdb"].count(b"\n") == 1003
    assert said["duckdb"] == said["spark"]
