"""Counts taken while a portfolio is decided, and what they come to on one screen."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from engine.commands.common import coloured
from engine.portfolio.tables import count

#: Reasons and missing inputs shown.
TOP = 8
_BAR = 24


class Tally:
    """`enumerations` are the decisions whose outcomes are worth counting, with their values."""

    def __init__(self, enumerations: Mapping[str, Sequence[str]]) -> None:
        self.status: Counter[str] = Counter()
        self.outcomes: dict[str, Counter[str]] = {
            name: Counter(dict.fromkeys(values, 0)) for name, values in enumerations.items()
        }
        self.reasons: Counter[str] = Counter()
        self.missing: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    @property
    def rows(self) -> int:
        return self.status.total()

    def decided(self, values: Mapping[str, Any], reasons: Iterable[str], missing: Iterable[str], is_open: bool) -> None:
        self.status["open" if is_open else "decided"] += 1
        for name, counter in self.outcomes.items():
            value = values.get(name)
            if value is not None:
                counter[value] += 1
            else:
                counter["(none)"] += 1
        self.reasons.update(reasons)
        self.missing.update(missing)

    def bad(self, names: Iterable[str]) -> None:
        self.status["refused"] += 1
        self.refused.update(names)

    def line(self) -> str:
        """`5,000 rows: 4,200 decided, 700 open, 100 refused`."""
        parts = [f"{self.status[s]:,} {s}" for s in ("decided", "open", "refused") if self.status[s] or s == "decided"]
        return f"{count(self.rows, 'row')}: {', '.join(parts)}"

    def show(self, stream: TextIO, texts: Mapping[str, str]) -> None:
        """Print tables of outcomes, reasons (with their `texts`), and what was missing or refused."""
        # rich costs 40 ms to import, which the first row of a run must not wait for
        from rich.console import Console  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        console = Console(file=stream, no_color=not coloured(stream), highlight=False, soft_wrap=False)

        def block(title: str, rows: Iterable[tuple[str, int, str]]) -> None:
            listed = list(rows)
            if not listed or not self.rows:
                return
            table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
            table.add_column(no_wrap=True)
            table.add_column(justify="right")
            table.add_column(justify="right")
            table.add_column(overflow="fold")
            for name, number, note in listed:
                share = number / self.rows
                table.add_row(Text(f"  {name}"), f"{number:,}", f"{share:.1%}", Text(note or "█" * round(share * _BAR)))
            console.print()
            console.print(Text(title, style="bold"))
            console.print(table)

        for name, counter in self.outcomes.items():
            block(name, ((value, count, "") for value, count in counter.items() if count or value != "(none)"))
        block("reasons", ((code, count, texts.get(code, "")) for code, count in self.reasons.most_common(TOP)))
        block("missing where a decision is open", ((n, c, "") for n, c in self.missing.most_common(TOP)))
        block("refused for", ((n, c, "") for n, c in self.refused.most_common(TOP)))
