"""The sample portfolio of small firms is what its script makes, at any size."""
from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from scripts import make_sme_samples as samples


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sme")
    samples.make(folder)
    return folder


@pytest.mark.parametrize("name", samples.TABLES)
def test_the_script_makes_the_same_bytes(root: Path, folder: Path, name: str) -> None:
    shipped = (root / "policies" / "sme" / "samples" / f"{name}.csv").read_bytes()
    assert (folder / f"{name}.csv").read_bytes() == shipped, f"{name}.csv differs; run scripts/make_sme_samples.py"


def test_the_customer_is_one_of_them(root: Path, folder: Path) -> None:
    shipped = (root / "policies" / "sme" / "samples" / "customer.json").read_bytes()
    assert (folder / "customer.json").read_bytes() == shipped, "run scripts/make_sme_samples.py"


def test_a_larger_portfolio_begins_alike(folder: Path, tmp_path: Path) -> None:
    samples.make(tmp_path, firms=1500, form="parquet")
    with duckdb.connect() as connection:
        for name in samples.TABLES:
            small, large = str(folder / f"{name}.csv"), str(tmp_path / f"{name}.parquet")
            connection.execute(f"CREATE TABLE {name} AS FROM read_parquet(?)", [large])
            connection.execute(f"CREATE TABLE small_{name} AS FROM {name} LIMIT 0")
            connection.execute(f"COPY small_{name} FROM '{small}' (HEADER)")
            ours = connection.execute(f"FROM {name} WHERE firm_id <= 'F0001000'").fetchall()
            assert ours == connection.execute(f"FROM small_{name}").fetchall(), name


def test_another_seed_makes_others(folder: Path, tmp_path: Path) -> None:
    samples.make(tmp_path, firms=50, seed=1)
    assert next(rows(tmp_path / "firms.csv")) != next(rows(folder / "firms.csv"))


def test_events_are_those_of_the_firms(folder: Path) -> None:
    firms = {row["firm_id"] for row in rows(folder / "firms.csv")}
    for name in samples.TABLES:
        assert {row["firm_id"] for row in rows(folder / f"{name}.csv")} <= firms, name
    loans = {row["loan_id"] for row in rows(folder / "loans.csv")}
    assert {row["loan_id"] for row in rows(folder / "repayments.csv")} == loans


def test_instalments_pay_back_what_was_lent(folder: Path) -> None:
    lent = {row["loan_id"]: float(row["amount"]) for row in rows(folder / "loans.csv")}
    paid = dict.fromkeys(lent, 0.0)
    for row in rows(folder / "repayments.csv"):
        paid[row["loan_id"]] += float(row["principal"])
    assert paid == pytest.approx(lent, abs=0.2)  # each instalment is rounded


def rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)
