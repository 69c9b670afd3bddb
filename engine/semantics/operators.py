"""Kernels of `+ - * / **` and unary minus over every kind that FEEL gives them."""
from __future__ import annotations

from typing import Any

from engine.semantics import number, temporal, text
from engine.semantics.equality import DATE, DATE_TIME, DAYS, MONTHS, NUMBER, STRING, TIME, kind_of
from engine.semantics.values import Undefined, YearsMonths

_WORDS = {
    NUMBER: "a number", STRING: "a text", "boolean": "true or false", DATE: "a date", TIME: "a time",
    DATE_TIME: "a date and time", DAYS: "a duration", MONTHS: "a duration of months", "list": "a list",
    "context": "a context", "range": "a range", "function": "a function", "null": "null",
}


def described(value: Any) -> str:
    """A value's kind in a phrase."""
    return _WORDS[kind_of(value)]


def _no(sign: str, a: Any, b: Any) -> Undefined:
    return Undefined(f"`{sign}` takes no {_bare(a)} and {_bare(b)}")


def _bare(value: Any) -> str:
    word = described(value)
    return word.removeprefix("a ")


def add(a: Any, b: Any) -> Any:
    if number.is_number(a) and number.is_number(b):
        return number.settle(a + b)
    if isinstance(a, str) and isinstance(b, str):
        return text.concat(a, b)
    left, right = kind_of(a), kind_of(b)
    if right in (DATE, DATE_TIME, TIME) and left in (DAYS, MONTHS):
        a, b, left, right = b, a, right, left
    if left == right == DAYS:
        return temporal.make_duration(temporal.duration_nanos(a) + temporal.duration_nanos(b))
    if left == right == MONTHS:
        return YearsMonths(a.total + b.total)
    if left in (DATE, DATE_TIME) and right == MONTHS:
        return temporal.add_months(a, b.total)
    if left in (DATE, DATE_TIME, TIME) and right == DAYS:
        return temporal.add_duration(a, temporal.duration_nanos(b))
    raise _no("+", a, b)


def subtract(a: Any, b: Any) -> Any:
    if number.is_number(a) and number.is_number(b):
        return number.settle(a - b)
    left, right = kind_of(a), kind_of(b)
    if left == right == DAYS:
        return temporal.make_duration(temporal.duration_nanos(a) - temporal.duration_nanos(b))
    if left == right == MONTHS:
        return YearsMonths(a.total - b.total)
    if left in (DATE, DATE_TIME) and right == MONTHS:
        return temporal.add_months(a, -b.total)
    if left in (DATE, DATE_TIME, TIME) and right == DAYS:
        return temporal.add_duration(a, -temporal.duration_nanos(b))
    if left in (DATE, DATE_TIME) and right in (DATE, DATE_TIME) or left == right == TIME:
        return temporal.difference(a, b)
    raise _no("-", a, b)


def multiply(a: Any, b: Any) -> Any:
    if number.is_number(a) and number.is_number(b):
        return number.settle(a * b)
    if number.is_number(a):
        a, b = b, a
    kind = kind_of(a)
    if number.is_number(b):
        if kind == DAYS:
            return temporal.make_duration(temporal.scaled(temporal.duration_nanos(a), b))
        if kind == MONTHS:
            return YearsMonths(int(number.settle(a.total * b)))
    raise _no("*", a, b)


def divide(a: Any, b: Any) -> Any:
    if number.is_number(a) and number.is_number(b):
        return number.divide(a, b)
    left, right = kind_of(a), kind_of(b)
    if left == DAYS and right == NUMBER:
        if b == 0:
            raise Undefined("division by zero")
        return temporal.make_duration(_quotient(temporal.duration_nanos(a), b))
    if left == MONTHS and right == NUMBER:
        return YearsMonths(int(number.divide(a.total, b)))
    if left == right == DAYS:
        return number.divide(temporal.duration_nanos(a), temporal.duration_nanos(b))
    if left == right == MONTHS:
        return number.divide(a.total, b.total)
    raise _no("/", a, b)


def _quotient(nanos: int, divisor: float) -> int:
    numerator, denominator = divisor.as_integer_ratio()
    top, bottom = nanos * denominator, numerator
    if bottom < 0:
        top, bottom = -top, -bottom
    return (2 * top + bottom) // (2 * bottom)


def power(a: Any, b: Any) -> Any:
    if number.is_number(a) and number.is_number(b):
        return number.power(a, b)
    raise _no("**", a, b)


def negate(a: Any) -> Any:
    if number.is_number(a):
        return -a if a else a
    kind = kind_of(a)
    if kind == DAYS:
        return temporal.make_duration(-temporal.duration_nanos(a))
    if kind == MONTHS:
        return -a
    raise Undefined(f"`-` takes no {_bare(a)}")


def absolute(a: Any) -> Any:
    if number.is_number(a):
        return abs(a)
    kind = kind_of(a)
    if kind == DAYS:
        return temporal.make_duration(abs(temporal.duration_nanos(a)))
    if kind == MONTHS:
        return YearsMonths(abs(a.total))
    raise Undefined(f"`abs` takes no {_bare(a)}")
