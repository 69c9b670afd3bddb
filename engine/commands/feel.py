"""`tierwise feel`: evaluate FEEL, once or line by line, and say why a value is null."""
from __future__ import annotations

import datetime
import sys
from collections.abc import Iterator
from typing import Any

import click

from engine import feel
from engine.commands.common import BAD_DATA, FINDINGS, INVALID, Date, Failure, coloured, paint, talk
from engine.commands.reading import read_text
from engine.render import render_text, visible
from engine.semantics import text as texts
from engine.semantics.values import LimitExceeded

_HELP = """\
An expression gives its value. Besides:
  :let NAME = EXPRESSION   give a value a name for the lines that follow
  :test VALUE | TESTS      whether a value passes a cell's tests, as :test 5 | [1..10], > 100
  :names                   the names given so far
  :quit                    leave (so does the end of input)"""


@click.command()
@click.argument("expression", required=False)
@click.option("--names", metavar="CONTEXT", help="Names to use: JSON or a FEEL context, or @FILE that holds it.")
@click.option("--test", "value", metavar="VALUE", help="Take EXPRESSION as a cell's tests of this FEEL value.")
@click.option("--as-of", type=Date(), help="What today() gives. [default: today]")
def command(expression: str | None, names: str | None, value: str | None, as_of: datetime.date | None) -> int:
    """Evaluate FEEL expressions.

    Prints the value of EXPRESSION, `-` for standard input, and on standard error why it is null. Without EXPRESSION
    reads lines: with a terminal as a dialogue (:help tells more), else each line for itself. Exits with 1 where a
    text is no FEEL.
    """
    session = Session({}, as_of)
    if names is not None:
        session.names = _names(session, names)
    if value is not None:
        if expression is None:
            raise click.UsageError("--test needs an EXPRESSION of tests")
        return session.test(value, _text(expression))
    if expression is not None:
        return session.show(_text(expression))
    return _dialogue(session)


class Session:
    """Names given so far and what happens to a line. Methods return exit codes."""

    def __init__(self, names: dict[str, Any], as_of: datetime.date | None) -> None:
        self.names = names
        self.as_of = as_of

    def line(self, line: str) -> int:
        """One line of a dialogue."""
        word, _, rest = line.partition(" ")
        if not word.startswith(":"):
            return self.show(line)
        if word == ":let" and "=" in rest:
            name, _, expression = rest.partition("=")
            answer = self.ask(expression)
            if answer is None or not name.strip():
                return FINDINGS
            self.names[" ".join(name.split())] = answer.value
            return self.tell(answer)
        if word == ":test" and "|" in rest:
            value, _, tests = rest.partition("|")
            return self.test(value, tests)
        if word == ":names":
            for name, value in self.names.items():
                click.echo(f"{visible(name)} = {shown(value)}")
            return 0
        talk(_HELP)
        return 0 if word == ":help" else FINDINGS

    def show(self, expression: str) -> int:
        answer = self.ask(expression)
        return FINDINGS if answer is None else self.tell(answer)

    def test(self, value: str, tests: str) -> int:
        answer = self.ask(value)
        if answer is None:
            return FINDINGS
        try:
            passed = feel.unary_test(tests, answer.value, self.names, as_of=self.as_of)
        except feel.FeelError as error:
            return _told(error, tests)
        click.echo(shown(passed))
        return 0

    def ask(self, expression: str) -> feel.Answer | None:
        """The answer to an expression; None, and told, where it is no FEEL."""
        try:
            return feel.ask(expression, self.names, as_of=self.as_of)
        except feel.FeelError as error:
            _told(error, expression)
            return None

    def tell(self, answer: feel.Answer) -> int:
        click.echo(shown(answer.value))
        for note in answer.notes:
            part = f"`{visible(note.text)}`: " if note.text else ""
            talk(f"{paint('null', sys.stderr, fg='yellow')}: {part}{visible(note.message)}")
        return 0


def shown(value: Any) -> str:
    """A value as FEEL writes it."""
    if isinstance(value, str):
        return texts.quoted(visible(value))
    try:
        return visible(texts.to_string(value))
    except LimitExceeded as limit:
        return f"(not shown: {limit.message})"


def _told(error: feel.FeelError, text: str) -> int:
    sources = {d.span.file: text for d in error.diagnostics if d.span is not None}
    click.echo(render_text(error.diagnostics, sources, color=coloured(sys.stderr)), err=True, nl=False)
    return FINDINGS


def _text(expression: str) -> str:
    return read_text("-") if expression == "-" else expression


def _names(session: Session, text: str) -> dict[str, Any]:
    if text.startswith("@"):
        text = read_text(text[1:])
    answer = session.ask(text)
    if answer is None:
        raise click.exceptions.Exit(INVALID)
    if not isinstance(answer.value, dict):
        raise Failure("the names are not a context", code=INVALID, help="write {Monthly Salary: 10000} or JSON")
    return answer.value


def _dialogue(session: Session) -> int:
    code = 0
    for line in _lines():
        bare = line.strip()
        if bare in (":quit", ":q", ":exit"):
            break
        if bare and not bare.startswith("//"):
            code = max(code, session.line(bare))
    return 0 if sys.stdin.isatty() else code


def _lines() -> Iterator[str]:
    """Lines with a prompt from a terminal, as they come from elsewhere."""
    if not sys.stdin.isatty():
        try:
            for line in sys.stdin:  # noqa: UP028 (`yield from` would close standard input)
                yield line
        except UnicodeDecodeError:
            raise Failure("standard input is not UTF-8 text", code=BAD_DATA) from None
        return
    talk("FEEL; :help tells more, :quit leaves")
    while True:
        try:
            yield input("feel> ")
        except EOFError:
            talk("")
            return
