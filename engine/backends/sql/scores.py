"""Scorecards: base plus the points of each characteristic's bin."""
from __future__ import annotations

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.relations import Expressions
from engine.backends.sql.stages import FALSE, Sql
from engine.ir import nodes as ir
from engine.records import Record


class Scored(Record):
    """`total` is null where a value is in no bin. `opening` are characteristics without a `null` bin with the
    condition that their value is null; `bins` tells for each characteristic the place of the bin that held, -1 for
    none, and is empty where nobody asks."""

    total: Sql
    is_open: Sql
    opening: list[tuple[ir.Characteristic, Sql]]
    bins: list[Sql]


def score(of: Expressions, decision: ir.Score, traced: bool) -> Scored:
    stages = of.stages
    total = Sql(st.number(decision.base))
    opening, bins = [], []
    for characteristic in decision.characteristics:
        value = stages.named(of.compile(characteristic.value))
        null = stages.named(st.missing(value))
        of.variables[("Local", characteristic.var)] = value.replace(nullable=False)
        tests = [(index, null if b.is_null else of.compile(b.test)) for index, b in _null_first(characteristic)]
        if value.nullable and not any(b.is_null for b in characteristic.bins):
            opening.append((characteristic, null))
            tests.insert(0, (-1, null))                 # not even `-` holds a missing value
        if traced:
            place = stages.named(st.chosen([(t, Sql(st.whole(i))) for i, t in tests], Sql(st.whole(-1))))
            bins.append(place)
            whens = [
                (Sql(exp.EQ(this=place.tree.copy(), expression=st.whole(i)), place.level), _points(characteristic, i))
                for i, _ in tests if i >= 0
            ]
        else:
            whens = [(t, _points(characteristic, i)) for i, t in tests]
        points = stages.named(st.chosen(whens, st.NULL))
        total = Sql(st.binary(exp.Add, total.tree, points.tree.copy()), max(total.level, points.level), True)
    is_open = st.either(*(null for _, null in opening)) if opening else FALSE
    return Scored(stages.named(total), is_open, opening, bins)


def _null_first(characteristic: ir.Characteristic) -> list[tuple[int, ir.Bin]]:
    """The bins with their places, the `null` one first: tests of the others take the value for known."""
    return sorted(enumerate(characteristic.bins), key=lambda pair: not pair[1].is_null)


def _points(characteristic: ir.Characteristic, index: int) -> Sql:
    return Sql(st.number(characteristic.bins[index].points)) if index >= 0 else st.NULL
