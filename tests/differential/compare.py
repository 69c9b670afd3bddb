"""Everything that a decision shows, and where two of them differ."""

from __future__ import annotations

import datetime
from typing import Any

from engine.decision import Decision


def shown(decision: Decision) -> dict[str, Any]:
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
    a, b = shown(one), shown(other)
    found = []
    for key in {**a, **b}:
        left, right = a.get(key), b.get(key)
        if left == right:
            continue
        if isinstance(left, dict) and isinstance(right, dict):
            found += [
                f"{key} of {n}: {left.get(n)!r} against {right.get(n)!r}"
                for n in {**left, **right}
                if left.get(n) != right.get(n)
            ]
        else:
            found.append(f"{key}: {left!r} against {right!r}")
    return found
