"""Cases decided and compared with what they state.

By default every case is decided by the reference evaluator and by the generated one. The reference is compared with
the case; that both say the same is checked too, and a disagreement fails the case. In DuckDB the cases of a file
are decided together (`engine.policytest.columnar`), and each is compared in the same way.
"""
from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
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


class Account(Record):
    """What an engine says of one customer: outcomes, reasons and rules by decision, features and used policies included
    as far as it tells of them, what is missing where it does; `told` says in words why one is refused."""

    values: Mapping[str, Any]
    reasons: tuple[str, ...] = ()
    reasons_of: Mapping[str, tuple[str, ...]] = {}
    fired: Mapping[str, tuple[str, ...]] = {}
    open: tuple[str, ...] = ()
    missing: tuple[str, ...] | None = None
    refused: tuple[str, ...] = ()
    told: str = ""


class Result(Record):
    """A decided case: no differences where it passed. `decide` gives the decision that explains it."""

    case: Case
    differences: tuple[Difference, ...]
    decide: Callable[[], Decision]

    @property
    def passed(self) -> bool:
        return not self.differences

    def explanation(self, language: str = "en") -> str:
        """Why the decisions that differ came out as they did; empty where no difference is about one."""
        names = dict.fromkeys(d.decision for d in self.differences if d.decision is not None)
        if not names:
            return ""
        told = self.decide().explain(format="json", language=language)
        return "\n".join(render_decision(told, name, language) for name in names)


def run_case(policy: Policy, case: Case, engine: str = "python", columnar: Account | None = None) -> Result:
    """Decide a case and compare. `engine` is "python" (checked against the reference), "reference", "duckdb" or "all";
    `columnar` is what DuckDB says of the case, None where that is not asked or it does not carry the case out."""
    def decide(engine: str = "reference") -> Decision:
        return policy.decide(case.inputs, as_of=case.as_of, history=case.history, only=case.only, engine=engine)

    if engine == "duckdb":
        return Result(case, () if columnar is None else _compared(case, columnar), decide)
    reference = decide()
    account = account_of(reference)
    found = [*_compared(case, account)]
    if engine != "reference":
        found += _disagreements(account, summary_of(decide("python")), "the two evaluators", "generated")
    if columnar is not None:
        found += _disagreements(account, columnar, "the reference and DuckDB", "DuckDB")
    return Result(case, tuple(found), lambda: reference)


def summary_of(decision: Decision) -> Account:
    """What a decision says without the reference: of outcomes that give outputs."""
    if decision.refused:
        return Account({}, refused=decision.refused)
    summary = decision.summary
    return Account(decision.values, summary.reasons, summary.reasons_of, summary.fired, summary.open)


def account_of(decision: Decision) -> Account:
    """All that the reference says."""
    if decision.refused:
        told = "; ".join(f"{f.name} {f.message}" for f in decision.faults)
        return Account({}, refused=decision.refused, told=told)
    outcomes = decision.trace.outcomes
    return Account(
        {name: o.value for name, o in outcomes.items()}, decision.reasons,
        {name: o.reasons for name, o in outcomes.items()}, {name: o.fired for name, o in outcomes.items()},
        tuple(decision.open), decision.missing,
    )


def _compared(case: Case, account: Account) -> tuple[Difference, ...]:
    wanted = case.refused or frozenset()
    if set(account.refused) != wanted:
        got = account.told or listing(account.refused)
        return (Difference("refused", listing(sorted(wanted)), got),)
    return () if account.refused else (*_outcomes(case, account), *_lists(case, account))


def _outcomes(case: Case, account: Account) -> Iterator[Difference]:
    for wanted in case.values:
        found = account.values[wanted.decision]
        if wanted.member is not None and found is not None:
            found = found.get(wanted.member)
        if not agree(wanted.value, found, wanted.type, case.tolerance):
            yield Difference(wanted.path, show(wanted.value), show(_as_stated(found, wanted)), wanted.decision)


def _as_stated(found: Any, wanted: Wanted) -> Any:
    """Of several outputs those that the case states."""
    if isinstance(found, Mapping) and isinstance(wanted.value, Mapping):
        return {name: found.get(name) for name in wanted.value}
    return found


def _lists(case: Case, account: Account) -> Iterator[Difference]:
    if case.reasons is not None and tuple(account.reasons) != case.reasons:
        odd = [code for code in account.reasons if code not in case.reasons]
        giving = [name for name, codes in account.reasons_of.items() if odd and odd[0] in codes]
        yield Difference("reasons", listing(case.reasons), listing(account.reasons), next(iter(giving), None))
    for what, stated, said in (
        ("reasons of", case.reasons_of, account.reasons_of), ("fired", case.fired, account.fired),
    ):
        for name, labels in stated.items():
            if said[name] != labels:
                yield Difference(f"{what} {name}", listing(labels), listing(said[name]), name)
    if case.open is not None and set(account.open) != case.open:
        other = [n for n in account.values if (n in account.open) != (n in case.open)]
        about = other[0] if len(other) == 1 else None
        yield Difference("open", listing(sorted(case.open)), listing(account.open), about)
    if case.missing is not None and set(account.missing or ()) != case.missing:
        yield Difference("missing", listing(sorted(case.missing)), listing(account.missing or ()))


def _disagreements(one: Account, two: Account, who: str, name: str) -> Iterator[Difference]:
    """Where another engine says something else than the reference, of what it says anything."""
    def differ(what: str, reference: str, other: str) -> Difference:
        return Difference(f"{what}: {who} disagree", f"{reference} (reference)", f"{other} ({name})")

    if one.refused or two.refused:
        if set(one.refused) != set(two.refused):
            yield differ("refused", listing(one.refused), listing(two.refused))
        return
    for decision, value in two.values.items():
        if one.values.get(decision) != value:
            yield differ(decision, show(one.values.get(decision)), show(value))
    if one.reasons != two.reasons:
        yield differ("reasons", listing(one.reasons), listing(two.reasons))
    for what, mine, others in (("reasons of", one.reasons_of, two.reasons_of), ("fired", one.fired, two.fired)):
        for decision, labels in others.items():
            if mine.get(decision) != labels:
                yield differ(f"{what} {decision}", listing(mine.get(decision, ())), listing(labels))
    if set(one.open) != set(two.open):
        yield differ("open", listing(one.open), listing(two.open))
    if two.missing is not None and set(one.missing or ()) != set(two.missing):
        yield differ("missing", listing(one.missing or ()), listing(two.missing))


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
