"""What `tierwise new` writes: policies without a finding, plugins that pass their own tests, CI files that hold."""
from __future__ import annotations

import datetime
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from engine.commands import beginnings
from engine.policy import load_policy
from tests.commands.conftest import Tierwise

CUSTOMERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "en": ({"annual revenue": 6_000_000, "years trading": 5, "dscr": 1.2},
           {"segment": "priority", "decision": "approve", "limit": 1_200_000}),
    "zh": ({"年营业收入": 6_000_000, "经营年限": 5, "偿债覆盖率": 1.2},
           {"客群": "优先", "审批": "通过", "额度": 1_200_000}),
}


@pytest.mark.parametrize("language", beginnings.names("policy"))
def test_each_beginning(tierwise: Tierwise, tmp_path: Path, language: str) -> None:
    path = tmp_path / "loans.yaml"
    assert tierwise("new", "policy", str(path), "--language", language).code == 0
    assert tierwise("check", "--strict", str(path)).code == 0
    assert tierwise("fmt", "--check", str(path)).code == 0
    inputs, outcome = CUSTOMERS[language]
    decision = load_policy(path).decide(inputs, as_of=datetime.date(2026, 7, 1))
    assert decision.values == outcome and decision.open == {}


def test_each_language_is_tried() -> None:
    assert set(CUSTOMERS) == set(beginnings.names("policy"))


def test_a_language_that_is_none(tierwise: Tierwise, tmp_path: Path) -> None:
    result = tierwise("new", "policy", str(tmp_path / "p.yaml"), "--language", "xx")
    assert result.code == 2 and "'en', 'zh'" in result.err


def test_a_name_in_chinese(tierwise: Tierwise, tmp_path: Path) -> None:
    path = tmp_path / "小微贷款.yaml"
    assert tierwise("new", "policy", str(path), "--language", "zh").code == 0
    assert load_policy(path).name == "小微贷款"


# --- plugins -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["function", "scorer", "source"])
def test_a_plugin_passes_its_own_tests(tierwise: Tierwise, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "deep" / f"acme-{kind}"
    result = tierwise("new", "plugin", str(path), "--kind", kind)
    assert result.code == 0 and "next: cd" in result.err
    # in a process of its own, as its author does; what the example decides is told by the tests of installed plugins
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=path,
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout and "skipped" not in done.stdout
    names = {str(p.relative_to(path)) for p in path.rglob("*") if p.is_file() and "__pycache__" not in str(p)}
    assert {"pyproject.toml", "README.md", ".github/workflows/test.yml", f"src/acme_{kind}/__init__.py"} <= names
    assert not [p for p in path.rglob("*") if p.is_file() and p.suffix != ".pyc" and "$" in p.read_text()
                and p.name != "test.yml"]


@pytest.mark.parametrize("kind", ["function", "scorer", "source"])
def test_a_plugin_is_tidy(tierwise: Tierwise, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "acme"
    tierwise("new", "plugin", str(path), "--kind", kind)
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--line-length=120", "--no-cache"]
    done = subprocess.run([*ruff, "--select=E,W,F,I,B,UP,C4,PIE,PGH,T10,BLE"], cwd=path, capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 0, done.stdout
    assert tierwise("fmt", "--check", str(path / "example" / "policy.yaml")).code == 0
    project = tomllib.loads((path / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["entry-points"]["tierwise"] == {"acme": "acme"}


@pytest.mark.real
@pytest.mark.parametrize("kind", ["function", "scorer", "source"])
def test_a_plugin_is_typed(tierwise: Tierwise, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "acme"
    tierwise("new", "plugin", str(path), "--kind", kind)
    mypy = [sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports"]
    done = subprocess.run([*mypy, "src", "tests"], cwd=path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Acme Scores", "use small letters, digits and single hyphens, as `acme-scores`"),
        ("acme_scores", "as `acme-scores`"),
        ("9", "as `acme-scores`"),
        ("json", "is another Python module; write your own name before it: `acme-json`"),
        ("tierwise", "is another Python module"),
        ("class", "is another Python module"),
    ],
)
def test_a_name_that_no_plugin_can_have(tierwise: Tierwise, tmp_path: Path, name: str, told: str) -> None:
    result = tierwise("new", "plugin", str(tmp_path / name))
    assert result.code == 2 and told in result.err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_empty(tierwise: Tierwise, tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    assert tierwise("new", "plugin", str(tmp_path / "acme")).code == 0
    result = tierwise("new", "plugin", str(tmp_path / "acme"))
    assert result.code == 2 and "is there already" in result.err
