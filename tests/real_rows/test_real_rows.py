"""Real portfolios through `tierwise run`: every row comes out decided, open, or refused with a reason, none lost.

The data belong to others and lie outside the repository; without them these tests skip. What the policies should
say of each row is worked out here once more by plain code.
"""
from __future__ import annotations

import csv
import datetime
import gzip
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from engine.backends.sql.memory import Customer
from engine.backends.sql.program import EXTRAS, compile_program
from engine.backends.sql.run import Row, rows
from engine.backends.sql.tables import Source
from engine.policy import Policy, load_policy
from tests.differential.compare import between, exact, shown_of_columns
from tests.real_rows import invoices

POLICIES = Path(__file__).parent / "policies"
Cells = dict[str, str]
Tiers = tuple[Policy, duckdb.DuckDBPyConnection, Source]


def data(shared: Path, name: str) -> Path:
    path = shared / "data" / name
    if not path.exists():
        pytest.skip(f"the data set {name} is absent")
    return path


def run(root: Path, out: Path, *arguments: str | Path) -> tuple[list[Cells], int, str]:
    """Rows of the results, the exit code, and what was said on standard error."""
    command = [sys.executable, "cli.py", "run", *map(str, arguments), "-o", str(out)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode in (0, 1), done.stderr
    with out.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream)), done.returncode, done.stderr


def assert_none_lost(rows: list[Cells], count: int) -> Counter[str]:
    """Each of `count` rows in is one row out, which says how it ended; the counts by status."""
    assert [int(row["line"]) for row in rows] == list(range(2, count + 2))
    for row in rows:
        assert row["status"] in ("decided", "open", "refused")
        assert bool(row["problem"]) == (row["status"] == "refused")
        assert row["status"] != "open" or row["open"]
    statuses = Counter(row["status"] for row in rows)
    assert statuses.total() == count
    return statuses


def test_sba_loans(root: Path, shared: Path, tmp_path: Path) -> None:
    source = data(shared, "sba_case/loans.csv")
    policy = POLICIES / "sba-loans.yaml"
    rows, code, told = run(root, tmp_path / "out.csv", policy, source, "--as-of", "2010-01-01")
    with source.open(encoding="utf-8-sig", newline="") as stream:
        loans = list(csv.DictReader(stream))
    assert assert_none_lost(rows, len(loans)) == {"decided": 2098, "open": 2, "refused": 1}
    assert "2,101 rows: 2,098 decided, 2 open, 1 refused" in told
    assert code == 1
    for loan, row in zip(loans, rows, strict=True):
        assert row["loan number"] == loan["LoanNr_ChkDgt"]
        if loan["NewExist"] == "0":
            assert row["problem"] == "`business` `0` is not one of `1`, `2`"
        elif not loan["DisbursementDate"]:
            assert (row["status"], row["missing"]) == ("open", "disbursed on day")
        else:
            assert row["decision"] == sba_decision(loan), loan


def sba_decision(loan: Cells) -> str:
    """The policy's decision in plain code."""
    begins = datetime.date(1960, 1, 1) + datetime.timedelta(int(loan["DisbursementDate"]))
    term = int(loan["Term"])
    ends = begins + datetime.timedelta(30 * term)
    caught = begins <= datetime.date(2009, 6, 30) and ends >= datetime.date(2007, 12, 1)
    bare = loan["RealEstate"] == "0"
    if caught and bare and term < 60 or int(loan["GrAppv"]) > 2_000_000:
        return "decline"
    score = 100 + (-30 if term < 60 else 40 if term >= 120 else 0) + (-10 if caught else 5)
    score += {"1": 0, "2": -10, "": -5}[loan["NewExist"]] + (0 if loan["LowDoc"] in ("Y", "N") else -1)
    if loan["NAICS"][:2] in ("52", "53") and bare and score < 100 or not loan["Bank"]:
        return "refer"
    return "approve"


def test_cumcm_firms(root: Path, shared: Path, tmp_path: Path) -> None:
    source = data(shared, "cumcm2020c/firms.csv")
    sales, purchases = source.with_name("sales.csv.gz"), source.with_name("purchases.csv.gz")
    rows, code, told = run(
        root, tmp_path / "out.csv", POLICIES / "cumcm-firms.yaml", source, "--as-of", "2020-01-01",
        "--history", f"销项={sales}", "--history", f"进项={purchases}", "--date-format", "%Y/%m/%d",
    )
    with source.open(encoding="utf-8", newline="") as stream:
        firms = {firm["企业代号"]: firm for firm in csv.DictReader(stream)}
    assert assert_none_lost(rows, len(firms)) == {"decided": 123}
    assert "123 rows: 123 decided" in told
    assert code == 0
    sold = year_of(sales)
    for row in rows:
        firm = row["企业代号"]
        year = sold[firm] / 100
        assert row["规模"] == ("大型" if year >= 5e7 else "中型" if year >= 5e6 else "小型"), firm
        refused = firms[firm]["信誉评级"] == "D" or year <= 0
        assert (row["审批"] == "拒绝") == refused, firm
        assert float(row["额度"]) == pytest.approx(0 if refused else max(1e5, min(1e6, year / 10))), firm


def year_of(path: Path) -> dict[str, int]:
    """Valid invoices dated in 2019 up to New Year's Day 2020, in cents by firm."""
    total: defaultdict[str, int] = defaultdict(int)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            day = datetime.date(*map(int, row["开票日期"].split("/")))
            if row["发票状态"] == "有效发票" and datetime.date(2019, 1, 1) < day <= datetime.date(2020, 1, 1):
                total[row["企业代号"]] += round(float(row["金额"]) * 100)
    return total


@pytest.fixture(scope="module")
def tiers(shared: Path) -> Iterator[Tiers]:
    """The policy of tiers, and the firms' tables."""
    folder = data(shared, "cumcm2020c/firms.csv").parent
    policy = load_policy(POLICIES / "cumcm-tiers.yaml")
    with duckdb.connect() as connection:
        yield policy, connection, invoices.read(connection, policy.program, folder)


def in_columns(policy: Policy, connection: duckdb.DuckDBPyConnection, source: Source) -> dict[str, Row]:
    query = compile_program(policy.program, None, source, ["企业代号"], EXTRAS)
    return {row.kept[0]: row for row in rows(query, connection, invoices.AS_OF)}


def test_invoices_make_tiers_alike_in_columns_and_one_by_one(tiers: Tiers) -> None:
    policy, connection, source = tiers
    count = connection.execute("SELECT (SELECT count(*) FROM sales) + (SELECT count(*) FROM purchases)").fetchall()
    assert count == [(373_431,)]
    assert len([n for n in policy.program.declared if n not in ("score", "tier", "decision", "limit")]) >= 15
    start = time.process_time()
    columnar = in_columns(policy, connection, source)
    assert time.process_time() - start < 30, "the columnar run takes seconds"
    assert Counter(row.values["tier"] for row in columnar.values()) == {"A": 14, "B": 52, "C": 33, "D": 24}
    found = []
    for number, (firm, customer) in enumerate(invoices.customers(connection, policy.program).items()):
        row = columnar[firm]
        python = policy.decide(customer.inputs, as_of=invoices.AS_OF, history=customer.history)
        found += [f"{firm} python: {d}" for d in between(exact(python.values), exact(row.values))]
        if number % 4 == 0:  # the reference takes its time over thousands of rows
            found += [f"{firm} reference: {d}" for d in against_reference(policy, customer, row)]
    assert found == []


def against_reference(policy: Policy, customer: Customer, row: Row) -> list[str]:
    """Where a row differs from the reference in whatever it shows."""
    decision = policy.decide(customer.inputs, as_of=invoices.AS_OF, history=customer.history, engine="reference")
    names = list(decision.values)
    return list(between(shown_of_columns(decision, names), shown_of_columns(row, names)))


@pytest.mark.real
def test_invoices_make_tiers_alike_in_spark(tiers: Tiers) -> None:
    """Every firm in Spark, in DuckDB and by the reference."""
    spark = pytest.importorskip("engine.backends.sql.spark_memory", reason="pyspark is absent", exc_type=ImportError)
    policy, connection, source = tiers
    columnar = in_columns(policy, connection, source)
    firms = invoices.customers(connection, policy.program)
    names = list(next(iter(columnar.values())).values)
    found = []
    decided = spark.decide_all_in_spark(policy.program, list(firms.values()), invoices.AS_OF)
    for (firm, customer), row in zip(firms.items(), decided, strict=True):
        expected = shown_of_columns(columnar[firm], names)
        found += [f"{firm} spark: {d}" for d in between(expected, shown_of_columns(row, names))]
        found += [f"{firm} reference: {d}" for d in against_reference(policy, customer, row)]
    assert found == []
