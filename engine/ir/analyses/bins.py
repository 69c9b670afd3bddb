"""Scorecard bins that overlap, are never reached, or leave values without points."""
from __future__ import annotations

from engine.diagnostics import Diagnostic
from engine.ir import nodes as ir
from engine.ir.analyses.regions import Space
from engine.ir.analyses.study import Study, label, listed, span_of


def bins(study: Study) -> list[Diagnostic]:
    """W0602 for a bin that former ones take whole, W0610 in part; W0603 for values in no bin."""
    found: list[Diagnostic] = []
    for score in study.scores():
        for characteristic in score.characteristics:
            found.extend(_characteristic(study, score, characteristic))
    return found


def _characteristic(study: Study, score: ir.Score, characteristic: ir.Characteristic) -> list[Diagnostic]:
    space = Space(study.program, _as_decision(score, characteristic))
    masks = []
    for each, arm in zip(characteristic.bins, space.arms, strict=True):
        boxes = [] if each.is_null else arm.true
        if boxes is None or len(boxes) > 1 or (boxes and any(i != 0 for i in boxes[0])):
            return []  # a bin that tests more than its value
        masks.append(0 if not boxes else boxes[0].get(0, space.columns[0].full if space.columns else 1))
    if not space.columns:
        return []
    column = space.columns[0]
    known = column.full & ~column.null
    found = []
    taken = 0
    for number, (each, mask) in enumerate(zip(characteristic.bins, masks, strict=True)):
        mask &= known
        if not mask:
            if not each.is_null:
                found.append(
                    Diagnostic("W0607", f"no value of `{characteristic.label}` falls into this bin", span_of(each.at),
                               "mend its bounds, or delete it")
                )
            continue
        shared = mask & taken
        if shared:
            former = [b for b, m in zip(characteristic.bins[:number], masks, strict=False) if m & mask]
            names = [b.at.snippet for b in former if b.at is not None]
            if shared == mask:
                found.append(
                    Diagnostic("W0602", f"the bin is never reached: {listed(names)} of `{characteristic.label}`"
                               f" {'takes' if len(names) == 1 else 'take'} all of it", span_of(each.at),
                               "the first bin that holds gives its points: move this one up, or delete it")
                )
            elif each.at is not None and each.at.snippet.strip() != "-":
                found.append(
                    Diagnostic("W0610", f"two bins overlap where {column.describe(shared)}; the former one counts",
                               span_of(each.at), "let the bins adjoin, as in `[2..5)` and `>= 5`",
                               label(former[0].at, "this one counts"))
                )
        taken |= mask
    rest = known & ~taken
    if rest:
        first = characteristic.bins[0].at if characteristic.bins else score.at
        found.append(
            Diagnostic("W0603", f"no bin of `{characteristic.label}` holds where"
                       f" {column.describe(column.stretch(rest, rest))}, so `{score.name}` is null there",
                       span_of(first), "add a bin for it, or a last bin `-`")
        )
    return found


def _as_decision(score: ir.Score, characteristic: ir.Characteristic) -> ir.Decide:
    """The bins as arms over the characteristic itself, so that its range and values count."""
    arms = tuple(
        ir.Arm(
            each.id, "",
            ir.Let(f"{each.id}/put", each.test.type, None, characteristic.var, characteristic.value, each.test)
            if not each.is_null else ir.IsNull(f"{each.id}/put", each.test.type, None, characteristic.value),
            (), (), (), False, each.at,
        )
        for each in characteristic.bins
    )
    return ir.Decide(score.name, score.family, "first", score.type, (), (), arms, score.on_missing, True, score.at)
