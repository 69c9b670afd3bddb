"""Checks a policy with all that it imports: one model a stretch of time in which the same versions are in force."""
from __future__ import annotations

import datetime
from pathlib import Path

from engine.check.declarations import date_of
from engine.check.model import PolicyModel
from engine.check.partial import faulty_decisions, without
from engine.check.policy import PolicyChecker
from engine.check.scope import Report
from engine.check.versions import DAY, FIRST, LAST, Period, Timeline, timeline
from engine.diagnostics import Diagnostic, Problem
from engine.reads import Reads
from engine.records import Record
from engine.semantics.functions import NO_SETS, FunctionSource
from engine.source.declare import PolicyFile
from engine.source.files import Files, real
from engine.source.nodes import Scalar


class Stretch(Record):
    """The model in force from `start` to `end`, both included."""

    start: datetime.date
    end: datetime.date
    model: PolicyModel


class Checked(Record):
    """What checking a path gives: findings in the order of files and lines, stretches where there are no errors,
    and what was asked of the file system."""

    stretches: tuple[Stretch, ...]
    diagnostics: tuple[Diagnostic, ...]
    sources: dict[str, str]
    reads: Reads

    @property
    def has_errors(self) -> bool:
        return any(d.is_error for d in self.diagnostics)


def check_path(path: Path, functions: FunctionSource = NO_SETS) -> Checked:
    """Check the policy file, or folder of versions, at `path`; `functions` has the sets that it may name."""
    files = Files(path)
    report = Report()
    loader = _Loader(files, report, functions)
    stretches: list[Stretch] = []
    try:
        versions = loader.versions(path)
        for period in versions.periods:
            stretches.extend(loader.stretches(period))
    except Problem as problem:
        for diagnostic in problem.diagnostics:
            report.add(diagnostic)
    loader.rest(path)
    order = {name: index for index, name in enumerate(files.sources)}

    def place(diagnostic: Diagnostic) -> tuple[int, int, int]:
        span = diagnostic.span
        return (-1, 0, 0) if span is None else (order.get(span.file, len(order)), span.line, span.column)

    found = tuple(sorted(report.diagnostics, key=place))
    return Checked(() if report.has_errors else tuple(stretches), found, files.sources, files.reads)


class _Loader:
    def __init__(self, files: Files, report: Report, functions: FunctionSource) -> None:
        self.files = files
        self.report = report
        self.functions = functions
        self.timelines: dict[Path, Timeline] = {}
        self.stack: list[tuple[str, Path]] = []
        self.models: dict[tuple[int, datetime.date], PolicyModel | None] = {}
        self._boundaries: set[datetime.date] = set()

    def versions(self, path: Path) -> Timeline:
        """The versions at a path: one for a file, those of a folder; raises Problem where there is none."""
        key = real(path)
        if key not in self.timelines:
            if self.files.is_folder(path):
                paths = self.files.versions(path)
                if not paths:
                    message = f"the folder `{self.files.shown(path)}` holds no policy"
                    raise Problem(Diagnostic("E0701", message, None, "name a policy file"))
            else:
                paths = [path]
            loaded = []
            for each in paths:
                file, findings = self.files.policy(each)
                for finding in findings:
                    self.report.add(finding)
                if file is not None and not any(f.is_error for f in findings):
                    loaded.append(file)
            if not loaded:
                raise Problem()
            found = timeline(loaded, self.report)
            if not found.periods:
                raise Problem()
            self.timelines[key] = found
        return self.timelines[key]

    def rest(self, path: Path) -> None:
        """Check what can be checked of a file whose shape is wrong in some decisions alone."""
        if self.files.is_folder(path):
            return
        file, findings = self.files.policy(path)
        if file is None or not any(f.is_error for f in findings):
            return
        faulty = faulty_decisions(file, findings)
        if faulty is None:
            return
        start = date_of(file.start) or FIRST
        period = Period(start, date_of(file.end) or LAST, file)

        def import_policy(importer: PolicyFile, reference: Scalar) -> PolicyModel | None:
            return self.imported(importer, reference, start, period)

        PolicyChecker(without(file, faulty), self.files, self.report, import_policy, faulty, self.functions).check()

    def stretches(self, period: Period) -> list[Stretch]:
        """The models of one version, split where an imported one changes."""
        found: list[Stretch] = []
        self._boundaries = {period.start}
        done: set[datetime.date] = set()
        while self._boundaries - done:
            day = min(self._boundaries - done)
            done.add(day)
            model = self.model(period.file, day, period)
            if model is not None:
                found.append(Stretch(day, period.end, model))
        starts = [s.start for s in found]
        return [
            s.replace(end=starts[i + 1] - DAY) if i + 1 < len(starts) else s for i, s in enumerate(found)
        ]

    def model(self, file: PolicyFile, day: datetime.date, period: Period) -> PolicyModel | None:
        """The model of `file` with the imports in force on `day`; `period` is the outermost importer's."""
        key = (id(file), day)
        if key in self.models:
            return self.models[key]
        before = self.report.has_errors

        def import_policy(importer: PolicyFile, reference: Scalar) -> PolicyModel | None:
            return self.imported(importer, reference, day, period)

        model = PolicyChecker(file, self.files, self.report, import_policy, (), self.functions).check()
        usable = model if before or not self.report.has_errors else None
        self.models[key] = usable
        return usable

    def imported(
        self, importer: PolicyFile, reference: Scalar, day: datetime.date, period: Period
    ) -> PolicyModel | None:
        name, _, pinned = reference.text.partition("@")
        try:
            path = self.files.resolve(importer, name, reference.span, (".yaml", "", ".yml"))
            if any(path == p for _, p in self.stack) or path == self._path(importer):
                self._cycle(importer, path, reference)
                return None
            versions = self.versions(path)
        except Problem as problem:
            for diagnostic in problem.diagnostics:
                self.report.add(diagnostic)
            return None
        file = self._pick(versions, pinned, day, period, reference)
        if file is None:
            return None
        self.stack.append((reference.text, self._path(importer)))
        try:
            return self.model(file, day, period)
        finally:
            self.stack.pop()

    def _pick(
        self, versions: Timeline, pinned: str, day: datetime.date, period: Period, reference: Scalar
    ) -> PolicyFile | None:
        if pinned:
            found = next((p.file for p in versions.periods if p.file.version == pinned), None)
            if found is None:
                known = ", ".join(f"`@{p.file.version}`" for p in versions.periods)
                self.report.at("E0706", f"there is no version `{pinned}`", reference.span, f"the versions are {known}")
            return found
        for start, end in versions.gaps(period.start, period.end):
            until = "on" if end == LAST else f"to {end}"
            since = "the beginning" if start == FIRST else str(start)
            self.report.at(
                "E0710", f"`{reference.text}` is not in force from {since} {until}, but this policy is", reference.span,
                "shorten this policy's period, widen the other's, or pin a version with `@`",
            )
            return None
        self._boundaries.update(p.start for p in versions.periods if period.start < p.start <= period.end)
        held = versions.at(day)
        return held.file if held is not None else None

    def _cycle(self, importer: PolicyFile, path: Path, reference: Scalar) -> None:
        names = [self.files.shown(p) for _, p in self.stack] + [self.files.shown(self._path(importer))]
        shown = " -> ".join(f"`{n}`" for n in [*names, self.files.shown(path)])
        self.report.at(
            "E0711", f"these policies import each other: {shown}", reference.span,
            "move what both need into a third policy",
        )

    def _path(self, file: PolicyFile) -> Path:
        return next(p for p, d in self.files.documents.items() if d is file.document)
