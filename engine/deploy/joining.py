"""One value out of several sources: the first that has one which is not stale.

What the columnar engine does for a whole portfolio in SQL (`engine.portfolio.columnar.deployed`) is said here for one
customer, and tests hold the one against the other.
"""
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from engine.deploy.matching import InputPlan, Place
from engine.deploy.opening import day_of
from engine.explain.supply import FAILED, MISSING, OVERRULED, STALE, Origin, Passed
from engine.hookspecs import Table
from engine.records import Record
from engine.semantics.temporal import add_months
from engine.semantics.values import YearsMonths


class Answer(Record):
    """What a table of facts gave for a customer: its row, None where it has none, or why it failed."""

    row: Mapping[str, Any] | None
    fetched: datetime.datetime
    failure: str | None = None


def cut(as_of: datetime.date, stale_after: Any) -> datetime.date | None:
    """The first day since which a value must hold so as not to be stale; None where any may be."""
    if stale_after is None:
        return None
    try:
        if isinstance(stale_after, YearsMonths):
            found: datetime.date = add_months(as_of, -stale_after.total)
            return found
        return day_of(datetime.datetime.combine(as_of, datetime.time()) - stale_after)
    except (OverflowError, ValueError):                 # before the calendar begins
        return datetime.date.min


def join(
    plan: InputPlan, answers: Mapping[Place, Answer], tables: Mapping[Place, Table], as_of: datetime.date
) -> tuple[Any, Origin]:
    """The value of an input, and where it came from."""
    oldest = cut(as_of, plan.stale_after)
    chosen: tuple[Any, str, Answer, datetime.date | None] | None = None
    passed: list[Passed] = []
    fetched: datetime.datetime | None = None
    for candidate in plan.candidates:
        answer = answers[candidate.place]
        fetched = fetched or answer.fetched
        if answer.failure is not None:
            passed.append(Passed(candidate.shown, FAILED, answer.failure))
            continue
        value = None if answer.row is None else answer.row[candidate.field]
        table = tables[candidate.place]
        stamp = _stamp(table, answer.row)
        dated = table.stamp is not None                 # else it holds as of when it was fetched
        if value is None:
            if chosen is None:
                passed.append(Passed(candidate.shown, MISSING))
        elif oldest is not None and dated and (stamp is None or day_of(stamp) < oldest):
            passed.append(Passed(candidate.shown, STALE, "" if stamp is not None else "its age is not known", stamp))
        elif chosen is None:
            chosen = value, candidate.shown, answer, stamp
        else:
            passed.append(Passed(candidate.shown, OVERRULED, "", stamp))
    if chosen is None:
        return None, Origin(plan.decl.name, None, fetched, None, tuple(passed))
    value, source, answer, stamp = chosen
    return value, Origin(plan.decl.name, source, answer.fetched, stamp, tuple(passed))


def _stamp(table: Table, row: Mapping[str, Any] | None) -> datetime.date | None:
    return None if row is None or table.stamp is None else row.get(table.stamp)
