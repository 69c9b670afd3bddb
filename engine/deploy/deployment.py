"""An open deployment, as programs and commands use it."""
from __future__ import annotations

import datetime
from collections.abc import Collection, Container, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, Self

from engine.calling import Secrets
from engine.decision import Decision
from engine.deploy.asking import Asked, Customer, fetch
from engine.deploy.delivering import Delivery, delivery
from engine.deploy.document import Deployment, read_deployment
from engine.deploy.matching import Place, Plan, match, names_of, require, sources_of
from engine.deploy.opening import Kinds, OpenSource, opened
from engine.deploy.scorers import models_of, scorers
from engine.hookspecs import Table
from engine.ir import nodes as ir
from engine.ir.door import raw_input
from engine.ir.reads import Cone
from engine.scoring.bound import Bound


class Policy(Protocol):
    """What is needed of a policy (`engine.policy.Policy`)."""

    @property
    def versions(self) -> Sequence[Any]: ...

    def program_at(self, day: datetime.date) -> ir.Program: ...

    def cone(self, program: ir.Program, only: Sequence[str] | None = None) -> Cone: ...

    def decide(
        self, inputs: Mapping[str, Any], *, as_of: datetime.date, history: Any = None,
        only: Sequence[str] | None = None,
    ) -> Decision: ...

    def bind(self, scorers: Mapping[str, Bound]) -> None: ...


class Supply:
    """What a deployment gives for a policy: the plan, and the open sources that it asks."""

    def __init__(self, deployment: Deployment, plan: Plan, sources: Mapping[str, OpenSource]) -> None:
        self.deployment = deployment
        self.plan = plan
        self.sources = sources

    def table(self, source: str, name: str) -> Table:
        return self.sources[source].tables[name]

    def customer(
        self, key: Any, as_of: datetime.date, given: Mapping[str, Any], history: Mapping[str, Any],
        leave: Collection[str] = (), known: Mapping[Place, Asked] | None = None,
    ) -> Customer:
        """The data of one customer, as `engine.deploy.asking.fetch` gives them."""
        return fetch(self.plan, self.sources, key, as_of, given, history, leave, known)


class OpenDeployment:
    """A deployment whose sources are opened as they are needed, each once. Use it in a `with` block, or `close` it."""

    def __init__(self, path: str | Path, kinds: Kinds) -> None:
        """Raises DeploymentError where the file is wrong by itself."""
        self.deployment = read_deployment(path)
        self.secrets = Secrets()
        self.kinds = kinds
        self._sources: dict[str, OpenSource] = {}
        self._scorers: dict[str, Bound] = {}
        self._supplies: dict[tuple[Any, ...], Supply] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def bind(self, policy: Policy) -> None:
        """Let its scorers answer the models of a policy, as long as the deployment is open. Raises DeploymentError and
        DataProblem where one cannot be opened, PolicyError where one does not fit its model."""
        names = [name for name in models_of(self.deployment, policy.versions) if name not in self._scorers]
        self._scorers.update(scorers(self.deployment, self.kinds, names, self.secrets))
        policy.bind(self._scorers)

    def close(self) -> None:
        """Close the sources and scorers."""
        for scorer in self._scorers.values():
            scorer.close()
        self._scorers.clear()
        for source in self._sources.values():
            source.close()
        self._sources.clear()
        self._supplies.clear()

    def delivery(self) -> Delivery | None:
        """Where it says that results go, None where it says nothing; raises DeploymentError."""
        return delivery(self.deployment, self.kinds, self.secrets)

    def supply(
        self, policy: Policy, as_of: datetime.date, only: Sequence[str] | None = None, portfolio: bool = False,
        given: Container[str] | None = (), also: Sequence[str] = (),
    ) -> Supply:
        """What it gives for the versions of a policy that may decide; raises DeploymentError and DataProblem.
        `portfolio`: a table must list the customers. `given` are inputs that come from elsewhere, None where any
        may; `also` are inputs that are needed beside those that the decisions hang on."""
        programs = [policy.program_at(as_of)]
        if programs[0].application_date is not None:
            programs = [version.program for version in policy.versions]
        cones = [policy.cone(program, only) for program in programs]
        wide = [cone.replace(inputs=cone.inputs | set(also)) for cone in cones]
        asked = (*(id(program) for program in programs), None if only is None else tuple(only), portfolio, *also)
        if asked not in self._supplies:
            inputs, histories = names_of(self.deployment, programs, wide)
            names = sources_of(self.deployment, inputs, histories, portfolio)
            missing = [name for name in names if name not in self._sources]
            self._sources.update(opened(self.deployment, self.kinds, missing, self.secrets))
            plan = match(self.deployment, self._sources, programs, cones, inputs, histories, portfolio)
            self._supplies[asked] = Supply(self.deployment, plan, self._sources)
        if given is not None:
            require(self.deployment, programs, cones, given)
        return self._supplies[asked]

    def check(self, policy: Policy) -> None:
        """Hold it against all versions of a policy: the names and types of what is bound, and its models. Data may come
        from elsewhere too. Raises as `supply` and `bind` do."""
        lists = self.deployment.customers is not None
        for version in policy.versions:
            self.supply(policy, version.start, portfolio=lists, given=None)
        self.bind(policy)

    def fetch(
        self, policy: Policy, key: Any, *, as_of: datetime.date, inputs: Mapping[str, Any] | None = None,
        history: Mapping[str, Any] | None = None, only: Sequence[str] | None = None,
    ) -> Customer:
        """The data of one customer by key, for the decisions asked for. What stands in `inputs` and `history` is taken
        as given. A source that fails leaves its values missing, and `on failure` of the policy says what follows.
        Raises DeploymentError where the deployment does not fit the policy, and DataProblem where a source cannot be
        opened."""
        given = dict(inputs or {})
        names = {d.name for v in policy.versions for d in v.program.inputs if raw_input(d, given) is not None}
        return self.supply(policy, as_of, only, given=names).customer(key, as_of, given, history or {})

    def decide(
        self, policy: Policy, key: Any, *, as_of: datetime.date, inputs: Mapping[str, Any] | None = None,
        history: Mapping[str, Any] | None = None, only: Sequence[str] | None = None,
    ) -> Decision:
        """Decide one customer by key, with data as `fetch` gives them; `Decision.sources` says where each came from."""
        found = self.fetch(policy, key, as_of=as_of, inputs=inputs, history=history, only=only)
        self.bind(policy)
        decision = policy.decide(found.inputs, as_of=as_of, history=found.history, only=only)
        decision.supplied(found.origins)
        return decision


def open_deployment(path: str | Path, kinds: Kinds | None = None) -> OpenDeployment:
    """Open the deployment file at `path`. Its kinds are those of the built-in and installed plugins, and of the project
    file above it, unless others are given. Raises DeploymentError."""
    if kinds is None:
        hooks: Any = import_module("engine.hooks")
        kinds = hooks.Plugins.beside(path)
    return OpenDeployment(path, kinds)
