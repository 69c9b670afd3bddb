"""The standards once more, as plain functions of complete data, and what their inputs may be.

Each is written from the text of the standard, apart from its policy. A missing yes or no has been replaced by no
before they are called. `POOLS` hold values around every threshold, enough for each answer that data can have.
"""
from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

from tests.standards.sizes import BOUNDS, CLASSES, METRICS

Data = Mapping[str, Any]
Answers = dict[str, Any]

#: The category of a smaller number is the better one.
CATEGORIES = ("normal", "special_mention", "substandard", "doubtful", "loss")


def cn_sme_size(d: Data) -> Answers:
    bounds = BOUNDS[d["industry"]]
    size = "micro"
    for rank, name in enumerate(CLASSES[:3]):
        if all(b is None or d[m] >= b[rank] for m, b in zip(METRICS, bounds, strict=True)):
            size = name
            break
    return {"size": size, "is_sme": size != "large", "is_small_or_micro": size in ("small", "micro")}


def cn_five_category(d: Data) -> Answers:
    days = d["days_overdue"]
    debt, claims = d["pct_of_obligor_debt_all_banks_overdue_over_90d"], d["pct_of_obligor_claims_in_this_bank_npl"]
    loss = d["ecl_pct_of_carrying_amount"]
    firm = not d["is_retail_asset"]
    least = [0]
    if days > 0 and not (d["short_technical_overdue"] and days <= 7):
        least.append(1)
    if d["unauthorised_change_of_use"] or (d["repaid_by_new_borrowing"] and not d["qualifying_sme_renewal"]):
        least.append(1)
    if firm and d["obligor_has_npl_elsewhere"]:
        least.append(1)
    if days > 90 or d["credit_impaired"] or d["external_rating_sharply_down_hurting_ability"]:
        least.append(2)
    if firm and ((debt is not None and debt > 20) or (claims is not None and claims > 10)):
        least.append(2)
    if days > 270 or d["debt_evasion"]:
        least.append(3)
    if days > 360 or d["in_bankruptcy_liquidation"]:
        least.append(4)
    if d["credit_impaired"] and loss is not None:
        least.append(4 if loss >= 90 else 3 if loss >= 50 else 2)
    return {"at_least_en": CATEGORIES[max(least)], "non_performing": max(least) >= 2}


def cn_upgrade(d: Data) -> Answers:
    months = d["months_paid_on_time_since"]
    long_enough = months >= max(6, 2 * d["repayment_period_months"]) and d["periods_paid_on_time_since"] >= 2
    allowed = (
        d["arrears_and_costs_fully_paid"] and long_enough and d["expected_to_keep_performing"]
        and not d["other_impaired_assets_in_this_bank"]
    )
    return {"upgrade_to_normal_or_special_mention_allowed": allowed}


def one_count(d: Data) -> bool:
    """Whether the periods paid fit the months paid: two of them by one count are two by the other."""
    by_count = d["periods_paid_on_time_since"] >= 2
    return bool(by_count == (d["months_paid_on_time_since"] >= 2 * d["repayment_period_months"]))


def cn_renewal(d: Data) -> Answers:
    size = d["enterprise_size"]
    working = d["product"] == "working_capital" and d["original_maturity"] <= datetime.date(2027, 9, 30)
    applies = size in ("small", "micro") or (size == "medium" and working)
    conditions = ("lawful_operation", "operating_continuously", "good_credit_no_misuse_no_arrears_no_evasion",
                  "meets_issuing_conditions")
    stays = applies and d["original_loan_category"] == "正常" and all(d[c] for c in conditions)
    return {"renewal_policy_applies": applies, "may_stay_normal": stays}


def eu_sme(d: Data) -> Answers:
    category = "large"
    for name, people, turnover, sheet in (
        ("medium", 250, 50e6, 43e6), ("small", 50, 10e6, 10e6), ("micro", 10, 2e6, 2e6)
    ):
        figures = d["annual_turnover_eur"] <= turnover or d["balance_sheet_total_eur"] <= sheet
        if d["headcount_awu"] < people and figures:
            category = name
    return {"category": category, "is_sme": category != "large"}


def eu_accounting(d: Data) -> Answers:
    category = "large"
    for name, sheet, turnover, people in (
        ("medium", 25e6, 50e6, 250), ("small", 5e6, 10e6, 50), ("micro", 450e3, 900e3, 10)
    ):
        within = (d["balance_sheet_total_eur"] <= sheet) + (d["net_turnover_eur"] <= turnover)
        if within + (d["average_employees"] <= people) >= 2:
            category = name
    return {"category": category}


def ifrs9(d: Data) -> Answers:
    days = d["days_past_due"]
    if d["purchased_or_originated_impaired"]:
        return {"stage": "POCI", "ecl_horizon": "lifetime", "interest_on": "credit_adjusted_amortised_cost"}
    if d["credit_impaired"] or (days >= 90 and not d["default_presumption_rebutted"]):
        return {"stage": "3", "ecl_horizon": "lifetime", "interest_on": "amortised_cost_net"}
    grown = d["significant_increase_other"] or (days > 30 and not d["sicr_presumption_rebutted"])
    if grown and not d["low_credit_risk_simplification"]:
        return {"stage": "2", "ecl_horizon": "lifetime", "interest_on": "gross"}
    return {"stage": "1", "ecl_horizon": "12_month", "interest_on": "gross"}


def crr(d: Data) -> Answers:
    owed = d["amount_owed_eur"]
    if d["in_default"] or d["group_turnover_eur"] > 50e6:
        return {"supporting_factor": 1}
    if owed == 0:
        return {"supporting_factor": None}
    return {"supporting_factor": (min(owed, 2.5e6) * 0.7619 + max(owed - 2.5e6, 0) * 0.85) / owed}


def cfpb(d: Data) -> Answers:
    revenue, count = {"2023": (5e6, 100), "2026": (1e6, 1000)}[d["rule_version"]]
    covered = min(d["originations_year_minus_1"], d["originations_year_minus_2"]) >= count
    return {"small_business": d["gross_annual_revenue_prior_year_usd"] <= revenue, "covered_institution": covered}


def reg_b(d: Data) -> Answers:
    limit = {"completed_application": 30, "counteroffer_not_accepted": 90}[d["event"]]
    return {"notice_late": d["days_elapsed"] > limit, "more_than_commentary_suggests": d["n_reasons"] > 4}


def complaint(d: Data) -> Answers:
    days = d["days_since_receipt"]
    if d["regime"] == "cn_2020_3":
        limit = {"simple": 15, "complex": 30, "especially_complex": 60 if d["extension_approved"] else 30}
        return {"breached": days > limit[d["complexity"]], "summary_resolution_allowed": False}
    breached = days > 56
    if d["complaint_kind"] == "payment_services":
        breached = d["business_days_since_receipt"] > (35 if d["exceptional_with_holding_response"] else 15)
    return {"breached": breached, "summary_resolution_allowed": d["resolved_on_business_day_after_receipt"] <= 3}


def altman(d: Data) -> Answers:
    if d["total_assets"] == 0 or d["total_liabilities"] == 0:
        return {"z_prime": None, "zone": None}
    parts = (0.717, "working_capital"), (0.847, "retained_earnings"), (3.107, "ebit"), (0.998, "sales")
    z = sum(c * d[name] for c, name in parts) / d["total_assets"] + 0.42 * d["book_equity"] / d["total_liabilities"]
    return {"z_prime": z, "zone": "distress" if z < 1.23 else "safe" if z > 2.9 else "grey"}


def around(*bounds: float) -> list[float]:
    """Nought, every bound with a hundredth on either side, and far above."""
    return [0.0, *(b + step for b in bounds for step in (-0.01, 0, 0.01)), 10.0 * max(bounds)]


BOOL: list[Any] = [False, True]
SIZES: dict[str, list[Any]] = {"industry": list(BOUNDS), **{
    m: sorted({v for b in BOUNDS.values() if (own := b[i]) is not None for x in own for v in (x - 0.01, x)} | {0, 1e7})
    for i, m in enumerate(METRICS)
}}
POOLS: dict[str, tuple[Callable[[Data], Answers], dict[str, list[Any]]]] = {
    "cn-sme-size": (cn_sme_size, SIZES),
    "cn-five-category": (cn_five_category, {
        "days_overdue": around(1, 7, 90, 270, 360), "short_technical_overdue": BOOL, "unauthorised_change_of_use": BOOL,
        "repaid_by_new_borrowing": BOOL, "qualifying_sme_renewal": BOOL, "is_retail_asset": BOOL,
        "obligor_has_npl_elsewhere": BOOL, "credit_impaired": BOOL, "ecl_pct_of_carrying_amount": around(50, 90),
        "external_rating_sharply_down_hurting_ability": BOOL,
        "pct_of_obligor_debt_all_banks_overdue_over_90d": [0, 19.99, 20, 20.01, 100],
        "pct_of_obligor_claims_in_this_bank_npl": [0, 9.99, 10, 10.01, 100],
        "debt_evasion": BOOL, "in_bankruptcy_liquidation": BOOL,
    }),
    "cn-five-category-upgrade": (cn_upgrade, {
        "arrears_and_costs_fully_paid": BOOL, "months_paid_on_time_since": around(6, 12, 24),
        "repayment_period_months": [0.5, 1, 3, 6, 12, 24], "periods_paid_on_time_since": [0, 1, 2, 3, 24],
        "expected_to_keep_performing": BOOL, "other_impaired_assets_in_this_bank": BOOL,
    }),
    "cn-renewal-2024": (cn_renewal, {
        "enterprise_size": ["micro", "small", "medium", "large"], "original_loan_category": ["正常", "关注"],
        "lawful_operation": BOOL, "operating_continuously": BOOL, "good_credit_no_misuse_no_arrears_no_evasion": BOOL,
        "meets_issuing_conditions": BOOL, "product": ["working_capital", "fixed_asset"],
        "original_maturity": [datetime.date(2027, 9, 29), datetime.date(2027, 9, 30), datetime.date(2027, 10, 1)],
    }),
    "eu-sme-2003-361": (eu_sme, {
        "headcount_awu": around(10, 50, 250), "annual_turnover_eur": around(2e6, 10e6, 50e6),
        "balance_sheet_total_eur": around(2e6, 10e6, 43e6),
    }),
    "eu-accounting-2023-2775": (eu_accounting, {
        "balance_sheet_total_eur": around(450e3, 5e6, 25e6), "net_turnover_eur": around(900e3, 10e6, 50e6),
        "average_employees": around(10, 50, 250),
    }),
    "ifrs9-staging": (ifrs9, {
        "days_past_due": around(30, 90), "sicr_presumption_rebutted": BOOL, "default_presumption_rebutted": BOOL,
        "significant_increase_other": BOOL, "low_credit_risk_simplification": BOOL, "credit_impaired": BOOL,
        "purchased_or_originated_impaired": BOOL,
    }),
    "crr-sme-supporting-factor": (crr, {
        "amount_owed_eur": around(2.5e6), "group_turnover_eur": around(50e6), "in_default": BOOL,
    }),
    "us-cfpb-1071": (cfpb, {
        "gross_annual_revenue_prior_year_usd": around(1e6, 5e6), "rule_version": ["2023", "2026"],
        "originations_year_minus_1": around(100, 1000), "originations_year_minus_2": around(100, 1000),
    }),
    "us-reg-b-notice": (reg_b, {
        "event": ["completed_application", "counteroffer_not_accepted"], "days_elapsed": around(30, 90),
        "gross_revenue_prior_year_usd": [0, 1e6, 1e7], "n_reasons": [0, 3, 4, 5],
    }),
    "complaint-sla": (complaint, {
        "regime": ["cn_2020_3", "uk_disp"], "complexity": ["simple", "complex", "especially_complex"],
        "days_since_receipt": around(15, 30, 56, 60), "extension_approved": BOOL,
        "complaint_kind": ["general", "payment_services"], "business_days_since_receipt": around(15, 35),
        "exceptional_with_holding_response": BOOL, "resolved_on_business_day_after_receipt": [0, 1, 3, 4],
    }),
    "altman-z-prime": (altman, {
        "working_capital": [-50, 0, 20], "retained_earnings": [-30, 0, 40], "ebit": [-10, 0, 30],
        "book_equity": [-20, 10, 80], "sales": [0, 120, 300], "total_assets": [0, 100, 400],
        "total_liabilities": [0, 60, 500],
    }),
}
