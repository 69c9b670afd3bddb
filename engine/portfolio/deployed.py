"""A deployment's sources for the one-by-one path: the customers that they list, and each customer's data by key."""
from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from engine.deploy.asking import Asked, Customer
from engine.deploy.deployment import Supply
from engine.deploy.intake import FAILED, KEY, Failed, read
from engine.deploy.matching import Place
from engine.ir.door import Refusal, convert
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import Listener, Request
from engine.portfolio.tables import BadRow, Row, Table, count


class Listed(Table):
    """The customers that a table of a deployment lists, as the rows of a table with their keys alone. `known` is what
    that table said of the row that was read last."""

    def __init__(self, supply: Supply, request: Request) -> None:
        place = supply.plan.customers
        assert place is not None                        # or the deployment would not have been taken
        self._supply = supply
        self._request = request
        self._place = place
        self.path = str(supply.deployment.path)
        self.name = place.shown
        self.columns = (supply.plan.key.name,)
        self.known: dict[Place, Asked] = {}

    def __iter__(self) -> Iterator[Row | BadRow]:
        plan, place = self._supply.plan, self._place
        source, day = self._supply.sources[place.source], self._request.as_of
        line = 0
        # whole, since the same source is asked for each customer in between
        for batch in list(read(plan, source, place, plan.key.type, day, None)):
            if isinstance(batch, Failed):
                raise DataProblem(
                    f"the customers cannot be had from `{self.name}`: {batch.why}", self.path,
                    help="mend the source, or give the customers as a file",
                )
            now = datetime.datetime.now().astimezone()
            for row in batch.to_pylist():
                line += 1
                key, failed = row.pop(KEY), row.pop(FAILED)
                self.known = {place: Asked([row], now, failed)}
                yield Row(line, {plan.key.name: key})

    def __exit__(self, *_: object) -> None:
        return None


class Fetcher:
    """Fetches the data of one customer after the other, but for the cells that a file brings."""

    def __init__(self, supply: Supply, request: Request, table: Table) -> None:
        self._supply = supply
        self._request = request
        self._table = table
        self._files = {name for name, _ in request.histories}
        self.counts: dict[str, Counter[str]] = {
            name: Counter({**{c.shown: 0 for c in plan.candidates}, "": 0}) for name, plan in supply.plan.inputs.items()
        }
        self._failed: Counter[str] = Counter()

    def of(self, values: Mapping[str, Any]) -> Customer:
        """The data of a customer."""
        plan = self._supply.plan
        known = self._table.known if isinstance(self._table, Listed) else {}
        try:
            key = convert(values.get(plan.key.name), plan.key.type)
        except Refusal:
            key = None                                  # the row is refused for it
        found = self._supply.customer(key, self._request.as_of, values, {}, self._files, known)
        return found

    def count(self, found: Customer) -> None:
        """Count where the data of a customer that is decided came from."""
        for name, counter in self.counts.items():
            if name in found.origins:
                counter[found.origins[name].source or ""] += 1
        self._failed.update(failures_of(found))

    def tell(self, listener: Listener) -> None:
        """Say what failed."""
        for failure, number in sorted(self._failed.items(), key=lambda item: (-item[1], item[0]))[:20]:
            source, _, why = failure.partition(": ")
            listener.note(f"{source} failed for {count(number, 'customer')}: {why}")


def failures_of(customer: Customer) -> list[str]:
    """Why inputs and histories of a customer have no value, each source once."""
    found = set()
    for origin in customer.origins.values():
        if origin.source is None and origin.failures:
            first = origin.failures[0]
            table = first.source if origin.is_history else first.source.rpartition(".")[0]
            found.add(f"{table}: {first.detail}")
    return sorted(found)
