"""Rows that may match the same customer where at most one should, or where all must agree."""
from __future__ import annotations

from engine.diagnostics import Diagnostic
from engine.ir import nodes as ir
from engine.ir.analyses.columns import key, runs
from engine.ir.analyses.regions import Box, Cover, Space, lines
from engine.ir.analyses.study import Study, label, span_of


def overlaps(study: Study) -> list[Diagnostic]:
    """W0609 for a row of `unique` that overlaps a former one, and of `any` where their outcomes differ too."""
    found: list[Diagnostic] = []
    for decision, space in study.decides("unique", "any"):
        boxes, owned = lines(a.true for a in space.arms)
        cover = Cover(space, boxes)
        owners = [arm for arm, bits in zip(space.arms, owned, strict=True) for _ in range(bits.bit_count())]
        former = 0
        for arm, bits in zip(space.arms, owned, strict=True):
            clash = next(
                (
                    (owners[n].arm, shared)
                    for box in arm.true or ()
                    for n in runs(cover.meeting(box, former))
                    if decision.hit == "unique" or _differ(arm.arm, owners[n].arm)
                    if (shared := space.meet(box, cover.lines[n])) is not None
                ),
                None,
            )
            if clash is not None:
                found.append(_report(decision, space, arm.arm, *clash))
            former |= bits
    return found


def _report(decision: ir.Decide, space: Space, arm: ir.Arm, other: ir.Arm, shared: Box) -> Diagnostic:
    where = f" where {space.describe(shared)}" if shared else ""
    why = "" if decision.hit == "unique" else " with another outcome"
    return Diagnostic(
        "W0609",
        f"the rows `{other.rule}` and `{arm.rule}` of `{decision.name}` both hold{why}{where}, so it is null there",
        span_of(arm.at), "narrow one of the two, or use `first`", label(other.at, "the other row"),
    )


def _differ(one: ir.Arm, other: ir.Arm) -> bool:
    """Whether two outcomes can differ: the same expression gives the same."""
    return [(n, key(v)) for n, v in one.outcome] != [(n, key(v)) for n, v in other.outcome]
