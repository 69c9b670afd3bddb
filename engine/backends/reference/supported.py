"""What the reference evaluator carries out: the nodes that it has handlers for, and every operation by its kernel."""
from __future__ import annotations

from engine.backends.reference.decide import POLICIES
from engine.backends.reference.dynamic import DynamicEvaluator
from engine.backends.support import HITS, NODES, SCORECARD, Support, partition
from engine.ir import nodes as ir
from engine.semantics.catalogue import BUILTINS

#: Scorers and functions of plugins are called by what runs a program, which nothing does yet.
LEFT_OUT: frozenset[type[ir.Node]] = frozenset({ir.Opaque})

SUPPORT = Support(
    "reference",
    frozenset(DynamicEvaluator.handlers) - LEFT_OUT,
    {operation.name: "" for operation in BUILTINS},
    frozenset({*POLICIES, SCORECARD}),
)
partition("reference: nodes", SUPPORT.nodes, LEFT_OUT, set(NODES))
partition("reference: hit policies", SUPPORT.hits, (), set(HITS))
