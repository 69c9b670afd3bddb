"""Every shipped test file is valid and holds."""
from __future__ import annotations

from pathlib import Path

import pytest

from engine.policytest.report import failure, headline
from engine.policytest.running import run_case
from engine.policytest.suite import read_suite
from engine.render import render_text

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "policies").rglob("*.test.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name.removesuffix(".test.yaml"))
def test_shipped(path: Path) -> None:
    suite = read_suite(path)
    assert suite.is_valid, render_text(suite.diagnostics, suite.sources)
    assert suite.policy is not None and suite.cases
    failed = [r for c in suite.cases if not (r := run_case(suite.policy, c)).passed]
    assert not failed, "\n".join(f"{headline(r)}\n{failure(r)}" for r in failed[:5])
