"""Null conditions and outcomes of a decision with nothing that says what then happens: a finding for all its rules."""
from __future__ import annotations

from collections.abc import Sequence

from engine.check.expressions import ExpressionChecker
from engine.check.model import ArmModel, Expr, ModelModel, Outcome
from engine.check.scope import Report
from engine.syntax import ast

_HELP = "add `on missing: refer` (or skip, refuse, `{then: x}`) to the decision or the policy"


def unstated(
    report: Report, expressions: ExpressionChecker, name: str, undetermined: Sequence[ArmModel],
    nulls: Sequence[Outcome],
) -> None:
    """E0401 for the conditions of the decision `name` that can be null, E0402 for each outcome that can be."""
    if undetermined:
        first = undetermined[0]
        names = list(dict.fromkeys(found for arm in undetermined for found in _can_be_null(expressions, arm)))
        why = f" (`{'`, `'.join(names[:3])}` can be missing)" if names else _division(expressions, first)
        what = "the condition" if len(undetermined) == 1 else "the conditions"
        report.at(
            "E0401",
            f"{what} of {_listed([arm.rule for arm in undetermined])} can be null{why}, and nothing says what then "
            "happens",
            first.place.locate(0, len(first.place.text)), _HELP,
        )
    for value in nulls:
        if isinstance(value, ModelModel):
            report.at(
                "E0402", f"the model of `{name}` can give no answer, and nothing says what then happens",
                value.place.locate(0, len(value.place.text)), _HELP,
            )
            continue
        names = expressions.nullable_names(value.node) if isinstance(value, Expr) else []
        why = f" (`{'`, `'.join(names[:3])}` can be missing)" if names else ""
        report.at(
            "E0402", f"this outcome of `{name}` can be null{why}, and nothing says what then happens",
            value.place.locate(0, len(value.place.text)), _HELP,
        )


def _can_be_null(expressions: ExpressionChecker, arm: ArmModel) -> list[str]:
    """The names that make an arm's conditions null."""
    nodes = [arm.guard.node] if arm.guard is not None else [cell.column.node for cell in arm.cells]
    return [name for node in nodes for name in expressions.nullable_names(node)]


def _division(expressions: ExpressionChecker, arm: ArmModel) -> str:
    """Which division leaves a condition without a value."""
    exprs = [arm.guard] if arm.guard is not None else [c.column for c in arm.cells]
    for expr in exprs:
        stack = [expr.node]
        while stack:
            node = stack.pop()
            if isinstance(node, ast.Arithmetic) and node.op == "/" and expressions.typing.type_of(node).nullable:
                return f" (`{expr.place.text[node.right.start:node.right.end]}` can be 0, and is divided by)"
            stack.extend(ast.children(node))
    return ""


def _listed(rules: Sequence[str]) -> str:
    """`S1`, `S2`, `S3` and 14 others."""
    shown = [f"`{name}`" for name in rules[:3]]
    more = len(rules) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more} other{'' if more == 1 else 's'}"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
