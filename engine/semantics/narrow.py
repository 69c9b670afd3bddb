"""What an operation may give in a policy, where bare FEEL gives more.

A policy's values are those that every backend holds: finite numbers, years 1 to 9999, times to the
microsecond and without a zone (all dates and times are the bank's local ones), durations up to
`MOST_DAYS` or `MOST_MONTHS`. A duration or time with a fraction of a microsecond is cut to it; what lies
beyond is null.
"""
from __future__ import annotations

import datetime
import math
from typing import Any

from engine.semantics import temporal
from engine.semantics.values import FarDate, FarDateTime, FineDuration, FineTime, YearsMonths

#: Durations that a policy may hold: some 137,000 years in microseconds, and 100 million years in months, so that
#: the sum of two fits 64 bits.
MOST_DAYS = 50_000_000
MOST_MONTHS = 1_200_000_000
_MOST = datetime.timedelta(days=MOST_DAYS)


def narrowed(value: Any) -> Any:
    """`value`, the nearest one that a policy may hold, or None."""
    narrow = NARROWINGS.get(type(value))
    return value if narrow is None else narrow(value)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _local(value: Any) -> Any:
    return value if value.tzinfo is None else None


def _fine_time(value: FineTime) -> Any:
    return None if value.zone is not None else temporal.make_time(value.nanos // 1000 * 1000, None)


def _far_moment(value: FarDateTime) -> Any:
    if value.zone is not None:
        return None
    found = temporal.make_date_time(value.days, value.nanos // 1000 * 1000, None)
    return None if isinstance(found, FarDateTime) else found


def _fine_duration(value: FineDuration) -> Any:
    found = temporal.make_duration(value.nanos // 1000 * 1000)
    return None if isinstance(found, FineDuration) else _duration(found)


def _duration(value: datetime.timedelta) -> Any:
    return value if -_MOST <= value <= _MOST else None


def _months(value: YearsMonths) -> Any:
    return value if abs(value.total) <= MOST_MONTHS else None


def _nothing(value: Any) -> None:
    return None


NARROWINGS: dict[type, Any] = {
    float: _finite,
    datetime.datetime: _local,
    datetime.time: _local,
    datetime.timedelta: _duration,
    YearsMonths: _months,
    FineTime: _fine_time,
    FarDate: _nothing,
    FarDateTime: _far_moment,
    FineDuration: _fine_duration,
}
