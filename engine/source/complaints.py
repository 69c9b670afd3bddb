"""YAML's syntax errors in words that a policy author can act on."""
from __future__ import annotations

from typing import Any

from engine.diagnostics import Diagnostic
from engine.source.tree import Document


def complain(document: Document, error: Any) -> Diagnostic:
    """The diagnostic for an error of the YAML parser."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    index = mark.index if mark is not None else 0
    return Diagnostic("E0005", f"this is not well-formed YAML: {error.problem}", document.span(index, index + 1),
                      help="look at the indentation and the quotes of this line and the one above")
