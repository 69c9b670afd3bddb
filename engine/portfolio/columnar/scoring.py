"""Scorers within a columnar run: decide what they are asked, ask in Arrow batches, put the answers beside the rows."""
from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
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
from engine.portfolio.request import FAILURES
from engine.portfolio.scored import Told, failure_text
from engine.records import Record
from engine.scoring.batch import LISTS, TYPES, Answers, answers, nobody
from engine.scoring.bound import Bound
from engine.scoring.single import recorded

#: Rows that a scorer is asked for at once.
BATCH = 65_536
Histories = Mapping[str, tuple[str, str, Mapping[str, Column], str | None]]


class Join(Record):
    """A file of answers by ordinal; `shown` are SQL expressions over `c` (the row) and `a` (its answers), `failures` is
    one over `a` that lists why models gave none."""

    path: str
    shown: tuple[str, ...]
    failures: str


class Account(Record):
    """What came of a model for one customer: `given` says that the answer came with the data; `why` its scorer failed,
    None where it did not, and `reasons` are all that it gave."""

    given: bool
    why: str | None
    reasons: Sequence[str]


class Asker:
    """Asks the models of one run. `extras` are what stands beside the outcomes: failures, and the trace, for which what
    came of each customer's models is kept."""

    def __init__(
        self, session: Session, scorers: Mapping[str, Bound], wanted: Collection[str], as_of: datetime.date,
        told: dict[str, Told], extras: Collection[str],
    ) -> None:
        self.session = session
        self.scorers = scorers
        self.wanted = wanted
        self.as_of = as_of
        self.told = told
        self.traced = "trace" in extras
        self.marks = FAILURES in extras
        self._joins: list[Join] = []
        #: By input, the columns of its answers, one for each version of the policy.
        self._columns: dict[str, list[Column]] = {}
        self._kept: list[tuple[str, tuple[str, ...]]] = []

    def answered(
        self, program: ir.Program, relation: str, columns: Mapping[str, Column], histories: Histories
    ) -> tuple[str, dict[str, Column]]:
        """Ask for every row of a relation that is not refused; the relation with the answers beside its rows, and
        its columns by declared input."""
        found = dict(columns)
        for stage in stages([m for m in program.models if m.decision in self.wanted], program):
            join, added = self._stage(program, stage, relation, found, histories)
            relation = _beside(self.session, relation, join, self.marks)
            found.update(added)
            self._joins.append(join)
            for name, column in added.items():
                self._columns.setdefault(name, []).append(column)
        return relation, found

    def beside(self, customers: Relation) -> Relation:
        """The customers with all answers so far, which different versions may have given."""
        relation = customers.name
        for join in self._joins:
            relation = _beside(self.session, relation, join)
        columns = {name: Column(f"answer_{at}", found[0].bad) for at, (name, found) in enumerate(self._columns.items())}
        shown = [
            f"coalesce({', '.join(c.name for c in self._columns[name])}) AS {column.name}"
            for name, column in columns.items()
        ]
        view = self.session.name("answered")
        self.session.run(f"CREATE TEMP VIEW {view} AS SELECT {', '.join(['*', *shown])} FROM {relation}")
        return customers.replace(name=view, columns={**customers.columns, **columns})

    def failures(self, lines: Sequence[int]) -> dict[int, list[str]]:
        """Which models failed for some customers, and why, by their ordinals."""
        found: dict[int, list[str]] = {}
        for join in self._joins:
            rows = self.session.rows(
                f"SELECT {ORDINAL}, {join.failures} AS failures FROM read_parquet(?) a "
                f"WHERE len(failures) > 0 AND {ORDINAL} IN (SELECT unnest(?::BIGINT[]))", [join.path, list(lines)],
            )
            for line, texts in rows:
                found.setdefault(line, []).extend(texts)
        return found

    def accounts(self, lines: Sequence[int]) -> dict[int, dict[str, Account]]:
        """What came of the models of some customers, by their ordinals, by decision."""
        found: dict[int, dict[str, Account]] = {line: {} for line in lines}
        for path, decisions in self._kept:
            rows = self.session.rows(
                f"SELECT * FROM read_parquet(?) WHERE {ORDINAL} IN (SELECT unnest(?::BIGINT[]))", [path, list(lines)]
            )
            for line, *cells in rows:
                for at, decision in enumerate(decisions):
                    given, why, reasons = cells[3 * at:3 * at + 3]
                    found[line][decision] = Account(given, why, reasons or ())
        return found

    def tell(self, decision: Any, mine: Mapping[str, Account]) -> None:
        """Put what came of its models into the account of a customer who is decided with the answers beside them."""
        decls = {model.decision: model for model in decision.program.models}
        told = []
        for name, scored in decision.models.items():
            account, model = mine.get(name), decls[name]
            if account is not None and not account.given:
                scored = recorded(scored, model, self.scorers.get(model.model), account.why, account.reasons)
            told.append(scored)
        decision.told_of_models(told)

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
        with ExitStack() as files:
            writer = files.enter_context(pq.ParquetWriter(path, schema))
            keeping = files.enter_context(self._keeping(stage)) if self.traced else None
            for batch in self._batches(query):
                table = pa.Table.from_batches([batch]).rename_columns(what)
                found = list(self._asked(stage, table))
                _write(writer, table, (c for model, _, answer in found for c in _columns(model, answer)))
                if keeping is not None:
                    _write(keeping, table, (c for _, given, answer in found for c in (given, answer.why, answer.given)))
        return _taken_up(self.session, parts, columns, path)

    def _batches(self, query: str) -> Iterator[pa.RecordBatch]:
        return iter(
            self.session.connection.sql(query, params={"as_of": self.as_of}).to_arrow_reader(BATCH)
        )

    def _keeping(self, stage: Sequence[ir.ModelDecl]) -> pq.ParquetWriter:
        """A file of what came of each customer's models, which `accounts` reads."""
        path = self.session.path(".parquet")
        self._kept.append((path, tuple(model.decision for model in stage)))
        kinds = [pa.bool_(), pa.string(), LISTS] * len(stage)
        return pq.ParquetWriter(path, pa.schema([(ORDINAL, pa.int64()), *((f"k{n}", k) for n, k in enumerate(kinds))]))

    def _asked(self, stage: Sequence[ir.ModelDecl], table: pa.Table) -> Iterator[tuple[ir.ModelDecl, Any, Answers]]:
        """The models' answers for a batch, and for whom they came with the data."""
        for model in stage:
            known = [pc.is_valid(table.column(n)) for n in (model.answer, model.failed) if n in table.column_names]
            given = known[0] if len(known) == 1 else pc.or_(*known) if known else None
            arguments = pa.table([table.column(name) for _, name in model.args], [key for key, _ in model.args])
            answer = self._ask(model, arguments, table.num_rows, given)
            yield model, pa.repeat(False, table.num_rows) if given is None else given, answer

    def _ask(self, model: ir.ModelDecl, arguments: pa.Table, rows: int, given: Any) -> Answers:
        bound = self.scorers.get(model.model)
        if bound is None:
            return nobody(model, rows)
        found = answers(model, bound, arguments, rows, None if given is None else pc.invert(given))
        told = self.told.setdefault(model.model, Told(bound.kind, bound.version))
        told.add(found.asked, found.failures, found.singly)
        return found


def _write(writer: pq.ParquetWriter, table: pa.Table, columns: Iterable[Any]) -> None:
    """Write columns behind the ordinals of the customers."""
    names = writer.schema.names
    writer.write_table(pa.table([table.column(ORDINAL), *columns], names=names).cast(writer.schema))


def _columns(model: ir.ModelDecl, answer: Answers) -> list[pa.Array]:
    """The parts of a model's answers, in the order of `_parts`."""
    return [answer.value, answer.failed, *(answer.reasons[reason] for reason, _ in model.reasons), answer.why]


class _Part(Record):
    """A column of a file of answers, for the input `name`; `why`: it says why there is no value for this input."""

    name: str
    column: str
    type: pa.DataType
    why: bool = False


def _parts(stage: Sequence[ir.ModelDecl]) -> list[_Part]:
    found: list[_Part] = []
    for model in stage:
        flags = [(model.failed, pa.bool_()), *((flag, pa.bool_()) for _, flag in model.reasons)]
        for name, kind in [(model.answer, TYPES[model.type.kind]), *flags]:
            found.append(_Part(name, f"c{len(found) + 1}", kind))
        found.append(_Part(model.answer, f"c{len(found) + 1}", pa.string(), why=True))
    return found


def _taken_up(
    session: Session, parts: Sequence[_Part], columns: Mapping[str, Column], path: str
) -> tuple[Join, dict[str, Column]]:
    """The file as columns of a relation; what the data brought themselves goes before."""
    shown, added, failures = [], {}, []
    for part in parts:
        cell = f"a.{part.column}"
        if part.why:
            failures.append(f"{session.variable(failure_text(part.name, ''))} || {cell}")
            continue
        name = f"answer_{path.rpartition('_')[2].partition('.')[0]}_{part.column}"
        brought = columns.get(part.name)
        shown.append(f"{cell if brought is None else f'coalesce(c.{brought.name}, {cell})'} AS {name}")
        added[part.name] = Column(name, None if brought is None else brought.bad)
    listed = f"list_filter([{', '.join(failures)}], lambda x: x IS NOT NULL)"
    return Join(path, tuple(shown), listed), added


def _beside(session: Session, relation: str, join: Join, marks: bool = False) -> str:
    """A relation with answers beside its rows; `marks`: with their failures among its own."""
    view = session.name("answered")
    whole = f"c.* REPLACE (list_sort(list_distinct(list_concat(c.{FAILURES}, {join.failures}))) AS {FAILURES})"
    session.run(
        f"CREATE TEMP VIEW {view} AS SELECT {', '.join([whole if marks else 'c.*', *join.shown])} FROM {relation} c "
        f"LEFT JOIN read_parquet({session.variable(join.path)}) a USING ({ORDINAL})"
    )
    return view
