"""A run in parts goes on where it was killed, adds nothing twice, and refuses what has changed."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from engine.policy import Policy, load_policy
from engine.portfolio.columnar import resume
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import PART_ROWS, Quiet, Request
from engine.portfolio.running import run
from engine.portfolio.shared import Usage
from tests.commands.conftest import CUSTOMERS, POLICY
from tests.duck import run_sql
from tests.portfolio.columnar.both import DAY
from tests.portfolio.columnar.conftest import Decide

ROOT = Path(__file__).resolve().parents[3]


def parts(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.glob("part-*"))}


def test_the_parts_together_are_the_whole(decide: Decide, folder: Path) -> None:
    whole = decide(rejects="whole.csv")
    found = decide(out="parts", run_id="nightly", part_rows=3, form="csv", rejects="rejects.csv")
    texts = [p.decode().splitlines() for p in parts(folder / "parts").values()]
    assert len(texts) == 3
    assert [texts[0][0], *(line for text in texts for line in text[1:])] == Path("out.csv").read_text().splitlines()
    assert Path("rejects.csv").read_text() == Path("whole.csv").read_text()
    assert found.replace(seconds=0, out="") == whole.replace(seconds=0, out="")


def test_parquet_unless_another_format_is_asked_for(decide: Decide, folder: Path) -> None:
    decide(out="parts", run_id="nightly")
    assert list(parts(folder / "parts")) == ["part-00000.parquet"]
    assert run_sql("SELECT count(*) FROM 'parts/*.parquet'") == [(7,)]
    assert PART_ROWS == 1_000_000


def test_a_repeated_run_writes_nothing(decide: Decide, folder: Path) -> None:
    first = decide(out="parts", run_id="nightly", part_rows=3)
    before = {p: p.stat().st_mtime_ns for p in (folder / "parts").glob("part-*")}
    again = decide(out="parts", run_id="nightly", part_rows=3)
    assert {p: p.stat().st_mtime_ns for p in (folder / "parts").glob("part-*")} == before
    assert again.replace(seconds=0) == first.replace(seconds=0)


def test_a_run_that_ended_goes_on(decide: Decide, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    ends = ["part-00001"]
    real = resume._part

    def part(run: Any, place: str, name: str, *more: Any) -> dict[str, Any]:
        if name in ends:
            ends.clear()
            raise KeyboardInterrupt
        made.append(name)
        return real(run, place, name, *more)

    monkeypatch.setattr(resume, "_part", part)
    with pytest.raises(KeyboardInterrupt):
        decide(out="parts", run_id="nightly", part_rows=3)
    assert parts(folder / "parts") == {}  # nothing under the final names before all is done
    assert list(json.loads((folder / "parts" / "run.json").read_text())["parts"]) == ["part-00000"]
    found = decide(out="parts", run_id="nightly", part_rows=3)
    assert made == ["part-00000", "part-00001", "part-00002"]
    assert found.rows == 7
    assert len(parts(folder / "parts")) == 3


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"as_of": DAY.replace(day=2)}, "the as-of date 2026-07-01"),
        ({"where": "dscr > 1"}, "another `--where`"),
        ({"part_rows": 4}, "another `--part-rows`"),
        ({"missing": ("NA",)}, "another `--missing`"),
        ({"run_id": "monthly"}, "holds the run `nightly`"),
    ],
    ids=str,
)
def test_what_has_changed_is_refused_by_name(
    policy: Policy, decide: Decide, folder: Path, more: dict[str, object], told: str
) -> None:
    decide(out="parts", run_id="nightly", part_rows=3)
    request = Request("customers.csv", DAY, (("repayments", "repayments.csv"),), "parts", run_id="nightly", part_rows=3)
    with pytest.raises(DataProblem, match=told):
        run(policy, request.replace(**more), Quiet())


@pytest.mark.parametrize("table", ["customers", "repayments"])
def test_changed_data_are_refused_by_name(decide: Decide, folder: Path, table: str) -> None:
    decide(out="parts", run_id="nightly")
    path = folder / f"{table}.csv"
    path.write_text(path.read_text().replace("F1", "F8"))
    with pytest.raises(DataProblem, match="another table `customers.csv`|another history `repayments`"):
        decide(out="parts", run_id="nightly")


def test_a_changed_policy_is_refused(policy: Policy, decide: Decide, folder: Path) -> None:
    decide(out="parts", run_id="nightly")
    (folder / "policy.yaml").write_text(POLICY.replace("dscr < 1", "dscr < 1.2"))
    request = Request("customers.csv", DAY, (("repayments", "repayments.csv"),), "parts", run_id="nightly")
    with pytest.raises(DataProblem, match="was begun with another policy"):
        run(load_policy("policy.yaml"), request, Quiet())


def test_too_many_refused_rows_leave_no_result(decide: Decide, folder: Path) -> None:
    with pytest.raises(DataProblem, match="there is no result"):
        decide(out="parts", run_id="nightly", part_rows=3, max_refused=0.1)
    assert parts(folder / "parts") == {}
    decide(out="parts", run_id="nightly", part_rows=3, max_refused=0.5)
    assert len(parts(folder / "parts")) == 3


def test_a_folder_that_holds_no_run_is_left_alone(decide: Decide, folder: Path) -> None:
    (folder / "parts").mkdir()
    (folder / "parts" / "mine.txt").write_text("mine")
    with pytest.raises(DataProblem, match="is not empty"):
        decide(out="parts", run_id="nightly")
    with pytest.raises(Usage, match="needs a folder"):
        decide(out="-", run_id="nightly")
    with pytest.raises(DataProblem, match="is a file"):
        decide(out="customers.csv", run_id="nightly")


def test_two_runs_at_once(decide: Decide, folder: Path) -> None:
    with resume._mine("parts"), pytest.raises(DataProblem, match="another run writes"):
        decide(out="parts", run_id="nightly")


def test_a_killed_process_leaves_no_part_of_a_file_and_goes_on(folder: Path) -> None:
    """SIGKILL, again and again, as soon as a part is done; the last run finishes what is left."""
    (folder / "policy.yaml").write_text(POLICY, "utf-8")
    with (folder / "many.csv").open("w", encoding="utf-8") as file:
        file.write(CUSTOMERS.splitlines()[0] + "\n")
        for number in range(4_000):
            file.write(f"F{number},1000,A,{number % 3},2020-01-01,\n")
    command = [
        sys.executable,
        str(ROOT / "cli.py"),
        "run",
        "policy.yaml",
        "many.csv",
        "--as-of",
        "2026-07-01",
        "--history",
        "repayments=repayments.csv",
        "-o",
        "parts",
        "--run-id",
        "nightly",
        "--part-rows",
        "1000",
        "--format",
        "csv",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    manifest = folder / "parts" / "run.json"
    seen = 0
    for _ in range(2):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline:
            if manifest.exists() and len(json.loads(manifest.read_text())["parts"]) > seen:
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.01)
        process.communicate()
        seen = len(json.loads(manifest.read_text())["parts"])
        if not json.loads(manifest.read_text())["complete"]:
            assert parts(folder / "parts") == {}
    assert seen >= 1
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = []
    for text in parts(folder / "parts").values():
        found += list(csv.DictReader(text.decode().splitlines()))
    assert [row["firm id"] for row in found] == [f"F{number}" for number in range(4_000)]
