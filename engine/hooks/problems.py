"""What is wrong with plugins, as diagnostics that name the plugin."""
from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from engine.diagnostics import Diagnostic, Problem, Span


class PluginProblem(Problem):
    """Raised where a plugin cannot be used; `sources` hold the texts that the findings point into."""

    def __init__(self, *diagnostics: Diagnostic, sources: Mapping[str, str] | None = None) -> None:
        super().__init__(*diagnostics)
        self.sources = dict(sources or {})


def problem(code: str, message: str, span: Span | None, help_: str) -> PluginProblem:
    return PluginProblem(Diagnostic(code, message, span, help_))


def near(text: str, words: Iterable[str]) -> str | None:
    """The word that a text was most likely meant as."""
    found = difflib.get_close_matches(text, list(words), 1, 0.7)
    return found[0] if found else None


def one_of(words: Iterable[str]) -> str:
    shown = [f"`{word}`" for word in words]
    return " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def article(what: str) -> str:
    return f"an {what}" if what[:1] in "AEIOUaeiou" else f"a {what}"
