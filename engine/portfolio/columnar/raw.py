"""A source within the reach of the database, its columns still as they came."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.records import Record


class Unreadable(Record):
    """A row that cannot be taken at all, with what could be read of its keys."""

    line: int
    message: str
    help: str | None
    keys: dict[str, Any]


class Bound(Record):
    """A declared name and the column that it is bound to: SQL of its cells, and what they are."""

    name: str
    raw: str
    content: str


class Raw(Record):
    """What to select from, which column is bound to what, and SQL of each row's line.

    `relation` stands behind FROM. `staged`: rows are to be copied before they are used, since reading them
    again would cost or could differ. `rows` is how many there must be, None where that is not known.
    """

    relation: str
    columns: tuple[Bound, ...]
    absent: tuple[str, ...]
    line: str | None
    shown: str
    path: str
    #: The line of the first row, where rows stand on lines one after another.
    first: int = 1
    staged: bool = True
    rows: int | None = None
    unreadable: Sequence[Unreadable] = ()
    #: A database that is attached until the rows are staged.
    attached: str | None = None
    #: Whether rows come in their order.
    ordered: bool = True
    #: The source's own columns, for advice.
    names: tuple[str, ...] = ()
