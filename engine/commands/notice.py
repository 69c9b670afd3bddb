"""`tierwise notice`: the letter that a decision calls for."""
from __future__ import annotations

import datetime
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from engine.commands.common import BAD_DATA, FINDINGS, INVALID, Date, Failure, paint, talk
from engine.commands.customers import Asked, decided, ready
from engine.commands.loading import open_policy
from engine.commands.plugging import plugin_option
from engine.commands.policies import invalid
from engine.commands.reading import data_failure
from engine.diagnostics import Problem
from engine.ir import nodes as ir
from engine.notice.choice import Choice, choose
from engine.notice.fit import misfits
from engine.notice.pages import html, plain, text
from engine.notice.spec import Letters, read_letters
from engine.notice.writing import Unwritable, customer_key, due_date, inputs_of, received_on, write
from engine.policy import Decision, Policy
from engine.portfolio.problems import DataProblem
from engine.portfolio.writing import json_text
from engine.portfolio.writing import output as written
from engine.render import visible


@click.command()
@click.argument("policy", metavar="POLICY")
@click.argument("customer", metavar="[INPUT]", required=False)
@click.option("--letters", metavar="FILE", help="The bank's letters. [default: notices/POLICY.yaml beside the policy]")
@click.option("--check", "check_only", is_flag=True, help="Hold the letters against the policy, and write none.")
@click.option("--deployment", metavar="FILE", help="Where the data come from. [default: as the project file says]")
@click.option("--key", metavar="KEY", help="The customer whose data the deployment is to fetch.")
@plugin_option
@click.option("--as-of", type=Date(), help="The date of the decision and of the letter. [default: today]")
@click.option("--received", type=Date(), help="When the application was complete: the start of the legal clock.")
@click.option("--history", metavar="FILE", help='Event rows as JSON: {"repayments": [{...}, ...]}.')
@click.option("--previous", metavar="FILE", help="The customer's last decision as JSON, as `--format json` prints it.")
@click.option("--to", multiple=True, metavar="LINE", help="Name and address, a line each time. [default: the key]")
@click.option("--language", metavar="CODE", help="Of the letter, as zh. [default: the first that the letters have]")
@click.option("--format", "form", type=click.Choice(["text", "html", "json"]), default="text", show_default=True)
@click.option("-o", "--output", default="-", metavar="FILE", help="`-` is standard output.")
def command(
    policy: str, customer: str | None, letters: str | None, check_only: bool, deployment: str | None, key: str | None,
    as_of: datetime.date | None, received: datetime.date | None, history: str | None, previous: str | None,
    to: tuple[str, ...], language: str | None, form: str, output: str,
) -> int:
    """Write the letter that a decision calls for.

    INPUT is the customer as `tierwise decide` takes it. The customer is decided, and the outcome calls for a refusal
    or a counter-offer with at most four reasons, a list of what is still to be sent, an approval, or no letter. What
    letters say, and by when they are due, stands in a file that the bank owns; nothing of a policy's codes, of
    personal or of protected data gets into them.

    Exits with 1 where the letter is late, or the customer refused, who gets no letter.
    """
    day = as_of or datetime.date.today()
    if received is not None and received > day:
        raise click.UsageError("`--received` is after the date of the letter")
    asked = None if check_only else ready(Asked(customer, deployment, key, day, history, previous), policy)
    loaded = open_policy(policy)
    place = letters or _beside(policy)
    try:
        found = read_letters(place)
        _fit(found, loaded, [v.program for v in loaded.versions] if asked is None else [loaded.program_at(day)])
    except Problem as problem:
        raise invalid(problem.diagnostics, getattr(problem, "sources", {})) from None
    if asked is None:
        kinds = ", ".join(found.letters)
        talk(f"{visible(place)}: {kinds} in {', '.join(found.languages)}: no problems")
        return 0
    spoken = language or found.languages[0]
    if spoken not in found.languages:
        raise click.UsageError(f"there are no letters in `{spoken}`, choose one of {', '.join(found.languages)}")
    decision, given, _ = decided(asked, policy, loaded)
    if decision.refused:
        raise _refused(decision)
    inputs = inputs_of(decision.program, given)
    started = received_on(found, inputs, received)
    choice = choose(found, decision)
    try:
        letter = None if choice.letter is None else write(found, choice, decision, inputs, spoken, to, started)
    except Unwritable as problem:
        raise Failure(problem.message, code=BAD_DATA, help=problem.help) from None
    due = letter.due if letter is not None else _due(found, started, decision, inputs)
    late = 0 if due is None else max(0, (day - due).days)
    page = None if letter is None else html(letter) if form == "html" else text(letter)
    if form == "json":
        told = plain(choice, letter, decision, customer_key(decision.program, inputs), due, late)
        page = json_text(told, indent=2) + "\n"
    try:
        if page is not None:                            # no letter, no file
            with written(output) as stream:
                stream.write(page)
    except DataProblem as problem:
        raise data_failure(problem) from None
    _tell(choice, due, late)
    return FINDINGS if late else 0


def _beside(policy: str) -> str:
    """Where letters stand unless somebody says otherwise."""
    path = Path(policy)
    place = path.parent / "notices" / f"{path.stem}.yaml"
    if not place.is_file():
        raise Failure(
            f"there are no letters for `{policy}`: `{place}` is not there", code=INVALID,
            help="write them there, or name their file by `--letters`; docs/notice.md shows one",
        )
    return str(place)


def _fit(letters: Letters, policy: Policy, programs: list[ir.Program]) -> None:
    """Raise NoticeError with what is wrong with the letters for any of these versions, each thing once."""
    found = list(dict.fromkeys(d for program in programs for d in misfits(letters, program)))
    if found:
        raise letters.error(found, policy.sources)


def _refused(decision: Decision) -> Failure:
    names = ", ".join(f"`{name}`" for name in decision.refused)
    why = "; ".join(fault.message for fault in decision.faults if not _is_personal(decision, fault.name))
    return Failure(
        f"the customer was not decided, so there is no letter: {names} refused" + (f": {why}" if why else ""),
        code=FINDINGS, help="bad data are no reason to give to anybody: put them right and decide again",
    )


def _is_personal(decision: Decision, name: str) -> bool:
    return any(i.personal for i in decision.program.inputs if i.name == name)


def _due(
    letters: Letters, received: datetime.date | None, decision: Decision, inputs: dict[str, Any]
) -> datetime.date | None:
    """When the first of the letters is due whose clock has begun, whichever of them it will be."""
    dates = []
    for letter in letters.letters.values():
        if letter.due is not None and letter.due.after != "letter":
            with suppress(Unwritable):                  # its clock is not known yet
                dates.append(due_date(letter.due, received, decision, inputs))
    return min((d for d in dates if d is not None), default=None)


def _tell(choice: Choice, due: datetime.date | None, late: int) -> None:
    """What the bank is to know beside the letter."""
    note = paint("note", sys.stderr, bold=True)
    if choice.letter is None:
        talk(f"{note}: no letter: {visible(choice.why)}")
    if due is not None:
        what = "the letter" if choice.letter is not None else "a letter"
        days = f"{late} day{'s' if late != 1 else ''}"
        talk(f"{note}: {what} was due on {due.isoformat()}, {days} ago" if late else
             f"{note}: {what} is due by {due.isoformat()}")
