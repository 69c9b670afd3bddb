"""What must hold of every explanation, whatever the policy."""
from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from engine.explain import text
from engine.explain.phrases import ENGLISH, LANGUAGES
from engine.policy import Decision, Policy, load_policy
from engine.syntax.width import text_width

CASES = Path(__file__).parent / "cases"
LENDING = CASES / "lending.yaml"
CUSTOMER = {"firm id": "F1", "region": "SH", "annual revenue": 1e6, "years trading": 3, "owner age": 19, "dscr": 2}
DAY = date(2026, 7, 1)


@pytest.fixture(scope="module")
def lending() -> Policy:
    return load_policy(LENDING)


@pytest.fixture(scope="session")
def validator(root: Path) -> jsonschema.Draft202012Validator:
    schema = json.loads((root / "schemas" / "explanation.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def own_decisions() -> Iterator[Decision]:
    for path in sorted(CASES.glob("*.json")):
        policy = load_policy(path.with_suffix(".yaml"))
        for case in json.loads(path.read_text(encoding="utf-8")):
            yield policy.decide(
                case["inputs"], as_of=date.fromisoformat(case["as_of"]), history=case.get("history")
            )


def given_decisions(shared: Path) -> Iterator[Decision]:
    for path in sorted((shared / "semantics" / "cases").glob("*.jsonl")):
        policy = load_policy(shared / "semantics" / "policies" / f"{path.stem}.yaml")
        for line in path.read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            yield policy.decide(
                case["inputs"], as_of=date.fromisoformat(case["as_of"]), history=case.get("history")
            )


def check(decision: Decision, validator: jsonschema.Draft202012Validator) -> None:
    told = decision.explain(format="json")
    stored = json.loads(json.dumps(told, allow_nan=False))
    validator.validate(stored)
    for language in LANGUAGES:
        page = decision.explain(language=language)
        assert text.render(json.loads(json.dumps(decision.explain("json", language)))) == page
        assert all(text_width(line) <= text.WIDTH for line in page.splitlines())
    by_name = {d["name"]: d for d in told["decisions"]}
    if decision.refused:
        assert {f["name"] for f in told["refused"]} == set(decision.refused)
        return
    assert {o["name"]: o["value"] for o in stored["outcomes"]}.keys() == decision.values.keys()
    for name, rules in decision.fired.items():
        assert by_name[name]["fired"] == list(rules)
        assert [r["rule"] for r in by_name[name]["rules"] if r["fired"]] == [
            r["rule"] for r in by_name[name]["rules"] if r["rule"] in rules
        ]
        assert set(rules) <= {r["rule"] for r in by_name[name]["rules"] if r["state"] == "matched"}
    assert [r["code"] for r in told["reasons"]] == list(decision.reasons)
    assert {o["decision"] for o in told["open"]} == set(decision.open)
    for opened in told["open"]:
        assert opened["missing"] == list(decision.open[opened["decision"]].missing)
        assert opened["missing"] or opened["undefined"]
        assert set(opened["undetermined"]) <= {
            r["rule"] for r in by_name[opened["decision"]].get("rules", ()) if r["state"] == "undetermined"
        }
    assert told["missing"] == list(decision.missing)
    assert {a["name"]: tuple(a["by"]) for a in told["assumed"]} == decision.assumed
    for told_decision in told["decisions"]:
        for rule in told_decision.get("rules", ()):
            # Whatever a rule's state, what decided it is told; only a rule without conditions has none.
            assert rule["because"] or rule.get("otherwise") or rule["text"] == "-"


def test_own_cases_hold(validator: jsonschema.Draft202012Validator) -> None:
    for decision in own_decisions():
        check(decision, validator)


def test_given_cases_hold(shared: Path, validator: jsonschema.Draft202012Validator) -> None:
    count = 0
    for decision in given_decisions(shared):
        check(decision, validator)
        count += 1
    assert count > 100


def test_both_engines_tell_the_same(lending: Policy) -> None:
    one = lending.decide(CUSTOMER, as_of=DAY, engine="python")
    other = lending.decide(CUSTOMER, as_of=DAY, engine="reference")
    assert one.explain("json") == other.explain("json")


def rule(told: dict[str, Any], decision: str, name: str) -> dict[str, Any]:
    found = next(d for d in told["decisions"] if d["name"] == decision)
    return next(r for r in found["rules"] if r["rule"] == name)


def test_the_first_failing_part_is_told(lending: Policy) -> None:
    told = lending.decide({**CUSTOMER, "annual revenue": 6e6, "region": "BJ"}, as_of=DAY).explain("json")
    assert [p["text"] for p in rule(told, "segment", "S2")["because"]] == [
        "annual revenue >= 500万", 'region in ["SH", "BJ"]'
    ]
    told = lending.decide(CUSTOMER, as_of=DAY).explain("json")
    because = rule(told, "segment", "S2")["because"]
    assert because == [{
        "text": "annual revenue >= 500万",
        "values": [{"name": "annual revenue", "kind": "input", "value": 1e6, "type": "money"}],
    }]
    assert rule(told, "segment", "S2")["place"]["line"] == 1 + LENDING.read_text(encoding="utf-8").splitlines().index(
        "      - rule: S2"
    )


def test_rows_of_a_history_are_counted(lending: Policy) -> None:
    rows = [{"booked": "2026-01-01", "due": due} for due in ("2024-01-01", "2026-06-01", "2026-08-01")]
    rows.append({"booked": "2026-07-02", "due": "2026-06-01"})       # not yet there
    told = lending.decide(CUSTOMER, as_of=DAY, history={"repayments": rows}).explain("json")
    delay = next(d for d in told["decisions"] if d["name"] == "worst delay")
    history = next(v for v in delay["values"] if v["kind"] == "history")
    assert (history["history"], history["value"], history["rows"], history["of"]) == ("repayments", 30, 1, 3)
    assert "//" not in delay["text"]


def test_personal_data_stay_hidden(lending: Policy) -> None:
    decision = lending.decide({**CUSTOMER, "owner age": 19.25}, as_of=DAY)
    assert "D3" in decision.fired["decision"]
    assert "19.25" not in json.dumps(decision.explain("json")) + decision.explain()
    refused = lending.decide({**CUSTOMER, "owner age": "nine`teen is"}, as_of=DAY)
    assert refused.refused == ("owner age",)
    assert "teen" not in json.dumps(refused.explain("json")) + refused.explain()


def test_an_unknown_language_is_told(lending: Policy) -> None:
    decision = lending.decide(CUSTOMER, as_of=DAY)
    with pytest.raises(ValueError, match="there is no explanation in `xx`, choose one of `en`, `zh`"):
        decision.explain(language="xx")
    assert decision.explain(language="zh-CN") == decision.explain(language="zh").replace("zh", "zh-CN")


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_language_has_every_phrase(language: str) -> None:
    phrases = LANGUAGES[language]
    assert phrases.keys() == ENGLISH.keys()
    for key, phrase in ENGLISH.items():
        assert phrases[key].count("{}") == phrase.count("{}"), key


def test_every_phrase_is_used(root: Path) -> None:
    source = "".join(p.read_text(encoding="utf-8") for p in (root / "engine" / "explain").glob("*.py"))
    source = source.replace("'", '"')
    made = {"years", "months", "hours", "minutes", "seconds", "year", "month", "day", "hour", "minute", "second",
            "MISSING", "UNDEFINED", "MISSING unnamed", "UNDEFINED unnamed"}
    languages = len(LANGUAGES)
    assert {k for k in ENGLISH if source.count(f'"{k}"') <= languages} <= made


def test_a_reason_may_show_an_imported_fact_that_no_rule_reads(tmp_path: Path) -> None:
    """It hangs on data that were read, and is worked out for the text alone."""
    head = 'version: "1"\neffective: {from: 2026-01-01}\nowner: tests\non missing: refer\n'
    (tmp_path / "age.yaml").write_text(f"""\
policy: age
{head}
reasons:
  R1: {{text: 'In business for {{years}} years'}}
inputs: {{founded: {{type: date}}}}
features:
  years: {{value: 'floor((as of - founded).days / 365)', type: number}}
service:
  check:
    values: [good, refer, bad]
    order: best first
    worst:
      - rule: C1
        when: founded > date("2024-07-01")
        then: bad
        reason: R1
      - otherwise: good
""", "utf-8")
    (tmp_path / "p.yaml").write_text(f"""\
policy: p
{head}
use:
  age: {{policy: age, with: {{founded: 'founded'}}}}
inputs: {{founded: {{type: date}}}}
service:
  decision:
    values: [approve, refer, decline]
    order: best first
    worst:
      - rule: D1
        when: age.check = "bad"
        then: decline
        reasons: from age.check
      - otherwise: approve
""", "utf-8")
    decision = load_policy(tmp_path / "p.yaml").decide({"founded": date(2025, 6, 1)}, as_of=DAY)
    assert [r["text"] for r in decision.explain("json")["reasons"]] == ["In business for 1 years"]
    assert "age.years" not in decision.trace.outcomes
