"""What people read: each `cases/NAME.yaml` decides the customers of `NAME.json`, as `NAME.txt` shows.

With TIERWISE_UPDATE=1 in the environment the expected texts are written anew, to be reviewed as a change.
"""
from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from engine.policy import load_policy

CASES = Path(__file__).parent / "cases"
NAMES = sorted(p.stem for p in CASES.glob("*.json"))


def shown(name: str) -> str:
    policy = load_policy(CASES / f"{name}.yaml")
    parts = []
    for case in customers(name):
        decision = policy.decide(case["inputs"], as_of=date.fromisoformat(case["as_of"]), history=case.get("history"))
        told = decision.explain(language=case.get("language", "en"))
        parts.append(f"=== {case['why']}\n{told}")
    return "\n".join(parts)


def customers(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_explanations_read_as_reviewed(name: str) -> None:
    expected = CASES / f"{name}.txt"
    found = shown(name)
    if os.environ.get("TIERWISE_UPDATE"):
        expected.write_text(found, encoding="utf-8")
    assert found == expected.read_text(encoding="utf-8")


def test_the_page_on_reading_shows_real_lines(root: Path) -> None:
    page = (root / "docs" / "reading-an-explanation.md").read_text(encoding="utf-8")
    blocks = page.split("```\n")[1::2]
    shown = set((CASES / "lending.txt").read_text(encoding="utf-8").splitlines())
    lines = [line for block in blocks[:4] for line in block.splitlines()]
    assert len(lines) > 30
    assert [line for line in lines if line not in shown] == []
