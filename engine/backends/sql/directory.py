"""A directory of a band table: the few rows that a number may belong to, by the bucket that it falls in.

A join to the last row at or below a number sorts the customers, or tries every row where there is no ASOF join.
A join by equal buckets does neither: each band stands once in every bucket that it reaches into, with the number
at which it begins and that at which the next one does.
"""
from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql import trees as t
from engine.backends.sql.trees import Operand
from engine.records import Record

#: Bands that begin in one bucket, each of which is tried for a number that falls in it.
MOST_BOUNDS = 8
#: Parts in each of which the buckets are of one width; a CASE tells the part.
PARTS = 16


class Part(Record):
    """Buckets of one width for the numbers from `start` to the start of the next part; `first` is the number of the
    first one."""

    start: float
    width: float
    first: int


class Directory(Record):
    """What buckets there are, and which `rows` stand in them: bucket, band, and where the next band begins. The last
    bucket takes the numbers from `end` on, where the last band begins."""

    parts: tuple[Part, ...]
    end: float
    last: int
    rows: tuple[tuple[int, int, float | None], ...]

    def bucket(self, value: float) -> int:
        """The bucket of a number that is not below the first band."""
        if value >= self.end:
            return self.last
        part = next(p for p in reversed(self.parts) if value >= p.start)
        return part.first + math.floor((value - part.start) / part.width)

    def tree(self, value: Operand) -> exp.Expr:
        """`bucket` in SQL, by the same operations of IEEE; NULL for NULL and below the first band."""
        whens = [(t.at_least(value, self.end), t.tree(self.last))]
        for part in reversed(self.parts):
            place = t.cast(exp.Floor(this=t.over(t.minus(value, part.start), part.width)), "INT")
            whens.append((t.at_least(value, part.start), t.plus(place, part.first) if part.first else place))
        return st.case(whens)


def directory(bounds: Sequence[float]) -> Directory | None:
    """The directory of ascending bounds; None where they lie too unevenly for one."""
    parts = _parts(bounds)
    if parts is None:
        return None
    made = Directory(parts, bounds[-1], len(bounds) - 1 + len(parts), ())
    rows: list[tuple[int, int, float | None]] = []
    for band, bound in enumerate(bounds):
        after = bounds[band + 1] if band + 1 < len(bounds) else None
        end = made.last if after is None else made.bucket(after)
        rows += [(bucket, band, after) for bucket in range(made.bucket(bound), end + 1)]
    return made.replace(rows=tuple(rows))


def _parts(bounds: Sequence[float]) -> tuple[Part, ...] | None:
    """One part, halved as long as too many bands crowd in a bucket; as many buckets as bands in each."""
    found: list[Part] = []
    waiting = [(0, len(bounds) - 1)]
    while waiting:
        begin, end = waiting.pop()
        width = (bounds[end] - bounds[begin]) / (end - begin)
        if not _is_crowded(bounds[begin:end], width):
            # a number just below the next part may be rounded up, to a bucket that is no other's
            found.append(Part(bounds[begin], width, begin + len(found)))
        elif end - begin > 1:
            middle = (begin + end) // 2
            waiting += [(middle, end), (begin, middle)]
        else:
            return None
        if len(found) + len(waiting) > PARTS:
            return None
    return tuple(found)


def _is_crowded(bounds: Sequence[float], width: float) -> bool:
    if not 0 < width < math.inf:
        return True
    in_bucket = Counter(math.floor((bound - bounds[0]) / width) for bound in bounds)
    return max(in_bucket.values()) > MOST_BOUNDS
