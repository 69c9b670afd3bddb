"""`tierwise schema`: what a policy asks for."""
from __future__ import annotations

import click

from engine.commands.loading import open_policy
from engine.portfolio.writing import json_text


@click.command()
@click.argument("policy", metavar="POLICY")
def command(policy: str) -> None:
    """Print what a policy asks for, as JSON Schema.

    The schema describes one customer as `tierwise decide` reads it, for the latest version of the policy.
    """
    click.echo(json_text(open_policy(policy).input_schema(), indent=2))
