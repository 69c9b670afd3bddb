"""Tables that know only the level above them: payments of loans of firms of a group, by both engines."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine.policy import Policy, load_policy
from engine.portfolio.request import STOP, Request
from engine.portfolio.shared import Usage
from tests.portfolio.columnar.both import DAY, Ran, agree

LEVELS = Path(__file__).resolve().parents[2] / "language" / "levels"
GROUPS = "group id\nG1\nG2\nG3\n"
FIRMS = "group id,firm id,joined,revenue\nG1,a,2026-01-01,10\nG1,b,2026-01-01,\nG2,c,2026-01-01,5\nG9,x,2026-01-01,5\n"
LOANS = (
    "firm id,loan id,signed,balance\na,1,2026-01-01,100\nb,2,2026-01-01,50\nc,3,2026-01-01,7\nc,4,2026-07-02,900\n"
    "nobody,5,2026-01-01,1000\nx,6,2026-01-01,2000\n"
)
PAYMENTS = (
    "loan id,booked,due,paid\n1,2026-01-01,2026-06-01,2026-06-11\n3,2026-01-01,2026-01-15,\n"
    "5,2026-01-01,2026-01-15,\n2,2026-07-02,2025-01-15,\n"
)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(LEVELS / "group.yaml")


def request(folder: Path, tables: dict[str, str], groups: str = GROUPS, **more: Any) -> Request:
    for name, text in {**tables, "groups": groups}.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    # payments come first: a table may be named before the one above it
    histories = tuple((name, str(folder / f"{name}.csv")) for name in sorted(tables, reverse=True))
    return Request(str(folder / "groups.csv"), DAY, histories, **more)


def outcomes(found: Ran) -> list[tuple[str, ...]]:
    rows = csv.DictReader(io.StringIO(found.out))
    return [(r["group id"], r["status"], r["group class"], r["total exposure"], r["number of firms"]) for r in rows]


def test_rows_are_of_the_customer_of_the_row_above(policy: Policy, tmp_path: Path) -> None:
    found = agree(policy, request(tmp_path, {"firms": FIRMS, "loans": LOANS, "payments": PAYMENTS}), tmp_path)
    assert outcomes(found) == [
        ("G1", "decided", "watch", "150", "2"),
        ("G2", "decided", "loss", "7", "1"),
        ("G3", "decided", "", "0", "0"),
    ]
    assert found.summary is not None
    assert found.summary.orphans == {"firms": 1, "loans": 2, "payments": 1}


def test_a_firm_of_two_groups_has_its_loans_in_both(policy: Policy, tmp_path: Path) -> None:
    shared = FIRMS + "G3,a,2026-01-01,10\nG3,a,2026-02-01,10\n"
    found = agree(policy, request(tmp_path, {"firms": shared, "loans": LOANS, "payments": PAYMENTS}), tmp_path)
    # it stands twice in the third group, and is decided twice
    assert outcomes(found)[2] == ("G3", "decided", "watch", "200", "2")
    assert outcomes(found)[0] == ("G1", "decided", "watch", "150", "2")


@pytest.mark.parametrize(
    ("table", "old", "new"),
    [
        ("loans", "b,2,2026-01-01,50", "b,2,2026-01-01,much"),
        ("loans", "b,2,2026-01-01,50", "b,2,someday,50"),
        ("payments", "1,2026-01-01,2026-06-01", "1,2026-01-01,soon"),
        ("firms", "G1,b,2026-01-01,", "G1,b,2026-01-01,much"),
    ],
)
def test_a_bad_row_refuses_the_group_that_it_is_of(
    policy: Policy, tmp_path: Path, table: str, old: str, new: str
) -> None:
    tables = {"firms": FIRMS, "loans": LOANS, "payments": PAYMENTS}
    tables[table] = tables[table].replace(old, new)
    found = agree(policy, request(tmp_path, tables), tmp_path)
    assert [row[1] for row in outcomes(found)] == ["refused", "decided", "decided"]
    assert f"{table}.csv" in found.rejects


def test_a_bad_row_of_nobody_refuses_nobody(policy: Policy, tmp_path: Path) -> None:
    loans = LOANS.replace("nobody,5,2026-01-01,1000", "nobody,5,2026-01-01,much")
    found = agree(policy, request(tmp_path, {"firms": FIRMS, "loans": loans, "payments": PAYMENTS}), tmp_path)
    assert [row[1] for row in outcomes(found)] == ["decided", "decided", "decided"]


@pytest.mark.parametrize("more", [{"on_orphan": STOP}, {"on_keyless_event": "skip"}, {}])
def test_events_without_a_key_or_a_row_above(policy: Policy, tmp_path: Path, more: dict[str, Any]) -> None:
    loans = LOANS + (",7,2026-01-01,1\n" if "on_orphan" not in more else "")
    found = agree(policy, request(tmp_path, {"firms": FIRMS, "loans": loans, "payments": PAYMENTS}, **more), tmp_path)
    assert (found.end is None) == (more == {"on_keyless_event": "skip"})


def test_the_table_above_must_be_given(policy: Policy, tmp_path: Path) -> None:
    with pytest.raises(Usage, match="rows of history `loans` belong to those of `firms`, which is not given"):
        agree(policy, request(tmp_path, {"loans": LOANS}), tmp_path)


@pytest.mark.parametrize("seed", range(6))
def test_random_groups(policy: Policy, tmp_path: Path, seed: int) -> None:
    random = Random(seed)

    def table(head: str, most: int, row: Any) -> str:
        return "\n".join([head, *(",".join(map(str, row())) for _ in range(random.randint(0, most)))]) + "\n"

    def day() -> str:
        return random.choice(["2026-07-01", "2026-07-02", "2026-01-31", "2026-05-05", "2024-02-29"])

    names, loans = ["a", "b", "c", "d", "乙"], ["1", "2", "3", "4", "5", "6"]
    groups = "\n".join(["group id", *(f"G{n}" for n in range(6))]) + "\n"
    tables = {
        "firms": table(
            "group id,firm id,joined,revenue",
            12,
            lambda: (
                random.choice(["G0", "G1", "G2", "G3", "GX"]),
                random.choice(names),
                day(),
                random.choice(["", 0, 10]),
            ),
        ),
        "loans": table(
            "firm id,loan id,signed,balance",
            15,
            lambda: (
                random.choice([*names, "z"]),
                random.choice(loans),
                day(),
                random.choice([5, 33.335, -1, 2000000]),
            ),
        ),
        "payments": table(
            "loan id,booked,due,paid",
            25,
            lambda: (random.choice([*loans, "99"]), day(), day(), random.choice(["", day()])),
        ),
    }
    agree(policy, request(tmp_path, tables, groups, form="jsonl"), tmp_path)
