"""A test file run: its cases decided, its portfolios decided and judged."""
from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from typing import Any

from engine.backends.support import Unsupported
from engine.policy import Policy
from engine.policytest.customers import Decided, Decider, OneByOne, decided
from engine.policytest.model import Agreement, Case, Expectation, Lacking, Portfolio, Suite
from engine.policytest.report import Outcome
from engine.policytest.rows import MISSING, OPEN, REFUSED, rows_alone
from engine.policytest.running import Account, Difference, Result, listing, run_case, show
from engine.policytest.verdicts import Verdict

#: "python" is checked against the reference where cases are decided; "all" are these three.
ENGINES = ("python", "reference", "duckdb", "all")
#: Differences between engines that are shown of a portfolio.
MAX_SHOWN = 10

#: Whether a case or expectation is asked for.
Wanted = Callable[[Case | Expectation], bool]
Judge = Callable[[Expectation], Verdict]


def run_suite(suite: Suite, wanted: Wanted, fail_fast: bool = False, engine: str = "python") -> Outcome:
    """Run a test file by one of `ENGINES`, each portfolio decided once if any of its expectations is wanted; nothing of
    an invalid file."""
    policy = suite.policy
    if not suite.is_valid or policy is None:
        return Outcome(suite, (), 0.0)
    start = time.perf_counter()
    results: list[Result] = []
    verdicts: list[Verdict] = []
    lacking: list[Lacking] = []
    for job in _jobs(suite, policy, wanted, engine, lacking):
        done = job()
        if isinstance(done, Result):
            results.append(done)
        else:
            verdicts.append(done)
        if fail_fast and not done.passed:
            break
    every = len(suite.cases) + sum(len(p.expectations) + (engine == "all") for p in suite.portfolios)
    gone = sum(len(part.items) for part in lacking) if engine == "duckdb" else 0
    left = every - len(results) - len(verdicts) - gone
    return Outcome(suite, tuple(results), time.perf_counter() - start, left, tuple(verdicts), tuple(lacking))


def _jobs(
    suite: Suite, policy: Policy, wanted: Wanted, engine: str, lacking: list[Lacking]
) -> Iterator[Callable[[], Result | Verdict]]:
    cases = [case for case in suite.cases if wanted(case)]
    accounts: Mapping[str, Account] = {}
    if cases and engine in ("duckdb", "all"):
        found = import_module("engine.policytest.columnar").decide_cases(policy, cases)
        accounts = found.accounts
        lacking += found.lacking
    for case in cases:
        if engine != "duckdb" or case.name in accounts:
            yield partial(run_case, policy, case, engine, accounts.get(case.name))
    for portfolio in suite.portfolios:
        expectations = [e for e in _expectations(portfolio, engine) if wanted(e)]
        if not expectations:
            continue
        try:
            judge = judge_of(policy, portfolio, "python" if engine == "all" else engine)
        except Unsupported as problem:
            lacking.append(Lacking(problem.diagnostics, tuple(expectations)))
            continue
        for expectation in expectations:
            if isinstance(expectation.measure, Agreement):
                yield partial(_agreement, policy, portfolio, expectation, lacking)
            else:
                yield partial(judge, expectation)


def _expectations(portfolio: Portfolio, engine: str) -> list[Expectation]:
    """Those of the file, and where all engines are asked that they agree."""
    found = list(portfolio.expectations)
    if engine == "all":
        name = f"{portfolio.name} / the engines agree"
        found.append(Expectation(name, Agreement(), portfolio.expectations[0].place, portfolio.as_of))
    return found


def judge_of(policy: Policy, portfolio: Portfolio, engine: str = "python") -> Judge:
    """Decides a portfolio by one engine, and judges its expectations; raises Unsupported."""
    decider, found = _decided(policy, portfolio, engine)
    again = OneByOne(policy, portfolio, "reference" if engine == "reference" else "python").decision
    judge: Judge = import_module("engine.policytest.judging").judges(portfolio, found, decider, again)
    return judge


def _decided(policy: Policy, portfolio: Portfolio, engine: str) -> tuple[Decider, Decided]:
    decider: Decider
    if engine == "duckdb":
        decider = import_module("engine.policytest.columnar").InDuckDb(policy, portfolio)
    else:
        decider = OneByOne(policy, portfolio, engine)
    return decider, decided(portfolio, decider.decide(portfolio.sample.rows))


def _agreement(policy: Policy, portfolio: Portfolio, expectation: Expectation, lacking: list[Lacking]) -> Verdict:
    """Whether each engine says of every row what the reference says."""
    rows = portfolio.sample.rows
    unordered = {portfolio.row.meta[word] for word in (OPEN, MISSING, REFUSED)}
    _, reference = _decided(policy, portfolio, "reference")
    differences: list[Difference] = []
    named = {}
    for engine in ("python", "duckdb"):
        try:
            _, other = _decided(policy, portfolio, engine)
        except Unsupported as problem:
            lacking.append(Lacking(problem.diagnostics, portfolio.expectations))
            continue
        theirs = {id(c.given): c for c in (*other.customers, *other.refused)}
        left = frozenset[str]() if engine == "python" else rows_alone(portfolio.program)
        for customer in (*reference.customers, *reference.refused):
            row, said = customer.row, theirs[id(customer.given)].row
            for name in portfolio.row.names:
                mine, others = _without(left, name, row[name]), _without(left, name, said[name])
                if _differ(mine, others, name in unordered):
                    named[id(customer)] = customer
                    one, two = f"{_shown(mine)} (reference)", f"{_shown(others)} ({engine})"
                    differences.append(Difference(f"{customer.key}: {name}", one, two))
    more = len(differences) - MAX_SHOWN
    lines = (f"and {more:,} more",) if more > 0 else ()
    again = OneByOne(policy, portfolio, "reference").decision
    return Verdict(expectation, tuple(differences[:MAX_SHOWN]), tuple(named.values()), len(rows), lines, again=again)


def _without(left: frozenset[str], name: str, value: Any) -> Any:
    """A value of a customer without what is called as `left` says; that of a used policy holds its own facts."""
    if name in left:
        return None
    if not isinstance(value, Mapping) or not any(n.startswith(f"{name}.") for n in left):
        return value
    return {n: _without(left, f"{name}.{n}", v) for n, v in value.items() if f"{name}.{n}" not in left}


def _differ(one: Any, two: Any, unordered: bool) -> bool:
    return set(one) != set(two) if unordered else bool(one != two)


def _shown(value: Any) -> str:
    return listing(value) if isinstance(value, list) and all(isinstance(v, str) for v in value) else show(value)
