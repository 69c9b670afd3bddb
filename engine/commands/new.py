"""`tierwise new`: the beginning of a policy, of a CI file, or of a plugin."""
from __future__ import annotations

import keyword
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from engine import __version__, bundled
from engine.commands import beginnings
from engine.commands.common import INVALID, Failure, talk
from engine.portfolio.problems import reason

#: By kind of plugin, what the texts that all kinds share say of it.
_PLUGINS = {
    "function": {"description": "Functions for policies", "module": "functions", "what": "the functions",
                 "dependencies": '"tierwise"'},
    "scorer": {"description": "A scorer for policies", "module": "scorer", "what": "the model",
               "dependencies": '"tierwise[arrow]"'},
    "source": {"description": "A data source for policies", "module": "source", "what": "the source",
               "dependencies": '"tierwise[arrow]"'},
}
#: By service, where it looks for its file at the top of a repository.
_CI = {"github": ".github/workflows/policies.yml", "gitlab": ".gitlab-ci.yml"}


@click.group()
def command() -> None:
    """Begin a policy, a CI file or a plugin."""


@command.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@click.option("--language", type=click.Choice(beginnings.names("policy")), default="en", show_default=True,
              help="Of the names and comments in it.")
def policy(path: Path, force: bool, language: str) -> None:
    """Write a small policy to PATH, to be read, checked and changed."""
    if path.suffix not in (".yaml", ".yml"):
        raise click.UsageError(f"`{path}` does not end in `.yaml`")
    if path.exists() and not force:
        raise Failure(f"`{path}` is there already", code=INVALID, help="name another file or add `--force`")
    name = re.sub(r"[\W_]+", " ", path.stem).strip().lower() or "policy"
    words = {"name": name, "schema": _schema(path)}
    _write(path.parent, [(path.name, beginnings.text(f"policy/{language}.yaml", words))])
    talk(f"wrote {path}; next: tierwise check {path}")


@command.command()
@click.argument("service", type=click.Choice(list(_CI)))
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def ci(service: str, force: bool) -> None:
    """Write a CI file for the policies in the working folder, the top of their repository.

    Every change is then checked, held against the one form, and decided over the cases and portfolios of test files;
    findings and failures go where SERVICE shows them. A proposed change is also told by what it does to the
    portfolios.
    """
    path = Path(_CI[service])
    if path.exists() and not force:
        raise Failure(f"`{path}` is there already", code=INVALID, help="put its steps into yours, or add `--force`")
    _write(Path(), [(str(path), beginnings.text(f"ci/{service}.yml", {"version": __version__}))])
    talk(f"wrote {path}; next: commit it")
    here = Path.cwd()
    top = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)
    if top != here:
        talk(f"note: the service looks for it at the top of the repository, {top}")


@command.command()
@click.argument("path", metavar="NAME", type=click.Path(path_type=Path))
@click.option("--kind", type=click.Choice(list(_PLUGINS)), default="function", show_default=True,
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
    _write(path, beginnings.package(kind, {"name": name, "package": package, **_PLUGINS[kind]}))
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


def _write(folder: Path, files: Iterable[tuple[str, str]]) -> None:
    """Write files by their places in a folder, which they make where need be."""
    for place, text in files:
        file = folder / place
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        except OSError as problem:
            raise Failure(f"`{file}` cannot be written: {reason(problem)}", code=INVALID) from None


def _schema(path: Path) -> str:
    """The policy schema as an editor finds it from `path`: relative within one project."""
    schema = bundled.schema("policy")
    folder = path.resolve().parent
    project = schema.parent.parent
    if folder.is_relative_to(project):
        return Path(os.path.relpath(schema, folder)).as_posix()
    return schema.as_uri()
