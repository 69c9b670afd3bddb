"""What a plugin may add to the engine: the hooks, and the shapes of what they give.

A plugin is a module or package with functions marked `@tierwise.hookimpl`, found through the entry-point group
`tierwise`, a path, or the project file; it states the version of these hooks that it was written for as
`tierwise_hooks = 1`. Everything here is public and is all that a plugin needs; `docs/plugins/hooks.md` is generated
from it.

Types are named as policies name them: "number", "string", "boolean", "date", "date and time", "time",
"days and time duration", "years and months duration".
"""
from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import pluggy

if TYPE_CHECKING:
    from pathlib import Path

    import click
    import pyarrow

__all__ = [
    "HOOK_VERSION", "Command", "Field", "Function", "Hooks", "PluginFailure", "ReportChart", "ReportNote",
    "ReportSection", "ReportTable", "Row", "Score", "Scorer", "ScorerDescription", "ScorerKind", "Setting", "Settings",
    "Sink", "SinkKind", "Source", "SourceKind", "Table", "hookimpl", "hookspec", "sql_form",
]

#: The version of the hooks. A plugin that states a higher one needs a newer engine.
HOOK_VERSION = 1

hookspec = pluggy.HookspecMarker("tierwise")
hookimpl = pluggy.HookimplMarker("tierwise")

Row: TypeAlias = Mapping[str, Any]


class PluginFailure(Exception):
    """Raised by a source, scorer or sink that cannot do what was asked; its text is shown to the user.

    Other exceptions are failures too, but only their kind is shown: their text may hold what must not be told.
    """


# --- what the user sets ------------------------------------------------------------------


@dataclass(frozen=True)
class Setting:
    """One key of a source's, scorer's or sink's entry in a deployment file.

    `kind` is "text", "number", "boolean", "duration" (given as seconds), "path" (given as a `Path` inside the
    deployment's folder), "secret" (an environment variable's value, never shown), "list", "map" or "any".
    """

    kind: str = "text"
    required: bool = False
    default: Any = None
    help: str = ""
    #: The texts that are allowed, where only some are.
    values: tuple[str, ...] = ()
    #: Of a "map" whose values are alike: the settings that each of them has, as `tables` of a source.
    of: Mapping[str, Setting] | None = None


@dataclass(frozen=True)
class Settings:
    """The settings of one entry, checked against its kind's; absent ones have their defaults."""

    #: The entry's name in the deployment file.
    name: str
    values: Mapping[str, Any]
    #: The folder of the deployment file; a path outside it is refused before the plugin sees it.
    folder: Path

    def __getitem__(self, key: str) -> Any:
        return self.values[key]


# --- data sources --------------------------------------------------------------------------


@dataclass(frozen=True)
class Field:
    """A value's type: of a source's column, or of a scorer's input or output."""

    type: str = "number"
    #: The only values there are, for texts.
    values: tuple[str, ...] = ()
    #: The least and greatest value, both included; None for no bound.
    lower: float | None = None
    upper: float | None = None
    optional: bool = True
    help: str = ""


@dataclass(frozen=True)
class Table:
    """A table of a source: facts have at most one row a customer, events any number.

    `key` names the column that holds the customer's key. `stamp` names the column, a date or date and time, that says
    since when a row of facts holds; rows stamped after the date of the decision are not given. Without it a
    row is taken to hold as of when it was fetched. `keyed`: its rows can only be had by their keys, so that
    `batches` is always given some.
    """

    name: str
    key: str
    fields: Mapping[str, Field]
    events: bool = False
    stamp: str | None = None
    keyed: bool = False

    @property
    def failed_column(self) -> str:
        """The column of a batch that says why a customer's rows could not be had: `failed`, or `~failed` where the
        table itself has a column `failed`."""
        return "~failed" if "failed" in (self.key, self.stamp, *self.fields) else "failed"


class Source(Protocol):
    """An open data source. Calls may come from several threads, one at a time for each object."""

    def describe(self) -> Sequence[Table]:
        """Its tables; asked once, before any data."""

    def one(self, table: str, fields: Sequence[str], key: Any, as_of: datetime.date) -> Sequence[Row]:
        """The rows of one customer: none or one of facts, all events. Raise `PluginFailure` where they cannot be
        had; the engine keeps the time limit."""

    def batches(
        self, table: str, fields: Sequence[str], as_of: datetime.date, keys: Sequence[Any] | None = None
    ) -> Iterator[pyarrow.RecordBatch]:
        """The rows of all customers, or of those in `keys`, in Arrow batches with the key's column and `fields`. A
        customer whose rows could not be had has a row with the key that says why, in words, in the column `failed`
        (`~failed` where the table has a field of that name: `Table.failed_column`); the column may be left out."""

    def close(self) -> None:
        """Let go of connections and files."""


@dataclass(frozen=True)
class SourceKind:
    """A kind of source, as `kind:` names it in a deployment file."""

    name: str
    open: Callable[[Settings], Source]
    settings: Mapping[str, Setting] = field(default_factory=dict)
    help: str = ""
    version: str = "1"


# --- scorers ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class ScorerDescription:
    """What an open scorer takes and gives.

    `version` identifies the model and stands in every decision that used it. `reasons` are all names of reasons that
    it may give. A scorer is not asked where an input is null and gives null, unless it `handles_missing`.
    """

    inputs: Mapping[str, Field]
    output: Field
    version: str
    reasons: tuple[str, ...] = ()
    handles_missing: bool = False


@dataclass(frozen=True)
class Score:
    """A scorer's answer for one customer; `reasons` the most important first. None is no answer."""

    value: Any
    reasons: tuple[str, ...] = ()


class Scorer(Protocol):
    """An open scorer. The same inputs give the same answer, one by one and in batches."""

    def describe(self) -> ScorerDescription:
        """Asked once, before anything is scored."""

    def one(self, row: Row) -> Score:
        """Score one customer: a value for each declared input."""

    def batch(self, table: pyarrow.Table) -> pyarrow.Table:
        """Score a table with one column for each declared input (numbers as float64). Gives as many rows in the same
        order: a column `value`, and if there are reasons a column `reasons`, lists of texts."""

    def close(self) -> None:
        """Let go of what it holds."""


@dataclass(frozen=True)
class ScorerKind:
    """A kind of scorer, as `kind:` names it under `models` in a deployment file."""

    name: str
    open: Callable[[Settings], Scorer]
    settings: Mapping[str, Setting] = field(default_factory=dict)
    help: str = ""
    version: str = "1"


# --- functions ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Function:
    """A function that FEEL may call where a policy states `functions: [set]`.

    `parameters` are names and types in order: those above, "money", "amount" (money or a number: all of a call are the
    same, and so is a result that is one), "one of a, b" for texts, "list of ...", and as members are named
    "context<name: type, ...>". Those in `optional` may be left out, and have the default of `body`. A null argument,
    or a null in a list, gives null before `body` is asked, unless the function `handles_missing`.

    `body` is given floats, months as a whole number, and lists and contexts of its own. It gives None or raises
    ValueError or an ArithmeticError where known arguments have no value; any other exception, and a result of another
    type, is a failure, which opens what hangs on it. It gives the same for the same arguments, and never blocks.

    `sql` makes the same in SQL: it takes sqlglot expressions, one for each parameter (None for one that is left out),
    and gives one (`sql_form` makes it of a text); without it the function is carried out one by one only.
    """

    set: str
    name: str
    parameters: Mapping[str, str]
    result: str
    body: Callable[..., Any]
    sql: Callable[..., Any] | None = None
    optional: tuple[str, ...] = ()
    handles_missing: bool = False
    help: str = ""
    #: Arguments with what they give, as FEEL texts, shown in the reference and tested by the kit.
    examples: tuple[tuple[str, str], ...] = ()


def sql_form(text: str, *parameters: str, **absent: str) -> Callable[..., Any]:
    """The form in SQL of a function: an expression in DuckDB's SQL over its parameters, by names for them in order.

        sql_form("CASE WHEN n <> 0 THEN total / n END", "total", "n")

    `absent` says what stands in place of a parameter that is left out, in SQL too. Operands are put in as trees and
    never as text. Numbers are DOUBLE; a division by 0 is NULL. sqlglot is imported when the form is first asked for.
    """
    unknown = [name for name in absent if name not in parameters]
    if unknown:
        raise ValueError(f"the form has no parameter {unknown[0]!r}")

    def form(*operands: Any) -> Any:
        from sqlglot import exp, parse_one  # noqa: PLC0415 - what decides one by one does not need it

        given = {
            name: parse_one(absent[name], dialect="duckdb") if operand is None else operand
            for name, operand in zip(parameters, operands, strict=True)
        }

        def put(node: Any) -> Any:
            if isinstance(node, exp.Column) and not node.table and node.name in given:
                operand = given[node.name].copy()
                return operand if isinstance(operand, (exp.Column, exp.Literal)) else exp.Paren(this=operand)
            return node

        return parse_one(text, dialect="duckdb").transform(put)

    return form


# --- where results go ----------------------------------------------------------------------------


class Sink(Protocol):
    """An open place for decided rows. Nothing is visible at the place before `finish`, where that is possible."""

    def write(self, batch: pyarrow.RecordBatch) -> None:
        """Take further decided rows, in order."""

    def finish(self) -> None:
        """All rows were written: make them visible."""

    def abandon(self) -> None:
        """The run failed: leave nothing behind."""


@dataclass(frozen=True)
class SinkKind:
    """A kind of sink, as `kind:` names it under `output` in a deployment file. `open` gets the columns in order."""

    name: str
    open: Callable[[Settings, pyarrow.Schema, Sequence[str]], Sink]
    settings: Mapping[str, Setting] = field(default_factory=dict)
    help: str = ""
    version: str = "1"


# --- reports ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReportTable:
    """A table of a report: `columns` are names with how their values are shown ("text", "count", "share", "money",
    "number" or "decimal"); `rows` have a value for each."""

    title: str
    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[Any]]
    note: str = ""


@dataclass(frozen=True)
class ReportChart:
    """Bars of a report: `rows` are names with their lengths, shown as `kind`; `says` puts in words what they show."""

    title: str
    rows: Sequence[tuple[str, float]]
    kind: str = "count"
    says: str = ""


@dataclass(frozen=True)
class ReportNote:
    """A paragraph of a report; `alarm` marks what is to be acted on."""

    text: str
    alarm: bool = False


@dataclass(frozen=True)
class ReportSection:
    """A further section of `tierwise report`, as the description of a report names it under `sections`.

    `make` gets the decided rows (the results with the customers' data beside them), the settings, and the language of
    the report; it gives tables, charts and notes. Where it fails the report says so in its place.
    """

    name: str
    title: str
    make: Callable[[pyarrow.Table, Settings, str], Iterable[ReportTable | ReportChart | ReportNote]]
    settings: Mapping[str, Setting] = field(default_factory=dict)
    help: str = ""
    version: str = "1"


# --- commands -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Command:
    """A further command of the command line; `make` gives it when it is asked for."""

    name: str
    make: Callable[[], click.Command]
    help: str = ""


# --- the hooks -----------------------------------------------------------------------------------------


class Hooks:
    """The hooks. Each is asked once for a command, and only where the command needs its kind."""

    @hookspec
    def register_sources(self) -> Iterable[SourceKind]:
        """Kinds of data sources."""
        return ()

    @hookspec
    def register_scorers(self) -> Iterable[ScorerKind]:
        """Kinds of scorers."""
        return ()

    @hookspec
    def register_functions(self) -> Iterable[Function]:
        """FEEL functions, in sets that a policy names."""
        return ()

    @hookspec
    def register_sinks(self) -> Iterable[SinkKind]:
        """Kinds of sinks for the rows of `tierwise run`."""
        return ()

    @hookspec
    def register_report_sections(self) -> Iterable[ReportSection]:
        """Sections of `tierwise report`."""
        return ()

    @hookspec
    def register_commands(self) -> Iterable[Command]:
        """Commands beside those of `tierwise`."""
        return ()
