"""Figures, and how they are shown to people and programs."""
from __future__ import annotations

import json
from collections.abc import Sequence

from benchmarks.timing import Series
from engine.records import Record

_UNITS = {"us": 1e6, "ms": 1e3, "s": 1.0, "x": 1.0, "MB": 1.0, "%": 1.0}


class Goal(Record):
    """A limit on the median, in the unit it is shown in; `least` turns it round."""

    limit: float
    unit: str
    of: Series
    against: str
    least: bool = False

    @property
    def reached(self) -> float:
        return self.of.median * _UNITS[self.unit]

    @property
    def met(self) -> bool:
        return self.reached >= self.limit if self.least else self.reached <= self.limit

    def text(self) -> str:
        sign = ">=" if self.least else "<="
        tail = f" {self.against}" if self.against else ""
        said = "met" if self.met else "MISSED"
        return f"{figure(self.reached)} {self.unit}{tail} (goal {sign} {self.limit:g}): {said}"


class Line(Record):
    """One measured thing: its figure, its ratio to what it stands beside, and its goals."""

    name: str
    unit: str
    series: Series
    ratio: Series | None = None
    goals: tuple[Goal, ...] = ()


class Section(Record):
    """A table of lines with what it is measured against, and notes below it."""

    name: str
    title: str
    base: str
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()
    mismatches: int = 0


def figure(value: float) -> str:
    """Three figures, no exponent."""
    size = abs(value)
    return f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def table(section: Section) -> str:
    """The section as text."""
    head = ("", "median", "quartiles", f"ratio to {section.base}" if section.base else "", "goal")
    rows = [head]
    for line in section.lines:
        scale = _UNITS[line.unit]
        low, high = line.series.spread
        ratio = ""
        if line.ratio is not None:
            near, far = line.ratio.spread
            ratio = f"{figure(line.ratio.median)}x ({figure(near)}..{figure(far)})"
        goals = [goal.text() for goal in line.goals] or [""]
        median = f"{figure(line.series.median * scale)} {line.unit}"
        rows.append((line.name, median, f"{figure(low * scale)}..{figure(high * scale)}", ratio, goals[0]))
        rows.extend(("", "", "", "", goal) for goal in goals[1:])
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    shown = [
        f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:<{widths[3]}}  {row[4]}".rstrip()
        for row in rows
    ]
    return "\n".join([section.title, *(f"  {row}" for row in shown), *(f"  - {note}" for note in section.notes), ""])


def as_json(sections: Sequence[Section], facts: dict[str, object]) -> str:
    """The sections as JSON: `{"machine": ..., "sections": [...]}`, times in seconds."""
    return json.dumps({"machine": facts, "sections": [_section(s) for s in sections]}, indent=2) + "\n"


def _section(section: Section) -> dict[str, object]:
    return {
        "name": section.name, "title": section.title, "base": section.base, "mismatches": section.mismatches,
        "notes": list(section.notes), "lines": [_line(line) for line in section.lines],
    }


def _line(line: Line) -> dict[str, object]:
    found: dict[str, object] = {"name": line.name, "seconds": _series(line.series)}
    if line.unit == "x":
        found = {"name": line.name, "ratio": _series(line.series)}
    elif line.ratio is not None:
        found["ratio"] = _series(line.ratio)
    found["goals"] = [
        {"against": g.against, "unit": g.unit, "limit": g.limit, "least": g.least, "reached": g.reached, "met": g.met}
        for g in line.goals
    ]
    return found


def _series(series: Series) -> dict[str, object]:
    return {"median": series.median, "quartiles": list(series.spread), "rounds": list(series.rounds)}
