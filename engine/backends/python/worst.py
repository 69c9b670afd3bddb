"""The worst outcome of an ordered enumeration: arms grouped by outcome, the worst group first."""
from __future__ import annotations

from engine.backends.python.first import FirstMatch
from engine.backends.python.known import NOTHING
from engine.backends.python.outcomes import constants, grouped, worst_first
from engine.backends.python.traces import MASK, TraceSpec
from engine.ir import nodes as ir

#: Arms with their places in the decision.
Numbered = list[tuple[int, ir.Arm]]


class Worst(FirstMatch):
    """Emits rules of which the worst outcome wins."""

    def _worst(self, decision: ir.Decide, targets: list[str], number: int) -> None:
        """Arms grouped by outcome, the worst group first; the first group with a match wins."""
        (target,) = targets
        action = decision.on_missing.action
        scale = worst_first(decision)
        ruled = [(i, a) for i, a in enumerate(decision.arms) if not a.otherwise]
        fallback = next(((i, a) for i, a in enumerate(decision.arms) if a.otherwise), None)
        groups = [(v, [(i, a) for i, a in ruled if constants(a)[""] == v]) for v in scale]
        groups = [(v, members) for v, members in groups if members]
        nullable = [(i, a) for i, a in ruled if self.may_be_null(a.guard, NOTHING)] if action != "skip" else []
        mask, group = f"m{number}", f"g{number}" if nullable else ""
        self.traces.append(TraceSpec(decision.name, MASK, (mask,)))
        self.emit("while True:")
        self.indent += 1
        closed = False
        for place, (value, members) in enumerate(groups):
            closed = self._worst_group(value, members, target, mask, group, place) or closed
            if closed:
                break
        if not closed:
            otherwise = constants(fallback[1])[""] if fallback is not None else None
            self.emit(f"{target} = {self.literal(otherwise)}")
            self.emit(f"{mask} = {1 << fallback[0] if fallback is not None else 0}")
            if group:
                self.emit(f"{group} = {len(groups)}")
            self.emit("break")
        self.indent -= 1
        self.outcome_nullable = bool(nullable) or (not closed and fallback is None)
        if nullable:
            self._worst_openers(decision, groups, nullable, fallback, target, mask, group, number)

    def _worst_group(
        self, value: str, members: list[tuple[int, ir.Arm]], target: str, mask: str, group: str, place: int
    ) -> bool:
        conditions = [(i, self.true(a.guard)) for i, a in members]
        conditions = [(i, c) for i, c in conditions if c != "False"]
        if not conditions:
            return False
        always = any(c == "True" for _, c in conditions)
        if len(conditions) > 1 or always:
            start = sum(1 << i for i, c in conditions if c == "True")
            self.emit(f"{mask} = {start}")
            for i, condition in conditions:
                if condition != "True":
                    self.emit(f"if {condition}:")
                    self.emit(f"    {mask} |= {1 << i}")
            if not always:
                self.emit(f"if {mask}:")
        else:
            self.emit(f"if {conditions[0][1]}:")
        self.indent += not always
        if len(conditions) == 1 and not always:
            self.emit(f"{mask} = {1 << conditions[0][0]}")
        self.emit(f"{target} = {value!r}")
        if group:
            self.emit(f"{group} = {place}")
        self.emit("break")
        self.indent -= not always
        return always

    def _worst_openers(
        self, decision: ir.Decide, groups: list[tuple[str, Numbered]], nullable: Numbered,
        fallback: tuple[int, ir.Arm] | None, target: str, mask: str, group: str, number: int,
    ) -> None:
        """Undetermined arms that rank before the winner; where nothing matched or `otherwise` won, those that
        differ."""
        flag = f"o{number}"
        self.emit(f"{flag} = False")
        quick = self._quick([a.guard for _, a in nullable])
        if quick is not None:
            self.emit(f"if {quick}:")
            self.indent += 1
        place = {v: n for n, (v, _) in enumerate(groups)}
        last = len(groups)
        for value, _ in groups:
            tests = [grouped(self.null_if_unmatched(a.guard)) for _, a in nullable if constants(a)[""] == value]
            reach = f"{group} > {place[value]}"
            if fallback is not None and constants(fallback[1])[""] == value:
                reach += f" and {group} != {last}"
            for start in range(0, len(tests), 40):
                self.emit(f"if not {flag} and {reach} and ({' or '.join(tests[start:start + 40])}):")
                self.emit(f"    {flag} = True")
        if quick is not None:
            self.indent -= 1
        self.emit(f"if {flag}:")
        self.indent += 1
        action = decision.on_missing.action
        if action == "refuse":
            self.emit("return None")
            self.openable.append(decision.name)
        else:
            self.emit(f"om |= {self._open_bit(decision)}")
            given = self._given(decision)[0]
            if action == "refer" and given == "refer":
                scale = worst_first(decision)
                worse = {v: min(("refer", v), key=scale.index) for v in scale}
                given_text = f"{self.pooled(worse)}.get({target}, 'refer')"
            else:
                given_text = self.literal(given)
            new = self.temporary()
            self.emit(f"{new} = {given_text}")
            self.emit(f"if {new} != {target} or {new} is None:")
            self.emit(f"    {mask} = 0")
            self.emit(f"{target} = {new}")
        self.indent -= 1
