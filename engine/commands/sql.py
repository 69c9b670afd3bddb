"""`tierwise sql`: a policy as one statement for a warehouse."""
from __future__ import annotations

import datetime
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import click

from engine.commands.common import INVALID, Date, Failure
from engine.commands.loading import open_policy
from engine.commands.plugging import plugin_option
from engine.commands.policies import invalid
from engine.policy import PolicyError

#: As `engine.backends.sql` has them, which is not imported for `--help`.
DIALECTS = ("duckdb", "spark", "postgres", "snowflake", "bigquery")
SETS = ("reasons", "reasons_of", "fired", "open", "missing", "assumed", "refused")


class _Table(click.ParamType):  # type: ignore[type-arg]
    """`NAME=TABLE`."""

    name = "NAME=TABLE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, sign, table = value.partition("=")
        if not sign or not name.strip() or not table.strip():
            self.fail(f"`{value}` is not of the form NAME=TABLE", param, ctx)
        return " ".join(name.split()), table.strip()


class _Sets(click.ParamType):  # type: ignore[type-arg]
    """Names of sets with commas between."""

    name = "SETS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        names = [name.strip().replace(" ", "_") for name in value.split(",")]
        for name in names:
            if name not in SETS:
                self.fail(f"`{name}` is none of {', '.join(SETS)}", param, ctx)
        return tuple(dict.fromkeys(names))


@click.command()
@click.argument("policy", metavar="POLICY")
@click.option("--dialect", type=click.Choice(DIALECTS), default="duckdb", show_default=True, help="Whose SQL.")
@click.option("--with", "sets", type=_Sets(), default=(), help=f"Sets beside the outcomes: {', '.join(SETS)}.")
@click.option("--lists", is_flag=True, help="Sets as lists of texts instead of the bits of whole numbers.")
@click.option("--only", multiple=True, metavar="DECISION", help="Only this decision or feature; many times.")
@click.option("--table", default="customers", show_default=True, metavar="TABLE", help="The customers' table.")
@click.option("--history", "histories", type=_Table(), multiple=True,
              help="A history's table, many times. [default: one of the history's name]")
@click.option("--as-of", type=Date(), help="The date of the decisions, written out. [default: a parameter]")
@click.option("--pretty", is_flag=True, help="Over many lines.")
@plugin_option
def command(
    policy: str,
    dialect: str,
    sets: Sequence[str],
    lists: bool,
    only: Sequence[str],
    table: str,
    histories: Sequence[tuple[str, str]],
    as_of: datetime.date | None,
    pretty: bool,
) -> None:
    """Print a policy as one SQL statement.

    The statement reads a table with a customer a row, whose columns are called as the policy calls its inputs (or
    as their `column` says), and a table for each history. It gives the key, the outcomes and the status of each
    row: `decided`, `open` or `refused`. A comment above it names the policy, the digest of what it means, the
    parameters, and the bits of each set. What a dialect cannot say is refused with E0801. Of several versions
    the one in force on `--as-of` is taken, or else the latest.
    """
    if find_spec("sqlglot") is None:
        raise Failure('SQL needs sqlglot: pip install "tierwise[duckdb]"', code=INVALID)
    loaded = open_policy(policy)
    try:
        text = loaded.sql(
            dialect, as_of=as_of, only=list(only) or None, extras=sets, lists=lists, table=table,
            history=dict(histories), pretty=pretty,
        )
    except PolicyError as problem:
        raise invalid(problem.diagnostics, problem.sources or loaded.sources) from None
    except KeyError as problem:
        raise click.UsageError(str(problem.args[0]).replace("'", "`")) from None
    except ValueError as problem:
        raise click.UsageError(str(problem)) from None
    click.echo(text)
