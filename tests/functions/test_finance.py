"""The set `finance`: published examples, and what must hold of any loan."""
from __future__ import annotations

import datetime
import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.hooks import Plugins
from engine.testing import FunctionContract
from plugins.finance import days, instalments, losses, rates, scores, surveys

monthly = st.floats(1e-12, 0.05) | st.sampled_from([0.0, 1e-12, 1e-9, 3e-8, 2e-6, 1e-5, 1e-3])
terms = st.integers(1, 360)
principals = st.floats(1, 1e9)


class TestFinance(FunctionContract):
    functions = Plugins(installed=False).functions("finance")
    ranges = {
        "rate": (0, 0.03), "periods": (1, 360), "number": (0, 370), "pd": (0, 1), "lgd": (0, 1), "odds": (0.01, 1000),
        "base odds": (1, 100), "points to double": (10, 40), "years": (0, 30), "nominal": (0, 1),
    }


# --- rates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("arguments", "rate"), [
    ((5000, 230, 24, 12), 0.0969),
    ((6000, 200, 36, 12, 1, 19 / 30), 0.1182),
    ((5000, 219.17, 24, 24, 0, 6 / 15), 0.1034),
    ((10000, 385, 40, 4, 1, 39 / 90), 0.0897),
    ((500, 17.60, 30, 52, 4, 4 / 7), 0.1496),
], ids=["monthly", "long first period", "short first period", "quarterly", "weekly"])
def test_examples_of_regulation_z(arguments: tuple[float, ...], rate: float) -> None:
    """12 CFR 1026, appendix J, (c)(1)(i) to (v)."""
    assert round(rates.annual_percentage_rate(*arguments), 4) == rate


@pytest.mark.parametrize(("flows", "years", "rate"), [
    ([-1000, 1200], [0, 1.5], 0.129243),
    ([-1000, 1200], [0, 546 / 365], 0.129620),
    ([-950, 1200], [0, 1.5], 0.168526),
    ([-1000, 600, 600], [0, 1, 2], 0.130662),
    ([-1000, 272, 272, 544], [0, 0.25, 0.5, 1], 0.131855),
])
def test_examples_of_the_consumer_credit_directive(flows: list[float], years: list[float], rate: float) -> None:
    """Directive 98/7/EC, annex, with years of equal months and of 365 days."""
    assert math.isclose(rates.rate_of_timed_flows(flows, years), rate, abs_tol=5e-7)


@settings(deadline=None)
@given(st.lists(st.floats(1, 1e6), min_size=1, max_size=60), st.floats(1, 1e6))
def test_a_rate_makes_flows_worth_nothing(payments: list[float], advance: float) -> None:
    flows = [-advance, *payments]
    try:
        rate = rates.internal_rate(flows)
    except ValueError:
        return      # beyond the bounds
    assert abs(rates.net_present_value(rate, flows)) <= 1e-6 * (advance + sum(payments))


def test_flows_that_have_no_rate() -> None:
    for flows in ([], [1.0], [1.0, 2.0], [-1.0, -1.0], [0.0, 0.0], [-1.0, 1e9]):
        with pytest.raises(ValueError, match="rate"):
            rates.internal_rate(flows)


@settings(deadline=None)
@given(principals, monthly.filter(lambda r: r > 1e-6), st.integers(2, 120))
def test_the_rate_of_an_annuity_is_that_of_its_loan(principal: float, rate: float, periods: int) -> None:
    payment = instalments.instalment(principal, rate, periods)
    found = rates.annual_percentage_rate(principal, payment, periods, 1)
    assert math.isclose(found, rate, rel_tol=1e-6, abs_tol=1e-10)


# --- instalments --------------------------------------------------------------------------------------


@settings(deadline=None)
@given(principals, monthly, terms)
def test_an_instalment_is_that_of_exact_arithmetic(principal: float, rate: float, periods: int) -> None:
    exact = Fraction(rate)
    growth = (1 + exact) ** periods
    payment = Fraction(principal) / periods if rate == 0 else Fraction(principal) * exact * growth / (growth - 1)
    assert math.isclose(instalments.instalment(principal, rate, periods), float(payment), rel_tol=1e-10)


@settings(deadline=None)
@given(principals, monthly, terms, st.sampled_from(["annuity", "equal principal", "interest only", "bullet"]))
def test_a_schedule_repays_the_loan(principal: float, rate: float, periods: int, repayment: str) -> None:
    rows = instalments.amortisation_schedule(principal, rate, periods, repayment)
    cents = [{name: round(value * 100) for name, value in row.items()} for row in rows]
    assert [row["number"] for row in rows] == list(range(1, periods + 1))
    assert sum(row["principal"] for row in cents) == math.floor(principal * 100 + 0.5 + 1e-4) or (
        abs(sum(row["principal"] for row in cents) - principal * 100) <= 0.5 + principal * 1e-12)
    assert cents[-1]["balance"] == 0
    for before, row in zip([None, *cents], cents, strict=False):
        assert row["due"] == row["principal"] + row["interest"]
        assert row["principal"] >= 0 and row["interest"] >= 0 and row["balance"] >= 0
        if before is not None:
            assert before["balance"] - row["principal"] == row["balance"]


@settings(deadline=None)
@given(principals, monthly, terms, st.data())
def test_balances_and_instalments_are_those_of_the_schedule(
    principal: float, rate: float, periods: int, data: st.DataObject
) -> None:
    repayment = data.draw(st.sampled_from(["annuity", "equal principal", "interest only", "bullet"]))
    number = data.draw(st.integers(1, periods))
    row = instalments.amortisation_schedule(principal, rate, periods, repayment)[number - 1]
    slack = 0.01 * periods * (1 + rate) ** number + principal * 1e-9    # every rounding before, with its interest
    assert abs(instalments.balance_after(principal, rate, periods, number, repayment) - row["balance"]) <= slack
    assert abs(instalments.instalment_due(principal, rate, periods, number, repayment) - row["due"]) <= 2 * slack
    whole = 0.01 * periods * (1 + rate) ** periods + principal * 1e-9       # the last instalment takes them all
    interest = sum(r["interest"] for r in instalments.amortisation_schedule(principal, rate, periods, repayment))
    assert abs(instalments.total_interest(principal, rate, periods, repayment) - interest) <= whole


# --- days ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("start", "end", "basis", "fraction"), [
    ("2003-11-01", "2004-05-01", "actual/actual", 61 / 365 + 121 / 366),
    ("1999-02-01", "1999-07-01", "actual/actual", 150 / 365),
    ("2002-08-15", "2003-07-15", "actual/actual", 334 / 365),
    ("1999-07-30", "2000-01-30", "actual/actual", 155 / 365 + 29 / 366),
    ("2000-01-30", "2000-06-30", "actual/actual", 152 / 366),
    ("2026-01-31", "2026-02-28", "30/360", 28 / 360),
    ("2026-01-30", "2026-03-31", "30/360", 60 / 360),
    ("2026-01-15", "2026-03-31", "30/360", 76 / 360),
    ("2026-01-15", "2026-03-31", "30E/360", 75 / 360),
    ("2026-01-01", "2027-01-01", "actual/360", 365 / 360),
    ("2024-01-01", "2025-01-01", "actual/365", 366 / 365),
])
def test_day_counts(start: str, end: str, basis: str, fraction: float) -> None:
    """The first five are of ISDA's memorandum on EMU and market conventions, 1998."""
    day = datetime.date.fromisoformat
    assert math.isclose(days.year_fraction(day(start), day(end), basis), fraction, rel_tol=1e-12)


@settings(deadline=None)
@given(st.dates(), st.dates())
def test_a_year_is_a_year(one: datetime.date, other: datetime.date) -> None:
    start, end = min(one, other), max(one, other)
    years = (end - start).days / 365.2425
    for basis in days.BASES:
        assert abs(days.year_fraction(start, end, basis) - years) <= 0.02 * years + 0.02


# --- figures of models and surveys ---------------------------------------------------------------------------


def test_scaling_as_published() -> None:
    """Siddiqi, Credit Risk Scorecards (2006): 600 points at odds of 50:1, 20 to double them."""
    assert round(20 / math.log(2), 4) == 28.8539
    assert round(scores.score_of_odds(1, 600, 50, 20), 2) == 487.12
    assert math.isclose(scores.odds_of_score(scores.score_of_odds(7, 600, 50, 20), 600, 50, 20), 7)


def test_evidence_as_published() -> None:
    """Siddiqi, Credit Risk Scorecards (2006), exhibit 6.2: good and bad accounts by age, weights in hundredths."""
    goods, bads = [860, 3040, 4920, 8100, 9500, 6800, 2940], [140, 960, 1080, 900, 500, 200, 60]
    weights = [scores.weight_of_evidence(g, b, 36160, 3840) for g, b in zip(goods, bads, strict=True)]
    assert [round(100 * w, 3) for w in weights] == [-42.719, -108.98, -72.613, -4.526, 70.196, 128.388, 164.934]
    assert round(scores.information_value(goods, bads), 3) == 0.668
    assert round(scores.psi(bads, goods), 3) == 0.668  # the same sum, of the bands of two days


def test_ranking_as_published() -> None:
    """The example of scikit-learn's `roc_auc_score`, of ones that score higher than zeros."""
    points, zeros = [0.1, 0.4, 0.35, 0.8], [True, True, False, False]
    assert (scores.auc(points, zeros), scores.gini(points, zeros), scores.ks(points, zeros)) == (0.75, 0.5, 0.5)


def test_expected_loss_as_published() -> None:
    """IFRS 9, illustrative example 8: 0.5% of a million in twelve months, of which a quarter is lost."""
    assert losses.expected_loss(1_000_000, 0.005, 0.25) == 1250


def test_adverse_impact_as_published() -> None:
    """29 CFR 1607, questions and answers, 12: 48 of 80 whites and 12 of 40 blacks are hired."""
    assert surveys.four_fifths_ratio(12, 40, 48, 80) == 0.5
    assert surveys.four_fifths_ratio(80, 100, 100, 100) == 0.8


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=2, max_size=60))
def test_auc_is_the_share_of_pairs(customers: list[tuple[int, bool]]) -> None:
    points, bads = [float(s) for s, _ in customers], [b for _, b in customers]
    if all(bads) or not any(bads):
        with pytest.raises(ValueError, match="no goods or no bads"):
            scores.auc(points, bads)
        return
    pairs = [(g, b) for g, bad in customers if not bad for b, worse in customers if worse]
    share = sum(1 if g > b else 0.5 if g == b else 0 for g, b in pairs) / len(pairs)
    assert math.isclose(scores.auc(points, bads), share)
    assert math.isclose(scores.gini(points, bads), 2 * share - 1, abs_tol=1e-12)
    assert 0 <= scores.ks(points, bads) <= 1


@settings(deadline=None)
@given(st.lists(st.integers(0, 100), min_size=1, max_size=12).filter(any))
def test_no_shift_has_no_index(counts: list[int]) -> None:
    assert scores.psi(counts, counts) == 0


def test_surveys() -> None:
    assert surveys.nps([9, 10, 8, 7, 0, 6]) == 0
    assert surveys.csat([4, 5, 3]) == pytest.approx(200 / 3)
    assert surveys.ces([1, 7]) == 4
    for ask, answers in ((surveys.nps, [11]), (surveys.csat, [0]), (surveys.ces, [7.5]), (surveys.nps, [])):
        with pytest.raises(ValueError, match="answer"):
            ask(answers)


def test_provisions() -> None:
    assert [losses.specific_provision(100, c) for c in losses.SPECIFIC] == [0, 2, 25, 50, 100]
    assert losses.general_provision(100) == 1
