"""The population stability index: how far a distribution has moved from that of a stored run.

    PSI = sum over categories of (a - e) * ln(a / e)

with `e` the category's share in the stored run (expected) and `a` that of now (actual); N. Siddiqi, "Credit Risk
Scorecards" (2006), who reads below 0.10 as no significant change, up to 0.25 as a small one to be looked into, above as
a shift. It is the symmetrised divergence of Kullback and Leibler (1951). Where one side lacks a category it is counted
there as half a customer, since the logarithm has no value at 0.

Two samples of one population differ by chance: over k categories and samples of n and m customers the index is then
about (k - 1) * (1/n + 1/m) (B. Yurdakul, "Statistical properties of population stability index", 2018).
"""
from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from engine.records import Record

MAX_INDEX = 0.1
#: Bands of a number where none are stated.
DECILES = 10
_HALF = 0.5


class Shift(Record):
    """One category: its shares then and now, and its part of the index."""

    category: str
    then: float
    now: float
    part: float


class Stability(Record):
    """The index, its parts in the order of the categories, and what it would be about by chance alone."""

    index: float
    shifts: tuple[Shift, ...]
    chance: float


def stability(then: Counter[str], now: Counter[str], order: Sequence[str]) -> Stability:
    """The index of two samples, neither empty; `order` lists the categories, further ones stand behind."""
    before, after = then.total(), now.total()
    categories = list(dict.fromkeys((*(c for c in order if then[c] or now[c]), *then, *now)))
    shifts = []
    for category in categories:
        expected = (then[category] or _HALF) / before
        actual = (now[category] or _HALF) / after
        part = (actual - expected) * math.log(actual / expected)
        shifts.append(Shift(category, then[category] / before, now[category] / after, part))
    chance = (len(categories) - 1) * (1 / before + 1 / after)
    return Stability(math.fsum(s.part for s in shifts), tuple(shifts), chance)


def deciles(values: Iterable[float]) -> tuple[float, ...]:
    """Where tenths of the values end, equal ends once: as many customers in each band as ties allow."""
    ordered = sorted(values)
    if not ordered:
        return ()
    ends = [ordered[len(ordered) * tenth // DECILES] for tenth in range(1, DECILES)]
    return tuple(end for end in dict.fromkeys(ends) if end > ordered[0])


def banding(ends: Sequence[float], show: Callable[[Any], str]) -> tuple[Callable[[float], str], list[str]]:
    """The band of a number, as `[450..500)`, and all bands in rising order. A band holds its lower end."""
    if not ends:
        return lambda _: "all", ["all"]
    shown = [show(end) for end in ends]
    inner = [f"[{low}..{high})" for low, high in zip(shown, shown[1:], strict=False)]
    names = [f"< {shown[0]}", *inner, f">= {shown[-1]}"]
    return lambda value: names[bisect_right(ends, value)], names
