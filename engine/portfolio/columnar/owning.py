"""Event tables that know only the level above them: whose their rows are stands in that one's table."""
from __future__ import annotations

from engine.backends.sql.tables import Column
from engine.portfolio.columnar.binding import ORDINAL, require_key
from engine.portfolio.columnar.refusals import EventTable
from engine.portfolio.columnar.session import Session
from engine.portfolio.problems import DataProblem


def owned(session: Session, table: EventTable, above: EventTable, key: str) -> EventTable:
    """A table whose rows belong to those of `above` with the same `key`, with the customer's key as a column. A row
    is of every customer of such rows above, and of none where there is no such row."""
    relation, upper = table.relation, above.relation
    if table.owner in relation.columns:
        raise DataProblem(
            f"history `{table.decl.name}` has a field `{table.owner}`, which is the key of the customers",
            relation.path,
            help=f"leave `of` out of the history, and name `{table.owner}` as its key",
        )
    require_key(upper, above.decl.name, key)
    links, view = session.name("links"), session.name("owned")
    theirs, customer = upper.columns[key].name, upper.columns[above.owner].name
    session.run(
        f"CREATE TEMP VIEW {links} AS SELECT DISTINCT {theirs} AS k, {customer} AS o FROM {upper.name} "
        f"WHERE {theirs} IS NOT NULL AND {customer} IS NOT NULL"
    )
    session.run(
        f"CREATE TEMP VIEW {view} AS SELECT e.*, l.o AS whose FROM {relation.name} e "
        f"LEFT JOIN {links} l ON e.{relation.columns[key].name} = l.k ORDER BY e.{ORDINAL}"
    )
    held = relation.replace(
        name=view, columns={**relation.columns, table.owner: Column("whose")},
        contents={**relation.contents, table.owner: upper.contents[above.owner]}, ordered=False,
    )
    return table.replace(relation=held, links=links)
