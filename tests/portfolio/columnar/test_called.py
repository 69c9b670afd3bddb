"""Portfolios from Python: `Policy.run`."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

import engine
from engine.policy import Policy, PolicyError
from tests.portfolio.columnar.both import DAY
from tests.portfolio.columnar.conftest import Decide

HISTORY = {"repayments": Path("repayments.csv")}


@pytest.mark.parametrize("who", ["duckdb", "python", None])
def test_a_run_gives_its_summary(policy: Policy, decide: Decide, folder: Path, who: str | None) -> None:
    found = policy.run(Path("customers.csv"), as_of=DAY, out=folder / "out.csv", history=HISTORY, engine=who)
    assert (found.rows, found.decided, found.open, found.refused) == (7, 3, 1, 3)
    assert found.engine == (who or "python")
    assert found.outcomes["decision"] == {"approve": 1, "refer": 2, "decline": 1}
    assert found.reasons["MISSING"] == 1
    assert found.missing == {"dscr": 1}
    assert found.refused_for["unreadable row"] == 1
    assert found.orphans == {"repayments": 1}
    assert found.notes == ("1 row of history `repayments` without a customer in customers.csv",)
    assert (folder / "out.csv").read_text("utf-8").count("\n") == 8


def test_options_are_those_of_the_command(policy: Policy, folder: Path) -> None:
    found = policy.run(
        "customers.csv", as_of=DAY, out="out.jsonl", where="dscr > 1", only=["segment"], extras=["fired"], limit=2
    )
    assert found.rows == 2
    assert '"fired": ["segment/otherwise"]' in (folder / "out.jsonl").read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"engine": "flink"}, ValueError, "no engine is called 'flink'"),
        ({"engine": "duckdb", "master": "yarn"}, ValueError, "`--master` is for the spark engine"),
        ({"wehre": "1"}, TypeError, "no field 'wehre'"),
        ({"only": ["decison"]}, ValueError, "did you mean `decision`"),
        ({"where": "dcsr > 1"}, PolicyError, "unknown name `dcsr`"),
        ({"engine": "python", "memory_limit": "1GB"}, ValueError, "needs the columnar engine"),
        ({"history": {"invoices": "x.csv"}}, ValueError, "no history `invoices`"),
        ({"as_of": datetime.datetime(2026, 7, 1)}, TypeError, "datetime.date"),
        ({"data": "nobody.csv"}, engine.DataProblem, "there is no file"),
    ],
    ids=str,
)
def test_what_is_raised(
    policy: Policy, folder: Path, options: dict[str, Any], error: type[Exception], told: str
) -> None:
    call: dict[str, Any] = {"data": "customers.csv", "as_of": DAY, "out": "out.csv", **options}
    with pytest.raises(error, match=told):
        policy.run(call.pop("data"), **call)
    assert not (folder / "out.csv").exists()
