"""One customer as commands take them: from JSON, from the sources of a deployment, or from both."""
from __future__ import annotations

import datetime
import difflib
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from engine.commands.common import BAD_DATA, Failure, paint, talk
from engine.commands.reading import read_object
from engine.ir import nodes as ir
from engine.ir.previous import from_told, previous_inputs
from engine.policy import Decision, Policy
from engine.portfolio.tables import normalise
from engine.records import Record
from engine.render import visible

#: The histories of a customer, by name; None for one that was not supplied.
Events = dict[str, list[dict[str, Any]] | None]


class Asked(Record):
    """What a command was given to find a customer by: files (`-` is standard input), or a key and a deployment."""

    customer: str | None
    deployment: str | None
    key: str | None
    day: datetime.date
    history: str | None
    previous: str | None

    @property
    def reads_stdin(self) -> bool:
        return "-" in (self.customer, self.history, self.previous)


def ready(asked: Asked, policy: str) -> Asked:
    """`asked` with what is left to the project file and to standard input; a UsageError where it cannot be meant."""
    if asked.key is not None:
        if asked.deployment is None:
            asked = asked.replace(deployment=import_module("engine.commands.deploying").of_project(policy))
        if asked.deployment is None:
            raise click.UsageError("`--key` needs `--deployment`, or `deployment:` in the project file")
    elif asked.customer is None:
        asked = asked.replace(customer="-")
    if asked.customer == "-" and sys.stdin.isatty():
        raise click.UsageError("name a JSON file, or give the customer as JSON on standard input")
    if [asked.customer, asked.history, asked.previous].count("-") > 1:
        raise click.UsageError("standard input can be read once only")
    return asked


def decided(asked: Asked, path: str, policy: Policy) -> tuple[Decision, dict[str, Any], Events | None]:
    """Decide the customer; the decision, and the inputs and histories that it was made on."""
    day = asked.day
    program = policy.program_at(day)
    place = asked.deployment
    if place is not None and asked.key is None and not program.models:
        raise click.UsageError("`--deployment` needs `--key`, the customer to fetch: the policy asks no model")
    if place is None and program.models:
        place = import_module("engine.commands.deploying").of_project(path)
    inputs = {} if asked.customer is None else read_object(asked.customer, "the customer")
    events = None if asked.history is None else _events(read_object(asked.history, "the history"), asked.history)
    if events is None and "history" not in {d.name for d in program.inputs} and "history" in inputs:
        within = inputs.pop("history")
        if within is not None and not isinstance(within, dict):
            raise Failure("`history` of the customer is not an object", code=BAD_DATA, help="write {name: [row, ...]}")
        events = _events(within or {}, str(asked.customer))
    _tell_strangers(program, inputs, events or {})
    if asked.previous is not None:
        logged = from_told(read_object(asked.previous, "the previous decision"))
        inputs.update(previous_inputs(program, logged, day))
    if place is None:
        decision = policy.decide(inputs, as_of=day, history=events)
    else:
        decision, inputs, events = _deployed(place, asked.key, policy, day, inputs, events)
    for scored in decision.models.values():
        if scored.state == "unbound":
            talk(
                f"{paint('note', sys.stderr, bold=True)}: no scorer is bound to the model `{visible(scored.model)}`, "
                "so its answer is missing; name a deployment file with --deployment"
            )
    return decision, inputs, events


def _deployed(
    place: str, key: str | None, policy: Policy, day: datetime.date, inputs: dict[str, Any], events: Any
) -> tuple[Decision, dict[str, Any], Any]:
    """The decision of a customer whose models a deployment's scorers answer, and whose data it fetches where there is
    a key; and these data."""
    deploying: Any = import_module("engine.commands.deploying")
    with deploying.opened(place, policy) as deployment:
        if key is None:
            deployment.bind(policy)
            return policy.decide(inputs, as_of=day, history=events), inputs, events
        found = deployment.fetch(policy, deploying.key_of(key, policy), as_of=day, inputs=inputs, history=events)
        deployment.bind(policy)
        decision = policy.decide(found.inputs, as_of=day, history=found.history)
    decision.supplied(found.origins)
    return decision, {name: value for name, value in found.inputs.items() if value is not None}, found.history


def _events(value: dict[str, Any], path: str) -> Events:
    """Histories as the policy reads them: a list of objects, or null for not supplied."""
    for name, rows in value.items():
        if rows is not None and not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
            message = f"history `{name}` in `{path}` is not a list of objects"
            raise Failure(message, code=BAD_DATA, help='write {"repayments": [{"due": "2026-07-01"}, ...]}')
    return value


def _tell_strangers(program: ir.Program, inputs: Mapping[str, Any], events: Mapping[str, Any]) -> None:
    """Say which names the policy does not know; they are ignored, and a slip must not pass for missing data."""
    known = {normalise(n) for d in program.inputs for n in (d.name, d.column, d.name.replace(" ", "_")) if n}
    for name in inputs:
        if normalise(name) not in known:
            _stranger(name, "input", [d.name for d in program.inputs])
    for name in events:
        if name not in {h.name for h in program.histories}:
            _stranger(name, "history", [h.name for h in program.histories])


def _stranger(name: str, what: str, names: list[str]) -> None:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    talk(f"{paint('note', sys.stderr, bold=True)}: the policy has no {what} `{visible(name)}`{hint}")
