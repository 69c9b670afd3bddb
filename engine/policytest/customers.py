"""The customers of a portfolio, decided: a row each, as conditions read it."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from engine.decision import Decision
from engine.explain.text import render_decision
from engine.ir.door import Refusal, admit_input, raw_input
from engine.policy import Policy
from engine.policytest.model import Portfolio
from engine.policytest.rows import MISSING, OPEN, REASONS, REFUSED, STATUS, outcome_fields
from engine.policytest.samples import Given
from engine.records import Record

#: Rows whose inputs are told to be unreadable, by name.
MAX_TOLD = 5


class Customer(Record):
    """`row` is what conditions read; None in it is null."""

    given: Given
    row: Mapping[str, Any]

    @property
    def key(self) -> str:
        return self.given.key


class Decided(Record):
    """A decided portfolio: customers whose data were good, those refused, and what a person should know of the data."""

    customers: tuple[Customer, ...]
    refused: tuple[Customer, ...]
    notes: tuple[str, ...]


class Told(Record):
    """What an engine says of one customer, whom it may refuse: then `refused` names why and the rest is empty.
    `values` are outcomes by qualified name, `open` the open decisions among those that give outputs."""

    values: Mapping[str, Any]
    reasons: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


class Decider(Protocol):
    """An engine that decides customers of one portfolio."""

    def decide(self, rows: Sequence[Given]) -> list[Told]: ...


class OneByOne:
    """Decides customers by "python" or "reference"."""

    def __init__(self, policy: Policy, portfolio: Portfolio, engine: str) -> None:
        self.policy = policy
        self.portfolio = portfolio
        self.engine = engine

    def decide(self, rows: Sequence[Given]) -> list[Told]:
        """What is said of each row, in order."""
        return [self._told(given) for given in rows]

    def decision(self, given: Given) -> Decision:
        """One customer's decision, to be explained."""
        portfolio = self.portfolio
        only = portfolio.row.outcomes if portfolio.program.application_date is None else None
        return self.policy.decide(
            given.values, as_of=portfolio.as_of, history=portfolio.sample.history(given), only=only, engine=self.engine
        )

    def _told(self, given: Given) -> Told:
        if given.fault is not None:
            return Told({}, refused=given.about)
        decision = self.decision(given)
        if decision.refused:
            return Told({}, refused=decision.refused)
        outputs = {d.name for d in decision.program.decisions if not d.internal}
        opened = tuple(name for name in decision.summary.open if name in outputs)
        return Told(decision.values, decision.reasons, opened, decision.missing if opened else ())


def decided(portfolio: Portfolio, told: Sequence[Told]) -> Decided:
    """The rows of what an engine said of a portfolio."""
    meta = portfolio.row.meta
    empty = dict.fromkeys(portfolio.row.names)
    customers: list[Customer] = []
    refused: list[Customer] = []
    unread: dict[str, list[str]] = {}
    for given, each in zip(portfolio.sample.rows, told, strict=True):
        row: dict[str, Any] = {**empty, **_inputs(portfolio, given, each.refused, unread)}
        is_refused = given.fault is not None or bool(each.refused)
        row |= outcome_fields(portfolio.program, each.values)
        row[meta[STATUS]] = "refused" if is_refused else "open" if each.open else "decided"
        row[meta[REASONS]], row[meta[OPEN]] = list(each.reasons), list(each.open)
        row[meta[MISSING]], row[meta[REFUSED]] = list(each.missing), list(each.refused)
        (refused if is_refused else customers).append(Customer(given, row))
    notes = [
        f"`{name}` of {len(keys):,} customer{'s' if len(keys) != 1 else ''} cannot be read and counts as missing: "
        + ", ".join(keys[:MAX_TOLD]) + (" ..." if len(keys) > MAX_TOLD else "")
        for name, keys in unread.items()
    ]
    return Decided(tuple(customers), tuple(refused), tuple(notes))


def _inputs(
    portfolio: Portfolio, given: Given, bad: Sequence[str], unread: dict[str, list[str]]
) -> dict[str, Any]:
    """A customer's inputs, as far as expectations read them. What the policy does not read is looked at here alone,
    where bad data are missing data."""
    found = {}
    for decl in portfolio.row.inputs:
        if decl.name not in portfolio.reads:
            continue
        raw = raw_input(decl, given.values)
        try:
            found[decl.name] = None if raw is None else admit_input(decl, raw)
        except Refusal:
            found[decl.name] = None
            if not bad:
                unread.setdefault(decl.name, []).append(given.key)
    return found


def explained(decision: Decision, names: Sequence[str], language: str) -> str:
    """Why the named decisions came out as they did; the whole explanation where none is named, or it refuses."""
    if names and not decision.refused:
        told = decision.explain(format="json", language=language)
        text = "\n".join(filter(None, (render_decision(told, name, language) for name in names)))
        if text:
            return text
    return str(decision.explain(language=language))
