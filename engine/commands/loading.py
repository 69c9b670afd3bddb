"""Loading a policy that is to decide; apart from `policies`, since `check` need not import the evaluators."""
from __future__ import annotations

from engine.commands.policies import invalid
from engine.policy import Policy, PolicyError, load_policy


def open_policy(path: str) -> Policy:
    """Load a policy; where it is invalid its errors are shown and the command ends with 2."""
    try:
        return load_policy(path)
    except PolicyError as error:
        raise invalid(error.diagnostics, error.sources) from None
