"""`tierwise new`: the beginning of a policy."""
from __future__ import annotations

import os
import re
from pathlib import Path

import click

from engine import bundled
from engine.commands.beginnings import BEGINNINGS
from engine.commands.common import INVALID, Failure, talk
from engine.portfolio.problems import reason


@click.group()
def command() -> None:
    """Begin a policy."""


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


def _schema(path: Path) -> str:
    """The policy schema as an editor finds it from `path`: relative within one project."""
    schema = bundled.schema("policy")
    folder = path.resolve().parent
    project = schema.parent.parent
    if folder.is_relative_to(project):
        return Path(os.path.relpath(schema, folder)).as_posix()
    return schema.as_uri()
