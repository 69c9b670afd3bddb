"""Everything that a decision shows, and where two of them differ."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from engine.backends.sql.run import Row
from engine.decision import Decision

Shown = dict[str, Any]


def shown(decision: Decision) -> Shown:
    """What a decision shows, in plain data that compare exactly."""
    if decision.refused:
        return {"refused": decision.refused, "faults": [(f.name, f.message) for f in decision.faults]}
    return {
        "refused": (),
        "values": exact(decision.values),
        "fired": decision.fired,
        "reasons": decision.reasons,
        "reasons_of": decision.summary.reasons_of,
        "open": {n: (exact(o.value), exact(o.could_be), o.missing) for n, o in decision.open.items()},
        "open names": decision.summary.open,
        "missing": decision.missing,
    }


def shown_of_columns(told: Decision | Row, names: list[str]) -> Shown:
    """What an engine of columns shows of the outcomes asked for, or what a decision does as far as columns have it:
    sets of names where a decision has more to say of each."""
    if told.refused:
        return {"refused": sorted(told.refused)}
    summary = {} if isinstance(told, Row) else told.summary.reasons_of
    return {
        "refused": [],
        "values": exact(told.values),
        "fired": told.fired,
        "reasons": told.reasons,
        "reasons of": {n: told.reasons_of(n) for n in names if isinstance(told, Row) or n in summary},
        "open": sorted(told.open),
        "missing": told.missing,
        "assumed": sorted(told.assumed),
        "status": status(told, names),
    }


def status(told: Decision | Row, names: list[str]) -> str:
    if isinstance(told, Row):
        return told.status
    return "open" if any(n in names for n in told.open) else "decided"


def brief(told: Decision | Row) -> Shown:
    """What generated code works out by itself; the rest it leaves to the reference."""
    if told.refused:
        return {"refused": sorted(told.refused)}
    opened = told.open if isinstance(told, Row) else told.summary.open
    found = {"refused": [], "values": exact(told.values), "open": sorted(opened)}
    if isinstance(told, Row) or not opened:
        found |= {"fired": told.fired, "reasons": told.reasons}
    return found


def exact(value: Any) -> Any:
    """Values with their kind: a number by its bits (whole or not), a boolean no number."""
    if isinstance(value, dict):
        return {k: exact(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [exact(v) for v in value]
    if value is None or isinstance(value, (str, bool)):
        return (type(value).__name__, value)
    if isinstance(value, (int, float)):
        # An int and a float of one value are one number; -0.0 is 0.0 wherever they are compared.
        return ("number", repr(float(value) + 0.0) if abs(value) < 2**1000 else repr(value))
    if isinstance(value, (datetime.datetime, datetime.time)):
        return (type(value).__name__, value.isoformat())
    return (type(value).__name__, str(value))


def differences(one: Decision, other: Decision) -> list[str]:
    """Where two decisions differ, one line each."""
    return list(between(shown(one), shown(other)))


def between(a: Shown, b: Shown) -> Iterator[str]:
    """Where two accounts differ; what the other leaves out is not compared."""
    for key in {**a, **b}:
        left, right = a.get(key), b.get(key)
        if left == right:
            continue
        if isinstance(left, dict) and isinstance(right, dict):
            for n in {**left, **right}:
                if left.get(n) != right.get(n):
                    yield f"{key} of {n}: {left.get(n)!r} against {right.get(n)!r}"
        else:
            yield f"{key}: {left!r} against {right!r}"
