"""Customers that no rule holds for, where a decision should say something of all."""
from __future__ import annotations

from engine.diagnostics import Diagnostic
from engine.ir import nodes as ir
from engine.ir.analyses.regions import Box, Cover, Space, TooHard, lines
from engine.ir.analyses.study import Study, span_of, too_hard


def coverage(study: Study) -> list[Diagnostic]:
    """W0603 for a table, W0501 for a list of rules, that leaves customers without an outcome.

    Undetermined is not uncovered: what then happens is `on missing`. A list of rules whose
    coverage cannot be settled is reported too, a table then says that it could not be.
    """
    found: list[Diagnostic] = []
    for decision, space in study.decides("first", "unique", "any", "worst", "priority"):
        if any(arm.otherwise for arm in decision.arms):
            continue
        at = decision.arms[0].at if decision.form == "table" else decision.at
        boxes, owned = lines([{}] if a.maybe is None else a.maybe for a in space.arms)
        unread = [a.arm.rule for a in space.arms if a.maybe is None]
        cover = Cover(space, boxes)
        try:
            gap = cover.gap({}, cover.every)
        except TooHard:
            found.append(too_hard(decision, decision.at, "whether its rules cover every customer"))
            continue
        if gap is not None:
            found.append(_uncovered(decision, space, cover.widened(gap, cover.every)))
        elif unread:
            found.append(too_hard(decision, at, "whether its rules cover every customer"))
    return found


def _uncovered(decision: ir.Decide, space: Space, gap: Box) -> Diagnostic:
    where = f" where {space.describe(gap)}" if gap else ""
    if decision.form == "table":
        return Diagnostic(
            "W0603", f"no row of `{decision.name}` holds{where}, so it is null there", span_of(decision.at),
            "add a row for it, or a last row of `-`" if decision.hit == "first" else "add a row for it",
        )
    return Diagnostic(
        "W0501", f"`{decision.name}` has no `otherwise` and no rule holds{where}, so it is null there",
        span_of(decision.at), "end with a rule `otherwise`",
    )
