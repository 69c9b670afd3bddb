"""Scorecards: one chain of bins a characteristic."""
from __future__ import annotations

from engine.backends.python.known import NOTHING, Known
from engine.backends.python.states import ByStates
from engine.backends.python.traces import TraceSpec
from engine.ir import nodes as ir


class Scores(ByStates):
    """Emits scorecards."""

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
            past = self._past if isinstance(each.test, ir.And) else self.unmatched
            known = past(each.test, known)
            word = "elif"
        self.emit("else:" if word == "elif" else "if True:")
        self.emit(f"    {flag} |= 2")
        if total is not None:
            self.emit(f"    {out} = {self.literal(total)}")
        if trace:
            self.emit(f"    {trace} = -1")
        return True

    def _past(self, test: ir.Node, known: Known) -> Known:
        """Past a bin `[a..b)` whose lower end was known to hold, only its upper end can have failed."""
        assert isinstance(test, ir.And)
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
