"""Kernels over lists and contexts. Positions start at 1; a negative one counts from the end."""
from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from engine.semantics import number, temporal
from engine.semantics.equality import ORDERED, equals, identity, kind_of, order
from engine.semantics.values import MAX_ITEMS, Budget, LimitExceeded, Undefined, YearsMonths
from engine.semantics.work import made


def _bounded(items: list[Any]) -> list[Any]:
    made(len(items), MAX_ITEMS, "list", "items")
    return items


def index_of_position(items: list[Any], position: float, slack: int = 0) -> int:
    """The 0-based index of a position; raises `Undefined` outside the list."""
    place = int(position)
    if place == 0 or abs(place) > len(items) + slack:
        raise Undefined("the position lies outside the list")
    return place - 1 if place > 0 else len(items) + place


def counted(low: float, high: float) -> list[int]:
    """The whole numbers from `low` to `high`, upward or downward."""
    if low != int(low) or high != int(high):
        raise Undefined("only whole numbers are counted through")
    first, last = int(low), int(high)
    made(abs(last - first) + 1, MAX_ITEMS, "list", "items")
    step = 1 if first <= last else -1
    return list(range(first, last + step, step))


def contains(items: list[Any], element: Any) -> bool:
    return any(equals(item, element) is True for item in items)


def count(items: list[Any]) -> int:
    return len(items)


def _extreme(op: str, items: list[Any]) -> Any:
    if not items:
        raise Undefined("an empty list has no smallest or largest item")
    best = items[0]
    if kind_of(best) not in ORDERED:
        raise Undefined("the items have no order")
    for item in items[1:]:
        better = order(op, item, best)
        if better is None:
            raise Undefined("the items do not compare")
        if better:
            best = item
    return best


def least(items: list[Any]) -> Any:
    return _plain(items, min) if _numbers(items) else _extreme("<", items)


def greatest(items: list[Any]) -> Any:
    return _plain(items, max) if _numbers(items) else _extreme(">", items)


def _plain(items: list[Any], pick: Callable[[list[Any]], Any]) -> Any:
    """Extremes of numbers are exact, without tolerance."""
    if not items:
        raise Undefined("an empty list has no smallest or largest item")
    return pick(items)


def _numbers(items: list[Any]) -> bool:
    return all(number.is_number(item) for item in items)


def _require_numbers(items: list[Any]) -> list[Any]:
    if not items:
        raise Undefined("the list is empty")
    if not _numbers(items):
        raise Undefined("an item is not a number")
    return items


def total(items: list[Any]) -> Any:
    """The sum; of durations too. No item has no sum in bare FEEL."""
    if items and not _numbers(items):
        if all(isinstance(item, YearsMonths) for item in items):
            return YearsMonths(sum(item.total for item in items))
        if all(temporal.is_duration(item) for item in items):
            return temporal.make_duration(sum(map(temporal.duration_nanos, items)))
    return _add(_require_numbers(items))


def _add(items: list[Any]) -> Any:
    # The exactly rounded sum does not depend on the order of the items.
    if all(isinstance(item, int) for item in items):
        return number.settle(sum(items))
    try:
        return number.settle(math.fsum(items))
    except OverflowError:
        raise Undefined("the result is out of range") from None


def mean(items: list[Any]) -> Any:
    if items and not _numbers(items):
        if all(temporal.is_duration(item) for item in items):
            return temporal.make_duration(sum(map(temporal.duration_nanos, items)) // len(items))
        if all(isinstance(item, YearsMonths) for item in items):
            return YearsMonths(int(sum(item.total for item in items) / len(items)))
    return number.divide(_add(_require_numbers(items)), len(items))


def product(items: list[Any]) -> Any:
    result: Any = 1
    for item in _require_numbers(items):
        result = number.settle(result * item)
    return result


def median(items: list[Any]) -> Any:
    ordered = sorted(_require_numbers(items))
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return number.divide(_add(ordered[middle - 1:middle + 1]), 2)


def standard_deviation(items: list[Any]) -> float:
    """Of a sample: divided by n - 1."""
    if len(_require_numbers(items)) < 2:
        raise Undefined("a standard deviation takes two items or more")
    average = _add(items) / len(items)
    return math.sqrt(_add([(item - average) ** 2 for item in items]) / (len(items) - 1))


def mode(items: list[Any]) -> list[Any]:
    """The most frequent numbers in ascending order; of no items none."""
    if not items:
        return []
    _require_numbers(items)
    counts: list[tuple[Any, int]] = []
    for item in sorted(items):
        if counts and number.equal(counts[-1][0], item):
            counts[-1] = counts[-1][0], counts[-1][1] + 1
        else:
            counts.append((item, 1))
    top = max(n for _, n in counts)
    return [item for item, n in counts if n == top]


def every(items: list[Any]) -> bool | None:
    """`all`: three-valued; what is no boolean counts as null."""
    return _settle(items, False)


def some(items: list[Any]) -> bool | None:
    return _settle(items, True)


def _settle(items: list[Any], decisive: bool) -> bool | None:
    if any(item is decisive for item in items):
        return decisive
    return (not decisive) if all(isinstance(item, bool) for item in items) else None


def sublist(items: list[Any], start: float, length: float | None = None) -> list[Any]:
    first = index_of_position(items, start)
    if length is None:
        return items[first:]
    size = int(length)
    if size < 0 or first + size > len(items):
        raise Undefined("the part reaches beyond the list")
    return items[first:first + size]


def append(items: list[Any], *more: Any) -> list[Any]:
    return _bounded([*items, *more])


def concatenate(*lists: list[Any]) -> list[Any]:
    made(sum(map(len, lists)), MAX_ITEMS, "list", "items")
    return [item for items in lists for item in items]


def insert_before(items: list[Any], position: float, item: Any) -> list[Any]:
    place = index_of_position(items, position)
    return _bounded([*items[:place], item, *items[place:]])


def remove(items: list[Any], position: float) -> list[Any]:
    place = index_of_position(items, position)
    return [*items[:place], *items[place + 1:]]


def replace(items: list[Any], where: Any, item: Any) -> list[Any]:
    """`where` is a position, or a function of an item and `item` that says which items to replace."""
    if number.is_number(where):
        place = index_of_position(items, where)
        return [*items[:place], item, *items[place + 1:]]
    out = []
    for old in items:
        hit = where(old, item)
        if not isinstance(hit, bool):
            raise Undefined("the function says true or false of each item")
        out.append(item if hit else old)
    return out


def reverse(items: list[Any]) -> list[Any]:
    return items[::-1]


def index_of(items: list[Any], match: Any) -> list[int]:
    return [place for place, item in enumerate(items, 1) if equals(item, match) is True]


def distinct(items: list[Any]) -> list[Any]:
    """Items without those that repeat an earlier one. Numbers are told apart exactly, without tolerance."""
    seen: set[Any] = set()
    out: list[Any] = []
    budget = Budget()
    for item in items:
        key = identity(item, 0, budget)
        if key not in seen:
            seen.add(key)
            out.append(item)
    return out


def union(*lists: list[Any]) -> list[Any]:
    return distinct(concatenate(*lists))


def flatten(items: list[Any]) -> list[Any]:
    """All nested lists laid out, in order; without recursion."""
    out: list[Any] = []
    stack = [iter(items)]
    budget = Budget(MAX_ITEMS)
    while stack:
        for item in stack[-1]:
            budget.spend()
            if isinstance(item, list):
                stack.append(iter(item))
                break
            out.append(item)
        else:
            stack.pop()
    return out


def sort(items: list[Any], precedes: Callable[[Any, Any], Any] | None = None) -> list[Any]:
    """Stable; `precedes(a, b)` says whether a comes first, ascending order without it."""
    if precedes is None:
        if _numbers(items):
            return sorted(items)

        def precedes(a: Any, b: Any) -> Any:
            return order("<", a, b)

    def rank(a: Any, b: Any) -> int:
        first, second = precedes(a, b), precedes(b, a)
        if not isinstance(first, bool) or not isinstance(second, bool):
            raise Undefined("the items do not compare")
        return -1 if first and not second else 1 if second and not first else 0

    return sorted(items, key=functools.cmp_to_key(rank))


# --- contexts -----------------------------------------------------------------------


def get_value(context: dict[str, Any], key: Any) -> Any:
    """The member `key`; of a list of keys, the member of the member."""
    if isinstance(key, list):
        value: Any = context
        if not key:
            raise Undefined("a path of keys is not empty")
        for part in key:
            if not isinstance(value, dict) or not isinstance(part, str) or part not in value:
                raise Undefined("there is no such member")
            value = value[part]
        return value
    if not isinstance(key, str):
        raise Undefined("a key is a text")
    if key not in context:
        raise Undefined(f"there is no member `{key}`")
    return context[key]


def get_entries(context: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in context.items()]


def make_context(entries: list[Any]) -> dict[str, Any]:
    """A context of entries `{key, value}`; a key occurs once."""
    out: dict[str, Any] = {}
    for entry in entries:
        if not isinstance(entry, dict) or "key" not in entry or "value" not in entry:
            raise Undefined("an entry has a `key` and a `value`")
        key = entry["key"]
        if not isinstance(key, str):
            raise Undefined("a key is a text")
        if key in out:
            raise Undefined(f"the key `{key}` occurs twice")
        out[key] = entry["value"]
    return out


def put(context: dict[str, Any], key: Any, value: Any) -> dict[str, Any]:
    """The context with a member set; a list of keys is a path into nested contexts."""
    if isinstance(key, str):
        return {**context, key: value}
    if not isinstance(key, list) or not key:
        raise Undefined("a key is a text, or a list of texts that is not empty")
    if len(key) > 100:
        raise LimitExceeded("a path has at most 100 keys")
    head, *rest = key
    if not isinstance(head, str):
        raise Undefined("a key is a text")
    if not rest:
        return {**context, head: value}
    inner = context.get(head)
    if not isinstance(inner, dict):
        raise Undefined(f"`{head}` is no context")
    return {**context, head: put(inner, rest, value)}


def merge(contexts: list[Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for context in contexts:
        if not isinstance(context, dict):
            raise Undefined("contexts are merged")
        out.update(context)
    return out


