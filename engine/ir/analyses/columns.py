"""The columns of a decision: what its conditions test, and the cells into which the tests cut each.

A column is an expression that some condition compares with a constant, a pair that a
condition compares with each other, or a condition taken as it stands. Its values fall
into cells between which no test of the decision tells: for `score` tested by `< 500` and
`>= 560` the cells are below 500, 500 itself, between, 560 itself, and above. Missing is a
cell of its own where the expression can be null. A set of values is a bit mask over the
cells, so that every question about conditions becomes a question about small integers.

Columns count as independent. What is found covered or shadowed is so whatever they are;
an example of what is not covered may be a combination that cannot occur.
"""
from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import Any

from engine.ir import nodes as ir
from engine.semantics import dtypes as dt
from engine.semantics.declarations import InputDecl
from engine.semantics.domain import Domain, Interval, intersection, show
from engine.semantics.dtypes import Type
from engine.semantics.values import YearsMonths

#: Kinds whose constants are ordered into intervals; a text has values only.
_LINES = frozenset({dt.NUMBER, dt.MONEY, dt.DATE, dt.DAYS_DURATION, dt.MONTHS_DURATION})
_MIRROR = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}
#: Where two values lie under each comparison: less, equal, greater.
_SIDES = {"<": 0b001, "<=": 0b011, ">": 0b100, ">=": 0b110, "=": 0b010, "!=": 0b101}


class Test:
    """One atom: for which cells of `column` it is true and for which false; null for the rest."""

    __slots__ = ("column", "constant", "op")

    def __init__(self, column: Column, op: str, constant: Any = None) -> None:
        self.column = column
        self.op = op
        self.constant = constant

    def masks(self) -> tuple[int, int]:
        return self.column.masks(self.op, self.constant)


class Column:
    """An expression with its cells. Constants are gathered first, then `seal` cuts."""

    def __init__(self, index: int, node: ir.Node, domain: Domain | None, other: ir.Node | None = None) -> None:
        self.index = index
        self.node = node
        self.other = other
        self.domain = domain
        self.type = node.type
        self.nullable = node.type.nullable or (other is not None and other.type.nullable)
        self.constants: dict[Any, None] = {}
        #: All cells that can occur, missing included.
        self.full = 0
        self.null = 0
        self._sorted: list[Any] = []
        self._bits: dict[Any, int] = {}
        self._texts: list[str] = []

    @property
    def form(self) -> str:
        if self.other is not None:
            return "pair"
        if self.type.kind == dt.BOOLEAN:
            return "truth"
        if self.type.kind in _LINES:
            return "line"
        return "values"

    @property
    def text(self) -> str:
        """The expression as written."""
        return _text(self.node) if self.other is None else f"{_text(self.node)} and {_text(self.other)}"

    # --- cutting --------------------------------------------------------------------

    def seal(self) -> None:
        """Cut the column at its constants."""
        form = self.form
        if form == "pair":
            count = 3
            self.full = 0b111 if self.type.kind in dt.ORDERED and self.type.values is None else 0b011
        elif form == "truth":
            count, self.full = 2, 0b11
        elif form == "line":
            count = self._cut_line()
        else:
            count = self._cut_values()
        self.null = 1 << count
        if self.nullable:
            self.full |= self.null

    def _cut_line(self) -> int:
        if self.domain is not None:
            for interval in self.domain.intervals:
                self.constants.update(dict.fromkeys(e for e in (interval.lower, interval.upper) if e is not None))
        self._sorted = sorted(self.constants)
        self._bits = {value: 2 * i + 1 for i, value in enumerate(self._sorted)}
        count = 2 * len(self._sorted) + 1
        for cell in range(count):
            if self._occurs(self._interval(cell, cell)):
                self.full |= 1 << cell
        return count

    def _cut_values(self) -> int:
        values = list(self.type.values or ())
        values.extend(c for c in self.constants if c not in values)
        self._sorted = values
        self._bits = {value: i for i, value in enumerate(values)}
        self.full = (1 << len(values)) - 1
        if self.type.values is None:
            self.full |= 1 << len(values)
        return len(values) + 1

    def _interval(self, first: int, last: int) -> Interval:
        """The interval from cell `first` to cell `last` of a line."""
        lower = self._sorted[(first - 1) // 2] if first > 0 else None
        upper = self._sorted[last // 2] if last < 2 * len(self._sorted) else None
        return Interval(lower, upper, first % 2 == 1, last % 2 == 1)

    def _occurs(self, cell: Interval) -> bool:
        """Whether some value of the column lies in a cell, as far as is known."""
        if self.domain is not None:
            return not intersection(self.domain, Domain((cell,))).is_empty
        low, high = self.type.lower, self.type.upper
        if low is not None and cell.upper is not None:
            if cell.upper < low or (not cell.upper_closed and cell.upper <= low + _slack(low)):
                return False
        if high is not None and cell.lower is not None:
            if cell.lower > high or (not cell.lower_closed and cell.lower >= high - _slack(high)):
                return False
        if self.type.whole and cell.lower is not None and cell.upper is not None:
            if cell.lower == cell.upper:
                return float(cell.lower).is_integer()
            return bool(int(cell.lower // 1) + 1 < cell.upper)
        return True

    # --- tests ------------------------------------------------------------------------

    def masks(self, op: str, constant: Any) -> tuple[int, int]:
        """The cells for which a test is true, and those for which it is false."""
        known = self.full & ~self.null
        if op == "null":
            return self.full & self.null, known
        form = self.form
        if form == "pair":
            held = _SIDES[op]
            if not known & 0b100:
                held = 0b010 if op == "=" else 0b001
        elif form == "truth":
            held = 0b01 if (op == "=") == bool(constant) else 0b10
        elif form == "line":
            held = self._held(op, self._bits[constant])
        else:
            held = 1 << self._bits[constant]
            if op == "!=":
                held = ~held
        return held & known, known & ~held

    def _held(self, op: str, bit: int) -> int:
        below = (1 << bit) - 1
        point = 1 << bit
        held = {"<": below, "<=": below | point, "=": point}.get(op)
        if held is not None:
            return held
        return ~{">=": below, ">": below | point, "!=": point}[op]

    # --- words ------------------------------------------------------------------------

    def describe(self, mask: int) -> str:
        """A set of cells in words, as far as one stretch of it goes: "`score` is in [500..520)"."""
        mask &= self.full
        if mask == self.null:
            return f"{_quoted(self.text)} is null"
        mask &= ~self.null
        form = self.form
        if form == "truth":
            if self.type.kind == dt.BOOLEAN and isinstance(self.node, (ir.Input, ir.Ref, ir.Local)):
                return f"{_quoted(self.text)} is {'true' if mask & 1 else 'false'}"
            return f"{_quoted(self.text)} {'holds' if mask & 1 else 'does not hold'}"
        if form == "pair":
            assert self.other is not None
            sign = {1: "<", 2: "=", 3: "<=", 4: ">", 5: "!=", 6: ">="}.get(mask, "!=")
            if not self.full & 0b100 and sign == "<":
                sign = "!="
            return f"`{_text(self.node)} {sign} {_text(self.other)}`"
        if form == "line":
            return f"{_quoted(self.text)} is {self._stretch(mask)}"
        named = [show(v) for i, v in enumerate(self._sorted) if mask >> i & 1]
        if mask >> len(self._sorted) & 1:
            others = [show(v) for i, v in enumerate(self._sorted) if not mask >> i & 1]
            return f"{_quoted(self.text)} is {'none of ' + ', '.join(others[:6]) if others else 'known'}"
        return f"{_quoted(self.text)} is {' or '.join(named[:6])}{' or another' if len(named) > 6 else ''}"

    def stretch(self, free: int, chosen: int) -> int:
        """Of the cells `free`, those that make one example together with the cells `chosen` among them."""
        if not chosen & ~self.null:
            return self.null
        free &= ~self.null
        if self.form != "line":
            return free
        first, last = _run(free, chosen & ~self.null)
        return ((1 << (last + 1)) - 1) >> first << first

    def _stretch(self, mask: int) -> str:
        """The first run of cells of a line."""
        first, last = _run(mask, mask)
        interval = self._interval(first, last)
        if self.domain is not None:
            interval = intersection(self.domain, Domain((interval,))).intervals[0]
        if interval.lower is None and interval.upper is None:
            return "known"
        text = str(interval)
        return f"in {text}" if text[0] in "[(" else text


class Columns:
    """The columns of one decision; `domains` are the declared ranges of inputs."""

    def __init__(self, inputs: Sequence[InputDecl]) -> None:
        self.domains = {i.name: i.domain for i in inputs}
        self.all: list[Column] = []
        self._by_key: dict[object, Column] = {}

    def test(self, node: ir.Node) -> Test:
        """The atom that a boolean node is; its column is made where it is new."""
        if isinstance(node, ir.IsNull):
            return Test(self.column(node.arg), "null")
        if isinstance(node, ir.Compare):
            left, right, op = node.left, node.right, node.op
            if isinstance(left, ir.Const) and not isinstance(right, ir.Const):
                left, right, op = right, left, _MIRROR[op]
            if isinstance(right, ir.Const) and comparable(left.type, right, op):
                column = self.column(left)
                column.constants[right.value] = None
                return Test(column, op, right.value)
            if not isinstance(right, ir.Const):
                if repr(key(left)) > repr(key(right)):
                    left, right, op = right, left, _MIRROR[op]
                return Test(self.column(left, right), op)
        return Test(self.column(node), "=", True)

    def column(self, node: ir.Node, other: ir.Node | None = None) -> Column:
        name = key(node) if other is None else (key(node), key(other))
        found = self._by_key.get(name)
        if found is None:
            domain = self.domains.get(node.name) if isinstance(node, ir.Input) and other is None else None
            found = Column(len(self.all), node, domain, other)
            self.all.append(found)
            self._by_key[name] = found
        elif node.type.nullable:
            found.nullable = True
        return found

    def seal(self) -> None:
        for column in self.all:
            column.seal()


def comparable(kind: Type, constant: ir.Const, op: str) -> bool:
    """Whether a comparison with a constant cuts its column into cells."""
    value = constant.value
    if value is None:
        return False
    if kind.kind == dt.BOOLEAN:
        return isinstance(value, bool) and op in ("=", "!=")
    if kind.kind in dt.NUMERIC:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind.kind == dt.STRING:
        return isinstance(value, str) and op in ("=", "!=")
    if kind.kind == dt.DATE:
        return type(value) is datetime.date
    if kind.kind == dt.DAYS_DURATION:
        return isinstance(value, datetime.timedelta)
    return kind.kind == dt.MONTHS_DURATION and isinstance(value, YearsMonths)


def key(node: ir.Node, bound: tuple[str, ...] = ()) -> object:
    """What an expression means, whatever its ids and places: equal keys are equal expressions.

    Locals that the expression itself binds count by their depth, not by their names.
    """
    if isinstance(node, ir.Local):
        depth = next((i for i, name in enumerate(reversed(bound)) if name == node.name), None)
        return ("local", node.name if depth is None else depth)
    if isinstance(node, ir.Const):
        return ("const", type(node.value).__name__, node.value)
    inside = bound
    if isinstance(node, ir.Let):
        return ("let", key(node.value, bound), key(node.body, (*bound, node.name)))
    if isinstance(node, (ir.Filter, ir.Map, ir.Fold, ir.Group)):
        inside = (*bound, node.var)
    parts: list[object] = [type(node).__name__]
    for name in node._fields:
        if name in ("id", "type", "at", "var"):
            continue
        parts.append(_key(getattr(node, name), bound if name == "source" else inside))
    return tuple(parts)


def _key(value: object, bound: tuple[str, ...]) -> object:
    if isinstance(value, ir.Node):
        return key(value, bound)
    if isinstance(value, tuple):
        return tuple(_key(v, bound) for v in value)
    return value


def runs(mask: int) -> Iterator[int]:
    """The bits of a mask, lowest first."""
    digits = bin(mask)[:1:-1]  # far faster over long masks than taking bits off an integer
    at = digits.find("1")
    while at >= 0:
        yield at
        at = digits.find("1", at + 1)


def _run(mask: int, chosen: int) -> tuple[int, int]:
    """The first and last bit of the run of `mask` around the lowest bit of `chosen`."""
    first = last = (chosen & -chosen).bit_length() - 1
    while first and mask >> (first - 1) & 1:
        first -= 1
    while mask >> (last + 1) & 1:
        last += 1
    return first, last


def _text(node: ir.Node) -> str:
    if node.at is not None:
        text = " ".join(node.at.snippet.split())
        return text if len(text) <= 60 else text[:57] + "..."
    return getattr(node, "name", "this value")


def _quoted(text: str) -> str:
    return f"`{text}`"


def _slack(end: float) -> float:
    """How far a bound of a type may lie beyond the value that it stands for: it allows for tolerances."""
    return 1e-2 + 1e-9 * abs(end)
