"""Counts of periods and instalments, which may have been computed."""
from __future__ import annotations

import math

#: Periods beyond those of any loan: a hundred years of months.
MAX_PERIODS = 1200
#: How far from a whole number a computed count may be.
SLACK = 1e-9
#: The whole number of periods, in SQL.
N = "FLOOR(periods + 0.5)"


def whole_number(count: float) -> float:
    """A count that may have been computed, as the whole number that it is."""
    whole = math.floor(count + 0.5)
    if abs(count - whole) > SLACK:
        raise ValueError("a count is a whole number")
    return float(whole)
