"""The watch list's signals on the invoices of real firms, month by month, against those of them that defaulted.

The policy is the shipped one, with the thresholds that it has for the reasons that it states: none was moved for these
firms. The data say of a firm whether it defaulted, not when, so that a signal may have come behind the default.
"""
from __future__ import annotations

import datetime
import itertools
import statistics
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from engine.backends.sql.program import Query, compile_program
from engine.backends.sql.run import rows
from engine.backends.sql.tables import Column, Customers, Events, Source
from engine.policy import Policy, load_policy
from plugins.finance.scores import gini, ks

Day = datetime.date
FIELDS = ("number", "issued", "buyer", "net", "voided")
#: Every month of the last two years of invoices.
RUNS = [Day(2018 + month // 12, month % 12 + 1, 1) for month in range(26)]
#: Firms without a sale from here on had stopped; the invoices end on 2020-02-21.
STOPPED = Day(2019, 12, 1)


class Firms(NamedTuple):
    policy: Policy
    connection: duckdb.DuckDBPyConnection
    #: Which of them defaulted.
    bad: dict[str, bool]
    #: The day of the last valid sale, and all that they sold.
    last: dict[str, Day]
    sales: dict[str, float]


@pytest.fixture(scope="module")
def firms(root: Path, shared: Path) -> Iterator[Firms]:
    folder = shared / "data" / "cumcm2020c"
    if not (folder / "sales.csv.gz").exists():
        pytest.skip("the data set cumcm2020c is absent")
    with duckdb.connect() as connection:
        connection.execute(
            """CREATE TABLE firms AS SELECT "企业代号" AS firm, "是否违约" = '是' AS bad
            FROM read_csv(?, all_varchar = true)""", [str(folder / "firms.csv")],
        )
        # The data do not say when an invoice was voided: as most are within the month, at once.
        connection.execute(
            """CREATE TABLE sales AS SELECT firm, number, issued, buyer, net, CASE WHEN void THEN issued END AS voided,
            place FROM (SELECT "企业代号" AS firm, "发票号码" AS number, "购方单位代号" AS buyer,
            CAST(strptime("开票日期", '%Y/%m/%d') AS DATE) AS issued, CAST("金额" AS DOUBLE) AS net,
            trim("发票状态") = '作废发票' AS void, row_number() OVER () AS place
            FROM read_csv(?, all_varchar = true, parallel = false))""", [str(folder / "sales.csv.gz")],
        )
        bad = dict(connection.execute("SELECT firm, bad FROM firms").fetchall())
        sold = connection.execute(
            "SELECT firm, max(issued), sum(net) FROM sales WHERE voided IS NULL GROUP BY firm"
        ).fetchall()
        policy = load_policy(root / "policies" / "sme" / "monitoring.yaml")
        yield Firms(policy, connection, bad, {f: day for f, day, _ in sold}, {f: net for f, _, net in sold})


def query(policy: Policy, relation: str) -> Query:
    """The signal of each firm by the invoices of a relation; nothing else is known of them."""
    invoices = Events(relation, "firm", {name: Column(name) for name in FIELDS}, "place")
    customers = Customers("firms", {"firm id": Column("firm")}, "firm")
    return compile_program(policy.program, ["signal"], Source(customers, {"invoices": invoices}), ["firm"], ("fired",))


def signals(firms: Firms, day: Day, relation: str = "sales") -> dict[str, tuple[str, tuple[str, ...]]]:
    """The level of each firm's signal and the rules behind it."""
    found = rows(query(firms.policy, relation), firms.connection, day)
    return {row.kept[0]: (row.values["signal"], row.fired["signal"]) for row in found}


@pytest.fixture(scope="module")
def warned(firms: Firms) -> dict[str, list[bool]]:
    """Of each firm, in which of the runs it gave a signal."""
    found: defaultdict[str, list[bool]] = defaultdict(list)
    for day in RUNS:
        for firm, (level, _) in signals(firms, day).items():
            found[firm].append(level != "none")
    return dict(found)


def parts(firms: Firms) -> tuple[list[str], list[str]]:
    """Those that defaulted, and the others."""
    return [f for f, bad in firms.bad.items() if bad], [f for f, bad in firms.bad.items() if not bad]


def often(firms: Firms, warned: dict[str, list[bool]], chosen: list[str]) -> tuple[list[float], list[bool]]:
    """How seldom some firms gave a signal, as a score, and which of them defaulted."""
    return [-float(sum(warned[f])) for f in chosen], [firms.bad[f] for f in chosen]


def longest(truths: list[bool]) -> int:
    return max((len(list(run)) for true, run in itertools.groupby(truths) if true), default=0)


def test_those_that_defaulted_give_more_signals(firms: Firms, warned: dict[str, list[bool]]) -> None:
    bad, good = parts(firms)
    assert (len(bad), len(good)) == (27, 96)
    told = [(sum(warned[f][at] for f in bad), sum(warned[f][at] for f in good)) for at in range(len(RUNS))]
    chosen = [(2018, 7, 1), (2019, 1, 1), (2019, 7, 1), (2020, 1, 1)]
    assert [told[RUNS.index(Day(*day))] for day in chosen] == [(6, 21), (11, 16), (17, 20), (17, 37)]
    # From the second run on, when a year of invoices lies behind most of them, a larger share of theirs in every one.
    assert all(of_bad / 27 > of_good / 96 for of_bad, of_good in told[2:])
    of_bad, of_good = sum(b for b, _ in told), sum(g for _, g in told)
    assert (of_bad, of_good) == (347, 546)              # of 702 and 2,496 looks
    assert (of_bad / (of_bad + of_good)) / (27 / 123) == pytest.approx(1.77, abs=0.005)     # lift


def test_how_well_signals_part_them(firms: Firms, warned: dict[str, list[bool]]) -> None:
    bad, good = parts(firms)
    scores, bads = often(firms, warned, [*bad, *good])
    assert ks(scores, bads) == pytest.approx(0.537, abs=0.001)
    assert gini(scores, bads) == pytest.approx(0.623, abs=0.001)
    # Size parts them better: those that defaulted are small firms, and small firms sell now and then. Among the smaller
    # half signals still tell something.
    sizes = [firms.sales[f] for f in (*bad, *good)]
    assert gini(sizes, bads) == pytest.approx(0.782, abs=0.001)
    small = sorted(firms.bad, key=lambda f: firms.sales[f])[:61]
    assert sum(firms.bad[f] for f in small) == 23
    assert gini(*often(firms, warned, small)) == pytest.approx(0.505, abs=0.001)


def test_false_alarms(firms: Firms, warned: dict[str, list[bool]]) -> None:
    """Firms with so many runs in a row that gave a signal; three are what the policy wants clean before one leaves."""
    bad, good = parts(firms)
    found = {n: tuple(sum(longest(warned[f]) >= n for f in part) for part in (bad, good)) for n in (1, 3, 6)}
    assert found == {1: (27, 78), 3: (23, 45), 6: (20, 24)}


def lead(firms: Firms, warned: list[bool], firm: str) -> int:
    """Days from the first of the runs that gave a signal one after the other up to the last sale; 0 for none."""
    start = firms.last[firm]
    for day, signal in reversed([pair for pair in zip(RUNS, warned, strict=True) if pair[0] <= firms.last[firm]]):
        if not signal:
            break
        start = day
    return (firms.last[firm] - start).days


def test_lead_over_the_last_sale(firms: Firms, warned: dict[str, list[bool]]) -> None:
    leads = [sorted(lead(firms, warned[f], f) for f in part if firms.last[f] < STOPPED) for part in parts(firms)]
    assert leads == [
        [0, 0, 0, 0, 0, 0, 32, 119, 147, 225, 324, 461, 648],
        [*[0] * 15, 28, 45, 93, 119, 124, 568],
    ]
    assert [statistics.median(part) for part in leads] == [32, 0]


@pytest.mark.parametrize("day", [Day(2018, 7, 1), Day(2019, 1, 1), Day(2019, 7, 1)])
def test_nothing_from_after_the_date_is_seen(firms: Firms, day: Day) -> None:
    """Later invoices are removed, or are others; earlier ones are voided later: the answers are the same."""
    connection, now = firms.connection, signals(firms, day)
    connection.execute("CREATE OR REPLACE TABLE earlier AS SELECT * FROM sales WHERE issued <= $1", [day])
    assert signals(firms, day, "earlier") == now
    connection.execute(
        """CREATE OR REPLACE TABLE changed AS SELECT firm, number, issued,
        CASE WHEN issued > $1 THEN 'another' ELSE buyer END AS buyer,
        CASE WHEN issued > $1 THEN -100 * net ELSE net END AS net,
        coalesce(voided, $1 + INTERVAL 1 DAY)::DATE AS voided, place FROM sales""", [day],
    )
    assert signals(firms, day, "changed") == now
    # That it would show: the same a day later, when all is void.
    assert signals(firms, day + datetime.timedelta(1), "changed") != now


def test_one_by_one_the_signals_are_the_same(firms: Firms) -> None:
    day = Day(2019, 7, 1)
    columnar = signals(firms, day)
    few = firms.connection.execute("SELECT firm FROM sales GROUP BY firm HAVING count(*) < 150").fetchall()
    assert len(few) >= 20
    for (firm,) in few:
        found = firms.connection.execute(
            f"SELECT {', '.join(FIELDS)} FROM sales WHERE firm = $1 ORDER BY place", [firm]
        ).fetchall()
        invoices = [dict(zip(FIELDS, row, strict=True)) for row in found]
        for engine in ("python", "reference"):
            decision = firms.policy.decide({"firm id": firm}, as_of=day, history={"invoices": invoices}, engine=engine)
            assert (decision.values["signal"], decision.fired["signal"]) == columnar[firm], firm
