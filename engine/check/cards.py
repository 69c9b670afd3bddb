"""Scorecards as characteristics with their bins."""
from __future__ import annotations

from typing import cast

from engine.check.arms import ArmReader, place_of
from engine.check.cells import comma_pairs
from engine.check.model import BinModel, CharacteristicModel
from engine.check.parsing import grid_findings
from engine.check.plain import NotReadable, read
from engine.check.scope import instead
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.source.nodes import Scalar
from engine.syntax import ast, cards, grid


def scorecard(reader: ArmReader) -> tuple[float, list[CharacteristicModel]] | None:
    """Base points and characteristics, None where the grid has none."""
    content = reader.spec.content
    if not isinstance(content, Scalar):
        return None
    card = cards.parse_scorecard(content.text)
    if not grid_findings(reader.report, content, card.findings):
        return None
    base = _points(reader, card.base, content) if card.base is not None else None
    characteristics = []
    for each in card.characteristics:
        value = reader.parser.slice(place_of(content, each.cell))
        bins = [b for b in (_bin(reader, row, content) for row in each.bins) if b is not None]
        comma_pairs(reader.report, [(b.place, b.tests) for b in bins])  # a gap shows a lone number
        if value is not None:
            characteristics.append(CharacteristicModel(each.cell.text, value, tuple(bins)))
    return (base[0] if base else 0, characteristics)


def _bin(reader: ArmReader, row: cards.BinRow, scalar: Scalar) -> BinModel | None:
    place = place_of(scalar, row.bin)
    points = _points(reader, row.points, scalar)
    reasons = reader.reasons(place_of(scalar, row.reason)) if row.reason is not None else []
    if not row.bin.text:
        return None  # the grid reported it
    tests = reader.parser.tests(place)
    if tests is None or points is None:
        return None
    is_null = len(tests.tests) == 1 and isinstance(tests.tests[0], ast.NullLiteral) and not tests.negated
    return BinModel(None if is_null else tests, points[0], tuple(reasons), points[1], place)


def _points(reader: ArmReader, cell: grid.Cell, scalar: Scalar) -> tuple[float, bool] | None:
    """Points, and whether the cell marks the neutral bin."""
    text = cell.text
    neutral = text.endswith("neutral")
    if neutral:
        text = text.removesuffix("neutral").strip()
    try:
        return cast(float, read(text, Type(dt.NUMBER))), neutral
    except NotReadable as why:
        if text:
            span = scalar.locate(cell.start, cell.start + len(text))
            help = why.help if why.meant is not None else "points are plain numbers"
            reader.report.at("E0308", why.message, span, help, edits=instead(span, why.meant))
        return None
