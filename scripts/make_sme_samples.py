"""Make a portfolio of small firms with their loans, instalments, invoices and what else a bank records of them.

    python scripts/make_sme_samples.py [FOLDER] [--firms N] [--seed N] [--format csv|parquet]

Without arguments the thousand firms of `policies/sme/samples/` are written anew; a test holds these against the
script. The firms are invented. Each table is one query in `scripts/sme_samples/`, run by DuckDB over the firms of
`latent.sql`, whose `health` ties all else together: what a firm earns, how late it pays, what others say of it, and
what the scoring service makes of it. A firm's rows hang on the seed and its number alone, so that the first thousand
of a million are the thousand.

Decisions are of 2026-07-01; the extract was taken on 2026-07-15, so that there is a fortnight of events which a
decision of that date must not see. A million firms come to some 50 million rows: Parquet is the form for them.
"""
from __future__ import annotations

import argparse
import datetime
import json
from pathlib import Path
from typing import Any

import duckdb

QUERIES = Path(__file__).resolve().parent / "sme_samples"
FOLDER = QUERIES.parent.parent / "policies" / "sme" / "samples"
SEED = 20260701
FIRMS = 1000
#: What others are made from, in this order, and the tables that are written.
SHARED = ("latent", "loan")
TABLES = ("firms", "loans", "repayments", "invoices", "events", "contacts", "surveys", "complaints")
#: The firm of customer.json, whose earnings nobody asked for.
CUSTOMER = "F0000003"
FORMS = {"csv": "FORMAT csv, HEADER", "parquet": "FORMAT parquet, COMPRESSION zstd"}


def make(folder: Path, firms: int = FIRMS, seed: int = SEED, form: str = "csv") -> None:
    """Write the tables of a portfolio."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute("SET VARIABLE seed = ?", [seed])
        connection.execute("SET VARIABLE firms = ?", [firms])
        connection.execute(_query("draws"))
        for name in SHARED:
            connection.execute(f"CREATE TABLE {name} AS {_query(name)}")
        for name in TABLES:
            place = str(folder / f"{name}.{form}").replace("'", "''")
            connection.execute(f"COPY ({_query(name)}) TO '{place}' ({FORMS[form]})")
        if form == "csv" and firms >= FIRMS:
            (folder / "customer.json").write_text(_customer(connection), "utf-8")


def _customer(connection: duckdb.DuckDBPyConnection) -> str:
    """One of the firms with its events, for deciding a single customer."""
    def rows(name: str) -> list[dict[str, Any]]:
        found = connection.execute(f"FROM ({_query(name)}) WHERE firm_id = ?", [CUSTOMER])
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, cells, strict=True)) for cells in found.fetchall()]

    (firm,) = rows("firms")
    history = {name: rows(name) for name in ("invoices", "loans", "repayments")}
    return json.dumps({**firm, "history": history}, default=_plain, ensure_ascii=False, indent=1) + "\n"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime.date) else float(value)


def _query(name: str) -> str:
    return (QUERIES / f"{name}.sql").read_text("utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a portfolio of small firms and their events.")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--firms", type=int, default=FIRMS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--format", choices=FORMS, default="csv")
    given = parser.parse_args()
    make(given.folder, given.firms, given.seed, given.format)


if __name__ == "__main__":
    main()
