"""What a condition may know of a customer: names and types, from a policy's program.

A customer has the inputs and outcomes of the policy by name, features too, and what a policy used by it decides under
that policy's name. Beside these stand, as in the output of `tierwise run`, `status` (decided, open, refused),
`reasons`, `open` and `missing`, and `refused`, the names for which a customer was refused. Where the policy has a name
of its own that is one of these words, the word is written with a `_` in front.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.check.customers import members, row_fields
from engine.ir import nodes as ir
from engine.ir.reads import Cone
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.declarations import InputDecl
from engine.semantics.dtypes import Type

STATUS, REASONS, OPEN, MISSING, REFUSED = META = ("status", "reasons", "open", "missing", "refused")
STATES = ("decided", "open", "refused")


class RowType(Record):
    """`decided` is the type of a decided customer's row, `refused` that of a refused one. `outcomes` are the decisions
    in it by their qualified names, `meta` the names under which its `status` and the rest stand."""

    decided: Type
    refused: Type
    inputs: tuple[InputDecl, ...]
    outcomes: tuple[str, ...]
    meta: Mapping[str, str]
    parameters: frozenset[str]

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.decided.fields or ()]

    @property
    def members(self) -> list[str]:
        """Names behind a `.` within a value."""
        return list(dict.fromkeys(members(self.decided)))


def row_type(program: ir.Program, reach: Cone, certain: bool) -> RowType:
    """The rows of customers decided by `program`. `certain` is false where other versions may decide some of them,
    whose names and types may differ: then anything may be null."""
    inputs = [
        (decl.name, decl.type.optional(decl.type.nullable or not certain or decl.name not in reach.inputs))
        for decl in program.inputs
    ]
    outcomes = [d for d in reach.decisions if d.family != "imports"]
    fields = row_fields(inputs, (
        (_path(program, decision), decision.type.optional(decision.type.nullable or not certain))
        for decision in outcomes
    ))
    meta = {word: word if word not in fields else f"_{word}" for word in META}
    data = [*(i.name for i in program.inputs), *(h.name for h in program.histories)]
    texts = {
        REASONS: [*(r.code for r in program.reasons), *ir.RESERVED],
        OPEN: [d.name for d in outcomes if not d.internal],
        MISSING: data,
        REFUSED: [*data, *(d.name for d in program.decisions)],
    }
    fields[meta[STATUS]] = Type(dt.STRING, values=STATES)
    for word, values in texts.items():
        fields[meta[word]] = dt.list_of(Type(dt.STRING, values=tuple(dict.fromkeys(values))))
    sure = set(meta.values())
    return RowType(
        Type(dt.CONTEXT, fields=tuple(fields.items())),
        Type(dt.CONTEXT, fields=tuple((n, t.optional(n not in sure)) for n, t in fields.items())),
        program.inputs, tuple(d.name for d in outcomes), meta,
        frozenset(p.name for p in program.parameters if "." not in p.name),
    )


def rows_alone(program: ir.Program) -> frozenset[str]:
    """Derived facts that are rows or lists. A query goes through them where they are read; no column holds them."""
    return frozenset(
        d.name for d in program.decisions
        if d.internal and isinstance(d, ir.Decide) and d.hit == "value" and d.type.kind in (dt.LIST, dt.RELATION)
    )


def _path(program: ir.Program, decision: ir.Decision) -> tuple[str, ...]:
    """A decision's name behind those of the used policies that it belongs to."""
    return (decision.name,) if decision.name in program.declared else tuple(decision.name.split("."))


def outcome_fields(program: ir.Program, values: Mapping[str, Any]) -> dict[str, Any]:
    """Outcomes by qualified name as the fields of a row: what used policies decide in contexts of their own."""
    fields: dict[str, Any] = {}
    for qualified, value in values.items():
        *owners, name = [qualified] if qualified in program.declared else qualified.split(".")
        into = fields
        for owner in owners:
            into = into.setdefault(owner, {})
        into[name] = value
    return fields
