"""The policy of the command line's tests, and a deployment that gives its data."""
from __future__ import annotations

from pathlib import Path

import pytest

from engine.policy import Policy, load_policy
from tests.commands.conftest import POLICY

DEPLOYMENT = """\
deployment: testing
sources:
  core: {kind: core}
  bureau: {kind: bureau, timeout: 200ms}
customers: core.firms
inputs:
  annual revenue: core.firms.annual_revenue
  grade: core.firms.grade
  founded: core.firms.founded
  dscr:
    from: [bureau.scores.dscr, core.firms.last_score]
    stale after: P30D
history:
  repayments: core.repayments
"""


@pytest.fixture(scope="session")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    path = tmp_path_factory.mktemp("policy") / "policy.yaml"
    path.write_text(POLICY, "utf-8")
    return load_policy(path)


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = Path("deployment.yaml")
    path.write_text(DEPLOYMENT, "utf-8")
    return path
