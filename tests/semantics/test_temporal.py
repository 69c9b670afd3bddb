"""Dates, times and durations: counting, clamping, zones, and text there and back."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.semantics import conversions, temporal
from engine.semantics.equality import equals, identical, order
from engine.semantics.operators import divide, multiply
from engine.semantics.values import FarDate, FineDuration, Undefined, YearsMonths

DATES = st.dates()
SECONDS = st.integers(-(10**12), 10**12)


def text_of(value: object) -> str:
    return temporal.format_temporal(value)


@given(DATES)
def test_days_are_those_of_the_calendar(date: datetime.date) -> None:
    days = temporal.day_count(date)
    assert days == date.toordinal() - datetime.date(1970, 1, 1).toordinal()
    assert temporal.days_of(date.year, date.month, date.day) == days
    assert temporal.civil(days) == (date.year, date.month, date.day)
    assert temporal.make_date(days) == date
    assert temporal.weekday(date) == date.isoweekday()
    assert temporal.week_of_year(date) == date.isocalendar().week
    assert temporal.day_of_year(date) == date.timetuple().tm_yday


@given(st.integers(-999_999_999, 999_999_999), st.integers(1, 12), st.integers(1, 28))
def test_any_year_is_counted_through(year: int, month: int, day: int) -> None:
    assert temporal.civil(temporal.days_of(year, month, day)) == (year, month, day)


@given(DATES, st.integers(-2000, 2000))
def test_adding_months_clamps_to_the_months_last_day(date: datetime.date, months: int) -> None:
    count = date.year * 12 + date.month - 1 + months
    if not 1 <= count // 12 <= 9999:
        return
    moved = temporal.add_months(date, months)
    assert (moved.year, moved.month) == (count // 12, count % 12 + 1)
    assert moved.day == min(date.day, temporal.month_length(moved.year, moved.month))


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2024-01-31", 1, "2024-02-29"),
        ("2023-01-31", 1, "2023-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2024-03-31", -1, "2024-02-29"),
        ("2024-12-31", 2, "2025-02-28"),
        ("0001-01-31", -2, "0000-11-30"),
        ("9999-12-31", 1, "10000-01-31"),
    ],
)
def test_month_ends_and_leap_days(start: str, months: int, end: str) -> None:
    assert text_of(temporal.add_months(temporal.parse_date(start), months)) == end


@given(DATES, DATES)
def test_months_between_and_back(a: datetime.date, b: datetime.date) -> None:
    months = temporal.months_between(a, b).total
    moved = temporal.add_months(a, months)
    assert moved <= b if a <= b else moved >= b
    if a <= b:
        assert temporal.day_count(temporal.add_months(a, months + 1)) > temporal.day_count(b) or b.day < a.day


@given(DATES, st.integers(-100_000, 100_000))
def test_a_difference_undoes_an_addition(date: datetime.date, days: int) -> None:
    moved = temporal.add_duration(date, days * temporal.DAY)
    assert temporal.duration_nanos(temporal.difference(moved, date)) == days * temporal.DAY


@given(st.integers(-(10**21), 10**21))
def test_durations_as_text_and_back(nanos: int) -> None:
    value = temporal.make_duration(nanos)
    again = temporal.parse_duration(text_of(value))
    assert temporal.duration_nanos(again) == nanos


@given(st.integers(-(10**9), 10**9))
def test_month_durations_as_text_and_back(total: int) -> None:
    assert temporal.parse_duration(str(YearsMonths(total))) == YearsMonths(total)
    assert YearsMonths(total).years * 12 + YearsMonths(total).months == total


@given(st.datetimes(timezones=st.one_of(st.none(), st.just(datetime.UTC))))
def test_moments_as_text_and_back(moment: datetime.datetime) -> None:
    assert temporal.parse_any(text_of(moment)) == moment


@pytest.mark.parametrize(
    "text",
    [
        "2026-07-01",
        "-2017-12-31",
        "999999999-12-31",
        "-999999999-01-01",
        "0000-02-29",
        "11:22:33",
        "11:22:33.123456789",
        "13:20:00+02:00",
        "11:59:45+02:45:55",
        "00:01:00@Europe/Paris",
        "23:59:59Z",
        "2017-12-31T11:22:33",
        "99999-12-31T11:22:33.5",
        "2017-12-31T11:22:33-01:35",
        "2018-12-08T10:30:11@Australia/Melbourne",
        "P1Y2M",
        "-P11M",
        "P0M",
        "PT0S",
        "P1DT2H3M4.123S",
        "-PT1H",
        "P99999999Y",
        "PT0.000000001S",
    ],
)
def test_canonical_texts_are_kept(text: str) -> None:
    assert text_of(temporal.parse_any(text)) == text


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("P12M", "P1Y"),
        ("PT24H", "P1D"),
        ("PT61M", "PT1H1M"),
        ("PT0.S", "PT0S"),
        ("11:22:33-00:00", "11:22:33Z"),
        ("-P0Y", "P0M"),
        ("2021-01-01T24:00:00", "2021-01-02T00:00:00"),
        ("P0D", "PT0S"),
        ("11:22:33.500", "11:22:33.5"),
    ],
)
def test_other_texts_become_canonical(text: str, canonical: str) -> None:
    assert text_of(temporal.parse_any(text)) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        "foo",
        "2017-13-10",
        "2017-02-29",
        "1900-02-29",
        "998-12-31",
        "01211-12-31",
        "+2012-12-02",
        "2012-12-25T",
        "2012/12/25",
        "24:00:01",
        "23:59:60",
        "7:00:00",
        "07:01:2",
        "07:02",
        "13:20:00+19:00",
        "13:20:00+02:00@Europe/Paris",
        "10:00:00@Nowhere/At All",
        "10:00:00@../../etc/passwd",
        "P",
        "PT",
        "P1YT",
        "P1H",
        "1Y",
        "P0",
        "P1Y1D",
        "P-1D",
        "PT1D",
        "2017-12-31T25:00:00",
        "2017-12-31 10:00:00",
        "P1234567890123456Y",
        "２０２６-07-01",
    ],
)
def test_what_is_no_temporal_text(text: str) -> None:
    assert temporal.parse_any(text) is None


def test_a_day_in_a_zone_that_changes_its_clock() -> None:
    before = temporal.parse_date_time("2021-03-28T01:30:00@Europe/Paris")
    assert text_of(temporal.add_duration(before, 3600 * temporal.SECOND)) == "2021-03-28T03:30:00@Europe/Paris"
    assert text_of(temporal.add_months(before, 1)) == "2021-04-28T01:30:00@Europe/Paris"


def test_moments_compare_as_instants() -> None:
    paris = temporal.parse_date_time("2018-10-08T00:00:00@Europe/Paris")
    offset = temporal.parse_date_time("2018-10-08T00:00:00+02:00")
    local = temporal.parse_date_time("2018-10-08T00:00:00")
    assert equals(paris, offset) is True
    assert identical(paris, offset) is False
    assert equals(paris, local) is False
    assert order("<", paris, local) is None
    assert order("<", temporal.parse_date_time("2018-10-07T21:00:00Z"), paris) is True


def test_a_time_and_a_zone_have_no_difference_without_one() -> None:
    with pytest.raises(Undefined):
        temporal.difference(temporal.parse_time("10:00:00"), temporal.parse_time("10:00:00Z"))
    with pytest.raises(Undefined):
        temporal.difference(temporal.parse_date("2020-01-01"), temporal.parse_date_time("2020-01-01T00:00:00"))


def test_what_python_cannot_hold_is_held() -> None:
    assert temporal.add_months(datetime.date(9999, 12, 31), 12) == FarDate(10000, 12, 31)
    assert temporal.make_duration(1) == FineDuration(1)
    assert temporal.day_count(temporal.add_duration(FarDate(10000, 1, 1), -temporal.DAY)) == temporal.day_count(
        datetime.date(9999, 12, 31)
    )


def test_dates_are_bounded() -> None:
    with pytest.raises(Undefined):
        temporal.add_months(temporal.parse_date("999999999-12-31"), 12)
    with pytest.raises(Undefined):
        conversions.to_date(1_000_000_000, 1, 1)


@given(SECONDS, st.integers(1, 1000))
def test_scaling_and_dividing_undo_each_other(seconds: int, factor: int) -> None:
    value = temporal.make_duration(seconds * temporal.SECOND)
    assert equals(divide(multiply(value, factor), factor), value) is True
