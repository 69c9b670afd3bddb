"""What the reference evaluator carries out: the nodes that it has handlers for, and every operation by its kernel."""
from __future__ import annotations

from engine.backends.reference.decide import POLICIES
from engine.backends.reference.dynamic import DynamicEvaluator
from engine.backends.support import HITS, NODES, SCORECARD, Support, partition
from engine.semantics.catalogue import BUILTINS

SUPPORT = Support(
    "reference",
    frozenset(DynamicEvaluator.handlers),
    {operation.name: "" for operation in BUILTINS},
    frozenset({*POLICIES, SCORECARD}),
)
partition("reference: nodes", SUPPORT.nodes, (), set(NODES))
partition("reference: hit policies", SUPPORT.hits, (), set(HITS))
