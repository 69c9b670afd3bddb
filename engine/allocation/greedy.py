"""Sharing in the order of what is left of each customer's value behind the prices."""
from __future__ import annotations

import numpy as np

from engine.allocation.problem import Floats, Problem, Whole, left


def share(problem: Problem, worth: Floats, begun: Whole | None = None) -> Whole:
    """Give each customer in turn as much as the budget and its caps have left; those worth nothing get nothing.

    `worth` is the order, the greatest first, then as the customers stand. `begun` was given before.
    """
    given = np.zeros(problem.customers, dtype=np.int64) if begun is None else begun.copy()
    open_ = np.flatnonzero((problem.value > 0) & (given < problem.most))
    order = open_[np.lexsort((open_, -problem.value[open_], -worth[open_]))]
    budget, rest = left(problem, given)
    caps = [(cap.codes[order].tolist(), room.tolist()) for cap, room in zip(problem.caps, rest, strict=True)]
    wanted = (problem.most[order] - given[order]).tolist()
    taken = [0] * len(wanted)
    whole = problem.whole
    for at, want in enumerate(wanted):
        if budget <= 0:
            break
        most = want if want < budget else budget
        for codes, room in caps:
            code = codes[at]
            if code >= 0 and room[code] < most:
                most = room[code]
        if most <= 0 or (whole and most < want):
            continue
        taken[at] = most
        budget -= most
        for codes, room in caps:
            code = codes[at]
            if code >= 0:
                room[code] -= most
    given[order] += np.asarray(taken, dtype=np.int64)
    return given
