"""The VS Code extension: its manifest names files that are there, and it packages."""
from __future__ import annotations

import json
import re
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
    assert len(named) == 12
    for path in named:
        assert json.loads((staged / path).read_text("utf-8"))
    for part in contributed["grammars"]:
        assert json.loads((staged / part["path"]).read_text("utf-8"))["scopeName"] == part["scopeName"]


def test_schemas_are_those_of_the_project_and_kept_once(staged: Path) -> None:
    written = {p.name.split(".")[0] for p in (ROOT / "schemas").iterdir()} - {"diagnostics", "explanation"}
    assert {p.name.split(".")[0] for p in (staged / "schemas").iterdir()} == written
    for name in written:
        path = f"schemas/{name}.schema.json"
        assert (staged / path).read_bytes() == (ROOT / path).read_bytes()
    assert list(CODE.rglob("*.schema.json")) == []


#: What the first key of a file says it is.
_KINDS = {"policy": "policy", "test": "test", "deployment": "deployment", "notice": "notice", "report": "report",
          "allocation": "allocation"}


def _matches(glob: str, path: str) -> bool:
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}
    pattern = re.sub(r"\*\*/|\*\*|\*|[^*]+", lambda m: parts.get(m[0], re.escape(m[0])), glob)
    return re.fullmatch(pattern, path) is not None


def test_each_shipped_file_gets_the_schema_of_its_kind() -> None:
    """And no other: two schemas on one file would each complain of the other's keys."""
    seen = set()
    for file in sorted((ROOT / "policies").rglob("*.yaml")):
        path = "/" + str(file.relative_to(ROOT))
        text = file.read_text("utf-8")
        keys = re.findall(r"^([a-z]+):", text, re.MULTILINE)
        kind = "project" if file.name == "tierwise.yaml" else _KINDS.get(next(iter(keys), ""))
        found = []
        for part in MANIFEST["contributes"]["yamlValidation"]:
            globs = part["fileMatch"]
            if any(_matches(g, path) for g in globs if not g.startswith("!")) and not any(
                    _matches(g[1:], path) for g in globs if g.startswith("!")):
                found.append(part["url"].removeprefix("./schemas/").removesuffix(".schema.json"))
        if found == ["policy"] and kind == "deployment":   # by a name that only its bank knows
            assert f"/schemas/{kind}.schema.json" in text.splitlines()[0], path
            continue
        assert found == ([] if kind is None else [kind]), path
        seen.add(kind)
    assert seen >= {*_KINDS.values(), "project", None}


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
