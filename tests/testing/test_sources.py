"""The contract of data sources: a sound one passes, and each that is broken in one way is told by that."""
from __future__ import annotations

import dataclasses
import datetime
import random
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pytest

import engine as tierwise
from engine.testing import Broken, SourceContract, check

Date = datetime.date
FACTS = [
    ("F1", Date(2026, 1, 1), 100.0, "SH"),
    ("F1", Date(2026, 5, 1), 120.0, "SH"),
    ("F1", Date(2026, 9, 1), 900.0, "BJ"),
    ("F2", Date(2026, 3, 1), 50.0, None),
]
EVENTS = [("F1", 1, Date(2026, 2, 1)), ("F1", 2, Date(2026, 8, 1)), ("F2", 1, Date(2026, 2, 1))]


class Source:
    """Firms and their repayments, in memory; a sound source."""

    def describe(self) -> Sequence[tierwise.Table]:
        return (
            tierwise.Table("firms", "firm", {
                "revenue": tierwise.Field("number", lower=0), "region": tierwise.Field("string", values=("SH", "BJ")),
                "known": tierwise.Field("date", optional=False),
            }, stamp="known"),
            tierwise.Table(
                "repayments", "firm", {"number": tierwise.Field(), "due": tierwise.Field("date")}, events=True),
        )

    def rows(self, table: str, as_of: Date) -> list[dict[str, Any]]:
        if table == "repayments":
            return [dict(zip(("firm", "number", "due"), row, strict=True)) for row in EVENTS]
        latest: dict[str, dict[str, Any]] = {}
        for key, known, revenue, region in FACTS:
            if known <= as_of:
                latest[key] = {"firm": key, "known": known, "revenue": revenue, "region": region}
        return list(latest.values())

    def one(self, table: str, fields: Sequence[str], key: Any, as_of: Date) -> Sequence[Any]:
        return [{f: row[f] for f in fields} for row in self.rows(table, as_of) if row["firm"] == key]

    def batches(
        self, table: str, fields: Sequence[str], as_of: Date, keys: Sequence[Any] | None = None
    ) -> Iterator[pa.RecordBatch]:
        rows = [row for row in self.rows(table, as_of) if keys is None or row["firm"] in keys]
        types = {"revenue": pa.float64(), "number": pa.float64(), "known": pa.date32(), "due": pa.date32()}
        schema = pa.schema([(name, types.get(name, pa.string())) for name in dict.fromkeys(["firm", *fields])])
        for start in range(0, len(rows), 2):
            yield pa.RecordBatch.from_pylist(rows[start:start + 2], schema)

    def close(self) -> None:
        pass


KEYS = ("F1", "F2", "F3")


class Keyed(Source):
    """A service that gives the rows of those alone who are named."""

    def describe(self) -> Sequence[tierwise.Table]:
        return [dataclasses.replace(table, keyed=True) for table in super().describe()]

    def batches(self, table: str, fields: Sequence[str], as_of: Date, keys: Any = None) -> Iterator[pa.RecordBatch]:
        assert keys is not None
        return super().batches(table, fields, as_of, keys)


class TestSound(SourceContract):
    """The contract as a class of tests, which pytest collects."""

    keys = KEYS

    def open(self) -> Source:
        return Source()


class TestKeyed(SourceContract):
    keys = KEYS

    def open(self) -> Source:
        return Keyed()


def test_a_source_of_a_file_in_one_call(tmp_path: Any) -> None:
    def open_file(settings: tierwise.Settings) -> Source:
        if not settings["file"].is_file():
            raise tierwise.PluginFailure(f"there is no `{settings['file'].name}`")
        return Source()

    (tmp_path / "firms.csv").write_text("")
    kind = tierwise.SourceKind("csv", open_file, {"file": tierwise.Setting("path")})
    check(SourceContract, kind=kind, settings={"file": "firms.csv"}, folder=tmp_path, keys=KEYS)


def broken(**parts: Any) -> type[Source]:
    return type("BrokenSource", (Source,), parts)


def _described(*tables: Any) -> type[Source]:
    return broken(describe=lambda self: tables)


def _one(change: Any) -> type[Source]:
    """A source whose answers for one customer are changed, batches alike or not."""
    return broken(one=lambda self, table, fields, key, as_of: change(
        list(Source.one(self, table, fields, key, as_of)), table, fields, key))


def _set(rows: list[Any], name: str, value: Any) -> list[Any]:
    return [{**row, name: value} if name in row else row for row in rows]


class Future(Source):
    """Gives the latest row there is, whatever the date."""

    def rows(self, table: str, as_of: Date) -> list[dict[str, Any]]:
        return super().rows(table, Date(2099, 1, 1))


class FutureInBatches(Source):
    def batches(self, table: str, fields: Sequence[str], as_of: Date, keys: Any = None) -> Iterator[pa.RecordBatch]:
        return super().batches(table, fields, max(as_of, Date(2026, 7, 1)), keys)


class Unsorted(Source):
    def rows(self, table: str, as_of: Date) -> list[dict[str, Any]]:
        rows = super().rows(table, as_of)
        return random.sample(rows * 10, 20) if table == "repayments" else rows


class OneThread(Source):
    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:")

    def rows(self, table: str, as_of: Date) -> list[dict[str, Any]]:
        self.connection.execute("select 1")
        return super().rows(table, as_of)

    def close(self) -> None:
        self.connection.close()


class Forgets(Source):
    """Loses the last batch."""

    def batches(self, *args: Any, **more: Any) -> Iterator[pa.RecordBatch]:
        return iter(list(super().batches(*args, **more))[:-1])


class IgnoresKeys(Source):
    def batches(self, table: str, fields: Sequence[str], as_of: Date, keys: Any = None) -> Iterator[pa.RecordBatch]:
        return super().batches(table, fields, as_of)


class Doubles(Source):
    def batches(self, *args: Any, **more: Any) -> Iterator[pa.RecordBatch]:
        found = list(super().batches(*args, **more))
        return iter([*found, *found])


class NoKey(Source):
    def batches(self, table: str, fields: Sequence[str], as_of: Date, keys: Any = None) -> Iterator[pa.RecordBatch]:
        for batch in super().batches(table, fields, as_of, keys):
            yield batch.select([name for name in batch.schema.names if name != "firm"])


class Mutates(Source):
    def one(self, table: str, fields: Sequence[str], key: Any, as_of: Date) -> Sequence[Any]:
        found = super().one(table, list(fields), key, as_of)
        if isinstance(fields, list):
            fields.append("firm")
        return found


class Distinct(Source):
    """Drops rows that are alike in what is asked for, as SELECT DISTINCT does."""

    def one(self, table: str, fields: Sequence[str], key: Any, as_of: Date) -> Sequence[Any]:
        found = super().one(table, fields, key, as_of)
        return [row for i, row in enumerate(found) if row not in found[:i]]

    def rows(self, table: str, as_of: Date) -> list[dict[str, Any]]:
        rows = super().rows(table, as_of)
        return [{**row, "number": 1} for row in rows] if table == "repayments" else rows


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (_described(), "`describe` gives no table"),
        (_described("firms"), "`describe` gives `str`"),
        (_described(*[tierwise.Table("t", "k", {"a": tierwise.Field()})] * 2), "the table `t` twice"),
        (_described(tierwise.Table("t", "", {"a": tierwise.Field()})), "the table `t` has no key"),
        (_described(tierwise.Table("t", "k", {"a": tierwise.Field("int")})), "`t.a` has the type `int`"),
        (_described(tierwise.Table("t", "k", {"a": tierwise.Field()}, stamp="a")), "the stamp `a` of `t` is a number"),
        (_one(lambda rows, *_: None), "`one` gives `NoneType`"),
        (_one(lambda rows, *_: [tuple(r) for r in rows]), "a row of `firms` that is `tuple`"),
        (_one(lambda rows, t, fields, k: [dict(list(r.items())[1:]) for r in rows]), "for 'F1' has no `revenue`"),
        (_one(lambda rows, *_: _set(rows, "revenue", "100")), "`firms.revenue` of 'F1' is '100'"),
        (_one(lambda rows, *_: _set(rows, "revenue", -1.0)), "is -1.0, which is not within [0..]"),
        (_one(lambda rows, *_: _set(rows, "region", "GD")), "which is none of `SH`, `BJ`"),
        (_one(lambda rows, *_: _set(rows, "known", None)), "is null, and the field is not optional"),
        (_one(lambda rows, *_: rows * 2), "`firms` gives 2 rows for 'F1', and facts are one"),
        (_one(lambda rows, t, f, k: rows or [dict.fromkeys(f, 1)]), "rows for a customer whom nobody knows"),
        (_one(lambda rows, *_: _set(rows, "revenue", 100)), "for 'F1' `one` gives"),
        (Distinct, "is another when it is asked for alone"),
        (Future, "as of 2026-07-01 `firms` gives 'F1' a row of 2026-09-01"),
        (FutureInBatches, "`firms` gives 'F1' a row of 2026-05-01"),
        (Unsorted, "or in another order, for 'F1' when asked again"),
        (OneThread, "fails on another, with `ProgrammingError`"),
        (Forgets, "and `batches` gives"),
        (IgnoresKeys, "`batches` gives rows of 'F2', who was not asked for"),
        (Doubles, "`batches` gives 'F1' 2 rows of `firms`, and facts are one"),
        (NoKey, "a batch of `firms` has no column `firm`"),
        (Mutates, "`one` changes what it is given"),
        (broken(batches=lambda s, *a, **k: iter([1])), "`batches` gives `int`"),
    ],
)
def test_broken(source: type[Source], told: str) -> None:
    random.seed(7)
    with pytest.raises(Broken) as caught:
        check(SourceContract, open=lambda: source(), keys=KEYS)
    assert told in str(caught.value)


def test_without_customers() -> None:
    with pytest.raises(Broken, match="set `keys` to some that the source knows"):
        check(SourceContract, open=lambda: Source())


def test_customers_without_rows() -> None:
    with pytest.raises(Broken, match="there is no row for any of `keys` as of 2026-07-01"):
        check(SourceContract, open=lambda: Source(), keys=["F9"])


def test_failing_without_words() -> None:
    class Fails(Source):
        def one(self, *args: Any) -> Any:
            raise ConnectionError("password hunter2")

    with pytest.raises(Broken, match="a broken source fails with `ConnectionError`") as caught:
        check(SourceContract, open=lambda: Source(), broken=lambda: Fails(), keys=KEYS)
    assert "hunter2" not in str(caught.value)
