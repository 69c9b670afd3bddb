"""A table that has a field `failed` is one as any other, and still tells of which customers rows could not be had."""
from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa

from engine.deploy.deployment import open_deployment
from engine.policy import load_policy
from engine.portfolio.request import Quiet, Request
from engine.portfolio.running import run, supplied
from tests.deploy.test_http import DAY, POLICY, Handler, Service, service

__all__ = ["service"]

ROWS = {"F1": 400, "F2": 600, "F3": "many"}
SOURCES = {
    "files": "kind: files\n    tables: {firms: {file: failed.csv, key: id, types: {failed: number}}}",
    "duckdb": "kind: database\n    url: 'duckdb:bank.duckdb'\n"
              "    tables: {firms: {key: id, types: {failed: number}}}",
    "sqlite": "kind: database\n    url: 'sqlite:///bank.sqlite'\n"
              "    tables: {firms: {query: 'select id, failed from firms', key: id, types: {failed: number}}}",
    "path": "kind: http\n    url: URL\n    tables: {firms: {path: '/one/{key}', key: id, fields: {failed: number}}}",
    "batch": "kind: http\n    url: URL\n    tables: {firms: {batch: /some, key: id, fields: {failed: number}}}",
}


def answer(handler: Handler) -> None:
    keys = json.loads(handler.body)["keys"] if handler.body else [handler.path.rpartition("/")[2]]
    handler.send([{"id": key, "failed": ROWS[key]} for key in keys])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: Service) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    service.script = answer
    Path("policy.yaml").write_text(POLICY, "utf-8")
    Path("firms.csv").write_text("firm id\nF1\nF2\nF3\n", "utf-8")
    Path("failed.csv").write_text("id,failed\n" + "".join(f"{k},{v}\n" for k, v in ROWS.items()), "utf-8")
    with duckdb.connect("bank.duckdb") as connection:
        connection.execute("CREATE TABLE firms AS FROM read_csv('failed.csv', all_varchar = true)")
    engine = sa.create_engine("sqlite:///bank.sqlite")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE firms (id TEXT, failed)"))
        for key, value in ROWS.items():
            connection.execute(sa.text("INSERT INTO firms VALUES (:key, :value)"), {"key": key, "value": value})
    engine.dispose()
    yield tmp_path


@pytest.mark.parametrize("engine", ["duckdb", "python"])
@pytest.mark.parametrize("source", SOURCES)
def test_a_portfolio(place: Path, service: Service, source: str, engine: str) -> None:
    Path("deployment.yaml").write_text(
        f"deployment: testing\nsources:\n  bank:\n    {SOURCES[source].replace('URL', service.url)}\n"
        "inputs:\n  score: bank.firms.failed\n", "utf-8")
    policy = load_policy("policy.yaml")
    with open_deployment("deployment.yaml") as deployment:
        run(policy, supplied(policy, Request("firms.csv", DAY, out="out.csv"), deployment, False), Quiet(), engine)
    with open("out.csv", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["firm id"], row["status"], row["decision"]) for row in rows] == [
        ("F1", "decided", "decline"), ("F2", "decided", "approve"), ("F3", "open", "refer")
    ]
    assert [bool(row["failures"]) for row in rows] == [False, False, True]
    assert "number" in rows[2]["failures"] and "many" not in rows[2]["failures"]
