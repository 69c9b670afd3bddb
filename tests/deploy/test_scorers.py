"""Models of a policy answered by a deployment's scorers, for one customer from its data or by key."""
from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.commands import run
from engine.deploy.deployment import OpenDeployment
from engine.deploy.document import DeploymentError
from engine.hookspecs import PluginFailure, ScorerKind, Setting, Settings, SinkKind, SourceKind
from engine.policy import Policy, PolicyError, load_policy
from engine.runs import DataProblem
from tests.scoring.scorers import Odd, Plain
from tests.scoring.test_single import DAY, FIRM, POLICY

TEXT = """\
deployment: testing
models:
  pd: {kind: half, label: fine, token: {secret: SCORER_TOKEN}}
"""


class Kinds:
    """Scorers alone."""

    def __init__(self, open: Any = None) -> None:
        self.seen: list[Settings] = []
        self.open = open or (lambda settings: Plain())

    def sources(self) -> Mapping[str, SourceKind]:
        return {}

    def sinks(self) -> Mapping[str, SinkKind]:
        return {}

    def scorers(self) -> Mapping[str, ScorerKind]:
        def opened(settings: Settings) -> Any:
            self.seen.append(settings)
            return self.open(settings)

        takes = {"label": Setting(), "token": Setting("secret"), "path": Setting("path")}
        return {"half": ScorerKind("half", opened, takes)}


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    (tmp_path / "policy.yaml").write_text(POLICY.format(failure="missing", asked="false"), "utf-8")
    return load_policy(tmp_path / "policy.yaml")


def deployed(folder: Path, text: str = TEXT) -> Path:
    path = folder / "deployment.yaml"
    path.write_text(text, "utf-8")
    return path


def test_a_scorer_gets_its_settings_and_answers(tmp_path, policy, monkeypatch):
    monkeypatch.setenv("SCORER_TOKEN", "s3cret")
    kinds = Kinds()
    with OpenDeployment(deployed(tmp_path), kinds) as deployment:
        deployment.bind(policy)
        found = policy.decide(FIRM, as_of=DAY)
    assert found.values == {"pd": 0.25, "decision": "refer"}
    assert (found.models["pd"].kind, found.models["pd"].version) == ("half", "v1")
    (settings,) = kinds.seen
    assert settings["label"] == "fine" and settings["token"] == "s3cret" and "s3cret" not in repr(settings)


def test_a_policy_without_models_opens_no_scorer(tmp_path, monkeypatch):
    monkeypatch.setenv("SCORER_TOKEN", "s3cret")
    plain = tmp_path / "plain.yaml"
    plain.write_text("policy: plain\nversion: '1'\neffective: {from: 2026-01-01}\ninputs:\n  a: {type: number}\n"
                     "risk:\n  b:\n    value: a\n", "utf-8")
    kinds = Kinds()
    with OpenDeployment(deployed(tmp_path), kinds) as deployment:
        deployment.bind(load_policy(plain))
    assert kinds.seen == []


@pytest.mark.parametrize("old, new, told", [
    ("kind: half", "kind: halve", "no kind of scorer is called `halve`"),
    ("label:", "labbel:", "labbel"),
    ("label: fine", "path: '../../x'", "../../x"),
])
def test_what_is_wrong_with_the_file_is_told_with_its_place(tmp_path, policy, monkeypatch, old, new, told):
    monkeypatch.setenv("SCORER_TOKEN", "s3cret")
    text = TEXT.replace(old, new)
    with pytest.raises(DeploymentError) as found, OpenDeployment(deployed(tmp_path, text), Kinds()) as deployment:
        deployment.bind(policy)
    (diagnostic,) = found.value.diagnostics
    assert diagnostic.span is not None and diagnostic.span.line == 3 and told in diagnostic.message
    assert diagnostic.help


def test_a_scorer_that_does_not_open_is_told_without_its_secret(tmp_path, policy, monkeypatch):
    monkeypatch.setenv("SCORER_TOKEN", "s3cret")

    def refuse(settings: Settings) -> Any:
        raise PluginFailure(f"no access with {settings['token']!s}")

    with pytest.raises(DataProblem) as found, OpenDeployment(deployed(tmp_path), Kinds(refuse)) as deployment:
        deployment.bind(policy)
    assert str(found.value).startswith("the scorer of model `pd` cannot be opened: no access with ***")
    assert found.value.line == 3


def test_a_scorer_that_does_not_fit_is_an_error_of_the_policy(tmp_path, policy, monkeypatch):
    monkeypatch.setenv("SCORER_TOKEN", "s3cret")
    other = Odd(lambda row: 0.5, Plain.described.__class__({}, Plain.described.output, "v1"))
    kinds = Kinds(lambda settings: other)
    with pytest.raises(PolicyError) as found, OpenDeployment(deployed(tmp_path), kinds) as deployment:
        deployment.bind(policy)
    assert {d.code for d in found.value.diagnostics} == {"E0802"}


def test_sources_that_fail_refer_where_the_policy_says_so(tmp_path):
    text = POLICY.format(failure="missing", asked="false")
    text = text.replace("on missing: refer\n", "on missing: refer\non failure: refer\n")
    (tmp_path / "policy.yaml").write_text(text, "utf-8")
    policy = load_policy(tmp_path / "policy.yaml")
    for engine in ("python", "reference"):
        found = policy.decide({**FIRM, "model.pd": 0.1, "sources.failed": True}, as_of=DAY, engine=engine)
        assert found.values["decision"] == "refer" and found.reasons == ("FAILED",)
        found = policy.decide({**FIRM, "model.pd": 0.1}, as_of=DAY, engine=engine)
        assert found.values["decision"] == "approve" and found.assumed == {}


def test_sources_that_fail_refuse_the_customer_where_the_policy_says_so(tmp_path):
    text = POLICY.format(failure="missing", asked="false")
    text = text.replace("on missing: refer\n", "on missing: refer\non failure: stop\n")
    (tmp_path / "policy.yaml").write_text(text, "utf-8")
    policy = load_policy(tmp_path / "policy.yaml")
    for engine in ("python", "reference"):
        for only in (None, ["pd"]):
            given = {**FIRM, "model.pd": 0.1, "sources.failed": True}
            found = policy.decide(given, as_of=DAY, engine=engine, only=only)
            assert found.refused == ("sources.data",)
            assert "another policy" not in found.explain() and "is missing" in found.explain()
            assert [f.message for f in found.faults] == ["is missing: a data source failed"]
            found = policy.decide({**given, "sources.failed": False}, as_of=DAY, engine=engine, only=only)
            assert not found.refused and found.values["pd"] == 0.1


def test_the_command_decides_with_a_deployments_models(tmp_path, policy, capsys):
    (tmp_path / "plugin.py").write_text(PLUGIN, "utf-8")
    deployed(tmp_path, "deployment: testing\nmodels:\n  pd: {kind: half}\n")
    (tmp_path / "firm.json").write_text(json.dumps(FIRM), "utf-8")
    asked = ["decide", str(tmp_path / "policy.yaml"), str(tmp_path / "firm.json"), "--as-of", "2026-07-01"]
    deployment, plugin = str(tmp_path / "deployment.yaml"), str(tmp_path / "plugin.py")
    found = call(capsys, *asked, "--deployment", deployment, "--plugin", plugin)
    assert found.code == 0 and "model pd (half, version 1)  years = 3; debt ratio = 0.5" in found.out, found.err
    found = call(capsys, *asked)
    assert found.code == 0 and "no scorer is bound to the model `pd`" in found.err


def call(capsys: pytest.CaptureFixture[str], *args: str) -> Any:
    code = run([*args])
    out, err = capsys.readouterr()
    return SimpleNamespace(code=code, out=out, err=err)


PLUGIN = '''
import tierwise

tierwise_hooks = 1


class Half:
    def describe(self):
        number = tierwise.Field("number")
        return tierwise.ScorerDescription({"years": number, "debt ratio": number}, number, "1", ("high debt",))

    def one(self, row):
        return tierwise.Score(row["debt ratio"] / 2)

    def batch(self, table):
        import pyarrow.compute as pc
        return table.select([]).append_column("value", pc.divide(table.column("debt ratio"), 2))

    def close(self):
        pass


@tierwise.hookimpl
def register_scorers():
    return [tierwise.ScorerKind("half", lambda settings: Half())]
'''
