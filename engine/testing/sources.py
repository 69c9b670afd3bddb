"""The contract of a data source."""
from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from engine.hookspecs import Table
from engine.semantics import dtypes as dt
from engine.testing.arrow import arrow
from engine.testing.contract import Contract, fail, fails_rightly, on_another_thread
from engine.testing.values import fault, field_fault, same, untouched

_DAY = datetime.timedelta(days=1)
_STAMPS = (dt.DATE, dt.DATE_TIME)


class SourceContract(Contract):
    """What a data source must hold to. Set `kind` and `settings`, or write `open`; and set

    - `keys`: some customers that the source knows, best with no row, one row and several in its tables;
    - `as_of`: a date on which they have rows;
    - `stranger`: a key that nobody has.

    Where the source reads a file, the kit checks by itself what becomes of one that is not there; `broken` may give
    another source that fails when it is asked.
    """

    keys: Sequence[Any] = ()
    stranger: Any = "no such customer"
    as_of: datetime.date = datetime.date(2026, 7, 1)

    # --- what it says of itself ---------------------------------------------------------

    @property
    def tables(self) -> list[Table]:
        found = list(self.opened.describe())
        strange = next((t for t in found if not isinstance(t, Table)), None)
        if strange is not None or not found:
            raise fail(f"`describe` gives {'no table' if not found else f'`{type(strange).__name__}`'}",
                       "return a list of `tierwise.Table`")
        return found

    def test_it_describes_itself(self) -> None:
        names = [table.name for table in self.tables]
        twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
        if twice is not None:
            raise fail(f"`describe` gives the table `{twice}` twice", "give each table a name of its own")
        for table in self.tables:
            for name, field in table.fields.items():
                wrong = field_fault(f"{table.name}.{name}", field)
                if wrong is not None:
                    raise fail(f"`describe`: {wrong}", "declare fields as `tierwise.Field(\"number\")` and the like")
            if not isinstance(table.key, str) or not table.key:
                raise fail(f"the table `{table.name}` has no key",
                           "`key` names the column that holds the customer's key")
            stamp = table.fields.get(table.stamp) if table.stamp is not None else None
            if stamp is not None and stamp.type not in _STAMPS:
                raise fail(f"the stamp `{table.stamp}` of `{table.name}` is a {stamp.type}",
                           "declare it as a date or a date and time")

    def test_it_describes_itself_alike_when_opened_again(self) -> None:
        again = self.open()
        try:
            if list(again.describe()) != self.tables:
                raise fail("`describe` says something else when the source is opened again",
                           "read what there is once, in an order that is always the same")
        finally:
            again.close()

    # --- one customer ------------------------------------------------------------------------

    def _fields(self, table: Table) -> tuple[str, ...]:
        """All fields, the stamp among them."""
        return tuple(dict.fromkeys([*table.fields, *([table.stamp] if table.stamp is not None else [])]))

    def _given_keys(self) -> Sequence[Any]:
        if not self.keys:
            raise fail("there are no customers to ask for", "set `keys` to some that the source knows")
        return self.keys

    def one(self, table: Table, key: Any, as_of: datetime.date | None = None) -> list[dict[str, Any]]:
        """The rows of a customer with all fields, as plain dictionaries."""
        return self._one(table, self._fields(table), key, as_of or self.as_of)

    def _one(self, table: Table, fields: Sequence[str], key: Any, as_of: datetime.date) -> list[dict[str, Any]]:
        answer = self.opened.one(table.name, fields, key, as_of)
        if answer is None or isinstance(answer, (str, bytes, Mapping)):
            raise fail(f"`one` gives `{type(answer).__name__}` for {key!r} of `{table.name}`",
                       "return a list of rows, empty where there are none")
        rows = list(answer)
        for row in rows:
            if not isinstance(row, Mapping):
                raise fail(f"`one` gives a row of `{table.name}` that is `{type(row).__name__}`",
                           "a row is a dictionary by name of field")
            short = next((name for name in fields if name not in row), None)
            if short is not None:
                raise fail(f"a row of `{table.name}` for {key!r} has no `{short}`",
                           "give every field that is asked for, None where there is no value")
        return [{name: row[name] for name in fields} for row in rows]

    def test_rows_have_the_declared_types(self) -> None:
        seen = 0
        for table in self.tables:
            for key in self._given_keys():
                rows = self.one(table, key)
                seen += len(rows)
                if len(rows) > 1 and not table.events:
                    raise fail(f"`{table.name}` gives {len(rows)} rows for {key!r}, and facts are one",
                               "give the latest row as of the date, or declare the table with `events=True`")
                for row in rows:
                    self._hold(table, key, row)
        if not seen:
            raise fail(f"there is no row for any of `keys` as of {self.as_of}",
                       "name customers that have rows, and a date in `as_of` on which they do")

    def _hold(self, table: Table, key: Any, row: Mapping[str, Any]) -> None:
        for name, field in table.fields.items():
            wrong = fault(row[name], field)
            if wrong is not None:
                raise fail(f"`{table.name}.{name}` of {key!r} is {row[name]!r}, which {wrong}",
                           "convert values in the source, or declare the field as what they are")

    def test_a_stranger_has_no_rows(self) -> None:
        for table in self.tables:
            if self.one(table, self.stranger):
                raise fail(f"`{table.name}` gives rows for a customer whom nobody knows",
                           "give an empty list; or set `stranger` to a key that nobody has")

    def test_only_what_is_asked_for_is_needed(self) -> None:
        for table in self.tables:
            fields = self._fields(table)
            for key in self._given_keys():
                whole = self.one(table, key)
                for name in fields:
                    alone = self._one(table, (name,), key, self.as_of)
                    if not same([row[name] for row in whole], [row[name] for row in alone]):
                        raise fail(f"`{table.name}.{name}` of {key!r} is another when it is asked for alone",
                                   "the fields that are asked for choose columns, never rows or their order")

    def test_the_same_rows_again(self) -> None:
        again = self.open()
        try:
            for table in self.tables:
                for key in self._given_keys():
                    first = self.one(table, key)
                    fresh = [dict(row) for row in again.one(table.name, self._fields(table), key, self.as_of)]
                    fresh = [{name: row[name] for name in self._fields(table)} for row in fresh]
                    if not same(first, self.one(table, key)) or not same(first, fresh):
                        raise fail(
                            f"`{table.name}` gives other rows, or in another order, for {key!r} when asked again",
                            "sort the rows by what tells them apart: a decision is repeated to the byte")
        finally:
            again.close()

    def test_it_leaves_what_it_is_given_as_it_is(self) -> None:
        table = self.tables[0]
        key = self._given_keys()[0]
        fields = list(self._fields(table))
        untouched(lambda f: self.opened.one(table.name, f, key, self.as_of), fields, "`one`")
        untouched(lambda k: list(self.opened.batches(table.name, fields, self.as_of, k)), list(self.keys), "`batches`")

    def test_it_answers_on_another_thread(self) -> None:
        table, key = self.tables[0], self._given_keys()[0]
        here = self.one(table, key)
        if not same(here, on_another_thread(lambda: self.one(table, key))):
            raise fail("it answers otherwise on another thread", "keep nothing of a call in the source")

    # --- as of a date ------------------------------------------------------------------------

    def test_no_row_is_of_after_the_date(self) -> None:
        for table in self.tables:
            if table.stamp is None or table.events:
                continue
            for key in self._given_keys():
                stamps = {day(row[table.stamp]) for row in self.one(table, key) if row[table.stamp] is not None}
                for date in sorted({self.as_of, *(s - _DAY for s in stamps), datetime.date(1900, 1, 1)}):
                    self._none_after(table, key, date, self.one(table, key, date))

    def _none_after(self, table: Table, key: Any, date: datetime.date, rows: Sequence[Mapping[str, Any]]) -> None:
        assert table.stamp is not None
        late = next((row[table.stamp] for row in rows if row[table.stamp] is not None and day(row[table.stamp]) > date),
                    None)
        if late is not None:
            raise fail(
                f"as of {date} `{table.name}` gives {key!r} a row of {late}",
                f"give the latest row whose `{table.stamp}` is not after the date: a decision must not see the future")

    # --- all customers ----------------------------------------------------------------------------

    def _batches(
        self, table: Table, keys: Sequence[Any] | None, as_of: datetime.date
    ) -> dict[Any, list[dict[str, Any]]]:
        """The rows of batches by customer, in order; of all, but where rows are had by keys alone."""
        arrow()
        keys = list(self._given_keys()) if keys is None and table.keyed else keys
        fields = self._fields(table)
        found: dict[Any, list[dict[str, Any]]] = {}
        for batch in self.opened.batches(table.name, fields, as_of, keys):
            names = getattr(getattr(batch, "schema", None), "names", None)
            if names is None:
                raise fail(f"`batches` gives `{type(batch).__name__}`",
                           "give `pyarrow.RecordBatch`, one after the other")
            short = next((name for name in (table.key, *fields) if name not in names), None)
            if short is not None:
                raise fail(f"a batch of `{table.name}` has no column `{short}`",
                           "give the column of the key, and every field that is asked for")
            for row in batch.to_pylist():
                key = row[table.key]
                if key is None:
                    raise fail(f"a batch of `{table.name}` has a row without a key", "leave out rows of nobody")
                rows = found.setdefault(key, [])
                if row.get(table.failed_column) is None:
                    rows.append({name: row[name] for name in fields})
        return found

    def test_batches_are_the_same_as_one_by_one(self) -> None:
        for table in self.tables:
            together = self._batches(table, None, self.as_of)
            twice = next((k for k, rows in together.items() if len(rows) > 1 and not table.events), None)
            if twice is not None:
                raise fail(
                    f"`batches` gives {twice!r} {len(together[twice])} rows of `{table.name}`, and facts are one",
                    "give the latest row as of the date, or declare the table with `events=True`")
            for key in self._given_keys():
                alone = self.one(table, key)
                if not same(alone, together.get(key, [])):
                    raise fail(
                        f"for {key!r} `one` gives {_shown(alone)} of `{table.name}`, and `batches` gives "
                        f"{_shown(together.get(key, []))}",
                        "a customer must have the same rows in the same order both ways: read them by one query")

    def test_batches_of_some_customers(self) -> None:
        for table in self.tables:
            asked = list(self._given_keys())[:1]
            found = self._batches(table, asked, self.as_of)
            strange = next((key for key in found if key not in asked), None)
            if strange is not None:
                raise fail(f"`batches` gives rows of {strange!r}, who was not asked for", "heed `keys`; None means all")
            if not same(found.get(asked[0], []), self.one(table, asked[0])):
                raise fail(f"`batches` gives {asked[0]!r} other rows of `{table.name}` when asked for alone",
                           "`keys` choose customers, never rows of one")

    def test_batches_hold_no_row_of_after_the_date(self) -> None:
        for table in self.tables:
            if table.stamp is None or table.events:
                continue
            everyone = self._batches(table, None, self.as_of)
            seen = (row[table.stamp] for rows in everyone.values() for row in rows)
            stamps = {day(stamp) for stamp in seen if stamp is not None}
            dates = sorted(stamps)[len(stamps) // 2:][:1]
            for date in (self.as_of, *(d - _DAY for d in dates), datetime.date(1900, 1, 1)):
                for key, rows in self._batches(table, None, date).items():
                    self._none_after(table, key, date, rows)

    # --- failing --------------------------------------------------------------------------------------

    def test_it_fails_with_words(self) -> None:
        table = self.tables[0]
        key = self._given_keys()[0]

        def ask() -> None:
            source = self.broken()
            if source is not None:
                try:
                    source.describe()
                    source.one(table.name, self._fields(table), key, self.as_of)
                finally:
                    source.close()
                raise fail("a source that is broken answers all the same",
                           "fail where it cannot be read, or let `broken` give another source that fails")

        fails_rightly(ask, "a broken source")


def day(stamp: Any) -> datetime.date:
    """The day of a stamp, which may be a text of ISO form."""
    if isinstance(stamp, str):
        stamp = datetime.datetime.fromisoformat(stamp)
    return stamp.date() if isinstance(stamp, datetime.datetime) else stamp


def _shown(rows: Sequence[Mapping[str, Any]]) -> str:
    return f"{len(rows)} rows" if len(rows) > 1 else repr(list(rows))


