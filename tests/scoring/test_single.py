"""Models of one customer: what is asked, what is answered, and what a failure leads to."""
from __future__ import annotations

import datetime
import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pytest

from engine import bundled
from engine.calling import CallFailed, Secrets
from engine.hookspecs import Field, Score, ScorerDescription
from engine.policy import Policy, PolicyError, load_policy
from tests.scoring import scorers
from tests.scoring.scorers import Odd, Plain, Unscored, bound

DAY = datetime.date(2026, 7, 1)
FIRM = {"firm id": "F1", "years": 3, "debt": 50, "assets": 100}

POLICY = """
policy: model sample
version: "1"
effective: {{from: 2026-01-01}}
owner: credit policy
currency: CNY
on missing: refer
reasons:
  R11: {{text: Debt is high, zh: 负债过高, rank: 5}}
inputs:
  firm id: {{type: string, key: true}}
  years: {{type: number, range: '>= 0', optional: true}}
  debt: {{type: money}}
  assets: {{type: money, range: '> 0'}}
risk:
  pd:
    type: number
    range: '[0..1]'
    model: pd
    inputs:
      years: years
      debt ratio: debt / assets
    reasons: {{high debt: R11}}
    on failure: {failure}
    ask with missing: {asked}
service:
  decision:
    values: [approve, refer, decline]
    order: best first
    worst:
      - rule: D1
        when: pd > 40%
        then: decline
        reasons: from pd
      - rule: D2
        when: pd > 20%
        then: refer
        reasons: from pd
      - otherwise: approve
"""


def policy(tmp_path: Path, failure: str = "missing", asked: str = "false") -> Policy:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY.format(failure=failure, asked=asked), "utf-8")
    return load_policy(path)


def decide(policy: Policy, firm: dict[str, Any] = FIRM) -> Any:
    found = policy.decide(firm, as_of=DAY)
    again = policy.decide(firm, as_of=DAY, engine="reference")
    assert (found.values, found.reasons, found.missing, found.refused) == (
        again.values, again.reasons, again.missing, again.refused
    )
    return found


def test_an_answer_decides_with_its_reasons(tmp_path):
    asked = policy(tmp_path)
    asked.bind({"pd": bound()})
    found = decide(asked, {**FIRM, "debt": 60})
    assert found.values == {"pd": 0.3, "decision": "refer"}
    assert found.reasons == ("R11",)
    told = found.models["pd"]
    assert (told.state, told.kind, told.version, told.value, told.reasons) == (
        "answered", "test", "v1", 0.3, ("high debt",)
    )
    assert told.inputs == {"years": 3, "debt ratio": 0.6}


def test_a_model_is_asked_only_where_its_decision_is(tmp_path):
    asked = policy(tmp_path)
    asked.bind({"pd": bound(Odd(scorers.failing))})
    assert asked.decide(FIRM, as_of=DAY, only=[]).models == {}


def test_a_missing_input_is_not_asked_and_is_what_is_missing(tmp_path):
    asked = policy(tmp_path)
    asked.bind({"pd": bound()})
    found = decide(asked, {**FIRM, "years": None})
    assert found.values == {"pd": None, "decision": "refer"}
    assert found.missing == ("years",) and found.assumed == {}
    assert found.models["pd"].state == "not asked"


def test_a_scorer_that_takes_missing_inputs_is_asked(tmp_path):
    described = ScorerDescription(scorers.INPUTS, Field("number"), "v1", ("high debt",), handles_missing=True)
    asked = policy(tmp_path, asked="true")
    asked.bind({"pd": bound(Odd(lambda row: 0.1 if row["years"] is None else 0.9, described))})
    found = decide(asked, {**FIRM, "years": None})
    assert found.values == {"pd": 0.1, "decision": "approve"}
    assert found.missing == () and list(found.assumed) == ["years"]


def test_no_answer_is_missing(tmp_path):
    asked = policy(tmp_path)
    asked.bind({"pd": bound(Odd(lambda row: None))})
    found = decide(asked)
    assert found.values == {"pd": None, "decision": "refer"} and found.missing == ("model.pd",)
    assert found.models["pd"].failure is None


FAILURES = [
    (Odd(scorers.failing), "the model file is empty"),
    (Odd(scorers.raising), "it raised KeyError"),
    (Odd(scorers.ending), "it tried to end the program"),
    (Odd(lambda row: float("nan")), "it gave nan, which is no number"),
    (Odd(lambda row: float("inf")), "it gave inf, which is no number"),
    (Odd(lambda row: 1.5), "it gave `1.5`, which does not fit: `1.5` is outside its range [0..1]"),
    (Odd(lambda row: "0.5"), "it gave `0.5`, which does not fit: `0.5` is not a number"),
    (Odd(lambda row: True), "it gave `True`, which does not fit: `True` is not a number"),
    (Odd(lambda row: Score(0.5, ("dept",))), "it gave the reason `dept`, which it did not declare"),
    (Odd(lambda row: Score(0.5, "high debt")), "its reasons are not a list of texts"),  # type: ignore[arg-type]
    (Odd(lambda row: Unscored()), "it gave no `Score`"),
]


@pytest.mark.parametrize("scorer, told", FAILURES, ids=[told for _, told in FAILURES])
def test_a_failure_is_missing_refers_or_stops_as_the_policy_says(tmp_path, scorer, told):
    asked = policy(tmp_path)
    asked.bind({"pd": bound(scorer)})
    found = decide(asked)
    assert found.models["pd"].failure == told and found.models["pd"].state == "failed"
    assert found.values == {"pd": None, "decision": "refer"}
    assert found.reasons == ("MISSING",) and found.missing == ("model.pd",)

    asked = policy(tmp_path, "refer")
    asked.bind({"pd": bound(scorer)})
    found = decide(asked)
    assert found.values == {"pd": None, "decision": "refer"}
    assert found.reasons == ("FAILED", "MISSING")

    asked = policy(tmp_path, "stop")
    asked.bind({"pd": bound(scorer)})
    found = decide(asked)
    assert found.values == {} and found.refused
    shown = asked.decide(FIRM, as_of=DAY).explain()
    assert "\npd: no value\n    model pd (test, version v1)" in shown
    assert "another policy" not in shown and "model.pd.failed" not in shown


def test_a_scorer_that_hangs_fails_in_time_and_is_given_up_after_some_times(tmp_path):
    asked = policy(tmp_path)
    asked.bind({"pd": bound(Odd(scorers.blocking), one_limit=0.05)})
    told = [asked.decide(FIRM, as_of=DAY).models["pd"].failure for _ in range(4)]
    assert told == ["no answer within 0.05 s"] * 3 + ["it did not answer 3 times, and is not asked again"]
    scorers.released.set()


def test_what_a_scorer_changes_is_its_own(tmp_path):
    asked = policy(tmp_path)
    asked.bind({"pd": bound(Odd(scorers.changing))})
    firm = dict(FIRM)
    found = decide(asked, firm)
    assert firm == FIRM and found.models["pd"].inputs["years"] == 3


def test_an_answer_that_data_bring_is_taken_and_nobody_asked(tmp_path):
    asked = policy(tmp_path)
    asked.bind({"pd": bound(Odd(scorers.failing))})
    found = decide(asked, {**FIRM, "model.pd": 0.5, "model.pd.high debt": True})
    assert found.values == {"pd": 0.5, "decision": "decline"} and found.reasons == ("R11",)
    assert found.models["pd"].state == "given"
    found = decide(asked, {**FIRM, "model.pd": 7})
    assert found.refused == ("model.pd",)


def test_an_unbound_model_is_missing(tmp_path):
    found = decide(policy(tmp_path))
    assert found.missing == ("model.pd",) and found.models["pd"].state == "unbound"


def describing(inputs: Any = None, output: Any = None, reasons: Any = ("high debt",)) -> Any:
    fields = scorers.INPUTS if inputs is None else inputs
    return Odd(lambda row: 0.5, ScorerDescription(fields, output or Field("number"), "v1", reasons))


@pytest.mark.parametrize("scorer, told, help", [
    (describing({"years": Field(), "debt_ratio": Field()}), "the scorer of `pd` takes no input `debt ratio`",
     "did you mean `debt_ratio`?"),
    (describing({**scorers.INPUTS, "region": Field("string")}),
     "the scorer of `pd` takes `region`, which is not given",
     "add `region: ...` under `inputs`"),
    (describing({**scorers.INPUTS, "years": Field("string")}),
     "the scorer of `pd` takes a value of type string for `years`",
     "convert it in the expression, or bind another one"),
    (describing(output=Field("string")), "the scorer of `pd` gives a value of type string",
     "state that `type`, or bind another one"),
    (describing(reasons=()), "the scorer of `pd` knows no reason `high debt`", "it has none"),
    (describing(reasons=("high dept",)), "the scorer of `pd` knows no reason `high debt`", "did you mean `high dept`?"),
])
def test_a_scorer_that_does_not_fit_is_refused_when_it_is_bound(tmp_path, scorer, told, help):
    asked = policy(tmp_path)
    with pytest.raises(PolicyError) as found:
        asked.bind({"pd": bound(scorer)})
    (diagnostic,) = found.value.diagnostics
    assert (diagnostic.code, diagnostic.message, diagnostic.help) == ("E0802", told, help)
    assert diagnostic.span is not None and diagnostic.span.line == 19
    assert asked.scorers == {}


def test_a_scorer_of_its_own_kind_is_asked_once_for_a_decision(tmp_path):
    counted: list[Any] = []
    asked = policy(tmp_path)
    asked.bind({"pd": bound(Odd(lambda row: counted.append(row) or 0.1))})
    asked.decide(FIRM, as_of=DAY).explain()
    assert len(counted) == 1


def test_plain_scores_alike_one_by_one_and_in_a_batch():
    table = pa.table({"years": [1.0, 2.0], "debt ratio": [0.2, 0.8]})
    assert Plain().batch(table).to_pylist() == [
        {"value": 0.1, "reasons": []}, {"value": 0.4, "reasons": ["high debt"]},
    ]


def explained(asked: Policy, firm: dict[str, Any], language: str = "en") -> str:
    decision = asked.decide(firm, as_of=DAY)
    schema = json.loads(bundled.schema("explanation").read_text("utf-8"))
    jsonschema.validate(json.loads(json.dumps(decision.explain(format="json"))), schema)
    return decision.explain(language=language).partition("\n\npd")[2] or decision.explain(language=language)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_explanation_says_who_answered_what(tmp_path, language):
    asked = policy(tmp_path, "refer")
    unbound = explained(asked, FIRM, language)
    asked.bind({"pd": bound(Odd(lambda row: scorers.failing(row) if row["years"] > 5 else Plain().one(row)))})
    pages = [
        explained(asked, {**FIRM, "debt": 60}, language), explained(asked, {**FIRM, "years": None}, language),
        explained(asked, {**FIRM, "years": 9}, language), explained(asked, {**FIRM, "model.pd": 0.1}, language),
        unbound,
    ]
    expected = Path(__file__).parent / f"explained.{language}.txt"
    shown = "\n-----\n".join(pages) + "\n"
    if os.environ.get("TIERWISE_UPDATE"):
        expected.write_text(shown, "utf-8")
    assert shown == expected.read_text("utf-8")


def test_personal_inputs_of_a_model_are_hidden(tmp_path):
    path = tmp_path / "policy.yaml"
    text = POLICY.format(failure="missing", asked="false")
    path.write_text(text.replace("range: '>= 0', optional: true", "optional: true, personal: true"), "utf-8")
    asked = load_policy(path)
    asked.bind({"pd": bound()})
    told = asked.decide({**FIRM, "years": 77}, as_of=DAY)
    assert told.explain(format="json")["models"][0]["inputs"][0] == {
        "name": "years", "value": None, "type": "number", "hidden": True,
    }
    assert "77" not in told.explain()


@pytest.mark.parametrize("described, told", [
    (None, "its `describe` gives `NoneType`"),
    (ScorerDescription(["years"], Field(), "1"), "the `inputs` of its description"),  # type: ignore[arg-type]
    (ScorerDescription({"years": "number"}, Field(), "1"), "`years` of its"),  # type: ignore[dict-item]
    (ScorerDescription({"years": Field()}, None, "1"), "`output` of its"),  # type: ignore[arg-type]
    (ScorerDescription({"years": Field()}, Field(), None), "the `version` of its"),  # type: ignore[arg-type]
    (ScorerDescription({"years": Field()}, Field(), "1", "low"), "the `reasons` of its"),  # type: ignore[arg-type]
    (ScorerDescription({"years": Field()}, Field(), "1", None), "the `reasons` of its"),  # type: ignore[arg-type]
])
def test_a_description_that_is_not_as_the_hooks_ask_is_told(described, told):
    scorer = Plain()
    scorer.described = described
    with pytest.raises(CallFailed, match=told):
        bound(scorer)


def test_a_secret_is_struck_out_of_the_version():
    secrets = Secrets()
    secrets.add("hunter2")
    described = ScorerDescription(scorers.INPUTS, Field(), "v-hunter2")
    assert bound(Odd(Plain().one, described), secrets=secrets).version == "v-***"
