"""A small policy, its tables in many forms, and a way to run them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.policy import Policy, load_policy
from engine.portfolio.request import Quiet, Request, Summary
from engine.portfolio.running import run
from tests.commands.conftest import CUSTOMERS, POLICY, REPAYMENTS
from tests.portfolio.columnar.both import DAY

Decide = Callable[..., Summary]


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    path = tmp_path_factory.mktemp("policy") / "policy.yaml"
    path.write_text(POLICY, "utf-8")
    return load_policy(path)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with customers and their repayments as CSV."""
    (tmp_path / "customers.csv").write_text(CUSTOMERS, "utf-8")
    (tmp_path / "repayments.csv").write_text(REPAYMENTS, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def decide(policy: Policy, folder: Path) -> Decide:
    """Run at columnar speed over `data`, with repayments unless another place or None is given."""

    def call(data: str = "customers.csv", repayments: str | None = "repayments.csv", **more: Any) -> Summary:
        histories = () if repayments is None else (("repayments", repayments),)
        request = Request(data, DAY, histories, **{"out": "out.csv", **more})
        return run(policy, request, Quiet(), "duckdb")

    return call
