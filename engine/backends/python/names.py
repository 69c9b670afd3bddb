"""Locals and constants of generated code.

Only literals of the policy reach the source, through `repr`; names become numbered
locals, and every other constant goes to the pool that the function's globals hold.
"""
from __future__ import annotations

from typing import Any

from engine.backends.python.known import NOTHING, Known
from engine.ir import nodes as ir
from engine.semantics.catalogue import Catalogue, Operation


class Names:
    """`variables` maps what a node reads to its local; `nullable` holds the locals that may be None."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.pool: dict[str, Any] = {}
        self.variables: dict[tuple[str, str], str] = {}
        self.nullable: set[str] = set()
        #: Locals that stand for an expression (`Let`): whether their null came from a name.
        self.let_by_name: dict[str, str] = {}
        self._temporaries = 0
        self._pooled: dict[int, str] = {}

    def temporary(self) -> str:
        self._temporaries += 1
        return f"t{self._temporaries}"

    def pooled(self, value: Any, kind: str = "k") -> str:
        """The global that holds a constant."""
        name = self._pooled.get(id(value))
        if name is None:
            name = f"{kind}{len(self.pool)}"
            self.pool[name] = value
            self._pooled[id(value)] = name
        return name

    def literal(self, value: Any) -> str:
        if value is None or isinstance(value, (bool, str)):
            return repr(value)
        if isinstance(value, (int, float)):
            return repr(value) if value >= 0 else f"({value!r})"
        return self.pooled(value)

    def simple(self, node: ir.Node) -> str | None:
        """The local that a leaf reads, None for anything else."""
        if isinstance(node, ir.AsOf):
            return "as_of"
        if isinstance(node, ir.Field) and isinstance(node.base, ir.Ref):
            return self.variables.get(("member", f"{node.base.name}.{node.name}"))
        if isinstance(node, (ir.Input, ir.Ref, ir.Parameter, ir.Local, ir.Relation)):
            return self.variables[(type(node).__name__, node.name)]
        return None

    # What the layers above provide; each is declared here so that the parts can call one another.

    def value(self, node: ir.Node, known: Known = NOTHING) -> str:
        raise NotImplementedError

    def true(self, node: ir.Node, known: Known = NOTHING) -> str:
        raise NotImplementedError

    def false(self, node: ir.Node, known: Known = NOTHING) -> str:
        raise NotImplementedError

    def may_be_null(self, node: ir.Node, known: Known) -> bool:
        raise NotImplementedError

    def after(self, node: ir.Node, holds: bool, known: Known) -> Known:
        raise NotImplementedError

    def null_by_name(self, node: ir.Node, known: Known = NOTHING) -> str:
        raise NotImplementedError

    def pool_table(self, node: ir.Lookup) -> str:
        raise NotImplementedError

    def guarded(self, operation: Operation, untyped: bool) -> Any:
        raise NotImplementedError
