"""The command line, and a small portfolio whose figures are known."""
from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.conftest import tierwise

__all__ = ["tierwise"]

POLICY = """\
policy: small
version: "2"
effective: {from: 2026-01-01}
owner: tests
currency: CNY
on missing: refer
reasons:
  R1: {text: 'Score {score} is low', zh: '评分 {score} 偏低', rank: 1}
inputs:
  firm id: {type: string, key: true}
  score: {type: number, optional: true}
risk:
  tier:
    values: [A, B, C]
    order: best first
    rules: |
      id | when        || then
      T1 | score >= 80 || A
      T2 | score >= 50 || B
      T3 | otherwise   || C
service:
  decision:
    values: [approve, refer, decline]
    order: best first
    rules:
      - rule: D1
        when: tier = "C"
        then: decline
        reason: R1
      - otherwise: approve
  limit: {type: number, value: 'if decision = "approve" then 1000 * score else 0'}
"""
SPEC = """\
report: Small portfolio
zh: 小型组合
policy: policy.yaml
results: now.jsonl
data: firms.csv
key: firm id
as of: 2026-07-01
exposure: limit
by: [tier, region]
outcome: {column: defaulted, bad: [yes], tier: tier, score: score, beside: [model]}
warnings: {level: watch, show: [region], none: [none]}
previous: then.jsonl
migration: [tier]
repayments:
  data: repayments.csv
  loan: loan id
  opened: booked
  due: due
  paid: paid
  vintages: [30, 90]
  roll rates: 3
  least: 2
surveys: {data: surveys.csv, theme: theme, nps: recommend, date: answered, measure taken: 2026-05-01}
complaints: {data: complaints.csv, theme: theme, received: received, closed: closed, days: 15}
team: {by: [manager], turnaround: days, least: 3}
fairness: {by: [owner gender], least: 3}
what if:
  scores down by ten: {results: down.jsonl}
"""
FIRMS = """\
firm_id,region,score,model,defaulted,watch,manager,days,owner_gender
F1,SH,95,0.01,no,none,Li,3,female
F2,SH,85,0.02,no,none,Li,5,male
F3,BJ,70,0.05,no,yellow,Li,4,female
F4,BJ,60,0.04,yes,none,Wu,9,male
F5,"<b>GD</b>",55,0.06,no,red,Wu,2,female
F6,GD,40,0.20,yes,red,Wu,7,male
F7,GD,30,0.10,no,none,Li,6,male
F8,SH,,0.30,yes,none,Li,8,female
"""
REPAYMENTS = """\
loan_id,booked,due,paid
L1,2026-01-10,2026-02-10,2026-02-10
L1,2026-01-10,2026-03-10,
L2,2026-01-20,2026-02-20,2026-03-30
L3,2026-03-31,2026-04-30,2026-04-30
L4,2026-04-05,2026-05-05,2026-07-05
L5,2026-07-02,2026-08-02,
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tierwise: object) -> Path:
    """A folder with everything that the description names."""
    monkeypatch.chdir(tmp_path)
    Path("policy.yaml").write_text(POLICY, "utf-8")
    Path("report.yaml").write_text(SPEC, "utf-8")
    Path("firms.csv").write_text(FIRMS, "utf-8")
    for name, less in (("now", 0), ("then", -15), ("down", 10)):
        rows = [line.split(",") for line in FIRMS.splitlines()]
        for row in rows[1:]:
            row[2] = str(int(row[2]) - less) if row[2] else ""
        Path(f"{name}.csv").write_text("\n".join(",".join(r) for r in rows) + "\n", "utf-8")
        found = tierwise("run", "policy.yaml", f"{name}.csv", "--as-of", "2026-07-01", "-o", f"{name}.jsonl")  # type: ignore[operator]
        assert found.code in (0, 1), found.err
    Path("surveys.csv").write_text(
        "firm_id,answered,theme,recommend\nF1,2026-04-01,speed,6\nF2,2026-04-02,speed,9\nF3,2026-06-01,speed,10\n"
        "F4,2026-06-02,speed,9\nF5,2026-06-03,rate,3\nF6,2026-06-04,rate,\n", "utf-8",
    )
    Path("repayments.csv").write_text(REPAYMENTS, "utf-8")
    Path("complaints.csv").write_text(
        "complaint_id,theme,received,closed\n1,speed,2026-06-01,2026-06-10\n2,speed,2026-06-01,2026-06-25\n"
        "3,rate,2026-05-01,\n4,rate,2026-06-25,2026-07-05\n5,rate,2026-07-10,\n", "utf-8",
    )
    return tmp_path
