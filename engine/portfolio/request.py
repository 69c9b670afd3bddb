"""What a run of a portfolio is asked, what it says meanwhile, and what it comes to."""
from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from engine.ir import nodes as ir
from engine.ir.reads import Cone
from engine.records import Record
from engine.runs import Summary

if TYPE_CHECKING:
    from engine.deploy.delivering import Delivery
    from engine.deploy.deployment import Supply

KEEP, REFUSE, STOP = "keep", "refuse", "stop"
#: What may stand beside the outcomes, in the order of the columns; the first are given unless others are asked for.
EXTRAS = ("reasons", "fired", "open", "missing", "trace")
USUAL_EXTRAS = ("reasons", "open", "missing")
#: A further one, of a run whose data a deployment brings: which sources failed for a row, and why.
FAILURES = "failures"

#: Rows of a part of a run in parts.
PART_ROWS = 1_000_000


class Options(Record):
    """How text files are read; None is settled by name and content."""

    format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None


class Request(Record):
    """One run. `histories` are (name, place); `only` the decisions asked for, all where it is empty; `max_refused` the
    share of refused rows above which there is no result; `previous` the results of an earlier run, and `previous_as_of`
    its date. `supply` is what a deployment gives for the policy: the customers too where `data` is empty;
    `delivery` is where its output goes, instead of `out`. `actions` is where the list of actions goes,
    `ledger` keeps those that were given out, and `portfolio` where the values over all customers go."""

    data: str
    as_of: datetime.date
    histories: tuple[tuple[str, str], ...] = ()
    out: str = "-"
    form: str | None = None
    rejects: str | None = None
    options: Options = Options()
    missing: tuple[str, ...] = ()
    date_format: str | None = None
    only: tuple[str, ...] = ()
    extras: tuple[str, ...] = USUAL_EXTRAS
    where: str | None = None
    limit: int | None = None
    strict: bool = False
    max_refused: float | None = None
    on_repeated_key: str = KEEP
    on_null_key: str = KEEP
    on_orphan: str = KEEP
    on_keyless_event: str = STOP
    memory_limit: str | None = None
    threads: int | None = None
    master: str | None = None
    run_id: str | None = None
    previous: str | None = None
    previous_as_of: datetime.date | None = None
    supply: Supply | None = None
    delivery: Delivery | None = None
    actions: str | None = None
    ledger: str | None = None
    portfolio: str | None = None
    part_rows: int = PART_ROWS

    @property
    def read(self) -> list[str]:
        """Every place that is read."""
        places = [*([self.data] if self.data else []), *(place for _, place in self.histories)]
        return places if self.previous is None else [*places, self.previous]


class Listener(Protocol):
    """Who is told what a person should know, while it happens."""

    def note(self, text: str) -> None:
        """One line about the data or the run."""

    def refused(self, place: str, key: str, message: str, help: str | None) -> None:
        """A refused row, by its place (`file:line`)."""

    def progress(self, done: int, total: int | None, unit: str) -> None:
        """How far the run is."""


class Quiet:
    """A listener who keeps the notes and drops the rest."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def refused(self, place: str, key: str, message: str, help: str | None) -> None:
        pass

    def progress(self, done: int, total: int | None, unit: str) -> None:
        pass


class Policy(Protocol):
    """What a run needs of a policy (`engine.policy.Policy`)."""

    @property
    def versions(self) -> Sequence[Any]: ...

    @property
    def scorers(self) -> Mapping[str, Any]: ...

    def program_at(self, day: datetime.date) -> ir.Program: ...

    def with_leaves(self) -> Policy: ...

    def cone(self, program: ir.Program, only: Sequence[str] | None = None) -> Cone: ...

    def decide(
        self, inputs: Mapping[str, Any], *, as_of: datetime.date, history: Any = None,
        only: Sequence[str] | None = None, engine: str = "python",
    ) -> Any: ...


__all__ = [
    "EXTRAS", "FAILURES", "KEEP", "PART_ROWS", "REFUSE", "STOP", "USUAL_EXTRAS", "Listener", "Options", "Policy",
    "Quiet", "Request", "Summary",
]
