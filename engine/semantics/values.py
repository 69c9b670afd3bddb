"""Values of FEEL that Python has none for.

Numbers are int and float, texts str, booleans bool, lists list, contexts dict, null None;
dates and times are Python's where Python can hold them. A year before 1 or after 9999, or a
nanosecond, is held by `FarDate`, `FineTime`, `FarDateTime` and `FineDuration`, which print as
FEEL writes them; `engine.semantics.temporal` treats both kinds alike.
"""
from __future__ import annotations

from functools import total_ordering
from typing import Any

from engine.records import Record

#: Characters of a text, and items of a list, that an operation may make.
MAX_TEXT = 1_000_000
MAX_ITEMS = 1_000_000


class Undefined(Exception):
    """FEEL has no value here (its result is null); the message says why, in lower case."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Failed(Exception):
    """A function of a plugin did not do what it states, for a fault of its own; the message says what, without the
    data and without the text of an exception that may hold them."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class LimitExceeded(Exception):
    """An evaluation would take too many steps, too much room or too long; the message says what."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Budget:
    """Counts the parts of values that an operation walks through: lists may share their items, so
    that a small value is a tree without end."""

    __slots__ = ("left",)

    def __init__(self, left: int = 200_000) -> None:
        self.left = left

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise LimitExceeded("a value has too many parts")


@total_ordering
class YearsMonths(Record):
    """A duration of years and months; `total` counts months and may be negative."""

    total: int

    @property
    def years(self) -> int:
        return -(-self.total // 12) if self.total < 0 else self.total // 12

    @property
    def months(self) -> int:
        return self.total - 12 * self.years

    def __lt__(self, other: YearsMonths) -> bool:
        if not isinstance(other, YearsMonths):
            return NotImplemented
        return self.total < other.total

    def __neg__(self) -> YearsMonths:
        return YearsMonths(-self.total)

    def __str__(self) -> str:
        years, months = divmod(abs(self.total), 12)
        text = "P" + (f"{years}Y" if years else "") + (f"{months}M" if months or not years else "")
        return "-" + text if self.total < 0 else text


class Range(Record):
    """`[low..high]` and its kin. An end that the range lacks is None and open.

    `sign` tells a test from an interval, which FEEL holds apart: `(< 10)` has the sign `<`, an
    interval "". `(= 10)` has both ends 10.
    """

    low: Any
    high: Any
    low_closed: bool = True
    high_closed: bool = True
    sign: str = ""


class FarDate(Record):
    """A date of a year outside 1..9999 (astronomical: year 0 is there)."""

    year: int
    month: int
    day: int


class FineTime(Record):
    """A time of day to the nanosecond; `zone` is a tzinfo or None."""

    nanos: int
    zone: Any = None


class FarDateTime(Record):
    """A date and time that Python's datetime cannot hold: `days` since 1970-01-01, `nanos` since midnight."""

    days: int
    nanos: int
    zone: Any = None


@total_ordering
class FineDuration(Record):
    """A days and time duration to the nanosecond."""

    nanos: int

    def __lt__(self, other: FineDuration) -> bool:
        if not isinstance(other, FineDuration):
            return NotImplemented
        return self.nanos < other.nanos
