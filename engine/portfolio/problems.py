"""What makes data unusable as a whole, in words."""
from __future__ import annotations


class DataProblem(Exception):
    """Data that cannot be read at all. `line` counts from 1; `help` is the way out."""

    def __init__(self, message: str, file: str, line: int | None = None, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line
        self.help = help


def shown(path: str) -> str:
    """A path as messages name it."""
    return "standard input" if path == "-" else path


def reason(problem: Exception) -> str:
    """What the system says, without its number."""
    text = getattr(problem, "strerror", None) or str(problem) or "it is damaged"
    return text[:1].lower() + text[1:]
