"""Random customers for a policy: values at and beside its thresholds, dates at the ends of months, missing data.

A customer is what JSON holds: `as_of`, `inputs` by declared name, column or name with underscores,
`history`. Numbers may be NaN or infinite, as `json` writes them.
"""

from __future__ import annotations

import datetime
import math
from random import Random
from typing import Any

from engine.ir import nodes as ir
from engine.policy import Decision, Policy
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from tests.differential.expressions import DATES, DAYS, MOMENTS, MONTHS, NUMBERS, TEXTS, TIMES, as_float

Customer = dict[str, Any]

CONSTANTS = tuple(as_float(n) for n in NUMBERS)
ODD_NUMBERS = (
    math.nan,
    math.inf,
    -math.inf,
    1e100,
    -1e100,
    1e-300,
    2**53,
    2**53 + 1,
    10**400,
    -0.0,
    5e-324,
    1e15 + 0.3,
)
#: Fields by which rows of one history belong to those of another, and what stands in them.
KEYS = ("ref", "unit")
REFERENCES = ("a", "b", "ß", "")
#: Events of a long history, and of how many policies one has a customer with such a history.
MANY_EVENTS = 100_000
LONG_EVERY = 400
ODD_MOMENTS = ("2024-02-29T10:00:00+08:00", "2024-12-31T23:59:59Z")


class CustomerMaker:
    """`missing` is the share of optional data left out; `wild` data may be refused. With `days` the customers share
    so many dates of decision, as those of a portfolio do."""

    def __init__(
        self, policy: Policy, random: Random, missing: float = 0.3, wild: bool = True, days: int | None = None
    ) -> None:
        self.program: ir.Program = policy.program
        self.random = random
        self.missing = missing
        self.wild = wild
        self.days = None if days is None else [self.date() for _ in range(days)]

    def many(self, count: int, seed: int) -> list[Customer]:
        """Customers of the policy of a seed; now and then one has a history of `MANY_EVENTS`."""
        found = [self.make() for _ in range(count)]
        histories = [h for h in self.program.histories if h.each is None]
        if found and histories and seed % LONG_EVERY == 1:
            relation = self.random.choice(histories)
            found[0]["history"][relation.name] = self.long(relation)
        return found

    def long(self, relation: ir.HistoryDecl) -> list[dict[str, Any]]:
        """Very many events, among them equal ones."""
        pool = [self.row(relation) for _ in range(MANY_EVENTS // 100)]
        return [self.random.choice(pool) for _ in range(MANY_EVENTS)]

    def make(self) -> Customer:
        random = self.random
        inputs: dict[str, Any] = {}
        logged = random.random() < 0.7
        for decl in self.program.inputs:
            if decl.previous and not logged:
                continue
            if decl.name == "previous":
                inputs[decl.name] = True
                continue
            value = self.value(decl.type, decl.domain is not None)
            if not decl.required and random.random() < self.missing:
                value = None
            if self.wild and random.random() < 0.003:
                value = random.choice((None, "nonsense", True, [], 1))
            if value is None and random.random() < 0.5:
                continue
            names = [decl.name, decl.name.replace(" ", "_"), *([decl.column] if decl.column else [])]
            inputs[random.choice(names)] = value
        history: dict[str, Any] = {}
        for relation in self.program.histories:
            if relation.each is None and random.random() > self.missing * 0.6:
                history[relation.name] = self.rows(relation)
        as_of = self.date() if self.days is None else random.choice(self.days)
        return {"as_of": as_of, "inputs": inputs, "history": history}

    def rows(self, relation: ir.HistoryDecl) -> list[dict[str, Any]]:
        random = self.random
        found = []
        for _ in range(random.choice((0, 0, 1, 1, 2, 3, 5, 12))):
            row = self.row(relation)
            if self.wild and random.random() < 0.003:
                row[random.choice(list(row))] = "nonsense"
            found.append(row)
            if random.random() < 0.2:
                found.append(dict(row))
        return found

    def row(self, relation: ir.HistoryDecl) -> dict[str, Any]:
        random = self.random
        row = {}
        for field in relation.fields:
            if field.name in KEYS:
                value = random.choice(REFERENCES)
            else:
                value = self.value(field.type, field.domain is not None)
            if field.type.nullable and random.random() < self.missing:
                value = None
            if value is not None or random.random() < 0.5:
                row[field.name] = value
        return row

    # --- values ------------------------------------------------------------------

    def value(self, kind: Type, bounded: bool = False) -> Any:
        random = self.random
        if kind.values is not None:
            return random.choice(kind.values)
        if kind.kind in dt.NUMERIC:
            found = self.number()
            bounded = bounded and random.random() < 0.9
            return abs(found) % 100 if bounded and abs(found) < 1e300 else found
        if kind.kind == dt.STRING:
            return random.choice(TEXTS)
        if kind.kind == dt.BOOLEAN:
            return random.random() < 0.5
        if kind.kind == dt.DATE:
            return self.date()
        if kind.kind == dt.TIME:
            return random.choice(TIMES)
        if kind.kind == dt.DATE_TIME:
            return random.choice(MOMENTS if random.random() < 0.9 else ODD_MOMENTS)
        return random.choice(DAYS if kind.kind == dt.DAYS_DURATION else MONTHS)

    def number(self) -> int | float:
        """A threshold, reached exactly, by computation, or just missed; or any number."""
        random = self.random
        draw = random.random()
        base = random.choice(CONSTANTS)
        if draw < 0.35:
            return int(base) if base.is_integer() and random.random() < 0.5 else base
        if draw < 0.5:
            return base + random.choice(
                (0.1 + 0.2 - 0.3, 1e-13, -1e-13, 1e-12, -1e-12, 2e-12, 5e-5, -5e-5, 1e-4, 1.5e-4, -2e-4)
            )
        if draw < 0.6:
            return base * random.choice((1 + 1e-13, 1 - 1e-13, 1 + 5e-12, 3 * (1 / 3), 0.1 * 3 / 0.3))
        if draw < 0.7:
            return math.nextafter(base, random.choice((-math.inf, math.inf)))
        if draw < 0.73 and self.wild:
            return random.choice(ODD_NUMBERS)
        if draw < 0.85:
            return random.randint(-3, 120)
        return round(random.uniform(-10, 200), random.randint(0, 6))

    def date(self) -> str:
        random = self.random
        day = datetime.date.fromisoformat(random.choice(DATES))
        if random.random() < 0.5:
            day += datetime.timedelta(
                days=random.choice((-366, -365, -31, -30, -1, 1, 29, 30, 31, 365, random.randint(-400, 400)))
            )
        return day.isoformat()


def decide(policy: Policy, customer: Customer, engine: str = "reference", only: list[str] | None = None) -> Decision:
    """The decision of a customer."""
    as_of = datetime.date.fromisoformat(customer["as_of"])
    return policy.decide(customer["inputs"], as_of=as_of, history=customer["history"], only=only, engine=engine)
