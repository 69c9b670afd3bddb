"""What judging an expectation gives."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.decision import Decision
from engine.policytest.customers import Customer, explained
from engine.policytest.model import Expectation
from engine.policytest.running import Difference, show
from engine.policytest.samples import Given
from engine.records import Record

#: Lines of a verdict that tell of single customers.
MAX_LINES = 10

#: Decides one customer once more, to be explained.
Again = Callable[[Given], Decision]


class Verdict(Record):
    """A judged expectation: no differences where it holds.

    `named` are the customers for whom it fails, of `of` that were judged; `lines` tell more of them, `notes` what a
    person should know though it may hold. `decisions` explain the first of them, by `again`, and once more with
    the inputs `moved`.
    """

    expectation: Expectation
    differences: tuple[Difference, ...]
    named: tuple[Customer, ...] = ()
    of: int = 0
    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    moved: Mapping[str, Any] | None = None
    again: Again | None = None

    @property
    def passed(self) -> bool:
        return not self.differences

    def explanation(self, language: str = "en") -> str:
        """The first of the customers named, explained; empty where none is."""
        if not self.named or self.again is None:
            return ""
        first = self.named[0]
        text = f"{first.key}\n{explained(self.again(first.given), self.decisions, language)}"
        if self.moved is not None:
            given = ", ".join(f"{name} = {show(value)}" for name, value in self.moved.items())
            text += f"\n{first.key} with {given}\n"
            text += explained(self.again(first.given.moved(self.moved)), self.decisions, language)
        return text


def percent(share: float) -> str:
    """A share as text: `12.5%`."""
    return f"{100 * share:.4g}%"


def plural(number: int, noun: str = "customer") -> str:
    """`1 customer`, `2,000 customers`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def too_small(group: str, size: int, least: int) -> str:
    return f"{group} has {plural(size)}, fewer than {least:,}, and was not judged"


def some(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(lines[:MAX_LINES])
