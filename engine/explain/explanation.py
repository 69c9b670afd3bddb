"""An explanation as data: why a customer got what they got.

The shape is stated by `schemas/explanation.schema.json` and only ever gains keys. Everything that does
not hang on the customer (texts, places, the names a condition reads) comes from `engine.explain.plan`;
here values are put in, with the evaluator that decided.
"""
from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from engine.backends.reference.decide import POLICIES, ArmTrace, BinTrace, Outcome
from engine.backends.reference.nulls import NOTHING, Origins
from engine.backends.reference.program import ProgramEvaluator, Trace
from engine.explain import ask, models, reasons
from engine.explain.plan import (
    GROUPS,
    LOCAL,
    ROWS,
    ArmPlan,
    CharacteristicPlan,
    DecisionPlan,
    PartPlan,
    Plan,
    Slot,
    part_text,
    plan_of,
)
from engine.explain.values import plain
from engine.ir import nodes as ir
from engine.ir.door import Fault

if TYPE_CHECKING:
    from engine.scoring.single import Scored

Json = dict[str, Any]

#: Changes only if a key changes its meaning.
VERSION = 1


def explain(
    program: ir.Program, trace: Trace, as_of: datetime.date, language: str = "en", personal: bool = False,
    scored: Iterable[Scored] = (),
) -> Json:
    """The explanation of one decided customer; ValueError for a language that neither the phrases nor the
    policy's reasons have. Personal inputs are hidden unless `personal`. `scored` is what came of the models."""
    plan = plan_of(program)
    reasons.check_language(plan, language)
    told: Json = {
        "version": VERSION,
        "policy": {
            "name": program.name, "version": program.version, "owner": program.owner,
            "from": plain(program.start), "to": plain(program.end), "currency": program.currency,
        },
        "as_of": as_of.isoformat(),
        "language": language,
        "customer": _customer(program, trace, personal),
        "refused": [_fault(plan, fault, personal) for fault in trace.faults],
        "outcomes": [],
        "reasons": [],
        "open": [],
        "missing": [],
        "assumed": [],
        "ask": [],
        "decisions": [],
    }
    if program.models:
        told["models"] = [models.told(plan, program, each, personal) for each in scored]
    if trace.evaluator is not None:
        _Explainer(plan, trace, trace.evaluator, personal).fill(told, language)
    return told


def _customer(program: ir.Program, trace: Trace, personal: bool) -> list[Json]:
    """The inputs that identify the customer, as far as they were read."""
    found = []
    for decl in program.inputs:
        if decl.key and trace.admitted.inputs.get(decl.name) is not None:
            hidden = decl.personal and not personal
            value = None if hidden else plain(trace.admitted.inputs[decl.name])
            told = {"name": decl.name, "value": value, "type": decl.type.kind}
            found.append({**told, "hidden": True} if hidden else told)
    return found


def _fault(plan: Plan, fault: Fault, personal: bool) -> Json:
    """A fault in words; of personal data the value that stands at its head is left out."""
    message = fault.message
    if fault.name in plan.personal and not personal:
        message = re.sub("^`.*`(?= is )", "`***`", message, flags=re.S)
    return {"name": fault.name, "message": message}


class _Explainer:
    def __init__(self, plan: Plan, trace: Trace, evaluator: ProgramEvaluator, personal: bool) -> None:
        self.plan = plan
        self.trace = trace
        self.evaluator = evaluator
        self.personal = personal
        self.order = {n: i for i, n in enumerate(
            [*(i.name for i in plan.program.inputs), *(h.name for h in plan.program.histories)]
        )}
        self.shared: dict[int, Json] = {}
        self.local: dict[int, Json] = {}

    def fill(self, told: Json, language: str) -> None:
        if self.evaluator.failures:
            told["failures"] = list(self.evaluator.failures)
        outcomes = self.trace.outcomes
        program = self.plan.program
        if self.trace.refused:
            # Only what refused is told: nothing else was decided.
            # A scorer's answer is told by its model, and of a source's data there is nothing to add.
            stops = {ir.ALWAYS: "", **{f"{m.answer}.answer": m.decision for m in program.models}}
            names = (stops.get(name, name) for name in self.trace.refused)
            told["decisions"] = [self.decision(outcomes[n]) for n in names if n in outcomes]
            return
        opened = [o for o in outcomes.values() if o.open]
        told["decisions"] = [self.decision(o) for o in outcomes.values()]
        outputs = [outcomes[n] for n in program.declared if n in outcomes and not outcomes[n].decision.internal]
        told["outcomes"] = [self.outcome(o) for o in outputs]
        told["reasons"] = reasons.told(self.plan, self.trace, self.evaluator, outputs, language, self.personal)
        told["open"] = [self.opened(o) for o in opened]
        missing = self.names(name for o in opened for name in o.behind.missing)
        told["missing"] = missing
        assumed = ask.assumed(program, self.trace, missing)
        told["assumed"] = [{"name": name, "by": list(readers)} for name, readers in assumed.items()]
        told["ask"] = [
            {"name": q.name, "settles": list(q.settles), "touches": list(q.touches)}
            for q in ask.questions(program, self.trace)
        ]

    def names(self, names: Iterable[str]) -> list[str]:
        """Inputs and histories in declared order, each once."""
        last = len(self.order)
        return sorted(set(names), key=lambda n: (self.order.get(n, last), n))

    # --- values ---------------------------------------------------------------------

    def values(self, slots: Sequence[Slot]) -> list[Json]:
        found = []
        for slot in slots:
            memo = self.local if slot.kind in LOCAL else self.shared
            told = memo.get(id(slot))
            if told is None:
                told = memo[id(slot)] = self.value(slot)
            found.append(told)
        return found

    def value(self, slot: Slot) -> Json:
        if slot.kind == "history":
            return self.rows(slot)
        told: Json = {"name": slot.name, "kind": slot.kind, "value": None, "type": slot.type}
        value = self.evaluator.evaluate(slot.node)
        if slot.hidden and not self.personal and value is not None:
            told["hidden"] = True
        else:
            told["value"] = _told(value, slot.type)
        if slot.percent:
            told["percent"] = True
        return told

    def rows(self, slot: Slot) -> Json:
        """An aggregate or a selection of a history: its value, the rows that counted and all visible ones."""
        node = slot.node
        visible = self.evaluator.relation(slot.history)
        told: Json = {"name": slot.name, "kind": "history", "history": slot.history, "value": None, "type": slot.type}
        if isinstance(node, ir.Fold):
            taken = self.evaluator.items(node.replace(value=None))
            told["value"] = plain(self.evaluator.evaluate(node))
        else:
            taken = self.evaluator.evaluate(node)
            told["value"] = None if taken is None else len(taken)
        told["rows"] = None if taken is None else len(taken)
        told["of"] = None if visible is None else len(visible)
        if slot.percent:
            told["percent"] = True
        return told

    # --- decisions -------------------------------------------------------------------

    def outcome(self, outcome: Outcome) -> Json:
        plan = self.plan.decision(outcome.decision.name)
        value = _told(outcome.value, plan.type)
        told: Json = {"name": plan.name, "value": value, "type": plan.type, "open": outcome.open}
        if plan.percent:
            told["percent"] = True
        return told

    def opened(self, outcome: Outcome) -> Json:
        decision = outcome.decision
        could_be = outcome.could_be
        return {
            "decision": decision.name,
            "gave": plain(outcome.value),
            "type": self.plan.decision(decision.name).type,
            "on_missing": decision.on_missing.action,
            "could_be": None if could_be is None else [plain(v) for v in could_be],
            "undetermined": _openers(outcome),
            **self.behind(outcome.behind),
        }

    def behind(self, origins: Origins) -> Json:
        """What is missing behind a null, and the expressions without a value for known data."""
        return {
            "missing": self.names(origins.missing),
            "undefined": list(dict.fromkeys(part_text(n) for n in origins.undefined)),
        }

    def decision(self, outcome: Outcome) -> Json:
        decision = outcome.decision
        plan = self.plan.decision(decision.name)
        self.local.clear()
        where = self.where(plan)
        told: Json = {
            "name": plan.name,
            "family": decision.family,
            "internal": decision.internal,
            "form": plan.form,
            "place": plan.place,
            "value": _told(outcome.value, plan.type),
            "type": plan.type,
            "open": outcome.open,
            "reasons": list(outcome.reasons),
        }
        if plan.percent:
            told["percent"] = True
        if where:
            told["where"] = where
        if outcome.open:
            told["on_missing"] = decision.on_missing.action
            told["could_be"] = None if outcome.could_be is None else [plain(v) for v in outcome.could_be]
        if outcome.behind != NOTHING:
            told.update(self.behind(outcome.behind))
        conflict = _conflict(outcome)
        if conflict is not None:
            told["conflict"] = conflict
        if isinstance(decision, ir.Score):
            told["base"] = decision.base
            told["characteristics"] = [
                self.characteristic(c, t) for c, t in zip(plan.characteristics, outcome.bins, strict=True)
            ]
        elif decision.hit == "value":
            told.update(self.expression(plan, decision.arms[0]))
        else:
            told["fired"] = list(outcome.fired)
            fired = set(outcome.fired)
            matched = any(t.state is True and not t.arm.otherwise for t in outcome.arms)
            told["rules"] = [
                self.rule(plan, decision, trace, trace.arm.rule in fired, matched) for trace in outcome.arms
            ]
            told["not_tried"] = [arm.rule for arm in decision.arms[len(outcome.arms):]]
        return told

    def where(self, plan: DecisionPlan) -> list[Json]:
        """The local facts of a decision; the evaluator's locals are set to them as a side effect."""
        evaluator = self.evaluator
        evaluator.locals.clear()
        found: list[Json] = []
        for name, part, kind, percent in plan.where:
            value = evaluator.evaluate(part.node)
            evaluator.locals[name] = value
            told: Json = {"name": name, "text": part.text, "value": _told(value, kind), "type": kind}
            told["values"] = self.values(part.slots)
            if percent:
                told["percent"] = True
            found.append(told)
        return found

    def expression(self, plan: DecisionPlan, arm: ir.Arm) -> Json:
        results = plan.arms[arm.rule].results
        if not results:
            return {"text": "", "values": []}
        return {"text": results[0].text, "values": self.values(results[0].slots)}

    def rule(self, plan: DecisionPlan, decision: ir.Decide, trace: ArmTrace, fired: bool, matched: bool) -> Json:
        """`matched`: some other rule than an `otherwise` did, so that none of these counts."""
        arm = trace.arm
        arm_plan = plan.arms[arm.rule]
        state = False if arm.otherwise and matched else trace.state
        told: Json = {"rule": arm.rule, "state": STATES[state], "fired": fired, "text": arm_plan.text}
        if arm.otherwise:
            told["otherwise"] = True
        told["place"] = arm_plan.place
        told["because"] = self.because(arm_plan, state)
        if state is True:
            told["outcome"] = plain(trace.value)
            if arm_plan.results:
                told["computed"] = [self.part(p) for p in arm_plan.results]
        elif state is None:
            told.update(self.behind(trace.origins))
            told["outcome"] = None if arm.is_computed else _constant(decision, arm)
            told["is_computed"] = arm.is_computed
        return told

    def because(self, plan: ArmPlan, state: bool | None) -> list[Json]:
        """The conditions that tell: all of a rule that matched, the first that failed, those that are undetermined."""
        if state is True:
            return [self.part(p) for p in plan.shown]
        if state is False:
            if len(plan.parts) == 1:
                return [self.part(plan.parts[0])]
            evaluate = self.evaluator.evaluate
            failing = next((p for p in plan.parts if evaluate(p.node) is False), None)
            return [] if failing is None else [self.part(failing)]
        unknown = {p.text: p for p in plan.parts if self.evaluator.evaluate(p.node) is None}
        return [self.part(p) for p in unknown.values()]

    def part(self, part: PartPlan) -> Json:
        return {"text": part.text, "values": self.values(part.slots)}

    def characteristic(self, plan: CharacteristicPlan, trace: BinTrace) -> Json:
        held = trace.bin
        told: Json = {
            "name": plan.label,
            "value": plain(trace.value),
            "type": plan.type,
            "bin": None if held is None else plan.bins[held.id],
            "points": None if held is None else held.points,
            "best": plan.best,
            "lost": trace.lost,
            "reasons": list(self.evaluator.reasons_of(held.reasons)) if held is not None and trace.lost > 0 else [],
        }
        slots = plan.part.slots
        if any(s.name == plan.label and s.hidden for s in slots) and not self.personal and trace.value is not None:
            told["value"] = None
            told["hidden"] = True
        if plan.percent:
            told["percent"] = True
        if len(slots) != 1 or slots[0].name != plan.label:
            told["values"] = self.values(slots)
        if trace.value is None:
            told.update(self.behind(trace.origins))
        return told


def _told(value: Any, kind: Any) -> Any:
    """A value as JSON; of rows and groups of a history only their number."""
    return len(value) if kind in (ROWS, GROUPS) and value is not None else plain(value)


STATES = {True: "matched", False: "not matched", None: "undetermined"}


def _constant(decision: ir.Decide, arm: ir.Arm) -> Any:
    """An arm's outcome of plain data."""
    found = {name: plain(node.value) for name, node in arm.outcome if isinstance(node, ir.Const)}
    return found[""] if list(found) == [""] else found


def _openers(outcome: Outcome) -> list[str]:
    """The undetermined rules that could change what was given."""
    decision = outcome.decision
    if isinstance(decision, ir.Score):
        return []
    return [t.arm.rule for t in POLICIES[decision.hit](decision, outcome.arms).openers]


def _conflict(outcome: Outcome) -> Json | None:
    """Why a decision has no value though rules matched, or a score no bin."""
    if not outcome.conflict:
        return None
    if outcome.bins:
        gap = next(t for t in outcome.bins if t.bin is None)
        return {"kind": "no bin", "rules": [], "characteristic": gap.characteristic.label}
    assert isinstance(outcome.decision, ir.Decide)
    kind = "several matched" if outcome.decision.hit == "unique" else "outcomes differ"
    return {"kind": kind, "rules": [t.arm.rule for t in outcome.arms if t.state is True], "characteristic": None}
