"""What is said where there is no Spark: these tests need none."""
from __future__ import annotations

from pathlib import Path

import pytest

from engine.policy import Policy
from engine.portfolio.request import Quiet, Request
from engine.portfolio.running import run
from engine.portfolio.shared import Usage
from tests.commands.conftest import POLICY, Tierwise
from tests.commands.conftest import tierwise as tierwise
from tests.portfolio.columnar.both import DAY


def test_without_pyspark(policy: Policy, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.portfolio.spark.session.find_spec", lambda name: None)
    with pytest.raises(Usage) as caught:
        run(policy, Request("customers.csv", DAY, out="out.csv"), Quiet(), "spark")
    assert str(caught.value) == 'the spark engine needs pyspark, duckdb and sqlglot: pip install "tierwise[spark]"'


def test_without_java(
    policy: Policy, folder: Path, tierwise: Tierwise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.portfolio.spark.session.find_spec", lambda name: name)
    monkeypatch.setenv("JAVA_HOME", str(folder))
    (folder / "policy.yaml").write_text(POLICY, "utf-8")
    done = tierwise("run", "policy.yaml", "customers.csv", "--engine", "spark", "-o", "out.csv")
    assert done.code == 2 and not Path("out.csv").exists()
    assert "the spark engine needs Java 17 or later, and there is none" in done.err
    assert 'pip install "tierwise[spark]"' in done.err


def test_a_master_without_spark(policy: Policy, folder: Path) -> None:
    with pytest.raises(Usage, match="`--master` is for the spark engine, and python decides: add `--engine spark`"):
        run(policy, Request("customers.csv", DAY, out="out.csv", master="yarn"), Quiet())
