"""A fresh machine: a clean clone, an empty home folder, Python and make."""
from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.real


def make(folder: Path, home: Path, *targets: str) -> str:
    """Run make with little more of the environment than the way to pip's files."""
    kept = {k: v for k, v in os.environ.items() if k.startswith("PIP_") or k in ("PATH", "LANG", "SSL_CERT_FILE")}
    result = subprocess.run(
        ["make", "--no-print-directory", *targets], cwd=folder, env={**kept, "HOME": str(home)},
        capture_output=True, text=True, timeout=900,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


@pytest.fixture(scope="module")
def clone(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert shutil.which("git") and shutil.which("make")
    place = tmp_path_factory.mktemp("fresh") / "tierwise"
    subprocess.run(["git", "clone", "--quiet", str(root), str(place)], check=True, timeout=120)
    (place.parent / "home").mkdir()
    return place


def test_the_demo_runs_and_installs_once(clone: Path) -> None:
    home = clone.parent / "home"
    first = make(clone, home, "demo")
    assert "installing what a run needs" in first
    assert " decided" in first
    assert "installing" not in make(clone, home, "demo")
    assert subprocess.run(
        ["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True, timeout=60
    ).stdout == ""


def test_tests_set_themselves_up(clone: Path) -> None:
    told = make(clone, clone.parent / "home", "test", "TESTS=tests/portfolio tests/house/test_start.py")
    assert " passed" in told
