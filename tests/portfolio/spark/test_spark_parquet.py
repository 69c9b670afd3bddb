"""Parquet, which Spark reads itself: cells of every type, files in many, and the same rows and words out."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from engine.policy import Policy, load_policy
from engine.portfolio.request import EXTRAS, Request
from tests.commands.conftest import CUSTOMERS, REPAYMENTS
from tests.duck import run_sql
from tests.portfolio.columnar.both import DAY
from tests.portfolio.spark.conftest import Agree

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("spark")]

KINDS = """\
policy: kinds
version: "1"
effective: {from: 2026-01-01}
owner: tests
currency: CNY
on missing: refer
inputs:
  id: {type: string, key: true}
  amount: {type: money, optional: true}
  number: {type: number, optional: true, range: '>= 0'}
  whole: {type: number, decimals: 0, optional: true}
  text: {type: string, optional: true}
  grade: {type: string, values: [A, B], optional: true}
  yes: {type: boolean, optional: true}
  day: {type: date, optional: true}
  moment: {type: date and time, optional: true}
  term: {type: days and time duration, optional: true}
  months: {type: years and months duration, optional: true}
history:
  events:
    key: id
    visible from: on
    fields:
      on: {type: date}
      amount: {type: number, optional: true}
      note: {type: string, optional: true}
service:
  decision:
    values: [approve, refer]
    rules:
      - rule: D1
        when: amount > 10 or number > 10 or whole > 10 or text = "x" or grade = "A" or yes
        then: refer
      - rule: D2
        when: day < as of or moment < date and time("2026-01-01T00:00:00") or term > duration("P1D")
        then: refer
      - rule: D3
        when: months > duration("P1Y") or sum(events.amount) > 5 or count(events[note != null and note = "y"]) > 0
        then: refer
      - otherwise: approve
  longer:
    type: days and time duration
    on missing: skip
    value: term + duration("PT1H")
  next:
    type: date
    on missing: skip
    value: day + duration("P1D")
  at:
    type: date and time
    on missing: skip
    value: moment
  twice:
    type: number
    on missing: skip
    value: number * 2 / 3
  good:
    type: boolean
    on missing: skip
    value: not(yes)
"""

#: SQL of cells by what they are to be read as.
CELLS = {
    "amount": [
        "1.10::DECIMAL(12,2)", "12345678901234567.25::DECIMAL(20,2)", "7::TINYINT", "9007199254740993::BIGINT",
        "9007199254740992::BIGINT", "'12.5'", "' 12.5 '", "'1,000'", "'1e3'", "'1e400'", "'x'", "''", "'NaN'",
        "'NaN'::DOUBLE", "'inf'::DOUBLE", "1e200::DOUBLE", "DATE '2026-01-01'", "'+.5'", "'1_0'", "'００'", "'-0'",
    ],
    "number": [
        "-1", "'-1'", "9007199254740993::HUGEINT", "0.1::DECIMAL(38,2)", "1::UBIGINT", "true", "[1, 2]", "{'a': 1}",
        "'abc'::BLOB", "0.1::FLOAT",
    ],
    "whole": ["3", "3.5", "'4'", "'4.5'", "18014398509481985::BIGINT"],
    "text": ["'x'", "' '", "''", "5", "5::BIGINT", "true", "1.5::DOUBLE", "E'\\t'", "'　'", "'中国'"],
    "grade": ["'A'", "'C'", "'B '", "''"],
    "yes": ["true", "'TRUE'", "' false'", "'yes'", "1", "'ſ'"],
    "day": [
        "DATE '2026-01-01'", "DATE '9999-12-31'", "DATE '10000-01-01'", "'2026-01-01'", "'2026-02-30'", "'0000-01-01'",
        "' 2026-01-01'", "'1.2.2026'", "TIMESTAMP '2026-01-01 00:00:00'", "TIMESTAMP '2026-01-01 00:00:01'",
        "20260101",
    ],
    "moment": [
        "TIMESTAMP '2025-03-29 02:30:00.5'", "'2025-03-29T02:30:00'", "'2025-03-29T02:30:00.25'",
        "'2025-03-29T02:30:00+01:00'", "'2025-03-29 02:30:00'", "DATE '2026-01-01'", "'soon'", "'2025-03-29T02:30'",
    ],
    "term": ["'P2D'", "'PT1H30M'", "'P1M'", "5", "''"],
    "months": ["'P1Y2M'", "'P1D'", "14::BIGINT", "' P1M'"],
}
EVENTS = """SELECT * FROM (VALUES
    ('k0', DATE '2026-01-01', '3', 'a'), ('k0', DATE '2026-01-02', '1,0', 'y'), ('k1', DATE '2026-01-01', '3', 'y'),
    ('k1', DATE '2027-01-01', 'x', 'y'), ('k3', NULL, 'x', NULL), ('nobody', DATE '2026-01-01', '4', ' '),
    ('k5', DATE '2026-01-01', '', 'y'), ('k5', DATE '2026-01-01', '4', 'y'), ('k5', DATE '2026-01-01', '3', 'y')
) AS t(id, "on", amount, note)"""


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    path = tmp_path_factory.mktemp("kinds") / "policy.yaml"
    path.write_text(KINDS, "utf-8")
    return load_policy(path)


def parquet(path: Path, query: str, more: str = "") -> str:
    run_sql(f"COPY ({query}) TO '{path}' (FORMAT parquet{more})")
    return str(path)


def typed() -> Iterator[str]:
    """Queries of tables in which each column is of a type, and holds the cells of it; all types come up."""
    by_type: dict[str, list[list[str]]] = {}
    for name, cells in CELLS.items():
        types: dict[str, list[str]] = {}
        for cell in cells:
            types.setdefault(run_sql(f"SELECT typeof({cell})")[0][0], []).append(cell)
        by_type[name] = list(types.values())
    for at in range(max(map(len, by_type.values()))):
        columns = {name: types[at] for name, types in by_type.items() if at < len(types)}
        rows = [
            ", ".join(f"{cells[row] if row < len(cells) else 'NULL'} AS {name}" for name, cells in columns.items())
            for row in range(max(map(len, columns.values())))
        ]
        yield " UNION ALL ".join(f"SELECT 'k{row}' AS id, {cells}" for row, cells in enumerate(rows))


def test_cells_of_every_type(agree: Agree, kinds: Policy, tmp_path: Path) -> None:
    events = parquet(tmp_path / "events.parquet", EVENTS)
    for at, query in enumerate(typed()):
        data = parquet(tmp_path / "customers.parquet", query)
        extras = EXTRAS if at == 0 else ("open", "missing")
        agree(kinds, Request(data, DAY, (("events", events),), extras=extras), tmp_path)


def test_events_and_keys(agree: Agree, kinds: Policy, tmp_path: Path) -> None:
    rows = "SELECT 'k' || (i % 7) AS id, i * 3.5 AS amount, i AS number FROM range(9) r(i) UNION ALL SELECT NULL, 1, -1"
    data = parquet(tmp_path / "customers.parquet", rows)
    events = parquet(tmp_path / "events.parquet", EVENTS)
    keyless = parquet(tmp_path / "keyless.parquet", EVENTS + " UNION ALL SELECT NULL, NULL, NULL, NULL")
    for more in (
        {}, {"on_repeated_key": "refuse", "on_null_key": "refuse"}, {"on_orphan": "stop"}, {"where": "amount > 5"},
        {"where": "number > 2", "limit": 2}, {"on_repeated_key": "stop"}, {"rows": keyless},
        {"rows": keyless, "on_keyless_event": "skip"},
    ):
        chosen: dict[str, Any] = dict(more)
        place = chosen.pop("rows", events)
        agree(kinds, Request(data, DAY, (("events", place),), **chosen), tmp_path)


def test_text_beside_parquet(agree: Agree, policy: Policy, tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text(CUSTOMERS, "utf-8")
    (tmp_path / "repayments.csv").write_text(REPAYMENTS, "utf-8")
    with duckdb.connect() as base:
        given = f"read_csv('{tmp_path}/customers.csv', all_varchar = true, null_padding = true)"
        base.execute(f"CREATE TABLE c AS SELECT * FROM {given}")
        base.execute(f"COPY c TO '{tmp_path}/customers.parquet'")
        base.execute(f"COPY (SELECT * FROM read_csv('{tmp_path}/repayments.csv')) TO '{tmp_path}/repayments.parquet'")
    for customers, repayments in (("csv", "parquet"), ("parquet", "csv"), ("parquet", "parquet")):
        histories = (("repayments", str(tmp_path / f"repayments.{repayments}")),)
        asked = Request(str(tmp_path / f"customers.{customers}"), DAY, histories, extras=EXTRAS, form="jsonl")
        found = agree(policy, asked, tmp_path)
        assert found.summary is not None and found.summary.rows == 7


def test_many_files_and_partitions(agree: Agree, kinds: Policy, tmp_path: Path) -> None:
    rows = "SELECT 'k' || i AS id, i * 1.5 AS amount, if(i % 3 = 0, 'A', 'B') AS grade FROM range(40) r(i)"
    for at in range(4):
        parquet(tmp_path / f"part [{at}] é%20.parquet", f"SELECT * FROM ({rows}) WHERE substr(id, 2)::INT % 4 = {at}")
    pattern = agree(kinds, Request(f"{tmp_path}/part*.parquet", DAY), tmp_path)
    assert pattern.summary is not None and pattern.summary.rows == 40
    parquet(tmp_path / "hive", rows, ", PARTITION_BY (grade)")
    assert agree(kinds, Request(f"{tmp_path}/hive", DAY), tmp_path).summary is not None
    coded = f"SELECT *, lpad(substr(id, 2), 3, '0') AS text, 5 AS number FROM ({rows}) WHERE id < 'k2'"
    parquet(tmp_path / "coded", coded, ", PARTITION_BY (text, number)")
    texts = agree(kinds, Request(f"{tmp_path}/coded", DAY, where='text = "010"'), tmp_path)
    assert texts.summary is not None and texts.summary.rows == 1
    parquet(tmp_path / "more.parquet", "SELECT 'z' AS id, 5 AS number")
    agree(kinds, Request(f"{tmp_path}/[mp]*.parquet", DAY), tmp_path)
    agree(kinds, Request(f"{tmp_path}/nothing*.parquet", DAY), tmp_path)
    agree(kinds, Request(f"{tmp_path}/nothing.parquet", DAY), tmp_path)
    (tmp_path / "broken.parquet").write_bytes(b"PAR0")
    agree(kinds, Request(f"{tmp_path}/broken.parquet", DAY), tmp_path)


def test_no_rows_at_all(agree: Agree, kinds: Policy, tmp_path: Path) -> None:
    data = parquet(tmp_path / "customers.parquet", "SELECT 'a' AS id, 1 AS amount WHERE false")
    events = parquet(tmp_path / "events.parquet", EVENTS)
    found = agree(kinds, Request(data, DAY, (("events", events),)), tmp_path)
    assert found.summary is not None and found.summary.rows == 0
