"""Bodies of plugins' functions, held to what they state.

What a body raises becomes what the language knows: no value, as 1/0 has none, or a failure, which opens the decisions
that hang on it. It is given values of its own, so that it may change them.
"""
from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from math import isfinite
from numbers import Real
from typing import Any

from engine.calling import EVERY, PrintingAside, said
from engine.hookspecs import Function, PluginFailure
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.semantics.narrow import narrowed
from engine.semantics.values import MAX_ITEMS, MAX_TEXT, Failed, Undefined, YearsMonths
from engine.semantics.work import made, spend
from engine.watching import Overdue, Watched

#: Whole numbers that a float holds exactly.
EXACT = 2**53
#: Seconds that a call may take in a command.
LIMIT = 10.0


def kernel(function: Function, types: Sequence[Type], result: Type, aside: bool = False) -> Callable[..., Any]:
    """The kernel of a function of these types; in a command (`aside`) what its body prints goes to standard error,
    since standard output holds data, and it has a limit of time. It raises `Undefined` where the body finds no value
    and `Failed` where it fails; a null in a list of a strict function makes the result null, as that of `sum`."""
    give = [_GIVEN.get(kind.kind) for kind in types]
    lists = [place for place, kind in enumerate(types) if kind.kind == dt.LIST]
    body = _printing_aside(Watched(function.body, LIMIT)) if aside else function.body
    strict, numeric = not function.handles_missing, result.kind in dt.NUMERIC
    shown = f"`{function.name}` of `{function.set}`"

    def run(*arguments: Any) -> Any:
        for place in lists:
            held = arguments[place] if place < len(arguments) else None
            if held is not None:
                spend(len(held))
                if strict and None in held:
                    return None
        given = [
            value if type(value) is float or value is None or hand is None else hand(value)
            for value, hand in zip(arguments, give, strict=False)
        ]
        try:
            value = body(*given)
        except (ValueError, ArithmeticError, Undefined):
            raise Undefined(f"{shown} has no value for these arguments") from None
        except PluginFailure as why:
            raise Failed(f"{shown} failed: {said(why, EVERY)}") from None
        except Overdue as why:
            raise Failed(f"{shown} failed: {why}") from None
        except (Exception, SystemExit) as why:  # noqa: BLE001 - whatever a plugin does is its failure, not ours
            raise Failed(f"{shown} failed with {type(why).__name__}") from None
        if type(value) is float and numeric:        # by far the most, and what follows is slow
            return value if isfinite(value) else None
        if value is None:
            raise Undefined(f"{shown} has no value for these arguments")
        return _taken(value, result, shown)

    return run


def _printing_aside(body: Callable[..., Any]) -> Callable[..., Any]:
    def run(*arguments: Any) -> Any:
        with PrintingAside():
            return body(*arguments)

    return run


def _plain(value: Any) -> Any:
    """A value of a list or context as a body sees it: one of its own, so that it may change it."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    hand = float if isinstance(value, int) and not isinstance(value, bool) else _GIVEN_BY_CLASS.get(type(value))
    return value if hand is None else hand(value)


def _months(value: YearsMonths) -> int:
    return value.total


#: How a body is given a value: numbers are floats, as columns hold them, and months a whole number.
_GIVEN: dict[str, Callable[[Any], Any]] = {
    dt.NUMBER: float, dt.MONEY: float, dt.MONTHS_DURATION: _months, dt.LIST: _plain, dt.CONTEXT: _plain,
}
_GIVEN_BY_CLASS: dict[type, Callable[[Any], Any]] = {YearsMonths: _months}


def _taken(value: Any, kind: Type, shown: str) -> Any:
    """What a body gave, as a value of the language; raises `Failed` where it is not of the stated type."""
    name = kind.kind
    if value is None:
        return None
    if name in dt.NUMERIC and type(value) is not bool and isinstance(value, (Real, Decimal)):
        return _number(value)
    if name == dt.STRING and isinstance(value, str):
        made(len(value), MAX_TEXT, "text", "characters")
        return str(value)
    if name == dt.LIST and isinstance(value, (list, tuple)) and kind.item is not None:
        made(len(value), MAX_ITEMS, "list", "items")
        items = [_taken(item, kind.item, shown) for item in value]
        if None in items:
            raise Failed(f"{shown} failed: it gave a list with an item that is no value")
        return items
    if name == dt.CONTEXT and isinstance(value, Mapping):
        fields = dict(kind.fields or ())
        strange = next((n for n in value if n not in fields), None)
        if strange is not None:
            raise Failed(f"{shown} failed: it gave a member that it does not state")
        return {n: _taken(value.get(n), t, shown) for n, t in fields.items()}
    if name == dt.MONTHS_DURATION and type(value) is int:
        return narrowed(YearsMonths(value))
    wanted = _CLASSES.get(name)
    if wanted is not None and type(value) is wanted:
        return narrowed(value)
    raise Failed(f"{shown} failed: it gave a {type(value).__name__} where it states a {name}")


def _number(value: Any) -> float | None:
    """A finite number; a whole one beyond those that a float holds exactly is the nearest float."""
    if type(value) is int and abs(value) <= EXACT:
        return value
    try:
        finite: float | None = narrowed(float(value))
    except OverflowError:
        return None
    return finite


_CLASSES: dict[str, type] = {
    dt.BOOLEAN: bool, dt.DATE: datetime.date, dt.TIME: datetime.time, dt.DATE_TIME: datetime.datetime,
    dt.DAYS_DURATION: datetime.timedelta,
}
