"""Values of a type: made up from a seed, and told from those that are not."""
from __future__ import annotations

import copy
import datetime
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from engine.hookspecs import Field
from engine.ir.door import Refusal, convert
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.semantics.values import YearsMonths
from engine.testing.contract import fail

#: What is likely to go wrong, by type.
_EDGES: Mapping[str, Sequence[Any]] = {
    dt.NUMBER: (0.0, 1.0, -1.0, 0.1, 1 / 3, 0.5, 2.5, -2.5, 100.0, 1234567.89, 0.30000000000000004, 1e12, -0.001),
    dt.STRING: ("", "a", "A", "it's", "a'; drop table x; --", 'say "no"', "上海", "Straße", " padded ", "é", "e\u0301"),
    dt.BOOLEAN: (True, False),
    dt.DATE: tuple(datetime.date(*d) for d in (
        (2026, 7, 1), (2024, 2, 29), (2023, 2, 28), (2025, 12, 31), (2026, 1, 1), (1999, 12, 31), (2026, 3, 31),
        (2026, 4, 30))),
    dt.TIME: (datetime.time(0), datetime.time(12, 30), datetime.time(23, 59, 59)),
    dt.DATE_TIME: tuple(datetime.datetime(*d) for d in (
        (2026, 7, 1, 0, 0), (2024, 2, 29, 23, 59, 59), (2025, 12, 31, 12, 0), (1999, 12, 31, 6, 30))),
    dt.DAYS_DURATION: tuple(datetime.timedelta(**d) for d in (
        {"days": 0}, {"days": 1}, {"days": -30}, {"hours": 36}, {"seconds": 1}, {"days": 365})),
    dt.MONTHS_DURATION: tuple(YearsMonths(n) for n in (0, 1, 12, -6, 25)),
}


class Maker:
    """Makes values from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def field(self, field: Field, place: int) -> Any:
        """A value of a field; the first places are the edges of its type."""
        if field.values:
            return field.values[place % len(field.values)] if place < 20 else self._random.choice(field.values)
        return self.value(Type(field.type, lower=field.lower, upper=field.upper), place)

    def value(self, kind: Type, place: int) -> Any:
        """A value of a type; the first places are what is likely to go wrong."""
        if kind.kind == dt.LIST and kind.item is not None:
            return [self.value(kind.item, place + i) for i in range((0, 1, 3, 7)[place % 4])]
        if kind.kind == dt.CONTEXT:
            return {name: self.value(inner, place + i) for i, (name, inner) in enumerate(kind.fields or ())}
        if kind.kind in dt.NUMERIC:
            return self._number(Field(dt.NUMBER, lower=kind.lower, upper=kind.upper), place)
        edges = _EDGES[kind.kind]
        return edges[place % len(edges)] if place < 3 * len(edges) else self._further(kind.kind)

    def _number(self, field: Field, place: int) -> float:
        low = -1e6 if field.lower is None else field.lower
        high = 1e6 if field.upper is None else field.upper
        if field.lower is not None and field.upper is None:
            high = max(1e6, low + 1e6)
        edges = [n for n in _EDGES[dt.NUMBER] if _within(n, field)]
        edges += [bound for bound in (field.lower, field.upper) if bound is not None and math.isfinite(bound)]
        if place < len(edges):
            return float(edges[place])
        return round(self._random.uniform(low, high), self._random.choice((0, 2, 6)))  \
            if _within(low, field) else float(field.lower or 0)

    def _further(self, type_: str) -> Any:
        chance = self._random
        if type_ == dt.STRING:
            return "".join(chance.choice("abcXYZ 019-_'%中") for _ in range(chance.randrange(12)))
        if type_ == dt.DATE:
            return datetime.date(1990, 1, 1) + datetime.timedelta(days=chance.randrange(20_000))
        if type_ == dt.TIME:
            return datetime.time(chance.randrange(24), chance.randrange(60), chance.randrange(60))
        if type_ == dt.DATE_TIME:
            return datetime.datetime(1990, 1, 1) + datetime.timedelta(minutes=chance.randrange(20_000_000))
        if type_ == dt.DAYS_DURATION:
            return datetime.timedelta(minutes=chance.randrange(-100_000, 100_000))
        if type_ == dt.MONTHS_DURATION:
            return YearsMonths(chance.randrange(-240, 240))
        return chance.choice(_EDGES[type_])

    def shuffled(self, items: Sequence[Any]) -> list[Any]:
        found = list(items)
        self._random.shuffle(found)
        return found


def _within(number: float, field: Field) -> bool:
    return (field.lower is None or number >= field.lower) and (field.upper is None or number <= field.upper)


def rows(fields: Mapping[str, Field], maker: Maker, size: int) -> list[dict[str, Any]]:
    """Made-up rows: each field goes through its edges at a pace of its own, so that edges meet."""
    return [
        {name: maker.field(field, n * step % size if n < size // 2 else size + n)
         for step, (name, field) in zip(_paces(), fields.items(), strict=False)}
        for n in range(size)
    ]


def _paces() -> Iterator[int]:
    """Odd numbers, which lead through a cycle of even length in orders of their own."""
    step = 1
    while True:
        yield step
        step += 2


def fault(value: Any, field: Field) -> str | None:
    """Why a value is none of the field's; None where it is one. Null is judged by the field too."""
    if value is None:
        return None if field.optional else "is null, and the field is not optional"
    if field.type in (dt.NUMBER, dt.MONEY):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return f"is of Python's type `{type(value).__name__}`, and not a number"
        if not math.isfinite(value):
            return "is not finite"
        if not _within(value, field):
            return f"is not within [{_bound(field.lower)}..{_bound(field.upper)}]"
        return None
    if field.values and value not in field.values:
        return f"is none of {', '.join(f'`{v}`' for v in field.values)}"
    try:
        convert(value, Type(field.type, True))
    except Refusal:
        return f"is no {field.type}"
    return None


def _bound(number: float | None) -> str:
    return "" if number is None else f"{number:g}"


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same to the last bit."""
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other):
        return True
    if isinstance(one, bool) != isinstance(other, bool):
        return False
    return bool(one == other)


def untouched(do: Callable[..., Any], argument: Any, what: str) -> Any:
    """The result of `do(argument)`, where it left its argument as it was."""
    before = copy.deepcopy(argument)
    result = do(argument)
    if not same(before, argument):
        raise fail(f"{what} changes what it is given", "work on a copy: `row = dict(row)`, `items = list(items)`")
    return result


def field_fault(name: str, field: Any) -> str | None:
    """Why something is no field as a plugin may declare it."""
    if not isinstance(field, Field):
        return f"`{name}` is no `tierwise.Field`"
    if field.type not in dt.DECLARABLE:
        return f"`{name}` has the type `{field.type}`, which there is none of"
    if field.values and field.type != dt.STRING:
        return f"`{name}` has `values`, which texts alone have"
    if field.lower is not None and field.upper is not None and field.lower > field.upper:
        return f"`{name}` has a least value above its greatest"
    return None
