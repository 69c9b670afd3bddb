"""What policies ask of histories, by both evaluators, against a few lines of Python each."""
from __future__ import annotations

import datetime
import itertools
import math
import statistics
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.ir.verify import verify
from engine.policy import Policy, load_policy

TODAY = datetime.date(2026, 3, 31)
YEAR_AGO, TWO_YEARS_AGO = datetime.date(2025, 3, 31), datetime.date(2024, 3, 31)
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(Path(__file__).with_name("histories.yaml"))


@st.composite
def invoices(draw: st.DrawFn) -> Rows:
    days = st.one_of(
        st.dates(datetime.date(2024, 1, 1), datetime.date(2026, 6, 30)),
        st.sampled_from([TODAY, YEAR_AGO, TWO_YEARS_AGO, datetime.date(2024, 2, 29), datetime.date(2026, 2, 28)]),
    )
    rows = []
    for number in range(draw(st.integers(0, 12))):
        issued = draw(days)
        after = draw(st.one_of(st.none(), st.integers(0, 60)))
        rows.append({
            "issued": issued,
            "number": number,
            "buyer": draw(st.sampled_from(["a", "b", "A", "", "乙", None])),
            "amount": draw(st.sampled_from([0.0, 10.0, 33.335, 99.995, 100.0, 1000.0, -50.0])),
            "paid": None if after is None else issued + datetime.timedelta(days=after),
            "void": draw(st.booleans()),
        })
    return draw(st.permutations(rows))


def total(rows: Rows) -> float:
    return sum(math.floor(r["amount"] * 100.0 + 0.5) for r in rows) / 100.0


def grouped(rows: Rows, key: Any) -> list[Rows]:
    found: dict[Any, Rows] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return list(found.values())


def month(row: dict[str, Any]) -> int:
    return int(row["issued"].year * 12 + row["issued"].month)


def runs(truths: list[bool]) -> list[int]:
    """The lengths of the runs of true ones, the last of which ends with the last truth; 0 where that is false."""
    lengths = [len(list(run)) for true, run in itertools.groupby(truths) if true]
    return lengths if truths[-1:] == [True] else [*lengths, 0]


def expected(rows: Rows) -> dict[str, Any]:
    """Each outcome in plain Python."""
    seen = sorted((r for r in rows if r["issued"] <= TODAY), key=lambda r: (r["issued"], r["number"]))
    seen = [{**r, "paid": r["paid"] if r["paid"] is not None and r["paid"] <= TODAY else None} for r in seen]
    recent = [r for r in seen if r["issued"] > YEAR_AGO and not r["void"]]
    before = [r for r in seen if TWO_YEARS_AGO < r["issued"] <= YEAR_AGO and not r["void"]]
    known = [r for r in recent if r["buyer"] is not None]
    buyers, months = grouped(known, lambda r: r["buyer"]), grouped(recent, month)
    largest = max(map(total, buyers), default=None)
    amounts = [r["amount"] for r in recent]
    named = [r["buyer"] for r in seen if r["buyer"] is not None]
    late = [sum(1 for r in g if r["paid"] and (r["paid"] - r["issued"]).days > 30) for g in buyers]
    return {
        "sales": total(recent),
        "growth": total(recent) / total(before) - 1 if total(before) else None,
        "largest buyer": largest,
        "share of the largest buyer": largest / total(recent) if largest is not None and total(recent) else None,
        "buyers": len(buyers),
        "distinct buyers": len(buyers),
        "buyers of three invoices": sum(1 for g in buyers if len(g) >= 3),
        "busiest month": max(map(len, months), default=None),
        "months without sales over 100": sum(1 for g in months if total(g) <= 100),
        "late with one buyer": max(late, default=None),
        "each buyer paid something": all(any(r["paid"] for r in g) for g in buyers),
        "average": total(recent) / len(recent) if recent else None,
        "middle": statistics.median(amounts) if amounts else None,
        "first amount": seen[0]["amount"] if seen else None,
        "last amount": seen[-1]["amount"] if seen else None,
        "last buyer known": named[-1] if named else None,
        "any large": any(a > 900 for a in amounts),
        "all paid": all(r["paid"] is not None for r in recent),
        "first buyer": named[0] if named else None,
        "longest run of paid ones": max(runs([r["paid"] is not None for r in seen if not r["void"]])),
        "paid ones at the end": runs([r["paid"] is not None for r in seen if not r["void"]])[-1],
        "months with a void one in a row": max(runs([any(r["void"] for r in g) for g in grouped(seen, month)])),
        "paid in a row by one buyer": max((runs([r["paid"] is not None for r in g])[-1] for g in buyers), default=None),
        "months of the calendar without an invoice in a row":
            max(runs([all(r["issued"].month != m for r in seen) for m in range(1, 13)])),
        "small ones in a row": max(runs([a < 100 for a in amounts])),
    }


@settings(max_examples=200)
@given(rows=invoices())
def test_outcomes_over_a_history(policy: Policy, rows: Rows) -> None:
    wanted = expected(rows)
    for engine in ("reference", "python"):
        decision = policy.decide({"firm": "f"}, as_of=TODAY, history={"invoices": rows}, engine=engine)
        assert decision.values.keys() == wanted.keys()
        for name, value in wanted.items():
            got = decision.values[name]
            same = math.isclose(got, value, rel_tol=1e-12) if isinstance(value, float) and got is not None else None
            assert same if same is not None else got == value, (engine, name)


@pytest.mark.parametrize("engine", ["reference", "python"])
def test_groups_of_no_history_are_open(policy: Policy, engine: str) -> None:
    decision = policy.decide({"firm": "f"}, as_of=TODAY, engine=engine)
    assert all(value is None for value in decision.values.values())
    assert "buyers" in decision.open
    assert decision.missing == ("invoices",)


@pytest.mark.parametrize("engine", ["reference", "python"])
def test_an_unknown_key_is_told_by_the_policy_alone(policy: Policy, engine: str) -> None:
    """A group key is never null, so nothing but the missing history leaves a group open."""
    rows = [{"issued": TODAY, "number": 1, "buyer": None, "amount": 5.0, "paid": None, "void": False}]
    decision = policy.decide({"firm": "f"}, as_of=TODAY, history={"invoices": rows}, engine=engine)
    assert (decision.values["buyers"], decision.values["largest buyer"]) == (0, None)
    assert decision.open == {}


def test_the_core_holds(policy: Policy) -> None:
    verify(policy.program)
