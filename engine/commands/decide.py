"""`tierwise decide`: one customer, explained."""
from __future__ import annotations

import datetime
import sys
from importlib import import_module
from typing import Any

import click

from engine.commands.common import FINDINGS, Date, paint, talk
from engine.commands.customers import Asked, decided, ready
from engine.commands.loading import open_policy
from engine.commands.plugging import plugin_option
from engine.explain.phrases import LANGUAGES
from engine.policy import Decision
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
    day = as_of or datetime.date.today()
    asked = ready(Asked(customer, deployment, key, day, history, previous), policy)
    if save_test is not None and not yes and asked.reads_stdin:
        raise click.UsageError("add `--yes` to keep a customer from standard input, which cannot be asked as well")
    loaded = open_policy(policy)
    program = loaded.program_at(day)
    known = dict.fromkeys((*LANGUAGES, *(language for r in program.reasons for language, _ in r.texts)))
    if language not in known:
        raise click.UsageError(f"there is no explanation in `{language}`, choose one of {', '.join(known)}")
    decision, inputs, events = decided(asked, policy, loaded)
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
