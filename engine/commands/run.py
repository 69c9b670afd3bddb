"""`tierwise run`: decide a portfolio.

Every row of the data comes out once: decided, open or refused, with its line. A bad row is
told on standard error and the others are decided.
"""
from __future__ import annotations

import datetime
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from engine.commands.common import FINDINGS, Date, talk
from engine.commands.console import Console, counts
from engine.commands.loading import open_policy
from engine.commands.plugging import plugin_option
from engine.commands.policies import invalid
from engine.commands.reading import data_failure
from engine.diagnostics import Problem
from engine.ir import nodes as ir
from engine.policy import Policy
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import EXTRAS, KEEP, PART_ROWS, REFUSE, STOP, USUAL_EXTRAS, Options, Request, Summary
from engine.portfolio.running import ENGINES, SPARK, supplied
from engine.portfolio.running import run as carry_out
from engine.portfolio.shared import Usage, programs_of
from engine.render import visible

#: What the reserved reasons say in the summary.
_RESERVED = {
    "MISSING": "Data that a decision needs are missing",
    "UNDEFINED": "An expression has no value for the data given",
}
_FORMATS = ("csv", "jsonl", "parquet", "xlsx")
_SKIP = "skip"


class _Named(click.ParamType):  # type: ignore[type-arg]
    """`NAME=FILE`."""

    name = "NAME=TABLE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, sign, path = value.partition("=")
        if not sign or not name.strip() or not path:
            self.fail(f"`{value}` is not of the form NAME=TABLE", param, ctx)
        return " ".join(name.split()), path


class _Delimiter(click.ParamType):  # type: ignore[type-arg]
    """One character, or the word `tab`."""

    name = "CHAR"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        found = {"tab": "\t", "\\t": "\t"}.get(value, value)
        if len(found) != 1 or found in '"\r\n\0 ':
            self.fail(f"`{value}` is not one character or `tab`", param, ctx)
        return str(found)


class _Extras(click.ParamType):  # type: ignore[type-arg]
    """Some of `EXTRAS`, with commas between them."""

    name = "LIST"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        found = [word.strip() for word in value.split(",") if word.strip()]
        for word in found:
            if word not in EXTRAS and word != "none":
                self.fail(f"`{word}` is not one of {', '.join(EXTRAS)}, or none", param, ctx)
        return tuple(word for word in found if word != "none")


class _Share(click.ParamType):  # type: ignore[type-arg]
    """A share: `0.05` or `5%`."""

    name = "SHARE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+) ?(%?)", value, re.ASCII)
        share = float(match[1]) / (100 if match[2] else 1) if match else -1.0
        if not 0 <= share <= 1:
            self.fail(f"`{value}` is not a share such as `0.05` or `5%`", param, ctx)
        return share


class _Memory(click.ParamType):  # type: ignore[type-arg]
    """An amount of memory: `500MB`."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not re.fullmatch(r"\d+(\.\d+)? ?([KMGT]i?B)", value, re.ASCII | re.IGNORECASE):
            self.fail(f"`{value}` is not an amount of memory such as `500MB` or `4GB`", param, ctx)
        return str(value)


_CHOICE = click.Choice([KEEP, REFUSE, STOP])


@click.command()
@click.argument("policy", metavar="POLICY")
@click.argument("data", metavar="[DATA]", required=False)
@click.option("--deployment", metavar="FILE", help="Where data come from. [default, without DATA: as the project says]")
@click.option("--as-of", type=Date(), help="The date of the decisions. [default: today]")
@click.option("--history", "histories", type=_Named(), multiple=True, help="An event table for a history, many times.")
@click.option("--previous", metavar="TABLE", help="Results of an earlier run, for what the policy reads of `previous`.")
@click.option("--previous-as-of", type=Date(), help="The date of that run, where its rows do not say it as `as of`.")
@click.option("-o", "--output", "out", metavar="PLACE",
              help="Where the results go. [default: the deployment's output, or -]")
@click.option("--format", "form", type=click.Choice(_FORMATS), help="Of the results. [default: by name]")
@click.option("--input-format", type=click.Choice(["csv", "jsonl", "parquet"]), help="Of files. [default: by name]")
@click.option("--engine", type=click.Choice(ENGINES), help="Who decides. [default: duckdb, python for small files]")
@click.option("--master", metavar="URL", help="Of Spark, as spark://host:7077 or yarn. [default: local[*]]")
@click.option("--only", multiple=True, metavar="DECISION", help="Give this decision or feature alone; many times.")
@click.option("--with", "extras", type=_Extras(), default=",".join(USUAL_EXTRAS), show_default=True,
              help=f"What stands beside the outcomes: {', '.join(EXTRAS)}, or none.")
@click.option("--where", metavar="FEEL", help="Decide only rows for which this condition over the inputs is true.")
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help="Decide no more than so many rows.")
@click.option("--actions", metavar="FILE", help="Also write the actions here, one a row, as CSV or JSON lines.")
@click.option("--ledger", metavar="FILE", help="Give each action with `once per` out once; FILE keeps which were.")
@click.option("--portfolio", metavar="FILE", help="Also write the values over all customers, as CSV or JSON lines.")
@click.option("--rejects", metavar="FILE", help="Also write refused rows here, as CSV with line, key and problem.")
@click.option("--strict", is_flag=True, help="Stop at the first refused row.")
@click.option("--max-refused", type=_Share(), help="Give no result where a larger share of the rows is refused.")
@click.option("--on-repeated-key", type=_CHOICE, default=KEEP, show_default=True,
              help="Rows whose key an earlier row has.")
@click.option("--on-null-key", type=_CHOICE, default=KEEP, show_default=True, help="Rows without a key.")
@click.option("--on-orphan", type=click.Choice([KEEP, STOP]), default=KEEP, show_default=True,
              help="Events of nobody in DATA.")
@click.option("--on-keyless-event", type=click.Choice([_SKIP, STOP]), default=STOP, show_default=True,
              help="Events without a key.")
@click.option("--run-id", metavar="NAME", help="Write parts to the folder of --output; a killed run goes on.")
@click.option("--part-rows", type=click.IntRange(min=1), default=PART_ROWS, show_default=True, metavar="N",
              help="Rows of a part.")
@click.option("--memory-limit", type=_Memory(), help="What the database may take before it uses the disk.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Of the database. [default: all cores]")
@click.option("--encoding", metavar="NAME", help="Of text files. [default: utf-8, or as a byte-order mark says]")
@click.option("--delimiter", type=_Delimiter(), help="Of CSV. [default: a comma, a tab in .tsv]")
@click.option("--missing", multiple=True, metavar="TEXT", help="A text that means missing, as NA; many times.")
@click.option("--date-format", metavar="FORM", help="Of dates that are not ISO, as %d.%m.%Y.")
@click.option("--summary/--no-summary", default=True, show_default=True, help="Show counts when done.")
@plugin_option
def command(
    policy: str, engine: str | None, input_format: str | None, encoding: str | None, delimiter: str | None,
    as_of: datetime.date | None, summary: bool, data: str | None, out: str | None, deployment: str | None, **given: Any,
) -> int:
    """Decide a portfolio.

    DATA is CSV or JSON lines (`.gz` read through), `-` for standard input, Parquet (a file, a pattern, a folder of
    partitions), a workbook (`book.xlsx::sheet`), a table or query of a DuckDB database (`file.duckdb::table`) or of
    PostgreSQL (`postgresql://host/db::table`, or `env:NAME::table` with the connection string in a variable); in Spark
    Parquet anywhere that Spark reads, as `hdfs://`. Results go to the same kinds of places. A column is bound to the
    input of its name, of the name with underscores, or to the one whose `column` names it. Each row gives one row: its
    line and key, whether it is decided, open or refused, the outcomes, reasons, open decisions, and what was missing.
    Exits with 1 where rows were refused, with 3 where data cannot be read at all.

    With --deployment, the sources that it names give the inputs and histories that DATA and --history do not; without
    DATA they give the customers too. A row then tells in `failures` which sources failed for it.
    """
    place = deployment or (import_module("engine.commands.deploying").of_project(policy) if data is None else None)
    if data is None and place is None:
        raise click.UsageError("name the DATA, or a `--deployment` that gives the customers")
    options = Options(input_format, encoding, delimiter)
    request = Request(data or "", as_of or datetime.date.today(), out=out or "-", options=options).replace(**given)
    if request.read.count("-") > 1:
        raise click.UsageError("standard input can be read once only")
    _keep_apart([request.out, request.rejects, request.actions, request.ledger, request.portfolio], request.read)
    loaded = open_policy(policy)
    console = Console()
    models = any(version.program.models for version in loaded.versions)
    if place is None and models:                        # whose scorers the project's deployment may well have
        place = import_module("engine.commands.deploying").of_project(policy)
    if place is None:
        found = _carried_out(loaded, request, console, engine)
    else:
        with import_module("engine.commands.deploying").opened(place, loaded) as deployed:
            if deployment is None and data is not None:
                deployed.bind(loaded)
            else:
                request = _supplied(loaded, request, deployed, out is None)
            found = _carried_out(loaded, request, console, engine)
    _tell(found, console, loaded, request, summary)
    return FINDINGS if found.refused else 0


def _supplied(policy: Policy, request: Request, deployment: Any, output: bool) -> Request:
    try:
        return supplied(policy, request, deployment, output)
    except Usage as problem:
        raise click.UsageError(str(problem)) from None


def _carried_out(policy: Policy, request: Request, console: Console, engine: str | None) -> Summary:
    """What the run came to; what ends it ends the command."""
    try:
        return carry_out(policy, request, console, engine)
    except DataProblem as problem:
        console.clear()
        raise data_failure(problem) from None
    except Usage as problem:
        raise click.UsageError(str(problem)) from None
    except Problem as problem:                          # a condition with errors, or what SQL does not carry out
        raise _findings(problem, policy, engine) from None


def _tell(found: Summary, console: Console, policy: Policy, request: Request, summary: bool) -> None:
    console.rest(found.refused)
    for note in found.notes:
        console.note(note)
    talk(counts({"decided": found.decided, "open": found.open, "refused": found.refused}))
    if summary:
        from engine.commands.tally import show  # noqa: PLC0415 - after the last row is out

        programs = programs_of(policy, request)
        show(found, sys.stderr, {r.code: plain_text(r) for p in programs for r in p.reasons} | _RESERVED)
        talk(f"\n{found.seconds:.1f} s, decided by {found.engine}")


def _findings(problem: Problem, policy: Policy, engine: str | None) -> click.exceptions.Exit:
    """Findings as the end of the command; what an engine does not carry out, another does."""
    other = "leave `--engine spark` out" if engine == SPARK else "add `--engine python`"
    sources = {**policy.sources, **getattr(problem, "sources", {})}
    told = [
        d.replace(help=f"{other}, or write the rule without it") if d.code == "E0801" else d
        for d in problem.diagnostics
    ]
    return invalid(told, sources)


def _keep_apart(places: Sequence[str | None], read: Sequence[str]) -> None:
    """Raise a usage error where results would replace what they are made from, or each other."""
    written = [path for path in places if path is not None and path != "-"]
    for path in written:
        if any(other != "-" and (path == other or _same(path, other)) for other in read):
            raise click.UsageError(f"`{visible(path)}` is read, and would be replaced by the results")
    for place, path in enumerate(written):
        if any(path == other or _same(path, other) for other in written[:place]):
            raise click.UsageError(f"`{visible(path)}` cannot take two of the results and what else is written")


def _same(one: str, other: str) -> bool:
    try:
        return os.path.isfile(one) and os.path.samefile(one, other)
    except (OSError, ValueError):
        return False


def plain_text(reason: ir.ReasonDecl) -> str:
    """A reason's first text without the values that stand in it for one customer or another."""
    parts = reason.texts[0][1] if reason.texts else ()
    text = "".join(part if isinstance(part, str) else "\0" for part in parts)
    text = re.sub(r"\s*[(（][^()（）]*\0[^()（）]*[)）]", "", text)
    return " ".join(text.replace("\0", "…").split())

