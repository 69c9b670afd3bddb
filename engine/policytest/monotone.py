"""Monotonicity: as an input grows, all else equal, does an outcome go one way only?

Each customer is decided again with the input moved. To compare customers that differ in the input would be cheaper
and say less: large firms differ from small ones in everything else too, so that a limit may fall from one band of
revenue to the next though the rule is sound, and rise though it is not.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.records import Record
from engine.semantics.number import FLOOR_NUMBER, compare

#: Directions in which an outcome may not go down as the input grows; ordered values go up from worst to best.
NO_FALL = frozenset({"non-decreasing", "never worse"})
#: Directions of ordered values.
OF_VALUES = frozenset({"never worse", "never better"})


class Point(Record):
    """An outcome, None where there is none to compare, at a value of the input."""

    at: Any
    outcome: Any


class Break(Record):
    """Two neighbouring values of the input between which the outcome goes the wrong way."""

    low: Point
    high: Point


def breaks(points: Sequence[Point], direction: str, scale: Sequence[str] | None, floor: float) -> list[Break]:
    """Where an outcome goes the wrong way over the values of an input, any order given.

    `scale` lists ordered values from worst to best; `floor` is the least tolerance of numbers. A value of the
    input that occurs twice counts once; what has no outcome is passed over.
    """
    known = {p.at: p for p in points if p.outcome is not None}
    ordered = [known[at] for at in sorted(known)]
    sign = "<" if direction in NO_FALL else ">"
    return [Break(a, b) for a, b in zip(ordered, ordered[1:], strict=False) if _wrong(a, b, sign, scale, floor)]


def _wrong(low: Point, high: Point, sign: str, scale: Sequence[str] | None, floor: float) -> bool:
    one, two = low.outcome, high.outcome
    if scale is not None:
        one, two = scale.index(one), scale.index(two)
    if isinstance(one, (int, float)):
        return compare(sign, float(two), float(one), floor or FLOOR_NUMBER)
    return bool(two < one) if sign == "<" else bool(two > one)
