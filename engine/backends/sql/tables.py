"""Where a program's data stand: relations of a database and the columns that hold what a policy declares.

A column has the declared type: DOUBLE for numbers and money (or what casts to it), TEXT, BOOLEAN, DATE, TIMESTAMP for
a date and time, TIME, and BIGINT for durations (microseconds, or months).
"""
from __future__ import annotations

from collections.abc import Mapping

from engine.ir import nodes as ir
from engine.records import Record


class Column(Record):
    """A column by its SQL name; `bad` is a boolean column, true where the cell could not be read as its type.

    What is known of the column spares work: its SQL `type`, which for numbers may be a whole one of up to 64 bits, and
    that it holds no infinity and no NaN (`finite`).
    """

    name: str
    bad: str | None = None
    type: str | None = None
    finite: bool = False


class Customers(Record):
    """A relation with a customer a row. `columns` are by declared input; an input without one is missing in
    every row. `key` is the column that histories are joined by, in place of the input that is their key."""

    relation: str
    columns: Mapping[str, Column]
    key: str | None = None


class Events(Record):
    """A relation with the rows of a history.

    `key` is the column that holds the customer's key. `ordinal` gives the order of the rows where the
    history's own order leaves ties; None where the relation has none, and ties fall as they may. `supplied`
    is a boolean column of the customers; None: the table supplies every customer.
    """

    relation: str
    key: str
    columns: Mapping[str, Column]
    ordinal: str | None = None
    supplied: str | None = None


class Source(Record):
    """All tables; a history without one is not supplied."""

    customers: Customers
    histories: Mapping[str, Events]


def by_name(program: ir.Program, relation: str = "customers") -> Source:
    """A source whose relations and columns are called as the policy calls them: its inputs in `relation`, each
    history in a relation of its name with the key's column beside its fields."""
    columns = {d.name: Column(d.column or d.name) for d in program.inputs}
    histories = {
        h.name: Events(h.name, columns[h.key].name if h.key in columns else h.key,
                       {f.name: Column(f.column or f.name) for f in h.fields})
        for h in program.histories if h.each is None and h.key is not None
    }
    return Source(Customers(relation, columns), histories)
