"""The API called wrongly, and data of any kind given rightly."""
from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import feel
from engine.policy import Policy, load_policy
from engine.semantics.work import MAX_STEPS, Exhausted, allowance, each, spend
from tests.hostile import data, policies

DAY = datetime.date(2026, 7, 1)
SOUND = {"id": "a", "x": 2, "city": "SH", "tier": "A", "grade": "G", "name": "Ann"}


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    place = tmp_path_factory.mktemp("calls") / "p.yaml"
    place.write_text(data.POLICY, "utf-8")
    return load_policy(place)


CALLS: dict[str, tuple[Callable[[Policy], Any], type[Exception], str]] = {
    "date as text": (lambda p: p.decide(SOUND, as_of="2026-07-01"), TypeError, "not str"),
    "date and time": (lambda p: p.decide(SOUND, as_of=datetime.datetime(2026, 7, 1)), TypeError, ".date()"),
    "inputs in a list": (lambda p: p.decide([SOUND], as_of=DAY), TypeError, "inputs are a mapping"),
    "no inputs": (lambda p: p.decide(None, as_of=DAY), TypeError, "inputs are a mapping"),
    "history in a list": (lambda p: p.decide(SOUND, as_of=DAY, history=[{}]), TypeError, "history is a mapping"),
    "unknown engine": (
        lambda p: p.decide(SOUND, as_of=DAY, engine="abacus"), ValueError, "no engine is called 'abacus'"),
    "unknown decision": (lambda p: p.decide(SOUND, as_of=DAY, only=["places"]), KeyError, "did you mean 'place'?"),
    "decision as text": (lambda p: p.decide(SOUND, as_of=DAY, only="place"), TypeError, "['place']"),
    "rows of text": (lambda p: list(p.decide_many(["x"], as_of=DAY)), TypeError, "inputs are a mapping"),
    "expression of a number": (lambda _: feel.evaluate(5), TypeError, "an expression is a text"),  # type: ignore[arg-type]
    "names in a list": (lambda _: feel.evaluate("x", [1]), TypeError, "names are a mapping"),  # type: ignore[arg-type]
    "name of a number": (lambda _: feel.evaluate("x", {1: 2}), TypeError, "a name is a text"),  # type: ignore[dict-item]
}


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_call_says_what_is_wrong(name: str, policy: Policy) -> None:
    call, kind, part = CALLS[name]
    with pytest.raises(kind) as caught:
        call(policy)
    assert part in str(caught.value)


@pytest.mark.parametrize("engine", ["python", "reference"])
@pytest.mark.parametrize("rows", ["rows", 5, -0.0, {"amount": 1}, [1], ["row"], [None], [{"amount": object()}],
                                  [{"amount": decimal.Decimal("sNaN")}], [{"amount": b"1"}]])
def test_rows_of_any_kind_refuse_the_customer(rows: Any, engine: str, policy: Policy) -> None:
    decision = policy.decide(SOUND, as_of=DAY, history={"events": rows}, engine=engine)
    assert decision.refused == ("events",)
    assert "events" in decision.explain()


@pytest.mark.parametrize("value", [object(), b"2", [], {}, True, "2", 1 + 2j, decimal.Decimal("sNaN"), DAY, ...])
def test_a_value_of_any_kind_refuses_the_customer(value: Any, policy: Policy) -> None:
    one = policy.decide({**SOUND, "x": value}, as_of=DAY)
    other = policy.decide({**SOUND, "x": value}, as_of=DAY, engine="reference")
    assert one.refused == other.refused == ("x",)


def test_an_allowance_ends_and_is_the_caller_s_own() -> None:
    with allowance(10):
        each([1, 2, 3])
        with allowance(5):
            spend(5)
            with pytest.raises(Exhausted):
                spend(1)
        each([1, 2], 3)
        with pytest.raises(Exhausted):
            spend(2)
    spend(MAX_STEPS * 2)  # nothing is counted where nobody asked for it


def test_a_customer_who_takes_too_much_work_is_refused_and_the_next_decided(tmp_path: Path) -> None:
    place = tmp_path / "p.yaml"
    place.write_text(policies.value("count(for a in 1..x, b in 1..x return a + b)"), "utf-8")
    loaded = load_policy(place)
    first, second = loaded.decide_many([{"x": 9_000}, {"x": 20}], as_of=DAY)
    assert first.values == {}
    assert [fault.message for fault in first.faults] == ["deciding takes more than 10,000,000 steps"]
    assert "10,000,000 steps" in first.explain()
    assert second.values == {"d": 400}
