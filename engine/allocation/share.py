"""Shares a budget: by prices first, by the solver where that leaves too much."""
from __future__ import annotations

import numpy as np

from engine.allocation import solver
from engine.allocation.greedy import share
from engine.allocation.prices import bound, prices, reduced
from engine.allocation.problem import Problem, Shared, Whole

#: The share of the bound that may be lost.
GAP = 0.001
#: Customers up to whom the solver sees each, and the seconds that it may take.
MOST_SOLVED, SECONDS = 200_000, 100.0
PRICES, SOLVER = "prices", "solver"
OUT_OF_TIME = "prices; the solver ran out of time"


def allocate(problem: Problem, gap: float = GAP, seconds: float = SECONDS) -> Shared:
    """The best allocation that is found; what it may miss is its `gap`. Caps and budget hold exactly."""
    if not problem.customers:
        return Shared(problem.most, 0.0, 0.0, 0.0, tuple(np.zeros(len(c.limits)) for c in problem.caps), PRICES)
    budget, found = prices(problem)
    worth = reduced(problem, budget, found)
    given = share(problem, worth)
    plain = share(problem, problem.value)
    if _value(problem, plain) > _value(problem, given):
        given = plain
    most = bound(problem, budget, found)
    shared = Shared(given, _value(problem, given), most, budget, found, PRICES)
    if shared.gap <= gap or problem.customers > MOST_SOLVED:
        return shared
    try:
        amounts, better = solver.amounts(
            problem.most.astype(np.float64), problem.value, problem.budget, problem.caps, whole=problem.whole,
            gap=gap / 2, seconds=seconds,
        )
    except solver.Unsolved:                             # what prices gave stands, and its gap says how near it is
        return shared.replace(method=OUT_OF_TIME)
    steps = np.floor(amounts + 1e-6).astype(np.int64)
    if problem.whole:
        steps = (amounts > 0.5) * problem.most
    solved = share(problem, worth, _within(problem, steps))
    if _value(problem, solved) > shared.value:
        shared = shared.replace(given=solved, value=_value(problem, solved), method=SOLVER)
    return shared.replace(bound=min(most, max(better, shared.value)))


def _value(problem: Problem, given: Whole) -> float:
    return float(problem.value @ given)


def _within(problem: Problem, steps: Whole) -> Whole:
    """A solver's amounts, which keep to the caps up to its tolerance, as an allocation that keeps to them exactly."""
    order = np.argsort(-steps, kind="stable")
    limited = problem.replace(most=np.minimum(steps, problem.most))
    return share(limited, -np.argsort(order, kind="stable").astype(np.float64))
