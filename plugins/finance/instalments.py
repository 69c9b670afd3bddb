"""Instalments of loans: what is due, what is still owed, and all of it in a schedule."""
from __future__ import annotations

import math

from engine import sql_form

from .counts import MAX_PERIODS, N, whole_number
from .function import function

ANNUITY, EQUAL_PRINCIPAL, INTEREST_ONLY, BULLET = "annuity", "equal principal", "interest only", "bullet"
REPAYMENTS = f"one of {ANNUITY}, {EQUAL_PRINCIPAL}, {INTEREST_ONLY}, {BULLET}"
#: Below these products of rate and periods the closed forms lose digits, and their series have them all.
SMALL, TINY = 1e-3, 1e-5

# With g = 1 + r the level payment of a principal P over n periods is P r / (1 - g^-n); where r n is small, the first
# terms of its series in r.


def _terms(periods: float, rate: float) -> float:
    periods = whole_number(periods)
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
    n, k = _terms(periods, rate), whole_number(number)
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
    n, k = _terms(periods, rate), whole_number(number)
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


K = "FLOOR(number + 0.5)"
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
    periods, decimals = _terms(periods, rate), whole_number(decimals)
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


_LOAN = {"principal": "amount", "rate": "number", "periods": "number"}
_DUE = {**_LOAN, "number": "number", "repayment": REPAYMENTS}
_SCHEDULE = (
    "list of context<number: number, due: amount, principal: amount, interest: amount, balance: amount>"
)
FUNCTIONS = [
    function(
        "instalment", _LOAN, "amount", instalment,
        "The level payment of an annuity: the rate is that of one period. A year of months at 6% has 12 periods of "
        "0.06 / 12.",
        ("100000, 0.06 / 12, 12", "8606.64297070825"), ("1200, 0, 12", "100"), sql=sql_form(INSTALMENT_SQL, *_LOAN),
    ),
    function(
        "instalment due", _DUE, "amount", instalment_due,
        'What is due at one instalment, from 1: of an "annuity", with "equal principal", "interest only" until '
        'the principal is due at the end, or as a "bullet" with simple interest at the end.',
        ('12000, 0.01, 12, 1, "equal principal"', "1120"), ('12000, 0.01, 12, 12, "interest only"', "12120"),
        ('12000, 0.01, 12, 12, "bullet"', "13440"),
        sql=sql_form(DUE_SQL, *_DUE, repayment=f"'{ANNUITY}'"), optional=("repayment",),
    ),
    function(
        "balance after", _DUE, "amount", balance_after,
        "The principal that is owed once so many instalments are paid.",
        ('12000, 0.01, 12, 3, "equal principal"', "9000"), ("100000, 0.06 / 12, 12, 12", "0"),
        sql=sql_form(BALANCE_SQL, *_DUE, repayment=f"'{ANNUITY}'"), optional=("repayment",),
    ),
    function(
        "total interest", {**_LOAN, "repayment": REPAYMENTS}, "amount", total_interest,
        "All interest of a loan.", ('12000, 0.01, 12, "equal principal"', "780"),
        sql=sql_form(INTEREST_SQL, *_LOAN, "repayment", repayment=f"'{ANNUITY}'"), optional=("repayment",),
    ),
    function(
        "amortisation schedule", {**_LOAN, "repayment": REPAYMENTS, "decimals": "number"}, _SCHEDULE,
        amortisation_schedule,
        "Every instalment with its interest and principal and the balance behind it, rounded to the currency's "
        "decimals (2 unless stated); the last one repays what roundings left over.",
        ('1000, 0.01, 2, "equal principal"',
         "[{number: 1, due: 510, principal: 500, interest: 10, balance: 500}, "
         "{number: 2, due: 505, principal: 500, interest: 5, balance: 0}]"),
        optional=("repayment", "decimals"),
    ),
]
