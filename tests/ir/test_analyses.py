"""The analyses against brute force: random small tables, decided at every corner of their columns by the reference."""
from __future__ import annotations

import datetime
import random
import re
import time
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from engine.diagnostics import Diagnostic
from engine.ir import nodes as ir
from engine.ir.analyses import ANALYSES, analyse
from engine.ir.analyses.columns import key
from engine.policy import Policy, load_policy

DAY = datetime.date(2026, 1, 1)
HEAD = "policy: p\nversion: '1'\neffective: {from: 2026-01-01}\non missing: skip\n"
INPUTS = """inputs:
  a: {type: number, range: '[0..4]'}
  b: {type: number, optional: true}
  r: {type: string, values: [x, y, z]}
"""
#: Every cell that tests of whole numbers 0..4 cut: the numbers, what lies between, and beyond.
A = [n / 2 for n in range(9)]
B = [None, -1.0, *(n / 2 for n in range(9)), 9.0]
R = ["x", "y", "z"]


HISTORY = """inputs:
  k: {type: string, key: true}
history:
  h:
    key: k
    fields:
      n: {type: number}
"""


def load(folder: Path, body: str) -> Policy:
    path = folder / "policy.yaml"
    path.write_text(HEAD + body, encoding="utf-8")
    return load_policy(path)


def rows(random_: random.Random, count: int) -> list[list[str]]:
    def number(null: bool) -> str:
        low = random_.randint(0, 4)
        tests = ["-", f"< {low}", f">= {low}", f"{low}", f"[{low}..4)" if low < 4 else "> 3", f"not({low})"]
        return random_.choice([*tests, "null", f"> {low}, null"] if null else tests)

    def region() -> str:
        return random_.choice(["-", '"x"', '"x", "y"', 'not("z")', '"y"'])

    return [[number(False), number(True), region()] for _ in range(count)]


def table(word: str, tests: list[list[str]]) -> str:
    text = INPUTS + "risk:\n  tier:\n    values: [A, B, C]\n    order: best first\n    table: |\n"
    text += f"      {word} | a | b | r || tier\n"
    for index, cells in enumerate(tests):
        text += f"      T{index} | " + " | ".join(cells) + f" || {'ABC'[index % 3]}\n"
    return text


def arms(policy: Policy) -> tuple[ir.Arm, ...]:
    """The arms of the policy's only decision."""
    (decision,) = policy.program.decisions
    assert isinstance(decision, ir.Decide)
    return decision.arms


def warnings(policy: Policy, code: str) -> list[Diagnostic]:
    return [d for d in policy.diagnostics if d.code == code]


def named(found: list[Diagnostic]) -> set[str]:
    """The first rule that each message names."""
    return {m[1] for d in found if (m := re.search(r"`(T\d+)`", d.message)) is not None}


def truths(policy: Policy, values: dict[str, Any]) -> dict[str, bool | None]:
    """What each guard comes to for one customer."""
    outcome = policy.trace(policy.program, values, None, DAY).outcomes["tier"]
    return {t.arm.rule: t.state for t in outcome.arms}


@pytest.mark.parametrize("seed", range(12))
def test_first_against_brute_force(seed: int, tmp_path: Path) -> None:
    count = random.Random(seed).randint(3, 8)
    cells = rows(random.Random(seed), count)
    policy = load(tmp_path, table("first", cells))
    every = load(tmp_path, table("rule order", cells))  # tries all rows
    first: set[str] = set()
    held: set[str] = set()
    uncovered = False
    for a, b, r in product(A, B, R):
        states = truths(every, {"a": a, "b": b, "r": r})
        true = [rule for rule, state in states.items() if state is True]
        held.update(true)
        first.update(true[:1])
        uncovered = uncovered or all(state is False for state in states.values())
    rules = {f"T{i}" for i in range(count)}
    never = named(warnings(policy, "W0607"))
    unreached = named([*warnings(policy, "W0601"), *warnings(policy, "W0602")])
    assert never == rules - held
    # a last row that catches all is there to be safe
    safe = {arm.rule for arm in arms(policy) if not arm.parts}
    assert unreached | (safe - first) == held - first
    assert bool(warnings(policy, "W0603")) == uncovered
    assert not warnings(policy, "W0611")


@pytest.mark.parametrize("seed", range(8))
def test_unique_and_any_against_brute_force(seed: int, tmp_path: Path) -> None:
    count = random.Random(seed).randint(2, 5)
    cells = rows(random.Random(100 + seed), count)
    unique, some = load(tmp_path, table("unique", cells)), load(tmp_path, table("any", cells))
    clash: set[str] = set()
    differ: set[str] = set()
    for a, b, r in product(A, B, R):
        true = [rule for rule, state in truths(unique, {"a": a, "b": b, "r": r}).items() if state is True]
        clash.update(true[1:])
        differ.update(t for i, t in enumerate(true) if any(int(t[1:]) % 3 != int(f[1:]) % 3 for f in true[:i]))
    assert {re.findall(r"`(T\d+)`", d.message)[1] for d in warnings(unique, "W0609")} == clash
    assert {re.findall(r"`(T\d+)`", d.message)[1] for d in warnings(some, "W0609")} == differ


def test_a_gap_is_told_as_a_region(tmp_path: Path) -> None:
    cells = [[">= 3", "-", "-"], ["< 2", "not(null)", "-"], ["< 2", "null", '"x", "y"']]
    (gap,) = warnings(load(tmp_path, table("first", cells)), "W0603")
    assert gap.message == "no row of `tier` holds where `a` is in [2..3), so it is null there"
    cells[0] = [">= 2", "-", "-"]
    (gap,) = warnings(load(tmp_path, table("first", cells)), "W0603")
    region = '`a` is in [0..2), `b` is null and `r` is "z"'
    assert gap.message == f"no row of `tier` holds where {region}, so it is null there"


def test_whole_numbers_have_nothing_between(tmp_path: Path) -> None:
    body = HISTORY + "risk:\n  tier:\n"
    body += "    values: [A, B]\n    table: |\n      first | count(h) || tier\n"
    body += "      T1 | <= 2 || A\n      T2 | >= 3 || B\n"
    assert not warnings(load(tmp_path, body), "W0603")


def test_what_is_compared_with_each_other_is_one_column(tmp_path: Path) -> None:
    body = "inputs:\n  a: {type: number}\n  b: {type: number}\nsegmentation:\n  s:\n    values: [x, y]\n    rules:\n"
    body += "      - {rule: S1, when: 'a < b', then: x}\n      - {rule: S2, when: 'b <= a', then: y}\n"
    assert load(tmp_path, body).diagnostics == ()


def test_one_thing_written_twice_is_one_column(tmp_path: Path) -> None:
    body = HISTORY + "segmentation:\n"
    body += "  s:\n    values: [x, y]\n    rules:\n      - {rule: S1, when: 'count(h[n > 1]) > 2', then: x}\n"
    body += "      - {rule: S2, when: 'count(h[n > 1]) > 3', then: x}\n      - otherwise: y\n"
    policy = load(tmp_path, body)
    assert [d.code for d in policy.diagnostics] == ["W0601"]
    one, two = (arm.guard for arm in arms(policy)[:2])
    assert isinstance(one, ir.Compare) and isinstance(two, ir.Compare) and key(one.left) == key(two.left)


def test_rows_of_an_import_are_told_there_alone(tmp_path: Path) -> None:
    inner = table("first", [["< 5", "-", "-"], ["< 3", "-", "-"], ["-", "-", "-"]])
    (tmp_path / "inner.yaml").write_text(HEAD + inner, encoding="utf-8")
    body = "use:\n  other:\n    policy: inner\n    with:\n      a: n\n      r: t\ninputs:\n  n: {type: number}\n"
    body += "  t: {type: string, values: [x, y, z]}\nrisk:\n  x:\n    value: other.tier\n"
    assert load(tmp_path, body).diagnostics == ()
    assert [d.code for d in load_policy(tmp_path / "inner.yaml").diagnostics] == ["W0601"]


@pytest.mark.parametrize("shape", ["bands", "product", "overlapping", "nested"])
def test_a_thousand_rows_take_seconds(shape: str, tmp_path: Path) -> None:
    rng = random.Random(7)
    if shape == "bands":
        cells = [[f"[{n}..{n + 1})", "-", "-"] for n in range(1000)]
    elif shape == "product":
        every = [[f"[{a}..{a + 1})", f"[{b}..{b + 1})", f'"{r}"'] for a in range(19) for b in range(18) for r in R]
        cells = every[:1000]
    elif shape == "overlapping":
        cells = [
            [f"[{low}..{low + rng.randint(1, 40)}]", f">= {rng.randint(0, 99)}", rng.choice(["-", '"x"'])]
            for low in (rng.randint(0, 90) for _ in range(1000))
        ]
    else:
        cells = [[f"> {n}", f"> {1000 - n}", "-"] for n in range(1000)]
    policy = load(tmp_path, table("first", cells).replace(", range: '[0..4]'", ""))
    start = time.process_time()
    found = analyse(policy.program)
    assert time.process_time() - start < 5
    assert found and all(d.span is not None for d in found)


def test_the_search_ends_and_says_so(tmp_path: Path) -> None:
    rng = random.Random(3)
    names = [f"c{n}" for n in range(8)]
    text = "inputs:\n" + "".join(f"  {n}: {{type: number}}\n" for n in names)
    text += "risk:\n  tier:\n    values: [A]\n    table: |\n"
    text += "      first | " + " | ".join(names) + " || tier\n"
    for index in range(400):
        tests = [rng.choice([f"< {rng.randint(30, 99)}", f">= {rng.randint(0, 70)}", "-"]) for _ in names]
        text += f"      T{index} | " + " | ".join(tests) + " || A\n"
    policy = load(tmp_path, text)
    start = time.process_time()
    found = analyse(policy.program)
    assert time.process_time() - start < 10
    assert "W0611" in {d.code for d in found}


def test_their_order_is_visible() -> None:
    assert [a.__name__ for a in ANALYSES] == ["guards", "shadows", "overlaps", "coverage", "bins"]
