"""A condition that says which rows of a portfolio are decided, checked before the first is read.

It is FEEL over the policy's inputs. A row for which it is null is not taken; one whose data are so bad that it
cannot be told is left out too, and counted.
"""
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from engine.backends.python.program import compile_program
from engine.backends.python.runtime import SLOW
from engine.check.expressions import ExpressionChecker
from engine.check.parsing import ExpressionParser
from engine.check.scope import AS_OF, INPUT, Binding, Report, Scope, Slice
from engine.check.typed import Typing
from engine.diagnostics import Problem
from engine.ir import nodes as ir
from engine.ir.door import admit_inputs
from engine.ir.expressions import ExpressionLowering
from engine.ir.reads import cone
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.source.tree import Document, Scalar
from engine.syntax.vocabulary import Vocabulary

#: The name of the condition among decisions; no policy can write it.
WHERE = "~where"
FILE = "<where>"


class Where:
    """A checked condition as a program of one decision over the same inputs."""

    def __init__(self, program: ir.Program, text: str) -> None:
        """Raises Problem with every finding."""
        self.text = text
        node = _read(program, text)
        true = ir.Const(f"{WHERE}/guard", Type(dt.BOOLEAN), None, True)
        arm = ir.Arm(f"{WHERE}/value", "value", true, (), (("", node),), (), False, None)
        decision = ir.Decide(
            WHERE, "service", "value", node.type, (), (), (arm,), ir.OnMissing("skip"), False, None, form="value"
        )
        self.program = program.replace(
            parameters=(), histories=(), reasons=(), tables=(), decisions=(decision,), declared=(WHERE,),
            application_date=None,
        )
        self.reach = cone(self.program, [WHERE])
        self._compiled = compile_program(self.program, self.reach)

    def holds(self, inputs: Mapping[str, Any], as_of: datetime.date) -> bool | None:
        """Whether a row is taken; None where its data are too bad to tell, or a function fails."""
        compiled = self._compiled
        found = compiled.checked(dict(inputs), as_of, {})
        if found is SLOW:
            admitted, faults = admit_inputs(self.program, self.reach, inputs)
            if faults:
                return None
            found = compiled.trusted(admitted, as_of, {})
        return None if found is None else found[0].get(WHERE) is True


def _read(program: ir.Program, text: str) -> ir.Node:
    sources: dict[str, str] = {FILE: text}
    report = Report()
    names = {d.name: Binding(INPUT, d.name, d.type, d.at) for d in program.inputs}
    document = Document(text, FILE)
    scalar = Scalar(document, text, "plain", 0, len(text), False)
    parser = ExpressionParser(report, Vocabulary([*names, *(f.name for f in program.functions), "as of"], ["amount"]))
    expr = parser.slice(Slice(scalar, 0, text))
    if expr is None:
        raise WhereProblem(report, sources)
    typing = Typing()
    scope = Scope({**names, "as of": Binding(AS_OF, "as of", Type(dt.DATE))})
    checker = ExpressionChecker(report, typing, program.currency, program.functions)
    kind = checker.check(expr.node, scope, expr.place)
    if not report.diagnostics and kind.kind not in (dt.BOOLEAN, dt.ANY):
        report.on("E0307", "the condition of `--where` must be true or false", expr.place, expr.node,
                  "compare it with something, as in `region = \"SH\"`")
    if any(d.is_error for d in report.diagnostics):
        raise WhereProblem(report, sources)
    return ExpressionLowering(typing, expr.place, WHERE, _node, functions=program.functions).lower(expr.node)


def _node(kind: str, target: str, type: Type, id: str, at: ir.Place | None) -> ir.Node:
    return ir.Input(id, type, at, target) if kind == INPUT else ir.AsOf(id, type, at)


class WhereProblem(Problem):
    """Findings about a condition; `sources` hold its text."""

    def __init__(self, report: Report, sources: Mapping[str, str]) -> None:
        super().__init__(*report.diagnostics)
        self.sources = dict(sources)

