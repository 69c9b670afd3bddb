"""What commands share: failures with their exit codes, dates, places to read from."""
from __future__ import annotations

import datetime
import os
import re
import sys
from typing import IO, Any

import click

from engine.portfolio.files import DataProblem, open_text, shown
from engine.portfolio.tables import JsonFault, parse_json
from engine.render import visible

FINDINGS = 1
INVALID = 2
BAD_DATA = 3

#: Longest text that is read whole: a customer, a context of names, an expression.
MAX_TEXT = 20_000_000


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


def data_failure(problem: DataProblem) -> Failure:
    """A file that cannot be read, as the end of a command."""
    place = "" if problem.line is None else f"{shown(problem.file)}:{problem.line}: "
    return Failure(place + problem.message, code=BAD_DATA, help=problem.help)


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


def read_text(path: str, encoding: str | None = None) -> str:
    """The whole text of a file or `-`; ends the command where it cannot be read."""
    try:
        with open_text(path, encoding) as stream:
            name = stream.encoding.upper()
            text = stream.read(MAX_TEXT + 1)
        text.encode("utf-8")
    except UnicodeError:
        raise Failure(f"`{shown(path)}` is not {name} text", code=BAD_DATA, help="save it as UTF-8") from None
    except DataProblem as problem:
        raise data_failure(problem) from None
    if len(text) > MAX_TEXT:
        raise Failure(f"`{shown(path)}` is longer than {MAX_TEXT:,} characters", code=BAD_DATA)
    return text


def read_json(path: str) -> Any:
    """The JSON value of a file or `-`; ends the command, with line and column, where it is none."""
    text = read_text(path)
    if not text.strip():
        raise Failure(f"`{shown(path)}` is empty", code=BAD_DATA, help="give a JSON object")
    try:
        return parse_json(text)
    except JsonFault as fault:
        raise Failure(
            f"{shown(path)}:{fault.line}:{fault.column}: {fault.message}", code=BAD_DATA, help=fault.help
        ) from None


def read_object(path: str, what: str) -> dict[str, Any]:
    """A JSON object; `what` names it in the message."""
    value = read_json(path)
    if not isinstance(value, dict):
        message = f"{what} in `{shown(path)}` is not a JSON object"
        raise Failure(message, code=BAD_DATA, help='write {"name": value, ...}')
    return value
