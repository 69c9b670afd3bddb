"""What every section needs: the rows, the language, and what the policy says of its outcomes and reasons."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.portfolio.columnar.session import identifier
from engine.report.frame import Frame, Table
from engine.report.spec import Part, Spec

#: Groups that a table shows; the rest are summed up in a note.
MOST_GROUPS = 40


class Context:
    """`orders` are the values of decisions in the policy's order, `texts` the texts of reason codes."""

    def __init__(
        self, frame: Frame, language: str, orders: Mapping[str, Sequence[str]], texts: Mapping[str, str]
    ) -> None:
        self.frame = frame
        self.spec: Spec = frame.spec
        self.main: Table = frame.main
        self.language = language
        self.orders = orders
        self.texts = texts
        top = self.spec.top
        self.decision = top.name("decision") or "decision"
        self.approved = top.names("approved") or ("approve",)
        self.exposure = top.name("exposure")
        self.by = top.names("by")

    def say(self, english: str, chinese: str) -> str:
        return chinese if self.language.split("-")[0] == "zh" else english

    def part(self, name: str) -> Part | None:
        return self.spec.parts.get(name)

    # --- SQL ----------------------------------------------------------------------------------

    def column(self, name: str) -> str:
        return identifier(name)

    @property
    def decided(self) -> str:
        """True of rows that were not refused."""
        return self.decided_in(self.main)

    def decided_in(self, table: Table) -> str:
        """The same of a table of an earlier run."""
        return "status IS DISTINCT FROM 'refused'" if "status" in table else "true"

    @property
    def today(self) -> str:
        """The day of the report, as SQL."""
        day = self.spec.top.name("as of")
        return "current_date" if day is None else f"CAST({self.given(day)} AS DATE)"

    def approves(self, table: Table | None = None, column: str | None = None) -> str:
        """SQL that is true where the decision is an approval."""
        name = column or self.decision
        if name not in (table or self.main):
            return "false"
        return f"coalesce({self.one_of(name, self.approved)}, false)"

    def one_of(self, column: str, values: Sequence[str], table: Table | None = None) -> str:
        """SQL that is true where a column has one of some values of the description, as numbers where it has these."""
        kind = (table or self.main).columns.get(column, "")
        if kind.startswith(("DOUBLE", "FLOAT", "DECIMAL")) and all(_is_number(v) for v in values):
            return f"CAST({identifier(column)} AS DOUBLE) IN ({', '.join(self.given(float(v)) for v in values)})"
        return f"CAST({identifier(column)} AS VARCHAR) IN ({', '.join(self.given(v) for v in values)})"

    def given(self, value: Any) -> str:
        return self.frame.session.variable(value)

    def at_risk(self, column: str | None = None) -> str:
        """The exposure of an approved row, 0 of others."""
        name = column or self.exposure
        return "0" if name is None else f"CASE WHEN {self.approves()} THEN coalesce({identifier(name)}, 0) ELSE 0 END"

    def text_of(self, column: str) -> str:
        """A grouping column as text; what is missing has a name."""
        return f"coalesce(CAST({identifier(column)} AS VARCHAR), {self.given(self.nothing)})"

    @property
    def nothing(self) -> str:
        return self.say("(none)", "（无）")

    def in_order(self, name: str, values: Sequence[str]) -> list[str]:
        """Outcomes in the policy's order, others behind in the order given."""
        known = [v for v in self.orders.get(name, ()) if v in values]
        return [*known, *(v for v in values if v not in known)]

    def outcomes(self) -> list[str]:
        """Decisions whose outcomes are counted: those with values by the policy, else the one that approves."""
        found = [name for name in self.orders if name in self.main]
        return found or [n for n in (self.decision,) if n in self.main]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
