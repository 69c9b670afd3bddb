"""`tierwise report`: one page about a decided portfolio."""
from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from engine.commands.common import INVALID, Failure, talk
from engine.commands.plugging import plugin_option, plugins_for, tell_broken
from engine.commands.policies import invalid
from engine.commands.reading import data_failure
from engine.diagnostics import Problem
from engine.policy import PolicyError
from engine.portfolio.problems import DataProblem
from engine.portfolio.writing import json_text
from engine.portfolio.writing import output as written
from engine.render import visible


@click.command()
@click.argument("spec", metavar="REPORT.yaml")
@click.option("-o", "--output", default="-", metavar="FILE", help="`-` is standard output.")
@click.option("--results", "made", metavar="DIR", help="Where the results of runs are. [default: beside REPORT.yaml]")
@click.option("--format", "form", type=click.Choice(["html", "json"]),
              help="[default: by the name of the file, or html]")
@plugin_option
@click.option("--language", default="en", show_default=True, metavar="CODE", help="Of headings and reasons: en or zh.")
def command(spec: str, output: str, made: str | None, form: str | None, language: str) -> int:
    """Tell a decided portfolio on one page.

    REPORT.yaml says which results of `tierwise run` it is about, what stands beside them, and by which columns
    customers are grouped. The page is one HTML file that needs no network; `--format json` gives the same as data.
    """
    if language.split("-")[0] not in ("en", "zh"):
        raise click.UsageError(f"there is no report in `{language}`, choose en or zh")
    try:
        reading: Any = import_module("engine.report.spec")
        making: Any = import_module("engine.report.making")
        page: Any = import_module("engine.report.page")
        charts: Any = import_module("engine.report.charts")
    except ImportError as problem:
        raise Failure(f"a report needs `{problem.name}`", code=INVALID, help='pip install "tierwise[report]"') from None
    plugins = plugins_for(spec)
    chosen = form or ("json" if output.endswith(".json") else "html")
    try:
        wanted = reading.read_spec(spec, made)
        report = making.make(wanted, language, plugins.report_sections() if wanted.sections else None)
        text = json_text(making.plain(report), indent=2) + "\n" if chosen == "json" else page.html(report)
        with written(output) as stream:
            stream.write(text)
    except Problem as problem:
        tell_broken(plugins)
        raise invalid(problem.diagnostics, getattr(problem, "sources", {})) from None
    except PolicyError as problem:
        raise invalid(problem.diagnostics, problem.sources) from None
    except DataProblem as problem:
        raise data_failure(problem) from None
    except charts.ChartsMissing as problem:
        raise Failure(str(problem), code=INVALID) from None
    if output != "-":
        talk(f"{len(report.sections)} sections in {visible(output)}")
    return 0
