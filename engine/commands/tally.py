"""What a portfolio came to, on one screen."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TextIO

from engine.commands.common import coloured
from engine.portfolio.request import Summary
from engine.portfolio.tally import NONE

#: Reasons and missing inputs shown.
TOP = 8
_BAR = 24


def show(summary: Summary, stream: TextIO, texts: Mapping[str, str]) -> None:
    """Print tables of outcomes, reasons (with their `texts`), and what was missing or refused."""
    # rich costs 40 ms to import, which the first row of a run must not wait for
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(file=stream, no_color=not coloured(stream), highlight=False, soft_wrap=False)

    def block(title: str, rows: Iterable[tuple[str, int, str]]) -> None:
        listed = list(rows)
        if not listed or not summary.rows:
            return
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(justify="right")
        table.add_column(justify="right")
        table.add_column(overflow="fold")
        for name, number, note in listed:
            share = number / summary.rows
            table.add_row(Text(f"  {name}"), f"{number:,}", f"{share:.1%}", Text(note or "█" * round(share * _BAR)))
        console.print()
        console.print(Text(title, style="bold"))
        console.print(table)

    def top(counts: Mapping[str, int], notes: Mapping[str, str]) -> list[tuple[str, int, str]]:
        ordered = sorted(counts.items(), key=lambda item: -item[1])
        return [(name, number, notes.get(name, "")) for name, number in ordered[:TOP]]

    for name, counter in summary.outcomes.items():
        block(name, ((value, count, "") for value, count in counter.items() if count or value != NONE))
    block("reasons", top(summary.reasons, texts))
    block("missing where a decision is open", top(summary.missing, {}))
    block("refused for", top(summary.refused_for, {}))
    for name, counter in summary.sources.items():
        if len(counter) > 2:                            # more than one field, and none
            block(f"{name} comes from", ((place or "nowhere", count, "") for place, count in counter.items() if count))
