"""Scaling of scores, and the figures that models are judged by."""
from __future__ import annotations

import math

from engine import sql_form

from .function import NUMBERS, function


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


FUNCTIONS = [
    function(
        "score of odds",
        {"odds": "number", "base score": "number", "base odds": "number", "points to double": "number"},
        "number", score_of_odds,
        "The score of good:bad odds, where the base odds have the base score and so many points more double them.",
        ("1, 600, 50, 20", "487.122876204505"), ("100, 600, 50, 20", "620"),
        sql=sql_form(SCORE_SQL, "odds", "base", "base_odds", "doubling"),
    ),
    function(
        "odds of score",
        {"score": "number", "base score": "number", "base odds": "number", "points to double": "number"},
        "number", odds_of_score, "The good:bad odds of a score, the other way round.", ("620, 600, 50, 20", "100"),
        sql=sql_form(ODDS_SQL, "score", "base", "base_odds", "doubling"),
    ),
    function(
        "weight of evidence",
        {"goods": "number", "bads": "number", "all goods": "number", "all bads": "number"},
        "number", weight_of_evidence, "The logarithm of a band's share of goods over its share of bads.",
        ("400, 100, 800, 200", "0"), sql=sql_form(EVIDENCE_SQL, "goods", "bads", "all_goods", "all_bads"),
    ),
    function(
        "information value", {"goods": NUMBERS, "bads": NUMBERS}, "number", information_value,
        "How well bands tell goods from bads, by their counts.", ("[100, 300], [100, 100]", "0.274653072167027"),
    ),
    function(
        "psi", {"expected": NUMBERS, "actual": NUMBERS}, "number", psi,
        "The population stability index of two rows of counts by band; below 0.1 little has moved, above 0.25 "
        "much.",
        ("[50, 50], [60, 40]", "0.0405465108108164"),
    ),
    function(
        "ks", {"scores": "list of amount", "bads": "list of boolean"}, "number", ks,
        "The largest distance between the cumulated shares of goods and bads by score.",
        ("[1, 2, 3, 4], [true, true, false, false]", "1"),
    ),
    function(
        "auc", {"scores": "list of amount", "bads": "list of boolean"}, "number", auc,
        "The chance that of a good and a bad customer the good one has the higher score; ties count half.",
        ("[1, 2, 2, 4], [true, true, false, false]", "0.875"),
    ),
    function(
        "gini", {"scores": "list of amount", "bads": "list of boolean"}, "number", gini, "Twice the AUC less 1.",
        ("[1, 2, 2, 4], [true, true, false, false]", "0.75"),
    ),
]
