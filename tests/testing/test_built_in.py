"""The built-in sources hold to the contract that they are models of."""
from __future__ import annotations

import datetime
from pathlib import Path

import duckdb
import pytest

from engine.hooks import Plugins
from engine.testing import SourceContract, check

FIRMS = "firm,known,revenue\nF1,2026-01-01,100\nF1,2026-08-01,900\nF2,2026-02-01,50.5\n"
INVOICES = "firm,day,amount\nF1,2026-01-05,10\nF1,2026-02-05,20\nF2,2026-03-01,\n"
KEYS = ("F1", "F2", "F3")
DAY = datetime.date(2026, 7, 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "firms.csv").write_text(FIRMS)
    (tmp_path / "invoices.csv").write_text(INVOICES)
    return tmp_path


def test_files(folder: Path) -> None:
    tables = {
        "firms": {"file": "firms.csv", "key": "firm", "stamp": "known"},
        "invoices": {"file": "invoices.csv", "key": "firm", "events": True},
    }
    check(SourceContract, kind=Plugins(installed=False).sources()["files"], settings={"tables": tables}, folder=folder,
          keys=KEYS, as_of=DAY)


def test_a_database(folder: Path) -> None:
    with duckdb.connect(str(folder / "bank.duckdb")) as connection:
        for name in ("firms", "invoices"):
            connection.read_csv(str(folder / f"{name}.csv")).create(name)
    tables = {"firms": {"key": "firm", "stamp": "known"}, "invoices": {"key": "firm", "events": True}}
    check(SourceContract, kind=Plugins(installed=False).sources()["database"], folder=folder, keys=KEYS, as_of=DAY,
          settings={"url": "duckdb:bank.duckdb", "tables": tables})
