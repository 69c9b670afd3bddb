"""Adverse impact by the four-fifths rule.

"A selection rate for any race, sex, or ethnic group which is less than four-fifths (4/5) (or eighty percent) of the
rate for the group with the highest rate will generally be regarded by the Federal enforcement agencies as evidence of
adverse impact" (Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4(D)). The rule was made for
employment and is used for lending as a screen. Its text warns of differences that rest on small numbers, so groups
below a least size are neither judged nor compared with.
"""
from __future__ import annotations

from collections.abc import Sequence

from engine.records import Record
from engine.semantics.number import FLOOR_NUMBER, compare

FOUR_FIFTHS = 0.8
#: Customers of a group below which a rate says little; a common reading of "small numbers".
LEAST_SIZE = 30


class Rate(Record):
    """A group of `size` customers, `favourable` of whom had a favourable outcome."""

    group: str
    size: int
    favourable: int

    @property
    def rate(self) -> float:
        return self.favourable / self.size


class Impact(Record):
    """`best` is the judged group with the highest rate, None where fewer than two groups are large enough;
    `ratios` those of the others over it, `small` the groups that were not judged."""

    best: Rate | None
    ratios: tuple[tuple[Rate, float], ...]
    small: tuple[Rate, ...]
    least: float

    @property
    def adverse(self) -> list[tuple[Rate, float]]:
        """The groups whose ratio is too low; a ratio equal to the least one is not."""
        return [(r, ratio) for r, ratio in self.ratios if compare("<", ratio, self.least, FLOOR_NUMBER)]


def adverse_impact(rates: Sequence[Rate], least: float = FOUR_FIFTHS, least_size: int = LEAST_SIZE) -> Impact:
    """Compare groups with the one that has the highest rate. Where nobody had a favourable outcome all are alike."""
    large = [r for r in rates if r.size >= least_size]
    small = tuple(r for r in rates if r.size < least_size)
    if len(large) < 2:
        return Impact(None, (), small, least)
    best = max(large, key=lambda r: r.rate)
    ratios = tuple((r, r.rate / best.rate if best.favourable else 1.0) for r in large if r is not best)
    return Impact(best, ratios, small, least)
