"""A policy's customers through an engine of columns: those outcomes that it carries out, each policy in one query.

What is not carried out narrows the outcomes that are compared, and is counted by the reason.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Sequence

import duckdb

from engine.backends.sql.memory import Customer as Held
from engine.backends.sql.memory import load, source_of
from engine.backends.sql.planner import restrain
from engine.backends.sql.program import EXTRAS, Query, compile_program
from engine.backends.sql.relations import Expressions
from engine.backends.sql.run import Row, decoded
from engine.backends.support import Support, Unsupported
from engine.ir import nodes as ir
from engine.ir.reads import Cone, cone
from tests.differential.customers import Customer

OPENING = "does not carry out "


class Columnar:
    """What DuckDB makes of one program. `outcomes` are the shown decisions that it carries out, in declared order;
    `lacks` counts those left out by what is lacking (an outcome that lacks two things counts twice)."""

    engine = "duckdb"
    support: Support = Expressions.support()

    def __init__(self, program: ir.Program) -> None:
        self.program = program
        self.source = source_of(program)
        self.shown = [n for n in program.declared if any(d.name == n and not d.internal for d in program.decisions)]
        self.lacks: Counter[str] = Counter()
        self.outcomes, self.query = self.carried_out()
        self.reach: Cone = cone(program, self.outcomes)
        self.text = self.query.sql("duckdb") if self.query is not None else ""

    @property
    def whole(self) -> bool:
        """Whether every outcome is carried out."""
        return len(self.outcomes) == len(self.shown)

    def carried_out(self) -> tuple[list[str], Query | None]:
        if not self.shown:
            return [], None
        try:
            return self.shown, self.compile(self.shown)
        except Unsupported:
            found = []
        for name in self.shown:
            lacking = self.lacking([name])
            if lacking:
                self.lacks.update(lacking)
            else:
                found.append(name)
        return found, self.compile(found) if found else None

    def compile(self, names: Sequence[str]) -> Query:
        return compile_program(self.program, names, self.source, ["n"], EXTRAS)

    def lacking(self, names: Sequence[str]) -> set[str]:
        try:
            compile_program(self.program, names, self.source)
        except Unsupported as found:
            return {d.message.partition(OPENING)[2] or d.message for d in found.diagnostics}
        return set()

    def decide(self, customers: Sequence[Customer]) -> list[Row]:
        """The customers' rows, in their order; customers of one date are decided together."""
        assert self.query is not None
        found: dict[int, Row] = {}
        for as_of, places in by_date(customers):
            held = [Held(customers[p]["inputs"], customers[p]["history"]) for p in places]
            with duckdb.connect() as connection:
                restrain(connection)
                connection.execute("SET threads = 1; SET enable_progress_bar = false")
                load(connection, self.program, held)
                for cells in connection.execute(self.text, {"as_of": as_of}).fetchall():
                    row = decoded(self.query, cells)
                    found[places[row.kept[0]]] = row
        return [found[n] for n in range(len(customers))]


def by_date(customers: Sequence[Customer]) -> Iterator[tuple[datetime.date, list[int]]]:
    """The places of customers by their date."""
    found: dict[str, list[int]] = {}
    for place, customer in enumerate(customers):
        found.setdefault(customer["as_of"], []).append(place)
    for text, places in found.items():
        yield datetime.date.fromisoformat(text), places
