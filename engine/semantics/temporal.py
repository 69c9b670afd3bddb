"""Dates, times and durations.

Kernels take Python's values and the wide ones of `engine.semantics.values` alike: a date is
a count of days since 1970-01-01 (proleptic Gregorian), a time of day a count of nanoseconds
with a zone, a days and time duration a count of nanoseconds. Results are Python's where
Python can hold them. Text follows ISO 8601 as XML Schema has it, with zones by name
(`@Europe/Paris`).
"""
from __future__ import annotations

import datetime
import re
from typing import Any

from engine.semantics.lazy import Lazy
from engine.semantics.values import FarDate, FarDateTime, FineDuration, FineTime, Undefined, YearsMonths

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
_EPOCH = datetime.date(1970, 1, 1).toordinal()
MAX_YEAR = 999_999_999
_MAX_OFFSET = 18 * 3600

_DATE = r"(-?(?:\d{4}|[1-9]\d{4,8}))-(\d\d)-(\d\d)"
_TIME = r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?"
_ZONE = r"(Z|z|[+-]\d\d:\d\d(?::\d\d)?|@[A-Za-z][A-Za-z0-9_+\-/]*)?"
_DATE_RE = Lazy(_DATE, re.ASCII)
_TIME_RE = Lazy(_TIME + _ZONE, re.ASCII)
_DATE_TIME_RE = Lazy(f"{_DATE}T{_TIME}{_ZONE}", re.ASCII)
_MONTHS_RE = Lazy(r"(-)?P(?:(\d{1,15})Y)?(?:(\d{1,15})M)?", re.ASCII)
_DAYS_RE = Lazy(
    r"(-)?P(?:(\d{1,15})D)?(T(?:(\d{1,15})H)?(?:(\d{1,15})M)?(?:(\d{1,15})(?:\.(\d{0,9}))?S)?)?", re.ASCII)

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
          "November", "December")
#: The day on which a time of day in a named zone takes its offset, so that it has one at all.
_REFERENCE_DAY = datetime.date(2000, 1, 1).toordinal() - _EPOCH


# --- kinds --------------------------------------------------------------------------


def is_date(value: object) -> bool:
    return isinstance(value, FarDate) or isinstance(value, datetime.date) and not isinstance(value, datetime.datetime)


def is_date_time(value: object) -> bool:
    return isinstance(value, (datetime.datetime, FarDateTime))


def is_time(value: object) -> bool:
    return isinstance(value, (datetime.time, FineTime))


def is_duration(value: object) -> bool:
    """Of days and time."""
    return isinstance(value, (datetime.timedelta, FineDuration))


# --- between values and counts --------------------------------------------------------


def days_of(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01; raises `Undefined` where there is no such day."""
    if not (-MAX_YEAR <= year <= MAX_YEAR and 1 <= month <= 12 and 1 <= day <= month_length(year, month)):
        raise Undefined("there is no such date")
    shifted = year - (month <= 2)
    era, of_era = divmod(shifted, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def civil(days: int) -> tuple[int, int, int]:
    """Year, month, day of a day count."""
    days += 719468
    era, of_era = divmod(days, 146097)
    year_of_era = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return era * 400 + year_of_era + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1


def month_length(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def make_date(days: int) -> Any:
    ordinal = days + _EPOCH
    if 1 <= ordinal <= 3_652_059:
        return datetime.date.fromordinal(ordinal)
    year, month, day = civil(days)
    if abs(year) > MAX_YEAR:
        raise Undefined("the date is out of range")
    return FarDate(year, month, day)


def make_time(nanos: int, zone: datetime.tzinfo | None) -> Any:
    if nanos % 1000:
        return FineTime(nanos, zone)
    seconds, rest = divmod(nanos, SECOND)
    return datetime.time(seconds // 3600, seconds // 60 % 60, seconds % 60, rest // 1000, zone)


def make_date_time(days: int, nanos: int, zone: datetime.tzinfo | None) -> Any:
    extra, nanos = divmod(nanos, DAY)
    days += extra
    if nanos % 1000 == 0 and 1 <= days + _EPOCH <= 3_652_059:
        return datetime.datetime.combine(make_date(days), make_time(nanos, zone))
    if abs(civil(days)[0]) > MAX_YEAR:
        raise Undefined("the date is out of range")
    return FarDateTime(days, nanos, zone)


def make_duration(nanos: int) -> Any:
    if nanos % 1000 == 0 and abs(nanos) < 999_999_999 * DAY:
        return datetime.timedelta(microseconds=nanos // 1000)
    return FineDuration(nanos)


def day_count(value: Any) -> int:
    """Days since 1970-01-01 of a date or date and time."""
    if isinstance(value, datetime.date):
        return value.toordinal() - _EPOCH
    if isinstance(value, FarDate):
        return days_of(value.year, value.month, value.day)
    return int(value.days)


def nano_count(value: Any) -> int:
    """Nanoseconds since midnight of a time or date and time; 0 for a date."""
    if isinstance(value, (datetime.time, datetime.datetime)):
        return ((value.hour * 60 + value.minute) * 60 + value.second) * SECOND + value.microsecond * 1000
    if isinstance(value, (FineTime, FarDateTime)):
        return value.nanos
    return 0


def duration_nanos(value: Any) -> int:
    if isinstance(value, datetime.timedelta):
        return (value.days * 86_400 + value.seconds) * SECOND + value.microseconds * 1000
    return int(value.nanos)


def zone_of(value: Any) -> datetime.tzinfo | None:
    if isinstance(value, (datetime.time, datetime.datetime)):
        return value.tzinfo
    if isinstance(value, (FineTime, FarDateTime)):
        zone: datetime.tzinfo | None = value.zone
        return zone
    return None


def zone_name(zone: datetime.tzinfo | None) -> str | None:
    """The name of a zone that has one (`Europe/Paris`), None for a plain offset."""
    name = getattr(zone, "key", None)
    return name if isinstance(name, str) else None


def offset_nanos(zone: datetime.tzinfo, days: int, nanos: int, utc: bool = False) -> int:
    """The zone's offset from UTC at a local time (or, with `utc`, at an instant)."""
    if isinstance(zone, datetime.timezone):
        return duration_nanos(zone.utcoffset(None))
    if not 2 <= days + _EPOCH <= 3_652_058:
        year, month, day = civil(days)
        days = days_of(year % 400 + (400 if year < 1 else 9200), month, day)
    moment = datetime.datetime.combine(make_date(days), make_time(nanos // 1000 * 1000, None))
    if utc:
        local = moment.replace(tzinfo=datetime.UTC).astimezone(zone)
        return duration_nanos(local.utcoffset() or datetime.timedelta())
    return duration_nanos(zone.utcoffset(moment) or datetime.timedelta())


def instant(value: Any) -> int:
    """Nanoseconds since 1970-01-01T00:00:00 of a date or date and time, in UTC where it has a zone."""
    days, nanos, zone = day_count(value), nano_count(value), zone_of(value)
    count = days * DAY + nanos
    return count if zone is None else count - offset_nanos(zone, days, nanos)


def time_count(value: Any) -> int:
    """Nanoseconds since midnight of a time, in UTC where it has a zone."""
    nanos, zone = nano_count(value), zone_of(value)
    return nanos if zone is None else nanos - offset_nanos(zone, _REFERENCE_DAY, nanos)


# --- reading --------------------------------------------------------------------------


def parse_date(text: str) -> Any:
    """A date, or None where the text is none."""
    match = _DATE_RE.fullmatch(text)
    if match is None:
        return None
    try:
        return make_date(days_of(int(match[1]), int(match[2]), int(match[3])))
    except Undefined:
        return None


def _clock(hour: str, minute: str, second: str, fraction: str | None) -> int | None:
    h, m, s = int(hour), int(minute), int(second)
    nanos = int((fraction or "").ljust(9, "0"))
    if h == 24 and not (m or s or nanos):
        return DAY
    if h > 23 or m > 59 or s > 59:
        return None
    return ((h * 60 + m) * 60 + s) * SECOND + nanos


def make_zone(text: str) -> datetime.tzinfo | None:
    """A zone from `Z`, `+02:00`, `+02:45:55` or `@Europe/Paris`; None where there is no such zone."""
    if text in ("Z", "z"):
        return datetime.UTC
    if text.startswith("@"):
        from zoneinfo import ZoneInfo  # noqa: PLC0415 - reads files; few policies name zones

        try:
            return ZoneInfo(text[1:])
        except (LookupError, ValueError, OSError):
            return None
    parts = [int(p) for p in text[1:].split(":")]
    seconds = parts[0] * 3600 + parts[1] * 60 + (parts[2] if len(parts) > 2 else 0)
    if parts[1] > 59 or len(parts) > 2 and parts[2] > 59 or seconds > _MAX_OFFSET:
        return None
    return datetime.timezone(datetime.timedelta(seconds=-seconds if text[0] == "-" else seconds))


def parse_time(text: str) -> Any:
    match = _TIME_RE.fullmatch(text)
    if match is None:
        return None
    nanos = _clock(match[1], match[2], match[3], match[4])
    zone = make_zone(match[5]) if match[5] else None
    if nanos is None or match[5] and zone is None:
        return None
    return make_time(nanos % DAY, zone)


def parse_date_time(text: str) -> Any:
    """A date and time; a date alone is its midnight."""
    match = _DATE_TIME_RE.fullmatch(text)
    if match is None:
        date = parse_date(text)
        return None if date is None else make_date_time(day_count(date), 0, None)
    nanos = _clock(match[4], match[5], match[6], match[7])
    zone = make_zone(match[8]) if match[8] else None
    if nanos is None or match[8] and zone is None:
        return None
    try:
        return make_date_time(days_of(int(match[1]), int(match[2]), int(match[3])), nanos, zone)
    except Undefined:
        return None


def parse_duration(text: str) -> Any:
    """A `YearsMonths` or a days and time duration, or None."""
    match = _MONTHS_RE.fullmatch(text)
    if match is not None and (match[2] or match[3]):
        total = 12 * int(match[2] or 0) + int(match[3] or 0)
        return YearsMonths(-total if match[1] else total)
    match = _DAYS_RE.fullmatch(text)
    if match is None or not (match[2] or match[3]) or match[3] == "T":
        return None
    nanos = (
        int(match[2] or 0) * DAY + int(match[4] or 0) * 3600 * SECOND + int(match[5] or 0) * 60 * SECOND
        + int(match[6] or 0) * SECOND + int((match[7] or "").ljust(9, "0"))
    )
    return make_duration(-nanos if match[1] else nanos)


def parse_any(text: str) -> Any:
    """What `@"..."` stands for, None where the text is no date, time or duration."""
    if text.startswith(("P", "-P")):
        return parse_duration(text)
    clock = text.partition("@")[0]  # a zone's name may hold a `T` of its own, as `Asia/Tokyo` does
    if "T" in clock:
        return parse_date_time(text)
    if ":" in clock:
        return parse_time(text)
    return parse_date(text)


# --- writing --------------------------------------------------------------------------


def format_date(days: int) -> str:
    year, month, day = civil(days)
    return f"{'-' if year < 0 else ''}{abs(year):04d}-{month:02d}-{day:02d}"


def format_clock(nanos: int, zone: datetime.tzinfo | None) -> str:
    seconds, rest = divmod(nanos, SECOND)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    if rest:
        text += f".{rest:09d}".rstrip("0")
    if zone is None:
        return text
    if name := zone_name(zone):
        return f"{text}@{name}"
    offset = duration_nanos(zone.utcoffset(None)) // SECOND
    if offset == 0:
        return text + "Z"
    size = abs(offset)
    text += f"{'-' if offset < 0 else '+'}{size // 3600:02d}:{size // 60 % 60:02d}"
    return text + (f":{size % 60:02d}" if size % 60 else "")


def format_duration(nanos: int) -> str:
    sign = "-" if nanos < 0 else ""
    seconds, rest = divmod(abs(nanos), SECOND)
    days, seconds = divmod(seconds, 86_400)
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if seconds or rest:
        clock += str(seconds) + (f".{rest:09d}".rstrip("0") if rest else "") + "S"
    if not days and not clock:
        return "PT0S"
    return f"{sign}P{f'{days}D' if days else ''}{f'T{clock}' if clock else ''}"


def format_temporal(value: Any) -> str:
    """Any temporal value as FEEL's `string` writes it."""
    if isinstance(value, YearsMonths):
        return str(value)
    if is_duration(value):
        return format_duration(duration_nanos(value))
    if is_time(value):
        return format_clock(nano_count(value), zone_of(value))
    if is_date_time(value):
        return format_date(day_count(value)) + "T" + format_clock(nano_count(value), zone_of(value))
    return format_date(day_count(value))


# --- arithmetic -----------------------------------------------------------------------


def add_months(value: Any, months: int) -> Any:
    """A date or date and time some months on; the day is clamped to the month's last."""
    year, month, day = civil(day_count(value))
    count = year * 12 + month - 1 + months
    year, month = count // 12, count % 12 + 1
    if abs(year) > MAX_YEAR:
        raise Undefined("the date is out of range")
    days = days_of(year, month, min(day, month_length(year, month)))
    return make_date_time(days, nano_count(value), zone_of(value)) if is_date_time(value) else make_date(days)


def add_duration(value: Any, nanos: int) -> Any:
    """A date, time, or date and time moved by a days and time duration.

    A date counts from its midnight and drops the time again; a time wraps around midnight; in a
    zone the instant moves.
    """
    if is_time(value):
        return make_time((nano_count(value) + nanos) % DAY, zone_of(value))
    if is_date(value):
        return make_date(day_count(value) + nanos // DAY)
    zone = zone_of(value)
    days, clock = day_count(value), nano_count(value)
    if zone is None or isinstance(zone, datetime.timezone):
        return make_date_time(days, clock + nanos, zone)
    count = days * DAY + clock - offset_nanos(zone, days, clock) + nanos
    days, clock = divmod(count, DAY)
    return make_date_time(days, clock + offset_nanos(zone, days, clock, utc=True), zone)


def difference(a: Any, b: Any) -> Any:
    """`a - b` of two dates, date and times, or times, as a duration. A date stands for its midnight in UTC."""
    if is_time(a) or is_time(b):
        if not (is_time(a) and is_time(b)):
            raise Undefined("a time and a date have no difference")
        _same_zoning(a, b)
        return make_duration(time_count(a) - time_count(b))
    if not (is_date(a) and is_date(b)):
        _same_zoning(a, b)
    return make_duration(instant(a) - instant(b))


def _zoned(value: Any) -> bool:
    return is_date(value) or zone_of(value) is not None


def _same_zoning(a: Any, b: Any) -> None:
    if _zoned(a) != _zoned(b):
        raise Undefined("one side has a time zone and the other has none")


def months_between(start: Any, end: Any) -> YearsMonths:
    """Whole months from `start` to `end`, by their dates, toward zero."""
    y1, m1, d1 = civil(day_count(start))
    y2, m2, d2 = civil(day_count(end))
    total = (y2 - y1) * 12 + m2 - m1
    if total > 0 and d2 < d1:
        total -= 1
    elif total < 0 and d2 > d1:
        total += 1
    return YearsMonths(total)


def order_key(value: Any) -> int:
    """A count by which values of one temporal kind compare."""
    if isinstance(value, YearsMonths):
        return value.total
    if is_duration(value):
        return duration_nanos(value)
    if is_time(value):
        return time_count(value)
    return instant(value)


def scaled(nanos: int, factor: float) -> int:
    """A count of nanoseconds times a number, cut to whole nanoseconds."""
    if isinstance(factor, int):
        return nanos * factor
    numerator, denominator = factor.as_integer_ratio()
    product = nanos * numerator
    # Half a nanosecond off through binary fractions is no half: round to the nearest.
    return (2 * product + denominator) // (2 * denominator)


# --- parts ----------------------------------------------------------------------------


def weekday(value: Any) -> int:
    """1 for Monday to 7 for Sunday."""
    return (day_count(value) + 3) % 7 + 1


def day_of_year(value: Any) -> int:
    days = day_count(value)
    return days - days_of(civil(days)[0], 1, 1) + 1


def week_of_year(value: Any) -> int:
    """ISO 8601 week."""
    days = day_count(value)
    thursday = days - (days + 3) % 7 + 3
    return (thursday - days_of(civil(thursday)[0], 1, 1)) // 7 + 1
