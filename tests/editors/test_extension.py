"""The VS Code extension: its manifest names files that are there, and it packages."""
from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.editors.conftest import node

ROOT = Path(__file__).resolve().parents[2]
CODE = ROOT / "editors" / "vscode"
MANIFEST = json.loads((CODE / "package.json").read_text("utf-8"))


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    folder = tmp_path / "extension"
    subprocess.run([sys.executable, str(ROOT / "editors" / "stage.py"), str(folder)], check=True, timeout=60)
    return folder


def test_what_is_contributed_is_there(staged: Path) -> None:
    contributed = MANIFEST["contributes"]
    named = [part["configuration"] for part in contributed["languages"]]
    named += [part["path"] for kind in ("grammars", "snippets") for part in contributed[kind]]
    named += [part["url"] for part in contributed["yamlValidation"]]
    assert len(named) == 9
    for path in named:
        assert json.loads((staged / path).read_text("utf-8"))
    for part in contributed["grammars"]:
        assert json.loads((staged / part["path"]).read_text("utf-8"))["scopeName"] == part["scopeName"]


def test_schemas_are_those_of_the_project_and_kept_once(staged: Path) -> None:
    for name in ("deployment", "policy", "project", "test"):
        path = f"schemas/{name}.schema.json"
        assert (staged / path).read_bytes() == (ROOT / path).read_bytes()
    assert list(CODE.rglob("*.schema.json")) == []


@pytest.mark.real
def test_it_packages(packages: Path, staged: Path) -> None:
    tool = packages / "node_modules" / "@vscode" / "vsce" / "vsce"
    node("node", str(tool), "package", "--allow-missing-repository", "--no-rewrite-relative-links",
         "--out", "tierwise.vsix", cwd=staged)
    names = set(zipfile.ZipFile(staged / "tierwise.vsix").namelist())
    assert {f"extension/{name}" for name in (
        "package.json", "language-configuration.json", "LICENSE.txt", "syntaxes/feel.tmLanguage.json",
        "syntaxes/feel-in-yaml.injection.tmLanguage.json", "snippets/policy.json", "snippets/test.json",
        "schemas/policy.schema.json", "schemas/test.schema.json")} <= names
