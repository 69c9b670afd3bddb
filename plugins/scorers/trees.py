"""Trees as model files hold them, checked before a library sees them.

The libraries trust their files: an index that leads out of an array reads foreign memory, a cycle never ends, and
either takes the whole process with it. What a download cut short does to a file is enough for that.
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy

    Numbers = numpy.ndarray[Any, Any]


class Broken(Exception):
    """A tree that no training could have written."""


def are_within(values: Numbers, low: int, high: int) -> bool:
    """Whether all are `low` or more and less than `high`."""
    return not len(values) or bool(values.min() >= low and values.max() < high)


def check_reach(left: Numbers, right: Numbers) -> None:
    """Check that children, -1 for none, make one tree below node 0 that no path goes round in.

    The indices are known to be within the arrays. Nodes that nothing leads to are let be.
    """
    import numpy as np  # noqa: PLC0415 - comes with the library of the model

    reached = np.zeros(len(left), bool)
    reached[:1] = True
    level = np.zeros(min(1, len(left)), np.int64)
    while len(level):
        below = np.concatenate([left[level], right[level]])
        below = below[below >= 0]
        if len(below) != len(np.unique(below)) or reached[below].any():
            raise Broken("a tree whose branches meet again")
        reached[below] = True
        level = below


def check_segments(starts: Numbers, sizes: Numbers, length: int) -> None:
    """Check that segments of an array lie within it."""
    if len(starts) != len(sizes):
        raise Broken("segments without their sizes")
    if len(starts) and (starts.min() < 0 or sizes.min() < 0 or (starts + sizes).max() > length):
        raise Broken("segments that leave their array")
