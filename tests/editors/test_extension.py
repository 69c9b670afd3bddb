"""The VS Code extension: its manifest names files that are there, and it packages."""
from __future__ import annotations

import fnmatch
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
    assert len(named) == 7
    for path in named:
        assert json.loads((staged / path).read_text("utf-8"))
    for part in contributed["grammars"]:
        assert json.loads((staged / part["path"]).read_text("utf-8"))["scopeName"] == part["scopeName"]


def test_schemas_are_those_of_the_project_and_kept_once(staged: Path) -> None:
    for name in ("policy", "test"):
        path = f"schemas/{name}.schema.json"
        assert (staged / path).read_bytes() == (ROOT / path).read_bytes()
    assert list(CODE.rglob("*.schema.json")) == []


def test_each_shipped_file_has_one_schema() -> None:
    """Patterns are tried as editors do: a file belongs where one matches and none that starts with `!` does."""
    def schema(path: str) -> list[str]:
        return [part["url"] for part in MANIFEST["contributes"]["yamlValidation"]
                if any(matches(path, p) for p in part["fileMatch"] if not p.startswith("!"))
                and not any(matches(path, p[1:]) for p in part["fileMatch"] if p.startswith("!"))]

    def matches(path: str, pattern: str) -> bool:
        return fnmatch.fnmatch("/" + path, pattern.replace("**/", "*/").replace("*/*", "*"))

    for path in sorted((ROOT / "policies").rglob("*.yaml")):
        text = path.read_text("utf-8")
        wanted = (["./schemas/test.schema.json"] if path.name.endswith(".test.yaml") else
                  ["./schemas/policy.schema.json"] if "\npolicy: " in "\n" + text else [])
        assert schema(path.relative_to(ROOT).as_posix()) == wanted, path


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
