"""Scorers of a deployment, opened and bound to the models of a policy."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from engine.calling import CallFailed, Secrets
from engine.deploy.document import Deployment, Entry
from engine.deploy.opening import Kinds, each_opened
from engine.hookspecs import ScorerKind, Settings
from engine.ir import nodes as ir
from engine.runs import DataProblem
from engine.scoring.bound import Bound


class Version(Protocol):
    """A version of a policy."""

    @property
    def program(self) -> ir.Program: ...


def models_of(deployment: Deployment, versions: Sequence[Version]) -> list[str]:
    """The models of a policy that the deployment binds."""
    found = dict.fromkeys(model.model for version in versions for model in version.program.models)
    return [name for name in found if name in deployment.models]


def scorers(deployment: Deployment, kinds: Kinds, names: Sequence[str], secrets: Secrets) -> dict[str, Bound]:
    """Open the scorers of models by name; raises DeploymentError and DataProblem."""
    known = kinds.scorers() if names else {}

    def scorer(entry: Entry, kind: ScorerKind, settings: Settings) -> Bound:
        return _bound(entry, kind, settings, secrets)

    return each_opened(deployment, [deployment.models[name] for name in names], known, "scorer", secrets, scorer)


def _bound(entry: Entry, kind: ScorerKind, settings: Settings, secrets: Secrets) -> Bound:
    try:
        return Bound(kind.name, lambda: kind.open(settings), secrets, entry.timeout, entry.batch_timeout)
    except CallFailed as failure:
        raise DataProblem(
            f"the scorer of model `{entry.name}` cannot be opened: {failure.text}", entry.at.file, entry.at.line,
            help="see the settings of the model, and whether its file is there and of this kind",
        ) from None
