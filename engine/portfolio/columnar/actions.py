"""Holds the actions of a columnar run against the ledger, as the one-by-one path does it."""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.portfolio.actions import Actions, Lists
from engine.portfolio.columnar.deciding import Staged
from engine.portfolio.columnar.formats import as_engine
from engine.portfolio.columnar.session import Session, identifier
from engine.portfolio.columnar.sinks import Results
from engine.portfolio.ledger import Identity

#: Rows that are put into a table at once.
_BATCH = 10_000


def given_out(results: Results, actions: Actions) -> Results:
    """Give the actions out, in the order of the rows; the results without those that were left out."""
    if actions.ledger is not None and not actions.ledger.is_new():
        # in two passes, so that a run holds its own actions and not those of years
        wanted: dict[Identity, bool] = {}
        for _, keys, lists in _rows(results, actions):
            wanted.update(dict.fromkeys(actions.identities(keys, lists), False))
        actions.know(wanted)
    left = {name: _Left(results.session) for name in actions.decisions}
    for ordinal, keys, lists in _rows(results, actions):
        for name, places in actions.take(keys, lists).items():
            left[name].add(ordinal, places)
    staged = _without(results, {name: found for name, found in left.items() if found.close()})
    return Results(results.session, results.layout, staged, results.problems, results.refused, results.keys)


class _Left:
    """A table of what is left out of the lists of a decision: ordinals, and places from 1."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.name = session.name("left")
        self._ordinals: list[int] = []
        self._places: list[list[int]] = []
        self._any = False
        session.run(f"CREATE TEMP TABLE {self.name} (ordinal BIGINT, places BIGINT[])")

    def add(self, ordinal: int, places: Sequence[int]) -> None:
        self._ordinals.append(ordinal)
        self._places.append([place + 1 for place in places])
        if len(self._ordinals) >= _BATCH:
            self.close()

    def close(self) -> bool:
        """Put what was added into the table; whether there is anything in it."""
        if self._ordinals:
            query = f"INSERT INTO {self.name} SELECT unnest(?::BIGINT[]), unnest(?::BIGINT[][])"
            self.session.run(query, [self._ordinals, self._places])
            self._ordinals, self._places, self._any = [], [], True
        return self._any


def _rows(results: Results, actions: Actions) -> Iterator[tuple[int, list[Any], Lists]]:
    """Ordinal, keys and lists of the rows that have actions and were not refused."""
    session, staged = results.session, results.staged
    kinds = {decision.name: decision.type for decision in results.layout.decisions}
    names = [name for name in actions.decisions if ("outcome", name, "") in staged.names]
    lists = [staged.names[("outcome", name, "")] for name in names]
    keys = [f"k{at}" for at in range(len(results.keys))]
    if not names:
        return
    some = " OR ".join(f"len({column}) > 0" for column in lists)
    problems = f" AND ordinal NOT IN (SELECT ordinal FROM {results.problems})" if results.refused else ""
    query = (
        f"SELECT ordinal, {', '.join([*keys, *lists])} FROM {staged.relation(session)} "
        f"WHERE ({some}) AND status <> 'refused'{problems} ORDER BY ordinal"
    )
    for batch in session.batches(query):
        for ordinal, *cells in batch:
            found = {
                name: as_engine(value, kinds[name], staged.shapes.get(name, ()))
                for name, value in zip(names, cells[len(keys):], strict=True)
            }
            given = [as_engine(v, kind) for v, kind in zip(cells, results.keys, strict=False)]
            yield ordinal, given, found


def _without(results: Results, left: Mapping[str, _Left]) -> Staged:
    """The staged rows without some items of their lists, by decision."""
    session, staged = results.session, results.staged
    if not left:
        return staged
    joins, shown = [], dict.fromkeys(staged.columns.values(), "")
    line = identifier(staged.columns["ordinal"])
    for name, table in left.items():
        column = staged.columns[staged.names[("outcome", name, "")]]
        joins.append(f"LEFT JOIN {table.name} ON {table.name}.ordinal = s.{line}")
        kept = f"list_filter(s.{identifier(column)}, lambda x, i: NOT list_contains({table.name}.places, i))"
        shown[column] = f"CASE WHEN {table.name}.places IS NULL THEN s.{identifier(column)} ELSE {kept} END"
    listed = ", ".join(f"{sql or f's.{identifier(name)}'} AS {identifier(name)}" for name, sql in shown.items())
    path = session.path(".parquet")
    query = f"SELECT {listed} FROM read_parquet({session.variable(staged.path)}) s {' '.join(joins)} ORDER BY s.{line}"
    session.run(f"COPY ({query}) TO ? (FORMAT parquet)", [path])
    return staged.replace(path=path, final=False)
