"""A small policy, and the letters of a bank under Regulation B."""
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import Result, tierwise

__all__ = ["tierwise"]

POLICY = """\
policy: small loans
version: "2"
effective: {from: 2026-01-01}
owner: tests
currency: USD
on missing: refer
reasons:
  R1: {text: 'Debt service coverage of {dscr} below 1', zh: '偿债倍数 {dscr} 低于 1', rank: 1,
       notice: {en: Income is insufficient for the amount of credit requested, zh: 收入不足以支持所申请的金额}}
  R2: {text: 'In business for {years} years only', zh: '成立仅 {years} 年', rank: 2}
  R3: {text: Late payments, zh: 有逾期记录, rank: 3}
  R4: {text: Tax arrears, zh: 欠税, rank: 4}
  R5: {text: Lawsuits, zh: 涉诉, rank: 5}
  R6: {text: 'More than {most} asked for', zh: '申请金额超过 {most}', rank: 6}
  R7: {text: Statements not supplied, zh: 未提供流水, rank: 7}
inputs:
  firm id: {type: string, key: true}
  applied: {type: date, optional: true}
  asked: {type: money, range: '> 0'}
  years: {type: number}
  dscr: {type: number, optional: true}
  late: {type: boolean}
  arrears: {type: boolean}
  lawsuits: {type: boolean}
  owner score: {type: number, optional: true, personal: true}
  owner gender: {values: [female, male], optional: true, protected: true, use: monitor only}
  bureau: {type: number, optional: true}
  way: {values: [monthly, bullet]}
  seen: {type: number, optional: true}
history:
  statements:
    key: firm id
    visible from: day
    fields: {day: {type: date}, balance: {type: money}}
features:
  most: {type: money, value: '100000'}
  doubled score: {value: 'owner score * 2', on missing: skip}
risk:
  own: {type: number, on missing: skip, value: 'owner score + 1'}
service:
  decision:
    values: [approve, counter, refer, decline]
    order: best first
    worst:
      - {rule: D1, when: 'dscr < 1', then: decline, reason: R1}
      - {rule: D2, when: 'years < 1', then: decline, reason: R2}
      - {rule: D3, when: 'late', then: decline, reason: R3}
      - {rule: D4, when: 'arrears', then: decline, reason: R4}
      - {rule: D5, when: 'lawsuits', then: decline, reason: R5}
      - {rule: D6, when: 'asked > most', then: counter, reason: R6}
      - {rule: D7, when: 'statements = null', then: refer, reason: R7}
      - {rule: D8, when: 'bureau > 5 and asked > 5000', then: refer}
      - otherwise: approve
  notice due: {type: date, value: 'applied + duration("P5D")', on missing: skip}
  offer:
    outputs: {amount: {type: money}, rate: {type: number}, bonus: {type: money}}
    on missing: skip
    rules:
      - rule: O1
        when: decision = "decline"
        then: {amount: 0, rate: 0, bonus: 0}
      - otherwise: {amount: '= min(asked, most)', rate: 7.25%, bonus: '= if years > 5 then 100 else null'}
"""

LETTERS = """\
notice: small loans
languages: [en, zh]
decision: decision
received: applied
no letter: [refer]
creditor:
  name: {en: First Example Bank, zh: 第一示例银行}
  address: '1 Main Street, Springfield'
statements:
  equal credit:
    en: The federal Equal Credit Opportunity Act prohibits discrimination; write to {creditor name}.
    zh: 法律禁止信贷歧视，可致函{creditor name}。
words:
  monthly: {en: monthly, zh: 按月}
  bullet: {en: at the end, zh: 到期}
percentages: [offer.rate]
documents:
  accounts: {text: {en: The last annual accounts, zh: 最近年度财务报表}, for: [dscr]}
  statements: {text: {en: Account statements of a year, zh: 一年的银行流水}, for: [statements], reasons: [R7]}
ours: [bureau]
head: |
  {creditor name}
  {creditor address}

  {date}
  {addressee}
  {reference}
letters:
  decline:
    for: [decline]
    due: {days: 30, after: received}
    subject: {en: Notice of action taken, zh: 审批结果通知}
    body:
      en: |
        We cannot lend you {asked}:

        {reasons}

        {equal credit}
      zh: |
        未能批准 {asked}：

        {reasons}

        {equal credit}
  counter-offer:
    for: [counter]
    due: {days: 30, after: received}
    reply: {days: 20, after: letter}
    subject: {en: Our offer, zh: 本行要约}
    body:
      en: |
        Not what you asked for:

        {reasons}

        But this, until {reply by}:

        - Amount {offer.amount} at {offer.rate}, paid {way}
        - A bonus of {offer.bonus}
      zh: |
        原因：

        {reasons}

        {reply by}前有效：

        - {offer.amount}，{offer.rate}，{way}
        - 奖励 {offer.bonus}
  incomplete:
    due: {days: 30, after: received}
    reply: {days: 10, after: letter}
    subject: {en: Please send, zh: 请补充}
    body:
      en: |
        {documents}

        By {reply by}.
      zh: |
        {documents}

        {reply by}前。
  approval:
    for: [approve]
    subject: {en: Approved, zh: 已批准}
    body: {en: 'You have {offer.amount}, asked for on {received}.', zh: '已批准 {offer.amount}。'}
"""

SOUND: dict[str, Any] = {
    "firm id": "F1", "applied": "2026-06-20", "asked": 50000, "years": 4, "dscr": 1.5, "late": False, "arrears": False,
    "lawsuits": False, "owner score": 713, "owner gender": "female", "bureau": 3, "way": "monthly",
    "history": {"statements": [{"day": "2026-05-01", "balance": 10}]},
}

Notice = Callable[..., Result]


@pytest.fixture
def notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tierwise: Any) -> Notice:
    """`tierwise notice` for the sound customer with changes, on the first of July 2026; further words as they are."""
    monkeypatch.chdir(tmp_path)
    Path("notices").mkdir()
    Path("notices/p.yaml").write_text(LETTERS, "utf-8")
    Path("p.yaml").write_text(POLICY, "utf-8")

    def run(*words: str, day: str = "2026-07-01", **changed: Any) -> Result:
        customer = {**SOUND, **{name.replace("_", " "): value for name, value in changed.items()}}
        Path("c.json").write_text(json.dumps(customer), "utf-8")
        found: Result = tierwise("notice", "p.yaml", "c.json", "--as-of", day, *words)
        return found

    return run
