"""The script that counts skips in CI."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CLOSING = "===== 3 passed, 2 skipped in 1.20s =====\n"


def skips(root: Path, folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "log").write_text(text, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "scripts/skips.py", str(folder / "log")], cwd=root, capture_output=True, text=True, timeout=60
    )


def test_listed_reasons_are_counted(root: Path, tmp_path: Path) -> None:
    line = "SKIPPED [2] tests/test_x.py:3: shared data is absent (shared); set TIERWISE_SHARED to its folder\n"
    result = skips(root, tmp_path, line + CLOSING)
    assert result.returncode == 0
    assert "log: 2 skipped" in result.stdout


def test_an_unlisted_reason_fails(root: Path, tmp_path: Path) -> None:
    result = skips(root, tmp_path, "SKIPPED [1] tests/test_x.py:3: flaky on Mondays\n" + CLOSING)
    assert result.returncode == 1
    assert "not a listed reason" in result.stdout


def test_a_log_without_a_run_fails(root: Path, tmp_path: Path) -> None:
    assert skips(root, tmp_path, "collected 0 items\n").returncode == 1
