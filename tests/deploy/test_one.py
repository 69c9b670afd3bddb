"""One customer's data out of several sources: precedence, staleness, failures, and where each value came from."""
from __future__ import annotations

import datetime
import json
import threading
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from engine import bundled
from engine.deploy.deployment import OpenDeployment
from engine.deploy.document import DeploymentError
from engine.explain.supply import Passed
from engine.policy import Decision, Policy
from engine.runs import DataProblem
from tests.deploy.kinds import Kinds, bureau, core, failing

DAY = datetime.date(2026, 7, 1)


def decide(policy: Policy, deployment: Path, key: str = "F1", kinds: Kinds | None = None, **more: Any) -> Decision:
    with OpenDeployment(deployment, kinds or Kinds(core=core, bureau=bureau)) as found:
        return found.decide(policy, key, as_of=DAY, **more)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_a_customer_is_decided_as_from_its_own_data(policy: Policy, deployment: Path) -> None:
    found = decide(policy, deployment)
    given = {"firm id": "F1", "annual revenue": 1000, "grade": "A", "dscr": 1.5, "founded": "2020-01-01"}
    rows = [{"due": "2026-01-10", "paid": "2026-01-09"}]
    assert found.values == policy.decide(given, as_of=DAY, history={"repayments": rows}).values
    assert found.values["decision"] == "approve"


def test_only_what_is_needed_is_asked_for(policy: Policy, deployment: Path) -> None:
    kinds = Kinds(core=core, bureau=bureau)
    decide(policy, deployment, kinds=kinds, only=["segment"])
    (source,) = kinds.opened
    assert source.calls == [("one", "firms", ("annual_revenue", "as_at", "grade", "founded"), "F1"), ("close",)]


def test_the_preferred_source_goes_before(policy: Policy, deployment: Path) -> None:
    origin = decide(policy, deployment).sources["dscr"]
    assert origin.source == "bureau.scores.dscr"
    assert origin.passed == (Passed("core.firms.last_score", "overruled", "", datetime.date(2026, 6, 1)),)


def test_the_next_source_where_the_first_has_nothing(policy: Policy, deployment: Path) -> None:
    edit(deployment, "P30D", "P2Y")
    found = decide(policy, deployment, "F2")
    assert found.sources["dscr"].source == "core.firms.last_score"
    assert found.sources["dscr"].stamp == datetime.date(2025, 1, 1)
    assert found.sources["dscr"].passed == (Passed("bureau.scores.dscr", "missing"),)
    assert found.values["decision"] == "approve"


def test_a_stale_value_is_none(policy: Policy, deployment: Path) -> None:
    found = decide(policy, deployment, "F2")
    assert found.sources["dscr"].source is None
    assert [p.why for p in found.sources["dscr"].passed] == ["missing", "stale"]
    assert found.missing == ("dscr",)
    assert found.values["decision"] == "refer"


@pytest.mark.parametrize(
    ("after", "source"), [("P30D", "core.firms.last_score"), ("P29D", None), ("P1M", "core.firms.last_score")]
)
def test_a_value_is_stale_beyond_the_age(policy: Policy, deployment: Path, after: str, source: str | None) -> None:
    edit(deployment, "P30D", after)                     # of 1 June, thirty days before 1 July
    edit(deployment, "[bureau.scores.dscr, core.firms.last_score]", "core.firms.last_score")
    assert decide(policy, deployment).sources["dscr"].source == source


def test_a_value_of_unknown_age_is_stale(policy: Policy, deployment: Path) -> None:
    origin = decide(policy, deployment, "F7").sources["dscr"]
    assert origin.source is None
    assert origin.passed[1] == Passed("core.firms.last_score", "stale", "its age is not known")


def test_a_customer_that_no_source_knows(policy: Policy, deployment: Path) -> None:
    found = decide(policy, deployment, "F0")
    assert found.refused == ("annual revenue", "founded")


def test_events_are_the_customers_own(policy: Policy, deployment: Path) -> None:
    assert decide(policy, deployment, "F7").sources["repayments"].rows == 1
    assert decide(policy, deployment, "F5").sources["repayments"].rows == 0
    assert decide(policy, deployment, "F5").values["decision"] == "decline"


def test_what_is_given_is_not_fetched(policy: Policy, deployment: Path) -> None:
    kinds = Kinds(core=core, bureau=bureau)
    found = decide(policy, deployment, kinds=kinds, inputs={"dscr": 0.1}, history={"repayments": []})
    assert found.sources["dscr"].source == found.sources["repayments"].source == "given"
    assert found.values["decision"] == "decline"
    assert {call[1] for source in kinds.opened for call in source.calls if call[0] == "one"} == {"firms"}


# --- failures -----------------------------------------------------------------------------------------------


def test_a_source_that_fails_leaves_its_inputs_missing(policy: Policy, deployment: Path) -> None:
    edit(deployment, "[bureau.scores.dscr, core.firms.last_score]", "bureau.scores.dscr")
    edit(deployment, "\n    stale after: P30D", "")
    found = decide(policy, deployment, kinds=Kinds(core=core, bureau=lambda: bureau(failing())))
    assert found.sources["dscr"].passed == (Passed("bureau.scores.dscr", "failed", "the partner said 503"),)
    assert found.missing == ("dscr",)
    assert found.values["decision"] == "refer"
    assert "bureau.scores.dscr failed: the partner said 503" in found.explain().replace("\n", " ").replace("  ", "")


def test_the_next_source_where_the_first_fails(policy: Policy, deployment: Path) -> None:
    found = decide(policy, deployment, kinds=Kinds(core=core, bureau=lambda: bureau(failing())))
    assert found.sources["dscr"].source == "core.firms.last_score"


def test_a_history_whose_source_fails_is_not_supplied(policy: Policy, deployment: Path) -> None:
    def hook(_: str, table: str, *__: Any) -> Any:
        if table == "repayments":
            raise RuntimeError("tok-9f3a")
        return None

    found = decide(policy, deployment, kinds=Kinds(core=lambda: core(hook), bureau=bureau))
    assert found.sources["repayments"].passed == (Passed("core.repayments", "failed", "it raised RuntimeError"),)
    assert "R3" in found.reasons


def test_a_source_that_blocks_is_given_up(policy: Policy, deployment: Path) -> None:
    gate = threading.Event()
    kinds = Kinds(core=core, bureau=lambda: bureau(lambda *_: gate.wait()))
    with OpenDeployment(deployment, kinds) as found:
        told = [found.decide(policy, "F1", as_of=DAY).sources["dscr"].passed[0].detail for _ in range(6)]
    gate.set()
    assert told[:4] == ["no answer within 0.2 s"] * 4
    assert told[4:] == ["it did not answer before, and is not asked again"] * 2
    assert len([s for s in kinds.opened if "scores" in s.tables]) == 4


def test_sources_are_asked_at_the_same_time(policy: Policy, deployment: Path) -> None:
    edit(deployment, "200ms", "5s")
    both = threading.Barrier(2)

    def hook(_: str, table: str, *__: Any) -> Any:
        if table in ("firms", "scores"):
            both.wait(5)                                # raises where the other is not asked meanwhile
        return None

    found = decide(policy, deployment, kinds=Kinds(core=lambda: core(hook), bureau=lambda: bureau(hook)))
    assert all(not origin.failures for origin in found.sources.values())


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ([{"dscr": 1.0}, {"dscr": 2.0}], "it gives several rows of `scores` for one customer, and facts are one"),
        ([{}], "its rows of `scores` have no `dscr`"),
        ([{"dscr": "high"}], "its `scores.dscr` is not a number"),
        ([{"dscr": True}], "its `scores.dscr` is not a number"),
        ({"dscr": 1.0}, "its answer is no list of rows"),
        ("nothing", "its answer is no list of rows"),
        ([1], "its answer is no list of rows"),
        (7, "it raised TypeError"),
    ],
)
def test_an_answer_that_is_none(policy: Policy, deployment: Path, answer: Any, text: str) -> None:
    found = decide(policy, deployment, kinds=Kinds(core=core, bureau=lambda: bureau(lambda *_: answer)))
    assert found.sources["dscr"].passed[0].detail == text


def test_a_number_that_is_none_is_missing(policy: Policy, deployment: Path) -> None:
    kinds = Kinds(core=core, bureau=lambda: bureau(lambda *_: [{"dscr": float("nan")}]))
    assert decide(policy, deployment, kinds=kinds).sources["dscr"].passed[0].why == "missing"


def test_a_row_from_the_future_is_a_failure(policy: Policy, deployment: Path) -> None:
    row = {"annual_revenue": 1.0, "as_at": datetime.date(2026, 7, 2), "grade": "A", "founded": DAY, "last_score": 1.0}

    def hook(_: str, table: str, *__: Any) -> Any:
        return [row] if table == "firms" else None

    found = decide(policy, deployment, kinds=Kinds(core=lambda: core(hook), bureau=bureau))
    told = "it gives a row of `firms` from after 2026-07-01"
    assert found.sources["founded"].passed[0].detail == told
    assert found.refused == ("annual revenue", "founded")


def test_what_a_source_does_later_to_its_answer_changes_nothing(policy: Policy, deployment: Path) -> None:
    row: dict[str, Any] = {"dscr": 1.5}
    rows = [row]
    kinds = Kinds(core=core, bureau=lambda: bureau(lambda *_: rows))
    with OpenDeployment(deployment, kinds) as found:
        decision = found.decide(policy, "F1", as_of=DAY)
        row["dscr"] = -1.0
        rows.clear()
        assert decision.values["decision"] == "approve"
        assert [v["value"] for d in decision.explain(format="json")["decisions"] if d["name"] == "decision"
                for r in d["rules"] for p in r["because"] for v in p["values"] if v["name"] == "dscr"] == [1.5]


def test_a_source_that_cannot_be_opened(policy: Policy, deployment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "tok-9f3a")
    edit(deployment, "kind: bureau,", "kind: bureau, token: {secret: TOKEN},")

    def broken() -> Any:
        failing("no route for tok-9f3a")()

    with pytest.raises(DataProblem) as caught:
        decide(policy, deployment, kinds=Kinds(core=core, bureau=broken))
    assert caught.value.message == "source `bureau` cannot be opened: no route for ***"
    assert (caught.value.file, caught.value.line) == ("deployment.yaml", 4)


# --- the explanation ----------------------------------------------------------------------------------------


def test_the_explanation_tells_where_values_came_from(policy: Policy, deployment: Path) -> None:
    decision = decide(policy, deployment)
    told = decision.explain(format="json")
    jsonschema.validate(told, json.loads(bundled.schema("explanation").read_text("utf-8")))
    origin = next(o for o in told["sources"] if o["name"] == "dscr")
    fetched = datetime.datetime.fromisoformat(origin.pop("fetched"))
    assert abs(fetched - datetime.datetime.now().astimezone()) < datetime.timedelta(minutes=5)
    assert origin == {
        "name": "dscr", "source": "bureau.scores.dscr",
        "passed_over": [{"source": "core.firms.last_score", "why": "overruled", "stamp": "2026-06-01"}],
    }
    text = decision.explain()
    assert "\nWhere the data come from\n" in text
    assert "annual revenue  core.firms.annual_revenue, as of 2026-06-01, fetched 20" in text
    assert "数据来源" in decision.explain(language="zh")


def test_a_deployment_that_does_not_fit_the_policy(policy: Policy, deployment: Path) -> None:
    edit(deployment, "core.firms.grade", "core.firms.founded")
    with pytest.raises(DeploymentError) as caught:
        decide(policy, deployment)
    (found,) = caught.value.diagnostics
    assert found.code == "E0956"
    assert found.message == "`core.firms.founded` is of type date, and the input `grade` of type string"
    assert found.span is not None and found.span.line == 8
    assert found.labels[0].text == "`grade` is declared here"
    assert found.labels[0].span.file.endswith("policy.yaml")
