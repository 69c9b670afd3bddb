"""Every case of the language's meaning, by both evaluators."""
from __future__ import annotations

from pathlib import Path

import pytest

from tests.language.runner import cases, differences, load


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
