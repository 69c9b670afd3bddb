"""The last logged decision of a customer, as the inputs through which a policy reads it.

`previous.tier` is an input of that name: null where there was no decision, where it gave none, and where
what it gave is no longer a value of the decision. `previous` itself is true where there was one.
"""
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from engine.ir import nodes as ir
from engine.ir.door import Refusal, convert
from engine.semantics import dtypes as dt
from engine.semantics.declarations import InputDecl

PREFIX = "previous"
#: Its date, as it is read and as it may be written.
DATE = "as of"
DATES = (DATE, "as_of")


def previous_inputs(
    program: ir.Program, previous: Mapping[str, Any] | None, as_of: datetime.date
) -> dict[str, Any]:
    """The inputs of `program` that stand for its previous decision.

    `previous` maps decisions to outcomes (several outputs to a mapping, or as `offer.base`), and `as of` to its date.
    None, and a decision dated after `as_of`, which nobody could know then, give no inputs.
    """
    if previous is None:
        return {}
    decided = dated(previous)
    if decided is not None and decided > as_of:
        return {}
    found: dict[str, Any] = {}
    for decl in program.inputs:
        if not decl.previous:
            continue
        if decl.name == PREFIX:
            found[decl.name] = True
        elif decl.name == f"{PREFIX}.{DATE}":
            found[decl.name] = decided
        else:
            found[decl.name] = _outcome(previous, decl.name.removeprefix(f"{PREFIX}."))
    return found


def dated(previous: Mapping[str, Any]) -> datetime.date | None:
    """The date of a previous decision; None where it states none that can be read."""
    for name in DATES:
        if previous.get(name) is not None:
            try:
                day: datetime.date | None = convert(previous[name], dt.Type(dt.DATE))
            except Refusal:
                return None
            return day
    return None


def _outcome(previous: Mapping[str, Any], name: str) -> Any:
    """An outcome by its name, or the member of one."""
    if name in previous:
        return previous[name]
    for place, sign in enumerate(name):
        inner = previous.get(name[:place]) if sign == "." else None
        if isinstance(inner, Mapping) and name[place + 1:] in inner:
            return inner[name[place + 1:]]
    return None


def stored_columns(program: ir.Program) -> dict[str, InputDecl]:
    """The columns of a stored run's output that a program reads of it, each with the input whose type it has."""
    beside = (PREFIX, f"{PREFIX}.{DATE}")
    return {d.name.removeprefix(f"{PREFIX}."): d for d in program.inputs if d.previous and d.name not in beside}


def from_row(row: Mapping[str, Any], decided: datetime.date) -> dict[str, Any] | None:
    """A row of a stored run of that date as a previous decision, its values by column and of the types that
    `stored_columns` tells. A refused customer was not decided, so has none."""
    if row.get("status") == "refused":
        return None
    return {**row, DATE: decided}


def from_told(told: Mapping[str, Any]) -> dict[str, Any] | None:
    """A previous decision from JSON: decisions with their outcomes, or what `decide --format json` prints, with an
    explanation or without. None where the customer was refused."""
    if told.get("refused"):
        return None
    outcomes, values = told.get("outcomes"), told.get("values")
    if isinstance(outcomes, list) and "as_of" in told:
        named = {o["name"]: o.get("value") for o in outcomes if isinstance(o, Mapping) and "name" in o}
        return {**named, DATE: told["as_of"]}
    if isinstance(values, Mapping) and "refused" in told:
        return {**values, DATE: told.get("as_of")}
    return dict(told)
