"""`tierwise new`: the beginning of a policy, or of a plugin."""
from __future__ import annotations

import keyword
import os
import re
import sys
from importlib import import_module
from pathlib import Path
from string import Template

import click

from engine import bundled
from engine.commands.beginnings import BEGINNINGS
from engine.commands.common import INVALID, Failure, talk
from engine.portfolio.problems import reason


@click.group()
def command() -> None:
    """Begin a policy or a plugin."""


@command.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@click.option("--language", type=click.Choice(list(BEGINNINGS)), default="en", show_default=True,
              help="Of the names and comments in it.")
def policy(path: Path, force: bool, language: str) -> None:
    """Write a small policy to PATH, to be read, checked and changed."""
    if path.suffix not in (".yaml", ".yml"):
        raise click.UsageError(f"`{path}` does not end in `.yaml`")
    if path.exists() and not force:
        raise Failure(f"`{path}` is there already", code=INVALID, help="name another file or add `--force`")
    name = re.sub(r"[\W_]+", " ", path.stem).strip().lower() or "policy"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(BEGINNINGS[language].format(name=name, schema=_schema(path)), encoding="utf-8")
    except OSError as problem:
        message = f"`{path}` cannot be written: {reason(problem)}"
        raise Failure(message, code=INVALID) from None
    talk(f"wrote {path}; next: tierwise check {path}")


@command.command()
@click.argument("path", metavar="NAME", type=click.Path(path_type=Path))
@click.option("--kind", type=click.Choice(["function", "scorer", "source"]), default="function", show_default=True,
              help="What it gives.")
def plugin(path: Path, kind: str) -> None:
    """Write the package of a plugin to the folder NAME: code, tests, an example, and a file for CI.

    It passes its own tests as it is, and its example decides. NAME may have folders before it; it is the name of the
    package, of the plugin, and of what it gives.
    """
    name = path.name
    package = _package(name)
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise Failure(f"`{path}` is there already", code=INVALID, help="name another folder, or empty this one")
    files, words = import_module("engine.commands.plugin_beginnings").KINDS[kind]
    words = {"name": name, "package": package, **words}
    words |= {key: _filled(text, words) for key, text in words.items()}
    try:
        for place, text in files.items():
            file = path / _filled(place, words)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(_filled(text, words), encoding="utf-8")
    except OSError as problem:
        raise Failure(f"`{path}` cannot be written: {reason(problem)}", code=INVALID) from None
    talk(f'wrote {path}; next: cd {path} && pip install -e ".[test]" && pytest')


def _package(name: str) -> str:
    """The Python package of a plugin's name; ends the command where it cannot be one."""
    package = name.replace("-", "_")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        spelt = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")
        hint = f", as `{spelt}`" if spelt else ", as `acme-scores`"
        raise click.UsageError(f"`{name}` is no name of a plugin; use small letters, digits and single hyphens{hint}")
    if package in sys.stdlib_module_names or keyword.iskeyword(package) or package in ("engine", "tierwise"):
        raise click.UsageError(f"`{name}` is another Python module; write your own name before it: `acme-{name}`")
    return package


def _filled(text: str, words: dict[str, str]) -> str:
    return Template(text).substitute(words)


def _schema(path: Path) -> str:
    """The policy schema as an editor finds it from `path`: relative within one project."""
    schema = bundled.schema("policy")
    folder = path.resolve().parent
    project = schema.parent.parent
    if folder.is_relative_to(project):
        return Path(os.path.relpath(schema, folder)).as_posix()
    return schema.as_uri()
