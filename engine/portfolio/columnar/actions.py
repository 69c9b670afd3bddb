"""Holds the actions of a columnar run against the ledger, as the one-by-one path does it."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.portfolio.actions import Actions, Lists
from engine.portfolio.columnar.deciding import Staged
from engine.portfolio.columnar.formats import as_engine
from engine.portfolio.columnar.session import identifier
from engine.portfolio.columnar.sinks import Results


def given_out(results: Results, actions: Actions) -> Results:
    """Give the actions out, in the order of the rows; the results without those that were left out."""
    if actions.ledger is not None:                      # in two passes, so that a ledger of years need not be held
        wanted = set()
        for _, keys, lists in _rows(results, actions):
            wanted |= actions.identities(keys, lists)
        actions.know(wanted)
    left: dict[str, tuple[list[int], list[list[int]]]] = {name: ([], []) for name in actions.decisions}
    for ordinal, keys, lists in _rows(results, actions):
        for name, places in actions.take(keys, lists).items():
            left[name][0].append(ordinal)
            left[name][1].append([place + 1 for place in places])
    staged = _without(results, {name: found for name, found in left.items() if found[0]})
    return Results(results.session, results.layout, staged, results.problems, results.refused, results.keys)


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


def _without(results: Results, left: Mapping[str, tuple[list[int], list[list[int]]]]) -> Staged:
    """The staged rows without some items of their lists, by decision: ordinals, and places from 1."""
    session, staged = results.session, results.staged
    if not left:
        return staged
    joins, shown = [], dict.fromkeys(staged.columns.values(), "")
    line = identifier(staged.columns["ordinal"])
    for name, (ordinals, places) in left.items():
        column = identifier(staged.columns[staged.names[("outcome", name, "")]])
        table = session.name("left")
        session.run(f"CREATE TEMP TABLE {table} (ordinal BIGINT, places BIGINT[])")
        session.run(f"INSERT INTO {table} SELECT unnest(?::BIGINT[]), unnest(?::BIGINT[][])", [ordinals, places])
        joins.append(f"LEFT JOIN {table} ON {table}.ordinal = s.{line}")
        shown[staged.columns[staged.names[("outcome", name, "")]]] = (
            f"CASE WHEN {table}.places IS NULL THEN s.{column} "
            f"ELSE list_filter(s.{column}, lambda x, i: NOT list_contains({table}.places, i)) END"
        )
    listed = ", ".join(f"{sql or f's.{identifier(name)}'} AS {identifier(name)}" for name, sql in shown.items())
    path = session.path(".parquet")
    query = f"SELECT {listed} FROM read_parquet({session.variable(staged.path)}) s {' '.join(joins)} ORDER BY s.{line}"
    session.run(f"COPY ({query}) TO ? (FORMAT parquet)", [path])
    return staged.replace(path=path, final=False)
