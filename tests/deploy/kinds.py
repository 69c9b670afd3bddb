"""Kinds of sources for tests: tables held in memory, and a way to make them misbehave."""
from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from engine.hookspecs import Field, PluginFailure, Row, ScorerKind, Setting, Settings, SinkKind, SourceKind, Table

ARROW = {"number": pa.float64(), "string": pa.string(), "boolean": pa.bool_(), "date": pa.date32(),
         "date and time": pa.timestamp("us")}
Rows = list[dict[str, Any]]


class Memory:
    """A source over rows; `hook` sees every call before it is answered, and may raise, block or answer itself."""

    def __init__(
        self, tables: Sequence[tuple[Table, Rows]], hook: Callable[..., Any] | None = None, batch: int = 3
    ) -> None:
        self.tables = {table.name: (table, rows) for table, rows in tables}
        self.hook = hook or (lambda *_: None)
        self.batch = batch
        self.calls: list[tuple[Any, ...]] = []

    def describe(self) -> Sequence[Table]:
        return [table for table, _ in self.tables.values()]

    def one(self, table: str, fields: Sequence[str], key: Any, as_of: datetime.date) -> Sequence[Row]:
        self.calls.append(("one", table, fields, key))
        answer = self.hook("one", table, fields, key)
        if answer is not None:
            return answer
        found = self.rows(table, as_of, [key])
        return [{name: row.get(name) for name in fields} for row in found]

    def rows(self, name: str, as_of: datetime.date, keys: Sequence[Any] | None) -> Rows:
        table, rows = self.tables[name]
        stamp = table.stamp
        seen = [r for r in rows if stamp is None or r.get(stamp) is None or r[stamp] <= as_of]
        return [r for r in seen if keys is None or r.get(table.key) in set(keys)]

    def batches(
        self, table: str, fields: Sequence[str], as_of: datetime.date, keys: Sequence[Any] | None = None
    ) -> Iterator[pa.RecordBatch]:
        self.calls.append(("batches", table, fields, keys))
        answer = self.hook("batches", table, fields, keys)
        if answer is not None:
            yield from answer
            return
        described, _ = self.tables[table]
        names = list(dict.fromkeys([described.key, *fields]))
        rows = self.rows(table, as_of, keys)
        for start in range(0, len(rows), self.batch):
            part = rows[start:start + self.batch]
            yield pa.RecordBatch.from_arrays(
                [pa.array([row.get(name) for row in part], self.kind(described, name)) for name in names], names
            )

    def kind(self, table: Table, name: str) -> pa.DataType:
        field = table.fields.get(name)
        if field is not None:
            return ARROW[field.type]
        return pa.date32() if name == table.stamp else pa.string()

    def close(self) -> None:
        self.calls.append(("close",))


class Kinds:
    """Kinds as plugins bring them; `opened` are the sources in the order in which they were opened."""

    def __init__(self, **sources: Callable[[], Any]) -> None:
        self.opened: list[Any] = []
        self._sources = sources

    def sources(self) -> Mapping[str, SourceKind]:
        def opening(make: Callable[[], Any]) -> Callable[[Settings], Any]:
            def open(settings: Settings) -> Any:
                found = make()
                found.settings = settings
                self.opened.append(found)
                return found

            return open

        takes = {
            "tables": Setting("map", of={"key": Setting(required=True, help="the column of the customer's key"),
                                         "events": Setting("boolean", default=False)}),
            "url": Setting(), "token": Setting("secret"), "file": Setting("path"), "retries": Setting("number"),
            "wait": Setting("duration"), "mode": Setting(values=("fast", "safe")), "headers": Setting("map"),
        }
        return {name: SourceKind(name, opening(make), takes) for name, make in self._sources.items()}

    def scorers(self) -> Mapping[str, ScorerKind]:
        return {}

    def sinks(self) -> Mapping[str, SinkKind]:
        return {}


D = datetime.date
FIRMS = Table(
    "firms", "firm_id",
    {"firm_id": Field("string"), "annual_revenue": Field(), "grade": Field("string"), "founded": Field("date"),
     "last_score": Field(), "as_at": Field("date")},
    stamp="as_at",
)
SCORES = Table("scores", "id", {"dscr": Field(), "score": Field()})
REPAYMENTS = Table(
    "repayments", "firm_id", {"due": Field("date"), "paid": Field("date")}, events=True,
)


def core(hook: Callable[..., Any] | None = None) -> Memory:
    firms = [
        {"firm_id": "F1", "annual_revenue": 1000.0, "grade": "A", "founded": D(2020, 1, 1), "last_score": 1.2,
         "as_at": D(2026, 6, 1)},
        {"firm_id": "F2", "annual_revenue": 1000.0, "grade": "A", "founded": D(2020, 1, 1), "last_score": 1.3,
         "as_at": D(2025, 1, 1)},
        {"firm_id": "F5", "annual_revenue": 1000.0, "grade": "A", "founded": D(2025, 6, 1), "last_score": None,
         "as_at": D(2026, 6, 1)},
        {"firm_id": "F7", "annual_revenue": 1000.0, "grade": "B", "founded": D(2020, 1, 1), "last_score": 2.0,
         "as_at": None},
    ]
    events = [
        {"firm_id": "F1", "due": D(2026, 1, 10), "paid": D(2026, 1, 9)},
        {"firm_id": "F7", "due": D(2026, 1, 10), "paid": D(2026, 2, 1)},
        {"firm_id": "F9", "due": D(2026, 1, 10), "paid": None},
    ]
    return Memory([(FIRMS, firms), (REPAYMENTS, events)], hook)


def bureau(hook: Callable[..., Any] | None = None) -> Memory:
    rows = [{"id": "F1", "dscr": 1.5, "score": 700.0}, {"id": "F5", "dscr": 0.5, "score": 500.0},
            {"id": "F7", "dscr": None, "score": None}]
    return Memory([(SCORES, rows)], hook)


def numbered() -> Memory:
    """A bureau that knows customers by number."""
    return Memory([(Table("scores", "id", {"id": Field(), "dscr": Field()}), [])])


def failing(text: str = "the partner said 503") -> Callable[..., Any]:
    def hook(*_: Any) -> Any:
        raise PluginFailure(text)

    return hook
