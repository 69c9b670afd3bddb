"""Random policies and customers mean the same to every evaluator."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from engine.backends.sql.memory import Customer, decide_all
from engine.backends.sql.program import EXTRAS
from engine.backends.sql.run import Row
from engine.backends.support import Unsupported
from engine.policy import Policy, load_policy
from tests.differential.columnar import Columnar
from tests.differential.harness import FOUND, Fault, Setting, replay, run

KEPT = sorted(p.parent for p in FOUND.glob("*/customer.json"))


@pytest.mark.parametrize("block", range(4))
def test_evaluators_agree_on_random_policies(block: int) -> None:
    report = run(range(10_000 + 10 * block, 10_000 + 10 * (block + 1)), Setting(12))
    assert report.outcomes["pairs"] == 10 * 12
    assert report.outcomes["pairs in columns"] >= 8 * 12
    assert report.faults == []


@pytest.mark.parametrize("folder", KEPT, ids=lambda p: p.name)
def test_a_disagreement_once_found_stays_mended(folder: Path) -> None:
    assert replay(folder) is None


@pytest.mark.parametrize("folder", KEPT, ids=lambda p: p.name)
def test_each_set_is_the_same_whatever_else_is_asked_for(folder: Path) -> None:
    """A run asks for some of what stands beside outcomes, the comparison above for all of it."""
    program = load_policy(folder / "policy.yaml").program
    customer: dict[str, Any] = json.loads((folder / "customer.json").read_text("utf-8"))
    held, as_of = [Customer(customer["inputs"], customer["history"])], datetime.date.fromisoformat(customer["as_of"])
    shown = [d.name for d in program.decisions if d.name in program.declared and not d.internal]
    try:
        (whole,) = decide_all(program, held, as_of, shown, EXTRAS)
    except Unsupported:
        return
    for extra in EXTRAS:
        (row,) = decide_all(program, held, as_of, shown, (extra,))
        assert row.values == whole.values
        assert row.sets.items() <= whole.sets.items()


def test_a_disagreement_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison itself: an evaluator that gives other outcomes is caught."""
    honest = Policy.decide

    def biased(self: Policy, inputs: object, **options: object) -> object:
        decision = honest(self, inputs, **options)  # type: ignore[arg-type]
        if options["engine"] == "python" and decision.values:
            name = next(iter(decision.values))
            decision.values[name] = "another" if decision.values[name] != "another" else None
        return decision

    monkeypatch.setattr(Policy, "decide", biased)
    report = run(range(3), Setting(4))
    assert report.faults and all(isinstance(f, Fault) and f.kind == "differ" for _, f in report.faults)


def test_a_disagreement_of_columns_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Columnar.decide

    def biased(self: Columnar, customers: Any) -> list[Row]:
        return [row.replace(sets={**row.sets, ("missing", ""): ("nobody",)}) for row in honest(self, customers)]

    monkeypatch.setattr(Columnar, "decide", biased)
    report = run(range(3), Setting(4, thorough=2))
    assert report.faults and all(isinstance(f, Fault) and f.kind == "duckdb differs" for _, f in report.faults)
