"""Compiled policies in Spark, held whole against the reference."""
from __future__ import annotations

import datetime
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


def test_random_policies(session: Any, capsys: pytest.CaptureFixture[str]) -> None:
    policies, count, faults = random_policies(range(200, 210), 60, "spark", partial(decide, session))
    with capsys.disabled():
        print(f"\nspark: {policies} random policies, {count:,} customers")
    assert faults[:3] == [] and policies >= 5
