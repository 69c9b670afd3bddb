"""Customers as a relation in DuckDB, decided there and by the reference evaluator."""
from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from engine.backends.sql.program import compile_program
from engine.backends.sql.run import rows
from engine.backends.support import Unsupported
from engine.decision import Decision
from engine.ir import nodes as ir
from engine.ir.door import raw_input
from engine.policy import Policy
from engine.semantics import dtypes as dt

COLUMNS = {dt.NUMBER: "DOUBLE", dt.MONEY: "DOUBLE", dt.STRING: "TEXT", dt.BOOLEAN: "BOOLEAN", dt.DATE: "DATE"}


def carried_out(program: ir.Program) -> list[str]:
    """The shown decisions that the backend carries out."""
    found = []
    for decision in program.decisions:
        if decision.internal:
            continue
        try:
            compile_program(program, [decision.name])
        except Unsupported:
            continue
        found.append(decision.name)
    return found


def in_sql(
    program: ir.Program, outcomes: Sequence[str], customers: Sequence[Mapping[str, Any]], as_of: datetime.date
) -> list[dict[str, Any] | None]:
    """The outcomes of customers in their order, None for a refused one. Values have the declared kinds."""
    decls = [d for d in program.inputs if d.type.kind in COLUMNS]
    names = {d.name: f"x{i}" for i, d in enumerate(decls)}
    query = compile_program(program, outcomes, columns=names, keep=["row number"])
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        columns = "".join(f", {names[d.name]} {COLUMNS[d.type.kind]}" for d in decls)
        connection.execute(f'CREATE TABLE customers ("row number" INTEGER{columns})')
        lists = [list(range(len(customers))), *([cell(d.type.kind, raw_input(d, c)) for c in customers] for d in decls)]
        kinds = ["INTEGER", *(COLUMNS[d.type.kind] for d in decls)]
        connection.execute(f"INSERT INTO customers SELECT {', '.join(f'unnest(?::{k}[])' for k in kinds)}", lists)
        found = {row.kept[0]: row.values for row in rows(query, connection, as_of)}
    return [found[n] for n in range(len(customers))]


def cell(kind: str, value: Any) -> Any:
    if isinstance(value, str) and kind == dt.DATE:
        return datetime.date.fromisoformat(value)
    return float(value) if isinstance(value, int) and kind in dt.NUMERIC else value


def one_by_one(
    policy: Policy, outcomes: Sequence[str], customers: Sequence[Mapping[str, Any]], as_of: datetime.date
) -> list[dict[str, Any] | None]:
    """The same by the reference evaluator."""
    found: list[dict[str, Any] | None] = []
    for customer in customers:
        decision: Decision = policy.decide(customer, as_of=as_of, only=list(outcomes), engine="reference")
        found.append(None if decision.refused else {n: decision.values[n] for n in outcomes})
    return found


def disagreements(
    policy: Policy, outcomes: Sequence[str], customers: Sequence[Mapping[str, Any]], as_of: datetime.date
) -> list[str]:
    """One line for each customer whom the two decide unlike, numbers by their bits but for the sign of zero."""
    if not outcomes:
        return []
    columnar = in_sql(policy.program, outcomes, customers, as_of)
    single = one_by_one(policy, outcomes, customers, as_of)
    return [
        f"{dict(c)!r}: sql {a!r}, reference {b!r}"
        for c, a, b in zip(customers, columnar, single, strict=True) if a != b
    ]
