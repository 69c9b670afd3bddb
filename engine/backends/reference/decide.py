"""How arms become an outcome under each hit policy, and when a decision is open.

The table of openness is the language's heart: a guard that is null does not match,
and where it could have changed what was given the decision is open, so that missing
data never passes for good data.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.backends.reference.expressions import best_to_worst
from engine.backends.reference.nulls import NOTHING, Origins, joined
from engine.ir import nodes as ir
from engine.semantics.folds import fold

if TYPE_CHECKING:
    from engine.backends.reference.program import ProgramEvaluator


class ArmTrace(NamedTuple):
    """One arm tried: `state` is true, false or None (undetermined); `value` its outcome where matched."""

    arm: ir.Arm
    state: bool | None
    value: Any
    origins: Origins = NOTHING


class BinTrace(NamedTuple):
    """One characteristic tried: its value, the bin that held (None: no bin) and the points lost."""

    characteristic: ir.Characteristic
    value: Any
    bin: ir.Bin | None
    lost: float
    origins: Origins = NOTHING


class Outcome(NamedTuple):
    """What one decision gave and why.

    `winners` are the arms that fired. `behind` says what stands behind an open decision or a null.
    `could_be` are the further outcomes an open decision could have had, None where they are unknown.
    `conflict` explains a null of `unique` or `any`. `refuses`: open under `on missing: refuse`.
    """

    decision: ir.Decision
    value: Any
    fired: tuple[str, ...]
    reasons: tuple[str, ...]
    open: bool
    refuses: bool
    behind: Origins
    could_be: tuple[Any, ...] | None = None
    arms: tuple[ArmTrace, ...] = ()
    bins: tuple[BinTrace, ...] = ()
    conflict: str = ""


class Draft(NamedTuple):
    """A hit policy's finding before `on missing` acts.

    `value` is what matched gives, `winners` the arms behind it, `openers` the undetermined arms that
    could change it, `doubtful` the matched arms whose computed outcome is null and could change it.
    """

    value: Any
    winners: tuple[ArmTrace, ...]
    openers: tuple[ArmTrace, ...]
    conflict: str = ""
    doubtful: tuple[ArmTrace, ...] = ()


def decide_arms(evaluator: ProgramEvaluator, decision: ir.Decide) -> Outcome:
    """Try a decision's arms and give its outcome."""
    traces = try_arms(evaluator, decision)
    draft = POLICIES[decision.hit](decision, traces)
    null_behind = _null_results(evaluator, decision, draft)
    openers = draft.openers
    behind = joined([t.origins for t in openers] + [null_behind])
    is_open = bool(openers) or null_behind.names
    action = decision.on_missing.action
    if not is_open or action == "skip":
        fired = tuple(t.arm.rule for t in draft.winners) if decision.hit != "value" else ()
        reasons = gather(evaluator, decision, draft.winners)
        value_behind = behind if _has_null(decision, draft.value) else NOTHING
        if decision.hit == "value" and isinstance(draft.value, (list, dict)):
            # A list may hold nulls that its readers then meet.
            value_behind = evaluator.within(decision.arms[0].outcome[0][1])
        return Outcome(
            decision, draft.value, fired, reasons, False, False, value_behind, None, traces, (), draft.conflict
        )
    value = given(decision, draft)
    winners = tuple(t for t in draft.winners if _fires_open(decision, t, value))
    reserved = ir.MISSING if behind.missing else ir.UNDEFINED
    reasons = with_reserved(gather(evaluator, decision, winners), reserved)
    return Outcome(
        decision,
        value,
        tuple(t.arm.rule for t in winners) if decision.hit != "value" else (),
        reasons,
        True,
        action == "refuse",
        behind,
        _could_be(decision, draft),
        traces,
        (),
        draft.conflict,
    )


def try_arms(evaluator: ProgramEvaluator, decision: ir.Decide) -> tuple[ArmTrace, ...]:
    """Guards in order, until the first match where only that counts."""
    traces = []
    for arm in decision.arms:
        state = evaluator.evaluate(arm.guard)
        value = outcome_value(evaluator, decision, arm) if state is True else None
        origins = evaluator.origins(arm.guard) if state is None else NOTHING
        traces.append(ArmTrace(arm, state, value, origins))
        if state is True and decision.hit == "first":
            break
    return tuple(traces)


def outcome_value(evaluator: ProgramEvaluator, decision: ir.Decide, arm: ir.Arm) -> Any:
    if is_single(arm.outcome):
        return evaluator.evaluate(arm.outcome[0][1])
    return {name: evaluator.evaluate(node) for name, node in arm.outcome}


def is_single(outcome: Sequence[tuple[str, ir.Node]]) -> bool:
    return len(outcome) == 1 and outcome[0][0] == ""


# --- hit policies -----------------------------------------------------------------


def _value(decision: ir.Decide, traces: tuple[ArmTrace, ...]) -> Draft:
    return Draft(traces[0].value, traces, ())


def _first(decision: ir.Decide, traces: tuple[ArmTrace, ...]) -> Draft:
    winner = traces[-1] if traces and traces[-1].state is True else None
    undetermined = [t for t in traces if t.state is None]
    if winner is None:
        return Draft(nothing(decision), (), tuple(undetermined))
    return Draft(winner.value, (winner,), tuple(t for t in undetermined if differs(t.arm, winner.arm)))


def _unique(decision: ir.Decide, traces: tuple[ArmTrace, ...]) -> Draft:
    matched = [t for t in traces if t.state is True]
    if len(matched) == 1:
        return Draft(matched[0].value, (matched[0],), ())
    if matched:
        rules = ", ".join(t.arm.rule for t in matched)
        return Draft(nothing(decision), (), (), f"{rules} matched where at most one may")
    return Draft(nothing(decision), (), _undetermined(traces))


def _any(decision: ir.Decide, traces: tuple[ArmTrace, ...]) -> Draft:
    matched = [t for t in traces if t.state is True]
    if not matched:
        return Draft(nothing(decision), (), _undetermined(traces))
    if all(t.value == matched[0].value for t in matched):
        return Draft(matched[0].value, tuple(matched), ())
    rules = ", ".join(t.arm.rule for t in matched)
    return Draft(nothing(decision), (), (), f"{rules} matched with differing outcomes", _doubtful(matched))


def _worst(decision: ir.Decide, traces: tuple[ArmTrace, ...]) -> Draft:
    return _ranked(decision, traces, worst_first(decision))


def _priority(decision: ir.Decide, traces: tuple[ArmTrace, ...]) -> Draft:
    return _ranked(decision, traces, decision.type.values or ())


def _ranked(decision: ir.Decide, traces: tuple[ArmTrace, ...], scale: Sequence[str]) -> Draft:
    """The matched outcome that stands first in `scale`; `otherwise` counts where nothing matched."""
    matched = _matched_or_otherwise(traces)
    undetermined = _undetermined(traces)
    known = [t for t in matched if t.value is not None]
    if not matched or not known:
        return Draft(nothing(decision), tuple(matched), undetermined)
    value = min((t.value for t in known), key=scale.index)
    winners = tuple(t for t in matched if t.value == value)
    doubtful: tuple[ArmTrace, ...] = ()
    if winners[0].arm.otherwise:
        openers = tuple(t for t in undetermined if t.arm.is_computed or constant(t.arm) != value)
    else:
        reach = scale.index(value)
        doubtful = _doubtful(matched) if reach > 0 else ()
        openers = tuple(
            t for t in undetermined if (reach > 0 if t.arm.is_computed else _before(scale, constant(t.arm), reach))
        )
    return Draft(value, winners, openers, "", doubtful)


def _doubtful(matched: Sequence[ArmTrace]) -> tuple[ArmTrace, ...]:
    return tuple(t for t in matched if t.arm.is_computed and t.value is None)


def _before(scale: Sequence[str], value: Any, reach: int) -> bool:
    """Whether an outcome would win over the one at `reach`; an empty one never does."""
    return value is not None and scale.index(value) < reach


def _collect(decision: ir.Decide, traces: tuple[ArmTrace, ...]) -> Draft:
    matched = _matched_or_otherwise(traces)
    return Draft([t.value for t in matched], tuple(matched), _undetermined(traces))


def _output_order(decision: ir.Decide, traces: tuple[ArmTrace, ...]) -> Draft:
    scale = list(decision.type.item.values or ()) if decision.type.item else []
    matched = _matched_or_otherwise(traces)
    values = sorted((t.value for t in matched), key=lambda v: scale.index(v) if v in scale else len(scale))
    return Draft(values, tuple(matched), _undetermined(traces))


def _aggregate(op: str) -> Callable[[ir.Decide, tuple[ArmTrace, ...]], Draft]:
    def draft(decision: ir.Decide, traces: tuple[ArmTrace, ...]) -> Draft:
        matched = _matched_or_otherwise(traces)
        return Draft(fold(op, [t.value for t in matched]), tuple(matched), _undetermined(traces))

    return draft


POLICIES: dict[str, Callable[[ir.Decide, tuple[ArmTrace, ...]], Draft]] = {
    "value": _value,
    "first": _first,
    "worst": _worst,
    "unique": _unique,
    "any": _any,
    "priority": _priority,
    "collect": _collect,
    "rule order": _collect,
    "output order": _output_order,
    "collect sum": _aggregate("sum"),
    "collect min": _aggregate("min"),
    "collect max": _aggregate("max"),
    "collect count": _aggregate("count"),
}
LISTS = frozenset({"collect", "rule order", "output order"})
AGGREGATES = frozenset({"collect sum", "collect min", "collect max", "collect count"})


def _undetermined(traces: Sequence[ArmTrace]) -> tuple[ArmTrace, ...]:
    return tuple(t for t in traces if t.state is None)


def _matched_or_otherwise(traces: Sequence[ArmTrace]) -> list[ArmTrace]:
    matched = [t for t in traces if t.state is True and not t.arm.otherwise]
    return matched or [t for t in traces if t.state is True]


def worst_first(decision: ir.Decide) -> tuple[str, ...]:
    return tuple(reversed(best_to_worst(decision.type) or ()))


def constant(arm: ir.Arm) -> Any:
    """The outcome of an arm of plain data."""
    values = {name: node.value for name, node in arm.outcome if isinstance(node, ir.Const)}
    return values[""] if is_single(arm.outcome) else values


def differs(one: ir.Arm, other: ir.Arm) -> bool:
    """Whether two outcomes differ; a computed one differs from every other."""
    return one.is_computed or other.is_computed or constant(one) != constant(other)


def nothing(decision: ir.Decide) -> Any:
    """The outcome where nothing is given: null, or a null for each of several outputs."""
    return {name: None for name, _ in decision.members} if decision.members else None


# --- what an open decision gives -----------------------------------------------------


def given(decision: ir.Decide, draft: Draft) -> Any:
    """The value of an open decision under its `on missing`."""
    action = decision.on_missing.action
    if action == "then":
        return [decision.on_missing.outcome] if decision.hit in LISTS else decision.on_missing.outcome
    if action == "refuse":
        return nothing(decision)
    if decision.hit in LISTS:
        return draft.value
    if decision.members or "refer" not in (decision.type.values or ()):
        return nothing(decision)
    if decision.hit == "worst" and draft.value is not None:
        return min(("refer", draft.value), key=worst_first(decision).index)
    return "refer"


def _fires_open(decision: ir.Decide, trace: ArmTrace, value: Any) -> bool:
    """In an open decision an arm fires where its plain outcome is the one given."""
    if decision.hit in AGGREGATES:
        return False
    if decision.hit in LISTS:
        return decision.on_missing.action == "refer" or (not trace.arm.is_computed and trace.value in (value or ()))
    return not trace.arm.is_computed and value is not None and trace.value == value


def _null_results(evaluator: ProgramEvaluator, decision: ir.Decide, draft: Draft) -> Origins:
    """Behind the nulls of computed results; `names` is set where they leave the decision open."""
    found = []
    for trace in (*draft.winners, *draft.doubtful):
        for name, node in trace.arm.outcome:
            value = trace.value[name] if name and trace.value is not None else trace.value
            if value is None and not isinstance(node, ir.Const):
                found.append(evaluator.origins(node))
    return joined(found)


def _has_null(decision: ir.Decide, value: Any) -> bool:
    return value is None or (isinstance(value, dict) and any(v is None for v in value.values()))


def _could_be(decision: ir.Decide, draft: Draft) -> tuple[Any, ...] | None:
    """The outcomes that completing the data could give; None where one is computed."""
    arms = [t.arm for t in (*draft.openers, *draft.winners, *draft.doubtful)]
    if any(arm.is_computed for arm in arms):
        return None
    values: list[Any] = []
    for arm in arms:
        value = constant(arm)
        if value not in values:
            values.append(value)
    return tuple(values)


# --- reasons ---------------------------------------------------------------------------


def gather(evaluator: ProgramEvaluator, decision: ir.Decide, winners: Sequence[ArmTrace]) -> tuple[str, ...]:
    """The reasons of the arms that fired: arms by their lowest rank, then in their order."""
    lists = [evaluator.reasons_of(t.arm.reasons) for t in winners]
    lists.sort(key=lambda codes: min((evaluator.rank(c) for c in codes), default=float("inf")))
    return in_order(code for codes in lists for code in codes)


def in_order(codes: Any) -> tuple[str, ...]:
    """Each code once, reserved ones last."""
    unique = list(dict.fromkeys(codes))
    return tuple([c for c in unique if c not in ir.RESERVED] + [c for c in unique if c in ir.RESERVED])


def with_reserved(codes: tuple[str, ...], reserved: str) -> tuple[str, ...]:
    return in_order([*(c for c in codes if c != reserved), reserved])
