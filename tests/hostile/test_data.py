"""Hostile data, arguments and streams through the command line."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile import data
from tests.hostile.process import ROOT, held, run


@pytest.mark.parametrize("name", data.CASES)
def test_data_are_settled_within_their_bounds(name: str, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(data.POLICY, "utf-8")
    args, code, part, stdin = data.CASES[name](tmp_path)
    ran = run(args, tmp_path, stdin)
    assert (ran.code, part in ran.said) == (code, True), ran.said[-3000:]
    held(ran)
    assert b"\x1b" not in ran.err
    assert "\u202e" not in ran.err.decode("utf-8", "replace")


def test_no_terminal_sequence_reaches_standard_output(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(data.POLICY, "utf-8")
    args, _, _, _ = data.CASES["customer escape sequences"](tmp_path)
    ran = run(args, tmp_path)
    assert b"\x1b" not in ran.out
    assert "\u202e" not in ran.out.decode()


@pytest.mark.skipif(os.geteuid() == 0, reason="everything may be read by the superuser")
@pytest.mark.parametrize("args", [
    ["check", "sealed.yaml"], ["run", "p.yaml", "sealed.yaml"], ["decide", "p.yaml", "sealed.yaml"],
    ["run", "p.yaml", "d.csv", "-o", "folder/out.csv"],
])
def test_what_may_not_be_read_or_written_is_named(args: list[str], tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(data.POLICY, "utf-8")
    (tmp_path / "d.csv").write_text(data.HEADER + data.GOOD, "utf-8")
    (tmp_path / "sealed.yaml").write_text("policy: p\n", "utf-8")
    (tmp_path / "sealed.yaml").chmod(0)
    (tmp_path / "folder").mkdir(mode=0o500)
    ran = run(args, tmp_path)
    assert ran.code in (1, 3)
    assert args[-1] in ran.said
    held(ran)


@pytest.mark.parametrize("args", [["--help"], ["check", "p.yaml"], ["run", "p.yaml", "d.csv"], ["feel", "1"]])
@pytest.mark.parametrize("stream", ["full", "closed"])
def test_an_output_that_takes_nothing_ends_without_a_trace(args: list[str], stream: str, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(data.POLICY, "utf-8")
    (tmp_path / "d.csv").write_text(data.HEADER + data.GOOD, "utf-8")
    command = [sys.executable, str(ROOT / "cli.py"), *args]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if stream == "full":
        with open("/dev/full", "wb") as full:
            done = subprocess.run(command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, env=environment)
        assert done.returncode == (0 if args[0] == "check" else 3)      # `check` has nothing to say on it
    else:
        closing = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
        done = subprocess.run(closing, cwd=tmp_path, stderr=subprocess.PIPE, env=environment)
        assert done.returncode == 0
    assert b"Traceback" not in done.stderr
