"""What the policies of a run hold: IR nodes, operations, hit policies, actions on missing data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from engine.backends.support import Support
from engine.ir import nodes as ir
from engine.ir.reads import Cone, expressions, walk
from engine.semantics.catalogue import BUILTINS
from engine.semantics.folds import FOLDS

#: Nodes that no policy of a file holds: scorers and plugin functions need a plugin, the last three are bare FEEL's.
ABSENT_NODES = frozenset({"Lambda", "Apply", "Iterate"})
#: Operations that lower to other nodes or that no policy can call: they take or give a function, or a range with
#: both ends given as values.
ABSENT_OPERATIONS = {
    "not": "the node Not",
    "get or else": "Let, IsNull and Cond",
    "count": "a fold",
    "all": "a fold",
    "any": "a fold",
    "today": "the node AsOf",
    "now": "a call of `date and time`",
    "duration": "a constant",
    ".start": "no range is a value",
    ".end": "no range is a value",
    ".start included": "no range is a value",
    ".end included": "no range is a value",
    "flatten": "nested loops",
}
ACTIONS = ("refer", "skip", "refuse", "then")


def wanted(support: Support | None = None) -> list[str]:
    """Every item that a nightly run must meet, as far as a backend carries it out; all of them for the reference."""
    found = _every()
    if support is None:
        return found
    nodes = {f"node {n.__name__}" for n in support.nodes}
    operations = {f"operation {name}" for name in support.operations}
    hits = {f"hit {h}" for h in support.hits} | support.hits
    held = {"node": nodes, "operation": operations, "hit": hits, "scorecard": hits}
    return [i for i in found if i in held.get(i.partition(" ")[0], found)]


def _every() -> list[str]:
    nodes = [c.__name__ for c in _node_classes() if c.__name__ not in ABSENT_NODES]
    operations = [o.name for o in BUILTINS if o.name not in ABSENT_OPERATIONS or o.name == "flatten"]
    return [
        *(f"node {n}" for n in nodes),
        *(f"operation {o}" for o in operations),
        *(f"fold {f}" for f in FOLDS),
        *(f"hit {h}" for h in ir.HITS),
        *(f"on missing {a}" for a in ACTIONS),
        "scorecard",
        "parameter",
        "for each",
        "for each, with histories",
        "previous",
        "lookup by key",
        "lookup by band",
        "several outputs",
        "where",
        "from X",
        "known from",
        "visible from",
        "order by",
        "tolerant comparison",
        "plain comparison",
    ]


def _node_classes() -> list[type]:
    return [c for c in vars(ir).values() if isinstance(c, type) and issubclass(c, ir.Node) and c is not ir.Node]


def items(program: ir.Program, reach: Cone | None = None) -> Counter[str]:
    """How often each item stands in a program, or in what some outcomes need of it; the policies that it decides for
    each row included."""
    found: Counter[str] = Counter()
    decisions = program.decisions if reach is None else reach.decisions
    histories = [h for h in program.histories if reach is None or h.name in reach.relations]
    nodes = (node for root in roots(decisions, (), histories) for node in walk(root))
    read = {node.name for node in nodes if isinstance(node, ir.Parameter)}
    parameters = [p for p in program.parameters if reach is None or p.name in read]
    modes = {t.name: t.mode for t in program.tables}
    for root in roots(decisions, parameters, histories):
        for node in walk(root):
            found[f"node {type(node).__name__}"] += 1
            if isinstance(node, ir.Call):
                found[f"operation {node.op}"] += 1
            elif isinstance(node, ir.Fold):
                found[f"fold {node.op}"] += 1
            elif isinstance(node, ir.Compare):
                found[f"{node.mode} comparison"] += 1
            elif isinstance(node, ir.Lookup):
                found[f"lookup by {modes[node.table]}"] += 1
    for decision in decisions:
        found["where"] += bool(decision.where)
        if decision.family != "imports":
            found[f"on missing {decision.on_missing.action}"] += 1
        if isinstance(decision, ir.Score):
            found["scorecard"] += 1
            continue
        found[f"hit {decision.hit}"] += 1
        found["several outputs"] += bool(decision.members)
        found["from X"] += any(s.inherited for a in decision.arms for s in a.reasons)
    found["parameter"] += len(parameters)
    found["previous"] += sum(i.previous for i in program.inputs if reach is None or i.name in reach.inputs)
    for history in histories:
        found["visible from"] += history.visible_from is not None
        found["order by"] += bool(history.order_by)
        found["known from"] += any(f.known_from for f in history.fields)
        if history.each is not None:
            found["for each"] += 1
            found["for each, with histories"] += bool(history.each.histories)
            found.update(items(history.each.program))
    return found


def roots(
    decisions: Iterable[ir.Decision], parameters: Iterable[ir.ParameterDecl], histories: Iterable[ir.HistoryDecl]
) -> Iterator[ir.Node]:
    for decision in decisions:
        yield from expressions(decision)
    for parameter in parameters:
        yield from (row.guard for row in parameter.rows)
    for history in histories:
        if history.each is not None:
            yield from (node for _, node in history.each.bindings)
