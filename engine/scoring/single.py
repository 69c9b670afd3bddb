"""Scores for one customer: decide what is asked, ask, and put the answers among the inputs."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.calling import CallFailed
from engine.hookspecs import Score
from engine.ir import nodes as ir
from engine.ir.door import raw_input
from engine.records import Record
from engine.scoring.bound import Bound, taken, taken_reasons

#: Decides the named decisions over inputs; None where the customer is refused.
Decider = Callable[[Mapping[str, Any], Sequence[str]], "Mapping[str, Any] | None"]


class Scored(Record):
    """What came of a model for one customer.

    `state` is "given" (with the data), "answered", "not asked" (an input is missing), "failed" or "unbound"; `failure`
    says why it failed, in words that may be shown. `kind` and `version` are the scorer's, "" where none was asked.
    """

    decision: str
    model: str
    state: str
    kind: str
    version: str
    inputs: Mapping[str, Any]
    value: Any
    reasons: tuple[str, ...]
    failure: str | None


def with_answers(
    program: ir.Program, wanted: Sequence[Sequence[ir.ModelDecl]], inputs: Mapping[str, Any],
    bound: Mapping[str, Bound], decide: Decider,
) -> tuple[dict[str, Any], tuple[Scored, ...]]:
    """The inputs with the answers of the `wanted` models, stage by stage, and what came of each. A refused customer
    is not scored."""
    declared = {d.name: d for d in program.inputs if d.model}
    given = {name: raw_input(decl, inputs) for name, decl in declared.items()}
    found = dict(inputs)
    told: list[Scored] = []
    for stage in wanted:
        names = [name for model in stage for _, name in model.args]
        asked = decide(found, names) if names else {}
        if asked is None:
            return dict(inputs), ()
        for model in stage:
            args = {key: asked[name] for key, name in model.args}
            if given[model.answer] is not None or given[model.failed] is not None:
                reasons = tuple(reason for reason, flag in model.reasons if given[flag] is True)
                failure = "the data say so" if given[model.failed] is True else None
                scored = Scored(
                    model.decision, model.model, "given", "", "", args, given[model.answer], reasons, failure
                )
            else:
                scored = score(model, args, bound.get(model.model))
                found[model.answer] = scored.value
            told.append(scored)
            found[model.failed] = scored.failure is not None
            found.update((flag, reason in scored.reasons) for reason, flag in model.reasons)
    return found, tuple(told)


def score(model: ir.ModelDecl, args: Mapping[str, Any], bound: Bound | None) -> Scored:
    """Ask a model's scorer for one customer."""
    if bound is None:
        return Scored(model.decision, model.model, "unbound", "", "", args, None, (), None)
    state, value, failure = "answered", None, None
    reasons: tuple[str, ...] = ()
    if not model.with_missing and any(v is None for v in args.values()):
        state = "not asked"
    else:
        try:
            answer = bound.one(args)
            if not isinstance(answer, Score):
                raise CallFailed("it gave no `Score`")
            value, reasons = taken(model, answer.value), taken_reasons(bound, answer.reasons)
        except CallFailed as problem:
            state, value, reasons, failure = "failed", None, (), problem.text
    return Scored(model.decision, model.model, state, bound.kind, bound.version, args, value, reasons, failure)


def recorded(
    scored: Scored, model: ir.ModelDecl, bound: Bound | None, failure: str | None, reasons: Sequence[str]
) -> Scored:
    """What came of a model whose answer stands with the data, since its scorer was asked for it earlier in the run."""
    if bound is None:
        return scored.replace(state="unbound", value=None, failure=None, reasons=())
    state = "answered" if failure is None else "failed"
    if not model.with_missing and any(v is None for v in scored.inputs.values()):
        state = "not asked"
    return scored.replace(
        state=state, kind=bound.kind, version=bound.version, value=taken(model, scored.value),
        reasons=tuple(reasons), failure=failure,
    )
