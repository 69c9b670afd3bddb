"""Expectations as written, checked against what the customers of a portfolio have."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.check import rules
from engine.check.plain import number
from engine.check.scope import Report
from engine.ir import nodes as ir
from engine.policytest import stability
from engine.policytest.cases import Names, listed
from engine.policytest.conditions import Condition, ConditionReader, place_of
from engine.policytest.impact import FOUR_FIFTHS, LEAST_SIZE
from engine.policytest.model import Drift, FourFifths, Measure, Monotone, Stored, That
from engine.policytest.monotone import OF_VALUES
from engine.policytest.rows import RowType
from engine.policytest.stored import read_stored
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.source.nodes import Mapping, Node, Scalar, Sequence, normal

#: What a function makes of the file that a path names, None where it cannot be read (reported).
ReadFile = Callable[[Scalar, Callable[[str], Any]], Any]

_MOVED = dt.NUMERIC | {dt.DATE, dt.DATE_TIME, dt.TIME, dt.DAYS_DURATION, dt.MONTHS_DURATION}
_GROUPS = frozenset({dt.STRING, dt.BOOLEAN})


class MeasureReader:
    """Reads what the expectations of one portfolio ask."""

    def __init__(self, names: Names, row: RowType, report: Report, file: ReadFile) -> None:
        self.names = names
        self.row = row
        self.report = report
        self.file = file
        self.reader = ConditionReader(row, names.program.currency, report, names.program.functions)

    def read(self, node: Mapping) -> Measure | None:
        """What an expectation asks; None where it is not sound."""
        that, monotone, fifths, drift = (node.get(k) for k in ("that", "monotone", "four-fifths", "drift"))
        if isinstance(that, Scalar):
            return self._that(that, node)
        if isinstance(monotone, Mapping):
            return self._monotone(monotone)
        if isinstance(fifths, Mapping):
            return self._four_fifths(fifths)
        return self._drift(drift) if isinstance(drift, Mapping) else None

    def _that(self, that: Scalar, node: Mapping) -> That | None:
        stated = node.get("by")
        by = self._grouping(stated) if isinstance(stated, Scalar) else None
        group = None if stated is None else Type(dt.ANY) if by is None else by.core.type.optional(True)
        condition = self.reader.boolean(self.reader.over_customers(that, group), "an expectation")
        if condition is None or (stated is not None and by is None):
            return None
        return That(condition, by, _whole(node.get("min size"), 1))

    def _grouping(self, node: Scalar) -> Condition | None:
        found = self.reader.about_one(node)
        if found is None or found.core.type.kind in _GROUPS:
            return found
        self.report.on("E0913", "customers are grouped by a text, or by true and false", place_of(found),
                       found.expr.node, 'cut a number into bands, as in `if score < 500 then "low" else "high"`')
        return None

    def _four_fifths(self, node: Mapping) -> FourFifths | None:
        favourable, by = node.get("favourable"), node.get("by")
        assert isinstance(favourable, Scalar) and isinstance(by, Scalar)
        condition = self.reader.boolean(self.reader.about_one(favourable), "a favourable outcome")
        group = self._grouping(by)
        if condition is None or group is None:
            return None
        ratio = self.share(node.get("ratio"), FOUR_FIFTHS)
        return FourFifths(condition, group, ratio, _whole(node.get("min size"), LEAST_SIZE))

    def _outcome(self, node: Scalar) -> tuple[str, str, str | None, Type] | None:
        """Path, decision, member and type of an outcome that is decided for each customer."""
        path = normal(node.text)
        found = self.names.outcome(path)
        if found is None or found[0] not in self.row.outcomes:
            self.report.at("E0902", f"the policy has no decision `{path}`", node.span,
                           listed(path, self.names.paths(), "the policy decides", self.names.shown))
            return None
        return (path, *found)

    def _monotone(self, node: Mapping) -> Monotone | None:
        stated, moved, way = (node.get(k) for k in ("outcome", "input", "direction"))
        assert isinstance(stated, Scalar) and isinstance(moved, Scalar) and isinstance(way, Scalar)
        outcome = self._outcome(stated)
        decl = self.names.inputs.get(normal(moved.text))
        if decl is None:
            name = normal(moved.text)
            inputs = [i.name for i in self.names.program.inputs]
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
        moves = [self._move(m, decl.type, decl.name) for m in _scalars(node.get("moved to"))]
        if any(m is None for m in moves):
            return None
        found = tuple(m for m in moves if m is not None)
        return Monotone(path, decision, member, kind, decl.name, way.text, found, scale)

    def _move(self, node: Scalar, kind: Type, name: str) -> Condition | None:
        found = self.reader.about_one(node)
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

    def _drift(self, node: Mapping) -> Drift | None:
        against = node.get("against")
        assert isinstance(against, Scalar)
        ends = self._ends(node.get("bands"))
        outcomes = []
        for name in _scalars(node.get("of")):
            outcome = self._outcome(name)
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
        stored: tuple[Stored, ...] | None = self.file(against, lambda file: read_stored(file, outcomes))
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

    def share(self, node: Node | None, default: float) -> float:
        """A stated share, `default` where none is."""
        if not isinstance(node, Scalar):
            return default
        share = float(number(node.text))                # the schema's pattern lets nothing else through
        if share > 1:
            self.report.at("E0913", f"`{node.text}` is more than the whole", node.span,
                           "a share lies between 0% and 100%")
        return share


def _scalars(node: Node | None) -> list[Scalar]:
    if isinstance(node, Scalar):
        return [node]
    return [item for item in node.items if isinstance(item, Scalar)] if isinstance(node, Sequence) else []


def _whole(node: Node | None, default: int) -> int:
    return int(node.text) if isinstance(node, Scalar) else default
