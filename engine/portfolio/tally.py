"""Counts taken while a portfolio is decided."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

NONE = "(none)"


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
            counter[NONE if value is None else value] += 1
        self.reasons.update(reasons)
        self.missing.update(missing)

    def bad(self, names: Iterable[str]) -> None:
        self.status["refused"] += 1
        self.refused.update(names)
