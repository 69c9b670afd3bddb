"""What a run says of the models that it asks, alike for every engine."""
from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from engine.ir import nodes as ir
from engine.portfolio.request import Policy
from engine.portfolio.shared import Usage
from engine.portfolio.tables import count

#: Ways in which a scorer failed that are told of each model.
MOST_TOLD = 5


class Told:
    """What came of one model over a run."""

    def __init__(self, kind: str, version: str) -> None:
        self.kind = kind
        self.version = version
        self.asked = 0
        self.failures: dict[str, int] = {}
        self.singly: str | None = None

    def add(self, asked: int, failures: Mapping[str, int], singly: str | None = None) -> None:
        """Count rows; `singly` says why their batch failed, so that they were asked for one by one."""
        self.asked += asked
        self.singly = self.singly or singly
        for text, number in failures.items():
            self.failures[text] = self.failures.get(text, 0) + number

    def lines(self, model: str) -> Iterable[str]:
        failed = sum(self.failures.values())
        version = f", version {self.version}" if self.version else ""
        yield f"model `{model}` ({self.kind}{version}) asked for {count(self.asked, 'row')}" + (
            f", failed for {failed:,}" if failed else ""
        )
        if self.singly is not None:
            yield f"model `{model}` asked row by row, which takes longer, where a batch failed: {self.singly}"
        ranked = sorted(self.failures.items(), key=lambda pair: -pair[1])
        for text, number in ranked[:MOST_TOLD]:
            yield f"model `{model}` failed for {count(number, 'row')}: {text}"
        if len(ranked) > MOST_TOLD:
            rest = sum(number for _, number in ranked[MOST_TOLD:])
            yield f"model `{model}` failed in {len(ranked) - MOST_TOLD} other ways for {count(rest, 'row')}"


def failures_of(decision: Any) -> list[str]:
    """Why models gave a customer no answer, each by the name of its answer."""
    names = {model.decision: model.answer for model in decision.program.models}
    return [
        failure_text(names[name], scored.failure) for name, scored in decision.models.items()
        if scored.state == "failed"
    ]


def failure_text(answer: str, why: str) -> str:
    """`model.pd: no answer within 5 s`."""
    return f"{answer}: {why}"


def asked_of(policy: Policy, programs: Sequence[ir.Program], only: Sequence[str] | None) -> frozenset[str]:
    """The decisions that ask a model, as far as what is asked for reaches."""
    found = set()
    for program in programs:
        if program.models:
            reached = {d.name for d in policy.cone(program, only).decisions}
            found |= {m.decision for m in program.models if m.decision in reached}
    return frozenset(found)


def require_answers(programs: Sequence[ir.Program], wanted: Collection[str], scorers: Collection[str],
                    columns: Collection[str]) -> None:
    """Raise Usage where a model is to be asked that no scorer is bound to, and whose answers the data do not bring.

    `wanted` are the decisions that are reached, `columns` the declared names that the data have.
    """
    lost = {
        m.model: m for program in programs for m in program.models
        if m.decision in wanted and m.model not in scorers and m.answer not in columns
    }
    if lost:
        names = ", ".join(f"`{name}`" for name in lost)
        answer = next(iter(lost.values())).answer
        raise Usage(
            f"no scorer is bound to {'the model' if len(lost) == 1 else 'the models'} {names}: name a deployment file "
            f"that binds it with `--deployment`, or give the answers in a column `{answer}`"
        )
