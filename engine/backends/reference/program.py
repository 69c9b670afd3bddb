"""Decides one customer with a program, and keeps the whole trace."""
from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from engine import records
from engine.backends.reference.decide import Outcome, decide_arms
from engine.backends.reference.nulls import NOTHING, NullTracer, Origins
from engine.backends.reference.score import decide_score
from engine.ir import nodes as ir
from engine.ir.door import EXACT, Admitted, Fault, Refusal, admit, check_domain, handed_over, listing, show
from engine.ir.reads import Cone, cone
from engine.semantics.declarations import InputDecl


class Trace(records.Record):
    """Everything about one decided customer. `refused` names the bad inputs or the open decisions
    that refuse; nothing was decided where it is not empty. `evaluator` answers for parts of rules
    afterwards; None where the data were bad and nothing was tried."""

    outcomes: dict[str, Outcome]
    faults: tuple[Fault, ...]
    refused: tuple[str, ...]
    admitted: Admitted
    evaluator: ProgramEvaluator | None = None


class ProgramEvaluator(NullTracer):
    """Carries a program out for one customer, decision by decision in evaluation order."""

    def __init__(
        self, program: ir.Program, admitted: Admitted, as_of: datetime.date
    ) -> None:
        super().__init__(as_of, program.functions.catalogue)
        self.program = program
        self.admitted = admitted
        self.outcomes: dict[str, Outcome] = {}
        self.parameters = {p.name: p for p in program.parameters}
        self.histories = {h.name: h for h in program.histories}
        self.tables = {t.name: t for t in program.tables}
        self.ranks = {r.code: r.rank for r in program.reasons}
        self.derived: dict[str, list[dict[str, Any]] | None] = {}

    # --- names ------------------------------------------------------------------

    def input(self, name: str) -> Any:
        return self.admitted.inputs[name]

    def ref(self, name: str) -> Any:
        return self.outcomes[name].value

    def ref_origins(self, node: ir.Ref) -> Origins:
        behind = self.outcomes[node.name].behind
        return behind._replace(names=True) if behind != NOTHING else Origins(names=True, undefined=(node,))

    def relation(self, name: str) -> list[dict[str, Any]] | None:
        each = self.histories[name].each
        if each is None:
            return self.admitted.relations[name]
        if name not in self.derived:
            self.derived[name] = self._decide_each(each)
        return self.derived[name]

    def histories_behind(self, name: str) -> frozenset[str]:
        each = self.histories[name].each
        if each is None:
            return frozenset({name})
        if self.relation(each.over) is not None:
            absent = [h.source for h in each.histories if self.relation(h.source) is None]
            if absent:
                return frozenset().union(*map(self.histories_behind, absent))
        return self.histories_behind(each.over)

    def _decide_each(self, each: ir.EachDecl) -> list[dict[str, Any]] | None:
        rows = self.relation(each.over)
        if rows is None:
            return None
        history_of = handed_over(each, [self.relation(h.source) for h in each.histories])
        decided = []
        for row in rows:
            inputs = {name: self.bound("row", row, node) for name, node in each.bindings}
            history = history_of(inputs)
            trace = decide(each.program, inputs, history, self.as_of or datetime.date.min)
            if trace.evaluator is not None:
                self.failures += [f for f in trace.evaluator.failures if f not in self.failures]
            columns: dict[str, Any] = dict(row)
            for decision in each.program.decisions:
                if not decision.internal:
                    columns[decision.name] = None if trace.refused else trace.outcomes[decision.name].value
            decided.append(columns)
        return decided

    def parameter(self, name: str) -> Any:
        row, state = self._parameter_row(self.parameters[name])
        return row.value if row is not None and state is True else None

    def _parameter_row(self, decl: ir.ParameterDecl) -> tuple[ir.ParameterRow | None, bool | None]:
        """The row that wins: of those begun and not false the fewest wildcards, then the latest start."""
        best: tuple[ir.ParameterRow | None, bool | None] = (None, False)
        for row in decl.rows:
            if self.as_of is not None and row.start > self.as_of:
                continue
            state = self.evaluate(row.guard)
            if state is False:
                continue
            held = best[0]
            if held is None or (row.wildcards, -row.start.toordinal()) < (held.wildcards, -held.start.toordinal()):
                best = (row, state)
        return best

    def parameter_origins(self, node: ir.Parameter) -> Origins:
        row, state = self._parameter_row(self.parameters[node.name])
        if row is not None and state is None:
            return self.origins(row.guard)._replace(names=True)
        return Origins(names=True, undefined=(node,))

    def lookup(self, node: ir.Lookup, keys: tuple[Any, ...]) -> Any:
        table = self.tables[node.table]
        column = [name for name, _ in table.columns].index(node.column)
        found = None
        for row in table.rows:
            if table.mode == "key":
                if row[: len(keys)] == keys:
                    return row[column]
            elif row[0] <= keys[0]:
                found = row[column]
            else:
                break
        return found

    # --- decisions ------------------------------------------------------------------

    def run(self, decisions: Sequence[ir.Decision]) -> tuple[str, ...]:
        """Decide in order; gives the names of bindings out of range and of open decisions that refuse."""
        refused = []
        for decision in decisions:
            self.locals.clear()
            self.local_nodes.clear()
            for name, node in decision.where:
                self.local_nodes[name] = (node, True)
                self.locals[name] = self.evaluate(node)
            if isinstance(decision, ir.Score):
                outcome = decide_score(self, decision)
            else:
                outcome = decide_arms(self, decision)
                if decision.binds is not None and not _fits(decision.binds, outcome.value):
                    refused.append(decision.name)
            self.outcomes[decision.name] = outcome
            if outcome.refuses:
                refused.append(decision.name)
        return tuple(refused)

    def reasons_of(self, sources: Sequence[ir.ReasonSource]) -> tuple[str, ...]:
        """The codes of some reason sources, inherited ones resolved, each once."""
        codes: list[str] = []
        for source in sources:
            found = self.outcomes[source.name].reasons if source.inherited else (source.name,)
            codes.extend(c for c in found if c not in codes)
        return tuple(codes)

    def rank(self, code: str) -> float:
        return self.ranks.get(code, float("inf"))


def decide(
    program: ir.Program,
    inputs: Mapping[str, Any],
    history: Mapping[str, Sequence[Mapping[str, Any]] | None] | None,
    as_of: datetime.date,
    only: Cone | None = None,
) -> Trace:
    """Decide one customer; `only` limits the work to a cone, by default that of every decision."""
    reach = only or cone(program, [d.name for d in program.decisions])
    admitted = admit(program, reach, inputs, history, as_of)
    if admitted.faults:
        names = tuple(dict.fromkeys(f.name for f in admitted.faults))
        return Trace({}, admitted.faults, names, admitted)
    evaluator = ProgramEvaluator(program, admitted, as_of)
    refused = evaluator.run(reach.decisions)
    faults = tuple(_refusal_fault(evaluator, name) for name in refused)
    return Trace(evaluator.outcomes, faults, refused, admitted, evaluator)


def exhausted(program: ir.Program, why: str) -> Trace:
    """The trace of a customer whose decision took more work than one may."""
    fault = Fault(program.name, why)
    return Trace({}, (fault,), (fault.name,), Admitted({}, {}, (fault,)))


def _fits(decl: InputDecl, value: Any) -> bool:
    return _misfit(decl, value) is None


def _misfit(decl: InputDecl, value: Any) -> str | None:
    """Why a value handed to an imported policy's input does not satisfy its declaration."""
    if value is None:
        return "is required and missing" if decl.required else None
    if decl.type.whole and not (float(value).is_integer() and abs(value) <= EXACT):
        return f"{show(value)} is not a whole number"
    if decl.type.values is not None and value not in decl.type.values:
        return f"{show(value)} is not one of {listing(decl.type.values)}"
    try:
        check_domain(decl.domain, decl.type, value)
    except Refusal as refusal:
        return str(refusal)
    return None


def _refusal_fault(evaluator: ProgramEvaluator, name: str) -> Fault:
    outcome = evaluator.outcomes[name]
    if isinstance(outcome.decision, ir.Decide) and outcome.decision.binds is not None:
        misfit = _misfit(outcome.decision.binds, outcome.value)
        if misfit is not None:
            return Fault(name, misfit)
    if name == ir.ALWAYS:
        return Fault(name, "is missing: a data source failed")
    if any(name == f"{model.answer}.answer" for model in evaluator.program.models):
        return Fault(name, "is missing: the scorer failed")
    missing = ", ".join(f"`{m}`" for m in sorted(outcome.behind.missing))
    return Fault(name, f"is open: {missing} missing" if missing else "is open: it has no value for the known data")


