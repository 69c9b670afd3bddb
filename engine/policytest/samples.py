"""The data of a portfolio under test, read whole before any customer is decided.

Tables are read and bound as `tierwise run` reads them, so that what holds here holds there. A row that cannot be read
is a customer who will be refused; what spoils a whole file raises `DataProblem`.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.check.scope import closest
from engine.ir import nodes as ir
from engine.portfolio.binding import Columns, Reading
from engine.portfolio.histories import History, Key, read_history
from engine.portfolio.problems import DataProblem
from engine.portfolio.tables import BadRow, Table, open_table
from engine.records import Record
from engine.semantics.declarations import InputDecl

#: Customers of a sample, and events of its histories: they are held in memory, with all that is decided of them.
MAX_CUSTOMERS = 50_000
MAX_EVENTS = 2_000_000


class Given(Record):
    """A row of the data: inputs by declared name as read, and what makes it unfit to be decided, if anything does.

    `key` is how the customer is told from others; `about` are the inputs or histories at fault."""

    key: str
    line: int
    values: Mapping[str, Any]
    fault: str | None = None
    about: tuple[str, ...] = ()

    def moved(self, inputs: Mapping[str, Any]) -> Given:
        """The same customer with some inputs elsewhere."""
        return self.replace(values={**self.values, **inputs})


class Sample(Record):
    """Customers and their histories. `owners` name the input by which a history's rows are a customer's."""

    rows: tuple[Given, ...]
    histories: Mapping[str, History]
    owners: Mapping[str, str]

    def history(self, given: Given) -> dict[str, Any] | None:
        """The rows of one customer, by history."""
        if not self.histories:
            return None
        return {name: events.of(given.values.get(self.owners[name])) for name, events in self.histories.items()}


def read_events(path: str, history: ir.HistoryDecl, key: InputDecl) -> History:
    """The rows of a history by customer; raises DataProblem."""
    with open_table(path) as table:
        found = read_history(history.name, Key(key.name, key.type, key.column), history.fields, table, Reading())
    if found.size > MAX_EVENTS:
        raise DataProblem(f"the table has more than {MAX_EVENTS:,} rows", path, help="take a sample of them")
    return found


def read_sample(
    path: str, inputs: Sequence[InputDecl], required: frozenset[str], histories: Mapping[str, History],
    owners: Mapping[str, str],
) -> Sample:
    """The customers of a file; raises DataProblem, also where a column is absent that is `required`."""
    keys = [decl.name for decl in inputs if decl.key]
    rows: list[Given] = []
    with open_table(path) as table:
        columns = Columns(table, inputs, Reading())
        _require(table, columns, required)
        for row in table:
            if len(rows) == MAX_CUSTOMERS:
                raise DataProblem(f"the table has more than {MAX_CUSTOMERS:,} customers", path, help="take a sample")
            values = columns.values(row.cells)
            key = ", ".join(str(values[k]) for k in keys if values.get(k) is not None) or f"line {row.line}"
            if isinstance(row, BadRow):
                rows.append(Given(key, row.line, {}, row.message))
                continue
            objects = [name for name in keys if isinstance(values.get(name), (list, dict))]
            if objects:
                message = f"`{objects[0]}` is a list or object, and keys are plain"
                rows.append(Given(f"line {row.line}", row.line, {}, message, tuple(objects)))
                continue
            rows.append(_whole(Given(key, row.line, values), histories, owners))
    if not rows:
        raise DataProblem("the table has no row", path, help="a portfolio has at least one customer")
    return Sample(tuple(rows), histories, owners)


def _require(table: Table, columns: Columns, required: frozenset[str]) -> None:
    lost = [name for name in columns.absent if name in required]
    if not lost:
        return
    strangers = [c for c in table.columns if c and c not in columns.columns]
    near = [(name, match) for name in lost if (match := closest(name, strangers)) is not None]
    raise DataProblem(
        f"no column for {', '.join(f'`{name}`' for name in lost)}, which the policy requires", table.path, 1,
        help=", ".join(f"is `{match}` meant for `{name}`?" for name, match in near) or "add the column",
    )


def _whole(given: Given, histories: Mapping[str, History], owners: Mapping[str, str]) -> Given:
    """A row, at fault where a row of its histories cannot be read: to be decided without it would be to guess."""
    for name, events in histories.items():
        fault = events.broken.get(given.values.get(owners[name])) if events.broken else None
        if fault is not None:
            return given.replace(fault=f"history `{name}`: {fault}", about=(name,))
    return given
