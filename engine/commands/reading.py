"""Reading what a command is given whole: texts and JSON, from files or standard input."""
from __future__ import annotations

from typing import Any

from engine.commands.common import BAD_DATA, Failure
from engine.portfolio.files import open_text
from engine.portfolio.problems import DataProblem, shown
from engine.portfolio.tables import JsonFault, parse_json

#: Longest text that is read whole: a customer, a context of names, an expression.
MAX_TEXT = 20_000_000


def data_failure(problem: DataProblem) -> Failure:
    """A file that cannot be read, as the end of a command."""
    place = "" if problem.line is None else f"{shown(problem.file)}:{problem.line}: "
    return Failure(place + problem.message, code=BAD_DATA, help=problem.help)


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
