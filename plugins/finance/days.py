"""Days past due, and parts of a year by day count."""
from __future__ import annotations

import datetime

from engine import sql_form

from .function import function

BASES = ("30/360", "30E/360", "actual/360", "actual/365", "actual/actual")


def days_past_due(due: datetime.date, day: datetime.date) -> int:
    return max(0, (day - due).days)


DAYS_SQL = "CASE WHEN later > earlier THEN later - earlier ELSE 0 END"


def year_fraction(start: datetime.date, end: datetime.date, basis: str) -> float:
    if end < start:
        raise ValueError("a period does not end before it starts")
    if basis == "actual/360":
        return (end - start).days / 360
    if basis == "actual/365":
        return (end - start).days / 365
    if basis in ("30/360", "30E/360"):
        return days_360(start, end, basis) / 360
    if basis == "actual/actual":
        return _actual(start, end)
    raise ValueError("there is no such basis")


def days_360(start: datetime.date, end: datetime.date, basis: str = "30/360") -> int:
    if basis not in ("30/360", "30E/360"):
        raise ValueError("there is no such basis")
    first = min(start.day, 30)
    last = min(end.day, 30) if basis == "30E/360" or first == 30 else end.day
    return 360 * (end.year - start.year) + 30 * (end.month - start.month) + (last - first)


def _actual(start: datetime.date, end: datetime.date) -> float:
    """Days in leap years over 366 and the others over 365, as ISDA counts."""
    if start.year == end.year:
        return (end - start).days / _length(start.year)
    rest = (datetime.date(start.year, 12, 31) - start).days + 1
    begun = (end - datetime.date(end.year, 1, 1)).days
    return rest / _length(start.year) + begun / _length(end.year) + (end.year - start.year - 1)


def _length(year: int) -> int:
    return 366 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 365


def _leap(year: str) -> str:
    return f"CASE WHEN {year} % 4 = 0 AND ({year} % 100 <> 0 OR {year} % 400 = 0) THEN 366 ELSE 365 END"


_FIRST = "CASE WHEN DAYOFMONTH(earlier) > 30 THEN 30 ELSE DAYOFMONTH(earlier) END"
_CUT = "CASE WHEN DAYOFMONTH(later) > 30 THEN 30 ELSE DAYOFMONTH(later) END"
_LAST = f"CASE WHEN basis = '30E/360' OR DAYOFMONTH(earlier) >= 30 THEN {_CUT} ELSE DAYOFMONTH(later) END"
_COUNT_360 = (
    f"(360 * (YEAR(later) - YEAR(earlier)) + 30 * (MONTH(later) - MONTH(earlier)) + ({_LAST} - {_FIRST}))"
)
_REST = f"({_leap('YEAR(earlier)')} - DAYOFYEAR(earlier) + 1) / ({_leap('YEAR(earlier)')})"
_BEGUN = f"(DAYOFYEAR(later) - 1) / ({_leap('YEAR(later)')})"
FRACTION_SQL = f"""CASE WHEN later >= earlier THEN CASE
    WHEN basis = 'actual/360' THEN (later - earlier) / 360
    WHEN basis = 'actual/365' THEN (later - earlier) / 365
    WHEN basis IN ('30/360', '30E/360') THEN {_COUNT_360} / 360
    WHEN basis = 'actual/actual' AND YEAR(later) = YEAR(earlier)
        THEN (later - earlier) / ({_leap('YEAR(earlier)')})
    WHEN basis = 'actual/actual' THEN {_REST} + {_BEGUN} + (YEAR(later) - YEAR(earlier) - 1)
END END"""
DAYS_360_SQL = f"CASE WHEN basis IN ('30/360', '30E/360') THEN {_COUNT_360} END"


_BASIS = f"one of {', '.join(BASES)}"
_BASIS_360 = "one of 30/360, 30E/360"
FUNCTIONS = [
    function(
        "days past due", {"due": "date", "day": "date"}, "number", days_past_due,
        "Days from a due date to a later day; 0 until it is due.",
        ('@"2026-01-31", @"2026-03-02"', "30"), ('@"2026-03-02", @"2026-01-31"', "0"),
        sql=sql_form(DAYS_SQL, "earlier", "later"),
    ),
    function(
        "days 360", {"from": "date", "to": "date", "basis": _BASIS_360}, "number", days_360,
        'Days between two dates in months of 30 days, by the American rule ("30/360") unless the European one '
        '("30E/360") is stated. February has no rule of its own.',
        ('@"2026-01-31", @"2026-03-31"', "60"), ('@"2026-01-30", @"2026-03-31", "30E/360"', "60"),
        sql=sql_form(DAYS_360_SQL, "earlier", "later", "basis", basis="'30/360'"), optional=("basis",),
    ),
    function(
        "year fraction", {"from": "date", "to": "date", "basis": _BASIS}, "number", year_fraction,
        "The part of a year between two dates by a day count; actual/actual as ISDA has it.",
        ('@"2003-11-01", @"2004-05-01", "actual/actual"', "0.497724380567408"),
        ('@"2026-01-01", @"2026-07-01", "30/360"', "0.5"), sql=sql_form(FRACTION_SQL, "earlier", "later", "basis"),
    ),
]
