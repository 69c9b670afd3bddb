"""What a run in Spark can be asked for, and what it is refused: versions, levels, earlier runs, places, sessions."""
from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from engine.policy import Policy, PolicyError, load_policy
from engine.portfolio.columnar import run as columnar
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import EXTRAS, Quiet, Request
from engine.portfolio.running import run
from engine.portfolio.shared import Usage
from tests.commands.conftest import Tierwise
from tests.commands.conftest import tierwise as tierwise
from tests.duck import run_sql
from tests.portfolio.columnar import test_levels as levels
from tests.portfolio.columnar import test_previous as earlier
from tests.portfolio.columnar import test_versions as versions
from tests.portfolio.columnar.both import DAY
from tests.portfolio.columnar.test_agreement import SAMPLES
from tests.portfolio.columnar.test_places import EVENTS, TABLE
from tests.portfolio.spark.conftest import Agree

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("spark")]

ROOT = Path(__file__).resolve().parents[3]


def as_parquet(path: Path) -> str:
    """A CSV as Parquet beside it, all of it text."""
    made = path.with_suffix(".parquet")
    run_sql(f"COPY (SELECT * FROM read_csv('{path}', all_varchar = true)) TO '{made}'")
    return str(made)


def in_parquet(request: Request) -> Request:
    histories = tuple((name, as_parquet(Path(place))) for name, place in request.histories)
    return request.replace(data=as_parquet(Path(request.data)), histories=histories)


def test_the_sample_portfolio(agree: Agree, tmp_path: Path) -> None:
    shipped = load_policy(ROOT / "policies" / "working-capital.yaml")
    histories = tuple((name, str(SAMPLES / f"{name}.csv")) for name in ("repayments", "invoices"))
    found = agree(shipped, Request(str(SAMPLES / "firms.csv"), DAY, histories), tmp_path)
    assert found.summary is not None
    assert (found.summary.rows, found.summary.open, found.summary.refused) == (201, 10, 12)


@pytest.mark.parametrize("optional", ["", ", optional: true"])
def test_rows_pick_their_version(agree: Agree, tmp_path: Path, optional: str) -> None:
    (tmp_path / "terms").mkdir()
    for version, start, end, term in (("1", "2026-01-01", ", to: 2026-06-30", 24), ("2", "2026-07-01", "", 48)):
        text = versions.POLICY.format(version=version, start=start, end=end, term=term, optional=optional)
        (tmp_path / "terms" / f"{version}.yaml").write_text(text, "utf-8")
    (tmp_path / "rows.csv").write_text(versions.ROWS, "utf-8")
    request = Request(str(tmp_path / "rows.csv"), DAY, extras=EXTRAS)
    for asked in (request, in_parquet(request)):
        agree(load_policy(tmp_path / "terms"), asked, tmp_path)


def test_levels(agree: Agree, tmp_path: Path) -> None:
    group = load_policy(levels.LEVELS / "group.yaml")
    tables = {"firms": levels.FIRMS, "loans": levels.LOANS, "payments": levels.PAYMENTS}
    request = levels.request(tmp_path, tables)
    native = in_parquet(request)
    mixed = native.replace(histories=(*native.histories[:1], *request.histories[1:]))
    for asked in (request, native, mixed, native.replace(on_orphan="stop")):
        agree(group, asked, tmp_path)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_earlier_run(agree: Agree, tmp_path: Path, form: str) -> None:
    renewal = load_policy(earlier.RENEWAL)
    before = earlier.stored(renewal, tmp_path, form)
    request = earlier.request(tmp_path, before, extras=EXTRAS)
    for asked in (
        request, in_parquet(request), in_parquet(request).replace(where='previous.tier = "A"', previous_as_of=DAY),
        in_parquet(request).replace(limit=2, previous_as_of=None),
    ):
        agree(renewal, asked, tmp_path)


# --- places -----------------------------------------------------------------------------------------


@pytest.fixture
def tables(folder: Path) -> Path:
    """Customers and events in several kinds of places."""
    run_sql(f"COPY ({TABLE}) TO 'customers.parquet'")
    run_sql(f"COPY ({EVENTS}) TO 'events.parquet'")
    with duckdb.connect("bank.duckdb") as bank:
        bank.execute(f"CREATE TABLE customers AS {TABLE}")
    return folder


def request(data: str = "customers.parquet", out: str = "out.csv", **more: Any) -> Request:
    return Request(data, DAY, (("repayments", "events.parquet"),), out=out, **more)


def test_what_is_written(session: Any, policy: Policy, tables: Path) -> None:
    for out, query in (
        ("out.parquet", "'{0}.parquet'"), ("out.duckdb::decisions", "{0}.decisions"),
    ):
        found = []
        for engine in ("duckdb", "spark"):
            place = f"{engine}-{out}".replace("-", "_")
            run(policy, request(out=place, extras=EXTRAS), Quiet(), engine)
            with duckdb.connect() as base:
                if "::" in out:
                    base.execute(f"ATTACH '{place.partition('::')[0]}' AS {engine}_out (READ_ONLY)")
                name = query.format(f"{engine}_out")
                kinds = base.execute(f"DESCRIBE SELECT * FROM {name}").fetchall()
                found.append((kinds, base.execute(f"SELECT * FROM {name}").fetchall()))
        assert found[0] == found[1]
    assert sorted(p.name for p in tables.iterdir() if "part" in p.name) == []


@pytest.mark.parametrize("data", ["bank.duckdb::customers", "file://{0}/customers.parquet", "file://{0}/folder"])
def test_other_places_are_read(session: Any, policy: Policy, tables: Path, data: str) -> None:
    run_sql(f"COPY ({TABLE}) TO 'folder' (FORMAT parquet, PARTITION_BY (grade))")
    asked = request(data.format(tables))
    summary = run(policy, asked, Quiet(), "spark")
    assert (summary.rows, summary.engine) == (4, "spark")
    columnar.run(policy, asked.replace(data=data.removeprefix("file://{0}/"), out="wanted.csv"), Quiet())
    assert Path("out.csv").read_text("utf-8") == Path("wanted.csv").read_text("utf-8")


@pytest.mark.parametrize("more, told", [
    ({"run_id": "july"}, "`--run-id` is not for the spark engine: leave it out"),
    ({"memory_limit": "1GB"}, "`--memory-limit` is not for the spark engine: give Spark its memory by"),
    ({"threads": 2, "master": "local[2]"}, "write `--master local[N]` instead"),
    ({"master": "spark://nowhere:7077"}, "a session on `local[2]` is running"),
    ({"out": "s3a://bank/decisions.parquet"}, "`s3a://bank/decisions.parquet` is beyond this machine"),
    ({"data": "hdfs://bank/customers.csv", "options": {"format": "csv"}}, "so it must be Parquet"),
], ids=str)
def test_what_is_refused_before_any_work(
    session: Any, policy: Policy, tables: Path, more: dict[str, Any], told: str
) -> None:
    asked = request()
    if "options" in more:
        more = {**more, "options": asked.options.replace(**more["options"])}
    with pytest.raises(Usage) as caught:
        run(policy, asked.replace(**more), Quiet(), "spark")
    assert told in str(caught.value)
    assert not Path("out.csv").exists()


def test_a_policy_that_spark_does_not_carry_out(session: Any, tierwise: Tierwise, folder: Path) -> None:
    text = """policy: clock
version: "1"
effective: {from: 2026-01-01}
owner: tests
inputs:
  firm id: {type: string, key: true}
  opens: {type: time}
service:
  early:
    value: opens < time("08:00:00")
"""
    Path("clock.yaml").write_text(text, "utf-8")
    with pytest.raises(PolicyError, match="times of day in Spark, as `opens` is"):
        load_policy("clock.yaml").run("nothing.csv", as_of=DAY, out="o.csv", engine="spark")
    done = tierwise("run", "clock.yaml", "nothing.csv", "--engine", "spark")
    assert done.code == 2 and "clock.yaml:7:" in done.err and "leave `--engine spark` out" in done.err


def test_data_that_is_damaged(session: Any, policy: Policy, tables: Path) -> None:
    whole = Path("customers.parquet").read_bytes()
    Path("customers.parquet").write_bytes(whole[:len(whole) // 2])
    with pytest.raises(DataProblem, match="`customers.parquet` cannot be read by Spark") as caught:
        run(policy, request(), Quiet(), "spark")
    assert "\n" not in caught.value.message and "Exception" not in caught.value.message
    lost = {"file:///nowhere/at/all.parquet": "not exist", "hdfs://nowhere.invalid/a.parquet": "unknown host: "}
    for place, why in lost.items():
        with pytest.raises(DataProblem, match=why):
            run(policy, request(place), Quiet(), "spark")
    assert not Path("out.csv").exists()


# --- a process of its own ------------------------------------------------------------------------------


def process(folder: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from engine.commands import main; main()", "run", str(folder / "policy.yaml")]
    return subprocess.run(
        [*command, *args, "--as-of", str(DAY)],
        capture_output=True, text=True, cwd=folder, timeout=240, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
    )


def test_the_command_starts_a_session_and_ends_it(tables: Path) -> None:
    from tests.commands.conftest import POLICY  # noqa: PLC0415

    (tables / "policy.yaml").write_text(POLICY, "utf-8")
    done = process(tables, "customers.csv", "--engine", "spark", "--master", "local[1]", "-o", "out.csv")
    assert done.returncode == 1, done.stderr
    assert "decided by spark" in done.stderr and "WARN" not in done.stderr and done.stdout == ""
    with open(tables / "out.csv", encoding="utf-8", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == 7
    done = process(tables, "customers.csv", "--engine", "spark", "--master", "lokal", "-o", "other.csv")
    assert done.returncode == 3 and "Spark did not start on `lokal`" in done.stderr and "Traceback" not in done.stderr
    done = process(tables, "customers.csv", "--engine", "spark", "-o", "other.csv", JAVA_HOME="/nowhere")
    assert done.returncode == 2 and "needs Java 17 or later" in done.stderr
    assert 'pip install "tierwise[spark]"' in done.stderr
    assert not (tables / "other.csv").exists()
