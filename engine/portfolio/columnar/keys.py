"""What is said of keys: customers with the same one, customers and events without one, events without a customer."""
from __future__ import annotations

from collections.abc import Sequence

from engine.portfolio.columnar.binding import ORDINAL, Relation
from engine.portfolio.columnar.cells import JSON
from engine.portfolio.columnar.refusals import EventTable
from engine.portfolio.columnar.session import Session, reading
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import STOP
from engine.portfolio.shared import orphans_text
from engine.records import Record

#: Keys told apart in one go; more are taken in as many goes, so that room for them does not grow with the table.
_AT_ONCE = 4_000_000


class Keys(Record):
    """SQL of a customers' key as one value (NULL where a part is missing), over the bound relation's columns."""

    text: str | None
    #: Flags of the parts that may hold what could not be read, which is refused and neither repeated nor missing.
    bad: tuple[str, ...] = ()

    def of(self, relation: str) -> str:
        """The rows of a relation whose keys were read."""
        return f"(SELECT * FROM {relation} WHERE NOT ({' OR '.join(self.bad)}))" if self.bad else relation


def keys_of(relation: Relation, names: Sequence[str]) -> Keys:
    """How customers are told apart; `text` is None where the policy has no key."""
    if not names:
        return Keys(None)
    parts: list[str] = []
    for name in names:
        column = relation.columns.get(name)
        if column is None:
            return Keys("CAST(NULL AS VARCHAR)")
        parts.append(column.name if len(names) == 1 else f"CAST({column.name} AS VARCHAR)")
    bad = tuple(flag for name in names if (flag := relation.columns[name].bad) is not None)
    return Keys(" || chr(31) || ".join(parts), bad)


def unread(relation: Relation, name: str, alias: str = "") -> str:
    """SQL that is true where a key is there and could not be read; a list or an object is no key at all."""
    flag, cell = relation.columns[name].bad, relation.cells.get(name)
    if flag is None or cell is None:
        return "false"
    if relation.contents[name] != JSON:
        return f"{alias}{flag}"
    return f"({alias}{flag} AND {alias}{cell}[1] NOT IN ('[', '{{'))"


def count_keys(session: Session, relation: str, key: Keys, rows: int, shown: str, path: str) -> tuple[int, int]:
    """How many rows repeat an earlier row's key, and how many have none."""
    if key.text is None:
        return 0, 0
    goes = max(1, -(-rows // _AT_ONCE))
    repeated = keyless = 0
    relation = key.of(relation)
    with reading(shown, path):
        for go in range(goes):
            where = f"coalesce(hash({key.text}), 0) % {goes} = {go}" if goes > 1 else "true"
            every, found, distinct = session.row(
                f"SELECT count(*), count({key.text}), count(DISTINCT {key.text}) FROM {relation} WHERE {where}"
            )
            repeated += found - distinct
            keyless += every - found
    return repeated, keyless


def repeated_rows(relation: str, key: Keys) -> str:
    """A query of the ordinals whose key an earlier row has."""
    return (
        f"SELECT {ORDINAL} FROM (SELECT {ORDINAL}, row_number() OVER (PARTITION BY {key.text} ORDER BY {ORDINAL}) "
        f"AS place FROM {key.of(relation)} WHERE {key.text} IS NOT NULL) WHERE place > 1"
    )


def keyless_rows(relation: str, key: Keys) -> str:
    return f"SELECT {ORDINAL} FROM {key.of(relation)} WHERE {key.text} IS NULL"


def orphans(
    session: Session, table: EventTable, customers: Relation, name: str, choice: str
) -> int:
    """How many events belong to no customer; raises DataProblem where there must be none."""
    events = table.relation
    key = customers.columns.get(table.owner)
    mine = events.columns[table.owner].name
    # Events without a key are told elsewhere; without a row above they are of nobody.
    given = mine if table.decl.of is None else events.columns[table.decl.key or ""].name
    known = f"SELECT {key.name} FROM {customers.name}" if key is not None else "SELECT NULL WHERE false"
    with reading(events.shown, events.path):
        (lost,) = session.row(
            f"SELECT count(DISTINCT e.{ORDINAL}) FROM {events.name} e ANTI JOIN ({known}) c(key) ON e.{mine} = c.key "
            f"WHERE e.{given} IS NOT NULL OR {unread(events, table.owner, 'e.')}"
        )
    if lost and choice == STOP:
        raise DataProblem(orphans_text(name, lost, customers.shown), events.path)
    return int(lost)
