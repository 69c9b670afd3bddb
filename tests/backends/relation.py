"""Customers decided in DuckDB and by the reference evaluator, compared whole."""
from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.backends.sql.memory import Customer, decide_all, source_of
from engine.backends.sql.program import compile_program
from engine.backends.sql.run import Row
from engine.backends.support import Unsupported
from engine.decision import Decision
from engine.ir import nodes as ir
from engine.policy import Policy


def carried_out(program: ir.Program) -> list[str]:
    """The shown decisions that the backend carries out, in declared order."""
    found = []
    shown = {d.name for d in program.decisions if not d.internal}
    for name in program.declared:
        if name not in shown:
            continue
        try:
            compile_program(program, [name], source_of(program))
        except Unsupported:
            continue
        found.append(name)
    return found


def disagreements(
    policy: Policy, outcomes: Sequence[str], customers: Sequence[Mapping[str, Any]], as_of: datetime.date,
    histories: Sequence[Mapping[str, Any] | None] | None = None, lists: bool = False,
) -> list[str]:
    """One line for each customer whom the two decide unlike, numbers by their bits but for the sign of zero."""
    if not outcomes or not customers:
        return []
    given = [Customer(c, (histories[n] if histories else None) or {}) for n, c in enumerate(customers)]
    columnar = decide_all(policy.program, given, as_of, list(outcomes), lists=lists)
    found = []
    for customer, row in zip(given, columnar, strict=True):
        single = policy.decide(
            customer.inputs, as_of=as_of, history=customer.history, only=list(outcomes), engine="reference"
        )
        for difference in differences(row, single):
            found.append(f"{dict(customer.inputs)!r} {dict(customer.history)!r}: {difference}")
    return found


def differences(row: Row, decision: Decision) -> Iterator[str]:
    """What a row of SQL says otherwise than a decision."""
    if set(row.refused) != set(decision.refused):
        yield f"sql refuses for {sorted(row.refused)}, reference for {sorted(decision.refused)}"
    if row.refused or decision.refused:
        return
    if row.values != decision.values:
        yield f"sql {row.values!r}, reference {decision.values!r}"
    for name in decision.values:
        if name in decision.summary.reasons_of and row.reasons_of(name) != decision.reasons_of(name):
            yield f"reasons of `{name}`: sql {row.reasons_of(name)}, reference {decision.reasons_of(name)}"
    if row.reasons != decision.reasons:
        yield f"reasons: sql {row.reasons}, reference {decision.reasons}"
    if row.fired != decision.fired:
        yield f"fired: sql {row.fired}, reference {decision.fired}"
    for part in ("open", "missing", "assumed"):
        one, other = set(getattr(row, part)), set(getattr(decision, part))
        if one != other:
            yield f"{part}: sql {sorted(one)}, reference {sorted(other)}"
    status = "open" if any(o.name in decision.values for o in decision.open.values()) else "decided"
    if row.status != status:
        yield f"status: sql {row.status}, reference {status}"
