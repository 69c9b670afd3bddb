"""Conditions as unions of boxes over columns, and the search for what a set of boxes leaves out.

A box gives, for some columns, the cells that it takes; other columns it leaves free. For
each arm two unions are kept: where its guard is true, and where it is not false (true or
undetermined). What no arm's second union holds is covered by nothing, whatever is missing.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.ir import nodes as ir
from engine.ir.analyses.columns import Column, Columns, Test, runs

Box = dict[int, int]

#: Boxes into which one guard may fall before it counts as unreadable.
MOST_BOXES = 64
#: Cells that the searches of one analysis may visit over one decision, and those of one search.
BUDGET = 2_000_000
SEARCH = 200_000
#: Columns that one search may branch over.
DEPTH = 200


class TooHard(Exception):
    """A search has used up its steps, or a guard falls into too many boxes."""


class Arm:
    """An arm's boxes: `true` where its guard holds, `maybe` where it is not false. None where unreadable."""

    def __init__(self, arm: ir.Arm, true: list[Box] | None, maybe: list[Box] | None) -> None:
        self.arm = arm
        self.true = true
        self.maybe = maybe


class Space:
    """The columns of one decision and its arms as boxes over them."""

    def __init__(self, program: ir.Program, decision: ir.Decide) -> None:
        self.decision = decision
        self._columns = Columns(program.inputs)
        self._tests: dict[int, Test] = {}
        self._kept: list[ir.Node] = []
        guards = [(arm, expand(arm.guard)) for arm in decision.arms]
        for _, guard in guards:
            self._gather(guard)
        self._columns.seal()
        self.arms = [Arm(arm, self.boxes(guard, "true"), self.boxes(guard, "maybe")) for arm, guard in guards]

    @property
    def columns(self) -> list[Column]:
        return self._columns.all

    def _gather(self, node: ir.Node) -> None:
        if isinstance(node, (ir.And, ir.Or)):
            for arg in node.args:
                self._gather(arg)
        elif isinstance(node, ir.Not):
            self._gather(node.arg)
        elif not isinstance(node, ir.Const):
            self._tests[id(node)] = self._columns.test(node)
            self._kept.append(node)

    def columns_of(self, node: ir.Node) -> list[Column]:
        """The columns that a condition tests, each once."""
        found: dict[int, Column] = {}
        stack = [node]
        while stack:
            part = stack.pop()
            test = self._tests.get(id(part))
            if test is not None:
                found[test.column.index] = test.column
            elif isinstance(part, (ir.And, ir.Or, ir.Not)):
                stack.extend(ir.children(part))
        return list(found.values())

    # --- boxes of a condition -------------------------------------------------------

    def boxes(self, node: ir.Node, want: str) -> list[Box] | None:
        """Where a condition is `true`, `false`, `maybe` (not false) or `unproven` (not true); None if too many."""
        try:
            return self._boxes(expand(node) if id(node) not in self._tests else node, want)
        except TooHard:
            return None

    def _boxes(self, node: ir.Node, want: str) -> list[Box]:
        if isinstance(node, ir.Not):
            return self._boxes(node.arg, _OPPOSITE[want])
        if isinstance(node, (ir.And, ir.Or)):
            parts = [self._boxes(arg, want) for arg in node.args]
            return self._all(parts) if isinstance(node, ir.And) == (want in ("true", "maybe")) else self._either(parts)
        if isinstance(node, ir.Const):
            held = {"true": node.value is True, "false": node.value is False, "maybe": node.value is not False,
                    "unproven": node.value is not True}[want]
            return [{}] if held else []
        test = self._tests.get(id(node))
        if test is None:
            raise TooHard
        true, false = test.masks()
        column = test.column
        mask = {"true": true, "false": false, "maybe": column.full & ~false, "unproven": column.full & ~true}[want]
        return self._box({}, column.index, mask)

    def _box(self, box: Box, index: int, mask: int) -> list[Box]:
        full = self.columns[index].full
        mask &= box.get(index, full)
        if not mask:
            return []
        if mask == full:
            return [box]
        return [{**box, index: mask}]

    def _all(self, parts: Sequence[list[Box]]) -> list[Box]:
        found: list[Box] = [{}]
        for part in parts:
            found = [both for one in found for two in part if (both := self.meet(one, two)) is not None]
            if len(found) > MOST_BOXES:
                raise TooHard
        return found

    def _either(self, parts: Sequence[list[Box]]) -> list[Box]:
        """A union; boxes over one and the same column are joined into one."""
        single: dict[int, int] = {}
        found: list[Box] = []
        for box in (b for part in parts for b in part):
            if not box:
                return [{}]
            if len(box) == 1:
                ((index, mask),) = box.items()
                single[index] = single.get(index, 0) | mask
            elif box not in found:
                found.append(box)
        for index, mask in single.items():
            if mask == self.columns[index].full:
                return [{}]
            found.append({index: mask})
        if len(found) > MOST_BOXES:
            raise TooHard
        return found

    def meet(self, one: Box, two: Box) -> Box | None:
        """What two boxes share, None for nothing."""
        if len(one) < len(two):
            one, two = two, one
        both = dict(one)
        for index, mask in two.items():
            shared = mask & both.get(index, mask)
            if not shared:
                return None
            both[index] = shared
        return both

    def within(self, one: Box, two: Box) -> bool:
        """Whether a box lies inside another."""
        return all(not one.get(index, self.columns[index].full) & ~mask for index, mask in two.items())

    def implies(self, one: Sequence[Box], two: Sequence[Box]) -> bool:
        """Whether each box of one union lies inside a single box of another (sufficient, not necessary)."""
        return all(any(self.within(a, b) for b in two) for a in one)

    def describe(self, box: Box) -> str:
        """A box in words, as a condition after "where"."""
        parts = [self.columns[index].describe(mask) for index, mask in sorted(box.items())]
        if not parts:
            return "anything holds"
        if len(parts) > 5:
            parts = [*parts[:5], "further conditions hold"]
        return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


class Cover:
    """A list of boxes ("lines") prepared for two questions: which meet a box, and what of it they leave out."""

    def __init__(self, space: Space, lines: Sequence[Box]) -> None:
        self.space = space
        self.lines = lines
        self.every = (1 << len(lines)) - 1
        #: For each column, the lines that bind it, and for each of its cells the lines that take it.
        self.binds: dict[int, int] = {}
        self.takes: dict[int, list[int]] = {}
        self._met: dict[tuple[int, int], tuple[int, int]] = {}
        self._total = BUDGET
        self._left = 0
        by_mask: dict[tuple[int, int], int] = {}
        for number, line in enumerate(lines):
            bit = 1 << number
            for index, mask in line.items():
                by_mask[index, mask] = by_mask.get((index, mask), 0) | bit
                self.binds[index] = self.binds.get(index, 0) | bit
        for index, bound in self.binds.items():
            self.takes[index] = [self.every & ~bound] * space.columns[index].null.bit_length()
        for (index, mask), bits in by_mask.items():
            takes = self.takes[index]
            for cell in runs(mask):
                takes[cell] |= bits

    def meeting(self, box: Box, among: int) -> int:
        """Of the lines `among`, those that share something with a box."""
        for index, mask in box.items():
            if not among:
                break
            if index in self.binds:
                among &= self._met_by(index, mask)[0]
        return among

    def holding(self, box: Box, among: int) -> int:
        """Of the lines `among`, those in which a box lies whole."""
        for index, bound in self.binds.items():
            if not among:
                break
            if bound & among:
                mask = box.get(index)
                among &= ~bound if mask is None else self._met_by(index, mask)[1]
        return among

    def _met_by(self, index: int, mask: int) -> tuple[int, int]:
        """The lines that take some cell of a mask, and those that take all."""
        known = self._met.get((index, mask))
        if known is None:
            takes = self.takes[index]
            some, every = 0, self.every
            for cell in runs(mask):
                some |= takes[cell]
                every &= takes[cell]
            known = self._met[index, mask] = (some, every)
        return known

    def gap(self, box: Box, among: int) -> Box | None:
        """A part of `box` that none of the lines `among` takes; None where they take all of it.

        Raises TooHard where the steps run out.
        """
        alive = self.meeting(box, among)
        if not alive:
            return box
        order = []
        for index, bound in self.binds.items():
            mask = box.get(index)
            if alive & (bound if mask is None else ~self._met_by(index, mask)[1]):
                order.append(index)
        if len(order) > DEPTH or self._total < 0:
            raise TooHard
        order.sort(key=lambda i: (box.get(i, self.space.columns[i].full).bit_count(), i))
        later = [0] * (len(order) + 1)
        for at in range(len(order) - 1, -1, -1):
            mask = box.get(order[at])
            open_ = self.binds[order[at]] if mask is None else ~self._met_by(order[at], mask)[1]
            later[at] = later[at + 1] | open_ & alive
        self._left = min(SEARCH, self._total)
        self._total -= self._left
        found = self._gap(box, alive, 0, order, later, set())
        self._total += self._left
        return found

    def _gap(
        self, box: Box, alive: int, at: int, order: list[int], later: list[int], covered: set[tuple[int, int]]
    ) -> Box | None:
        if not alive:
            return box
        if alive & ~later[at] or (at, alive) in covered:
            return None
        index = order[at]
        takes = self.takes[index]
        classes: dict[int, int] = {}
        mask = box.get(index, self.space.columns[index].full)
        self._left -= mask.bit_count() + 1
        if self._left < 0:
            raise TooHard
        for cell in runs(mask):
            who = takes[cell] & alive
            if not who:
                return {**box, index: 1 << cell}
            classes[who] = classes.get(who, 0) | 1 << cell
        for who, part in sorted(classes.items(), key=lambda pair: pair[0].bit_count()):
            # the least taken first: a gap is most likely there
            found = self._gap({**box, index: part}, who, at + 1, order, later, covered)
            if found is not None:
                return found
        covered.add((at, alive))
        return None

    def widened(self, box: Box, among: int) -> Box:
        """A gap made as wide as it goes, one column after the other, within one stretch of each."""
        wide = dict(box)
        for index in list(wide):
            rest = {i: m for i, m in wide.items() if i != index}
            near = self.meeting(rest, among)
            column = self.space.columns[index]
            takes = self.takes.get(index)
            free = column.full
            if takes is not None:
                free = sum(1 << cell for cell in runs(column.full) if not takes[cell] & near)
            if free == column.full:
                wide = rest
            else:
                wide[index] = column.stretch(free, wide[index])
        return wide


_OPPOSITE = {"true": "false", "false": "true", "maybe": "unproven", "unproven": "maybe"}


def expand(node: ir.Node) -> ir.Node:
    """A condition with `Let` put in, so that `? > 5` tests what `?` stands for."""
    if isinstance(node, ir.Let):
        return expand(substitute(node.body, node.name, node.value))
    if isinstance(node, (ir.And, ir.Or)):
        args = tuple(expand(a) for a in node.args)
        return node if all(a is b for a, b in zip(args, node.args, strict=True)) else node.replace(args=args)
    if isinstance(node, ir.Not):
        arg = expand(node.arg)
        return node if arg is node.arg else node.replace(arg=arg)
    return node


def substitute(node: ir.Node, name: str, value: ir.Node) -> ir.Node:
    """`node` with `value` in the place of the local `name`."""
    if isinstance(node, ir.Local):
        return value if node.name == name else node
    changes = {}
    for field in node._fields:
        held = getattr(node, field)
        changed = _substituted(held, name, value)
        if changed is not held:
            changes[field] = changed
    return node.replace(**changes) if changes else node


def _substituted(held: object, name: str, value: ir.Node) -> object:
    if isinstance(held, ir.Node):
        return substitute(held, name, value)
    if isinstance(held, tuple):
        items = tuple(_substituted(h, name, value) for h in held)
        return items if any(a is not b for a, b in zip(items, held, strict=True)) else held
    return held


def lines(arms: Iterable[Sequence[Box] | None]) -> tuple[list[Box], list[int]]:
    """The boxes of several arms in one list, and for each arm the bits of its own. An unreadable arm has none."""
    boxes: list[Box] = []
    owned: list[int] = []
    for each in arms:
        bits = 0
        for box in each or ():
            bits |= 1 << len(boxes)
            boxes.append(box)
        owned.append(bits)
    return boxes, owned
