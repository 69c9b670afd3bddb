"""Cases and portfolios decided in DuckDB, as many in one query as have the version, the date and the outcomes asked for
in common.

What SQL does not carry out is told by name and place (E0801) and left to the other engines. The compiler and the
database are imported when something is to be decided here.
"""
from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any

from engine.backends.support import Unsupported
from engine.decision import join_reasons
from engine.diagnostics import Diagnostic
from engine.ir import nodes as ir
from engine.ir.door import Refusal, admit_input, raw_input
from engine.policy import Policy
from engine.policytest.customers import Told
from engine.policytest.model import Case, Lacking, Portfolio
from engine.policytest.rows import rows_alone
from engine.policytest.running import Account
from engine.policytest.samples import Given
from engine.records import Record

#: What is asked of a query beside outcomes.
EXTRAS = ("reasons_of", "fired", "open", "missing", "refused")


class Columnar(Record):
    """What DuckDB says of cases, by name, and what it does not carry out."""

    accounts: Mapping[str, Account]
    lacking: tuple[Lacking, ...]


def decide_cases(policy: Policy, cases: Iterable[Case]) -> Columnar:
    """Decide cases together."""
    engine = _Engine(policy)
    groups: dict[tuple[int, datetime.date, tuple[str, ...] | None, frozenset[str]], list[Case]] = {}
    for case in cases:
        named = {*(w.decision for w in case.values), *case.reasons_of, *case.fired}
        key = (id(case.program), case.as_of, case.only, rows_alone(case.program) & named)
        groups.setdefault(key, []).append(case)
    accounts: dict[str, Account] = {}
    lacking: dict[tuple[Diagnostic, ...], list[Case]] = {}
    for (_, as_of, only, stated), members in groups.items():
        program = members[0].program
        try:
            found = engine.decide(program, [(c.inputs, c.history) for c in members], as_of, only, stated)
        except Unsupported as problem:
            lacking.setdefault(problem.diagnostics, []).extend(members)
        else:
            accounts |= {c.name: account for c, account in zip(members, found, strict=True)}
    return Columnar(accounts, tuple(Lacking(found, tuple(members)) for found, members in lacking.items()))


class InDuckDb:
    """Decides the customers of a portfolio in DuckDB, all that are asked for in one query."""

    def __init__(self, policy: Policy, portfolio: Portfolio) -> None:
        self.policy = policy
        self.portfolio = portfolio
        self.engine = _Engine(policy)

    def decide(self, rows: Sequence[Given]) -> list[Told]:
        """What DuckDB says of each row, in order; raises Unsupported."""
        as_of, sample = self.portfolio.as_of, self.portfolio.sample
        asked: dict[int, list[int]] = {}                # rows by the version that decides them
        programs: dict[int, ir.Program] = {}
        for n, given in enumerate(rows):
            if given.fault is None:
                program = _version(self.policy, given.values, as_of)
                programs[id(program)] = program
                asked.setdefault(id(program), []).append(n)
        told = [Told({}, refused=given.about) for given in rows]
        for key, members in asked.items():
            customers = [(rows[n].values, sample.history(rows[n]) or {}) for n in members]
            accounts = self.engine.decide(programs[key], customers, as_of, None)
            for n, account in zip(members, accounts, strict=True):
                told[n] = _told(programs[key], account)
        return told


def _told(program: ir.Program, account: Account) -> Told:
    outputs = {d.name for d in program.decisions if not d.internal}
    opened = tuple(name for name in account.open if name in outputs)
    missing = (account.missing or ()) if opened else ()
    return Told(account.values, account.reasons, opened, missing, account.refused)


Customer = tuple[Mapping[str, Any], Mapping[str, Any]]


class _Engine:
    """Decides customers by the versions of one policy; each query is compiled once."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.memory = import_module("engine.backends.sql.memory")
        self.queries: dict[tuple[int, tuple[str, ...] | None, frozenset[str]], Any] = {}

    def decide(
        self, program: ir.Program, customers: Sequence[Customer], as_of: datetime.date, only: tuple[str, ...] | None,
        stated: frozenset[str] = frozenset(),
    ) -> list[Account]:
        """What DuckDB says of customers (inputs and history), with all outcomes that those asked for hang on, but of
        facts that are rows only those `stated`; raises Unsupported."""
        reach = self.policy.cone(program, only)
        left = rows_alone(program) - stated
        outcomes = [d.name for d in reach.decisions if d.family != "imports" and d.name not in left]
        key = (id(program), only, stated)
        if key not in self.queries:
            self.queries[key] = self.memory.compiled(program, outcomes, EXTRAS)
        given = [self.memory.Customer(inputs, history) for inputs, history in customers]
        rows = self.memory.decide_all(program, given, as_of, outcomes, EXTRAS, query=self.queries[key])
        return [_account(program, row, inputs) for row, (inputs, _) in zip(rows, customers, strict=True)]


def _account(program: ir.Program, row: Any, inputs: Mapping[str, Any]) -> Account:
    refused = tuple(dict.fromkeys((*_application_date(program, inputs), *row.refused)))
    if refused:
        return Account({}, refused=refused)
    reasons_of = {name: labels for (kind, name), labels in row.sets.items() if kind == "reasons_of"}
    outputs = [d.name for d in program.decisions if not d.internal]
    shown = {name: reasons_of[name] for name in program.declared if name in reasons_of and name in outputs}
    return Account(row.values, join_reasons(shown), reasons_of, row.fired, row.open, row.missing)


def _application_date(program: ir.Program, inputs: Mapping[str, Any]) -> tuple[str, ...]:
    """The input that picks the version, where it is bad: it refuses the customer though no rule may read it."""
    try:
        _picked(program, inputs)
    except Refusal:
        return (program.application_date or "",)
    return ()


def _picked(program: ir.Program, inputs: Mapping[str, Any]) -> datetime.date | None:
    """The stated application date; raises Refusal."""
    decl = next((i for i in program.inputs if i.name == program.application_date), None)
    return None if decl is None else admit_input(decl, raw_input(decl, inputs))


def _version(policy: Policy, inputs: Mapping[str, Any], as_of: datetime.date) -> ir.Program:
    """The version that decides a customer."""
    try:
        return policy.program_at(_picked(policy.program, inputs) or as_of)
    except Refusal:
        return policy.program_at(as_of)                 # it will be refused
