"""Rules that never decide: another one holds whenever they do.

Under `first` a rule is dead where former rules take all its customers; under `worst` and
`priority` where some other rule holds whenever it does and gives a stronger outcome, or the
same with the same reasons.
"""
from __future__ import annotations

from engine.diagnostics import Diagnostic
from engine.ir import nodes as ir
from engine.ir.analyses.columns import runs
from engine.ir.analyses.regions import Arm, Box, Cover, Space, TooHard, lines
from engine.ir.analyses.study import Study, label, listed, span_of, too_hard


def shadows(study: Study) -> list[Diagnostic]:
    """W0601 for a rule behind a single other one, W0602 behind several together."""
    found: list[Diagnostic] = []
    for decision, space in study.decides("first"):
        found.extend(_first(decision, space))
    for decision, space in study.decides("worst", "priority"):
        found.extend(_ranked(decision, space))
    return found


def _first(decision: ir.Decide, space: Space) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    boxes, owned = lines(a.true for a in space.arms)
    cover = Cover(space, boxes)
    owners = [arm.arm for arm, bits in zip(space.arms, owned, strict=True) for _ in range(bits.bit_count())]
    hard: list[ir.Arm] = []
    former = 0
    row = "row" if decision.form == "table" else "rule"
    for arm, bits in zip(space.arms, owned, strict=True):
        if arm.true:
            single = _behind(cover, arm.true, owners, former)
            if single is not None and (not _catches_all(arm.arm) or _catches_all(single)):
                found.append(
                    Diagnostic(
                        "W0601", f"the {row} `{arm.arm.rule}` is never reached: `{single.rule}` holds whenever it does",
                        span_of(arm.arm.at), "move it up, or narrow the former one",
                        label(single.at, "this one comes first"),
                    )
                )
            elif single is None and former and not _catches_all(arm.arm):
                try:
                    if all(cover.gap(box, former) is None for box in arm.true):
                        found.append(_unreached(cover, arm, owners, former, row))
                except TooHard:
                    hard.append(arm.arm)
        former |= bits
    if hard:
        what = f"whether {listed([a.rule for a in hard])} can be reached"
        found.append(too_hard(decision, hard[0].at, what))
    return found


def _behind(cover: Cover, boxes: list[Box], owners: list[ir.Arm], former: int) -> ir.Arm | None:
    """A single former arm that holds wherever `boxes` do."""
    shared: set[int] | None = None
    for box in boxes:
        holding = {id(owners[n]) for n in runs(cover.holding(box, former))}
        shared = holding if shared is None else shared & holding
        if not shared:
            return None
    return next((o for o in owners if shared and id(o) in shared), None)


def _catches_all(arm: ir.Arm) -> bool:
    """A last rule that is there to be safe."""
    return arm.otherwise or isinstance(arm.guard, ir.Const)


def _unreached(cover: Cover, arm: Arm, owners: list[ir.Arm], former: int, row: str) -> Diagnostic:
    met = 0
    for box in arm.true or ():
        met |= cover.meeting(box, former)
    takers = list(dict.fromkeys(o.rule for n, o in enumerate(owners) if met >> n & 1))
    return Diagnostic(
        "W0602", f"the {row} `{arm.arm.rule}` is never reached: {listed(takers)} together take all that it would",
        span_of(arm.arm.at), "move it up, narrow the former ones, or delete it",
    )


def _ranked(decision: ir.Decide, space: Space) -> list[Diagnostic]:
    """Under `worst` and `priority` the place of a rule says nothing; outcomes and reasons do."""
    scale = _strongest_first(decision)
    found: list[Diagnostic] = []
    boxes, owned = lines(a.true for a in space.arms)
    cover = Cover(space, boxes)
    owners = [number for number, bits in enumerate(owned) for _ in range(bits.bit_count())]
    for number, arm in enumerate(space.arms):
        if not arm.true or arm.arm.otherwise or arm.arm.is_computed:
            continue
        own = _outcome(arm.arm)
        for at in runs(cover.holding(arm.true[0], cover.every & ~owned[number])):
            other = space.arms[owners[at]]
            if other.arm.otherwise or other.arm.is_computed or not space.implies(arm.true, other.true or []):
                continue
            theirs = _outcome(other.arm)
            if own not in scale or theirs not in scale:
                continue
            if scale.index(theirs) < scale.index(own):
                why = f"`{other.arm.rule}` holds whenever it does and gives `{theirs}`"
            elif theirs == own and set(arm.arm.reasons) <= set(other.arm.reasons) and (
                owners[at] < number or not space.implies(other.true or [], arm.true)
            ):
                why = f"`{other.arm.rule}` holds whenever it does, with the same outcome and reasons"
            else:
                continue
            found.append(
                Diagnostic(
                    "W0601", f"the rule `{arm.arm.rule}` never counts: {why}", span_of(arm.arm.at),
                    "delete it, or change its condition", label(other.arm.at, "the other rule"),
                )
            )
            break
    return found


def _strongest_first(decision: ir.Decide) -> list[object]:
    values: list[object] = list(decision.type.values or ())
    if decision.hit == "worst" and decision.type.order == "best first":
        values.reverse()
    return values


def _outcome(arm: ir.Arm) -> object:
    node = arm.outcome[0][1] if len(arm.outcome) == 1 else None
    return node.value if isinstance(node, ir.Const) else None
