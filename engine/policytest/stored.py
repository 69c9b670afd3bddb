"""Outcomes of a stored run: what `tierwise run` wrote, as CSV or JSON lines."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.policytest.model import Stored
from engine.policytest.rows import STATUS
from engine.portfolio.binding import boolean, number
from engine.portfolio.problems import DataProblem
from engine.portfolio.tables import BadRow, open_table
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type


def read_stored(path: str, outcomes: Sequence[tuple[str, str, str | None, Type]]) -> tuple[Stored, ...]:
    """The outcomes (path, decision, member, type) of those customers whom a stored run decided; raises DataProblem."""
    values: list[list[Any]] = [[] for _ in outcomes]
    with open_table(path) as table:
        for row in table:
            if isinstance(row, BadRow):
                raise DataProblem(row.message, path, row.line, row.help)
            cells = row.cells if isinstance(row.cells, dict) else dict(zip(table.columns, row.cells, strict=False))
            absent = next((name for name, *_ in outcomes if name not in cells), None)
            if absent is not None:
                raise DataProblem(f"the stored run has no column `{absent}`", path, row.line,
                                  "name an outcome that it has, or store a new run with `tierwise run -o FILE`")
            if cells.get(f"_{STATUS}", cells.get(STATUS)) == "refused":    # an outcome may be called `status`
                continue
            for found, (name, _, _, kind) in zip(values, outcomes, strict=True):
                found.append(_value(cells[name], kind, name, path, row.line))
    if outcomes and not values[0]:
        raise DataProblem("the stored run has no decided customer", path,
                          help="store a new run with `tierwise run -o FILE`")
    return tuple(Stored(*outcome, tuple(found)) for outcome, found in zip(outcomes, values, strict=True))


def _value(cell: Any, kind: Type, name: str, path: str, line: int) -> Any:
    """A cell under the type of its outcome, None for none."""
    if cell is None or cell == "":
        return None
    try:
        if kind.kind in dt.NUMERIC:
            return float(number(cell)) if isinstance(cell, str) else float(cell)
        if kind.kind == dt.BOOLEAN:
            return boolean(cell) if isinstance(cell, str) else bool(cell)
    except (TypeError, ValueError):
        raise DataProblem(f"`{name}` of the stored run is not a {kind.kind}: `{cell}`", path, line,
                          "store a new run with `tierwise run -o FILE`") from None
    return str(cell)
