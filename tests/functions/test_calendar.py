"""The set `calendar`: the published schedule of 2026, counting there and back, and the same in columns."""
from __future__ import annotations

import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.hooks import Plugins
from engine.policy import load_policy
from engine.testing import FunctionContract
from plugins import calendar as cal
from tests.functions.given import HEAD
from tests.functions.test_columnar import same

ROOT = Path(__file__).parents[2]
#: The General Office of the State Council, notice of 4 November 2025 on the holidays of 2026.
YEAR = """\
2026-01-01 to 2026-12-31;
off: 2026-01-01 2026-01-02 2026-01-03
     2026-02-15 2026-02-16 2026-02-17 2026-02-18 2026-02-19 2026-02-20 2026-02-21 2026-02-22 2026-02-23
     2026-04-04 2026-04-05 2026-04-06 2026-05-01 2026-05-02 2026-05-03 2026-05-04 2026-05-05
     2026-06-19 2026-06-20 2026-06-21 2026-09-25 2026-09-26 2026-09-27
     2026-10-01 2026-10-02 2026-10-03 2026-10-04 2026-10-05 2026-10-06 2026-10-07;
on:  2026-01-04 2026-02-14 2026-02-28 2026-05-09 2026-09-20 2026-10-10
"""
SHORT = "2026-01-01 to 2026-01-31; off: 2026-01-01 2026-01-02; on: 2026-01-04"
PLAIN = "2026-03-02 to 2026-03-02; off:; on:"
WRONG = [
    "", "2026-01-01 to 2026-01-31", "2026-01-01 to 2026-02-30; off:; on:", "2026-02-01 to 2026-01-31; off:; on:",
    "2026-01-01 to 2026-01-31; off: 2026-02-01; on:", "2026-01-01 to 2026-01-31; off: 2026-01-04; on: 2026-01-04",
    "2026-01-01 to 2026-01-31; off: 2026-01-32; on:", "2026-01-01 to 2026-01-31; off: tomorrow; on:",
    "2026-01-01 to 2126-01-31; off:; on:", "2026-01-01 to 2026-01-31; on:; off:",
    "2026-01-01 to 2026-01-31; off: 2026-01-0１; on:",
]


def on(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


days = st.dates(on("2026-01-01"), on("2026-12-31"))


class TestCalendar(FunctionContract):
    functions = Plugins(installed=False).functions("calendar")


def test_the_shipped_calendar_is_this() -> None:
    shipped = load_policy(ROOT / "policies" / "calendars" / "cn-workdays.yaml")
    decided = shipped.decide({}, as_of=on("2026-07-01"))
    assert decided.values["calendar"].split() == YEAR.split()


def test_the_year_has_as_many_business_days_as_published() -> None:
    every = [on("2026-01-01") + datetime.timedelta(n) for n in range(365)]
    worked = [d for d in every if cal.business_day(d, YEAR)]
    weekdays = [d for d in every if d.isoweekday() < 6]
    assert len(weekdays) == 261
    assert len(worked) == 261 - 19 + 6                  # 19 weekdays off, 6 weekend days worked for them


@pytest.mark.parametrize(
    ("day", "business", "following"),
    [
        ("2026-02-13", True, "2026-02-14"), ("2026-02-14", True, "2026-02-24"), ("2026-02-15", False, "2026-02-24"),
        ("2026-02-27", True, "2026-02-28"), ("2026-09-30", True, "2026-10-08"), ("2026-10-10", True, "2026-10-12"),
        ("2026-06-27", False, "2026-06-29"),
    ],
)
def test_days_around_holidays(day: str, business: bool, following: str) -> None:
    assert cal.business_day(on(day), YEAR) is business
    assert cal.next_business_day(on(day), YEAR) == on(following)
    assert cal.add_business_days(on(day), 1, YEAR) == on(following)


@given(days, st.integers(-30, 30))
def test_counting_there_is_counting_back(day: datetime.date, number: int) -> None:
    assume(on("2026-03-01") <= day <= on("2026-10-31"))
    reached = cal.add_business_days(day, number, YEAR)
    assert cal.business_day(reached, YEAR)
    start = cal.add_business_days(day, 0, YEAR) if number == 0 else day
    counted = cal.business_days_between(start, reached, YEAR)
    # before a day off the first business day back is none that is counted from it
    assert counted == number or number < 0 and not cal.business_day(day, YEAR) and counted == number + 1


@given(days, days, days)
def test_stretches_add_up(a: datetime.date, b: datetime.date, c: datetime.date) -> None:
    def between(x: datetime.date, y: datetime.date) -> int:
        return int(cal.business_days_between(x, y, YEAR))

    assert between(a, b) + between(b, c) == between(a, c)


@pytest.mark.parametrize("text", WRONG)
def test_a_text_that_is_no_calendar_has_no_value(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        cal.business_day(on("2026-01-05"), text)


@pytest.mark.parametrize(
    ("day", "number"), [("2025-12-31", 1), ("2026-12-31", 1), ("2026-01-01", -1), ("2027-01-01", 0)]
)
def test_nothing_is_known_beyond_a_calendar(day: str, number: int) -> None:
    with pytest.raises(ValueError, match="does not cover"):
        cal.add_business_days(on(day), number, YEAR)


CALLS = """\
functions: [calendar]
inputs:
  a: {type: date, optional: true}
  b: {type: date, optional: true}
  n: {type: number, optional: true}
  t: {type: string, optional: true}
parameters:
  t:
    type: string
    value: >-
%s
service:
  open now: {type: boolean, value: 'business day(a, t)'}
  next: {type: date, value: 'next business day(a, t)'}
  further: {type: date, value: 'add business days(a, n, t)'}
  counted: {type: number, value: 'business days between(a, b, t)'}
  on time:
    values: [yes, no, refer]
    rules:
      - rule: R1
        when: add business days(a, 5, t) >= b
        then: yes
      - otherwise: no
"""


@pytest.mark.parametrize("given", ["a parameter", "a column"])
def test_columns_agree(tmp_path: Path, given: str) -> None:
    random = Random(11)
    parameter = "parameters:\n" + CALLS.split("parameters:\n")[1].split("service:")[0]
    column = "  t: {type: string, optional: true}\n"
    text = CALLS.replace(column, "") if given == "a parameter" else CALLS.replace(parameter, "")
    if given == "a parameter":
        text %= "\n".join(f"      {line}" for line in YEAR.splitlines())
    path = tmp_path / "policy.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    near = [on("2025-12-30") + datetime.timedelta(n) for n in range(370)]
    customers = []
    for _ in range(400):
        row: dict[str, Any] = {"a": random.choice([None, *near]), "b": random.choice([None, *near])}
        row["n"] = random.choice([None, 0, 1, -1, 2.5, 3, -7, 60, 1e9, 300, 5.0000000001])
        if given == "a column":
            row["t"] = random.choice([None, YEAR, YEAR, YEAR, SHORT, PLAIN, *WRONG[:5], random.choice(WRONG)])
            row |= random.choice([{}, {"a": on("2026-03-02"), "b": on("2026-03-02")}])
        customers.append({"inputs": row, "history": {}, "as_of": "2026-07-01"})
    assert same(load_policy(path), customers) > 500
