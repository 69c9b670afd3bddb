"""pytest collects test files through the plugin."""
from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.policytest.conftest import HEAD, SOUND

PLUGIN = "engine.policytest.pytest_plugin"


def run(root: Path, folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--rootdir", str(folder), "-p", "no:cacheprovider", "-p", PLUGIN, *args],
        cwd=folder, env={**os.environ, "PYTHONPATH": paths, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True, text=True, timeout=120,
    )


@pytest.fixture
def cases(folder: Path) -> Path:
    (folder / "small.test.yaml").write_text(f"""{HEAD}{SOUND}cases:
  - {{case: good, base: sound, expect: {{decision: approve}}}}
  - {{case: bad, base: sound, expect: {{decision: decline}}}}
""", encoding="utf-8")
    return folder


def test_cases_are_items(root: Path, cases: Path) -> None:
    result = run(root, cases, ".")
    assert result.returncode == 1
    assert "1 failed, 1 passed" in result.stdout
    assert "small.test.yaml:7: bad" in result.stdout
    assert "decision  expected decline  got approve" in result.stdout and "dscr < 1" in result.stdout
    assert "Traceback" not in result.stdout and "running.py" not in result.stdout
    assert run(root, cases, ".", "-k", "good").returncode == 0


def test_an_invalid_file_is_an_error(root: Path, cases: Path) -> None:
    (cases / "odd.test.yaml").write_text(f"{HEAD}policy: small\ncases: [{{case: x, expect: {{drsc: 1}}}}]\n")
    result = run(root, cases, ".")
    assert result.returncode == 2
    assert "error[E0902]" in result.stdout and "Traceback" not in result.stdout


def test_files_of_other_tools_are_left_alone(root: Path, cases: Path) -> None:
    (cases / "chart.test.yaml").write_text("suite: a chart\nrelease: {name: x}\n")
    assert "1 failed, 1 passed" in run(root, cases, ".").stdout


def test_the_plugin_is_announced(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"tierwise": PLUGIN}
