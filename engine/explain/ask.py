"""What was missing: what the policy assumed, and what to ask for first."""
from __future__ import annotations

from collections.abc import Sequence

from engine.backends.reference.program import Trace
from engine.explain.plan import plan_of
from engine.ir import nodes as ir
from engine.records import Record


class Question(Record):
    """A missing input or history: the open decisions that it alone would settle, and all that it touches."""

    name: str
    settles: tuple[str, ...]
    touches: tuple[str, ...]


def questions(program: ir.Program, trace: Trace) -> tuple[Question, ...]:
    """Missing data by how many open decisions hang on it alone, then on it at all, then as declared."""
    opened = [o for o in trace.outcomes.values() if o.open]
    names = [*(i.name for i in program.inputs if not i.previous), *(h.name for h in program.histories)]
    found = []
    for name in names:
        touches = tuple(o.decision.name for o in opened if name in o.behind.missing)
        if touches:
            alone = tuple(
                o.decision.name for o in opened if o.behind.missing == {name} and not o.behind.undefined
            )
            found.append(Question(name, alone, touches))
    found.sort(key=lambda q: (-len(q.settles), -len(q.touches)))
    return tuple(found)


def assumed(program: ir.Program, trace: Trace, missing: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Missing data that left nothing open, with the rules that read it (directly or through features)."""
    answers = {decl.name for decl in program.inputs if decl.model}      # what is behind one that is null tells more
    absent = [n for n, v in trace.admitted.inputs.items() if v is None and n not in answers]
    absent.extend(n for n, rows in trace.admitted.relations.items() if rows is None)
    absent = [n for n in absent if n not in missing]
    if not absent:
        return {}
    plan = plan_of(program)
    decided = [d for d in program.decisions if d.name in trace.outcomes]
    found: dict[str, tuple[str, ...]] = {}
    for name in absent:
        readers = tuple(dict.fromkeys(reader for d in decided for reader in plan.readers(d, name)))
        if readers:
            found[name] = readers
    return found
