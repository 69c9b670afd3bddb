"""What commands share: failures with their exit codes, colours, dates."""
from __future__ import annotations

import datetime
import os
import re
import sys
from typing import IO, Any

import click

from engine.render import visible

FINDINGS = 1
INVALID = 2
BAD_DATA = 3


class Failure(click.ClickException):
    """Ends a command: one sentence on standard error, the way out beneath it, and an exit code."""

    def __init__(self, message: str, *, code: int, help: str | None = None) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]
        self.help = help

    def show(self, file: IO[Any] | None = None) -> None:
        stream = file or sys.stderr
        click.echo(f"{paint('error', stream, fg='red', bold=True)}: {visible(self.message)}", file=stream)
        if self.help is not None:
            click.echo(f"  = help: {visible(self.help)}", file=stream)


def coloured(stream: IO[Any]) -> bool:
    """Whether to colour: a terminal, and NO_COLOR unset or empty (https://no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def paint(text: str, stream: IO[Any], *, fg: str | None = None, bold: bool = False) -> str:
    return click.style(text, fg=fg, bold=bold) if coloured(stream) else text


def talk(text: str) -> None:
    """A line to the person, not to the next program."""
    click.echo(text, err=True)


class Date(click.ParamType):  # type: ignore[type-arg]
    """An ISO date."""

    name = "date"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime.date:
        if isinstance(value, datetime.date):
            return value
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
            try:
                return datetime.date.fromisoformat(value)
            except ValueError:
                self.fail(f"`{value}` is not a day of the calendar", param, ctx)
        self.fail(f"`{value}` is not a date (YYYY-MM-DD)", param, ctx)
