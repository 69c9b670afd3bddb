"""What is known of local variables at a place in the generated code.

A chain of rules learns as it goes: past `x < 300` a number that is there is at least
300, so the next rule need not ask again, nor test it for null.
"""
from __future__ import annotations

from engine.records import Record

#: (lower, lower_closed, upper, upper_closed) of a variable, infinite where unbounded.
Range = tuple[float, bool, float, bool]
UNBOUNDED: Range = (float("-inf"), True, float("inf"), True)


class Known(Record):
    """Variables that are not null, and the plain bounds of those that are numbers."""

    present: frozenset[str] = frozenset()
    ranges: tuple[tuple[str, Range], ...] = ()
    #: Values that a text can still have.
    choices: tuple[tuple[str, frozenset[str]], ...] = ()

    def choice(self, variable: str) -> frozenset[str] | None:
        return next((values for name, values in self.choices if name == variable), None)

    def with_choice(self, variable: str, values: frozenset[str]) -> Known:
        """After the text turned out to be one of `values`."""
        held = self.choice(variable)
        others = tuple(pair for pair in self.choices if pair[0] != variable)
        return self.replace(choices=(*others, (variable, values if held is None else held & values)))

    def range(self, variable: str) -> Range:
        for name, bounds in self.ranges:
            if name == variable:
                return bounds
        return UNBOUNDED

    def with_present(self, *variables: str) -> Known:
        fresh = frozenset(variables) - self.present
        return self.replace(present=self.present | fresh) if fresh else self

    def with_bound(self, variable: str, op: str, constant: float) -> Known:
        """After `variable op constant` held for a number that is there."""
        low, low_closed, high, high_closed = self.range(variable)
        if op in (">=", ">") and (constant, op == ">") >= (low, not low_closed):
            low, low_closed = constant, op == ">="
        if op in ("<=", "<") and (constant, op != "<") <= (high, high_closed):
            high, high_closed = constant, op == "<="
        others = tuple(pair for pair in self.ranges if pair[0] != variable)
        return self.replace(ranges=(*others, (variable, (low, low_closed, high, high_closed))))

    def decides(self, variable: str, op: str, constant: float) -> bool | None:
        """Whether `variable op constant` is settled for a number that is there."""
        low, low_closed, high, high_closed = self.range(variable)
        if op == ">=":
            if low >= constant:
                return True
            return False if high < constant or (high == constant and not high_closed) else None
        if op == ">":
            if low > constant or (low == constant and not low_closed):
                return True
            return False if high <= constant else None
        if op == "<":
            return _negated(self.decides(variable, ">=", constant))
        if op == "<=":
            return _negated(self.decides(variable, ">", constant))
        return None


def _negated(settled: bool | None) -> bool | None:
    return None if settled is None else not settled


NOTHING = Known()
