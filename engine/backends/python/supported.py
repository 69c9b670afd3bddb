"""What generated Python carries out: the nodes of programs, and every operation inline or by its kernel."""
from __future__ import annotations

from engine.backends.python.runtime import DRAFTS
from engine.backends.support import DYNAMIC, HITS, NODES, SCORECARD, Support, partition
from engine.ir import nodes as ir
from engine.semantics.catalogue import BUILTINS

SUPPORT = Support(
    "python",
    frozenset({
        ir.Const, ir.Input, ir.Parameter, ir.AsOf, ir.Ref, ir.Local, ir.Let, ir.Call, ir.Compare, ir.And, ir.Or, ir.Not,
        ir.IsNull, ir.Cond, ir.Record, ir.Field, ir.List, ir.Relation, ir.Filter, ir.Map, ir.Fold, ir.Group,
        ir.Lookup,
    }),
    {operation.name: "" for operation in BUILTINS},
    frozenset({"value", "first", *DRAFTS, SCORECARD}),
)
partition("python: nodes", SUPPORT.nodes, DYNAMIC, set(NODES))
partition("python: hit policies", SUPPORT.hits, (), set(HITS))
