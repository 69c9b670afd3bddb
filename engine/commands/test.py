"""`tierwise test`: do policies decide their cases as stated?"""
from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from engine.commands.common import BAD_DATA, FINDINGS, INVALID, Failure, paint, talk
from engine.commands.policies import show
from engine.explain.phrases import LANGUAGES
from engine.keeping import keep, kept
from engine.policy import Policy, load_policy
from engine.policytest.report import Outcome, as_junit, closing, failure, headline, indented, json_report
from engine.policytest.running import Result
from engine.policytest.session import run_suite
from engine.policytest.suite import ENDINGS, is_test, read_suite
from engine.policytest.verdicts import Verdict
from engine.portfolio.problems import reason
from engine.render import visible
from engine.source.files import real


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option("--format", "form", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True)
@click.option("--junit", metavar="FILE", help="Also write JUnit XML here.")
@click.option("-k", "part", metavar="TEXT", help="Only cases and expectations whose file, table or name holds TEXT.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first that fails.")
@click.option("--language", metavar="CODE", default="en", show_default=True, help="Of the explanations, as zh.")
def command(
    paths: tuple[str, ...], form: str, junit: str | None, part: str | None, fail_fast: bool, language: str
) -> int:
    """Decide the cases of test files and compare; decide their portfolios and judge what must hold of them.

    PATH is a test file, a policy with its test file beside it, or a folder whose test files (NAME.test.yaml) are all
    run, those in folders below it too; the working folder if none is named. Each case is decided by both evaluators.
    Exits with 1 where a case or expectation failed, with 2 where a test file or its policy is invalid.
    """
    files = list({real(found): found for path in paths or (".",) for found in _find(path)}.values())
    outcomes: list[Outcome] = []
    load = _loader()
    for file in files:
        outcome = _run(file, load, part, fail_fast, language)
        outcomes.append(outcome)
        show([d for d in outcome.suite.diagnostics if d.is_error], outcome.suite.sources, sys.stderr)
        if form == "text":
            for result in outcome.failed:
                _tell(result, language)
            for verdict in outcome.verdicts:
                for note in verdict.notes:
                    talk(f"note: {headline(verdict)}: {visible(note)}")
        if fail_fast and (outcome.failed or not outcome.suite.is_valid):
            break
    if part is not None and not any(o.all for o in outcomes) and all(o.suite.is_valid for o in outcomes):
        raise Failure(f"no case or expectation holds `{visible(part)}` in its name", code=INVALID)
    if junit is not None:
        _write(junit, as_junit(outcomes, language))
    if form == "json":
        click.echo(json_report(outcomes, language))
    elif form == "junit":
        click.echo(as_junit(outcomes, language), nl=False)
    bad = any(o.failed for o in outcomes)
    invalid = not all(o.suite.is_valid for o in outcomes)
    talk(paint(closing(outcomes), sys.stderr, fg="red" if bad or invalid else "green", bold=True))
    return INVALID if invalid else FINDINGS if bad else 0


def _run(file: Path, load: Callable[[Path], Policy], part: str | None, fail_fast: bool, language: str) -> Outcome:
    suite = read_suite(file, load)
    if not suite.is_valid or suite.policy is None:
        return Outcome(suite, (), 0.0)
    stated = (known for v in suite.policy.versions for r in v.program.reasons for known, _ in r.texts)
    if language not in (*LANGUAGES, *stated):
        raise click.UsageError(f"`{suite.policy.name}` has no explanations in `{visible(language)}`")
    return run_suite(suite, lambda c: part is None or part.casefold() in f"{suite.file} {c.name}".casefold(), fail_fast)


def _loader() -> Callable[[Path], Policy]:
    """Loads each policy once, unchanged ones from where they were kept."""
    loaded: dict[Path, Policy] = {}

    def load(path: Path) -> Policy:
        key = real(path)
        if key not in loaded:
            name = os.fspath(path)
            found = kept(name)
            if found is None:
                found = load_policy(path)
                keep(name, found)
            loaded[key] = found
        return loaded[key]

    return load


def _find(path: str) -> Iterator[Path]:
    """The test files at a path."""
    place = Path(path)
    if not place.is_dir():
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


def _tell(result: Result | Verdict, language: str) -> None:
    click.echo(f"{paint('failed', sys.stdout, fg='red', bold=True)} {headline(result)}")
    click.echo(indented(failure(result, language)))


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as problem:
        raise Failure(f"`{path}` cannot be written: {reason(problem)}", code=BAD_DATA) from None
