"""One decision, the input a dict: hand-written Python, ours, and the peers."""
from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks import ours, peers
from benchmarks.given import Given
from benchmarks.report import Goal, Line, Section
from benchmarks.rows import Row, draw
from benchmarks.timing import Series, per_call

HAND = "Python by hand, no trace"
_TOLERANCE = 1e-6
#: Seconds for comparing one peer with the oracle; the count of rows compared is told.
_PATIENCE = 20.0


def measure(given: Given, rows: int, rounds: int, part: float, with_peers: bool = True) -> Section:
    """Compare all engines with the oracle on `rows` rows, then time them in `rounds` rounds."""
    drawn, origin = draw(given, rows)
    keyed = [ours.keyed(row, number) for number, row in enumerate(drawn)]
    hand = given.hand()
    policies = ours.Ours()
    others, absent = peers.available(given) if with_peers else ({}, {})

    expected = [hand(row) for row in drawn]
    notes = [f"rows: {rows:,}, from {origin}"]
    mismatches = 0
    compared = [(name, f, keyed, math.inf) for name, f in policies.outcomes().items()]
    compared += [(name, f, drawn, _PATIENCE) for name, f in others.items()]
    for name, function, chosen, patience in compared:
        count, faults = agreement(function, chosen, expected, patience)
        mismatches += sum(faults.values())
        told = ", ".join(f"{key} {n}" for key, n in faults.items()) or "none"
        notes.append(f"differences from the oracle, {name}: {told} in {count:,} rows")
    notes += [f"absent: {name}: {why}" for name, why in absent.items()]

    functions: dict[str, Callable[[Row], Any]] = {HAND: hand, **policies.timed(), **others}
    inputs: dict[str, Sequence[Row]] = {name: keyed if name.startswith("ours") else drawn for name in functions}
    found = per_call(functions, inputs, rounds, part)
    return Section(
        "one", "One decision, input a dict", "by hand",
        tuple(_line(name, found) for name in functions), tuple(notes), mismatches,
    )


def _line(name: str, found: dict[str, Series]) -> Line:
    series = found[name]
    ratio = series.ratio(found[HAND])
    goals: list[Goal] = []
    if name == ours.TRUSTED:
        goals.append(Goal(1.25, "x", ratio, "by hand"))
        for peer, limit in peers.FASTER.items():
            if peer in found:
                goals.append(Goal(limit, "x", found[peer].ratio(series), f"faster than {peer}", least=True))
    elif name == ours.CHECKED:
        goals.append(Goal(1.8, "x", ratio, "by hand"))
    elif name == ours.EXPLAINED:
        goals.append(Goal(1, "ms", series, ""))
    return Line(name, "us", series, ratio, tuple(goals))


def agreement(
    function: Callable[[Row], dict[str, Any]], rows: Sequence[Row], expected: Sequence[dict[str, Any]],
    patience: float = math.inf,
) -> tuple[int, dict[str, int]]:
    """Rows compared, and differing outcomes by name; stops comparing when `patience`, in seconds, ends."""
    faults: dict[str, int] = {}
    end = time.monotonic() + patience
    count = 0
    for row, wanted in zip(rows, expected, strict=True):
        got = function(row)
        for key in ours.KEYS:
            if not same(got[key], wanted[key]):
                faults[key] = faults.get(key, 0) + 1
        count += 1
        if time.monotonic() > end:
            break
    return count, faults


def same(a: Any, b: Any) -> bool:
    """Whether two outcomes are one; numbers within 1e-6."""
    numbers = (int, float)
    if isinstance(a, numbers) and isinstance(b, numbers) and not isinstance(a, bool) and not isinstance(b, bool):
        return abs(a - b) < _TOLERANCE
    return bool(a == b)
