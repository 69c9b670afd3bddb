"""The traps that missing data and time set for every rules engine, each as a test."""
from __future__ import annotations

import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine.backends.sql.memory import Customer, decide_all
from engine.backends.sql.run import Row
from engine.policy import Decision, Policy, load_policy

TODAY = datetime.date(2026, 7, 1)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(Path(__file__).with_name("traps.yaml"))


@pytest.fixture(params=["reference", "python", "duckdb"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def decide(policy: Policy, engine: str, dscr: float | None, rows: list[dict[str, Any]] | None) -> Decision | Row:
    inputs, history = {"firm": "f", "dscr": dscr}, {"instalments": rows}
    if engine == "duckdb":
        return decide_all(policy.program, [Customer(inputs, history)], TODAY)[0]
    return policy.decide(inputs, as_of=TODAY, history=history, engine=engine)


def row(due: str, paid: str | None, booked: str = "2026-01-01") -> dict[str, Any]:
    return {"booked": booked, "due": due, "paid": paid, "amount": 100}


def test_a_missing_ratio_never_steps_over_a_decline(policy: Policy, engine: str) -> None:
    decision = decide(policy, engine, None, [])
    assert decision.values["decision"] == "refer"
    assert decision.missing == ("dscr",)
    assert "decision" in decision.open
    if isinstance(decision, Decision):
        could_be = decision.open["decision"].could_be
        assert could_be is not None and "decline" in could_be
    assert decision.reasons[-1] == "MISSING"


def test_a_decline_that_is_certain_stands_whatever_is_missing(policy: Policy, engine: str) -> None:
    decision = decide(policy, engine, 0.8, None)
    assert decision.values["decision"] == "decline"
    assert "decision" not in decision.open


def test_no_history_is_not_an_empty_history(policy: Policy, engine: str) -> None:
    absent = decide(policy, engine, 2.0, None)
    assert absent.values["decision"] == "refer"
    assert absent.reasons == ("R3", "MISSING")
    assert set(absent.open) == {"worst delay", "due soon", "delay", "soon"}
    assert absent.missing == ("instalments",)
    empty = decide(policy, engine, 2.0, [])
    assert empty.values["decision"] == "approve"
    # the largest of no rows has no value, though nothing is missing
    assert empty.values["delay"] is None
    assert empty.values["soon"] == 0
    assert empty.missing == ()


@pytest.mark.parametrize(
    ("case", "rows", "delay"),
    [
        ("unpaid counts to the day of the decision", [row("2026-05-01", None)], 61),
        ("paid early is no delay", [row("2026-05-01", "2026-04-20")], 0),
        ("paid late", [row("2026-05-01", "2026-05-11")], 10),
        ("paid on the day itself is known", [row("2026-05-01", "2026-07-01")], 61),
        ("paid after the day is not yet known", [row("2026-05-01", "2026-07-02")], 61),
        ("due next week is no delay", [row("2026-07-08", None)], None),
        ("due today and unpaid", [row("2026-07-01", None)], 0),
        ("booked after the day does not exist", [row("2026-05-01", None, booked="2026-07-02")], None),
        ("more than a year ago", [row("2025-07-01", None)], None),
        ("the worst of several", [row("2026-05-01", "2026-05-11"), row("2026-06-01", None)], 30),
    ],
)
def test_delays(policy: Policy, engine: str, case: str, rows: list[dict[str, Any]], delay: int | None) -> None:
    assert decide(policy, engine, 2.0, rows).values["delay"] == delay, case


def test_a_known_future_instalment_is_visible(policy: Policy, engine: str) -> None:
    rows = [row("2026-07-08", None), row("2026-07-09", None), row("2026-07-01", None)]
    assert decide(policy, engine, 2.0, rows).values["soon"] == 100


def test_a_backtest_cannot_see_the_future(policy: Policy, engine: str) -> None:
    """Everything that happens after the day leaves the decision of the day as it was."""
    past = [row("2026-05-01", None), row("2026-06-15", "2026-06-20")]
    later = [row("2026-05-01", "2026-07-05"), row("2026-06-15", "2026-06-20"), row("2026-06-20", None, "2026-07-03")]
    assert decide(policy, engine, 2.0, past).values == decide(policy, engine, 2.0, later).values


def test_a_feature_is_an_output_when_it_is_asked_for(policy: Policy, engine: str) -> None:
    rows = [row("2026-05-01", "2026-05-11")]
    data, history = {"firm": "f", "dscr": "not a number"}, {"instalments": rows}

    def asked_for(only: list[str] | None) -> Decision | Row:
        if engine == "duckdb":
            return decide_all(policy.program, [Customer(data, history)], TODAY, only)[0]
        return policy.decide(data, as_of=TODAY, history=history, only=only, engine=engine)

    # what the feature does not need is not looked at
    assert asked_for(["worst delay"]).values == {"worst delay": 10}
    assert asked_for(None).refused == ("dscr",)


# --- the past as it was known -------------------------------------------------------------------------

FIRST = datetime.date(2025, 12, 1)


def events(random: Random) -> list[dict[str, Any]]:
    """Instalments with whatever is known of them at last: booked, due and paid on days near one another."""
    found = []
    for _ in range(random.randint(0, 9)):
        booked, due, paid = (FIRST + datetime.timedelta(random.randint(0, 300)) for _ in range(3))
        paid_on = None if random.random() < 0.3 else paid.isoformat()
        found.append({**row(due.isoformat(), paid_on, booked.isoformat()), "amount": random.randint(1, 500)})
    return found


def known_by(day: datetime.date, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a database held on a day: later bookings are not in it, later payments neither, known due dates are."""
    held = [r for r in rows if r["booked"] <= day.isoformat()]
    return [{**r, "paid": r["paid"] if r["paid"] and r["paid"] <= day.isoformat() else None} for r in held]


@pytest.mark.parametrize("days", [0, 1, 31, 90, 182, 300])
def test_a_backtest_says_what_was_said_on_the_day(policy: Policy, engine: str, days: int) -> None:
    """A portfolio decided as of a past day, with all that came later in its tables, as it was decided on the day."""
    random, day = Random(days), FIRST + datetime.timedelta(days)
    firms = [({"firm": str(n), "dscr": random.choice((None, 0.8, 2.0))}, events(random)) for n in range(60)]
    now = portfolio(policy, engine, day, firms)
    then = portfolio(policy, engine, day, [(inputs, known_by(day, rows)) for inputs, rows in firms])
    assert now == then
    assert days < 90 or len({str(values) for values, *_ in now}) > 10


def portfolio(
    policy: Policy, engine: str, day: datetime.date, firms: list[tuple[dict[str, Any], list[dict[str, Any]]]]
) -> list[tuple[Any, ...]]:
    """What is told of each firm."""
    if engine == "duckdb":
        told: list[Any] = decide_all(policy.program, [Customer(i, {"instalments": rows}) for i, rows in firms], day)
    else:
        told = [policy.decide(i, as_of=day, history={"instalments": rows}, engine=engine) for i, rows in firms]
    return [(d.values, d.reasons, d.fired, sorted(d.open), d.missing, d.refused) for d in told]
