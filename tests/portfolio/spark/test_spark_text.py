"""Text files: read as by the columnar engine, and the same rows out of Spark, byte for byte."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.policy import Policy
from engine.portfolio.request import EXTRAS
from tests.commands.conftest import CUSTOMERS, REPAYMENTS
from tests.portfolio.columnar.test_agreement import KEYED, request
from tests.portfolio.spark.conftest import Agree

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("spark")]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize("extras", [("reasons", "open", "missing"), EXTRAS])
def test_a_small_portfolio(agree: Agree, policy: Policy, tmp_path: Path, form: str, extras: tuple[str, ...]) -> None:
    found = agree(policy, request(tmp_path, CUSTOMERS, REPAYMENTS, form=form, extras=extras), tmp_path)
    assert found.summary is not None
    assert (found.summary.decided, found.summary.open, found.summary.refused) == (3, 1, 3)


@pytest.mark.parametrize("more", [
    {"where": 'grade = "A" and dscr < 2'}, {"where": "annual revenue > 500 or founded > as of"}, {"limit": 3},
    {"limit": 0}, {"limit": 2, "where": "dscr = null"}, {"only": ("segment", "late")}, {"max_refused": 0.1},
    {"strict": True}, {"missing": ("A",)}, {"date_format": "%Y/%m/%d"}, {"on_orphan": "stop"}, {"where": "dcsr > 1"},
], ids=str)
def test_options(agree: Agree, policy: Policy, tmp_path: Path, more: dict[str, Any]) -> None:
    agree(policy, request(tmp_path, CUSTOMERS, REPAYMENTS, **more), tmp_path)


@pytest.mark.parametrize("choice", ["keep", "refuse", "stop"])
@pytest.mark.parametrize("option", ["on_repeated_key", "on_null_key"])
def test_keys(agree: Agree, policy: Policy, tmp_path: Path, option: str, choice: str) -> None:
    found = agree(policy, request(tmp_path, KEYED, REPAYMENTS, **{option: choice}), tmp_path)
    assert (found.end is not None) == (choice == "stop")
