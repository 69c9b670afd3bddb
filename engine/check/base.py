"""What the parts of the expression checker share: the report, the side table, the place at hand."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from engine.check import rules
from engine.check.facts import path_key
from engine.check.scope import Report, Scope, Slice
from engine.check.typed import ANY, Typing
from engine.diagnostics import Label
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.semantics.functions import NO_FUNCTIONS, Functions
from engine.syntax import ast

if TYPE_CHECKING:
    from engine.check.model import HistoryModel

BOOLEAN = Type(dt.BOOLEAN)


class CheckerBase:
    """`place` is the text at hand, set by the entry points. `functions` are those beyond the language's own, and
    `set_with` says which set has a function that is not among them; None where a set is missing, which was told."""

    def __init__(
        self, report: Report, typing: Typing, currency: str | None, functions: Functions = NO_FUNCTIONS,
        set_with: Callable[[str], str | None] | None = lambda name: None,
    ) -> None:
        self.report = report
        self.typing = typing
        self.currency = currency
        self.functions = functions
        self.set_with = set_with
        #: The histories by the names of relations: their own, and those of imports for each row of one.
        self.histories: Mapping[str, HistoryModel] = {}
        self.place: Slice
        self._fresh = 0

    def error(self, code: str, message: str, node: ast.Node, help: str | None = None, **more: Any) -> Type:
        self.report.on(code, message, self.place, node, help, **more)
        return ANY

    def fresh(self, name: str) -> str:
        self._fresh += 1
        return f"{name}~{self._fresh}"

    def type(self, node: ast.Node, scope: Scope) -> Type:
        """Type a node by its class; the whole checker knows them all."""
        raise NotImplementedError

    def labels(self, *parts: tuple[ast.Node, Type]) -> tuple[Label, ...]:
        """Where each type came from."""
        return tuple(
            Label(self.place.locate(n.start, n.end), f"this is {rules.describe(t)}")
            for n, t in parts
            if t.kind != dt.ANY
        )

    def settle_money(self, a: ast.Node, left: Type, b: ast.Node, right: Type) -> tuple[Type, Type]:
        """A bare literal beside money is money."""
        if left.kind == dt.MONEY and right.kind == dt.NUMBER and self.as_money(b):
            right = self.typing.type_of(b)
        elif right.kind == dt.MONEY and left.kind == dt.NUMBER and self.as_money(a):
            left = self.typing.type_of(a)
        return left, right

    def as_money(self, node: ast.Node) -> bool:
        """Make a bare number literal money, through a sign and the branches of `if`; whether it was one."""
        if isinstance(node, ast.NumberLiteral):
            done = True
        elif isinstance(node, ast.Negation):
            done = self.as_money(node.operand)
        elif isinstance(node, ast.If):
            branches = (node.then, node.otherwise)
            done = all(self.typing.type_of(b).kind == dt.MONEY or self.as_money(b) for b in branches)
        elif isinstance(node, ast.NullLiteral):
            return True
        else:
            return self.typing.type_of(node).kind == dt.MONEY
        if done:
            self.typing.record(node, self.typing.type_of(node).replace(kind=dt.MONEY))
        return done

    def boolean(self, node: ast.Node, scope: Scope, what: str) -> Type:
        """Type a node that must be true or false."""
        kind = self.type(node, scope)
        if kind.kind not in (dt.BOOLEAN, dt.ANY):
            help = "compare it with something, as in `... > 0` or `... != null`"
            self.error("E0307", f"{what} must be true or false, this is {rules.describe(kind)}", node, help)
            return BOOLEAN
        return BOOLEAN.optional(kind.nullable)

    def nullable_names(self, node: ast.Node) -> list[str]:
        found: list[str] = []
        if isinstance(node, (ast.Name, ast.Path)) and self.typing.type_of(node).nullable:
            key = path_key(node)
            if key is not None:
                return [key]
        for child in ast.children(node):
            found.extend(n for n in self.nullable_names(child) if n not in found)
        return found

    def null_help(self, node: ast.Node) -> str:
        """Which names make a condition nullable, and how to settle them."""
        names = self.nullable_names(node)
        if names:
            listed = " and ".join(f"`{n}`" for n in names[:3])
            return f"{listed} can be missing: test `{names[0]} != null and ...` first, or use `get or else(...)`"
        return "a part of it can have no value: guard it with `get or else(...)`"
