"""The values of a policy over the customers of a run: what is asked of each customer for them, and what they come to.

Each engine decides the leaves with the customers, and carries out the programs of `engine.ir.portfolio` over them,
which say the same everywhere. They are of whole runs: where decisions are asked for by name, or a run is done in parts,
there are none.
"""
from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.backends.python.program import compile_program
from engine.backends.reference.program import decide as reference_decide
from engine.diagnostics import Problem
from engine.ir import nodes as ir
from engine.ir.door import admit_history
from engine.ir.portfolio import ABOUT, KEY, gaps, group_program, shared_of, total_program, with_leaves
from engine.ir.reads import cone
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import Policy, Request
from engine.portfolio.writing import output, writer
from engine.records import Record
from engine.semantics.customers import CUSTOMERS, PORTFOLIO, REFUSED
from engine.semantics.work import MAX_STEPS, Exhausted, allowance

#: Steps that the values may take for each customer, beside what one decision may.
_STEPS = 10_000
ORDINAL = "~line"

Values = dict[str, Any]


class Asked(Record):
    """What a run is to tell of its customers together. `leaves` are decided with each; `totals` decides what is of all,
    and each of `groups` a grouping's values for its groups."""

    portfolio: ir.Portfolio
    leaves: tuple[str, ...]
    totals: ir.Program
    groups: tuple[tuple[ir.Grouping, ir.Program], ...]


def asked_for(policy: Policy, request: Request) -> Asked | None:
    """The values that a run tells, None where there are none; raises Problem for those that nothing carries out."""
    if request.only or request.run_id is not None:
        return None
    program = policy.program_at(request.as_of)
    found = program.portfolio
    if found is None:
        return None
    lacking = gaps(program)
    if lacking:
        raise Problem(*lacking)
    groups = tuple((grouping, group_program(program, grouping)) for grouping in found.groupings)
    return Asked(found, tuple(name for name, _ in found.leaves), total_program(program), groups)


def decided_with(program: ir.Program, asked: Asked | None) -> list[str]:
    """The decisions of a whole run, the leaves among them."""
    own = [d.name for d in program.decisions if not d.internal]
    names = [name for name in program.declared if name in own]
    return [*names, *(() if asked is None else asked.leaves)]


def read_of_customers(policy: Policy, request: Request) -> frozenset[str]:
    """The inputs that the values of a run read of each customer."""
    asked = asked_for(policy, request)
    return frozenset() if asked is None else cone(with_leaves(policy.program_at(request.as_of)), asked.leaves).inputs


def result(asked: Asked, totals: Mapping[str, Any], groups: Mapping[str, Sequence[Values]]) -> Values:
    """The values by name in the order of the file, those of groups as rows in the order of their groups."""
    kinds = {grouping.name: grouping for grouping, _ in asked.groups}
    return {
        name: tuple(sorted(groups[name], key=lambda row: _place(kinds[name], row))) if name in kinds else totals[name]
        for name in asked.portfolio.order
    }


def _place(grouping: ir.Grouping, row: Values) -> tuple[Any, ...]:
    """Where a group stands: by the declared order of values, else by value, without a value last."""
    found: list[tuple[bool, Any]] = []
    for name, kind, _ in grouping.by:
        value = row[name]
        if value is None:
            found.append((True, 0))
        else:
            found.append((False, kind.values.index(value) if kind.values and value in kind.values else value))
    return tuple(found)


# --- one by one ------------------------------------------------------------------------------------


class Kept:
    """What the values read of each customer, kept while customers are decided one by one."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.rows: list[Values] = []
        self.refused = 0

    def add(self, values: Mapping[str, Any], is_open: bool) -> None:
        row = {name: values[name] for name in self.asked.leaves}
        row.update(dict.fromkeys(ABOUT, "open" if is_open else "decided"))
        self.rows.append(row)

    def values(self, as_of: datetime.date) -> Values:
        """What they come to; raises DataProblem where that takes too much work."""
        asked, whole = self.asked, self.rows
        refused: list[Values] = [{}] * self.refused
        history = {CUSTOMERS: whole, PORTFOLIO: whole, REFUSED: refused}
        totals = _decided(asked.totals, {KEY: 0}, history, as_of)
        found: dict[str, list[Values]] = {}
        for grouping, program in asked.groups:
            groups: dict[tuple[Any, ...], list[Values]] = {}
            for row in whole:
                groups.setdefault(tuple(row[leaf] for _, _, leaf in grouping.by), []).append(row)
            given = {KEY: 0} | {name: totals[name] for name in shared_of(grouping)}
            found[grouping.name] = [
                {name: cell for (name, _, _), cell in zip(grouping.by, key, strict=True)}
                | _decided(program, given, {CUSTOMERS: rows}, as_of)
                for key, rows in groups.items()
            ]
        return result(asked, totals, found)


def _decided(program: ir.Program, inputs: Values, history: Mapping[str, list[Values]], as_of: datetime.date) -> Values:
    """What a program gives for its one customer."""
    reach = cone(program, program.declared)
    size = sum(map(len, history.values()))
    try:
        with allowance(MAX_STEPS + _STEPS * size):
            relations, faults = admit_history(program, reach, history, as_of)
            assert not faults, faults
            found = compile_program(program, reach).trusted(inputs, as_of, relations)
            if found is not None:
                return found[0]
            trace = reference_decide(program, inputs, history, as_of, reach)    # where a function of a plugin fails
    except Exhausted:
        raise DataProblem(
            f"the portfolio values of `{program.name}` take too many steps", "-",
            help="compare customers with a value of all, and not with each other",
        ) from None
    assert not trace.refused, trace.refused
    return {name: trace.outcomes[name].value for name in program.declared}


# --- told ------------------------------------------------------------------------------------------


def write(path: str, asked: Asked, portfolio: Mapping[str, Any]) -> None:
    """Write the values to a file, whole or not at all; raises DataProblem."""
    columns = list(dict.fromkeys(_column(name) for grouping, _ in asked.groups for name, _, _ in grouping.by))
    form = "jsonl" if path.endswith((".jsonl", ".ndjson")) else "csv"
    with output(path) as stream:
        out = writer(stream, form, ["name", *columns, "value"])
        for row in listed(asked, portfolio):
            out.write(row)


def listed(asked: Asked, portfolio: Mapping[str, Any]) -> Iterable[Values]:
    """Each value as a row: its `name`, behind that of its grouping and a `.`, the columns of its group, and `value`."""
    by = {grouping.name: [name for name, _, _ in grouping.by] for grouping, _ in asked.groups}
    for name, value in portfolio.items():
        if name not in by:
            yield {"name": name, "value": value}
            continue
        for row in value:
            group = {_column(column): row[column] for column in by[name]}
            yield from (
                {"name": f"{name}.{each}", **group, "value": cell} for each, cell in row.items() if each not in by[name]
            )


def _column(name: str) -> str:
    """The column of what customers are grouped by."""
    return f"_{name}" if name in ("name", "value") else name
