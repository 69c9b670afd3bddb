"""Every shipped test file is valid and holds, whichever engine decides."""
from __future__ import annotations

from pathlib import Path

import pytest

from engine.policytest.report import failure, headline
from engine.policytest.session import run_suite
from engine.policytest.suite import read_suite
from engine.render import render_text

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "policies").rglob("*.test.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name.removesuffix(".test.yaml"))
def test_shipped(path: Path) -> None:
    suite = read_suite(path)
    assert suite.is_valid, render_text(suite.diagnostics, suite.sources)
    done = run_suite(suite, lambda _: True, engine="all")
    assert done.results and not done.left and done.lacking == ()
    assert not done.failed, "\n".join(f"{headline(r)}\n{failure(r)}" for r in done.failed[:5])


def test_the_sample_portfolio_is_judged() -> None:
    """Each kind of measure is used by the policy that we show."""
    suite = read_suite(ROOT / "policies" / "working-capital.test.yaml")
    kinds = {type(e.measure).__name__ for p in suite.portfolios for e in p.expectations}
    assert kinds == {"That", "Monotone", "FourFifths", "Drift", "FewRefused"}
