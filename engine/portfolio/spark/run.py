"""A run of the Spark engine, from the request to the summary.

Spark reads Parquet, joins events and decides. What it decided is set aside as Parquet, one row a customer, and from
there on counted, refused and written as the columnar engine does it: by the embedded database, on this machine.
"""
from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from engine.backends.sql.program import compile_program
from engine.backends.sql.spark import run as carried_out
from engine.backends.sql.tables import Customers, Events, Source
from engine.backends.support import Unsupported
from engine.diagnostics import Diagnostic
from engine.ir import nodes as ir
from engine.portfolio.binding import Declared
from engine.portfolio.columnar import run as columnar
from engine.portfolio.columnar.binding import ORDINAL, require_key
from engine.portfolio.columnar.deciding import Staged, Statement, described, stage
from engine.portfolio.columnar.keys import keys_of
from engine.portfolio.columnar.locations import located, shown_place
from engine.portfolio.columnar.owning import owned
from engine.portfolio.columnar.previous import read
from engine.portfolio.columnar.refusals import EventTable, Problems
from engine.portfolio.columnar.selection import Selected, where_name
from engine.portfolio.columnar.session import Session, guarded
from engine.portfolio.columnar.sources import opened
from engine.portfolio.columnar.versions import reading_date
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import KEEP, STOP, Listener, Policy, Request, Summary
from engine.portfolio.scored import require_answers
from engine.portfolio.shared import NULL_KEY, REPEATED, Usage, link_of, require_columns
from engine.portfolio.spark.door import SparkDoor
from engine.portfolio.spark.events import advice, claimed
from engine.portfolio.spark.events import owned as joined
from engine.portfolio.spark.keys import Keyed, orphans
from engine.portfolio.spark.previous import Beside
from engine.portfolio.spark.session import reading, started, watched
from engine.portfolio.spark.tables import Table, handed_over, is_native, is_url, local, parquet


def run(policy: Policy, request: Request, listener: Listener) -> Summary:
    """Decide the portfolio; raises DataProblem, Usage and Unsupported, the last two before anything is read."""
    begun = time.monotonic()
    place = shown_place(request.data)
    with Session(None, request.threads) as session, guarded(place, place):
        found = SparkRun(session, policy, request, listener)
        found.require()
        with started(request, session.folder) as spark:
            found.spark = spark
            with reading(place, place, "decided"):
                found.open()
                results = found.decide(session.path(".parquet"))
        found.finish(results)
        return found.summary(time.monotonic() - begun)


class SparkRun(columnar.Run):
    """One run; its steps are called in order. What is of the embedded database alone is done as by `columnar.Run`."""

    engine = "spark"
    spark: Any
    data: Table
    tables: dict[str, Table]

    def require(self) -> None:
        """Refuse what Spark does not carry out; raises Unsupported and Usage."""
        gaps: list[Diagnostic] = []
        asked = [(program, self._outcomes(program)) for program in self.programs]
        if self.where is not None:
            asked.append((self.where.program, [where_name(self.where)]))
        for program, outcomes in asked:
            try:
                compile_program(program, outcomes, extras=self._extras, lists=True, dialect="spark")
            except Unsupported as lacking:
                gaps += [gap for gap in lacking.diagnostics if gap not in gaps]
        if gaps:
            raise Unsupported(*gaps)
        models = [m for program in self.programs for m in program.models if m.decision in self.asked]
        for model in models:
            if model.model in self.policy.scorers:
                raise Usage(f"the model `{model.model}` is not asked in Spark: leave `--engine spark` out")
        for place in (self.request.out, self.request.rejects, self.request.previous):
            if place is not None and is_url(place):
                raise Usage(f"`{place}` is beyond this machine, which reads it or writes to it: name a file here")
        for place in self.request.read:
            if is_url(place) and not is_native(place, self.request.options):
                raise Usage(f"`{place}` is beyond this machine, so it must be Parquet")

    # --- tables ---------------------------------------------------------------------------------------

    def open(self) -> None:
        request, inputs = self.request, self.layout.inputs
        asked = [d for d in inputs.values() if self.earlier is None or not d.previous]
        kinds = {d.name: d.type for d in inputs.values()}
        native = is_native(request.data, request.options)
        if native:
            self.data = parquet(self.spark, located(request.data), asked, self.reading)
            self.table = self.data.relation
        else:
            self.table = opened(self.session, request.data, asked, request.options, self.reading)
        self.customers = customers = self.table
        needed = set.intersection(*(set(self.policy.cone(p, self.only).inputs) for p in self.programs))
        require_columns(customers.absent, needed, inputs, customers.names, set(customers.columns), customers.path)
        require_answers(self.programs, self.asked, (), customers.columns)
        self._open_events()
        if native:
            self._remember_in_spark()
        else:
            self._remember()
            self.data = handed_over(self.session, self.spark, self.customers, kinds)
        self.customers = self.data.relation if native else self.customers
        self.key = keys_of(self.customers, self.layout.keys)
        self._select()
        self.door = door = SparkDoor(
            self.session, self.policy, request, self.customers, self.events, self.layout.keys, self.reading,
            self.target.form == "jsonl", self.only,
        )
        door.data, door.frames = self.data, self.tables
        self._keys()

    def _open_events(self) -> None:
        """Open every event table. One whose rows belong to those of another is in Spark or not as that one is."""
        self.events, self.tables = {}, {}
        chains = {decl.of for decl, _, _ in self.histories.values() if decl.of is not None}
        chained = {name for name, (decl, _, _) in self.histories.items() if decl.of is not None or name in chains}
        together = all(is_native(self.histories[name][2], self.request.options) for name in chained)
        for name, (decl, owner, place) in self.histories.items():
            link = owner if decl.of is None else link_of(decl)
            fields: list[Declared] = [link, *(field for field in decl.fields if field.name != link.name)]
            kinds = {field.name: field.type for field in fields} | {owner.name: owner.type}
            if is_native(place, self.request.options) and (name not in chained or together):
                table = parquet(self.spark, located(place), fields, self.reading)
                relation = table.relation
                self._judge_events(place, name, link.name, fields, table)
                made = EventTable(decl, owner.name, relation)
                if decl.of is not None:
                    made, table = joined(made, table, self.events[decl.of], self.tables[decl.of], link.name)
                self.events[name], self.tables[name] = made, table
                continue
            if is_url(place):
                raise Usage(
                    f"`{place}` is read by Spark, and the tables that its rows belong to, or theirs to its, are not: "
                    "give all of them as Parquet"
                )
            relation = opened(self.session, place, fields, self.request.options, self.reading)
            self._judge_events(place, name, link.name, fields, Table(relation, None, True))
            made = EventTable(decl, owner.name, relation)
            if decl.of is not None:
                made = owned(self.session, made, self.events[decl.of], link.name)
            self.events[name] = made
            self.tables[name] = handed_over(self.session, self.spark, made.relation, kinds)

    def _judge_events(self, place: str, name: str, key: str, fields: Sequence[Declared], table: Table) -> None:
        require_key(table.relation, name, key)
        if table.held:
            self._claim(name, key, table.relation)
            self._advise(place, table.relation, fields)
        else:
            told = claimed(table, name, key, self.request.on_keyless_event)
            self.notes.extend([] if told is None else [told])
            for note in advice(place, table, fields, self.reading):
                self.listener.note(note)

    def _remember_in_spark(self) -> None:
        """Put the decisions of an earlier run, which the embedded database reads, beside the customers."""
        if self.earlier is None:
            return
        as_of = self.request.as_of
        self.logged = logged = read(self.session, self.earlier, as_of)
        beside = Beside(self.session, self.spark, self.data, self.earlier, logged)
        self.notes.extend(logged.notes)
        if self.request.limit is None:
            self.notes.extend(beside.strangers())
        self.data = beside.joined(as_of, [d.name for d in self.layout.inputs.values() if d.previous])

    # --- which rows, and their keys --------------------------------------------------------------------

    def _select(self) -> None:
        """The rows for which `--where` holds, as many as `--limit` allows."""
        request, relation = self.request, self.customers
        frame, rows, unreadable, untold = self.data.frame, relation.rows, relation.unreadable, 0
        if self.where is not None:
            made = compile_program(
                self.where.program, [where_name(self.where)], Source(Customers("customers", relation.columns), {}),
                [ORDINAL], [], True, dialect="spark",
            )
            kinds = [column.kind for column in made.columns]
            decided = _numbered(carried_out(made, {"customers": frame}, request.as_of))
            holds, refused = F.col(f"a{kinds.index('value')}"), F.col(f"a{kinds.index('status')}") == "refused"
            held = decided.where(holds | refused).select(F.col("a0").alias(ORDINAL), refused.alias("bad"))
            taken = self.spark.read.parquet(local(self._set_aside(held)))
            good, bad = taken.agg(F.count_if(~F.col("bad")), F.count_if(F.col("bad"))).collect()[0]
            rows, untold, unreadable = int(good), int(bad) + len(unreadable), ()
            frame = frame.join(taken.where(~F.col("bad")).select(ORDINAL), ORDINAL, "left_semi")
        if request.limit is not None and rows + len(unreadable) > request.limit:
            lines = [(row.line,) for row in unreadable]
            every = frame.select(ORDINAL).union(self.spark.createDataFrame(lines, f"{ORDINAL} bigint"))
            last = every.orderBy(ORDINAL).limit(request.limit).agg(F.max(ORDINAL)).collect()[0][0]
            last = -1 if last is None else int(last)
            unreadable = [row for row in unreadable if row.line <= last]
            rows = request.limit - len(unreadable)
            frame = frame.where(F.col(ORDINAL) <= F.lit(last))
        self.selected = Selected("", rows, unreadable, untold)
        self.chosen = frame

    def _set_aside(self, frame: DataFrame) -> str:
        """A frame as Parquet in the folder of the session; where it stands."""
        path = self.session.path(".parquet")
        frame.write.parquet(f"file://{path}")
        return path

    def _keys(self) -> None:
        """Count keys, and set aside what is refused for them."""
        request = self.request
        self.problems = Problems(self.session, len(self.layout.keys))
        keyed = Keyed(self.chosen, self.customers, self.layout.keys, self.key.bad)
        self.repeated, self.keyless = keyed.counts()
        self.problems.add([self._unreadable(row) for row in self.selected.unreadable])
        self.orphans = {}
        if request.limit is None:
            for name, made in self.events.items():
                if lost := orphans(made, self.tables[name], self.data, name, request.on_orphan):
                    self.orphans[name] = lost
        self._unread_keys()
        for number, choice, rows, message in (
            (self.keyless, request.on_null_key, keyed.keyless, NULL_KEY),
            (self.repeated, request.on_repeated_key, keyed.repeated, REPEATED),
        ):
            if number and choice != KEEP:
                self._refuse_all(self._ordinals(rows()), message, ["key"], choice == STOP)
        for name, table in self.events.items():
            self._broken(name, table)

    def _ordinals(self, frame: DataFrame) -> str:
        """The ordinals of a frame's rows, as a query of the embedded database."""
        given = self.session.variable([row[0] for row in frame.select(ORDINAL).collect()])
        return f"SELECT unnest({given}::BIGINT[]) AS {ORDINAL}"

    def _unread_keys(self) -> None:
        if not self.key.bad:
            return
        bad = F.lit(False)
        for flag in self.key.bad:
            bad = bad | F.col(flag)
        for batch in self.door.rows(self._ordinals(self.chosen.where(bad))):
            self.problems.add([self.door.unread_key(values, line) for line, values in batch])

    def _of(self, column: str, values: Sequence[Any]) -> Sequence[tuple[Any, ...]]:
        """Ordinals and keys of the chosen rows with one of some keys."""
        kind = self.chosen.schema[column].dataType.simpleString()
        wanted = self.spark.createDataFrame([(value,) for value in values], f"wanted {kind}")
        found = self.chosen.join(F.broadcast(wanted), F.col(column) == F.col("wanted"), "left_semi")
        return [tuple(row) for row in found.select(ORDINAL, column).collect()]

    # --- deciding ---------------------------------------------------------------------------------------

    def _staged(self, path: str, rows: tuple[int, int] | None) -> list[Staged]:
        columns = self.customers.columns
        kept = [ORDINAL, *(c.name for name in self.layout.keys if (c := columns.get(name)) is not None)]
        keys = [name if name in columns else None for name in self.layout.keys]
        events, frames = {}, {}
        for at, (name, table) in enumerate(self.tables.items()):
            relation = table.relation
            owner = relation.columns[self.events[name].owner].name
            events[name] = Events(f"h{at}", owner, relation.columns, ORDINAL)
            frames[f"h{at}"] = table.frame
        staged = []
        parts = self._versions()
        for at, (program, frame) in enumerate(parts):
            source = Source(Customers("customers", columns), events)
            query = compile_program(
                program, self._outcomes(program), source, kept, self._extras, True, dialect="spark"
            )
            with watched(self.listener, "deciding", self.spark):
                decided = carried_out(query, {"customers": frame, **frames}, self.request.as_of)
                made = self._set_aside(_numbered(decided))
            files = self.session.variable(f"{made}/*.parquet")
            self._require_seen(self.session.row(f"SELECT count(*) FROM glob({files})")[0] > 0)
            statement = Statement(f"SELECT * FROM read_parquet({files})", described(query.columns))
            place = path if len(parts) == 1 else f"{path}.{at}"
            native = self.target.form == "parquet"
            staged.append(stage(self.session, statement, self.layout, keys, None, place, False, native, self._leaves))
        self._require_seen(sum(part.rows for part in staged) == self.selected.rows)
        return staged

    def _require_seen(self, seen: bool) -> None:
        """Raise DataProblem where other machines set aside what this one does not see."""
        if not seen:
            raise DataProblem(
                f"what Spark decided is not all in `{self.session.folder}`", self.session.folder,
                help="name a folder that all machines of the cluster see by TMPDIR",
            )

    def _versions(self) -> list[tuple[ir.Program, DataFrame]]:
        """Which version of the policy decides which rows."""
        name = self.programs[0].application_date
        if name is None:
            return [(self.programs[0], self.chosen)]
        column = self.customers.columns.get(name)
        usual = self.policy.program_at(self.request.as_of)
        if column is None:
            return [(usual, self.chosen)]
        day = F.col(column.name).cast("date")
        found = []
        before: Any = None
        for at, version in enumerate(self.policy.versions):
            within = F.lit(True)
            if before is not None:
                within = within & (day > F.lit(before))
            if at < len(self.policy.versions) - 1:
                within = within & (day <= F.lit(version.end))
            if version.program is usual:
                within = within | day.isNull()
            before = version.end
            found.append((reading_date(version.program, name), self.chosen.where(within)))
        return found


def _numbered(frame: DataFrame) -> DataFrame:
    """Its columns under the names `a0`, `a1`, ..."""
    return frame.toDF(*(f"a{at}" for at in range(len(frame.columns))))
