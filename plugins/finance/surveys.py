"""Adverse impact between groups, and the scores of surveys."""
from __future__ import annotations

import math

from engine import sql_form

from .function import NUMBERS, function


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


FUNCTIONS = [
    function(
        "four fifths ratio",
        {"chosen": "number", "of": "number", "best chosen": "number", "best of": "number"}, "number",
        four_fifths_ratio,
        "A group's rate of selection over the highest of any group; below 0.8 it is evidence of adverse impact "
        "(29 CFR 1607.4 D).",
        ("12, 40, 48, 80", "0.5"), sql=sql_form(FIFTHS_SQL, "chosen", "total", "best_chosen", "best_of"),
    ),
    function("nps", {"answers": NUMBERS}, "number", nps,
              "Percent of promoters (9 and 10 of 0 to 10) less percent of detractors (0 to 6).",
              ("[10, 9, 8, 7, 6]", "20")),
    function("csat", {"answers": NUMBERS}, "number", csat, "Percent of the two highest of five answers.",
              ("[5, 4, 3, 1]", "50")),
    function("ces", {"answers": NUMBERS}, "number", ces, "The mean of answers from 1 to 7.", ("[7, 5, 6]", "6")),
]
