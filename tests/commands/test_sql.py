"""`tierwise sql`: one statement, its header, and what is refused."""
from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot

from engine.backends.sql import dialects
from engine.backends.sql.program import EXTRAS
from engine.commands import sql as command
from engine.policy import PolicyError, load_policy

Tierwise = Any


def test_the_command_offers_what_there_is() -> None:
    assert command.DIALECTS == tuple(dialects.DIALECTS)
    assert command.SETS == EXTRAS


SMALL = """policy: small
version: "1"
effective: {from: 2026-01-01}
owner: o
on missing: refer
reasons:
  R1: {text: Late}
  R2: {text: Young}
inputs:
  firm id: {type: string, key: true}
  years trading: {type: number, column: years, optional: true}
history:
  repayments:
    key: firm id
    visible from: booked
    fields:
      booked: {type: date}
      late: {type: number}
service:
  decision:
    values: [approve, refer, decline]
    order: best first
    worst: |
      id | when                                    || then    | reason
      D1 | count(repayments[item.late > 30]) > 1    || decline | R1
      D2 | years trading < 2                        || refer   | R2
      D3 | otherwise                                || approve |
"""


def test_a_statement_decides_as_the_policy_does(tmp_path: Path, tierwise: Tierwise) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(SMALL, "utf-8")
    found = tierwise("sql", path, "--as-of", "2026-07-01", "--with", "reasons, open", "--lists", "--pretty",
                     "--table", "bank.firms", "--history", "repayments=paid")
    assert found.code == 0, found.err
    with duckdb.connect() as database:
        database.execute("CREATE SCHEMA bank")
        database.execute("CREATE TABLE bank.firms AS SELECT * FROM (VALUES ('a', 5), ('b', 1), ('c', NULL), ('d', 9)) "
                         "AS t(\"firm id\", years)")
        database.execute("CREATE TABLE paid AS SELECT * FROM (VALUES ('d', DATE '2026-06-01', 31), "
                         "('d', DATE '2026-06-30', 40), ('a', DATE '2026-06-30', 40), ('a', DATE '2026-07-02', 40)) "
                         "AS t(\"firm id\", booked, late)")
        rows = sorted(database.sql(found.out).fetchall())
        names = [column[0] for column in database.sql(found.out).description]
    assert names == ["firm id", "decision", "status", "reasons", "open"]
    assert rows == [
        ("a", "approve", "decided", [], []), ("b", "refer", "decided", ["R2"], []),
        ("c", "refer", "open", ["MISSING"], ["decision"]), ("d", "decline", "decided", ["R1"], []),
    ]


@pytest.mark.parametrize("dialect, parameter", [
    ("duckdb", "$as_of"), ("spark", ":as_of"), ("postgres", "$1"), ("snowflake", ":as_of"), ("bigquery", "@as_of"),
])
def test_a_header_says_what_it_is(root: Path, tierwise: Tierwise, dialect: str, parameter: str) -> None:
    found = tierwise("sql", root / "policies" / "working-capital.yaml", "--dialect", dialect, "--with", "fired",
                     "--only", "tier", "--table", "bank.firms", "--history", "repayments=bank.paid")
    assert found.code == 0, found.err
    header = [line for line in found.out.splitlines() if line.startswith("-- ")]
    assert header[0] == f"-- working capital, version 3.1, for {dialects.DIALECTS[dialect].title}"
    assert header[1].startswith("-- digest: ") and len(header[1].split()[2]) == 40
    assert header[2] == f"-- parameters: {parameter}, the date of the decisions"
    assert '-- "fired of tier": a set of bits, from the lowest: 0 T1, 1 T2, 2 T3' in header
    tree = sqlglot.parse_one(found.out, read=dialect)
    tables = {table.sql(dialect) for table in tree.find_all(sqlglot.exp.Table)}
    assert "bank.firms" in {t.partition(" ")[0] for t in tables}
    assert "bank.paid" in {t.partition(" ")[0] for t in tables}


def test_a_digest_hangs_on_the_policy_alone(tmp_path: Path) -> None:
    made = []
    for place in ("one", "two"):
        path = tmp_path / place / "policy.yaml"
        path.parent.mkdir()
        path.write_text(SMALL, "utf-8")
        made.append(load_policy(path).sql())
    assert made[0] == made[1]
    assert "digest" in made[0].splitlines()[1]


def test_a_name_ends_no_comment(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(
        'policy: "x\\nDROP TABLE customers; --"\nversion: "1"\neffective: {from: 2026-01-01}\nowner: o\n'
        "inputs:\n  a: {type: number}\nservice:\n  b:\n    value: a + 1\n", "utf-8",
    )
    try:
        text = load_policy(path).sql()
    except PolicyError:
        return                                          # the checker takes no such name
    assert len(sqlglot.parse(text, read="duckdb")) == 1


@pytest.mark.parametrize("arguments, told", [
    (("--only", "tires"), "there is no decision `tires`; did you mean `tier`?"),
    (("--history", "repayment=x"), "there is no history `repayment`"),
    (("--history", "repayments"), "is not of the form NAME=TABLE"),
    (("--with", "reasons,fird"), "`fird` is none of reasons, reasons_of, fired"),
    (("--table", "s1"), "`s1` is what a part of the statement is called; name the table with its schema"),
])
def test_a_slip_is_told(root: Path, tierwise: Tierwise, arguments: tuple[str, ...], told: str) -> None:
    found = tierwise("sql", root / "policies" / "working-capital.yaml", *arguments)
    assert found.code == 2 and told in found.err and found.out == ""


def test_what_a_dialect_cannot_say_is_refused_at_its_place(tmp_path: Path, tierwise: Tierwise) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("""policy: clocks
version: "1"
effective: {from: 2026-01-01}
owner: o
on missing: skip
inputs:
  opened: {type: time}
  text: {type: string}
service:
  early:
    value: opened < time("08:00:00")
  shaped:
    value: matches(text, "^a+$")
""", "utf-8")
    assert tierwise("sql", path).code == 0
    found = tierwise("sql", path, "--dialect", "spark")
    assert found.code == 2
    assert "error[E0801]: the SQL backend does not carry out times of day in Spark" in found.err
    assert "policy.yaml:7" in found.err
    found = tierwise("sql", path, "--dialect", "postgres")
    assert found.code == 2
    assert "does not carry out `matches` in PostgreSQL" in found.err and "policy.yaml:13:" in found.err


def test_a_name_that_would_be_cut_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    long = "年" * 22
    path.write_text(
        'policy: long\nversion: "1"\neffective: {from: 2026-01-01}\nowner: o\n'
        f"inputs:\n  {long}: {{type: number}}\nservice:\n  b:\n    value: {long} + 1\n", "utf-8",
    )
    policy = load_policy(path)
    assert long in policy.sql("snowflake")
    with pytest.raises(PolicyError, match="more than 63 bytes"):
        policy.sql("postgres")


def test_from_python(root: Path) -> None:
    policy = load_policy(root / "policies" / "working-capital.yaml")
    assert "CAST('2026-07-01' AS DATE)" in policy.sql(as_of=date(2026, 7, 1), only=["tier"])
    with pytest.raises(KeyError, match="no decision"):
        policy.sql(only=["nothing"])
    with pytest.raises(ValueError, match="oracle"):
        policy.sql("oracle")
