"""The README's commands, run by a shell in a folder that has the shipped policies."""
from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import blocks, hold, replayed

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A place like a clone: the policies, and `tierwise` on the path."""
    shutil.copytree(ROOT / "policies", tmp_path / "clone" / "policies")
    command = tmp_path / "bin" / "tierwise"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT / "cli.py"}" "$@"\n')
    command.chmod(0o755)
    return tmp_path / "clone"


def test_commands(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{folder.parent / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("PYTHONUTF8", "1")

    def shell(command: str) -> str:
        done = subprocess.run(
            ["sh", "-c", command], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
            timeout=60, check=False,
        )
        assert "Traceback" not in done.stdout
        return done.stdout

    page = README.read_text("utf-8")
    parts: list[str] = []
    done = 0
    for block in blocks(page):
        if block.language == "console":
            parts += (page[done:block.start], replayed(block.text, shell))
            done = block.end
    hold(README, "".join(parts) + page[done:])


def test_it_opens_with_a_decision_that_lacks_something() -> None:
    first = next(blocks(README.read_text("utf-8")))
    assert first.language == "console"
    assert all(part in first.text for part in ("Reasons", "MISSING", "What to ask for"))


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    page = README.read_text("utf-8")
    named = set(re.findall(r"`make ([a-z-]+)", page)) | set(re.findall(r"^make ([a-z-]+)", page, re.MULTILINE))
    assert named and named <= targets
