"""Holds a program against the invariants of the core.

For tests and for whoever writes a pass over programs; a fault here is a fault of ours,
never of a policy, so it raises.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from engine.ir import nodes as ir
from engine.semantics import dtypes as dt
from engine.semantics.folds import FOLDS

#: Nodes that a program may not hold: they are for bare FEEL.
DYNAMIC = (ir.Lambda, ir.Apply, ir.Iterate)
EXPRESSIONS = (
    ir.Const, ir.Input, ir.Parameter, ir.AsOf, ir.Ref, ir.Local, ir.Let, ir.Call, ir.Compare, ir.And, ir.Or, ir.Not,
    ir.IsNull, ir.Cond, ir.Record, ir.Field, ir.List, ir.Relation, ir.Filter, ir.Map, ir.Fold, ir.Group, ir.Lookup,
)
_COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_BOOLEAN = (ir.Compare, ir.And, ir.Or, ir.Not, ir.IsNull)


class InvariantError(AssertionError):
    """A program that breaks an invariant; the message names the node by its id."""


def verify(program: ir.Program) -> None:
    """Check a program and those it decides for each row; raises InvariantError at the first fault."""
    _Verifier(program).program_()


class _Verifier:
    def __init__(self, program: ir.Program) -> None:
        self.program = program
        self.inputs = {i.name for i in program.inputs}
        self.parameters = {p.name for p in program.parameters}
        self.relations = {h.name for h in program.histories}
        self.tables = {t.name: t for t in program.tables}
        self.decided: set[str] = set()
        self.ids: dict[str, ir.Node] = {}
        self.names: set[str] = set()

    def program_(self) -> None:
        program = self.program
        every = [d.name for d in program.decisions]
        self.once(every, "decision")
        self.once([i.name for i in program.inputs], "input")
        for name in program.declared:
            self.demand(name in every, name, "is declared and not among the decisions")
        before: set[str] = set()
        for history in program.histories:
            if history.each is not None:
                self.each(history, history.each, before)
            before.add(history.name)
        for decision in program.decisions:
            if isinstance(decision, ir.Decide):
                self.decide(decision)
            else:
                self.score(decision)
            self.decided.add(decision.name)
        for parameter in program.parameters:
            for row in parameter.rows:
                self.condition(row.guard, frozenset())
        for reason in program.reasons:
            for _, parts in (*reason.texts, *reason.notices):
                for part in parts:
                    if isinstance(part, ir.Node):
                        self.node(part, frozenset())
        for history in program.histories:
            for _, binding in history.each.bindings if history.each is not None else ():
                self.node(binding, frozenset({"row"}))
        codes = {r.code for r in program.reasons}
        for decision in program.decisions:
            for source in _sources(decision):
                known = source.name in (every if source.inherited else codes)
                self.demand(known, decision.name, f"gives the reason `{source.name}`, which is nowhere declared")

    def each(self, history: ir.HistoryDecl, each: ir.EachDecl, before: set[str]) -> None:
        """A policy for each row goes over a history before it, and its own come from such by keys."""
        verify(each.program)
        self.demand(each.over in before, history.name, "goes over no history before it")
        given, inner = {n for n, _ in each.bindings}, {h.name for h in each.program.histories if h.each is None}
        self.demand({h.name for h in each.histories} == inner, history.name, "leaves out a history of its policy")
        earlier: set[str] = set()
        for joined in each.histories:
            self.demand(joined.source in before, history.name, f"takes `{joined.name}` from no history before it")
            by = joined.of in earlier if joined.input is None else joined.of is None and joined.input in given
            self.demand(by, history.name, f"joins `{joined.name}` by what it does not give")
            earlier.add(joined.name)

    # --- decisions -------------------------------------------------------------------

    def decide(self, decision: ir.Decide) -> None:
        self.demand(decision.hit in ir.HITS, decision.name, f"has the hit policy `{decision.hit}`")
        bound = self.where(decision.where)
        if decision.hit == "value":
            self.demand(len(decision.arms) == 1, decision.name, "is a value and has not one arm")
        self.once([a.id for a in decision.arms], "arm")
        members = {n for n, _ in decision.members}
        for arm in decision.arms:
            self.demand(arm.id.startswith(f"{decision.name}/"), arm.id, f"is an arm of `{decision.name}`")
            self.condition(arm.guard, bound)
            for part in arm.parts:
                self.condition(part, bound)
            if arm.otherwise:
                self.demand(isinstance(arm.guard, ir.Const) and arm.guard.value is True, arm.id, "is conditional")
            for name, node in arm.outcome:
                known = name in members or (name == "" and not members)
                self.demand(known, arm.id, f"gives the unknown output `{name}`")
                self.node(node, bound)

    def score(self, score: ir.Score) -> None:
        bound = self.where(score.where)
        for characteristic in score.characteristics:
            self.node(characteristic.value, bound)
            for each in characteristic.bins:
                self.condition(each.test, bound | {characteristic.var})

    def where(self, where: Iterable[tuple[str, ir.Node]]) -> frozenset[str]:
        """Check local names, each over those before it; gives them all."""
        bound: frozenset[str] = frozenset()
        for name, node in where:
            self.node(node, bound)
            bound |= {name}
        return bound

    # --- nodes ---------------------------------------------------------------------------

    def condition(self, node: ir.Node, bound: frozenset[str]) -> None:
        self.demand(node.type.kind == dt.BOOLEAN, node.id, f"is a condition of type {node.type.kind}")
        self.node(node, bound)

    def node(self, node: ir.Node, bound: frozenset[str]) -> None:
        self.demand(not isinstance(node, DYNAMIC), node.id, f"is a {type(node).__name__}, which is for bare FEEL")
        self.demand(isinstance(node, EXPRESSIONS), node.id, f"is a {type(node).__name__}")
        self.demand(bool(node.id), node.id, "has no id")
        self.demand(node.type.kind != dt.ANY, node.id, "has no type")
        before = self.ids.setdefault(node.id, node)
        if before is not node:
            self.demand(before == node, node.id, "names two nodes")
        self.leaf(node, bound)
        self.operator(node)
        if isinstance(node, ir.Let):
            self.node(node.value, bound)
            self.node(node.body, bound | {node.name})
        elif isinstance(node, (ir.Filter, ir.Map, ir.Fold, ir.Group)):
            self.node(node.source, bound)
            for part in ir.children(node):
                if part is not node.source:
                    self.node(part, bound | {node.var})
        else:
            for part in ir.children(node):
                self.node(part, bound)

    def leaf(self, node: ir.Node, bound: frozenset[str]) -> None:
        """Names resolve, decisions to those before."""
        if isinstance(node, ir.Input):
            self.demand(node.name in self.inputs, node.id, f"reads the unknown input `{node.name}`")
        elif isinstance(node, ir.Parameter):
            self.demand(node.name in self.parameters, node.id, f"reads the unknown parameter `{node.name}`")
        elif isinstance(node, ir.Ref):
            self.demand(node.name in self.decided, node.id, f"reads `{node.name}`, which is not decided before")
        elif isinstance(node, ir.Relation):
            self.demand(node.name in self.relations, node.id, f"reads the unknown history `{node.name}`")
        elif isinstance(node, ir.Local):
            self.demand(node.name in bound, node.id, f"reads the local `{node.name}`, which nothing binds")
        elif isinstance(node, ir.Lookup):
            table = self.tables.get(node.table)
            self.demand(table is not None, node.id, f"reads the unknown table `{node.table}`")
            assert table is not None
            self.demand(node.column in dict(table.columns), node.id, f"reads no column `{node.column}`")
            self.demand(len(node.keys) == len(table.keys), node.id, "has another number of keys than its table")

    def operator(self, node: ir.Node) -> None:
        """Operations are known, and what is boolean is typed so."""
        if isinstance(node, _BOOLEAN):
            self.demand(node.type.kind == dt.BOOLEAN, node.id, f"is a test of type {node.type.kind}")
        if isinstance(node, ir.IsNull):
            self.demand(not node.type.nullable, node.id, "tests for null and is nullable")
        elif isinstance(node, ir.Compare):
            self.demand(node.op in _COMPARISONS, node.id, f"compares by `{node.op}`")
            self.demand(node.mode in ("plain", "tolerant"), node.id, f"compares in the mode `{node.mode}`")
            tolerant = node.mode == "tolerant"
            self.demand((node.floor > 0) == tolerant, node.id, "has a tolerance that its mode does not")
        elif isinstance(node, (ir.And, ir.Or)):
            self.demand(len(node.args) > 0, node.id, "joins nothing")
        elif isinstance(node, ir.Cond):
            self.demand(node.test.type.kind == dt.BOOLEAN, node.id, "chooses by what is not boolean")
        elif isinstance(node, ir.Call):
            known = node.op == "neg" or self.program.functions.catalogue.find(node.op) is not None
            self.demand(known, node.id, f"calls the unknown operation `{node.op}`")
        elif isinstance(node, ir.Fold):
            self.demand(node.op in FOLDS or node.op in ("some", "every"), node.id, f"folds by the unknown `{node.op}`")
            self.demand(node.source.type.kind in (dt.LIST, dt.RELATION), node.id, "folds what is no list")
        elif isinstance(node, ir.Group):
            self.demand(node.source.type.kind == dt.RELATION, node.id, "groups what is no relation")
            self.demand(not node.key.type.nullable, node.id, "groups by what may be null")
            self.demand(dt.groups(node.key.type), node.id, "groups by what does not compare exactly")
            item = node.type.item
            self.demand(node.type.kind == dt.LIST and item is not None and dt.is_group(item), node.id, "has no groups")
        elif isinstance(node, ir.Const):
            self.demand(node.type.nullable or node.value is not None, node.id, "is null and not nullable")

    # --- plumbing -----------------------------------------------------------------------------

    def demand(self, holds: bool, id: str, what: str) -> None:
        if not holds:
            raise InvariantError(f"`{id}` {what}")

    def once(self, names: list[str], what: str) -> None:
        for name, times in Counter(names).items():
            self.demand(times == 1, name, f"is the name of two {what}s")


def _sources(decision: ir.Decision) -> Iterable[ir.ReasonSource]:
    if isinstance(decision, ir.Decide):
        return (s for arm in decision.arms for s in arm.reasons)
    return (s for c in decision.characteristics for b in c.bins for s in b.reasons)
