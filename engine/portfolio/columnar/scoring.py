"""Scorers within a columnar run: decide what they are asked, ask in Arrow batches, put the answers beside the rows."""
from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine.backends.sql.tables import Column
from engine.ir import nodes as ir
from engine.ir.models import stages
from engine.portfolio.columnar.binding import ORDINAL, Relation
from engine.portfolio.columnar.deciding import source_of, statement
from engine.portfolio.columnar.session import Session
from engine.portfolio.scored import Told
from engine.records import Record
from engine.scoring.batch import TYPES, Answers, answers, nobody
from engine.scoring.bound import Bound

#: Rows that a scorer is asked for at once.
BATCH = 65_536
Histories = Mapping[str, tuple[str, str, Mapping[str, Column], str | None]]


class Join(Record):
    """A file of answers by ordinal; `shown` are SQL expressions over `c` (the row) and `a` (its answers)."""

    path: str
    shown: tuple[str, ...]


class Asker:
    """Asks the models of one run."""

    def __init__(
        self, session: Session, scorers: Mapping[str, Bound], wanted: Collection[str], as_of: datetime.date,
        told: dict[str, Told],
    ) -> None:
        self.session = session
        self.scorers = scorers
        self.wanted = wanted
        self.as_of = as_of
        self.told = told
        self._joins: list[Join] = []
        self._columns: dict[str, Column] = {}

    def answered(
        self, program: ir.Program, relation: str, columns: Mapping[str, Column], histories: Histories
    ) -> tuple[str, dict[str, Column]]:
        """Ask for every row of a relation that is not refused; the relation with the answers beside its rows, and
        its columns by declared input."""
        found = dict(columns)
        for stage in stages([m for m in program.models if m.decision in self.wanted], program):
            join, added = self._stage(program, stage, relation, found, histories)
            relation = _beside(self.session, relation, join)
            found.update(added)
            self._joins.append(join)
            self._columns.update(added)
        return relation, found

    def beside(self, customers: Relation) -> Relation:
        """The customers with all answers so far, which different versions may have given."""
        relation = customers.name
        for join in self._joins:
            relation = _beside(self.session, relation, join)
        return customers.replace(name=relation, columns={**customers.columns, **self._columns})

    def _stage(
        self, program: ir.Program, stage: Sequence[ir.ModelDecl], relation: str, columns: Mapping[str, Column],
        histories: Histories,
    ) -> tuple[Join, dict[str, Column]]:
        brought = {columns[n].name: n for m in stage for n in (m.answer, m.failed) if n in columns}
        kept = [ORDINAL, *brought]
        names = [name for model in stage for _, name in model.args]
        made = statement(program, names, source_of(relation, columns, histories), kept, ())
        left = iter([ORDINAL, *brought.values()])
        what = [next(left) if c.kind == "kept" else c.decision if c.kind == "value" else c.kind for c in made.columns]
        listed = ", ".join(f"a{at}" for at in range(len(what)))
        status = f"a{what.index('status')}"
        query = f"SELECT * FROM ({made.sql}) AS q({listed}) WHERE {status} <> 'refused'"
        parts = _parts(stage)
        schema = pa.schema([(ORDINAL, pa.int64()), *((part.column, part.type) for part in parts)])
        path = self.session.path(".parquet")
        with pq.ParquetWriter(path, schema) as writer:
            for batch in self._batches(query):
                table = pa.Table.from_batches([batch]).rename_columns(what)
                writer.write_table(pa.table(self._asked(stage, table), names=schema.names).cast(schema))
        return _taken_up(parts, columns, path)

    def _batches(self, query: str) -> Iterator[pa.RecordBatch]:
        return iter(
            self.session.connection.sql(query, params={"as_of": self.as_of}).to_arrow_reader(BATCH)
        )

    def _asked(self, stage: Sequence[ir.ModelDecl], table: pa.Table) -> list[Any]:
        """The answers for a batch, one column for each part, in order."""
        found: list[Any] = [table.column(ORDINAL)]
        for model in stage:
            known = [pc.is_valid(table.column(n)) for n in (model.answer, model.failed) if n in table.column_names]
            given = known[0] if len(known) == 1 else pc.or_(*known) if known else None
            arguments = pa.table([table.column(name) for _, name in model.args], [key for key, _ in model.args])
            answer = self._ask(model, arguments, table.num_rows, given)
            found.extend((answer.value, answer.failed, *(answer.reasons[reason] for reason, _ in model.reasons)))
        return found

    def _ask(self, model: ir.ModelDecl, arguments: pa.Table, rows: int, given: Any) -> Answers:
        bound = self.scorers.get(model.model)
        if bound is None:
            return nobody(model, rows)
        found = answers(model, bound, arguments, rows, None if given is None else pc.invert(given))
        told = self.told.setdefault(model.model, Told(bound.kind, bound.version))
        told.add(found.asked, found.failures)
        return found


class _Part(Record):
    """A column of a file of answers, for the input `name`."""

    name: str
    column: str
    type: pa.DataType


def _parts(stage: Sequence[ir.ModelDecl]) -> list[_Part]:
    found: list[_Part] = []
    for model in stage:
        flags = [(model.failed, pa.bool_()), *((flag, pa.bool_()) for _, flag in model.reasons)]
        for name, kind in [(model.answer, TYPES[model.type.kind]), *flags]:
            found.append(_Part(name, f"c{len(found) + 1}", kind))
    return found


def _taken_up(parts: Sequence[_Part], columns: Mapping[str, Column], path: str) -> tuple[Join, dict[str, Column]]:
    """The file as columns of a relation; what the data brought themselves goes before."""
    shown, added = [], {}
    for part in parts:
        name = f"answer_{path.rpartition('_')[2].partition('.')[0]}_{part.column}"
        brought = columns.get(part.name)
        cell = f"a.{part.column}"
        shown.append(f"{cell if brought is None else f'coalesce(c.{brought.name}, {cell})'} AS {name}")
        added[part.name] = Column(name, None if brought is None else brought.bad)
    return Join(path, tuple(shown)), added


def _beside(session: Session, relation: str, join: Join) -> str:
    """A relation with answers beside its rows."""
    view = session.name("answered")
    session.run(
        f"CREATE TEMP VIEW {view} AS SELECT {', '.join(['c.*', *join.shown])} FROM {relation} c "
        f"LEFT JOIN read_parquet({session.variable(join.path)}) a USING ({ORDINAL})"
    )
    return view
