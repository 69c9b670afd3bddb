"""Plugins and project files that are wrong, as files: what `tierwise plugins` says of each, compared whole.

A case is a folder of `corpus/plugins`. With a `tierwise.yaml` the command runs in it as it is, else its Python files
are named by `--plugin`. TIERWISE_UPDATE=1 writes what is said anew, to be read before it is kept.
"""
from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.hooks import Plugins
from tests.commands.conftest import Tierwise, tierwise  # noqa: F401 - a fixture

CORPUS = Path(__file__).resolve().parents[1] / "corpus" / "plugins"
CASES = sorted(p for p in CORPUS.iterdir() if p.is_dir())


@pytest.mark.parametrize("case", CASES, ids=lambda p: p.name)
def test_bad(case: Path, tierwise: Tierwise, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.chdir(case)
    files = [] if (case / "tierwise.yaml").exists() else sorted(case.glob("*.py"))
    result = tierwise("plugins", *(part for file in files for part in ("--plugin", file.name)))
    expected = case.with_suffix(".txt")
    if os.environ.get("TIERWISE_UPDATE"):
        expected.write_text(result.err, encoding="utf-8")
    assert result.code == 1
    assert result.err == expected.read_text("utf-8")
    assert "hunter2" not in result.err


@pytest.mark.parametrize("case", CASES, ids=lambda p: p.name)
def test_bad_has_a_way_out(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(case)
    named = (case / "tierwise.yaml").exists()
    plugins = Plugins.beside(case, () if named else sorted(case.glob("*.py")))
    plugins.all()
    found = [d for problem in plugins.problems for d in problem.diagnostics]
    assert found
    assert all(d.help for d in found), [d.message for d in found if not d.help]
    assert all(d.span for d in found if named)
    assert all(d.message[0].islower() or d.message[0] == "`" for d in found)
