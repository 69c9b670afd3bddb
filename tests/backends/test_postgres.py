"""Statements for PostgreSQL, carried out by a server of the tests' own."""
from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random

import psycopg
import pytest

from engine.backends.sql.memory import Customer
from engine.backends.sql.run import Row
from engine.ir import nodes as ir
from engine.policy import load_policy
from tests.backends.engines import carried_out, random_policies, semantics, shown, unlike
from tests.backends.postgres import decide_all_in_postgres, server
from tests.differential.customers import CustomerMaker

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("postgres")]


@pytest.fixture(scope="module")
def place() -> Iterator[str]:
    with server() as found:
        yield found


def decide(
    place: str, program: ir.Program, customers: Sequence[Customer], day: datetime.date, only: Sequence[str] | None,
) -> list[Row]:
    return decide_all_in_postgres(place, program, customers, day, only)


def test_the_semantics_cases(place: str, shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    count, faults = semantics(shared / "semantics", partial(decide, place))
    with capsys.disabled():
        print(f"\npostgres: {count - len(faults)} of {count} semantics cases as the reference decides them")
    assert faults[:3] == [] and count >= 441


@pytest.mark.parametrize("name", ["histories.yaml", "levels/group.yaml", "levels/firm.yaml"])
def test_groups_and_policies_of_policies(place: str, name: str) -> None:
    policy = load_policy(Path(__file__).parent.parent / "language" / name)
    only = carried_out(policy.program, "postgres")
    assert len(only) >= 0.9 * len(shown(policy.program))
    maker = CustomerMaker(policy, Random(name), wild=False)
    customers = [maker.make() for _ in range(100)]
    day = datetime.date.fromisoformat(maker.date())
    assert list(unlike(policy, partial(decide, place), customers, day, only))[:3] == []


def test_random_policies(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Tame customers: what is too small or too large for its type ends a statement there, as its header says."""
    policies, count, faults = random_policies(range(100, 130), 60, "postgres", partial(decide, place), wild=False)
    with capsys.disabled():
        print(f"\npostgres: {policies} random policies, {count:,} customers")
    assert faults[:3] == [] and policies >= 20


def test_a_printed_statement_runs(place: str, root: Path) -> None:
    policy = load_policy(root / "policies" / "standards" / "cn-sme-size.yaml")
    text = policy.sql("postgres", extras=["fired"], table="firms", pretty=True)
    columns = ", ".join(
        f'"{d.column or d.name}" {"TEXT" if d.type.kind == "string" else "DOUBLE PRECISION"}'
        for d in policy.program.inputs
    )
    with psycopg.connect(place) as connection:
        connection.execute(f"CREATE TEMPORARY TABLE firms ({columns})")     # type: ignore[arg-type]
        connection.execute("INSERT INTO firms DEFAULT VALUES")
        cursor = psycopg.RawCursor(connection)
        cursor.execute(text.encode(), [datetime.date(2026, 7, 1)])
        names = [column.name for column in cursor.description or ()]
        row = dict(zip(names, cursor.fetchone() or (), strict=True))
        assert cursor.fetchone() is None
        connection.rollback()
    decision = policy.decide({}, as_of=datetime.date(2026, 7, 1))
    assert row["status"] == ("refused" if decision.refused else "open" if decision.open else "decided")
    assert all(row[name] == value for name, value in decision.values.items())
