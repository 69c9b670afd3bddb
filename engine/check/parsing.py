"""Parses the expressions of a policy and turns what the parser finds into diagnostics."""
from __future__ import annotations

from collections.abc import Iterable

from engine.check.model import Expr
from engine.check.scope import Report, Slice, whole
from engine.diagnostics import Edit
from engine.source.nodes import Scalar
from engine.source.quoting import expression_text, grid_text
from engine.syntax import ast, cache
from engine.syntax.phrases import phrase
from engine.syntax.tokens import Finding, SyntaxProblem
from engine.syntax.vocabulary import Vocabulary


def grid_findings(report: Report, scalar: Scalar, findings: Iterable[Finding]) -> bool:
    """Report what is wrong with a grid; whether it stands in a form that keeps its lines."""
    joined = grid_text(scalar)
    for problem in joined:
        report.add(problem)
    for found in () if joined else findings:
        span = scalar.locate(found.start, found.end)
        edits = (Edit(span, found.replacement),) if found.replacement is not None else ()
        report.at(found.code, found.message, span, found.help, edits=edits)
    return not joined


class ExpressionParser:
    """Parses against one vocabulary, in the policy dialect."""

    def __init__(self, report: Report, vocabulary: Vocabulary) -> None:
        self.report = report
        self.vocabulary = vocabulary
        #: Names that were reported as unreadable; an expression that holds one is not reported again.
        self.unreadable: frozenset[str] = frozenset()

    def scalar(self, scalar: Scalar) -> Expr | None:
        """The expression that a whole scalar holds; None where it has none (reported)."""
        unsafe = expression_text(scalar)
        for problem in unsafe:
            self.report.add(problem)
        if unsafe:
            return None
        return self.slice(whole(scalar))

    def slice(self, place: Slice) -> Expr | None:
        try:
            return Expr(cache.expression(place.text, self.vocabulary), place)
        except SyntaxProblem as problem:
            self._report(place, problem)
            return None

    def tests(self, place: Slice) -> ast.UnaryTests | None:
        said = phrase(place.text) if place.text not in self.vocabulary.names else None
        if said is not None:
            span = place.locate(0, len(place.text))
            edits = (Edit(span, said.meant),) if said.meant is not None and place.verbatim(0, len(place.text)) else ()
            self.report.at("E0134", f"`{place.text}` is no test", span, said.help, edits=edits)
            return cache.unary_tests(said.read_as, self.vocabulary)
        try:
            return cache.unary_tests(place.text, self.vocabulary)
        except SyntaxProblem as problem:
            self._report(place, problem)
            return None

    def _report(self, place: Slice, problem: SyntaxProblem) -> None:
        if any(name in place.text for name in self.unreadable):
            return
        for found in problem.findings:
            span = place.locate(found.start, found.end)
            edits: tuple[Edit, ...] = ()
            if found.replacement is not None and place.verbatim(found.start, found.end):
                edits = (Edit(span, found.replacement),)
            self.report.at(found.code, found.message, span, found.help, edits=edits)
