"""`tierwise check`: what is wrong in policies."""
from __future__ import annotations

import sys
from functools import partial
from importlib import import_module
from pathlib import Path

import click

from engine.cache import Remembered
from engine.checking import findings
from engine.commands.common import FINDINGS, talk
from engine.commands.plugging import named_for, plugin_option, plugins_for
from engine.commands.policies import TESTS, find, is_deployment, is_marker, is_report, markers, show
from engine.diagnostics import Diagnostic, Problem
from engine.render import render_json, render_sarif, summary


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", show_default=True)
@click.option("--strict", is_flag=True, help="Warnings count as findings too.")
@click.option("--warnings/--no-warnings", default=True, show_default=True, help="Show warnings.")
@click.option("--fix", is_flag=True, help="First mend what is mechanical, in the files named.")
@click.option("--diff", is_flag=True, help="With --fix: change nothing, show what would change first.")
@click.option("--deployment", metavar="FILE",
              help="Hold the policies against a deployment, too: its sources and models are opened.")
@plugin_option
def command(
    paths: tuple[str, ...], form: str, strict: bool, warnings: bool, fix: bool, diff: bool, deployment: str | None
) -> int:
    """Find what is wrong in policies.

    PATH is a policy, or a folder whose policies and deployment files are all checked, those in folders below it too; a
    test file is checked against its policy, a project file `tierwise.yaml` for what it names, a deployment file or the
    description of a report by itself. Exits with 1 where an error was found, with --strict a warning too.
    """
    projects = list(dict.fromkeys(found for path in paths for found in markers(path)))
    files = list(dict.fromkeys(found for path in paths if path not in projects for found in find(path)))
    if diff and not fix:
        raise click.UsageError("--diff goes with --fix; `tierwise fmt --diff` shows what formatting would change")
    if fix:
        fixing = import_module("engine.commands.fixing")
        mends = sum((fixing.show_fixes if diff else fixing.fix)(file, check_file) for file in files)
        if diff:
            return FINDINGS if mends else 0
    found: list[Diagnostic] = []
    sources: dict[str, str] = {}
    right: list[str] = []
    for file in (*projects, *files):
        checked = check_file(file)
        found += checked.diagnostics
        sources |= checked.sources
        if _is_policy(file) and not any(d.is_error for d in checked.diagnostics):
            right.append(file)
    if deployment is not None:
        if not any(map(_is_policy, files)):
            raise click.UsageError("--deployment holds policies against a deployment, and no PATH is a policy")
        held = [_deployment(deployment)]
        if not held[0].diagnostics:
            held += (_unfit(file, deployment) for file in right)
        for checked in held:
            found += checked.diagnostics
            sources |= checked.sources
    # a policy that two others use is checked with each, and told once
    diagnostics = list(dict.fromkeys(d for d in found if warnings or d.is_error))
    if form == "json":
        click.echo(render_json(diagnostics), nl=False)
    elif form == "sarif":
        click.echo(render_sarif(diagnostics), nl=False)
    else:
        show(diagnostics, sources, sys.stdout)
        if not diagnostics:
            policies = [file for file in files if _is_policy(file) or file.endswith(TESTS)]
            what = f"{len(policies)} {'policy' if len(policies) == 1 else 'policies'}" if policies else [
                *projects, *files
            ][0]
            talk(f"{what}: {summary(diagnostics)}")
    return FINDINGS if any(strict or d.is_error for d in diagnostics) else 0


def check_file(file: str) -> Remembered:
    if is_marker(file):
        return _project(file)
    if file.endswith(TESTS):
        return _cases(file)
    if is_report(file):
        return _report(file)
    return _deployment(file) if is_deployment(file) else findings(file, named_for(file))


def _is_policy(file: str) -> bool:
    other = is_marker(file) or is_deployment(file) or is_report(file)
    return not other and not file.endswith(TESTS)


def _unfit(file: str, deployment: str) -> Remembered:
    """What of a deployment does not fit a policy that is right by itself. Its sources are asked what they have, and
    nothing of any customer; one that cannot be opened ends the command."""
    policy = import_module("engine.policy").load_policy(file, named_for(file))
    deploying = import_module("engine.deploy.deployment")
    plugins = plugins_for(deployment)
    try:
        with deploying.OpenDeployment(deployment, plugins) as opened:
            opened.check(policy)
    except Problem as problem:
        return Remembered(problem.diagnostics, {**policy.sources, **getattr(problem, "sources", {})})
    except import_module("engine.policy").PolicyError as problem:
        return Remembered(problem.diagnostics, problem.sources)
    except import_module("engine.runs").DataProblem as problem:
        raise import_module("engine.commands.reading").data_failure(problem) from None
    return Remembered((), {})


def _deployment(file: str) -> Remembered:
    """What is wrong in a deployment file by itself; `--deployment` holds it against policies."""
    try:
        found, sources = import_module("engine.deploy.checking").check(file, plugins_for(file))
    except Problem as problem:                          # a plugin that cannot be used
        return Remembered(problem.diagnostics, getattr(problem, "sources", {}))
    return Remembered(tuple(found), sources)


def _report(file: str) -> Remembered:
    """What is wrong in a report's description by itself; its columns are held against the data when it is made."""
    try:
        import_module("engine.report.spec").read_spec(file)
    except Problem as problem:
        return Remembered(problem.diagnostics, getattr(problem, "sources", {}))
    return Remembered((), {})


def _project(file: str) -> Remembered:
    """What is wrong in a project file; one without a word in it, as most are, needs no reader."""
    with open(file, "rb") as stream:
        if not any(line.strip() and not line.lstrip().startswith(b"#") for line in stream):
            return Remembered((), {})
    try:
        import_module("engine.hooks").Plugins(project=Path(file)).find()
    except Problem as problem:
        return Remembered(problem.diagnostics, getattr(problem, "sources", {}))
    return Remembered((), {})


def _cases(file: str) -> Remembered:
    """What is wrong in a test file; reading one takes the evaluators, which policies alone do not need."""
    load = partial(import_module("engine.policy").load_policy, plugins=named_for(file))
    suite = import_module("engine.policytest.suite").read_suite(Path(file), load)
    return Remembered(suite.diagnostics, suite.sources)
