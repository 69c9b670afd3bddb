"""Equality and order of values of any kind, as FEEL's `=` and `<` have them.

Both are null (None) over kinds that do not compare. Null equals null and nothing else; a
policy's three-valued `=` handles null before it comes here.
"""
from __future__ import annotations

from typing import Any

from engine.semantics import number, temporal
from engine.semantics.values import Budget, LimitExceeded, Range, YearsMonths

# Kinds, by which two values are comparable at all.
NUMBER, STRING, BOOLEAN = "number", "string", "boolean"
DATE, TIME, DATE_TIME = "date", "time", "date and time"
DAYS, MONTHS = "days and time duration", "years and months duration"
LIST, CONTEXT, RANGE, FUNCTION, NULL = "list", "context", "range", "function", "null"
ORDERED = frozenset({NUMBER, STRING, DATE, TIME, DATE_TIME, DAYS, MONTHS})
MAX_DEPTH = 200


def kind_of(value: Any) -> str:
    """FEEL's type of a value, parameters left out."""
    kind = _KINDS.get(type(value))
    if kind is not None:
        return kind
    if value is None:
        return NULL
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, (int, float)):
        return NUMBER
    if isinstance(value, str):
        return STRING
    if temporal.is_date_time(value):
        return DATE_TIME
    if temporal.is_date(value):
        return DATE
    if temporal.is_time(value):
        return TIME
    if temporal.is_duration(value):
        return DAYS
    if isinstance(value, YearsMonths):
        return MONTHS
    if isinstance(value, Range):
        return RANGE
    if isinstance(value, (list, tuple)):
        return LIST
    if isinstance(value, dict):
        return CONTEXT
    return FUNCTION


_KINDS: dict[type, str] = {bool: BOOLEAN, int: NUMBER, float: NUMBER, str: STRING, list: LIST, dict: CONTEXT}


def equals(a: Any, b: Any, depth: int = 0, budget: Budget | None = None) -> bool | None:
    """`a = b`; None where their kinds differ."""
    if a is None or b is None:
        return a is None and b is None
    kind = kind_of(a)
    if kind != kind_of(b):
        return None
    if kind == NUMBER:
        return number.equal(a, b)
    if kind in (STRING, BOOLEAN):
        return bool(a == b)
    if kind in (DATE_TIME, TIME):
        if (temporal.zone_of(a) is None) != (temporal.zone_of(b) is None):
            return False
        # Equality is by the properties (DMN 1.5, table 42), and `second` is whole.
        return temporal.order_key(a) // temporal.SECOND == temporal.order_key(b) // temporal.SECOND
    if kind in ORDERED:
        return temporal.order_key(a) == temporal.order_key(b)
    if a is b:
        return True
    if depth > MAX_DEPTH:
        return None
    budget = budget or Budget()
    budget.spend()
    if kind == LIST:
        return len(a) == len(b) and all(equals(x, y, depth + 1, budget) is True for x, y in zip(a, b, strict=True))
    if kind == CONTEXT:
        return a.keys() == b.keys() and all(equals(v, b[k], depth + 1, budget) is True for k, v in a.items())
    if kind == RANGE:
        return (
            (a.low_closed, a.high_closed, a.sign) == (b.low_closed, b.high_closed, b.sign)
            and equals(a.low, b.low, depth + 1) is True and equals(a.high, b.high, depth + 1) is True
        )
    same = getattr(a, "same", None)
    return same is not None and bool(same(b))


def order(op: str, a: Any, b: Any) -> bool | None:
    """`a op b` for < <= > >=; None where the two do not compare."""
    kind = kind_of(a)
    if kind not in ORDERED or kind_of(b) != kind:
        return None
    if kind == NUMBER:
        return number.compare(op, a, b)
    if kind in (DATE_TIME, TIME) and (temporal.zone_of(a) is None) != (temporal.zone_of(b) is None):
        return None
    if kind != STRING:
        a, b = temporal.order_key(a), temporal.order_key(b)
    if op == "<":
        return bool(a < b)
    if op == "<=":
        return bool(a <= b)
    return bool(a > b) if op == ">" else bool(a >= b)


def identical(a: Any, b: Any) -> bool:
    """FEEL's `is`: the same kind and the same parts, time zones by their names included."""
    kind = kind_of(a)
    if kind != kind_of(b):
        return False
    if kind in (TIME, DATE_TIME):
        zones = temporal.zone_of(a), temporal.zone_of(b)
        names = temporal.zone_name(zones[0]), temporal.zone_name(zones[1])
        if names != names[::-1] or (zones[0] is None) != (zones[1] is None):
            return False
        if temporal.nano_count(a) != temporal.nano_count(b):
            return False
    return equals(a, b) is True


def identity(value: Any, depth: int = 0, budget: Budget | None = None) -> Any:
    """A hashable key, the same for values that are equal without tolerance."""
    kind = kind_of(value)
    if kind in (NUMBER, STRING, BOOLEAN, NULL):
        return kind, value
    if depth > MAX_DEPTH:
        raise LimitExceeded(f"values are nested at most {MAX_DEPTH} deep")
    budget = budget or Budget()
    budget.spend()
    if kind == LIST:
        return kind, tuple([identity(item, depth + 1, budget) for item in value])
    if kind == CONTEXT:
        return kind, frozenset([(name, identity(item, depth + 1, budget)) for name, item in value.items()])
    if kind == RANGE:
        return (kind, value.low_closed, value.high_closed, value.sign, identity(value.low, depth + 1),
                identity(value.high, depth + 1))
    if kind in (TIME, DATE_TIME):
        return kind, temporal.zone_of(value) is None, temporal.order_key(value) // temporal.SECOND
    return kind, temporal.order_key(value) if kind in ORDERED else id(value)


def within(value: Any, span: Range) -> bool | None:
    """Whether a value lies in a range; None where they do not compare."""
    if span.sign == "=":
        return equals(value, span.low)
    if span.sign == "!=":
        same = equals(value, span.low)
        return None if same is None else not same
    lower = True if span.low is None else order(">=" if span.low_closed else ">", value, span.low)
    upper = True if span.high is None else order("<=" if span.high_closed else "<", value, span.high)
    if span.low is None and span.sign == "" or span.high is None and span.sign == "":
        return None
    if lower is False or upper is False:
        return False
    return None if lower is None or upper is None else True
