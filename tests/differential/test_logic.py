"""Three-valued logic and the tolerance of adjoining bands, by way of whole policies."""

from __future__ import annotations

import datetime
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.policy import Policy, load_policy

DAY = datetime.date(2024, 2, 29)
HEAD = 'policy: logic\nversion: "1"\neffective: {from: 2020-01-01}\nowner: tests\ncurrency: CNY\non missing: refer\n'
TRUTH = (True, False, None)
ENGINES = ("reference", "python")


def policy_of(folder: Path, body: str) -> Policy:
    path = folder / "policy.yaml"
    path.write_text(HEAD + body, "utf-8")
    return load_policy(path)


@pytest.fixture(scope="module")
def logic(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    inputs = "".join(f"  {n}: {{type: boolean, optional: true}}\n" for n in ("p", "q", "r"))
    values = {
        "both": "p and q",
        "either": "p or q",
        "negated": "not(p)",
        "three": "p and q and r",
        "any of three": "p or q or r",
        "dual": "not(not(p) or not(q))",
        "chosen": "if p then q else r",
        "same": "p = q",
        "absent": "p = null",
        "present": "p != null",
        "filled": "get or else(p, q)",
    }
    return policy_of(
        tmp_path_factory.mktemp("logic"),
        "inputs:\n"
        + inputs
        + "risk:\n"
        + "".join(f"  {n}:\n    type: boolean\n    value: '{e}'\n" for n, e in values.items()),
    )


def conjunction(*parts: bool | None) -> bool | None:
    return False if False in parts else None if None in parts else True


def disjunction(*parts: bool | None) -> bool | None:
    return True if True in parts else None if None in parts else False


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("p", TRUTH)
@pytest.mark.parametrize("q", TRUTH)
@pytest.mark.parametrize("r", TRUTH)
def test_tables_of_three_valued_logic(
    logic: Policy, engine: str, p: bool | None, q: bool | None, r: bool | None
) -> None:
    found = logic.decide({"p": p, "q": q, "r": r}, as_of=DAY, engine=engine)
    assert found.values == {
        "both": conjunction(p, q),
        "either": disjunction(p, q),
        "negated": None if p is None else not p,
        "three": conjunction(p, q, r),
        "any of three": disjunction(p, q, r),
        "dual": conjunction(p, q),
        "chosen": None if p is None else q if p else r,
        "same": None if None in (p, q) else p == q,
        "absent": p is None,
        "present": p is not None,
        "filled": q if p is None else p,
    }
    opened = {n for n, v in found.values.items() if v is None}
    assert set(found.open) == opened
    assert {m for n in opened for m in found.open[n].missing} <= {
        n for n, v in (("p", p), ("q", q), ("r", r)) if v is None
    }


@pytest.fixture(scope="module")
def bands(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    """Each pair of adjoining tests as a policy writes it; exactly one of a pair holds."""
    pairs = {
        "plain": ("x < y", "x >= y"),
        "mirrored": ("x <= y", "x > y"),
        "equal": ("x = y", "x != y"),
        "range": ("x in [y..1e300]", "x in (< y)"),
        "inside": ("x between y and 1e300", "x < y"),
    }
    money = {
        f"{n} money": (a.replace("x", "m").replace("y", "k"), b.replace("x", "m").replace("y", "k"))
        for n, (a, b) in pairs.items()
    }
    lines = "".join(
        f"  {n} {side}:\n    type: boolean\n    value: '{test}'\n"
        for n, tests in {**pairs, **money}.items()
        for side, test in zip(("one", "two"), tests, strict=True)
    )
    inputs = "".join(
        f"  {n}: {{type: {k}}}\n" for n, k in (("x", "number"), ("y", "number"), ("m", "money"), ("k", "money"))
    )
    constants = """
  constant:
    type: string
    table: |
      unique | x        || constant
      C1     | < 0.3    || low
      C2     | [0.3..1) || mid
      C3     | >= 1     || high
"""
    return policy_of(tmp_path_factory.mktemp("bands"), "inputs:\n" + inputs + "risk:\n" + lines + constants[1:])


NUMBERS = st.one_of(
    st.sampled_from(
        [0.0, 0.3, 0.1 + 0.2, 1.0, 1 - 1e-12, 1 + 2e-12, 100.0, 100.0001, 100.00011, 1e-4, -1e-4, 1e15, 1e15 + 0.25]
    ),
    st.floats(-1e9, 1e9),
    st.integers(-1000, 1000),
)


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    x=NUMBERS,
    step=st.sampled_from([0.0, 1e-13, 1e-12, 1e-12 * (1 + 1e-9), 2e-12, 1e-4, 1.0001e-4, 1.0]),
    down=st.booleans(),
)
def test_adjoining_bands_partition(bands: Policy, engine: str, x: float, step: float, down: bool) -> None:
    y = x - step if down else x + step
    near: list[dict[str, Any]] = [
        {"x": x, "y": y, "m": x, "k": y},
        {"x": math.nextafter(x, math.inf), "y": y, "m": math.nextafter(y, -math.inf), "k": y},
    ]
    for inputs in near:
        values = bands.decide(inputs, as_of=DAY, engine=engine).values
        for name in ("plain", "mirrored", "equal", "range", "inside"):
            for suffix in ("", " money"):
                assert values[f"{name}{suffix} one"] is not values[f"{name}{suffix} two"], (name, suffix, inputs)
        assert values["constant"] in ("low", "mid", "high")
