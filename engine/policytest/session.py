"""A test file run: its cases decided, its portfolios decided and judged."""
from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module

from engine.policy import Policy
from engine.policytest.model import Case, Expectation, Portfolio, Suite
from engine.policytest.report import Outcome
from engine.policytest.running import Result, run_case
from engine.policytest.verdicts import Verdict

#: Whether a case or expectation is asked for.
Wanted = Callable[[Case | Expectation], bool]


def run_suite(suite: Suite, wanted: Wanted, fail_fast: bool = False, engine: str = "python") -> Outcome:
    """Run a test file, each portfolio decided once if any of its expectations is wanted; nothing of an invalid file."""
    policy = suite.policy
    if not suite.is_valid or policy is None:
        return Outcome(suite, (), 0.0)
    start = time.perf_counter()
    results: list[Result] = []
    verdicts: list[Verdict] = []
    for job in _jobs(suite, policy, wanted, engine):
        done = job()
        if isinstance(done, Result):
            results.append(done)
        else:
            verdicts.append(done)
        if fail_fast and not done.passed:
            break
    every = len(suite.cases) + sum(len(p.expectations) for p in suite.portfolios)
    left = every - len(results) - len(verdicts)
    return Outcome(suite, tuple(results), time.perf_counter() - start, left, tuple(verdicts))


def _jobs(suite: Suite, policy: Policy, wanted: Wanted, engine: str) -> Iterator[Callable[[], Result | Verdict]]:
    for case in suite.cases:
        if wanted(case):
            yield partial(run_case, policy, case)
    for portfolio in suite.portfolios:
        judge: Callable[[Expectation], Verdict] | None = None
        for expectation in portfolio.expectations:
            if wanted(expectation):
                judge = judge or judge_of(policy, portfolio, engine)
                yield partial(judge, expectation)


def judge_of(policy: Policy, portfolio: Portfolio, engine: str = "python") -> Callable[[Expectation], Verdict]:
    """Decides a portfolio, and judges its expectations."""
    customers = import_module("engine.policytest.customers")
    decider = customers.OneByOne(policy, portfolio, engine)
    decided = customers.decided(portfolio, decider.all())
    judge: Callable[[Expectation], Verdict] = import_module("engine.policytest.judging").judges(
        portfolio, decided, decider.again
    )
    return judge
