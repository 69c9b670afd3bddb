"""`tierwise decide`: one customer, explained."""
from __future__ import annotations

import datetime
import difflib
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from engine.commands.common import (
    BAD_DATA,
    FINDINGS,
    Date,
    Failure,
    paint,
    talk,
)
from engine.commands.loading import open_policy
from engine.commands.plugging import plugin_option
from engine.commands.reading import read_object
from engine.explain.phrases import LANGUAGES
from engine.ir import nodes as ir
from engine.ir.previous import from_told, previous_inputs
from engine.policy import Decision, Policy
from engine.portfolio.tables import normalise
from engine.portfolio.writing import cell, json_text
from engine.render import visible
from engine.syntax.width import text_width


@click.command()
@click.argument("policy", metavar="POLICY")
@click.argument("customer", metavar="[INPUT]", required=False)
@click.option("--deployment", metavar="FILE", help="Where the data come from. [default: as the project file says]")
@click.option("--key", metavar="KEY", help="The customer whose data the deployment is to fetch.")
@plugin_option
@click.option("--as-of", type=Date(), help="The date of the decision. [default: today]")
@click.option("--history", metavar="FILE", help='Event rows as JSON: {"repayments": [{...}, ...]}.')
@click.option("--previous", metavar="FILE", help="The customer's last decision as JSON, as `--format json` prints it.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--language", metavar="CODE", default="en", show_default=True, help="Of the explanation, as zh.")
@click.option("--explain/--no-explain", default=True, show_default=True, help="Say why, or give the outcomes alone.")
@click.option("--save-test", metavar="FILE", help="Keep the decision as a case of this test file, once confirmed.")
@click.option("--case", "case", metavar="NAME", help="Of the case that is kept. [default: by key and date]")
@click.option("--yes", is_flag=True, help="Keep it without asking.")
def command(
    policy: str, customer: str | None, deployment: str | None, key: str | None, as_of: datetime.date | None,
    history: str | None, previous: str | None, form: str, language: str, explain: bool, save_test: str | None,
    case: str | None, yes: bool,
) -> int:
    """Decide one customer and explain it.

    INPUT is a JSON object of the policy's inputs by name, `-` (the default) for standard input; null or left out
    means missing, dates are ISO text. Its `history` may hold event rows, as --history does. --previous takes what an
    earlier run of this command printed, or an object of decisions with their outcomes and the date as `as of`; one
    dated after the date of the decision is not seen. Exits with 1 where the customer is refused.

    With --key the customer's data are fetched from the sources of a deployment file, and the explanation tells where
    each came from; INPUT, if it is given, goes before what the sources have. The models that the policy asks are
    answered by the deployment's scorers, with --key or without.
    """
    place = deployment
    if key is not None and deployment is None:
        place = import_module("engine.commands.deploying").of_project(policy)
    if key is not None and place is None:
        raise click.UsageError("`--key` needs `--deployment`, or `deployment:` in the project file")
    if key is None and customer is None:
        customer = "-"
    if customer == "-" and sys.stdin.isatty():
        raise click.UsageError("name a JSON file, or give the customer as JSON on standard input")
    if [customer, history, previous].count("-") > 1:
        raise click.UsageError("standard input can be read once only")
    if save_test is not None and not yes and "-" in (customer, history, previous):
        raise click.UsageError("add `--yes` to keep a customer from standard input, which cannot be asked as well")
    loaded = open_policy(policy)
    day = as_of or datetime.date.today()
    program = loaded.program_at(day)
    if deployment is not None and key is None and not program.models:
        raise click.UsageError("`--deployment` needs `--key`, the customer to fetch: the policy asks no model")
    if place is None and program.models:
        place = import_module("engine.commands.deploying").of_project(policy)
    known = dict.fromkeys((*LANGUAGES, *(language for r in program.reasons for language, _ in r.texts)))
    if language not in known:
        raise click.UsageError(f"there is no explanation in `{language}`, choose one of {', '.join(known)}")
    inputs = {} if customer is None else read_object(customer, "the customer")
    events = None if history is None else _events(read_object(history, "the history"), history)
    if events is None and "history" not in {d.name for d in program.inputs} and "history" in inputs:
        within = inputs.pop("history")
        if within is not None and not isinstance(within, dict):
            raise Failure("`history` of the customer is not an object", code=BAD_DATA, help="write {name: [row, ...]}")
        events = _events(within or {}, str(customer))
    _tell_strangers(program, inputs, events or {})
    if previous is not None:
        logged = from_told(read_object(previous, "the previous decision"))
        inputs.update(previous_inputs(program, logged, day))
    if place is None:
        decision = loaded.decide(inputs, as_of=day, history=events)
    else:
        decision, inputs, events = _deployed(place, key, loaded, day, inputs, events)
    for scored in decision.models.values():
        if scored.state == "unbound":
            talk(
                f"{paint('note', sys.stderr, bold=True)}: no scorer is bound to the model `{visible(scored.model)}`, "
                "so its answer is missing; name a deployment file with --deployment"
            )
    if not explain:
        _tell_failures(decision)
    if explain:
        told = decision.explain(format=form, language=language)
        text = told if isinstance(told, str) else json_text(told, indent=2)
        click.echo(text, nl=not text.endswith("\n"))
    elif form == "json":
        click.echo(json_text(_plain(decision), indent=2))
    else:
        click.echo(_short(decision))
    if save_test is not None:
        saving = import_module("engine.commands.saving")
        saving.save(save_test, policy, loaded, decision, inputs, events, case, yes)
    return FINDINGS if decision.refused else 0


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


def _events(value: dict[str, Any], path: str) -> dict[str, list[dict[str, Any]] | None]:
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


def _tell_failures(decision: Decision) -> None:
    """Say which sources failed, which the explanation would tell."""
    failed = {f"{visible(p.source)} failed: {visible(p.detail)}": None
              for origin in decision.sources.values() for p in origin.failures}
    for text in failed:
        talk(f"{paint('note', sys.stderr, bold=True)}: {text}")


def _plain(decision: Decision) -> dict[str, Any]:
    return {
        "as_of": decision.as_of,
        "values": dict(decision.values),
        "reasons": list(decision.reasons),
        "open": list(decision.open),
        "missing": list(decision.missing),
        "refused": list(decision.refused),
    }


def _short(decision: Decision) -> str:
    """The outcomes, one a line, then reasons and what was missing."""
    if decision.refused:
        return "refused: " + ", ".join(f"`{name}`" for name in decision.refused)
    rows = [(visible(name), visible(_shown(value))) for name, value in decision.values.items()]
    rows += [(name, ", ".join(map(visible, found))) for name, found in
             (("reasons", decision.reasons), ("open", decision.open), ("missing", decision.missing)) if found]
    width = max((text_width(name) for name, _ in rows), default=0)
    return "\n".join(f"{name}{' ' * (width - text_width(name))}  {text}" for name, text in rows)


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    return "none" if value == [] else cell(value)
