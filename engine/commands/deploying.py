"""Deployments as commands name, open and close them."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.commands.common import INVALID, Failure
from engine.commands.plugging import plugins_for, tell_broken
from engine.commands.policies import invalid
from engine.commands.reading import data_failure
from engine.deploy.deployment import OpenDeployment
from engine.diagnostics import Problem
from engine.policy import Policy, PolicyError
from engine.portfolio.binding import Reading
from engine.portfolio.problems import DataProblem
from engine.source.project import find_project, read_project


def of_project(policy: str) -> str | None:
    """The deployment file that the project file of a policy names; None where there is none."""
    place = find_project(Path(policy))
    if place is None:
        return None
    try:
        listed = read_project(place).deployment
    except Problem as problem:
        raise invalid(problem.diagnostics, getattr(problem, "sources", {})) from None
    return None if listed is None or listed.path is None else str(listed.path)


@contextmanager
def opened(path: str, policy: Policy) -> Iterator[OpenDeployment]:
    """An open deployment; what is wrong with it, its plugins or its sources ends the command."""
    plugins = plugins_for(path)
    try:
        with OpenDeployment(path, plugins) as deployment:
            yield deployment
    except Problem as problem:
        tell_broken(plugins)
        raise invalid(problem.diagnostics, {**policy.sources, **getattr(problem, "sources", {})}) from None
    except PolicyError as problem:
        raise invalid(problem.diagnostics, problem.sources) from None
    except DataProblem as problem:
        raise data_failure(problem) from None


def key_of(text: str, policy: Policy) -> Any:
    """A key as typed on the command line, as the policy's key."""
    keys = [d for d in policy.program.inputs if d.key]
    if len(keys) != 1:
        return text                                     # which the deployment is told to be wrong for
    try:
        return Reading().parser(keys[0].type)(text)
    except ValueError:
        kind = keys[0].type.kind
        raise Failure(
            f"`{text}` is no value of the key `{keys[0].name}`, which is a {kind}", code=INVALID, help=f"give a {kind}"
        ) from None
