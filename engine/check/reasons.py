"""Reason texts with values in them, and references to reasons and decisions."""
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from engine.check.declarations import rank_of
from engine.check.expressions import ExpressionChecker
from engine.check.model import DecisionModel, Expr, PolicyModel, ReasonModel, ReasonRef
from engine.check.parsing import ExpressionParser
from engine.check.scope import Report, Scope, Slice, closest, instead
from engine.source.declare import ReasonSpec
from engine.source.nodes import Scalar

#: Codes that open decisions give; a policy may not declare them.
RESERVED = ("MISSING", "UNDEFINED")

_HOLE = re.compile(r"\{([^{}]*)\}")
_BRACE = re.compile("[{}]")


class ReasonReader:
    def __init__(self, report: Report, parser: ExpressionParser, expressions: ExpressionChecker) -> None:
        self.report = report
        self.parser = parser
        self.expressions = expressions

    def read(self, spec: ReasonSpec, scope: Scope) -> ReasonModel:
        """A reason with its templates split into text and expressions."""
        if spec.name in RESERVED:
            message = f"`{spec.name}` is reserved for open decisions"
            self.report.at("E0209", message, spec.key.span, "choose another code")
        texts = tuple((language, tuple(self._parts(scalar, scope))) for language, scalar in spec.texts)
        notices = tuple((language, tuple(self._parts(scalar, scope))) for language, scalar in spec.notices)
        return ReasonModel(spec.name, texts, rank_of(spec.rank), spec.key.span, notices)

    def _parts(self, scalar: Scalar, scope: Scope) -> Iterator[str | Expr]:
        position = 0
        for hole in _HOLE.finditer(scalar.text):
            if hole.start() > position:
                yield self._text(scalar, position, hole.start())
            position = hole.end()
            expr = self.parser.slice(Slice(scalar, hole.start(1), hole[1]))
            if expr is not None:
                self.expressions.check(expr.node, scope, expr.place)
                yield expr
        if position < len(scalar.text):
            yield self._text(scalar, position, len(scalar.text))

    def _text(self, scalar: Scalar, start: int, end: int) -> str:
        """What stands between values; a brace in it was meant to hold one."""
        text = scalar.text[start:end]
        alone = _BRACE.search(text)
        if alone is not None:
            at = start + alone.start()
            message = f"the brace `{alone[0]}` of a reason's text is alone"
            self.report.at("E0103", message, scalar.locate(at, at + 1), "write `{name}` where a value is to stand")
        return text


def references(model: PolicyModel) -> Iterator[ReasonRef]:
    """Every reason reference of a policy, in order."""
    for decision in model.decisions:
        if isinstance(decision, DecisionModel):
            for arm in decision.arms:
                yield from arm.reasons
        else:
            for characteristic in decision.characteristics:
                for each in characteristic.bins:
                    yield from each.reasons


def check_references(model: PolicyModel, report: Report) -> None:
    """Each code is declared, each `from X` names a decision of this policy or an imported one's."""
    codes = [r.code for r in model.reasons]
    decisions = list(model.declared)
    for use in model.uses:
        if use.each is None:
            decisions.extend(f"{use.name}.{n}" for n in use.policy.declared)
    for reference in references(model):
        if reference.inherited:
            if reference.name not in decisions:
                near = closest(reference.name, decisions)
                report.at(
                    "E0211", f"there is no decision `{reference.name}` to take reasons from", reference.span,
                    f"did you mean `{near}`?" if near else "name a decision of this policy",
                    edits=instead(reference.span, f"from {near}" if near else None),
                )
        elif reference.name not in codes:
            near = closest(reference.name, codes)
            if near is not None and _number(near) != _number(reference.name):
                near = None                             # another code, not this one misspelt
            said = next((r.code for r in model.reasons if reference.name in _plain_texts(r)), None)
            hint = "declare it under `reasons`" + (f", where there are {_listed(codes)}" if codes else "")
            if said is not None:
                hint, near = f"write its code, `{said}`", said
            elif near is not None:
                hint = f"did you mean `{near}`?"
            elif reference.name in decisions:
                hint = f"write `from {reference.name}` to take that decision's reasons"
            report.at(
                "E0210", f"unknown reason code `{reference.name}`", reference.span, hint,
                edits=instead(reference.span, near),
            )


def _number(code: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"[0-9]+", code)]


def _plain_texts(reason: ReasonModel) -> list[str]:
    return ["".join(part for part in parts if isinstance(part, str)).strip() for _, parts in reason.texts]


def _listed(codes: Sequence[str]) -> str:
    shown = ", ".join(f"`{code}`" for code in codes[:8])
    return f"{shown} and others" if len(codes) > 8 else shown
