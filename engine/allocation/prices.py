"""What the budget and the caps are worth, by the dual of a linear program over bundles of like customers.

Customers who are in the same groups and are worth about the same are one column of the program, so that its size
hangs on the groups and not on the customers. Any prices give a bound (Lagrangian duality), so bundling costs
tightness and never correctness.
"""
from __future__ import annotations

import numpy as np

from engine.allocation.problem import Cap, Floats, Problem
from engine.allocation.solver import linear

#: Bundles that the program may have, and those of customers who are in the same groups.
MOST_BUNDLES, MOST_OF_A_CELL = 60_000, 64
#: A cap with more groups has no price: each of its groups is settled by itself.
MOST_PRICED = 2_000


def priced(problem: Problem) -> list[bool]:
    """Which caps get prices: all but those of very many groups."""
    return [len(cap.limits) <= MOST_PRICED for cap in problem.caps]


def prices(problem: Problem) -> tuple[float, tuple[Floats, ...]]:
    """The price of the budget and of each cap's groups, in value a step."""
    has = priced(problem)
    caps = [cap for cap, yes in zip(problem.caps, has, strict=True) if yes]
    most, value, codes = _bundles(problem, caps)
    budget, found = linear(most, value, problem.budget, [Cap(c.by, k, c.limits, c.groups) for c, k in
                                                         zip(caps, codes, strict=True)])
    taken = iter(found)
    return budget, tuple(
        next(taken) if yes else np.zeros(len(cap.limits)) for cap, yes in zip(problem.caps, has, strict=True)
    )


def _bundles(problem: Problem, caps: list[Cap]) -> tuple[Floats, Floats, list[np.ndarray]]:
    """Amount, mean value and groups of each bundle."""
    cell = np.zeros(problem.customers, dtype=np.int64)
    for cap in caps:
        cell = cell * (len(cap.limits) + 1) + (cap.codes + 1)
        _, cell = np.unique(cell, return_inverse=True)
    order = np.lexsort((-problem.value, cell))
    cell, value, most = cell[order], problem.value[order], problem.most[order].astype(np.float64)
    cells = int(cell[-1]) + 1 if len(cell) else 0
    per_cell = max(1, min(MOST_OF_A_CELL, MOST_BUNDLES // max(cells, 1)))
    # a customer's bundle: its cell, and which part of the cell's amount stands before it
    starts = np.searchsorted(cell, np.arange(cells))
    before = np.cumsum(most) - most
    total = np.add.reduceat(most, starts) if cells else np.zeros(0)
    within = (before - before[starts][cell]) / np.maximum(total[cell], 1.0)
    bundle = cell * per_cell + np.minimum((within * per_cell).astype(np.int64), per_cell - 1)
    firsts = np.flatnonzero(np.r_[True, bundle[1:] != bundle[:-1]]) if len(bundle) else np.zeros(0, dtype=np.int64)
    amount = np.add.reduceat(most, firsts) if len(firsts) else np.zeros(0)
    worth = np.add.reduceat(most * value, firsts) if len(firsts) else np.zeros(0)
    mean = worth / np.maximum(amount, 1.0)
    return amount, mean, [cap.codes[order][firsts] for cap in caps]


def reduced(problem: Problem, budget: float, found: tuple[Floats, ...]) -> Floats:
    """What a step of each customer is worth beyond what it uses up."""
    worth = problem.value - budget
    for cap, price in zip(problem.caps, found, strict=True):
        member = cap.codes >= 0
        worth = worth - np.where(member, price[np.where(member, cap.codes, 0)], 0.0)
    return worth


def bound(problem: Problem, budget: float, found: tuple[Floats, ...]) -> float:
    """More than any allocation is worth: what is left of the customers' values behind the prices, with the budget and
    the caps sold at them. The groups of the first cap without prices are filled by themselves."""
    worth = np.maximum(reduced(problem, budget, found), 0.0)
    sold = budget * problem.budget + sum(float(p @ c.limits) for p, c in zip(found, problem.caps, strict=True))
    free = next((c for c, yes in zip(problem.caps, priced(problem), strict=True) if not yes), None)
    if free is None:
        return float(worth @ problem.most) + sold
    alone = free.codes < 0
    inside = float(worth[alone] @ problem.most[alone])
    order = np.lexsort((-worth, free.codes))
    order = order[free.codes[order] >= 0]
    codes, most = free.codes[order], problem.most[order].astype(np.float64)
    firsts = np.searchsorted(codes, np.arange(len(free.limits)))
    before = np.cumsum(most) - most
    since = before - before[np.minimum(firsts, max(len(before) - 1, 0))][codes] if len(codes) else before
    room = np.clip(free.limits[codes] - since, 0.0, most) if len(codes) else most
    return inside + float(worth[order] @ room) + sold
