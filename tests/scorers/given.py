"""What tests of scorers share: opening one, and holding its answers one by one against those in a batch."""
from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pyarrow as pa

import engine as tierwise
from engine.testing import settings
from plugins import scorers

KINDS = {kind.name: kind for kind in scorers.register_scorers()}


def opened(kind: str, file: Path, **stated: Any) -> Any:
    """A scorer with the settings of a deployment file; `other_versions` is `other versions`."""
    given = {name.replace("_", " "): value for name, value in stated.items()}
    return KINDS[kind].open(settings(KINDS[kind].settings, {"file": file.name, **given}, file.parent))


def told(kind: str, file: Path, **stated: Any) -> str:
    """The failure over a scorer that does not open."""
    try:
        opened(kind, file, **stated)
    except tierwise.PluginFailure as problem:
        text = str(problem)
        assert len(text) <= 300, "longer than what is shown of a plugin's words"
        return text
    raise AssertionError("it opened")


def assert_alike(scorer: Any, table: pa.Table, alone: int = 300) -> pa.Table:
    """Each row scores the same bits alone, in the whole table, and in a table of another size; the whole's scores."""
    found = scorer.batch(table)
    assert found.num_rows == table.num_rows
    assert found.schema.field("value").type == pa.float64()
    rows = found.to_pylist()
    for size in (1, 3, 17, 101):
        assert all(map(_same, scorer.batch(table.slice(5, size)).to_pylist(), rows[5:5 + size])), size
    for row, expected in zip(table.slice(0, alone).to_pylist(), rows, strict=False):
        score = scorer.one(row)
        assert _same({"value": score.value, "reasons": list(score.reasons)}, {"reasons": [], **expected}), row
    assert scorer.batch(table.slice(0, 0)).schema == found.schema
    return found


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    a, b = one["value"], other["value"]
    is_same = a is b if a is None or b is None else a == b or (math.isnan(a) and math.isnan(b))
    return is_same and one.get("reasons", []) == other.get("reasons", [])
