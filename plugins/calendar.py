"""Functions of business days: weekends, holidays, and the weekend days that are worked to make up for them (调休).

A calendar is a text of three parts: the days that it covers, the days off beside Saturdays and Sundays, and the
Saturdays and Sundays that are worked:

    2026-01-01 to 2026-12-31; off: 2026-01-01 2026-01-02 2026-01-03; on: 2026-01-04

It stands in a policy as a parameter, so that the policy's team keeps it. What a calendar does not cover is not known:
a day beyond it has no value, and neither has anything of a text that is no calendar. Each function's form in SQL takes
the days from the text as the body does; over a calendar that is the same for all rows the database does so once.
"""
from __future__ import annotations

import datetime
import math
import re
from bisect import bisect_left, bisect_right
from functools import lru_cache

from engine import Function, hookimpl, sql_form

tierwise_hooks = 1

DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
HEAD = f"[ \\n]*({DAY}) to ({DAY});"
SHAPE = f"{HEAD}[ \\n]*off:(?:[ \\n]+{DAY})*;[ \\n]*on:(?:[ \\n]+{DAY})*[ \\n]*"
_SHAPE = re.compile(SHAPE)
#: Days that a calendar covers at most, and days that can be counted.
LONGEST = 20_000
#: How far from a whole number a computed count may be.
SLACK = 1e-9
SATURDAY = 6


class Calendar:
    """The business days of a calendar, in order."""

    def __init__(self, first: datetime.date, last: datetime.date, days: list[datetime.date]) -> None:
        self.first = first
        self.last = last
        self.days = days

    def covers(self, *days: datetime.date) -> None:
        """Raise ValueError for a day beyond the calendar."""
        if any(not self.first <= day <= self.last for day in days):
            raise ValueError("the calendar does not cover the day")

    def at(self, place: int) -> datetime.date:
        if not 0 <= place < len(self.days):
            raise ValueError("the calendar does not cover the day")
        return self.days[place]


@lru_cache(maxsize=64)
def _read(text: str) -> Calendar:
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise ValueError("the text is no calendar")
    first, last = datetime.date.fromisoformat(match[1]), datetime.date.fromisoformat(match[2])
    off, on = (_days(text, part) for part in ("off", "on"))
    if not 0 <= (last - first).days <= LONGEST or off & on or any(not first <= d <= last for d in off | on):
        raise ValueError("the text is no calendar")
    every = (first + datetime.timedelta(n) for n in range((last - first).days + 1))
    return Calendar(first, last, [d for d in every if d in on or d.isoweekday() < SATURDAY and d not in off])


def _days(text: str, part: str) -> set[datetime.date]:
    found = re.search(rf"{part}:([^;]*)", text)
    return {datetime.date.fromisoformat(day) for day in re.findall(DAY, found[1] if found else "")}


def business_day(day: datetime.date, calendar: str) -> bool:
    held = _read(calendar)
    held.covers(day)
    place = bisect_left(held.days, day)
    return place < len(held.days) and held.days[place] == day


def next_business_day(day: datetime.date, calendar: str) -> datetime.date:
    held = _read(calendar)
    held.covers(day)
    return held.at(bisect_right(held.days, day))


def add_business_days(day: datetime.date, number: float, calendar: str) -> datetime.date:
    held = _read(calendar)
    held.covers(day)
    whole = math.floor(number + 0.5)
    if abs(number - whole) > SLACK:
        raise ValueError("a count is a whole number")
    if whole > 0:
        return held.at(bisect_right(held.days, day) + whole - 1)
    return held.at(bisect_left(held.days, day) + whole)


def business_days_between(start: datetime.date, end: datetime.date, calendar: str) -> int:
    held = _read(calendar)
    held.covers(start, end)
    return bisect_right(held.days, end) - bisect_right(held.days, start)


# --- the same in SQL ---------------------------------------------------------------------------------

FIRST = f"TRY_CAST(REGEXP_EXTRACT(calendar, '{HEAD}', 1) AS DATE)"
LAST = f"TRY_CAST(REGEXP_EXTRACT(calendar, '{HEAD}', 2) AS DATE)"


def _listed(part: str) -> str:
    within = f"REGEXP_EXTRACT(calendar, '{part}:([^;]*)', 1)"
    return f"LIST_TRANSFORM(REGEXP_EXTRACT_ALL({within}, '{DAY}'), lambda x: TRY_CAST(x AS DATE))"


OFF, ON = _listed("off"), _listed("on")
VALID = (
    f"REGEXP_FULL_MATCH(calendar, '{SHAPE}') AND {LAST} - {FIRST} BETWEEN 0 AND {LONGEST} "
    f"AND LEN(LIST_FILTER(LIST_CONCAT({OFF}, {ON}), lambda x: x IS NULL OR x < {FIRST} OR x > {LAST})) = 0 "
    f"AND NOT LIST_HAS_ANY({OFF}, {ON})"
)
#: The business days in order, of a text that is a calendar. The lists are handed in by a function of their own, so
#: that they are read once and not for each day.
DAYS = (
    f"LIST_EXTRACT(LIST_TRANSFORM([{{'off': {OFF}, 'on': {ON}}}], lambda h: "
    f"LIST_FILTER(CAST(RANGE({FIRST}, {LAST} + INTERVAL 1 DAY, INTERVAL 1 DAY) AS DATE[]), lambda x: "
    f"LIST_CONTAINS(STRUCT_EXTRACT(h, 'on'), x) "
    f"OR (ISODOW(x) < {SATURDAY} AND NOT LIST_CONTAINS(STRUCT_EXTRACT(h, 'off'), x)))), 1)"
)
HELD = f"CASE WHEN {VALID} THEN {DAYS} END"
WHOLE = "CAST(FLOOR(number + 0.5) AS BIGINT)"


def _covered(*days: str) -> str:
    return " AND ".join(f"{day} BETWEEN {FIRST} AND {LAST}" for day in days)


IS_SQL = f"CASE WHEN {_covered('d')} THEN LIST_CONTAINS({HELD}, d) END"
NEXT_SQL = f"CASE WHEN {_covered('d')} THEN LIST_EXTRACT(LIST_FILTER({HELD}, lambda x: x > d), 1) END"
ADD_SQL = f"""CASE WHEN {_covered('d')} AND ABS(number) <= {LONGEST} AND ABS(number - FLOOR(number + 0.5)) <= 1e-9
    THEN CASE
        WHEN {WHOLE} > 0 THEN LIST_EXTRACT(LIST_FILTER({HELD}, lambda x: x > d), {WHOLE})
        WHEN {WHOLE} = 0 THEN LIST_EXTRACT(LIST_FILTER({HELD}, lambda x: x >= d), 1)
        ELSE LIST_EXTRACT(LIST_REVERSE(LIST_FILTER({HELD}, lambda x: x < d)), 0 - {WHOLE})
    END END"""
BETWEEN_SQL = f"""CASE WHEN {_covered('d', 'e')} THEN CASE
    WHEN e >= d THEN LEN(LIST_FILTER({HELD}, lambda x: x > d AND x <= e))
    ELSE 0 - LEN(LIST_FILTER({HELD}, lambda x: x > e AND x <= d)) END END"""

#: For the examples: the days around the new year of 2026 in China.
_EXAMPLE = '"2026-01-01 to 2026-01-31; off: 2026-01-01 2026-01-02; on: 2026-01-04"'


@hookimpl
def register_functions() -> list[Function]:
    return [
        Function(
            "calendar", "business day", {"day": "date", "calendar": "string"}, "boolean", business_day,
            sql_form(IS_SQL, "d", "calendar"), help="Whether a day is a business day of a calendar.",
            examples=((f'@"2026-01-02", {_EXAMPLE}', "false"), (f'@"2026-01-04", {_EXAMPLE}', "true")),
        ),
        Function(
            "calendar", "next business day", {"day": "date", "calendar": "string"}, "date", next_business_day,
            sql_form(NEXT_SQL, "d", "calendar"), help="The first business day after a day.",
            examples=((f'@"2026-01-01", {_EXAMPLE}', '@"2026-01-04"'), (f'@"2026-01-09", {_EXAMPLE}', '@"2026-01-12"')),
        ),
        Function(
            "calendar", "add business days", {"day": "date", "number": "number", "calendar": "string"}, "date",
            add_business_days, sql_form(ADD_SQL, "d", "number", "calendar"),
            help="The business day so many after a day, or before it where the number is negative; with 0 the day "
                 "itself, or the first business day after it.",
            examples=((f'@"2026-01-09", 1, {_EXAMPLE}', '@"2026-01-12"'),
                      (f'@"2026-01-10", 0, {_EXAMPLE}', '@"2026-01-12"'),
                      (f'@"2026-01-10", -1, {_EXAMPLE}', '@"2026-01-09"')),
        ),
        Function(
            "calendar", "business days between", {"from": "date", "to": "date", "calendar": "string"}, "number",
            business_days_between, sql_form(BETWEEN_SQL, "d", "e", "calendar"),
            help="The business days after one day up to another and with it; negative where the other is earlier.",
            examples=((f'@"2026-01-01", @"2026-01-09", {_EXAMPLE}', "6"),),
        ),
    ]
