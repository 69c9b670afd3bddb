"""A case as a policy would have it: its names typed from their values, its expressions checked and lowered."""
from __future__ import annotations

import datetime
from typing import Any

from engine.check import rules
from engine.check.expressions import ExpressionChecker
from engine.check.scope import INPUT, LOCAL, Binding, Report, Scope, Slice
from engine.check.typed import Typing
from engine.ir import nodes as ir
from engine.ir.expressions import ExpressionLowering
from engine.semantics import dtypes as dt
from engine.semantics.equality import kind_of
from engine.semantics.narrow import narrowed
from engine.source.nodes import Document, Scalar
from engine.syntax.parser import SyntaxProblem, parse_expression
from engine.syntax.vocabulary import Vocabulary, normalise
from tests.conformance.model import Model

FILE = "<case>"
#: Types that a case may declare, as a policy calls them.
DECLARED = {
    "number": dt.NUMBER, "string": dt.STRING, "boolean": dt.BOOLEAN, "date": dt.DATE, "time": dt.TIME,
    "dateTime": dt.DATE_TIME, "date and time": dt.DATE_TIME, "days and time duration": dt.DAYS_DURATION,
    "dayTimeDuration": dt.DAYS_DURATION, "years and months duration": dt.MONTHS_DURATION,
    "yearMonthDuration": dt.MONTHS_DURATION,
}


class Outside(Exception):
    """Why a case is not one whose types are static; `codes` are those of the checker's errors."""

    def __init__(self, why: str, codes: tuple[str, ...] = ()) -> None:
        super().__init__(why)
        self.codes = codes


class Case:
    """Its last node, lowered; `inputs` are the scalars that it reads, by name, with their values."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.case = case
        self.inputs: dict[str, tuple[dt.Type, Any]] = {}
        self.names: dict[str, ir.Node] = {}
        self.members: set[str] = set()
        self._count = 0
        model = Model(case)
        for name, value in model.names.items():
            self.names[name] = self.given(name, value, case["input_types"].get(name))
        node: ir.Node | None = None
        for each in case["nodes"]:
            if each["kind"] not in ("literal", "boxed"):
                raise Outside(f"a node of kind {each['kind']}")
            node = self.lowered(each["expression"])
            if each is not case["nodes"][-1]:
                _conforms(each.get("type_ref"), node.type)
            self.names[normalise(each["name"])] = node
        assert node is not None
        self.node = node

    # --- names ----------------------------------------------------------------------------

    def given(self, name: str, value: Any, declared: str | None) -> ir.Node:
        """What reads a value that the case gives: an input for a scalar, its parts for a list or context."""
        if isinstance(value, list):
            items = tuple(self.given(f"{name}[{n}]", item, None) for n, item in enumerate(value))
            return ir.List(self.id(), dt.list_of(_joined([i.type for i in items])), None, items)
        if isinstance(value, dict):
            self.members.update(value)
            fields = tuple((n, self.given(f"{name}.{n}", v, None)) for n, v in value.items())
            return ir.Record(self.id(), dt.Type(dt.CONTEXT, fields=tuple((n, f.type) for n, f in fields)), None, fields)
        if value is None:
            if declared not in DECLARED:
                raise Outside("a null of no declared type")
            kind = dt.Type(DECLARED[declared], True)
        else:
            if kind_of(value) not in dt.DECLARABLE or narrowed(value) is None:
                raise Outside("a value that a policy does not hold")
            kind = dt.Type(kind_of(value), whole=isinstance(value, int) and not isinstance(value, bool))
        self.inputs[name] = (kind, value)
        return ir.Input(self.id(), kind, None, name)

    def id(self) -> str:
        self._count += 1
        return f"case/{self._count}"

    # --- expressions ------------------------------------------------------------------------

    def lowered(self, text: str) -> ir.Node:
        text = text.strip()
        try:
            tree = parse_expression(text, Vocabulary(self.names, self.members), "policy")
        except SyntaxProblem:
            raise Outside("no expression of the policy language", ("E01",)) from None
        place = Slice(Scalar(Document(text, FILE), text, "plain", 0, len(text), False), 0, text)
        report, typing = Report(), Typing()
        scope = Scope({name: Binding(INPUT, name, node.type) for name, node in self.names.items()})
        kind = ExpressionChecker(report, typing, None).check(tree, scope, place)
        if report.has_errors:
            codes = tuple(sorted({d.code for d in report.diagnostics if d.is_error}))
            raise Outside("refused by the checker: " + ", ".join(codes), codes)
        if _is_dynamic(kind):
            raise Outside("a type that hangs on data")
        return ExpressionLowering(typing, place, "case", self.read).lower(tree)

    def read(self, kind: str, target: str, type: dt.Type, id: str, at: ir.Place | None) -> ir.Node:
        if kind == LOCAL:
            return ir.Local(id, type, at, target)
        return self.names[target] if kind == INPUT else ir.AsOf(id, type, at)


def _joined(kinds: list[dt.Type]) -> dt.Type:
    found = kinds[0] if kinds else dt.Type(dt.ANY)
    for kind in kinds[1:]:
        joined = rules.join(found, kind)
        if joined is None:
            raise Outside("a list of different types")
        found = joined
    return found


def _is_dynamic(kind: dt.Type) -> bool:
    if kind.kind == dt.LIST:
        return kind.item is not None and kind.item.kind != dt.ANY and _is_dynamic(kind.item)
    return kind.kind == dt.ANY or any(_is_dynamic(k) for _, k in kind.fields or ())


def _conforms(declared: str | None, kind: dt.Type) -> None:
    """The declared type of a node that others read may not change its value."""
    if declared and DECLARED.get(declared) != kind.kind and declared != "Any":
        raise Outside("a result that its declared type converts")


AS_OF = datetime.date(2026, 7, 1)
