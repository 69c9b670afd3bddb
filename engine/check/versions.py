"""Versions of a policy by the period in which each is in force.

Periods are days, both ends included; a missing end is open. Two versions may not
share a day, but for one that `supersedes` another: it takes the days they share.
"""
from __future__ import annotations

import datetime
from collections.abc import Sequence

from engine.check.declarations import date_of
from engine.check.scope import Report
from engine.diagnostics import Label
from engine.records import Record
from engine.source.declare import PolicyFile

DAY = datetime.timedelta(days=1)
FIRST, LAST = datetime.date.min, datetime.date.max


class Period(Record):
    """`start`..`end`, both included, in which `file` is in force."""

    start: datetime.date
    end: datetime.date
    file: PolicyFile


class Timeline(Record):
    """Versions in order of their periods."""

    periods: tuple[Period, ...]

    def at(self, day: datetime.date) -> Period | None:
        return next((p for p in self.periods if p.start <= day <= p.end), None)

    def gaps(self, start: datetime.date, end: datetime.date) -> list[tuple[datetime.date, datetime.date]]:
        """The stretches of `start`..`end` in which no version is in force."""
        found = []
        day = start
        for period in self.periods:
            if period.end < day:
                continue
            if period.start > end:
                break
            if period.start > day:
                found.append((day, period.start - DAY))
            if period.end >= end:
                return found
            day = period.end + DAY
        if day <= end:
            found.append((day, end))
        return found


def timeline(files: Sequence[PolicyFile], report: Report) -> Timeline:
    """Order versions by period; overlaps and wrong `supersedes` go to the report."""
    periods = [Period(date_of(f.start) or FIRST, date_of(f.end) or LAST, f) for f in files]
    for period in periods:
        if period.end < period.start and period.file.end is not None:
            report.at(
                "E0712", f"version {period.file.version} ends before it begins, on {period.start}",
                period.file.end.span, "both days are included; swap them, or leave out `to` for no end",
            )
    periods = [p for p in periods if p.start <= p.end]
    versions = {f.version: f for f in files}
    for file in files:
        wanted = file.supersedes
        if wanted is not None and len(files) > 1 and wanted.text not in versions:  # alone, it has none to name
            known = ", ".join(f"`{v}`" for v in versions if v != file.version)
            report.at(
                "E0706", f"there is no version `{wanted.text}` to supersede", wanted.span, f"the versions are {known}"
            )
        if file.name != files[0].name:
            key = file.root.get("policy") or file.root
            report.at(
                "E0707",
                f"this folder holds versions of `{files[0].name}`, but this file is `{file.name}`",
                key.span,
                "give all versions the same name, or move the file",
            )
    ordered = sorted(periods, key=lambda p: (p.start, p.end))
    kept: list[Period] = []
    for period in ordered:
        pieces = [period]
        for other in ordered:
            if other.file.supersedes is not None and other.file.supersedes.text == period.file.version:
                pieces = [rest for piece in pieces for rest in _without(piece, other)]
        kept.extend(pieces)
    kept.sort(key=lambda p: p.start)
    for one, other in zip(kept, kept[1:], strict=False):
        if other.start <= one.end:
            _overlap(one, other, report)
    return Timeline(tuple(kept))


def _without(period: Period, other: Period) -> list[Period]:
    pieces = []
    if period.start < other.start:
        pieces.append(Period(period.start, min(period.end, other.start - DAY), period.file))
    if other.end < period.end:
        pieces.append(Period(max(period.start, other.end + DAY), period.end, period.file))
    if other.end < period.start or other.start > period.end:
        return [period]
    return pieces


def _overlap(one: Period, other: Period, report: Report) -> None:
    key = other.file.root.key("effective") or other.file.root.entries[0][0]
    first = one.file.root.key("effective") or one.file.root.entries[0][0]
    before = other.start - DAY
    help = (
        f"add `to: {before}` to version {one.file.version}, "
        f'or write `supersedes: "{one.file.version}"` in version {other.file.version}'
    )
    if one.file.version == other.file.version:
        help = "give each version of a policy its own `version`, and periods that do not meet"
    report.at(
        "E0705",
        f"versions {one.file.version} and {other.file.version} are both in force from {other.start}",
        key.span,
        help,
        (Label(first.span, f"version {one.file.version}"),),
    )
