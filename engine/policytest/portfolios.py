"""Portfolios of a test file: their data read, their expectations checked, before any customer is decided."""
from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from engine.check.scope import Report
from engine.diagnostics import Problem
from engine.ir import nodes as ir
from engine.ir.reads import walk
from engine.policy import Policy
from engine.policytest.cases import Names, listed
from engine.policytest.conditions import Condition
from engine.policytest.expectations import MeasureReader
from engine.policytest.model import Expectation, FewRefused, FourFifths, Measure, Monotone, Portfolio, That
from engine.policytest.rows import row_type
from engine.policytest.samples import Sample, read_events, read_sample
from engine.policytest.values import Datum
from engine.portfolio.problems import DataProblem
from engine.source.nodes import Mapping, Node, Scalar, Sequence, normal

#: Finds the file that a path names; raises Problem.
Resolve = Callable[[Scalar], Path]
#: A path as people see it.
Shown = Callable[[Path], str]


class PortfolioReader:
    """Reads the portfolios of one file. `as_of` is the file's own date."""

    def __init__(self, policy: Policy, report: Report, resolve: Resolve, shown: Shown, as_of: Datum | None) -> None:
        self.policy = policy
        self.report = report
        self.resolve = resolve
        self.shown = shown
        self.as_of = as_of

    def read(self, holder: Node | None) -> Iterator[Portfolio]:
        """The portfolios that are sound; what is wrong is reported."""
        for key, node in holder.entries if isinstance(holder, Mapping) else ():
            if isinstance(node, Mapping):
                found = self._portfolio(normal(key.text), key, node)
                if found is not None:
                    yield found

    def _portfolio(self, name: str, key: Scalar, node: Mapping) -> Portfolio | None:
        day = self._day(name, key, node.get("as of"))
        if day is None:
            return None
        program = self.policy.program_at(day)
        reach = self.policy.cone(program)
        row = row_type(program, reach, program.application_date is None)
        known = MeasureReader(Names(program), row, self.report, self._file)
        sample = self._sample(node, program)
        expectations = [self._few_refused(name, key, node, known, day)]
        seen = {expectations[0].name.removeprefix(f"{name} / "): key}
        holder = node.get("expectations")
        for item in holder.items if isinstance(holder, Sequence) else ():
            if isinstance(item, Mapping):
                found = self._expectation(name, item, known, day, seen)
                if found is not None:
                    expectations.append(found)
        if sample is None:
            return None
        reads = frozenset(n for e in expectations for n in _names(e.measure)) & {i.name for i in program.inputs}
        return Portfolio(name, day, program, row, sample, tuple(expectations), reads)

    # --- data -------------------------------------------------------------------------

    def _day(self, name: str, key: Scalar, node: Node | None) -> datetime.date | None:
        stated = node.text if isinstance(node, Scalar) else None if self.as_of is None else self.as_of.text
        if stated is None:
            self.report.at("E0907", f"portfolio `{name}` has no date", key.span,
                           "state `as of` here, or once for all at the top of the file")
            return None
        try:
            return datetime.date.fromisoformat(stated)
        except ValueError:
            return None                                 # the schema's check has told

    def _sample(self, node: Mapping, program: ir.Program) -> Sample | None:
        inputs = {i.name: i for i in program.inputs}
        declared = {h.name: h for h in program.histories if h.each is None}
        histories, owners = {}, {}
        fine = True
        holder = node.get("history")
        for key, path in holder.entries if isinstance(holder, Mapping) else ():
            name = normal(key.text)
            history = declared.get(name)
            owner = None if history is None or history.key is None else inputs.get(history.key)
            if history is None:
                self.report.at("E0901", f"the policy has no history `{name}`", key.span,
                               listed(name, declared, "it has"))
            elif owner is None:
                self.report.at("E0901", f"history `{name}` has no key that says whose its rows are", key.span,
                               "state its `key` in the policy")
            elif isinstance(path, Scalar):
                found = self._file(path, partial(read_events, history=history, key=owner))
                if found is not None:
                    histories[name], owners[name] = found, owner.name
                    continue
            fine = False
        data = node.get("data")
        assert isinstance(data, Scalar)                 # the schema asks for it
        required = frozenset(self._required(program))
        sample: Sample | None = self._file(
            data, lambda file: read_sample(file, self._inputs(program), required, histories, owners)
        )
        return sample if fine else None

    def _inputs(self, program: ir.Program) -> tuple[Any, ...]:
        """The inputs that columns bind to: of every version where an input picks it."""
        if program.application_date is None:
            return program.inputs
        return tuple({i.name: i for v in self.policy.versions for i in v.program.inputs}.values())

    def _required(self, program: ir.Program) -> Iterator[str]:
        if program.application_date is None:
            needed = self.policy.cone(program).inputs
            yield from (i.name for i in program.inputs if i.required and i.name in needed)

    def _file(self, reference: Scalar, read: Callable[[str], Any]) -> Any:
        """What `read` makes of a file, None where it cannot be read (reported)."""
        try:
            path = self.resolve(reference)
        except Problem as problem:
            for diagnostic in problem.diagnostics:
                self.report.add(diagnostic)
            return None
        try:
            return read(str(path))
        except DataProblem as problem:
            where = self.shown(path) + (f":{problem.line}" if problem.line is not None else "")
            message = problem.message.replace(str(path), self.shown(path))
            way = problem.help
            if way is None or "--" in way:              # an option of `run`
                way = "save it as CSV in UTF-8, with commas between the cells, or as JSON lines"
            self.report.at("E0908", f"{where}: {message}", reference.span, way)
            return None

    # --- expectations -----------------------------------------------------------------

    def _few_refused(
        self, name: str, key: Scalar, node: Mapping, known: MeasureReader, day: datetime.date
    ) -> Expectation:
        stated = node.get("max refused")
        most = known.share(stated, 0.0)
        told = "no row is refused" if stated is None else f"at most {_text(stated)} of the rows are refused"
        place = key if stated is None else node.key("max refused") or key
        return Expectation(f"{name} / {told}", FewRefused(most), place, day)

    def _expectation(
        self, portfolio: str, node: Mapping, known: MeasureReader, day: datetime.date, seen: dict[str, Scalar]
    ) -> Expectation | None:
        name = node.get("expect")
        assert isinstance(name, Scalar)                 # the schema asks for it
        called = normal(name.text)
        if called in seen:
            self.report.at("E0905", f"two expectations are called `{called}`", name.span,
                           f"the other stands on line {seen[called].span.line}; give each a name of its own")
        seen.setdefault(called, name)
        measure = known.read(node)
        if measure is None:
            return None
        return Expectation(f"{portfolio} / {called}", measure, name, day, _text(node.get("why")) or "")


def _names(measure: Measure) -> Iterator[str]:
    """Names of customers' rows that a measure reads."""
    conditions: list[Condition | None] = []
    if isinstance(measure, That):
        conditions = [measure.condition, measure.by]
    elif isinstance(measure, FourFifths):
        conditions = [measure.favourable, measure.by]
    elif isinstance(measure, Monotone):
        conditions = [*measure.moves]
        yield measure.input
    for condition in filter(None, conditions):
        yield from (n.name for n in walk(condition.core) if isinstance(n, ir.Field))


def _text(node: Node | None) -> str | None:
    return normal(node.text) if isinstance(node, Scalar) else None
