"""One decided customer: outcomes at once, everything behind them on demand."""
from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from engine.backends.python.decode import Decoder
from engine.backends.python.program import Compiled, Result
from engine.backends.reference.decide import Outcome
from engine.backends.reference.program import Trace
from engine.ir import nodes as ir
from engine.ir.door import Fault
from engine.ir.reads import Cone
from engine.records import Record

if TYPE_CHECKING:
    from engine.explain.ask import Question
    from engine.explain.supply import Origin
    from engine.scoring.single import Scored


def _explain(part: str) -> Any:
    """A module of the explanations, which most runs never ask for."""
    return import_module(f"engine.explain.{part}")


class OpenDecision(Record):
    """An open decision: what it gave, what else it could have been (None where that is not known),
    and the inputs and histories behind it."""

    name: str
    value: Any
    could_be: tuple[Any, ...] | None
    missing: tuple[str, ...]


class Decision:
    """What a policy says of one customer.

    `values` maps each decision of segmentation, risk and service to its outcome. A customer with bad
    data has no values: `refused` names what is bad, `faults` says why. The other properties are worked
    out when first asked for.
    """

    # Made for every customer of a portfolio: two of the slots are filled, the others when first asked for.
    __slots__ = ("_case", "_models", "_origins", "_summary", "_trace", "values")

    def __init__(self, values: dict[str, Any], case: Case) -> None:
        self.values = values
        self._case = case

    @property
    def program(self) -> ir.Program:
        """The version that decided."""
        by = self._case[1]
        return by.program if isinstance(by, Compiled) else by

    @property
    def version(self) -> str:
        """The version that decided, as its file writes it."""
        return self.program.version

    @property
    def as_of(self) -> datetime.date:
        """The date of the decision."""
        return self._case[4]

    @property
    def sources(self) -> Mapping[str, Origin]:
        """Where each input and history came from, and when; empty where the caller gave them all."""
        found: Mapping[str, Origin] = getattr(self, "_origins", {})
        return found

    def supplied(self, origins: Mapping[str, Origin]) -> None:
        """Note where the data came from, which the explanation then tells."""
        self._origins = origins

    @property
    def trace(self) -> Trace:
        """The reference evaluator's account of this customer."""
        told = self._told
        if told is None:
            retrace, _, inputs, history, as_of, only, _ = self._case
            told = self._trace = retrace(self.program, inputs, history, as_of, only)
        return told

    @property
    def _told(self) -> Trace | None:
        """The reference's account as far as there is one; there always is of a refused customer."""
        result = self._case[6]
        return result if isinstance(result, Trace) else getattr(self, "_trace", None)

    @property
    def summary(self) -> Summary:
        """What fired, the reasons, and what is open."""
        found: Summary | None = getattr(self, "_summary", None)
        if found is None:
            by, result = self._case[1], self._case[6]
            if isinstance(by, Compiled) and not isinstance(result, Trace):
                found = decoded(by.decoder, result, self)
            else:
                found = summarise(self.program, self.trace)
            self._summary = found
        return found

    @property
    def models(self) -> dict[str, Scored]:
        """What came of each model that was asked, or whose answer was given, by decision."""
        return getattr(self, "_models", {})

    def told_of_models(self, told: Sequence[Scored]) -> None:
        """Keep what came of the models, for the account of this decision."""
        self._models = {scored.decision: scored for scored in told}

    @property
    def refused(self) -> tuple[str, ...]:
        """The bad inputs and histories, or the open decisions that refuse; empty for a decided customer."""
        told = self._told
        return () if told is None else told.refused

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Why the customer is refused."""
        told = self._told
        return () if told is None else told.faults

    @property
    def failures(self) -> tuple[str, ...]:
        """What functions of plugins failed at while this customer was decided, each failure once. A function that
        fails gives null, which leaves open what hangs on it."""
        told = self._told
        return () if told is None or told.evaluator is None else tuple(told.evaluator.failures)

    @property
    def fired(self) -> dict[str, tuple[str, ...]]:
        """The rules that gave each outcome, by decision; values and scorecards have none."""
        return self.summary.fired

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons of all decisions in declared order, each once, reserved ones last."""
        return self.summary.reasons

    def reasons_of(self, name: str) -> tuple[str, ...]:
        """One decision's reasons; KeyError where the policy has no such decision."""
        return self.summary.reasons_of[name]

    @property
    def open(self) -> dict[str, OpenDecision]:
        """The open decisions, features included, with what they could have been."""
        if not self.summary.open:
            return {}
        outcomes = self.trace.outcomes
        return {n: _opened(self.program, outcomes[n]) for n in self.summary.open}

    @property
    def missing(self) -> tuple[str, ...]:
        """The inputs and histories behind the nulls that leave decisions open, in declared order."""
        if not self.summary.open:
            return ()
        found = {m for o in self.trace.outcomes.values() if o.open for m in o.behind.missing}
        return tuple(n for n in declared_names(self.program) if n in found)

    @property
    def assumed(self) -> dict[str, tuple[str, ...]]:
        """Missing inputs and histories that the policy handled or skipped, with the rules that read them."""
        if self.refused:
            return {}
        found: dict[str, tuple[str, ...]] = _explain("ask").assumed(self.program, self.trace, self.missing)
        return found

    @property
    def ask(self) -> tuple[Question, ...]:
        """What to ask this customer for, the most useful first."""
        if self.refused:
            return ()
        found: tuple[Question, ...] = _explain("ask").questions(self.program, self.trace)
        return found

    def explain(self, format: str = "text", language: str = "en") -> Any:
        """Why: as text for a person, or as data (`format="json"`) under `schemas/explanation.schema.json`."""
        if format not in ("text", "json"):
            raise ValueError(f"an explanation is text or json, not {format!r}")
        told = _explain("explanation").explain(
            self.program, self.trace, self.as_of, language, scored=self.models.values()
        )
        if self.sources:
            told["sources"] = _explain("supply").told(self.sources)
        return told if format == "json" else _explain("text").render(told, language)

    def __repr__(self) -> str:
        if self.refused:
            return f"Decision(refused={self.refused!r})"
        return f"Decision({self.values!r})"


#: What was decided: how to trace it again, by what (generated code or, for the reference, the program), the
#: inputs, the histories, the date and the outcomes asked for, and what came out (a trace of either kind).
Case = tuple[
    Callable[..., Trace], Compiled | ir.Program, Mapping[str, Any], Any, datetime.date, Sequence[str] | None,
    Result | Trace,
]


class Summary(Record):
    """What decided a customer, without the explanation."""

    fired: dict[str, tuple[str, ...]]
    reasons: tuple[str, ...]
    reasons_of: dict[str, tuple[str, ...]]
    open: tuple[str, ...]


def summarise(program: ir.Program, trace: Trace) -> Summary:
    """The summary of a reference trace."""
    outputs = [trace.outcomes[n] for n in program.declared if n in trace.outcomes]
    shown = [o for o in outputs if not o.decision.internal]
    fired = {
        o.decision.name: o.fired for o in shown if isinstance(o.decision, ir.Decide) and o.decision.hit != "value"
    }
    reasons_of = {o.decision.name: o.reasons for o in shown}
    return Summary(fired, join_reasons(reasons_of), reasons_of, tuple(n for n, o in trace.outcomes.items() if o.open))


def decoded(decoder: Decoder, result: Result, decision: Decision) -> Summary:
    """The summary of generated code's trace. The reserved reason of an open decision hangs on where its
    nulls come from, which the reference works out; rules and openness are the trace's own."""
    values, trace = result
    opened = decoder.open(trace)
    winners = decoder.winners(trace, values)
    if opened:
        reasons_of = summarise(decision.program, decision.trace).reasons_of
    else:
        every = decoder.reasons(winners)
        reasons_of = {n: every[n] for n in values if not decoder.by_name[n].internal}
    return Summary(decoder.fired(winners), join_reasons(reasons_of), reasons_of, opened)


def join_reasons(reasons_of: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """One list of all decisions' reasons: each code once, reserved ones last."""
    codes = dict.fromkeys(code for codes in reasons_of.values() for code in codes)
    return (*(c for c in codes if c not in ir.RESERVED), *(c for c in codes if c in ir.RESERVED))


def output_values(program: ir.Program, trace: Trace, reach: Cone) -> dict[str, Any]:
    """Outcomes of the families that give outputs, and of what was asked for by name, in declared order."""
    outcomes = trace.outcomes
    names = [*program.declared, *(n for n in outcomes if n not in program.declared)]
    return {n: outcomes[n].value for n in names if n in outcomes and reach.shows(outcomes[n].decision)}


def declared_names(program: ir.Program) -> list[str]:
    return [*(i.name for i in program.inputs), *(h.name for h in program.histories)]


def _opened(program: ir.Program, outcome: Outcome) -> OpenDecision:
    missing = tuple(n for n in declared_names(program) if n in outcome.behind.missing)
    return OpenDecision(outcome.decision.name, outcome.value, outcome.could_be, missing)
