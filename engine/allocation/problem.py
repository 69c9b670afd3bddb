"""What is to be shared: amounts in whole steps, a value for each step, a budget and caps by group."""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.records import Record

Whole = NDArray[np.int64]
Codes = NDArray[np.int32]
Floats = NDArray[np.float64]

#: The code of a customer who is in no group of a cap.
NOBODY = -1


class Cap(Record):
    """A cap on each group of a column: `codes` are the customers' groups (`NOBODY` for none), `limits` the most steps
    that each group may get."""

    by: str
    codes: Codes
    limits: Whole
    groups: tuple[str, ...]


class Problem(Record):
    """`most` are the steps that each customer may get at most and `value` what one step is worth; `whole`: each gets
    all or nothing."""

    most: Whole
    value: Floats
    budget: int
    caps: tuple[Cap, ...]
    whole: bool = False

    @property
    def customers(self) -> int:
        return len(self.most)


class Shared(Record):
    """An allocation: the steps that each customer gets, and their value. No allocation is worth more than `bound`.

    `price` is what a further step of budget is worth, `prices` of each cap's groups.
    """

    given: Whole
    value: float
    bound: float
    price: float
    prices: tuple[Floats, ...]
    method: str

    @property
    def gap(self) -> float:
        """How much of the bound may be lost at most, as a share of it."""
        return 0.0 if self.bound <= 0 else max(0.0, (self.bound - self.value) / self.bound)


def left(problem: Problem, given: Whole) -> tuple[int, tuple[Whole, ...]]:
    """The steps left of the budget and of each cap's groups; negative where too much was given."""
    rest = []
    for cap in problem.caps:
        member = cap.codes >= 0
        used = np.zeros(len(cap.limits), dtype=np.int64)
        np.add.at(used, cap.codes[member], given[member])
        rest.append(cap.limits - used)
    return problem.budget - int(given.sum()), tuple(rest)
