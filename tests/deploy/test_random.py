"""Random sources, whose answers are late, stale, doubled, missing or failed: both engines and each customer agree."""
from __future__ import annotations

import datetime
import os
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from engine.deploy.deployment import OpenDeployment
from engine.hookspecs import Field, PluginFailure, Table
from engine.policy import Policy, load_policy
from tests.deploy.kinds import ARROW, D, Kinds, Memory
from tests.deploy.test_portfolio import DAY, both

SEEDS = range(int(os.environ.get("TIERWISE_SEEDS", "12")))
POLICY = """\
policy: random
version: "1"
effective: {from: 2026-01-01}
owner: tests
on missing: refer
on failure: ON_FAILURE
inputs:
  firm id: {type: string, key: true}
  a: {type: number, optional: true}
  b: {type: number, range: '[0..9]', optional: true}
  c: {type: string, values: [x, y], optional: true}
  d: {type: date, optional: true}
history:
  events:
    key: firm id
    visible from: day
    fields:
      day: {type: date}
      n: {type: number, optional: true}
features:
  seen:
    value: count(events)
  most:
    value: 'max(events[n != null].n)'
service:
  decision:
    values: [approve, refer, decline]
    order: best first
    worst:
      - rule: R1
        when: a + b > 8
        then: decline
      - rule: R2
        when: c = "y" and seen > 1
        then: refer
      - rule: R3
        when: d > date("2026-01-01") or get or else(most, 0) > 5
        then: refer
      - otherwise: approve
  told:
    type: string
    on missing: skip
    value: if c = null then "none" else c
"""
FIELDS = {"a": Field(), "b": Field(), "c": Field("string"), "d": Field("date"), "as_at": Field("date")}
KEYS = [f"F{number}" for number in range(9)]


class Fated(Memory):
    """Fails for some customers, the same one by one and in batches; `whole` fails for all."""

    def __init__(self, table: Table, rows: list[dict[str, Any]], failed: set[str], whole: bool) -> None:
        super().__init__([(table, rows)], batch=4)
        self.failed = failed
        self.whole = whole

    def one(self, table: str, fields: Any, key: Any, as_of: datetime.date) -> Any:
        if self.whole or key in self.failed:
            raise PluginFailure("fated")
        return super().one(table, fields, key, as_of)

    def batches(self, table: str, fields: Any, as_of: datetime.date, keys: Any = None) -> Any:
        if self.whole:
            raise PluginFailure("fated")
        described, _ = self.tables[table]
        found = [r for r in self.rows(table, as_of, keys) if r[described.key] not in self.failed]
        names = list(dict.fromkeys([described.key, *fields]))
        failed = sorted(self.failed if keys is None else self.failed & set(keys))
        columns = [[row.get(name) for row in found] + [None] * len(failed) for name in names]
        columns[0] = [row[described.key] for row in found] + failed
        kinds = [ARROW[described.fields[n].type] if n in described.fields else pa.string() for n in names]
        arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
        told = pa.array([None] * len(found) + ["fated"] * len(failed), pa.string())
        yield pa.RecordBatch.from_arrays([*arrays, told], [*names, "failed"])


def drawn(random_: random.Random, name: str, stamped: bool, listing: bool) -> Fated:
    def some(*values: Any) -> Any:
        return random_.choice([None, *values])

    rows = []
    for key in KEYS if listing else [*KEYS, "F99"]:
        times = 1 if listing else random_.choice([0, 1, 1, 1, 1, 2])
        for _ in range(times):
            rows.append({
                "key": key, "a": some(0.0, 4.0, 9.0, float("nan")), "b": some(1.0, 5.0, 10.0),
                "c": some("x", "y", "z", ""),
                "d": some(D(2025, 5, 5), D(2026, 5, 5)), "as_at": some(D(2026, 6, 30), D(2026, 6, 1), D(2025, 1, 1)),
            })
    if listing and random_.random() < 0.3:
        rows.append({**random_.choice(rows), "a": 1.0})
    failed = set() if listing else {key for key in KEYS if random_.random() < 0.15}
    table = Table(name, "key", FIELDS, stamp="as_at" if stamped else None, keyed=not listing and random_.random() < 0.5)
    return Fated(table, rows, failed, not listing and random_.random() < 0.1)


def events(random_: random.Random) -> Fated:
    days = [D(2026, 1, 5), D(2026, 6, 30), D(2026, 8, 1)]
    rows = [
        {"key": key, "day": random_.choice(days), "n": random_.choice([None, 1.0, 7.0])}
        for key in [*KEYS, "F99"] for _ in range(random_.choice([0, 1, 2]))
    ]
    table = Table("events", "key", {"day": Field("date"), "n": Field()}, events=True)
    return Fated(table, rows, {key for key in KEYS if random_.random() < 0.2}, random_.random() < 0.1)


def binding(random_: random.Random, name: str) -> str:
    places = [f"core.firms.{name}", f"first.facts.{name}", f"second.facts.{name}"]
    chosen = random_.sample(places, random_.choice([1, 2, 3]))
    stale = ", stale after: " + random_.choice(["P30D", "P1Y"]) if "core.firms." + name in chosen else ""
    return f"  {name}: {{from: [{', '.join(chosen)}]{stale}}}\n"


@pytest.mark.parametrize("seed", SEEDS)
def test_random_sources(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    random_ = random.Random(seed)
    Path("policy.yaml").write_text(
        POLICY.replace("ON_FAILURE", random_.choice(["missing", "refer", "stop"])), "utf-8"
    )
    policy: Policy = load_policy("policy.yaml")
    Path("deployment.yaml").write_text(
        "deployment: random\nsources:\n  core: {kind: core}\n  first: {kind: first}\n  second: {kind: second}\n"
        "  log: {kind: log}\ncustomers: core.firms\ninputs:\n" + "".join(binding(random_, name) for name in "abcd")
        + "history:\n  events: log.events\n", "utf-8",
    )
    state = random_.getstate()

    def make() -> Kinds:
        again = random.Random()
        again.setstate(state)
        core = drawn(again, "firms", True, True)
        first, second = drawn(again, "facts", again.random() < 0.5, False), drawn(again, "facts", True, False)
        log = events(again)
        return Kinds(core=lambda: core, first=lambda: first, second=lambda: second, log=lambda: log)

    rows, _, _ = both(policy, make)
    assert [row["firm id"] for row in rows][:9] == KEYS
    given = {"a": 3.0, "c": "x"}
    Path("asked.csv").write_text("firm id,a,c\nF3,3,\nF0,,x\nF98,2,x\nF1,3,x\n", "utf-8")
    mixed, _, _ = both(policy, make, data="asked.csv")
    with OpenDeployment("deployment.yaml", make()) as deployment:
        doubled = {row["firm id"] for row in rows if [r["firm id"] for r in rows].count(row["firm id"]) > 1}
        for row in rows:
            if row["firm id"] not in doubled:           # whose rows the source cannot tell apart by key
                agrees(deployment.decide(policy, row["firm id"], as_of=DAY), row)
        agrees(deployment.decide(policy, "F1", as_of=DAY, inputs=given), mixed[3])


def agrees(decision: Any, row: dict[str, str]) -> None:
    is_open = any(name in decision.values for name in decision.open)
    status = "refused" if decision.refused else "open" if is_open else "decided"
    assert row["status"] == status
    if status != "refused":
        assert (row["decision"], row["told"]) == (decision.values["decision"], decision.values["told"] or "")
        assert row["reasons"] == ";".join(decision.reasons)
