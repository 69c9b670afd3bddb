"""Deployments as files: each of `corpus/deployments` says all that is wrong with it, against the policy beside it.

`NAME.txt` is what is shown, compared whole; TIERWISE_UPDATE=1 writes these anew, to be read before they are kept.
"""
from __future__ import annotations

import datetime
import os
from pathlib import Path

import pytest

from engine.deploy.deployment import OpenDeployment
from engine.deploy.document import DeploymentError
from engine.diagnostics import Diagnostic
from engine.policy import load_policy
from engine.render import render_text
from tests.deploy.kinds import Kinds, bureau, core, numbered

CORPUS = Path(__file__).resolve().parents[1] / "corpus" / "deployments"
CASES = sorted(path for path in CORPUS.glob("*.yaml") if path.name != "policy.yaml")


def findings(path: Path) -> tuple[list[Diagnostic], dict[str, str]]:
    policy = load_policy("policy.yaml")
    try:
        with OpenDeployment(path.name, Kinds(core=core, bureau=bureau, numbered=numbered)) as deployment:
            deployment.supply(policy, datetime.date(2026, 7, 1), portfolio=True)
    except DeploymentError as error:
        return list(error.diagnostics), {**policy.sources, **error.sources}
    return [], {}


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_bad(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CORPUS)
    found, sources = findings(path)
    shown = render_text(found, sources)
    expected = path.with_suffix(".txt")
    if os.environ.get("TIERWISE_UPDATE"):
        expected.write_text(shown, encoding="utf-8")
    assert found
    assert shown == expected.read_text("utf-8")
    assert all(d.span is not None and (d.help or d.code < "E0900") for d in found), [d.message for d in found]
    assert [d.message for d in found if not d.message[0].islower() and not d.message.startswith("`")] == []
