"""Open sources, whose answers are held to what they declare.

Every call has a time limit and fails in words (`engine.calling`). One that does not come back keeps the source's
object: the next call opens the source anew, a few times, and then is refused at once, so that a source which hangs
costs a portfolio seconds and not days.
"""
from __future__ import annotations

import dataclasses
import datetime
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from engine.calling import Caller, CallFailed, Secrets, TimedOut, said
from engine.check.scope import closest
from engine.deploy.document import Deployment, Entry
from engine.deploy.settings import Reader
from engine.diagnostics import Diagnostic, Edit
from engine.hookspecs import (
    Field,
    PluginFailure,
    Row,
    ScorerKind,
    Setting,
    Settings,
    SinkKind,
    Source,
    SourceKind,
    Table,
)
from engine.ir.door import Refusal, convert, show
from engine.runs import DataProblem
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type

Value = TypeVar("Value")

#: How often a source that does not answer is opened anew.
REOPENED = 3
#: Seconds that opening a source and asking for its tables may take.
OPENING = 60.0
#: Rows of events that one customer may have.
MAX_ROWS = 1_000_000
#: Columns that `engine.deploy.intake` and batches have beside the fields.
_OWN = ("~key", "~failed")
_END: Any = object()


class Kinds(Protocol):
    """The kinds that plugins bring, by name (`engine.hooks`)."""

    def sources(self) -> Mapping[str, SourceKind]: ...

    def scorers(self) -> Mapping[str, ScorerKind]: ...

    def sinks(self) -> Mapping[str, SinkKind]: ...


class AnyKind(Protocol):
    """What the kinds have in common."""

    @property
    def name(self) -> str: ...
    @property
    def settings(self) -> Mapping[str, Setting]: ...


class OpenSource:
    """A source under its name in the deployment; its calls are made one at a time."""

    def __init__(self, entry: Entry, kind: SourceKind, settings: Settings, secrets: Secrets) -> None:
        """Open it and ask for its tables; raises DataProblem."""
        self.name = entry.name
        self.entry = entry
        self._kind = kind
        self._settings = settings
        self._secrets = secrets
        self._caller = Caller(secrets)
        self._source: Source | None = None
        self._left = 0
        self._lock = threading.RLock()
        try:
            tables = self._opened().describe
            self.tables = self._caller.call(lambda: _described(tables()), OPENING)
        except CallFailed as failure:
            raise DataProblem(
                f"source `{self.name}` cannot be opened: {failure.text}", entry.at.file, entry.at.line,
                help="see the settings of the source, and whether what it reads can be reached",
            ) from None

    def _opened(self) -> Source:
        if self._source is None:
            if self._left > REOPENED:
                raise CallFailed("it did not answer before, and is not asked again")
            kind, settings = self._kind, self._settings
            self._source = self._call(lambda: kind.open(settings), OPENING)
        return self._source

    def _call(self, function: Callable[[], Value], limit: float) -> Value:
        with self._lock:
            try:
                return self._caller.call(function, limit)
            except TimedOut:
                self._source = None                     # the thread that was left behind still holds it
                self._left += 1
                raise
            except KeyboardInterrupt:
                self._source = None
                raise

    def one(self, table: Table, fields: Sequence[str], key: Any, as_of: datetime.date) -> list[dict[str, Any]]:
        """The rows of one customer, with values of the declared types; raises CallFailed."""
        source, asked = self._opened(), tuple(fields)
        rows = self._call(lambda: _listed(source.one(table.name, asked, key, as_of)), self.entry.timeout)
        if not table.events and len(rows) > 1:
            raise CallFailed(f"it gives several rows of `{table.name}` for one customer, and facts are one")
        return [_row(table, asked, row, as_of) for row in rows]

    def batches(
        self, table: Table, fields: Sequence[str], as_of: datetime.date, keys: Sequence[Any] | None
    ) -> Iterator[Any]:
        """The rows of all customers, or of those in `keys`, as Arrow record batches as the source gives them; raises
        CallFailed."""
        source, asked = self._opened(), tuple(fields)
        given = None if keys is None else tuple(keys)
        limit = self.entry.batch_timeout
        batches = self._call(lambda: iter(source.batches(table.name, asked, as_of, given)), limit)
        try:
            while (batch := self._call(lambda: next(batches, _END), limit)) is not _END:
                yield batch
        finally:
            close = getattr(batches, "close", None)
            if self._source is source and close is not None:        # else its thread is still within it
                self._caller.call(close, limit)

    def said(self, words: str) -> str:
        """What it says of a failure, in words that may be shown."""
        return said(words, self._secrets)

    def close(self) -> None:
        """Let go of it. One that cannot be closed is left alone: nothing hangs on it any more."""
        source, self._source = self._source, None
        if source is not None:
            try:
                self._caller.call(source.close, self.entry.timeout)
            except CallFailed:
                return
        self._caller.close()


class Closes(Protocol):
    """What is opened, and let go of again."""

    def close(self) -> None: ...


Kind = TypeVar("Kind", bound=AnyKind)
Thing = TypeVar("Thing", bound=Closes)


def opened(deployment: Deployment, kinds: Kinds, names: Sequence[str], secrets: Secrets) -> dict[str, OpenSource]:
    """Open the sources of a deployment that are called for; raises DeploymentError and DataProblem."""
    known = kinds.sources() if names else {}

    def source(entry: Entry, kind: SourceKind, settings: Settings) -> OpenSource:
        return OpenSource(entry, kind, settings, secrets)

    return each_opened(deployment, [deployment.sources[name] for name in names], known, "source", secrets, source)


def each_opened(
    deployment: Deployment, entries: Sequence[Entry], known: Mapping[str, Kind], what: str, secrets: Secrets,
    open_one: Callable[[Entry, Kind, Settings], Thing],
) -> dict[str, Thing]:
    """What entries of a deployment stand for, by name.

    All that is wrong with their settings is told before the first is opened (DeploymentError); where one cannot be,
    those that were are closed again.
    """
    found: list[Diagnostic] = []
    reader = Reader(deployment.folder.resolve(), secrets, found)
    ready = []
    for entry in entries:
        kind = kind_of(entry, known, what, found)
        if kind is not None:
            ready.append((entry, kind, reader.settings(entry, kind.settings)))
    if found:
        raise deployment.error(found)
    things: dict[str, Thing] = {}
    try:
        for entry, kind, settings in ready:
            things[entry.name] = open_one(entry, kind, settings)
    except BaseException:
        for thing in things.values():
            thing.close()
        raise
    return things


def kind_of(entry: Entry, known: Mapping[str, Kind], what: str, found: list[Diagnostic]) -> Kind | None:
    """The kind that an entry names, None where no plugin brings it."""
    kind = known.get(entry.kind)
    if kind is None:
        near = closest(entry.kind, known)
        listed = ", ".join(f"`{name}`" for name in sorted(known)) or "none"
        help = f"did you mean `{near}`?" if near else f"the kinds are {listed}; see `tierwise plugins`"
        edits = (Edit(entry.kind_at, near),) if near else ()
        found.append(Diagnostic("E0951", f"no kind of {what} is called `{entry.kind}`", entry.kind_at, help,
                                edits=edits))
    return kind


# --- what sources say of themselves ----------------------------------------------------------------


def _described(tables: Any) -> dict[str, Table]:
    """The tables by name, fields of their own; raises PluginFailure where they are not as the hooks ask."""
    if tables is None or isinstance(tables, (str, bytes, Mapping)):
        raise PluginFailure("its description is no list of tables")
    found: dict[str, Table] = {}
    for table in tables:
        if not isinstance(table, Table) or not _is_name(table.name):
            raise PluginFailure("its description holds what is no table")
        if table.name in found:
            raise PluginFailure(f"it describes the table `{table.name}` twice")
        if not _is_name(table.key):
            raise PluginFailure(f"its table `{table.name}` does not name the column of its key")
        if table.stamp is not None and not _is_name(table.stamp):
            raise PluginFailure(f"its table `{table.name}` names no column as its stamp")
        if not isinstance(table.fields, Mapping):
            raise PluginFailure(f"its table `{table.name}` has fields that are no mapping")
        fields = dict(table.fields)
        for name, field in fields.items():
            if not _is_name(name) or name in _OWN and name != table.key or not isinstance(field, Field):
                raise PluginFailure(f"its table `{table.name}` has a field that is none")
            if not isinstance(field.type, str) or field.type not in dt.DECLARABLE:
                raise PluginFailure(f"its field `{table.name}.{name}` has the type `{field.type}`, which no value has")
        stamp = fields.get(table.stamp or "")
        if stamp is not None and stamp.type not in (dt.DATE, dt.DATE_TIME):
            raise PluginFailure(f"its field `{table.name}.{table.stamp}` is no date, and is named as its stamp")
        found[table.name] = dataclasses.replace(table, fields=fields)
    return found


def _is_name(name: Any) -> bool:
    """Whether it may name a table or column."""
    return isinstance(name, str) and bool(name.strip())


def kind_in(table: Table, name: str) -> Type:
    """The type of a table's field; a stamp that is no field is a date or a date and time, whichever it is."""
    field = table.fields.get(name)
    return Type(dt.DATE_TIME if field is None else field.type, True)


# --- what sources give ---------------------------------------------------------------------------------


def _listed(rows: Any) -> list[Row]:
    """Rows as a list of its own, which nothing that the source does later can change."""
    if rows is None or isinstance(rows, (str, bytes, Mapping)):
        raise PluginFailure("its answer is no list of rows")
    found: list[Row] = []
    for row in rows:
        if not isinstance(row, Mapping):
            raise PluginFailure("its answer is no list of rows")
        found.append(dict(row))
        if len(found) > MAX_ROWS:
            raise PluginFailure(f"it gives more than {MAX_ROWS:,} rows for one customer")
    return found


def _row(table: Table, fields: Sequence[str], row: Row, as_of: datetime.date) -> dict[str, Any]:
    """The asked fields of a row; raises CallFailed where they are not what the source declares."""
    short = [name for name in fields if name not in row]
    if short:
        raise CallFailed(f"its rows of `{table.name}` have no `{short[0]}`")
    found: dict[str, Any] = {}
    for name in fields:
        value = row[name]
        found[name] = stamp_of(value, table) if name == table.stamp else _value(table, name, value)
    if table.stamp is not None and not table.events and table.stamp in found:
        stamp = found[table.stamp]
        if stamp is not None and day_of(stamp) > as_of:
            raise CallFailed(f"it gives a row of `{table.name}` from after {as_of}")
    return found


def _value(table: Table, name: str, value: Any) -> Any:
    kind = kind_in(table, name)
    try:
        return convert(value, kind)
    except Refusal as refusal:
        # the value itself is the customer's own business
        why = str(refusal).removeprefix(show(value)).strip()
        raise CallFailed(f"its `{table.name}.{name}` {why}") from None


def stamp_of(value: Any, table: Table) -> datetime.date | datetime.datetime | None:
    """A stamp as a date or a date and time; raises CallFailed."""
    for kind in (dt.DATE, dt.DATE_TIME):
        try:
            found: datetime.date | None = convert(value, Type(kind, True))
            return found
        except Refusal:
            continue
    raise CallFailed(f"its `{table.name}.{table.stamp}` is neither a date nor a date and time")


def day_of(stamp: datetime.date | datetime.datetime) -> datetime.date:
    return stamp.date() if isinstance(stamp, datetime.datetime) else stamp
