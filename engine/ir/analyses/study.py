"""What the analyses share: a program's own decisions and their regions, made once each."""
from __future__ import annotations

from collections.abc import Iterator

from engine.diagnostics import Diagnostic, Label, Span
from engine.ir import nodes as ir
from engine.ir.analyses.regions import Space


class Study:
    """A program under analysis. Decisions of imported policies are reported where those are checked."""

    def __init__(self, program: ir.Program) -> None:
        self.program = program
        own = set(program.declared)
        self.own = [d for d in program.decisions if d.name in own]
        self._spaces: dict[str, Space] = {}

    def decides(self, *hits: str) -> Iterator[tuple[ir.Decide, Space]]:
        """The decisions with one of some hit policies (all but `value` where none is named), with their spaces."""
        for decision in self.own:
            if isinstance(decision, ir.Decide) and (decision.hit in hits if hits else decision.hit != "value"):
                if decision.arms:
                    yield decision, self.space(decision)

    def scores(self) -> Iterator[ir.Score]:
        return (d for d in self.own if isinstance(d, ir.Score))

    def space(self, decision: ir.Decide) -> Space:
        if decision.name not in self._spaces:
            self._spaces[decision.name] = Space(self.program, decision)
        return self._spaces[decision.name]


def span_of(at: ir.Place | None) -> Span | None:
    return None if at is None else at.span


def label(at: ir.Place | None, text: str) -> tuple[Label, ...]:
    return () if at is None else (Label(at.span, text),)


def too_hard(decision: ir.Decide, at: ir.Place | None, what: str) -> Diagnostic:
    """An honest end of a search that would take too long."""
    return Diagnostic(
        "W0611", f"the conditions of `{decision.name}` meet in too many ways to say {what}", span_of(at),
        "split the decision in two, or test fewer columns in each",
    )


def listed(rules: list[str]) -> str:
    """Rule ids in words."""
    shown = [f"`{r}`" for r in rules]
    if len(shown) > 6:
        shown = [*shown[:5], f"{len(shown) - 5} others"]
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1]
