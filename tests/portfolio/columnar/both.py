"""One run through both engines: what they write and say must be the same, byte for byte."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any, NamedTuple

from engine.diagnostics import Problem
from engine.policy import Policy
from engine.portfolio import rowwise
from engine.portfolio.columnar import run as columnar
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import Quiet, Request, Summary

DAY = datetime.date(2026, 7, 1)


class Told(Quiet):
    """Keeps refused rows too."""

    def __init__(self) -> None:
        super().__init__()
        self.bad: list[tuple[str, str, str, str | None]] = []

    def refused(self, place: str, key: str, message: str, help: str | None) -> None:
        self.bad.append((place, key, message, help))


class Ran(NamedTuple):
    """What a run wrote and said; `end` is the problem that it ended in."""

    out: str
    rejects: str
    bad: list[tuple[str, str, str, str | None]]
    notes: list[str]
    summary: Summary | None
    end: tuple[Any, ...] | None


def ran(engine: Any, policy: Policy, request: Request, folder: Path) -> Ran:
    suffix = request.form or "csv"
    out, rejects, told = folder / f"out.{suffix}", folder / "rejects.csv", Told()
    for path in (out, rejects):
        path.unlink(missing_ok=True)
    summary, end = None, None
    try:
        summary = engine.run(policy, request.replace(out=str(out), rejects=str(rejects)), told)
        summary = summary.replace(engine="", seconds=0.0)
    except DataProblem as problem:
        end = (problem.message, problem.file, problem.line, problem.help)
    except Problem as problem:
        end = tuple(d.message for d in problem.diagnostics)
    assert sorted(p.name for p in folder.iterdir() if p.name.endswith(".part")) == []
    assert end is None or not out.exists()
    return Ran(
        out.read_bytes().decode("utf-8") if out.exists() else "",
        rejects.read_bytes().decode("utf-8") if rejects.exists() else "",
        told.bad[:20],
        told.notes,
        summary,
        end,
    )


def agree(policy: Policy, request: Request, folder: Path) -> Ran:
    """Assert that both engines do alike; what they did."""
    one = ran(rowwise, policy, request, folder)
    other = ran(columnar, policy, request, folder)
    for field in ("end",) if one.end is not None else Ran._fields:
        mine, theirs = getattr(one, field), getattr(other, field)
        if field == "notes":
            mine, theirs = sorted(mine), sorted(theirs)
        assert theirs == mine, f"{field}\none by one: {mine}\nat columnar speed: {theirs}"
    assert (other.end is None) == (one.end is None)
    return one
