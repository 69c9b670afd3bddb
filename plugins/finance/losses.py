"""Expected losses, and provisions by category."""
from __future__ import annotations

from engine import sql_form

from .function import function

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


FUNCTIONS = [
    function(
        "expected loss",
        {"exposure": "amount", "pd": "number", "lgd": "number", "rate": "number", "years": "number"},
        "amount", expected_loss,
        "Exposure times the probability of default times the loss given it, discounted at a rate over years if "
        "these are stated.",
        ("1000000, 0.02, 0.45", "9000"), ("1000000, 0.02, 0.45, 0.05, 1", "8571.42857142857"),
        sql=sql_form(LOSS_SQL, "exposure", "pd", "lgd", "rate", "years", rate="0e0", years="0e0"),
        optional=("rate", "years"),
    ),
    function(
        "general provision", {"balance": "amount"}, "amount", general_provision,
        "1% of a balance (People's Bank of China, guideline on loan loss provisions, 2002).",
        ("1000000", "10000"), sql=sql_form(f"balance * {GENERAL!r}e0", "balance"),
    ),
    function(
        "specific provision", {"balance": "amount", "category": f"one of {', '.join(SPECIFIC)}"}, "amount",
        specific_provision,
        "2% of a loan of special mention, 25% of a substandard, 50% of a doubtful one, all of a loss (the same "
        "guideline).",
        ('1000000, "substandard"', "250000"), sql=sql_form(PROVISION_SQL, "balance", "category"),
    ),
]
