"""The data of one customer, fetched from open sources as of a date, all sources at the same time."""
from __future__ import annotations

import datetime
import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from engine.calling import CallFailed
from engine.deploy.joining import Answer, join
from engine.deploy.matching import HistoryPlan, Place, Plan
from engine.deploy.opening import OpenSource
from engine.explain.supply import FAILED, GIVEN, Origin, Passed
from engine.hookspecs import Table
from engine.ir.door import raw_input
from engine.ir.models import SOURCES_FAILED
from engine.records import Record


class Customer(Record):
    """What was found for a customer: inputs and histories as a policy takes them, and where each came from."""

    inputs: Mapping[str, Any]
    history: Mapping[str, list[dict[str, Any]] | None]
    origins: Mapping[str, Origin]

    @property
    def failures(self) -> dict[str, Passed]:
        """The inputs and histories without a value whose source failed, with the first failure of each."""
        return {n: o.failures[0] for n, o in self.origins.items() if o.source is None and o.failures}


class Asked(Record):
    """What one table gave: its rows, or why it failed."""

    rows: list[dict[str, Any]]
    fetched: datetime.datetime
    failure: str | None = None


def fetch(
    plan: Plan, sources: Mapping[str, OpenSource], key: Any, as_of: datetime.date, given: Mapping[str, Any],
    history: Mapping[str, Any], leave: Collection[str] = (), known: Mapping[Place, Asked] | None = None,
) -> Customer:
    """Fetch what is neither among the inputs `given` nor in `history`, nor among the names to `leave`. `known` is what
    tables gave already. Without a key nothing is asked."""
    inputs: dict[str, Any] = {**given, plan.key.name: key}
    origins: dict[str, Origin] = {}
    wanted = []
    for name, each in plan.inputs.items():
        if name in leave:
            continue
        if raw_input(each.decl, given) is not None:
            origins[name] = Origin(name, GIVEN)
        else:
            wanted.append(each)
    tables = {place: sources[place.source].tables[place.table] for place in plan.fields}
    facts = list(dict.fromkeys(c.place for each in wanted for c in each.candidates))
    events = {n: each for n, each in plan.histories.items() if history.get(n) is None and n not in leave}
    by_key = [each.place for each in events.values() if each.owner.name == plan.key.name]
    places = [] if key is None else [p for p in (*facts, *dict.fromkeys(by_key)) if p not in (known or {})]
    found = {**_ask(plan, sources, tables, places, key, as_of), **(known or {})}
    now = datetime.datetime.now().astimezone()
    found.update({place: Asked([], now) for place in facts if place not in found})
    answers = {p: Answer(a.rows[0] if a.rows else None, a.fetched, a.failure) for p, a in found.items() if p in facts}
    for each in wanted:
        inputs[each.decl.name], origins[each.decl.name] = join(each, answers, tables, as_of)
    rows: dict[str, list[dict[str, Any]] | None] = dict(history)
    for name in plan.histories:
        if name not in events and name not in leave:
            origins[name] = Origin(name, GIVEN, rows=len(history[name]), is_history=True)
    for name, event in events.items():
        answer = found.get(event.place) if event.owner.name == plan.key.name else None
        if event.owner.name != plan.key.name and (whose := raw_input(event.owner, inputs)) is not None:
            answer = _ask(plan, sources, tables, [event.place], whose, as_of)[event.place]      # known only now
        rows[name], origins[name] = _events(event, answer)
    customer = Customer(inputs, rows, origins)
    if plan.tells_failures:
        inputs[SOURCES_FAILED] = bool(customer.failures)
    return customer


def _events(plan: HistoryPlan, asked: Asked | None) -> tuple[list[dict[str, Any]] | None, Origin]:
    """A history's rows under the names of its fields, None where they could not be had."""
    name = plan.decl.name
    if asked is None:                                   # whose rows these would be is missing itself, so there are none
        return [], Origin(name, plan.place.shown, rows=0, is_history=True)
    if asked.failure is not None:
        failed = Passed(plan.place.shown, FAILED, asked.failure)
        return None, Origin(name, None, asked.fetched, None, (failed,), is_history=True)
    rows = [{field: row[column] for field, column in plan.columns.items()} for row in asked.rows]
    return rows, Origin(name, plan.place.shown, asked.fetched, rows=len(rows), is_history=True)


def _ask(
    plan: Plan, sources: Mapping[str, OpenSource], tables: Mapping[Place, Table], places: Sequence[Place], key: Any,
    as_of: datetime.date,
) -> dict[Place, Asked]:
    """Ask some tables, those of one source one after another."""
    by_source: dict[str, list[Place]] = {}
    for place in places:
        by_source.setdefault(place.source, []).append(place)
    found: dict[Place, Asked] = {}

    def ask(name: str) -> None:
        for place in by_source[name]:
            now = datetime.datetime.now().astimezone()
            try:
                rows = sources[name].one(tables[place], plan.fields[place], key, as_of)
                found[place] = Asked(rows, now)
            except CallFailed as failure:
                found[place] = Asked([], now, failure.text)

    names = list(by_source)
    others = [threading.Thread(target=ask, args=(name,), daemon=True) for name in names[1:]]
    for thread in others:
        thread.start()
    for name in names[:1]:
        ask(name)
    for thread in others:
        thread.join()
    return found
