"""The group: help, usage errors, exit codes, pipes and interrupts."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine import commands
from tests.commands.conftest import Tierwise


def test_every_command_has_help(tierwise: Tierwise) -> None:
    for name in commands.COMMANDS:
        result = tierwise(name, "--help")
        assert result.code == 0
        assert result.out.startswith(f"Usage: tierwise {name}")


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["nope"], "no command is called `nope`"),
        (["chek"], "did you mean `check`?"),
        (["hceck"], "did you mean `check`?"),
        (["checks"], "did you mean `check`?"),
        (["dec"], "did you mean `decide`?"),
        (["check"], "Missing argument 'PATH...'"),
        (["run", "p.yaml", "d.csv", "--as-of", "2026-02-30"], "`2026-02-30` is not a day of the calendar"),
        (["run", "p.yaml", "d.csv", "--as-of", "01/07/2026"], "`01/07/2026` is not a date (YYYY-MM-DD)"),
        (["run", "p.yaml", "d.csv", "--delimiter", "::"], "is not one character or `tab`"),
        (["run", "p.yaml", "d.csv", "--history", "repayments"], "NAME=TABLE"),
        (["run", "p.yaml", "-", "--history", "repayments=-"], "standard input can be read once only"),
        (["--nope"], "No such option"),
    ],
)
def test_wrong_usage_exits_with_2(tierwise: Tierwise, args: list[str], told: str) -> None:
    result = tierwise(*args)
    assert result.code == 2
    assert told in result.err
    assert result.out == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(tierwise: Tierwise, shell: str) -> None:
    result = tierwise("completion", shell)
    assert result.code == 0
    assert "_TIERWISE_COMPLETE" in result.out


def test_completion_of_commands_and_files(root: Path) -> None:
    env = {**os.environ, "_TIERWISE_COMPLETE": "bash_complete", "COMP_WORDS": "tierwise c", "COMP_CWORD": "1"}
    result = subprocess.run(
        [sys.executable, "cli.py"], cwd=root, env=env, capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.split() == ["plain,check", "plain,completion"]


def test_a_closed_pipe_is_quiet(root: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = subprocess.run(
            [sys.executable, "cli.py", "completion", "bash"],
            cwd=root, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60,
        )
    finally:
        os.close(writer)
    assert result.stderr == ""
    assert result.returncode == 141


def test_an_interrupt_is_quiet(root: Path, folder: Path) -> None:
    command = [sys.executable, "cli.py", "decide", str(folder / "policy.yaml"), "-"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=root, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=2)  # it waits for its standard input
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.strip() == ""
