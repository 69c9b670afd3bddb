"""Firms chosen as of one date by their invoices, and what they sold in the year behind it."""
from __future__ import annotations

import datetime
import statistics
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest

from engine.policy import load_policy

#: The only day with two years of invoices before it and one behind it, for most of the firms.
AS_OF = datetime.date(2019, 1, 1)


class Firm(NamedTuple):
    chosen: bool
    before: float
    after: float


@pytest.fixture(scope="module")
def firms(root: Path, shared: Path) -> list[Firm]:
    source = shared / "data" / "cumcm2020c" / "sales.csv.gz"
    if not source.exists():
        pytest.skip("the data set cumcm2020c is absent")
    policy = load_policy(root / "policies" / "sme" / "potential.yaml")
    rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    with duckdb.connect() as connection:
        connection.execute(
            """CREATE TABLE sales AS SELECT "企业代号" AS firm, "发票号码" AS number, "购方单位代号" AS buyer,
            CAST(strptime("开票日期", '%Y/%m/%d') AS DATE) AS issued, CAST("金额" AS DOUBLE) AS net,
            trim("发票状态") = '作废发票' AS void FROM read_csv(?, all_varchar = true)""", [str(source)],
        )
        # The data do not say when an invoice was voided: as most are within the month, at once.
        for firm, *cells in connection.execute(
            "SELECT firm, number, issued, buyer, net, CASE WHEN void THEN issued END FROM sales ORDER BY issued, number"
        ).fetchall():
            rows[firm].append(dict(zip(("number", "issued", "buyer", "net", "voided"), cells, strict=True)))
        years = connection.execute(
            """SELECT firm, sum(net) FILTER (issued > $1 - INTERVAL 1 YEAR AND issued <= $1) AS before,
            coalesce(sum(net) FILTER (issued > $1 AND issued <= $1 + INTERVAL 1 YEAR), 0)
            FROM sales WHERE NOT void GROUP BY firm HAVING before > 0""", [AS_OF],
        ).fetchall()
    found = []
    for firm, before, after in years:
        decision = policy.decide({"firm id": firm}, as_of=AS_OF, history={"invoices": rows[firm]})
        found.append(Firm(decision.values["high potential"], before, after))
    return found


def test_those_chosen_sell_more_a_year_later(firms: list[Firm]) -> None:
    chosen, others = [f for f in firms if f.chosen], [f for f in firms if not f.chosen]
    assert (len(chosen), len(others)) == (36, 87)
    assert growth(chosen) == pytest.approx(0.13, abs=0.005)
    assert growth(others) == pytest.approx(-0.17, abs=0.005)
    assert typical(chosen) == pytest.approx(0.09, abs=0.01)
    assert typical(others) == pytest.approx(0.07, abs=0.01)
    assert kept(chosen) == pytest.approx(0.75, abs=0.005)
    assert kept(others) == pytest.approx(0.66, abs=0.005)


def growth(firms: list[Firm]) -> float:
    """Of their sales together."""
    return sum(f.after for f in firms) / sum(f.before for f in firms) - 1


def typical(firms: list[Firm]) -> float:
    return statistics.median(f.after / f.before - 1 for f in firms)


def kept(firms: list[Firm]) -> float:
    """The share that still sold four fifths."""
    return sum(f.after >= 0.8 * f.before for f in firms) / len(firms)
