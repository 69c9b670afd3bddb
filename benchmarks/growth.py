"""Growth: what ten times the rules, and a hundred times the rows of a lookup, cost one by one."""
from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import ours, policies
from benchmarks.given import ROOT, Given
from benchmarks.report import Goal, Line, Section
from benchmarks.rows import draw
from benchmarks.timing import Series, per_call
from engine.policy import load_policy

_RULES = (80, 800)
_ROWS = (50, 5000)
_LOAD = """
import sys, time
from engine.policy import load_policy
def ready(path):
    policy = load_policy(path)
    policy.compiled(policy.program)
ready(sys.argv[1])                          # grammar, imports and whatever else a process pays once
start = time.perf_counter()
ready(sys.argv[2])
print(time.perf_counter() - start)
"""


def measure(given: Given, rows: int, rounds: int, part: float, env: Mapping[str, str]) -> Section:
    """Load and decide policies of two sizes, and lookups of two sizes."""
    chance = random.Random(5)
    drawn = [
        {**ours.keyed(row, number), "code": f"c{chance.randrange(max(_ROWS))}" if chance.random() < 0.9 else None}
        for number, row in enumerate(draw(given, rows)[0])
    ]
    lines: list[Line] = []
    with TemporaryDirectory() as folder:
        files = {n: _sized(Path(folder), n) for n in _RULES}
        small, large = (f"{n} rules, loaded and compiled" for n in _RULES)
        first = _sized(Path(folder), _RULES[0], "first")
        loads: dict[str, list[float]] = {small: [], large: []}
        for _ in range(rounds):
            for name, file in zip((small, large), files.values(), strict=True):
                loads[name].append(_load(first, file, env))
        found = {name: Series(tuple(taken)) for name, taken in loads.items()}
        lines += _pair(found, small, large, 12, "ms")

        loaded = {f"{n} rules, decided": load_policy(file) for n, file in files.items()}
        for mode in ("key", "band"):
            for n in _ROWS:
                loaded[f"lookup by {mode} of {n:,} rows"] = load_policy(policies.with_lookup(Path(folder), n, mode))
        functions = {
            name: (lambda row, decide=policy.decide: decide(row, as_of=ours.AS_OF)) for name, policy in loaded.items()
        }
        found = per_call(functions, dict.fromkeys(functions, drawn), rounds, part)
    small, large = (f"{n} rules, decided" for n in _RULES)
    lines += _pair(found, small, large, 12, "us")
    for mode in ("key", "band"):
        small, large = (f"lookup by {mode} of {n:,} rows" for n in _ROWS)
        lines += _pair(found, small, large, 2, "us")
    notes = ("loads are of a fresh process, without the cache",)
    return Section("growth", "Growth, one by one", "the smaller", tuple(lines), notes)


def _pair(found: Mapping[str, Series], small: str, large: str, limit: float, unit: str) -> list[Line]:
    ratio = found[large].ratio(found[small])
    goal = Goal(limit, "x", ratio, "the smaller")
    return [Line(small, unit, found[small]), Line(large, unit, found[large], ratio, (goal,))]


def _sized(folder: Path, rules: int, prefix: str = "sized") -> Path:
    path = folder / f"{prefix} {rules}.yaml"
    path.write_text(policies.sized(rules).replace("400000", "410000" if prefix == "first" else "400000"), "utf-8")
    return path


def _load(first: Path, file: Path, env: Mapping[str, str]) -> float:
    """Seconds that loading `file` takes in a process that has loaded another policy before."""
    command = [sys.executable, "-c", _LOAD, str(first), str(file)]
    done = subprocess.run(command, cwd=ROOT, env=dict(env), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"a policy did not load: {done.stderr[-500:]}")
    return float(done.stdout)
