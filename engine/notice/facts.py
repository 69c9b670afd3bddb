"""The policy's values that a letter may show: inputs and outcomes by their names, `offer.amount` included."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.explain.plan import Plan
from engine.ir import nodes as ir
from engine.ir.reads import reason_sources, walk
from engine.records import Record
from engine.semantics.dtypes import Type


class Fact(Record):
    """An input (`decision` is "") or an outcome, or one of several outputs of a decision."""

    name: str
    type: Type
    decision: str = ""
    member: str = ""
    percent: bool = False


def facts(plan: Plan) -> dict[str, Fact]:
    """All of them by name."""
    program = plan.program
    found = {i.name: Fact(i.name, i.type) for i in program.inputs if not i.previous}
    for name in program.declared:
        decision = plan.decisions[name]
        if decision.internal:
            continue
        if isinstance(decision, ir.Decide) and decision.members:
            for member, kind in decision.members:
                percent = plan.member_percent(decision, member)
                found[f"{name}.{member}"] = Fact(f"{name}.{member}", kind, name, member, percent)
        else:
            found[name] = Fact(name, decision.type, name, "", plan.decision_percent(name))
    return found


def value_of(fact: Fact, values: Mapping[str, Any], inputs: Mapping[str, Any]) -> Any:
    """The customer's value, None where there is none."""
    if not fact.decision:
        return inputs.get(fact.name)
    outcome = values.get(fact.decision)
    return outcome.get(fact.member) if fact.member and isinstance(outcome, dict) else outcome


def guarded(program: ir.Program) -> dict[str, str]:
    """The inputs that no letter may show, with what they are."""
    return {
        i.name: "personal" if i.personal else "protected" for i in program.inputs if i.personal or i.protected
    }


def shown(plan: Plan, node: ir.Node) -> Iterator[tuple[str, Type]]:
    """The inputs whose own values an expression shows, through values that are computed from them, and their types.

    What a rule or a scorecard made of an input is a judgment, and no longer the input.
    """
    seen: set[str] = set()
    stack = [node]
    while stack:
        for inner in walk(stack.pop()):
            if isinstance(inner, ir.Input):
                yield inner.name, inner.type
            elif isinstance(inner, ir.Ref) and inner.name not in seen:
                seen.add(inner.name)
                decision = plan.decisions[inner.name]
                if isinstance(decision, ir.Decide) and decision.hit == "value":
                    stack.extend(expression for arm in decision.arms for _, expression in arm.outcome)


def codes_behind(program: ir.Program, decision: ir.Decision) -> list[str]:
    """The reason codes that a decision can give, those of the decisions it takes reasons from included."""
    decisions = {d.name: d for d in program.decisions}
    codes: dict[str, None] = {}
    seen: set[str] = set()
    stack = [decision]
    while stack:
        current = stack.pop()
        if current.name in seen:
            continue
        seen.add(current.name)
        for source in reason_sources(current):
            if not source.inherited:
                codes[source.name] = None
            elif source.name in decisions:
                stack.append(decisions[source.name])
    return [r.code for r in program.reasons if r.code in codes]
