"""Who reads whom: the order of evaluation, and cycles shown."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from engine.check.decisions import Draft
from engine.check.model import Expr, HistoryModel, LookupModel, ModelModel, ReasonRef, UseModel
from engine.check.scope import Report
from engine.diagnostics import Label
from engine.records import Record
from engine.source.nodes import Scalar
from engine.syntax import ast


class Reading(Record):
    """The names that a declaration reads, in order of appearance."""

    names: tuple[str, ...]

    @staticmethod
    def of(
        nodes: Iterable[ast.Node], more: Iterable[str] = (), histories: Mapping[str, HistoryModel] | None = None
    ) -> Reading:
        """What nodes read, and `more`; a field of one of `histories` within its brackets is read of the row."""
        found: dict[str, None] = {}
        for node in nodes:
            _collect(node, frozenset(), found, histories or {})
        found.update(dict.fromkeys(more))
        return Reading(tuple(found))


def _collect(
    node: ast.Node, bound: frozenset[str], found: dict[str, None], histories: Mapping[str, HistoryModel]
) -> None:
    """Add the names under `node` but those that it binds itself."""
    if isinstance(node, ast.Name):
        if node.name not in bound:
            found.setdefault(node.name)
        return
    if isinstance(node, (ast.For, ast.Quantified)):
        for iterator in node.iterators:
            _collect(iterator.source, bound, found, histories)
            if iterator.upper is not None:
                _collect(iterator.upper, bound, found, histories)
            bound |= {iterator.name}
        _collect(node.body, bound, found, histories)
        return
    if isinstance(node, ast.Filter):
        _collect(node.base, bound, found, histories)
        _collect(node.predicate, bound | _fields(node.base, histories), found, histories)
        return
    if isinstance(node, ast.FunctionLiteral):
        bound |= {p.name for p in node.parameters}
    for child in ast.children(node):
        if not (isinstance(node, ast.Invocation) and child is node.function and isinstance(child, ast.Name)):
            _collect(child, bound, found, histories)       # a function may be called as a decision is


def _fields(node: ast.Node, histories: Mapping[str, HistoryModel]) -> frozenset[str]:
    """The fields of the history that is filtered, perhaps again."""
    while isinstance(node, ast.Filter):
        node = node.base
    history = histories.get(node.name) if isinstance(node, ast.Name) else None
    return frozenset(f.name for f in history.fields) if history is not None else frozenset()


def reading(draft: Draft, histories: Mapping[str, HistoryModel]) -> Reading:
    """What a decision reads: in expressions, and through inherited reasons."""
    nodes: list[ast.Node] = [e.node for _, e in draft.where]
    inherited: list[str] = []
    for arm in draft.arms:
        if arm.guard is not None:
            nodes.append(arm.guard.node)
        for cell in arm.cells:
            nodes.extend((cell.column.node, cell.tests))
        for _, value in arm.outcome:
            if isinstance(value, Expr):
                nodes.append(value.node)
            elif isinstance(value, LookupModel):
                nodes.extend(k.node for k in value.keys)
            elif isinstance(value, ModelModel):
                nodes.extend(e.node for _, e in value.args)
        inherited.extend(_owners(arm.reasons))
    for characteristic in draft.characteristics:
        nodes.append(characteristic.value.node)
        for each in characteristic.bins:
            if each.tests is not None:
                nodes.append(each.tests)
            inherited.extend(_owners(each.reasons))
    return Reading.of(nodes, inherited, histories)


def _owners(reasons: Iterable[ReasonRef]) -> Iterator[str]:
    """The decisions, or imports, whose reasons are inherited."""
    for reason in reasons:
        if reason.inherited:
            yield reason.name
            yield reason.name.split(".", 1)[0]


def use_reading(use: UseModel, histories: Mapping[str, HistoryModel]) -> Reading:
    """What an import reads: in its bindings, and of histories that other imports derive."""
    names = Reading.of((e.node for _, e in use.bindings), (), histories).names
    named = [h.source for h in use.histories] + ([use.each] if use.each is not None else [])
    over = histories.get(use.each or "")
    fields = {f.name for f in over.fields} if over is not None else set()
    return Reading((*(n for n in names if n not in fields), *named))


def in_order(readings: Mapping[str, Reading], keys: Mapping[str, Scalar], report: Report) -> list[str]:
    """Names so that each follows those it reads, in declared order where free; cycles are reported once."""
    done: dict[str, None] = {}
    path: list[str] = []
    reported: set[frozenset[str]] = set()

    def visit(name: str) -> None:
        if name in done or name not in readings:
            return
        if name in path:
            cycle = path[path.index(name):]
            if frozenset(cycle) not in reported:
                reported.add(frozenset(cycle))
                _report_cycle([*cycle, name], keys, report)
            return
        path.append(name)
        for read in readings[name].names:
            visit(read)
        path.pop()
        done[name] = None

    for name in readings:
        visit(name)
    return list(done)


def _report_cycle(cycle: list[str], keys: Mapping[str, Scalar], report: Report) -> None:
    shown = " -> ".join(f"`{n}`" for n in cycle)
    labels = tuple(
        Label(keys[a].span, f"`{a}` reads `{b}`") for a, b in zip(cycle[1:-1], cycle[2:], strict=True) if a in keys
    )
    report.at(
        "E0208",
        f"`{cycle[0]}` reads itself: {shown}" if len(cycle) > 2 else f"`{cycle[0]}` reads itself",
        keys[cycle[0]].span,
        "break the circle: let one of them read only inputs and features",
        labels,
    )
