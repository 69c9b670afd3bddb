"""A seeded share of the mutants; all of them by `python -m tests.mutation`."""
from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.mutation.mutants import Mutant, mutants
from tests.mutation.trial import SURVIVED, Bench

DRAWN = 6


@pytest.fixture(scope="module")
def bench(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(root / "policies", tmp_path_factory.mktemp("mutants"))


def names(root: Path) -> list[str]:
    return sorted(p.stem for p in (root / "policies" / "standards").glob("*.yaml") if ".test" not in p.name)


@pytest.mark.parametrize("name", names(Path(__file__).resolve().parents[2]))
def test_the_cases_of_a_standard_notice_a_change(bench: Bench, name: str) -> None:
    every = list(mutants(bench.standards / f"{name}.yaml"))
    drawn = random.Random(f"mutants of {name}").sample(every, min(DRAWN, len(every)))
    survivors = [str(m) for m in drawn if bench.outcome(m) == SURVIVED and not equivalent(m)]
    assert survivors == []


def equivalent(mutant: Mutant) -> bool:
    """Whether a mutant says the same as the policy: a change to an input that no decision reads."""
    changed = mutant.text.split("\n")[mutant.line - 1]
    return mutant.policy == "us-reg-b-notice" and "gross_revenue_prior_year_usd" in changed


POLICY = """\
policy: p
on missing: refer
inputs:
  n: {type: number, range: '[0..10]', optional: true}
  kind: {values: [a, b, c], optional: true}
segmentation:
  size:
    description: not 5
    values: [low, high]
    table: |
      first | n        | kind || size
      R1    | [2..3.5) | "a"  || low
      R2    | -        | -    || high
  due:
    type: boolean
    value: |-
      kind = "a" and get or else(n, 0) > 5
      or not(kind != "b") and date("2026-12-31") = null
  size 2:
    values: [low, high]
    rules:
      - rule: S1
        when: n <= 7                     # not 8
        then: low
      - otherwise: high
"""


def test_what_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(POLICY, encoding="utf-8")
    found = {(m.line, m.before, m.after) for m in mutants(path)}
    assert found == {
        (2, "refer", "skip"),
        (4, "0", "-1"), (4, "0", "1"), (4, "10", "9"), (4, "10", "11"), (4, "[", "("), (4, "]", ")"),
        (4, "optional: true", "optional: false"), (5, "optional: true", "optional: false"),
        (12, "2", "1"), (12, "2", "3"), (12, "3.5", "3.4"), (12, "3.5", "3.6"), (12, "[", "("), (12, ")", "]"),
        (12, "[2..3.5)", "-"), (12, '"a"', '"b"'), (12, '"a"', "-"), (12, "low", "high"), (13, "high", "low"),
        (17, "=", "!="), (17, '"a"', '"b"'), (17, "and", "or"), (17, "0", "-1"), (17, "0", "1"), (17, ">", ">="),
        (17, "5", "4"), (17, "5", "6"),
        (18, "or", "and"), (18, "not", ""), (18, '"b"', '"c"'), (18, "and", "or"),
        (18, '"2026-12-31"', '"2026-12-30"'), (18, '"2026-12-31"', '"2027-01-01"'), (18, "=", "!="),
        (23, "<=", "<"), (23, "7", "6"), (23, "7", "8"), (24, "low", "high"), (25, "high", "low"),
    }


def test_a_mutant_is_the_policy_but_for_one_place(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(POLICY, encoding="utf-8")
    lines = POLICY.split("\n")
    for mutant in mutants(path):
        changed = [n for n, (a, b) in enumerate(zip(lines, mutant.text.split("\n"), strict=True), 1) if a != b]
        assert changed == [mutant.line]
