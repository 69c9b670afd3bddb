"""The rows of a report: results of a run beside the customers' own data, in the embedded database.

Everything is counted in SQL, whatever the number of rows. Names of columns come from the description and are quoted,
values and paths go in as parameters or variables.
"""
from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from engine.check.scope import closest
from engine.portfolio.columnar.session import Session, identifier, reading
from engine.report.spec import Named, Part, Spec

#: `yes` and `no` stay texts, as the description names them.
_CSV = (
    ", sample_size = -1, header = true, "
    "auto_type_candidates = ['BIGINT', 'DOUBLE', 'DATE', 'TIMESTAMP', 'VARCHAR']"
)
_READERS = {".parquet": "read_parquet", ".pq": "read_parquet", ".jsonl": "read_json", ".ndjson": "read_json"}


class Table:
    """A relation of the database with its columns."""

    def __init__(self, session: Session, name: str, columns: dict[str, str], shown: str) -> None:
        self.session = session
        self.name = name
        self.columns = columns
        self.shown = shown

    def __contains__(self, column: object) -> bool:
        return column in self.columns

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query over `{t}`, the relation."""
        with reading(self.shown, self.shown):
            return self.session.rows(sql.replace("{t}", self.name), parameters)

    def row(self, sql: str, parameters: Sequence[object] = ()) -> tuple[Any, ...]:
        (found,) = self.rows(sql, parameters)
        return found


class Frame:
    """The rows of one report. `main` are the decided customers, refused ones included."""

    def __init__(self, session: Session, spec: Spec) -> None:
        """Raises DataProblem where a table cannot be read, SpecError where a column is not there."""
        self.session = session
        self.spec = spec
        self.key = spec.top.one["key"]
        self._mentioned = {
            n.text for part in (spec.top, *spec.parts.values())
            for n in (*part.one.values(), *(n for names in part.many.values() for n in names))
        }
        self.main = self.results(spec.top.one["results"])
        self._checked(self.main, [self.key])
        if "data" in spec.top.one:
            self.main = self.beside(self.main, self.table(spec.top.one["data"]))
        if "joined" in spec.parts:
            for place in spec.parts["joined"].one.values():
                self.main = self.beside(self.main, self.results(place))
        earlier = spec.top.one.get("previous")
        self.previous = None if earlier is None else self.results(earlier)
        self._checked(self.main, self._named(spec.top))

    def numbered(self, table: Table, key: str | None = None) -> str:
        """A table with its key as text `k`, and which row of that key each is: a run gives one for each row of the
        data, in their order, so that a key which these have twice tells no row from the other but by that."""
        text = f"CAST({identifier(key or self.key.text)} AS VARCHAR)"
        return f"(SELECT *, {text} AS k, row_number() OVER (PARTITION BY {text} ORDER BY rowid) AS n FROM {table.name})"

    def _named(self, part: Part) -> Iterable[Named]:
        yield from (n for key in ("decision", "exposure") if (n := part.one.get(key)) is not None)
        yield from part.many.get("by", ())
        yield from part.many.get("migration", ())

    def results(self, place: Named) -> Table:
        """What a run wrote to a path of the description."""
        return self._table(place, self.spec.result(place))

    def table(self, place: Named) -> Table:
        """The table at a path of the description."""
        return self._table(place, self.spec.file(place))

    def _table(self, place: Named, path: str) -> Table:
        if not os.path.isfile(path):
            raise self.spec.error("E0981", f"there is no file `{place.text}`", place.at,
                                  "write the path relative to this file, or make the results with `tierwise run`; "
                                  "`--results` names the folder that they are in")
        reader = _READERS.get(os.path.splitext(path)[1].lower(), "read_csv")
        more = _CSV if reader == "read_csv" else ""
        name = self.session.name("report")
        with reading(place.text, path):
            source = f"{reader}({self.session.variable(path)}{more})"
            found = [c for c, *_ in self.session.rows(f"DESCRIBE SELECT * FROM {source}")]
            listed = ", ".join(f"{identifier(c)} AS {identifier(self._called(c, found))}" for c in found)
            self.session.run(f"CREATE TEMP TABLE {name} AS SELECT {listed} FROM {source}")
            columns = {c: k for c, k, *_ in self.session.rows(f"DESCRIBE {name}")}
        return Table(self.session, name, columns, place.text)

    def _called(self, column: str, found: Sequence[str]) -> str:
        """A column as the description calls it: names with underscores for spaces bind as everywhere."""
        spoken = column.replace("_", " ")
        return spoken if spoken != column and spoken in self._mentioned and spoken not in found else column

    def beside(self, results: Table, beside: Table, key: Named | None = None) -> Table:
        """Results with the columns of another table of the same customers, or of what `key` names, that they lack."""
        named = key or self.key
        self._checked(results, [named])
        self._checked(beside, [named])
        more = [c for c in beside.columns if c not in results.columns]
        kept = ", ".join([*(f"r.{identifier(c)}" for c in results.columns), *(f"d.{identifier(c)}" for c in more)])
        name = self.session.name("report")
        self.session.run(
            f"CREATE TEMP TABLE {name} AS SELECT {kept} FROM {self.numbered(results, named.text)} r "
            f"LEFT JOIN {self.numbered(beside, named.text)} d ON r.k IS NOT DISTINCT FROM d.k AND r.n = d.n"
        )
        columns = {c: k for c, k, *_ in self.session.rows(f"DESCRIBE {name}")}
        return Table(self.session, name, columns, results.shown)

    def checked(self, table: Table, part: Part, keys: Sequence[str]) -> None:
        """Raise SpecError where a column that a part names is not in its table."""
        self._checked(table, [
            n for key in keys for n in ([part.one[key]] if key in part.one else part.many.get(key, ()))
        ])

    def _checked(self, table: Table, names: Iterable[Named]) -> None:
        for name in names:
            if name.text not in table:
                near = closest(name.text, table.columns)
                listed = ", ".join(f"`{c}`" for c in list(table.columns)[:20])
                raise self.spec.error(
                    "E0982", f"`{table.shown}` has no column `{name.text}`", name.at,
                    f"did you mean `{near}`?" if near else f"its columns are {listed}",
                )

    def column(self, name: str) -> str:
        return identifier(name)
