"""A deployment's sources beside, or instead of, files: their tables in the session, joined by customer.

Batches are written to the session as they come. What is said for one customer in `engine.deploy.joining` is said here
in SQL for all: of an input's fields the first counts that has a value which is not stale.
"""
from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.backends.sql.tables import Column
from engine.deploy.deployment import Supply
from engine.deploy.intake import FEW, Failed, arrow, read
from engine.deploy.joining import Answer, cut, join
from engine.deploy.matching import HistoryPlan, InputPlan, Place
from engine.explain.supply import FAILED, GIVEN, Origin, Passed
from engine.ir.models import SOURCES_FAILED
from engine.portfolio.binding import Declared, Reading
from engine.portfolio.columnar.binding import ORDINAL, Relation, bind
from engine.portfolio.columnar.cells import JSON, SQL_TYPES, TEXT
from engine.portfolio.columnar.progress import watched
from engine.portfolio.columnar.raw import Bound, Raw
from engine.portfolio.columnar.session import Session, identifier
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import FAILURES, Listener, Request
from engine.portfolio.tables import count
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.declarations import InputDecl

#: The place of the file among the fields that may give a value.
THEIRS = -1


class Fetched(Record):
    """A table of a source in the session: `relation` has `n` (its order), `key`, its columns as f0... and `failed`.
    `failure` says why not all of it could be had, `at` when it was fetched."""

    place: Place
    relation: str
    columns: Mapping[str, str]
    rows: int
    failure: str | None
    at: datetime.datetime


class Deployed:
    """What a deployment gives in one run. Its steps are called in order: customers, histories, beside."""

    def __init__(self, session: Session, supply: Supply, request: Request, listener: Listener) -> None:
        self.session = session
        self.supply = supply
        self.request = request
        self.listener = listener
        self.plan = supply.plan
        self.fetched: dict[Place, Fetched] = {}
        self.notes: list[str] = []
        #: By history, the relation of the keys (`k`) whose events could not be had, and why (`why`).
        self.lost: dict[str, str] = {}
        #: By input, how often each field gave its value.
        self.counts: dict[str, dict[str, int]] = {}
        self._joined = self._marks = self._whole = ""
        self._theirs: dict[str, Column] = {}
        self._given: Mapping[str, InputPlan] = {}
        self._supplied: dict[str, HistoryPlan] = {}
        self._owners: dict[str, str] = {}
        self._customers = ""
        self._key = ""
        self.path = str(supply.deployment.path)

    # --- customers ---------------------------------------------------------------------------------

    def customers(self, declared: Sequence[Declared], reading: Reading) -> Relation:
        """The customers that a table of the deployment lists, in its order, by their keys alone."""
        place = self.plan.customers
        assert place is not None                        # or the deployment would not have been taken
        found = self._fetch(place, self.plan.key, None)
        if found.failure is not None:
            raise DataProblem(
                f"the customers cannot be had from `{place.shown}`: {found.failure}", self.path,
                help="mend the source, or give the customers as a file",
            )
        raw = self._raw(found, [(self.plan.key.name, "key")], place.shown)
        keys = [d for d in declared if d.name == self.plan.key.name]
        return bind(self.session, raw, keys, reading).replace(
            absent=self._absent(d.name for d in declared if not getattr(d, "previous", False))
        )

    def history(self, plan: HistoryPlan, customers: Relation, fields: Sequence[Declared], reading: Reading) -> Relation:
        """The events of a history; those of customers of whom not all could be had are left out, and noted as lost."""
        found = self._fetch(plan.place, plan.owner, customers)
        self._supplied[plan.decl.name] = plan
        lost = self.session.name("lost")
        mine = customers.columns.get(plan.owner.name)
        if found.failure is not None:                   # nobody's events are known to be all
            whole = self.session.variable(found.failure)
            owner = "NULL" if mine is None else mine.name
            query = f"SELECT DISTINCT {owner} AS k, {whole} AS why FROM {customers.name} WHERE {owner} IS NOT NULL"
        else:
            query = f"SELECT key AS k, min(failed) AS why FROM {found.relation} WHERE failed IS NOT NULL GROUP BY key"
        self.session.run(f"CREATE TEMP TABLE {lost} AS {query}")
        (number,) = self.session.row(f"SELECT count(*) FROM {lost}")
        relation = found.relation
        if number:
            self.lost[plan.decl.name] = lost
            relation = f"(SELECT * FROM {relation} WHERE key NOT IN (SELECT k FROM {lost}))"
        (keyless,) = self.session.row(f"SELECT count(*) FROM {found.relation} WHERE key IS NULL")
        if keyless:
            self.notes.append(f"{count(keyless, 'row')} of history `{plan.decl.name}` without a key")
        whose = "NULL" if mine is None else f"SELECT {mine.name} FROM {customers.name}"
        relation = f"(SELECT * FROM {relation} WHERE key IN ({whose}))"      # a source has the events of others, too
        columns = [(field, found.columns[column]) for field, column in plan.columns.items() if field != plan.owner.name]
        raw = self._raw(found.replace(relation=relation), [(plan.owner.name, "key"), *columns], plan.place.shown)
        return bind(self.session, raw, fields, reading)

    # --- inputs -------------------------------------------------------------------------------------

    def beside(self, customers: Relation, declared: Sequence[Declared], reading: Reading) -> Relation:
        """The customers with the inputs that sources give: what a file has itself goes before, cell by cell."""
        session = self.session
        self._customers, self._key = customers.name, customers.columns[self.plan.key.name].name
        self._theirs = {n: column for n, column in customers.columns.items() if n in self.plan.inputs}
        full = self._full()
        self._given = plans = {name: plan for name, plan in self.plan.inputs.items() if name not in full}
        self._fetch_facts(plans, customers)
        joined = self._joined = self._join(plans)
        found = bind(session, Raw(
            joined, tuple(self._bound(name, plan, at) for at, (name, plan) in enumerate(plans.items())), (), ORDINAL,
            customers.shown, self.path, staged=False, rows=customers.rows,
        ), [d for d in declared if d.name in plans], reading)
        made = _Beside()
        for name, column in found.columns.items():
            made.add(name, customers, column, found.cells.get(name), found.contents[name])
        view = session.name("deployed")
        session.run(
            f"CREATE TEMP VIEW {view} AS SELECT {', '.join(['c.*', *made.shown])} FROM {customers.name} c "
            f"JOIN {found.name} d USING ({ORDINAL})"
        )
        return customers.replace(
            name=view, columns={**customers.columns, **made.columns}, cells={**customers.cells, **made.cells},
            contents={**customers.contents, **made.contents}, ordered=False, absent=self._absent(customers.absent),
        )

    def marked(self, customers: Relation) -> Relation:
        """The customers with `FAILURES`, and whether each of their histories could be had."""
        session, self._whole = self.session, customers.name
        shown, joins, failures = [f"c.{ORDINAL}"], [f"JOIN {self._joined} j USING ({ORDINAL})"], []
        for at, (name, lost) in enumerate(self.lost.items()):
            owner = self._owners[name] = customers.columns[self.plan.histories[name].owner.name].name
            joins.append(f"LEFT JOIN {lost} l{at} ON l{at}.k = c.{owner}")
            shown.append(f"l{at}.k IS NULL AS s{at}")
            failures.append(f"{session.variable(self.plan.histories[name].place.shown)} || ': ' || l{at}.why")
        listed = f"list_filter(list_concat(j.failed, [{', '.join(failures)}]::VARCHAR[]), lambda x: x IS NOT NULL)"
        shown.append(f"list_sort(list_distinct({listed})) AS {FAILURES}")
        marks = self._marks = session.name("marks")
        session.run(f"CREATE TEMP TABLE {marks} AS SELECT {', '.join(shown)} FROM {customers.name} c {' '.join(joins)}")
        columns, contents = dict(customers.columns), dict(customers.contents)
        more = ["c.*", f"m.{FAILURES}", *(f"m.s{at}" for at in range(len(self.lost)))]
        if self.plan.tells_failures:
            more.append(f"len(m.{FAILURES}) > 0 AS failed")
            columns[SOURCES_FAILED], contents[SOURCES_FAILED] = Column("failed"), "BOOLEAN"
        view = session.name("marked")
        session.run(
            f"CREATE TEMP VIEW {view} AS SELECT {', '.join(more)} FROM {customers.name} c "
            f"JOIN {marks} m USING ({ORDINAL})"
        )
        return customers.replace(name=view, columns=columns, contents=contents, ordered=False)

    def _full(self) -> set[str]:
        """The inputs of which the file has every cell."""
        if not self._theirs:
            return set()
        names = list(self._theirs)
        lacking = self.session.row(
            f"SELECT {', '.join(f'count(*) FILTER (NOT {_here(self._theirs[name])})' for name in names)} "
            f"FROM {self._customers} c"
        )
        return {name for name, number in zip(names, lacking, strict=True) if not number}

    def _absent(self, names: Iterable[str]) -> tuple[str, ...]:
        """The names that nothing is bound to."""
        bound = self.supply.deployment.inputs
        return tuple(name for name in names if name not in bound and name != self.plan.key.name)

    def supplied(self) -> dict[str, str]:
        """By history of which not everything could be had, the column that says whether a customer's could."""
        return {name: f"s{at}" for at, name in enumerate(self.lost)}

    def lost_keys(self) -> dict[str, set[Any]]:
        """By history, the keys of customers whose events could not be had."""
        rows = self.session.rows
        return {name: {key for (key,) in rows(f"SELECT k FROM {lost}")} for name, lost in self.lost.items()}

    def _fetch_facts(self, plans: Mapping[str, InputPlan], customers: Relation) -> None:
        for place in dict.fromkeys(c.place for plan in plans.values() for c in plan.candidates):
            self._fetch(place, self.plan.key, customers)

    def _join(self, plans: Mapping[str, InputPlan]) -> str:
        """A table with the customers' ordinals, values v0..., which field gave each (w0..., 0 for none, `THEIRS` for
        the file) and `failed`, a list of why there is none."""
        session = self.session
        aliases: dict[Place, str] = {}
        joins: list[str] = []
        for place in dict.fromkeys(c.place for plan in plans.values() for c in plan.candidates):
            alias = aliases[place] = f"t{len(aliases)}"
            joins.append(f"LEFT JOIN {self._facts(place)} {alias} ON {self._same(place, alias)}")
        shown, failures = [f"c.{ORDINAL}"], []
        for at, (name, plan) in enumerate(plans.items()):
            values, failed = zip(*(self._cell(plan, c, aliases[c.place]) for c in plan.candidates), strict=True)
            shown.append(f"coalesce({', '.join(values)}) AS v{at}")
            here = _here(self._theirs[name]) if name in self._theirs else "false"
            which = " ".join(f"WHEN {value} IS NOT NULL THEN {number}" for number, value in enumerate(values, 1))
            shown.append(f"CASE WHEN {here} THEN {THEIRS} {which} ELSE 0 END AS w{at}")
            shown_as = [session.variable(f"{c.place.shown}: ") for c in plan.candidates]
            told = [f"{name} || {why}" for name, why in zip(shown_as, failed, strict=True)]
            none = " AND ".join(f"{value} IS NULL" for value in values)
            failures.append(f"CASE WHEN {none} AND NOT ({here}) THEN coalesce({', '.join(told)}) END")
        shown.append(f"[{', '.join(failures)}]::VARCHAR[] AS failed")
        table = session.name("joined")
        with watched(self.listener, "joining", session):
            session.run(
                f"CREATE TEMP TABLE {table} AS SELECT {', '.join(shown)} FROM {self._customers} c {' '.join(joins)}"
            )
        return table

    def _facts(self, place: Place) -> str:
        """A table of facts with one row a customer: of two, neither is known to be right."""
        found = self.fetched[place]
        if place == self.plan.customers:
            return found.relation
        columns = ", ".join(f"any_value({column}) AS {column}" for column in found.columns.values())
        twice = self.session.variable(f"it gives several rows of `{place.table}` for one customer, and facts are one")
        return (
            f"(SELECT key, any_value(n) AS n{', ' if columns else ''}{columns}, "
            f"coalesce(any_value(failed), CASE WHEN count(*) > 1 THEN {twice} END) AS failed "
            f"FROM {found.relation} WHERE key IS NOT NULL GROUP BY key)"
        )

    def _same(self, place: Place, alias: str) -> str:
        """The customers' own table is joined row by row, so that a key which it has twice is told as everywhere."""
        if place == self.plan.customers:
            return f"{alias}.n = c.{ORDINAL}"
        return f"{alias}.key = c.{self._key}"

    def _cell(self, plan: InputPlan, candidate: Any, alias: str) -> tuple[str, str]:
        """SQL of a field's value, where it counts, and of why its source failed."""
        found = self.fetched[candidate.place]
        table = self.supply.table(candidate.place.source, candidate.place.table)
        failed = f"{alias}.failed"
        if found.failure is not None:
            whole = self.session.variable(found.failure)
            failed = f"CASE WHEN {alias}.n IS NULL THEN {whole} ELSE {alias}.failed END"
        holds = f"{failed} IS NULL"
        oldest = cut(self.request.as_of, plan.stale_after)
        if oldest is not None and table.stamp is not None:
            stamp = found.columns[table.stamp]
            holds += f" AND CAST({alias}.{stamp} AS DATE) >= {self.session.variable(oldest)}"
        return f"CASE WHEN {holds} THEN {alias}.{found.columns[candidate.field]} END", failed

    def _bound(self, name: str, plan: InputPlan, at: int) -> Bound:
        kind = SQL_TYPES[self._kind(plan.candidates[0].place, plan.candidates[0].field)]
        return Bound(name, f"v{at}", "VARCHAR" if kind == "BIGINT" else _content(kind))

    # --- what it comes to ---------------------------------------------------------------------------------

    def count(self, selected: str) -> None:
        """Count where the values of the customers to be decided came from, and say what failed."""
        joined = f"(SELECT * FROM {self._joined} SEMI JOIN {selected} USING ({ORDINAL}))"
        (every,) = self.session.row(f"SELECT count(*) FROM {joined}")
        places = {name: at for at, name in enumerate(self._given)}
        for name, plan in self.plan.inputs.items():
            found = {THEIRS: every}
            if name in places:
                found = dict(self.session.rows(f"SELECT w{places[name]}, count(*) FROM {joined} GROUP BY 1"))
            given = {c.shown: found.get(number, 0) for number, c in enumerate(plan.candidates, 1)}
            self.counts[name] = {**given, "": found.get(0, 0)}
            if found.get(THEIRS):
                self.counts[name][GIVEN] = found[THEIRS]
        joined = f"(SELECT * FROM {self._marks} SEMI JOIN {selected} USING ({ORDINAL}))"
        listed = self.session.rows(
            f"SELECT unnest({FAILURES}) AS failure, count(*) FROM {joined} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20"
        )
        for failure, number in listed:
            source, _, why = failure.partition(": ")
            self.notes.append(f"{source} failed for {count(number, 'customer')}: {why}")

    def origins(
        self, lines: Sequence[int], histories: Sequence[Mapping[str, Any] | None]
    ) -> list[dict[str, Origin]]:
        """Where the data of some customers came from, given their ordinals and histories."""
        answers: list[dict[Place, Answer]] = [{} for _ in lines]
        places = dict.fromkeys(c.place for plan in self._given.values() for c in plan.candidates)
        tables = {place: self.supply.table(place.source, place.table) for place in places}
        for place in places:
            found = self.fetched[place]
            rows = {ordinal: row for ordinal, *row in self.session.rows(
                f"SELECT c.{ORDINAL}, {', '.join(['t.n', 't.failed', *(f't.{f}' for f in found.columns.values())])} "
                f"FROM {self._customers} c LEFT JOIN {self._facts(place)} t ON {self._same(place, 't')} "
                f"WHERE c.{ORDINAL} IN (SELECT unnest(?::BIGINT[]))", [list(lines)],
            )}
            for line, mine in zip(lines, answers, strict=True):
                n, failed, *cells = rows[line]
                row = None if n is None else dict(zip(found.columns, cells, strict=True))
                mine[place] = Answer(row, found.at, failed if n is not None else found.failure)
        lost = {
            name: dict(self.session.rows(f"SELECT c.{ORDINAL}, l.why FROM {self._whole} c JOIN {relation} l "
                                         f"ON l.k = c.{self._owners[name]}"))
            for name, relation in self.lost.items()
        }
        which = {ordinal: row for ordinal, *row in self.session.rows(
            f"SELECT {', '.join([ORDINAL, *(f'w{at}' for at in range(len(self._given)))])} FROM {self._joined} "
            f"WHERE {ORDINAL} IN (SELECT unnest(?::BIGINT[]))", [list(lines)],
        )}
        told = []
        for line, mine, history in zip(lines, answers, histories, strict=True):
            gave = dict(zip(self._given, which[line], strict=True))
            origins = {
                name: Origin(name, GIVEN) if gave.get(name, THEIRS) == THEIRS
                else join(plan, mine, tables, self.request.as_of)[1]
                for name, plan in self.plan.inputs.items()
            }
            for name, plan in self._supplied.items():
                rows_of = (history or {}).get(name)
                at, shown = self.fetched[plan.place].at, plan.place.shown
                if rows_of is None:
                    passed = (Passed(shown, FAILED, lost.get(name, {}).get(line, "")),)
                    origins[name] = Origin(name, None, at, None, passed, is_history=True)
                else:
                    origins[name] = Origin(name, shown, at, rows=len(rows_of), is_history=True)
            told.append(origins)
        return told

    def failures(self, lines: Sequence[int]) -> dict[int, list[str]]:
        """Which sources failed for some customers, and why, by their ordinals."""
        return dict(self.session.rows(
            f"SELECT {ORDINAL}, {FAILURES} FROM {self._marks} "
            f"WHERE len({FAILURES}) > 0 AND {ORDINAL} IN (SELECT unnest(?::BIGINT[]))", [list(lines)],
        ))

    # --- fetching ------------------------------------------------------------------------------------------

    def _keys(self, place: Place, owner: InputDecl, customers: Relation | None) -> list[Any] | None:
        """The keys that a table is asked for; None where it is read whole."""
        table = self.supply.table(place.source, place.table)
        if customers is None or not self.mixed and not table.keyed:
            return None
        column = customers.columns.get(owner.name)
        if column is None:
            return []
        named = f"{column.name} IS NOT NULL"
        (number,) = self.session.row(f"SELECT count(DISTINCT {column.name}) FROM {customers.name}")
        if number > FEW and not table.keyed:
            return None
        rows = self.session.rows(
            f"SELECT {column.name} FROM {customers.name} WHERE {named} GROUP BY 1 ORDER BY min({ORDINAL})"
        )
        return [key for (key,) in rows]

    def _fetch(self, place: Place, owner: InputDecl, customers: Relation | None) -> Fetched:
        """Bring a table into the session."""
        if place in self.fetched:
            return self.fetched[place]
        session, plan = self.session, self.plan
        pa = arrow()
        columns = {name: f"f{at}" for at, name in enumerate(plan.fields[place])}
        relation = session.name("fetched")
        kinds = [SQL_TYPES[self._kind(place, name)] for name in columns]
        typed = [f"{c} {'VARCHAR' if k == 'BIGINT' else k}" for c, k in zip(columns.values(), kinds, strict=True)]
        listed = ", ".join(["n BIGINT", f"key {SQL_TYPES[owner.type.kind]}", *typed, "failed VARCHAR"])
        session.run(f"CREATE TEMP TABLE {relation} ({listed})")
        rows, failure, now = 0, None, datetime.datetime.now().astimezone()
        keys = self._keys(place, owner, customers)
        for batch in read(plan, self.supply.sources[place.source], place, owner.type, self.request.as_of, keys):
            if isinstance(batch, Failed):
                failure = batch.why
                break
            numbers = pa.array(range(rows + 1, rows + 1 + batch.num_rows), pa.int64())
            names = ["n", "key", *columns.values(), "failed"]
            session.connection.register("batch", pa.RecordBatch.from_arrays([numbers, *batch.columns], names))
            session.run(f"INSERT INTO {relation} SELECT * FROM batch")
            session.connection.unregister("batch")
            rows += batch.num_rows
            self.listener.progress(rows, None, f"rows of {place.shown}")
        found = self.fetched[place] = Fetched(place, relation, columns, rows, failure, now)
        return found

    @property
    def mixed(self) -> bool:
        """Whether a file gives the customers."""
        return self.plan.customers is None

    def _kind(self, place: Place, name: str) -> str:
        field = self.supply.table(place.source, place.table).fields.get(name)
        return dt.DATE_TIME if field is None else field.type

    def _raw(self, found: Fetched, columns: Sequence[tuple[str, str]], shown: str) -> Raw:
        """A fetched table to be bound: declared names with its columns."""
        described = self.session.rows(f"DESCRIBE SELECT * FROM {found.relation}")
        kinds = {name: kind for name, kind, *_ in described}
        (rows,) = self.session.row(f"SELECT count(*) FROM {found.relation}")
        bound = tuple(Bound(name, identifier(column), _content(kinds[column])) for name, column in columns)
        return Raw(found.relation, bound, (), "n", shown, self.path, staged=False, rows=rows, names=tuple(kinds))


def _content(kind: str) -> str:
    """What cells are: texts of a source are values already, in which a blank one is not missing."""
    return "UUID" if kind == "VARCHAR" else kind


def _here(column: Column) -> str:
    """SQL of whether a file's row `c` has a cell of its own, readable or not."""
    there = f"c.{column.name} IS NOT NULL"
    return there if column.bad is None else f"({there} OR coalesce(c.{column.bad}, false))"


class _Beside:
    """Columns that stand beside the customers `c`, out of the bound sources `d`."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.columns: dict[str, Column] = {}
        self.cells: dict[str, str] = {}
        self.contents: dict[str, str] = {}

    def add(self, name: str, customers: Relation, column: Column, odd: str | None, content: str) -> None:
        """The column of an input: the file's cell where it has one, else the sources'."""
        own = f"d{len(self.columns)}"
        theirs = customers.columns.get(name)
        bad = None if column.bad is None else f"d.{column.bad}"
        cell = None if odd is None else f"d.{odd}"
        if theirs is None:
            self.shown.append(f"d.{column.name} AS {own}")
        else:
            here = _here(theirs)
            self.shown.append(f"CASE WHEN {here} THEN c.{theirs.name} ELSE d.{column.name} END AS {own}")
            mine = customers.cells.get(name)
            if bad is not None or theirs.bad is not None:
                flag = "false" if theirs.bad is None else f"c.{theirs.bad}"
                bad = f"CASE WHEN {here} THEN {flag} ELSE {bad or 'false'} END"
                text = "NULL" if mine is None else f"CAST(c.{mine} AS VARCHAR)"
                source = "NULL" if cell is None else f"CAST({cell} AS VARCHAR)"
                cell = f"CASE WHEN {here} THEN {text} ELSE {source} END"
            content = JSON if customers.contents.get(name) == JSON else TEXT
        if bad is not None and cell is not None:
            self.shown += [f"{bad} AS {own}b", f"{cell} AS {own}r"]
            self.cells[name] = f"{own}r"
        self.columns[name] = Column(own, None if bad is None else f"{own}b")
        self.contents[name] = content
