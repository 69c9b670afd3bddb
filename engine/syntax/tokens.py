"""A token of an expression, and a finding about one."""
from __future__ import annotations

from typing import NamedTuple


class Token:
    """`text` as written (an operator in its FEEL spelling), `value` what it stands for: a
    normalised name, a string without quotes and escapes, a number."""

    __slots__ = ("end", "start", "text", "type", "value")

    # What the LALR parser copies to its end token; offsets say all we need.
    line = column = end_line = end_column = 0

    def __init__(self, type: str, start: int, end: int, text: str, value: object = None) -> None:
        self.type = type
        self.start = start
        self.end = end
        self.text = text
        self.value = value

    @property
    def start_pos(self) -> int:
        return self.start

    @property
    def end_pos(self) -> int:
        return self.end

    def __repr__(self) -> str:
        return f"Token({self.type}, {self.start}, {self.end}, {self.text!r})"


class Finding(NamedTuple):
    """What is wrong in an expression. Offsets count code points of its text; `replacement`, where
    there is one, is what `start..end` should read."""

    code: str
    message: str
    start: int
    end: int
    help: str | None = None
    replacement: str | None = None


class SyntaxProblem(Exception):
    """The text is no FEEL expression; `findings` say why, at least one."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(f.message for f in findings))
        self.findings = tuple(findings)
