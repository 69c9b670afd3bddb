"""Counts of a run, by queries over its results."""
from __future__ import annotations

from collections.abc import Mapping

from engine.portfolio.columnar.session import Session
from engine.portfolio.columnar.sinks import Results
from engine.portfolio.layout import Layout
from engine.portfolio.tally import NONE, Tally


def tallied(session: Session, results: Results, layout: Layout) -> Tally:
    """The counts of a run, by queries over its results."""
    tally = Tally(layout.enumerations)
    source = f"{results.staged.relation(session)} s"
    if results.refused:
        source += f" ANTI JOIN {results.problems} p ON s.ordinal = p.ordinal"
    for status, number in session.rows(f"SELECT status, count(*) FROM {source} GROUP BY ALL"):
        tally.status[status] += number
    names = results.staged.names
    for name, counter in tally.outcomes.items():
        column = names.get(("outcome", name, ""))
        if column is None:
            continue
        for value, number in session.rows(f"SELECT {column}, count(*) FROM {source} GROUP BY ALL"):
            counter[NONE if value is None else value] += number
    for extra, into in (("reasons", tally.reasons), ("missing", tally.missing)):
        if (extra,) in names:
            into.update(dict(_counted(session, f"SELECT unnest({extra}) FROM {source}")))
    if results.refused:
        tally.status["refused"] += results.refused
        tally.refused.update(dict(_counted(session, f"SELECT unnest(names) FROM {results.problems}")))
    return tally


def _counted(session: Session, query: str) -> Mapping[str, int]:
    rows = session.rows(f"SELECT name, count(*) FROM ({query}) AS q(name) GROUP BY ALL ORDER BY 2 DESC, 1")
    return {str(name): int(number) for name, number in rows}

