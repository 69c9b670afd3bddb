"""Aggregates over the items of a relation or list.

Over no item `sum`, `count` and streaks are 0 and `some`, `every` false and true; the rest
are null. A null item makes sum, mean, min, max and median null; `some` and `every`
are three-valued. `sum` and `mean` round each item to whole units of `decimals`,
add these exactly, take the sum as binary64 and divide once: no order of rows shows in
the result, and every engine that adds whole numbers exactly gives the same bits. An item
of more than `MOST_UNITS` units makes them null.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from engine.semantics import temporal
from engine.semantics.narrow import narrowed
from engine.semantics.values import YearsMonths

#: How many items in a row are true: the most of them, and those at the end.
STREAKS = ("longest streak", "current streak")
#: Every fold, in the order the support table lists them.
FOLDS = ("sum", "count", "min", "max", "mean", "median", "some", "every", "worst", "best", "first", "last", *STREAKS)
#: Folds that have a value whatever the items are.
TOTAL = frozenset({"count", *STREAKS})

#: Whole units beyond which an item is no amount: whole numbers of 128 bits add 10**11 such items exactly.
MOST_UNITS = 1e27


def fold(op: str, items: Sequence[Any], decimals: int | None = None, scale: Sequence[str] | None = None) -> Any:
    """Fold `items`; `scale` lists an enumeration from best to worst for `worst` and `best`."""
    if op == "count":
        return len(items)
    if op in STREAKS:
        return _streak(op, items)
    if op in ("some", "every"):
        return _quantify(op, items)
    if op in ("worst", "best"):
        return _extreme(op, items, scale or ())
    if op in ("first", "last"):
        return (items[0] if op == "first" else items[-1]) if items else None
    if any(item is None for item in items):
        return None
    if op == "sum":
        return total(items, decimals) if items else 0
    if not items:
        return None
    if op == "min":
        return min(items)
    if op == "max":
        return max(items)
    if op == "mean":
        return mean(items, decimals)
    return median(items)


def grouped(pairs: Sequence[tuple[Any, Any]]) -> list[dict[str, Any]]:
    """Rows by their keys, as (key, row): a context with `key` and `rows` for each, as keys first appear."""
    found: dict[Any, list[Any]] = {}
    for key, row in pairs:
        found.setdefault(key, []).append(row)
    return [{"key": key, "rows": rows} for key, rows in found.items()]


def total(items: Sequence[Any], decimals: int | None) -> Any:
    if isinstance(items[0], YearsMonths):
        return narrowed(YearsMonths(sum(item.total for item in items)))
    if temporal.is_duration(items[0]):
        return narrowed(temporal.make_duration(sum(map(temporal.duration_nanos, items))))
    if decimals is None:
        result = items[0]
        for item in items[1:]:
            result = result + item
        return _finite(result)
    return _quotient(items, decimals, 10.0**decimals)


def mean(items: Sequence[Any], decimals: int | None) -> Any:
    if decimals is None:
        return _finite(total(items, None) / len(items))
    return _quotient(items, decimals, float(10**decimals * len(items)))


def _quotient(items: Sequence[Any], decimals: int, divisor: float) -> float | None:
    """The items in whole units of `10 ** -decimals`, halves upward, added exactly, over `divisor`."""
    unit, floor = 10.0**decimals, math.floor
    scaled = [item * unit + 0.5 for item in items]
    if max(scaled) > MOST_UNITS or min(scaled) < -MOST_UNITS:
        return None
    return float(sum(map(floor, scaled))) / divisor


def median(items: Sequence[Any]) -> Any:
    ordered = sorted(items)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return _finite((ordered[middle - 1] + ordered[middle]) / 2)


def _quantify(op: str, items: Sequence[Any]) -> bool | None:
    decisive = op == "some"
    if any(item is decisive for item in items):
        return decisive
    return None if any(item is None for item in items) else not decisive


def _streak(op: str, items: Sequence[Any]) -> int:
    longest = current = 0
    for item in items:
        current = current + 1 if item else 0
        longest = max(longest, current)
    return longest if op == "longest streak" else current


def _extreme(op: str, items: Sequence[Any], scale: Sequence[str]) -> Any:
    """The worst (or best) outcome; with a null item it is null unless nothing could rank beyond it."""
    known = [scale.index(item) for item in items if item is not None]
    if not known:
        return None
    edge = max(known) if op == "worst" else min(known)
    beyond = len(scale) - 1 if op == "worst" else 0
    if len(known) < len(items) and edge != beyond:
        return None
    return scale[edge]


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
