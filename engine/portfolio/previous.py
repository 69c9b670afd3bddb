"""The stored results of an earlier run, of which `previous` of each customer is read (`--previous`).

They are read as a run writes them, whatever else is said of how texts are read. Rows that were refused hold no
decision, so nothing is asked of them.
"""
from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.check.rules import LIMIT
from engine.ir import nodes as ir
from engine.ir.door import Refusal, convert
from engine.ir.previous import DATE, PREFIX, from_row, previous_inputs, stored_columns
from engine.portfolio.binding import Columns, Reading, advice
from engine.portfolio.layout import Layout
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import Listener, Request
from engine.portfolio.shared import Usage
from engine.portfolio.tables import BadRow, Table, count
from engine.portfolio.writing import cell
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.declarations import InputDecl
from engine.semantics.dtypes import Type

REFUSED = "refused"
#: How it is read.
READING = Reading()


class Earlier(Record):
    """The columns that are wanted of an earlier run: its keys, its outcomes, its status, and the date of a row that has
    one; `decided` is the date of the others."""

    place: str
    keys: tuple[InputDecl, ...]
    outcomes: tuple[InputDecl, ...]
    status: InputDecl
    decided: datetime.date | None

    @property
    def date(self) -> InputDecl:
        return InputDecl(DATE, Type(dt.DATE, nullable=True))

    @property
    def declared(self) -> tuple[InputDecl, ...]:
        return (*self.keys, *self.outcomes, self.status, self.date)


def wanted(programs: Sequence[ir.Program], request: Request, listener: Listener) -> Earlier | None:
    """What a run reads of an earlier one, None where nothing is asked of it; raises Usage."""
    if request.previous is None:
        if request.previous_as_of is not None:
            raise Usage("`--previous-as-of` is the date of what `--previous` names, which is not given")
        return None
    outcomes = {name: decl for program in programs for name, decl in stored_columns(program).items()}
    if not any(decl.previous for program in programs for decl in program.inputs):
        listener.note(f"{request.previous} was not read: the policy asks nothing of `{PREFIX}`")
        return None
    layout = Layout(programs, (), ())
    if not layout.keys:
        raise Usage("`--previous` needs a policy with a key, by which earlier decisions are found again")
    return Earlier(
        request.previous,
        tuple(_plain(name, layout.inputs[name].type, layout.inputs[name].column) for name in layout.keys),
        tuple(_plain(name, decl.type) for name, decl in outcomes.items()),
        _plain(layout.own["status"], Type(dt.STRING)), request.previous_as_of,
    )


def _plain(name: str, kind: Type, column: str | None = None) -> InputDecl:
    """A column of a kind; which of its values are still values of a decision is asked when it is read."""
    return InputDecl(name, Type(kind.kind, nullable=True), column)


def require_keys(earlier: Earlier, absent: Sequence[str], columns: Sequence[str], path: str) -> None:
    """Raise DataProblem where a key has no column."""
    for decl in earlier.keys:
        if decl.name in absent:
            raise DataProblem(
                f"`{path}` has no column `{decl.name}` to say whose each decision is", path, 1,
                help=f"its columns are {', '.join(f'`{c}`' for c in columns[:12])}",
            )


def absent_notes(earlier: Earlier, absent: Sequence[str], shown: str) -> list[str]:
    return [
        f"no column `{decl.name}` in {shown}: `{PREFIX}.{decl.name}` was missing in every row"
        for decl in earlier.outcomes if decl.name in absent
    ]


def misread(decl: InputDecl, value: Any, path: str, line: int) -> DataProblem | None:
    """What is wrong with a cell that is no value of its column's kind."""
    try:
        convert(value, decl.type)
        return None
    except Refusal as refusal:
        if _too_large(decl, value):
            return None
        hint = advice(value, decl.type) if isinstance(value, str) else None
        return DataProblem(
            f"`{decl.name}` {refusal}", path, line, hint or "name the results of an earlier run of this policy"
        )


def undated(path: str, line: int) -> DataProblem:
    return DataProblem(
        "the date of the decision is not known", path, line,
        help=f"say by `--previous-as-of` when it was, or add a column `{DATE}`",
    )


def repeated(key: Sequence[Any], path: str, line: int, first: int) -> DataProblem:
    return DataProblem(
        f"`{', '.join(cell(part) for part in key)}` has a decision on line {first} too", path, line,
        help="keep the last decision of each customer",
    )


def later_text(number: int, shown: str, as_of: datetime.date) -> str:
    return f"{count(number, 'decision')} in {shown} of a later date than {as_of}, which {_are(number)} not seen"


def lost_text(number: int, shown: str, table: str) -> str:
    return f"{count(number, 'decision')} in {shown} without a customer in {table}"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


class Decisions:
    """The decisions of an earlier run by key, held in memory for the one-by-one path."""

    def __init__(self, earlier: Earlier, table: Table, programs: Sequence[ir.Program], as_of: datetime.date) -> None:
        """Raises DataProblem where the table is none that an earlier run could have written."""
        self.shown = table.name
        self._programs = programs
        self._as_of = as_of
        self._keys = earlier.keys
        self._found: dict[tuple[Any, ...], Mapping[str, Any]] = {}
        self._claimed: set[tuple[Any, ...]] = set()
        self._keyless = self.later = 0
        lines: dict[tuple[Any, ...], int] = {}
        columns = Columns(table, earlier.declared, READING)
        require_keys(earlier, columns.absent, table.columns, table.path)
        self.notes = absent_notes(earlier, columns.absent, table.name)
        for row in table:
            if isinstance(row, BadRow):
                raise DataProblem(row.message, table.path, row.line, row.help)
            values = columns.values(row.cells)
            if values.get(earlier.status.name) == REFUSED:
                continue
            found = _converted(earlier, values, table.path, row.line)
            key = tuple(found[decl.name] for decl in earlier.keys)
            if None in key:
                self._keyless += 1
                continue
            date = found[DATE] or earlier.decided
            if date is None:
                raise undated(table.path, row.line)
            if key in lines:
                raise repeated(key, table.path, row.line, lines[key])
            lines[key] = row.line
            self.later += date > as_of
            self._found[key] = from_row(found, date) or {}

    def of(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs of a customer that stand for its previous decision."""
        try:
            key = tuple(convert(values.get(decl.name), decl.type) for decl in self._keys)
        except Refusal:
            return {}
        found = self._found.get(key)
        if found is None:
            return {}
        self._claimed.add(key)
        return {
            name: value for program in self._programs
            for name, value in previous_inputs(program, found, self._as_of).items()
        }

    def unclaimed(self) -> int:
        """Decisions of keys that no customer had."""
        return self._keyless + len(self._found) - len(self._claimed)


def _converted(earlier: Earlier, values: Mapping[str, Any], path: str, line: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for decl in earlier.declared:
        value = values.get(decl.name)
        if (problem := misread(decl, value, path, line)) is not None:
            raise problem
        found[decl.name] = None if _too_large(decl, value) else convert(value, decl.type)
    return found


def _too_large(decl: InputDecl, value: Any) -> bool:
    """Whether it is a number, but one that no decision gives: it is no value of it, as others are not."""
    return decl.type.kind in dt.NUMERIC and type(value) in (int, float) and abs(value) > LIMIT


def opened(
    earlier: Earlier, table: Callable[[str], Table], programs: Sequence[ir.Program], as_of: datetime.date
) -> Decisions:
    """Read the whole of it; raises DataProblem."""
    with table(earlier.place) as rows:
        return Decisions(earlier, rows, programs, as_of)
