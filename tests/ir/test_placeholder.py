"""A cell may name its column's value as `?` wherever an expression stands."""
from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from engine.policy import load_policy

POLICY = """\
policy: p
version: '1'
effective: {from: 2026-01-01}
on missing: refer
inputs:
  x: {type: number}
service:
  d:
    values: [a, b]
    table: |
      first | x || d
      T1 | CELL || a
      T2 | - || b
"""


@pytest.mark.parametrize("engine", ["python", "reference"])
@pytest.mark.parametrize(("cell", "outcome"), [
    ("? > 3", "a"), ("not(? > 3)", "b"), ("? in [1..9]", "a"), ("-?", "b"), ("> ?", "b"), (">= ?", "a"),
    ("[1..?]", "a"), ("(?..9]", "b"), ("[1, ?]", "a"), ("not(?)", "b"), ("6, ? + 0", "a"), ("? / ?, 7", "b"),
])
def test_a_cell_names_its_column(cell: str, outcome: str, engine: str, tmp_path: Path) -> None:
    place = tmp_path / "p.yaml"
    place.write_text(POLICY.replace("CELL", cell), "utf-8")
    decision = load_policy(place).decide({"x": 5}, as_of=datetime.date(2026, 7, 1), engine=engine)
    assert decision.values == {"d": outcome}
    assert decision.explain()
