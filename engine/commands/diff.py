"""`tierwise diff`: what does a change of policies do to the sample portfolios?"""
from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from engine.commands.common import INVALID, Failure, talk
from engine.commands.plugging import plugin_option
from engine.commands.policies import only_markers, show
from engine.commands.suites import loader, speaks, test_files
from engine.policytest import changes
from engine.policytest.changes import Changes, Side
from engine.policytest.model import Suite
from engine.policytest.report import MAX_NAMED, indented
from engine.policytest.suite import read_suite
from engine.policytest.verdicts import plural
from engine.portfolio.writing import json_text
from engine.render import visible
from engine.source.files import real
from engine.syntax.width import text_width

#: Changes only if a key changes its meaning.
VERSION = 1


@click.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path), default=".")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--explain/--no-explain", default=True, show_default=True,
              help="Explain the first customer decided otherwise, before and after.")
@click.option("--language", metavar="CODE", default="en", show_default=True, help="Of the explanations, as zh.")
@plugin_option
def command(before: Path, after: Path, form: str, explain: bool, language: str) -> int:
    """Tell what a change does to the sample portfolios.

    BEFORE holds the policies as they were, AFTER (the working folder, if left out) as they are: two folders with the
    same files in them, such as two checkouts, or two test files. The portfolios of the test files are decided on both
    sides; who is decided otherwise is told by outcome, and the first of them explained.

    Exits with 0 whatever changed, with 2 where a file of AFTER is invalid.
    """
    pairs = list(_pairs(before, after))
    if not pairs:
        raise only_markers((str(after),))
    load = loader()
    told: list[tuple[str, list[Changes]]] = []
    texts: list[str] = []
    invalid = compared = 0
    for old, new in pairs:
        suite = read_suite(new, load)
        if not suite.is_valid or suite.policy is None:
            show([d for d in suite.diagnostics if d.is_error], suite.sources, sys.stderr)
            invalid += 1
            continue
        if not suite.portfolios:
            continue
        speaks(suite.policy, language)
        was = _before(old, load) if old.is_file() else f"there is no `{visible(str(old))}`"
        found: list[Changes] = []
        for side, other in _sides(suite, was):
            change = changes.changes(side, other)
            found.append(change)
            if form == "text":
                texts.append(_told(suite.file, change))
                if explain and change.changed:
                    texts.append(indented(_explained(side, other, change, language)))
        compared += len(found)
        told.append((suite.file, found))
    if form == "json":
        click.echo(json_text({"version": VERSION, "files": [
            {"file": file, "portfolios": [_json(change) for change in found]} for file, found in told
        ]}, indent=2))
    else:
        click.echo("\n".join(texts), nl=False)
    if invalid:
        return INVALID
    if not told:
        raise Failure(f"no test file in `{after}` has a portfolio", code=INVALID,
                      help="name sample customers under `portfolios` in a test file")
    changed = sum(len(change.changed) for _, found in told for change in found)
    talk(f"{plural(compared, 'portfolio')} compared, {plural(changed)} decided otherwise")
    return 0


def _pairs(before: Path, after: Path) -> Iterator[tuple[Path, Path]]:
    """Test files as they were and as they are; those below `before` are not also taken as they are."""
    for place in (before, after):
        if not place.exists():
            raise Failure(f"there is no `{place}`", code=INVALID)
    if before.is_dir() != after.is_dir():
        raise click.UsageError("name two folders or two files")
    if after.is_dir():
        old = real(before)
        inside = old != real(after) and old.is_relative_to(real(after))
        for file in test_files(str(after)):
            if not (inside and real(file).is_relative_to(old)):
                yield before / os.path.relpath(file, after), file
    else:
        yield from zip(test_files(str(before)), test_files(str(after)), strict=False)


def _before(file: Path, load: Any) -> Suite | str:
    """A test file as it was, or why it is of no use."""
    suite = read_suite(file, load)
    if suite.is_valid:
        return suite
    first = next(d for d in suite.diagnostics if d.is_error)
    return f"`{visible(suite.file)}` was not valid: {first.message}"


def _sides(suite: Suite, was: Suite | str) -> Iterator[tuple[Side, Side]]:
    """The portfolios that there are on both sides; which there are not is told."""
    old = {} if isinstance(was, str) or was.policy is None else {
        p.name: Side(was.policy, p) for p in was.portfolios
    }
    for portfolio in suite.portfolios:
        assert suite.policy is not None                 # the suite is valid
        if portfolio.name in old:
            yield old[portfolio.name], Side(suite.policy, portfolio)
        else:
            why = was if isinstance(was, str) else f"`{visible(was.file)}` has no portfolio of this name"
            talk(f"note: {suite.file}: {visible(portfolio.name)} is not compared: {why}")


def _told(file: str, change: Changes) -> str:
    lines = [f"{file}: {visible(change.portfolio)}, as of {change.as_of}",
             f"  {len(change.changed):,} of {plural(change.both)} decided otherwise"]
    for what, keys in (("not there before", change.added), ("no longer there", change.gone),
                       ("with other data", change.moved)):
        if keys:
            lines.append(f"  {plural(len(keys))} {what}: {_named(keys)}")
    for what, names in (("new", change.new), ("gone", change.lost)):
        if names:
            lines.append(f"  {what}: {', '.join(map(visible, names))}")
    if change.moves:
        lines += ["", *_table([
            ("" if at and change.moves[at - 1].outcome == move.outcome else move.outcome, move.what,
             f"{len(move.keys):,}", _named(move.keys)) for at, move in enumerate(change.moves)
        ])]
    if change.totals:
        lines += ["", *_table([
            ("" if at else "in all", total.outcome, f"{total.before:,.0f} -> {total.after:,.0f}", "")
            for at, total in enumerate(change.totals)
        ])]
    return "\n".join(lines) + "\n"


def _table(rows: Sequence[tuple[str, str, str, str]]) -> Iterator[str]:
    widths = [max(text_width(visible(row[at])) for row in rows) for at in range(3)]
    for row in rows:
        first, second, third, last = map(visible, row)
        number = " " * (widths[2] - text_width(third)) + third
        padded = [cell + " " * (width - text_width(cell)) for cell, width in zip((first, second), widths, strict=False)]
        yield "  ".join(("", *padded, number, last)).rstrip()


def _named(keys: Sequence[str]) -> str:
    return ", ".join(map(visible, keys[:MAX_NAMED])) + (", ..." if len(keys) > MAX_NAMED else "")


def _explained(before: Side, after: Side, change: Changes, language: str) -> str:
    first = change.changed[0]
    return "\n".join(
        f"{visible(first.key)}, {when}\n{side.explanation(given, first.decisions, language).rstrip()}\n"
        for when, side, given in (("before", before, first.before), ("after", after, first.after))
    )


def _json(change: Changes) -> dict[str, Any]:
    return {
        "portfolio": change.portfolio, "as_of": change.as_of.isoformat(), "customers": change.both,
        "changed": [c.key for c in change.changed],
        "moves": [{"outcome": m.outcome, "what": m.what, "customers": list(m.keys)} for m in change.moves],
        "totals": [{"outcome": t.outcome, "before": t.before, "after": t.after} for t in change.totals],
        "added": list(change.added), "gone": list(change.gone), "other_data": list(change.moved),
        "new_outcomes": list(change.new), "lost_outcomes": list(change.lost),
    }
