"""Test files as commands find them, and the policies that they test."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from engine.commands.common import INVALID, Failure
from engine.commands.plugging import named_for
from engine.commands.policies import is_marker
from engine.explain.phrases import LANGUAGES
from engine.keeping import keep, kept
from engine.policy import Policy, load_policy
from engine.policytest.suite import ENDINGS, is_test
from engine.render import visible
from engine.source.files import real


def loader() -> Callable[[Path], Policy]:
    """Loads each policy once, unchanged ones from where they were kept."""
    loaded: dict[Path, Policy] = {}

    def load(path: Path) -> Policy:
        key = real(path)
        if key not in loaded:
            name = os.fspath(path)
            plugins = named_for(name)
            found = kept(name, plugins)
            if found is None:
                found = load_policy(path, plugins)
                keep(name, found)
            loaded[key] = found
        return loaded[key]

    return load


def test_files(path: str) -> Iterator[Path]:
    """The test files at a path."""
    place = Path(path)
    if not place.is_dir():
        if is_marker(path):                             # given by a glob
            return
        if is_test(place) or not place.exists():
            yield place
            return
        beside = [place.with_name(place.stem + ending) for ending in ENDINGS]
        found = [p for p in beside if p.is_file()]
        if not found:
            raise Failure(f"there is no `{beside[0]}` with tests of `{path}`", code=INVALID,
                          help="a test file is called as its policy, NAME.test.yaml")
        yield from found
        return
    empty = True
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in sorted(names):
            if name.endswith(ENDINGS):
                empty = False
                yield Path(folder, name)
    if empty:
        raise Failure(f"there is no test file in `{path}`", code=INVALID, help="a test file is called NAME.test.yaml")


def speaks(policy: Policy, language: str) -> None:
    """Ends the command where the policy has no explanations in a language."""
    stated = (known for v in policy.versions for r in v.program.reasons for known, _ in r.texts)
    if language not in (*LANGUAGES, *stated):
        raise click.UsageError(f"`{policy.name}` has no explanations in `{visible(language)}`")
