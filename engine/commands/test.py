"""`tierwise test`: do policies decide their cases as stated?"""
from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from engine.commands.common import BAD_DATA, FINDINGS, INVALID, Failure, paint, talk
from engine.commands.plugging import plugin_option
from engine.commands.policies import only_markers, show
from engine.commands.suites import loader, speaks, test_files
from engine.policy import Policy
from engine.policytest.model import Case, Expectation, Lacking
from engine.policytest.report import MAX_NAMED, Outcome, as_junit, closing, failure, headline, indented, json_report
from engine.policytest.running import Result
from engine.policytest.session import ENGINES, run_suite
from engine.policytest.suite import read_suite
from engine.policytest.verdicts import Verdict, plural
from engine.portfolio.problems import reason
from engine.render import visible
from engine.source.files import real


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option("--format", "form", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True)
@click.option("--junit", metavar="FILE", help="Also write JUnit XML here.")
@click.option("-k", "part", metavar="TEXT", help="Only cases and expectations whose file, table or name holds TEXT.")
@click.option(
    "--engine", type=click.Choice(ENGINES), default="python", show_default=True,
    help="python and reference decide one by one, duckdb all in one query; python is checked against the reference.",
)
@click.option("--fail-fast", is_flag=True, help="Stop at the first that fails.")
@click.option("--language", metavar="CODE", default="en", show_default=True, help="Of the explanations, as zh.")
@plugin_option
def command(
    paths: tuple[str, ...], form: str, junit: str | None, part: str | None, engine: str, fail_fast: bool, language: str
) -> int:
    """Decide the cases of test files and compare.

    Portfolios of test files are decided too, and what must hold of them is judged.

    PATH is a test file, a policy with its test file beside it, or a folder whose test files (NAME.test.yaml) are all
    run, those in folders below it too; the working folder if none is named. What DuckDB does not carry out is told by
    place and counted as not columnar.

    Exits with 1 where a case or expectation failed, with 2 where a test file or its policy is invalid.
    """
    files = list({real(found): found for path in paths or (".",) for found in test_files(path)}.values())
    if not files:
        raise only_markers(paths)
    outcomes: list[Outcome] = []
    load = loader()
    for file in files:
        outcome = _run(file, load, part, engine, fail_fast, language)
        outcomes.append(outcome)
        show([d for d in outcome.suite.diagnostics if d.is_error], outcome.suite.sources, sys.stderr)
        if form == "text":
            for result in outcome.failed:
                _tell(result, language)
            for verdict in outcome.verdicts:
                for note in verdict.notes:
                    talk(f"note: {headline(verdict)}: {visible(note)}")
        for lacking in outcome.lacking:
            talk(f"not columnar in {file}: {_counted(lacking)}")
            show(lacking.diagnostics, outcome.suite.policy.sources if outcome.suite.policy else {}, sys.stderr)
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


def _run(
    file: Path, load: Callable[[Path], Policy], part: str | None, engine: str, fail_fast: bool, language: str
) -> Outcome:
    suite = read_suite(file, load)
    if not suite.is_valid or suite.policy is None:
        return Outcome(suite, (), 0.0)
    speaks(suite.policy, language)

    def wanted(about: Case | Expectation) -> bool:
        return part is None or part.casefold() in f"{suite.file} {about.name}".casefold()

    try:
        return run_suite(suite, wanted, fail_fast, engine)
    except ModuleNotFoundError as problem:
        if problem.name not in ("duckdb", "sqlglot"):
            raise
        way = "install `tierwise[duckdb]`"
        raise Failure("DuckDB is not installed", code=INVALID, help=way) from None


def _counted(lacking: Lacking) -> str:
    """`2 cases: a, b`."""
    names = [visible(i.name) for i in lacking.items]
    more = f" and {len(names) - MAX_NAMED:,} more" if len(names) > MAX_NAMED else ""
    kind = "case" if isinstance(lacking.items[0], Case) else "expectation"
    return f"{plural(len(names), kind)}: {', '.join(names[:MAX_NAMED])}{more}"


def _tell(result: Result | Verdict, language: str) -> None:
    click.echo(f"{paint('failed', sys.stdout, fg='red', bold=True)} {headline(result)}")
    click.echo(indented(failure(result, language)))


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as problem:
        raise Failure(f"`{path}` cannot be written: {reason(problem)}", code=BAD_DATA) from None
