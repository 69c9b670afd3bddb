"""Every case of the language's meaning, by both evaluators."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.language.runner import by_sql, cases, differences, load


@pytest.mark.parametrize("engine", ["reference", "python"])
def test_given_cases_hold(shared: Path, engine: str) -> None:
    folder = shared / "semantics"
    policies = {}
    found = []
    count = 0
    for file, line, case in cases(folder):
        name = case["policy"]
        if name not in policies:
            policies[name] = load(folder, name)
        count += 1
        found.extend(f"{file}:{line} {d}" for d in differences(policies[name], case, engine))
    assert count > 400
    assert found == []


def test_given_cases_hold_in_duckdb(shared: Path) -> None:
    folder = shared / "semantics"
    by_policy: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for file, line, case in cases(folder):
        by_policy.setdefault(case["policy"], []).append((f"{file}:{line}", case))
    found = []
    for name, given in by_policy.items():
        told = by_sql(load(folder, name), [case for _, case in given])
        found += [f"{place} {d}" for (place, _), each in zip(given, told, strict=True) for d in each]
    assert sum(map(len, by_policy.values())) > 400
    assert found == []
