"""Models in the typed core: what a scorer is asked is decided first, what it answers is read as inputs.

A model `pd` becomes hidden decisions that give the scorer's inputs, hidden inputs `model.pd` (the answer),
`model.pd.failed` and one for each reason, and a decision over these. So every backend carries models out without
knowing of them, and a program cuts into stages by itself: decide what is asked, ask, decide the rest
(`engine.scoring`). Data may bring answers too, under the names of the hidden inputs.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine import records
from engine.diagnostics import Span
from engine.ir import nodes as ir
from engine.ir.reads import all_reads
from engine.semantics import dtypes as dt
from engine.semantics.declarations import InputDecl
from engine.semantics.domain import Domain
from engine.semantics.dtypes import Type

PREFIX = "model"
TRUTH = Type(dt.BOOLEAN)
#: The input that says whether a data source failed for the customer.
SOURCES = "sources"
SOURCES_FAILED = f"{SOURCES}.failed"
#: The reason of a rule that refers since a scorer or a source failed; a policy may declare it with a text of its own.
FAILED = "FAILED"
_TEXTS = (
    ("en", ("A model or a data source gave no answer",)),
    ("zh", ("模型或数据源未能给出结果",)),
)
#: Behind what rules say, before the reserved reasons.
_RANK = 10**6


class Asked(records.Record):
    """A model as it stands in a policy, with the local names of its decision; `args` are (input, expression), `reasons`
    (the scorer's name, the source)."""

    decision: str
    model: str
    args: tuple[tuple[str, ir.Node], ...]
    where: tuple[tuple[str, ir.Node], ...]
    reasons: tuple[tuple[str, ir.ReasonSource], ...]
    type: Type
    domain: Domain | None
    on_failure: str
    with_missing: bool
    at: ir.Place


class Lowered(records.Record):
    """A model as the core has it; `arms` are those of its decision, under the hit policy `hit`."""

    decl: ir.ModelDecl
    inputs: tuple[InputDecl, ...]
    before: tuple[ir.Decide, ...]
    hit: str
    arms: tuple[ir.Arm, ...]


def lowered(asked: Asked) -> Lowered:
    """The parts of the core that stand for a model."""
    name = f"{PREFIX}.{asked.decision}"
    failed = f"{name}.failed"
    answer = InputDecl(name, asked.type.optional(), domain=asked.domain, model=asked.decision)
    flags = {failed: InputDecl(failed, TRUTH.optional(), model=asked.decision)}
    given = []
    for reason, _ in asked.reasons:
        flag = f"{name}.{reason}"
        flags[flag] = InputDecl(flag, TRUTH.optional(), model=asked.decision)
        given.append((reason, flag))
    before = [_argument(f"{name}.inputs.{arg}", node, asked) for arg, node in asked.args]
    if asked.on_failure == "stop":
        before.append(_stop(f"{name}.answer", answer, failed, asked.at))
    arms = []
    outcome = _answer(asked, answer, before)
    for place, ((_, source), (_, flag)) in enumerate(zip(asked.reasons, given, strict=True), start=1):
        rule = f"reason {place}"
        arms.append(_arm(asked, rule, _told(flag, f"{asked.decision}/{rule}/when", asked.at), outcome, (source,)))
    always = ir.Const(f"{asked.decision}/value/guard/true", TRUTH, None, True, "true")
    arms.append(_arm(asked, "value", always, outcome, ()))
    decl = ir.ModelDecl(
        asked.model, asked.decision, tuple((arg, d.name) for (arg, _), d in zip(asked.args, before, strict=False)),
        tuple((arg, node.type) for arg, node in asked.args), name, failed, tuple(given), answer.type, asked.domain,
        asked.on_failure, asked.with_missing, asked.at,
    )
    hit = "any" if asked.reasons else "value"
    return Lowered(decl, (answer, *flags.values()), tuple(before), hit, tuple(arms))


def _argument(name: str, node: ir.Node, asked: Asked) -> ir.Decide:
    """A scorer's input as a hidden decision; null stays null, with what is behind it."""
    guard = ir.Const(f"{name}/guard/true", TRUTH, None, True, "true")
    arm = ir.Arm(f"{name}/value", "value", guard, (), (("", node),), (), False, asked.at)
    return ir.Decide(name, "imports", "value", node.type, (), asked.where, (arm,), ir.OnMissing("skip"), True, asked.at)


def _stop(name: str, answer: InputDecl, failed: str, at: ir.Place) -> ir.Decide:
    """Null, and so open, where the scorer failed: then the customer is refused."""
    guard = ir.Const(f"{name}/guard/true", TRUTH, None, True, "true")
    known = _equal(ir.Input(f"{name}/answer", answer.type, at, answer.name), f"{name}/known", at)
    fine = ir.Const(f"{name}/fine", TRUTH, None, True, "true")
    value = ir.Cond(f"{name}/cond", TRUTH.optional(), at, _told(failed, f"{name}/failed", at), known, fine)
    arm = ir.Arm(f"{name}/value", "value", guard, (), (("", value),), (), False, at)
    return ir.Decide(name, "imports", "value", TRUTH.optional(), (), (), (arm,), ir.OnMissing("refuse"), True, at)


def _answer(asked: Asked, answer: InputDecl, before: Sequence[ir.Decide]) -> ir.Node:
    """The answer; null because of an argument where one is and the scorer is not asked then."""
    owner = f"{asked.decision}/value"
    value: ir.Node = ir.Input(f"{owner}/answer", answer.type, asked.at, answer.name)
    args = [d for d in before[:len(asked.args)] if d.type.nullable]
    refs = [ir.Ref(f"{owner}/{d.name}", d.type, asked.at, d.name) for d in args]
    if refs:
        test: ir.Node
        if asked.with_missing:
            nulls = tuple(ir.IsNull(f"{r.id}/null", TRUTH, asked.at, r) for r in refs)
            test = nulls[0] if len(nulls) == 1 else ir.Or(f"{owner}/asked", TRUTH, asked.at, nulls)
        else:
            known = tuple(_equal(r, f"{r.id}/known", asked.at) for r in refs)
            test = known[0] if len(known) == 1 else ir.And(f"{owner}/asked", TRUTH.optional(), asked.at, known)
        value = ir.Cond(f"{owner}/given", answer.type, asked.at, test, value, value)
    for stop in before[len(asked.args):]:
        test = ir.Ref(f"{owner}/{stop.name}", stop.type, asked.at, stop.name)
        value = ir.Cond(f"{owner}/stop", answer.type, asked.at, test, value, value)
    return value


def _equal(node: ir.Node, id: str, at: ir.Place) -> ir.Node:
    """True, or null where the operand is."""
    return ir.Compare(id, TRUTH.optional(node.type.nullable), at, "=", node, node)


class _Standing:
    """The place of a text that no file holds: where what it stands for is written."""

    def __init__(self, span: Span) -> None:
        self.span = span

    def locate(self, start: int, end: int) -> Span:
        return self.span


def _told(flag: str, id: str, at: ir.Place) -> ir.Node:
    """Whether a flag was given and is true; never null."""
    place = ir.Place(_Standing(at.span), 0, len(flag), flag)
    read = ir.Input(f"{id}/flag", TRUTH.optional(), place, flag)
    given = ir.Not(f"{id}/given", TRUTH, place, ir.IsNull(f"{id}/null", TRUTH, place, read))
    return ir.And(id, TRUTH, place, (given, read))


def _arm(
    asked: Asked, rule: str, guard: ir.Node, outcome: ir.Node, reasons: tuple[ir.ReasonSource, ...]
) -> ir.Arm:
    parts = (guard,) if reasons else ()
    return ir.Arm(f"{asked.decision}/{rule}", rule, guard, parts, (("", outcome),), reasons, False, asked.at)


# --- what refers where a scorer failed -----------------------------------------------------------


def with_referrals(program: ir.Program) -> ir.Program:
    """A program whose decisions refer where a model that they hang on failed and says so, and where a data source did
    and the policy says so."""
    program = _with_stop(program) if program.on_failure == "stop" else program
    failing = {m.decision: m for m in program.models if m.on_failure == "refer"}
    sources = program.on_failure == "refer"
    if not failing and not sources:
        return program
    behind: dict[str, frozenset[str]] = {}
    decisions: list[ir.Decision] = []
    referred = False
    for decision in program.decisions:
        read = all_reads(program, decision).refs
        found = frozenset(n for r in read for n in behind.get(r, ()))
        behind[decision.name] = found | ({decision.name} & failing.keys())
        if isinstance(decision, ir.Decide) and _may_refer(decision) and decision.at is not None:
            models = [failing[name] for name in sorted(found)]
            arms = [_referral(decision, f"{m.decision} failed", m.failed, m.at) for m in models]
            if sources and not decision.internal:
                arms.insert(0, _referral(decision, "source failed", SOURCES_FAILED, decision.at))
            decision = decision.replace(arms=(*arms, *decision.arms))
            referred = referred or bool(arms)
        decisions.append(decision)
    inputs, reasons = program.inputs, program.reasons
    if sources:
        inputs = (*inputs, InputDecl(SOURCES_FAILED, TRUTH.optional(), model=SOURCES))
    if referred and all(r.code != FAILED for r in reasons):
        reasons = (*reasons, ir.ReasonDecl(FAILED, _TEXTS, _RANK))
    return program.replace(inputs=inputs, decisions=tuple(decisions), reasons=reasons)


def _with_stop(program: ir.Program) -> ir.Program:
    """A program that refuses a customer whose data source failed."""
    at = next((d.at for d in program.decisions if d.at is not None), None)
    if at is None:
        return program
    answer = InputDecl(SOURCES, TRUTH.optional(), model=SOURCES)    # which nobody gives
    flag = InputDecl(SOURCES_FAILED, TRUTH.optional(), model=SOURCES)
    stop = _stop(ir.ALWAYS, answer, SOURCES_FAILED, at)
    return program.replace(inputs=(*program.inputs, answer, flag), decisions=(stop, *program.decisions))


def _may_refer(decision: ir.Decide) -> bool:
    return decision.hit in ("first", "worst") and not decision.members and "refer" in (decision.type.values or ())


def _referral(decision: ir.Decide, rule: str, flag: str, at: ir.Place) -> ir.Arm:
    id = f"{decision.name}/{rule}"
    guard = _told(flag, f"{id}/when", at)
    outcome = ir.Const(f"{id}/then", decision.type.optional(False), None, "refer", "refer")
    return ir.Arm(id, rule, guard, (guard,), (("", outcome),), (ir.ReasonSource(FAILED),), False, at)


def stages(models: Iterable[ir.ModelDecl], program: ir.Program) -> tuple[tuple[ir.ModelDecl, ...], ...]:
    """The models in groups: those of one group hang on answers of earlier groups alone."""
    wanted = {m.decision: m for m in models}
    depth: dict[str, int] = {}
    reads_of = {d.name: all_reads(program, d).refs for d in program.decisions}
    for decision in program.decisions:
        below = max((depth[r] for r in reads_of[decision.name] if r in depth), default=0)
        depth[decision.name] = below + (decision.name in wanted)
    found: dict[int, list[ir.ModelDecl]] = {}
    for name, model in wanted.items():
        found.setdefault(depth[name], []).append(model)
    return tuple(tuple(found[level]) for level in sorted(found))
