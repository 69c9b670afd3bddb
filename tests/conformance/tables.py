"""Decision tables of the case files: hit policies, allowed values, defaults (DMN 1.5, chapter 8)."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.semantics.equality import equals
from engine.semantics.lists import greatest, least, total
from engine.semantics.values import Undefined

Evaluate = Callable[[str], Any]
#: (tests of a cell, value of its column) -> whether the value passes.
Test = Callable[[str, Any], Any]


def decide(table: dict[str, Any], evaluate: Evaluate, test: Test, outcome: Callable[[str, int], Any],
           outcomes: list[list[Any] | None]) -> Any:
    """The result of a table. `outcome` evaluates a cell of an output, `outcomes` lists each output's values
    from best to worst, None without."""
    values = [evaluate(column["expression"]) for column in table["inputs"]]
    for value, column in zip(values, table["inputs"], strict=True):
        if column["allowed"] and value is not None and not any_of(value, column["allowed"], test):
            return None
    matched = [
        rule for rule in table["rules"]
        if all(test(cell, value) is True for cell, value in zip(rule["when"], values, strict=True))
    ]
    rows = [[outcome(cell, place) for place, cell in enumerate(rule["then"])] for rule in matched]
    policy = table["hit_policy"].upper()
    if not rows:
        return _default(table, evaluate) if policy != "COLLECT" or table["aggregation"] != "COUNT" else 0
    if policy == "UNIQUE":
        return _record(table, rows[0]) if len(rows) == 1 else None
    if policy == "ANY":
        return _record(table, rows[0]) if all(equals(row, rows[0]) is True for row in rows) else None
    if policy == "FIRST":
        return _record(table, rows[0])
    if policy in ("PRIORITY", "OUTPUT ORDER"):
        rows.sort(key=lambda row: _rank(row, outcomes))
        records = [_record(table, row) for row in rows]
        return records[0] if policy == "PRIORITY" else records
    records = [_record(table, row) for row in rows]
    return _aggregate(records, table["aggregation"]) if policy == "COLLECT" else records


def any_of(value: Any, allowed: str, test: Test) -> bool:
    """Whether a value, or each item of a list, is allowed."""
    if test(allowed, value) is True:
        return True
    return isinstance(value, list) and bool(value) and all(test(allowed, item) is True for item in value)


def _record(table: dict[str, Any], row: list[Any]) -> Any:
    if len(table["outputs"]) == 1:
        return row[0]
    return {output["name"]: value for output, value in zip(table["outputs"], row, strict=True)}


def _default(table: dict[str, Any], evaluate: Evaluate) -> Any:
    defaults = [output["default"] for output in table["outputs"]]
    if all(d is None for d in defaults):
        return None
    result = _record(table, [None if d is None else evaluate(d) for d in defaults])
    return [result] if table["hit_policy"].upper() in ("RULE ORDER", "OUTPUT ORDER") else result


def _rank(row: list[Any], outcomes: list[list[Any] | None]) -> int:
    """A number by which rows order: by the first output, then the second, and so on."""
    rank = 0
    for value, listed in zip(row, outcomes, strict=True):
        values = listed or []
        place = next((i for i, v in enumerate(values) if equals(v, value) is True), len(values))
        rank = rank * (len(values) + 1) + place
    return rank


def _aggregate(values: list[Any], how: str | None) -> Any:
    if how is None:
        return values
    if how == "COUNT":
        return len(values)
    try:
        return {"SUM": total, "MIN": least, "MAX": greatest}[how](values)
    except Undefined:
        return None
