"""Questions about a policy, answered by a solver: can this rule's guard ever be true?

An answer of "never" is over exact arithmetic and over every date and every customer that the door
admits. A customer found is a claim that the caller checks by deciding it with the reference
evaluator; the solver first looks for one well clear of every threshold.
"""
from __future__ import annotations

import datetime
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import z3

from engine.backends.smt.decisions import DecisionEncoder
from engine.backends.smt.expressions import KINDS, SmtExpressions
from engine.backends.smt.terms import FALSE, TRUE, Smt, Term, all_of, any_of, holds, plain_text, real, text
from engine.backends.support import Gap, Unsupported
from engine.check.rules import LIMIT
from engine.ir import nodes as ir
from engine.ir.reads import cone
from engine.ir.rewrites import rewritten
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.declarations import InputDecl
from engine.semantics.domain import Domain
from engine.semantics.dtypes import Type
from engine.semantics.number import nudge

#: Milliseconds that one question may take, by default.
PATIENCE = 10_000
#: Characters of a text in a customer that the solver makes up.
LONGEST = 200
_FIRST_DAY, _LAST_DAY = 1, datetime.date.max.toordinal()

POSSIBLE, NEVER, UNKNOWN = "possible", "never", "unknown"


class Answer(Record):
    """`verdict` is possible, never or unknown (time ran out); a possible one has a customer and a date.

    `clear`: the customer stands clear of every threshold, so that rounding cannot change the outcome.
    """

    verdict: str
    inputs: dict[str, Any] | None = None
    as_of: datetime.date | None = None
    clear: bool = False


def can_be_true(program: ir.Program, decision: str, rule: str, patience: int = PATIENCE) -> Answer:
    """Whether the guard of a rule can be true; raises `Unsupported`, and KeyError for an unknown rule.

    `patience` is in milliseconds for each of two searches.
    """
    question = Question(rewritten(program), decision, rule)
    solver = z3.Solver()
    solver.set("timeout", patience)
    solver.add(*question.facts, question.goal)
    found = solver.check()
    if found == z3.unsat:
        return Answer(NEVER)
    model = solver.model() if found == z3.sat else None
    solver.add(*question.clear)
    clear = solver.check() == z3.sat
    if clear:
        model = solver.model()
    if model is None:
        return Answer(UNKNOWN)
    return Answer(POSSIBLE, question.customer(model), question.date(model), clear)


class Question:
    """The terms of one question: `facts` about customers at the door, and the `goal`."""

    def __init__(self, program: ir.Program, decision: str, rule: str) -> None:
        self.reach = cone(program, [decision])
        self.decls = [d for d in program.inputs if d.name in self.reach.inputs]
        self.expressions = SmtExpressions(program)
        self.facts: list[Term] = [self.expressions.as_of >= _FIRST_DAY, self.expressions.as_of <= _LAST_DAY]
        self.goal = FALSE
        gaps = []
        try:
            self._encode(decision, rule)
        except Gap as gap:
            gaps.append(gap)
        if gaps:
            raise Unsupported(*(g.diagnostic(self.expressions.title) for g in gaps))
        self.clear = self.expressions.clear

    def _encode(self, decision: str, rule: str) -> None:
        for decl in self.decls:
            self._input(decl)
        encoder = DecisionEncoder(self.expressions)
        for each in self.reach.decisions:
            if each.name == decision:
                arms = {a.rule: a for a in each.arms} if isinstance(each, ir.Decide) else {}
                arm = arms[rule]
                encoder.bind(each)
                self.goal = holds(self.expressions.compile(arm.guard))
                return
            given, refusing = encoder.decision(each)
            self.facts.extend(z3.Not(r) for r in refusing)
            for member, value in given.items():
                self.expressions.variables[("Ref", f"{each.name}.{member}" if member else each.name)] = value
            if isinstance(each, ir.Decide) and each.binds is not None:
                self._fits(each.binds, given[""])
        raise KeyError(decision)

    # --- the door --------------------------------------------------------------------------

    def _input(self, decl: InputDecl) -> None:
        kind = decl.type.kind
        if kind not in KINDS or kind == dt.DAYS_DURATION:
            raise Gap(None, f"inputs of kind `{kind}`, which `{decl.name}` is")
        sort = {dt.STRING: z3.String, dt.BOOLEAN: z3.Bool, dt.DATE: z3.Int}.get(kind, z3.Real)
        variable = Smt(sort(f"input {decl.name}"), z3.Bool(f"no {decl.name}") if not decl.required else FALSE)
        self.expressions.variables[("Input", decl.name)] = variable
        if kind in dt.NUMERIC:
            limit = real(Fraction(LIMIT))
            self.facts.append(z3.And(variable.value >= -limit, variable.value <= limit))
            if decl.type.whole:
                self.facts.append(z3.IsInt(variable.value))
        elif kind == dt.DATE:
            self.facts.append(z3.And(variable.value >= _FIRST_DAY, variable.value <= _LAST_DAY))
        elif kind == dt.STRING and decl.type.values is None:
            self.facts.append(z3.Length(variable.value) <= LONGEST)
        self._fits(decl, variable)

    def _fits(self, decl: InputDecl, variable: Smt) -> None:
        if variable.value is None:
            self.facts.append(FALSE if decl.required else TRUE)
            return
        if decl.required:
            self.facts.append(z3.Not(variable.null))
        if decl.type.values is not None:
            known = any_of([variable.value == text(v) for v in decl.type.values])
            self.facts.append(z3.Or(variable.null, known))
        if decl.domain is not None:
            self.facts.append(z3.Or(variable.null, _inside(decl.domain, decl.type, variable.value)))

    # --- customers ---------------------------------------------------------------------------

    def customer(self, model: z3.ModelRef) -> dict[str, Any]:
        """The inputs of a model by declared name, None for missing; numbers as the nearest doubles."""
        found: dict[str, Any] = {}
        for decl in self.decls:
            variable = self.expressions.variables[("Input", decl.name)]
            missing = z3.is_true(model.eval(variable.null, model_completion=True))
            found[decl.name] = None if missing else _plain(decl.type, model.eval(variable.value, model_completion=True))
        return found

    def date(self, model: z3.ModelRef) -> datetime.date:
        day = model.eval(self.expressions.as_of, model_completion=True).as_long()
        return datetime.date.fromordinal(min(max(day, _FIRST_DAY), _LAST_DAY))


def _plain(kind: Type, term: Term) -> Any:
    if kind.kind == dt.STRING:
        return plain_text(term)
    if kind.kind == dt.BOOLEAN:
        return z3.is_true(term)
    if kind.kind == dt.DATE:
        return datetime.date.fromordinal(term.as_long())
    if z3.is_algebraic_value(term):
        term = term.approx(30)
    value = float(Fraction(term.numerator_as_long(), term.denominator_as_long()))
    return int(value) if kind.whole else value


def _inside(domain: Domain, kind: Type, value: Term) -> Term:
    """A value lies in a declared range, as tolerantly as the door takes it."""
    floor = 1e-4 if kind.kind == dt.MONEY else 1e-12

    def end(op: str, bound: Any) -> Term:
        if kind.kind in dt.NUMERIC:
            return real(Fraction(nudge(op, bound, floor)))
        if kind.kind == dt.DATE:
            return z3.IntVal(bound.toordinal())
        raise Gap(None, f"ranges of kind `{kind.kind}`")

    inside: list[Term] = []
    for interval in domain.intervals:
        parts: list[Term] = []
        if interval.lower is not None:
            low = end(">=" if interval.lower_closed else ">", interval.lower)
            parts.append(value >= low if interval.lower_closed else value > low)
        if interval.upper is not None:
            high = end("<=" if interval.upper_closed else "<", interval.upper)
            parts.append(value <= high if interval.upper_closed else value < high)
        inside.append(all_of(parts))
    return any_of(inside)


def rules(decision: ir.Decision) -> Sequence[str]:
    """The rules that a question may name."""
    return [a.rule for a in decision.arms] if isinstance(decision, ir.Decide) else []
