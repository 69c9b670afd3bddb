"""What a run of a portfolio says on standard error."""
from __future__ import annotations

import sys
import time
from collections.abc import Mapping

import click

from engine.commands.common import paint, talk
from engine.portfolio.tables import count
from engine.render import visible

#: Bad rows told one by one; the rest are counted.
MAX_TOLD = 20


class Console:
    """Refused rows, notes, and how far a run is while standard error is a terminal, from the second second on."""

    def __init__(self) -> None:
        self.told = 0
        self.live = sys.stderr.isatty()
        self.begun = self.shown = time.monotonic()
        self.drawn = False

    def note(self, text: str) -> None:
        self.clear()
        talk(visible(text))

    def refused(self, place: str, key: str, message: str, help: str | None) -> None:
        self.told += 1
        if self.told > MAX_TOLD:
            return
        self.clear()
        who = f" {visible(key)}" if key else ""
        talk(f"{paint('refused', sys.stderr, fg='yellow')} {visible(place)}{who}: {visible(message)}"
             + (f" (help: {visible(help)})" if help else ""))

    def rest(self, refused: int) -> None:
        """Count the refused rows that were not told."""
        self.clear()
        if refused > MAX_TOLD:
            talk(f"{count(refused - MAX_TOLD, 'more refused row')}; `--rejects FILE` lists them all")

    def progress(self, done: int, total: int | None, unit: str) -> None:
        now = time.monotonic()
        if not self.live or now - self.begun < 1 or now - self.shown < 0.2:
            return
        self.shown = now
        self.drawn = True
        text = f"{unit} {done:,}%" if total == 100 else f"{done:,} {unit}"
        if total is None:
            text += f", {done / (now - self.begun):,.0f} a second"
        elif total != 100:
            text += f" of {total:,}"
        click.echo(f"\r\x1b[K{text} ", err=True, nl=False)

    def clear(self) -> None:
        if self.drawn:
            click.echo("\r\x1b[K", err=True, nl=False)
            self.drawn = False


def counts(numbers: Mapping[str, int]) -> str:
    """`5,000 rows: 4,200 decided, 700 open, 100 refused`."""
    parts = [f"{numbers[s]:,} {s}" for s in ("decided", "open", "refused") if numbers[s] or s == "decided"]
    return f"{count(sum(numbers.values()), 'row')}: {', '.join(parts)}"
