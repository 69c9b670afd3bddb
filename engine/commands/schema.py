"""`tierwise schema`: what a policy asks for."""
from __future__ import annotations

import datetime

import click

from engine.commands.common import Date
from engine.commands.policies import open_policy
from engine.portfolio.writing import json_text


@click.command()
@click.argument("policy", metavar="POLICY")
@click.option("--as-of", type=Date(), help="The date whose version of the policy counts. [default: today]")
def command(policy: str, as_of: datetime.date | None) -> None:
    """Print what a policy asks for, as JSON Schema.

    The schema describes one customer as `tierwise decide` reads it.
    """
    click.echo(json_text(open_policy(policy, as_of or datetime.date.today()).input_schema(), indent=2))
