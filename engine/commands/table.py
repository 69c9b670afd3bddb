"""`tierwise table`: grids to sheets of an xlsx file, and back."""
from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from engine.commands.check import check_file
from engine.commands.common import BAD_DATA, FINDINGS, INVALID, Failure, talk
from engine.commands.fmt import write
from engine.commands.policies import TESTS, invalid, show
from engine.diagnostics import Diagnostic, Problem
from engine.portfolio.problems import reason
from engine.render import visible
from engine.source.nodes import load_file
from engine.tables.book import read_book, written
from engine.tables.importing import Brought, bring
from engine.tables.model import Source, called, source


@click.group()
def command() -> None:
    """Take grids to a spreadsheet and back."""


@command.command("export")
@click.argument("policy")
@click.argument("book", metavar="OUT.xlsx")
@click.option("--force", is_flag=True, help="Replace OUT.xlsx where it is there already.")
def export(policy: str, book: str, force: bool) -> int:
    """Write grids, scorecards and parameters as sheets.

    POLICY is a policy, whose test file beside it comes along, or a test file. Every cell is text, so that a
    spreadsheet leaves it alone; `||` is a column of its own.
    """
    sources = _sources(policy)
    broken = [place for each in sources for place in each.unreadable]
    if broken:
        raise Failure(f"the grid `{called(broken[0].path)}` has faults", code=INVALID,
                      help=f"`tierwise check {policy}` says which")
    sheets = [sheet for each in sources for sheet in each.sheets]
    if not sheets:
        raise Failure(f"`{policy}` holds no grid and no parameter", code=INVALID)
    if os.path.exists(book) and not force:
        raise Failure(f"`{book}` is there already", code=INVALID, help="name another file, or give --force")
    try:
        data = written(sheets)
    except Problem as problem:
        raise _failure(problem) from None
    _write_bytes(book, data)
    talk(f"{_count(len(sheets), 'sheet')} in {visible(book)}; next: tierwise table import {policy} {book}")
    return 0


@command.command("import")
@click.argument("policy")
@click.argument("book", metavar="IN.xlsx")
@click.option("--fix", is_flag=True, help="Mend what the spreadsheet did to cells, where what was meant is certain.")
@click.option("--diff", is_flag=True, help="Change nothing; show what would change.")
def import_(policy: str, book: str, fix: bool, diff: bool) -> int:
    """Write the grids that changed in a spreadsheet back into the policy.

    Only these change in the file. What the spreadsheet did to a cell (a date, `1E3`, curly quotes, TRUE) is
    named with its place and keeps all from being written. The policy is checked afterwards: where it has errors it
    is put back as it was, new warnings are shown.
    """
    sources = _sources(policy)
    try:
        brought = bring(read_book(Path(book), book), sources, book, fix)
    except Problem as problem:
        raise _failure(problem) from None
    for mend in brought.mended:
        talk(visible(f"fixed {mend.message}; taken as `{mend.help}`"))
    if brought.findings:
        show(brought.findings, {}, sys.stdout)
        talk("nothing was written")
        return FINDINGS
    for title in brought.strange:
        talk(visible(f"the sheet `{title}` is no grid of the policy and was passed over"))
    for title in brought.absent:
        talk(visible(f"there is no sheet `{title}`; its grid stays as it is"))
    if not brought.texts:
        talk("no grid changed")
        return 0
    folder = os.path.dirname(policy)
    if diff:
        for each in sources:
            if each.name in brought.texts:
                old, new = each.document.text, brought.texts[each.name]
                name = os.path.join(folder, each.name)
                lines = difflib.unified_diff(
                    old.splitlines(keepends=True), new.splitlines(keepends=True), name, f"{name} (imported)")
                click.echo("".join(lines), nl=False)
        return FINDINGS
    return _put(brought, folder)


def _put(brought: Brought, folder: str) -> int:
    """Write the files and check them; on errors put the former ones back."""
    former: dict[str, bytes] = {}
    found: list[Diagnostic] = []
    texts: dict[str, str] = {}
    paths = [os.path.join(folder, name) for name in brought.texts]
    before = {_told(d) for path in paths for d in check_file(path).diagnostics}
    try:
        for path, text in zip(paths, brought.texts.values(), strict=True):
            former[path] = Path(path).read_bytes()
            write(path, text)
        for path in paths:
            checked = check_file(path)
            found += checked.diagnostics
            texts |= checked.sources
            if any(d.is_error for d in checked.diagnostics):
                break
    except BaseException:
        _restore(former)
        raise
    errors = [d for d in found if d.is_error]
    if errors:
        places = _places(errors, paths)
        _restore(former)
        show(errors, texts, sys.stdout)
        where = f" in {', '.join(f'`{title}`' for title in places)}" if places else ""
        talk(visible(f"the sheets give a policy with errors{where}, so the files were left as they were"))
        return FINDINGS
    new = [d for d in dict.fromkeys(found) if _told(d) not in before]
    if new:
        show(new, texts, sys.stdout)
    talk(visible(f"changed {', '.join(f'`{t}`' for t in brought.changed)} in {', '.join(former)}"))
    return 0


def _told(found: Diagnostic) -> tuple[str, str]:
    """A finding without its place, which moves with the lines above it."""
    return found.code, found.message


def _places(errors: Sequence[Diagnostic], paths: Sequence[str]) -> list[str]:
    """The sheets in which errors of the files just written lie."""
    titles: dict[str, None] = {}
    taken: set[str] = set()
    for path in paths:
        try:
            held = source(load_file(path, path), os.path.basename(path), taken)
        except Problem:
            continue                                    # its errors say so
        for sheet in held.sheets:
            place = held.grids.get(sheet.place)
            lines = place.scalar.span if place is not None else None
            if lines is not None and any(
                    d.span is not None and os.path.realpath(d.span.file) == os.path.realpath(path)
                    and lines.line <= d.span.line <= lines.end_line for d in errors):
                titles[sheet.title] = None
    return list(titles)


def _restore(former: dict[str, bytes]) -> None:
    for path, data in former.items():
        _write_bytes(path, data)


def _sources(policy: str) -> list[Source]:
    """The files of a policy that hold grids: itself, and the test file beside it."""
    if os.path.isdir(policy):
        raise Failure(f"`{policy}` is a folder", code=INVALID, help="name one version's file in it")
    paths = [policy]
    stem, ending = os.path.splitext(policy)
    if not policy.endswith(TESTS):
        paths += [path for path in (f"{stem}.test{ending}",) if os.path.isfile(path)]
    found: list[Source] = []
    taken: set[str] = set()
    for path in paths:
        read: list[bytes] = []
        try:
            document = load_file(path, path, read.append)
        except Problem as problem:
            raise invalid(list(problem.diagnostics), {path: b"".join(read).decode("utf-8", "replace")}) from None
        errors: list[Diagnostic] = [d for d in document.problems if d.is_error]
        if errors:
            raise invalid(errors, {path: document.text})
        found.append(source(document, os.path.basename(path), taken))
    return found


def _failure(problem: Problem) -> Failure:
    first = problem.diagnostics[0]
    return Failure(first.message, code=BAD_DATA, help=first.help)


def _write_bytes(path: str, data: bytes) -> None:
    """Write a whole file or none."""
    folder, name = os.path.split(os.path.abspath(path))
    temporary = os.path.join(folder, f".{name}.{os.urandom(4).hex()}.part")
    try:
        with open(temporary, "xb") as stream:
            stream.write(data)
        if os.path.exists(path):
            os.chmod(temporary, os.stat(path).st_mode & 0o777)
        os.replace(temporary, path)
    except OSError as problem:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise Failure(f"`{path}` cannot be written: {reason(problem)}", code=BAD_DATA) from None


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


