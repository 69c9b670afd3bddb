"""Compiled policies in Spark, held whole against the reference."""
from __future__ import annotations

import datetime
import decimal
import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine.backends.sql.memory import Customer
from engine.backends.sql.run import Row
from engine.ir import nodes as ir
from engine.policy import load_policy
from tests.backends.engines import carried_out, random_policies, semantics, shown, unlike
from tests.differential.customers import CustomerMaker
from tests.differential.harness import FOUND

#: Whatever two evaluators once disagreed on.
KEPT = sorted(p.parent for p in FOUND.glob("*/customer.json"))

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("spark")]


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    from engine.backends.sql.spark import local_session  # noqa: PLC0415 - half a gigabyte, not in every environment
    from engine.backends.sql.spark_memory import SETTINGS  # noqa: PLC0415

    made = local_session("local[2]", SETTINGS)
    made.sparkContext.setLogLevel("OFF")
    yield made
    made.stop()


def decide(
    session: Any, program: ir.Program, customers: Sequence[Customer], day: datetime.date, only: Sequence[str] | None,
) -> list[Row]:
    from engine.backends.sql.spark_memory import decide_all_in_spark  # noqa: PLC0415

    return decide_all_in_spark(program, customers, day, only, session=session)


def test_the_semantics_cases(session: Any, shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    count, faults = semantics(shared / "semantics", partial(decide, session))
    with capsys.disabled():
        print(f"\nspark: {count - len(faults)} of {count} semantics cases as the reference decides them")
    assert faults[:3] == [] and count >= 441


@pytest.mark.parametrize("name", ["histories.yaml", "levels/firm.yaml"])
def test_groups_and_policies_of_policies(session: Any, name: str) -> None:
    policy = load_policy(Path(__file__).parent.parent / "language" / name)
    only = carried_out(policy.program, "spark")
    assert len(only) >= 0.9 * len(shown(policy.program))
    maker = CustomerMaker(policy, Random(name), wild=False)
    customers = [maker.make() for _ in range(100)]
    day = datetime.date.fromisoformat(maker.date())
    assert list(unlike(policy, partial(decide, session), customers, day, only))[:3] == []


@pytest.mark.parametrize("folder", KEPT, ids=lambda p: p.name)
def test_a_disagreement_once_found_stays_mended(session: Any, folder: Path) -> None:
    policy = load_policy(folder / "policy.yaml")
    customer = json.loads((folder / "customer.json").read_text("utf-8"))
    day = datetime.date.fromisoformat(customer["as_of"])
    only = carried_out(policy.program, "spark")
    assert only == [] or list(unlike(policy, partial(decide, session), [customer], day, only)) == []


def test_random_policies(session: Any, capsys: pytest.CaptureFixture[str]) -> None:
    policies, count, faults = random_policies(range(205, 213), 60, "spark", partial(decide, session))
    with capsys.disabled():
        print(f"\nspark: {policies} random policies, {count:,} customers")
    assert faults[:3] == [] and policies >= 5


# --- DataFrames ------------------------------------------------------------------------------------

FIRMS = """policy: frames
currency: EUR
version: "1"
effective: {from: 2026-01-01}
owner: o
on missing: refer
reasons:
  R1: {text: Late}
  R2: {text: Young}
inputs:
  firm id: {type: string, key: true}
  annual revenue: {type: money, optional: true}
  employees: {type: number, decimals: 0, optional: true}
  founded on: {type: date, optional: true}
  seen: {type: date and time, optional: true}
history:
  repayments:
    key: firm id
    visible from: booked
    order by: [booked]
    fields:
      booked: {type: date}
      late: {type: number}
service:
  decision:
    values: [approve, refer, decline]
    order: best first
    worst: |
      id | when                                                       || then    | reason
      D1 | count(repayments[item.late > 30]) > 1                       || decline | R1
      D2 | founded on > as of - duration("P2Y")                        || refer   | R2
      D3 | annual revenue < 1000                                      || refer   |
      D4 | otherwise                                                  || approve |
  size:
    type: number
    on missing: skip
    value: if employees < 10 then 1 else 2
  hour:
    type: number
    on missing: skip
    value: seen.hour
"""


@pytest.fixture
def firms(tmp_path: Path) -> Any:
    path = tmp_path / "policy.yaml"
    path.write_text(FIRMS, "utf-8")
    return load_policy(path)


def rows_of(frame: Any) -> list[dict[str, Any]]:
    return sorted((json.loads(json.dumps(r.asDict(True), default=str)) for r in frame.collect()),
                  key=lambda r: r["firm id"])


def test_a_frame_is_decided_as_its_rows_are(session: Any, firms: Any) -> None:
    day = datetime.date(2026, 7, 1)
    given = [
        {"firm id": "a", "annual revenue": 5000.0, "employees": 3, "founded on": datetime.date(2001, 2, 3),
         "seen": datetime.datetime(2026, 3, 29, 2, 30)},
        {"firm id": "b", "annual revenue": None, "employees": 30, "founded on": datetime.date(2026, 1, 1),
         "seen": None},
        {"firm id": "c", "annual revenue": 1e101, "employees": 30, "founded on": None, "seen": None},
        {"firm id": "d", "annual revenue": 7.5, "employees": None, "founded on": None, "seen": None},
    ]
    late = [("a", datetime.date(2026, 6, 1), 40.0), ("a", datetime.date(2026, 6, 2), 50.0),
            ("b", datetime.date(2026, 6, 2), 50.0), ("b", datetime.date(2026, 7, 2), 50.0)]
    frame = session.createDataFrame(
        [tuple(g.values()) for g in given],
        "`firm id` string, annual_revenue double, employees int, `founded on` date, seen timestamp_ntz",
    )
    paid = session.createDataFrame(late, "`firm id` string, booked date, late double")
    before = {key: session.conf.get(key) for key in ("spark.sql.ansi.enabled", "spark.sql.session.timeZone")}
    session.conf.set("spark.sql.session.timeZone", "Asia/Shanghai")
    try:
        found = rows_of(firms.decide_frame(frame, as_of=day, history={"repayments": paid}, extras=["reasons", "open"]))
        assert session.conf.get("spark.sql.session.timeZone") == "Asia/Shanghai"
    finally:
        for key, value in before.items():
            session.conf.set(key, value)
    assert not [t for t in session.catalog.listTables() if t.name.startswith("tierwise_")]
    for customer, row in zip(given, found, strict=True):
        history = {"repayments": [dict(zip(("booked", "late"), r[1:], strict=True)) for r in late
                                  if r[0] == customer["firm id"]]}
        single = firms.decide(customer, as_of=day, history=history)
        if single.refused:
            assert row["status"] == "refused" and row["decision"] is None
            continue
        assert row["status"] == ("open" if single.open else "decided")
        assert {name: row[name] for name in single.values} == single.values
        assert row["reasons"] == list(single.reasons) and row["open"] == list(single.open)


@pytest.mark.parametrize("kind, cell, refused", [
    ("bigint", 2**53 + 1, True), ("bigint", 2**60, False), ("decimal(20,2)", decimal.Decimal("12.34"), False),
    ("decimal(38,0)", decimal.Decimal(10**30 + 1), True), ("float", 0.5, False), ("int", 7, False),
])
def test_numbers_of_other_types_are_read_where_that_is_exact(
    session: Any, firms: Any, kind: str, cell: Any, refused: bool
) -> None:
    frame = session.createDataFrame([("a", cell)], f"`firm id` string, `annual revenue` {kind}")
    row = rows_of(firms.decide_frame(frame, as_of=datetime.date(2026, 7, 1)))[0]
    assert (row["status"] == "refused") is refused


@pytest.mark.parametrize("cell, refused", [("2001-02-03", False), ("2001-02-30", True), ("3.2.2001", True)])
def test_iso_text_is_a_date(session: Any, firms: Any, cell: str, refused: bool) -> None:
    frame = session.createDataFrame([("a", cell)], "`firm id` string, `founded on` string")
    row = rows_of(firms.decide_frame(frame, as_of=datetime.date(2026, 7, 1)))[0]
    assert (row["status"] == "refused") is refused


def test_a_column_of_another_kind_is_told(session: Any, firms: Any) -> None:
    frame = session.createDataFrame([("a", "5000")], "`firm id` string, `annual revenue` string")
    with pytest.raises(ValueError, match="the column `annual revenue` of type STRING holds no money"):
        firms.decide_frame(frame, as_of=datetime.date(2026, 7, 1))
    with pytest.raises(KeyError, match="no history 'repayment'"):
        firms.decide_frame(frame, as_of=datetime.date(2026, 7, 1), history={"repayment": frame})
    with pytest.raises(ValueError, match="the history `repayments` has no column for its key `firm id`"):
        firms.decide_frame(
            frame.select("firm id"), as_of=datetime.date(2026, 7, 1), history={"repayments": frame.drop("firm id")}
        )
