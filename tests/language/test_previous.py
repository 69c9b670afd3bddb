"""The last logged decision, by both evaluators: typed, null where there is none, and never a reason to refuse."""
from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ir.previous import from_row, from_told, previous_inputs, stored_columns
from engine.ir.verify import verify
from engine.policy import Decision, Policy, load_policy

TODAY = datetime.date(2026, 7, 1)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(Path(__file__).with_name("renewal.yaml"))


@pytest.fixture(params=["reference", "python"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def decide(policy: Policy, engine: str, score: float, previous: Any = None) -> Decision:
    return policy.decide({"firm id": "f", "score": score}, as_of=TODAY, previous=previous, engine=engine)


def logged(**outcomes: Any) -> dict[str, Any]:
    return {"tier": "A", "decision": "approve", "limit": 1000, "as of": datetime.date(2026, 5, 1), **outcomes}


def test_the_core_holds(policy: Policy) -> None:
    verify(policy.program)


def test_no_previous_decision_is_null(policy: Policy, engine: str) -> None:
    decision = decide(policy, engine, 47)
    assert decision.values["tier"] == "B"
    assert decision.values["decision"] == "approve"
    assert decision.values["limit"] == 1000
    # a rule that does not ask whether there is one cannot be told
    assert set(decision.open) == {"was large", "unguarded"}
    assert decision.missing == ("previous.offer.kind", "previous.tier")


def test_outcomes_of_the_previous_decision_are_read(policy: Policy, engine: str) -> None:
    assert decide(policy, engine, 47, logged()).values["tier"] == "A"
    fallen = decide(policy, engine, 30, logged())
    assert (fallen.values["tier"], fallen.values["decision"], fallen.values["limit"]) == ("B", "refer", 1200)
    assert fallen.explain(format="json")["reasons"][0]["text"] == "The tier fell from A, given on 2026-05-01"
    assert decide(policy, engine, 30, logged(tier="C")).values["decision"] == "approve"


def test_its_date_is_read(policy: Policy, engine: str) -> None:
    lately = logged(decision="decline", tier="C")
    assert decide(policy, engine, 30, lately).values["decision"] == "decline"
    long_ago = {**lately, "as of": "2026-01-01"}
    assert decide(policy, engine, 30, long_ago).values["decision"] == "approve"


def test_several_outputs_are_read_by_member(policy: Policy, engine: str) -> None:
    nested = logged(offer={"base": 5, "kind": "large"})
    flat = logged(**{"offer.base": 5, "offer.kind": "large"})
    for previous in (nested, flat):
        assert decide(policy, engine, 30, previous).values["was large"] is True


def test_a_later_decision_is_not_seen(policy: Policy, engine: str) -> None:
    later = logged(**{"as of": datetime.date(2026, 7, 2)})
    assert decide(policy, engine, 47, later).values == decide(policy, engine, 47).values
    same_day = logged(**{"as of": TODAY})
    assert decide(policy, engine, 47, same_day).values["tier"] == "A"


@pytest.mark.parametrize("bad", [{"tier": "Z"}, {"tier": 5}, {"limit": "much"}, {"limit": 1e200}, {"as of": "soon"}])
def test_what_cannot_be_read_is_null_and_refuses_nobody(policy: Policy, engine: str, bad: dict[str, Any]) -> None:
    decision = decide(policy, engine, 30, logged(**bad))
    assert decision.refused == ()
    if "tier" in bad:
        assert decision.missing == ("previous.offer.kind", "previous.tier")
    if "limit" in bad:
        assert decision.values["limit"] == 1000


def test_a_decision_is_taken_as_it_is(policy: Policy, engine: str) -> None:
    first = policy.decide({"firm id": "f", "score": 60}, as_of=datetime.date(2026, 1, 1), engine=engine)
    second = decide(policy, engine, 46, first)
    assert (second.values["tier"], second.values["limit"], second.values["was large"]) == ("A", 1200, True)
    refused = policy.decide({"firm id": "f", "score": "no number"}, as_of=datetime.date(2026, 1, 1), engine=engine)
    assert decide(policy, engine, 46, refused).values == decide(policy, engine, 46).values


def test_what_is_printed_and_what_is_stored_give_the_same(policy: Policy, engine: str) -> None:
    day = datetime.date(2026, 1, 1)
    first = policy.decide({"firm id": "f", "score": 60}, as_of=day, engine=engine)
    wanted = previous_inputs(policy.program, {**first.values, "as of": day}, TODAY)
    assert wanted["previous.tier"] == "A"
    assert wanted["previous.offer.kind"] == "large"
    assert previous_inputs(policy.program, from_told(first.explain(format="json")), TODAY) == wanted
    row = {"firm id": "f", "status": "decided", "tier": "A", "offer.base": 100.0, "offer.kind": "large",
           "decision": first.values["decision"], "limit": first.values["limit"]}
    assert previous_inputs(policy.program, from_row(row, day), TODAY) == wanted
    assert from_row({**row, "status": "refused"}, day) is None
    columns = stored_columns(policy.program)
    assert set(columns) <= set(row)
    assert columns["tier"].type.values == ("A", "B", "C")


def test_a_call_that_is_wrong_in_itself(policy: Policy) -> None:
    with pytest.raises(TypeError, match="previous is a decision or a mapping"):
        decide(policy, "python", 1, ["A"])


def test_there_is_nothing_to_ask_the_customer_for(policy: Policy) -> None:
    told = decide(policy, "python", 30).explain(format="json")
    assert told["ask"] == []
    assert "previous" not in policy.input_schema()["properties"]


@given(
    score=st.sampled_from([10.0, 20.0, 44.9, 45.0, 50.0]),
    previous=st.one_of(st.none(), st.fixed_dictionaries({}, optional={
        "tier": st.sampled_from(["A", "B", "C", None, "D"]), "decision": st.sampled_from(["approve", "decline", None]),
        "limit": st.sampled_from([0, 4166.67, 5000, None, "x"]), "offer": st.sampled_from([None, {"kind": "large"}]),
        "as of": st.sampled_from([None, TODAY, datetime.date(2026, 4, 2), datetime.date(2026, 4, 3)]),
    })),
)
def test_the_evaluators_agree(policy: Policy, score: float, previous: dict[str, Any] | None) -> None:
    one, two = (decide(policy, engine, score, previous) for engine in ("reference", "python"))
    assert one.values == two.values
    assert (one.reasons, one.missing, set(one.open)) == (two.reasons, two.missing, set(two.open))
