"""Where the data of one customer came from: the part of an explanation that sources bring."""
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from engine.explain.values import plain
from engine.records import Record

#: Why a field was passed over: it has no value, its value is too old, its source failed, or another one goes before it.
MISSING, STALE, FAILED, OVERRULED = "missing", "stale", "failed", "overruled"
#: The source of what the caller gave.
GIVEN = "given"


class Passed(Record):
    """A field that was passed over and why; `detail` says what failed, `stamp` how old a stale value is."""

    source: str
    why: str
    detail: str = ""
    stamp: datetime.date | None = None


class Origin(Record):
    """Where an input or a history came from. `source` is the field or table that gave it, None where none did;
    `fetched` when it was asked, `stamp` since when the value holds, `rows` how many a history has."""

    name: str
    source: str | None
    fetched: datetime.datetime | None = None
    stamp: datetime.date | None = None
    passed: tuple[Passed, ...] = ()
    rows: int | None = None
    is_history: bool = False

    @property
    def failures(self) -> tuple[Passed, ...]:
        """The fields whose source failed."""
        return tuple(p for p in self.passed if p.why == FAILED)


def told(origins: Mapping[str, Origin]) -> list[dict[str, Any]]:
    """The origins as data, in their order (`sources` of `schemas/explanation.schema.json`)."""
    return [_told(origin) for origin in origins.values()]


def _told(origin: Origin) -> dict[str, Any]:
    found: dict[str, Any] = {"name": origin.name, "source": origin.source}
    if origin.fetched is not None:
        found["fetched"] = origin.fetched.isoformat(timespec="seconds")
    if origin.stamp is not None:
        found["stamp"] = plain(origin.stamp)
    if origin.rows is not None:
        found["rows"] = origin.rows
    if origin.passed:
        found["passed_over"] = [
            {
                "source": p.source, "why": p.why, **({"detail": p.detail} if p.detail else {}),
                **({"stamp": plain(p.stamp)} if p.stamp is not None else {}),
            }
            for p in origin.passed
        ]
    return found
