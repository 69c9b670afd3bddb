"""What a run of a portfolio comes to, or why it cannot."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.records import Record


class Summary(Record):
    """What a run came to: `rows` of which some are `decided`, some `open` and some `refused`.

    `outcomes` count the values of each enumerated decision, `reasons`, `missing` and `refused_for` how often each was
    met, `orphans` the events of each history that belong to no customer; `seconds` is the time taken, `engine` who
    decided, and `notes` what a person should know of the tables.
    """

    engine: str
    rows: int
    decided: int
    open: int
    refused: int
    outcomes: Mapping[str, Mapping[str, int]]
    reasons: Mapping[str, int]
    missing: Mapping[str, int]
    refused_for: Mapping[str, int]
    repeated_keys: int
    null_keys: int
    orphans: Mapping[str, int]
    seconds: float
    out: str
    notes: tuple[str, ...] = ()
    #: Of data that a deployment brought: by input how often each field gave it, "" for none.
    sources: Mapping[str, Mapping[str, int]] = {}
    #: The policy's values over the decided customers, those of groups as a tuple of rows with the columns of the group.
    portfolio: Mapping[str, Any] = {}


class DataProblem(Exception):
    """Data that cannot be read at all. `line` counts from 1; `help` is the way out."""

    def __init__(self, message: str, file: str, line: int | None = None, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line
        self.help = help
