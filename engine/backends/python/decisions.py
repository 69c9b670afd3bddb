"""Decisions as Python statements.

A chain of rules becomes `if` blocks inside a `while True:` that each outcome breaks
out of: flat for the compiler however many rules there are, nested where neighbours
share their first condition. The open test stands behind it, and its first line asks
whether any datum that could open the decision is missing at all.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.backends.python.expressions import ExpressionEmitter
from engine.backends.python.known import NOTHING, Known
from engine.backends.python.runtime import Hit
from engine.backends.python.traces import DISTINCT, INDEX, LISTED, MASK, NONE, TraceSpec
from engine.ir import nodes as ir

LISTS = ("collect", "rule order")


class DecisionEmitter(ExpressionEmitter):
    """Emits one decision after another into `lines`."""

    def __init__(self, catalogue: Any) -> None:
        super().__init__(catalogue)
        self.lines: list[str] = []
        self.indent = 1
        self.traces: list[TraceSpec] = []
        #: Whether the outcome of the decision just emitted may be null.
        self.outcome_nullable = True
        #: Decisions that can be open, in the order of their bits in the open mask.
        self.openable: list[str] = []

    def emit(self, line: str) -> None:
        self.lines.append("    " * self.indent + line)

    # --- entry ---------------------------------------------------------------------------

    def decision(self, decision: ir.Decision, number: int) -> None:
        """Emit a decision; afterwards its outcome is read through `variables`."""
        for name, node in decision.where:
            local = f"w{number}_{self.temporary()}"
            self.emit(f"{local} = {self.value(node)}")
            if self.may_be_null(node, NOTHING):
                self.nullable.add(local)
            self.variables[("Local", name)] = local
        out = f"d{number}"
        if isinstance(decision, ir.Score):
            self._score(decision, out, number)
            return
        members = [name for name, _ in decision.members] if decision.hit not in LIST_HITS else []
        targets = [f"{out}_{i}" for i in range(len(members))] or [out]
        form = self._form(decision)
        form(decision, targets, number)
        self._bind_names(decision, out, members, targets)

    def _bind_names(self, decision: ir.Decide, out: str, members: list[str], targets: list[str]) -> None:
        self.variables[("Ref", decision.name)] = out
        if not members:
            if decision.hit not in LIST_HITS:
                (self.nullable.add if self.outcome_nullable else self.nullable.discard)(out)
            return
        for member, target in zip(members, targets, strict=True):
            self.variables[("member", f"{decision.name}.{member}")] = target
            self.nullable.add(target)
        shown = ", ".join(f"{m!r}: {t}" for m, t in zip(members, targets, strict=True))
        self.emit(f"{out} = {{{shown}}}")

    def _form(self, decision: ir.Decide) -> Any:
        if decision.hit == "value":
            return self._value_form
        if decision.hit == "first":
            return self._first
        if decision.hit == "worst" and not decision.members:
            # An empty outcome is in no group of the scale.
            if not any(a.is_computed or constants(a)[""] is None for a in decision.arms):
                return self._worst
        if decision.hit in LISTS:
            return self._collect
        return self._by_states

    # --- openness ----------------------------------------------------------------------------

    def _open_bit(self, decision: ir.Decision) -> int:
        self.openable.append(decision.name)
        return 1 << (len(self.openable) - 1)

    def _quick(self, guards: Sequence[ir.Node]) -> str | None:
        """A condition without which no guard is null; None where a part has no value of itself."""
        names: dict[str, None] = {}
        for guard in guards:
            if not self._null_leaves(guard, names):
                return None
        return " or ".join(f"{n} is None" for n in names)

    def _null_leaves(self, node: ir.Node, names: dict[str, None]) -> bool:
        """Collect the locals whose null can make `node` null; False where there are other causes."""
        name = self.simple(node)
        if name is not None:
            if name in self.nullable:
                names[name] = None
            return True
        if isinstance(node, (ir.Fold, ir.Map, ir.Filter, ir.Let, ir.Lookup, ir.Field)):
            return not self.may_be_null(node, NOTHING)
        if isinstance(node, ir.IsNull):
            return True
        if isinstance(node, ir.Call) and self.partial(node):
            return False
        found = [self._null_leaves(child, names) for child in ir.children(node)]
        return all(found)

    # --- value ---------------------------------------------------------------------------------

    def _value_form(self, decision: ir.Decide, targets: list[str], number: int) -> None:
        node = decision.arms[0].outcome[0][1]
        (target,) = targets
        self.emit(f"{target} = {self.value(node)}")
        self.outcome_nullable = self.may_be_null(node, NOTHING)
        self.traces.append(TraceSpec(decision.name, NONE, ()))
        if decision.on_missing.action == "skip" or not self.outcome_nullable:
            return
        by_name = self.null_by_name(node)
        if by_name == "False":
            return
        self.emit(f"if {_null(target, by_name)}:")
        self.indent += 1
        self._opened(decision, [target], number)
        self.indent -= 1

    def _opened(self, decision: ir.Decide, targets: list[str], number: int) -> None:
        """The body of `if open`: mark it and give what `on missing` says (single winner or value)."""
        action = decision.on_missing.action
        if action == "refuse":
            self.emit("return None")
            self.openable.append(decision.name)
            return
        self.emit(f"om |= {self._open_bit(decision)}")
        for target, given in zip(targets, self._given(decision), strict=True):
            self.emit(f"{target} = {self.literal(given)}")

    def _given(self, decision: ir.Decide) -> list[Any]:
        """What an open single-outcome decision gives, by member (the worse of `refer` aside)."""
        members = [n for n, _ in decision.members]
        if decision.on_missing.action == "then":
            stated = decision.on_missing.outcome
            return [stated[m] for m in members] if members and isinstance(stated, dict) else [stated]
        if members:
            return [None] * len(members)
        return ["refer" if "refer" in (decision.type.values or ()) else None]

    # --- first match -----------------------------------------------------------------------------

    def _first(self, decision: ir.Decide, targets: list[str], number: int) -> None:
        arms = list(enumerate(decision.arms))
        action = decision.on_missing.action
        nullable = [i for i, a in arms if self.may_be_null(a.guard, NOTHING)] if action != "skip" else []
        results = any(
            self.may_be_null(n, NOTHING) and not isinstance(n, ir.Const) for _, a in arms for _, n in a.outcome
        )
        can_open = bool(nullable) or (results and action != "skip")
        distinct = not decision.members and _distinct(decision) and not can_open
        winner = f"x{number}"
        self.traces.append(TraceSpec(decision.name, DISTINCT if distinct else INDEX, (targets[0] if distinct else winner,)))
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
            same = tuple(j for j in range(i + 1, len(decision.arms)) if not _differs(arm, decision.arms[j]))
            differs = f"{winner} not in {same!r} and " if same else ""
            self.emit(f"if {winner} <= {i}:")
            self.emit("    break")
            self.emit(f"if {differs}{_grouped(self.null_if_unmatched(arm.guard))}:")
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
                closed = self._chain(inner, self.after(first, True, known))
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
                    self.emit(f"if {_null(target, by_name)}:")
                    self.emit(f"    {flag} = True")
        if winner:
            self.emit(f"{winner} = {index}")
        self.emit("break")

    # --- worst --------------------------------------------------------------------------------------

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
        self, decision: ir.Decide, groups: list[tuple[str, list[tuple[int, ir.Arm]]]], nullable: list[tuple[int, ir.Arm]],
        fallback: tuple[int, ir.Arm] | None, target: str, mask: str, group: str, number: int,
    ) -> None:
        """Undetermined arms that rank before the winner; where nothing matched or `otherwise` won, those that differ."""
        flag = f"o{number}"
        self.emit(f"{flag} = False")
        quick = self._quick([a.guard for _, a in nullable])
        if quick is not None:
            self.emit(f"if {quick}:")
            self.indent += 1
        place = {v: n for n, (v, _) in enumerate(groups)}
        last = len(groups)
        for value, _ in groups:
            tests = [_grouped(self.null_if_unmatched(a.guard)) for _, a in nullable if constants(a)[""] == value]
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

    # --- collect ------------------------------------------------------------------------------------

    def _collect(self, decision: ir.Decide, targets: list[str], number: int) -> None:
        target = f"d{number}"
        action = decision.on_missing.action
        arms = list(enumerate(decision.arms))
        nullable = [a for _, a in arms if self.may_be_null(a.guard, NOTHING)] if action != "skip" else []
        listed = _distinct(decision) and action != "then" and not any(a.otherwise for _, a in arms)
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
            tests = list(dict.fromkeys(_grouped(self.unknown(arm.guard)) for arm in nullable))
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

    def _item(self, arm: ir.Arm, known: Known) -> str:
        if len(arm.outcome) == 1 and arm.outcome[0][0] == "":
            return self.value(arm.outcome[0][1], known)
        return "{" + ", ".join(f"{n!r}: {self.value(v, known)}" for n, v in arm.outcome) + "}"

    def _null_items(self, arm: ir.Arm, known: Known) -> list[str]:
        found = []
        for _, node in arm.outcome:
            if not isinstance(node, ir.Const) and self.may_be_null(node, known):
                by_name = self.null_by_name(node, known)
                if by_name != "False":
                    found.append(f"({self.value(node, known)}) is None and ({by_name})")
        return found

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

    # --- the rarer hit policies -----------------------------------------------------------------------

    def _by_states(self, decision: ir.Decide, targets: list[str], number: int) -> None:
        states, outcomes, nulls = [], [], []
        for arm in decision.arms:
            test = self.true(arm.guard)
            if self.may_be_null(arm.guard, NOTHING):
                test = f"True if {test} else None if {self.unknown(arm.guard)} else False"
            states.append(test)
            if arm.is_computed:
                outcomes.append(f"lambda: {self._item(arm, NOTHING)}")
                parts = self._null_items(arm, NOTHING)
                nulls.append(f"lambda: {' or '.join(_grouped(p) for p in parts) or 'False'}")
            else:
                outcomes.append("None")
                nulls.append("None")
        members = [n for n, _ in decision.members] if decision.hit not in LIST_HITS else []
        scale = worst_first(decision) if decision.hit == "worst" else self._priority(decision)
        hit = Hit(
            decision.hit, tuple(a.is_computed for a in decision.arms),
            tuple(None if a.is_computed else plain_outcome(a) for a in decision.arms),
            tuple(a.otherwise for a in decision.arms), scale,
            (lambda: dict.fromkeys(members)) if members else (lambda: None),
            decision.on_missing.action, decision.on_missing.outcome,
            not members and "refer" in (decision.type.values or ()),
        )
        out, mask, flag = f"d{number}", f"m{number}", f"o{number}"
        call = f"decide_hit({self.pooled(hit, 'h')}, ({_tuple(states)}), ({_tuple(outcomes)}), ({_tuple(nulls)}))"
        self.emit(f"{out}, {mask}, {flag} = {call}")
        self.traces.append(TraceSpec(decision.name, MASK, (mask,)))
        self.outcome_nullable = decision.hit not in LIST_HITS
        if decision.on_missing.action == "refuse":
            self.emit(f"if {flag} == 2:")
            self.emit("    return None")
            self.openable.append(decision.name)
        elif decision.on_missing.action != "skip":
            self.emit(f"if {flag}:")
            self.emit(f"    om |= {self._open_bit(decision)}")
        for member, target in zip(members, targets, strict=False):
            self.emit(f"{target} = {out}[{member!r}]")

    def _priority(self, decision: ir.Decide) -> tuple[str, ...]:
        kind = decision.type.item if decision.type.item is not None else decision.type
        return kind.values or ()

    # --- scorecards --------------------------------------------------------------------------------------

    def _score(self, score: ir.Score, out: str, number: int) -> None:
        action = score.on_missing.action
        flag = f"z{number}"
        troubled = False
        place = len(self.lines)
        traced: list[str] = []
        total: float | None = score.base
        for index, characteristic in enumerate(score.characteristics):
            value = self.simple(characteristic.value)
            if value is None:
                value = f"c{number}_{index}"
                self.emit(f"{value} = {self.value(characteristic.value)}")
                if self.may_be_null(characteristic.value, NOTHING):
                    self.nullable.add(value)
            trace = f"b{number}_{index}" if any(b.reasons for b in characteristic.bins) else ""
            traced.append(trace)
            troubled = self._characteristic(characteristic, value, out, total, trace, flag) or troubled
            total = None
        if total is not None:
            self.emit(f"{out} = {self.literal(score.base)}")
        if troubled:
            self.lines.insert(place, "    " * self.indent + f"{flag} = 0")
            self.emit(f"if {flag}:")
            self.indent += 1
            if action == "refuse":
                self.emit(f"if {flag} & 1:")
                self.emit("    return None")
                self.openable.append(score.name)
                self.emit(f"{out} = None")
            else:
                bit = self._open_bit(score)
                self.emit(f"if {flag} & 1:")
                self.emit(f"    om |= {bit}")
                given = score.on_missing.outcome if action == "then" else None
                self.emit(f"    {out} = {self.literal(given)}")
                self.emit("else:")
                self.emit(f"    {out} = None")
            self.indent -= 1
            self.nullable.add(out)
        self.variables[("Ref", score.name)] = out
        shown = tuple(t or "-1" for t in traced)
        self.traces.append(TraceSpec(score.name, "score", shown if any(traced) else (), flag if troubled else ""))

    def _characteristic(
        self, characteristic: ir.Characteristic, value: str, out: str, total: float | None, trace: str, flag: str
    ) -> bool:
        """One characteristic's chain of bins; whether a value may find none."""
        self.variables[("Local", characteristic.var)] = value
        troubled = False
        known = NOTHING
        word = "if"
        if value in self.nullable:
            held = next((n for n, b in enumerate(characteristic.bins) if b.is_null), None)
            self.emit(f"if {value} is None:")
            if held is None:
                troubled = True
                self.emit(f"    {flag} |= 1")
                if total is not None:
                    self.emit(f"    {out} = {self.literal(total)}")
                if trace:
                    self.emit(f"    {trace} = -1")
            else:
                self._points(characteristic.bins[held], held, out, total, trace)
            known = known.with_present(value)
            word = "elif"
        for n, each in enumerate(characteristic.bins):
            if each.is_null:
                continue
            condition = self.true(each.test, known)
            if condition == "False":
                continue
            if condition == "True":
                if word == "if":
                    self.emit("if True:")
                else:
                    self.emit("else:")
                self._points(each, n, out, total, trace)
                return troubled
            self.emit(f"{word} {condition}:")
            self._points(each, n, out, total, trace)
            known = self.unmatched(each.test, known) if not isinstance(each.test, ir.And) else self._past(each.test, known)
            word = "elif"
        self.emit("else:" if word == "elif" else "if True:")
        self.emit(f"    {flag} |= 2")
        if total is not None:
            self.emit(f"    {out} = {self.literal(total)}")
        if trace:
            self.emit(f"    {trace} = -1")
        return True

    def _past(self, test: ir.And, known: Known) -> Known:
        """Past a bin `[a..b)` whose lower end was known to hold, only its upper end can have failed."""
        open_parts = [p for p in test.args if self.true(p, known) != "True"]
        return self.unmatched(open_parts[0], known) if len(open_parts) == 1 else known

    def _points(self, each: ir.Bin, index: int, out: str, total: float | None, trace: str) -> None:
        if total is not None:
            self.emit(f"    {out} = {self.literal(total + each.points)}")
        elif each.points:
            self.emit(f"    {out} += {self.literal(each.points)}")
        elif not trace:
            self.emit("    pass")
        if trace:
            self.emit(f"    {trace} = {index}")


LIST_HITS = frozenset({"collect", "rule order", "output order"})


def _null(target: str, by_name: str) -> str:
    """A condition: the result is null, and a name it read is why."""
    return f"{target} is None" if by_name in ("True", f"{target} is None") else f"{target} is None and ({by_name})"


def constants(arm: ir.Arm) -> dict[str, Any]:
    return {name: node.value for name, node in arm.outcome if isinstance(node, ir.Const)}


def plain_outcome(arm: ir.Arm) -> Any:
    values = constants(arm)
    return values[""] if list(values) == [""] else values


def _distinct(decision: ir.Decide) -> bool:
    """Whether a plain outcome names its rule."""
    if any(a.is_computed for a in decision.arms):
        return False
    values = [plain_outcome(a) for a in decision.arms]
    return all(isinstance(v, str) for v in values) and len(set(values)) == len(values)


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


def _differs(one: ir.Arm, other: ir.Arm) -> bool:
    return one.is_computed or other.is_computed or constants(one) != constants(other)


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


def worst_first(decision: ir.Decide) -> tuple[str, ...]:
    values = decision.type.values or ()
    return tuple(reversed(values)) if decision.type.order == "best first" else values


def _grouped(text: str) -> str:
    return text if text.isidentifier() else f"({text})"


def _tuple(parts: Sequence[str]) -> str:
    return "".join(f"{p}, " for p in parts)
