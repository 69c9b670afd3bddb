"""The shipped policy: what it says of customers at its edges, and of the sample portfolio."""
from __future__ import annotations

import csv
import datetime
import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from engine.decision import Decision
from engine.policy import Policy, check_policy, load_policy

DAY = datetime.date(2026, 7, 1)
SOUND: dict[str, Any] = {
    "firm id": "F1", "region": "BJ", "standard industry": "retail", "employees": 40, "annual revenue": 1000_0000,
    "total assets": 800_0000, "total debts": 300_0000, "years trading": 8, "dscr": 1.6, "requested amount": 100_0000,
}


def instalment(due: str, paid: str | None, booked: str = "2025-12-01") -> dict[str, Any]:
    return {"booked": booked, "instalment": 1, "due": due, "paid": paid, "amount": 10_0000}


def invoice(number: str, issued: str, net: float, buyer: str = "B1", status: str = "valid") -> dict[str, Any]:
    return {"number": number, "issued": issued, "buyer": buyer, "net": net, "status": status}


PAID = [instalment("2026-05-01", "2026-05-01"), instalment("2026-06-01", "2026-05-30")]
SALES = [
    invoice("1", "2025-02-01", 250_0000), invoice("2", "2025-04-01", 250_0000, "B2"),
    invoice("3", "2025-06-01", 300_0000, "B3"), invoice("4", "2025-09-01", 300_0000),
    invoice("5", "2025-12-01", 300_0000, "B2"), invoice("6", "2026-04-01", 300_0000, "B3"),
]


@pytest.fixture(scope="module")
def policy(root: Path) -> Policy:
    return load_policy(root / "policies" / "working-capital.yaml")


def decide(
    policy: Policy, repayments: list[dict[str, Any]] | None = PAID, invoices: list[dict[str, Any]] | None = SALES,
    **changes: Any,
) -> Decision:
    inputs = SOUND | {name.replace("_", " "): value for name, value in changes.items()}
    decision = policy.decide(inputs, as_of=DAY, history={"repayments": repayments, "invoices": invoices})
    assert decision.refused == ()
    return decision


def outcome(decision: Decision) -> tuple[str, tuple[str, ...]]:
    return decision.values["decision"], decision.reasons_of("decision")


@pytest.mark.parametrize("name", ["working-capital.yaml", "standards/cn-sme-size.yaml"])
def test_it_is_free_of_findings(root: Path, name: str) -> None:
    assert check_policy(root / "policies" / name).diagnostics == ()


def test_a_sound_firm_is_approved_in_full(policy: Policy) -> None:
    decision = decide(policy)
    assert decision.values == {
        "segment": "priority", "score": 605, "tier": "A", "decision": "approve", "limit": 100_0000, "rate": 0.0345,
        "actions": [],
    }
    assert decision.reasons == ()
    assert decision.open == {}


def test_a_missing_ratio_never_steps_over_the_decline(policy: Policy) -> None:
    decision = decide(policy, dscr=None)
    assert outcome(decision) == ("refer", ("MISSING",))
    assert set(decision.open["decision"].could_be or ()) == {"approve", "decline"}
    assert decision.missing == ("dscr",)
    assert outcome(decide(policy, dscr=0.99)) == ("decline", ("R11",))
    assert outcome(decide(policy, dscr=1)) == ("approve", ())


def test_records_not_supplied_are_not_records_without_rows(policy: Policy) -> None:
    assert outcome(decide(policy, repayments=None)) == ("refer", ("R12",))
    assert outcome(decide(policy, repayments=[])) == ("approve", ())
    assert outcome(decide(policy, invoices=None))[0] == "refer"
    assert "R13" in outcome(decide(policy, invoices=None))[1]
    assert outcome(decide(policy, invoices=[])) == ("refer", ("R14",))


@pytest.mark.parametrize(
    ("due", "paid", "tier", "said"),
    [
        ("2026-06-01", "2026-06-06", "A", "approve"),    # five days late
        ("2026-06-01", "2026-06-07", "B", "approve"),    # six
        ("2026-06-01", None, "B", "approve"),            # unpaid, thirty days by now
        ("2026-05-31", None, "C", "refer"),              # thirty-one
        ("2026-05-31", "2026-07-02", "C", "refer"),      # paid tomorrow, which nobody knows yet
        ("2026-04-02", None, "C", "refer"),              # ninety
        ("2026-04-01", None, "C", "decline"),            # ninety-one
        ("2026-07-08", None, "B", "approve"),            # due next week: no delay yet, and no record either
        ("2025-07-01", None, "B", "approve"),            # a year ago to the day: outside the window
    ],
)
def test_delays(policy: Policy, due: str, paid: str | None, tier: str, said: str) -> None:
    decision = decide(policy, repayments=[instalment(due, paid, booked="2025-06-01")])
    assert (decision.values["tier"], decision.values["decision"]) == (tier, said)


def test_a_loan_booked_after_the_day_does_not_exist_yet(policy: Policy) -> None:
    late = instalment("2026-01-01", None, booked="2026-07-02")
    assert outcome(decide(policy, repayments=[late])) == outcome(decide(policy, repayments=[]))


def test_large_firms_are_declined_without_asking_for_the_rest(policy: Policy) -> None:
    decision = decide(policy, employees=300, annual_revenue=3_0000_0000, total_assets=None, total_debts=None)
    assert outcome(decision)[0] == "decline"
    assert outcome(decision)[1][0] == "R01"
    assert decision.values["limit"] == 0


def test_an_invoice_given_twice_goes_to_a_person(policy: Policy) -> None:
    assert outcome(decide(policy, invoices=[*SALES, SALES[3]])) == ("refer", ("R15",))


def test_voids_and_returns_bear_out_no_revenue(policy: Policy) -> None:
    void = [row | {"status": "void"} for row in SALES[3:5]]
    assert outcome(decide(policy, invoices=[*SALES[:3], *void, SALES[5]])) == ("refer", ("R14",))
    back = [invoice("7", "2026-05-01", -400_0000 - 1)]
    assert "R14" in outcome(decide(policy, invoices=[*SALES, *back]))[1]


def test_the_limit_and_what_is_above_it(policy: Policy) -> None:
    assert outcome(decide(policy, requested_amount=300_0000)) == ("approve", ())
    decision = decide(policy, requested_amount=300_0000.01)
    assert outcome(decision) == ("refer", ("R16",))
    assert decision.values["limit"] == 300_0000


def test_rates_by_region_and_tier(policy: Policy) -> None:
    assert decide(policy, region="SH").values["rate"] == 0.0335
    assert decide(policy, region="SH", repayments=[]).values["rate"] == 0.0435


def test_actions(policy: Policy) -> None:
    coming = [*PAID, instalment("2026-07-08", None), instalment("2026-07-03", None), instalment("2026-08-01", None)]
    actions = decide(policy, repayments=coming, maturity_date="2026-07-31").values["actions"]
    assert [(a["action"], a["due"], a["once per"]) for a in actions] == [
        ("renewal call", datetime.date(2026, 7, 6), datetime.date(2026, 7, 31)),
        ("instalment reminder", datetime.date(2026, 7, 3), datetime.date(2026, 7, 3)),
    ]
    assert decide(policy, maturity_date="2026-08-01").values["actions"] == []


def test_the_sample_portfolio(root: Path, tmp_path: Path) -> None:
    samples = root / "policies" / "samples"
    out = tmp_path / "out.csv"
    command = [
        sys.executable, "cli.py", "run", "policies/working-capital.yaml", str(samples / "firms.csv"), "--as-of",
        "2026-07-01", "--history", f"repayments={samples / 'repayments.csv'}", "--history",
        f"invoices={samples / 'invoices.csv'}", "-o", str(out),
    ]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 1, done.stderr
    with out.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    with (samples / "firms.csv").open(encoding="utf-8", newline="") as stream:
        firms = list(csv.DictReader(stream))
    assert [row["firm id"] for row in rows] == [firm["firm_id"] for firm in firms]
    assert {row["firm id"] for row in rows if row["problem"]} == {
        "F012", "F038", "F059", "F084", "F088", "F105", "F107", "F127", "F142", "F150", "F172", "F189",
    }
    statuses = Counter(row["status"] for row in rows)
    assert statuses["refused"] == 12
    assert statuses.total() == 201
    for column, values in (("tier", "ABC"), ("decision", ("approve", "refer", "decline"))):
        assert {row[column] for row in rows if row["status"] != "refused"} == set(values)
    met = {code for row in rows for code in row["reasons"].split(";")}
    assert {"R02", "R07", "R08", "R11", "R14", "R15", "R16", "R21", "R22", "R23", "R24", "R25", "MISSING"} <= met


def table(root: Path, name: str, columns: str) -> list[dict[str, Any]]:
    """A sample table, with numbers in `columns` where they read as such and empty cells missing."""
    def value(column: str, text: str) -> Any:
        if text and column in columns.split():
            try:
                return float(text)
            except ValueError:
                return text
        return text or None

    with (root / "policies" / "samples" / name).open(encoding="utf-8", newline="") as stream:
        return [{column: value(column, text) for column, text in row.items()} for row in csv.DictReader(stream)]


def told(decision: Decision) -> dict[str, Any]:
    return {
        "refused": decision.refused, "values": decision.values,
        **({} if decision.refused else {
            "reasons": decision.reasons, "fired": decision.fired, "open": set(decision.open),
            "missing": decision.missing, "assumed": decision.assumed,
        }),
    }


@pytest.mark.parametrize("absent", ["", "dscr", "years_trading", "total_assets", "repayments", "invoices"])
def test_both_evaluators_say_the_same_of_the_samples(root: Path, policy: Policy, absent: str) -> None:
    numbers = "employees annual_revenue total_assets total_debts years_trading dscr requested_amount"
    firms = table(root, "firms.csv", numbers)
    tables = {
        "repayments": table(root, "repayments.csv", "instalment amount"), "invoices": table(root, "invoices.csv", "net")
    }
    events: dict[str, defaultdict[str, list[dict[str, Any]]]] = {name: defaultdict(list) for name in tables}
    for name, rows in tables.items():
        for row in rows:
            events[name][row["firm_id"]].append(row)
    for firm in firms:
        inputs = firm | {absent: None} if absent in firm else firm
        history = {name: None if name == absent else owned[firm["firm_id"]] for name, owned in events.items()}
        plain = policy.decide(inputs, as_of=DAY, history=history, engine="reference")
        assert told(policy.decide(inputs, as_of=DAY, history=history)) == told(plain), firm["firm_id"]


def test_the_sample_customer(root: Path, policy: Policy) -> None:
    customer = json.loads((root / "policies" / "samples" / "customer.json").read_text("utf-8"))
    history = customer.pop("history")
    decision = policy.decide(customer, as_of=DAY, history=history)
    assert outcome(decision) == ("refer", ("MISSING",))
    assert decision.missing == ("dscr",)
