"""Collected outcomes: every rule that matches gives an item."""
from __future__ import annotations

from engine.backends.python.known import NOTHING
from engine.backends.python.outcomes import grouped, names_its_rule, plain_outcome
from engine.backends.python.traces import LISTED, MASK, TraceSpec
from engine.backends.python.worst import Worst
from engine.ir import nodes as ir


class Collected(Worst):
    """Emits `collect` and `rule order`."""

    def _collect(self, decision: ir.Decide, targets: list[str], number: int) -> None:
        target = f"d{number}"
        action = decision.on_missing.action
        arms = list(enumerate(decision.arms))
        nullable = [a for _, a in arms if self.may_be_null(a.guard, NOTHING)] if action != "skip" else []
        listed = names_its_rule(decision) and action != "then" and not any(a.otherwise for _, a in arms)
        mask = f"m{number}"
        self.traces.append(TraceSpec(decision.name, LISTED if listed else MASK, (target if listed else mask,)))
        flags: list[str] = []
        self.emit(f"{target} = []")
        if not listed:
            self.emit(f"{mask} = 0")
        flag = f"o{number}"
        results = action != "skip" and any(
            not isinstance(n, ir.Const) and self.may_be_null(n, NOTHING) for _, a in arms for _, n in a.outcome
        )
        if nullable or results:
            self.emit(f"{flag} = False")
        before: list[ir.Node] = []
        for i, arm in arms:
            condition = f"not {target}" if arm.otherwise else self.true(arm.guard)
            if condition == "False":
                continue
            if condition != "True":
                # where no two of a run can hold together, the first that does settles the others
                exclusive = bool(before) and not arm.otherwise and all(self._exclude(b, arm.guard) for b in before)
                before = [*before, arm.guard] if exclusive else [] if arm.otherwise else [arm.guard]
                self.emit(f"{'elif' if exclusive else 'if'} {condition}:")
                self.indent += 1
            else:
                before = []
            inside = NOTHING if arm.otherwise else self.after(arm.guard, True, NOTHING)
            self.emit(f"{target}.append({self._item(arm, inside)})")
            if not listed:
                self.emit(f"{mask} |= {1 << i}")
            if results:
                flags = self._null_items(arm, inside)
                for by_name in flags:
                    self.emit(f"if {by_name}:")
                    self.emit(f"    {flag} = True")
            if condition != "True":
                self.indent -= 1
        self.outcome_nullable = False
        if nullable:
            quick = self._quick([a.guard for a in nullable])
            if quick is not None:
                self.emit(f"if {quick}:")
                self.indent += 1
            tests = list(dict.fromkeys(grouped(self.unknown(arm.guard)) for arm in nullable))
            for start in range(0, len(tests), 40):
                self.emit(f"if not {flag} and ({' or '.join(tests[start:start + 40])}):")
                self.emit(f"    {flag} = True")
            if quick is not None:
                self.indent -= 1
        if nullable or results:
            self._collect_open(decision, target, "" if listed else mask, flag)

    def _exclude(self, one: ir.Node, other: ir.Node) -> bool:
        """Whether two guards cannot both be true, as far as their conditions on single data tell."""
        return self.true(other, self.after(one, True, NOTHING)) == "False"

    def _collect_open(self, decision: ir.Decide, target: str, mask: str, flag: str) -> None:
        self.emit(f"if {flag}:")
        self.indent += 1
        action = decision.on_missing.action
        if action == "refuse":
            self.emit("return None")
            self.openable.append(decision.name)
        else:
            self.emit(f"om |= {self._open_bit(decision)}")
            if action == "then":
                stated = decision.on_missing.outcome
                keep = sum(
                    1 << i for i, a in enumerate(decision.arms) if not a.is_computed and plain_outcome(a) == stated
                )
                self.emit(f"{mask} &= {keep}")
                self.emit(f"{target} = [{self.literal(stated)}]")
        self.indent -= 1
