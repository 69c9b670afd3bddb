"""The verifier takes what lowering makes, and refuses programs that break an invariant."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.ir import nodes as ir
from engine.ir.verify import InvariantError, verify
from engine.policy import load_policy
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type

CORPUS = Path(__file__).resolve().parent.parent / "corpus" / "good"
BOOLEAN = Type(dt.BOOLEAN)


def program() -> ir.Program:
    return load_policy(CORPUS / "rules-first.yaml").program


def with_guard(guard: ir.Node) -> ir.Program:
    """The program with another condition in its first rule."""
    made = program()
    (decision,) = made.decisions
    assert isinstance(decision, ir.Decide)
    arm = decision.arms[0].replace(guard=guard, parts=(guard,))
    return made.replace(decisions=(decision.replace(arms=(arm, *decision.arms[1:])),))


def renamed(made: ir.Program) -> ir.Program:
    return made.replace(declared=(*made.declared, "nothing"))


def twice(made: ir.Program) -> ir.Program:
    return made.replace(decisions=(*made.decisions, made.decisions[0]))


def hit(made: ir.Program) -> ir.Program:
    return made.replace(decisions=(made.decisions[0].replace(hit="last"),))


def reason(made: ir.Program) -> ir.Program:
    (decision,) = made.decisions
    assert isinstance(decision, ir.Decide)
    arm = decision.arms[0].replace(reasons=(ir.ReasonSource("R9"),))
    return made.replace(decisions=(decision.replace(arms=(arm, *decision.arms[1:])),))


NUMBER = Type(dt.NUMBER)
ONE = ir.Const("one", NUMBER, None, 1, "1")
FAULTS = {
    "reads the unknown input": ir.Input("g", BOOLEAN, None, "nobody"),
    "is not decided before": ir.Ref("g", BOOLEAN, None, "segment"),
    "nothing binds": ir.Local("g", BOOLEAN, None, "x"),
    "unknown history": ir.IsNull("g", BOOLEAN, None, ir.Relation("h", Type(dt.RELATION, True), None, "loans")),
    "unknown parameter": ir.Parameter("g", BOOLEAN, None, "rate"),
    "is a condition of type number": ONE,
    "has no type": ir.Not("g", BOOLEAN, None, ir.Input("i", Type(dt.ANY), None, "years")),
    "has no id": ir.Const("", BOOLEAN, None, True),
    "is null and not nullable": ir.Const("g", BOOLEAN, None, None),
    "names two nodes": ir.Compare("g", BOOLEAN, None, "<", ONE, ONE.replace(value=2)),
    "compares by": ir.Compare("g", BOOLEAN, None, "==", ONE, ONE),
    "has a tolerance": ir.Compare("g", BOOLEAN, None, "<", ONE, ONE, "plain", 1e-12),
    "joins nothing": ir.And("g", BOOLEAN, None, ()),
    "unknown operation": ir.Call("g", BOOLEAN, None, "frobnicate", (ONE,)),
    "which is for bare FEEL": ir.Lambda("g", BOOLEAN, None, (), ONE),
}


@pytest.mark.parametrize("told", FAULTS)
def test_a_faulty_node_is_refused(told: str) -> None:
    with pytest.raises(InvariantError, match=told):
        verify(with_guard(FAULTS[told]))


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ("is declared and not", renamed),
        ("name of two decisions", twice),
        ("hit policy", hit),
        ("the reason `R9`", reason),
    ],
)
def test_a_faulty_program_is_refused(told: str, fault: Callable[[ir.Program], ir.Program]) -> None:
    verify(program())
    with pytest.raises(InvariantError, match=told):
        verify(fault(program()))


def over_x(id: str) -> ir.Node:
    """A test of the local `x`."""
    return ir.Compare(id, BOOLEAN, None, ">", ir.Local(f"{id}/x", NUMBER, None, "x"), ONE)


def test_locals_are_bound_where_they_stand() -> None:
    let = ir.Let("let", BOOLEAN, None, "x", ONE, over_x("in"))
    verify(with_guard(let))
    with pytest.raises(InvariantError, match="nothing binds"):
        verify(with_guard(ir.And("and", BOOLEAN, None, (let, over_x("out")))))
