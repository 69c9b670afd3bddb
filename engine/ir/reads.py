"""What each decision reads, and the cone of what some outcomes need."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from engine import records
from engine.ir import nodes as ir


class Reads(records.Record):
    """Names read directly; `fields` are (relation, field) pairs."""

    inputs: frozenset[str]
    parameters: frozenset[str]
    refs: frozenset[str]
    relations: frozenset[str]
    fields: frozenset[tuple[str, str]]


class Cone(records.Record):
    """Everything that some outcomes hang on; `decisions` keeps the program's evaluation order. `asked` are
    outcomes asked for by name: a feature gives an output only then."""

    decisions: tuple[ir.Decision, ...]
    inputs: frozenset[str]
    relations: frozenset[str]
    fields: frozenset[tuple[str, str]]
    asked: frozenset[str] = frozenset()

    def shows(self, decision: ir.Decision) -> bool:
        """Whether a decision's outcome is an output."""
        return not decision.internal or decision.name in self.asked


def walk(node: ir.Node) -> Iterator[ir.Node]:
    """`node` and all its operands, parents first."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(ir.children(current)))


def expressions(decision: ir.Decision) -> Iterator[ir.Node]:
    """The root expressions of a decision: locals, guards, outcomes, characteristics."""
    for _, node in decision.where:
        yield node
    if isinstance(decision, ir.Score):
        for characteristic in decision.characteristics:
            yield characteristic.value
            for each in characteristic.bins:
                yield each.test
        return
    for arm in decision.arms:
        yield arm.guard
        for _, node in arm.outcome:
            yield node


def reads(roots: Iterable[ir.Node]) -> Reads:
    inputs, parameters, refs, relations, fields = set(), set(), set(), set(), set()
    for root in roots:
        for node in walk(root):
            if isinstance(node, ir.Input):
                inputs.add(node.name)
            elif isinstance(node, ir.Parameter):
                parameters.add(node.name)
            elif isinstance(node, ir.Ref):
                refs.add(node.name)
            elif isinstance(node, ir.Relation):
                relations.add(node.name)
            elif isinstance(node, ir.Field) and node.base.type.relation is not None:
                fields.add((node.base.type.relation, node.name))
    return Reads(frozenset(inputs), frozenset(parameters), frozenset(refs), frozenset(relations), frozenset(fields))


def reached(found: Reads, histories: Mapping[str, ir.HistoryDecl]) -> Reads:
    """`found` with what stands behind relations that a policy for each row derives: what its bindings read, the
    history that it goes over and those that it takes its own from."""
    left, seen = list(found.relations), set()
    while left:
        name = left.pop()
        each = histories[name].each
        if each is None or name in seen:
            continue
        seen.add(name)
        more = reads(node for _, node in each.bindings)
        relations = more.relations | {each.over, *(h.source for h in each.histories)}
        left.extend(relations)
        found = Reads(
            found.inputs | more.inputs, found.parameters | more.parameters, found.refs | more.refs,
            found.relations | relations, found.fields | more.fields,
        )
    return found


def with_parameters(found: Reads, parameters: Mapping[str, ir.ParameterDecl]) -> Reads:
    """`found` with what the rows of its parameters read, through further parameters too."""
    left, seen = list(found.parameters), set(found.parameters)
    while left:
        more = reads(row.guard for row in parameters[left.pop()].rows)
        left.extend(more.parameters - seen)
        seen |= more.parameters
        found = Reads(
            found.inputs | more.inputs, frozenset(seen), found.refs | more.refs, found.relations | more.relations,
            found.fields | more.fields,
        )
    return found


def inputs_behind(program: ir.Program) -> dict[str, frozenset[str]]:
    """The inputs and histories that each decision reads, itself or through features and what imports bring; not
    through decisions with outcomes, whose own rules tell what they read."""
    internal = {d.name for d in program.decisions if d.internal}
    found: dict[str, frozenset[str]] = {}
    for decision in program.decisions:
        direct = all_reads(program, decision)
        names = set(direct.inputs | direct.relations)
        for ref in direct.refs & internal:
            names |= found.get(ref, frozenset())
        found[decision.name] = frozenset(names)
    return found


def decision_reads(decision: ir.Decision) -> Reads:
    """What a decision reads, its inherited reasons' decisions among the refs."""
    found = reads(expressions(decision))
    inherited = {source.name for source in reason_sources(decision) if source.inherited}
    return found.replace(refs=found.refs | inherited)


def all_reads(program: ir.Program, decision: ir.Decision) -> Reads:
    """What a decision reads, itself and through parameters and derived relations."""
    parameters = {p.name: p for p in program.parameters}
    histories = {h.name: h for h in program.histories}
    return reached(with_parameters(reached(decision_reads(decision), histories), parameters), histories)


def reason_sources(decision: ir.Decision) -> Iterator[ir.ReasonSource]:
    if isinstance(decision, ir.Score):
        for characteristic in decision.characteristics:
            for each in characteristic.bins:
                yield from each.reasons
    else:
        for arm in decision.arms:
            yield from arm.reasons


def _handed_over(each: ir.EachDecl) -> Iterator[tuple[str, str]]:
    """The fields of the importer's histories that a policy for each row reads, and those of its keys."""
    inner = cone(each.program, [d.name for d in each.program.decisions]).fields if each.histories else ()
    sources = {h.name: h.source for h in each.histories}
    for history in each.histories:
        yield history.source, history.key
        if history.of is not None:
            yield sources[history.of], history.key
        yield from ((history.source, name) for relation, name in inner if relation == history.name)


def cone(program: ir.Program, outcomes: Iterable[str]) -> Cone:
    """The cone of `outcomes` (decision names), through decisions, parameters and policies for each row."""
    by_name = {d.name: d for d in program.decisions}
    parameters = {p.name: p for p in program.parameters}
    histories = {h.name: h for h in program.histories}
    needed: set[str] = set()
    inputs: set[str] = set()
    relations: set[str] = set()
    fields: set[tuple[str, str]] = set()
    stack = list(outcomes)
    if ir.ALWAYS in by_name:
        stack.append(ir.ALWAYS)

    def take(found: Reads) -> None:
        stack.extend(found.refs)
        inputs.update(found.inputs)
        fields.update(found.fields)
        for name in found.parameters:
            if name not in seen_parameters:
                seen_parameters.add(name)
                take(reads(row.guard for row in parameters[name].rows))
        for name in found.relations:
            if name not in relations:
                relations.add(name)
                take_history(histories[name])

    def take_history(history: ir.HistoryDecl) -> None:
        for name in (history.visible_from, *history.order_by):
            if name is not None:
                fields.add((history.name, name))
        if history.each is not None:
            take(reads(node for _, node in history.each.bindings))
            fields.update(_handed_over(history.each))
            for name in (history.each.over, *(h.source for h in history.each.histories)):
                if name not in relations:
                    relations.add(name)
                    take_history(histories[name])

    seen_parameters: set[str] = set()
    while stack:
        name = stack.pop()
        if name in needed:
            continue
        needed.add(name)
        take(decision_reads(by_name[name]))
    left = list(fields)
    while left:
        relation, name = left.pop()
        known = next((f.known_from for f in histories[relation].fields if f.name == name), None)
        each = histories[relation].each
        more = {(relation, known)} if known is not None else {(each.over, name)} if each is not None else set()
        left.extend(more - fields)
        fields |= more
    ordered = tuple(d for d in program.decisions if d.name in needed)
    return Cone(ordered, frozenset(inputs), frozenset(relations), frozenset(fields))
