"""What expectations of a portfolio are judged by."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.ir import nodes as ir
from engine.ir.reads import walk
from engine.policytest.asking import Asker
from engine.policytest.conditions import Condition
from engine.policytest.customers import Customer, Decided, Decider
from engine.policytest.model import Portfolio
from engine.policytest.running import show
from engine.policytest.verdicts import Again
from engine.records import Record

#: How a group or category of what is null is called.
NULL = "null"


class Ground(Record):
    """A decided portfolio, and who answers for it: `decider` for customers whose inputs are moved, `again` for one that
    is to be explained."""

    portfolio: Portfolio
    decided: Decided
    asker: Asker
    decider: Decider
    again: Again

    def groups(self, by: Condition) -> Iterator[tuple[str, Any, list[Customer]]]:
        """Customers by the value that they have in common, with how it is shown: in the order of its `values`, else as
        they first appear, null last."""
        found: dict[Any, list[Customer]] = {}
        everyone = self.decided.customers
        for customer, value in zip(everyone, self.asker.each(by, everyone), strict=True):
            found.setdefault(value, []).append(customer)
        order = [v for v in by.core.type.values or () if v in found]
        for value in dict.fromkeys((*order, *(v for v in found if v is not None), *found)):
            yield NULL if value is None else show(value), value, found[value]

    def read_by(self, *conditions: Condition) -> tuple[str, ...]:
        """The decisions that conditions read, outputs before features."""
        read = {n.name for c in conditions for n in walk(c.core) if isinstance(n, ir.Field)}
        outcomes = self.portfolio.row.outcomes
        found = [d for d in self.portfolio.program.decisions if d.name in read and d.name in outcomes]
        return tuple(d.name for d in sorted(found, key=lambda d: d.internal))


def outcome(row: Mapping[str, Any], decision: str, member: str | None) -> Any:
    """An outcome of a row, or one member of it; what a used policy decides stands in a context."""
    value: Any = row
    for part in (decision,) if decision in row else decision.split("."):
        value = None if value is None else value.get(part)
    return value if member is None or value is None else value.get(member)
