"""Cases decided: what agrees, what differs, and how it is told."""
from __future__ import annotations

import datetime
from typing import Any

import pytest

from engine.policytest import running
from engine.policytest.report import failure
from engine.policytest.running import agree, run_case
from engine.semantics.dtypes import MONEY, Type, number
from tests.policytest.conftest import Written


def differences(written: Written, case: str) -> list[tuple[str, str, str]]:
    """What differs of one case over the fixture."""
    suite = written(f"cases:\n  - case: x\n    base: sound\n    {case}\n")
    assert suite.diagnostics == () and suite.policy is not None
    return [(d.what, d.expected, d.got) for d in run_case(suite.policy, suite.cases[0]).differences]


@pytest.mark.parametrize(
    "case",
    [
        "expect: {segment: core, decision: approve, offer: {limit: 100万, kind: loan}, offer.rate: 4.35%, marks: []}",
        "expect: {late: 0, shown code: '007'}\n    given: {code: '007'}",
        "expect: {actions: []}\n    reasons: []\n    open: []\n    missing: []\n    fired: {decision: otherwise}",
        "given: {dscr: null}\n    expect: {decision: refer, segment: core}\n    open: [decision, actions, marks]"
        "\n    missing: dscr\n    reasons of: {decision: MISSING}",
        "given: {dscr: 0.9}\n    expect: {marks: [weak], actions: [{action: visit}]}\n    reasons: R2",
        "given: {dscr: high}\n    refused: dscr",
        "refused: []",
        "given: {dscr: 1}\n    expect: {offer.limit: 1000001}\n    tolerance: 1",
        "history: {repayments: [{due: 2026-01-01, paid: 2026-01-02}]}\n    fired: {decision: D2, marks: [M1]}\n"
        "    expect: {actions: [{action: call, due: 2026-07-06, urgent: false}], marks: [late]}",
    ],
)
def test_passes(written: Written, case: str) -> None:
    assert differences(written, case) == []


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("expect: {decision: decline}", [("decision", "decline", "approve")]),
        ("expect: {decision: null}", [("decision", "null", "approve")]),
        ("expect: {offer.limit: 1000000.01}", [("offer.limit", "1000000.01", "1000000")]),
        ("expect: {offer: {limit: 1, kind: loan}}",
         [("offer", '{"limit": 1, "kind": "loan"}', '{"limit": 1000000.0, "kind": "loan"}')]),
        ("expect: {offer.limit: 1000002}\n    tolerance: 1", [("offer.limit", "1000002", "1000000")]),
        ("expect: {marks: [weak]}", [("marks", '["weak"]', "[]")]),
        ("given: {dscr: 0}\n    expect: {marks: [weak, late]}", [("marks", '["weak", "late"]', '["weak"]')]),
        ("given: {dscr: 0}\n    expect: {actions: [{action: call}]}",
         [("actions", '[{"action": "call"}]', '[{"action": "visit"}]')]),
        ("reasons: [R1]", [("reasons", "R1", "none")]),
        ("given: {dscr: 0}\n    reasons of: {decision: []}", [("reasons of decision", "none", "R2")]),
        ("fired: {decision: D1}", [("fired decision", "D1", "otherwise")]),
        ("open: [segment]", [("open", "segment", "none")]),
        ("missing: [dscr]", [("missing", "dscr", "none")]),
        ("refused: [dscr]", [("refused", "dscr", "none")]),
        ("given: {dscr: high}\n    refused: [dscr, grade]",
         [("refused", "dscr, grade", "dscr `high` is not a number")]),
    ],
)
def test_differs(written: Written, case: str, expected: list[tuple[str, str, str]]) -> None:
    assert differences(written, case) == expected


def test_only_what_is_asked_for_needs_data(written: Written) -> None:
    suite = written("""\
cases:
  - {case: a, only: segment, given: {grade: B}, expect: {segment: new}, open: []}
  - {case: b, given: {grade: B}, expect: {segment: new}, open: []}
""")
    assert suite.policy is not None
    assert [run_case(suite.policy, c).passed for c in suite.cases] == [True, False]


def test_a_failure_explains_the_wrong_decision_alone(written: Written) -> None:
    suite = written("cases:\n  - case: x\n    base: sound\n    expect: {decision: decline, segment: core}\n")
    assert suite.policy is not None
    text = failure(run_case(suite.policy, suite.cases[0]))
    assert text.startswith("decision  expected decline  got approve\n\ndecision: approve\n")
    assert "dscr < 1" in text and "dscr = 1.5" in text
    assert "segment" not in text
    assert "预期" not in text and failure(run_case(suite.policy, suite.cases[0]), "zh") != text


def test_a_disagreement_of_the_evaluators_fails(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = written("cases:\n  - case: x\n    base: sound\n    expect: {decision: approve}\n")
    policy = suite.policy
    assert policy is not None
    decide = policy.decide

    def skewed(inputs: Any, *, engine: str, **rest: Any) -> Any:
        return decide({**inputs, "dscr": 0.5} if engine == "python" else inputs, engine=engine, **rest)

    monkeypatch.setattr(policy, "decide", skewed)
    told = run_case(policy, suite.cases[0]).differences
    assert "decision: the two evaluators disagree" in [d.what for d in told]
    assert "reasons of decision: the two evaluators disagree" in [d.what for d in told]
    assert all("(reference)" in d.expected and "(generated)" in d.got for d in told)


def test_numbers_agree_as_in_the_language() -> None:
    assert agree(0.1 + 0.2, 0.3, number(), None)
    assert not agree(0.3, 0.3000001, number(), None)
    assert agree(100.00005, 100.0, Type(MONEY), None)
    assert not agree(100.001, 100.0, Type(MONEY), None)
    assert agree(100, 101, number(), 1)
    assert not agree(1, True, number(), None) and not agree(0, None, number(), 5)
    assert agree(datetime.date(2026, 1, 1), datetime.date(2026, 1, 1), Type("date"), None)
    assert running.show(datetime.timedelta(days=3)) == "P3D" and running.show([]) == "[]"
