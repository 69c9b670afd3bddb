"""First match as a chain of `if` blocks inside a `while True:` that each outcome breaks out of.

Flat for the compiler however many rules there are, nested where neighbours share a condition.
"""
from __future__ import annotations

from engine.backends.python.known import NOTHING, Known
from engine.backends.python.openness import Openness
from engine.backends.python.outcomes import constants, differs, grouped, names_its_rule, null_for_a_name
from engine.backends.python.traces import DISTINCT, INDEX, TraceSpec
from engine.ir import nodes as ir


class FirstMatch(Openness):
    """Emits rules of which the first that matches wins."""

    def _first(self, decision: ir.Decide, targets: list[str], number: int) -> None:
        arms = list(enumerate(decision.arms))
        action = decision.on_missing.action
        nullable = [i for i, a in arms if self.may_be_null(a.guard, NOTHING)] if action != "skip" else []
        results = any(
            self.may_be_null(n, NOTHING) and not isinstance(n, ir.Const) for _, a in arms for _, n in a.outcome
        )
        can_open = bool(nullable) or (results and action != "skip")
        distinct = not decision.members and names_its_rule(decision) and not can_open
        winner = f"x{number}"
        kind, part = (DISTINCT, targets[0]) if distinct else (INDEX, winner)
        self.traces.append(TraceSpec(decision.name, kind, (part,)))
        flag = f"o{number}" if can_open else ""
        if can_open:
            self.emit(f"{flag} = False")
        self._writers = (decision, targets, "" if distinct else winner, flag)
        self.outcome_nullable = True
        self.emit("while True:")
        self.indent += 1
        closed = self._chain([(i, list(_parts(a.guard)), a) for i, a in arms], NOTHING)
        if not closed:
            for target in targets:
                self.emit(f"{target} = None")
            if not distinct:
                self.emit(f"{winner} = {len(decision.arms)}")
            self.emit("break")
        self.indent -= 1
        if not can_open:
            nulls = any(isinstance(n, ir.Const) and n.value is None for _, a in arms for _, n in a.outcome)
            self.outcome_nullable = not closed or results or nulls
            return
        if nullable:
            self._first_openers(decision, nullable, winner, flag)
        self.emit(f"if {flag}:")
        self.indent += 1
        self._opened(decision, targets, number)
        if action != "refuse":
            self._keep_winner(decision, winner)
        self.indent -= 1

    def _keep_winner(self, decision: ir.Decide, winner: str) -> None:
        """In an open decision the winner fired only if its plain outcome is the one given."""
        given = self._given(decision)
        names = [n for n, _ in decision.members] or [""]
        same = tuple(
            i for i, a in enumerate(decision.arms)
            if not a.is_computed and [constants(a).get(n) for n in names] == given and given != [None]
        )
        none = len(decision.arms)
        self.emit(f"if {winner} not in {same!r}:" if same else f"{winner} = {none}")
        if same:
            self.emit(f"    {winner} = {none}")

    def _first_openers(self, decision: ir.Decide, nullable: list[int], winner: str, flag: str) -> None:
        """Undetermined arms before the winner with another outcome; any where nothing matched."""
        quick = self._quick([decision.arms[i].guard for i in nullable])
        self.emit(f"while {quick or True}:")
        self.indent += 1
        for i in nullable:
            arm = decision.arms[i]
            same = tuple(j for j in range(i + 1, len(decision.arms)) if not differs(arm, decision.arms[j]))
            apart = f"{winner} not in {same!r} and " if same else ""
            self.emit(f"if {winner} <= {i}:")
            self.emit("    break")
            self.emit(f"if {apart}{grouped(self.null_if_unmatched(arm.guard))}:")
            self.emit(f"    {flag} = True")
            self.emit("    break")
        self.emit("break")
        self.indent -= 1

    def _chain(self, arms: list[tuple[int, list[ir.Node], ir.Arm]], known: Known) -> bool:
        """Emit arms in order; whether one of them matches whatever comes."""
        at = 0
        while at < len(arms):
            index, parts, arm = arms[at]
            if not parts:
                self._win(index, arm, known)
                return True
            first, end = _shared(arms, at)
            condition = self.true(first, known)
            inner = [(i, [q for q in p if not same(q, first)], a) for i, p, a in arms[at:end]]
            if condition == "False":
                at = end
                continue
            if condition == "True":
                if self._chain(inner, known):
                    return True
            elif end - at == 1:
                # a lone rule: one `if` over all its conditions
                condition = self._joined(tuple(parts), " and ", True, known)
                if condition != "False":
                    inside = known
                    for part in parts:
                        inside = self.after(part, True, inside)
                    self.emit(f"if {condition}:")
                    self.indent += 1
                    self._win(index, arm, inside)
                    self.indent -= 1
                    if len(parts) == 1:
                        known = self.unmatched(first, known)
            else:
                self.emit(f"if {condition}:")
                self.indent += 1
                before = len(self.lines)
                closed = self._chain(inner, self.after(first, True, known))
                if len(self.lines) == before:
                    self.emit("pass")  # none of them can match
                self.indent -= 1
                if closed:
                    known = self.unmatched(first, known)
            at = end
        return False

    def _win(self, index: int, arm: ir.Arm, known: Known) -> None:
        decision, targets, winner, flag = self._writers
        values = dict(arm.outcome)
        names = [n for n, _ in decision.members] or [""]
        for name, target in zip(names, targets, strict=True):
            node = values.get(name)
            if node is None:
                self.emit(f"{target} = None")
                continue
            self.emit(f"{target} = {self.value(node, known)}")
            if flag and not isinstance(node, ir.Const) and self.may_be_null(node, known):
                by_name = self.null_by_name(node, known)
                if by_name != "False" and decision.on_missing.action != "skip":
                    self.emit(f"if {null_for_a_name(target, by_name)}:")
                    self.emit(f"    {flag} = True")
        if winner:
            self.emit(f"{winner} = {index}")
        self.emit("break")


def _shared(arms: list[tuple[int, list[ir.Node], ir.Arm]], at: int) -> tuple[ir.Node, int]:
    """The condition of the arm `at` that the most neighbours behind it share, and where these end.

    A conjunction is true whatever the order of its parts, so a shared one may be asked first."""
    best, furthest = arms[at][1][0], at + 1
    for part in arms[at][1][:4]:
        end = at + 1
        while end < len(arms) and any(same(q, part) for q in arms[end][1]):
            end += 1
        if end > furthest:
            best, furthest = part, end
    return best, furthest


def _parts(guard: ir.Node) -> tuple[ir.Node, ...]:
    if isinstance(guard, ir.And):
        return tuple(p for arg in guard.args for p in _parts(arg))
    return () if isinstance(guard, ir.Const) and guard.value is True else (guard,)


def same(one: ir.Node, other: ir.Node) -> bool:
    """Whether two expressions are alike, ids and places aside."""
    if type(one) is not type(other):
        return False
    for name in one._fields:
        if name in ("id", "at", "text", "type"):
            continue
        a, b = getattr(one, name), getattr(other, name)
        if isinstance(a, ir.Node):
            if not same(a, b):
                return False
        elif isinstance(a, tuple) and a and isinstance(a[0], ir.Node):
            if len(a) != len(b) or not all(map(same, a, b)):
                return False
        elif a != b or type(a) is not type(b):
            return False
    return True
