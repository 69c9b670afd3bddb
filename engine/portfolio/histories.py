"""Event tables grouped by customer, held in memory for the one-by-one path."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from engine.portfolio.binding import Columns, Declared, Reading
from engine.portfolio.problems import DataProblem
from engine.portfolio.tables import Row, Table
from engine.records import Record
from engine.semantics import dtypes as dt

_NONE: list[dict[str, Any]] = []


class Key(Record):
    """The column that says whose a row is."""

    name: str
    type: dt.Type
    column: str | None = None


class History:
    """The rows of an event table by customer. A customer without rows has the empty history.

    `broken` says for a customer which row could not be read: whoever owns it must not be
    decided as if the row were not there.
    """

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self.source = source
        self.broken: dict[Any, str] = {}
        self.hints: dict[str, str] = {}
        #: Rows without a key that were left out.
        self.skipped = 0
        self._rows: defaultdict[Any, list[dict[str, Any]]] = defaultdict(list)
        self._lines: defaultdict[Any, list[int]] = defaultdict(list)
        self._asked: set[Any] = set()
        #: Rows that belong to no row of the history above.
        self._lost = 0

    def of(self, key: Any) -> list[dict[str, Any]]:
        """The rows of one customer, in the order of the file."""
        self._asked.add(key)
        return self._rows.get(key, _NONE)

    def add(self, key: Any, row: dict[str, Any], line: int) -> None:
        self._rows[key].append(row)
        self._lines[key].append(line)

    def line(self, key: Any, number: int) -> int:
        """The line of the file on which a customer's row stands; rows count from 1."""
        return self._lines[key][number - 1]

    def owned(self, above: History, key: str) -> History:
        """These rows, which lie here by a field, by the customers of the rows of `above` with the same value of it."""
        owners: dict[Any, dict[Any, None]] = {}
        for customer, rows in above._rows.items():
            for row in rows:
                owners.setdefault(row.get(key), {})[customer] = None
        found = History(self.name, self.source)
        found.hints, found.skipped = self.hints, self.skipped
        placed: list[tuple[int, Any, dict[str, Any]]] = []
        for value, rows in self._rows.items():
            customers = owners.get(value, {})
            found._lost += 0 if customers else len(rows)
            for line, row in zip(self._lines[value], rows, strict=True):
                placed.extend((line, customer, row) for customer in customers)
        for line, customer, row in sorted(placed, key=lambda p: p[0]):
            found.add(customer, row, line)
        for value, message in self.broken.items():
            for customer in owners.get(value, ()):
                found.broken.setdefault(customer, message)
        return found

    @property
    def size(self) -> int:
        return sum(map(len, self._rows.values()))

    def unclaimed(self) -> int:
        """Rows of keys that no customer had."""
        return self._lost + len({
            line for key, lines in self._lines.items() if key not in self._asked for line in lines
        })


def read_history(
    name: str, key: Key, fields: Sequence[Declared], table: Table, reading: Reading, skip_keyless: bool = False
) -> History:
    """Read a whole event table.

    Raises DataProblem where the key column is absent, or a row says not whose it is and such are not to be
    left out.
    """
    declared: list[Declared] = [key, *(f for f in fields if f.name != key.name)]
    columns = Columns(table, declared, reading)
    if key.name in columns.absent:
        raise DataProblem(
            f"history `{name}` needs a column `{key.name}` to say whose each row is", table.path, 1,
            help=f"its columns are {', '.join(f'`{c}`' for c in table.columns[:12])}",
        )
    history = History(name, table.name)
    for row in table:
        values = columns.values(row.cells, isinstance(row, Row))
        owner = values.get(key.name)
        if owner is None or isinstance(owner, (list, dict)):
            what = "has no key" if isinstance(row, Row) else row.message
            if skip_keyless and isinstance(row, Row):
                history.skipped += 1
                continue
            raise DataProblem(
                f"a row of history `{name}` belongs to no customer: {what}", table.path, row.line,
                help=f"give every row its `{key.name}`",
            )
        if isinstance(row, Row):
            history.add(owner, values, row.line)
        else:
            history.broken.setdefault(owner, f"line {row.line} of {table.name}: {row.message}")
    history.hints = columns.hints
    return history
