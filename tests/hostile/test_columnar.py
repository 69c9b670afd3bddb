"""Hostile data, disks and ends of a run at columnar speed: no half-written result, and a clear message."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.policy import load_policy
from engine.portfolio.columnar import run as columnar
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import Quiet, Request
from tests.duck import run_sql
from tests.hostile import data
from tests.hostile.process import ROOT, run
from tests.portfolio.columnar.both import DAY

RUN = ["run", "p.yaml", "d.parquet", "--as-of", "2026-07-01", "--engine", "duckdb"]
#: The policy without `on unknown value: stop`.
POLICY = data.POLICY.replace("on unknown value: stop", "on unknown value: missing")
ROWS = (
    "SELECT 'c' || i AS id, i % 7 AS x, 'SH' AS city, 'A' AS tier, 'G' AS grade, 'n' || i AS name FROM range({}) t(i)"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.yaml").write_text(POLICY, "utf-8")
    return tmp_path


def table(folder: Path, query: str, name: str = "d.parquet") -> None:
    run_sql(f"COPY ({query}) TO '{folder / name}'")


def tierwise(folder: Path, args: list[str], **more: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), *args],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)},
        **more,  # type: ignore[call-overload]
    )
    assert "Traceback" not in done.stderr
    return done


def left(folder: Path) -> list[str]:
    """What a run left behind, beside its inputs."""
    return sorted(p.name for p in folder.iterdir() if p.name not in ("p.yaml", "d.parquet", "d.csv", "e.csv"))


def test_sql_in_names_and_values_does_nothing(folder: Path) -> None:
    names = ["id", 'x"; DROP TABLE customers; --', "x", "$as_of", "';COPY (SELECT 1) TO 'owned.csv'; --"]
    quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
    value = "'; COPY (SELECT 1) TO 'owned.csv'; --"
    run_sql(f"COPY (SELECT * FROM (VALUES (?, 1, 2, 3, 4)) AS t({quoted})) TO '{folder / 'd.parquet'}'", [value])
    done = tierwise(folder, [*RUN, "-o", "out.csv"])
    assert done.returncode == 0, done.stderr
    assert value in (folder / "out.csv").read_text("utf-8")
    assert left(folder) == ["out.csv"]


@pytest.mark.parametrize("place", ["d'; DROP TABLE x; --.parquet", "d$1.parquet", 'd".parquet', "d\n.parquet"])
def test_sql_in_the_names_of_files_does_nothing(folder: Path, place: str) -> None:
    table(folder, ROWS.format(3))
    (folder / "d.parquet").rename(folder / place)
    done = tierwise(folder, [*RUN[:2], place, *RUN[3:], "-o", place.replace(".parquet", ".out.csv")])
    assert done.returncode == 0, done.stderr
    assert len((folder / place.replace(".parquet", ".out.csv")).read_text().splitlines()) == 4


@pytest.mark.parametrize("out", ["out.csv", "out.parquet", "out.jsonl", "out.duckdb::t", "out.xlsx"])
def test_a_full_disk(folder: Path, out: str) -> None:
    table(folder, ROWS.format(60_000))
    small = 200_000

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (small, small))

    done = tierwise(folder, [*RUN, "-o", out], preexec_fn=limit)
    assert done.returncode == 3, done.stderr
    assert "error" in done.stderr
    assert left(folder) == []


def test_no_room_to_set_aside_what_is_read(folder: Path) -> None:
    run_sql(f"COPY ({ROWS.format(60_000)}) TO '{folder / 'd.csv'}' (HEADER)")

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    done = tierwise(folder, [*RUN[:2], "d.csv", *RUN[3:], "-o", "out.csv"], preexec_fn=limit)
    assert done.returncode == 3
    assert "what is set aside of `d.csv` cannot be written" in done.stderr
    assert "TMPDIR" in done.stderr
    assert left(folder) == []


def test_a_full_disk_keeps_the_former_result(folder: Path) -> None:
    table(folder, ROWS.format(60_000))
    (folder / "out.csv").write_text("former\n")

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    assert tierwise(folder, [*RUN, "-o", "out.csv"], preexec_fn=limit).returncode == 3
    assert (folder / "out.csv").read_text() == "former\n"


def test_a_killed_process_leaves_nothing_under_the_final_name_nor_data_for_long(folder: Path) -> None:
    table(folder, ROWS.format(400_000))
    command = [sys.executable, str(ROOT / "cli.py"), *RUN, "-o", "out.csv"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
    process = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    while process.poll() is None and not list(folder.glob("tierwise-run-*/*.parquet")):
        time.sleep(0.005)
    process.kill()
    process.communicate()
    assert not (folder / "out.csv").exists()
    assert list(folder.glob("tierwise-run-*"))  # data that were set aside ...
    assert tierwise(folder, [*RUN, "-o", "out.csv"]).returncode == 0
    assert not list(folder.glob("tierwise-run-*"))  # ... and are swept by the next run


@pytest.mark.parametrize("cut", [4, 100, 5_000])
def test_a_truncated_parquet_file(folder: Path, cut: int) -> None:
    table(folder, ROWS.format(60_000))
    whole = (folder / "d.parquet").read_bytes()
    (folder / "d.parquet").write_bytes(whole[:-cut])
    done = tierwise(folder, [*RUN, "-o", "out.csv"])
    assert done.returncode == 3
    assert "d.parquet" in done.stderr
    assert left(folder) == []


def test_a_damaged_parquet_file(folder: Path) -> None:
    table(folder, ROWS.format(60_000))
    whole = bytearray((folder / "d.parquet").read_bytes())
    for at in range(2_000, 60_000, 7):
        whole[at] ^= 0xFF
    (folder / "d.parquet").write_bytes(bytes(whole))
    done = tierwise(folder, [*RUN, "-o", "out.csv"])
    assert done.returncode == 3
    assert "cannot be read" in done.stderr
    assert left(folder) == []


@pytest.mark.parametrize("end", ["vanishes", "is cut short"])
def test_a_table_that_changes_while_it_is_read(folder: Path, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file goes after it was bound and before it is decided."""
    table(folder, ROWS.format(60_000))
    path = folder / "d.parquet"
    real = columnar.Run.decide

    def decide(run: columnar.Run, *args: object) -> object:
        if end == "vanishes":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[:1_000])
        return real(run, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(columnar.Run, "decide", decide)
    with pytest.raises(DataProblem, match="d.parquet` cannot be read"):
        columnar.run(load_policy(folder / "p.yaml"), Request(str(path), DAY, out=str(folder / "out.csv")), Quiet())
    assert not (folder / "out.csv").exists()


def test_too_little_memory_is_told(folder: Path) -> None:
    table(folder, ROWS.format(300_000))
    done = tierwise(folder, [*RUN, "-o", "out.csv", "--memory-limit", "1MB"])
    assert done.returncode == 3
    assert "memory" in done.stderr
    assert left(folder) == []


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["--where", "x >"], 2, "E01"),
        (["--where", "y > 1"], 2, "unknown name `y`"),
        (["--only", "e"], 2, "no decision"),
        (["--memory-limit", "much"], 2, "amount of memory"),
        (["--max-refused", "2"], 2, "not a share"),
        (["--with", "everything"], 2, "not one of"),
        (["--engine", "python"], 2, "columnar engine"),
        (["--run-id", "n"], 2, "needs a folder"),
        (["-o", "nobody/out.csv"], 3, "cannot be written"),
        (["-o", "."], 3, ""),
        (["--format", "parquet"], 3, "need a file"),
        (["--history", "events=nobody.parquet"], 3, "no file"),
    ],
    ids=str,
)
def test_arguments(folder: Path, args: list[str], code: int, said: str) -> None:
    table(folder, ROWS.format(3))
    done = tierwise(folder, [*RUN, *args])
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr


def test_an_unknown_value_that_stops_the_run(folder: Path) -> None:
    (folder / "p.yaml").write_text(data.POLICY, "utf-8")
    table(folder, ROWS.format(3).replace("'G' AS grade", "CASE WHEN i = 1 THEN 'X' ELSE 'G' END AS grade"))
    done = tierwise(folder, [*RUN, "-o", "out.csv"])
    assert done.returncode == 3
    assert "d.parquet:2: `c1`: `grade` `X` is not one of `G`, `H`" in done.stderr
    assert left(folder) == []


def test_a_device_is_written_to_and_never_replaced(folder: Path) -> None:
    """A pipe in the place of a device: renaming a file onto it would take it away."""
    table(folder, ROWS.format(3))
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        done = tierwise(folder, [*RUN, "-o", "pipe"])
        assert done.returncode == 0, done.stderr
        assert os.read(reader, 65_536).decode().startswith("line,id,status")
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_full_device(folder: Path) -> None:
    table(folder, ROWS.format(3))
    done = tierwise(folder, [*RUN, "-o", "/dev/full"])
    assert done.returncode == 3
    assert "cannot be written" in done.stderr


#: Cases of the other engine's tests whose rows the database would read first, were it not for a look at their bytes.
SLOW = ("zero device", "60 MB", "bomb")
TEXTS = [
    name for name in data.CASES
    if name.startswith(("csv", "jsonl", "history", "gzip")) and not any(word in name for word in SLOW)
]


@pytest.mark.parametrize("name", TEXTS)
def test_hostile_texts_are_told_as_one_by_one(name: str, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(data.POLICY, "utf-8")
    args, code, part, stdin = data.CASES[name](tmp_path)
    if args[0] == "run":
        ran = run([*args, "--engine", "duckdb"], tmp_path, stdin)
        assert (ran.code, part in ran.said) == (code, True), ran.said[-3000:]
        assert "Traceback" not in ran.said
