"""What is behind a null, as SQL: whether a name was null, and which inputs and histories were missing, as bit sets."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.masks import LANE
from engine.backends.sql.stages import FALSE, TRUE, Sql
from engine.records import Record


class Behind(Record):
    """What is behind a null: whether a name was (`names`, never NULL), and sets of labels by lane (numbers,
    never NULL). A lane that is absent is empty. A lane that is named for a relation is one bit: whatever is behind that
    relation's rows."""

    names: Sql = FALSE
    lanes: tuple[tuple[int | str, Sql], ...] = ()

    @property
    def is_nothing(self) -> bool:
        return self.names.is_false and not self.lanes

    @property
    def parts(self) -> list[Sql]:
        return [self.names, *(bits for _, bits in self.lanes)]

    def through(self, change: Callable[[Sql], Sql]) -> Behind:
        """The same with each part changed."""
        return Behind(change(self.names), tuple((lane, change(bits)) for lane, bits in self.lanes))


NOTHING = Behind()


class Labels:
    """The inputs and histories that can be missing, by their bits."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._place = {name: divmod(i, LANE) for i, name in enumerate(names)}

    def behind(self, name: str, null: Sql, wanted: bool) -> Behind:
        """A missing input or history; `null` says where it is missing."""
        if null.is_false:
            return NOTHING
        if not wanted or name not in self._place:
            return Behind(null)
        lane, bit = self._place[name]
        tree = st.case([(null.tree.copy(), st.whole(1 << bit))], st.whole(0))
        return Behind(null, ((lane, Sql(tree, null.level)),))


def union(parts: Iterable[Behind]) -> Behind:
    found: list[Sql] = []
    lanes: dict[int | str, list[Sql]] = {}
    for part in parts:
        if not part.names.is_false:
            found.append(part.names)
        for lane, bits in part.lanes:
            lanes.setdefault(lane, []).append(bits)
    return Behind(st.either(*_distinct(found)), tuple((lane, _bits_or(lanes[lane])) for lane in sorted(lanes, key=str)))


def _distinct(parts: Sequence[Sql]) -> list[Sql]:
    return list(dict.fromkeys(parts))


def _bits_or(parts: Sequence[Sql]) -> Sql:
    parts = _distinct(parts)
    tree = parts[0].tree.copy()
    for part in parts[1:]:
        tree = st.binary(exp.BitwiseOr, tree, part.tree.copy())
    return Sql(tree, st.deepest(parts))


def where(condition: Sql, behind: Behind) -> Behind:
    """`behind` where a condition (never NULL) holds, nothing elsewhere."""
    if condition.is_false or behind.is_nothing:
        return NOTHING
    if condition == TRUE:
        return behind
    lanes = tuple(
        (lane, Sql(st.case([(condition.tree.copy(), bits.tree.copy())], st.whole(0)), st.deepest([condition, bits])))
        for lane, bits in behind.lanes
    )
    return Behind(st.both(condition, behind.names), lanes)
