"""What an error page of deployments says to avoid gives its code, what it prefers gives none."""
from __future__ import annotations

import datetime
import re
from pathlib import Path

import pytest

from engine.deploy.deployment import OpenDeployment
from engine.deploy.document import DeploymentError
from engine.diagnostics import Diagnostic
from engine.policy import load_policy
from tests.deploy.kinds import Kinds, bureau, core
from tests.deploy.test_corpus import CORPUS

PAGES = sorted((Path(__file__).resolve().parents[2] / "docs" / "errors").glob("E095*.md"))
BLOCK = re.compile(r"```yaml\n# ([\w.]+)\n(.*?)```", re.S)
#: What the policy of the examples requires beside what they bind.
GIVEN = {"founded"}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_page(page: Path, tmp_path: Path) -> None:
    text = page.read_text("utf-8")
    assert re.match(rf"# {page.stem}: [a-z]", text)
    parts = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    assert list(parts) == ["What", "Avoid", "Prefer", "Why"]
    avoid, prefer = (found(parts[name], tmp_path) for name in ("Avoid", "Prefer"))
    assert {d.code for d in avoid} == {page.stem}
    assert all(d.help and d.span for d in avoid)
    assert prefer == []


def found(part: str, folder: Path) -> list[Diagnostic]:
    ((name, text),) = BLOCK.findall(part)
    (folder / name).write_text(text, encoding="utf-8")
    policy = load_policy(CORPUS / "policy.yaml")
    try:
        with OpenDeployment(folder / name, Kinds(core=core, bureau=bureau)) as deployment:
            deployment.supply(policy, datetime.date(2026, 7, 1), given=GIVEN)
    except DeploymentError as error:
        return list(error.diagnostics)
    return []
