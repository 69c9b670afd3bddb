"""What a portfolio came to, on one screen."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TextIO

from engine.commands.common import coloured
from engine.portfolio.request import Summary
from engine.portfolio.tally import NONE
from engine.portfolio.writing import cell

#: Reasons and missing inputs shown.
TOP = 8
_BAR = 24


#: Groups of a grouping shown.
GROUPS = 20


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
    _portfolio(console, summary.portfolio)
    for name, counter in summary.sources.items():
        if len(counter) > 2:                            # more than one field, and none
            block(f"{name} comes from", ((place or "nowhere", count, "") for place, count in counter.items() if count))


def _portfolio(console: Any, values: Mapping[str, Any]) -> None:
    """The values over all customers: a line each, and a table for each grouping."""
    if not values:
        return
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415

    plain = {name: value for name, value in values.items() if not isinstance(value, tuple)}
    if plain:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(justify="right")
        for name, value in plain.items():
            table.add_row(Text(f"  {name}"), Text(_shown(value)))
        console.print()
        console.print(Text("portfolio", style="bold"))
        console.print(table)
    for name, rows in values.items():
        if not isinstance(rows, tuple) or not rows:
            continue
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="")
        for at, column in enumerate(rows[0]):
            table.add_column(f"  {column}" if at == 0 else column, justify=_side(rows, column))
        for row in rows[:GROUPS]:
            first, *rest = row.values()
            table.add_row(Text(f"  {_shown(first)}"), *(Text(_shown(cell)) for cell in rest))
        console.print()
        console.print(Text(name, style="bold"))
        console.print(table)
        if len(rows) > GROUPS:
            console.print(Text(f"  and {len(rows) - GROUPS:,} more groups: `--portfolio FILE` writes all"))


def _side(rows: Sequence[Mapping[str, Any]], column: str) -> Literal["left", "right"]:
    """Numbers stand to the right."""
    is_number = any(isinstance(row[column], (int, float)) and not isinstance(row[column], bool) for row in rows)
    return "right" if is_number else "left"


def _shown(value: Any) -> str:
    """A value for people."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    return NONE if value is None else cell(value)
