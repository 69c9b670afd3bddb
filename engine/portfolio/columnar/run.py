"""A run of the columnar engine, from the request to the summary."""
from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from engine.backends.sql.tables import Column
from engine.ir import nodes as ir
from engine.portfolio.actions import Actions, actions_of, pledge_of
from engine.portfolio.aggregates import Asked, asked_for, decided_with
from engine.portfolio.aggregates import write as write_values
from engine.portfolio.binding import Declared, Reading, hint_of
from engine.portfolio.columnar import keys as keying
from engine.portfolio.columnar.actions import given_out
from engine.portfolio.columnar.binding import ORDINAL, Relation, require_key
from engine.portfolio.columnar.cells import TEXT
from engine.portfolio.columnar.counting import tallied
from engine.portfolio.columnar.deciding import Staged, source_of, stage, statement
from engine.portfolio.columnar.locations import shown_place
from engine.portfolio.columnar.owning import owned
from engine.portfolio.columnar.previous import Logged, beside, read, strangers
from engine.portfolio.columnar.progress import watched
from engine.portfolio.columnar.refusals import BETWEEN, TABLE, Accused, Door, EventTable, Problem, Problems
from engine.portfolio.columnar.selection import select
from engine.portfolio.columnar.session import Session, guarded, identifier, reading, writing
from engine.portfolio.columnar.sinks import Results, Target, target, write
from engine.portfolio.columnar.sources import opened
from engine.portfolio.columnar.versions import DATED, parts_of
from engine.portfolio.layout import Layout, shown
from engine.portfolio.previous import wanted
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import FAILURES, KEEP, STOP, Listener, Policy, Request, Summary
from engine.portfolio.scored import Told, asked_of, require_answers
from engine.portfolio.shared import (
    NULL_KEY,
    REPEATED,
    UNREADABLE_ROW,
    absent_text,
    declared_histories,
    link_of,
    orphans_text,
    programs_of,
    rejects,
    require_columns,
    summarised,
    tell_keys,
    too_many,
    trace_text,
    untold_text,
    where_of,
)
from engine.portfolio.tables import count
from engine.render import visible

if TYPE_CHECKING:
    from engine.deploy.delivering import Delivery
    from engine.portfolio.columnar.deployed import Deployed

#: Rows that an output of a deployment is handed at once.
ROWS = 10_000
#: Refused rows that the listener is told of one by one.
MAX_TOLD = 20


def run(policy: Policy, request: Request, listener: Listener) -> Summary:
    """Decide the portfolio; raises DataProblem, Usage and Unsupported."""
    begun = time.monotonic()
    place = shown_place(request.data)
    with Session(request.memory_limit, request.threads) as session, guarded(place, place):
        found = Run(session, policy, request, listener)
        found.open()
        results = found.decide(session.path(".parquet"))
        found.finish(results)
        return found.summary(time.monotonic() - begun)


class Run:
    """One run over one session; its steps are called in order."""

    #: Who decides, as the summary says.
    engine = "duckdb"

    def __init__(self, session: Session, policy: Policy, request: Request, listener: Listener) -> None:
        self.session = session
        self.request = request
        self.listener = listener
        #: The values over all customers that are to be told, their statements, and what they come to.
        self.over = asked = asked_for(policy, request)
        self.policy = policy = policy if asked is None else policy.with_leaves()
        self.programs = programs_of(policy, request)
        self.layout = Layout(self.programs, request.only, request.extras)
        self.only = (list(request.only) or None) if asked is None else decided_with(self.programs[-1], asked)
        self.portfolio: Mapping[str, Any] = {}
        self.values: Any = None
        if asked is not None:                           # most runs need none of what it imports
            self.values = import_module("engine.portfolio.columnar.aggregates").compiled(asked)
        self.reading = Reading(request.missing, request.date_format)
        self.where = where_of(self.programs, request)
        self.histories = declared_histories(self.programs[-1], request)
        self.earlier = wanted(self.programs, request, listener)
        self.logged: Logged | None = None
        self.target = target(request)
        self.notes: list[str] = []
        self.actions: Actions | None = None
        self.deployed: Deployed | None = None
        if request.supply is not None:                  # most runs need none of what it imports
            deployed: Any = import_module("engine.portfolio.columnar.deployed")
            self.deployed = deployed.Deployed(session, request.supply, request, listener)
        #: The decisions that ask a model and are reached, and what came of the models so far.
        self.asked = asked_of(self.policy, self.programs, self.only)
        self.told: dict[str, Told] = {}
        self.asker: Any = None

    def open(self) -> None:
        """Bring every table within reach, and see whether what must be there is."""
        request = self.request
        inputs = self.layout.inputs
        asked = [d for d in inputs.values() if self.earlier is None or not d.previous]
        self.table = self.customers = customers = self._customers_at(asked)
        needed = set.intersection(*(set(self.policy.cone(p, self.only).inputs) for p in self.programs))
        given = () if self.deployed is None else self.deployed.supply.deployment.inputs
        require_columns(
            [name for name in customers.absent if name not in given], needed, inputs, customers.names,
            set(customers.columns), customers.path,
        )
        require_answers(self.programs, self.asked, self.policy.scorers, customers.columns)
        if self.deployed is not None:                   # whose rows events are may be for a source to tell
            self.customers = self.deployed.beside(customers, tuple(inputs.values()), self.reading)
        self.events: dict[str, EventTable] = {}
        for name, (decl, owner, place) in self.histories.items():
            link = owner if decl.of is None else link_of(decl)
            fields: list[Declared] = [link, *(field for field in decl.fields if field.name != link.name)]
            relation = self._events_at(name, place, fields)
            require_key(relation, name, link.name)
            self._claim(name, link.name, relation)
            self._advise(place, relation, fields)
            table = EventTable(decl, owner.name, relation)
            if decl.of is not None:
                table = owned(self.session, table, self.events[decl.of], link.name)
            self.events[name] = table
        self.key = keying.keys_of(self.customers, self.layout.keys)
        if self.deployed is not None:
            self.customers = self.deployed.marked(self.customers)
        elif FAILURES in self.layout.extras:            # those of models, which are asked later
            view = self.session.name("marked")
            self.session.run(
                f"CREATE TEMP VIEW {view} AS SELECT *, []::VARCHAR[] AS {FAILURES} FROM {self.customers.name}"
            )
            self.customers = self.customers.replace(name=view)
        self._remember()
        customers = self.customers
        with reading(customers.shown, customers.path):
            self.selected = select(self.session, customers, self.where, self.request)
        self.door = Door(
            self.session, self.policy, request, customers, self.events, self.layout.keys, self.reading,
            self.target.form == "jsonl", self.only,
        )
        if self.deployed is not None:
            self.door.lost = self.deployed.lost_keys()
            self.deployed.count(self.selected.relation)
            self.notes.extend(self.deployed.notes)
        self._keys()

    def _customers_at(self, asked: Sequence[Declared]) -> Relation:
        """The customers of the file or, where there is none, of the deployment."""
        request = self.request
        if self.deployed is not None and not request.data:
            return self.deployed.customers(asked, self.reading)
        return opened(self.session, request.data, asked, request.options, self.reading)

    def _events_at(self, name: str, place: str, fields: Sequence[Declared]) -> Relation:
        """The events of a history in the table at a place, or of the deployment where there is none."""
        if self.deployed is not None and not place:
            return self.deployed.history(self.deployed.plan.histories[name], self.customers, fields, self.reading)
        return opened(self.session, place, fields, self.request.options, self.reading)

    def _remember(self) -> None:
        """Put the decisions of an earlier run beside the customers."""
        if self.earlier is None:
            return
        session, customers, as_of = self.session, self.customers, self.request.as_of
        self.logged = logged = read(session, self.earlier, as_of)
        names = [d.name for d in self.layout.inputs.values() if d.previous]
        self.notes.extend(logged.notes)
        told = strangers(session, customers, logged, self.earlier) if self.request.limit is None else None
        self.notes.extend([] if told is None else [told])
        self.customers = beside(session, customers, logged, self.earlier, as_of, names)

    def _claim(self, name: str, owner: str, events: Relation) -> None:
        """Judge the events that belong to nobody; raises DataProblem where there may be none."""
        mine = events.columns[owner]
        unread = next((row for row in events.unreadable if row.keys.get(owner) is None), None)
        (first, number) = self.session.row(
            f"SELECT min({ORDINAL}), count(*) FROM {events.name} "
            f"WHERE {mine.name} IS NULL AND NOT coalesce({keying.unread(events, owner)}, false)"
        )
        if unread is not None and (first is None or unread.line < first or self.request.on_keyless_event != STOP):
            raise DataProblem(
                f"a row of history `{name}` belongs to no customer: {unread.message}", events.path, unread.line,
                help=f"give every row its `{owner}`",
            )
        if number and self.request.on_keyless_event == STOP:
            raise DataProblem(
                f"a row of history `{name}` belongs to no customer: has no key", events.path, first,
                help=f"give every row its `{owner}`",
            )
        if number:
            self.notes.append(f"{count(number, 'row')} of history `{name}` without a key")

    def _advise(self, place: str, events: Relation, fields: Sequence[Declared]) -> None:
        """Say of each column of events how its first bad cell should be written, where that can be told."""
        for field in fields:
            odd = events.cells.get(field.name)
            if odd is None or events.contents[field.name] not in (TEXT, "VARCHAR"):
                continue
            parse = self.reading.parser(field.type)
            cells = self.session.rows(
                f"SELECT {odd} FROM {events.name} WHERE {odd} IS NOT NULL "
                f"GROUP BY ALL ORDER BY min({ORDINAL}) LIMIT 100"
            )
            for (text,) in cells:
                if (hint := hint_of(text, field.type, parse, self.reading)) is not None:
                    self.listener.note(f"note: {place}: `{field.name}` {visible(hint)}")
                    break

    def _keys(self) -> None:
        """Count keys, and set aside what is refused for them."""
        request, selected = self.request, self.selected
        shown, path = self.customers.shown, self.customers.path
        self.problems = Problems(self.session, len(self.layout.keys))
        self.repeated, self.keyless = keying.count_keys(
            self.session, selected.relation, self.key, selected.rows, shown, path
        )
        self.problems.add([self._unreadable(row) for row in selected.unreadable])
        self.orphans: dict[str, int] = {}
        if request.limit is None:
            for name, table in self.events.items():
                lost = keying.orphans(
                    self.session, table, self.customers, name, request.on_orphan
                )
                if lost:
                    self.orphans[name] = lost
        self._unread_keys()
        for number, choice, query, message in (
            (self.keyless, request.on_null_key, keying.keyless_rows, NULL_KEY),
            (self.repeated, request.on_repeated_key, keying.repeated_rows, REPEATED),
        ):
            if number and choice != KEEP:
                self._refuse_all(query(selected.relation, self.key), message, ["key"], choice == STOP)
        for name, table in self.events.items():
            self._broken(name, table)

    def _unreadable(self, row: Any) -> Problem:
        key = self.door.key(row.keys)
        written = self.door.written(row.keys)
        return Problem(row.line, key, row.message, row.help, [UNREADABLE_ROW], written)

    def _unread_keys(self) -> None:
        """Refuse rows whose key could not be read: nobody could join what became of them."""
        if not self.key.bad:
            return
        query = f"SELECT {ORDINAL} FROM {self.selected.relation} WHERE {' OR '.join(self.key.bad)}"
        for batch in self.door.rows(query):
            self.problems.add([self.door.unread_key(values, line) for line, values in batch])

    def _broken(self, name: str, table: EventTable) -> None:
        """Customers whose events hold a row that could not be read: it must not be as if it were not there."""
        first: dict[Any, str] = {}
        for row in table.relation.unreadable:
            line = f"line {row.line} of {table.relation.shown}: {row.message}"
            for owner in self._owners(table, row.keys):
                first.setdefault(owner, f"history `{name}`: {line}")
        mine = self.customers.columns.get(table.owner)
        if not first or mine is None:
            return
        found = self._of(mine.name, list(first))
        for message in dict.fromkeys(first.values()):
            listed = [ordinal for ordinal, key in found if first[key] == message]
            given = self.session.variable(listed)
            self._refuse_all(f"SELECT unnest({given}) AS {ORDINAL}", message, [name], False)

    def _of(self, column: str, values: Sequence[Any]) -> Sequence[tuple[Any, ...]]:
        """Ordinals and keys of the selected rows with one of some keys."""
        return self.session.rows(
            f"SELECT {ORDINAL}, {column} FROM {self.selected.relation} WHERE {column} IN (SELECT unnest(?))", [values]
        )

    def _owners(self, table: EventTable, keys: Mapping[str, Any]) -> Sequence[Any]:
        """The customers of a row of events by its key."""
        if table.links is None:
            return [keys[table.owner]]
        assert table.decl.key is not None
        return [o for (o,) in self.session.rows(f"SELECT o FROM {table.links} WHERE k = ?", [keys[table.decl.key]])]

    def _refuse_all(self, query: str, message: str, names: Sequence[str], stops: bool, key: str | None = None) -> None:
        """Refuse the rows of a query of ordinals that are not refused yet."""
        left = f"SELECT {ORDINAL} FROM ({query}) WHERE {ORDINAL} NOT IN (SELECT {ORDINAL} FROM {TABLE})"
        for batch in self.door.rows(left):
            self.problems.add([
                Problem(
                    line, self.door.key(values) if key is None else key, message, None, names,
                    self.door.written(values), stops,
                )
                for line, values in batch
            ])

    # --- deciding -----------------------------------------------------------------------------------

    def decide(self, path: str, rows: tuple[int, int] | None = None) -> Results:
        """Decide the selected rows, those within `rows` where it is given, and say of each refused row why."""
        staged = self._staged(path, rows)
        whole = staged[0] if len(staged) == 1 else self._together(staged, path)
        self._refused(whole, len(staged) == 1)
        self.problems.stop(self.request.strict, self.customers.path)
        if "trace" in self.layout.extras:
            whole = self._traced(whole)
        kinds = [self.layout.inputs[name].type for name in self.layout.keys]
        return Results(self.session, self.layout, whole, *self.problems.within(rows), kinds)

    def _staged(self, path: str, rows: tuple[int, int] | None) -> list[Staged]:
        """What each version of the policy decides, set aside."""
        session, request = self.session, self.request
        columns: dict[str, Column] = dict(self.customers.columns)
        kept = [ORDINAL, *(c.name for name in self.layout.keys if (c := columns.get(name)) is not None)]
        if FAILURES in self.layout.extras:
            kept.append(FAILURES)
        keys = [name if name in columns else None for name in self.layout.keys]
        supplied = {} if self.deployed is None else self.deployed.supplied()
        histories = {
            name: (
                table.relation.name, table.relation.columns[table.owner].name, table.relation.columns,
                supplied.get(name),
            )
            for name, table in self.events.items()
        }
        asker = self.asker = import_module("engine.portfolio.columnar.scoring").Asker(
            session, self.policy.scorers, self.asked, request.as_of, self.told, self.layout.extras
        ) if self.asked else None
        ordered = self.customers.ordered and not self.events and asker is None
        staged: list[Staged] = []
        parts = parts_of(session, self.policy, self.programs, self.customers, self.selected.relation, request)
        for at, (program, relation) in enumerate(parts):
            if rows is not None:
                relation = self._within(relation, rows)
            mine = columns
            if asker is not None:
                with watched(self.listener, "scoring", session), reading(self.customers.shown, self.customers.path):
                    relation, mine = asker.answered(program, relation, columns, histories)
            source = source_of(relation, mine, histories)
            made = statement(program, self._outcomes(program), source, kept, self._extras)
            place = path if len(parts) == 1 else f"{path}.{at}"
            with watched(self.listener, "deciding", session), reading(self.customers.shown, self.customers.path):
                native = self.target.form == "parquet" and request.ledger is None and request.actions is None
                straight = ordered and " JOIN " not in made.sql     # a join keeps no order that one may count on
                staged.append(
                    stage(session, made, self.layout, keys, request.as_of, place, straight, native, self._leaves)
                )
        if asker is not None:                           # whoever is looked at one by one was answered already
            self.door.customers = asker.beside(self.customers)
        return staged

    @property
    def _leaves(self) -> Sequence[str]:
        """What is decided with each customer for the values over all."""
        return () if self.over is None else self.over.leaves

    @property
    def _extras(self) -> list[str]:
        """What the statement gives beside the outcomes: reasons and missing data are counted, whether or not they are
        to be written; and where there are histories, whose rows are many, for which of them it refuses a customer."""
        given = ["reasons", "needed", *(name for name in ("fired", "open") if name in self.layout.extras)]
        return [*given, "refused"] if self.histories else given

    def _outcomes(self, program: ir.Program) -> list[str] | None:
        if self.over is not None:
            return self.only
        names = [d.name for d in shown(program, self.request.only)]
        dated = [d.name for d in program.decisions if d.name == DATED]
        return [*names, *dated] if self.only is not None or dated else None

    def _within(self, relation: str, rows: tuple[int, int]) -> str:
        view = self.session.name("part")
        self.session.run(
            f"CREATE TEMP VIEW {view} AS SELECT * FROM {relation} "
            f"WHERE {ORDINAL} >= {int(rows[0])} AND {ORDINAL} <= {int(rows[1])}"
        )
        return view

    def _together(self, staged: Sequence[Staged], path: str) -> Staged:
        """What several versions decided, as one file in the order of the rows."""
        paths = self.session.variable([part.path for part in staged])
        line = identifier(self.layout.own["line"])
        (rows,) = self.session.row(
            f"COPY (SELECT * FROM read_parquet({paths}, union_by_name = true) ORDER BY {line}) TO ? (FORMAT parquet)",
            [path],
        )
        return staged[0].replace(
            path=path, rows=rows, plain=frozenset.intersection(*(part.plain for part in staged)), final=False,
            columns={k: v for part in staged for k, v in part.columns.items()},
            names={k: v for part in staged for k, v in part.names.items()},
            shapes={k: v for part in staged for k, v in part.shapes.items()},
        )

    def _refused(self, staged: Staged, one_version: bool) -> None:
        """Ask the one-by-one path about every row that the statement refuses."""
        program = self.programs[0] if one_version else None
        refused = f"FROM {staged.relation(self.session)} WHERE status = 'refused'"
        query = f"SELECT ordinal {refused} AND ordinal NOT IN (SELECT {ORDINAL} FROM {TABLE})"
        with reading(self.customers.shown, self.customers.path):
            for batch in self.door.rows(query):
                told = dict(self.session.rows(
                    f"SELECT ordinal, problem {refused} AND ordinal BETWEEN ? AND ?", [batch[0][0], batch[-1][0]]
                ))
                accused: dict[int, Accused] = {
                    line: None if program is None or not (names := told[line]) else frozenset(names.split(BETWEEN))
                    for line, _ in batch
                }
                events = self.door.accused([(values, accused[line]) for line, values in batch])
                found = [self.door.refuse(program, values, events, line, accused[line]) for line, values in batch]
                self.problems.add(self._explained(found))

    def _explained(self, problems: Sequence[Problem]) -> list[Problem]:
        """Refused rows with the failures of sources and models that may have led to it."""
        failures: dict[int, set[str]] = {}
        for found in (self.deployed, self.asker):
            if found is not None:
                for line, texts in found.failures([p.line for p in problems]).items():
                    failures.setdefault(line, set()).update(texts)
        return [
            p.replace(message=f"{p.message} ({'; '.join(sorted(failures[p.line]))})") if p.line in failures else p
            for p in problems
        ]

    def _traced(self, staged: Staged) -> Staged:
        """The rows with the whole account of each, which the one-by-one path gives."""
        session = self.session
        table, path = session.name("traces"), session.path(".parquet")
        session.run(f"CREATE TEMP TABLE {table} (ordinal BIGINT, trace VARCHAR)")
        source = staged.relation(session)
        for batch in self.door.rows(f"SELECT ordinal FROM {source} WHERE status <> 'refused'"):
            told = []
            lines = [line for line, _ in batch]
            events = self.door.all_events([values for _, values in batch])
            histories = [self.door.history(values, events) for _, values in batch]
            origins = None if self.deployed is None else self.deployed.origins(lines, histories)
            accounts = {} if self.asker is None else self.asker.accounts(lines)
            for at, ((line, values), history) in enumerate(zip(batch, histories, strict=True)):
                decision = self.policy.decide(
                    values, as_of=self.request.as_of, history=history, only=list(self.request.only) or None
                )
                if origins is not None:
                    decision.supplied(origins[at])
                if self.asker is not None:
                    self.asker.tell(decision, accounts[line])
                told.append(trace_text(decision))
            session.run(f"INSERT INTO {table} SELECT unnest(?::BIGINT[]), unnest(?::VARCHAR[])", [lines, told])
        joined = f"SELECT * FROM {source} LEFT JOIN {table} USING (ordinal) ORDER BY ordinal"
        session.run(f"COPY ({joined}) TO ? (FORMAT parquet)", [path])
        return staged.replace(
            path=path, columns={name: name for name in (*staged.columns, "trace")}, final=False,
            names={**staged.names, ("trace",): "trace"},
        )

    # --- what it comes to -----------------------------------------------------------------------------

    def judge(self, results: Results) -> None:
        """Count the results; raises DataProblem where more were refused than may be."""
        with reading(self.customers.shown, self.customers.path):
            self.tally = tallied(self.session, results, self.layout)
        too_many(self.tally, self.request, self.customers.path)
        if self.over is not None:
            with watched(self.listener, "portfolio values", self.session):
                self._value(self.over, results)
        for line, key, message, help in results.first_refusals(MAX_TOLD):
            self.listener.refused(f"{self.customers.shown}:{line}", key, message, help)

    def _value(self, asked: Asked, results: Results) -> None:
        """Find the values over all customers, and write them where they are asked for."""
        made: Any = import_module("engine.portfolio.columnar.aggregates")
        refused, request = self.tally.status["refused"], self.request
        self.portfolio = made.values_of(self.session, self.values, results, refused, request.as_of)
        if request.portfolio is not None:
            write_values(request.portfolio, asked, self.portfolio)

    def finish(self, results: Results) -> None:
        """Judge the results, hold their actions against the ledger, and bring them to where they are to go."""
        with actions_of(self.policy, self.layout, self.request) as actions:
            if actions is not None:
                results = given_out(results, actions)
            self.judge(results)
            with watched(self.listener, "writing", self.session):
                if self.request.delivery is not None:
                    self.deliver(results, self.request.delivery)
                else:
                    self.write(results, self.target, actions)
        self.actions = actions

    def write(self, results: Results, to: Target, actions: Actions | None = None) -> None:
        """Write the results; where there is no list of the actions, they hold together with the ledger."""
        with rejects(self.request.rejects) as listed:
            write(results, to, pledge_of(actions, self.request))
            if listed is not None:
                with writing(self.request.rejects or ""):
                    listed.writerows(results.refusals())

    def deliver(self, results: Results, to: Delivery) -> None:
        """Hand all rows to the deployment's output."""
        with rejects(self.request.rejects) as listed:
            reader = self.session.connection.sql(results.native()).to_arrow_reader(ROWS)
            to.deliver(reader.schema, reader.schema.names, reader)
            if listed is not None:
                with writing(self.request.rejects or ""):
                    listed.writerows(results.refusals())

    def summary(self, seconds: float) -> Summary:
        listener = self.listener
        tell_keys(listener, self.repeated, self.keyless, self.request)
        if self.actions is not None:
            self.actions.tell(listener)
        if self.selected.untold:
            listener.note(untold_text(self.selected.untold))
        for name in self.customers.absent:
            if not self.layout.inputs[name].model:
                listener.note(absent_text(name))
        for model, told in self.told.items():
            for line in told.lines(model):
                listener.note(line)
        for note in self.notes:
            listener.note(note)
        for name, lost in self.orphans.items():
            listener.note(orphans_text(name, lost, self.customers.shown))
        found = summarised(self.engine, self.tally, self.request, self.repeated, self.keyless, self.orphans, seconds)
        found = found.replace(portfolio=self.portfolio)
        return found if self.deployed is None else found.replace(sources=self.deployed.counts)
