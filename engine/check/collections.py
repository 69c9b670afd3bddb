"""Types lists, contexts, paths, filters and loops."""
from __future__ import annotations

from engine.check import calls, previous, rules
from engine.check.base import BOOLEAN
from engine.check.comparisons import Comparisons
from engine.check.facts import facts, path_key
from engine.check.groups import row_names
from engine.check.scope import LOCAL, PREVIOUS, Binding, Scope, closest
from engine.check.typed import ANY
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.syntax import ast


class Collections(Comparisons):
    """What holds several values, and what goes over them."""

    def _list(self, node: ast.ListLiteral, scope: Scope) -> Type:
        item: Type | None = None
        for each in node.items:
            kind = self.type(each, scope)
            item = kind if item is None else rules.join(item, kind)
            if item is None:
                help = "give all items the same type"
                return self.error("E0309", "the items of this list have different types", each, help)
        return dt.list_of(item or ANY)

    def _context(self, node: ast.ContextLiteral, scope: Scope) -> Type:
        inner = scope
        fields: list[tuple[str, Type]] = []
        for entry in node.entries:
            kind = self.type(entry.value, inner)
            if any(entry.key == name for name, _ in fields):
                self.error("E0201", f"the member `{entry.key}` stands twice in this context", entry, "rename one")
            self.typing.record(entry, kind)
            fields.append((entry.key, kind))
        return Type(dt.CONTEXT, fields=tuple(fields))

    def _path(self, node: ast.Path, scope: Scope) -> Type:
        if isinstance(node.base, ast.Name):
            named = scope.find(node.base.name)
            if named is not None and named.kind == PREVIOUS:
                return previous.read(self, node, named, scope)
        base = self.type(node.base, scope)
        if base.kind == dt.ANY:
            return ANY
        found = self._member(base, node)
        outer = self.typing.bindings.get(id(node.base))
        if outer is not None and outer.kind == PREVIOUS and base.kind == dt.CONTEXT and found.kind != dt.ANY:
            previous.member(self, node, outer, found)
        return found.optional(False) if path_key(node) in scope.facts else found

    def _member(self, base: Type, node: ast.Path) -> Type:
        if base.kind == dt.MONEY and node.name == "amount":
            return base.replace(kind=dt.NUMBER)
        if base.kind in (dt.CONTEXT, dt.RELATION) or (base.kind == dt.LIST and base.item and base.item.fields):
            row = base if base.kind == dt.CONTEXT else base.item
            assert row is not None
            field = row.field(node.name)
            if field is not None:
                if base.kind == dt.CONTEXT:
                    return field.optional(field.nullable or base.nullable)
                relation = field.relation or base.relation or row.relation
                return dt.list_of(field.replace(relation=relation), base.nullable)
            names = [n for n, _ in row.fields or ()]
            near = closest(node.name, names)
            listing = ", ".join(f"`{n}`" for n in names[:12])
            return self.error(
                "E0205",
                f"`{node.name}` is not among its members",
                ast.Name(node.end - len(node.name), node.end, node.name),
                f"did you mean `{near}`?" if near else f"the members are {listing}",
                replacement=near,
            )
        operation = calls.property_type(base, node.name)
        if operation is not None:
            return operation
        return self.error("E0205", f"{rules.describe(base)} has no `{node.name}`", node, calls.property_help(base))

    def _filter(self, node: ast.Filter, scope: Scope) -> Type:
        base = self.type(node.base, scope)
        if base.kind == dt.ANY:
            return ANY
        if base.kind not in (dt.LIST, dt.RELATION) or base.item is None:
            return self.error(
                "E0301", f"`[...]` filters a history or list, this is {rules.describe(base)}", node.base,
                "put it behind a history, as in `invoices[amount > 0]`",
            )
        position = position_of(node.predicate)
        if position is not None:
            self.typing.record(node.predicate, Type(dt.NUMBER))
            if position not in (1, -1):
                return self.error(
                    "E0311", "only `[1]` and `[-1]` pick an item by place", node.predicate,
                    "filter by a condition, or take the first `[1]` or last `[-1]`",
                )
            return base.item.optional(True)
        variable = self.fresh("item")
        self.typing.variables[id(node)] = variable
        kind = self.boolean(node.predicate, scope.inner(row_names(variable, base.item)), "a filter")
        if kind.nullable:
            self.error(
                "E0403",
                "this filter can be null, so a row would be neither in nor out",
                node.predicate,
                self.null_help(node.predicate),
            )
        return base.replace(item=_narrowed(base.item, facts(node.predicate, True)))

    def _for(self, node: ast.For, scope: Scope) -> Type:
        inner, nullable = self._iterators(node.iterators, scope)
        body = self.type(node.body, inner)
        relation = self.typing.type_of(node.iterators[0].source).relation
        return dt.list_of(body.replace(relation=body.relation or relation) if body.kind != dt.ANY else body, nullable)

    def _quantified(self, node: ast.Quantified, scope: Scope) -> Type:
        inner, nullable = self._iterators(node.iterators, scope)
        body = self.boolean(node.body, inner, f"the condition of `{node.kind}`")
        return BOOLEAN.optional(nullable or body.nullable)

    def _iterators(self, iterators: tuple[ast.Iterator, ...], scope: Scope) -> tuple[Scope, bool]:
        nullable = False
        for iterator in iterators:
            kind = self.type(iterator.source, scope)
            item: Type = ANY
            if iterator.upper is not None:
                upper = self.type(iterator.upper, scope)
                for part, end in ((iterator.source, kind), (iterator.upper, upper)):
                    if end.kind not in (dt.NUMBER, dt.ANY):
                        message = f"`..` counts numbers, this is {rules.describe(end)}"
                        self.error("E0301", message, part, "write whole numbers")
                nullable = nullable or kind.nullable or upper.nullable
                item = Type(dt.NUMBER, whole=True)
            elif kind.kind in (dt.LIST, dt.RELATION) and kind.item is not None:
                item = kind.item
                nullable = nullable or kind.nullable
            elif kind.kind != dt.ANY:
                self.error(
                    "E0301", f"`for` goes over a history or list, this is {rules.describe(kind)}", iterator.source,
                    "name a history, or count with `for i in 1..n`",
                )
            variable = self.fresh(iterator.name)
            self.typing.variables[id(iterator)] = variable
            self.typing.record(iterator, item)
            scope = scope.inner({iterator.name: Binding(LOCAL, variable, item)})
        return scope, nullable


def _narrowed(row: Type, known: frozenset[str]) -> Type:
    """The type of rows that passed a filter: the fields that it found known are not null."""
    if row.relation is None or not row.fields:
        return row
    found = {k.removeprefix("item.") for k in known}
    if not any(kind.nullable and name in found for name, kind in row.fields):
        return row
    return row.replace(fields=tuple((n, k.optional(k.nullable and n not in found)) for n, k in row.fields))


def position_of(predicate: ast.Node) -> int | None:
    """The place in a filter such as `[1]` or `[-1]`."""
    if isinstance(predicate, ast.NumberLiteral) and isinstance(predicate.value, int):
        return predicate.value
    if isinstance(predicate, ast.Negation) and isinstance(predicate.operand, ast.NumberLiteral):
        value = predicate.operand.value
        return -value if isinstance(value, int) else None
    return None
