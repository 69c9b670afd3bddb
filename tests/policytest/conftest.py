"""A policy, and test files beside it."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.policytest.model import Suite
from engine.policytest.suite import read_suite

POLICY = """\
policy: small
version: "1"
effective: {from: 2026-01-01}
currency: CNY
on missing: refer
reasons:
  R1: {text: Late, rank: 1}
  R2: {text: Weak, rank: 2}
inputs:
  firm id: {type: string, key: true, optional: true}
  annual revenue: {type: money, range: '>= 0', optional: true}
  grade: {type: string, values: [A, B], optional: true}
  dscr: {type: number, optional: true}
  founded: {type: date, optional: true, column: Founded On}
  code: {type: string, optional: true}
history:
  repayments:
    key: firm id
    visible from: due
    fields:
      due: {type: date}
      paid: {type: date, optional: true}
      amount: {type: money, optional: true}
features:
  late:
    value: 'count(repayments[paid != null and paid > due])'
  shown code:
    type: string
    value: if code = null then "none" else code
segmentation:
  segment:
    values: [new, core]
    rules:
      - rule: S1
        when: founded > date("2025-01-01")
        then: new
      - rule: S2
        when: grade = "B"
        then: new
      - otherwise: core
service:
  decision:
    values: [approve, refer, decline]
    order: best first
    worst:
      - rule: D1
        when: dscr < 1
        then: decline
        reason: R2
      - rule: D2
        when: late > 0
        then: refer
        reason: R1
      - otherwise: approve
  offer:
    outputs:
      limit: {type: money}
      rate: {type: number}
      kind: {values: [loan, none]}
    rules:
      - rule: O1
        when: decision = "approve"
        then: {limit: = annual revenue / 3, rate: 4.35%, kind: loan}
      - otherwise: {limit: 0, rate: 0, kind: none}
  actions:
    collect:
      - rule: A1
        when: late > 0
        do:
          action: call
          due: = as of + duration("P5D")
          urgent: = late > 1
      - rule: A2
        when: dscr < 1
        do:
          action: visit
  marks:
    type: string
    collect:
      - rule: M1
        when: late > 0
        then: late
      - rule: M2
        when: dscr < 1
        then: weak
"""

HEAD = "test: small\nas of: 2026-07-01\n"
SOUND = """\
fixtures:
  sound: {annual revenue: 300万, grade: A, dscr: 1.5, founded: 2020-01-01, history: {repayments: []}}
"""

Written = Callable[..., Suite]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a policy."""
    (tmp_path / "small.yaml").write_text(POLICY, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def written(folder: Path) -> Written:
    """Write a test file beside the policy and read it; `head` and fixtures stand before the text."""

    def write(text: str, *, head: str = HEAD + SOUND, name: str = "small.test.yaml") -> Suite:
        (folder / name).write_text(head + text, encoding="utf-8")
        return read_suite(Path(name))

    return write
