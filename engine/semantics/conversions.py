"""Kernels that make dates, times, durations and ranges, and those that take them apart."""
from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Any

from engine.semantics import number, temporal
from engine.semantics.equality import DATE, DATE_TIME, ORDERED, kind_of, order
from engine.semantics.lazy import Lazy
from engine.semantics.values import Range, Undefined, YearsMonths


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."


def to_date(value: Any, month: Any = None, day: Any = None) -> Any:
    if month is not None or day is not None:
        return temporal.make_date(temporal.days_of(
            number.whole(value, "a year"), number.whole(month, "a month"), number.whole(day, "a day")))
    if isinstance(value, str):
        date = temporal.parse_date(value)
        if date is None:
            raise Undefined(f"`{_short(value)}` is not a date like 2026-07-01")
        return date
    return temporal.make_date(temporal.day_count(value))


def to_time(value: Any, minute: Any = None, second: Any = None, offset: Any = None) -> Any:
    if minute is not None or second is not None:
        return _time_of(value, minute, second, offset)
    if isinstance(value, str):
        time = temporal.parse_time(value)
        if time is None:
            raise Undefined(f"`{_short(value)}` is not a time like 09:30:00")
        return time
    if temporal.is_date(value):
        return temporal.make_time(0, datetime.UTC)
    return temporal.make_time(temporal.nano_count(value), temporal.zone_of(value))


def _time_of(hour: Any, minute: Any, second: Any, offset: Any) -> Any:
    h, m = number.whole(hour, "an hour"), number.whole(minute, "a minute")
    if not (0 <= h <= 23 and 0 <= m <= 59 and number.is_number(second) and 0 <= second < 60):
        raise Undefined("there is no such time")
    zone = None
    if offset is not None:
        seconds = temporal.duration_nanos(offset) // temporal.SECOND
        if abs(seconds) > 18 * 3600:
            raise Undefined("an offset is at most 18 hours")
        zone = datetime.timezone(datetime.timedelta(seconds=seconds))
    nanos = round(second * 1_000_000_000) if isinstance(second, float) else second * temporal.SECOND
    count = (h * 3600 + m * 60) * temporal.SECOND + nanos
    if count >= temporal.DAY:
        raise Undefined("there is no such time")
    return temporal.make_time(count, zone)


def to_date_time(value: Any, time: Any = None) -> Any:
    if time is not None:
        return temporal.make_date_time(temporal.day_count(value), temporal.nano_count(time), temporal.zone_of(time))
    if isinstance(value, str):
        moment = temporal.parse_date_time(value)
        if moment is None:
            raise Undefined(f"`{_short(value)}` is not a date and time like 2026-07-01T09:30:00")
        return moment
    if temporal.is_date(value):
        return temporal.make_date_time(temporal.day_count(value), 0, datetime.UTC)
    return value


def to_duration(text: str) -> Any:
    duration = temporal.parse_duration(text)
    if duration is None:
        raise Undefined(f"`{_short(text)}` is not a duration like P30D or P1Y")
    return duration


def months_duration(start: Any, end: Any) -> YearsMonths:
    return temporal.months_between(start, end)


def at_literal(text: str) -> Any:
    """What `@"..."` stands for."""
    value = temporal.parse_any(text)
    if value is None:
        raise Undefined(f"`{_short(text)}` is no date, time or duration")
    return value


# --- ranges ---------------------------------------------------------------------------

_LITERAL = (
    r'(?:-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?|"(?:[^"\\]|\\.)*"|@\s*"[^"\\]*"'
    r'|[a-z][a-z ]*\(\s*"[^"\\]*"\s*\))'
)
_RANGE = Lazy(rf"\s*([\[\](])\s*({_LITERAL})\s*\.\.\s*({_LITERAL})\s*([\[\])])\s*", re.ASCII)
_MAKERS: dict[str, Callable[[Any], Any]] = {
    "date": to_date, "time": to_time, "date and time": to_date_time, "duration": to_duration,
}


def to_range(text: str) -> Range:
    """A range from its literal; both ends are literals of one kind, in order."""
    match = _RANGE.fullmatch(text) if len(text) <= 1_000 else None
    if match is None:
        raise Undefined(f"`{_short(text)}` is not a range like [1..10]")
    low, high = _endpoint(match[2]), _endpoint(match[3])
    if kind_of(low) != kind_of(high) or kind_of(low) not in ORDERED:
        raise Undefined("the ends of a range are of one kind")
    if order("<=", low, high) is not True:
        raise Undefined("a range starts before it ends")
    return Range(low, high, match[1] == "[", match[4] == "]")


def _endpoint(literal: str) -> Any:
    if literal.startswith('"'):
        return re.sub(r"\\(.)", r"\1", literal[1:-1])
    if literal.startswith("@"):
        return at_literal(literal[literal.index('"') + 1:-1])
    if literal.endswith(")"):
        name, _, rest = literal.partition("(")
        maker = _MAKERS.get(" ".join(name.split()))
        if maker is None:
            raise Undefined(f"a range takes no `{_short(literal)}`")
        return maker(rest[rest.index('"') + 1:rest.rindex('"')])
    value = number.settle(float(literal))
    return int(value) if value.is_integer() and abs(value) <= 2**53 else value


# --- properties -------------------------------------------------------------------------


def year(value: Any) -> int:
    return temporal.civil(temporal.day_count(value))[0]


def month(value: Any) -> int:
    return temporal.civil(temporal.day_count(value))[1]


def day(value: Any) -> int:
    return temporal.civil(temporal.day_count(value))[2]


def hour(value: Any) -> int:
    return temporal.nano_count(value) // (3600 * temporal.SECOND)


def minute(value: Any) -> int:
    return temporal.nano_count(value) // (60 * temporal.SECOND) % 60


def second(value: Any) -> int:
    return temporal.nano_count(value) // temporal.SECOND % 60


def time_offset(value: Any) -> Any:
    """The offset from UTC as a duration; null for a local time."""
    zone = temporal.zone_of(value)
    if zone is None:
        return None
    if temporal.is_time(value):
        return temporal.make_duration(temporal.nano_count(value) - temporal.time_count(value))
    return temporal.make_duration(
        temporal.offset_nanos(zone, temporal.day_count(value), temporal.nano_count(value)))


def timezone(value: Any) -> str | None:
    """The zone's name; null without a named zone."""
    return temporal.zone_name(temporal.zone_of(value))


def _split(value: Any) -> tuple[int, int]:
    """Sign and whole seconds of a duration."""
    nanos = temporal.duration_nanos(value)
    return (-1 if nanos < 0 else 1), abs(nanos) // temporal.SECOND


def days(value: Any) -> int:
    sign, seconds = _split(value)
    return sign * (seconds // 86_400)


def hours(value: Any) -> int:
    sign, seconds = _split(value)
    return sign * (seconds // 3600 % 24)


def minutes(value: Any) -> int:
    sign, seconds = _split(value)
    return sign * (seconds // 60 % 60)


def seconds(value: Any) -> int:
    sign, count = _split(value)
    return sign * (count % 60)


def years(value: YearsMonths) -> int:
    return value.years


def months(value: YearsMonths) -> int:
    return value.months


def start(value: Range) -> Any:
    return value.low


def end(value: Range) -> Any:
    return value.high


def start_included(value: Range) -> bool:
    return value.low_closed


def end_included(value: Range) -> bool:
    return value.high_closed


def day_name(value: Any) -> str:
    return temporal.WEEKDAYS[temporal.weekday(value) - 1]


def month_name(value: Any) -> str:
    return temporal.MONTHS[month(value) - 1]


def today(as_of: Any) -> Any:
    """The evaluation's date."""
    return temporal.make_date(temporal.day_count(as_of)) if kind_of(as_of) == DATE_TIME else as_of


def now(as_of: Any) -> Any:
    """The evaluation's moment; midnight in UTC where only a date is given."""
    return to_date_time(as_of) if kind_of(as_of) == DATE else as_of
