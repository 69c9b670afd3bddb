"""The standards in DuckDB: every outcome is carried out, and comes out as one by one."""
from __future__ import annotations

import random
from pathlib import Path

import pytest

from engine.policy import load_policy
from tests.backends.relation import carried_out, disagreements
from tests.standards.oracles import POOLS
from tests.standards.test_cases import DAY, OUTPUTS

CUSTOMERS = 300


@pytest.mark.parametrize("name", OUTPUTS)
def test_in_columns_as_one_by_one(root: Path, name: str) -> None:
    policy = load_policy(root / "policies" / "standards" / f"{name}.yaml")
    assert set(OUTPUTS[name]) <= set(carried_out(policy.program))
    rng = random.Random(f"columns {name}")
    pools = POOLS[name][1]
    customers = [
        {n: rng.choice(pool) for n, pool in pools.items() if rng.random() < 0.75} for _ in range(CUSTOMERS)
    ]
    assert disagreements(policy, OUTPUTS[name], customers, DAY)[:3] == []
