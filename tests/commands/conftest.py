"""Running the command line within the test's process."""
from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from engine.commands import run


class Result(NamedTuple):
    code: int
    out: str
    err: str


Tierwise = Callable[..., Result]

POLICY = """\
policy: small
version: "1"
effective: {from: 2026-01-01}
owner: tests
currency: CNY
on missing: refer
reasons:
  R1: {text: 'Late payments ({late} times)', zh: '有逾期（{late} 次）', rank: 1}
  R2: {text: Income does not cover debt service, rank: 2}
  R3: {text: Repayments not supplied, rank: 3}
inputs:
  firm id: {type: string, key: true}
  annual revenue: {type: money, range: '>= 0'}
  grade: {type: string, values: [A, B], optional: true}
  dscr: {type: number, optional: true}
  founded: {type: date, column: Founded On}
history:
  repayments:
    key: firm id
    visible from: due
    fields:
      due: {type: date}
      paid: {type: date, optional: true}
features:
  late:
    value: 'count(repayments[paid != null and paid > due])'
segmentation:
  segment:
    values: [new, core]
    rules:
      - rule: S1
        when: founded > date("2025-01-01")
        then: new
      - rule: S2
        when: grade = "B" and annual revenue > 1000000
        then: new
      - otherwise: core
service:
  decision:
    values: [approve, refer, decline]
    order: best first
    worst:
      - rule: D0
        when: repayments = null
        then: refer
        reason: R3
      - rule: D1
        when: dscr < 1
        then: decline
        reason: R2
      - rule: D2
        when: late > 0
        then: refer
        reason: R1
      - otherwise: approve
  limit:
    type: money
    value: if decision = "approve" then 20% * annual revenue else 0
"""

CUSTOMERS = """\
firm id,annual_revenue,grade,dscr,Founded On,note
F1,1000,A,1.5,2020-01-01,plain
F2,"1,000",A,1.5,2020-01-01,a grouped number
F3,1000,C,1.5,2020-01-01,a grade nobody declared
F4,1000,A,,2020-01-01,a missing ratio
F5,1000,A,0.5,2025-06-01,a decline
F6,1000,A,1.5
F7,1000,B,1.5,2020-01-01,late
"""

REPAYMENTS = """\
firm id,due,paid
F1,2026-01-10,2026-01-09
F7,2026-01-10,2026-02-01
F9,2026-01-10,
"""


@pytest.fixture
def tierwise(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Tierwise:
    """Call with arguments, and `stdin` as bytes."""

    def call(*args: object, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        code = run([str(arg) for arg in args])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Result(code, out, err)

    return call


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a policy, customers and an event table."""
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "customers.csv").write_text(CUSTOMERS, encoding="utf-8")
    (tmp_path / "repayments.csv").write_text(REPAYMENTS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path
