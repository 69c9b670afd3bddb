"""Loading a policy that is to decide; apart from `policies`, since `check` need not import the evaluators."""
from __future__ import annotations

import click

from engine.commands.plugging import named_for
from engine.commands.policies import invalid
from engine.keeping import keep, kept
from engine.policy import Policy, PolicyError, load_policy


def open_policy(path: str) -> Policy:
    """Load a policy, unchanged from where it was kept; where it is invalid its errors are shown and the command
    ends with 2."""
    plugins = named_for(path)
    found = kept(path, plugins)
    if found is not None:
        return found
    try:
        policy = load_policy(path, plugins)
    except PolicyError as error:
        raise invalid(error.diagnostics, error.sources) from None
    # when the command is done, so that nobody waits for it
    click.get_current_context().call_on_close(lambda: keep(path, policy))
    return policy
