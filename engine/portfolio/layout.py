"""The columns of a result, alike for every engine."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.ir import nodes as ir
from engine.portfolio.request import EXTRAS, FAILURES
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.declarations import InputDecl
from engine.semantics.dtypes import Type


class Output(Record):
    """A column of a decision: its only outcome, or the `member` of several."""

    column: str
    decision: str
    member: str | None
    type: Type


class Layout:
    """Line, keys, status, outcomes, what was asked for beside them, problem.

    `own` are the names of the columns that are not the policy's; one that a key or an outcome has too
    gets an underscore in front.
    """

    def __init__(self, programs: Sequence[ir.Program], only: Sequence[str], extras: Sequence[str]) -> None:
        self.inputs: dict[str, InputDecl] = {d.name: d for program in programs for d in program.inputs}
        self.keys = [d.name for d in self.inputs.values() if d.key]
        self.decisions = list({d.name: d for program in programs for d in shown(program, only)}.values())
        self.outputs = [column for decision in self.decisions for column in _columns(decision)]
        self.extras = [name for name in (*EXTRAS, FAILURES) if name in extras]
        taken = {*self.keys, *(output.column for output in self.outputs)}
        own = ("line", "status", *self.extras, "problem")
        self.own: Mapping[str, str] = {name: name if name not in taken else f"_{name}" for name in own}
        self.columns = [
            self.own["line"], *self.keys, self.own["status"], *(o.column for o in self.outputs),
            *(self.own[name] for name in self.extras), self.own["problem"],
        ]

    @property
    def enumerations(self) -> dict[str, Sequence[str]]:
        """The decisions whose outcomes are worth counting, with their values."""
        return {d.name: d.type.values for d in self.decisions if d.type.values is not None}


def shown(program: ir.Program, only: Sequence[str] = ()) -> list[ir.Decision]:
    """The decisions that give outputs, in the order of the file; those asked for, features too, where some are."""
    by_name = {d.name: d for d in program.decisions}
    if only:
        wanted = [*program.declared, *(n for n in only if n not in program.declared)]
        return [by_name[name] for name in wanted if name in by_name and name in only]
    return [by_name[name] for name in program.declared if name in by_name and not by_name[name].internal]


def _columns(decision: ir.Decision) -> list[Output]:
    members = decision.members if isinstance(decision, ir.Decide) and decision.type.kind != dt.LIST else ()
    if not members:
        return [Output(decision.name, decision.name, None, decision.type)]
    return [Output(f"{decision.name}.{member}", decision.name, member, kind) for member, kind in members]
