"""A run of the Spark engine, from the request to the summary.

Spark reads Parquet, joins events and decides. What it decided is set aside as Parquet, one row a customer, and from
there on counted, refused and written as the columnar engine does it: by the embedded database, on this machine.
"""
from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from engine.backends.sql.program import compile_program
from engine.backends.sql.spark import run as carried_out
from engine.backends.sql.tables import Column, Customers, Events, Source
from engine.backends.support import Unsupported
from engine.diagnostics import Diagnostic
from engine.ir import nodes as ir
from engine.ir.previous import DATE, PREFIX
from engine.portfolio.binding import Declared, hint_of
from engine.portfolio.columnar import run as columnar
from engine.portfolio.columnar.binding import ORDINAL, require_key
from engine.portfolio.columnar.deciding import Staged, Statement, described, stage
from engine.portfolio.columnar.keys import Keys, keys_of
from engine.portfolio.columnar.locations import located, shown_place
from engine.portfolio.columnar.owning import owned
from engine.portfolio.columnar.previous import read
from engine.portfolio.columnar.progress import watched as written
from engine.portfolio.columnar.refusals import EventTable, Problems
from engine.portfolio.columnar.selection import Selected, where_name
from engine.portfolio.columnar.session import Session, guarded
from engine.portfolio.columnar.session import reading as telling
from engine.portfolio.columnar.sources import opened
from engine.portfolio.columnar.versions import reading_date
from engine.portfolio.previous import lost_text
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import KEEP, STOP, Listener, Policy, Request, Summary
from engine.portfolio.scored import require_answers
from engine.portfolio.shared import NULL_KEY, REPEATED, Usage, link_of, orphans_text, require_columns
from engine.portfolio.spark.door import SparkDoor
from engine.portfolio.spark.session import reading, started, watched
from engine.portfolio.spark.tables import Table, handed_over, is_native, is_unread, is_url, parquet
from engine.portfolio.tables import count
from engine.render import visible


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
        found.judge(results)
        with written(listener, "writing", session):
            found.write(results, found.target)
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
            self.target.form == "jsonl",
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
                    made, table = self._owned(made, table, decl.of, link.name)
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
            self._claim_in_spark(name, key, table)
            self._advise_in_spark(place, table, fields)

    def _claim_in_spark(self, name: str, key: str, table: Table) -> None:
        """Judge the events that belong to nobody; raises DataProblem where there may be none."""
        mine = F.col(table.relation.columns[key].name)
        nobody = table.frame.where(mine.isNull() & ~is_unread(table, key))
        first, number = nobody.agg(F.min(ORDINAL), F.count(F.lit(1))).collect()[0]
        if number and self.request.on_keyless_event == STOP:
            raise DataProblem(
                f"a row of history `{name}` belongs to no customer: has no key", table.relation.path, first,
                help=f"give every row its `{key}`",
            )
        if number:
            self.notes.append(f"{count(number, 'row')} of history `{name}` without a key")

    def _advise_in_spark(self, place: str, table: Table, fields: Sequence[Declared]) -> None:
        for field in fields:
            odd = table.relation.cells.get(field.name)
            if odd is None or table.relation.contents[field.name] != "VARCHAR":
                continue
            parse = self.reading.parser(field.type)
            found = table.frame.where(F.col(odd).isNotNull()).groupBy(odd).agg(F.min(ORDINAL).alias("first"))
            for (text,) in found.orderBy("first").limit(100).select(odd).collect():
                if (hint := hint_of(text, field.type, parse, self.reading)) is not None:
                    self.listener.note(f"note: {place}: `{field.name}` {visible(hint)}")
                    break

    def _owned(self, made: EventTable, table: Table, of: str, key: str) -> tuple[EventTable, Table]:
        """A table whose rows belong to those of another with the same `key`, with the customer's key as a column."""
        above, upper = self.events[of], self.tables[of]
        relation = table.relation
        if made.owner in relation.columns:
            raise DataProblem(
                f"history `{made.decl.name}` has a field `{made.owner}`, which is the key of the customers",
                relation.path, help=f"leave `of` out of the history, and name `{made.owner}` as its key",
            )
        require_key(upper.relation, above.decl.name, key)
        theirs, customer = (F.col(upper.relation.columns[name].name) for name in (key, above.owner))
        links = upper.frame.where(theirs.isNotNull() & customer.isNotNull()).select(
            theirs.alias("k"), customer.alias("whose")
        ).distinct()
        frame = table.frame.join(links, F.col(relation.columns[key].name) == F.col("k"), "left").drop("k")
        held = relation.replace(
            columns={**relation.columns, made.owner: Column("whose")},
            contents={**relation.contents, made.owner: upper.relation.contents[above.owner]},
        )
        return made.replace(relation=held), table.replace(relation=held, frame=frame)

    def _remember_in_spark(self) -> None:
        """Put the decisions of an earlier run, which the embedded database reads, beside the customers."""
        if self.earlier is None:
            return
        as_of, relation, frame = self.request.as_of, self.data.relation, self.data.frame
        self.logged = logged = read(self.session, self.earlier, as_of)
        self.notes.extend(logged.notes)
        path = self.session.path(".parquet")
        with telling(logged.relation.shown, logged.relation.path):
            self.session.run(f"COPY (SELECT * FROM {logged.view}) TO ? (FORMAT parquet)", [path])
        earlier = self.spark.read.parquet(f"file://{path}")
        same = F.lit(True)
        for at, decl in enumerate(self.earlier.keys):
            mine = relation.columns.get(decl.name)
            same = same & (F.lit(False) if mine is None else F.col(mine.name) == F.col(f"k{at}"))
        if self.request.limit is None and (lost := earlier.join(frame, same, "left_anti").count()):
            self.notes.append(lost_text(lost, logged.relation.shown, relation.shown))
        seen = F.col("found") & (F.col("day").isNull() | (F.col("day") <= F.lit(as_of)))
        places = {decl.name: f"o{at}" for at, decl in enumerate(self.earlier.outcomes)}
        columns: dict[str, Column] = {}
        shown = []
        for at, name in enumerate(d.name for d in self.layout.inputs.values() if d.previous):
            member = name.removeprefix(f"{PREFIX}.")
            cell = "day" if member == DATE else places.get(member)
            if name != PREFIX and cell not in earlier.columns:
                continue
            value = F.lit(True) if name == PREFIX else F.col(str(cell))
            shown.append(F.when(seen, value).alias(f"p{at}"))
            columns[name] = Column(f"p{at}")
        kept = frame.columns
        joined = frame.join(earlier.drop(ORDINAL).withColumn("found", F.lit(True)), same, "left").select(*kept, *shown)
        self.data = self.data.replace(
            relation=relation.replace(columns={**relation.columns, **columns}), frame=joined
        )

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
            taken = self.spark.read.parquet(self._set_aside(held))
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
        path = f"file://{self.session.path('.parquet')}"
        frame.write.parquet(path)
        return path

    def _keys(self) -> None:
        """Count keys, and set aside what is refused for them."""
        request = self.request
        self.problems = Problems(self.session, len(self.layout.keys))
        key, good = self._key(self.key)
        self.repeated = self.keyless = 0
        if key is not None:
            every, found, distinct = good.agg(F.count(F.lit(1)), F.count(key), F.count_distinct(key)).collect()[0]
            self.repeated, self.keyless = found - distinct, every - found
        self.problems.add([self._unreadable(row) for row in self.selected.unreadable])
        self.orphans = {}
        if request.limit is None:
            for name in self.events:
                if lost := self._orphans(name):
                    self.orphans[name] = lost
        self._unread_keys()
        if key is not None and self.keyless and request.on_null_key != KEEP:
            self._refuse_all(self._ordinals(good.where(key.isNull())), NULL_KEY, ["key"], request.on_null_key == STOP)
        if key is not None and self.repeated and request.on_repeated_key != KEEP:
            place = F.row_number().over(Window.partitionBy(key).orderBy(ORDINAL))
            later = good.where(key.isNotNull()).select(ORDINAL, place.alias("place")).where("place > 1")
            self._refuse_all(self._ordinals(later), REPEATED, ["key"], request.on_repeated_key == STOP)
        for name, table in self.events.items():
            self._broken(name, table)

    def _key(self, keys: Keys) -> tuple[Any, DataFrame]:
        """A customer's key as one value, None where the policy has none, and the rows whose keys were read."""
        frame = self.chosen
        for flag in keys.bad:
            frame = frame.where(~F.col(flag))
        parts = []
        for name in self.layout.keys:
            column = self.customers.columns.get(name)
            if column is None:
                return F.lit(None).cast("string"), frame
            parts.append(F.col(column.name))
        if not parts:
            return None, frame
        return (parts[0] if len(parts) == 1 else F.concat(*self._parts(parts))), frame

    @staticmethod
    def _parts(parts: Sequence[Any]) -> list[Any]:
        found = [parts[0].cast("string")]
        for part in parts[1:]:
            found += [F.lit("\x1f"), part.cast("string")]
        return found

    def _orphans(self, name: str) -> int:
        """How many events belong to no customer; raises DataProblem where there must be none."""
        made, table = self.events[name], self.tables[name]
        key = self.customers.columns.get(made.owner)
        mine = F.col(table.relation.columns[made.owner].name)
        # Events without a key are told elsewhere; without a row above they are of nobody.
        given = mine if made.decl.of is None else F.col(table.relation.columns[made.decl.key or ""].name)
        events = table.frame.where(given.isNotNull() | is_unread(table, made.owner))
        if key is not None:
            theirs = self.data.frame.select(F.col(key.name).alias("theirs"))
            events = events.join(theirs, mine == F.col("theirs"), "left_anti")
        lost = int(events.agg(F.count_distinct(F.col(ORDINAL))).collect()[0][0])
        if lost and self.request.on_orphan == STOP:
            raise DataProblem(orphans_text(name, lost, self.customers.shown), table.relation.path)
        return lost

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
            self.problems.add([self.door.unread_key(values, line) for line, values, _ in batch])

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
            files = self.session.variable(f"{made.removeprefix('file://')}/*.parquet")
            self._seen(files)
            statement = Statement(f"SELECT * FROM read_parquet({files})", described(query.columns))
            place = path if len(parts) == 1 else f"{path}.{at}"
            native = self.target.form == "parquet"
            staged.append(stage(self.session, statement, self.layout, keys, None, place, False, native))
        return staged

    def _seen(self, files: str) -> None:
        """Raise DataProblem where other machines wrote what this one does not see."""
        (found,) = self.session.row(f"SELECT count(*) FROM glob({files})")
        if not found:
            raise DataProblem(
                f"what Spark set aside in `{self.session.folder}` is not there", self.session.folder,
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
