"""Rows to decide: customers of the bench policy, 5% of each field missing.

They come from the given generator. That needs numpy and pyarrow; without these, as in a test,
rows are drawn here from the same distributions.
"""
from __future__ import annotations

import importlib.util
import math
import random
from typing import Any

from benchmarks.given import Given

Row = dict[str, Any]
_SEED = 7


def draw(given: Given, count: int) -> tuple[list[Row], str]:
    """`count` rows of the fifteen inputs, and a word on where they come from."""
    if importlib.util.find_spec("numpy") and importlib.util.find_spec("pyarrow"):
        rows = given.module("generate").gen(count).to_pylist()
        return [{k: v for k, v in row.items() if k != "id"} for row in rows], "the given generator"
    chance = random.Random(_SEED)
    return [_row(chance) for _ in range(count)], "a stand-in for the given generator, which needs numpy and pyarrow"


def _row(r: random.Random) -> Row:
    revenue = round(math.exp(r.gauss(13.8, 1.7)), 2)
    loan = round(revenue * min(max(r.betavariate(1.5, 6), 0.01), 0.9), 2)
    row: Row = {
        "industry": r.choice("ABCDEFGHIJKLMNOPQRST"),
        "revenue": revenue,
        "employees": min(max(int(revenue / 150e3 * math.exp(r.gauss(0, 0.7))), 1), 5000),
        "years": round(r.gammavariate(1.6, 4.5), 1),
        "dscr": round(min(max(r.gauss(1.5, 0.5), 0.1), 5), 3),
        "credit_score": int(min(max(r.gauss(650, 80), 300), 850)),
        "utilisation": round(r.betavariate(2, 2.2), 4),
        "dpd": 0 if r.random() < 0.7 else int(min(max(r.expovariate(1 / 30), 1), 180)),
        "owner_score": int(min(max(r.gauss(630, 90), 300), 850)),
        "collateral": round(loan * math.exp(r.gauss(0.4, 0.6)), 2),
        "loan": loan,
        "term": r.choice((6, 12, 24, 36, 48, 60, 72, 84, 96, 120)),
        "region": r.choice("NSEWC"),
        "satisfaction": r.randint(1, 10),
        "complaints": sum(r.random() < 0.05 for _ in range(10)),
    }
    return {name: None if r.random() < 0.05 else value for name, value in row.items()}
