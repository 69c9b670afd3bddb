"""Diagnostics: what is wrong, where, and how to mend it.

Lines and columns are 1-based and count code points; an end column is exclusive.
House style of texts: lowercase, one sentence, user text in backticks, no Python
type names; the way out goes in `help`. Codes are `E` or `W` and four digits,
each with a page `docs/errors/CODE.md`.
"""
from __future__ import annotations

from typing import Protocol

from engine.records import Record


class Span(Record):
    """A stretch of a file."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


class Locator(Protocol):
    """Maps offsets in a scalar's cooked text to places in its file."""

    def locate(self, start: int, end: int) -> Span: ...


class Edit(Record):
    """Replace the text at `span` by `replacement`.

    Applying it never changes meaning, but where the finding's help asks (`did you mean ...?`): that a person answers,
    or `check --fix` where it was plainly a slip.
    """

    span: Span
    replacement: str


class Label(Record):
    """A further place that explains the first (`where each type came from`)."""

    span: Span
    text: str


class Diagnostic(Record):
    """One finding. `code` starts with E (error) or W (warning)."""

    code: str
    message: str
    span: Span | None = None
    help: str | None = None
    labels: tuple[Label, ...] = ()
    edits: tuple[Edit, ...] = ()

    @property
    def is_error(self) -> bool:
        """Whether it keeps the policy from being used; the others are warnings."""
        return self.code.startswith("E")

    @property
    def page(self) -> str:
        """The page that explains its code."""
        return f"docs/errors/{self.code}.md"


class Problem(Exception):
    """Raised by a phase that cannot go on; carries what it found."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("; ".join(d.message for d in diagnostics))
        self.diagnostics = diagnostics
