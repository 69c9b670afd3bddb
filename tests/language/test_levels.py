"""Payments of loans of firms of a group: a policy for each row of a policy for each row, by both evaluators.

The expected outcomes are those of a few lines of Python over the rows as they were known on the day.
"""
from __future__ import annotations

import datetime
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.ir.verify import verify
from engine.policy import Decision, Policy, load_policy

TODAY = datetime.date(2026, 7, 1)
GRACE = 3
CLASSES = ("normal", "watch", "loss")
Rows = list[dict[str, Any]]
ENGINES = ("reference", "python")


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(Path(__file__).with_name("levels") / "group.yaml")


def decide(policy: Policy, engine: str, **history: Rows | None) -> Decision:
    return policy.decide({"group id": "g"}, as_of=TODAY, history=history, engine=engine)


def firm(name: str, joined: str = "2026-01-01", revenue: float | None = 1000.0) -> dict[str, Any]:
    return {"firm id": name, "joined": joined, "revenue": revenue}


def loan(name: str, of: str, balance: float = 100.0, signed: str = "2026-01-01") -> dict[str, Any]:
    return {"loan id": name, "firm id": of, "signed": signed, "balance": balance}


def payment(of: str, due: str, paid: str | None, booked: str = "2026-01-01") -> dict[str, Any]:
    return {"loan id": of, "booked": booked, "due": due, "paid": paid}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_core_holds(policy: Policy) -> None:
    verify(policy.program)


def test_each_level_takes_its_own_rows(policy: Policy, engine: str) -> None:
    history = {
        "firms": [firm("a"), firm("b")],
        "loans": [loan("1", "a"), loan("2", "a", 50.0), loan("3", "b", 7.0), loan("4", "stranger", 999.0)],
        "payments": [payment("2", "2026-06-01", "2026-06-11"), payment("3", "2026-01-01", None)],
    }
    values = decide(policy, engine, **history).values
    assert values == {"group class": "loss", "total exposure": 157.0, "firms in trouble": 1, "number of firms": 2}
    del history["payments"][1]
    assert decide(policy, engine, **history).values["group class"] == "watch"


def test_rows_of_a_key_that_stands_twice_belong_to_both(policy: Policy, engine: str) -> None:
    history = {"firms": [firm("a"), firm("a")], "loans": [loan("1", "a"), loan("1", "a")], "payments": []}
    assert decide(policy, engine, **history).values["total exposure"] == 400.0


@pytest.mark.parametrize(
    ("level", "row"),
    [
        ("firms", firm("c", joined="2026-07-02")),
        ("loans", loan("9", "a", signed="2026-07-02")),
        ("payments", payment("1", "2025-01-01", None, booked="2026-07-02")),
    ],
)
def test_no_level_sees_the_future(policy: Policy, engine: str, level: str, row: dict[str, Any]) -> None:
    history = {"firms": [firm("a")], "loans": [loan("1", "a")], "payments": [payment("1", "2026-06-01", None)]}
    before = decide(policy, engine, **history).values
    assert before["group class"] == "watch"
    history[level] = [row, *history[level]]
    assert decide(policy, engine, **history).values == before


def test_what_is_known_later_is_not_known_at_any_level(policy: Policy, engine: str) -> None:
    history = {"firms": [firm("a")], "loans": [loan("1", "a")]}
    late = decide(policy, engine, **history, payments=[payment("1", "2026-06-01", "2026-06-02")])
    unpaid = decide(policy, engine, **history, payments=[payment("1", "2026-06-01", None)])
    later = decide(policy, engine, **history, payments=[payment("1", "2026-06-01", "2026-07-02")])
    assert (late.values["group class"], unpaid.values["group class"]) == ("normal", "watch")
    assert later.values == unpaid.values


def test_a_known_future_instalment_is_seen(policy: Policy, engine: str) -> None:
    """Due next week and booked: it counts as last due, and is no delay."""
    loans = load_policy(Path(__file__).with_name("levels") / "loan.yaml")
    rows = [payment("1", "2026-07-08", None), payment("1", "2026-06-30", "2026-06-30")]
    data = {"loan id": "1", "balance": 5.0, "grace days": 0, "grace": 0}
    decision = loans.decide(data, as_of=TODAY, history={"payments": rows}, engine=engine)
    assert decision.values["last due"] == datetime.date(2026, 7, 8)
    assert decision.values["category"] == "normal"


def test_over_no_rows_worst_is_null_and_not_open(policy: Policy, engine: str) -> None:
    decision = decide(policy, engine, firms=[], loans=[], payments=[])
    assert decision.values == {
        "group class": None, "total exposure": 0, "firms in trouble": 0, "number of firms": 0
    }
    assert decision.open == {}
    idle = decide(policy, engine, firms=[firm("a")], loans=[], payments=[])
    assert idle.values["group class"] is None
    assert idle.values["total exposure"] == 0


def test_a_refused_row_gives_null_outcomes(policy: Policy, engine: str) -> None:
    """A negative balance is bad data of the loan, which the firm's sum still counts; a firm is not refused by it."""
    history = {"firms": [firm("a"), firm("b")], "loans": [loan("1", "a", -5.0), loan("2", "b")]}
    decision = decide(policy, engine, **history, payments=[payment("2", "2026-01-01", None)])
    assert decision.values["group class"] == "loss"     # the worst there is, whatever the other may be
    assert decision.values["total exposure"] == 95.0
    doubtful = decide(policy, engine, **history, payments=[payment("2", "2026-06-20", None)])
    assert doubtful.values["group class"] is None


@pytest.mark.parametrize(
    ("absent", "missing"), [("firms", {"firms"}), ("loans", {"loans"}), ("payments", {"payments"})],
)
def test_a_history_that_is_not_supplied_is_named(policy: Policy, engine: str, absent: str, missing: set[str]) -> None:
    history: dict[str, Rows | None] = {
        "firms": [firm("a")], "loans": [loan("1", "a")], "payments": [payment("1", "2026-06-01", None)]
    }
    history[absent] = None
    decision = decide(policy, engine, **history)
    assert set(decision.missing) | set(decision.assumed) == missing


@st.composite
def groups(draw: st.DrawFn) -> dict[str, Rows]:
    days = st.dates(datetime.date(2026, 3, 1), datetime.date(2026, 8, 31))
    names = st.sampled_from(["a", "b", "c", "乙", ""])
    loans = st.sampled_from(["1", "2", "3", "4"])
    return {
        "firms": draw(st.lists(st.fixed_dictionaries(
            {"firm id": names, "joined": days, "revenue": st.sampled_from([None, 0.0, 10.0, 500.0])}
        ), max_size=4)),
        "loans": draw(st.lists(st.fixed_dictionaries(
            {"firm id": names, "loan id": loans, "signed": days, "balance": st.sampled_from([-1.0, 0.0, 33.335, 2e6])}
        ), max_size=6)),
        "payments": draw(st.lists(st.fixed_dictionaries(
            {"loan id": loans, "booked": days, "due": days, "paid": st.one_of(st.none(), days)}
        ), max_size=8)),
    }


def expected(group: dict[str, Rows]) -> dict[str, Any]:
    loans = [r for r in group["loans"] if r["signed"] <= TODAY]
    payments = [r for r in group["payments"] if r["booked"] <= TODAY]

    def category(row: dict[str, Any]) -> str | None:
        if row["balance"] < 0:
            return None
        delays = [0]
        for p in payments:
            if p["loan id"] == row["loan id"] and p["due"] <= TODAY:
                known = p["paid"] if p["paid"] is not None and p["paid"] <= TODAY else TODAY
                delays.append(max(0, (known - p["due"]).days))
        late = max(delays) - GRACE
        return "loss" if late > 90 else "watch" if late > 0 else "normal"

    def worst(found: list[str | None]) -> str | None:
        known = [c for c in found if c is not None]
        if not known or (len(known) < len(found) and "loss" not in known):
            return None
        return max(known, key=CLASSES.index)

    def total(rows: Rows) -> float:
        return sum(math.floor(r["balance"] * 100.0 + 0.5) for r in rows) / 100.0

    firms = [
        [r for r in loans if r["firm id"] == f["firm id"]] for f in group["firms"] if f["joined"] <= TODAY
    ]
    return {
        "group class": worst([worst([category(r) for r in own]) for own in firms]),
        "total exposure": sum(math.floor(total(own) * 100.0 + 0.5) for own in firms) / 100.0,
        "firms in trouble": sum(1 for own in firms if total([r for r in own if category(r) == "loss"]) > 0),
        "number of firms": len(firms),
    }


@settings(max_examples=150)
@given(group=groups())
def test_outcomes_of_random_groups(policy: Policy, group: dict[str, Rows]) -> None:
    wanted = expected(group)
    for engine in ENGINES:
        assert decide(policy, engine, **group).values == wanted, engine
