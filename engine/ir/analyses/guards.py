"""Conditions that can never hold, and rules that always do."""
from __future__ import annotations

from engine.diagnostics import Diagnostic
from engine.ir import nodes as ir
from engine.ir.analyses.regions import Space
from engine.ir.analyses.study import Study, label, span_of


def guards(study: Study) -> list[Diagnostic]:
    """W0607 for a condition, or a part of one, that no customer meets; W0608 for a rule whose guard all meet."""
    found: list[Diagnostic] = []
    for decision, space in study.decides():
        for arm, boxes in zip(decision.arms, space.arms, strict=True):
            if arm.otherwise:
                continue
            if boxes.true == []:
                found.append(_never(space, arm))
                continue
            for part in (dead for each in arm.parts for dead in _dead(space, each)):
                found.append(
                    Diagnostic(
                        "W0607", "this part of the condition never holds", span_of(part.at),
                        _why(space, part) or "delete it, or mend what it compares with",
                    )
                )
            unproven = space.boxes(arm.guard, "unproven")
            if decision.form != "table" and unproven == [] and not isinstance(arm.guard, ir.Const):
                found.append(
                    Diagnostic(
                        "W0608", f"the condition of `{arm.rule}` always holds", span_of(arm.guard.at or arm.at),
                        "write `otherwise` if it is meant to catch all, or mend the condition",
                    )
                )
    return found


def _never(space: Space, arm: ir.Arm) -> Diagnostic:
    """A rule without a customer: shown at the part, or the two parts, that rule all out."""
    message = f"the condition of `{arm.rule}` never holds"
    for part in arm.parts:
        if space.boxes(part, "true") == []:
            return Diagnostic("W0607", message, span_of(part.at or arm.at), _why(space, part) or _MEND)
    for index, one in enumerate(arm.parts):
        for two in arm.parts[:index]:
            a, b = space.boxes(two, "true"), space.boxes(one, "true")
            if a is not None and b is not None and not any(space.meet(x, y) is not None for x in a for y in b):
                return Diagnostic(
                    "W0607", message, span_of(one.at or arm.at), _MEND, label(two.at, "this rules the other part out")
                )
    return Diagnostic("W0607", message, span_of(arm.guard.at or arm.at), _MEND)


_MEND = "mend the condition, or delete the rule"


def _why(space: Space, part: ir.Node) -> str | None:
    """The declared values of the one column that a dead part tests."""
    if isinstance(part, ir.And) and all(space.boxes(arg, "true") != [] for arg in part.args):
        return None  # its parts contradict each other
    columns = space.columns_of(part)
    if len(columns) != 1:
        return None
    (column,) = columns
    if column.form in ("line", "values") and (column.domain is not None or column.type.values is not None):
        return f"{column.describe(column.full & ~column.null)} by its declaration"
    return None


def _dead(space: Space, node: ir.Node) -> list[ir.Node]:
    """The alternatives of a live condition that never hold."""
    if isinstance(node, ir.Or):
        found: list[ir.Node] = []
        for arg in node.args:
            found.extend([arg] if space.boxes(arg, "true") == [] else _dead(space, arg))
        return [n for n in found if n.at is not None and not isinstance(n, ir.Const)]
    if isinstance(node, ir.And):
        return [n for arg in node.args for n in _dead(space, arg)]
    return []
