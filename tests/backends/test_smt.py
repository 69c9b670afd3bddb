"""The solver: every customer that it finds is decided by the reference, and what it rules out stays out."""
from __future__ import annotations

import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine.backends.reference.program import decide
from engine.backends.smt.questions import NEVER, POSSIBLE, UNKNOWN, Answer, can_be_true, rules
from engine.backends.support import Unsupported
from engine.ir import nodes as ir
from engine.ir.reads import cone
from engine.policy import Policy, load_policy
from tests.differential.customers import CustomerMaker

AS_OF = datetime.date(2026, 7, 1)


def policy_of(folder: Path, rest: str) -> Policy:
    path = folder / "policy.yaml"
    head = 'policy: asked\nversion: "1"\neffective: {from: 2020-01-01}\nowner: tests\non missing: refer\n'
    path.write_text(head + rest, "utf-8")
    return load_policy(path)


def guard_holds(program: ir.Program, name: str, rule: str, inputs: dict[str, Any], as_of: datetime.date) -> bool:
    """Whether the reference finds the guard true for a customer that the door admits."""
    trace = decide(program, inputs, {}, as_of, cone(program, [name]))
    assert not trace.faults or trace.evaluator is not None, trace.faults
    assert trace.evaluator is not None
    decision = next(d for d in program.decisions if d.name == name)
    assert isinstance(decision, ir.Decide)
    evaluator = trace.evaluator
    evaluator.locals.clear()
    for local, node in decision.where:
        evaluator.locals[local] = evaluator.evaluate(node)
    return evaluator.evaluate(next(a for a in decision.arms if a.rule == rule).guard) is True


def answers(program: ir.Program) -> dict[tuple[str, str], Answer]:
    """An answer for each rule that the solver takes, those that always hold left out."""
    found = {}
    for decision in program.decisions:
        for rule in rules(decision):
            try:
                found[decision.name, rule] = can_be_true(program, decision.name, rule, patience=5_000)
            except Unsupported:
                break
    return found


def test_what_can_be_true_and_what_never() -> None:
    program = load_policy(Path(__file__).parent / "questions.yaml").program
    decision = next(d for d in program.decisions if d.name == "asked")
    assert isinstance(decision, ir.Decide)
    found = answers(program)
    assert {r: found["asked", r].verdict for r in rules(decision)} == {
        a.rule: a.outcome[0][1].value for a in decision.arms if isinstance(a.outcome[0][1], ir.Const)
    }
    for (name, rule), answer in found.items():
        if answer.verdict == POSSIBLE:
            assert answer.inputs is not None and answer.as_of is not None
            assert guard_holds(program, name, rule, answer.inputs, answer.as_of), (name, rule, answer)


def test_the_answers_about_real_policies(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [shared / "design" / "examples" / "bench.yaml", *sorted((shared / "semantics" / "policies").glob("*.yaml"))]
    counts = {POSSIBLE: 0, NEVER: 0, UNKNOWN: 0}
    asked, faults = 0, []
    for path in paths:
        policy = load_policy(path)
        found = answers(policy.program)
        asked += bool(found)
        maker = CustomerMaker(policy, Random(path.stem), wild=False)
        some_never = any(a.verdict == NEVER for a in found.values())
        customers = [maker.make()["inputs"] for _ in range(30)] if some_never else []
        for (name, rule), answer in found.items():
            counts[answer.verdict] += 1
            if answer.verdict == POSSIBLE:
                assert answer.inputs is not None and answer.as_of is not None
                if not guard_holds(policy.program, name, rule, answer.inputs, answer.as_of):
                    faults.append(f"{path.name} {name} {rule}: {answer}")
            elif answer.verdict == NEVER:
                met_by = [c for c in customers if met(policy, name, rule, c)]
                faults += [f"{path.name} {name} {rule}: never, but {c}" for c in met_by]
    with capsys.disabled():
        print(f"\nsmt: {asked} of {len(paths)} policies asked, {sum(counts.values())} rules: {counts}")
    assert faults == []
    assert counts[POSSIBLE] >= 150


def met(policy: Policy, name: str, rule: str, customer: dict[str, Any]) -> bool:
    trace = decide(policy.program, customer, {}, AS_OF, cone(policy.program, [name]))
    return trace.evaluator is not None and guard_holds(policy.program, name, rule, customer, AS_OF)


def test_what_is_left_out_is_named_with_its_place(tmp_path: Path) -> None:
    program = policy_of(tmp_path, """
inputs:
  d: {type: date}
service:
  checked:
    values: [x, y]
    rules:
      - {rule: R1, when: 'd.year > 2020', then: x}
      - {otherwise: y}
""").program
    with pytest.raises(Unsupported) as caught:
        can_be_true(program, "checked", "R1")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E0801" and diagnostic.message == "the solver does not carry out `.year`"
    assert diagnostic.span is not None and diagnostic.span.line == 13


def test_an_unknown_rule_is_a_key_error(tmp_path: Path) -> None:
    program = policy_of(tmp_path, "service:\n  x: {type: number, value: '1 + 1'}\n").program
    with pytest.raises(KeyError):
        can_be_true(program, "x", "nothing")
