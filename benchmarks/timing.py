"""Medians of interleaved rounds, with their spread."""
from __future__ import annotations

import gc
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.records import Record

#: Of one engine's part in one round, in seconds; long against the clock, short against a change of the machine.
PART = 0.15


class Series(Record):
    """One figure of every round, in seconds."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    @property
    def spread(self) -> tuple[float, float]:
        """The quartiles."""
        return quartiles(self.rounds)

    def ratio(self, base: Series) -> Series:
        """This over another, round by round."""
        return Series(tuple(a / b for a, b in zip(self.rounds, base.rounds, strict=True)))

    def minus(self, base: Series) -> Series:
        """This less another, round by round."""
        return Series(tuple(a - b for a, b in zip(self.rounds, base.rounds, strict=True)))


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def per_call(functions: Mapping[str, Callable[[Any], Any]], rows: Mapping[str, Sequence[Any]], rounds: int,
             part: float = PART) -> dict[str, Series]:
    """Seconds a call of each function over its rows. Every round runs each function once, for about `part` seconds."""
    counts = {name: _calibrated(f, rows[name], part) for name, f in functions.items()}
    took: dict[str, list[float]] = {name: [] for name in functions}
    gc.collect()
    gc.freeze()                             # what stands now is not walked through while timing
    try:
        for _ in range(rounds):
            for name, function in functions.items():
                chosen = rows[name][:counts[name]]
                start = time.perf_counter()
                for row in chosen:
                    function(row)
                took[name].append((time.perf_counter() - start) / len(chosen))
    finally:
        gc.unfreeze()
    return {name: Series(tuple(found)) for name, found in took.items()}


def _calibrated(function: Callable[[Any], Any], rows: Sequence[Any], part: float) -> int:
    """How many rows fill `part` seconds; also the warm-up."""
    sample = rows[: min(50, len(rows))]
    start = time.perf_counter()
    for row in sample:
        function(row)
    each = (time.perf_counter() - start) / len(sample)
    return max(min(20, len(rows)), min(len(rows), int(part / max(each, 1e-9))))


def processes(commands: Mapping[str, Sequence[str]], rounds: int, cwd: Path, env: Mapping[str, Mapping[str, str]],
              until: Mapping[str, bytes] | None = None, before: Mapping[str, Callable[[], None]] | None = None,
              ) -> dict[str, Series]:
    """Seconds of whole processes, each once a round after one round to warm up.

    `env` is each command's environment; `until` names the text on standard output at whose first
    appearance the clock stops; `before` runs ahead of the clock. RuntimeError where a process fails.
    """
    took: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            if before is not None and name in before:
                before[name]()
            seconds = _process(command, cwd, env[name], (until or {}).get(name))
            if number:
                took[name].append(seconds)
    return {name: Series(tuple(found)) for name, found in took.items()}


def _process(command: Sequence[str], cwd: Path, env: Mapping[str, str], until: bytes | None) -> float:
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        stop = None
        if until is not None:
            for line in child.stdout:
                if until in line:
                    stop = time.perf_counter()
                    break
        out, err = child.communicate()
        end = time.perf_counter()
    if child.returncode != 0 or (until is not None and stop is None):
        raise RuntimeError(f"`{' '.join(command)}` ended with {child.returncode}: {(err or out).decode()[-500:]}")
    return (stop or end) - start
