"""Functions of lending arithmetic: instalments, rates, day counts, losses, and the figures that models are judged by.

Amounts stay what they are: an instalment of money is money. Nothing is rounded but where a function says so. Each
function names its source; where its form in SQL stands beside it, both do the same steps in the same order, so that
they agree to the last bit.
"""
from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from engine import Function, hookimpl, sql_form

tierwise_hooks = 1

ANNUITY, EQUAL_PRINCIPAL, INTEREST_ONLY, BULLET = "annuity", "equal principal", "interest only", "bullet"
REPAYMENTS = f"one of {ANNUITY}, {EQUAL_PRINCIPAL}, {INTEREST_ONLY}, {BULLET}"
BASES = ("30/360", "30E/360", "actual/360", "actual/365", "actual/actual")
#: Periods beyond those of any loan: a hundred years of months.
MAX_PERIODS = 1200
#: Below these products of rate and periods the closed forms lose digits, and their series have them all.
SMALL, TINY = 1e-3, 1e-5
#: How far from a whole number a computed count may be.
SLACK = 1e-9


# --- instalments -----------------------------------------------------------------------------------
# With g = 1 + r the level payment of a principal P over n periods is P r / (1 - g^-n); where r n is small, the first
# terms of its series in r.


def _whole(count: float) -> float:
    """A count that may have been computed, as the whole number that it is."""
    whole = math.floor(count + 0.5)
    if abs(count - whole) > SLACK:
        raise ValueError("a count is a whole number")
    return float(whole)


def _terms(periods: float, rate: float) -> float:
    periods = _whole(periods)
    if not (1 <= periods <= MAX_PERIODS and rate >= 0):
        raise ValueError("a loan has periods, and a rate that is not negative")
    return periods


def instalment(principal: float, rate: float, periods: float) -> float:
    n = _terms(periods, rate)
    if rate * n < SMALL:
        series = 1 + (n + 1) * rate / 2 + (n * n - 1) * rate * rate / 12 - (n * n - 1) * rate * rate * rate / 24
        return principal / n * series
    return principal * rate / (1 - (1 + rate) ** -n)


def instalment_due(principal: float, rate: float, periods: float, number: float, repayment: str = ANNUITY) -> float:
    n, k = _terms(periods, rate), _whole(number)
    if not 1 <= k <= n:
        raise ValueError("there is no such instalment")
    if repayment == ANNUITY:
        return instalment(principal, rate, n)
    if repayment == EQUAL_PRINCIPAL:
        return principal / n + (principal - principal / n * (k - 1)) * rate
    if repayment == INTEREST_ONLY:
        return principal * rate + (principal if k == n else 0)
    if repayment == BULLET:
        return principal + principal * rate * n if k == n else 0.0
    raise ValueError("there is no such repayment")


def balance_after(principal: float, rate: float, periods: float, number: float, repayment: str = ANNUITY) -> float:
    n, k = _terms(periods, rate), _whole(number)
    if not 0 <= k <= n:
        raise ValueError("there is no such instalment")
    if repayment == ANNUITY:
        if rate * n < TINY:
            return principal * (n - k) / n * (1 + k * rate / 2)
        return principal * (1 - (1 + rate) ** (k - n)) / (1 - (1 + rate) ** -n)
    if repayment == EQUAL_PRINCIPAL:
        return principal * (n - k) / n
    if repayment in (INTEREST_ONLY, BULLET):
        return principal if k < n else 0.0
    raise ValueError("there is no such repayment")


def total_interest(principal: float, rate: float, periods: float, repayment: str = ANNUITY) -> float:
    n = _terms(periods, rate)
    if repayment == ANNUITY:
        return instalment(principal, rate, n) * n - principal
    if repayment == EQUAL_PRINCIPAL:
        return principal * rate * (n + 1) / 2
    if repayment in (INTEREST_ONLY, BULLET):
        return principal * rate * n
    raise ValueError("there is no such repayment")


N, K = "FLOOR(periods + 0.5)", "FLOOR(number + 0.5)"
TERMS = f"ABS(periods - {N}) <= 1e-9 AND {N} >= 1 AND {N} <= 1200 AND rate >= 0"
NUMBERED = f"{TERMS} AND ABS(number - {K}) <= 1e-9 AND {K} <= {N}"
SERIES = (
    f"1 + ({N} + 1) * rate / 2 + ({N} * {N} - 1) * rate * rate / 12 - ({N} * {N} - 1) * rate * rate * rate / 24"
)
LEVEL = (
    f"CASE WHEN rate * {N} < 1e-3 THEN principal / {N} * ({SERIES}) "
    f"ELSE principal * rate / (1 - POWER(1 + rate, -{N})) END"
)
INSTALMENT_SQL = f"CASE WHEN {TERMS} THEN {LEVEL} END"
DUE_SQL = f"""CASE WHEN {NUMBERED} AND {K} >= 1 THEN CASE
    WHEN repayment = '{ANNUITY}' THEN {LEVEL}
    WHEN repayment = '{EQUAL_PRINCIPAL}' THEN principal / {N} + (principal - principal / {N} * ({K} - 1)) * rate
    WHEN repayment = '{INTEREST_ONLY}' THEN principal * rate + CASE WHEN {K} = {N} THEN principal ELSE 0 END
    WHEN repayment = '{BULLET}' THEN CASE WHEN {K} = {N} THEN principal + principal * rate * {N} ELSE 0 END
END END"""
BALANCE_SQL = f"""CASE WHEN {NUMBERED} AND {K} >= 0 THEN CASE
    WHEN repayment = '{ANNUITY}' THEN CASE
        WHEN rate * {N} < 1e-5 THEN principal * ({N} - {K}) / {N} * (1 + {K} * rate / 2)
        ELSE principal * (1 - POWER(1 + rate, {K} - {N})) / (1 - POWER(1 + rate, -{N})) END
    WHEN repayment = '{EQUAL_PRINCIPAL}' THEN principal * ({N} - {K}) / {N}
    WHEN repayment IN ('{INTEREST_ONLY}', '{BULLET}') THEN CASE WHEN {K} < {N} THEN principal ELSE 0 END
END END"""
INTEREST_SQL = f"""CASE WHEN {TERMS} THEN CASE
    WHEN repayment = '{ANNUITY}' THEN {LEVEL} * {N} - principal
    WHEN repayment = '{EQUAL_PRINCIPAL}' THEN principal * rate * ({N} + 1) / 2
    WHEN repayment IN ('{INTEREST_ONLY}', '{BULLET}') THEN principal * rate * {N}
END END"""


def amortisation_schedule(
    principal: float, rate: float, periods: float, repayment: str = ANNUITY, decimals: float = 2
) -> list[dict[str, float]]:
    """Every amount in whole units of `decimals`; the last instalment repays what roundings left over."""
    periods, decimals = _terms(periods, rate), _whole(decimals)
    if not 0 <= decimals <= 6:
        raise ValueError("amounts are rounded to 0 to 6 decimals")
    unit = 10 ** int(decimals)
    owed = _units(principal, unit)
    level = _units(instalment(principal, rate, periods), unit) if repayment == ANNUITY else 0
    share = _units(principal / periods, unit)
    rows = []
    for number in range(1, int(periods) + 1):
        last = number == periods
        interest = _units(owed / unit * rate, unit)
        if repayment == ANNUITY:
            paid = min(max(level - interest, 0), owed)
        elif repayment == EQUAL_PRINCIPAL:
            paid = min(share, owed)
        elif repayment in (INTEREST_ONLY, BULLET):
            paid = 0
        else:
            raise ValueError("there is no such repayment")
        if repayment == BULLET:
            interest = _units(principal * rate * periods, unit) if last else 0
        if last:
            paid = owed
        owed -= paid
        parts = {"due": paid + interest, "principal": paid, "interest": interest, "balance": owed}
        rows.append({"number": float(number), **{name: part / unit for name, part in parts.items()}})
    return rows


def _units(amount: float, unit: int) -> int:
    """An amount in whole units, half of one up; the product's own last bit does not decide a tie."""
    units = abs(amount) * unit
    whole = math.floor(units + 0.5 + max(1e-9, units * 2.5e-16))
    return whole if amount >= 0 else -whole


# --- rates -------------------------------------------------------------------------------------------


def effective_rate(nominal: float, periods: float) -> float:
    m = _whole(periods)
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
    count, first = _whole(number), _whole(whole)
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


# --- days ---------------------------------------------------------------------------------------------


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


# --- losses and provisions ------------------------------------------------------------------------------

#: 2002 guideline of the People's Bank of China, section 6: shares of a loan by category.
SPECIFIC = {"normal": 0.0, "special_mention": 0.02, "substandard": 0.25, "doubtful": 0.5, "loss": 1.0}
GENERAL = 0.01


def expected_loss(exposure: float, pd: float, lgd: float, rate: float = 0, years: float = 0) -> float:
    if not (0 <= pd <= 1 and 0 <= lgd <= 1 and rate > -1):
        raise ValueError("shares are between 0 and 1")
    return exposure * pd * lgd / (1 + rate) ** years


LOSS_SQL = """CASE WHEN pd >= 0 AND pd <= 1 AND lgd >= 0 AND lgd <= 1 AND rate > -1
    THEN exposure * pd * lgd / POWER(1 + rate, years) END"""


def general_provision(balance: float) -> float:
    return balance * GENERAL


def specific_provision(balance: float, category: str) -> float:
    if category not in SPECIFIC:
        raise ValueError("there is no such category")
    return balance * SPECIFIC[category]


_RATES = " ".join(f"WHEN category = '{c}' THEN balance * {r!r}e0" for c, r in SPECIFIC.items())
PROVISION_SQL = f"CASE {_RATES} END"


# --- scores ------------------------------------------------------------------------------------------------


def score_of_odds(odds: float, base: float, base_odds: float, doubling: float) -> float:
    """offset + factor ln(odds), with factor = points to double the odds / ln 2 (Siddiqi 2006, chapter 6)."""
    if odds <= 0 or base_odds <= 0:
        raise ValueError("odds are positive")
    factor = doubling / math.log(2)
    return base - factor * math.log(base_odds) + factor * math.log(odds)


def odds_of_score(score: float, base: float, base_odds: float, doubling: float) -> float:
    if base_odds <= 0 or doubling == 0:
        raise ValueError("odds are positive")
    return base_odds * math.exp((score - base) / doubling * math.log(2))


SCORE_SQL = f"""CASE WHEN odds > 0 AND base_odds > 0 THEN
    base - doubling / {math.log(2)!r}e0 * LN(base_odds) + doubling / {math.log(2)!r}e0 * LN(odds) END"""
ODDS_SQL = f"""CASE WHEN base_odds > 0 AND doubling <> 0 THEN
    base_odds * EXP((score - base) / doubling * {math.log(2)!r}e0) END"""


def weight_of_evidence(goods: float, bads: float, all_goods: float, all_bads: float) -> float:
    if not (0 < goods <= all_goods and 0 < bads <= all_bads):
        raise ValueError("a band without goods or bads has no weight")
    return math.log(goods / all_goods / (bads / all_bads))


EVIDENCE_SQL = """CASE WHEN goods > 0 AND goods <= all_goods AND bads > 0 AND bads <= all_bads
    THEN LN(goods / all_goods / (bads / all_bads)) END"""


def information_value(goods: list[float], bads: list[float]) -> float:
    """Sum over bands of (share of goods - share of bads) times the weight of evidence."""
    g, b = _shares(goods), _shares(bads)
    if len(g) != len(b) or 0 in g or 0 in b:
        raise ValueError("a band without goods or bads has no weight")
    return math.fsum((x - y) * math.log(x / y) for x, y in zip(g, b, strict=True))


def _shares(counts: list[float]) -> list[float]:
    total = math.fsum(counts)
    if total <= 0 or min(counts) < 0:
        raise ValueError("there are no counts")
    return [count / total for count in counts]


def psi(expected: list[float], actual: list[float]) -> float:
    """Sum over bands of (a - e) ln(a / e); a band that one side lacks is counted there as half a customer."""
    if len(expected) != len(actual):
        raise ValueError("both sides have the same bands")
    bands = [(e, a) for e, a in zip(expected, actual, strict=True) if e or a]
    if not bands or min(min(band) for band in bands) < 0:
        raise ValueError("there are no counts")
    then, now = math.fsum(e for e, _ in bands), math.fsum(a for _, a in bands)
    parts = [((e or 0.5) / then, (a or 0.5) / now) for e, a in bands]
    return math.fsum((a - e) * math.log(a / e) for e, a in parts)


def _by_score(scores: list[float], bads: list[bool]) -> list[tuple[int, int]]:
    """Goods and bads by score, the lowest score first; customers of one score stand together."""
    if len(scores) != len(bads):
        raise ValueError("each score has an outcome")
    counts: dict[float, list[int]] = {}
    for score, bad in zip(scores, bads, strict=True):
        counts.setdefault(score, [0, 0])[bad] += 1
    found = [(good, bad) for _, (good, bad) in sorted(counts.items())]
    if not any(g for g, _ in found) or not any(b for _, b in found):
        raise ValueError("there are no goods or no bads")
    return found


def ks(scores: list[float], bads: list[bool]) -> float:
    """The largest distance between the cumulated shares of bads and of goods (Kolmogorov and Smirnov)."""
    groups = _by_score(scores, bads)
    goods, all_bads = sum(g for g, _ in groups), sum(b for _, b in groups)
    good = bad = 0
    largest = 0.0
    for g, b in groups:
        good, bad = good + g, bad + b
        largest = max(largest, abs(bad / all_bads - good / goods))
    return largest


def auc(scores: list[float], bads: list[bool]) -> float:
    """The chance that a good has the higher score of a good and a bad; ties count half (Mann and Whitney)."""
    groups = _by_score(scores, bads)
    goods, all_bads = sum(g for g, _ in groups), sum(b for _, b in groups)
    below = twice = 0
    for g, b in groups:
        twice += g * (2 * below + b)
        below += b
    return twice / (2 * goods * all_bads)


def gini(scores: list[float], bads: list[bool]) -> float:
    return 2 * auc(scores, bads) - 1


# --- fairness and surveys ------------------------------------------------------------------------------------


def four_fifths_ratio(chosen: float, of: float, best_chosen: float, best_of: float) -> float:
    """29 CFR 1607.4 D: a group's selection rate over that of the group with the highest."""
    if not (0 <= chosen <= of and 0 < best_chosen <= best_of) or of == 0:
        raise ValueError("of some all, none or a part are chosen")
    return chosen * best_of / (of * best_chosen)


FIFTHS_SQL = """CASE WHEN chosen >= 0 AND chosen <= total AND total > 0 AND best_chosen > 0 AND best_chosen <= best_of
    THEN chosen * best_of / (total * best_chosen) END"""


def _answers(answers: list[float], low: int, high: int) -> list[float]:
    if not answers or any(not (low <= a <= high and a == math.floor(a)) for a in answers):
        raise ValueError("there is an answer that the question does not have, or none")
    return answers


def nps(answers: list[float]) -> float:
    """Percent of promoters (9 and 10) less percent of detractors (0 to 6), Reichheld 2003."""
    given = _answers(answers, 0, 10)
    return 100 * (sum(a >= 9 for a in given) - sum(a <= 6 for a in given)) / len(given)


def csat(answers: list[float]) -> float:
    """Percent of the two highest of five answers."""
    given = _answers(answers, 1, 5)
    return 100 * sum(a >= 4 for a in given) / len(given)


def ces(answers: list[float]) -> float:
    """Mean of answers from 1 to 7, Dixon and others 2010."""
    given = _answers(answers, 1, 7)
    return math.fsum(given) / len(given)


# --- what policies call -----------------------------------------------------------------------------------------

_LOAN = {"principal": "amount", "rate": "number", "periods": "number"}
_NUMBERS = "list of number"
_SCHEDULE = (
    "list of context<number: number, due: amount, principal: amount, interest: amount, balance: amount>"
)
_BASIS = f"one of {', '.join(BASES)}"
_BASIS_360 = "one of 30/360, 30E/360"


def _function(
    name: str, parameters: dict[str, str], result: str, body: Callable[..., Any], help: str,
    *examples: tuple[str, str], sql: Callable[..., Any] | None = None, optional: tuple[str, ...] = (),
) -> Function:
    return Function("finance", name, parameters, result, body, sql, optional, False, help, examples)


@hookimpl
def register_functions() -> list[Function]:
    loan = ("principal", "rate", "periods")
    due = {**_LOAN, "number": "number", "repayment": REPAYMENTS}
    return [
        _function(
            "instalment", _LOAN, "amount", instalment,
            "The level payment of an annuity: the rate is that of one period. A year of months at 6% has 12 periods of "
            "0.06 / 12.",
            ("100000, 0.06 / 12, 12", "8606.64297070825"), ("1200, 0, 12", "100"), sql=sql_form(INSTALMENT_SQL, *loan),
        ),
        _function(
            "instalment due", due, "amount", instalment_due,
            'What is due at one instalment, from 1: of an "annuity", with "equal principal", "interest only" until '
            'the principal is due at the end, or as a "bullet" with simple interest at the end.',
            ('12000, 0.01, 12, 1, "equal principal"', "1120"), ('12000, 0.01, 12, 12, "interest only"', "12120"),
            ('12000, 0.01, 12, 12, "bullet"', "13440"),
            sql=sql_form(DUE_SQL, *due, repayment=f"'{ANNUITY}'"), optional=("repayment",),
        ),
        _function(
            "balance after", due, "amount", balance_after,
            "The principal that is owed once so many instalments are paid.",
            ('12000, 0.01, 12, 3, "equal principal"', "9000"), ("100000, 0.06 / 12, 12, 12", "0"),
            sql=sql_form(BALANCE_SQL, *due, repayment=f"'{ANNUITY}'"), optional=("repayment",),
        ),
        _function(
            "total interest", {**_LOAN, "repayment": REPAYMENTS}, "amount", total_interest,
            "All interest of a loan.", ('12000, 0.01, 12, "equal principal"', "780"),
            sql=sql_form(INTEREST_SQL, *loan, "repayment", repayment=f"'{ANNUITY}'"), optional=("repayment",),
        ),
        _function(
            "amortisation schedule", {**_LOAN, "repayment": REPAYMENTS, "decimals": "number"}, _SCHEDULE,
            amortisation_schedule,
            "Every instalment with its interest and principal and the balance behind it, rounded to the currency's "
            "decimals (2 unless stated); the last one repays what roundings left over.",
            ('1000, 0.01, 2, "equal principal"',
             "[{number: 1, due: 510, principal: 500, interest: 10, balance: 500}, "
             "{number: 2, due: 505, principal: 500, interest: 5, balance: 0}]"),
            optional=("repayment", "decimals"),
        ),
        _function(
            "effective rate", {"nominal": "number", "periods": "number"}, "number", effective_rate,
            "The effective annual rate of a nominal one that is compounded so many times a year.",
            ("0.12, 12", "0.126825030131970"), sql=sql_form(EFFECTIVE_SQL, "nominal", "periods"),
        ),
        _function(
            "annual percentage rate",
            {"advance": "amount", "instalment": "amount", "number": "number", "periods a year": "number",
             "periods before the first": "number", "part of a period": "number"},
            "number", annual_percentage_rate,
            "The nominal annual rate of equal instalments by the actuarial method (Regulation Z, appendix J). The "
            "first instalment is due after 1 period unless stated, and a part of one.",
            ("5000, 230, 24, 12", "0.0968570806228083"), ("6000, 200, 36, 12, 1, 19/30", "0.118165082908260"),
            optional=("periods before the first", "part of a period"),
        ),
        _function(
            "internal rate", {"flows": "list of amount"}, "number", internal_rate,
            "The rate of one period at which flows are worth nothing, the first of them now; money received and paid "
            "have opposite signs. No value where no rate between -99.99% and 10,000% is one.",
            ("[-1000, 600, 600]", "0.130662386291808"),
        ),
        _function(
            "annual rate of flows", {"flows": "list of amount", "years": _NUMBERS}, "number", rate_of_timed_flows,
            "The effective annual rate of flows after so many years (Directive 2008/48/EC, annex I).",
            ("[-1000, 1200], [0, 1.5]", "0.129243234657234"),
        ),
        _function(
            "annual rate of dated flows", {"flows": "list of amount", "dates": "list of date"}, "number",
            rate_of_dated_flows,
            "The effective annual rate of flows on dates, the first of which is day 0, over years of 365 days.",
            ('[-1000, 1200], [@"1994-01-01", @"1995-07-01"]', "0.129620377080724"),
        ),
        _function(
            "net present value", {"rate": "number", "flows": "list of amount"}, "amount", net_present_value,
            "What flows are worth now at a rate a period, the first of them now.",
            ("0.1, [-1000, 600, 600]", "41.3223140495868"),
        ),
        _function(
            "days past due", {"due": "date", "day": "date"}, "number", days_past_due,
            "Days from a due date to a later day; 0 until it is due.",
            ('@"2026-01-31", @"2026-03-02"', "30"), ('@"2026-03-02", @"2026-01-31"', "0"),
            sql=sql_form(DAYS_SQL, "earlier", "later"),
        ),
        _function(
            "days 360", {"from": "date", "to": "date", "basis": _BASIS_360}, "number", days_360,
            'Days between two dates in months of 30 days, by the American rule ("30/360") unless the European one '
            '("30E/360") is stated. February has no rule of its own.',
            ('@"2026-01-31", @"2026-03-31"', "60"), ('@"2026-01-30", @"2026-03-31", "30E/360"', "60"),
            sql=sql_form(DAYS_360_SQL, "earlier", "later", "basis", basis="'30/360'"), optional=("basis",),
        ),
        _function(
            "year fraction", {"from": "date", "to": "date", "basis": _BASIS}, "number", year_fraction,
            "The part of a year between two dates by a day count; actual/actual as ISDA has it.",
            ('@"2003-11-01", @"2004-05-01", "actual/actual"', "0.497724380567408"),
            ('@"2026-01-01", @"2026-07-01", "30/360"', "0.5"), sql=sql_form(FRACTION_SQL, "earlier", "later", "basis"),
        ),
        _function(
            "expected loss",
            {"exposure": "amount", "pd": "number", "lgd": "number", "rate": "number", "years": "number"},
            "amount", expected_loss,
            "Exposure times the probability of default times the loss given it, discounted at a rate over years if "
            "these are stated.",
            ("1000000, 0.02, 0.45", "9000"), ("1000000, 0.02, 0.45, 0.05, 1", "8571.42857142857"),
            sql=sql_form(LOSS_SQL, "exposure", "pd", "lgd", "rate", "years", rate="0e0", years="0e0"),
            optional=("rate", "years"),
        ),
        _function(
            "general provision", {"balance": "amount"}, "amount", general_provision,
            "1% of a balance (People's Bank of China, guideline on loan loss provisions, 2002).",
            ("1000000", "10000"), sql=sql_form(f"balance * {GENERAL!r}e0", "balance"),
        ),
        _function(
            "specific provision", {"balance": "amount", "category": f"one of {', '.join(SPECIFIC)}"}, "amount",
            specific_provision,
            "2% of a loan of special mention, 25% of a substandard, 50% of a doubtful one, all of a loss (the same "
            "guideline).",
            ('1000000, "substandard"', "250000"), sql=sql_form(PROVISION_SQL, "balance", "category"),
        ),
        _function(
            "score of odds",
            {"odds": "number", "base score": "number", "base odds": "number", "points to double": "number"},
            "number", score_of_odds,
            "The score of good:bad odds, where the base odds have the base score and so many points more double them.",
            ("1, 600, 50, 20", "487.122876204505"), ("100, 600, 50, 20", "620"),
            sql=sql_form(SCORE_SQL, "odds", "base", "base_odds", "doubling"),
        ),
        _function(
            "odds of score",
            {"score": "number", "base score": "number", "base odds": "number", "points to double": "number"},
            "number", odds_of_score, "The good:bad odds of a score, the other way round.", ("620, 600, 50, 20", "100"),
            sql=sql_form(ODDS_SQL, "score", "base", "base_odds", "doubling"),
        ),
        _function(
            "weight of evidence",
            {"goods": "number", "bads": "number", "all goods": "number", "all bads": "number"},
            "number", weight_of_evidence, "The logarithm of a band's share of goods over its share of bads.",
            ("400, 100, 800, 200", "0"), sql=sql_form(EVIDENCE_SQL, "goods", "bads", "all_goods", "all_bads"),
        ),
        _function(
            "information value", {"goods": _NUMBERS, "bads": _NUMBERS}, "number", information_value,
            "How well bands tell goods from bads, by their counts.", ("[100, 300], [100, 100]", "0.274653072167027"),
        ),
        _function(
            "psi", {"expected": _NUMBERS, "actual": _NUMBERS}, "number", psi,
            "The population stability index of two rows of counts by band; below 0.1 little has moved, above 0.25 "
            "much.",
            ("[50, 50], [60, 40]", "0.0405465108108164"),
        ),
        _function(
            "ks", {"scores": "list of amount", "bads": "list of boolean"}, "number", ks,
            "The largest distance between the cumulated shares of goods and bads by score.",
            ("[1, 2, 3, 4], [true, true, false, false]", "1"),
        ),
        _function(
            "auc", {"scores": "list of amount", "bads": "list of boolean"}, "number", auc,
            "The chance that of a good and a bad customer the good one has the higher score; ties count half.",
            ("[1, 2, 2, 4], [true, true, false, false]", "0.875"),
        ),
        _function(
            "gini", {"scores": "list of amount", "bads": "list of boolean"}, "number", gini, "Twice the AUC less 1.",
            ("[1, 2, 2, 4], [true, true, false, false]", "0.75"),
        ),
        _function(
            "four fifths ratio",
            {"chosen": "number", "of": "number", "best chosen": "number", "best of": "number"}, "number",
            four_fifths_ratio,
            "A group's rate of selection over the highest of any group; below 0.8 it is evidence of adverse impact "
            "(29 CFR 1607.4 D).",
            ("12, 40, 48, 80", "0.5"), sql=sql_form(FIFTHS_SQL, "chosen", "total", "best_chosen", "best_of"),
        ),
        _function("nps", {"answers": _NUMBERS}, "number", nps,
                  "Percent of promoters (9 and 10 of 0 to 10) less percent of detractors (0 to 6).",
                  ("[10, 9, 8, 7, 6]", "20")),
        _function("csat", {"answers": _NUMBERS}, "number", csat, "Percent of the two highest of five answers.",
                  ("[5, 4, 3, 1]", "50")),
        _function("ces", {"answers": _NUMBERS}, "number", ces, "The mean of answers from 1 to 7.", ("[7, 5, 6]", "6")),
    ]
