"""What generated code calls: guarded kernels, tolerant comparisons, and the rarer hit policies."""
from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Sequence
from typing import Any

from engine.ir import nodes as ir
from engine.records import Record
from engine.semantics.catalogue import LimitExceeded, Operation, Undefined
from engine.semantics.folds import fold, grouped
from engine.semantics.narrow import narrowed
from engine.semantics.number import whole_floor
from engine.semantics.values import Failed
from engine.semantics.work import each

#: What a generated function gives for data that its inline checks do not take.
SLOW = object()


def eq(a: float, b: float, floor: float) -> bool:
    return -max(1e-12 * max(abs(a), abs(b)), floor) <= a - b <= max(1e-12 * max(abs(a), abs(b)), floor)


def ne(a: float, b: float, floor: float) -> bool:
    return not eq(a, b, floor)


def ge(a: float, b: float, floor: float) -> bool:
    return a - b >= -max(1e-12 * max(abs(a), abs(b)), floor)


def lt(a: float, b: float, floor: float) -> bool:
    return not a - b >= -max(1e-12 * max(abs(a), abs(b)), floor)


def le(a: float, b: float, floor: float) -> bool:
    return a - b <= max(1e-12 * max(abs(a), abs(b)), floor)


def gt(a: float, b: float, floor: float) -> bool:
    return not a - b <= max(1e-12 * max(abs(a), abs(b)), floor)


def field(base: Any, name: str) -> Any:
    return None if base is None else base.get(name)


def holds_null(value: Any) -> bool:
    """Whether a list or context has a null in it."""
    return None in (value.values() if isinstance(value, dict) else value)


def listed(value: Any) -> list[Any]:
    """The items of an operation's only argument: those of a list, or the value."""
    return value if isinstance(value, list) else [value]


def guarded(operation: Operation) -> Callable[..., Any]:
    """A kernel that gives None where the operation has no value, and for a result that a policy may not hold."""
    kernel = operation.kernel

    def run(*args: Any) -> Any:
        try:
            value = kernel(*args)
        except (Undefined, LimitExceeded):
            return None
        return narrowed(value)

    return run


def by_key(table: ir.TableDecl, column: str) -> Callable[..., Any]:
    """The column of the row with these keys."""
    index = [n for n, _ in table.columns].index(column)
    width = len(table.keys)
    if width == 1:
        single = {row[0]: row[index] for row in table.rows}
        return single.get
    rows = {row[:width]: row[index] for row in table.rows}
    return lambda *keys: rows.get(keys)


def by_band(table: ir.TableDecl, column: str) -> Callable[..., Any]:
    """The column of the last row whose bound is at or below the key."""
    index = [n for n, _ in table.columns].index(column)
    bounds = [row[0] for row in table.rows]
    values = [row[index] for row in table.rows]

    def find(key: Any) -> Any:
        if key is None:
            return None
        at = bisect.bisect_right(bounds, key)
        return values[at - 1] if at else None

    return find


class Hit(Record):
    """A decision under one of the rarer hit policies, with what its arms need at run time.

    `constants` are the outcomes of plain arms (None for computed ones); `scale` lists ordered values,
    the winning end first.
    """

    hit: str
    computed: tuple[bool, ...]
    constants: tuple[Any, ...]
    otherwise: tuple[bool, ...]
    scale: tuple[str, ...]
    nothing: Callable[[], Any]
    action: str
    stated: Any
    refer: bool


def decide_hit(
    hit: Hit, states: Sequence[bool | None], outcomes: Sequence[Any], null_by_name: Sequence[Any]
) -> tuple[Any, int, int]:
    """Value, mask of the arms that fired, and 0 settled, 1 open, 2 refused.

    `outcomes` and `null_by_name` hold a function for each computed arm.
    """
    matched = [i for i, state in enumerate(states) if state is True and not hit.otherwise[i]]
    if not matched:
        matched = [i for i, state in enumerate(states) if state is True]
    undetermined = [i for i, state in enumerate(states) if state is None]
    values = {i: outcomes[i]() if hit.computed[i] else _fresh(hit.constants[i]) for i in matched}
    value, winners, openers, doubtful = DRAFTS[hit.hit](hit, matched, values, undetermined)
    is_open = bool(openers) or any(
        _has_null(values[i]) and null_by_name[i]() for i in (*winners, *doubtful) if hit.computed[i]
    )
    if not is_open or hit.action == "skip":
        return value, mask(winners), 0
    if hit.action == "refuse":
        return None, 0, 2
    given = _given(hit, value)
    fired = [i for i in winners if not hit.computed[i] and _same(values[i], given)]
    if hit.hit in LISTS:
        if hit.action == "refer":
            fired = list(winners)
        else:
            fired = [i for i in winners if not hit.computed[i] and values[i] in given]
    elif hit.hit.startswith("collect "):
        fired = []
    return given, mask(fired), 1


def _fresh(value: Any) -> Any:
    """A constant of several members is handed out as a copy."""
    return dict(value) if isinstance(value, dict) else value


def mask(arms: Sequence[int]) -> int:
    return sum(1 << i for i in arms)


def _given(hit: Hit, value: Any) -> Any:
    if hit.action == "then":
        return [hit.stated] if hit.hit in LISTS else hit.stated
    if hit.hit in LISTS:
        return value
    if not hit.refer:
        return hit.nothing()
    if hit.hit == "worst" and value is not None:
        return min(("refer", value), key=hit.scale.index)
    return "refer"


def _has_null(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and any(v is None for v in value.values()))


def _same(one: Any, other: Any) -> bool:
    return one is not None and bool(one == other)


#: Value, winners, undetermined arms that could change it, then matched arms whose null outcome could.
Draft = tuple[Any, Sequence[int], Sequence[int], Sequence[int]]


def _unique(hit: Hit, matched: Sequence[int], values: dict[int, Any], undetermined: Sequence[int]) -> Draft:
    if len(matched) == 1:
        return values[matched[0]], matched, (), ()
    return hit.nothing(), (), () if matched else undetermined, ()


def _any(hit: Hit, matched: Sequence[int], values: dict[int, Any], undetermined: Sequence[int]) -> Draft:
    if not matched:
        return hit.nothing(), (), undetermined, ()
    first = values[matched[0]]
    if all(values[i] == first for i in matched):
        return first, matched, (), ()
    return hit.nothing(), (), (), _doubtful(hit, matched, values)


def _doubtful(hit: Hit, matched: Sequence[int], values: dict[int, Any]) -> list[int]:
    return [i for i in matched if hit.computed[i] and values[i] is None]


def _before(hit: Hit, value: Any, reach: int) -> bool:
    """Whether an outcome would win over the one at `reach`; an empty one never does."""
    return value is not None and hit.scale.index(value) < reach


def _ranked(hit: Hit, matched: Sequence[int], values: dict[int, Any], undetermined: Sequence[int]) -> Draft:
    known = [values[i] for i in matched if values[i] is not None]
    if not known:
        return hit.nothing(), matched, undetermined, ()
    best = min(known, key=hit.scale.index)
    winners = [i for i in matched if values[i] == best]
    doubtful: list[int] = []
    if hit.otherwise[winners[0]]:
        openers = [i for i in undetermined if hit.computed[i] or hit.constants[i] != best]
    else:
        reach = hit.scale.index(best)
        doubtful = _doubtful(hit, matched, values) if reach > 0 else []
        openers = [
            i for i in undetermined
            if (reach > 0 if hit.computed[i] else _before(hit, hit.constants[i], reach))
        ]
    return best, winners, openers, doubtful


def _list(hit: Hit, matched: Sequence[int], values: dict[int, Any], undetermined: Sequence[int]) -> Draft:
    order = list(matched)
    if hit.hit == "output order":
        places = {v: n for n, v in enumerate(hit.scale)}
        order.sort(key=lambda i: places.get(values[i], len(places)))
    return [values[i] for i in order], order, undetermined, ()


def _aggregate(hit: Hit, matched: Sequence[int], values: dict[int, Any], undetermined: Sequence[int]) -> Draft:
    return fold(hit.hit.removeprefix("collect "), [values[i] for i in matched]), matched, undetermined, ()


LISTS = frozenset({"collect", "rule order", "output order"})
DRAFTS: dict[str, Callable[[Hit, Sequence[int], dict[int, Any], Sequence[int]], Draft]] = {
    "unique": _unique,
    "any": _any,
    "worst": _ranked,
    "priority": _ranked,
    "collect": _list,
    "rule order": _list,
    "output order": _list,
    "collect sum": _aggregate,
    "collect min": _aggregate,
    "collect max": _aggregate,
    "collect count": _aggregate,
}

#: Names that generated code finds in its globals.
GLOBALS: dict[str, Any] = {
    "eq": eq, "ne": ne, "ge": ge, "lt": lt, "le": le, "gt": gt, "field": field, "fold": fold,
    "each": each, "grouped": grouped,
    "whole_floor": whole_floor, "floor": math.floor, "decide_hit": decide_hit, "SLOW": SLOW,
    "Failed": Failed,
}
