"""Actions that Spark decides are given out once a period, by the ledger that the other engines keep."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.policy import Policy
from tests.portfolio.test_ledger import FIRST, day, run, sent
from tests.portfolio.test_ledger import folder as folder
from tests.portfolio.test_ledger import policy as policy

pytestmark = pytest.mark.real


def test_spark_keeps_and_gives_out_the_same(policy: Policy, session: Any) -> None:
    for when in (day(1), day(1), day(3)):
        files = []
        for who in ("duckdb", "spark"):
            run(policy, when, who, ledger=f"{who}.csv", actions=f"{who}-list.csv", out=f"{who}-out.csv")
            files.append([Path(f"{who}{name}.csv").read_bytes() for name in ("", "-list", "-out")])
        assert files[0] == files[1]


def test_spark_goes_on_where_another_ended(policy: Policy, session: Any) -> None:
    run(policy, day(1), "python")
    assert sent() == FIRST
    run(policy, day(1), "spark")
    assert sent() == []
