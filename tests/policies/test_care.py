"""Thirty daily runs of what is done for customers, one skipped, one repeated: nothing twice, nothing missed."""
from __future__ import annotations

import datetime
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from engine.policy import load_policy
from tests.policies.test_monitoring import Rows, table

FIRST = datetime.date(2026, 6, 1)
DAYS = [FIRST + datetime.timedelta(n) for n in range(30)]
SKIPPED, REPEATED = DAYS[9], DAYS[19]
RUNS = [*(d for d in DAYS if d != SKIPPED), REPEATED]

Sent = dict[tuple[str, str, Any], datetime.date]


@pytest.fixture(scope="module")
def tables(root: Path) -> dict[str, Rows]:
    folder = root / "policies" / "sme" / "samples"
    return {name: table(folder / f"{name}.csv") for name in ("loans", "repayments", "contacts", "firms")}


@pytest.fixture(scope="module")
def sent(root: Path, tables: dict[str, Rows]) -> tuple[Sent, Counter[str]]:
    """When each action was carried out, by firm, action and `once per`; and how often one came again."""
    policy = load_policy(root / "policies" / "sme" / "care.yaml")
    ledger: Sent = {}
    again: Counter[str] = Counter()
    for day in sorted(RUNS):
        for firm in tables["loans"]:
            (row, *_) = tables["firms"][firm]
            inputs = {"firm id": firm, "opted out": row["opted out"] == "true", "products held": 1,
                      "average deposits": 0, "annual revenue": 1_000_000}
            history = {name: tables[name][firm] for name in ("loans", "repayments", "contacts")}
            decision = policy.decide(inputs, as_of=day, history=history)
            assert not decision.refused, decision.faults
            for action in decision.values["reminders"]:
                key = (firm, action["action"], action["once per"])
                again[action["action"]] += key in ledger
                ledger.setdefault(key, day)
    return ledger, again


def test_every_instalment_is_reminded_of_in_its_week(tables: dict[str, Rows], sent: tuple[Sent, Counter[str]]) -> None:
    ledger, again = sent
    reminded = 0
    for firm, rows in tables["repayments"].items():
        for row in rows:
            due, booked = datetime.date.fromisoformat(row["due"]), datetime.date.fromisoformat(row["booked"])
            paid = None if row["paid"] is None else datetime.date.fromisoformat(row["paid"])
            week = [d for d in RUNS if due - datetime.timedelta(7) <= d <= due and booked <= d]
            open_ = [d for d in week if paid is None or paid > d]
            earlier = [r for r in rows if r["due"] < row["due"] and r["due"] >= min(week, default=due).isoformat()]
            if open_ and not earlier:
                assert ledger[firm, "instalment reminder", due] == min(open_), (firm, due)
                reminded += 1
    assert reminded > 300
    assert again["instalment reminder"] > reminded         # the runs behind it name it again; the ledger holds it back


def test_nothing_is_sent_before_its_time_or_of_what_is_paid(
    tables: dict[str, Rows], sent: tuple[Sent, Counter[str]]
) -> None:
    ledger, _ = sent
    for (firm, action, period), day in ledger.items():
        if action == "instalment reminder":
            assert 0 <= (period - day).days <= 7
            owed = [r for r in tables["repayments"][firm] if r["due"] == period.isoformat()]
            assert any(r["paid"] is None or r["paid"] > day.isoformat() for r in owed)
        if action == "overdue call":
            assert day > period
