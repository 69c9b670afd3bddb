"""`tierwise new policy` in each language: sound without a finding, in canonical form, and it decides."""
from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from engine.commands.beginnings import BEGINNINGS
from engine.policy import load_policy
from tests.commands.conftest import Tierwise

CUSTOMERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "en": ({"annual revenue": 6_000_000, "years trading": 5, "dscr": 1.2},
           {"segment": "priority", "decision": "approve", "limit": 1_200_000}),
    "zh": ({"年营业收入": 6_000_000, "经营年限": 5, "偿债覆盖率": 1.2},
           {"客群": "优先", "审批": "通过", "额度": 1_200_000}),
}


@pytest.mark.parametrize("language", BEGINNINGS)
def test_each_beginning(tierwise: Tierwise, tmp_path: Path, language: str) -> None:
    path = tmp_path / "loans.yaml"
    assert tierwise("new", "policy", str(path), "--language", language).code == 0
    assert tierwise("check", "--strict", str(path)).code == 0
    assert tierwise("fmt", "--check", str(path)).code == 0
    inputs, outcome = CUSTOMERS[language]
    decision = load_policy(path).decide(inputs, as_of=datetime.date(2026, 7, 1))
    assert decision.values == outcome and decision.open == {}


def test_a_language_that_is_none(tierwise: Tierwise, tmp_path: Path) -> None:
    result = tierwise("new", "policy", str(tmp_path / "p.yaml"), "--language", "xx")
    assert result.code == 2 and "'en', 'zh'" in result.err


def test_a_name_in_chinese(tierwise: Tierwise, tmp_path: Path) -> None:
    path = tmp_path / "小微贷款.yaml"
    assert tierwise("new", "policy", str(path), "--language", "zh").code == 0
    assert load_policy(path).name == "小微贷款"
