"""What compiling costs: no search for garbage, and trees that grow as the policy does."""
from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest
from sqlglot import exp

from benchmarks import history, policies
from engine.backends.sql.program import Query, compile_program
from engine.policy import load_policy


def _compiled(folder: Path, rules: int) -> Query:
    path = folder / f"{rules}.yaml"
    path.write_text(policies.sized(rules), "utf-8")
    return compile_program(load_policy(path).program, keep=["id"], extras=["reasons"])


@pytest.mark.parametrize("enabled", [True, False])
def test_nothing_is_collected_while_a_policy_is_compiled(tmp_path: Path, enabled: bool) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(policies.sized(200), "utf-8")
    program = load_policy(path).program
    seen: list[str] = []

    def watch(phase: str, info: dict[str, Any]) -> None:
        if phase == "start" and info["generation"] > 0:
            seen.append(phase)

    gc.collect()
    if not enabled:
        gc.disable()
    gc.callbacks.append(watch)
    try:
        query = compile_program(program, keep=["id"], extras=["reasons"])
        between = len(seen)
        query.sql()
        assert gc.isenabled() is enabled
    finally:
        gc.callbacks.remove(watch)
        gc.enable()
    # what was put off comes as soon as the collector is on again, once for each time
    assert between <= 2
    assert len(seen) <= 4


def test_a_query_grows_as_its_policy(tmp_path: Path) -> None:
    small, large = (_compiled(tmp_path, rules) for rules in (80, 800))
    assert len(large.sql()) < 12 * len(small.sql())
    assert len(large.tree.args["with_"].expressions) == len(small.tree.args["with_"].expressions)


def test_rows_of_groups_are_folded_where_the_groups_are_made() -> None:
    query = compile_program(load_policy(history.POLICY).program)
    joins = list(query.tree.find_all(exp.Join))
    assert len(joins) == 2                      # the aggregates of firms, and of their groups
    made = [select for select in query.tree.find_all(exp.Select) if select.args.get("group")]
    assert [len(select.args["group"].expressions) for select in made].count(2) == 1


INVOICES = """\
history:
  invoices:
    key: firm id
    visible from: issued
    fields:
      issued: {type: date}
      buyer: {type: string}
      net: {type: money}
"""
WINDOWS = """\
policy: windows
version: "1"
effective: {from: 2020-01-01}
owner: tests
currency: CNY
on missing: refer
inputs:
  firm id: {type: string, key: true}
features:
  a year ago:
    value: as of - duration("P1Y")
  buyers:
    value: group by(invoices[issued > a year ago], buyer)
risk:
  sales: {type: money, value: 'sum(invoices[issued > a year ago].net)'}
  largest: {type: money, value: 'max(for b in buyers return sum(b.rows.net))'}
"""
TWICE = """\
policy: twice
version: "1"
effective: {from: 2020-01-01}
owner: tests
currency: CNY
on missing: refer
use:
  one:
    policy: windows
    with:
      firm id: firm id
      invoices: invoices
  other:
    policy: windows
    with:
      firm id: firm id
      invoices: invoices
inputs:
  firm id: {type: string, key: true}
risk:
  both: {type: money, value: 'one.largest + other.largest + one.sales + other.sales'}
"""


@pytest.mark.parametrize("name", ["windows", "twice"])
def test_windows_by_a_named_date_need_nothing_of_the_customer(tmp_path: Path, name: str) -> None:
    for policy, text in (("windows", WINDOWS), ("twice", TWICE)):
        (tmp_path / f"{policy}.yaml").write_text(text + INVOICES, "utf-8")
    query = compile_program(load_policy(tmp_path / f"{name}.yaml").program)
    assert not list(query.tree.find_all(exp.Distinct))          # no values of customers are brought to the rows
    assert len(list(query.tree.find_all(exp.Join))) == 2        # the aggregates of firms, and of the groups of buyers
