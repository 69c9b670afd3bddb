"""The import contracts hold, and would catch a breach."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

IGNORE = shutil.ignore_patterns("__pycache__")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache", "--config", "pyproject.toml"],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, text=True, timeout=120,
    )


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """A checkout to plant faults in."""
    for name in ("engine", "plugins"):
        shutil.copytree(root / name, tmp_path / name, ignore=IGNORE)
    shutil.copy(root / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contracts_hold(root: Path) -> None:
    result = lint(root)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("engine/ir/nodes.py", "import engine.backends.reference.program", "one direction through the engine"),
        ("engine/semantics/dtypes.py", "import engine.ir.nodes", "one direction through the engine"),
        ("engine/backends/reference/decide.py", "import engine.backends.python", "backends know nothing of"),
        ("engine/diagnostics.py", "import click", "the core needs no terminal"),
        ("engine/source/nodes.py", "def late() -> None:\n    import duckdb", "the core needs no terminal"),
        ("plugins/__init__.py", "import engine.ir.nodes", "plugins use the public names only"),
    ],
)
def test_a_planted_breach_is_caught(copy: Path, module: str, line: str, broken: str) -> None:
    path = copy / module
    path.write_text(path.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    result = lint(copy)
    assert result.returncode == 1, result.stdout + result.stderr
    verdict = next(line for line in result.stdout.splitlines() if line.startswith(broken))
    assert "BROKEN" in verdict


def test_a_module_outside_the_layers_is_caught(copy: Path) -> None:
    (copy / "engine" / "stray.py").write_text('"""No layer names this."""\n', encoding="utf-8")
    result = lint(copy)
    assert result.returncode == 1
    assert "stray" in result.stdout
