"""What was missing: what the policy assumed, and what to ask for first."""
from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.backends.reference.program import Trace
from engine.ir import nodes as ir
from engine.ir.reads import decision_reads, expressions, reads
from engine.records import Record


class Question(Record):
    """A missing input or history: the open decisions that it alone would settle, and all that it touches."""

    name: str
    settles: tuple[str, ...]
    touches: tuple[str, ...]


def questions(program: ir.Program, trace: Trace) -> tuple[Question, ...]:
    """Missing data by how many open decisions hang on it alone, then on it at all, then as declared."""
    opened = [o for o in trace.outcomes.values() if o.open]
    names = [*(i.name for i in program.inputs), *(h.name for h in program.histories)]
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
    absent = [n for n, v in trace.admitted.inputs.items() if v is None]
    absent.extend(n for n, rows in trace.admitted.relations.items() if rows is None)
    absent = [n for n in absent if n not in missing]
    if not absent:
        return {}
    behind = _inputs_behind(program)
    found: dict[str, tuple[str, ...]] = {}
    for name in absent:
        readers: list[str] = []
        for decision in program.decisions:
            if decision.name in trace.outcomes:
                readers.extend(r for r in _readers(decision, name, behind) if r not in readers)
        if readers:
            found[name] = tuple(readers)
    return found


def _inputs_behind(program: ir.Program) -> dict[str, frozenset[str]]:
    """Inputs and histories that each decision reads, through decisions and parameters."""
    parameters = {p.name: reads(row.guard for row in p.rows) for p in program.parameters}
    found: dict[str, frozenset[str]] = {}
    for decision in program.decisions:
        direct = decision_reads(decision)
        names = set(direct.inputs | direct.relations)
        for parameter in direct.parameters:
            names |= parameters[parameter].inputs
        for ref in direct.refs:
            names |= found.get(ref, frozenset())
        found[decision.name] = frozenset(names)
    return found


def _readers(decision: ir.Decision, name: str, behind: dict[str, frozenset[str]]) -> Iterable[str]:
    """The arms, or the decision itself, that read `name`; imported and derived facts stand for those that read them."""
    if decision.internal:
        return
    features = {n for n, names in behind.items() if name in names}
    local = dict(decision.where)

    def touches(nodes: Iterable[ir.Node]) -> bool:
        direct = reads(nodes)
        return name in direct.inputs or name in direct.relations or any(r in features for r in direct.refs)

    if isinstance(decision, ir.Score) or decision.hit == "value":
        if touches(expressions(decision)):
            yield decision.name
        return
    through_where = touches(local.values())
    for arm in decision.arms:
        nodes = [arm.guard, *(n for _, n in arm.outcome)]
        if touches(nodes) or (through_where and _reads_local(nodes, local)):
            yield f"{decision.name}/{arm.rule}"


def _reads_local(nodes: Iterable[ir.Node], names: dict[str, ir.Node]) -> bool:
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if isinstance(node, ir.Local) and node.name in names:
            return True
        stack.extend(ir.children(node))
    return False
