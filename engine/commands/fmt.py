"""`tierwise fmt`: policies in their canonical form."""
from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from engine.commands.common import BAD_DATA, FINDINGS, INVALID, Failure, talk
from engine.commands.policies import is_marker, only_markers, show
from engine.commands.reading import data_failure
from engine.diagnostics import Diagnostic, Problem
from engine.format.text import formatted
from engine.portfolio.problems import DataProblem, reason
from engine.portfolio.writing import output
from engine.source.nodes import MAX_BYTES

#: A YAML file of ours: a policy, tests, or a vocabulary in a folder of that name.
_OURS = re.compile(rb"(?:\A(?:\xef\xbb\xbf)?|[\r\n])(?:policy|test):")


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option("--check", "only_check", is_flag=True, help="Change nothing; name the files that would change.")
@click.option("--diff", is_flag=True, help="Change nothing; show what would change.")
def command(paths: tuple[str, ...], only_check: bool, diff: bool) -> int:
    """Write policies in one form.

    PATH is a YAML file, or a folder whose policies, test files and vocabularies are all formatted, those in folders
    below it too; the working folder if left out, standard input with `-`. Indentation, grids and quoting change,
    what a file says does not; comments stay. Exits with 1 where a file cannot be formatted, with --check or --diff
    also where one would change.
    """
    files = list(dict.fromkeys(file for path in paths or (".",) for file in _find(path)))
    if not files:
        raise only_markers(paths)
    changed: list[str] = []
    broken: list[Diagnostic] = []
    sources: dict[str, str] = {}
    for file in files:
        text = _read(file)
        name = "<stdin>" if file == "-" else file
        try:
            result = formatted(text, name)
        except Problem as problem:
            broken += problem.diagnostics
            sources[name] = text
            if file == "-" and not (only_check or diff):
                click.echo(text, nl=False)              # an editor that pipes a file through gets it back
            continue
        if result != text:
            changed.append(name)
        if diff:
            _show_diff(name, text, result)
        elif file == "-" and not only_check:
            click.echo(result, nl=False)
        elif result != text and not only_check:
            write(file, result)
    if broken:
        show(broken, sources, sys.stderr)
    _summary(files, changed, broken, only_check, diff)
    return FINDINGS if broken or (changed and (only_check or diff)) else 0


def write(file: str, text: str) -> None:
    """Replace a file as a whole, its permissions kept; a link stays one."""
    place = os.path.realpath(file)
    try:
        mode = os.stat(place).st_mode & 0o777
        with output(place) as stream:
            stream.write(text)
        os.chmod(place, mode)
    except DataProblem as problem:
        raise data_failure(problem) from None
    except OSError as problem:
        raise Failure(f"`{file}` cannot be written: {reason(problem)}", code=BAD_DATA) from None


def _summary(
    files: Sequence[str], changed: Sequence[str], broken: Sequence[Diagnostic], only_check: bool, diff: bool
) -> None:
    if not diff:
        for name in changed:
            if name != "<stdin>":
                talk(f"{'would format' if only_check else 'formatted'} {name}")
    bad = len({d.span.file if d.span is not None else "" for d in broken})
    parts = [f"{len(changed)} {'would change' if only_check or diff else 'changed'}"] if changed else []
    same = len(files) - len(changed) - bad
    parts += [f"{same} unchanged"] if same else []
    parts += [f"{bad} left alone for faults"] if bad else []
    if files != ["-"]:
        talk(", ".join(parts))


def _show_diff(name: str, text: str, result: str) -> None:
    lines = difflib.unified_diff(
        text.splitlines(keepends=True), result.splitlines(keepends=True), name, f"{name} (formatted)")
    for line in lines:
        click.echo(line if line.endswith("\n") else f"{line}\n\\ no newline at the end\n", nl=False)


def _read(file: str) -> str:
    if file == "-":
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
    else:
        if os.path.exists(file) and not os.path.isfile(file):
            raise Failure(f"`{file}` cannot be read: it is a pipe or device", code=INVALID)
        try:
            with open(file, "rb") as stream:
                data = stream.read(MAX_BYTES + 1)
        except OSError as problem:
            raise Failure(f"`{file}` cannot be read: {reason(problem)}", code=INVALID) from None
    if len(data) > MAX_BYTES:
        raise Failure(f"`{file}` is larger than {MAX_BYTES:,} bytes", code=INVALID)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        way = "save it as UTF-8; editors offer this as `Save with encoding`"
        raise Failure(f"`{file}` is not UTF-8", code=INVALID, help=way) from None


def _find(path: str) -> Iterator[str]:
    if path == "-" or not os.path.isdir(path):
        if not is_marker(path):
            yield path
        return
    empty = True
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in sorted(names):
            file = os.path.join(folder, name)
            if name.endswith((".yaml", ".yml")) and _is_ours(Path(file)):
                empty = False
                yield os.path.relpath(file) if path == "." else file
    if empty:
        raise Failure(f"there is no policy in `{path}`", code=INVALID,
                      help="a policy is a YAML file with a `policy:` key, a test file one with `test:`")


def _is_ours(file: Path) -> bool:
    if file.parent.name == "vocabularies":
        return True
    if file.exists() and not os.path.isfile(file):      # a pipe would wait for its writer
        return False
    try:
        with file.open("rb") as stream:
            return _OURS.search(stream.read(65_536)) is not None
    except OSError as problem:
        raise Failure(f"`{file}` cannot be read: {reason(problem)}", code=INVALID) from None
