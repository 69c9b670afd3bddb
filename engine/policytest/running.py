"""Cases decided and compared with what they state.

Every case is decided by the reference evaluator and by the generated one. The reference is compared with
the case; that both say the same is checked too, and a disagreement fails the case.
"""
from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.decision import Decision
from engine.explain.text import render_decision
from engine.explain.values import plain
from engine.policy import Policy
from engine.policytest.model import Case, Wanted
from engine.portfolio.writing import json_text
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.semantics.number import FLOOR_NUMBER, compare

FLOOR_MONEY = 1e-4


class Difference(Record):
    """What was stated and what came out instead, as text; `decision` is the one to explain, if it is about one."""

    what: str
    expected: str
    got: str
    decision: str | None = None


class Result(Record):
    """A decided case: no differences where it passed."""

    case: Case
    differences: tuple[Difference, ...]
    decision: Decision

    @property
    def passed(self) -> bool:
        return not self.differences

    def explanation(self, language: str = "en") -> str:
        """Why the decisions that differ came out as they did; empty where no difference is about one."""
        names = dict.fromkeys(d.decision for d in self.differences if d.decision is not None)
        if not names:
            return ""
        told = self.decision.explain(format="json", language=language)
        return "\n".join(render_decision(told, name, language) for name in names)


def run_case(policy: Policy, case: Case) -> Result:
    """Decide a case by both evaluators and compare."""
    told = [
        policy.decide(case.inputs, as_of=case.as_of, history=case.history, only=case.only, engine=engine)
        for engine in ("reference", "python")
    ]
    decision = told[0]
    found = [*_refusals(case, decision)]
    if not found and not decision.refused:
        found = [*_outcomes(case, decision), *_lists(case, decision)]
    return Result(case, (*found, *_disagreements(told[0], told[1])), decision)


def _refusals(case: Case, decision: Decision) -> Iterator[Difference]:
    wanted = case.refused or frozenset()
    if set(decision.refused) != wanted:
        got = "; ".join(f"{f.name} {f.message}" for f in decision.faults) or listing(decision.refused)
        yield Difference("refused", listing(sorted(wanted)), got)


def _outcomes(case: Case, decision: Decision) -> Iterator[Difference]:
    outcomes = decision.trace.outcomes
    for wanted in case.values:
        found = outcomes[wanted.decision].value
        if wanted.member is not None and found is not None:
            found = found.get(wanted.member)
        if not agree(wanted.value, found, wanted.type, case.tolerance):
            yield Difference(wanted.path, show(wanted.value), show(_as_stated(found, wanted)), wanted.decision)


def _as_stated(found: Any, wanted: Wanted) -> Any:
    """Of several outputs those that the case states."""
    if isinstance(found, Mapping) and isinstance(wanted.value, Mapping):
        return {name: found.get(name) for name in wanted.value}
    return found


def _lists(case: Case, decision: Decision) -> Iterator[Difference]:
    outcomes = decision.trace.outcomes
    if case.reasons is not None and tuple(decision.reasons) != case.reasons:
        yield Difference("reasons", listing(case.reasons), listing(decision.reasons))
    for name, codes in case.reasons_of.items():
        if outcomes[name].reasons != codes:
            yield Difference(f"reasons of {name}", listing(codes), listing(outcomes[name].reasons), name)
    for name, rules in case.fired.items():
        if outcomes[name].fired != rules:
            yield Difference(f"fired {name}", listing(rules), listing(outcomes[name].fired), name)
    if case.open is not None and set(decision.open) != case.open:
        odd = [n for n in outcomes if (n in decision.open) != (n in case.open)]
        yield Difference("open", listing(sorted(case.open)), listing(decision.open), odd[0] if len(odd) == 1 else None)
    if case.missing is not None and set(decision.missing) != case.missing:
        yield Difference("missing", listing(sorted(case.missing)), listing(decision.missing))


def _disagreements(one: Decision, two: Decision) -> Iterator[Difference]:
    """Where the generated evaluator says something else than the reference."""
    if one.refused or two.refused:
        if one.refused != two.refused:
            yield _disagreement("refused", listing(one.refused), listing(two.refused))
        return
    for name, value in one.values.items():
        if two.values.get(name) != value:
            yield _disagreement(name, show(value), show(two.values.get(name)))
    for what in ("reasons", "reasons_of", "fired", "open"):
        told = [getattr(d.summary, what) for d in (one, two)]
        if told[0] != told[1]:
            yield _disagreement(what.replace("_", " "), str(told[0]), str(told[1]))


def _disagreement(what: str, reference: str, generated: str) -> Difference:
    return Difference(f"{what}: the two evaluators disagree", f"{reference} (reference)", f"{generated} (generated)")


def agree(wanted: Any, found: Any, kind: Type, tolerance: float | None) -> bool:
    """Whether an outcome is the one stated; numbers within the case's tolerance or that of the language."""
    if wanted is None or found is None:
        return wanted is found
    if isinstance(wanted, bool) or isinstance(found, bool):
        return wanted is found
    if isinstance(wanted, (int, float)) and isinstance(found, (int, float)):
        if tolerance is not None:
            return abs(wanted - found) <= tolerance + FLOOR_NUMBER
        return compare("=", float(wanted), float(found), FLOOR_MONEY if kind.kind == dt.MONEY else FLOOR_NUMBER)
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        members = dict(kind.fields or ())
        return all(agree(v, found.get(n), members.get(n, kind), tolerance) for n, v in wanted.items())
    if isinstance(wanted, list) and isinstance(found, (list, tuple)):
        item = kind.item or kind
        pairs = zip(wanted, found, strict=False)
        return len(wanted) == len(found) and all(agree(w, f, item, tolerance) for w, f in pairs)
    return bool(wanted == found)


def show(value: Any) -> str:
    """An outcome as a test file would state it."""
    if value is None:
        return "null"
    if isinstance(value, (bool, list, tuple, dict)):
        return json_text(plain(value))
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(plain(value))


def listing(names: Sequence[str] | Mapping[str, Any]) -> str:
    """Names as one text."""
    return ", ".join(names) or "none"
