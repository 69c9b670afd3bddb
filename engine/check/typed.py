"""What the checker found out about syntax nodes: types, meanings, row variables."""
from __future__ import annotations

from engine.check.scope import Binding
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.syntax import ast

ANY = Type(dt.ANY)


class Typing:
    """What the checker found out about the nodes of an expression, by identity."""

    def __init__(self) -> None:
        self.types: dict[int, Type] = {}
        self.bindings: dict[int, Binding] = {}
        #: Row variables of filters and loops, by the identity of the node that binds them.
        self.variables: dict[int, str] = {}
        #: The arguments of calls in the order of the function's parameters.
        self.arguments: dict[int, tuple[ast.Node, ...]] = {}
        #: Every node of which something is known; they are held, so that no other gets the identity of one.
        self.nodes: list[ast.Node] = []

    def record(self, node: ast.Node, kind: Type) -> Type:
        self.types[id(node)] = kind
        self.nodes.append(node)
        return kind

    def type_of(self, node: ast.Node) -> Type:
        return self.types.get(id(node), ANY)
