"""Rates: effective, annual and internal ones, and what flows are worth."""
from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Iterable, Sequence

from engine import sql_form

from .counts import MAX_PERIODS, N, whole_number
from .function import NUMBERS, function


def effective_rate(nominal: float, periods: float) -> float:
    m = whole_number(periods)
    if m < 1 or nominal <= -m:
        raise ValueError("a year has periods, and no more than everything is lost")
    return float((1 + nominal / m) ** m - 1)


EFFECTIVE_SQL = (
    f"CASE WHEN ABS(periods - {N}) <= 1e-9 AND {N} >= 1 AND nominal > -{N} "
    f"THEN POWER(1 + nominal / {N}, {N}) - 1 END"
)


def internal_rate(flows: list[float]) -> float:
    """The rate of a period at which the flows, the first of them now, are worth nothing."""
    return _rate(lambda rate: _worth(rate, flows, range(len(flows))), flows)


def rate_of_dated_flows(flows: list[float], dates: list[datetime.date]) -> float:
    """The effective annual rate of flows on these dates, the first of which is day 0, over years of 365 days."""
    if len(flows) != len(dates):
        raise ValueError("each flow has a date")
    years = [(day - dates[0]).days / 365 for day in dates]
    return _rate(lambda rate: _worth(rate, flows, years), flows)


def rate_of_timed_flows(flows: list[float], years: list[float]) -> float:
    """The effective annual rate of flows after so many years."""
    if len(flows) != len(years):
        raise ValueError("each flow has a time")
    return _rate(lambda rate: _worth(rate, flows, years), flows)


def annual_percentage_rate(
    advance: float, instalment: float, number: float, periods: float, whole: float = 1, part: float = 0
) -> float:
    """The actuarial method: A = sum of P / ((1 + f i) (1 + i)^t) over the payments, i times the periods of a year."""
    count, first = whole_number(number), whole_number(whole)
    if not (1 <= count <= MAX_PERIODS and periods >= 1 and first >= 0 and 0 <= part < 1):
        raise ValueError("a loan has a whole number of instalments")
    if advance <= 0 or instalment <= 0:
        raise ValueError("a loan is advanced and repaid")
    times = [first + place for place in range(int(count))]

    def worth(rate: float) -> float:
        return math.fsum([-advance, *(instalment / ((1 + part * rate) * (1 + rate) ** t) for t in times)])

    return _rate(worth, [-advance, instalment]) * periods


def _worth(rate: float, flows: Sequence[float], times: Iterable[float]) -> float:
    return math.fsum(flow / (1 + rate) ** time for flow, time in zip(flows, times, strict=True))


def _rate(worth: Callable[[float], float], flows: Sequence[float]) -> float:
    """The root of a present value over rates from -99.99% to 10,000%, the one nearest to 0 where a loan that is
    advanced first and repaid then has but one; by bisection, which nothing misleads."""
    if not (any(f > 0 for f in flows) and any(f < 0 for f in flows)):
        raise ValueError("flows without a change of sign have no rate")
    zero = worth(0.0)
    if zero == 0:
        return 0.0
    for low, high in _brackets():
        a, b = worth(low), worth(high)
        if a == 0:
            return low
        if a * b <= 0:
            return _bisected(worth, low, high, a)
    raise ValueError("there is no rate within bounds")


def _brackets() -> Iterable[tuple[float, float]]:
    """Stretches of rates outwards from 0, upwards and downwards in turn."""
    up = [0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0]
    down = [0.0, -0.01, -0.03, -0.1, -0.3, -0.6, -0.9, -0.99, -0.999, -0.9999]
    for place in range(1, len(up)):
        yield up[place - 1], up[place]
        yield down[place], down[place - 1]


def _bisected(worth: Callable[[float], float], low: float, high: float, at_low: float) -> float:
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        value = worth(middle)
        if value == 0:
            return middle
        if (value > 0) == (at_low > 0):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def net_present_value(rate: float, flows: list[float]) -> float:
    if rate <= -1:
        raise ValueError("more than everything would be lost")
    return _worth(rate, flows, range(len(flows)))


FUNCTIONS = [
    function(
        "effective rate", {"nominal": "number", "periods": "number"}, "number", effective_rate,
        "The effective annual rate of a nominal one that is compounded so many times a year.",
        ("0.12, 12", "0.126825030131970"), sql=sql_form(EFFECTIVE_SQL, "nominal", "periods"),
    ),
    function(
        "annual percentage rate",
        {"advance": "amount", "instalment": "amount", "number": "number", "periods a year": "number",
         "periods before the first": "number", "part of a period": "number"},
        "number", annual_percentage_rate,
        "The nominal annual rate of equal instalments by the actuarial method (Regulation Z, appendix J). The "
        "first instalment is due after 1 period unless stated, and a part of one.",
        ("5000, 230, 24, 12", "0.0968570806228083"), ("6000, 200, 36, 12, 1, 19/30", "0.118165082908260"),
        optional=("periods before the first", "part of a period"),
    ),
    function(
        "internal rate", {"flows": "list of amount"}, "number", internal_rate,
        "The rate of one period at which flows are worth nothing, the first of them now; money received and paid "
        "have opposite signs. No value where no rate between -99.99% and 10,000% is one.",
        ("[-1000, 600, 600]", "0.130662386291808"),
    ),
    function(
        "annual rate of flows", {"flows": "list of amount", "years": NUMBERS}, "number", rate_of_timed_flows,
        "The effective annual rate of flows after so many years (Directive 2008/48/EC, annex I).",
        ("[-1000, 1200], [0, 1.5]", "0.129243234657234"),
    ),
    function(
        "annual rate of dated flows", {"flows": "list of amount", "dates": "list of date"}, "number",
        rate_of_dated_flows,
        "The effective annual rate of flows on dates, the first of which is day 0, over years of 365 days.",
        ('[-1000, 1200], [@"1994-01-01", @"1995-07-01"]', "0.129620377080724"),
    ),
    function(
        "net present value", {"rate": "number", "flows": "list of amount"}, "amount", net_present_value,
        "What flows are worth now at a rate a period, the first of them now.",
        ("0.1, [-1000, 600, 600]", "41.3223140495868"),
    ),
]
