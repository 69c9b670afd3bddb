"""Sets of labels in a row: which rules fired, which reasons hold, which inputs are missing.

A set is a list of flags, a label with the condition under which it is in the set, in the order in which
the set is read. A result column holds it as numbers of at most 60 bits (lanes), bit by bit in that
order, or as a list of texts.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.simplify import tested
from engine.backends.sql.stages import Sql, Stages
from engine.records import Record

T = TypeVar("T")
#: Bits of a lane: a sum of so many powers of two is exact in every engine's 64-bit integer.
LANE = 60
#: Bits that a number of 32 bits holds.
SHORT = 30


class Flag(Record):
    """A label and when it is in the set; the condition is never NULL."""

    label: str
    holds: Sql


Flags = list[Flag]


def once(flags: Iterable[Flag]) -> Flags:
    """Each label at its first place: a later flag of the same label holds where no earlier one does."""
    seen: dict[str, list[Sql]] = {}
    found = []
    for flag in flags:
        if flag.holds.is_false:
            continue
        before = seen.setdefault(flag.label, [])
        holds = flag.holds if not before else st.both(flag.holds, st.opposite(st.either(*before)))
        if not holds.is_false:
            found.append(flag.replace(holds=holds))
        before.append(flag.holds)
    return found


def lanes(flags: Sequence[Flag]) -> list[exp.Expr]:
    """The set as numbers: bit `i` of the whole is the `i`th flag. One lane at least."""
    found: list[exp.Expr] = []
    for start in range(0, max(len(flags), 1), LANE):
        found.append(exp.cast(summed([f.holds for f in flags[start:start + LANE]]), "BIGINT"))
    return found


def as_bits(stages: Stages, conditions: Sequence[Sql]) -> list[Sql]:
    """The same conditions as bits of numbers, which are made once however often they are read. What is known stays."""
    found = list(conditions)
    places = [i for i, c in enumerate(conditions) if not isinstance(c.tree, exp.Boolean)]
    for start in range(0, len(places), LANE):
        chosen = places[start:start + LANE]
        if len(chosen) == 1:
            found[chosen[0]] = stages.named(st.holds(conditions[chosen[0]]))
            continue
        total = summed([conditions[i] for i in chosen])
        lane = stages.named(Sql(total, st.deepest([conditions[i] for i in chosen])))
        for bit, i in enumerate(chosen):
            found[i] = Sql(tested(lane.tree.name, 1 << bit), lane.level)
    return found


def summed(conditions: Sequence[Sql]) -> exp.Expr:
    """A number with a bit for each condition that is true."""
    total: exp.Expr = st.whole(0)
    for bit, condition in enumerate(conditions):
        term = st.case([(condition.tree.copy(), st.whole(1 << bit))], st.whole(0))
        total = term if bit == 0 else exp.Add(this=total, expression=term)
    return total if len(conditions) <= SHORT else exp.cast(total, "BIGINT")


def texts(flags: Sequence[Flag]) -> exp.Expr:
    """The set as a list of its labels."""
    if not flags:
        return exp.cast(exp.Array(expressions=[]), "ARRAY<TEXT>")
    items = [st.case([(f.holds.tree.copy(), exp.Literal.string(f.label))]) for f in flags]
    return exp.ArrayCompact(this=exp.Array(expressions=items))


def held(labels: Sequence[T], cells: Sequence[int]) -> tuple[T, ...]:
    """The labels in a set of lanes."""
    found = []
    for lane, cell in enumerate(cells):
        bits = int(cell)
        while bits:
            low = bits & -bits
            found.append(labels[lane * LANE + low.bit_length() - 1])
            bits ^= low
    return tuple(found)
