"""Runs cases of the language's meaning: a folder with `policies/` and `cases/`.

One line of a case file is one customer under a policy, with what must hold; what a
case does not state is not asked. `python -m tests.language FOLDER` prints the rate
and every difference.
"""
from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from engine.backends.sql.memory import Customer, decide_all
from engine.backends.sql.run import Row
from engine.policy import Decision, Policy, load_policy
from engine.semantics.temporal import format_temporal
from engine.semantics.values import YearsMonths


def cases(folder: Path) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """(file, line, case) of every case."""
    for path in sorted((folder / "cases").glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            yield path.name, number, json.loads(line)


def by_sql(policy: Policy, found: Sequence[dict[str, Any]]) -> list[list[str]]:
    """What does not hold of some cases of a policy, decided in DuckDB: one query for each date."""
    told: list[list[str]] = [[] for _ in found]
    for day in sorted({case["as_of"] for case in found}):
        places = [n for n, case in enumerate(found) if case["as_of"] == day]
        customers = [Customer(found[n]["inputs"], found[n]["history"] or {}) for n in places]
        decided = decide_all(policy.program, customers, datetime.date.fromisoformat(day))
        for n, row in zip(places, decided, strict=True):
            told[n] = list(_compare(row, found[n]["expect"]))
    return told


def differences(policy: Policy, case: dict[str, Any], engine: str) -> list[str]:
    """What does not hold of a case under an evaluator, in words."""
    day = datetime.date.fromisoformat(case["as_of"])
    decision = policy.decide(case["inputs"], as_of=day, history=case["history"], engine=engine)
    return list(_compare(decision, case["expect"]))


def _compare(decision: Decision | Row, expect: dict[str, Any]) -> Iterator[str]:
    refused = expect.get("refused")
    if refused is not None or decision.refused:
        if set(decision.refused) != set(refused or ()):
            yield f"refused {sorted(decision.refused)}, expected {refused}"
        return
    for name, value in expect.get("values", {}).items():
        got = plain(decision.values.get(name, "absent"))
        if not same(got, value):
            yield f"`{name}` is {got!r}, expected {value!r}"
    for name, codes in expect.get("reasons_of", {}).items():
        if list(decision.reasons_of(name)) != codes:
            yield f"reasons of `{name}` are {list(decision.reasons_of(name))}, expected {codes}"
    if "reasons" in expect and list(decision.reasons) != expect["reasons"]:
        yield f"reasons are {list(decision.reasons)}, expected {expect['reasons']}"
    for name, rules in expect.get("fired", {}).items():
        if list(decision.fired[name]) != rules:
            yield f"`{name}` fired {list(decision.fired[name])}, expected {rules}"
    for part, got in (("open", set(decision.open)), ("missing", set(decision.missing))):
        if part in expect and got != set(expect[part]):
            yield f"{part} are {sorted(got)}, expected {expect[part]}"


def plain(value: Any) -> Any:
    """A value as a case writes it: temporal values as ISO text."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, (datetime.date, datetime.time, datetime.timedelta, YearsMonths)):
        return format_temporal(value)
    return value


def same(got: Any, wanted: Any) -> bool:
    """Equal, numbers within 1e-9 of their size."""
    if isinstance(got, bool) or isinstance(wanted, bool):
        return got is wanted
    if isinstance(got, (int, float)) and isinstance(wanted, (int, float)):
        return abs(got - wanted) <= 1e-9 * max(1.0, abs(got), abs(wanted))
    if isinstance(got, dict) and isinstance(wanted, dict):
        return got.keys() == wanted.keys() and all(same(got[k], wanted[k]) for k in got)
    if isinstance(got, list) and isinstance(wanted, list):
        return len(got) == len(wanted) and all(map(same, got, wanted))
    return bool(got == wanted)


def load(folder: Path, name: str) -> Policy:
    return load_policy(folder / "policies" / name)
