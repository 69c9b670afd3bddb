"""Who got less than it asked for and why, and what each cap has left."""
from __future__ import annotations

from typing import Any

import numpy as np

from engine.allocation.problem import Problem, Shared, left

BUDGET, NO_VALUE = "budget", "no value"


def limited(problem: Problem, shared: Shared) -> list[list[str]]:
    """For each customer what stood in the way of what it asked for and did not get: the budget, caps as `by: group`, or
    that it is worth nothing. Empty for one who got all."""
    budget, rest = left(problem, shared.given)
    short = problem.most - shared.given
    need = short if problem.whole else np.minimum(short, 1)     # the least that would have been more
    found: list[list[str]] = [[] for _ in range(problem.customers)]
    for at in np.flatnonzero((short > 0) & (problem.value <= 0)).tolist():
        found[at].append(NO_VALUE)
    wanting = (short > 0) & (problem.value > 0)
    for at in np.flatnonzero(wanting & (need > budget)).tolist():
        found[at].append(BUDGET)
    for cap, room in zip(problem.caps, rest, strict=True):
        member = cap.codes >= 0
        closed = member & wanting & (need > np.where(member, room[np.where(member, cap.codes, 0)], 0))
        for at in np.flatnonzero(closed).tolist():
            found[at].append(f"{cap.by}: {cap.groups[cap.codes[at]]}")
    return found


def caps(problem: Problem, shared: Shared) -> list[dict[str, Any]]:
    """The groups whose cap is used up, the dearest first: how much there was, and what a further step is worth."""
    budget, rest = left(problem, shared.given)
    found = []
    for cap, room, price in zip(problem.caps, rest, shared.prices, strict=True):
        member = cap.codes >= 0
        asked = np.zeros(len(cap.limits), dtype=np.int64)
        np.add.at(asked, cap.codes[member], problem.most[member])
        for code in np.flatnonzero((asked > cap.limits) & (room * 100 <= np.maximum(cap.limits, 1))).tolist():
            found.append({
                "by": cap.by, "group": cap.groups[code], "limit": int(cap.limits[code]),
                "used": int(cap.limits[code] - room[code]), "asked": int(asked[code]), "price": float(price[code]),
            })
    return sorted(found, key=lambda each: (-each["price"], -each["asked"]))
