"""Histories, groups, levels and the previous decision in one query of DuckDB, against the reference, one by one."""
from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine.backends.sql.memory import Customer, decide_all
from engine.backends.support import Unsupported
from engine.ir.previous import previous_inputs
from engine.policy import Policy, load_policy
from tests.language.runner import plain, same

HERE = Path(__file__).parent
GOOD = HERE.parent / "corpus" / "good"
TODAY = datetime.date(2026, 7, 1)
Data = tuple[dict[str, Any], dict[str, Any]]


def differences(policy: Policy, customers: Sequence[Data]) -> list[str]:
    """Where the two differ, in words; all customers are decided in one query."""
    rows = decide_all(policy.program, [Customer(inputs, history) for inputs, history in customers], TODAY)
    found = []
    for number, ((inputs, history), row) in enumerate(zip(customers, rows, strict=True)):
        wanted = policy.decide(inputs, as_of=TODAY, history=history, engine="reference")
        if set(row.refused) != set(wanted.refused):
            found.append(f"{number}: refused {row.refused}, wanted {wanted.refused}")
        if wanted.refused:
            continue
        for name, value in wanted.values.items():
            if not same(plain(row.values[name]), plain(value)):
                found.append(f"{number}: `{name}` is {row.values[name]!r}, wanted {value!r}")
        for part in ("reasons", "missing"):
            if tuple(getattr(row, part)) != tuple(getattr(wanted, part)):
                found.append(f"{number}: {part} {getattr(row, part)}, wanted {getattr(wanted, part)}")
        if set(row.open) != set(wanted.open):
            found.append(f"{number}: open {sorted(row.open)}, wanted {sorted(wanted.open)}")
    return found


class Maker:
    """Random rows around the date of the decision."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def some(self, *values: Any) -> Any:
        return self.random.choice(values)

    def day(self, back: int = 800, ahead: int = 90) -> datetime.date:
        if self.random.random() < 0.2:
            return datetime.date(*self.some((2026, 7, 1), (2025, 7, 1), (2024, 7, 1), (2024, 2, 29), (2026, 7, 2)))
        return TODAY + datetime.timedelta(days=self.random.randint(-back, ahead))

    def rows(self, most: int, row: Any) -> list[dict[str, Any]] | None:
        return None if self.random.random() < 0.08 else [row(n) for n in range(self.random.randint(0, most))]

    def invoice(self, number: int) -> dict[str, Any]:
        return {
            "issued": self.day(), "number": number, "buyer": self.some("a", "b", "A", "", "乙", "a ", None),
            "amount": self.some(0.0, 10.0, 33.335, 99.995, 1000.0, -50.0), "paid": self.some(None, self.day()),
            "void": self.random.random() < 0.2,
        }

    def firm(self, number: int) -> dict[str, Any]:
        name, revenue = self.some("a", "b", "乙", ""), self.some(None, 0.0, 9.0)
        return {"firm id": name, "joined": self.day(60, 20), "revenue": revenue}

    def loan(self, number: int) -> dict[str, Any]:
        return {
            "firm id": self.some("a", "b", "乙", "z"), "loan id": self.some("1", "2", "3"),
            "signed": self.day(60, 20), "balance": self.some(-1.0, 0.0, 33.335, 2e6, 50.0),
        }

    def payment(self, number: int) -> dict[str, Any]:
        due = self.day(150, 30)
        return {
            "loan id": self.some("1", "2", "3", "9"), "booked": self.day(200, 20), "due": due,
            "paid": self.some(None, due, due + datetime.timedelta(days=5), due + datetime.timedelta(days=40)),
        }

    def facility(self, number: int) -> dict[str, Any]:
        return {
            "signed": self.day(60, 20), "balance": self.some(5.0, 10.0, 33.335, 90.0), "bank": self.some("x", "y", ""),
            "days late": self.some(None, 0.0, 12.0, 200.0),
        }


def test_groups_and_windows() -> None:
    make = Maker(1)
    customers = [({"firm": f"f{n}"}, {"invoices": make.rows(12, make.invoice)}) for n in range(200)]
    assert differences(load_policy(HERE / "histories.yaml"), customers) == []


@pytest.mark.parametrize("level", ["group", "firm"])
def test_levels(level: str) -> None:
    make = Maker(2)
    customers = []
    for number in range(200):
        history = {"loans": make.rows(6, make.loan), "payments": make.rows(8, make.payment)}
        inputs: dict[str, Any] = {"group id": f"g{number}"}
        if level == "group":
            history["firms"] = make.rows(4, make.firm)
        else:
            inputs = {"firm id": f"f{number}", "grace days": 3, "revenue": make.some(None, 0, 100)}
        customers.append((inputs, history))
    assert differences(load_policy(HERE / "levels" / f"{level}.yaml"), customers) == []


def test_an_import_with_names_of_its_own() -> None:
    make = Maker(3)
    customers = [({"id": f"f{n}"}, {"facilities": make.rows(6, make.facility)}) for n in range(120)]
    assert differences(load_policy(GOOD / "import-renamed" / "main.yaml"), customers) == []


def test_a_chain_of_policies_for_each_row() -> None:
    make = Maker(4)

    def loan(number: int) -> dict[str, Any]:
        return {"late": make.some(None, 0, 5, 20, 21), "balance": make.some(5.0, 100.0, 33.335)}

    customers = [({"firm": f"f{n}", "weeks": make.some(0, 1, 3)}, {"loans": make.rows(5, loan)}) for n in range(120)]
    assert differences(load_policy(GOOD / "import-chain" / "main.yaml"), customers) == []


def handed() -> tuple[Policy, list[Data]]:
    make = Maker(6)

    def loan(number: int) -> dict[str, Any]:
        return {
            "firm id": make.some("a", "b", "z"), "late": make.some(None, 0, 5, 20, 21),
            "balance": make.some(5.0, 100.0, 33.335),
        }

    def firm(number: int) -> dict[str, Any]:
        return {"firm id": make.some("a", "b", "c")}

    customers = [
        ({"group": f"g{n}", "weeks": make.some(0, 1, 3)}, {"firms": make.rows(3, firm), "loans": make.rows(6, loan)})
        for n in range(150)
    ]
    return load_policy(GOOD / "import-handed" / "main.yaml"), customers


def test_derived_rows_handed_to_a_policy_for_each_row() -> None:
    """What was decided by values of the customer is joined by them, which columns leave out; one by one it holds."""
    policy, customers = handed()
    with pytest.raises(Unsupported, match="decided by values of the customer"):
        differences(policy, customers[:1])
    for inputs, history in customers:
        one, two = (
            policy.decide(inputs, as_of=TODAY, history=history, engine=engine) for engine in ("reference", "python")
        )
        assert (one.values, one.reasons, one.missing, one.open) == (two.values, two.reasons, two.missing, two.open)


def test_the_previous_decision() -> None:
    policy = load_policy(HERE / "renewal.yaml")
    make = Maker(5)
    customers = []
    for number in range(200):
        previous = make.some(None, {
            "tier": make.some("A", "B", "C", None), "decision": make.some("approve", "decline", None),
            "limit": make.some(None, 0, 4166.67, 5000), "offer": {"kind": make.some("large", "small", None)},
            "as of": make.some(None, TODAY, datetime.date(2026, 4, 2), datetime.date(2026, 4, 3), make.day()),
        })
        inputs = {"firm id": f"f{number}", "score": make.some(10, 20, 44.9, 45, 50)}
        customers.append(({**inputs, **previous_inputs(policy.program, previous, TODAY)}, {}))
    assert differences(policy, customers) == []
