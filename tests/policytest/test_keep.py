"""Decisions kept as cases."""
from __future__ import annotations

import datetime
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.policy import load_policy
from engine.policytest.keep import NotKept, keep, scalar
from engine.policytest.running import run_case
from engine.policytest.suite import read_suite
from engine.source.nodes import Mapping, Scalar, load_text
from engine.source.schema import kind
from tests.commands.conftest import Tierwise, tierwise
from tests.policytest.conftest import HEAD, SOUND

__all__ = ["tierwise"]

CUSTOMER: dict[str, Any] = {
    "firm id": "F1", "annual revenue": 3_000_000, "grade": "A", "dscr": 0.5, "Founded On": "2020-01-01", "code": "no",
    "unknown": 1, "history": {"repayments": [{"due": "2026-01-01", "paid": "2026-02-01", "amount": 5.5, "other": 1}]},
}
CODES = (None, "", "null", "3.10", "a: b #c", "it's", "两\n行", '"q"', " x ", "- a", "true", "\x07", "\U0001f600")
DECIDE = ("decide", "small.yaml", "customer.json", "--as-of", "2026-07-01", "--save-test", "kept.test.yaml")


@pytest.fixture
def customer(folder: Path) -> Path:
    path = folder / "customer.json"
    path.write_text(json.dumps(CUSTOMER), encoding="utf-8")
    return path


def test_a_decision_is_kept_and_holds(tierwise: Tierwise, customer: Path, folder: Path) -> None:
    result = tierwise(*DECIDE, "--yes")
    assert result.code == 0 and "- case: F1 as of 2026-07-01" in result.err
    assert (folder / "kept.test.yaml").read_text() == """\
test: small
policy: small
cases:
  - case: F1 as of 2026-07-01
    as of: 2026-07-01
    given:
      annual revenue: 3000000
      grade: A
      dscr: 0.5
      founded: 2020-01-01
      code: 'no'
    history:
      repayments:
        - due: 2026-01-01
          paid: 2026-02-01
          amount: 5.5
    expect:
      segment: core
      decision: decline
      offer:
        limit: 0
        rate: 0
        kind: none
      actions:
        - action: call
          due: 2026-07-06
          urgent: false
        - action: visit
      marks:
        - late
        - weak
    reasons: [R2]
    fired:
      segment: [otherwise]
      decision: [D1]
      offer: [otherwise]
      actions: [A1, A2]
      marks: [M1, M2]
    open: []
"""
    assert tierwise("test", "kept.test.yaml").code == 0


def test_cases_are_added_behind_the_others(tierwise: Tierwise, customer: Path, folder: Path) -> None:
    text = f"{HEAD}policy: small\n{SOUND}cases:            # by hand\n- case: one\n  base: sound\n" \
           "  expect: {segment: core}   # as it was\n\n# the tables\ntables:\n  t: |\n    case | grade || segment\n" \
           "    b    | B     || new\n"
    (folder / "kept.test.yaml").write_text(text, encoding="utf-8")
    for name in ("second", "third: a name"):
        assert tierwise(*DECIDE, "--yes", "--case", name).code == 0
    after = (folder / "kept.test.yaml").read_text("utf-8")
    head, tail = text.split("\n\n# the tables")
    assert after.startswith(f"{head}\n- case: second\n  as of: 2026-07-01\n")
    assert after.endswith(f"\n\n# the tables{tail}")
    assert "\n- case: 'third: a name'\n" in after
    suite = read_suite(folder / "kept.test.yaml")
    assert [c.name for c in suite.cases] == ["one", "second", "third: a name", "t / b"]
    assert suite.policy is not None and all(run_case(suite.policy, c).passed for c in suite.cases[:3])
    assert tierwise(*DECIDE, "--yes", "--case", "second").code == 2


def test_a_person_is_asked(tierwise: Tierwise, customer: Path, folder: Path) -> None:
    assert "nothing was kept" in tierwise(*DECIDE, stdin=b"n\n").err and not (folder / "kept.test.yaml").exists()
    assert tierwise(*DECIDE, stdin=b"y\n").code == 0 and (folder / "kept.test.yaml").exists()
    data = customer.read_bytes()
    assert tierwise("decide", "small.yaml", "--save-test", "kept.test.yaml", stdin=data).code == 2
    assert tierwise("decide", "small.yaml", "--save-test", "kept.test.yaml", "--yes", stdin=data).code == 0
    assert tierwise("decide", "small.yaml", "customer.json", "--save-test", "kept.yaml", "--yes").code == 2


def test_a_refusal_is_kept(tierwise: Tierwise, customer: Path, folder: Path) -> None:
    customer.write_text(json.dumps({**CUSTOMER, "dscr": "high", "grade": "X", "annual revenue": -1}))
    assert tierwise(*DECIDE, "--yes").code == 1
    assert "    refused: [annual revenue, grade, dscr]\n" in (folder / "kept.test.yaml").read_text()
    assert tierwise("test", "kept.test.yaml").code == 0


@pytest.mark.parametrize("text", ["", "test: x\ncases: []\n", "test: x\ncases:\n- {}\n", "- a\n", "a: [\n"])
def test_a_file_that_cannot_be_added_to_is_left(folder: Path, text: str) -> None:
    path = folder / "kept.test.yaml"
    path.write_text(text)
    policy = load_policy("small.yaml")
    inputs = {"dscr": 1}
    decision = policy.decide(inputs, as_of=datetime.date(2026, 7, 1))
    with pytest.raises(NotKept):
        keep(path, Path("small.yaml"), policy, decision, inputs, None)
    assert path.read_text() == text


def test_any_customer_can_be_kept(folder: Path) -> None:
    """Kept cases pass; with another outcome stated they fail."""
    policy = load_policy("small.yaml")
    chance = random.Random(7)
    path = folder / "kept.test.yaml"
    for number in range(40):
        inputs = {
            "annual revenue": chance.choice([None, 0, 1e5 / 3, 123456789.01, 1e-7, 1e20]),
            "grade": chance.choice([None, "A", "B"]), "dscr": chance.choice([None, 0.99, 1, 1.2e-9]),
            "founded": chance.choice([None, "2020-02-29", "2026-01-01"]),
            "code": chance.choice(CODES),
        }
        rows = [{"due": "2026-01-01", "paid": chance.choice([None, "2026-03-01"])} for _ in range(chance.randrange(3))]
        history = chance.choice([None, {"repayments": rows}])
        decision = policy.decide(inputs, as_of=datetime.date(2026, 7, 1), history=history)
        path.write_text(keep(path, Path("small.yaml"), policy, decision, inputs, history, f"c{number}").text, "utf-8")
    suite = read_suite(path)
    assert suite.is_valid and len(suite.cases) == 40 and suite.policy is not None
    for case in suite.cases:
        assert run_case(suite.policy, case).passed
        other = "new" if case.values[0].value == "core" else "core"
        assert case.values[0].path == "segment"
        wrong = case.replace(values=(case.values[0].replace(value=other), *case.values[1:]))
        assert not run_case(suite.policy, wrong).passed


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20))
def test_texts_are_written_so_that_they_read_back(text: str) -> None:
    root = load_text(f"a: {scalar(text)}\n").root
    assert isinstance(root, Mapping)
    node = root.get("a")
    assert isinstance(node, Scalar) and node.text == text and kind(node) == "string"
