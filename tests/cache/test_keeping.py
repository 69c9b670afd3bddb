"""A loaded policy that was kept is the policy that was loaded."""
from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from engine import cache, commands
from engine.functions import functions_of
from engine.ir import nodes as ir
from engine.ir.stored import Unstorable, pack, unpack
from engine.keeping import keep, kept
from engine.policy import Policy, PolicyError, load_policy
from engine.records import Record

AS_OF = datetime.date(2026, 7, 1)
OTHER = """\
policy: other
version: "1"
effective: {from: 2026-01-01}
owner: tests
on missing: skip
inputs:
  id: {type: string, key: true}
  amount: {type: number, optional: true}
risk:
  tier:
    values: [A, B]
    order: best first
    rules: |
      id | when                            || then
      T1 | amount > 1 / 3                  || A
      T2 | otherwise                       || B
"""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIERWISE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    Path("policy.yaml").write_text(OTHER, "utf-8")
    return tmp_path


def same(a: Any, b: Any) -> bool:
    """Whether two programs are one, types of values and spans of places included."""
    if type(a) is not type(b):
        return False
    if isinstance(a, ir.Place):
        return (a.start, a.end, a.text, a.span) == (b.start, b.end, b.text, b.span)
    if isinstance(a, Record):
        return all(same(getattr(a, name), getattr(b, name)) for name in a._fields)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[name], b[name]) for name in a)
    return bool(a == b)


def through(program: ir.Program) -> ir.Program:
    return unpack(json.loads(json.dumps(pack(program))), functions_of("."))


def programs(folder: Path) -> list[ir.Program]:
    found = []
    for path in sorted(folder.rglob("*.yaml")):
        try:
            found += [version.program for version in load_policy(path).versions]
        except PolicyError:
            continue                        # a part of a test, or one that is to be refused
    return found


def test_programs_survive_storing(root: Path) -> None:
    found = [*programs(root / "policies"), *programs(root / "benchmarks"), *programs(root / "tests" / "differential")]
    assert len(found) >= 2
    for program in found:
        assert same(program, through(program)), program.name


def test_the_given_cases_survive_storing(shared: Path) -> None:
    found = programs(shared / "semantics" / "policies")
    assert len(found) > 50
    for program in found:
        assert same(program, through(program)), program.name


def test_a_kept_policy_decides_and_explains_alike(work: Path) -> None:
    loaded = load_policy("policy.yaml")
    keep("policy.yaml", loaded)
    again = kept("policy.yaml")
    assert again is not None
    assert again.diagnostics == loaded.diagnostics
    for amount in (None, 0.0, 1 / 3, 5):
        first, second = (p.decide({"id": "1", "amount": amount}, as_of=AS_OF) for p in (loaded, again))
        assert first.values == second.values
        assert first.explain(format="json") == second.explain(format="json")


def test_a_changed_policy_is_loaded_anew(work: Path) -> None:
    keep("policy.yaml", load_policy("policy.yaml"))
    Path("policy.yaml").write_text(OTHER.replace("1 / 3", "2 / 3"), "utf-8")
    assert kept("policy.yaml") is None


def test_findings_and_policies_are_kept_apart(work: Path) -> None:
    keep("policy.yaml", load_policy("policy.yaml"))
    assert cache.recall("policy.yaml") is None


def test_a_policy_that_was_not_loaded_from_a_file_is_not_kept(work: Path) -> None:
    loaded = load_policy("policy.yaml")
    keep("policy.yaml", Policy(loaded.versions))
    assert kept("policy.yaml") is None


def run(*args: str) -> str:
    done = CliRunner().invoke(commands.group, list(args), standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.stdout


def test_a_command_keeps_what_it_loaded(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("rows.csv").write_text("id,amount\n1,2\n2,\n", "utf-8")
    first = run("run", "policy.yaml", "rows.csv", "--as-of", "2026-07-01")
    assert kept("policy.yaml") is not None

    def refuse(path: str) -> Policy:
        raise AssertionError(f"{path} was loaded again")

    monkeypatch.setattr("engine.commands.loading.load_policy", refuse)
    assert run("run", "policy.yaml", "rows.csv", "--as-of", "2026-07-01") == first


@pytest.mark.parametrize("damage", [
    lambda more: [], lambda more: [["2026-01-01", "never", more[0][2]]], lambda more: [more[0][:2]],
    lambda more: [[*more[0][:2], [[], [], []]]], lambda more: [[*more[0][:2], [*more[0][2][:2], more[0][2][2][:-1]]]],
    lambda more: [[*more[0][:2], json.loads(json.dumps(more[0][2]).replace('">"', '"is"'))]],
    lambda more: [[*more[0][:2], json.loads(json.dumps(more[0][2]).replace('"Compare"', '"Comparer"'))]],
], ids=["nothing", "a day", "a part", "empty", "no program", "an operator", "a class"])
def test_what_never_was_a_program_is_not_used(work: Path, damage: Callable[[Any], Any]) -> None:
    loaded = load_policy("policy.yaml")
    assert loaded.reads is not None
    day = ["2026-01-01", "2026-12-31"]
    good = [[*day, pack(loaded.program)]]
    cache.remember("policy.yaml", loaded.reads, (), {}, "policy", good)
    assert kept("policy.yaml") is not None
    cache.remember("policy.yaml", loaded.reads, (), {}, "policy", damage(good))
    assert kept("policy.yaml") is None


def test_a_value_without_a_stored_form_is_told(work: Path) -> None:
    program = load_policy("policy.yaml").program
    parameter = ir.ParameterDecl("p", program.inputs[0].type, (ir.ParameterRow(AS_OF, None, 0, object(), None),))  # type: ignore[arg-type]
    with pytest.raises(Unstorable):
        pack(program.replace(parameters=(parameter,)))
