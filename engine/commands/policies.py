"""Policies as commands find, load and show them."""
from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO

import click

from engine.commands.common import INVALID, Failure, coloured
from engine.diagnostics import Diagnostic
from engine.portfolio.problems import reason
from engine.render import render_text

#: Bytes of a file in which its `policy:` key is looked for.
_HEAD = 65_536
#: Files of cases name the policy that they test, and are none themselves.
TESTS = (".test.yaml", ".test.yml")
#: Marks the root of policies; as the loader of files knows it, which is not imported for this.
PROJECT_FILE = "tierwise.yaml"
_DEPLOYMENT = re.compile(rb"(?:\A(?:\xef\xbb\xbf)?|[\r\n])deployment:[ \t]*[^\r\n#]")
#: A description of a report names a policy, and is none.
_REPORT = re.compile(rb"(?:\A(?:\xef\xbb\xbf)?|[\r\n])report:[ \t]*[^\r\n#]")
_KEY = re.compile(rb"(?:\A(?:\xef\xbb\xbf)?|[\r\n])policy:[ \t]*([^\r\n#]*)")


def show(diagnostics: Sequence[Diagnostic], sources: Mapping[str, str], stream: TextIO) -> None:
    """Print diagnostics with the lines that they are about."""
    click.echo(render_text(diagnostics, sources, color=coloured(stream)), file=stream, nl=False)


def invalid(diagnostics: Sequence[Diagnostic], sources: Mapping[str, str]) -> click.exceptions.Exit:
    """Show why a policy cannot be used; the end of the command."""
    show([d for d in diagnostics if d.is_error], sources, sys.stderr)
    return click.exceptions.Exit(INVALID)


def find(path: str) -> Iterator[str]:
    """The policies at a path: a file as it is; in a folder every YAML file with a `policy:` key, and deployment files.

    The file that marks the root of policies is none, though a glob may give it. Files of one folder that are all
    called alike are versions of one policy, which the folder then is.
    """
    if not os.path.isdir(path):
        if not is_marker(path):
            yield path
        return
    empty = True
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        named = [name for name in sorted(names) if name.endswith((".yaml", ".yml")) and not name.endswith(TESTS)]
        files = [os.path.join(folder, name) for name in named]
        policies = {file: name for file in files if (name := _policy_name(file)) is not None}
        empty &= not policies
        if len(policies) > 1 and len(set(policies.values())) == 1:
            yield folder
        else:
            yield from policies
        yield from (file for file in files if file not in policies and is_deployment(file))
    if empty:
        way = "a policy is a YAML file with a `policy:` key"
        raise Failure(f"there is no policy in `{path}`", code=INVALID, help=way)


def markers(path: str) -> Iterator[str]:
    """The project files at a path: itself, or those in a folder and below it."""
    if os.path.isdir(path):
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(f for f in folders if not f.startswith("."))
            if PROJECT_FILE in names and is_marker(file := os.path.join(folder, PROJECT_FILE)):
                yield file
    elif is_marker(path):
        yield path


def is_marker(path: str) -> bool:
    """Whether a path names a file that only marks the root of policies."""
    return os.path.basename(path) == PROJECT_FILE and _policy_name(path) is None


def is_deployment(path: str) -> bool:
    """Whether a path names a deployment file: one with a `deployment:` key, and none that makes it a policy."""
    head = _head(path)
    return _DEPLOYMENT.search(head) is not None and _KEY.search(head) is None


def is_report(path: str) -> bool:
    """Whether a path names the description of a report, whose `policy:` key says what it is about."""
    return _REPORT.search(_head(path)) is not None


def _head(path: str) -> bytes:
    """The beginning of a YAML file; nothing where it cannot be read, which the reader of policies tells."""
    if not path.endswith((".yaml", ".yml")) or not os.path.isfile(path):
        return b""
    try:
        with open(path, "rb") as stream:
            return stream.read(_HEAD)
    except OSError:
        return b""


def only_markers(paths: Sequence[str]) -> Failure:
    """Why there is nothing to do where every path named such a file."""
    return Failure(f"`{paths[0]}` marks the root of policies and holds none", code=INVALID,
                   help="name the folder to take all policies in it")


def _policy_name(file: str) -> bytes | None:
    """What stands behind `policy:`, None where that key is not there."""
    if os.path.exists(file) and not os.path.isfile(file):   # a pipe would wait for its writer
        return None
    try:
        with open(file, "rb") as stream:
            head = stream.read(_HEAD)
    except OSError as problem:
        raise Failure(f"`{file}` cannot be read: {reason(problem)}", code=INVALID) from None
    found = _KEY.search(head)
    return None if found is None or _REPORT.search(head) is not None else found[1].strip().strip(b"'\"")
