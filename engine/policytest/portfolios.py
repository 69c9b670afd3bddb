"""Portfolios of a test file: their data read, their expectations checked, before any customer is decided."""
from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from engine.check import rules
from engine.check.plain import number
from engine.check.scope import Report
from engine.diagnostics import Problem
from engine.ir import nodes as ir
from engine.ir.reads import walk
from engine.policy import Policy
from engine.policytest import stability
from engine.policytest.cases import Names, listed
from engine.policytest.conditions import Condition, ConditionReader, place_of
from engine.policytest.impact import FOUR_FIFTHS, LEAST_SIZE
from engine.policytest.model import (
    Drift,
    Expectation,
    FewRefused,
    FourFifths,
    Measure,
    Monotone,
    Portfolio,
    Stored,
    That,
)
from engine.policytest.monotone import OF_VALUES
from engine.policytest.rows import RowType, row_type
from engine.policytest.samples import Sample, read_events, read_sample
from engine.policytest.stored import read_stored
from engine.policytest.values import Datum
from engine.portfolio.problems import DataProblem
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.source.nodes import Mapping, Node, Scalar, Sequence, normal

#: Finds the file that a path names; raises Problem.
Resolve = Callable[[Scalar], Path]
#: A path as people see it.
Shown = Callable[[Path], str]

_MOVED = dt.NUMERIC | {dt.DATE, dt.DATE_TIME, dt.TIME, dt.DAYS_DURATION, dt.MONTHS_DURATION}
_GROUPS = frozenset({dt.STRING, dt.BOOLEAN})


class _Known(Record):
    """What expectations of a portfolio may name."""

    names: Names
    row: RowType
    reader: ConditionReader


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
        known = _Known(Names(program), row, ConditionReader(row, program.currency, self.report))
        sample = self._sample(node, program)
        expectations = [self._few_refused(name, key, node, day)]
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

    def _few_refused(self, name: str, key: Scalar, node: Mapping, day: datetime.date) -> Expectation:
        stated = node.get("max refused")
        most = self._share(stated, 0.0)
        told = "no row is refused" if stated is None else f"at most {_text(stated)} of the rows are refused"
        place = key if stated is None else node.key("max refused") or key
        return Expectation(f"{name} / {told}", FewRefused(most), place, day)

    def _expectation(
        self, portfolio: str, node: Mapping, known: _Known, day: datetime.date, seen: dict[str, Scalar]
    ) -> Expectation | None:
        name = node.get("expect")
        assert isinstance(name, Scalar)                 # the schema asks for it
        called = normal(name.text)
        if called in seen:
            self.report.at("E0905", f"two expectations are called `{called}`", name.span,
                           f"the other stands on line {seen[called].span.line}; give each a name of its own")
        seen.setdefault(called, name)
        measure = self._measure(node, known)
        if measure is None:
            return None
        return Expectation(f"{portfolio} / {called}", measure, name, day, _text(node.get("why")) or "")

    def _measure(self, node: Mapping, known: _Known) -> Measure | None:
        that, monotone, fifths, drift = (node.get(k) for k in ("that", "monotone", "four-fifths", "drift"))
        if isinstance(that, Scalar):
            return self._that(that, node, known)
        if isinstance(monotone, Mapping):
            return self._monotone(monotone, known)
        if isinstance(fifths, Mapping):
            return self._four_fifths(fifths, known)
        return self._drift(drift, known) if isinstance(drift, Mapping) else None

    def _that(self, that: Scalar, node: Mapping, known: _Known) -> That | None:
        stated = node.get("by")
        by = self._grouping(stated, known) if isinstance(stated, Scalar) else None
        group = None if stated is None else Type(dt.ANY) if by is None else by.core.type.optional(True)
        reader = known.reader
        condition = reader.boolean(reader.over_customers(that, group), "an expectation")
        if condition is None or (stated is not None and by is None):
            return None
        return That(condition, by, _whole(node.get("min size"), 1))

    def _grouping(self, node: Scalar, known: _Known) -> Condition | None:
        found = known.reader.about_one(node)
        if found is None or found.core.type.kind in _GROUPS:
            return found
        self.report.on("E0913", "customers are grouped by a text, or by true and false", place_of(found),
                       found.expr.node, 'cut a number into bands, as in `if score < 500 then "low" else "high"`')
        return None

    def _four_fifths(self, node: Mapping, known: _Known) -> FourFifths | None:
        favourable, by = node.get("favourable"), node.get("by")
        assert isinstance(favourable, Scalar) and isinstance(by, Scalar)
        reader = known.reader
        condition = reader.boolean(reader.about_one(favourable), "a favourable outcome")
        group = self._grouping(by, known)
        if condition is None or group is None:
            return None
        ratio = self._share(node.get("ratio"), FOUR_FIFTHS)
        return FourFifths(condition, group, ratio, _whole(node.get("min size"), LEAST_SIZE))

    def _outcome(self, node: Scalar, known: _Known) -> tuple[str, str, str | None, Type] | None:
        """Path, decision, member and type of an outcome that is decided for each customer."""
        path = normal(node.text)
        found = known.names.outcome(path)
        if found is None or found[0] not in known.row.outcomes:
            self.report.at("E0902", f"the policy has no decision `{path}`", node.span,
                           listed(path, known.names.paths(), "the policy decides", known.names.shown))
            return None
        return (path, *found)

    def _monotone(self, node: Mapping, known: _Known) -> Monotone | None:
        stated, moved, way = (node.get(k) for k in ("outcome", "input", "direction"))
        assert isinstance(stated, Scalar) and isinstance(moved, Scalar) and isinstance(way, Scalar)
        outcome = self._outcome(stated, known)
        decl = known.names.inputs.get(normal(moved.text))
        if decl is None:
            name = normal(moved.text)
            inputs = [i.name for i in known.names.program.inputs]
            self.report.at("E0901", f"the policy has no input `{name}`", moved.span,
                           listed(name, inputs, "the policy takes"))
        elif decl.type.kind not in _MOVED:
            self.report.at("E0913", f"`{decl.name}` has no order to be moved along", moved.span,
                           "name an input that is a number, date or duration")
            decl = None
        if outcome is None or decl is None:
            return None
        path, decision, member, kind = outcome
        scale = None
        if kind.values is not None and kind.order is not None:
            scale = tuple(reversed(kind.values)) if kind.order == "best first" else kind.values
        if scale is None and kind.kind not in _MOVED:
            self.report.at("E0913", f"`{path}` has no order to be compared by", stated.span,
                           "name a number, date or duration, or add `order: best first` to its `values` in the policy")
            return None
        if (scale is not None) != (way.text in OF_VALUES):
            what = "has ordered values, which are" if scale is not None else f"is {rules.describe(kind)}, which is"
            words = "never worse` or `never better" if scale is not None else "non-decreasing` or `non-increasing"
            self.report.at("E0913", f"`{path}` {what} not `{way.text}`", way.span, f"write `{words}`")
            return None
        moves = [self._move(m, decl.type, decl.name, known) for m in _scalars(node.get("moved to"))]
        if any(m is None for m in moves):
            return None
        found = tuple(m for m in moves if m is not None)
        return Monotone(path, decision, member, kind, decl.name, way.text, found, scale)

    def _move(self, node: Scalar, kind: Type, name: str, known: _Known) -> Condition | None:
        found = known.reader.about_one(node)
        if found is None:
            return None
        given = found.core.type
        literal = kind.kind == dt.MONEY and given.kind == dt.NUMBER and isinstance(found.core, ir.Const)
        if given.kind not in (kind.kind, dt.ANY) and not literal:
            way = f", as in `{name} * 1.1`" if kind.kind in dt.NUMERIC else ""
            self.report.on("E0913", f"this is {rules.describe(given)}, which `{name}` cannot be", place_of(found),
                           found.expr.node, f"give {rules.describe(kind)}{way}")
            return None
        return found

    def _drift(self, node: Mapping, known: _Known) -> Drift | None:
        against = node.get("against")
        assert isinstance(against, Scalar)
        ends = self._ends(node.get("bands"))
        outcomes = []
        for name in _scalars(node.get("of")):
            outcome = self._outcome(name, known)
            if outcome is None:
                continue
            kind = outcome[3]
            if kind.kind not in (dt.STRING, dt.BOOLEAN, *dt.NUMERIC):
                self.report.at("E0913", f"`{outcome[0]}` has no distribution over categories", name.span,
                               "name an outcome that is a text, a number, or true and false")
            elif ends is not None and kind.kind not in dt.NUMERIC:
                self.report.at("E0913", f"`{outcome[0]}` is no number, and has no bands", name.span,
                               "leave `bands` out, or give it an expectation of its own")
            else:
                outcomes.append(outcome)
        stored: tuple[Stored, ...] | None = self._file(against, lambda file: read_stored(file, outcomes))
        if stored is None or not outcomes:
            return None
        stated = node.get("max psi")
        most = float(stated.text) if isinstance(stated, Scalar) else stability.MAX_INDEX
        return Drift(stored, against.text, most, ends)

    def _ends(self, node: Node | None) -> tuple[float, ...] | None:
        if not isinstance(node, Sequence):
            return None
        ends = tuple(float(item.text) for item in node.items if isinstance(item, Scalar))
        if list(ends) != sorted(set(ends)):
            self.report.at("E0913", "the bands do not rise", node.span, "write the numbers in rising order, each once")
        return ends

    def _share(self, node: Node | None, default: float) -> float:
        if not isinstance(node, Scalar):
            return default
        share = float(number(node.text))                # the schema's pattern lets nothing else through
        if share > 1:
            self.report.at("E0913", f"`{node.text}` is more than the whole", node.span,
                           "a share lies between 0% and 100%")
        return share


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


def _scalars(node: Node | None) -> list[Scalar]:
    if isinstance(node, Scalar):
        return [node]
    return [item for item in node.items if isinstance(item, Scalar)] if isinstance(node, Sequence) else []


def _whole(node: Node | None, default: int) -> int:
    return int(node.text) if isinstance(node, Scalar) else default


def _text(node: Node | None) -> str | None:
    return normal(node.text) if isinstance(node, Scalar) else None
