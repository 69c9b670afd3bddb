"""Why rows are refused, in the words of the one-by-one path.

The statement only says which rows are refused. Their cells, and the events that belong to them, are fetched again and
put before the door that every customer of the one-by-one path passes (`engine.ir.door`), so that messages and hints
are the very same. What it finds stands in a table `problems`, a row a refused customer.
"""
from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from engine.ir import nodes as ir
from engine.ir.door import Fault, admit_history, admit_inputs
from engine.portfolio.binding import Reading, advice
from engine.portfolio.columnar.binding import ORDINAL, Relation, given
from engine.portfolio.columnar.cells import JSON
from engine.portfolio.columnar.formats import as_engine
from engine.portfolio.columnar.session import Session
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import Policy, Request
from engine.portfolio.shared import faults_text, key_faults
from engine.portfolio.writing import cell, json_text, numbered
from engine.records import Record
from engine.render import visible
from engine.semantics import dtypes as dt

TABLE = "problems"
_BATCH = 5_000
#: What a key of each kind is in Python when it was read from its column.
_PYTHON: dict[str, type] = {
    dt.STRING: str, dt.NUMBER: float, dt.MONEY: float, dt.BOOLEAN: bool, dt.DATE: datetime.date,
    dt.DATE_TIME: datetime.datetime, dt.TIME: datetime.time,
}
#: The place of a refused customer's events.
Events = dict[Any, list[tuple[int, dict[str, Any]]]]
#: The inputs, histories and decisions for which the statement refuses a customer; None where that is not known.
Accused = frozenset[str] | None
#: Between these names, where they stand as one text.
BETWEEN = "\x1f"


class EventTable(Record):
    """A bound event table: which declaration it is of, and the input that owns its rows. `links` is a view of the
    values of its key (`k`) and the customers (`o`) of the rows above to which its rows belong, where they do."""

    decl: ir.HistoryDecl
    owner: str
    relation: Relation
    links: str | None = None


class Problem(Record):
    """A refused row. `keys` are its keys as text, None where they stand among the results already."""

    line: int
    key: str
    message: str
    help: str | None
    names: Sequence[str]
    keys: Sequence[str | None]
    #: Whether the run may not go on behind it.
    stops: bool = False


class Problems:
    """The table of refused rows."""

    def __init__(self, session: Session, width: int) -> None:
        self.session = session
        self.width = width
        self.count = 0
        keys = "".join(f", k{at} VARCHAR" for at in range(width))
        session.run(
            f"CREATE OR REPLACE TEMP TABLE {TABLE} "
            f"({ORDINAL} BIGINT, key VARCHAR, message VARCHAR, help VARCHAR, names VARCHAR[], stops BOOLEAN{keys})"
        )

    def add(self, found: Sequence[Problem]) -> None:
        if not found:
            return
        self.count += len(found)
        lists: list[list[Any]] = [
            [p.line for p in found], [p.key for p in found], [p.message for p in found], [p.help for p in found],
            [list(p.names) for p in found], [p.stops for p in found],
            *([p.keys[at] for p in found] for at in range(self.width)),
        ]
        keys = "".join(", unnest(?::VARCHAR[])" for _ in range(self.width))
        self.session.run(
            f"INSERT INTO {TABLE} SELECT unnest(?::BIGINT[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), "
            f"unnest(?::VARCHAR[]), unnest(?::VARCHAR[][]), unnest(?::BOOLEAN[]){keys}", lists,
        )

    def stop(self, strict: bool, path: str) -> None:
        """Raise DataProblem at the first row that ends the run."""
        found = self.session.rows(
            f"SELECT {ORDINAL}, key, message, help FROM {TABLE} WHERE stops OR ? ORDER BY {ORDINAL} LIMIT 1", [strict]
        )
        for line, key, message, help in found:
            place = f"`{key}`: " if key else ""
            raise DataProblem(place + visible(message), path, line, help)

    def within(self, rows: tuple[int, int] | None) -> tuple[str, int]:
        """The relation of the refused rows, of those within `rows` where it is given, and how many these are."""
        if rows is None:
            return TABLE, self.count
        view = self.session.name("problems")
        self.session.run(
            f"CREATE TEMP VIEW {view} AS SELECT * FROM {TABLE} "
            f"WHERE {ORDINAL} >= {int(rows[0])} AND {ORDINAL} <= {int(rows[1])}"
        )
        (number,) = self.session.row(f"SELECT count(*) FROM {view}")
        return view, int(number)


class Door:
    """Puts single rows of the bound tables before the one-by-one path."""

    def __init__(
        self, session: Session, policy: Policy, request: Request, customers: Relation,
        events: Mapping[str, EventTable], keys: Sequence[str], reading: Reading, json: bool,
        only: Sequence[str] | None,
    ) -> None:
        self.session = session
        self.policy = policy
        self.request = request
        self.only = only
        self.customers = customers
        self.events = events
        self.keys = keys
        self.reading = reading
        self.json = json
        #: Whose own rules may refuse a customer.
        self.decisions = frozenset(d.name for version in policy.versions for d in version.program.decisions)
        #: By history, the keys of customers whose events could not be had.
        self.lost: dict[str, set[Any]] = {}

    def rows(self, query: str) -> Iterator[list[tuple[int, dict[str, Any]]]]:
        """Line and values of the rows whose ordinals a query gives, in order, some at a time."""
        names = list(self.customers.columns)
        kinds = self.kinds()
        cells = _selected(self.customers, names)
        asked = f"SELECT {ORDINAL}, {cells} FROM {self.customers.name} WHERE {ORDINAL} IN ({query}) ORDER BY {ORDINAL}"
        for batch in self.session.batches(asked, _BATCH):
            yield [(line, values_of(self.customers, names, kinds, row, self.reading)) for line, *row in batch]

    def kinds(self) -> dict[str, dt.Type]:
        programs = [version.program for version in self.policy.versions]
        return {decl.name: decl.type for program in programs for decl in program.inputs}

    def all_events(self, customers: Sequence[dict[str, Any]]) -> dict[str, Events]:
        """The events of some customers by history."""
        return {name: self.events_of(table, customers) for name, table in self.events.items()}

    def accused(self, customers: Sequence[tuple[dict[str, Any], Accused]]) -> dict[str, Events]:
        """The events that some refused customers are to be looked at with: those of the histories that are bad, which
        are few; all of a customer whom a decision refuses."""
        whole = [values for values, names in customers if not self._at_door(names)]
        return {
            name: self.events_of(table, [*whole, *(v for v, names in customers if names and name in names)])
            for name, table in self.events.items()
        }

    def _at_door(self, names: Accused) -> bool:
        """Whether data alone are accused, and no decision."""
        return names is not None and names.isdisjoint(self.decisions)

    def owners(self, table: EventTable, customers: Sequence[dict[str, Any]]) -> list[Any]:
        """The keys by which events belong to some customers; one that could not be read has none."""
        keys = (values.get(table.owner) for values in customers)
        wanted = _PYTHON.get(self.kinds()[table.owner].kind)
        return list({key for key in keys if type(key) is wanted})

    def events_of(self, table: EventTable, customers: Sequence[dict[str, Any]]) -> Events:
        """The events of some customers by key, in the order of their file."""
        relation = table.relation
        owners = self.owners(table, customers)
        names = [n for n in relation.columns if n != table.owner]
        kinds = {field.name: field.type for field in table.decl.fields}
        mine = relation.columns[table.owner].name
        found: Events = defaultdict(list)
        sql = f", {_selected(relation, names)}" if names else ""
        for key, line, *row in self.session.rows(
            f"SELECT {mine}, {ORDINAL}{sql} FROM {relation.name} "
            f"WHERE {mine} IN (SELECT unnest(?)) ORDER BY {ORDINAL}", [owners],
        ) if owners else ():
            values = values_of(relation, names, kinds, row, self.reading)
            if any(field.name == table.owner for field in table.decl.fields):
                values[table.owner] = key
            found[key].append((line, values))
        return found

    def history(self, values: Mapping[str, Any], events: Mapping[str, Events]) -> dict[str, Any] | None:
        if not events:
            return None
        found = {}
        for name, rows in events.items():
            owner = values.get(self.events[name].owner)
            lost = owner in self.lost.get(name, ())
            found[name] = None if lost else [row for _, row in rows.get(owner, ())]
        return found

    def refuse(
        self, program: ir.Program | None, values: dict[str, Any], events: Mapping[str, Events], line: int,
        accused: Accused,
    ) -> Problem:
        """What the one-by-one path says of a row that the statement refuses; `program` is None where the row itself
        picks its version. Of the events there need be those that `accused` gives."""
        at_door = self._at_door(accused)
        history = self.history(values, events)
        if history is not None and accused is not None and at_door:
            history = {name: rows for name, rows in history.items() if name in accused}
        faults = () if program is None else self._faults(program, values, history)
        names: Sequence[str] = list(dict.fromkeys(fault.name for fault in faults))
        if not faults and not at_door:
            decision = self.policy.decide(values, as_of=self.request.as_of, history=history, only=self.only)
            names, faults = decision.refused, decision.faults
        if not faults:
            raise DataProblem(
                "the engines disagree about this row: SQL refuses it, the one-by-one path does not",
                self.customers.path, line, help="add `--engine python`, and report the policy and the row",
            )

        def place(name: str, number: int) -> str | None:
            table = self.events.get(name)
            if table is None:
                return None
            return f"line {events[name][values[table.owner]][number - 1][0]} of {table.relation.shown}"

        text = faults_text(faults, place)
        hints = dict.fromkeys(h for name in names if (h := self.hint(name, values.get(name))) is not None)
        return Problem(
            line, self.key(values), text, "; ".join(hints) or None, names, self.written(values),
            any(fault.stops for fault in faults),
        )

    def _faults(self, program: ir.Program, values: dict[str, Any], history: dict[str, Any] | None) -> tuple[Fault, ...]:
        """What the door finds, which is most of what there is; the reference need not be asked then."""
        reach = self.policy.cone(program, self.only)
        faults = admit_inputs(program, reach, values)[1]
        if reach.relations:
            faults = (*faults, *admit_history(program, reach, history, self.request.as_of)[1])
        return faults

    def unread_key(self, values: Mapping[str, Any], line: int) -> Problem:
        """What is said of a row whose key is not what it is declared to be."""
        message, names = key_faults(values, self.keys, self.kinds())
        hints = dict.fromkeys(h for name in names if (h := self.hint(name, values.get(name))) is not None)
        key = "" if any(isinstance(values.get(name), (list, dict)) for name in names) else self.key(values)
        return Problem(line, key, message, "; ".join(hints) or None, names, self.written(values))

    def hint(self, name: str, value: Any) -> str | None:
        if not isinstance(value, str) or self.customers.contents.get(name, JSON) == JSON:
            return None
        kind = self.kinds()[name]
        if kind.kind in dt.NUMERIC and value.lstrip("-").isdigit() and self.customers.contents[name] != "text":
            return "it has more digits than a number keeps; where it is an identifier, declare it as a string"
        return advice(value, kind)

    def key(self, values: Mapping[str, Any]) -> str:
        return ", ".join(cell(values[name]) for name in self.keys if values.get(name) is not None)

    def written(self, values: Mapping[str, Any]) -> list[str | None]:
        """The keys as the results show them: as JSON in JSON lines, else as text."""
        found = [values.get(name) for name in self.keys]
        if self.json:
            return [None if value is None else json_text(numbered(value)) for value in found]
        return [None if value is None else cell(value) for value in found]


def _selected(relation: Relation, names: Sequence[str]) -> str:
    """SQL of the cells of a relation: each value, and the odd cell where there may be one."""
    shown = []
    for name in names:
        column = relation.columns[name]
        shown.append(column.name)
        odd = relation.cells.get(name)
        shown.append("NULL" if odd is None or column.bad is None else f"CASE WHEN {column.bad} THEN {odd} END")
    return ", ".join(shown) or "NULL"


def values_of(
    relation: Relation, names: Sequence[str], kinds: Mapping[str, dt.Type], row: Sequence[Any], how: Reading
) -> dict[str, Any]:
    """Values by declared name, as the one-by-one path gets them from its reader."""
    found: dict[str, Any] = {}
    for at, name in enumerate(names):
        value, odd = row[2 * at], row[2 * at + 1]
        kind = kinds.get(name)
        if odd is None:
            found[name] = value if kind is None else as_engine(value, kind.replace(whole=False))
        elif kind is not None and kind.kind in dt.NUMERIC and type(odd) in (int, Decimal):
            found[name] = str(odd)                      # more digits than a number keeps
        else:
            parse = how.parser(kind) if kind is not None else str
            found[name] = given(odd, relation.contents[name], how, parse)
    return found


