"""SQL in DuckDB against the reference: the bench policy, the semantics policies, random policies."""
from __future__ import annotations

import datetime
import json
import math
from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine.backends.sql.expressions import SqlExpressions
from engine.policy import PolicyError, load_policy
from tests.backends.relation import carried_out, disagreements
from tests.differential.counters import items
from tests.differential.customers import CustomerMaker
from tests.differential.harness import load
from tests.differential.policies import generate

AS_OF = datetime.date(2026, 7, 1)


def bench_customer(random: Random) -> dict[str, Any]:
    """At and beside the policy's thresholds, with missing, infinite and absurd data."""
    near: dict[str, tuple[float, ...]] = {
        "revenue": (1e5, 25e4, 5e5, 1e6, 2e6, 1e7, 5e7), "employees": (10, 50, 250), "years": (1, 2, 3, 5, 10),
        "dscr": (1, 1.15, 1.2, 1.5, 2), "credit_score": (500, 520, 600, 660, 720),
        "utilisation": (0.3, 0.5, 0.75, 0.8, 0.9, 0.95), "dpd": (1, 15, 30, 60, 90), "owner_score": (400, 500, 700),
        "collateral": (1e4, 5e4, 1e5), "loan": (5e4, 1e5, 5e5), "term": (6, 12, 84), "satisfaction": (3, 9),
        "complaints": (3,),
    }
    customer: dict[str, Any] = {"industry": random.choice("ABJMRLTQ"), "region": random.choice("NSEWC")}
    for name, values in near.items():
        base = random.choice(values)
        customer[name] = random.choice((
            base, base * random.uniform(0, 2), base * (1 + 1e-13), base * (1 - 3e-12), math.nextafter(base, 0),
            3 * (base / 3),
        ))
    for name in customer:
        if random.random() < 0.07:
            customer[name] = None
        elif name in near and random.random() < 0.02:
            customer[name] = random.choice((math.nan, math.inf, -math.inf, 0.0, -1.0, 1e99, 1e101))
    return customer


def test_the_bench_policy(shared: Path) -> None:
    policy = load_policy(shared / "design" / "examples" / "bench.yaml")
    outcomes = carried_out(policy.program)
    assert outcomes == [n for n in policy.program.declared if n not in ("ltv", "loan_to_rev")]
    random = Random(7)
    customers = [bench_customer(random) for _ in range(1500)]
    assert disagreements(policy, outcomes, customers, AS_OF)[:3] == []


def test_the_semantics_policies(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shared / "semantics"
    whole, partly, decided, faults = 0, 0, 0, []
    cases = given(folder / "cases")
    paths = sorted((folder / "policies").glob("*.yaml"))
    for path in paths:
        policy = load_policy(path)
        outcomes = carried_out(policy.program)
        shown = sum(1 for d in policy.program.decisions if not d.internal)
        whole += len(outcomes) == shown
        partly += 0 < len(outcomes) < shown
        for as_of, customers in cases.get(path.name, {AS_OF: []}).items():
            customers = [c for c in customers if fits(policy.program, c)]
            maker = CustomerMaker(policy, Random(path.stem), wild=False)
            customers += [maker.make()["inputs"] for _ in range(20)]
            decided += len(customers) if outcomes else 0
            faults += [f"{path.name}: {f}" for f in disagreements(policy, outcomes, customers, as_of)]
    with capsys.disabled():
        print(f"\nsql: {whole} of {len(paths)} semantics policies whole, {partly} in part, {decided:,} customers")
    assert faults[:3] == []
    assert whole == len(paths) and decided >= 1200


def given(folder: Path) -> dict[str, dict[datetime.date, list[dict[str, Any]]]]:
    """The customers of all cases by policy and date."""
    found: dict[str, dict[datetime.date, list[dict[str, Any]]]] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            case = json.loads(line)
            as_of = datetime.date.fromisoformat(case["as_of"])
            found.setdefault(case["policy"], {}).setdefault(as_of, []).append(case["inputs"])
    return found


def fits(program: Any, customer: dict[str, Any]) -> bool:
    """Whether a typed relation can hold the customer: a value of another kind is the reader's to refuse."""
    wanted = {"number": (int, float), "money": (int, float), "string": (str,), "boolean": (bool,), "date": (str,)}
    for decl in program.inputs:
        value = customer.get(decl.name)
        if value is None:
            continue
        if not isinstance(value, wanted.get(decl.type.kind, ())):
            return False
        if isinstance(value, bool) and decl.type.kind != "boolean":
            return False
        if decl.type.kind == "date":
            try:
                datetime.date.fromisoformat(value)
            except ValueError:
                return False
    return True


def random_policies(seeds: range, each: int) -> tuple[int, int, int, list[str]]:
    """Policies with a decision carried out, decisions, customers, disagreements."""
    policies, decisions, decided, faults = 0, 0, 0, []
    for seed in seeds:
        try:
            policy = load(generate(seed))
        except PolicyError:
            continue  # that the generator writes sound policies is the differential tests' to hold
        outcomes = carried_out(policy.program)
        if not outcomes:
            continue
        policies += 1
        decisions += len(outcomes)
        maker = CustomerMaker(policy, Random(seed), wild=False)
        customers = [maker.make()["inputs"] for _ in range(each)]
        customers = [c for c in customers if not any(isinstance(v, float) and math.isnan(v) for v in c.values())]
        as_of = datetime.date.fromisoformat(maker.date())
        decided += len(customers)
        faults += [f"seed {seed}: {f}" for f in disagreements(policy, outcomes, customers, as_of)]
    return policies, decisions, decided, faults


def test_random_policies() -> None:
    policies, decisions, decided, faults = random_policies(range(50), 60)
    assert faults[:3] == []
    assert policies >= 12 and decisions >= 15 and decided >= 600


def test_every_operation() -> None:
    policy = load_policy(Path(__file__).parent / "operations.yaml")
    assert carried_out(policy.program) == [d.name for d in policy.program.decisions]
    maker = CustomerMaker(policy, Random(3), missing=0.1, wild=False)
    for date in ("2026-07-01", "2024-02-29", "2023-06-30"):
        customers = [maker.make()["inputs"] for _ in range(250)]
        as_of = datetime.date.fromisoformat(date)
        assert disagreements(policy, list(policy.program.declared), customers, as_of)[:3] == []


def test_the_nodes_under_test_are_all_that_there_are() -> None:
    """Of the operations, `test_sql_operations` says it."""
    held = items(load_policy(Path(__file__).parent / "operations.yaml").program)
    missing = [c.__name__ for c in SqlExpressions.nodes if not held[f"node {c.__name__}"]]
    missing += [h for h in SqlExpressions.hits if not (held[h] or held[f"hit {h}"])]
    assert missing == []


@pytest.mark.parametrize("name", ["histories.yaml", "levels/group.yaml", "levels/firm.yaml"])
def test_groups_and_policies_of_policies(name: str) -> None:
    policy = load_policy(Path(__file__).parent.parent / "language" / name)
    outcomes = carried_out(policy.program)
    assert len(outcomes) == sum(1 for d in policy.program.decisions if not d.internal)
    maker = CustomerMaker(policy, Random(name), wild=False)
    for _ in range(3):
        customers = [maker.make() for _ in range(60)]
        as_of = datetime.date.fromisoformat(maker.date())
        inputs, histories = [c["inputs"] for c in customers], [c["history"] for c in customers]
        assert disagreements(policy, outcomes, inputs, as_of, histories)[:3] == []


def test_loops_within_loops() -> None:
    policy = load_policy(Path(__file__).parent / "loops.yaml")
    outcomes = carried_out(policy.program)
    assert outcomes == [d.name for d in policy.program.decisions if not d.internal]
    maker = CustomerMaker(policy, Random(11), wild=False)
    customers = [maker.make() for _ in range(150)]
    inputs, histories = [c["inputs"] for c in customers], [c["history"] for c in customers]
    assert disagreements(policy, outcomes, inputs, AS_OF, histories)[:3] == []


def test_the_shipped_policy_with_sets_as_lists() -> None:
    policy = load_policy(Path(__file__).parent.parent.parent / "policies" / "working-capital.yaml")
    outcomes = [d.name for d in policy.program.decisions if not d.internal]
    maker = CustomerMaker(policy, Random(5), wild=False)
    customers = [maker.make() for _ in range(60)]
    inputs, histories = [c["inputs"] for c in customers], [c["history"] for c in customers]
    for lists in (False, True):
        assert disagreements(policy, outcomes, inputs, AS_OF, histories, lists)[:3] == []
