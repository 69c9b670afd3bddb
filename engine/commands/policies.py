"""Policies as commands load them, and diagnostics as they show them."""
from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

import click

from engine.commands.common import INVALID, Failure, coloured
from engine.diagnostics import Diagnostic
from engine.policy import Policy, PolicyError, load_policy
from engine.portfolio.files import reason
from engine.render import render_text

#: Bytes of a source that is read to show a line of it.
_MAX_SOURCE = 10_000_000
#: Bytes of a file in which its `policy:` key is looked for.
_HEAD = 65_536


def open_policy(path: str, as_of: datetime.date) -> Policy:
    """Load a policy; where it is invalid its diagnostics are shown and the command ends with 2."""
    try:
        return load_policy(path)
    except PolicyError as error:
        show(error.diagnostics, sys.stderr)
        raise click.exceptions.Exit(INVALID) from None


def show(diagnostics: Sequence[Diagnostic], stream: TextIO) -> None:
    """Print diagnostics with the lines that they are about."""
    text = render_text(diagnostics, sources(diagnostics), color=coloured(stream))
    click.echo(text, file=stream, nl=False)


def sources(diagnostics: Iterable[Diagnostic]) -> dict[str, str]:
    """The texts of the files that diagnostics name; a file that cannot be read is left out."""
    names = {span.file for d in diagnostics for span in (d.span, *(label.span for label in d.labels)) if span}
    found = {}
    for name in names:
        try:
            with open(name, "rb") as stream:
                found[name] = stream.read(_MAX_SOURCE).decode("utf-8", "replace")
        except OSError:
            continue
    return found


def find(path: str) -> Iterator[str]:
    """The policies at a path: a file as it is, of a folder every YAML file with a `policy:` key."""
    if not os.path.isdir(path):
        yield path
        return
    count = 0
    for folder, folders, names in os.walk(path, followlinks=False):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in sorted(names):
            file = os.path.join(folder, name)
            if name.endswith((".yaml", ".yml")) and _is_policy(file):
                count += 1
                yield file
    if not count:
        way = "a policy is a YAML file with a `policy:` key"
        raise Failure(f"there is no policy in `{path}`", code=INVALID, help=way)


def _is_policy(file: str) -> bool:
    try:
        with open(file, "rb") as stream:
            head = stream.read(_HEAD)
    except OSError as problem:
        raise Failure(f"`{file}` cannot be read: {reason(problem)}", code=INVALID) from None
    return head.startswith((b"policy:", b"\xef\xbb\xbfpolicy:")) or b"\npolicy:" in head or b"\rpolicy:" in head
