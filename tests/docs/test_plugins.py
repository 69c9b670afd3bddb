"""The pages for authors of plugins: examples do what they say, and no hook and no test of a contract is left out."""
from __future__ import annotations

import ast
import inspect
import re
import sys
from pathlib import Path

import pytest

from engine import hookspecs, testing
from engine.hookspecs import Hooks
from scripts import hook_reference
from tests.docs.pages import blocks, hold, replay
from tests.docs.test_tour import follow

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs" / "plugins"
HOOKS = [name for name in vars(Hooks) if not name.startswith("_")]
CONTRACTS = [testing.PluginContract, testing.SourceContract, testing.ScorerContract, testing.FunctionContract]


def test_the_examples_of_the_hooks(tmp_path: Path) -> None:
    page = DOCS / "hooks.md"
    hold(page, replay(page.read_text("utf-8"), tmp_path))


def test_the_tutorial_followed_from_an_empty_folder(tmp_path: Path) -> None:
    bin = tmp_path / "bin"
    bin.mkdir()
    for name, what in (("tierwise", f'"{ROOT / "cli.py"}"'), ("pytest", "-m pytest -p no:cacheprovider")):
        (bin / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {what} "$@"\n')
        (bin / name).chmod(0o755)
    (tmp_path / "empty").mkdir()
    page = DOCS / "tutorial.md"
    hold(page, follow(page.read_text("utf-8"), tmp_path / "empty", f"{bin}:/usr/bin:/bin"))
    assert sum(block.language == "console" for block in blocks(page.read_text("utf-8"))) >= 8


@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_has_an_example_that_runs(hook: str) -> None:
    """Its section defines the hook, marked, in a plugin that a command of the section names."""
    text = (DOCS / "hooks.md").read_text("utf-8")
    section = re.search(rf"^## {hook}\n(.*?)(?=^##? )", text, re.M | re.S)
    assert section is not None
    files = [b for b in blocks(section[1]) if b.language == "python" and b.words]
    assert any(f"@tierwise.hookimpl\ndef {hook}():" in b.text for b in files)
    assert any(b.language == "console" for b in blocks(section[1]))


@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_has_a_test(hook: str) -> None:
    """One of its own name, so that a new hook cannot come without."""
    tree = ast.parse((ROOT / "tests" / "hooks" / "test_each_hook.py").read_text("utf-8"))
    assert f"test_{hook}" in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_each_hook_and_shape_is_in_the_reference() -> None:
    assert hook_reference.hooks() == HOOKS
    told = {name for names in hook_reference.SHAPES.values() for name in names} | set(hook_reference.COMMON)
    aside = {"HOOK_VERSION", "Hooks", "Row", "hookimpl", "hookspec", "sql_form"}
    assert told == set(hookspecs.__all__) - aside


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.__name__)
def test_each_test_of_a_contract_is_told(contract: type) -> None:
    text = (DOCS / "testing.md").read_text("utf-8")
    section = re.search(rf"^## [^\n]*`{contract.__name__}`\n(.*?)(?=^## )", text, re.M | re.S)
    assert section is not None
    listed = re.findall(r"^\| `(test_\w+)` \|", section[1], re.M)
    assert sorted(listed) == sorted(name for name, _ in inspect.getmembers(contract, inspect.isfunction)
                                    if name.startswith("test_"))
