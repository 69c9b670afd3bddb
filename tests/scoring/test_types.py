"""The types of answers: a batch takes those alone that one answer may have, so that both engines decide alike."""
from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from engine.hookspecs import Field, Score, ScorerDescription
from engine.policy import Policy, load_policy
from tests.scoring.scorers import Plain, bound
from tests.scoring.test_portfolio import DAY, portfolio, run
from tests.scoring.test_single import POLICY


class Typed(Plain):
    """Answers every customer with the same value: as Python gives it one by one, as Arrow holds it in a batch."""

    def __init__(self, value: Any, column: pa.DataType | None = None, output: str = "number") -> None:
        self.value, self.column = value, column
        self.described = ScorerDescription({"years": Field("number")}, Field(output), "v1")

    def one(self, row: Any) -> Any:
        return Score(self.value)

    def batch(self, table: pa.Table) -> pa.Table:
        return pa.table({"value": pa.array([self.value] * table.num_rows, self.column)})


def typed(folder: Path, kind: str, more: str = "") -> Policy:
    path = folder / "policy.yaml"
    text = POLICY.format(failure="missing", asked="false")
    before, _, after = text.partition("  pd:\n")
    _, _, after = after.partition("service:\n")
    path.write_text(f'''{before}  pd:
    type: {kind}
{more}    model: pd
    inputs:
      years: years
service:
  decision:
    values: [approve, refer]
    order: best first
    worst:
      - rule: D1
        when: pd = null
        then: refer
      - otherwise: approve
''', "utf-8")
    return load_policy(path)


@pytest.mark.parametrize("kind, value, column, sound", [
    ("number", True, pa.bool_(), False),
    ("number", "0.1", pa.string(), False),
    ("number", DAY, pa.date32(), False),
    ("number", 1, pa.int64(), True),
    ("number", 0.5, pa.float32(), True),
    ("number", Decimal("0.25"), pa.decimal128(5, 2), True),
    ("number", None, pa.null(), True),
    ("number", 1e101, pa.float64(), False),
    ("string", 1, pa.int64(), False),
    ("string", "a", pa.large_string(), True),
    ("string", "a", pa.dictionary(pa.int8(), pa.string()), True),
    ("boolean", 1, pa.int64(), False),
    ("boolean", "true", pa.string(), False),
    ("boolean", True, pa.bool_(), True),
    ("date", 20_000, pa.int32(), False),
    ("date", DAY, pa.date64(), True),
    ("date", datetime.datetime(2026, 7, 1, 9), pa.timestamp("us"), False),
    ("date and time", datetime.datetime(2026, 7, 1, 9), pa.timestamp("ms"), True),
    ("date and time", datetime.datetime(2026, 7, 1, 9, tzinfo=datetime.UTC), pa.timestamp("us", "UTC"), False),
])
def test_a_batch_takes_the_types_that_one_answer_may_have(tmp_path, kind, value, column, sound):
    data = portfolio(tmp_path / "firms.csv", 60)
    asked = typed(tmp_path, kind)
    asked.bind({"pd": bound(Typed(value, column, kind))})
    one, told = run(asked, data, "python")
    many, summary = run(asked, data, "duckdb")
    assert one == many
    for notes in (told.notes, summary.notes):
        assert any("failed for" in note for note in notes) != sound


def test_a_batch_is_held_to_the_range_of_dates_too(tmp_path):
    data = portfolio(tmp_path / "firms.csv", 60)
    asked = typed(tmp_path, "date", "    range: '>= date(\"2026-07-02\")'\n")
    asked.bind({"pd": bound(Typed(DAY, pa.date32(), "date"))})
    one, _ = run(asked, data, "python")
    many, summary = run(asked, data, "duckdb")
    assert one == many and any("outside its range" in note for note in summary.notes)
